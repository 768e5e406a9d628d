package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report/calendar"
	"flowlog/report/expr"
)

// A Report is a question to flow records: group them, measure the groups, rank them.
type Report struct {
	Name     string
	Doc      string        // one line: what it answers
	Next     *schema.Words // what to look at after it
	Where    expr.Expr     // the records it is about; nil is all flows
	Keys     []Key
	Measures []Measure
	Having   expr.Expr // the rows that are shown: a condition on keys and measures; nil is all
	Spike    *Spike    // of the rows that meet Having, those that stand out of their time; nil is all
	Order    string    // the measure or key that ranks the rows, from the best on; "" is the first measure
	Reverse  bool      // rank from the other end
	Limit    int       // rows that are shown; 0 is all
	Overview bool      // part of what `flowlog report` prints without a name
	Settings []Setting // what With has changed about it

	Within expr.Expr // the records that it is about, where an engine has them: see During
}

// Change is what a user wants to be different about a report. Zero values change nothing.
type Change struct {
	By       []string // keys, see ParseKey
	Measures []string
	Where    string // a condition that records must meet too
	Having   string // a condition on keys and measures that rows must meet
	Every    string // the width of bins of time; adds the key time where there is none
	Sort     string // a measure or a key; with - in front from the other end, or :asc or :desc behind it
	Top      int    // -1 leaves the report's own
}

// Words lists the words of the changes that may be names of fields, and what such words may stand for.
func (c Change) Words() []string {
	words := slices.Concat(c.By, c.Measures, []string{orderingOf(c.Sort).name})
	for _, text := range []string{c.Where, c.Having} {
		named, _ := expr.Words(text) // what is wrong with it is said when the reports are changed
		words = append(words, named...)
	}
	for _, w := range words {
		words = append(words, measureWords(w)...)
		w = strings.ToLower(w)
		words = append(words, w, "src_"+w, "dst_"+w)
	}
	return words
}

// With returns the report with the changes made. Names that do not exist are errors that offer the nearest.
func (r Report) With(c Change, scope expr.Scope, zone *time.Location) (Report, error) {
	own := r
	fields := scope.Fields
	if len(c.By) > 0 {
		r.Keys = nil
		for _, name := range c.By {
			k, err := ParseKey(name, fields)
			if err != nil {
				return r, &schema.OptionError{Option: "by", Err: err}
			}
			if r.Key(k.Name()) >= 0 {
				return r, &schema.OptionError{Option: "by", Subject: true, Err: fmt.Errorf("names %s twice", k.Name())}
			}
			r.Keys = append(r.Keys, k)
		}
	}
	if err := r.bin(c.Every, zone); err != nil {
		return r, err
	}
	if !slices.EqualFunc(r.Keys, own.Keys, func(a, b Key) bool { return a.Name() == b.Name() }) {
		r.Doc = "by"
		for i, k := range r.Keys {
			if i > 0 {
				r.Doc += ","
			}
			r.Doc += " " + k.Name()
		}
	}
	if c.Where != "" {
		e, err := expr.Parse(c.Where, scope)
		if err != nil {
			return r, &schema.OptionError{Option: "where", Err: ofFlows(err, fields)}
		}
		r.Where = expr.All(r.Where, e)
	}
	if len(c.Measures) > 0 {
		r.Measures = nil
		for _, name := range c.Measures {
			m, err := own.parseMeasure(name, fields)
			if err != nil {
				return r, &schema.OptionError{Option: "measures", Err: err}
			}
			r.add(m)
		}
	}
	if r.Measure(r.Order) < 0 && r.Key(r.Order) < 0 {
		r.Order = ""
	}
	if c.Sort != "" {
		o := orderingOf(c.Sort)
		if err := o.check(); err != nil {
			return r, &schema.OptionError{Option: "sort", Err: err}
		}
		k := r.Key(o.name)
		if r.Measure(o.name) >= 0 {
			k = -1
		}
		r.Reverse = o.reverse(k >= 0)
		c.Sort = o.written(k >= 0)
		if k >= 0 {
			r.Order = r.Keys[k].Name()
		} else {
			m, err := own.parseMeasure(o.name, fields)
			if err != nil {
				return r, &schema.OptionError{Option: "sort", Err: err}
			}
			r.Order = m.Name
			r.add(m)
		}
	}
	if c.Having != "" {
		if err := r.having(c.Having, own, scope); err != nil {
			return r, &schema.OptionError{Option: "having", Err: err}
		}
	}
	if c.Top >= 0 {
		r.Limit = c.Top
	}
	if c.Where != "" && !r.Mixed() && !FlowsMeet(r.Where) {
		return r, &schema.OptionError{Option: "where", Err: fmt.Errorf("%s counts flows, whose log_status is OK: the measures nodata and skipdata count other records, `flowlog report quality` says where they are, and `flowlog parse` writes them", r.Name)}
	}
	r.Settings = slices.Concat(r.Settings, c.Settings())
	return r.distinctNames(), nil
}

// add adds a measure that the report does not have yet.
func (r *Report) add(m Measure) {
	if r.Measure(m.Name) < 0 {
		r.Measures = append(slices.Clip(r.Measures), m)
	}
}

