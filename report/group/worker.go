package group

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// A worker is the aggregation state of one goroutine: the plan, the groups, and what feeds them.
//
//	begin: which fields are present → plan → emit: enrich what the plan needs of records → add: feed each grouping
type worker struct {
	job       *job
	dicts     *dictionaries
	views     []*reportView // by report
	groupings []*grouping   // of the layout
	inner     []*grouping   // of the plan
	presence  presence
	plan      *plan        // nil before the first batch with flows
	pending   []derivation // of the plan, that have not been carried out
	feeder    feeder
	emit      schema.Emit // computes the enriched fields that the plan needs of records, and adds them
}

func newWorker(j *job) *worker { return newWorkerOf(j, nil) }

// newWorkerOf is newWorker with some of its dictionaries.
func newWorkerOf(j *job, list []*encoder) *worker {
	l, n := j.layout, len(j.projection.Fields)
	w := &worker{job: j, dicts: &dictionaries{projection: j.projection, list: list}}
	w.presence = presence{make([]bool, n), make([]bool, n)}
	w.feeder = feeder{batch: newBatch(n), dicts: w.dicts, alone: len(j.reports) == 1, memory: j.memory}
	for i := range l.groupings {
		w.groupings = append(w.groupings, w.newGrouping(&l.groupings[i]))
	}
	for i := range l.views {
		w.views = append(w.views, newView(&j.reports[i], &l.views[i], w.groupings[l.views[i].grouping], j.spans[i]))
	}
	w.dicts.shared = len(w.dicts.list)
	w.emit = func(b schema.Batch) error { return w.add(b.Record) }
	return w
}

func (w *worker) newGrouping(spec *groupSpec) *grouping {
	g := newGrouping(spec, w.dicts)
	g.selection = w.feeder.selection(spec.where, w.job.onlyField, w.job.onlyValue)
	return g
}

// grouping is a grouping of the layout or an inner one, by its index in the plan.
func (w *worker) grouping(i int) *grouping {
	if i < len(w.groupings) {
		return w.groupings[i]
	}
	return w.inner[i-len(w.groupings)]
}

// size is about how many bytes the worker's groups take.
func (w *worker) size() int64 {
	n := w.dicts.size()
	for _, g := range slices.Concat(w.groupings, w.inner) {
		n += g.size()
	}
	return n
}

// load adds the groups of a record, which unload has made, to a grouping of the layout.
func (w *worker) load(grouping int, rec arrow.Record) error {
	_, err := w.groupings[grouping].load(rec, w.feeder.first(int(rec.NumRows())))
	return err
}

// add feeds the batch that the worker has begun with, enriched or not, to all groupings.
func (w *worker) add(rec arrow.Record) error {
	f := &w.feeder
	if rec != f.record {
		f.look(rec, w.job.projection)
	}
	f.beginBatch(int(rec.NumRows()))
	for _, groupings := range [][]*grouping{w.groupings, w.inner} {
		for _, g := range groupings {
			if err := f.feed(g); err != nil {
				return err
			}
		}
	}
	return nil
}
