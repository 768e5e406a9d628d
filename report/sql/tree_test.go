package sql

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"flowlog/report"
	"flowlog/report/expr"
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
	types := reporttest.Receivers(t, ".", "sqlNode")
	if len(types) < 15 {
		t.Errorf("only %v have a method sqlNode: the test does not find them any more", types)
	}
	for _, name := range types {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not among the samples of this test", name)
		}
	}
}

// Conditions of every kind are right as those of measures, alone and beside others.
func TestMeasureConditionsInSQL(t *testing.T) {
	met := make(map[string]bool)
	for _, c := range reporttest.MeasureConditions {
		e, err := expr.Parse(c.Text, reporttest.Scope())
		if err != nil {
			t.Fatal(err)
		}
		reporttest.TypesOf(e, met)
		for _, d := range Dialects() {
			want := c.Duck
			if d.Name != "duckdb" && c.Trino != "" {
				want = c.Trino
			}
			all, flows := report.Measure{Name: "n", Func: "count", Where: e, All: true, Unit: report.Count}, report.Measure{Name: "n", Func: "count", Where: e, Unit: report.Count}
			beside := want
			if _, or := e.(expr.Or); or {
				beside = "(" + want + ")"
			}
			flow := "(log_status = 'OK' OR log_status IS NULL) AND "
			for _, x := range []struct {
				measures []report.Measure
				want     []string
			}{
				{[]report.Measure{flows}, []string{"  count(*) FILTER (WHERE " + want + ") AS n\n"}},
				{[]report.Measure{all}, []string{"  count(*) FILTER (WHERE " + want + ") AS n\n"}},
				{[]report.Measure{flows, {Name: "last", Func: "max", Field: "end", All: true}}, []string{"  count(*) FILTER (WHERE " + flow + beside + ") AS n,\n"}},
				{[]report.Measure{{Name: "g", Func: "gap", Field: "start", Where: e}, {Name: "last", Func: "max", Field: "end", All: true}},
					[]string{`CASE WHEN start IS NOT NULL AND "end" IS NOT NULL AND ` + flow + beside + " THEN greatest("}},
			} {
				r := report.Report{Name: "r", Measures: x.measures}
				got, err := Statement(&r, d, reporttest.Fields(), "flows")
				if err != nil {
					t.Errorf("%s in %s: %v", c.Text, d.Name, err)
				}
				for _, want := range x.want {
					if !strings.Contains(got, want) {
						t.Errorf("%s in %s: got\n%s\nwhich has no\n%s", c.Text, d.Name, got, want)
					}
				}
			}
		}
	}
	for _, name := range reporttest.ConditionTypes(t, "../expr") {
		if !met[name] {
			t.Errorf("there is no condition with %s in this test, or it has no form in SQL", name)
		}
	}
}

// unwritten is a condition that is not known to the SQL side.
type unwritten struct{ expr.Expr }

func TestUnknownConditionIsRefused(t *testing.T) {
	bytes, err := expr.Parse("bytes > 1", reporttest.Scope())
	if err != nil {
		t.Fatal(err)
	}
	r := report.Report{Name: "r", Where: unwritten{bytes}, Measures: report.Measures()[:1]}
	if _, err := Statement(&r, dialect(t, "duckdb"), reporttest.Fields(), "flows"); err == nil || !strings.Contains(err.Error(), "unwritten has no form in SQL") {
		t.Errorf("got %v", err)
	}
}

// A field that is computed from other fields than SQL computes it from is one that SQL does not have.
func TestDerivedFieldsAreTied(t *testing.T) {
	for name, own := range sqlDeriveds {
		f, ok := reporttest.Fields().Lookup(name)
		if !ok || !Expressible(f) {
			t.Errorf("%s from %v: SQL has it from %v", name, f.From, own.from)
		}
		f.From = append([]string{"action"}, f.From...)
		if Expressible(f) {
			t.Errorf("SQL has %s of any fields", name)
		}
	}
}
