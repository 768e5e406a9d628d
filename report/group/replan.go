package group

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

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
		begun[i] = g.rows.Groups > 0
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
