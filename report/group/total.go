package group

import (
	"slices"

	"flowlog/report/function"
	"flowlog/report/parallel"
)

// totals is a state for one group of each accumulator, or only of some, nil for one that needs none. Groups are merged into
// it.
func (g *grouping) totals(only ...int) []function.State {
	all := make([]function.State, len(g.accs))
	for i := range g.accs {
		if only != nil && !slices.Contains(only, i) {
			continue
		}
		if all[i] = g.accs[i].newState(function.ShapeTotal); all[i] != nil {
			all[i].Grow(1)
		}
	}
	return all
}

// total merges several groups into one, with the overflow if there is one: all accumulators, or only some.
func (g *grouping) total(in []bool, overflow []function.State, only ...int) ([]function.State, error) {
	all := g.totals(only...)
	for i, s := range overflow {
		if all[i] != nil {
			if err := all[i].Merge(s, []uint32{0}, nil); err != nil {
				return nil, err
			}
		}
	}
	return all, g.addTo(all, in)
}

// addTo merges several groups into totals.
func (g *grouping) addTo(all []function.State, in []bool) error {
	var states []merging
	for i, to := range all {
		if to != nil {
			states = append(states, merging{to: to, from: g.stateOf(i)})
		}
	}
	into := func(ids []uint32, in []bool) []uint32 {
		for id, yes := range in {
			if ids[id] = function.Skip; yes {
				ids[id] = 0
			}
		}
		return ids[:len(in)]
	}
	return parallel.Each(2, func(i int) error { // numbers beside all else
		if i == 0 {
			if g.onlyNumbers() {
				return nil
			}
			return mergeOthers(states, into(make([]uint32, len(in)), in))
		}
		ids, n := make([]uint32, function.MergeLot), min(len(in), g.rows.Groups)
		for from := 0; from < n; from += function.MergeLot {
			lot := in[from:min(from+function.MergeLot, n)]
			if !slices.Contains(lot, true) {
				continue
			}
			if err := mergeNumbers(states, into(ids, lot), from); err != nil {
				return err
			}
		}
		return nil
	})
}

// regrouped is the accumulators by other groups, of which each group is in one, or in none if its id is skip.
func (g *grouping) regrouped(ids []uint32, n int) ([]function.State, error) {
	all := make([]function.State, len(g.accs))
	var states []merging
	for i := range g.accs {
		if all[i] = g.accs[i].newState(function.ShapeGroups); all[i] != nil {
			all[i].Grow(n)
			states = append(states, merging{to: all[i], from: g.stateOf(i)})
		}
	}
	if err := mergeNumbers(states, ids, 0); err != nil {
		return nil, err
	}
	return all, mergeOthers(states, ids)
}
