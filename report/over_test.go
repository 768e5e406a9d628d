package report

import (
	"strings"
	"testing"

	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

// Connections have measures of their own, and refuse those that count records.
func TestMeasuresOfConnections(t *testing.T) {
	for _, m := range ConnectionMeasures() {
		if got, err := ParseMeasure(m.Name, reporttest.ConnectionFields); err != nil || got.Name != m.Name {
			t.Errorf("%s: got %v, %v", m.Name, got, err)
		}
		if _, err := ParseMeasure(m.Name, reporttest.Fields()); err == nil {
			t.Errorf("%s is a measure of records too", m.Name)
		}
	}
	for name, reason := range notOfConnections {
		if _, err := ParseMeasure(name, reporttest.ConnectionFields); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: got %v, want the reason %q", name, err, reason)
		}
	}
	r, _ := Named("connections")
	if _, err := r.With(Change{Measures: []string{"connections", "resumed", "max(seconds)", "distinct_client"}, Top: -1}, expr.Scope{Fields: reporttest.ConnectionFields}, nil); err != nil {
		t.Error(err)
	}
}
