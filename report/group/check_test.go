package group

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

func rule(t *testing.T, message string, c report.Change) report.Rule {
	t.Helper()
	r := report.Rule{Severity: report.High}
	var err error
	if r.Report, err = (report.Report{Name: "rule", Measures: measuresNamed("flows")}).With(c, expr.Scope{Fields: reporttest.Fields()}, time.UTC); err != nil {
		t.Fatal(err)
	}
	if err := r.SetMessage(message, reporttest.Fields()); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCheck(t *testing.T) {
	rows := reporttest.RowsOf(`
srcaddr dstport bytes log_status
10.0.0.1 22 10 OK
10.0.0.1 23 10 OK
10.0.0.2 22 10 OK`)
	r := rule(t, "{srcaddr} {{{rule}}}: {flows}, {bytes}", report.Change{By: []string{"srcaddr", "dstport"}, Having: "flows > 0"})
	r.KnownBy = []string{"srcaddr"}
	quiet := rule(t, "{flows}", report.Change{By: []string{"srcaddr"}, Having: "flows > 9"})
	quiet.Name = "quiet"
	lacking := rule(t, "{flows}", report.Change{By: []string{"vpc_id"}, Having: "flows > 9"})
	lacking.Name = "lacking"
	moot := rule(t, "{flows}", report.Change{By: []string{"srcaddr"}, Having: "flows > 9 and sum_packets_lost_no_route > 1"})
	moot.Name = "moot"
	either := rule(t, "{flows}", report.Change{By: []string{"srcaddr"}, Having: "flows > 0 or sum_packets_lost_no_route > 1"})
	either.Name = "either"
	rules := []report.Rule{r, quiet, lacking, moot, either}
	var reports []report.Report
	for _, r := range rules {
		reports = append(reports, r.Report)
	}
	tables, lacks, err := aggregate(t, reports, rows, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(map[string]string)
	for _, l := range lacks {
		reasons[l.Report] = l.Error()
	}
	got := report.Check(rules, tables, reasons, nil)
	var said []string
	for _, v := range got {
		said = append(said, fmt.Sprintf("%s %d %t", v.Name, v.Fired(), v.Skipped != ""))
	}
	reporttest.Want(t, "verdicts", strings.Join(said, ", "), "rule 3 false, quiet 0 false, lacking 0 true, moot 0 true, either 2 false")
	f := got[0].Findings[0]
	value := func(_ report.Column, v any) string { return fmt.Sprint(v) }
	reporttest.Want(t, "message", f.Expand(value), "10.0.0.1 {rule}: 1, 10")
	reporttest.Want(t, "id", f.ID, got[0].Findings[1].ID)
	reporttest.Want(t, "seen", got[0].Seen[0].What, `rule srcaddr="10.0.0.1"`)
	reporttest.Want(t, "IDs", len(got[0].Seen), 2)
	if f.ID != "bf17d0e9ebf030a1270e0b8ddd8c04d2" {
		t.Errorf("the ID is %s: those in the baselines of users do not fit any more", f.ID)
	}

	known := func(id string) bool { return id == f.ID }
	rules[0].Most = 1
	v := report.Check(rules[:1], tables, nil, known)[0]
	reporttest.Want(t, "known", fmt.Sprint(v.Known, v.Fired(), v.More, len(v.Seen)), "2 1 0 2")
	v = report.Check(rules[:1], tables, nil, nil)[0]
	reporttest.Want(t, "more than are listed", fmt.Sprint(v.Fired(), v.More, len(v.Findings), len(v.Seen)), "3 2 1 2")
}

func TestMessages(t *testing.T) {
	r := rule(t, "", report.Change{By: []string{"srcaddr", "protocol"}})
	for text, wrong := range map[string]string{
		"{srcadr}":       "did you mean {srcaddr}?",
		"{byte}":         "did you mean {bytes}?",
		"{":              "the closing } is missing",
		"x } y":          "ends no {name}",
		"{srcaddr":       "the closing } is missing",
		"{median}":       "unknown value {median}",
		"{{srcaddr}":     "ends no {name}",
		"{{ é {srcaddr}": "",
		"{SRCADDR} {protocol_name} {distinct(dstport)} {severity}": "",
	} {
		err := r.SetMessage(text, reporttest.Fields())
		if got := fmt.Sprint(err); wrong == "" && err != nil || !strings.Contains(got, wrong) {
			t.Errorf("%s: %v, want %q", text, err, wrong)
		}
	}
	if err := r.SetMessage("{{é}} {srcaddr}", reporttest.Fields()); err != nil {
		t.Fatal(err)
	}
	f := report.Finding{Rule: &r}
	reporttest.Want(t, "text around", f.Expand(func(report.Column, any) string { return "-" }), "{é} -")
}
