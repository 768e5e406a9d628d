package report

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"flowlog/report/expr"
	"flowlog/report/function"
	"flowlog/report/reporttest"
)

// The printer writes parentheses where an operand would be read otherwise, and nowhere else.
func TestPrintedSQL(t *testing.T) {
	a, b, c := identNode("a"), identNode("b"), identNode("c")
	equal := sqlInfix(a, "=", b)
	for _, x := range []struct {
		tree sqlNode
		want string
	}{
		{orNode{andNode{a, b}, c}, "a AND b OR c"},
		{andNode{orNode{a, b}, orNode{b, c}}, "(a OR b) AND (b OR c)"},
		{sqlAnd(nil, andNode{a, b}, c), "a AND b AND c"},
		{notNode{a}, "NOT a"},
		{notNode{orNode{a, b}}, "NOT (a OR b)"},
		{andNode{notNode{equal}, a}, "NOT (a = b) AND a"},
		{sqlInfix(equal, "=", c), "(a = b) = c"},
		{sqlInfix(a, "=", notNode{b}), "a = (NOT b)"},
		{isSQLNull(orNode{a, b}), "(a OR b) IS NULL"},
		{notSQLNull(a), "a IS NOT NULL"},
		{betweenNode{a, sqlInfix(b, "+", c), orNode{b, c}}, "a BETWEEN b + c AND (b OR c)"},
		{inNode{a, true, sqlTexts("x", "it's")}, "a NOT IN ('x', 'it''s')"},
		{sqlInfix(sqlInfix(a, "-", b), "-", c), "a - b - c"},
		{sqlInfix(a, "-", sqlInfix(b, "-", c)), "a - (b - c)"},
		{sqlInfix(a, "-", sqlInfix(b, "%", c)), "a - b % c"},
		{sqlInfix(sqlInfix(a, "-", b), "%", c), "(a - b) % c"},
		{sqlInfix(sqlInfix(a, "%", b), "//", c), "a % b // c"},
		{sqlInfix(a, "*", intNode(-1)), "a * -1"},
		{sqlInfix(a, "-", intNode(-9223372036854775808)), "a - (-9223372036854775807 - 1)"},
		{sqlConcat(a, sqlInfix(b, "&", intNode(7)), c), "a || (b & 7) || c"},
		{sqlInfix(sqlInfix(a, "&", intNode(2)), "=", intNode(2)), "(a & 2) = 2"},
		{sqlCall("f", sqlInfix(a, "&", intNode(2)), orNode{a, b}), "f(a & 2, a OR b)"},
		{castNode{x: sqlInfix(a, "+", b), typ: "BIGINT", short: true}, "(a + b)::BIGINT"},
		{castNode{x: a, typ: "ipaddress", try: true}, "try_cast(a AS ipaddress)"},
		{caseNode{[]sqlWhen{{orNode{a, b}, c}, {b, sqlNull}}, a}, "CASE WHEN a OR b THEN c WHEN b THEN NULL ELSE a END"},
		{filterNode{sqlCall("count", sqlStar), orNode{a, b}}, "count(*) FILTER (WHERE a OR b)"},
		{windowNode{function: sqlCall("max", a)}, "max(a) OVER ()"},
		{windowNode{sqlCall("max", a), []sqlNode{b, c}, []sqlOrder{{a, true, true}, {x: b}}, "ROWS 1 PRECEDING"},
			"max(a) OVER (PARTITION BY b, c ORDER BY a DESC NULLS LAST, b ROWS 1 PRECEDING)"},
		{sqlInfix(sqlCall("f", a), "AT TIME ZONE", textNode("UTC")), "f(a) AT TIME ZONE 'UTC'"},
		{typedNode{"DATE", "2026-05-14"}, "DATE '2026-05-14'"},
		{floatNode(1.5), "1.5e+00"}, {decimalNode("0.5"), "0.5"}, {parensNode{a}, "(a)"},
		{identNode("end"), `"end"`}, {identNode(`a"B`), `"a""B"`},
	} {
		d := dialect(t, "duckdb")
		if got := d.print(x.tree); got != x.want {
			t.Errorf("%#v:\n got %s\nwant %s", x.tree, got, x.want)
		}
	}
}

