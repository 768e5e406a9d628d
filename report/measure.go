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

// A Measure is a number computed over the records of a group.
type Measure struct {
	Name  string
	Func  string    // in the table of functions
	Field string    // what Func is applied to; "" for count
	With  string    // a second field, whose values are counted together with those of Field; only for distinct
	Where expr.Expr // counts only these records
	All   bool      // counts records of any log-status, not just flows
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
	{Name: "duration", Func: "duration", Unit: Seconds, Doc: "from the earliest start to the latest end, in seconds; null if that end is the earlier one"},
	{Name: "accepted", Func: "accepted", Field: "action", Unit: Count, Doc: "flows with action ACCEPT; null if none has an action"},
	{Name: "rejected", Func: "rejected", Field: "action", Unit: Count, Doc: "flows with action REJECT; null if none has an action"},
	{Name: "rejected_share", Func: "rejected_share", Field: "action", Unit: Share, Doc: "rejected flows as a part of those that have an action, from 0 to 1"},
	{Name: "bps", Func: "bps", Field: "bytes", Unit: BitRate, Doc: "bits a second over the time that the report covers, or over the bin"},
	{Name: "pps", Func: "pps", Field: "packets", Unit: Plain, Doc: "packets a second over the time that the report covers, or over the bin"},
	{Name: "cost", Func: "cost", Field: "rate", Unit: Money, Doc: "dollars that the traffic costs, as far as prices and charges are known: the sum of those by charge"},
	{Name: "cost_nat", Func: "cost", Field: "rate_nat", Unit: Money, Doc: "dollars for what NAT gateways pass on"},
	{Name: "cost_zone", Func: "cost", Field: "rate_zone", Unit: Money, Doc: "dollars for what crosses zones"},
	{Name: "cost_internet", Func: "cost", Field: "rate_internet", Unit: Money, Doc: "dollars for what leaves AWS"},
	{Name: "cost_region", Func: "cost", Field: "rate_region", Unit: Money, Doc: "dollars for what goes to other regions"},
	{Name: "cost_tgw", Func: "cost", Field: "rate_tgw", Unit: Money, Doc: "dollars for what transit gateways get"},
	{Name: "cost_endpoint", Func: "cost", Field: "rate_endpoint", Unit: Money, Doc: "dollars for what interface endpoints pass on"},
	{Name: "cost_gwlb_endpoint", Func: "cost", Field: "rate_gwlb_endpoint", Unit: Money, Doc: "dollars for what Gateway Load Balancer endpoints pass on"},
	{Name: "cost_dx", Func: "cost", Field: "rate_dx", Unit: Money, Doc: "dollars for what leaves by Direct Connect"},
	{Name: "cost_vpn", Func: "cost", Field: "rate_vpn", Unit: Money, Doc: "dollars for what leaves by a VPN"},
	{Name: "nodata", Func: "count", Where: where("log_status = NODATA"), All: true, Unit: Count, Doc: "records that say that there was no traffic"},
	{Name: "skipdata", Func: "count", Where: where("log_status = SKIPDATA"), All: true, Unit: Count, Doc: "records that say that flows were lost: totals are a lower bound"},
	{Name: "malformed", Func: "malformed", Unit: Count, Doc: "records of the whole input that could not be read"},
}

// Measures lists the named measures.
func Measures() []Measure { return slices.Clone(measures) }

// ParseMeasure reads a measure as a user writes it: one of the named ones, or a function of a field, such
// as distinct(dstport), sum(packets_lost_no_route), or distinct_dstport, which is the name of its column.
// distinct(dstaddr+dstport), or distinct_dstaddr_dstport, counts pairs of values.
func ParseMeasure(text string, fields schema.Table) (Measure, error) {
	s := Canonical(text)
	if ofConnections(fields) {
		if m, ok, err := connectionMeasure(s); ok || err != nil {
			return m, err
		}
	}
	for _, m := range measures {
		if m.Name == s {
			return m, nil
		}
	}
	fn, argument, call := cutFunction(s)
	i := slices.IndexFunc(function.All, func(f function.Func) bool { return f.Name == fn && f.Kinds != nil })
	if i < 0 || strings.HasPrefix(argument, "distinct ") { // count(distinct …) is SQL
		return Measure{}, unknownMeasure(strings.TrimSpace(text))
	}
	first, second, pair := argument, "", false
	if function.All[i].Pairs {
		if first, second, pair = strings.Cut(argument, "+"); !call && !pair {
			first, second, pair = cutPair(argument, fields)
		}
	}
	m, err := measureOf(&function.All[i], first, fields)
	if err != nil || !pair {
		return m, err
	}
	with, err := measureOf(&function.All[i], second, fields)
	m.With = with.Field
	m.Name += "_" + with.Field
	return m, err
}

// Canonical is a name as names of measures and keys are spelled here.
func Canonical(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "-", "_")
}

// cutFunction splits the text of a measure into a function and what it is applied to. call says that it is written as
// a call, and not as the name of a column. What is neither has no function.
func cutFunction(s string) (fn, argument string, call bool) {
	if inner, ok := strings.CutSuffix(s, ")"); ok {
		fn, argument, call = strings.Cut(inner, "(")
	} else {
		fn, argument, call = strings.Cut(s, "_")
		if !call {
			return "", "", false
		}
		call = false
	}
	return strings.TrimSpace(fn), strings.TrimSpace(argument), call
}

