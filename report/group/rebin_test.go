package group

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"flowlog/report"
	"flowlog/report/reporttest"
)

// TestRebin: wider bins of a table are what the report by bins of that width has, also of what does not add up.
func TestRebin(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	rows := reporttest.RandomRows(r, 600)
	for i := range rows {
		if r.IntN(20) > 0 {
			start := 1711846800 + r.IntN(40_000) // over the beginning of summer time
			rows[i]["start"], rows[i]["end"] = strconv.Itoa(start), strconv.Itoa(start+r.IntN(300))
		}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	change := report.Change{Top: -1, Measures: []string{
		"rejected_share", "flows", "bytes", "first", "last", "max(bytes)", "avg(packets)", "distinct(dstaddr)", "distinct(dstaddr+dstport)", "p50(packets)",
		"p95(packets)", "bps", "duration", "nodata", "malformed",
	}}
	for _, by := range [][]string{{"time"}, {"srcaddr", "time", "protocol"}} {
		for _, widths := range [][2]string{{"1m", "5m"}, {"10m", "6h"}, {"1h", "1d"}} {
			at := func(every string) report.Report {
				change.By, change.Every = by, every
				report, _ := report.Named("timeline")
				report, err := report.With(change, reporttest.Scope(), berlin)
				if err != nil {
					t.Fatal(err)
				}
				return report
			}
			width, _ := report.ParseEvery(widths[1])
			for _, fine := range []report.Table{table(t, at(widths[0]), rows), spilled(t, []report.Report{at(widths[0])}, rows, 2, 64)[0]} {
				got, err := fine.Rebin(width)
				if err != nil {
					t.Fatal(err)
				}
				if g, w := rowTexts(got), rowTexts(table(t, at(widths[1]), rows).Rows); !slices.Equal(g, w) {
					t.Errorf("by %v, %s in %s: got %d rows, want %d", by, widths[0], widths[1], len(g), len(w))
					for i := range min(len(g), len(w)) {
						if g[i] != w[i] {
							t.Errorf("got  %s\nwant %s", g[i], w[i])
							break
						}
					}
				}
			}
		}
	}
	if sums := table(t, changed(t, "timeline", report.Change{Top: -1}), rows); sums.Rebin != nil {
		t.Error("what adds up is computed again")
	}
	if whole := table(t, changed(t, "talkers", report.Change{Top: -1, Measures: []string{"bps"}}), rows); whole.Rebin != nil {
		t.Error("there are bins without a time")
	}
}

// rowTexts are rows as text, in an order that is the same whatever theirs is.
func rowTexts(rows [][]any) []string {
	var out []string
	for _, row := range rows {
		out = append(out, fmt.Sprint(row))
	}
	slices.Sort(out)
	return out
}
