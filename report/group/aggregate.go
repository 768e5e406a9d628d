package group

import (
	"slices"
	"sync"
	"sync/atomic"

	"flowlog/parse/schema"
	"flowlog/report"
)

// An Aggregator computes reports over batches. Add is called for each batch, then Tables once.
//
// Per worker, the rows of a batch become codes, the codes of a row's keys become the number of its group,
// and then each accumulator is one loop over rows and groups.
type Aggregator struct {
	*job
	workers []*worker

	tempDir string // where groups go that memory does not hold
	mu      sync.Mutex
	spilled *spill   // nil if all groups are in memory
	bins    observed // of what was spilled
}

// Limit makes the aggregator put groups into temporary files of a directory, "" for the usual one, when they
// take about so many bytes of memory. It comes before the first Add.
func (a *Aggregator) Limit(bytes int64, tempDir string) {
	a.memory, a.tempDir = max(bytes/int64(len(a.workers)), 1), tempDir
	for _, w := range a.workers {
		w.feeder.memory = a.memory
	}
}

// Close deletes temporary files of an aggregator that was not finished.
func (a *Aggregator) Close() error {
	if a.spilled == nil {
		return nil
	}
	return a.spilled.close()
}

// New prepares the reports for batches of the given number of workers. The table holds all fields
// that reports may name, logged and enriched.
func New(fields schema.Table, reports []report.Report, workers int) (*Aggregator, error) {
	return newAggregator(fields, reports, workers, false)
}

func newAggregator(fields schema.Table, reports []report.Report, workers int, remote bool) (*Aggregator, error) {
	names := []string{"log_status"}
	for i := range reports {
		reports[i].Fields(func(name string) { names = append(names, name) })
	}
	reports = slices.Clone(reports) // bins of time that are to be chosen are, in here
	p, err := fields.Project(names...)
	if err != nil {
		return nil, err
	}
	p.Coded = !conditionOnAddress(reports, p) // keys and distinct counts look at addresses through coders
	j := &job{reports: reports, projection: p, enricher: enricher{fields: fields}, remote: remote}
	j.layout = newLayout(reports, p, newPredicateSet(), remote)
	j.present, j.spans = make([]atomic.Bool, len(p.Fields)), make([]*[2]any, len(reports))
	j.began.reset()
	j.onlyField, j.onlyValue = only(reports)
	a := &Aggregator{job: j, bins: newObserved()}
	for range workers {
		a.workers = append(a.workers, newWorker(j))
	}
	return a, nil
}

// Projection is the columns that Add needs, in any order.
func (a *Aggregator) Projection() *schema.Projection { return a.projection }

// Only returns the field of text and its value that all reports require of their records, if they all require the
// same one. A record with another value changes nothing.
func (a *Aggregator) Only() (field, value string) { return a.onlyField, a.onlyValue }

// Enrich has Add take batches with the logged fields alone. wrap computes the others where they are needed of records;
// what can be looked up for groups is, in the end. It comes before the first Add.
func (a *Aggregator) Enrich(wrap Wrap) { a.enricher.wrap = wrap }
