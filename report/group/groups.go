package group

import (
	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

// Groups is an Aggregator of one report, of whose groups an engine has computed the values. It is for one goroutine.
type Groups struct{ agg *Aggregator }

// NewGroups prepares a report. The table holds all fields that it may name.
func NewGroups(fields schema.Table, r report.Report) (*Groups, error) {
	agg, err := newAggregator(fields, []report.Report{r}, 1, true)
	if err != nil {
		return nil, err
	}
	return &Groups{agg}, nil
}

// An Accumulator is a measure that each group has a state of.
type Accumulator struct {
	report.Measure
	Func *function.Func
	Rows bool // it is the number of records of the group, and has no state
}

// Accumulators lists the accumulators in the order of their states: those of report.Aggregates.
func (g *Groups) Accumulators() []Accumulator {
	var list []Accumulator
	for _, acc := range g.agg.workers[0].groupings[0].accs {
		list = append(list, Accumulator{acc.Measure, acc.fn, acc.rows})
	}
	return list
}

// Rest returns the totals that so many groups are added to which are not shown, each with a state for each accumulator. cut
// says that they meet the report's condition on rows, and come behind its limit.
func (g *Groups) Rest(groups int, cut bool) [][]function.State {
	v := g.agg.workers[0].views[0]
	of := v.groups
	if of.overflow == nil {
		of.overflow = of.totals()
	}
	of.absent += groups
	rest := [][]function.State{of.overflow}
	if v.met == nil && v.report.Having != nil {
		v.met = new(metRows)
	}
	if v.met != nil && cut {
		v.met.cut, v.met.n = of.totals(), groups
		rest = append(rest, v.met.cut)
	}
	return rest
}

// Present notes that flows have a field.
func (g *Groups) Present(name string) {
	if i := g.agg.projection.Index(name); i >= 0 {
		g.agg.present[i].Store(true)
	}
}

// Look returns an Emit that computes the named enriched fields and passes the wider batch on.
func (g *Groups) Look(wrap Wrap, names []string, next schema.Emit) (schema.Emit, error) {
	return (enricher{g.agg.enricher.fields, wrap}).records(nil, names, next)
}

// Add adds rows that each stand for a group of flows: how many flows that is, and the encoded states of its accumulators. column
// returns a column by its name, or nil if the report does without it.
func (g *Groups) Add(column func(name string) arrow.Array, records []int64, states [][]byte) error {
	columns := make([]arrow.Array, len(g.agg.projection.Fields))
	for i, f := range g.agg.projection.Fields {
		columns[i] = column(f.Name)
	}
	return g.agg.addGroups(columns, records, states)
}

// Limit makes Add put groups into temporary files when they take about so many bytes: see Aggregator. Relieve does so between two
// Adds.
func (g *Groups) Limit(bytes int64, tempDir string) { g.agg.Limit(bytes, tempDir) }

// Relieve puts groups on disk if they take too much memory.
func (g *Groups) Relieve() error { return g.agg.relieve(0) }

// Tables finishes the report: see Aggregator.
func (g *Groups) Tables(stats schema.Stats, wrap Wrap) ([]report.Table, []*report.Lacking, error) {
	return g.agg.Tables(stats, wrap)
}

// Close deletes temporary files of a report that was not finished.
func (g *Groups) Close() error { return g.agg.Close() }
