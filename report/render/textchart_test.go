package render

import (
	"strings"
	"testing"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
)

func TestBar(t *testing.T) {
	for _, tt := range []struct {
		v, top float64
		want   string
	}{{0, 10, ""}, {10, 10, "████"}, {5, 10, "██"}, {0.001, 10, "▏"}, {3, 10, "█▎"}, {1, 0, ""}} {
		if got := bar(tt.v, tt.top, 4, barRamp); got != tt.want {
			t.Errorf("bar(%v of %v) = %q, want %q", tt.v, tt.top, got, tt.want)
		}
	}
	if got := bar(3, 10, 10, asciiBar); got != "###" {
		t.Errorf("got %q", got)
	}
}

// TestChartWidth: a chart keeps to the terminal, whatever its rows, and nothing of the input reaches it as an escape.
func TestChartWidth(t *testing.T) {
	bin := report.Column{Name: "time", Role: report.KeyRole, Kind: schema.Time, Unit: report.Instant, Every: time.Minute}
	key := report.Column{Name: "key", Role: report.KeyRole, Kind: schema.Text}
	sum := report.Column{Name: "bytes", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Bytes, Share: true}
	one := report.Table{Name: "one", Columns: []report.Column{bin, sum}}
	many := report.Table{Name: "many", Columns: []report.Column{bin, key, sum}}
	for i := range 500 {
		at := time.Unix(int64(1710720000+60*i), 0).UTC()
		one.Rows = append(one.Rows, []any{at, int64(i)})
		many.Rows = append(many.Rows, []any{at, "a\x1b[31m" + strings.Repeat("é", i%40), int64(i)})
	}
	for _, width := range []int{60, 80, 200} {
		for _, ascii := range []bool{false, true} {
			for _, table := range []report.Table{one, many} {
				out := render(t, "table", documentOf(table), Options{Chart: true, Width: width, ASCII: ascii})
				if strings.Contains(out, "\x1b") {
					t.Errorf("%s: an escape in %q", table.Name, out)
				}
				for line := range strings.Lines(out) {
					if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
						t.Errorf("%s, width %d: %d in %q", table.Name, width, n, line)
					}
				}
			}
		}
	}
}

func TestHeatColors(t *testing.T) {
	table := report.Table{Name: "heat", Columns: []report.Column{
		{Name: "hour", Role: report.KeyRole, Kind: schema.Int32},
		{Name: "n", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count, Share: true},
	}, Rows: [][]any{{int64(0), int64(1)}, {int64(23), int64(1000)}}}
	out := render(t, "table", documentOf(table), Options{Chart: true, Color: true})
	if !strings.Contains(out, "\x1b[48;5;17m  \x1b[0m") || !strings.Contains(out, "\x1b[48;5;75m  \x1b[0m") {
		t.Errorf("got %q", out)
	}
	if out = render(t, "table", documentOf(table), Options{Chart: true}); strings.Contains(out, "\x1b") || !strings.Contains(out, "··") || !strings.Contains(out, "██") {
		t.Errorf("got %q", out)
	}
}
