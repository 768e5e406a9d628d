package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// Reports are rolled up from finer groups where there are such, instead of being fed by each record.
//
// Many ask little of a record: by protocol, by action, over time, or for totals. Where several do, records feed one
// inner grouping by all that these tell records apart by, which has few groups however many records there are. Others
// ask for less than another report does: what is grouped by source and destination has all that is asked of sources,
// and of what is looked up from addresses. Such groups are summed up in the end, after workers with the same plan are
// merged, or before they leave the worker, so that a lookup is done once for an address.
//
// What follows from what depends on the fields that the records have: a plan is made by those of the first batch, and
// another when others turn up.

// narrow reports whether a key has few values, as far as is known.
func (w *worker) narrow(k Key) bool {
	i := w.aggregator.projection.Index(k.Field)
	f := w.aggregator.projection.Fields[i]
	return w.absent(i) || k.Bits == 0 && (k.Every != 0 || k.Hour || f.Values != nil || 0 < f.Max && f.Max <= maxNarrow)
}

// maxNarrow is that of a byte: there are so few protocols.
const maxNarrow = 255

// absent reports whether no flow has had a value of a field of the projection. An enriched one is if all is that it is
// computed from.
func (w *worker) absent(i int) bool {
	p := w.aggregator.projection
	from := p.Fields[i].From
	if len(from) == 0 {
		return !w.had[i]
	}
	return !slices.ContainsFunc(from, func(name string) bool { return !w.absent(p.Index(name)) })
}

// breadth is about how many values a narrow key has.
func (w *worker) breadth(k Key) int64 {
	i := w.aggregator.projection.Index(k.Field)
	f := w.aggregator.projection.Fields[i]
	switch {
	case w.absent(i):
		return 0
	case k.Hour:
		return 24
	case k.Every != 0:
		return int64(day / time.Minute)
	}
	return cmp.Or(int64(len(f.Values)), f.Max)
}

// replan makes a plan by what flows had and lacked, and rolls up what goes another way than by the plan before.
func (w *worker) replan(had, lacked []bool) error {
	before, without := w.had, w.lacked
	w.had, w.lacked = had, lacked
	clear(w.relied)
	stays := make(map[*grouping]bool)
	for _, g := range w.groupings {
		if g.from == nil || g.from.inner {
			continue
		}
		parts, ok := w.partsIn(g.from, g)
		for i, b := range g.bases {
			ok = ok && (b.state == nil || b.part == parts[i])
		}
		stays[g] = ok
	}
	w.had, w.lacked = before, without
	if err := w.roll(func(g, _ *grouping) bool { return stays[g] }); err != nil {
		return err
	}
	w.had, w.lacked, w.planned = had, lacked, true
	return w.plan()
}

// plan decides which groupings are rolled up, and makes the inner ones for them.
func (w *worker) plan() error {
	for _, g := range w.groupings {
		if w.enriched(g) {
			w.rollUpFromReport(g)
		}
	}
	rolled := make(map[string][]*grouping) // by the conditions that an inner grouping has to have
	var order []string
	for _, g := range w.groupings {
		own, rest := w.keysOf(g)
		few := !slices.ContainsFunc(g.first.Keys, func(k Key) bool { return !w.narrow(k) }) && !slices.ContainsFunc(g.bases, base.spans)
		if few && own != nil && w.flowsRollable(g) {
			text := textOf(all(rest...))
			if rolled[text] == nil {
				order = append(order, text)
			}
			rolled[text] = append(rolled[text], g)
		}
	}
	for _, text := range order {
		if len(rolled[text]) > 1 {
			w.rollUp(rolled[text])
		}
	}
	for i, g := range w.groupings { // those that differ in what they ask of records that are no flows
		for _, o := range w.groupings[:i] {
			alike := g.all != o.all && len(g.keys) > 0 && slices.Equal(g.keys, o.keys) && textOf(g.first.Where) == textOf(o.first.Where)
			if alike && w.flowsRollable(g) && w.flowsRollable(o) {
				w.rollUp([]*grouping{o, g})
			}
		}
	}
	for _, g := range w.groupings {
		w.countCodes(g)
		w.rollUpFromReport(g)
	}
	return w.widen()
}

