package group

import (
	"cmp"
	"slices"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/calendar"
	"flowlog/report/expr"
)

// A planner makes a plan.
type planner struct {
	*layout
	presence
	enrich bool // enriched fields can be computed on demand
	plan   *plan
	source []int // by grouping of the layout: what its groups are derived from, or -1
}

func newPlanner(l *layout, p presence, enrich bool) *planner {
	x := &planner{layout: l, presence: p, enrich: enrich, plan: &plan{relied: make([]bool, len(p.had))}}
	for range l.groupings {
		x.source = append(x.source, -1)
	}
	return x
}

// derivation is how one grouping is derived from another one. It is false if the other does not determine all of it.
func (x *planner) derivation(from, to int) (derivation, bool) {
	d := derivation{from: from, to: to, groups: true}
	finer, g := &x.groupings[from], &x.groupings[to]
	if finer.all || len(finer.keys) == 0 {
		return d, false
	}
	determined := func(k report.Key) bool {
		relied, ok := x.determined(k, finer.keys)
		d.relied = append(d.relied, relied...)
		return ok
	}
	undetermined := func(c predicate) bool { return !c.oneField || !determined(c.key) }
	for _, k := range g.keys {
		if !determined(k) {
			return d, false
		}
	}
	all, some := x.effective(g), x.effective(finer)
	for _, c := range some {
		if !hasPredicate(all, c) {
			return d, false
		}
	}
	for _, c := range all {
		if hasPredicate(some, c) {
			continue
		}
		if undetermined(c) {
			return d, false
		}
		d.where = append(d.where, c)
	}
	for i := range g.accs {
		b := &g.accs[i]
		if !b.stored() {
			continue
		}
		s := accSource{acc: i, part: b.in(finer, b.cond.id)}
		if s.part < 0 && b.additive() && !slices.ContainsFunc(b.cond.conjuncts(), undetermined) {
			s.part, s.where = b.in(finer, 0), b.cond.conjuncts()
			if s.part < 0 && b.fn.Rows && b.Field == "" { // the number of rows
				d.accs = append(d.accs, s)
				continue
			}
		}
		if s.part < 0 {
			return d, false
		}
		if finer.accs[s.part].rows {
			s.part = rowCount
		}
		d.accs = append(d.accs, s)
	}
	return d, true
}

// in finds the accumulator of a grouping that counts the same, of flows that meet a condition. It is -1 if there is none.
func (b *accSpec) in(g *groupSpec, where int) int {
	return slices.IndexFunc(g.accs, func(o accSpec) bool {
		return o.Func == b.Func && o.Field == b.Field && o.With == b.With && !o.All && o.cond.id == where
	})
}

func hasPredicate(list []predicate, c predicate) bool {
	return slices.ContainsFunc(list, func(o predicate) bool { return o.id == c.id })
}

// effective are the conditions that flows must meet one by one, without alternatives that no flow can meet because its
// field is absent.
func (x *planner) effective(g *groupSpec) []predicate {
	absent := func(names ...string) (absent []string) {
		for _, name := range names {
			if x.absent(x.projection.Index(name)) {
				absent = append(absent, name)
			}
		}
		return absent
	}
	var list []predicate
	for _, c := range g.where.conjuncts() {
		either, _ := c.expr.(expr.Or)
		if can := slices.DeleteFunc(slices.Clone(either), func(e expr.Expr) bool { return unmet(e, absent) != nil }); len(can) > 0 {
			c = x.conditions.of(expr.AnyOf(can))
		}
		list = append(list, c.conjuncts()...)
	}
	return list
}

// determined reports whether keys functionally determine another key: it is one of them, or is computed from fields among
// them. A field that is absent is determined. It also returns the fields that must not be null for that.
func (x *planner) determined(k report.Key, keys []report.Key) (relied []int, ok bool) {
	p := x.projection
	has := func(name string) bool { return slices.Contains(keys, report.Key{Field: name}) }
	if slices.Contains(keys, k) {
		return nil, true
	}
	f := p.Fields[p.Index(k.Field)]
	if len(f.From) == 0 {
		return nil, has(k.Field)
	}
	if !x.enrich {
		return nil, false
	}
	for _, name := range f.From {
		i := p.Index(name)
		switch {
		case len(p.Fields[i].From) > 0:
			return nil, false
		case x.absent(i):
		case !has(name):
			return nil, false
		case alternatives(p, f) && !x.lacked[i]:
			return []int{i}, true
		}
	}
	return nil, true
}

// alternatives reports whether a field is computed from the first of some addresses that is not null.
func alternatives(p *schema.Projection, f schema.Field) bool {
	return !slices.ContainsFunc(f.From, func(name string) bool { return p.Fields[p.Index(name)].Kind != schema.Addr })
}

// absent reports whether no flow has had a value of a field of the projection. An enriched field is absent if all fields
// that it is computed from are.
func (x *planner) absent(i int) bool {
	from := x.projection.Fields[i].From
	if len(from) == 0 {
		return !x.had[i]
	}
	return !slices.ContainsFunc(from, func(name string) bool { return !x.absent(x.projection.Index(name)) })
}

// maxNarrow is the largest cardinality that is low: one byte, enough for IP protocols.
const maxNarrow = 255

// narrow reports whether the cardinality of a key is known to be low.
func (x *planner) narrow(k report.Key) bool {
	i := x.projection.Index(k.Field)
	f := x.projection.Fields[i]
	return x.absent(i) || k.Bits == 0 && (k.Every != 0 || k.Hour || f.Values != nil || 0 < f.Max && f.Max <= maxNarrow)
}

// cardinality is the estimated cardinality of a narrow key.
func (x *planner) cardinality(k report.Key) int64 {
	i := x.projection.Index(k.Field)
	f := x.projection.Fields[i]
	switch {
	case x.absent(i):
		return 0
	case k.Hour:
		return 24
	case k.Every != 0:
		return int64(calendar.Day / time.Minute)
	}
	return cmp.Or(int64(len(f.Values)), f.Max)
}