// Every kind of node is printed.
func TestEveryNodeIsPrinted(t *testing.T) {
	a := identNode("a")
	samples := []sqlNode{a, textNode("x"), intNode(1), floatNode(1), decimalNode("1.0"), typedNode{"DATE", "x"}, sqlNull, sqlCall("f", a), sqlCast(a, "t"),
		sqlIf(a, a), filterNode{a, a}, windowNode{function: a}, sqlInfix(a, "+", a), andNode{a}, orNode{a}, notNode{a}, isSQLNull(a), betweenNode{a, a, a},
		inNode{x: a, values: []sqlNode{a}}, parensNode{a}}
	var names []string
	d := dialect(t, "trino")
	for _, n := range samples {
		names = append(names, reflect.TypeOf(n).Name())
		if d.print(n) == "" {
			t.Errorf("%T is printed as nothing", n)
		}
	}
	types := receivers(t, ".", "sqlNode")
	if len(types) < 15 {
		t.Errorf("only %v have a method sqlNode: the test does not find them any more", types)
	}
	for _, name := range types {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not among the samples of this test", name)
		}
	}
}

// measureConditions are conditions of every kind, each with what DuckDB and Trino are to count by. They are on fields that
// randomRows has.
var measureConditions = []struct{ text, duck, trino string }{
	{"tcp_flags has syn", "(tcp_flags & 2) = 2", "(bitwise_and(tcp_flags, 2)) = 2"},
	{"not tcp_flags has syn", "NOT ((tcp_flags & 2) = 2)", "NOT ((bitwise_and(tcp_flags, 2)) = 2)"},
	{"(dstport = 22 or dstport = 23) and (protocol = 6 or protocol = 17)", "(dstport = 22 OR dstport = 23) AND (protocol = 6 OR protocol = 17)", ""},
	{"dstport = 22 or dstport = 23", "dstport = 22 OR dstport = 23", ""},
	{"dstport = 22 and protocol = 6 or action = REJECT", "dstport = 22 AND protocol = 6 OR action = 'REJECT'", ""},
	{"not (dstport = 22 or protocol = 6)", "NOT (dstport = 22 OR protocol = 6)", ""},
	{"not (dstport > 22 and action = REJECT)", "NOT (dstport > 22 AND action = 'REJECT')", ""},
	{"dstport != 22", "dstport <> 22", ""},
	{"srcport >= dstport", "srcport >= dstport", ""},
	{"srcport != dstport", "srcport <> dstport", ""},
	{"dstport in (22, 80..443, 1024..)", "(dstport = 22 OR dstport BETWEEN 80 AND 443 OR dstport >= 1024)", ""},
	{"dstport not in (22, 80..443)", "NOT ((dstport = 22 OR dstport BETWEEN 80 AND 443))", ""},
	{"srcaddr in (10.0.0.0/8, 192.0.2.1) and bytes > 0", "(srcaddr = '192.0.2.1' OR srcaddr LIKE '10.%') AND bytes > 0",
		"(srcaddr = IPADDRESS '192.0.2.1' OR contains('10.0.0.0/8', srcaddr)) AND bytes > 0"},
	{"srcaddr in (::/0)", "strpos(srcaddr, ':') > 0", "strpos(cast(srcaddr AS varchar), ':') > 0"},
	{"srcaddr in (0.0.0.0/0)", "NOT (strpos(srcaddr, ':') > 0)", "contains('0.0.0.0/0', srcaddr)"},
	{"action like 'A%' or action like 'R%'", "action LIKE 'A%' OR action LIKE 'R%'", ""},
	{"action ~ /^REJ|X$/ and bytes is not null", "regexp_matches(action, '^REJ|X$') AND bytes IS NOT NULL", `regexp_like(action, '\AREJ|X\z') AND bytes IS NOT NULL`},
	{"bytes is null", "bytes IS NULL", ""},
	{"ip_version = IPv4 or bytes = 0", "ip_version = 'IPv4' OR bytes = 0", ""},
}

