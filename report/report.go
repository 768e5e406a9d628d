package report

import (
	"fmt"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// A Report is a question to flow records: group them, measure the groups, rank them.
type Report struct {
	Name     string
	Doc      string // one line: what it answers
	Next     string // what to look at after it
	Where    Expr   // the records it is about; nil is all flows
	Keys     []Key
	Measures []Measure
	Order    string // the measure or key that ranks the rows, from the best on; "" is the first measure
	Reverse  bool   // rank from the other end
	Limit    int    // rows that are shown; 0 is all
	Overview bool   // part of what `flowlog report` prints without a name
}

// A Key is what a report groups by: a field.
type Key struct{ Field string }

// Name is the key's column.
func (k Key) Name() string { return k.Field }

// A Measure is a number computed over the records of a group.
type Measure struct {
	Name  string
	Func  string // in the table of functions
	Field string // what Func is applied to; "" for count
	Where Expr   // counts only these records
	All   bool   // counts records of any log-status, not just flows
	Unit  Unit
	Doc   string
}

// measures is THE table of measures that have names of their own.
var measures = []Measure{
	{Name: "flows", Func: "count", Unit: Count, Doc: "records with log-status OK"},
	{Name: "bytes", Func: "sum", Field: "bytes", Unit: Bytes, Doc: "sum of bytes"},
	{Name: "packets", Func: "sum", Field: "packets", Unit: Count, Doc: "sum of packets"},
	{Name: "first", Func: "min", Field: "start", Unit: Instant, Doc: "earliest start"},
	{Name: "last", Func: "max", Field: "end", Unit: Instant, Doc: "latest end"},
	{Name: "accepted", Func: "count", Where: Equal{"action", "ACCEPT"}, Unit: Count, Doc: "flows with action ACCEPT"},
	{Name: "rejected", Func: "count", Where: Equal{"action", "REJECT"}, Unit: Count, Doc: "flows with action REJECT"},
	{Name: "nodata", Func: "count", Where: Equal{"log_status", schema.StatusNoData}, All: true, Unit: Count, Doc: "records that say that there was no traffic"},
	{Name: "skipdata", Func: "count", Where: Equal{"log_status", schema.StatusSkipData}, All: true, Unit: Count, Doc: "records that say that flows were lost: totals are a lower bound"},
	{Name: "malformed", Func: "malformed", Unit: Count, Doc: "records of the whole input that could not be read"},
}

// Measures lists the named measures.
func Measures() []Measure { return slices.Clone(measures) }

// ParseMeasure reads a measure as a user writes it: one of the named ones, or a function of a field, such
// as distinct(dstport), sum(packets_lost_no_route), or distinct_dstport, which is the name of its column.
func ParseMeasure(s string, fields schema.Table) (Measure, error) {
	s = strings.TrimSpace(s)
	for _, m := range measures {
		if m.Name == strings.ToLower(s) {
			return m, nil
		}
	}
	fn, field, call := strings.Cut(strings.TrimSuffix(s, ")"), "(")
	if !call {
		fn, field, call = strings.Cut(s, "_")
	}
	fn = strings.ToLower(fn)
	i := slices.IndexFunc(functions, func(f function) bool { return f.name == fn })
	if !call || i < 0 || functions[i].kinds == nil {
		var names []string
		for _, m := range measures {
			names = append(names, m.Name)
		}
		for _, f := range functions {
			if f.kinds != nil {
				names = append(names, f.name+"(FIELD)")
			}
		}
		near := ""
		if n := schema.Nearest(s, names); n != "" {
			near = "did you mean " + n + "? "
		}
		return Measure{}, fmt.Errorf("unknown measure %q: %sthere are %s", s, near, strings.Join(names, ", "))
	}
	f, ok := fields.Lookup(field)
	if !ok {
		return Measure{}, schema.Unknown("field", field, fields.Names(), "flowlog fields")
	}
	if !slices.Contains(functions[i].kinds, f.Kind) {
		return Measure{}, fmt.Errorf("%s(%s): %s is %s, which has no %s", fn, f.Name, f.Name, f.Kind, fn)
	}
	m := Measure{Name: fn + "_" + f.Name, Func: fn, Field: f.Name, Unit: Count}
	switch {
	case f.Name == "bytes":
		m.Unit = Bytes
	case f.Kind == schema.Time && fn != "distinct":
		m.Unit = Instant
	}
	return m, nil
}

// parseMeasure is ParseMeasure that knows the report's own measures too.
func (r *Report) parseMeasure(s string, fields schema.Table) (Measure, error) {
	if i := r.measure(strings.TrimSpace(s)); i >= 0 {
		return r.Measures[i], nil
	}
	return ParseMeasure(s, fields)
}

// measure finds a measure of the report by its name, or returns -1.
func (r *Report) measure(name string) int {
	return slices.IndexFunc(r.Measures, func(m Measure) bool { return m.Name == name })
}

// Change is what a user wants to be different about a report. Zero values change nothing.
type Change struct {
	By       []string // keys
	Measures []string
	Sort     string // a measure or a key; with - in front from the other end
	Top      int    // -1 leaves the report's own
}

// With returns the report with the changes made. Names that do not exist are errors that offer the nearest.
func (r Report) With(c Change, fields schema.Table) (Report, error) {
	own := r
	if len(c.By) > 0 {
		r.Doc, r.Keys = "by", nil
		for _, name := range c.By {
			f, ok := fields.Lookup(strings.TrimSpace(name))
			if !ok {
				return r, schema.Unknown("field", name, fields.Names(), "flowlog fields")
			}
			if slices.Contains(r.Keys, Key{f.Name}) {
				return r, fmt.Errorf("--by names %s twice", f.Name)
			}
			r.Keys = append(r.Keys, Key{f.Name})
		}
		for i, k := range r.Keys {
			if i > 0 {
				r.Doc += ","
			}
			r.Doc += " " + k.Name()
		}
	}
	if len(c.Measures) > 0 {
		r.Measures = nil
		for _, name := range c.Measures {
			m, err := own.parseMeasure(name, fields)
			if err != nil {
				return r, err
			}
			if r.measure(m.Name) < 0 {
				r.Measures = append(r.Measures, m)
			}
		}
		if r.measure(r.Order) < 0 {
			r.Order = ""
		}
	}
	if c.Sort != "" {
		name, reverse := strings.CutPrefix(strings.TrimSpace(c.Sort), "-")
		r.Reverse = reverse
		if f, ok := fields.Lookup(name); ok && slices.Contains(r.Keys, Key{f.Name}) && r.measure(f.Name) < 0 {
			r.Order = f.Name
		} else {
			m, err := own.parseMeasure(name, fields)
			if err != nil {
				return r, fmt.Errorf("--sort: %w", err)
			}
			if r.Order = m.Name; r.measure(m.Name) < 0 {
				r.Measures = append(slices.Clip(r.Measures), m)
			}
		}
	}
	if c.Top >= 0 {
		r.Limit = c.Top
	}
	return r.distinctNames(), nil
}

// distinctNames gives measures that are called like a key the name of their function too.
func (r Report) distinctNames() Report {
	measures := r.Measures
	r.Measures = nil
	for _, m := range measures {
		if slices.Contains(r.Keys, Key{m.Name}) {
			name := m.Func + "_" + m.Field
			if r.Order == m.Name {
				r.Order = name
			}
			m.Name = name
		}
		if r.measure(m.Name) < 0 {
			r.Measures = append(r.Measures, m)
		}
	}
	return r
}

// Fields calls yield with the name of each field that the report reads, some more than once.
func (r *Report) Fields(yield func(name string)) {
	for _, k := range r.Keys {
		yield(k.Field)
	}
	if r.Where != nil {
		r.Where.Fields(yield)
	}
	for _, m := range r.Measures {
		if m.Field != "" {
			yield(m.Field)
		}
		if m.Where != nil {
			m.Where.Fields(yield)
		}
	}
}
