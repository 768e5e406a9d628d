package report

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// Wrap puts enrichment in front of an Emit: see enrich.Wrap, of which it is a part.
type Wrap func(p *schema.Projection, next schema.Emit) schema.Emit

// Lacking is the error for a report whose keys or conditions are on fields that no record had.
type Lacking struct {
	Report string
	Fields []string
	From   []string // the logged fields that these are, or are computed from
	Index  int      // of the report

	stats schema.Stats // of the logs
}

func (e *Lacking) Error() string {
	return fmt.Sprintf("%s needs %s, which these logs do not have: %s", e.Report, strings.Join(e.Fields, " and "), adviceFor(e.From, e.stats))
}

// Advice says how to get the fields.
func (e *Lacking) Advice() string { return adviceFor(e.Fields, e.stats) }

// advice says how to get fields logged.
func advice(names []string) string {
	var logged []string
	for _, name := range names {
		if name == directionField { // nothing else tells it for certain
			name = "flow_direction"
		}
		if f, ok := schema.Logged().Lookup(name); ok {
			logged = append(logged, "${"+f.LogName()+"}")
		}
	}
	if logged == nil {
		return "`flowlog fields` says what they come from"
	}
	return "add " + strings.Join(logged, " ") + " to the format of the flow log"
}

// Tables finishes the reports, in their order. The error of a report whose fields the input lacks is in
// its place in the second result; it has no table. wrap computes the labels of keys; nil leaves them out.
// The Aggregator cannot be used afterwards.
func (a *Aggregator) Tables(stats schema.Stats, wrap Wrap) ([]Table, []*Lacking, error) {
	passed := a.passed()
	w, err := a.merged(stats)
	if err != nil {
		return nil, nil, err
	}
	a.noticeSkimmed(stats)
	var lacks []*Lacking
	computed := make([]bool, len(w.runs))
	for i, u := range w.runs {
		if stats.Flows > 0 {
			var needed []string
			for _, k := range u.Keys {
				needed = append(needed, k.Field)
			}
			needed = append(needed, unmet(u.Where, a.lacking)...)
			if names := a.lacking(needed...); len(names) > 0 {
				lacks = append(lacks, &Lacking{Report: u.Name, Fields: names, From: origins(a.fields, names), Index: i, stats: stats})
				continue
			}
		}
		computed[i] = true
	}
	var units [][]int // runs that are for one goroutine: states other than numbers are put in order when they are asked
	for i, u := range w.runs {
		if u.grow(max(u.rows.groups, 1)); !computed[i] {
			continue
		}
		at := slices.IndexFunc(units, func(unit []int) bool { return w.runs[unit[0]].grouping == u.grouping && !u.onlyNumbers() })
		if at < 0 {
			at, units = len(units), append(units, nil)
		}
		units[at] = append(units[at], i)
	}
	slices.SortStableFunc(units, func(a, b []int) int { return w.runs[b[0]].rows.groups - w.runs[a[0]].rows.groups })
	all, reached := make([]Table, len(w.runs)), w.reached()
	err = atOnce(len(units), func(unit int) error {
		for _, i := range units[unit] {
			var err error
			if all[i], err = w.table(w.runs[i], stats, wrap); err != nil {
				return err
			}
			all[i].Why = a.explain(w.runs[i], passed, stats.Flows, reached)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var tables []Table
	for i, t := range all {
		if computed[i] {
			tables = append(tables, t)
		}
	}
	return tables, lacks, nil
}

// onlyNumbers reports whether nothing but numbers is kept for groups.
func (u *grouping) onlyNumbers() bool {
	return !slices.ContainsFunc(u.bases, func(b base) bool {
		return b.state != nil && !isNumeric(b.state) || b.view != nil
	})
}

// merged is one worker with what all have come to. Bins of time whose width was left open have one then.
func (a *Aggregator) merged(stats schema.Stats) (*worker, error) {
	if a.spilled != nil {
		return a.finishSpilled(stats)
	}
	return a.gather(true)
}

// rebinned is a worker with the groups of another, but for those by bins of time whose width was left open.
func (a *Aggregator) rebinned(o *worker) *worker {
	var list []*coded
	for _, c := range o.coded[:o.own] {
		if k := a.chosen(c.key); k != c.key {
			c = &coded{key: k, field: c.field, coder: k.coder(a.projection.Fields[c.field])}
		}
		list = append(list, c)
	}
	w := a.newWorkerOf(list)
	w.had, w.lacked, w.relied = o.had, o.lacked, o.relied
	for i, g := range o.groupings {
		if slices.ContainsFunc(g.keys, func(place int) bool { return w.coded[place] != o.coded[place] }) {
			continue
		}
		for _, u := range w.runs {
			if u.grouping == w.groupings[i] {
				u.grouping = g
			}
		}
		w.groupings[i] = g
	}
	return w
}

// chosen is a key with the width of bins that was chosen, if it was left open.
func (a *Aggregator) chosen(k Key) Key {
	if k.Every == auto {
		k.Every, k.chosen = steps[0], true
		if a.bins.lo <= a.bins.hi {
			k.Every = chooseStep(a.bins.lo, a.bins.hi, k.Zone)
		}
	}
	return k
}

// chooseSteps sets the width of bins of time that was left open, and reports whether there are any.
func (a *Aggregator) chooseSteps() bool {
	open := false
	for _, w := range a.workers {
		open = a.bins.observe(w) || open
	}
	for i := range a.reports {
		keys := slices.Clone(a.reports[i].Keys)
		for k := range keys {
			keys[k] = a.chosen(keys[k])
		}
		a.reports[i].Keys = keys
	}
	return open
}

// observed is the range of bins of time whose width is left open.
type observed struct{ span[int64] }

// observe takes in those of a worker, which is rolled up, and reports whether there are any.
func (o *observed) observe(w *worker) bool {
	open := false
	for _, g := range w.groupings {
		for i, k := range g.first.Keys {
			if k.Every != auto {
				continue
			}
			open = true
			c := w.coded[g.keys[i]].coder
			seen := make([]bool, c.Len())
			_, ids := g.groups()
			for _, code := range w.keyCodes(g, ids)[i] {
				seen[code] = true
			}
			for code, yes := range seen {
				if yes {
					o.add(c.Value(uint32(code)))
				}
			}
		}
	}
	return open
}

func (o *observed) add(second any) {
	if s, ok := second.(int64); ok {
		o.lo, o.hi = min(o.lo, s), max(o.hi, s)
	}
}

// unmet lists the fields that are lacking, of those that it is asked about, and without which a condition cannot be met.
func unmet(e Expr, lacking func(...string) []string) []string {
	switch e := e.(type) {
	case nil, IsNull:
		return nil
	case And:
		var names []string
		for _, x := range e {
			names = append(names, unmet(x, lacking)...)
		}
		return names
	case Or:
		var names []string
		for _, x := range e {
			part := unmet(x, lacking)
			if part == nil {
				return nil
			}
			names = append(names, part...)
		}
		return names
	case Not:
		switch e.X.(type) {
		case And, Or, Not:
			return nil
		}
	}
	var names []string
	e.Fields(func(name string) { names = append(names, name) })
	return lacking(names...)
}

func (w *worker) table(u *run, stats schema.Stats, wrap Wrap) (Table, error) {
	t := Table{Name: u.Name, Doc: u.Doc, Settings: u.Settings}
	if stats.SkipData > 0 && u == w.runs[0] {
		say := "records say"
		if stats.SkipData == 1 {
			say = "record says"
		}
		t.Notes = append(t.Notes, fmt.Sprintf("totals are a lower bound: %d SKIPDATA %s that flows were lost", stats.SkipData, say))
	}
	lacks := w.lackingMeasures(u, stats, &t)
	t.Moot = w.moot(u, lacks, stats)
	order, byKey := u.order(lacks)
	t.Desc = !byKey != u.Reverse
	exist, ids := u.groups()
	if len(u.keys) == 0 && len(ids) == 0 {
		ids, exist = []uint32{0}, []bool{true}
	}
	if err := u.cover(exist); err != nil {
		return t, err
	}
	rows, met, err := w.rank(u, u.candidates(ids), order, byKey, t.Desc, stats)
	if err != nil {
		return t, err
	}
	labels, err := w.fill(u, &t, rows, stats, wrap)
	if err != nil {
		return t, err
	}
	t.Order = len(u.keys) + labels + order
	if byKey {
		t.Order = t.key(order)
	}
	if len(u.keys) == 0 {
		return t, nil
	}
	if err := u.sums(&t, exist, rows, met, len(u.keys)+labels, stats); err != nil {
		return t, err
	}
	t.Rebin = u.rebinning(t, rows, len(u.keys)+labels, stats)
	for i, b := range u.bases {
		if s := u.stateOf(i); s != nil && s.inexact() != "" {
			t.Notes = append(t.Notes, fmt.Sprintf("%s of %s: %s", b.Func, b.Field, s.inexact()))
		}
	}
	return t, err
}

// sums adds up the rows that were cut, of those that met the report's conditions, and all that exist.
func (u *run) sums(t *Table, exist []bool, rows []ranked, met []uint32, keys int, stats schema.Stats) error {
	cut, shown := make([]bool, len(exist)), make([]bool, len(exist))
	for _, id := range met {
		cut[id] = true
	}
	for _, r := range rows {
		cut[r.id], shown[r.id] = false, true
	}
	existing := u.restGroups
	for id, yes := range exist {
		if yes {
			existing++
		}
		shown[id] = yes && !cut[id] // or excluded
	}
	rest, n := u.rest, u.restGroups
	if u.met != nil {
		rest, n = u.met.cut, u.met.n
	}
	all, err := u.together(cut, rest)
	if err != nil {
		return err
	}
	t.Cut = len(met) - len(rows) + n
	t.Excluded = existing - len(rows) - t.Cut
	if t.Cut > 0 {
		t.Others = u.folded(all, keys, stats)
	}
	if u.met != nil {
		all, err = u.together(exist, u.rest)
	} else {
		err = u.addTo(all, shown)
	}
	if err == nil {
		t.Totals = u.folded(all, keys, stats)
	}
	return err
}

// candidates are the groups that may be shown, of all that are here.
func (u *run) candidates(ids []uint32) []uint32 {
	if u.met == nil || u.met.here == nil {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id uint32) bool { return !u.met.here[id] })
}

// groups lists the groups that have records, also as a set.
func (u *grouping) groups() (exist []bool, ids []uint32) {
	exist, ids = make([]bool, u.rows.groups), make([]uint32, 0, u.rows.groups)
	for g := range exist {
		if *u.rows.of(uint32(g)) > 0 {
			exist[g] = true
			ids = append(ids, uint32(g))
		}
	}
	return exist, ids
}

// A ranked group is one that is shown.
type ranked struct {
	id   uint32
	rank any
	keys []any
}

// rank returns the groups that are shown, in order, and all that meet the report's conditions on rows, of which they are
// the first.
func (w *worker) rank(u *run, ids []uint32, order int, byKey, desc bool, stats schema.Stats) (rows []ranked, met []uint32, err error) {
	keysOf, all := w.groupKeys(u), ids
	if u.Having != nil {
		if ids, err = w.having(u, ids, keysOf, stats); err != nil {
			return nil, nil, err
		}
	}
	if u.Spike != nil {
		ids = w.spikes(u, ids, all, stats)
	}
	met = ids
	if u.Limit > 0 && len(ids) > u.Limit && !byKey {
		ids = leaders(ids, u.Limit, u.cost(order, desc, stats))
	}
	rows = make([]ranked, len(ids))
	for i, id := range ids {
		rows[i] = ranked{id: id, keys: keysOf(id)}
		if byKey {
			rows[i].rank = rows[i].keys[order]
		} else {
			rows[i].rank = u.value(order, id, stats)
		}
	}
	slices.SortFunc(rows, func(x, y ranked) int {
		if c := compareNullsLast(x.rank, y.rank, desc); c != 0 {
			return c
		}
		for i := range x.keys {
			if c := compareNullsLast(x.keys[i], y.keys[i], false); c != 0 {
				return c
			}
		}
		return 0
	})
	if u.Limit > 0 && len(rows) > u.Limit {
		rows = rows[:u.Limit]
	}
	return rows, met, nil
}

// having returns the groups that meet the report's condition on its rows.
func (w *worker) having(u *run, ids []uint32, keysOf func(uint32) []any, stats schema.Stats) ([]uint32, error) {
	needed := make(map[string]bool)
	u.Having.Fields(func(name string) { needed[name] = true })
	var fields schema.Table
	var values []func(id uint32) any
	for i, k := range u.Keys {
		if name := k.Name(); needed[name] {
			f := w.aggregator.projection.Fields[w.coded[u.keys[i]].field]
			fields = append(fields, schema.Field{Name: name, Kind: k.kind(f)})
			values = append(values, func(id uint32) any { return keysOf(id)[i] })
		}
	}
	for i, m := range u.measures {
		if needed[m.Name] {
			fields = append(fields, schema.Field{Name: m.Name, Kind: m.kind()})
			values = append(values, func(id uint32) any { return u.value(i, id, stats) })
		}
	}
	columns := make([]arrow.Array, len(fields))
	for i, f := range fields {
		c := schema.NewColumn(f)
		for _, id := range ids {
			c.Append(values[i](id))
		}
		columns[i] = c.Array()
	}
	rows := make([]int32, len(ids))
	for i := range rows {
		rows[i] = int32(i)
	}
	rec := array.NewRecord(fields.Arrow(), columns, int64(len(ids)))
	var kept []uint32
	for _, row := range u.Having.filter().keep(rec, rows, true) {
		kept = append(kept, ids[row])
	}
	return kept, nil
}

// fill makes the columns of a table, each key with its labels behind it, then the measures, and its rows. It
// returns the number of labels.
func (w *worker) fill(u *run, t *Table, rows []ranked, stats schema.Stats, wrap Wrap) (int, error) {
	var keys []schema.Field
	var keyRows [][]any
	for i, k := range u.Keys {
		f := w.aggregator.projection.Fields[w.coded[u.keys[i]].field]
		if k != (Key{Field: f.Name}) {
			f = schema.Field{Name: k.Name(), Kind: k.kind(f)}
		}
		keys = append(keys, f)
	}
	for _, r := range rows {
		keyRows = append(keyRows, r.keys)
	}
	labels, labelRows, err := w.aggregator.labels(keys, keyRows, wrap)
	if err != nil {
		return 0, err
	}
	var place, labelled []int // of each key, and which label is next, by column
	for i, f := range keys {
		c := Column{Name: f.Name, Role: KeyRole, Kind: f.Kind}
		if u.Keys[i].Every != 0 {
			c.Unit, c.Every, c.Zone = Instant, u.Keys[i].Every, u.Keys[i].Zone
		}
		t.Columns = append(t.Columns, c)
		place = append(place, len(t.Columns)-1)
		for j, l := range labels {
			if l.Names == f.Name {
				t.Columns = append(t.Columns, Column{Name: l.Name, Role: LabelRole, Kind: l.Kind, Of: place[i], InPlace: l.InPlace})
				labelled = append(labelled, j)
			}
		}
	}
	measuresAt := len(t.Columns)
	for _, m := range u.measures {
		t.Columns = append(t.Columns, Column{Name: m.Name, Role: MeasureRole, Kind: m.kind(), Unit: m.Unit, Share: m.fn.share})
	}
	if u.Spike != nil {
		usual := Column{Name: medianColumn, Role: MeasureRole, Kind: schema.Float, Unit: u.measures[u.measure(u.Spike.Measure)].Unit}
		t.Columns = append(t.Columns, usual)
	}
	for i, r := range rows {
		row := make([]any, len(t.Columns))
		label := 0
		for c := range measuresAt {
			if t.Columns[c].Role == LabelRole {
				row[c] = labelRows[i][labelled[label]]
				label++
			}
		}
		for k, v := range r.keys {
			row[place[k]] = v
		}
		for m := range u.measures {
			row[measuresAt+m] = u.value(m, r.id, stats)
		}
		if u.Spike != nil {
			row[measuresAt+len(u.measures)] = u.medians[r.id]
		}
		t.Rows = append(t.Rows, row)
	}
	return len(labels), nil
}

// lackingMeasures notes the measures whose fields the input lacks, and reports which they are.
func (w *worker) lackingMeasures(u *run, stats schema.Stats, t *Table) []bool {
	lacks := make([]bool, len(u.measures))
	if stats.Flows == 0 {
		return lacks
	}
	var names []string
	for i, m := range u.measures {
		var needed []string
		if !m.All {
			m.fields(func(name string) { needed = append(needed, name) })
		}
		for _, name := range w.aggregator.lacking(needed...) {
			lacks[i] = true
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		u.measures[i].lacks = lacks[i]
	}
	if names != nil {
		t.Notes = append(t.Notes, fmt.Sprintf("these logs have no %s: %s", strings.Join(names, ", "), adviceFor(origins(w.aggregator.fields, names), stats)))
	}
	return lacks
}

// order says what ranks the rows: the index of a measure, or of a key.
func (u *run) order(lacks []bool) (index int, byKey bool) {
	if k := u.key(u.Order); k >= 0 && u.measure(u.Order) < 0 {
		return k, true
	}
	index = max(u.measure(u.Order), 0)
	if lacks[index] {
		index = max(slices.Index(lacks, false), 0)
	}
	return index, false
}

func (u *grouping) grow(groups int) {
	u.rows.grow(groups)
	for _, b := range u.bases {
		if b.state != nil {
			b.state.grow(groups)
		}
	}
}

// cover sets the seconds that the report covers, if a measure needs them: at least one.
func (u *run) cover(groups []bool) error {
	if u.span == nil {
		return nil
	}
	if u.covered == nil {
		all, err := u.together(groups, u.rest, u.span...)
		if err != nil {
			return err
		}
		u.covered = u.spanOf(all)
	}
	first, last := u.covered[0], u.covered[1]
	u.seconds = 1
	if first != nil && last != nil {
		u.seconds = max(float64(last.(int64)-first.(int64)), 1)
	}
	return nil
}

// spanOf is the earliest start and the latest end; nil if there is none.
func (u *run) spanOf(all []state) *[2]any {
	return &[2]any{boxed(all[u.span[0]].value(0)), boxed(all[u.span[1]].value(0))}
}

// value is a measure of a group.
func (u *run) value(m int, group uint32, stats schema.Stats) any {
	return u.measures[m].value(u.lasts(group), func(i int) any {
		return u.bases[i].value(u.stateOf(i), group, stats)
	})
}

// stateOf is what a base is kept in; nil if it is not from records.
func (u *grouping) stateOf(base int) state {
	if u.bases[base].rows {
		return &u.rows
	}
	if view := u.bases[base].view; view != nil {
		return view
	}
	return u.bases[base].state
}

// empty is a state for one group of each base, or only of some, nil for one that needs none. The group is what several
// have come to together.
func (u *grouping) empty(only ...int) []state {
	all := make([]state, len(u.bases))
	for i, b := range u.bases {
		if only != nil && !slices.Contains(only, i) {
			continue
		}
		if all[i] = b.newState(shapeTotal); all[i] != nil {
			all[i].grow(1)
		}
	}
	return all
}

// value is the value of a group in a state of the base, which is nil for a function of the whole input.
func (b *base) value(s state, group uint32, stats schema.Stats) any {
	if s == nil {
		return b.fn.input(stats)
	}
	return boxed(s.value(group))
}

// together is what the bases, or only some, have come to for several groups as one, with the rest, if there is one.
func (u *grouping) together(in []bool, rest []state, only ...int) ([]state, error) {
	all := u.empty(only...)
	for i, s := range rest {
		if all[i] != nil {
			if err := all[i].merge(s, []uint32{0}, nil); err != nil {
				return nil, err
			}
		}
	}
	return all, u.addTo(all, in)
}

// addTo adds several groups to what others have come to together.
func (u *grouping) addTo(all []state, in []bool) error {
	var states []merging
	for i, to := range all {
		if to != nil {
			states = append(states, merging{to: to, from: u.stateOf(i)})
		}
	}
	into := func(ids []uint32, in []bool) []uint32 {
		for g, yes := range in {
			if ids[g] = skip; yes {
				ids[g] = 0
			}
		}
		return ids[:len(in)]
	}
	return atOnce(2, func(i int) error {
		if i == 0 {
			if u.onlyNumbers() {
				return nil
			}
			return mergeOthers(states, into(make([]uint32, len(in)), in))
		}
		ids, n := make([]uint32, mergeLot), min(len(in), u.rows.groups)
		for from := 0; from < n; from += mergeLot {
			lot := in[from:min(from+mergeLot, n)]
			if !slices.Contains(lot, true) {
				continue
			}
			if err := mergeNumbers(states, into(ids, lot), from); err != nil {
				return err
			}
		}
		return nil
	})
}

// folded is the row of what several groups have come to together. It has keys in so many columns in front, which are
// null.
func (u *run) folded(all []state, keys int, stats schema.Stats) []any {
	width := keys + len(u.measures)
	if u.Spike != nil {
		width++ // a median does not add up
	}
	row := make([]any, width)
	for m := range u.measures {
		row[keys+m] = u.measures[m].value(u.seconds, func(b int) any {
			return u.bases[b].value(all[b], 0, stats)
		})
	}
	return row
}

// value computes a measure from what its bases have come to.
func (m *measured) value(seconds float64, of func(base int) any) any {
	if m.lacks {
		return nil
	}
	if m.fn.of == nil {
		v := of(m.bases[0])
		if m.Unit == Instant {
			v = instant(v)
		}
		return v
	}
	var parts []any
	for _, b := range m.bases {
		v := of(b)
		if v == nil {
			return nil
		}
		parts = append(parts, v)
	}
	return m.fn.of(parts, seconds)
}

// compareNullsLast orders values of one column: numbers as numbers, all else by its text, nulls last
// whatever the direction.
func compareNullsLast(x, y any, desc bool) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	}
	c := 0
	switch x := x.(type) {
	case int64:
		c = cmp.Compare(x, y.(int64))
	case float64:
		c = cmp.Compare(x, y.(float64))
	case string:
		c = cmp.Compare(x, y.(string))
	case netip.Addr:
		c = cmp.Compare(x.String(), y.(netip.Addr).String())
	case time.Time:
		c = x.Compare(y.(time.Time))
	}
	if desc {
		return -c
	}
	return c
}

// cost returns what orders groups as a measure does, the best one first: nulls cost most.
func (u *run) cost(m int, desc bool, stats schema.Stats) func(group uint32) int64 {
	const null = math.MaxInt64
	rank := func(v int64) int64 {
		if desc {
			return ^v
		}
		return v
	}
	x := &u.measures[m]
	if s := u.stateOf(x.bases[0]); s != nil && x.fn.of == nil && !x.lacks {
		return func(group uint32) int64 {
			if v, ok := s.value(group); ok {
				return rank(v)
			}
			return null
		}
	}
	return func(group uint32) int64 {
		switch v := u.value(m, group, stats).(type) {
		case int64:
			return rank(v)
		case time.Time:
			return rank(v.Unix())
		case float64: // the bits of those that are not negative are in their order
			return rank(int64(math.Float64bits(v)))
		}
		return null
	}
}

// leaders returns the n groups that cost least, of more than n, and all that are level with the last of them.
func leaders(ids []uint32, n int, cost func(group uint32) int64) []uint32 {
	type candidate struct {
		id   uint32
		cost int64
	}
	var list []candidate
	limit, many := int64(math.MaxInt64), 2*n
	cut := func() {
		slices.SortFunc(list, func(a, b candidate) int { return cmp.Compare(a.cost, b.cost) })
		limit = list[n-1].cost
		last := n
		for last < len(list) && list[last].cost == limit {
			last++
		}
		list = list[:last]
		many = 2 * last
	}
	for _, id := range ids {
		if c := cost(id); c <= limit {
			if list = append(list, candidate{id, c}); len(list) >= many {
				cut()
			}
		}
	}
	cut()
	out := make([]uint32, len(list))
	for i, c := range list {
		out[i] = c.id
	}
	return out
}