// Conditions of every kind are right as those of measures, alone and beside others.
func TestMeasureConditionsInSQL(t *testing.T) {
	met := make(map[string]bool)
	for _, c := range measureConditions {
		e, err := expr.Parse(c.text, reporttest.Scope())
		if err != nil {
			t.Fatal(err)
		}
		typesOf(e, met)
		for _, d := range Dialects() {
			want := c.duck
			if d.Name != "duckdb" && c.trino != "" {
				want = c.trino
			}
			all, flows := Measure{Name: "n", Func: "count", Where: e, All: true, Unit: Count}, Measure{Name: "n", Func: "count", Where: e, Unit: Count}
			beside := want
			if _, or := e.(expr.Or); or {
				beside = "(" + want + ")"
			}
			flow := "(log_status = 'OK' OR log_status IS NULL) AND "
			for _, x := range []struct {
				measures []Measure
				want     []string
			}{
				{[]Measure{flows}, []string{"  count(*) FILTER (WHERE " + want + ") AS n\n"}},
				{[]Measure{all}, []string{"  count(*) FILTER (WHERE " + want + ") AS n\n"}},
				{[]Measure{flows, {Name: "last", Func: "max", Field: "end", All: true}}, []string{"  count(*) FILTER (WHERE " + flow + beside + ") AS n,\n"}},
				{[]Measure{{Name: "g", Func: "gap", Field: "start", Where: e}, {Name: "last", Func: "max", Field: "end", All: true}},
					[]string{`CASE WHEN start IS NOT NULL AND "end" IS NOT NULL AND ` + flow + beside + " THEN greatest("}},
			} {
				r := Report{Name: "r", Measures: x.measures}
				got, err := SQL(&r, d, reporttest.Fields(), "flows")
				if err != nil {
					t.Errorf("%s in %s: %v", c.text, d.Name, err)
				}
				for _, want := range x.want {
					if !strings.Contains(got, want) {
						t.Errorf("%s in %s: got\n%s\nwhich has no\n%s", c.text, d.Name, got, want)
					}
				}
			}
		}
	}
	for _, name := range conditionTypes(t) {
		if !met[name] {
			t.Errorf("there is no condition with %s in this test, or it has no form in SQL", name)
		}
	}
}

// unwritten is a condition that is not known to the SQL side.
type unwritten struct{ expr.Expr }

func TestUnknownConditionIsRefused(t *testing.T) {
	r := Report{Name: "r", Where: unwritten{where("bytes > 1")}, Measures: named("flows")}
	if _, err := SQL(&r, dialect(t, "duckdb"), reporttest.Fields(), "flows"); err == nil || !strings.Contains(err.Error(), "unwritten has no form in SQL") {
		t.Errorf("got %v", err)
	}
}

// The query has the states of the aggregates that the Aggregator keeps.
func TestAggregatesAreThoseOfTheAggregator(t *testing.T) {
	reports := Catalog()
	for _, f := range function.All {
		m := Measure{Name: "x", Func: f.Name, Field: "bytes"}
		if f.Also != "" {
			m.Field = "start"
		}
		reports = append(reports, Report{Name: f.Name, Measures: append([]Measure{m}, named("flows duration bps avg_bytes bytes rejected accepted p50_bytes p90_bytes")...)})
	}
	for _, r := range reports {
		if slices.ContainsFunc(r.Keys, func(k Key) bool { _, ok := reporttest.Fields().Lookup(k.Field); return !ok }) {
			continue
		}
		a, err := newAggregator(reporttest.Fields(), []Report{r}, 1, true)
		if err != nil {
			t.Fatal(err)
		}
		var bases []Measure
		for _, b := range a.workers[0].groupings[0].accs {
			if b.rows != (b.countsRows() && !r.mixed()) {
				t.Errorf("%s: %s(%s) is the number of rows: %t", r.Name, b.Func, b.Field, b.rows)
			}
			bases = append(bases, b.Measure)
		}
		reporttest.Want(t, r.Name, bases, r.aggregates())
	}
}

// A field that is computed from other fields than SQL computes it from is one that SQL does not have.
func TestDerivedFieldsAreTied(t *testing.T) {
	for name, own := range sqlDeriveds {
		f, ok := reporttest.Fields().Lookup(name)
		if !ok || !InSQL(f) {
			t.Errorf("%s from %v: SQL has it from %v", name, f.From, own.from)
		}
		f.From = append([]string{"action"}, f.From...)
		if InSQL(f) {
			t.Errorf("SQL has %s of any fields", name)
		}
	}
}
