package group

import (
	"cmp"
	"slices"

	"flowlog/report"
	"flowlog/report/calendar"
	"flowlog/report/function"
	"flowlog/report/parallel"
)

// gather makes one worker of all, and carries out all derivations. choose says whether bins of time whose width was left
// open get one.
func (a *Aggregator) gather(choose bool) (*worker, error) {
	if err := a.derive(a.derivesLate()); err != nil {
		return nil, err
	}
	w := a.workers[0]
	if choose && a.chooseSteps() {
		w = a.rebinned(w)
		if err := w.merge(a.workers[0]); err != nil {
			return nil, err
		}
	}
	for i, o := range a.workers[1:] {
		if err := w.merge(o); err != nil {
			return nil, err
		}
		a.workers[i+1] = nil // its memory is free
	}
	return w, w.derive(nil)
}

// derive carries out the derivations of all workers, but for those from another report if they are to wait.
func (a *Aggregator) derive(late bool) error {
	var waits func(derivation) bool
	if late {
		waits = func(d derivation) bool { return d.from < len(a.layout.groupings) }
	}
	return parallel.Each(len(a.workers), func(i int) error { return a.workers[i].derive(waits) })
}

// derivesLate reports whether the groups of reports can be merged before others are derived from them, which is then
// done once: all workers have the same plan, and no width of bins is left open on the way.
func (a *Aggregator) derivesLate() bool {
	open := func(i int) bool {
		return slices.ContainsFunc(a.layout.groupings[i].keys, func(k report.Key) bool { return k.Every == calendar.Auto })
	}
	for _, d := range a.workers[0].betweenReports() {
		if open(d.from) || open(d.to) {
			return false
		}
	}
	return !slices.ContainsFunc(a.workers[1:], func(o *worker) bool { return !a.workers[0].plannedAs(o) })
}

// betweenReports are the derivations that are pending, but for those from inner groupings.
func (w *worker) betweenReports() []derivation {
	inner := func(d derivation) bool { return d.from >= len(w.groupings) }
	return slices.DeleteFunc(slices.Clone(w.pending), inner)
}

// plannedAs reports whether two workers have the same plan, but for how inner groupings are made.
func (w *worker) plannedAs(o *worker) bool {
	return slices.Equal(w.presence.had, o.presence.had) && slices.EqualFunc(w.betweenReports(), o.betweenReports(), derivation.equal)
}

// merge adds the groups of another worker. Both have carried out the same derivations.
func (w *worker) merge(o *worker) error {
	translated := w.dicts.merge(o.dicts)
	places := make([]int, len(o.groupings))
	for i := range places {
		places[i] = i
	}
	// Those with the most groups come first: others fill up the time until they are done.
	slices.SortStableFunc(places, func(a, b int) int { return o.groupings[b].rows.Groups - o.groupings[a].rows.Groups })
	return parallel.Each(len(places), func(i int) error {
		return w.groupings[places[i]].merge(o.groupings[places[i]], translated)
	})
}

// merge adds the groups of the same grouping of another worker, whose codes are translated by dictionary.
func (g *grouping) merge(o *grouping, translated [][]uint32) error {
	if g == o { // see rebinned
		return nil
	}
	states := []merging{{to: &g.rows, from: &o.rows}}
	for i, b := range g.accs {
		if b.state != nil {
			m := merging{to: b.state, from: o.accs[i].state}
			if b.dict >= 0 {
				m.codes = translated[b.dict]
			}
			states = append(states, m)
		}
	}
	type part struct { // the numbers of all groups up to one, and how many groups there are
		ids    []uint32
		groups int
	}
	parts, done := make(chan part, 64), make(chan error)
	go func() { // numbers are merged while those of more groups are found
		var err error
		from := 0
		for p := range parts {
			g.rows.Grow(p.groups)
			to := min(len(p.ids), o.rows.Groups)
			err = cmp.Or(err, mergeNumbers(states, p.ids[from:to], from))
			from = to
		}
		done <- err
	}()
	ids, groups := []uint32{0}, 1
	if len(g.keys) > 0 {
		ids, groups = translated[g.dicts[0]], g.encoders[0].coder.Len()
	}
	for level, table := range g.levels {
		codes, words := translated[g.dicts[level+1]], o.levels[level].Words()
		found, lot := make([]uint32, len(words)), make([]uint64, 4*function.MergeLot)
		for from := 0; from < len(words); from += len(lot) {
			to := min(from+len(lot), len(words))
			for i, word := range words[from:to] {
				lot[i] = uint64(ids[word>>32])<<32 | uint64(codes[uint32(word)])
			}
			table.IDs(lot[:to-from], found[from:to])
			if level == len(g.levels)-1 {
				parts <- part{found[:to], table.Len()}
			}
		}
		ids, groups = found, table.Len()
	}
	parts <- part{ids, groups}
	close(parts)
	if err := <-done; err != nil {
		return err
	}
	g.grow(groups)
	return mergeOthers(states, ids)
}

// chooseSteps sets the width of bins of time that was left open, and reports whether there are any.
func (a *Aggregator) chooseSteps() bool {
	open := false
	for _, w := range a.workers {
		open = a.bins.observe(w) || open
	}
	for i := range a.reports {
		keys := slices.Clone(a.reports[i].Keys)
		for k := range keys {
			keys[k] = a.bins.chosen(keys[k])
		}
		a.reports[i].Keys = keys
	}
	if open {
		a.layout = newLayout(a.reports, a.projection, a.layout.conditions, a.remote)
	}
	return open
}

// rebinned is a copy of a worker in which auto time keys have their chosen width. Groupings with such keys have no groups
// yet; the others are those of the worker.
func (a *Aggregator) rebinned(o *worker) *worker {
	var list []*encoder
	for _, c := range o.dicts.list[:o.dicts.shared] {
		if k := a.bins.chosen(c.key); k != c.key {
			c = newEncoder(k, a.projection)
		}
		list = append(list, c)
	}
	w := newWorkerOf(a.job, list)
	w.presence, w.plan, w.pending = o.presence, o.plan, o.pending
	for i, g := range o.groupings {
		if slices.ContainsFunc(g.dicts, func(i int) bool { return w.dicts.list[i] != o.dicts.list[i] }) {
			continue
		}
		for _, v := range w.views {
			if v.groups == w.groupings[i] {
				v.groups = g
			}
		}
		w.groupings[i] = g
	}
	return w
}
