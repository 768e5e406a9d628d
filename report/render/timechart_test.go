package render

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
)

// Columns of charts over time.
var (
	binColumn   = report.Column{Name: "time", Role: report.KeyRole, Kind: schema.Time, Unit: report.Instant, Every: time.Minute}
	flowsColumn = report.Column{Name: "flows", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count, Share: true}
	shareColumn = report.Column{Name: "rejected_share", Role: report.MeasureRole, Kind: schema.Float, Unit: report.Share}
)

func minute(n int) time.Time { return time.Unix(int64(1710720000+60*n), 0).UTC() }

// TestUndrawn: what a chart over time leaves out it says, so that what is drawn and what is said are all there is.
func TestUndrawn(t *testing.T) {
	table := report.Table{Columns: []report.Column{binColumn, flowsColumn}, Rows: [][]any{{minute(0), int64(38)}, {minute(1), int64(13)}, {nil, int64(16)}}, Cut: 2}
	for _, want := range []string{"Not drawn: 16 flows without a start time.", "Not drawn: 2 rows that were cut."} {
		if page := render(t, "html", documentOf(table), Options{}); !strings.Contains(page, `<p class="note">`+want) {
			t.Errorf("the page does not say %q", want)
		}
		if out := render(t, "table", documentOf(table), Options{Chart: true}); !strings.Contains(out, "not drawn"+strings.TrimSuffix(strings.TrimPrefix(want, "Not drawn"), ".")) {
			t.Errorf("the chart does not say %q:\n%s", want, out)
		}
	}
	table.Columns[1], table.Cut = shareColumn, 0
	table.Rows = [][]any{{minute(0), 0.5}, {nil, 1.0}}
	if page := render(t, "html", documentOf(table), Options{}); !strings.Contains(page, "Not drawn: 1 row without a start time.") {
		t.Error("the page does not say that a row has no time")
	}
}

// TestNoTimeAtAll: rows that have no time are drawn as those of any other key, and do not break the chart.
func TestNoTimeAtAll(t *testing.T) {
	hour := report.Column{Name: "hour", Role: report.KeyRole, Kind: schema.Int32}
	for _, key := range []report.Column{binColumn, hour} {
		table := report.Table{Columns: []report.Column{key, flowsColumn}, Rows: [][]any{{nil, int64(16)}}, Totals: []any{nil, int64(16)}}
		if out := render(t, "table", documentOf(table), Options{Chart: true}); !strings.Contains(out, "16") {
			t.Errorf("got\n%s", out)
		}
		if page := render(t, "html", documentOf(table), Options{}); !strings.Contains(page, "Without "+key.Name+": 16 flows, 100.0 %.") {
			t.Errorf("%s: the page does not say what has none", key.Name)
		}
	}
}

