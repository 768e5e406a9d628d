package group

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"flowlog/report"
	"flowlog/report/reporttest"
)

// planOf is the plan for reports over logs that have some fields: in all flows, or where the name ends in ? in some. enrich
// says that enriched fields are computed on demand.
func planOf(t *testing.T, reports []report.Report, has string, enrich bool) (*layout, *plan) {
	t.Helper()
	agg, err := New(reporttest.Fields(), reports, 1)
	if err != nil {
		t.Fatal(err)
	}
	l := agg.layout
	return l, newPlan(l, presenceOf(l, has), enrich, make([]bool, len(l.groupings)), nil)
}

func presenceOf(l *layout, has string) presence {
	p := presence{make([]bool, len(l.projection.Fields)), make([]bool, len(l.projection.Fields))}
	for _, name := range strings.Fields(has) {
		name, some := strings.CutSuffix(name, "?")
		if i := l.projection.Index(name); i >= 0 {
			p.had[i], p.lacked[i] = true, some
		}
	}
	return p
}

// planText writes a plan: a line for each derivation, with the groupings as their keys, then what else it says.
func planText(l *layout, p *plan) string {
	var lines []string
	grouping := func(i int) *groupSpec {
		if i < len(l.groupings) {
			return &l.groupings[i]
		}
		return &p.inner[i-len(l.groupings)]
	}
	name := func(i int) string {
		g, s := grouping(i), ""
		for _, k := range g.keys {
			s += k.Name() + ","
		}
		if s = strings.TrimSuffix(s, ","); s == "" {
			s = "all"
		}
		if g.where.expr != nil {
			s += " where " + g.where.expr.String()
		}
		if i >= len(l.groupings) {
			s = "inner " + s
		}
		return s
	}
	acc := func(b accSpec) string {
		s := b.Func
		if b.Field != "" {
			s += "(" + b.Field + ")"
		}
		if b.Where != nil {
			s += "[" + b.Where.String() + "]"
		}
		return s
	}
	tests := func(where []predicate) (s string) {
		for _, c := range where {
			s += " if " + c.expr.String()
		}
		return s
	}
	for _, d := range p.derivations {
		line := name(d.from) + " → " + name(d.to) + tests(d.where) + ":"
		if d.groups {
			line += " groups"
		}
		for _, a := range d.accs {
			part := map[int]string{rowCount: "rows", keyCodes: "codes"}[a.part]
			if a.part >= 0 {
				part = acc(grouping(d.from).accs[a.part])
			}
			line += " " + acc(grouping(d.to).accs[a.acc]) + "=" + part + tests(a.where)
		}
		lines = append(lines, line)
	}
	var relied []string
	for i, yes := range p.relied {
		if yes {
			relied = append(relied, l.projection.Fields[i].Name)
		}
	}
	if relied != nil {
		lines = append(lines, "relies on "+strings.Join(relied, " "))
	}
	if p.enriched != nil {
		lines = append(lines, "enriches "+strings.Join(p.enriched, " "))
	}
	return strings.Join(lines, "\n")
}

const v2Fields = "account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status"

