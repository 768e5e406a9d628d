package group

import (
	"slices"
	"sync/atomic"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
)

// A job is what all workers know: what is computed, of which fields, and what they have seen together.
type job struct {
	layout     *layout
	reports    []report.Report
	projection *schema.Projection
	enricher   enricher // of records and keys
	remote     bool     // an engine groups the records: see Remote
	memory     int64    // bytes that the groups of a worker may take; 0 is any number
	onlyField  string   // see Only
	onlyValue  string

	present []atomic.Bool // by field of the projection: some flow has a value
	began   began         // if a report has a Spike
	spans   []*[2]any     // by report: the time that it covers, where it is known ahead
}

func only(reports []report.Report) (field, value string) {
	if spiking(reports) {
		return "", "" // other records say what time there was to compare with
	}
	for _, e := range expr.Conjuncts(reports[0].Where) {
		only, ok := e.(expr.Compare)
		if !ok || only.Op != expr.Equal || only.Field.Kind != schema.Text {
			continue
		}
		same := func(e expr.Expr) bool {
			c, ok := e.(expr.Compare)
			return ok && c.Op == expr.Equal && c.Field.Name == only.Field.Name && c.Value == only.Value
		}
		others := func(r report.Report) bool { return !slices.ContainsFunc(expr.Conjuncts(r.Where), same) }
		if !slices.ContainsFunc(reports, others) {
			return only.Field.Name, only.Value.(string)
		}
	}
	return "", ""
}

// conditionOnAddress reports whether a condition looks at addresses.
func conditionOnAddress(reports []report.Report, p *schema.Projection) bool {
	found := false
	look := func(e expr.Expr) {
		if e != nil {
			e.Fields(func(name string) { found = found || p.Fields[p.Index(name)].Kind == schema.Addr })
		}
	}
	for _, r := range reports {
		look(r.Where)
		for _, m := range r.Measures {
			look(m.Where)
		}
	}
	return found
}

// unmergeable reports whether an engine has computed values of the groups that cannot be merged.
func (j *job) unmergeable(g *grouping) bool {
	return j.remote && slices.ContainsFunc(g.accs, func(b accumulator) bool { return !b.fn.Mergeable() })
}
