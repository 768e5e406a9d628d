package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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
	Having   Expr      // the rows that are shown: a condition on keys and measures; nil is all
	Spike    *Spike    // of the rows that meet Having, those that stand out of their time; nil is all
	Order    string    // the measure or key that ranks the rows, from the best on; "" is the first measure
	Reverse  bool      // rank from the other end
	Limit    int       // rows that are shown; 0 is all
	Overview bool      // part of what `flowlog report` prints without a name
	Settings []Setting // what With has changed about it
}

// A Measure is a number computed over the records of a group.
type Measure struct {
	Name  string
	Func  string // in the table of functions
	Field string // what Func is applied to; "" for count
	With  string // a second field, whose values are counted together with those of Field; only for distinct
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
	{Name: "duration", Func: "duration", Unit: Seconds, Doc: "from the earliest start to the latest end, in seconds"},
	{Name: "accepted", Func: "count", Where: where("action = ACCEPT"), Unit: Count, Doc: "flows with action ACCEPT"},
	{Name: "rejected", Func: "count", Where: where("action = REJECT"), Unit: Count, Doc: "flows with action REJECT"},
	{Name: "rejected_share", Func: "rejected_share", Field: "action", Unit: Share, Doc: "rejected flows as a part of those that have an action, from 0 to 1"},
	{Name: "bps", Func: "bps", Field: "bytes", Unit: BitRate, Doc: "bits a second over the time that the report covers, or over the bin"},
	{Name: "pps", Func: "pps", Field: "packets", Unit: Plain, Doc: "packets a second over the time that the report covers, or over the bin"},
	{Name: "nodata", Func: "count", Where: where("log_status = NODATA"), All: true, Unit: Count, Doc: "records that say that there was no traffic"},
	{Name: "skipdata", Func: "count", Where: where("log_status = SKIPDATA"), All: true, Unit: Count, Doc: "records that say that flows were lost: totals are a lower bound"},
	{Name: "malformed", Func: "malformed", Unit: Count, Doc: "records of the whole input that could not be read"},
}

// Measures lists the named measures.
func Measures() []Measure { return slices.Clone(measures) }

// ParseMeasure reads a measure as a user writes it: one of the named ones, or a function of a field, such
// as distinct(dstport), sum(packets_lost_no_route), or distinct_dstport, which is the name of its column.
// distinct(dstaddr+dstport) counts pairs of values.
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
		for _, name := range Functions() {
			names = append(names, name+"(FIELD)")
		}
		return Measure{}, fmt.Errorf("unknown measure %q: %sthere are %s", s, schema.DidYouMean(s, names), strings.Join(names, ", "))
	}
	if first, second, ok := strings.Cut(field, "+"); ok && fn == "distinct" {
		m, err := ParseMeasure(fn+"("+first+")", fields)
		if err != nil {
			return m, err
		}
		w, err := ParseMeasure(fn+"("+second+")", fields)
		m.With = w.Field
		m.Name += "_" + w.Field
		return m, err
	}
	f, ok := fields.Lookup(strings.TrimSpace(field))
	if !ok {
		return Measure{}, schema.UnknownField(field, fields.Names(), "flowlog fields")
	}
	if !slices.Contains(functions[i].kinds, f.Kind) {
		return Measure{}, fmt.Errorf("%s(%s): %s is %s, which has no %s", fn, f.Name, f.Name, f.Kind, fn)
	}
	m := Measure{Name: fn + "_" + f.Name, Func: fn, Field: f.Name, Unit: Count}
	switch counted := fn == "count" || fn == "distinct"; {
	case f.Name == "bytes" && !counted:
		m.Unit = Bytes
	case f.Kind == schema.Time && !counted:
		m.Unit = Instant
	case fn == "avg":
		m.Unit = Plain
	}
	return m, nil
}

// Functions lists the aggregate functions that users may apply to fields.
func Functions() []string {
	var names []string
	for _, f := range functions {
		if f.kinds != nil {
			names = append(names, f.name)
		}
	}
	return names
}

// kind is that of the measure's values.
func (m Measure) kind() schema.Kind {
	switch {
	case m.Unit == Instant:
		return schema.Time
	case functionNamed(m.Func).fraction:
		return schema.Float
	}
	return schema.Int64
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
		tokens, _ := lex(text) // what is wrong with it is said when the reports are changed
		for _, t := range tokens {
			if t.kind == wordToken {
				words = append(words, t.text)
			}
		}
	}
	for _, w := range words {
		w = strings.ToLower(w)
		if fn, field, ok := strings.Cut(strings.TrimSuffix(w, ")"), "("); ok {
			w = fn + "_" + field
		}
		words = append(words, w, "src_"+w, "dst_"+w)
		if _, field, ok := strings.Cut(w, "_"); ok {
			words = append(words, strings.Split(field, "+")...)
		}
	}
	return words
}