func TestPlan(t *testing.T) {
	by := func(by string, measures string, where string) report.Report {
		return changed(t, "talkers", report.Change{By: strings.Fields(by), Measures: strings.Fields(measures), Where: where, Top: -1})
	}
	total := func(measures string) report.Report { // of all records
		r := by("protocol", measures, "")
		r.Keys = nil
		return r
	}
	for _, c := range []struct {
		what    string
		reports []report.Report
		has     string
		enrich  bool
		want    string
	}{
		{
			"one report is fed by records",
			[]report.Report{by("protocol", "bytes flows", "")}, v2Fields, false, "",
		},
		{
			"keys of low cardinality share an inner grouping, which has the condition of one as a key",
			[]report.Report{by("protocol", "bytes flows", ""), by("action", "bytes", "protocol = 17")}, v2Fields, false,
			"inner action,protocol → protocol: groups sum(bytes)=sum(bytes)\n" +
				"inner action,protocol → action where protocol = 17 if protocol = 17: groups sum(bytes)=sum(bytes)",
		},
		{
			"a condition that the inner grouping does not determine has to be that of all",
			[]report.Report{by("protocol", "flows", "bytes > 9"), by("action", "flows", "bytes > 9"), by("action", "flows", "bytes > 8")}, v2Fields, false,
			"inner action,protocol where bytes > 9 → protocol where bytes > 9: groups\n" +
				"inner action,protocol where bytes > 9 → action where bytes > 9: groups",
		},
		{
			"quantiles of low cardinality come from records",
			[]report.Report{by("protocol", "p50(bytes) p95(bytes)", ""), by("action", "flows", "")}, v2Fields, false, "",
		},
		{
			"totals derive what can be, and take the rest from records",
			[]report.Report{total("accepted p50(bytes)"), by("protocol", "bytes", "")}, v2Fields, false,
			"inner action,protocol → all: count[action = 'ACCEPT']=rows if action = 'ACCEPT' count[action is not null]=rows if action is not null\n" +
				"inner action,protocol → protocol: groups sum(bytes)=sum(bytes)",
		},
		{
			"a coarse report is derived from the smallest report that determines it",
			[]report.Report{by("srcaddr dstaddr dstport", "bytes flows", ""), by("srcaddr dstaddr", "bytes flows", ""), by("srcaddr", "bytes flows", "")}, v2Fields, false,
			"srcaddr,dstaddr,dstport → srcaddr,dstaddr: groups sum(bytes)=sum(bytes)\n" +
				"srcaddr,dstaddr → srcaddr: groups sum(bytes)=sum(bytes)",
		},
		{
			"a condition on a key is tested of the groups, and one that both have is not",
			[]report.Report{by("srcaddr dstport", "flows", "bytes > 9"), by("srcaddr", "flows", "bytes > 9 and dstport = 22")}, v2Fields, false,
			"srcaddr,dstport where bytes > 9 → srcaddr where bytes > 9 and dstport = 22 if dstport = 22: groups",
		},
		{
			"an alternative on an absent field is none: the other one is tested",
			[]report.Report{by("srcaddr dstport", "flows", ""), by("srcaddr", "flows", "dstport = 22 or tcp_flags = 2")}, v2Fields, false,
			"srcaddr,dstport → srcaddr where dstport = 22 or tcp_flags = 2 if dstport = 22: groups",
		},
		{
			"with the field there is nothing to derive",
			[]report.Report{by("srcaddr dstport", "flows", ""), by("srcaddr", "flows", "dstport = 22 or tcp_flags = 2")}, v2Fields + " tcp_flags", false, "",
		},
		{
			"a measure that the source does not have is not derived",
			[]report.Report{by("srcaddr dstport", "flows", ""), by("srcaddr", "flows packets", "")}, v2Fields, false, "",
		},
		{
			"distinct values do not add up, but those of the only key are its codes",
			[]report.Report{by("srcaddr dstaddr", "distinct(dstport)", ""), by("srcaddr", "distinct(dstport)", ""), total("distinct(srcaddr)")}, v2Fields, false,
			"srcaddr,dstaddr → srcaddr: groups distinct(dstport)=distinct(dstport)\n" +
				"srcaddr → all: distinct(srcaddr)=codes",
		},
		{
			"what is looked up from an address follows from it",
			[]report.Report{by("srcaddr dstaddr", "flows", ""), by("src_country", "flows", "")}, v2Fields, true,
			"srcaddr,dstaddr → src_country: groups\nrelies on srcaddr",
		},
		{
			"a first address that is always there is enough, and the plan relies on it",
			[]report.Report{by("pkt_srcaddr", "flows", ""), by("src_country", "flows", ""), by("srcaddr", "flows", "")}, v2Fields + " pkt_srcaddr", true,
			"pkt_srcaddr → src_country: groups\nrelies on pkt_srcaddr",
		},
		{
			"one that is missing in some flows is not",
			[]report.Report{by("pkt_srcaddr", "flows", ""), by("src_country", "flows", ""), by("srcaddr", "flows", "")}, v2Fields + " pkt_srcaddr?", true,
			"enriches src_country",
		},
		{
			"without enrichment on demand the records have the field",
			[]report.Report{by("srcaddr dstaddr", "flows", ""), by("src_country", "flows", "")}, v2Fields, false, "",
		},
		{
			"records are enriched for a condition that no grouping determines",
			[]report.Report{by("dstport", "flows", "src_country = DE")}, v2Fields, true, "enriches src_country",
		},
	} {
		l, p := planOf(t, c.reports, c.has, c.enrich)
		if got := planText(l, p); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.what, got, c.want)
		}
	}
}

// A grouping that has groups already is no source, and a derivation that is kept stays.
func TestPlanGoesOn(t *testing.T) {
	reports := []report.Report{
		changed(t, "pairs", report.Change{By: []string{"srcaddr", "dstaddr"}, Measures: []string{"flows"}}),
		changed(t, "talkers", report.Change{By: []string{"srcaddr"}, Measures: []string{"flows"}}),
	}
	l, p := planOf(t, reports, v2Fields, true)
	reporttest.Want(t, "before", planText(l, p), "srcaddr,dstaddr → srcaddr: groups")
	begun := newPlan(l, presenceOf(l, v2Fields), true, []bool{true, true}, nil)
	reporttest.Want(t, "with groups", planText(l, begun), "")
	kept := newPlan(l, presenceOf(l, v2Fields), true, []bool{true, true}, p.derivations)
	reporttest.Want(t, "kept", planText(l, kept), planText(l, p))
}

