package sql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/calendar"
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

	Report report.Report    // both halves: with its whole condition
	Sifted expr.Expr        // the part of the condition that is tested here; nil if there is none
	Source sqlSource        // of its queries
	Fed    []Fed            // what the engine groups by
	Asked  []report.Measure // the aggregates that rows have states of
	Seen   []string         // fields of which rows say in how many flows they are
	Local  schema.Table     // fields that are looked up here
	Cut    bool             // rows begin with a place, which is 0 for what the others come to, and the number of groups
}

// A sqlSource is a table of an engine, and the fields that reports on it may name.
type sqlSource struct {
	dialect *Dialect
	Fields  schema.Table
	table   string
}

func (s sqlSource) query(r *report.Report) *query { return newQuery(r, s.dialect, s.Fields, s.table) }

// Fed is a field whose values come from the engine: as they are logged, or, for a key that the engine computes, one for
// each value of the key, of which the same value is computed again here.
type Fed struct {
	schema.Field
	Key report.Key
}

// NewSplit splits a report for an engine that has the records in a table: see SQL. What cannot be split so that the
// result is exact is an error that names it.
func NewSplit(r report.Report, d Dialect, fields schema.Table, table string) (*Split, error) {
	if r.Spike != nil {
		return nil, fmt.Errorf("%s compares bins of time with their median, which is computed of records here alone", r.Name)
	}
	if err := CheckTable(table); err != nil {
		return nil, err
	}
	s := &Split{Report: r, Source: sqlSource{&d, fields, table}}
	there := r
	there.Where, s.Sifted = s.Source.conditions(&r)
	if err := s.group(); err != nil {
		return nil, err
	}
	exact := s.Sifted == nil && len(s.Fed) == len(r.Keys) && !slices.ContainsFunc(r.Keys, func(k report.Key) bool { return !s.feeds(k) })
	s.Cut = exact && len(r.Keys) > 0 && (r.Limit > 0 || r.Having != nil)
	for _, m := range r.Aggregates() {
		fn := function.Named(m.Func)
		if fn.Input != nil || m.CountsRows() && !r.Mixed() {
			continue // the number of records is a column of its own
		}
		if !exact && !fn.Mergeable() {
			return nil, s.coarse(m)
		}
		s.Asked = append(s.Asked, m)
		s.Cut = s.Cut && !fn.Buckets // an engine can neither rank by buckets nor add them up
	}
	s.Seen = mentioned(&r)
	var err error
	s.SQL, err = s.query(&there)
	return s, err
}

// Here is the half of the report that is computed of the engine's rows.
func (s *Split) Here() report.Report {
	r := s.Report
	r.Where = s.Sifted
	return r
}

// Whole reports whether all flows are in the rows, so that what is null in all of them is not logged.
func (s *Split) Whole() bool { return s.Report.Where == nil && !s.Report.Mixed() }

// Width is how many columns the query has.
func (s *Split) Width() int {
	width := 1 + len(s.Fed) + len(s.Asked) + len(s.Seen)
	if s.Cut {
		width += 2
	}
	return width
}

// conditions parts the report's condition into what the engine tests and what is tested here.
func (s sqlSource) conditions(r *report.Report) (pushed, own expr.Expr) {
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
	f, ok := s.Fields.Lookup(name)
	if !ok {
		f = schema.Field{Name: name}
	}
	return Expressible(f)
}

// group says what the engine groups by.
func (s *Split) group() error {
	r, fields := &s.Report, s.Source.Fields
	for _, k := range r.Keys {
		f, ok := fields.Lookup(k.Field)
		if ok && s.Source.knows(k.Field) {
			s.feed(f, pushedKey(k))
			continue
		}
		if err := s.need(k.Field); err != nil {
			return err
		}
	}
	var err error
	if s.Sifted != nil {
		s.Sifted.Fields(func(name string) {
			if err == nil {
				err = s.need(name)
			}
		})
	}
	for _, x := range r.Measures {
		x.Fields(func(name string) {
			if err == nil && !s.Source.knows(name) {
				err = schema.Wordsf("%s: only flowlog knows %s, so an engine cannot count %s: make it a key, with %s", r.Name, name, x.Name, schema.Opt("by"))
			}
		})
	}
	return err
}

// feed has the engine group by a field, or by a key of it.
func (s *Split) feed(f schema.Field, k report.Key) {
	i := slices.IndexFunc(s.Fed, func(x Fed) bool { return x.Name == f.Name })
	switch {
	case i < 0:
		s.Fed = append(s.Fed, Fed{f, k})
	case s.Fed[i].Key != k: // two views of one field: the field itself has both
		s.Fed[i].Key = report.Key{Field: f.Name}
	}
}

// need has the engine group by a field, or if only flowlog knows it by what it is computed from.
func (s *Split) need(name string) error {
	f, ok := s.Source.Fields.Lookup(name)
	switch {
	case ok && s.Source.knows(name):
		s.feed(f, report.Key{Field: name})
		return nil
	case !ok || len(f.From) == 0:
		return fmt.Errorf("%s: %s is not in a table of flow logs: leave it out, or run the report on the logs", s.Report.Name, name)
	}
	if _, ok := s.Local.Lookup(name); !ok {
		s.Local = append(s.Local, f)
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

// feeds reports whether the engine groups by the key itself.
func (s *Split) feeds(k report.Key) bool {
	return slices.ContainsFunc(s.Fed, func(f Fed) bool { return f.Key == k })
}

// coarse is the error for a measure that the engine computes of groups that are not those of the report.
func (s *Split) coarse(x report.Measure) error {
	r := &s.Report
	name := x.Name
	if name == "" {
		name = x.Func
	}
	if s.Sifted != nil {
		return fmt.Errorf("%s: %s of groups does not add up, and only flowlog can test %s: leave out the condition or the measure", r.Name, name, s.Sifted)
	}
	var why, by []string
	for _, k := range r.Keys {
		f, _ := s.Source.Fields.Lookup(k.Field)
		switch {
		case s.feeds(k) && s.Source.knows(k.Field):
			by = append(by, k.Name())
		case k.Every == calendar.Auto:
			return schema.Wordsf("%s: %s of bins of time does not add up, and their width is chosen when all have been seen: choose it, as in %s", r.Name, name, schema.Opt("every", "1h"))
		case s.Source.knows(k.Field) && (k.Every != 0 || k.Hour):
			return fmt.Errorf("%s: %s of bins of time does not add up, and only flowlog knows when they begin in %s: choose another width or zone", r.Name, name, k.Zone)
		case s.Source.knows(k.Field):
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

// pushedKey is the key that an engine groups by in place of k: k itself, or one that is finer where only flowlog knows
// how wide bins are to be, or when those of a zone begin.
func pushedKey(k report.Key) report.Key {
	switch {
	case k.Every == calendar.Auto:
		return report.Key{Field: k.Field, Every: calendar.Widths[0]}
	case k.Every == 0 && !k.Hour || keyInSQL(k):
		return k
	case k.Every%zoneStep == 0: // of an hour of the day too, whose Every is 0
		return report.Key{Field: k.Field, Every: zoneStep}
	}
	return report.Key{Field: k.Field}
}
