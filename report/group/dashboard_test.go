package group

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

func TestDashboard(t *testing.T) {
	fields := append(reporttest.Fields(), schema.Field{Name: "src_scope", Kind: schema.Text}, schema.Field{Name: "dst_scope", Kind: schema.Text})
	scope := expr.Scope{Fields: append(fields, schema.Delivered()...), List: "flowlog fields", Number: func(field, name string) []int64 {
		return map[string][]int64{"tcp": {6}, "udp": {17}}[name]
	}}
	titles := make(map[string]bool)
	var tabs []string
	for _, p := range report.Dashboard() {
		if titles[p.Title] || p.Title == "" {
			t.Errorf("two panels have the title %q", p.Title)
		}
		titles[p.Title] = true
		if len(tabs) == 0 || tabs[len(tabs)-1] != p.Tab {
			if slices.Contains(tabs, p.Tab) {
				t.Errorf("%s: the panels of the tab %s are not together", p.Title, p.Tab)
			}
			tabs = append(tabs, p.Tab)
		}
		r, ok := report.Named(p.Report)
		if !ok {
			t.Errorf("%s: there is no report %s", p.Title, p.Report)
			continue
		}
		changed, err := r.With(p.Change, scope, time.UTC)
		if err != nil {
			t.Errorf("%s: %v", p.Title, err)
			continue
		}
		timed := slices.ContainsFunc(changed.Keys, func(k report.Key) bool { return k.Every != 0 || k.Hour })
		if ranks := len(changed.Keys) > 0 && !timed; ranks != (changed.Limit > 0) {
			t.Errorf("%s: shows %d rows", p.Title, changed.Limit)
		}
	}
	want := []string{"Overview", "Top talkers", "Geo", "ASN", "Rejected", "AWS networking", "Protocols", "AWS services", "Ports", "Quality"}
	if !slices.Equal(tabs, want) {
		t.Errorf("got the tabs %q", tabs)
	}
}

func TestChangeSettings(t *testing.T) {
	c := report.Change{By: []string{"time", "dstport"}, Measures: []string{"flows"}, Where: "action = REJECT", Having: "flows > 1", Every: "1h", Sort: "-flows", Top: 3}
	want := []report.Setting{{Name: "by", Value: "time,dstport"}, {Name: "measures", Value: "flows"}, {Name: "where", Value: "action = REJECT"}, {Name: "having", Value: "flows > 1"}, {Name: "every", Value: "1h"}, {Name: "sort", Value: "-flows"}, {Name: "top", Value: "3"}}
	if got := c.Settings(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (report.Change{Top: -1}).Settings(); got != nil {
		t.Errorf("got %q for no change", got)
	}
}

// TestSharedGroups: reports that share their groups come to what each comes to alone.
func TestSharedGroups(t *testing.T) {
	scope := expr.Scope{Fields: schema.Logged()}
	var reports []report.Report
	for _, x := range []struct {
		name string
		report.Change
	}{
		{"talkers", report.Change{Top: 3}},
		{"talkers", report.Change{Top: 2, Sort: "packets"}},
		{"talkers", report.Change{Top: -1, Sort: "-flows", Measures: []string{"flows", "distinct_dstport", "bps"}}},
		{"talkers", report.Change{Top: 1, Where: "action = REJECT"}},
		{"rejected", report.Change{Top: 0}},
		{"receivers", report.Change{Top: 0}},
		{"timeline", report.Change{Top: -1}},
		{"timeline", report.Change{Top: -1, Measures: []string{"rejected_share", "pps"}}},
		{"timeline", report.Change{Top: -1, Measures: []string{"nodata", "skipdata", "flows"}}},
		{"timeline", report.Change{Top: -1, Measures: []string{"skipdata"}}},
		{"timeline", report.Change{Top: -1, Every: "1h"}},
		{"quality", report.Change{Top: -1}},
		{"interfaces", report.Change{Top: -1}},
	} {
		r, _ := report.Named(x.name)
		r, err := r.With(x.Change, scope, nil)
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, r)
	}
	sameAlone(t, reports, reporttest.RandomRows(rand.New(rand.NewPCG(1, 2)), 500))
}

