package report

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestDiff(t *testing.T) {
	rep, err := Report{Name: "diff"}.With(Change{By: []string{"srcaddr"}, Measures: []string{"bytes"}, Top: 0}, Scope{Fields: fields()}, time.UTC)
	if err != nil || rep.CanDiff() != nil {
		t.Fatal(err, rep.CanDiff())
	}
	before := table(t, rep, rowsOf(`
srcaddr bytes log_status
10.0.0.1 100 OK
10.0.0.2 50 OK
10.0.0.3 10 OK
10.0.0.4 7 OK
10.0.0.6 - OK`))
	after := table(t, rep, rowsOf(`
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
	want(t, "rows", lines(got.Rows), "10.0.0.5 new 0 500 500 <nil>; 10.0.0.1 grown 100 150 50 0.5; 10.0.0.2 shrunk 50 20 -30 -0.6; "+
		"10.0.0.3 gone 10 0 -10 -1; <nil> new 0 3 3 <nil>; 10.0.0.6 gone 0 0 0 <nil>")
	want(t, "totals", got.Totals, []any{nil, nil, 167, 680, 513, 513.0 / 167})
	want(t, "note", got.Notes, "[the same in both, and not shown: 1]")
	got = rep.Diff(before, after, nil, 2)
	want(t, "limited", len(got.Rows), 2)
	want(t, "others", fmt.Sprint(got.Cut, got.Others), "4 [<nil> <nil> 60 23 -37 -0.6166666666666667]")
	having, err := rep.DiffCondition("status in (new, grown) and change > 10 and srcaddr != 10.0.0.9", Scope{Fields: fields()})
	if err != nil {
		t.Fatal(err)
	}
	got = rep.Diff(before, after, having, 0)
	want(t, "having", lines(got.Rows), "10.0.0.5 new 0 500 500 <nil>; 10.0.0.1 grown 100 150 50 0.5")
	want(t, "cut and excluded", []any{got.Cut, got.Excluded, got.Others == nil}, "[0 4 true]")
}

func TestCanDiff(t *testing.T) {
	for _, c := range []Change{
		{Measures: []string{"bytes"}},
		{By: []string{"srcaddr"}, Measures: []string{"bytes", "flows"}},
		{By: []string{"srcaddr"}, Measures: []string{"first"}},
		{By: []string{"srcaddr"}, Measures: []string{"malformed"}},
	} {
		r, err := Report{}.With(c, Scope{Fields: fields()}, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if r.CanDiff() == nil {
			t.Errorf("%+v can be compared", c)
		}
	}
}
