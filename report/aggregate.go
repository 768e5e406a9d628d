package report

import (
	"slices"
	"sync"
	"sync/atomic"

	"flowlog/parse/schema"
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

// A job is what all workers know: what is computed, of which fields, and what they have seen together.
type job struct {
	layout     *layout
	reports    []Report
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

// NewAggregator prepares the reports for batches of the given number of workers. The table holds all fields
// that reports may name, logged and enriched.
func NewAggregator(fields schema.Table, reports []Report, workers int) (*Aggregator, error) {
	return newAggregator(fields, reports, workers, false)
}

func newAggregator(fields schema.Table, reports []Report, workers int, remote bool) (*Aggregator, error) {
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

// conditionOnAddress reports whether a condition looks at addresses.
func conditionOnAddress(reports []Report, p *schema.Projection) bool {
	found := false
	look := func(e Expr) {
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

// Projection is the columns that Add needs, in any order.
func (a *Aggregator) Projection() *schema.Projection { return a.projection }

// Only returns the field of text and its value that all reports require of their records, if they all require the
// same one. A record with another value changes nothing.
func (a *Aggregator) Only() (field, value string) { return a.onlyField, a.onlyValue }

func only(reports []Report) (field, value string) {
	if spiking(reports) {
		return "", "" // other records say what time there was to compare with
	}
	for _, e := range conjuncts(reports[0].Where) {
		only, ok := e.(Compare)
		if !ok || only.Op != Equal || only.Field.Kind != schema.Text {
			continue
		}
		same := func(e Expr) bool {
			c, ok := e.(Compare)
			return ok && c.Op == Equal && c.Field.Name == only.Field.Name && c.Value == only.Value
		}
		others := func(r Report) bool { return !slices.ContainsFunc(conjuncts(r.Where), same) }
		if !slices.ContainsFunc(reports, others) {
			return only.Field.Name, only.Value.(string)
		}
	}
	return "", ""
}

// Enrich has Add take batches with the logged fields alone. wrap computes the others where they are needed of records;
// what can be looked up for groups is, in the end. It comes before the first Add.
func (a *Aggregator) Enrich(wrap Wrap) { a.enricher.wrap = wrap }

// Add takes a batch with the fields of the Projection, but see Enrich. It is a schema.Emit.
func (a *Aggregator) Add(b schema.Batch) error {
	w := a.workers[b.Worker]
	if err := w.begin(b.Record); err != nil {
		return err
	}
	if err := w.emit(b); err != nil {
		return err
	}
	return a.relieve(b.Worker)
}

// Notice notes which fields the flows of a batch have, and counts none of them. Where something stands between the scan
// and Add that leaves flows out, the fields that only these have are not missing from the logs.
func (a *Aggregator) Notice(b schema.Batch) {
	rows := make([]int32, b.NumRows())
	for i := range rows {
		rows[i] = int32(i)
	}
	rows = flows(column(b.Record, "log_status"), rows, nil)
	for i, f := range a.projection.Fields {
		if a.present[i].Load() || len(b.Schema().FieldIndices(f.Name)) == 0 {
			continue
		}
		if anyValue(column(b.Record, f.Name), rows) {
			a.present[i].Store(true)
		}
	}
}

// noticeSkimmed does the same for the flows that the scan passed over: see Only.
func (j *job) noticeSkimmed(stats schema.Stats) {
	for _, name := range stats.Skimmed {
		if i := j.projection.Index(name); i >= 0 {
			j.present[i].Store(true)
		}
	}
}

// relieve puts the groups of a worker on disk if they take too much memory.
func (a *Aggregator) relieve(worker int) error {
	w := a.workers[worker]
	if a.memory == 0 || w.size() <= a.memory {
		return nil
	}
	a.workers[worker] = newWorker(a.job) // whatever comes of it: whoever does not stop at once may call again
	return a.spill(w)
}
