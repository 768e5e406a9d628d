package group

import (
	"slices"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

// A layout is what reports need, as data: the groupings that their records are counted in, and where each report finds
// its measures in them. It does not depend on records, and all workers share it.
type layout struct {
	projection *schema.Projection
	conditions *predicateSet
	remote     bool // an engine groups the records
	groupings  []groupSpec
	views      []viewSpec // by report
}

// A groupSpec describes one set of groups. Reports that differ in what they show of the same groups, in measures, order
// or length, share it; a dashboard has many of those.
type groupSpec struct {
	name  string // of the first report that has it
	keys  []report.Key
	where predicate // that records meet
	all   bool      // some accumulator counts records that are not flows
	accs  []accSpec
}

// An accSpec describes one accumulator: a number that is kept for each group, for one measure or several.
type accSpec struct {
	report.Measure
	fn     *function.Func // as it is aggregated here: see function.Func.ByEngine
	cond   predicate      // of Measure.Where
	field  int            // of the projection, or -1
	also   int            // the function's second field, or -1
	rows   bool           // it is the number of rows of the group, which every grouping counts
	shares int            // the accumulator whose state it is another view of, or -1
	aside  bool           // no flow meets its condition: only other records can
}

// stored reports whether the accumulator has a state of its own.
func (b *accSpec) stored() bool { return !b.rows && b.shares < 0 && b.fn.New != nil }

// additive reports whether the state of several groups can be derived from those of finer groups.
func (b *accSpec) additive() bool { return !b.stored() || b.fn.Rollup != function.RollupNever }

// A viewSpec says where a report finds what it shows.
type viewSpec struct {
	grouping int
	measures []measured
	span     []int // the accumulators of the time that the report covers; nil if no measure needs them
}

// measured is a measure: the value of one accumulator, or computed from several.
type measured struct {
	*report.Measure
	fn      *function.Func
	accs    []int
	missing bool // no record had what it is computed from
}

func newLayout(reports []report.Report, p *schema.Projection, conditions *predicateSet, remote bool) *layout {
	l := &layout{projection: p, conditions: conditions, remote: remote}
	for i := range reports {
		l.addReport(&reports[i])
	}
	return l
}

func (l *layout) addReport(r *report.Report) {
	v := viewSpec{grouping: l.groupingOf(r)}
	g := &l.groupings[v.grouping]
	for i := range r.Measures {
		m := &r.Measures[i]
		x := measured{Measure: m, fn: function.Named(m.Func)}
		if x.fn.Parts == nil {
			x.accs = append(x.accs, l.accumulator(g, *m))
		}
		for _, part := range m.Parts() {
			x.accs = append(x.accs, l.accumulator(g, part))
		}
		if x.fn.Span {
			v.span = []int{l.accumulator(g, report.Measure{Func: "min", Field: "start"}), l.accumulator(g, report.Measure{Func: "max", Field: "end"})}
		}
		v.measures = append(v.measures, x)
	}
	l.views = append(l.views, v)
}

// groupingOf returns the index of the grouping of a report, which may be that of an earlier one.
func (l *layout) groupingOf(r *report.Report) int {
	g := groupSpec{name: r.Name, keys: r.Keys, where: l.conditions.of(r.Where)}
	g.all = slices.ContainsFunc(r.Measures, func(m report.Measure) bool { return m.All })
	at := slices.IndexFunc(l.groupings, func(o groupSpec) bool {
		return o.all == g.all && slices.Equal(o.keys, g.keys) && o.where.id == g.where.id
	})
	if at < 0 {
		at, l.groupings = len(l.groupings), append(l.groupings, g)
	}
	return at
}

// accumulator returns the index of the accumulator of a measure, which it adds to the grouping if it is not there.
func (l *layout) accumulator(g *groupSpec, m report.Measure) int {
	f := function.Named(m.Func)
	if l.remote && !f.Mergeable() {
		f = f.ByEngine()
	}
	b := accSpec{Measure: m, fn: f, cond: l.conditions.of(m.Where), field: l.projection.Index(m.Field), also: l.projection.Index(f.Also), shares: -1}
	alike := func(o accSpec) bool { // but for the function
		return o.Field == m.Field && o.With == m.With && o.All == m.All && o.cond.id == b.cond.id
	}
	if i := slices.IndexFunc(g.accs, func(o accSpec) bool { return o.Func == m.Func && alike(o) }); i >= 0 {
		return i
	}
	b.aside = m.Where != nil && m.All && !report.FlowsMeet(m.Where)
	b.rows = f.Rows && m.Field == "" && m.Where == nil && !g.all
	if f.Shares != "" && !l.remote { // an engine sends the data for each
		b.shares = slices.IndexFunc(g.accs, func(o accSpec) bool { return o.stored() && o.fn.Shares == f.Shares && alike(o) })
	}
	g.accs = append(g.accs, b)
	return len(g.accs) - 1
}
