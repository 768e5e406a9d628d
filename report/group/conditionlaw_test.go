package group

import (
	"math/rand/v2"
	"testing"

	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

// conditionSamples are conditions of every type of Expr. A new type needs a line here.
var conditionSamples = []string{
	"dstport >= 443", "action != REJECT", "not bytes > 0",
	"srcport = dstport", "srcaddr != dstaddr", "start < end",
	"dstport in (22, 400..500)", "srcaddr in 10.0.0.0/31, 2001:db8::/124, 192.0.2.7", "srcaddr not in @nets.txt", "action in (ACCEPT, REJECT)",
	"interface_id like 'eni-1%'", "subnet_id not like 'subnet-_'",
	"action ~ /^RE/", "subnet_id !~ /b$/",
	"tcp_flags is null", "tcp_flags is not null",
	"tcp_flags has syn", "not tcp_flags has syn+ack",
	"bytes > 0 and dstport = 443", "action = ACCEPT or action = REJECT",
	"(dstport = 22 or dstport = 443) and (protocol = 6 or action is null)", "not (dstport = 22 and action = ACCEPT)", "not (dstport = 22 or srcaddr is null)",
}

// TestMeasuresWithConditions computes measures of the records that meet each type of condition, and of those that do not,
// record by record and in groups.
func TestMeasuresWithConditions(t *testing.T) {
	rows := reporttest.RandomRows(rand.New(rand.NewPCG(16, 11)), reporttest.Fewer(150))
	sampled := make(map[string]bool)
	for _, text := range conditionSamples {
		e, err := expr.Parse(text, reporttest.Scope())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		reporttest.TypesOf(e, sampled)
		for _, m := range []report.Measure{{Name: "met", Func: "count"}, {Name: "bytes", Func: "sum", Field: "bytes"}, {Name: "all", Func: "count", All: true}} {
			m.Where = e
			other := m
			other.Name, other.Where = "other", expr.Not{X: e}
			for _, keys := range [][]report.Key{nil, {{Field: "protocol"}}, {{Field: "srcaddr"}, {Field: "action"}}} {
				r := report.Report{Name: text, Keys: keys, Measures: []report.Measure{m, other}}
				tables, lacks, err := aggregate(t, []report.Report{r}, rows, 2, 20)
				if err != nil || len(lacks) > 0 {
					t.Fatalf("%s: %v, %v", text, lacks, err)
				}
				reporttest.Want(t, text+" of "+m.Name, result(tables[0]), result(naive(r, rows)))
			}
		}
	}
	for _, name := range reporttest.ConditionTypes(t, "../expr") {
		if !sampled[name] {
			t.Errorf("%s has no line in conditionSamples", name)
		}
	}
}
