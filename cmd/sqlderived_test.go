package cmd_test

import (
	"slices"
	"testing"

	"flowlog/enrich"
	"flowlog/report/sql"
)

// SQL computes these fields from what package enrich computes them from. Where a lookup gets other fields, SQL must too.
func TestFieldsThatSQLComputes(t *testing.T) {
	want := []string{"ip_version", "packets_lost"}
	var got []string
	for _, f := range enrich.Fields() {
		if sql.Expressible(f) {
			got = append(got, f.Name)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("SQL computes %v, want %v: see sqlDeriveds in package report", got, want)
	}
}
