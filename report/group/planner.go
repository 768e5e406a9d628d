package group

import (
	"cmp"
	"slices"

	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/function"
)

// newPlan makes the plan for the reports of a layout and the fields that are present. begun says which groupings have
// groups already: nothing can be derived from those. The derivations that are kept, of an earlier plan, are part of it.
func newPlan(l *layout, p presence, enrich bool, begun []bool, kept []derivation) *plan {
	x := newPlanner(l, p, enrich)
	for _, d := range kept {
		x.add(d)
	}
	for g := range l.groupings {
		if x.looksUp(g) {
			x.deriveFromReport(g, begun)
		}
	}
	x.addInner()
	for g := range l.groupings {
		x.countCodes(g)
		x.deriveFromReport(g, begun)
	}
	x.plan.enriched = x.enrichedFields()
	return x.plan
}

// grouping is a grouping of the layout or an inner one.
func (x *planner) grouping(i int) *groupSpec {
	if i < len(x.groupings) {
		return &x.groupings[i]
	}
	return &x.plan.inner[i-len(x.groupings)]
}

func (x *planner) add(d derivation) {
	x.plan.derivations = append(x.plan.derivations, d)
	for _, field := range d.relied {
		x.plan.relied[field] = true
	}
	if d.groups {
		x.source[d.to] = d.from
	}
}

// keep returns a derivation of an earlier plan as it is with the fields that are present now. It is false if another one
// is needed.
func (x *planner) keep(d derivation) (derivation, bool) {
	if !d.groups || d.from >= len(x.groupings) {
		return d, false
	}
	now, ok := x.derivation(d.from, d.to)
	same := func(a, b accSource) bool { return a.acc == b.acc && a.part == b.part }
	return now, ok && slices.EqualFunc(d.accs, now.accs, same)
}

// addInner makes inner groupings for those with keys of low cardinality.
func (x *planner) addInner() {
	narrow := make(map[int][]int) // groupings, by the condition that an inner grouping for them has to have
	var order []int
	for i := range x.groupings {
		g := &x.groupings[i]
		own, rest := x.innerKeys(g)
		few := !slices.ContainsFunc(g.keys, func(k report.Key) bool { return !x.narrow(k) }) &&
			!slices.ContainsFunc(g.accs, func(b accSpec) bool { return b.fn.Rollup == function.RollupReport })
		if few && own != nil && x.flowsDerivable(i) {
			id := x.conditions.of(expr.All(rest...)).id
			if narrow[id] == nil {
				order = append(order, id)
			}
			narrow[id] = append(narrow[id], i)
		}
	}
	for _, id := range order {
		if len(narrow[id]) > 1 {
			x.deriveFromInner(narrow[id])
		}
	}
	for i := range x.groupings { // those that differ in the records counted that are not flows
		for o := range x.groupings[:i] {
			a, b := &x.groupings[i], &x.groupings[o]
			alike := a.all != b.all && len(a.keys) > 0 && slices.Equal(a.keys, b.keys) && a.where.id == b.where.id
			if alike && x.flowsDerivable(i) && x.flowsDerivable(o) {
				x.deriveFromInner([]int{o, i})
			}
		}
	}
}

// innerKeys lists the keys that an inner grouping for g must have, and the conditions.
func (x *planner) innerKeys(g *groupSpec) (keys []report.Key, conditions []expr.Expr) {
	add := func(k report.Key) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, k := range g.keys {
		add(k)
	}
	for _, c := range g.where.conjuncts() {
		if c.oneField && x.narrow(c.key) {
			add(c.key)
		} else {
			conditions = append(conditions, c.expr)
		}
	}
	for i := range g.accs {
		if b := &g.accs[i]; x.derivable(g, b) {
			for _, c := range b.cond.conjuncts() {
				add(c.key)
			}
		}
	}
	return keys, conditions
}

// flowsDerivable reports whether a grouping needs no flows if it is derived from a finer one. A grouping of one group gets
// from records what it cannot derive.
func (x *planner) flowsDerivable(i int) bool {
	g := &x.groupings[i]
	return x.source[i] < 0 && (len(g.keys) == 0 || !slices.ContainsFunc(g.accs, func(b accSpec) bool {
		return !b.aside && !x.derivable(g, &b)
	}))
}

// derivable reports whether what flows add to an accumulator can be derived from an inner grouping. Other records can be
// added to it if they feed the grouping.
func (x *planner) derivable(g *groupSpec, b *accSpec) bool {
	for _, c := range b.cond.conjuncts() {
		if !c.oneField || !x.narrow(c.key) || b.All {
			return false
		}
	}
	return b.additive() && !(b.All && len(g.keys) == 0)
}

