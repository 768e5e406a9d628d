package report

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

	"flowlog/parse/schema"
)

// python is a Python that has the modules: the one that $DUCKDB_PYTHON names, as .ci/run does, or python3. The test is
// skipped if there is none.
func python(t *testing.T, modules string) string {
	t.Helper()
	name := os.Getenv("DUCKDB_PYTHON")
	if name == "" {
		name = "python3"
		if exec.Command(name, "-c", "import "+modules).Run() != nil {
			t.Skipf("there is no Python with %s here: install them by pip, or name one that has them in $DUCKDB_PYTHON", modules)
		}
	}
	return name
}

// conditionCounts are reports that count records by each of measureConditions: flows alone, and beside other records.
func conditionCounts(t *testing.T) []Report {
	t.Helper()
	flows, mixed := Report{Name: "flows"}, Report{Name: "mixed"}
	for i, c := range measureConditions {
		e, err := ParseExpr(c.text, scope())
		if err != nil {
			t.Fatal(err)
		}
		m := Measure{Name: fmt.Sprintf("n%d", i), Func: "count", Where: e, Unit: Count}
		flows.Measures = append(flows.Measures, m)
		mixed.Measures = append(mixed.Measures, m)
		m.Name, m.All = fmt.Sprintf("all%d", i), true
		mixed.Measures = append(mixed.Measures, m)
	}
	return []Report{flows, mixed}
}

// What SQL of every dialect is, sqlglot reads as one SELECT.
func TestQueriesAreRead(t *testing.T) {
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	reports := conditionCounts(t)
	for _, f := range functions {
		m := Measure{Name: "x", Func: f.name, Field: "bytes"}
		if f.also != "" {
			m.Field = "start"
		}
		reports = append(reports, Report{Name: f.name, Keys: keys("protocol"), Measures: []Measure{m}, Having: where("protocol > 6"), Limit: 3})
	}
	for _, r := range reports {
		for _, d := range Dialects() {
			query, err := SQL(&r, d, fields(), "flows")
			if err != nil {
				t.Fatal(err)
			}
			if err := out.Encode([]string{d.Name, query}); err != nil {
				t.Fatal(err)
			}
			if d.any == "" {
				continue
			}
			split, err := NewSplit(r, d, fields(), "flows")
			if err != nil {
				t.Fatal(err)
			}
			if err := out.Encode([]string{d.Name, split.SQL}); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := exec.Command(python(t, "sqlglot"), "../testdata/oracle/queries.py")
	c.Stdin = &lines
	if text, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, text)
	}
}

// DuckDB counts by conditions of measures what they say.
func TestMeasureConditionsInDuckDB(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(7, 7)), 500)
	for i := range rows {
		if i%3 == 0 && rows[i]["tcp_flags"] != "" {
			rows[i]["tcp_flags"] = fmt.Sprint(i % 32)
		}
	}
	var columns, records []string
	for _, f := range schema.Logged() {
		columns = append(columns, `"`+f.Name+`" `+duckTypes[f.Kind])
	}
	for _, r := range rows {
		var values []string
		for _, f := range schema.Logged() {
			token, ok := r[f.Name]
			switch {
			case !ok:
				token = "NULL"
			case f.Kind >= schema.Addr:
				token = quote(token)
			}
			values = append(values, token)
		}
		records = append(records, "("+strings.Join(values, ", ")+")")
	}
	d := dialect(t, "duckdb")
	queries := []string{"CREATE TABLE flows (" + strings.Join(columns, ", ") + ")", "INSERT INTO flows VALUES " + strings.Join(records, ", ")}
	reports := conditionCounts(t)
	for _, r := range reports {
		query, err := SQL(&r, d, fields(), "flows")
		if err != nil {
			t.Fatal(err)
		}
		queries = append(queries, query)
	}
	answers := duckDB(t, queries)
	for i, r := range reports {
		got := answers[2+i].Rows[0]
		for j, m := range r.Measures {
			n := 0
			for _, rec := range rows {
				if (m.All || isFlow(rec)) && meets(m.Where, withVersion(rec)) {
					n++
				}
			}
			if got[j] != float64(n) {
				t.Errorf("%s: count of %s (all: %t) is %v in DuckDB, want %d", r.Name, m.Where, m.All, got[j], n)
			}
		}
		if slices.IndexFunc(got, func(v any) bool { return v != float64(0) }) < 0 {
			t.Errorf("%s: no condition is met by any record", r.Name)
		}
	}
}

// withVersion is a record with its IP version, as package enrich computes it.
func withVersion(rec row) row {
	out := row{}
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

// duckAnswer is what run.py answers to a query.
type duckAnswer struct {
	Rows  [][]any
	Error string
}

// duckDB runs queries one after the other.
func duckDB(t *testing.T, queries []string) []duckAnswer {
	t.Helper()
	c := exec.Command(python(t, "duckdb"), "../testdata/oracle/run.py")
	var in bytes.Buffer
	for _, q := range queries {
		if err := json.NewEncoder(&in).Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	c.Stdin = &in
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []duckAnswer
	for line := range strings.Lines(string(out)) {
		var a duckAnswer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if a.Error != "" {
			t.Fatal(a.Error)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(queries) {
		t.Fatalf("%d answers to %d queries", len(answers), len(queries))
	}
	return answers
}
