package group

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
	"flowlog/report/naive"
	"flowlog/report/reporttest"
)

// TestFunctions runs every function of the table in each form that a report can take here; package engine has the test of the
// same name for SQL and engines. A function that lacks one fails by its name, whether the catalog uses it or not.
func TestFunctions(t *testing.T) {
	rows := reporttest.RandomRows(rand.New(rand.NewPCG(11, 16)), reporttest.Fewer(300))
	for i := range function.All {
		f := &function.All[i]
		t.Run(f.Name, func(t *testing.T) {
			if naive.Functions[f.Name] == nil {
				t.Fatalf("%s has no line in Functions of report/naive", f.Name)
			}
			if !t.Run("row", func(t *testing.T) { checkRow(t, f) }) {
				return // the rest would fail in other words
			}
			measures := naive.MeasuresOf(t, f)
			reports := naive.ReportsOf(f, measures)
			var expected []string
			for _, r := range reports {
				expected = append(expected, naive.Result(naive.Table(r, rows)))
			}
			same := func(form string, tables func(t *testing.T) []report.Table) {
				t.Run(form, func(t *testing.T) {
					defer naive.FailOnPanic(t, f)
					for i, got := range tables(t) {
						if g := naive.Result(got); g != expected[i] {
							t.Errorf("%s by %v of %v:\n got %s\nwant %s", f.Name, reports[i].Keys, reports[i].Measures, g, expected[i])
						}
					}
				})
			}
			same("each report alone", func(t *testing.T) []report.Table {
				var all []report.Table
				for _, r := range reports {
					all = append(all, table(t, r, rows))
				}
				return all
			})
			for _, workers := range []int{1, 4} {
				same(fmt.Sprintf("all reports, %d workers", workers), func(t *testing.T) []report.Table {
					tables, lacks, err := aggregate(t, reports, rows, workers, 20)
					if err != nil || len(lacks) > 0 {
						t.Fatal(lacks, err)
					}
					return tables
				})
			}
			same("spilled", func(t *testing.T) []report.Table { return spilled(t, reports[:5], rows, 2, 60) }) // each takes long
			same("partial results", func(t *testing.T) []report.Table { return partials(t, reports, rows) })
			t.Run("size", func(t *testing.T) { checkSize(t, f, measures) })
			t.Run("buffered", func(t *testing.T) { checkBuffer(t, f) })
		})
	}
}

// checkRow checks that a function's row is whole.
func checkRow(t *testing.T, f *function.Func) {
	ways := 0
	for _, way := range []bool{f.New != nil, f.Parts != nil, f.Input != nil} {
		if way {
			ways++
		}
	}
	wants := func(what string, ok bool) {
		if !ok {
			t.Errorf("%s: its row lacks %s", f.Name, what)
		}
	}
	wants("one of new, parts and input", ways == 1)
	wants("of, for its parts", f.Parts == nil || f.Of != nil)
	wants("view, for what it shares", (f.Shares != "") == (f.View != nil))
	if f.New == nil {
		return
	}
	wants("rollup", f.Rollup != 0)
	wants("buffer", f.Buffer != 0)
	wants("adds, as it has decode", f.Decode == nil || f.Adds != "" || f.Buckets)
	wants("decode, as engines send what can be merged", f.Decode != nil || f.Adds == "" && !f.Buckets)
	wants("adds and decode, as its states are of fixed size", f.Rollup != function.RollupAlways || f.Decode != nil)
	wants("rollup that allows numbers to be merged", f.Rollup != function.RollupNever || !isNumeric(f.New(nil, function.ShapeGroups)))
	wants("buffer that allows numbers of values to be buffered", f.Buffer != function.BufferNever || f.Codes || !isNumeric(f.New(nil, function.ShapeGroups)))
}

// partials is the tables of partial results of three thirds of the rows.
func partials(t *testing.T, reports []report.Report, rows []reporttest.Row) []report.Table {
	t.Helper()
	m := new(Merger)
	for i, part := range [][]reporttest.Row{rows[:len(rows)/3], rows[len(rows)/3 : len(rows)/2], rows[len(rows)/2:]} {
		agg, err := New(reporttest.Fields(), reports, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := agg.Add(schema.Batch{Record: reporttest.NewFeeder(agg.Projection()).Record(t, part)}); err != nil {
			t.Fatal(err)
		}
		stats := statsOf(part)
		stats.Malformed = 1
		var file bytes.Buffer
		if err := agg.WritePartial(&file, stats, report.Request{}); err != nil {
			t.Fatal(err)
		}
		if err := m.Add(&file, strconv.Itoa(i), 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	tables, lacks, err := m.Tables(reporttest.Fields(), nil)
	if err != nil || len(lacks) > 0 {
		t.Fatal(lacks, err)
	}
	return tables
}

// checkSize checks that a state with many groups says that it takes memory.
func checkSize(t *testing.T, f *function.Func, measures []report.Measure) {
	if f.New == nil {
		return
	}
	r := report.Report{Name: f.Name, Keys: []report.Key{{Field: "bytes"}}, Measures: measures}
	agg, err := New(reporttest.Fields(), []report.Report{r}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var rows []reporttest.Row
	for i := range 2000 {
		n := strconv.Itoa(i)
		rows = append(rows, reporttest.Row{"bytes": n, "dstport": n, "start": n, "end": n, "dstaddr": "10.0.0.1", "action": "REJECT"})
	}
	if err := agg.Add(schema.Batch{Record: reporttest.NewFeeder(agg.Projection()).Record(t, rows)}); err != nil {
		t.Fatal(err)
	}
	for _, b := range agg.workers[0].groupings[0].accs {
		if n := int64(len(rows)); b.state != nil && !b.derived && (b.state.Size() < 8*n || b.state.Size() > 1000*n) {
			t.Errorf("%s of %s: the state of %d groups says that it takes %d bytes", f.Name, b.Field, n, b.state.Size())
		}
	}
}

// checkBuffer checks that add takes from a backlog what it takes from a batch.
func checkBuffer(t *testing.T, f *function.Func) {
	if f.New == nil || f.Buffer == function.BufferNever {
		return
	}
	defer naive.FailOnPanic(t, f)
	column := schema.NewColumn(schema.Field{Name: "dstport", Kind: schema.Int32})
	buffered := schema.NewColumn(schema.Field{Name: "buffered", Kind: schema.Int64})
	var ids []uint32
	var rows, order []int32
	for i := range int32(1000) {
		column.Int32 = append(column.Int32, i*i%1009)
		if i%3 > 0 {
			ids, rows, order = append(ids, uint32(i%7)), append(rows, i), append(order, int32(len(order)))
			buffered.Int64 = append(buffered.Int64, int64(i*i%1009))
		}
	}
	one, other := f.New(nil, function.ShapeGroups), f.New(nil, function.ShapeGroups)
	one.Grow(7)
	other.Grow(7)
	in := function.Inputs{}
	if f.Buffer == function.BufferValue {
		in.Col = buffered.Array()
	}
	if err := one.Add(ids, rows, function.Inputs{Col: column.Array()}); err != nil {
		t.Fatal(err)
	}
	if err := other.Add(ids, order, in); err != nil {
		t.Fatal(err)
	}
	for g := range uint32(7) {
		reporttest.Want(t, f.Name+" of buffered records", function.Boxed(other.Value(g)), function.Boxed(one.Value(g)))
	}
}
