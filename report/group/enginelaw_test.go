package group

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"flowlog/report"
	"flowlog/report/function"
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
	defer failOnPanic(t, f)
	known := append(reporttest.Fields(), parity)
	for _, limit := range []int{0, 2} {
		r := report.Report{Name: f.Name, Keys: []report.Key{{Field: "srcaddr"}}, Measures: all, Limit: limit}
		m := remoteOf(t, r, known)
		want, got := naive(r, rows), engineTable(t, m, r, rows, wantOrder(naive(r, rows)))
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
		if g, w := result(got), result(want); g != w {
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
	want := naive(here, marked)
	if f.Input != nil {
		for _, row := range append(want.Rows, want.Totals) {
			clear(row[1:])
		}
	}
	if g, w := result(engineTable(t, m, r, rows, nil)), result(want); g != w {
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
			s := sampleOf(b, records)
			if function.Named(b.Func).Buckets {
				out = append(out, histogramOf(t, s.numbers))
				continue
			}
			out = append(out, number(naiveFunctions[b.Func](b, s, 0)))
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

// addedInSQL is what an aggregate function of SQL makes of two values.
func addedInSQL(t *testing.T, with string, a, b any) any {
	t.Helper()
	x, ok := a.(int64)
	y, ok2 := b.(int64)
	switch {
	case b == nil:
		return a
	case a == nil || !ok || !ok2:
		return b
	case with == "sum":
		return x + y
	case with == "min":
		return min(x, y)
	case with == "max":
		return max(x, y)
	}
	t.Fatalf("the test's engine has no aggregate function %s", with)
	return nil
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

// The query has the states of the aggregates that the Aggregator keeps.
func TestAggregatesAreThoseOfTheAggregator(t *testing.T) {
	reports := report.Catalog()
	for _, f := range function.All {
		m := report.Measure{Name: "x", Func: f.Name, Field: "bytes"}
		if f.Also != "" {
			m.Field = "start"
		}
		reports = append(reports, report.Report{Name: f.Name, Measures: append([]report.Measure{m}, measuresNamed("flows duration bps avg_bytes bytes rejected accepted p50_bytes p90_bytes")...)})
	}
	for _, r := range reports {
		if slices.ContainsFunc(r.Keys, func(k report.Key) bool { _, ok := reporttest.Fields().Lookup(k.Field); return !ok }) {
			continue
		}
		a, err := newAggregator(reporttest.Fields(), []report.Report{r}, 1, true)
		if err != nil {
			t.Fatal(err)
		}
		var bases []report.Measure
		for _, b := range a.workers[0].groupings[0].accs {
			if b.rows != (b.CountsRows() && !r.Mixed()) {
				t.Errorf("%s: %s(%s) is the number of rows: %t", r.Name, b.Func, b.Field, b.rows)
			}
			bases = append(bases, b.Measure)
		}
		reporttest.Want(t, r.Name, bases, r.Aggregates())
	}
}
