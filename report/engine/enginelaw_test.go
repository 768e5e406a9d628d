package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"flowlog/report"
	"flowlog/report/function"
	"flowlog/report/naive"
	"flowlog/report/reporttest"
	"flowlog/report/sql"
)

// parityOf is what wrapParity computes.
func parityOf(rec reporttest.Row) any {
	port, err := strconv.Atoi(rec["dstport"])
	if err != nil {
		return nil
	}
	return []string{"even", "odd"}[port&1]
}

// checkEngine gives a Remote the rows that an engine would send.
func checkEngine(t *testing.T, f *function.Func, all []report.Measure, rows []reporttest.Row) {
	defer naive.FailOnPanic(t, f)
	known := append(reporttest.Fields(), parity)
	for _, limit := range []int{0, 2} {
		r := report.Report{Name: f.Name, Keys: []report.Key{{Field: "srcaddr"}}, Measures: all, Limit: limit}
		m := remoteOf(t, r, known)
		want, got := naive.Table(r, rows), engineTable(t, m, r, rows, wantOrder(naive.Table(r, rows)))
		for i, x := range all { // of what an engine computes and cannot merge there are no sums
			if !f.Mergeable() && x.Func == f.Name {
				want.Totals[1+i] = nil
				if want.Others != nil {
					want.Others[1+i] = nil
				}
			}
			if f.Input != nil {
				for _, row := range want.Rows {
					row[1+i] = nil
				}
			}
		}
		if g, w := naive.Result(got), naive.Result(want); g != w {
			t.Errorf("%s, the first %d:\n got %s\nwant %s\n%s", f.Name, limit, g, w, m.SQL)
		}
	}
	// groups that are merged here
	r := report.Report{Name: f.Name, Keys: []report.Key{{Field: parity.Name}}, Measures: all}
	split, err := sql.NewSplit(r, dialectOf(t, "trino"), known, "flows")
	if !f.Mergeable() && f.Input == nil {
		if err == nil || !strings.Contains(err.Error(), all[0].Name) {
			t.Errorf("%s cannot be merged, and a report that merges it is not refused by name: %v", f.Name, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewRemote(split)
	if err != nil {
		t.Fatal(err)
	}
	marked := make([]reporttest.Row, len(rows)) // with parity as a field that is logged
	for i, rec := range rows {
		marked[i] = maps.Clone(rec)
		if v := parityOf(rec); v != nil {
			marked[i]["protocol_name"] = v.(string) // any field of text
		}
	}
	here := r
	here.Keys = []report.Key{{Field: "protocol_name"}}
	want := naive.Table(here, marked)
	if f.Input != nil {
		for _, row := range append(want.Rows, want.Totals) {
			clear(row[1:])
		}
	}
	if g, w := naive.Result(engineTable(t, m, r, rows, nil)), naive.Result(want); g != w {
		t.Errorf("%s, merged:\n got %s\nwant %s\n%s", f.Name, g, w, m.SQL)
	}
}

// wantOrder is the place of each group that is shown, by its key, from 1 on.
func wantOrder(t report.Table) map[any]int64 {
	places := make(map[any]int64)
	for i, row := range t.Rows {
		places[row[0]] = int64(i + 1)
	}
	return places
}

// engineTable is the table of a report from rows that an engine would answer its query with. places are those of the
// groups that are shown.
func engineTable(t *testing.T, m *Remote, r report.Report, rows []reporttest.Row, places map[any]int64) report.Table {
	t.Helper()
	groups := make(map[any][]reporttest.Row)
	for _, rec := range rows {
		if r.Mixed() || reporttest.IsFlow(rec) {
			key := reporttest.Value(rec, m.Fed[0].Name)
			groups[key] = append(groups[key], rec)
		}
	}
	number := func(v any) any {
		if n, ok := v.(float64); ok {
			t.Fatalf("the engine was asked for the fraction %v", n)
		}
		return v
	}
	var others [][]any
	for key, records := range groups {
		if a, ok := key.(fmt.Stringer); ok {
			key = a.String()
		}
		out := []any{key, int64(len(records))}
		for _, b := range m.Asked {
			s := naive.SampleOf(b, records)
			if function.Named(b.Func).Buckets {
				out = append(out, histogramOf(t, s.Numbers))
				continue
			}
			out = append(out, number(naive.Functions[b.Func](b, s, 0)))
		}
		for _, name := range m.Seen {
			n := int64(0)
			for _, rec := range records {
				if reporttest.Value(rec, name) != nil {
					n++
				}
			}
			out = append(out, n)
		}
		if m.Cut {
			place := places[reporttest.Value(records[0], m.Fed[0].Name)]
			if place == 0 {
				others = append(others, out)
				continue
			}
			out = append([]any{place, int64(1)}, out...)
		}
		if err := m.Add(out, wrapParity); err != nil {
			t.Fatal(err)
		}
	}
	if len(others) > 0 {
		sum := slices.Clone(others[0])
		for column := range sum {
			with := "sum" // of records, and of what is seen
			if at := column - 2; column == 0 {
				with = "max"
			} else if at >= 0 && at < len(m.Asked) {
				if with = function.Named(m.Asked[at].Func).Adds; with == "" {
					with = "max"
				}
			}
			for _, row := range others[1:] {
				sum[column] = addedInSQL(t, with, sum[column], row[column])
			}
		}
		if err := m.Add(append([]any{int64(0), int64(len(others))}, sum...), wrapParity); err != nil {
			t.Fatal(err)
		}
	}
	got, lacks, err := m.Table(wrapParity)
	if err != nil || lacks != nil {
		t.Fatal(err, lacks)
	}
	return got
}

// addedInSQL is what an aggregate function makes of two values, by its naive reading.
func addedInSQL(t *testing.T, with string, a, b any) any {
	t.Helper()
	x, ok := a.(int64)
	y, ok2 := b.(int64)
	switch {
	case b == nil:
		return a
	case a == nil || !ok || !ok2:
		return b
	}
	return naive.Functions[with](report.Measure{}, naive.Sample{Numbers: []int64{min(x, y), max(x, y)}}, 0)
}

// histogramOf is how many of the numbers are in each bucket, as an engine sends it.
func histogramOf(t *testing.T, numbers []int64) any {
	t.Helper()
	if len(numbers) == 0 {
		return nil
	}
	n := make(map[uint32]int)
	for _, v := range numbers {
		n[function.BucketOf(v)]++
	}
	text, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// engineFunctions are the functions of engines that flowlog's SQL may call. Their manuals have them: what is added here
// was looked up there.
var engineFunctions = map[string][]string{
	"":       strings.Fields("count sum min max cast nullif coalesce greatest row row_number"),
	"duckdb": strings.Fields("quantile_disc make_timestamp"),
	"trino":  strings.Fields("approx_percentile histogram to_base length bitwise_right_shift json_format try_cast arbitrary from_unixtime"),
	"athena": strings.Fields("approx_percentile histogram to_base length bitwise_right_shift json_format try_cast arbitrary from_unixtime"),
}

var calledInSQL = regexp.MustCompile(`\b([a-z][a-z0-9_]*)\(`)

// checkSQL checks that each dialect has the function, or refuses it by name, and runs DuckDB's if it is there.
func checkSQL(t *testing.T, f *function.Func, reports []report.Report) {
	for _, d := range sql.Dialects() {
		lacking := make(map[string]bool)
		for _, r := range reports {
			query, err := sql.Statement(&r, d, reporttest.Fields(), "flows")
			if err == nil && d.Histogram != nil {
				var s *sql.Split
				if s, err = sql.NewSplit(r, d, reporttest.Fields(), "flows"); err == nil {
					query += s.SQL
				}
			}
			if err != nil {
				t.Errorf("%s in %s: %v", f.Name, d.Name, err)
				continue
			}
			for _, called := range calledInSQL.FindAllStringSubmatch(query, -1) {
				if name := called[1]; !slices.Contains(engineFunctions[d.Name], name) && !slices.Contains(engineFunctions[""], name) {
					lacking[name] = true
				}
			}
		}
		for name := range lacking {
			t.Errorf("%s is %s in %s, which engineFunctions does not know", f.Name, name, d.Name)
		}
	}
}

// checkRefused checks that a report of a function that no engine can compute is refused by the measure's name.
func checkRefused(t *testing.T, f *function.Func, r report.Report) {
	for _, d := range sql.Dialects() {
		_, err := sql.Statement(&r, d, reporttest.Fields(), "flows")
		if err == nil || !strings.Contains(err.Error(), r.Measures[0].Name+": "+sql.Functions[f.Name].Unknown) {
			t.Errorf("%s in %s is not refused by name: %v", f.Name, d.Name, err)
		}
		if d.Histogram == nil {
			continue
		}
		if _, err = sql.NewSplit(r, d, reporttest.Fields(), "flows"); err == nil {
			t.Errorf("%s by an engine of %s is not refused", f.Name, d.Name)
		}
	}
}

// TestFunctionsOnEngines runs every function of the table in SQL of each dialect, in DuckDB if it is there, and from the rows that an engine
// would send. A function that lacks one fails by its name.
func TestFunctionsOnEngines(t *testing.T) {
	rows := reporttest.RandomRows(rand.New(rand.NewPCG(11, 16)), reporttest.Fewer(300))
	duck := startDuckDB(t, rows)
	for i := range function.All {
		f := &function.All[i]
		t.Run(f.Name, func(t *testing.T) {
			own, ok := sql.Functions[f.Name]
			if !ok {
				t.Fatalf("%s has no line in Functions of report/sql", f.Name)
			}
			if (own.Of != nil) != (f.Also == "" && f.Input == nil) || (own.Unknown != "") != (f.Input != nil || f.Name == "cost") {
				t.Errorf("%s: its row in Functions of report/sql lacks its SQL, or why an engine does not know it", f.Name)
			}
			if f.Adds != "" && sql.Functions[f.Adds].Of == nil {
				t.Errorf("%s has no SQL of what adds up its values", f.Name)
			}
			measures := naive.MeasuresOf(t, f)
			reports := naive.ReportsOf(f, measures)
			if own.Unknown != "" && f.Input == nil {
				checkRefused(t, f, reports[0])
				return
			}
			t.Run("SQL", func(t *testing.T) { checkSQL(t, f, reports) })
			t.Run("DuckDB", func(t *testing.T) { checkDuckDB(t, f, duck, reports, rows) })
			t.Run("engine's rows", func(t *testing.T) { checkEngine(t, f, measures, rows) })
		})
	}
}
