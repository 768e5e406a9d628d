package render

import (
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