// Key finds a key by its name, in either spelling, or returns -1.
func (r *Report) Key(name string) int {
	name = canonical(name)
	return slices.IndexFunc(r.Keys, func(k Key) bool { return k.Name() == name })
}

// bin sets the width of the bins of time, and puts them in front of other keys if there are none.
func (r *Report) bin(every string, zone *time.Location) error {
	width := time.Duration(0)
	switch d, ok := ParseEvery(every); {
	case every == "":
	case strings.EqualFold(every, Auto):
		width = calendar.Auto
	case !ok || d%time.Second != 0 || d < time.Second:
		return &schema.OptionError{Option: "every", Err: fmt.Errorf("%q is not a length of time: write 5m, 1h, 1d or %s", every, Auto)}
	default:
		width = d
	}
	r.Keys = slices.Clone(r.Keys)
	if width != 0 && r.Key(timeKey) < 0 {
		r.Keys = slices.Insert(r.Keys, 0, Key{Field: "start", Every: width})
	}
	for i := range r.Keys {
		k := &r.Keys[i]
		if k.Every != 0 || k.Hour {
			k.Zone = zone
		}
		if k.Every != 0 && width != 0 {
			k.Every = width
		}
	}
	return nil
}

// ParseEvery reads a length of time, as Go writes it or with days or weeks, such as 1d.
func ParseEvery(s string) (time.Duration, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if d, err := time.ParseDuration(s); err == nil {
		return d, true
	}
	for unit, length := range map[string]time.Duration{"d": calendar.Day, "w": 7 * calendar.Day} {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseUint(digits, 10, 16)
			return time.Duration(n) * length, err == nil
		}
	}
	return 0, false
}

// having reads a condition on keys and measures. A measure that it names and the report lacks is added.
func (r *Report) having(text string, own Report, scope expr.Scope) error {
	words, err := expr.Words(text)
	if err != nil {
		return err
	}
	for _, word := range words {
		if r.Key(word) < 0 {
			if m, err := own.parseMeasure(word, scope.Fields); err == nil {
				r.add(m)
			}
		}
	}
	*r = r.distinctNames()
	r.Having, err = expr.Parse(text, r.rowScope(scope))
	return err
}

// rowScope is the scope of a condition on the report's rows.
func (r *Report) rowScope(scope expr.Scope) expr.Scope {
	rows := expr.Scope{Rows: true, Number: scope.Number, Time: scope.Time, File: scope.File}
	rows.Measure = func(text string) (string, error) {
		m, err := r.parseMeasure(text, scope.Fields)
		return m.Name, err
	}
	for _, k := range r.Keys {
		f, _ := scope.Fields.Lookup(k.Field)
		rows.Fields = append(rows.Fields, schema.Field{Name: k.Name(), Kind: k.Kind(f), Max: f.Max, Values: f.Values, Names: f.Names})
	}
	for _, m := range r.Measures {
		rows.Fields = append(rows.Fields, schema.Field{Name: m.Name, Kind: m.Kind()})
	}
	return rows
}

// distinctNames gives measures that are called like a key the name of their function too.
func (r Report) distinctNames() Report {
	measures := r.Measures
	r.Measures = nil
	for _, m := range measures {
		if r.Key(m.Name) >= 0 {
			name := m.column()
			if r.Order == m.Name {
				r.Order = name
			}
			m.Name = name
		}
		r.add(m)
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
		m.Fields(yield)
	}
}

// During is the report on the records that end at a time or later, and before another; zero is no bound. It is for engines:
// those that read logs bound what they read.
func (r Report) During(since, until time.Time) Report {
	end, _ := schema.Logged().Lookup("end")
	if !since.IsZero() {
		r.Within = expr.All(r.Within, expr.Compare{Field: end, Op: expr.GreaterEqual, Value: since.Unix()})
	}
	if !until.IsZero() {
		r.Within = expr.All(r.Within, expr.Compare{Field: end, Op: expr.Less, Value: until.Unix()})
	}
	return r
}

// Condition is what records meet that an engine counts.
func (r *Report) Condition() expr.Expr { return expr.All(r.Where, r.Within) }

// Mixed reports whether the report takes in records that are no flows.
func (r *Report) Mixed() bool {
	return slices.ContainsFunc(r.Measures, func(m Measure) bool { return m.All })
}

// FlowsMeet reports whether there may be flows that meet a condition: not if it is about the log-status, and neither
// that of flows nor none meets it.
func FlowsMeet(e expr.Expr) bool {
	for _, c := range expr.Conjuncts(e) {
		others := false
		c.Fields(func(name string) { others = others || name != "log_status" })
		if !others {
			f, _ := logged.Lookup("log_status")
			column := schema.NewColumn(f)
			column.Append(schema.StatusOK)
			column.Append(nil)
			rec := array.NewRecord(schema.Table{f}.Arrow(), []arrow.Array{column.Array()}, 2)
			met := c.Filter().Keep(rec, []int32{0, 1}, true)
			rec.Release()
			if len(met) == 0 {
				return false
			}
		}
	}
	return true
}
