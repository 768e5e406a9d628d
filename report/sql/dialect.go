package sql

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// A Dialect is the SQL of an engine: a row of THE table of dialects. Its functions make expressions for what engines write
// in different ways.
type Dialect struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`

	reserved []string // words that are no names unless they are quoted
	files    bool     // a file can stand in for a table
	s3only   bool     // files are in S3 alone
	maxText  int      // the longest query that the engine takes, in bytes; 0 is any

	nameParts int                  // how many the name of a table has at most
	ddl       func(*stored) string // makes a table known

	sqlAddrs
	sqlForms
	sqlPushdown
}

// sqlAddrs is how an engine reads, writes and tests addresses, which tables have as text.
type sqlAddrs struct {
	read    func(column sqlNode) sqlNode // an address of the text; null for -
	text    func(addr sqlNode) sqlNode   // its text, in the one form that flowlog has for it
	literal func(netip.Addr) sqlNode
	tests   func(q *query, f schema.Field, a *expr.Addrs) sqlNode // for one of several ranges
	network func(q *query, f schema.Field, bits, bits6 int) sqlNode
}

// sqlForms are expressions that each dialect has under a name of its own.
type sqlForms struct {
	instant  func(seconds sqlNode) sqlNode                // the point in time of Unix seconds
	clock    func(seconds sqlNode, zone string) sqlNode   // what the clock of a zone shows at Unix seconds, in seconds since 1970
	divide   string                                       // the operator that divides whole numbers, towards zero
	bits     func(x sqlNode, bits int64) sqlNode          // the bits that two numbers have in common
	matches  func(q *query, x sqlNode, re string) sqlNode // whether a regular expression of Go's finds something
	quantile string                                       // the aggregate of a number and a part from 0 to 1
	estimate bool                                         // the quantile is one
}

// sqlPushdown are expressions of engines that flowlog runs reports on; they are nil in other dialects.
type sqlPushdown struct {
	bucket    func(x sqlNode) sqlNode // the bucket of a whole number, see function.BucketOf
	Histogram func(x sqlNode) sqlNode // how many records are in each bucket, a histogram, as an object of JSON
	Any       string                  // the aggregate that is any value of a group
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
		nameParts: 3, ddl: duckView,
		sqlAddrs: sqlAddrs{
			read:    func(x sqlNode) sqlNode { return sqlCall("nullif", x, textNode("-")) },
			text:    func(x sqlNode) sqlNode { return x },
			literal: func(a netip.Addr) sqlNode { return textNode(a.String()) },
			tests:   duckAddrs, network: duckNetwork,
		},
		sqlForms: sqlForms{
			instant: func(x sqlNode) sqlNode { return sqlCall("make_timestamp", sqlInfix(x, "*", intNode(1_000_000))) },
			clock: func(x sqlNode, zone string) sqlNode {
				return sinceEpoch(sqlInfix(sqlCall("to_timestamp", x), "AT TIME ZONE", textNode(zone)))
			},
			divide:   "//",
			bits:     func(x sqlNode, bits int64) sqlNode { return sqlInfix(x, "&", intNode(bits)) },
			matches:  func(_ *query, x sqlNode, re string) sqlNode { return sqlCall("regexp_matches", x, textNode(re)) },
			quantile: "quantile_disc",
		},
	},
	trino(Dialect{Name: "trino", Doc: "Trino", nameParts: 3, ddl: trinoTable}, ""),
	trino(Dialect{Name: "athena", Doc: "Amazon Athena, engine version 3", maxText: 262144, s3only: true, nameParts: 2, ddl: athenaTable}, "first last"),
}

// trino completes a dialect of Trino's.
func trino(d Dialect, reserved string) Dialect {
	d.reserved = words(reserved + ` alter and as between by case cast constraint create cross cube current_catalog current_date
		current_path current_role current_schema current_time current_timestamp current_user deallocate delete describe
		distinct drop else end escape except execute exists extract false for from full group grouping having in inner
		insert intersect into is join json_array json_exists json_object json_query json_table json_value left like
		listagg localtime localtimestamp natural normalize not null on or order outer prepare recursive right rollup
		select skip table then trim true uescape union unnest using values when where with`)
	d.sqlAddrs = sqlAddrs{
		read:    func(x sqlNode) sqlNode { return castNode{x: x, typ: "ipaddress", try: true} },
		text:    func(x sqlNode) sqlNode { return sqlCast(x, "varchar") },
		literal: func(a netip.Addr) sqlNode { return typedNode{"IPADDRESS", a.String()} },
		tests:   trinoAddrs, network: trinoNetwork,
	}
	d.sqlForms = sqlForms{
		instant: func(x sqlNode) sqlNode { return sqlCall("from_unixtime", x, textNode("UTC")) },
		clock: func(x sqlNode, zone string) sqlNode {
			return sinceEpoch(sqlCast(sqlInfix(sqlCall("from_unixtime", x), "AT TIME ZONE", textNode(zone)), "timestamp"))
		},
		divide: "/",
		bits:   func(x sqlNode, bits int64) sqlNode { return sqlCall("bitwise_and", x, intNode(bits)) },
		matches: func(q *query, x sqlNode, re string) sqlNode {
			return sqlCall("regexp_like", x, q.portable(re))
		},
		quantile: "approx_percentile", estimate: true,
	}
	d.sqlPushdown = sqlPushdown{
		bucket:    trinoBucket,
		Histogram: func(x sqlNode) sqlNode { return sqlCall("json_format", sqlCast(x, "json")) },
		Any:       "arbitrary",
	}
	return d
}

// sinceEpoch is the seconds from 1970 to a time without a zone.
func sinceEpoch(timestamp sqlNode) sqlNode {
	return sqlCall("date_diff", textNode("second"), typedNode{"TIMESTAMP", "1970-01-01 00:00:00"}, timestamp)
}

// trinoBucket is bucketOf: the first eight bits of a number, and how many bits follow these.
func trinoBucket(x sqlNode) sqlNode {
	shift := sqlCall("greatest", sqlInfix(sqlCall("length", sqlCall("to_base", x, intNode(2))), "-", intNode(8)), intNode(0))
	return sqlInfix(sqlInfix(shift, "*", intNode(128)), "+",
		sqlCall("bitwise_right_shift", sqlCast(x, "bigint"), sqlCast(shift, "integer")))
}

func words(s string) []string { return strings.Fields(s) }

// Dialects lists the dialects.
func Dialects() []Dialect { return slices.Clone(dialects) }

// isIPv6 tells IPv6 from IPv4; of null it is null.
func (d *Dialect) isIPv6(addr sqlNode) sqlNode {
	return sqlInfix(sqlCall("strpos", d.text(addr), textNode(":")), ">", intNode(0))
}

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
		return expr.Quote(table)
	}
	return dotted(d.name, table)
}

// selectAll is a query in one line of all columns of a table; a nil condition is none.
func (d *Dialect) selectAll(table string, where sqlNode) string {
	p := sqlPrinter{Dialect: d}
	p.words("SELECT * FROM ", d.from(table))
	if where != nil {
		p.words(" WHERE ", where)
	}
	return p.String()
}