func TestClock(t *testing.T) {
	table := report.Table{Columns: []report.Column{binColumn}}
	for i := range 1000 {
		table.Rows = append(table.Rows, []any{minute(i + 542)})
	}
	c := clockOf(table, 360, Options{})
	if place := c.place(table); c.n != 201 || c.every != 5*time.Minute || place(table.Rows[5]) != 1 || place([]any{nil}) != -1 {
		t.Errorf("%d bins of %v", c.n, c.every)
	}
	if got := c.name(1); got != "Mon 2024-03-18 09:05–09:10" {
		t.Error(got)
	}
	if empty := clockOf(report.Table{Columns: []report.Column{binColumn}}, 360, Options{}); empty.n != 0 {
		t.Error(empty.n)
	}
	// Wider bins begin where those of that width do, and days where they begin in the zone of the bins.
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	days := report.Table{Columns: []report.Column{{Name: "time", Role: report.KeyRole, Kind: schema.Time, Every: day, Zone: berlin}}}
	for i := range 40 { // over the beginning of summer time
		days.Rows = append(days.Rows, []any{time.Date(2024, 3, 1+i, 0, 0, 0, 0, berlin).UTC()})
	}
	c = clockOf(days, 100, Options{Zone: berlin})
	place := c.place(days)
	for i, row := range days.Rows {
		if place(row) != i || c.at(i).Hour() != 0 {
			t.Errorf("day %d is at %d, which begins %v", i, place(row), c.at(i))
		}
	}
	if c.n != 40 {
		t.Errorf("%d days", c.n)
	}
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		first time.Time
		every time.Duration
		n     int
		want  string
	}{
		{minute(542), time.Minute, 60, "[{8 09:10 Mon 18 Mar 2024} {18 09:20 } {28 09:30 } {38 09:40 } {48 09:50 } {58 10:00 }]"},
		{minute(0), 30 * time.Minute, 49, "[{0 00:00 Mon 18 Mar 2024} {12 06:00 } {24 12:00 } {36 18:00 } {48 00:00 Tue 19 Mar}]"},
		{time.Date(2023, 12, 31, 18, 0, 0, 0, time.UTC), time.Hour, 12, "[{0 18:00 Sun 31 Dec 2023} {2 20:00 } {4 22:00 } {6 00:00 Mon 1 Jan 2024} {8 02:00 } {10 04:00 }]"},
		{time.Date(2023, 12, 28, 0, 0, 0, 0, time.UTC), day, 7, "[{0 Dec 28 2023} {1 Dec 29 } {2 Dec 30 } {3 Dec 31 } {4 Jan 1 2024} {5 Jan 2 } {6 Jan 3 }]"},
		{time.Date(2014, 10, 31, 0, 0, 0, 0, time.UTC), 91 * day, 37, "[{0 Aug 2014} {6 Feb 2016} {12 Jul 2017} {18 Jan 2019} {24 Jul 2020} {30 Jan 2022} {36 Jul 2023}]"},
		{minute(-10), time.Minute, 60, "[{0 23:50 17 Mar 2024} {10 00:00 Mon 18 Mar} {20 00:10 } {30 00:20 } {40 00:30 } {50 00:40 }]"},
		{minute(0), time.Second, 3, "[{0 00:00:00 Mon 18 Mar 2024} {1 00:00:01 } {2 00:00:02 }]"},
	} {
		bin := binColumn
		bin.Every = tt.every
		table := report.Table{Columns: []report.Column{bin}, Rows: [][]any{{tt.first}, {tt.first.Add(time.Duration(tt.n-1) * tt.every)}}}
		if got := fmt.Sprint(clockOf(table, 360, Options{}).ticks(7)); got != tt.want {
			t.Errorf("%d bins of %v: got\n%s, want\n%s", tt.n, tt.every, got, tt.want)
		}
	}
}

var axisOf = regexp.MustCompile(`viewBox="0 0 (\d+) 1000".*?data-tip="([^&]*)&#10;`)

// TestCommonAxis: all charts over time of a page have one axis, from the first bin to the last that any of them has.
func TestCommonAxis(t *testing.T) {
	var tables []report.Table
	for _, span := range [][2]int{{0, 3}, {-10, 1}, {5, 30}} {
		tables = append(tables, report.Table{Columns: []report.Column{binColumn, flowsColumn}, Rows: [][]any{{minute(span[0]), int64(1)}, {minute(span[1]), int64(2)}}})
	}
	tables = append(tables, talkers())
	berlin := render(t, "html", documentOf(tables...), Options{Zone: time.FixedZone("CET", 3600)})
	if n := strings.Count(berlin, `<text class="axis y" x="-8" y="217">CET</text>`); n != 3 {
		t.Errorf("%d axes say what zone they are in", n)
	}
	page := render(t, "html", documentOf(tables...), Options{})
	axes := axisOf.FindAllStringSubmatch(strings.ReplaceAll(page, "\n", ""), -1)
	if len(axes) != 3 {
		t.Fatalf("%d charts", len(axes))
	}
	for _, axis := range axes {
		if axis[1] != "410" || axis[2] != "Sun 2024-03-17 23:50–23:51" {
			t.Errorf("an axis of %s from %s on", axis[1], axis[2])
		}
	}
}

