package group

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/naive"
	"flowlog/report/reporttest"
)

// leaders keeps the n smallest sort keys and every tie with the last, whatever the order in which they come.
func TestLeaders(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 7))
	for range 300 {
		n := 1 + r.IntN(20)
		keys := make([]int64, n+1+r.IntN(200))
		for i := range keys {
			keys[i] = []int64{r.Int64N(5), r.Int64N(1000), math.MaxInt64}[r.IntN(3)]
		}
		ids := make([]uint32, len(keys))
		for i, at := range r.Perm(len(keys)) {
			ids[i] = uint32(at)
		}
		got := leaders(ids, n, func(id uint32) int64 { return keys[id] })
		sorted := slices.Sorted(slices.Values(keys))
		var want []uint32
		for id, key := range keys {
			if key <= sorted[n-1] {
				want = append(want, uint32(id))
			}
		}
		slices.Sort(got)
		reporttest.Want(t, "leaders", got, want)
	}
}

// viewOf has rows in the only grouping of a report, by a worker alone.
func viewOf(t *testing.T, r report.Report, rows []reporttest.Row) *reportView {
	t.Helper()
	agg, err := New(reporttest.Fields(), []report.Report{r}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := agg.Add(schema.Batch{Record: reporttest.NewFeeder(agg.Projection()).Record(t, rows)}); err != nil {
		t.Fatal(err)
	}
	return agg.workers[0].views[0]
}

// Rows are ordered by their measure, nulls last in both directions, ties by the keys; a condition leaves rows out before the
// first n are chosen.
func TestRank(t *testing.T) {
	rows := reporttest.RowsOf(`
srcaddr bytes log_status
10.0.0.4 7 OK
10.0.0.1 5 OK
10.0.0.3 - OK
10.0.0.2 5 OK
10.0.0.5 1 OK`)
	having, err := expr.Parse("bytes > 1", expr.Scope{Rows: true, Fields: schema.Table{{Name: "bytes", Kind: schema.Int64}}})
	if err != nil {
		t.Fatal(err)
	}
	base := report.Report{Name: "r", Keys: naive.KeysOf("srcaddr"), Measures: naive.MeasuresNamed("max_bytes")}
	base.Measures[0].Name = "bytes"
	for _, test := range []struct {
		name   string
		change func(*report.Report)
		rows   string // last bytes of the addresses
		met    int
	}{
		{"largest first", func(*report.Report) {}, "[4 1 2 5 3]", 5},
		{"smallest first", func(r *report.Report) { r.Reverse = true }, "[5 1 2 4 3]", 5},
		{"limited", func(r *report.Report) { r.Limit = 2 }, "[4 1]", 5},
		{"by key", func(r *report.Report) { r.Order, r.Limit = "srcaddr", 3 }, "[1 2 3]", 5},
		{"by key, from the end", func(r *report.Report) { r.Order, r.Reverse, r.Limit = "srcaddr", true, 1 }, "[5]", 5},
		{"having", func(r *report.Report) { r.Having, r.Limit = having, 2 }, "[4 1]", 3},
	} {
		r := base
		test.change(&r)
		v := viewOf(t, r, rows)
		_, ids := v.groups.existing()
		shown, met := v.rank(ids, v.ranking([]bool{false}), nil, schema.Stats{})
		var got []int
		for _, row := range shown {
			got = append(got, int(lastByte(row.keys[0])))
		}
		reporttest.Want(t, test.name, got, test.rows)
		reporttest.Want(t, test.name+": rows that meet the condition", len(met), test.met)
	}
}

// lastByte is that of an address.
func lastByte(v any) byte {
	a := v.(interface{ As16() [16]byte }).As16()
	return a[15]
}
