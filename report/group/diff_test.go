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

func TestDiff(t *testing.T) {
	rep, err := report.Report{Name: "diff"}.With(report.Change{By: []string{"srcaddr"}, Measures: []string{"bytes"}, Top: 0}, expr.Scope{Fields: reporttest.Fields()}, time.UTC)
	if err != nil || rep.CanDiff() != nil {
		t.Fatal(err, rep.CanDiff())
	}
	before := table(t, rep, reporttest.RowsOf(`
srcaddr bytes log_status
10.0.0.1 100 OK
10.0.0.2 50 OK
10.0.0.3 10 OK
10.0.0.4 7 OK
10.0.0.6 - OK`))
	after := table(t, rep, reporttest.RowsOf(`
srcaddr bytes log_status
10.0.0.1 150 OK
10.0.0.2 20 OK
10.0.0.4 7 OK
10.0.0.5 500 OK
- 3 OK`))
	lines := func(rows [][]any) string {
		var out []string
		for _, r := range rows {
			out = append(out, strings.Trim(fmt.Sprint(r), "[]"))
		}
		return strings.Join(out, "; ")
	}
	got := rep.Diff(before, after, nil, 0)
	reporttest.Want(t, "rows", lines(got.Rows), "10.0.0.5 new 0 500 500 <nil>; 10.0.0.1 grown 100 150 50 0.5; 10.0.0.2 shrunk 50 20 -30 -0.6; "+
		"10.0.0.3 gone 10 0 -10 -1; <nil> new 0 3 3 <nil>; 10.0.0.6 gone <nil> 0 <nil> <nil>")
	reporttest.Want(t, "totals", got.Totals, []any{nil, nil, 167, 680, 513, 513.0 / 167})
	reporttest.Want(t, "note", got.Notes, "[the same in both, and not shown: 1]")
	got = rep.Diff(before, after, nil, 2)
	reporttest.Want(t, "limited", len(got.Rows), 2)
	reporttest.Want(t, "others", fmt.Sprint(got.Cut, got.Others), "4 [<nil> <nil> 60 23 -37 -0.6166666666666667]")
	having, err := rep.DiffCondition("status in (new, grown) and change > 10 and srcaddr != 10.0.0.9", expr.Scope{Fields: reporttest.Fields()})
	if err != nil {
		t.Fatal(err)
	}
	got = rep.Diff(before, after, having, 0)
	reporttest.Want(t, "having", lines(got.Rows), "10.0.0.5 new 0 500 500 <nil>; 10.0.0.1 grown 100 150 50 0.5")
	reporttest.Want(t, "cut and excluded", []any{got.Cut, got.Excluded, got.Others == nil}, "[0 4 true]")
}

// A null is no number: what was null and has a value, or the other way round, is shown, whatever the measure.
func TestDiffOfNulls(t *testing.T) {
	before := reporttest.RowsOf(`
srcaddr bytes action log_status
10.0.0.1 - - OK
10.0.0.2 40 ACCEPT OK
10.0.0.3 - - OK
10.0.0.4 - - OK`)
	after := reporttest.RowsOf(`
srcaddr bytes action log_status
10.0.0.1 500 REJECT OK
10.0.0.2 - - OK
10.0.0.3 - - OK
10.0.0.5 - - OK`)
	lines := func(rows [][]any) string {
		var out []string
		for _, r := range rows {
			out = append(out, strings.Trim(fmt.Sprint(r), "[]"))
		}
		return strings.Join(out, "; ")
	}
	ends := func(none string) string {
		return "; 10.0.0.4 gone <nil> " + none + " <nil> <nil>; 10.0.0.5 new " + none + " <nil> <nil> <nil>"
	}
	for measure, wanted := range map[string][2]string{
		"bytes":          {"10.0.0.1 changed <nil> 500 <nil> <nil>; 10.0.0.2 changed 40 <nil> <nil> <nil>" + ends("0"), "[<nil> <nil> 40 500 460 11.5]"},
		"min(bytes)":     {"10.0.0.1 changed <nil> 500 <nil> <nil>; 10.0.0.2 changed 40 <nil> <nil> <nil>" + ends("<nil>"), "[<nil> <nil> 40 500 460 11.5]"},
		"avg(bytes)":     {"10.0.0.1 changed <nil> 500 <nil> <nil>; 10.0.0.2 changed 40 <nil> <nil> <nil>" + ends("<nil>"), "[<nil> <nil> 40 500 460 11.5]"},
		"p50(bytes)":     {"10.0.0.1 changed <nil> 501 <nil> <nil>; 10.0.0.2 changed 40 <nil> <nil> <nil>" + ends("<nil>"), "[<nil> <nil> 40 501 461 11.525]"},
		"rejected":       {"10.0.0.1 changed <nil> 1 <nil> <nil>; 10.0.0.2 changed 0 <nil> <nil> <nil>" + ends("0"), "[<nil> <nil> 0 1 1 <nil>]"},
		"rejected_share": {"10.0.0.1 changed <nil> 1 <nil> <nil>; 10.0.0.2 changed 0 <nil> <nil> <nil>" + ends("<nil>"), "[<nil> <nil> 0 1 1 <nil>]"},
	} {
		rep, err := report.Report{Name: "diff"}.With(report.Change{By: []string{"srcaddr"}, Measures: []string{measure}}, expr.Scope{Fields: reporttest.Fields()}, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		b, a := table(t, rep, before), table(t, rep, after)
		got := rep.Diff(b, a, nil, 0)
		reporttest.Want(t, measure, lines(got.Rows), wanted[0])
		reporttest.Want(t, measure+": totals", fmt.Sprint(got.Totals), wanted[1])
		reporttest.Want(t, measure+": notes", got.Notes[0], "the same in both, and not shown: 1")
		for text, rows := range map[string]int{"after >= 500 or after = 1": 1, "status = changed and before is null": 1, "status = changed": 2} {
			having, err := rep.DiffCondition(text, expr.Scope{Fields: reporttest.Fields()})
			if err != nil {
				t.Fatal(err)
			}
			reporttest.Want(t, measure+": "+text, len(rep.Diff(b, a, having, 0).Rows), rows)
		}
		others := rep.Diff(b, a, nil, 1)
		reporttest.Want(t, measure+": others", others.Cut, 3)
		if measure == "bytes" {
			reporttest.Want(t, "others of bytes", fmt.Sprint(others.Others), "[<nil> <nil> 40 0 -40 -1]")
		}
	}
	rep, _ := report.Report{Name: "diff"}.With(report.Change{By: []string{"srcaddr"}, Measures: []string{"bytes"}}, expr.Scope{Fields: reporttest.Fields()}, time.UTC)
	empty := rep.Diff(table(t, rep, nil), table(t, rep, after), nil, 0)
	reporttest.Want(t, "totals where there were no records", fmt.Sprint(empty.Totals), "[<nil> <nil> 0 500 500 <nil>]")
}

func TestCanDiff(t *testing.T) {
	for _, c := range []report.Change{
		{Measures: []string{"bytes"}},
		{By: []string{"srcaddr"}, Measures: []string{"bytes", "flows"}},
		{By: []string{"srcaddr"}, Measures: []string{"first"}},
		{By: []string{"srcaddr"}, Measures: []string{"malformed"}},
	} {
		r, err := report.Report{}.With(c, expr.Scope{Fields: reporttest.Fields()}, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if r.CanDiff() == nil {
			t.Errorf("%+v can be compared", c)
		}
	}
}