// TestBand: of bins that share a place in a chart, and do not add up, the smallest and the largest are shown, and no other
// number. Those of a measure that adds up come to what the report has by the wider bins.
func TestBand(t *testing.T) {
	ratio := report.Table{Columns: []report.Column{binColumn, shareColumn}}
	sum := report.Table{Columns: []report.Column{binColumn, flowsColumn}}
	for i := range 1441 {
		ratio.Rows = append(ratio.Rows, []any{minute(i), float64(i%5) / 100})
		sum.Rows = append(sum.Rows, []any{minute(i), int64(i % 5)})
	}
	page := render(t, "html", documentOf(ratio), Options{})
	for _, want := range []string{
		"Mon 2024-03-18 00:05–00:10&#10;&#9;rejected_share&#9;0.0% – 4.0%\"", `<path class="band s0"`,
		"Drawn from the smallest to the largest rejected share of the bins of 1m in each 5m.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
	if out := render(t, "table", documentOf(ratio), Options{Chart: true, Width: 80}); !strings.Contains(out, "largest rejected_share of the bins of 1m in each column of 30m from") {
		t.Errorf("the chart does not say what it is of:\n%s", out)
	}
	page = render(t, "html", documentOf(sum), Options{})
	if !strings.Contains(page, "Mon 2024-03-18 00:05–00:10&#10;&#9;flows&#9;10\"") || strings.Contains(page, "Drawn from") {
		t.Error("sums of bins are not those of the wider ones")
	}
	ratio.Rows = ratio.Rows[:300]
	if page := render(t, "html", documentOf(ratio), Options{}); !strings.Contains(page, "rejected_share&#9;4.0%\"") || !strings.Contains(page, `<path class="curve s0"`) {
		t.Error("a value for each place makes no line")
	}
}

func TestSpokenDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{65 * time.Second: "1m5s", 30 * time.Minute: "30m", day: "1d", 1195*time.Hour + 53*time.Minute: "49d 19h"} {
		if got := spokenDuration(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

// TestPartialBins: a bin that the data cover in part is faded and says so, and a line stops before it.
func TestPartialBins(t *testing.T) {
	instant := func(name string) report.Column {
		return report.Column{Name: name, Role: report.MeasureRole, Kind: schema.Time, Unit: report.Instant}
	}
	sum := report.Table{Columns: []report.Column{instant("first"), instant("last")}, Rows: [][]any{{minute(0).Add(3 * time.Second), minute(4).Add(20 * time.Second)}}}
	flows := report.Table{Columns: []report.Column{binColumn, flowsColumn}}
	ratio := report.Table{Columns: []report.Column{binColumn, shareColumn}}
	for i := range 5 {
		flows.Rows = append(flows.Rows, []any{minute(i), int64(7)})
		ratio.Rows = append(ratio.Rows, []any{minute(i), 0.5})
	}
	doc := documentOf(sum, flows, ratio)
	page := render(t, "html", doc, Options{})
	if n := strings.Count(page, `<rect class="part" x="40" width="10" height="1000"/>`); n != 2 || strings.Count(page, `class="part"`) != 2 {
		t.Errorf("%d bins are faded", n)
	}
	if n := strings.Count(page, "00:04–00:05 · the data cover 20s of it&#10;"); n != 2 {
		t.Errorf("%d bins say that the data cover a part of them", n)
	}
	line := regexp.MustCompile(`<path class="curve s0" d="([^"]*)"`).FindStringSubmatch(page)
	if line == nil || strings.Count(line[1], "L") != 3 || !strings.HasSuffix(line[1], "L35 167h0") {
		t.Errorf("the line is %q", line)
	}
	// Where a condition leaves flows out, nobody knows what the data cover.
	doc.Settings = []report.Setting{{Name: "where", Value: "dstport = 22"}}
	if page := render(t, "html", doc, Options{}); strings.Contains(page, `class="part"`) {
		t.Error("a bin is faded for want of flows")
	}
}
