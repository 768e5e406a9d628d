package sql

import (
	"fmt"
	"slices"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/calendar"
	"flowlog/report/function"
)

// A query is a report on the way to SQL. Its methods return expressions on the layer at hand, and add to the layers below
// the columns that these need: the order of calls is that of the columns.
type query struct {
	*Dialect
	refusals
	report   *report.Report
	fields   schema.Table
	records  layer   // the fields as flowlog reads them: - is null
	computed layer   // and what is computed from them
	bins     []layer // and the bin of time, where it follows a clock
	rows     bool    // what is written is on rows of the report, not on records
	grouped  layer
	zeros    []string // numbers that are to be null in records that are no flows
	have     map[string]bool
	notes    []string
}

// refusals are what cannot be computed by the engine.
type refusals struct {
	unknown []schema.Field // fields that only flowlog knows
	err     error          // the first other thing
}

// refuse notes what cannot be pushed to the engine.
func (r *refusals) refuse(format string, args ...any) sqlNode {
	if r.err == nil {
		r.err = schema.Wordsf(format, args...)
	}
	return sqlNull
}

// refusal is the error of what cannot be pushed. Keys and conditions on fields that the engine cannot compute
// can be replaced by what they are computed from, which is the nearest report that is exact.
func (q *query) refusal() error {
	refused := q.refusals.unknown
	if len(refused) == 0 || q.err != nil {
		return q.err
	}
	var names, by []string
	for _, f := range refused {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	replaced := false
	for _, k := range q.report.Keys {
		instead := []string{k.Name()}
		if i := slices.IndexFunc(refused, func(f schema.Field) bool { return f.Name == k.Field }); i >= 0 {
			instead, replaced = refused[i].From, true
		}
		for _, name := range instead {
			if !slices.Contains(by, name) {
				by = append(by, name)
			}
		}
	}
	list := strings.Join(names, " and ")
	if replaced && len(by) > 0 {
		return schema.Wordsf("%s: only flowlog knows %s, an engine does not: the nearest report is %s", q.report.Name, list, schema.Opt("by", by...))
	}
	return fmt.Errorf("%s: only flowlog knows %s, an engine does not: use fields that are logged, see `flowlog fields`", q.report.Name, list)
}

// newQuery is the beginning of a report as SQL: where its records come from.
func newQuery(r *report.Report, d *Dialect, fields schema.Table, table string) *query {
	q := &query{Dialect: d, report: r, fields: fields, have: make(map[string]bool)}
	q.records.name, q.computed.name, q.grouped.name = "records", "computed", "grouped"
	q.records.from = d.from(table)
	if r.Mixed() {
		q.zeros = deciding(r)
		q.field(statusField)
	} else {
		q.records.where = orNode{inNode{x: logStatus, values: sqlTexts("OK", "-")}, isSQLNull(logStatus)}
	}
	return q
}

// deciding lists the numbers that decide whether and where a record counts.
func deciding(r *report.Report) []string {
	var names []string
	add := func(name string) {
		if f, _ := schema.Logged().Lookup(name); f.Kind <= schema.Int64 && name != "version" {
			names = append(names, name)
		}
	}
	for _, k := range r.Keys {
		add(k.Field)
	}
	if where := r.Condition(); where != nil {
		where.Fields(add)
	}
	return names
}

// base are the layers that others stand on: the records, and what is computed from them.
func (q *query) base() []layer {
	records := q.records
	if len(records.columns) == 0 {
		records.add(intNode(1), "one") // a SELECT has a column
	}
	layers := []layer{records}
	if len(q.computed.columns) > 0 {
		layers = append(layers, q.computed.afterAll())
	}
	return append(layers, q.bins...)
}

// afterAll is the layer with all columns of the one before in front.
func (l layer) afterAll() layer {
	l.columns = slices.Insert(slices.Clone(l.columns), 0, sqlColumn{x: sqlStar})
	return l
}

// checked is the text of a query, unless it is too long.
func (q *query) checked(layers []layer, order []sqlOrder, limit int) (string, error) {
	d := q.Dialect
	text := d.statement(sqlQuery{notes: q.notes, layers: layers, order: order, limit: limit})
	if d.maxText > 0 && len(text) > d.maxText {
		return "", fmt.Errorf("the query has %d bytes, and %s takes at most %d: put long lists in a table and join it", len(text), d.Name, d.maxText)
	}
	return text, nil
}

// order is what ranks the rows, then the keys.
func (q *query) order() []sqlOrder {
	r := q.report
	by, desc := "", !r.Reverse
	if k := r.Key(r.Order); k >= 0 && r.Measure(r.Order) < 0 {
		by, desc = r.Keys[k].Name(), r.Reverse
	} else {
		by = r.Measures[max(r.Measure(r.Order), 0)].Name
	}
	order := []sqlOrder{{identNode(by), desc, true}}
	for _, k := range r.Keys {
		if k.Name() != by {
			order = append(order, sqlOrder{identNode(k.Name()), false, true})
		}
	}
	return order
}

const logStatus = identNode("log_status")

// flowTest is met by records that are flows.
var flowTest = orNode{sqlInfix(logStatus, "=", textNode("OK")), isSQLNull(logStatus)}

var statusField = schema.Field{Name: string(logStatus), Kind: schema.Text}

// field is a column of the layer at hand, which gets it if it does not have it yet.
func (q *query) field(f schema.Field) sqlNode {
	name := identNode(f.Name)
	if q.rows || q.have[f.Name] {
		return name
	}
	q.have[f.Name] = true
	if own := sqlDerivedOf(f); own != nil {
		var from []sqlNode
		for _, name := range f.From {
			from = append(from, q.field(q.known(name)))
		}
		q.computed.add(own(q.Dialect, from), f.Name)
		return name
	}
	l, ok := schema.Logged().Lookup(f.Name)
	if !ok {
		q.refusals.unknown = append(q.refusals.unknown, f)
		return sqlNull
	}
	var x sqlNode = name
	switch {
	case l.Kind == schema.Addr:
		x = q.read(name)
	case l.Kind == schema.Text:
		x = sqlCall("nullif", name, textNode("-"))
	case l.Name == "traffic_path":
		x = sqlCall("nullif", name, intNode(0)) // where AWS's Parquet has no value, it has 0
	case slices.Contains(q.zeros, l.Name): // likewise
		x = sqlIf(orNode{sqlInfix(name, "<>", intNode(0)), isSQLNull(logStatus), inNode{logStatus, true, sqlTexts("NODATA", "SKIPDATA")}}, name)
	}
	q.records.add(x, f.Name)
	return name
}

// helper is a column that is computed from others of the layer at hand, under a name of its own.
func (q *query) helper(name string, x sqlNode) sqlNode {
	if q.rows {
		if !q.grouped.has(name) {
			q.grouped.add(x, name)
		}
	} else if !q.have[name] {
		q.have[name] = true
		q.computed.add(x, name)
	}
	return identNode(name)
}

// keys are the SQL of the report's keys.
func (q *query) keys() []sqlNode {
	var keys []sqlNode
	for _, k := range q.report.Keys {
		keys = append(keys, q.key(k))
	}
	return keys
}

// key is the SQL of a key.
func (q *query) key(k report.Key) sqlNode {
	f := q.known(k.Field)
	x := q.field(f)
	switch {
	case k.Every == calendar.Auto:
		return q.refuse("%s: the width of its bins of time is chosen when all records have been seen: choose it, as in %s", q.report.Name, schema.Opt("every", "1h"))
	case k.Every != 0:
		return q.bin(k, x)
	case k.Hour:
		return q.hour(k, x)
	case k.Bits != 0:
		return q.network(q, f, min(k.Bits, 32), k.Bits6)
	}
	return x
}

// known is a field that the report names.
func (q *query) known(name string) schema.Field {
	f, ok := q.fields.Lookup(name)
	if !ok {
		f = schema.Field{Name: name}
	}
	return f
}

// counted is what records of a measure must meet, nil if they all do.
func (q *query) counted(m report.Measure) sqlNode {
	var flow, where sqlNode
	if q.report.Mixed() && !m.All {
		flow = flowTest
	}
	if m.Where != nil {
		where = q.condition(m.Where)
	}
	return sqlAnd(flow, where)
}

// measure is the SQL of a measure over a group.
func (q *query) measure(m report.Measure) sqlNode {
	fn, own := function.Named(m.Func), Functions[m.Func]
	if own.Of == nil {
		q.notes = append(q.notes, m.Name+" is null: "+own.Unknown)
		return sqlCast(sqlNull, "bigint")
	}
	if fn.Parts == nil {
		var x sqlNode = sqlStar
		if m.Field != "" {
			x = q.field(q.known(m.Field))
			if m.With != "" {
				with := q.field(q.known(m.With))
				x = sqlIf(sqlAnd(notSQLNull(x), notSQLNull(with)), sqlCall("row", x, with))
			}
		}
		if fn.Buckets && q.estimate {
			q.notes = append(q.notes, m.Name+" is an estimate: "+q.Name+" has no exact quantiles")
		}
		return q.filtered(own.Of(q.Dialect, []sqlNode{x}), m)
	}
	var args []sqlNode
	for _, part := range m.Parts() {
		args = append(args, q.measure(part))
	}
	if fn.Span {
		args = append(args, q.seconds())
	}
	return own.Of(q.Dialect, args)
}

// filtered is an aggregate of the records that a measure counts.
func (q *query) filtered(aggregate sqlNode, m report.Measure) sqlNode {
	if where := q.counted(m); where != nil {
		return filterNode{aggregate, where}
	}
	return aggregate
}

// gap is the time that no record covers before a record, of those with the same keys.
func (q *query) gap(m report.Measure, keys []sqlNode) sqlNode {
	from, to := q.field(q.known(m.Field)), q.field(q.known(function.Named(m.Func).Also))
	known := sqlAnd(notSQLNull(from), notSQLNull(to), q.counted(m))
	covered := windowNode{
		function: sqlCall("max", sqlIf(known, sqlCall("greatest", from, to))), partition: keys,
		order: []sqlOrder{{from, false, true}}, frame: "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING",
	}
	return sqlIf(known, sqlCall("greatest", sqlInfix(from, "-", sqlCall("coalesce", covered, from)), intNode(0)))
}