// cutPair splits the names of two fields that are joined by _, as in the name of a column. pair is false if they are
// no two fields; first is all of it then.
func cutPair(names string, fields schema.Table) (first, second string, pair bool) {
	if _, one := fields.Lookup(names); one {
		return names, "", false
	}
	for i := range len(names) {
		if names[i] != '_' {
			continue
		}
		_, ok := fields.Lookup(names[:i])
		if _, too := fields.Lookup(names[i+1:]); ok && too {
			return names[:i], names[i+1:], true
		}
	}
	return names, "", false
}

// measureOf is the measure of a field by the function.
func measureOf(fn *function.Func, field string, fields schema.Table) (Measure, error) {
	f, ok := fields.Lookup(strings.TrimSpace(field))
	if !ok {
		return Measure{}, schema.UnknownField(field, fields.Names(), "flowlog fields")
	}
	if !slices.Contains(fn.Kinds, f.Kind) {
		return Measure{}, fmt.Errorf("%s(%s): %s is %s, which has no %s", fn.Name, f.Name, f.Name, f.Kind, fn.Name)
	}
	m := Measure{Func: fn.Name, Field: f.Name, Unit: Count}
	m.Name = m.column()
	switch {
	case fn.Counts:
	case f.Name == "bytes":
		m.Unit = Bytes
	case f.Kind == schema.Time:
		m.Unit = Instant
	case fn.Fraction:
		m.Unit = Plain
	}
	return m, nil
}

// column is the name of the measure's column where it has no name of its own, or where that is a key's.
func (m Measure) column() string { return m.Func + "_" + m.Field }

// measureWords lists the words of a text that may name fields of the input, if the text is a measure.
func measureWords(s string) []string {
	_, argument, call := cutFunction(Canonical(s))
	words := strings.Split(argument, "+")
	for _, m := range measures {
		if m.Name == Canonical(s) {
			words = append(words, m.Field)
		}
	}
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	for i := range len(argument) {
		if !call && argument[i] == '_' {
			words = append(words, argument[:i], argument[i+1:])
		}
	}
	return words
}

// Functions lists the aggregate functions that users may apply to fields.
func Functions() []string {
	var names []string
	for _, f := range function.All {
		if f.Kinds != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// Kind is that of the measure's values.
func (m Measure) Kind() schema.Kind {
	switch {
	case m.Unit == Instant:
		return schema.Time
	case function.Named(m.Func).Fraction:
		return schema.Float
	}
	return schema.Int64
}

// PerSecond reports whether the measure is a rate, which does not grow with the time that it covers.
func (m Measure) PerSecond() bool { return function.Named(m.Func).Span }

// TimeOf is the time that a measure in Unix seconds stands for.
func TimeOf(v any) any {
	if s, ok := v.(int64); ok {
		return time.Unix(s, 0).UTC()
	}
	return v
}

// parseMeasure is ParseMeasure that knows the report's own measures too.
func (r *Report) parseMeasure(s string, fields schema.Table) (Measure, error) {
	if i := r.Measure(s); i >= 0 {
		return r.Measures[i], nil
	}
	return ParseMeasure(s, fields)
}

// Measure finds a measure of the report by its name, in either spelling, or returns -1.
func (r *Report) Measure(name string) int {
	name = Canonical(name)
	return slices.IndexFunc(r.Measures, func(m Measure) bool { return m.Name == name })
}

// Parts are the measures that the measure is computed from; none if its function has a state.
func (m Measure) Parts() []Measure {
	of := function.Named(m.Func).Parts
	if of == nil {
		return nil
	}
	var list []Measure
	for _, p := range of(m.Field) {
		list = append(list, Measure{Func: p.Function, Field: p.Field, Where: p.Where})
	}
	return list
}

// Fields calls yield with the name of each field that the measure is computed from.
func (m Measure) Fields(yield func(name string)) {
	if m.Field != "" {
		yield(m.Field)
	}
	if m.With != "" {
		yield(m.With)
	}
	if m.Where != nil {
		m.Where.Fields(yield)
	}
	f := function.Named(m.Func)
	for _, part := range m.Parts() {
		part.Fields(yield)
	}
	if f.Also != "" {
		yield(f.Also)
	}
	if f.Span {
		yield("start")
		yield("end")
	}
}

// Aggregates lists what the measures are computed from, each once: the accumulators of an Aggregator, in their order.
func (r *Report) Aggregates() []Measure {
	var list []Measure
	add := func(m Measure) {
		if !slices.ContainsFunc(list, func(o Measure) bool {
			return o.Func == m.Func && o.Field == m.Field && o.With == m.With && o.All == m.All && expr.Text(o.Where) == expr.Text(m.Where)
		}) {
			list = append(list, m)
		}
	}
	for _, m := range r.Measures {
		fn := function.Named(m.Func)
		if fn.Parts == nil {
			add(m)
		}
		for _, part := range m.Parts() {
			add(part)
		}
		if fn.Span {
			add(Measure{Func: "min", Field: "start"})
			add(Measure{Func: "max", Field: "end"})
		}
	}
	return list
}

// Costs reports whether a measure of the report is money.
func (r Report) Costs() bool {
	return slices.ContainsFunc(r.Measures, func(m Measure) bool { return m.Unit == Money })
}

// CountsRows reports whether the measure is the number of flows.
func (m Measure) CountsRows() bool {
	return function.Named(m.Func).Rows && m.Field == "" && m.Where == nil
}