// keysOf lists the keys that an inner grouping for g must have, and the conditions.
func (w *worker) keysOf(g *grouping) (keys []Key, conditions []Expr) {
	add := func(k Key) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, k := range g.first.Keys {
		add(k)
	}
	for _, c := range conjuncts(g.first.Where) {
		if k, ok := keyOf(c); ok && w.narrow(k) {
			add(k)
		} else {
			conditions = append(conditions, c)
		}
	}
	for i := range g.bases {
		if b := &g.bases[i]; w.rollable(g, b) {
			for _, c := range conjuncts(b.Measure.Where) {
				k, _ := keyOf(c)
				add(k)
			}
		}
	}
	return keys, conditions
}

// flowsRollable reports whether all that a grouping asks of flows can be had from finer groups. What is one group has
// from records what cannot.
func (w *worker) flowsRollable(g *grouping) bool {
	return g.from == nil && (len(g.keys) == 0 || !slices.ContainsFunc(g.bases, func(b base) bool {
		return !b.aside && !w.rollable(g, &b)
	}))
}

// keyOf is the key that says whether a condition is met, if one field does.
func keyOf(condition Expr) (Key, bool) {
	var names []string
	condition.Fields(func(name string) { names = append(names, name) })
	slices.Sort(names)
	if names = slices.Compact(names); len(names) != 1 {
		return Key{}, false
	}
	return Key{Field: names[0]}, true
}

// rollable reports whether what a base is for flows can be had from finer groups. The other records can be added to it
// where these feed the grouping.
func (w *worker) rollable(g *grouping, b *base) bool {
	for _, c := range conjuncts(b.Measure.Where) {
		if k, ok := keyOf(c); !ok || !w.narrow(k) || b.All {
			return false
		}
	}
	return b.addsUp() && !(b.All && len(g.keys) == 0)
}

// addsUp reports whether what a base is for some groups can be added up to what it is for all of them.
func (b *base) addsUp() bool {
	return b.state == nil || b.fn.rollup != rollupNever
}

// spans reports whether a base keeps much for each group, though what it is of several can be had from it.
func (b base) spans() bool { return b.fn.rollup == rollupReport }

// rollUp makes the inner grouping for some groupings.
func (w *worker) rollUp(groupings []*grouping) {
	inner := &Report{}
	shared := slices.Clone(conjuncts(groupings[0].first.Where)) // conditions that all have
	for _, g := range groupings {
		keys, _ := w.keysOf(g)
		for _, k := range keys {
			if !slices.Contains(inner.Keys, k) {
				inner.Keys = append(inner.Keys, k)
			}
		}
		shared = slices.DeleteFunc(shared, func(c Expr) bool {
			return !slices.ContainsFunc(conjuncts(g.first.Where), func(o Expr) bool { return o.String() == c.String() })
		})
	}
	inner.Where = all(shared...)
	slices.SortStableFunc(inner.Keys, func(a, b Key) int { return cmp.Compare(w.breadth(a), w.breadth(b)) })
	from := w.newGrouping(inner, false)
	from.inner = true
	w.inner = append(w.inner, from)
	for _, g := range groupings {
		for i := range g.bases {
			if b := &g.bases[i]; b.state != nil && w.rollable(g, b) {
				b.from = from
				if b.part = rowsPart; b.Field != "" {
					b.part = w.newBase(from, Measure{Func: b.Func, Field: b.Field})
				}
			}
		}
		if len(g.keys) > 0 {
			g.from = from
		}
	}
}

