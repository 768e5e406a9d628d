package report

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// A Dialect is the SQL of an engine: a row of THE table of dialects. Names that begin with x stand for SQL of a
// value.
type Dialect struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`

	reserved []string // words that are no names unless they are quoted
	files    bool     // a file can stand in for a table
	s3only   bool     // files are in S3 alone
	maxText  int      // the longest query that the engine takes, in bytes; 0 is any

	nameParts int                  // how many the name of a table has at most
	ddl       func(*stored) string // makes a table known

	// Of an address, as the table has it in text: reading it (null for -), and its text, in the one form that
	// flowlog has for it.
	readAddr, addrText string
	addrLiteral        func(netip.Addr) string
	inAddrs            func(q *query, f schema.Field, a *addrs) string
	network            func(q *query, f schema.Field, bits, bits6 int) string

	instant  string // the point in time of Unix seconds
	clock    string // what the clock of a zone shows at Unix seconds, in seconds since 1970
	divide   string // whole numbers, towards zero
	bits     string // the bits that two numbers have in common
	matches  func(q *query, x, re string) string
	quantile string // of a number
	estimate bool   // the quantile is one

	// What engines have that flowlog runs reports on: the bucket of a whole number, see bucketOf; how many records are in
	// each bucket, as an object of JSON; any value of a group.
	bucket, histogram, any string
}

// dialects is THE table of dialects. Athena's engine is Trino: it has its own limit and reserved words, which
// are those of its user guide, "Reserved keywords to escape in SQL SELECT statements".
var dialects = []Dialect{
	{
		Name: "duckdb", Doc: "DuckDB; addresses in their shortest form, as flowlog parse writes them", files: true,
		reserved: words(`all analyse analyze and anti any array as asc asof asymmetric at authorization between binary both by
			case cast check coalesce collate collation column columns concurrently constraint create cross default
			deferrable desc describe distinct do else end except exists extract false fetch for foreign freeze from full
			generated glob group grouping having ilike in initially inner intersect interval into is isnull join lambda
			lateral leading left like limit map natural not notnull null nullif offset on only or order outer overlaps
			pivot placing position positional primary qualify references returning right row select semi show similar
			some struct substring summarize symmetric table tablesample then to trailing trim true try_cast union unique
			unpack unpivot using values variadic verbose when where window with`),
		readAddr: "nullif(%s, '-')", addrText: "%s",
		addrLiteral: func(a netip.Addr) string { return quote(a.String()) },
		inAddrs:     duckAddrs, network: duckNetwork,
		instant: "make_timestamp(%s * 1000000)",
		clock:   "date_diff('second', TIMESTAMP '1970-01-01 00:00:00', to_timestamp(%s) AT TIME ZONE %s)", divide: "%s // %s", bits: "%s & %d",
		matches:   func(_ *query, x, re string) string { return "regexp_matches(" + x + ", " + quote(re) + ")" },
		quantile:  "quantile_disc(%s, %s)",
		nameParts: 3, ddl: duckView,
	},
	trino(Dialect{Name: "trino", Doc: "Trino", nameParts: 3, ddl: trinoTable}, ""),
	trino(Dialect{Name: "athena", Doc: "Amazon Athena, engine version 3", maxText: 262144, s3only: true, nameParts: 2, ddl: athenaTable}, "first last"),
}

// trino is a dialect of Trino's.
func trino(d Dialect, reserved string) Dialect {
	return Dialect{
		Name: d.Name, Doc: d.Doc, maxText: d.maxText, s3only: d.s3only, nameParts: d.nameParts, ddl: d.ddl,
		reserved: words(reserved + ` alter and as between by case cast constraint create cross cube current_catalog current_date
			current_path current_role current_schema current_time current_timestamp current_user deallocate delete describe
			distinct drop else end escape except execute exists extract false for from full group grouping having in inner
			insert intersect into is join json_array json_exists json_object json_query json_table json_value left like
			listagg localtime localtimestamp natural normalize not null on or order outer prepare recursive right rollup
			select skip table then trim true uescape union unnest using values when where with`),
		readAddr: "try_cast(%s AS ipaddress)", addrText: "cast(%s AS varchar)",
		addrLiteral: func(a netip.Addr) string { return "IPADDRESS " + quote(a.String()) },
		inAddrs:     trinoAddrs, network: trinoNetwork,
		instant: "from_unixtime(%s, 'UTC')",
		clock:   "date_diff('second', TIMESTAMP '1970-01-01 00:00:00', cast(from_unixtime(%s) AT TIME ZONE %s AS timestamp))", divide: "%s / %s", bits: "bitwise_and(%s, %d)",
		matches: func(q *query, x, re string) string {
			return "regexp_like(" + x + ", " + quote(q.portable(re)) + ")"
		},
		quantile: "approx_percentile(%s, %s)", estimate: true,
		bucket:    "greatest(length(to_base(%[1]s, 2)) - 8, 0) * 128 + bitwise_right_shift(cast(%[1]s AS bigint), cast(greatest(length(to_base(%[1]s, 2)) - 8, 0) AS integer))",
		histogram: "json_format(cast(%s AS json))",
		any:       "arbitrary(%s)",
	}
}

func words(s string) []string { return strings.Fields(s) }

// Dialects lists the dialects.
func Dialects() []Dialect { return slices.Clone(dialects) }

// derived are the fields that flowlog computes from logged ones in a way that SQL can too, of their From fields.
// The others are computed by flowlog alone.
var derived = map[string]func(d *Dialect, from []string) string{
	"ip_version": func(d *Dialect, from []string) string {
		x := from[1]
		if len(from) > 2 {
			x = "coalesce(" + strings.Join(from[1:], ", ") + ")"
		}
		return "coalesce(" + from[0] + ", CASE WHEN " + d.isIPv6(x) + " THEN 'IPv6' WHEN " + x + " IS NOT NULL THEN 'IPv4' END)"
	},
	"packets_lost": func(_ *Dialect, from []string) string {
		var sum []string
		for _, x := range from {
			sum = append(sum, "coalesce("+x+", 0)")
		}
		return "CASE WHEN coalesce(" + strings.Join(from, ", ") + ") IS NOT NULL THEN " + strings.Join(sum, " + ") + " END"
	},
}

// text is an address's text.
func (d *Dialect) text(x string) string { return fmt.Sprintf(d.addrText, x) }

// isIPv6 tells IPv6 from IPv4; of null it is null.
func (d *Dialect) isIPv6(x string) string { return "strpos(" + d.text(x) + ", ':') > 0" }

// plainName is a name that needs no quotes.
var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// name writes the name of a column.
func (d *Dialect) name(s string) string {
	if plainName.MatchString(s) && !slices.Contains(d.reserved, s) {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// fileName is what is no name of a table.
var fileName = regexp.MustCompile(`[/*\\]|\.(parquet|csv|json|gz|zst)$`)

// from writes what a query reads: a name with dots, a file's name, or what is SQL already.
func (d *Dialect) from(table string) string {
	switch {
	case !PlainTable(table):
		return table
	case d.files && fileName.MatchString(table):
		return quote(table)
	}
	var parts []string
	for part := range strings.SplitSeq(table, ".") {
		parts = append(parts, d.name(part))
	}
	return strings.Join(parts, ".")
}

// A layer is one SELECT of a query, each of which reads the one before.
type layer struct {
	name    string
	columns []string
	from    string
	where   string
	group   int // by so many of the columns
	limit   int // to so many rows; 0 is all
}

// query is a report that becomes SQL.
type query struct {
	*Dialect
	report   *Report
	fields   schema.Table
	records  layer   // the fields as flowlog reads them: - is null
	computed layer   // and what is computed from them
	bins     []layer // and the bin of time, where it follows a clock
	rows     bool    // what is written is on rows of the report, not on records
	grouped  layer
	zeros    []string // numbers that are to be null in records that are no flows
	have     map[string]bool
	refused  []schema.Field // that the engine cannot compute
	notes    []string
	err      error
}

// SQL is the report as a query of an engine that has the records in a table: a name, with a catalog and a schema
// or not, or in DuckDB a file. The table has the columns that AWS gives it; - and null are the same. The rows
// are those of flowlog, in its order. What cannot be computed so, and exactly so, is an error that names it. fields
// are all that reports may name.
func (r *Report) SQL(d Dialect, fields schema.Table, table string) (string, error) {
	if r.Spike != nil {
		return "", fmt.Errorf("%s compares bins of time with their median, which is not written as SQL", r.Name)
	}
	if err := CheckTable(table); err != nil {
		return "", err
	}
	q := r.query(&d, fields, table)
	mixed := r.mixed()
	var keys []string
	for _, k := range r.Keys {
		keys = append(keys, q.key(k))
	}
	timed := layer{name: "timed", columns: []string{"*"}}
	var measures []string
	for _, m := range r.Measures {
		if functionNamed(m.Func).also != "" {
			gap := d.name(m.Name + "_each")
			timed.columns = append(timed.columns, q.gap(m, keys, mixed)+" AS "+gap)
			m.Field, m.Where, m.All, m.Func = "", nil, true, "max"
			measures = append(measures, "max("+gap+")")
			continue
		}
		measures = append(measures, q.measure(m, mixed))
	}
	where := ""
	if e := r.condition(); e != nil {
		where = e.sql(q)
	}
	having := ""
	if r.Having != nil {
		q.rows = true
		having = r.Having.sql(q)
	}
	if err := q.refusal(); err != nil {
		return "", err
	}

	layers := q.base()
	if len(timed.columns) > 1 {
		timed.where = where
		layers = append(layers, timed)
		where = ""
	}
	last := layer{where: where, group: len(keys)}
	var shown []string
	for i, x := range keys {
		k := r.Keys[i]
		raw, display := x, ""
		switch f := q.known(k.Field); {
		case k.Every != 0:
			display = d.instant
		case f.Kind == schema.Addr && k.Bits == 0:
			display = d.addrText
		}
		shown = append(shown, last.column(q, raw, display, k.Name(), having != ""))
	}
	for i, x := range measures {
		display := ""
		if r.Measures[i].Unit == Instant {
			display = d.instant
		}
		shown = append(shown, last.column(q, x, display, r.Measures[i].Name, having != ""))
	}
	if having != "" {
		last.columns = append(last.columns, q.grouped.columns...)
		last.name = q.grouped.name
		layers = append(layers, last)
		last = layer{columns: shown, where: having}
	}
	layers = append(layers, last)
	text := q.text(layers)
	if len(r.Keys) > 0 {
		text += "ORDER BY " + strings.Join(q.order(), ", ") + "\n"
		if r.Limit > 0 {
			text += fmt.Sprintf("LIMIT %d\n", r.Limit)
		}
	}
	return q.checked(text)
}

// checked is the text of a query, unless it is too long.
func (q *query) checked(text string) (string, error) {
	d := q.Dialect
	if d.maxText > 0 && len(text) > d.maxText {
		return "", fmt.Errorf("the query has %d bytes, and %s takes at most %d: put long lists in a table and join it", len(text), d.Name, d.maxText)
	}
	return text, nil
}

// mixed reports whether the report takes in records that are no flows.
func (r *Report) mixed() bool {
	return slices.ContainsFunc(r.Measures, func(m Measure) bool { return m.All })
}

// query is the beginning of the report as SQL: where its records come from.
func (r *Report) query(d *Dialect, fields schema.Table, table string) *query {
	q := &query{Dialect: d, report: r, fields: fields, have: make(map[string]bool)}
	q.records.name, q.computed.name, q.grouped.name = "records", "computed", "grouped"
	q.records.from = d.from(table)
	if r.mixed() {
		q.zeros = r.asked()
		q.field(statusField)
	} else {
		q.records.where = "log_status IN ('OK', '-') OR log_status IS NULL"
	}
	return q
}

// base are the layers that others stand on: the records, and what is computed from them.
func (q *query) base() []layer {
	layers := []layer{q.records}
	if len(q.records.columns) == 0 {
		layers[0].columns = []string{"1 AS one"} // a SELECT has a column
	}
	if len(q.computed.columns) > 0 {
		q.computed.columns = slices.Insert(q.computed.columns, 0, "*")
		layers = append(layers, q.computed)
	}
	return append(layers, q.bins...)
}

// asked lists the numbers that decide whether and where a record counts.
func (r *Report) asked() []string {
	var names []string
	add := func(name string) {
		if f, _ := schema.Logged().Lookup(name); f.Kind <= schema.Int64 && name != "version" {
			names = append(names, name)
		}
	}
	for _, k := range r.Keys {
		add(k.Field)
	}
	if where := r.condition(); where != nil {
		where.Fields(add)
	}
	return names
}

// column adds a column to the layer that groups: as it is shown, or raw if a layer that shows it follows, whose
// column is returned.
func (l *layer) column(q *query, x, display, name string, follows bool) string {
	name = q.name(name)
	if display == "" || display == "%s" {
		l.columns = append(l.columns, aliased(x, name))
		return name
	}
	if follows {
		l.columns = append(l.columns, aliased(x, name))
		return aliased(fmt.Sprintf(display, name), name)
	}
	l.columns = append(l.columns, aliased(fmt.Sprintf(display, x), name))
	return ""
}

func aliased(x, name string) string {
	if x == name {
		return x
	}
	return x + " AS " + name
}

// text writes the layers.
func (q *query) text(layers []layer) string {
	var b strings.Builder
	for _, note := range q.notes {
		fmt.Fprintf(&b, "-- %s\n", note)
	}
	for i, l := range layers {
		indent := "  "
		switch {
		case i == len(layers)-1:
			indent = ""
			b.WriteString("\n")
		case i == 0:
			fmt.Fprintf(&b, "WITH %s AS (\n", l.name)
		default:
			fmt.Fprintf(&b, ", %s AS (\n", l.name)
		}
		if i > 0 {
			l.from = layers[i-1].name
		}
		fmt.Fprintf(&b, "%sSELECT\n", indent)
		for j, c := range l.columns {
			if j > 0 {
				b.WriteString(",\n")
			}
			fmt.Fprintf(&b, "%s  %s", indent, c)
		}
		fmt.Fprintf(&b, "\n%sFROM %s\n", indent, l.from)
		if l.where != "" {
			fmt.Fprintf(&b, "%sWHERE %s\n", indent, l.where)
		}
		if l.group > 0 {
			var places []string
			for n := range l.group {
				places = append(places, strconv.Itoa(n+1))
			}
			fmt.Fprintf(&b, "%sGROUP BY %s\n", indent, strings.Join(places, ", "))
		}
		if l.limit > 0 {
			fmt.Fprintf(&b, "%sLIMIT %d\n", indent, l.limit)
		}
		if indent != "" {
			b.WriteString(")")
		}
	}
	return b.String()
}

// order is what ranks the rows, then the keys. Nulls come last in either direction.
func (q *query) order() []string {
	r := q.report
	by, desc := "", !r.Reverse
	if k := r.key(r.Order); k >= 0 && r.measure(r.Order) < 0 {
		by, desc = r.Keys[k].Name(), r.Reverse
	} else {
		by = r.Measures[max(r.measure(r.Order), 0)].Name
	}
	direction := ""
	if desc {
		direction = " DESC"
	}
	order := []string{q.name(by) + direction + " NULLS LAST"}
	for _, k := range r.Keys {
		if k.Name() != by {
			order = append(order, q.name(k.Name())+" NULLS LAST")
		}
	}
	return order
}

// refuse notes the first thing that cannot be pushed to the engine.
func (q *query) refuse(format string, args ...any) string {
	if q.err == nil {
		q.err = schema.Wordsf(format, args...)
	}
	return "NULL"
}

// refusal is the error of what cannot be pushed. Keys and conditions on fields that the engine cannot compute
// can be replaced by what they are computed from, which is the nearest report that is exact.
func (q *query) refusal() error {
	if len(q.refused) == 0 || q.err != nil {
		return q.err
	}
	var names, by []string
	for _, f := range q.refused {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	replaced := false
	for _, k := range q.report.Keys {
		instead := []string{k.Name()}
		if i := slices.IndexFunc(q.refused, func(f schema.Field) bool { return f.Name == k.Field }); i >= 0 {
			instead, replaced = q.refused[i].From, true
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

const flowSQL = "(log_status = 'OK' OR log_status IS NULL)"

var statusField = schema.Field{Name: "log_status", Kind: schema.Text}

// field is a column of the layer at hand, which gets it if it does not have it yet.
func (q *query) field(f schema.Field) string {
	name := q.name(f.Name)
	if q.rows || q.have[f.Name] {
		return name
	}
	q.have[f.Name] = true
	if own := derived[f.Name]; own != nil {
		var from []string
		for _, name := range f.From {
			from = append(from, q.field(q.known(name)))
		}
		q.computed.columns = append(q.computed.columns, own(q.Dialect, from)+" AS "+name)
		return name
	}
	l, ok := schema.Logged().Lookup(f.Name)
	if !ok {
		q.refused = append(q.refused, f)
		return "NULL"
	}
	x := name
	switch {
	case l.Kind == schema.Addr:
		x = fmt.Sprintf(q.readAddr, name)
	case l.Kind == schema.Text:
		x = "nullif(" + name + ", '-')"
	case l.Name == "traffic_path":
		x = "nullif(" + name + ", 0)" // where AWS's Parquet has no value, it has 0
	case slices.Contains(q.zeros, l.Name):
		x = "CASE WHEN " + name + " <> 0 OR log_status IS NULL OR log_status NOT IN ('NODATA', 'SKIPDATA') THEN " + name + " END" // likewise
	}
	q.records.columns = append(q.records.columns, aliased(x, name))
	return name
}

// helper is a column that is computed from others of the layer at hand, under a name of its own.
func (q *query) helper(name, x string) string {
	if q.rows {
		if quoted := aliased(x, q.name(name)); !slices.Contains(q.grouped.columns, quoted) {
			q.grouped.columns = append(q.grouped.columns, quoted)
		}
	} else if !q.have[name] {
		q.have[name] = true
		q.computed.columns = append(q.computed.columns, aliased(x, q.name(name)))
	}
	return q.name(name)
}

// key is the SQL of a key.
func (q *query) key(k Key) string {
	f := q.known(k.Field)
	x := q.field(f)
	switch {
	case k.Every == auto:
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

// condition is what records of a measure must meet, "" if they all do.
func (q *query) condition(m Measure, mixed bool) string {
	var parts []string
	if mixed && !m.All {
		parts = append(parts, flowSQL)
	}
	if m.Where != nil {
		parts = append(parts, inner(q, m.Where))
	}
	if len(parts) == 1 {
		return strings.TrimSuffix(strings.TrimPrefix(parts[0], "("), ")") // parts[0] is flowSQL, or no group
	}
	return strings.Join(parts, " AND ")
}

// measure is the SQL of a measure over a group.
func (q *query) measure(m Measure, mixed bool) string {
	fn := functionNamed(m.Func)
	if fn.sql == nil {
		q.notes = append(q.notes, m.Name+" is null: what an engine cannot read, it does not count")
		return "cast(NULL AS bigint)"
	}
	var args []string
	if fn.parts == nil {
		x := "*"
		if m.Field != "" {
			x = q.field(q.known(m.Field))
			if m.With != "" {
				with := q.field(q.known(m.With))
				x = "CASE WHEN " + x + " IS NOT NULL AND " + with + " IS NOT NULL THEN row(" + x + ", " + with + ") END"
			}
		}
		if fn.buckets && q.estimate {
			q.notes = append(q.notes, m.Name+" is an estimate: "+q.Name+" has no exact quantiles")
		}
		return q.filtered(fn.sql(q.Dialect, []string{x}), m, mixed)
	}
	for _, part := range fn.parts(m) {
		args = append(args, q.measure(part, mixed))
	}
	if fn.span {
		args = append(args, q.seconds(mixed))
	}
	return fn.sql(q.Dialect, args)
}

// filtered is an aggregate of the records that a measure counts.
func (q *query) filtered(aggregate string, m Measure, mixed bool) string {
	if condition := q.condition(m, mixed); condition != "" {
		aggregate += " FILTER (WHERE " + condition + ")"
	}
	return aggregate
}

// gap is the time that no record covers before a record, of those with the same keys.
func (q *query) gap(m Measure, keys []string, mixed bool) string {
	from, to := q.field(q.known(m.Field)), q.field(q.known(functionNamed(m.Func).also))
	known := from + " IS NOT NULL AND " + to + " IS NOT NULL"
	if condition := q.condition(m, mixed); condition != "" {
		known += " AND " + condition
	}
	partition := ""
	if len(keys) > 0 {
		partition = "PARTITION BY " + strings.Join(keys, ", ") + " "
	}
	return "CASE WHEN " + known + " THEN greatest(" + from + " - coalesce(max(CASE WHEN " + known + " THEN greatest(" + from + ", " + to + ") END) OVER (" +
		partition + "ORDER BY " + from + " NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), " + from + "), 0) END"
}