// keep says whether a derivation still holds with other fields.
func TestPlanKeeps(t *testing.T) {
	reports := []report.Report{
		changed(t, "pairs", report.Change{By: []string{"pkt_srcaddr", "dstaddr"}, Measures: []string{"flows"}}),
		changed(t, "talkers", report.Change{By: []string{"src_country"}, Measures: []string{"flows"}}),
		changed(t, "talkers", report.Change{By: []string{"srcaddr"}, Measures: []string{"flows"}}),
	}
	has := "srcaddr dstaddr pkt_srcaddr"
	l, p := planOf(t, reports, has, true)
	if len(p.derivations) != 1 {
		t.Fatal(planText(l, p))
	}
	for now, stays := range map[string]bool{has: true, has + " tcp_flags": true, "srcaddr dstaddr pkt_srcaddr?": false} {
		if _, ok := newPlanner(l, presenceOf(l, now), true).keep(p.derivations[0]); ok != stays {
			t.Errorf("with %s it stays: %v", now, ok)
		}
	}
	if before := presenceOf(l, has); !p.holds(before, before) || p.holds(before, presenceOf(l, "srcaddr dstaddr pkt_srcaddr?")) {
		t.Error("the plan relies on pkt_srcaddr, and on nothing else")
	}
}

// Derivations that are due come after those that their sources need, also if those would wait.
func TestDue(t *testing.T) {
	edge := func(from, to int) derivation { return derivation{from: from, to: to} }
	text := func(list []derivation) string {
		var s []string
		for _, d := range list {
			s = append(s, fmt.Sprintf("%d→%d", d.from, d.to))
		}
		return strings.Join(s, " ")
	}
	pending := []derivation{edge(1, 2), edge(0, 1), edge(1, 3), edge(4, 5)}
	for _, c := range []struct {
		waits      []int // targets
		now, later string
	}{
		{nil, "0→1 1→2 1→3 4→5", ""},
		{[]int{5}, "0→1 1→2 1→3", "4→5"},
		{[]int{1, 3, 5}, "0→1 1→2", "1→3 4→5"},
		{[]int{1, 2, 3, 5}, "", "1→2 0→1 1→3 4→5"},
	} {
		now, later := due(pending, func(d derivation) bool { return slices.Contains(c.waits, d.to) })
		reporttest.Want(t, fmt.Sprint("now, but for ", c.waits), text(now), c.now)
		reporttest.Want(t, fmt.Sprint("later, but for ", c.waits), text(later), c.later)
	}
}

// Reports that differ in what they show of the same groups share them, and measures that are computed from the same numbers
// share these.
func TestLayout(t *testing.T) {
	agg, err := New(reporttest.Fields(), []report.Report{
		changed(t, "talkers", report.Change{By: []string{"srcaddr"}, Measures: []string{"bytes", "avg(bytes)", "bps"}}),
		changed(t, "talkers", report.Change{By: []string{"srcaddr"}, Measures: []string{"flows", "p50(bytes)", "p95(bytes)"}, Top: 3}),
		changed(t, "talkers", report.Change{By: []string{"srcaddr"}, Where: "bytes > 1"}),
		changed(t, "talkers", report.Change{By: []string{"srcaddr"}, Measures: []string{"bytes", "nodata"}}),
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	l := agg.layout
	var at []int
	for _, v := range l.views {
		at = append(at, v.grouping)
	}
	reporttest.Want(t, "groupings of the reports", at, []int{0, 0, 1, 2})
	var accs []string
	for _, b := range l.groupings[0].accs {
		accs = append(accs, fmt.Sprintf("%s(%s) rows %v shares %d stored %v", b.Func, b.Field, b.rows, b.shares, b.stored()))
	}
	reporttest.Want(t, "accumulators", strings.Join(accs, "\n"), `sum(bytes) rows false shares -1 stored true
count(bytes) rows false shares -1 stored true
min(start) rows false shares -1 stored true
max(end) rows false shares -1 stored true
count() rows true shares -1 stored false
p50(bytes) rows false shares -1 stored true
p95(bytes) rows false shares 5 stored false`)
	reporttest.Want(t, "measures", []any{l.views[0].measures[1].accs, l.views[0].measures[2].accs, l.views[0].span}, []any{[]int{0, 1}, []int{0}, []int{2, 3}})
}
