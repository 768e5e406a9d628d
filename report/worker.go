package report

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

// begin takes a batch, and makes another plan if it has fields for which the plan does not hold.
func (w *worker) begin(rec arrow.Record) error {
	b := &w.feeder.batch
	b.begin(rec, w.job.projection)
	if len(b.flows) == 0 && w.plan != nil {
		return nil
	}
	if spiking(w.job.reports) && len(b.flows) > 0 {
		w.job.began.observe(b.columns[w.job.projection.Index("start")], b.flows)
	}
	seen := w.presence.with(b)
	for i, had := range seen.had {
		if had && !w.presence.had[i] {
			w.job.present[i].Store(true)
		}
	}
	if w.plan != nil && w.plan.holds(w.presence, seen) {
		w.presence = seen
		return nil
	}
	return w.replan(seen)
}

// with is the presence of fields after a batch too.
func (p presence) with(b *batch) presence {
	now := presence{slices.Clone(p.had), slices.Clone(p.lacked)}
	for i, col := range b.flowing {
		if col == nil {
			continue
		}
		now.lacked[i] = now.lacked[i] || col.NullN() > 0
		now.had[i] = now.had[i] || anyValue(col, b.flows)
	}
	return now
}

// replan makes the plan for the fields that are present. Before, it carries out those derivations of the plan so far that
// are no part of it.
func (w *worker) replan(now presence) error {
	enrich := w.job.enricher.wrap != nil
	x := newPlanner(w.job.layout, now, enrich)
	stays := make(map[int]derivation) // by the grouping that is derived
	for _, d := range w.pending {
		if same, ok := x.keep(d); ok {
			stays[d.to] = same
		}
	}
	if err := w.derive(func(d derivation) bool { _, ok := stays[d.to]; return ok }); err != nil {
		return err
	}
	var kept []derivation
	for _, d := range w.pending {
		kept = append(kept, stays[d.to])
	}
	begun := make([]bool, len(w.groupings))
	for i, g := range w.groupings {
		begun[i] = g.rows.groups > 0
	}
	w.presence = now
	w.adopt(newPlan(w.job.layout, now, enrich, begun, kept))
	var names []string
	for _, f := range w.job.projection.Fields {
		if len(f.From) == 0 {
			names = append(names, f.Name)
		}
	}
	var err error
	w.emit, err = w.job.enricher.records(names, w.plan.enriched, func(b schema.Batch) error { return w.add(b.Record) })
	return err
}

// adopt makes the inner groupings of a plan, and marks what is derived.
func (w *worker) adopt(p *plan) {
	w.plan, w.pending, w.inner = p, p.derivations, nil
	for i := range p.inner {
		w.inner = append(w.inner, w.newGrouping(&p.inner[i]))
	}
	for _, d := range p.derivations {
		g := w.grouping(d.to)
		g.derived = g.derived || d.groups
		for _, s := range d.accs {
			g.accs[s.acc].derived = true
		}
	}
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

// size is about how many bytes the worker's groups take.
func (w *worker) size() int64 {
	n := w.dicts.size()
	for _, g := range slices.Concat(w.groupings, w.inner) {
		n += g.size()
	}
	return n
}