// With returns the report with the changes made. Names that do not exist are errors that offer the nearest.
func (r Report) With(c Change, scope Scope, zone *time.Location) (Report, error) {
	own := r
	fields := scope.Fields
	if len(c.By) > 0 {
		r.Keys = nil
		for _, name := range c.By {
			k, err := ParseKey(name, fields)
			if err != nil {
				return r, fmt.Errorf("--by: %w", err)
			}
			if r.key(k.Name()) >= 0 {
				return r, fmt.Errorf("--by names %s twice", k.Name())
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
		e, err := ParseExpr(c.Where, scope)
		if err != nil {
			return r, fmt.Errorf("--where: %w", err)
		}
		r.Where = all(r.Where, e)
	}
	if len(c.Measures) > 0 {
		r.Measures = nil
		for _, name := range c.Measures {
			m, err := own.parseMeasure(name, fields)
			if err != nil {
				return r, fmt.Errorf("--measures: %w", err)
			}
			r.add(m)
		}
	}
	if r.measure(r.Order) < 0 && r.key(r.Order) < 0 {
		r.Order = ""
	}
	if c.Sort != "" {
		o := orderingOf(c.Sort)
		if err := o.check(); err != nil {
			return r, fmt.Errorf("--sort: %w", err)
		}
		k := r.key(o.name)
		if r.measure(o.name) >= 0 {
			k = -1
		}
		r.Reverse = o.reverse(k >= 0)
		if k >= 0 {
			r.Order = r.Keys[k].Name()
		} else {
			m, err := own.parseMeasure(o.name, fields)
			if err != nil {
				return r, fmt.Errorf("--sort: %w", err)
			}
			r.Order = m.Name
			r.add(m)
		}
	}
	if c.Having != "" {
		if err := r.having(c.Having, own, scope); err != nil {
			return r, fmt.Errorf("--having: %w", err)
		}
	}
	if c.Top >= 0 {
		r.Limit = c.Top
	}
	if c.Where != "" && !r.mixed() && !flowsMeet(r.Where) {
		return r, fmt.Errorf("--where: %s counts flows, whose log_status is OK: the measures nodata and skipdata count other records, `flowlog report quality` says where they are, and `flowlog parse` writes them", r.Name)
	}
	r.Settings = slices.Concat(r.Settings, c.Settings())
	return r.distinctNames(), nil
}

// add adds a measure that the report does not have yet.
func (r *Report) add(m Measure) {
	if r.measure(m.Name) < 0 {
		r.Measures = append(slices.Clip(r.Measures), m)
	}
}

// key finds a key by its name, in either spelling, or returns -1.
func (r *Report) key(name string) int {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	return slices.IndexFunc(r.Keys, func(k Key) bool { return k.Name() == name })
}

// bin sets the width of the bins of time, and puts them in front of other keys if there are none.
func (r *Report) bin(every string, zone *time.Location) error {
	width := time.Duration(0)
	switch d, ok := parseEvery(every); {
	case every == "":
	case strings.EqualFold(every, Auto):
		width = auto
	case !ok || d%time.Second != 0 || d < time.Second:
		return fmt.Errorf("--every: %q is not a length of time: write 5m, 1h, 1d or %s", every, Auto)
	default:
		width = d
	}
	r.Keys = slices.Clone(r.Keys)
	if width != 0 && r.key(timeKey) < 0 {
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

// parseEvery reads a length of time, as Go writes it or with days or weeks, such as 1d.
func parseEvery(s string) (time.Duration, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if d, err := time.ParseDuration(s); err == nil {
		return d, true
	}
	for unit, length := range map[string]time.Duration{"d": day, "w": 7 * day} {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseUint(digits, 10, 16)
			return time.Duration(n) * length, err == nil
		}
	}
	return 0, false
}

// having reads a condition on keys and measures. A measure that it names and the report lacks is added.
func (r *Report) having(text string, own Report, scope Scope) error {
	tokens, err := lex(text)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.kind == wordToken {
			if m, err := own.parseMeasure(t.text, scope.Fields); err == nil {
				r.add(m)
			}
		}
	}
	*r = r.distinctNames()
	r.Having, err = ParseExpr(text, r.rowScope(scope))
	return err
}

// rowScope is the scope of a condition on the report's rows.
func (r *Report) rowScope(scope Scope) Scope {
	rows := Scope{Rows: true, Number: scope.Number, Time: scope.Time, Open: scope.Open}
	for _, k := range r.Keys {
		f, _ := scope.Fields.Lookup(k.Field)
		rows.Fields = append(rows.Fields, schema.Field{Name: k.Name(), Kind: k.kind(f), Max: f.Max, Values: f.Values, Names: f.Names})
	}
	for _, m := range r.Measures {
		rows.Fields = append(rows.Fields, schema.Field{Name: m.Name, Kind: m.kind()})
	}
	return rows
}

// distinctNames gives measures that are called like a key the name of their function too.
func (r Report) distinctNames() Report {
	measures := r.Measures
	r.Measures = nil
	for _, m := range measures {
		if r.key(m.Name) >= 0 {
			name := m.Func + "_" + m.Field
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
		m.fields(yield)
	}
}

// fields calls yield with the name of each field that the measure is computed from.
func (m Measure) fields(yield func(name string)) {
	if m.Field != "" {
		yield(m.Field)
	}
	if m.With != "" {
		yield(m.With)
	}
	if m.Where != nil {
		m.Where.Fields(yield)
	}
	f := functionNamed(m.Func)
	for _, part := range f.partsOf(m) {
		part.fields(yield)
	}
	if f.also != "" {
		yield(f.also)
	}
	if f.span {
		yield("start")
		yield("end")
	}
}