// countCodes has the different values of a key counted by the groups of a grouping that another report has, if g is
// one group.
func (w *worker) countCodes(g *grouping) {
	for i := range g.bases {
		b := &g.bases[i]
		if !b.fn.codes || len(g.keys) > 0 || b.All || b.Measure.Where != nil {
			continue
		}
		at := slices.IndexFunc(w.groupings, func(o *grouping) bool {
			return len(o.keys) == 1 && o.keys[0] == b.coded && !o.all && textOf(o.first.Where) == textOf(g.first.Where)
		})
		if at >= 0 {
			b.from, b.part = w.groupings[at], codesPart
		}
	}
}

// rollUpFromReport has a grouping rolled up from that of another report that tells apart all that it does, if there is
// one that has no groups yet. The one with the fewest keys is the smallest.
func (w *worker) rollUpFromReport(g *grouping) {
	if g.from != nil || g.all || len(g.keys) == 0 {
		return
	}
	var best *grouping
	var parts []int
	for _, o := range w.groupings {
		if best != nil && len(o.keys) >= len(best.keys) || o.rows.groups > 0 || o.follows(g) {
			continue
		}
		if p, ok := w.partsIn(o, g); ok {
			best, parts = o, p
		}
	}
	if best == nil {
		return
	}
	g.from = best
	for i := range g.bases {
		if b := &g.bases[i]; b.state != nil {
			b.from, b.part = best, parts[i]
		}
	}
}

// follows reports whether a grouping is rolled up from another, or is that.
func (g *grouping) follows(o *grouping) bool {
	return g == o || g != nil && g.from != nil && g.from.follows(o)
}

// partsIn lists which bases of a finer grouping those of g are had from. It is false if not all can be, or if the
// other does not tell apart all that g does.
func (w *worker) partsIn(finer, g *grouping) ([]int, bool) {
	if finer.all || len(finer.keys) == 0 {
		return nil, false
	}
	for _, k := range g.first.Keys {
		if !w.determined(k, finer) {
			return nil, false
		}
	}
	all, some := w.conditions(g), w.conditions(finer)
	among := func(list []Expr, c Expr) bool {
		return slices.ContainsFunc(list, func(o Expr) bool { return o.String() == c.String() })
	}
	determined := func(c Expr) bool {
		k, ok := keyOf(c)
		return ok && w.determined(k, finer)
	}
	for _, c := range some {
		if !among(all, c) {
			return nil, false
		}
	}
	for _, c := range all {
		if !among(some, c) && !determined(c) {
			return nil, false
		}
	}
	parts := make([]int, len(g.bases))
	for i := range g.bases {
		b := &g.bases[i]
		has := func(where Expr) func(base) bool {
			return func(o base) bool {
				return o.Func == b.Func && o.Field == b.Field && o.With == b.With && !o.All && textOf(o.Measure.Where) == textOf(where)
			}
		}
		if b.state == nil {
			continue
		}
		parts[i] = slices.IndexFunc(finer.bases, has(b.Measure.Where))
		if sees := !slices.ContainsFunc(conjuncts(b.Measure.Where), func(c Expr) bool { return !determined(c) }); parts[i] < 0 && sees && b.addsUp() {
			parts[i] = slices.IndexFunc(finer.bases, has(nil))
			if parts[i] < 0 && b.fn.rows && b.Field == "" {
				continue // that is the number of rows
			}
		}
		if parts[i] < 0 {
			return nil, false
		}
		if finer.bases[parts[i]].rows {
			parts[i] = rowsPart
		}
	}
	return parts, true
}

// conditions are what flows must meet, one by one, as far as they can: no flow has values of absent fields.
func (w *worker) conditions(g *grouping) []Expr {
	absent := func(names ...string) (absent []string) {
		for _, name := range names {
			if w.absent(w.aggregator.projection.Index(name)) {
				absent = append(absent, name)
			}
		}
		return absent
	}
	var list []Expr
	for _, c := range conjuncts(g.first.Where) {
		either, _ := c.(Or)
		if can := slices.DeleteFunc(slices.Clone(either), func(e Expr) bool { return unmet(e, absent) != nil }); len(can) > 0 {
			c = anyOf(can)
		}
		list = append(list, conjuncts(c)...)
	}
	return list
}

