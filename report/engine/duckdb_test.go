package engine

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/function"
	"flowlog/report/naive"
	"flowlog/report/reporttest"
	"flowlog/report/sql"
)

// duckDB is a process that runs queries on the rows.
type duckDB struct {
	in  *json.Encoder
	out *json.Decoder
}

type duckAnswer struct {
	Rows  [][]any
	Error string
}

// startDuckDB starts DuckDB with a table of the rows: nil if DUCKDB_PYTHON names no Python that has it.
func startDuckDB(t *testing.T, rows []reporttest.Row) *duckDB {
	t.Helper()
	python := os.Getenv("DUCKDB_PYTHON")
	if python == "" {
		return nil
	}
	c := exec.Command(python, filepath.Join("..", "..", "testdata", "oracle", "run.py"))
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
	d := &duckDB{in: json.NewEncoder(in), out: json.NewDecoder(out)}
	d.out.UseNumber()
	var columns []string
	for _, f := range schema.Logged() {
		kind := "bigint"
		if f.Kind == schema.Text || f.Kind == schema.Addr {
			kind = "varchar"
		}
		columns = append(columns, `"`+f.Name+`" `+kind)
	}
	d.ask(t, "CREATE TABLE flows ("+strings.Join(columns, ", ")+")")
	var values []string
	for _, rec := range rows {
		var cells []string
		for _, f := range schema.Logged() {
			cell := "NULL"
			if v, ok := rec[f.Name]; ok {
				cell = expr.Quote(v)
			}
			cells = append(cells, cell)
		}
		values = append(values, "("+strings.Join(cells, ", ")+")")
	}
	d.ask(t, "INSERT INTO flows VALUES "+strings.Join(values, ", "))
	return d
}

func (d *duckDB) ask(t *testing.T, sql string) [][]any {
	t.Helper()
	if err := d.in.Encode(sql); err != nil {
		t.Fatal(err)
	}
	var answer duckAnswer
	if err := d.out.Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Error != "" {
		t.Fatalf("%s\n%s", answer.Error, sql)
	}
	return answer.Rows
}

// checkDuckDB compares what DuckDB makes of the function's SQL.
func checkDuckDB(t *testing.T, f *function.Func, duck *duckDB, reports []report.Report, rows []reporttest.Row) {
	if duck == nil {
		t.Skip("DUCKDB_PYTHON names no Python with duckdb")
	}
	for _, r := range reports {
		if f.Input != nil && len(r.Keys) == 0 {
			continue // its SQL has no aggregate, and so a row for each record
		}
		sql, err := sql.Statement(&r, dialectOf(t, "duckdb"), reporttest.Fields(), "flows")
		if err != nil {
			t.Fatal(err)
		}
		expected := naive.Table(r, rows).Rows
		got := duck.ask(t, sql)
		same := len(got) == len(expected)
		for i := 0; same && i < len(got); i++ {
			for column, v := range expected[i] {
				if f.Input != nil && column >= len(r.Keys) {
					v = nil // which no engine knows
				}
				same = same && sameInSQL(got[i][column], v, f.Buckets)
			}
		}
		if !same {
			t.Errorf("%s by %v of %v:\n got %v\nwant %v\n%s", f.Name, r.Keys, r.Measures, got, expected, sql)
		}
	}
}

// sameInSQL reports whether a value of DuckDB is one of flowlog's, or as near as values of buckets are.
func sameInSQL(got, want any, buckets bool) bool {
	number, ok := got.(json.Number)
	if !ok {
		return naive.Text(cmp.Or(got, any("null"))) == naive.Text(cmp.Or(want, any("null")))
	}
	switch want := want.(type) {
	case int64:
		n, err := number.Int64()
		return err == nil && (n == want || buckets && math.Abs(float64(n-want)) <= 0.004*float64(n))
	case float64:
		x, err := number.Float64()
		return err == nil && math.Abs(x-want) <= 1e-12*math.Abs(want)
	}
	return false
}
