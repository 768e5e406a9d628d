package group

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/reporttest"
)

// spilled is aggregate with next to no memory for groups.
func spilled(t *testing.T, reports []report.Report, rows []reporttest.Row, workers, size int) []report.Table {
	t.Helper()
	agg, err := New(reporttest.Fields(), reports, workers)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	agg.Limit(1, dir)
	feeds := make([]*reporttest.RowFeeder, workers)
	for i := range feeds {
		feeds[i] = reporttest.NewFeeder(agg.Projection())
	}
	for i := 0; i < len(rows); i += size {
		w := i / size % workers
		if err := agg.Add(schema.Batch{Record: feeds[w].Record(t, rows[i:min(i+size, len(rows))]), Worker: w}); err != nil {
			t.Fatal(err)
		}
	}
	tables, _, err := agg.Tables(statsOf(rows), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := agg.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
	return tables
}

// More groups than memory change nothing.
func TestSpilledTablesAreTheSame(t *testing.T) {
	for seed := range uint64(reporttest.Fewer(2)) {
		r := rand.New(rand.NewPCG(seed, 5))
		rows := reporttest.RandomRows(r, 200)
		reports := randomReports(t, r)
		r.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		reports = append(reports[:8:8], changed(t, "quality", report.Change{Top: 2}), changed(t, "timeline", report.Change{Top: 1}),
			changed(t, "talkers", report.Change{Top: 2}), changed(t, "talkers", report.Change{Sort: "packets", Top: 3}))
		rates := changed(t, "talkers", report.Change{Measures: []string{"bps", "pps", "flows"}, Having: "bps > 1", Top: 3})
		reports = append(reports, rates,
			changed(t, "talkers", report.Change{Measures: []string{"bytes", "flows", "distinct(dstport)", "p50(bytes)"}, Having: "flows > 20", Top: 1}),
			changed(t, "talkers", report.Change{By: []string{"srcaddr", "dstport"}, Having: "flows > 3", Top: 2}),
			changed(t, "talkers", report.Change{By: []string{"srcaddr", "dstport"}, Having: "flows < 3", Sort: "packets", Top: 4}),
			changed(t, "talkers", report.Change{By: []string{"srcaddr", "dstport"}, Measures: []string{"flows", "first"}, Top: 3}))
		many := report.Change{By: strings.Fields("srcaddr dstaddr dstport srcport"), Measures: strings.Fields("bytes flows last distinct(protocol)"), Top: 1}
		for _, many.Having = range []string{"dstport < 1000", "bytes > 0 and srcport != 22", ""} {
			reports = append(reports, changed(t, "talkers", many))
		}
		expected, lacks, err := aggregate(t, reports, rows, 1, len(rows))
		if err != nil || len(lacks) > 0 {
			t.Fatal(lacks, err)
		}
		for _, workers := range []int{1, 3} {
			for i, got := range spilled(t, reports, rows, workers, 70) {
				if g, w := result(got), result(expected[i]); g != w {
					t.Errorf("seed %d, %d workers: %s by %v, %v:\n got %s\nwant %s", seed, workers, reports[i].Name, reports[i].Keys, reports[i].Measures, g, w)
				}
			}
		}
	}
}

// States and values come back from bytes as they were, and other bytes are errors.
func FuzzLoad(f *testing.F) {
	rows := reporttest.RandomRows(rand.New(rand.NewPCG(1, 1)), 50)
	r, err := report.Catalog()[0].With(report.Change{
		By: []string{"srcaddr", "subnet_id", "srcaddr/24", "hour", "time", "dstport", "tcp_flags", "bytes"},
		Measures: []string{"flows", "bytes", "first", "last", "p50(bytes)", "distinct(srcaddr)", "distinct(dstaddr+dstport)",
			"distinct(subnet_id)", "nodata", "avg(packets)"}, Top: -1,
	}, reporttest.Scope(), nil)
	if err != nil {
		f.Fatal(err)
	}
	agg, err := New(reporttest.Fields(), []report.Report{r}, 1)
	if err != nil {
		f.Fatal(err)
	}
	if err := agg.Add(schema.Batch{Record: reporttest.NewFeeder(agg.Projection()).Record(f, rows)}); err != nil {
		f.Fatal(err)
	}
	w := agg.workers[0]
	g := w.groupings[0]
	_, ids := g.existing()
	for _, id := range ids {
		var state []byte
		for _, b := range g.accs {
			if b.state != nil {
				state = b.state.Append(state, id)
			}
		}
		f.Add(state)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		g := newWorker(agg.job).groupings[0]
		g.grow(1)
		for _, b := range g.accs {
			if b.state == nil {
				continue
			}
			rest, err := b.state.Load(src, 0)
			if err != nil {
				return
			}
			if len(rest) > len(src) {
				t.Fatal("a state gives back more than it was given")
			}
			src = rest
			b.state.Value(0)
		}
	})
}

var errInjected = errors.New("injected")

// Whichever call of the temporary file fails, the error comes out, and calls after it do no harm.
func TestEveryFailureOfASpill(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	rows := reporttest.RandomRows(r, 30)
	reports := []report.Report{changed(t, "pairs", report.Change{})}
	want := spilled(t, reports, rows, 2, 10)
	done := false
	for n := 1; !done; n += 1 + n/reporttest.Fewer(1000) {
		var calls atomic.Int64
		restore := disk.Inject(func(string, string) error {
			if calls.Add(1) == int64(n) {
				return errInjected
			}
			return nil
		})
		agg, err := New(reporttest.Fields(), reports, 2)
		if err != nil {
			t.Fatal(err)
		}
		agg.Limit(1, t.TempDir())
		feed := reporttest.NewFeeder(agg.Projection())
		var errs []error
		for i := 0; i < len(rows); i += 10 { // all of them, whatever became of the one before
			errs = append(errs, agg.Add(schema.Batch{Record: feed.Record(t, rows[i:i+10]), Worker: i / 10 % 2}))
		}
		var tables []report.Table
		if err := errors.Join(errs...); err == nil {
			tables, _, err = agg.Tables(statsOf(rows), nil)
			errs = append(errs, err)
		}
		err = errors.Join(append(errs, agg.Close())...)
		restore()
		switch done = calls.Load() < int64(n); {
		case done && (err != nil || result(tables[0]) != result(want[0])):
			t.Errorf("nothing fails: %v, or the rows differ", err)
		case !done && !errors.Is(err, errInjected):
			t.Errorf("call %d fails: got %v", n, err)
		case n > 100_000:
			t.Fatal("does not end")
		}
	}
}

func statsOf(rows []reporttest.Row) schema.Stats {
	stats := schema.Stats{Malformed: 3}
	for _, r := range rows {
		if stats.Records++; reporttest.IsFlow(r) {
			stats.Flows++
		}
	}
	return stats
}
