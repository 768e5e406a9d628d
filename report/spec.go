package report

import (
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
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
	keys  []Key
	where predicate // that records meet
	all   bool      // some accumulator counts records that are not flows
	accs  []accSpec
}

// An accSpec describes one accumulator: a number that is kept for each group, for one measure or several.
type accSpec struct {
	Measure
	fn     *function // as it is aggregated here: see byEngine
	cond   predicate // of Measure.Where
	field  int       // of the projection, or -1
	also   int       // the function's second field, or -1
	rows   bool      // it is the number of rows of the group, which every grouping counts
	shares int       // the accumulator whose state it is another view of, or -1
	aside  bool      // no flow meets its condition: only other records can
}

// stored reports whether the accumulator has a state of its own.
func (b *accSpec) stored() bool { return !b.rows && b.shares < 0 && b.fn.new != nil }

// additive reports whether the state of several groups can be derived from those of finer groups.
func (b *accSpec) additive() bool { return !b.stored() || b.fn.rollup != rollupNever }

// A viewSpec says where a report finds what it shows.
type viewSpec struct {
	grouping int
	measures []measured
	span     []int // the accumulators of the time that the report covers; nil if no measure needs them
}

// measured is a measure: the value of one accumulator, or computed from several.
type measured struct {
	*Measure
	fn      *function
	accs    []int
	missing bool // no record had what it is computed from
}

func newLayout(reports []Report, p *schema.Projection, conditions *predicateSet, remote bool) *layout {
	l := &layout{projection: p, conditions: conditions, remote: remote}
	for i := range reports {
		l.addReport(&reports[i])
	}
	return l
}

func (l *layout) addReport(r *Report) {
	v := viewSpec{grouping: l.groupingOf(r)}
	g := &l.groupings[v.grouping]
	for i := range r.Measures {
		m := &r.Measures[i]
		x := measured{Measure: m, fn: functionNamed(m.Func)}
		if x.fn.parts == nil {
			x.accs = append(x.accs, l.accumulator(g, *m))
		}
		for _, part := range x.fn.partsOf(*m) {
			x.accs = append(x.accs, l.accumulator(g, part))
		}
		if x.fn.span {
			v.span = []int{l.accumulator(g, Measure{Func: "min", Field: "start"}), l.accumulator(g, Measure{Func: "max", Field: "end"})}
		}
		v.measures = append(v.measures, x)
	}
	l.views = append(l.views, v)
}

// groupingOf returns the index of the grouping of a report, which may be that of an earlier one.
func (l *layout) groupingOf(r *Report) int {
	g := groupSpec{name: r.Name, keys: r.Keys, where: l.conditions.of(r.Where)}
	g.all = slices.ContainsFunc(r.Measures, func(m Measure) bool { return m.All })
	at := slices.IndexFunc(l.groupings, func(o groupSpec) bool {
		return o.all == g.all && slices.Equal(o.keys, g.keys) && o.where.id == g.where.id
	})
	if at < 0 {
		at, l.groupings = len(l.groupings), append(l.groupings, g)
	}
	return at
}

// accumulator returns the index of the accumulator of a measure, which it adds to the grouping if it is not there.
func (l *layout) accumulator(g *groupSpec, m Measure) int {
	f := functionNamed(m.Func)
	if l.remote && !f.mergeable() {
		f = f.byEngine()
	}
	b := accSpec{Measure: m, fn: f, cond: l.conditions.of(m.Where), field: l.projection.Index(m.Field), also: l.projection.Index(f.also), shares: -1}
	alike := func(o accSpec) bool { // but for the function
		return o.Field == m.Field && o.With == m.With && o.All == m.All && o.cond.id == b.cond.id
	}
	if i := slices.IndexFunc(g.accs, func(o accSpec) bool { return o.Func == m.Func && alike(o) }); i >= 0 {
		return i
	}
	b.aside = m.Where != nil && m.All && !flowsMeet(m.Where)
	b.rows = f.rows && m.Field == "" && m.Where == nil && !g.all
	if f.shares != "" && !l.remote { // an engine sends the data for each
		b.shares = slices.IndexFunc(g.accs, func(o accSpec) bool { return o.stored() && o.fn.shares == f.shares && alike(o) })
	}
	g.accs = append(g.accs, b)
	return len(g.accs) - 1
}

// A predicate is an Expr with an identity, and what the plan asks of it.
type predicate struct {
	expr     Expr        // nil if there is none
	id       int         // equal for conditions of one set that have the same text; 0 if there is none
	key      Key         // the field that says whether the predicate is met
	oneField bool        // one field does
	parts    []predicate // that must all be met; nil if the predicate has no parts
}

// conjuncts are the conditions that must all be met.
func (c predicate) conjuncts() []predicate {
	if c.expr == nil || c.parts != nil {
		return c.parts
	}
	return []predicate{c}
}

// A predicateSet gives predicates their identity. It may be used from several goroutines.
type predicateSet struct {
	mu   sync.Mutex
	list map[string]predicate // by text
}

func newPredicateSet() *predicateSet { return &predicateSet{list: make(map[string]predicate)} }

func (s *predicateSet) of(e Expr) predicate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.intern(e)
}

func (s *predicateSet) intern(e Expr) predicate {
	if e == nil {
		return predicate{}
	}
	text := e.String()
	if c, ok := s.list[text]; ok {
		return c
	}
	c := predicate{expr: e}
	c.key, c.oneField = keyOf(e)
	if parts, ok := e.(And); ok {
		for _, part := range parts {
			c.parts = append(c.parts, s.intern(part))
		}
	}
	c.id = len(s.list) + 1
	s.list[text] = c
	return c
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
