package group

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

// overTime are records of one flow each: of a source, in so many minutes.
func overTime(source string, flows ...int) []reporttest.Row {
	var rows []reporttest.Row
	for minute, n := range flows {
		for range n {
			start := fmt.Sprint(1700000040 + 60*minute)
			rows = append(rows, reporttest.Row{"srcaddr": source, "start": start, "end": start, "log_status": "OK", "action": "REJECT", "bytes": "10"})
		}
	}
	return rows
}

func spikes(by []string, having, measure string, times float64) report.Report {
	r, err := report.Report{Name: "spikes", Measures: measuresNamed("flows")}.With(report.Change{By: by, Every: "1m", Having: having, Top: 0}, expr.Scope{Fields: reporttest.Fields()}, time.UTC)
	if err != nil {
		panic(err)
	}
	if measure, err = r.Need(measure, reporttest.Fields()); err != nil {
		panic(err)
	}
	r.Spike = &report.Spike{Measure: measure, Times: times}
	return r
}

func TestSpike(t *testing.T) {
	for _, test := range []struct {
		what  string
		flows []int
		times float64
		want  string // minute:flows/median of the rows
	}{
		{"none", []int{2, 3, 2, 3, 2}, 3, ""},
		{"one", []int{2, 3, 20, 3, 2}, 3, "2:20/2.5"},
		{"as many times is not more", []int{2, 2, 6, 2, 2}, 3, ""},
		{"two", []int{2, 30, 20, 3, 2, 2, 2}, 3, "1:30/2 2:20/2"},
		{"of nothing", []int{1, 0, 0, 7, 0, 1}, 5, "3:7/0 0:1/0 5:1/0"},
		{"too few bins", []int{1, 1, 90}, 5, ""},
		{"bins without rows count", []int{5, 0, 0, 5}, 2, "0:5/0 3:5/0"},
	} {
		got := table(t, spikes(nil, "", "flows", test.times), overTime("10.0.0.1", test.flows...))
		reporttest.Want(t, test.what, strings.Join(spikeRows(got), " "), test.want)
		reporttest.Want(t, test.what+": moot", got.Moot != "", test.what == "too few bins")
	}
}

func spikeRows(t report.Table) []string {
	var out []string
	for _, r := range t.Rows {
		out = append(out, fmt.Sprintf("%d:%v/%v", (r[0].(time.Time).Unix()-1700000040)/60, r[len(r)-2], r[len(r)-1]))
	}
	return out
}

// Sources are compared with themselves, at the times that there are flows at all.
func TestSpikeIsWithinASeries(t *testing.T) {
	rows := append(overTime("10.0.0.1", 50, 50, 50, 50, 50, 50), overTime("10.0.0.2", 1, 0, 0, 9, 0, 0)...)
	rows = append(rows, overTime("10.0.0.3", 1, 1, 1, 1, 1, 1)...)
	got := table(t, spikes([]string{"srcaddr"}, "flows >= 5", "flows", 5), rows)
	reporttest.Want(t, "rows", len(got.Rows), 1)
	reporttest.Want(t, "source", got.Rows[0][1], "10.0.0.2")
	reporttest.Want(t, "columns", len(got.Columns), len(got.Rows[0]))
	reporttest.Want(t, "totals", len(got.Totals), len(got.Columns))
	reporttest.Want(t, "excluded", got.Excluded, 13)
}

// A measure that is unknown of nothing is compared with the bins that have it.
func TestSpikeOfAnAverage(t *testing.T) {
	rows := overTime("10.0.0.1", 1, 1, 0, 0, 1, 1)
	rows[3]["bytes"] = "1000"
	got := table(t, spikes(nil, "", "avg(bytes)", 5), rows)
	reporttest.Want(t, "rows", strings.Join(spikeRows(got), " "), "5:1000/10")
}

// The answer is the same by any number of workers, and where groups were put into a file.
func TestSpikesDoNotDependOnBatchesAndWorkers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var rows []reporttest.Row
	for source := range 40 {
		flows := make([]int, 12)
		for i := range flows {
			flows[i] = random.IntN(4)
		}
		flows[random.IntN(len(flows))] += 20 * random.IntN(2)
		rows = append(rows, overTime(fmt.Sprintf("10.0.0.%d", source+1), flows...)...)
	}
	random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	rep := []report.Report{spikes([]string{"srcaddr"}, "flows > 10", "flows", 4)}
	first, _, err := aggregate(t, rep, rows, 1, len(rows))
	if err != nil || len(first[0].Rows) < 5 {
		t.Fatalf("%d rows, %v", len(first[0].Rows), err)
	}
	again, _, err := aggregate(t, rep, rows, 5, 7)
	if err != nil {
		t.Fatal(err)
	}
	reporttest.Want(t, "five workers", again[0].Rows, first[0].Rows)

	reporttest.Want(t, "spilled", spilled(t, rep, rows, 2, 50)[0].Rows, first[0].Rows)
}

// Where the clock is set a day is longer or shorter, which is no spike; what is much for a short day is one.
func TestSpikeOfDays(t *testing.T) {
	berlin := reporttest.InZone(t, "Europe/Berlin")
	days := func(first time.Time, more map[int]int) (rows []reporttest.Row) {
		for at := first; at.Before(first.AddDate(0, 0, 7)); at = at.Add(time.Hour) {
			n := 100 + more[at.Day()]
			start := fmt.Sprint(at.Unix())
			rows = append(rows, reporttest.Row{"srcaddr": "10.0.0.1", "start": start, "end": start, "log_status": "OK", "bytes": fmt.Sprint(n)})
		}
		return rows
	}
	autumn, spring := time.Date(2024, 10, 24, 0, 0, 0, 0, berlin), time.Date(2024, 3, 28, 0, 0, 0, 0, berlin)
	for _, test := range []struct {
		measure string
		rows    []reporttest.Row
		want    string
	}{
		{"bytes", days(autumn, nil), ""},
		{"bps", days(autumn, nil), ""},
		{"flows", days(autumn, nil), ""},
		{"bytes", days(spring, map[int]int{31: 4}), "31:2392/2300"}, // 23 hours of 104, and 100 in others
		{"bps", days(spring, map[int]int{31: 4}), "31:0.2311/0.2222"},
		{"bytes", days(spring, map[int]int{30: 4}), "30:2496/2400"},
	} {
		r, err := report.Report{Name: "spikes", Measures: measuresNamed(test.measure)}.With(report.Change{Every: "1d", Top: 0}, expr.Scope{Fields: reporttest.Fields()}, berlin)
		if err != nil {
			t.Fatal(err)
		}
		r.Spike = &report.Spike{Measure: test.measure, Times: 1.03}
		var got []string
		for _, x := range table(t, r, test.rows).Rows {
			got = append(got, fmt.Sprintf("%d:%.4v/%.4v", x[0].(time.Time).In(berlin).Day(), x[len(x)-2], x[len(x)-1]))
		}
		reporttest.Want(t, test.measure, strings.Join(got, " "), test.want)
	}
}
