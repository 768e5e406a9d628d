package report

import (
	"math"
	"slices"
)

// observed is the span of the auto time keys seen: of bins of time whose width is left open.
type observed struct{ span[int64] }

func newObserved() observed { return observed{span[int64]{math.MaxInt64, math.MinInt64}} }

// observe adds those of a worker whose derivations were carried out, and reports whether there are any.
func (o *observed) observe(w *worker) bool {
	open := false
	for _, g := range w.groupings {
		for i, k := range g.keys {
			if k.Every != auto {
				continue
			}
			open = true
			c := g.encoders[i].coder
			seen := make([]bool, c.Len())
			_, ids := g.existing()
			for _, code := range g.keyCodes(ids)[i] {
				seen[code] = true
			}
			for code, yes := range seen {
				if yes {
					o.add(c.Value(uint32(code)))
				}
			}
		}
	}
	return open
}

func (o *observed) add(second any) {
	if s, ok := second.(int64); ok {
		o.lo, o.hi = min(o.lo, s), max(o.hi, s)
	}
}

// chosen is a key with the width of bins that was chosen, if it was left open.
func (o *observed) chosen(k Key) Key {
	if k.Every == auto {
		k.Every, k.chosen = steps[0], true
		if o.lo <= o.hi {
			k.Every = chooseStep(o.lo, o.hi, k.Zone)
		}
	}
	return k
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
