package group

import (
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

// spill puts all groups of a worker on disk. The worker cannot be used afterwards.
func (a *Aggregator) spill(w *worker) error {
	if err := a.beginSpill(w); err != nil {
		return err
	}
	return a.spilled.write(w.groupings)
}

// beginSpill makes the file if there is none, and carries out the derivations of a worker.
func (a *Aggregator) beginSpill(w *worker) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.spilled == nil {
		var err error
		if a.spilled, err = newSpill(a.tempDir); err != nil {
			return err
		}
	}
	if err := w.derive(nil); err != nil {
		return err
	}
	a.bins.observe(w)
	return nil
}

// finishSpilled makes one worker of all that was spilled and what the workers have left: with the groups of each
// partition that can be among the rows that are shown. The others it keeps merged.
func (a *Aggregator) finishSpilled(stats schema.Stats) (*worker, error) {
	if err := a.derive(false); err != nil {
		return nil, err
	}
	a.chooseSteps()
	for _, w := range a.workers {
		if err := a.spilled.write(w.groupings); err != nil {
			return nil, err
		}
	}
	a.workers = nil
	if err := a.findSpans(); err != nil {
		return nil, err
	}
	final := newWorker(a.job)
	for p := range partitions {
		w, err := a.partition(p)
		if err != nil {
			return nil, err
		}
		for i := range w.groupings {
			if err := final.keepShown(i, w, stats); err != nil {
				return nil, err
			}
		}
	}
	return final, nil
}

// partition is a worker with the groups of a partition of what was spilled.
func (a *Aggregator) partition(p int) (*worker, error) {
	w := newWorker(a.job)
	return w, a.spilled.load(p, w.load)
}

// findSpans finds the time that each report covers whose measures need it, ahead of all else: what a row is depends
// on it.
func (a *Aggregator) findSpans() error {
	all := make([][]function.State, len(a.reports))
	needed := false
	for i, v := range newWorker(a.job).views {
		if v.span != nil {
			all[i] = v.groups.totals(v.span...)
			needed = true
		}
	}
	for p := 0; needed && p < partitions; p++ {
		w, err := a.partition(p)
		if err != nil {
			return err
		}
		for i, v := range w.views {
			if all[i] == nil {
				continue
			}
			exist, _ := v.groups.existing()
			part, err := v.groups.total(exist, nil, v.span...)
			if err != nil {
				return err
			}
			for _, b := range v.span {
				if err := all[i][b].Merge(part[b], []uint32{0}, nil); err != nil {
					return err
				}
			}
		}
	}
	for i, v := range newWorker(a.job).views {
		if v.span != nil {
			a.spans[i] = v.spanOf(all[i])
		}
	}
	return nil
}

// keepShown keeps groups of another worker that can be among the rows of some report, and folds the rest into totals.
func (w *worker) keepShown(grouping int, o *worker, stats schema.Stats) error {
	to, from := w.groupings[grouping], o.groupings[grouping]
	exist, ids := from.existing()
	if len(ids) == 0 {
		return nil
	}
	shown := make(map[uint32]bool)
	var may map[*reportView][]ranked
	if len(from.keys) > 0 {
		var err error
		if may, err = w.choose(shown, o, from, exist, ids, stats); err != nil {
			return err
		}
		to.absent += len(ids) - len(shown)
		all := ids
		ids = nil
		for _, id := range all {
			if shown[id] {
				ids = append(ids, id)
				exist[id] = false
			}
		}
		if len(ids) < len(all) {
			if to.overflow == nil {
				to.overflow = to.totals()
			}
			if err := w.addTotal(to.overflow, o, from, exist); err != nil {
				return err
			}
		}
	}
	rec, err := from.unload(ids)
	if err != nil {
		return err
	}
	defer rec.Release()
	here, err := to.load(rec, w.feeder.first(len(ids)))
	if err != nil {
		return err
	}
	at := make(map[uint32]uint32, len(ids))
	for i, id := range ids {
		at[id] = here[i]
	}
	for v, rows := range may {
		for _, r := range rows {
			v.met.here[at[r.id]] = true
		}
	}
	return nil
}

// choose notes which groups of another worker may be shown by some report. For reports with a condition on rows, it
// returns these, and adds up the others that meet it.
func (w *worker) choose(shown map[uint32]bool, o *worker, from *grouping, exist []bool, ids []uint32, stats schema.Stats) (map[*reportView][]ranked, error) {
	may := make(map[*reportView][]ranked)
	for i, v := range o.views {
		if v.groups != from {
			continue
		}
		missing := o.job.missingMeasures(v, stats, &report.Table{})
		if err := v.cover(exist); err != nil {
			return nil, err
		}
		if v.report.Spike != nil { // the bins of a series are in all partitions
			for _, id := range ids {
				shown[id] = true
			}
			continue
		}
		rows, met := v.rank(ids, v.ranking(missing), &o.job.began, stats)
		for _, r := range rows {
			shown[r.id] = true
		}
		if v.report.Having != nil {
			may[w.views[i]] = rows
			if err := w.addCut(w.views[i], o, from, rows, met); err != nil {
				return nil, err
			}
		}
	}
	return may, nil
}

// addCut adds up the groups of another worker that meet a report's condition on rows, but for those that may be shown.
func (w *worker) addCut(v *reportView, o *worker, from *grouping, rows []ranked, met []uint32) error {
	if v.met == nil {
		v.met = &metRows{here: make(map[uint32]bool)}
	}
	if len(met) == len(rows) {
		return nil
	}
	in := make([]bool, from.rows.Groups)
	for _, id := range met {
		in[id] = true
	}
	for _, r := range rows {
		in[r.id] = false
	}
	v.met.n += len(met) - len(rows)
	if v.met.cut == nil {
		v.met.cut = v.groups.totals()
	}
	return w.addTotal(v.met.cut, o, from, in)
}

// addTotal adds up groups of another worker to others that are not here.
func (w *worker) addTotal(to []function.State, o *worker, from *grouping, in []bool) error {
	all, err := from.total(in, nil)
	if err != nil {
		return err
	}
	var translated [][]uint32
	for i, b := range from.accs {
		if all[i] == nil {
			continue
		}
		var codes []uint32
		if b.dict >= 0 {
			if translated == nil {
				translated = w.dicts.merge(o.dicts)
			}
			codes = translated[b.dict]
		}
		if err := to[i].Merge(all[i], []uint32{0}, codes); err != nil {
			return err
		}
	}
	return nil
}
