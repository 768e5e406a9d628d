package report

import (
	"cmp"
	"container/heap"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
)

// Wrap puts enrichment in front of an Emit: see enrich.Wrap, of which it is a part.
type Wrap func(p *schema.Projection, next schema.Emit) schema.Emit

// Lacking is the error for a report whose keys or conditions are on fields that no record had.
type Lacking struct {
	Report string
	Fields []string
}

func (e *Lacking) Error() string {
	return fmt.Sprintf("%s needs %s, which these logs do not have: %s", e.Report, strings.Join(e.Fields, " and "), advice(e.Fields))
}

// advice says how to get fields logged.
func advice(names []string) string {
	var logged []string
	for _, name := range names {
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
	w := a.workers[0]
	for _, o := range a.workers[1:] {
		if err := w.merge(o); err != nil {
			return nil, nil, err
		}
	}
	if seen := a.seen.Load(); seen < stats.Flows {
		// some were passed over, and what for is known: they have another value of the field of Only
		field, _ := a.Only()
		for i, f := range a.projection.Fields {
			if f.Name == field || seen == 0 {
				a.present[i].Store(true)
			}
		}
	}
	var tables []Table
	var lacks []*Lacking
	for _, u := range w.runs {
		if stats.Flows > 0 {
			var needed []string
			for _, k := range u.Keys {
				needed = append(needed, k.Field)
			}
			if u.Where != nil {
				u.Where.Fields(func(name string) { needed = append(needed, name) })
			}
			if names := a.lacking(needed...); len(names) > 0 {
				lacks = append(lacks, &Lacking{u.Name, names})
				continue
			}
		}
		t, err := w.table(u, stats, wrap)
		if err != nil {
			return nil, nil, err
		}
		tables = append(tables, t)
	}
	return tables, lacks, nil
}

func (w *worker) table(u *run, stats schema.Stats, wrap Wrap) (Table, error) {
	a := w.aggregator
	t := Table{Name: u.Name, Doc: u.Doc}
	if stats.SkipData > 0 && u == w.runs[0] {
		say := "records say"
		if stats.SkipData == 1 {
			say = "record says"
		}
		t.Notes = append(t.Notes, fmt.Sprintf("totals are a lower bound: %d SKIPDATA %s that flows were lost", stats.SkipData, say))
	}
	lacks := w.lackingMeasures(u, stats, &t)
	order, byKey := w.order(u, lacks)
	groups := make([]bool, len(u.rows.n))
	var ids []uint32
	for g, n := range u.rows.n {
		if n > 0 {
			groups[g] = true
			ids = append(ids, uint32(g))
		}
	}
	if len(u.keys) == 0 && len(ids) == 0 {
		u.grow(1)
		ids, groups = []uint32{0}, []bool{true}
	}
	u.grow(len(groups))
	keysOf := w.groupKeys(u)
	t.Desc = !byKey != u.Reverse
	var rank func(id uint32) any
	if !byKey {
		rank = func(id uint32) any { return u.value(order, id, stats) }
	}
	shown := ids
	if u.Limit > 0 && len(ids) > u.Limit && !byKey {
		shown = leaders(ids, u.Limit, rank, t.Desc)
	}
	type ranked struct {
		id   uint32
		rank any
		keys []any
	}
	rows := make([]ranked, len(shown))
	for i, id := range shown {
		rows[i] = ranked{id: id, keys: keysOf(id)}
		if byKey {
			rows[i].rank = rows[i].keys[order]
		} else {
			rows[i].rank = rank(id)
		}
	}
	slices.SortFunc(rows, func(x, y ranked) int {
		if c := compareNullsLast(x.rank, y.rank, t.Desc); c != 0 {
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

	var keys []schema.Field
	var keyRows [][]any
	for _, k := range u.keys {
		keys = append(keys, a.projection.Fields[k])
	}
	for _, r := range rows {
		keyRows = append(keyRows, r.keys)
	}
	labels, labelRows, err := a.labels(keys, keyRows, wrap)
	if err != nil {
		return t, err
	}
	// Columns: each key with its labels behind it, then the measures.
	var place []int // of each key, then of each label
	for _, f := range keys {
		t.Columns = append(t.Columns, Column{Name: f.Name, Role: KeyRole, Kind: f.Kind})
		place = append(place, len(t.Columns)-1)
		for _, l := range labels {
			if l.Names == f.Name {
				t.Columns = append(t.Columns, Column{Name: l.Name, Role: LabelRole, Kind: l.Kind, Of: place[len(place)-1], InPlace: l.InPlace})
			}
		}
	}
	measuresAt := len(t.Columns)
	for _, m := range u.measures {
		kind := schema.Int64
		if m.Unit == Instant {
			kind = schema.Time
		}
		t.Columns = append(t.Columns, Column{Name: m.Name, Role: MeasureRole, Kind: kind, Unit: m.Unit, Share: functionNamed(m.Func).share})
	}
	t.Order = measuresAt + order
	if byKey {
		t.Order = place[order]
	}
	at := func(name string) int {
		return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name && c.Role != MeasureRole })
	}
	for i, r := range rows {
		row := make([]any, len(t.Columns))
		for k, v := range r.keys {
			row[place[k]] = v
		}
		for k, l := range labels {
			row[at(l.Name)] = labelRows[i][k]
		}
		for m := range u.measures {
			row[measuresAt+m] = u.value(m, r.id, stats)
		}
		t.Rows = append(t.Rows, row)
	}
	if len(u.keys) == 0 {
		return t, nil
	}
	fold := func(in []bool) ([]any, error) {
		row := make([]any, len(t.Columns))
		for m := range u.measures {
			var err error
			if row[measuresAt+m], err = u.fold(m, in, stats); err != nil {
				return nil, err
			}
		}
		return row, nil
	}
	if t.Totals, err = fold(groups); err != nil {
		return t, err
	}
	if t.Cut = len(ids) - len(rows); t.Cut > 0 {
		for _, r := range rows {
			groups[r.id] = false
		}
		t.Others, err = fold(groups)
	}
	return t, err
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
		if m.Field != "" {
			needed = append(needed, m.Field)
		}
		if m.Where != nil && !m.All {
			m.Where.Fields(func(name string) { needed = append(needed, name) })
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
		t.Notes = append(t.Notes, fmt.Sprintf("these logs have no %s: %s", strings.Join(names, ", "), advice(names)))
	}
	return lacks
}

// order says what ranks the rows: the index of a measure, or of a key.
func (w *worker) order(u *run, lacks []bool) (index int, byKey bool) {
	for i, k := range u.Keys {
		if k.Name() == u.Order && u.measure(u.Order) < 0 {
			return i, true
		}
	}
	index = max(u.measure(u.Order), 0)
	if lacks[index] {
		index = max(slices.Index(lacks, false), 0)
	}
	return index, false
}

func (u *run) grow(groups int) {
	u.rows.grow(groups)
	for _, m := range u.measures {
		if m.state != nil {
			m.state.grow(groups)
		}
	}
}

// value is a measure of a group.
func (u *run) value(m int, group uint32, stats schema.Stats) any {
	x := &u.measures[m]
	if x.lacks {
		return nil
	}
	if x.rows {
		return u.rows.value(group)
	}
	if x.state == nil {
		return stats.Malformed
	}
	v := x.state.value(group)
	if x.Unit == Instant {
		return instant(v)
	}
	return v
}

// fold is a measure of several groups together.
func (u *run) fold(m int, in []bool, stats schema.Stats) (any, error) {
	x := &u.measures[m]
	if x.lacks {
		return nil, nil
	}
	if x.rows {
		return u.rows.fold(in)
	}
	if x.state == nil {
		return stats.Malformed, nil
	}
	v, err := x.state.fold(in)
	if x.Unit == Instant {
		return instant(v), err
	}
	return v, err
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

// leaders returns the n groups with the best ranks, and all that are level with the last of them.
func leaders(ids []uint32, n int, rank func(uint32) any, desc bool) []uint32 {
	ranks := make([]any, len(ids))
	best := &worst{desc: desc}
	for i, id := range ids {
		r := rank(id)
		ranks[i] = r
		if best.Len() < n {
			heap.Push(best, r)
		} else if compareNullsLast(r, best.ranks[0], desc) < 0 {
			best.ranks[0] = r
			heap.Fix(best, 0)
		}
	}
	var out []uint32
	for i, id := range ids {
		if compareNullsLast(ranks[i], best.ranks[0], desc) <= 0 {
			out = append(out, id)
		}
	}
	return out
}

// worst is a heap of ranks with the worst on top.
type worst struct {
	ranks []any
	desc  bool
}

func (h *worst) Len() int           { return len(h.ranks) }
func (h *worst) Less(i, j int) bool { return compareNullsLast(h.ranks[i], h.ranks[j], h.desc) > 0 }
func (h *worst) Swap(i, j int)      { h.ranks[i], h.ranks[j] = h.ranks[j], h.ranks[i] }
func (h *worst) Push(x any)         { h.ranks = append(h.ranks, x) }
func (h *worst) Pop() any           { panic("not used") }