// TestPanelsAlone: what a report shows on a dashboard is what it shows alone. There, it sees the records; here, many
// are rolled up from the groups of others.
func TestPanelsAlone(t *testing.T) {
	scope := expr.Scope{Fields: schema.Logged(), Number: func(field, name string) []int64 {
		return map[string][]int64{"tcp": {6}, "udp": {17}}[name]
	}}
	for seed, where := range []string{"", "action = REJECT", "dstport < 1024 and protocol in (6, 17)", "packets > 5 or bytes > 100"} {
		var reports []report.Report
		for _, p := range append(report.Dashboard(), extraPanels...) {
			r, _ := report.Named(p.Report)
			changed, err := r.With(p.Change, scope, time.UTC)
			if err == nil && where != "" {
				c := report.Change{Where: where, Top: -1}
				if changed.TimeAt() >= 0 {
					c.Every = "5m" // bins are as wide as all that is shown together asks for
				}
				changed, err = changed.With(c, scope, time.UTC)
			}
			if err == nil && p.Tab != "Geo" && p.Tab != "ASN" {
				reports = append(reports, changed)
			}
		}
		if len(reports) < 50 {
			t.Fatalf("only %d panels have logged fields alone", len(reports))
		}
		sameAlone(t, reports, reporttest.RandomRows(rand.New(rand.NewPCG(uint64(seed), 2)), 300))
	}
}

// TestBinsOfConditions: bins are as wide as the flows ask for that meet some condition, whatever else is rolled up.
func TestBinsOfConditions(t *testing.T) {
	rows := reporttest.RowsOf("start protocol\n1600000000 1\n1700000000 6\n1700000600 17")
	var reports []report.Report
	for _, where := range []string{"protocol = 6", "protocol = 17"} {
		reports = append(reports, changed(t, "timeline", report.Change{Where: where, Measures: []string{"flows"}, Top: -1}))
	}
	tables, _, err := aggregate(t, reports, rows, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tables {
		reporttest.Want(t, reports[i].Where.String(), tables[i].Columns[0].Every, time.Minute)
	}
	reporttest.Want(t, "on disk", spilled(t, reports, rows, 1, 1)[0].Columns[0].Every, time.Minute)
}

// extraPanels ask for what no panel of the dashboard does.
var extraPanels = []report.Panel{
	{Tab: "", Title: "hours in another zone", Report: "heatmap", Change: report.Change{By: strings.Fields("hour action"), Measures: strings.Fields("first last avg(bytes) count(bytes) bps"), Top: -1}},
	{Tab: "", Title: "no keys", Report: "summary", Change: report.Change{Where: "action = ACCEPT", Top: -1}},
	{Tab: "", Title: "no keys, other measures", Report: "summary", Change: report.Change{Measures: strings.Fields("flows max(bytes) p50(packets) distinct_srcaddr distinct_protocol"), Top: -1}},
	{Tab: "", Title: "status", Report: "protocols", Change: report.Change{By: strings.Fields("log_status"), Measures: strings.Fields("flows nodata"), Top: -1}},
	{Tab: "", Title: "of one status", Report: "timeline", Change: report.Change{Where: "log_status = OK", Top: -1}},
	{Tab: "", Title: "nulls", Report: "protocols", Change: report.Change{Where: "action is null or action = REJECT", Top: -1}},
	{Tab: "", Title: "two fields at once", Report: "protocols", Change: report.Change{Where: "action = REJECT or protocol = 6", Top: -1}},
	{Tab: "", Title: "wide and narrow", Report: "actions", Change: report.Change{Where: "not action = REJECT and bytes > 100", Top: -1}},
	{Tab: "", Title: "other bins", Report: "timeline", Change: report.Change{By: strings.Fields("time action"), Every: "1h", Top: -1}},
	{Tab: "", Title: "of all records", Report: "quality", Change: report.Change{By: strings.Fields("protocol"), Top: -1}},
	{Tab: "", Title: "of all records, rolled up", Report: "timeline", Change: report.Change{By: strings.Fields("time action"), Where: "protocol = 6", Measures: strings.Fields("nodata skipdata flows rejected"), Top: -1}},
}

// sameAlone checks that reports come to the same together, with one worker and several, in memory and not, as each
// does alone.
func sameAlone(t *testing.T, reports []report.Report, rows []reporttest.Row) {
	t.Helper()
	for _, workers := range []int{1, 3} {
		together, lacks, err := aggregate(t, reports, rows, workers, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range slices.Backward(lacks) {
			reports = slices.Delete(slices.Clone(reports), l.Index, l.Index+1)
		}
		onDisk := spilled(t, reports, rows, workers, 64)
		for i, r := range reports {
			alone, _, err := aggregate(t, []report.Report{r}, rows, 1, 64)
			if err != nil {
				t.Fatal(err)
			}
			alone[0].Notes, together[i].Notes = nil, nil // only the first says that flows were lost
			alone[0].Rebin, together[i].Rebin = nil, nil
			if together[i].Why == "" { // of what is rolled up nobody knows, but no other reason is said
				alone[0].Why = ""
			}
			if !reflect.DeepEqual(alone[0], together[i]) {
				t.Errorf("%s by %v where %v: alone %v, together %v", r.Name, r.Keys, r.Where, alone[0], together[i])
			}
			if g, w := result(onDisk[i]), result(alone[0]); g != w {
				t.Errorf("%s by %v where %v: alone %v, together and spilled %v", r.Name, r.Keys, r.Where, w, g)
			}
		}
	}
}