// determined reports whether the keys of a grouping say what another key is: it is one of them, or is computed from
// some that are values of fields. What no flow has had a value of is known.
func (w *worker) determined(k Key, g *grouping) bool {
	p := w.aggregator.projection
	has := func(name string) bool { return slices.Contains(g.first.Keys, Key{Field: name}) }
	if slices.Contains(g.first.Keys, k) {
		return true
	}
	f := p.Fields[p.Index(k.Field)]
	if len(f.From) == 0 {
		return has(k.Field)
	}
	if w.aggregator.wrap == nil {
		return false
	}
	for _, name := range f.From {
		i := p.Index(name)
		switch {
		case len(p.Fields[i].From) > 0:
			return false
		case w.absent(i):
		case !has(name):
			return false
		case alternatives(p, f) && !w.lacked[i]:
			w.relied[i] = true
			return true
		}
	}
	return true
}

// alternatives reports whether a field is computed from the first of some addresses that is not null.
func alternatives(p *schema.Projection, f schema.Field) bool {
	return !slices.ContainsFunc(f.From, func(name string) bool { return p.Fields[p.Index(name)].Kind != schema.Addr })
}

// enriched reports whether a key or a condition of a grouping is looked up.
func (w *worker) enriched(g *grouping) bool {
	p := w.aggregator.projection
	found := false
	look := func(name string) { found = found || len(p.Fields[p.Index(name)].From) > 0 }
	for _, k := range g.first.Keys {
		look(k.Field)
	}
	if g.first.Where != nil {
		g.first.Where.Fields(look)
	}
	return found
}

// widen has records enriched with the fields that they are asked for, if there are any.
func (w *worker) widen() error {
	a := w.aggregator
	var names, enriched []string
	for _, f := range a.projection.Fields {
		if len(f.From) == 0 {
			names = append(names, f.Name)
		}
	}
	need := func(name string) {
		if i := a.projection.Index(name); i >= 0 && len(a.projection.Fields[i].From) > 0 {
			enriched = append(enriched, name)
		}
	}
	column := func(name string) {
		if i := a.projection.Index(name); i >= 0 && !w.absent(i) {
			need(name)
		}
	}
	condition := func(e Expr) {
		if e != nil {
			e.Fields(need)
		}
	}
	for _, g := range slices.Concat(w.groupings, w.inner) {
		if g.from == nil || g.all {
			condition(g.first.Where)
		}
		if g.from == nil {
			for _, k := range g.first.Keys {
				column(k.Field)
			}
		}
		for _, b := range g.bases {
			if b.from == nil && b.state != nil {
				condition(b.Measure.Where)
				column(b.Field)
				column(b.With)
			}
		}
	}
	w.wide = nil
	if a.wrap == nil || enriched == nil {
		return nil
	}
	p, err := a.fields.Project(append(names, enriched...)...)
	if err != nil {
		return err
	}
	w.wide = a.wrap(p, func(b schema.Batch) error {
		w.look(b.Record)
		return a.add(b)
	})
	return nil
}

// flowsMeet reports whether there may be flows that meet a condition: not if it is about the log-status, and neither
// that of flows nor none meets it.
func flowsMeet(e Expr) bool {
	for _, c := range conjuncts(e) {
		if k, ok := keyOf(c); ok && k.Field == "log_status" {
			f, _ := logged.Lookup(k.Field)
			column := schema.NewColumn(f)
			column.Append(schema.StatusOK)
			column.Append(nil)
			rec := array.NewRecord(schema.Table{f}.Arrow(), []arrow.Array{column.Array()}, 2)
			met := c.filter().keep(rec, []int32{0, 1}, true)
			rec.Release()
			if len(met) == 0 {
				return false
			}
		}
	}
	return true
}