// deriveFromInner makes an inner grouping that determines some groupings.
func (x *planner) deriveFromInner(groupings []int) {
	inner := groupSpec{}
	shared := slices.Clone(x.groupings[groupings[0]].where.conjuncts()) // conditions that all have
	for _, i := range groupings {
		g := &x.groupings[i]
		keys, _ := x.innerKeys(g)
		for _, k := range keys {
			if !slices.Contains(inner.keys, k) {
				inner.keys = append(inner.keys, k)
			}
		}
		shared = slices.DeleteFunc(shared, func(c predicate) bool { return !hasPredicate(g.where.conjuncts(), c) })
	}
	var where []expr.Expr
	for _, c := range shared {
		where = append(where, c.expr)
	}
	inner.where = x.conditions.of(expr.All(where...))
	slices.SortStableFunc(inner.keys, func(a, b report.Key) int { return cmp.Compare(x.cardinality(a), x.cardinality(b)) })
	for _, i := range groupings {
		x.add(x.fromInner(&inner, shared, i))
	}
	x.plan.inner = append(x.plan.inner, inner)
}

// fromInner is the derivation of a grouping from the next inner one, which gets the accumulators for it.
func (x *planner) fromInner(inner *groupSpec, shared []predicate, to int) derivation {
	g := &x.groupings[to]
	d := derivation{from: len(x.groupings) + len(x.plan.inner), to: to, groups: len(g.keys) > 0}
	for _, c := range g.where.conjuncts() {
		if !hasPredicate(shared, c) {
			d.where = append(d.where, c)
		}
	}
	for i := range g.accs {
		if b := &g.accs[i]; b.stored() && x.derivable(g, b) {
			part := rowCount
			if b.Field != "" {
				part = x.accumulator(inner, report.Measure{Func: b.Func, Field: b.Field})
			}
			d.accs = append(d.accs, accSource{i, part, b.cond.conjuncts()})
		}
	}
	return d
}

// countCodes has the distinct values of a field counted by the groups of another report, if that groups by the field and
// g is one group.
func (x *planner) countCodes(to int) {
	g := &x.groupings[to]
	for i := range g.accs {
		b := &g.accs[i]
		if len(g.keys) > 0 || !b.fn.Codes || b.With != "" || b.All || b.cond.expr != nil {
			continue
		}
		from := slices.IndexFunc(x.groupings, func(o groupSpec) bool {
			return len(o.keys) == 1 && o.keys[0] == report.Key{Field: b.Field} && !o.all && o.where.id == g.where.id
		})
		if from >= 0 {
			x.add(derivation{from: from, to: to, accs: []accSource{{acc: i, part: keyCodes}}})
		}
	}
}

// deriveFromReport has a grouping derived from that of another report that determines it, if there is one that has no
// groups yet. The one with the fewest keys is the smallest.
func (x *planner) deriveFromReport(to int, begun []bool) {
	g := &x.groupings[to]
	if x.source[to] >= 0 || g.all || len(g.keys) == 0 {
		return
	}
	var best derivation
	found := false
	for from := range x.groupings {
		o := &x.groupings[from]
		if found && len(o.keys) >= len(x.groupings[best.from].keys) || begun[from] || x.follows(from, to) {
			continue
		}
		if d, ok := x.derivation(from, to); ok {
			best, found = d, true
		}
	}
	if found {
		x.add(best)
	}
}

// follows reports whether a grouping is derived from another, or is that.
func (x *planner) follows(g, o int) bool {
	for ; g >= 0; g = x.source[g] {
		if g == o {
			return true
		}
		if g >= len(x.groupings) {
			return false
		}
	}
	return false
}

// looksUp reports whether a key or a condition of a grouping is on an enriched field.
func (x *planner) looksUp(i int) bool {
	g := &x.groupings[i]
	found := false
	look := func(name string) { found = found || len(x.projection.Fields[x.projection.Index(name)].From) > 0 }
	for _, k := range g.keys {
		look(k.Field)
	}
	if g.where.expr != nil {
		g.where.expr.Fields(look)
	}
	return found
}

// enrichedFields lists the enriched fields that groupings need of each record.
func (x *planner) enrichedFields() []string {
	if !x.enrich {
		return nil
	}
	var names []string
	need := func(name string) {
		i := x.projection.Index(name)
		if i >= 0 && len(x.projection.Fields[i].From) > 0 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	column := func(name string) {
		if i := x.projection.Index(name); i >= 0 && !x.absent(i) {
			need(name)
		}
	}
	condition := func(c predicate) {
		if c.expr != nil {
			c.expr.Fields(need)
		}
	}
	derived := make(map[[2]int]bool) // accumulators
	for _, d := range x.plan.derivations {
		for _, s := range d.accs {
			derived[[2]int{d.to, s.acc}] = true
		}
	}
	for i := range len(x.groupings) + len(x.plan.inner) {
		g := x.grouping(i)
		fed := i >= len(x.groupings) || x.source[i] < 0
		if fed || g.all {
			condition(g.where)
		}
		for _, k := range g.keys {
			if fed {
				column(k.Field)
			}
		}
		for a := range g.accs {
			if b := &g.accs[a]; b.stored() && !derived[[2]int{i, a}] {
				condition(b.cond)
				column(b.Field)
				column(b.With)
			}
		}
	}
	return names
}
