package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
	"flowlog/report/expr"
	"flowlog/report/function"
)

// A Split is a report in two halves: a query for an engine, and what is done here with its rows. The engine filters and
// groups the records: by the keys, or where it does not know these by the fields that they are computed from. Where the
// groups are those of the report it ranks them too, and sends those that are shown, and one row for all others together.
//
// The columns of the query are, where the rows are cut, the place and the number of groups; then what it groups by; the
// number of records; the states of the aggregates; and in how many flows the fields are that are seen.
type Split struct {
	SQL string

	report Report       // both halves: with its whole condition
	sifted expr.Expr    // the part of the condition that is tested here; nil if there is none
	source sqlSource    // of its queries
	fed    []fed        // what the engine groups by
	asked  []Measure    // the aggregates that rows have states of
	seen   []string     // fields of which rows say in how many flows they are
	local  schema.Table // fields that are looked up here
	cut    bool         // rows begin with a place, which is 0 for what the others come to, and the number of groups
}

// A sqlSource is a table of an engine, and the fields that reports on it may name.
type sqlSource struct {
	dialect *Dialect
	fields  schema.Table
	table   string
}

func (s sqlSource) query(r *Report) *query { return newQuery(r, s.dialect, s.fields, s.table) }

// fed is a field whose values come from the engine: as they are logged, or, for a key that the engine computes, one for
// each value of the key, of which the same value is computed again here.
type fed struct {
	schema.Field
	key Key
}

// NewSplit splits a report for an engine that has the records in a table: see SQL. What cannot be split so that the
// result is exact is an error that names it.
func NewSplit(r Report, d Dialect, fields schema.Table, table string) (*Split, error) {
	if r.Spike != nil {
		return nil, fmt.Errorf("%s compares bins of time with their median, which is computed of records here alone", r.Name)
	}
	if err := CheckTable(table); err != nil {
		return nil, err
	}
	s := &Split{report: r, source: sqlSource{&d, fields, table}}
	there := r
	there.Where, s.sifted = s.source.conditions(&r)
	if err := s.group(); err != nil {
		return nil, err
	}
	exact := s.sifted == nil && len(s.fed) == len(r.Keys) && !slices.ContainsFunc(r.Keys, func(k Key) bool { return !s.feeds(k) })
	s.cut = exact && len(r.Keys) > 0 && (r.Limit > 0 || r.Having != nil)
	for _, m := range r.aggregates() {
		fn := function.Named(m.Func)
		if fn.Input != nil || m.countsRows() && !r.mixed() {
			continue // the number of records is a column of its own
		}
		if !exact && !fn.Mergeable() {
			return nil, s.coarse(m)
		}
		s.asked = append(s.asked, m)
		s.cut = s.cut && !fn.Buckets // an engine can neither rank by buckets nor add them up
	}
	s.seen = r.mentioned()
	var err error
	s.SQL, err = s.query(&there)
	return s, err
}

// here is the half of the report that is computed of the engine's rows.
func (s *Split) here() Report {
	r := s.report
	r.Where = s.sifted
	return r
}

// whole reports whether all flows are in the rows, so that what is null in all of them is not logged.
func (s *Split) whole() bool { return s.report.Where == nil && !s.report.mixed() }

// width is how many columns the query has.
func (s *Split) width() int {
	width := 1 + len(s.fed) + len(s.asked) + len(s.seen)
	if s.cut {
		width += 2
	}
	return width
}

// During is the report on the records that end at a time or later, and before another; zero is no bound. It is for engines:
// those that read logs bound what they read.
func (r Report) During(since, until time.Time) Report {
	end, _ := schema.Logged().Lookup("end")
	if !since.IsZero() {
		r.during = expr.All(r.during, expr.Compare{Field: end, Op: expr.GreaterEqual, Value: since.Unix()})
	}
	if !until.IsZero() {
		r.during = expr.All(r.during, expr.Compare{Field: end, Op: expr.Less, Value: until.Unix()})
	}
	return r
}

// condition is what records meet that an engine counts.
func (r *Report) condition() expr.Expr { return expr.All(r.Where, r.during) }

// conditions parts the report's condition into what the engine tests and what is tested here.
func (s sqlSource) conditions(r *Report) (pushed, own expr.Expr) {
	for _, e := range expr.Conjuncts(r.Where) {
		q := s.query(r)
		q.condition(e)
		if q.refusal() == nil {
			pushed = expr.All(pushed, e)
		} else {
			own = expr.All(own, e)
		}
	}
	return pushed, own
}

// knows reports whether the engine has a field.
func (s sqlSource) knows(name string) bool {
	f, ok := s.fields.Lookup(name)
	if !ok {
		f = schema.Field{Name: name}
	}
	return InSQL(f)
}

