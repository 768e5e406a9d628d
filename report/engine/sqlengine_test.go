package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/function"
	"flowlog/report/naive"
	"flowlog/report/reporttest"
	"flowlog/report/sql"
)

// conditionCounts are reports that count records by each of reporttest.MeasureConditions: flows alone, and beside other records.
func conditionCounts(t *testing.T) []report.Report {
	t.Helper()
	flows, mixed := report.Report{Name: "flows"}, report.Report{Name: "mixed"}
	for i, c := range reporttest.MeasureConditions {
		e, err := expr.Parse(c.Text, reporttest.Scope())
		if err != nil {
			t.Fatal(err)
		}
		m := report.Measure{Name: fmt.Sprintf("n%d", i), Func: "count", Where: e, Unit: report.Count}
		flows.Measures = append(flows.Measures, m)
		mixed.Measures = append(mixed.Measures, m)
		m.Name, m.All = fmt.Sprintf("all%d", i), true
		mixed.Measures = append(mixed.Measures, m)
	}
	return []report.Report{flows, mixed}
}

// What SQL of every dialect is, sqlglot reads as one SELECT.
func TestQueriesAreRead(t *testing.T) {
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	reports := conditionCounts(t)
	for _, f := range function.All {
		m := report.Measure{Name: "x", Func: f.Name, Field: "bytes"}
		if f.Input == nil && sql.Functions[f.Name].Unknown != "" {
			continue
		}
		if f.Also != "" {
			m.Field = "start"
		}
		reports = append(reports, report.Report{Name: f.Name, Keys: naive.KeysOf("protocol"), Measures: []report.Measure{m}, Having: naive.Parsed("protocol > 6"), Limit: 3})
	}
	for _, r := range reports {
		for _, d := range sql.Dialects() {
			query, err := sql.Statement(&r, d, reporttest.Fields(), "flows")
			if err != nil {
				t.Fatal(err)
			}
			if err := out.Encode([]string{d.Name, query}); err != nil {
				t.Fatal(err)
			}
			if d.Any == "" {
				continue
			}
			split, err := sql.NewSplit(r, d, reporttest.Fields(), "flows")
			if err != nil {
				t.Fatal(err)
			}
			if err := out.Encode([]string{d.Name, split.SQL}); err != nil {
				t.Fatal(err)
			}
		}
	}
	python := os.Getenv("DUCKDB_PYTHON")
	if python == "" {
		t.Skip("DUCKDB_PYTHON names no Python with sqlglot")
	}
	c := exec.Command(python, "../../testdata/oracle/queries.py")
	c.Stdin = &lines
	if text, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, text)
	}
}

// DuckDB counts by conditions of measures what they say.
func TestMeasureConditionsInDuckDB(t *testing.T) {
	rows := reporttest.RandomRows(rand.New(rand.NewPCG(7, 7)), 500)
	for i := range rows {
		if i%3 == 0 && rows[i]["tcp_flags"] != "" {
			rows[i]["tcp_flags"] = fmt.Sprint(i % 32)
		}
	}
	duck := startDuckDB(t, rows)
	if duck == nil {
		t.Skip("DUCKDB_PYTHON names no Python with duckdb")
	}
	for _, r := range conditionCounts(t) {
		query, err := sql.Statement(&r, dialectOf(t, "duckdb"), reporttest.Fields(), "flows")
		if err != nil {
			t.Fatal(err)
		}
		got := duck.ask(t, query)[0]
		for j, m := range r.Measures {
			n := 0
			for _, rec := range rows {
				if (m.All || reporttest.IsFlow(rec)) && reporttest.Meets(m.Where, withVersion(rec)) {
					n++
				}
			}
			if naive.Text(got[j]) != fmt.Sprint(n) {
				t.Errorf("%s: count of %s (all: %t) is %v in DuckDB, want %d", r.Name, m.Where, m.All, got[j], n)
			}
		}
		if slices.IndexFunc(got, func(v any) bool { return naive.Text(v) != "0" }) < 0 {
			t.Errorf("%s: no condition is met by any record", r.Name)
		}
	}
}

// withVersion is a record with its IP version, as package enrich computes it.
func withVersion(rec reporttest.Row) reporttest.Row {
	out := reporttest.Row{}
	for name, token := range rec {
		out[name] = token
	}
	switch addr := rec["srcaddr"]; {
	case strings.Contains(addr, ":"):
		out["ip_version"] = "IPv6"
	case addr != "":
		out["ip_version"] = "IPv4"
	}
	return out
}

// dialectOf is a dialect of SQL by its name.
func dialectOf(t testing.TB, name string) sql.Dialect {
	t.Helper()
	i := slices.IndexFunc(sql.Dialects(), func(d sql.Dialect) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no dialect %s", name)
	}
	return sql.Dialects()[i]
}