// group says what the engine groups by.
func (s *Split) group() error {
	r, fields := &s.report, s.source.fields
	for _, k := range r.Keys {
		f, ok := fields.Lookup(k.Field)
		if ok && s.source.knows(k.Field) {
			s.feed(f, k.pushed())
			continue
		}
		if err := s.need(k.Field); err != nil {
			return err
		}
	}
	var err error
	if s.sifted != nil {
		s.sifted.Fields(func(name string) {
			if err == nil {
				err = s.need(name)
			}
		})
	}
	for _, x := range r.Measures {
		x.fields(func(name string) {
			if err == nil && !s.source.knows(name) {
				err = schema.Wordsf("%s: only flowlog knows %s, so an engine cannot count %s: make it a key, with %s", r.Name, name, x.Name, schema.Opt("by"))
			}
		})
	}
	return err
}

// feed has the engine group by a field, or by a key of it.
func (s *Split) feed(f schema.Field, k Key) {
	i := slices.IndexFunc(s.fed, func(x fed) bool { return x.Name == f.Name })
	switch {
	case i < 0:
		s.fed = append(s.fed, fed{f, k})
	case s.fed[i].key != k: // two views of one field: the field itself has both
		s.fed[i].key = Key{Field: f.Name}
	}
}

// need has the engine group by a field, or if only flowlog knows it by what it is computed from.
func (s *Split) need(name string) error {
	f, ok := s.source.fields.Lookup(name)
	switch {
	case ok && s.source.knows(name):
		s.feed(f, Key{Field: name})
		return nil
	case !ok || len(f.From) == 0:
		return fmt.Errorf("%s: %s is not in a table of flow logs: leave it out, or run the report on the logs", s.report.Name, name)
	}
	if _, ok := s.local.Lookup(name); !ok {
		s.local = append(s.local, f)
	}
	for _, from := range f.From {
		if err := s.need(from); err != nil {
			return err
		}
	}
	return nil
}

// zoneStep is what the offsets of all zones of today are whole numbers of.
const zoneStep = 15 * time.Minute

// pushed is the key that an engine groups by in place of k: k itself, or one that is finer where only flowlog knows
// how wide bins are to be, or when those of a zone begin.
func (k Key) pushed() Key {
	switch {
	case k.Every == auto:
		return Key{Field: k.Field, Every: steps[0]}
	case k.Every == 0 && !k.Hour || k.inSQL():
		return k
	case k.Every%zoneStep == 0: // of an hour of the day too, whose Every is 0
		return Key{Field: k.Field, Every: zoneStep}
	}
	return Key{Field: k.Field}
}

// feeds reports whether the engine groups by the key itself.
func (s *Split) feeds(k Key) bool {
	return slices.ContainsFunc(s.fed, func(f fed) bool { return f.key == k })
}

// coarse is the error for a measure that the engine computes of groups that are not those of the report.
func (s *Split) coarse(x Measure) error {
	r := &s.report
	name := x.Name
	if name == "" {
		name = x.Func
	}
	if s.sifted != nil {
		return fmt.Errorf("%s: %s of groups does not add up, and only flowlog can test %s: leave out the condition or the measure", r.Name, name, s.sifted)
	}
	var why, by []string
	for _, k := range r.Keys {
		f, _ := s.source.fields.Lookup(k.Field)
		switch {
		case s.feeds(k) && s.source.knows(k.Field):
			by = append(by, k.Name())
		case k.Every == auto:
			return schema.Wordsf("%s: %s of bins of time does not add up, and their width is chosen when all have been seen: choose it, as in %s", r.Name, name, schema.Opt("every", "1h"))
		case s.source.knows(k.Field) && (k.Every != 0 || k.Hour):
			return fmt.Errorf("%s: %s of bins of time does not add up, and only flowlog knows when they begin in %s: choose another width or zone", r.Name, name, k.Zone)
		case s.source.knows(k.Field):
			by = append(by, k.Name())
		default:
			why = append(why, k.Name())
			by = append(by, f.From...)
		}
	}
	slices.Sort(by)
	by = slices.Compact(by)
	if why == nil {
		return fmt.Errorf("%s: %s of groups does not add up, and two keys are of one field: leave out one of them", r.Name, name)
	}
	return schema.Wordsf("%s: %s of groups does not add up, and only flowlog knows %s: the nearest report is %s, or leave out the measure",
		r.Name, name, strings.Join(why, " and "), schema.Opt("by", by...))
}

// aggregates lists what the measures are computed from, each once: the accumulators of an Aggregator, in their order.
func (r *Report) aggregates() []Measure {
	var list []Measure
	add := func(m Measure) {
		if !slices.ContainsFunc(list, func(o Measure) bool {
			return o.Func == m.Func && o.Field == m.Field && o.With == m.With && o.All == m.All && textOf(o.Where) == textOf(m.Where)
		}) {
			list = append(list, m)
		}
	}
	for _, m := range r.Measures {
		fn := function.Named(m.Func)
		if fn.Parts == nil {
			add(m)
		}
		for _, part := range m.parts() {
			add(part)
		}
		if fn.Span {
			add(Measure{Func: "min", Field: "start"})
			add(Measure{Func: "max", Field: "end"})
		}
	}
	return list
}

// countsRows reports whether the measure is the number of flows.
func (m Measure) countsRows() bool {
	return function.Named(m.Func).Rows && m.Field == "" && m.Where == nil
}
