package report

import "slices"

// totals is a state for one group of each accumulator, or only of some, nil for one that needs none. Groups are merged into
// it.
func (g *grouping) totals(only ...int) []state {
	all := make([]state, len(g.accs))
	for i := range g.accs {
		if only != nil && !slices.Contains(only, i) {
			continue
		}
		if all[i] = g.accs[i].newState(shapeTotal); all[i] != nil {
			all[i].grow(1)
		}
	}
	return all
}

// total merges several groups into one, with the overflow if there is one: all accumulators, or only some.
func (g *grouping) total(in []bool, overflow []state, only ...int) ([]state, error) {
	all := g.totals(only...)
	for i, s := range overflow {
		if all[i] != nil {
			if err := all[i].merge(s, []uint32{0}, nil); err != nil {
				return nil, err
			}
		}
	}
	return all, g.addTo(all, in)
}

// addTo merges several groups into totals.
func (g *grouping) addTo(all []state, in []bool) error {
	var states []merging
	for i, to := range all {
		if to != nil {
			states = append(states, merging{to: to, from: g.stateOf(i)})
		}
	}
	into := func(ids []uint32, in []bool) []uint32 {
		for id, yes := range in {
			if ids[id] = skip; yes {
				ids[id] = 0
			}
		}
		return ids[:len(in)]
	}
	return atOnce(2, func(i int) error { // numbers beside all else
		if i == 0 {
			if g.onlyNumbers() {
				return nil
			}
			return mergeOthers(states, into(make([]uint32, len(in)), in))
		}
		ids, n := make([]uint32, mergeLot), min(len(in), g.rows.groups)
		for from := 0; from < n; from += mergeLot {
			lot := in[from:min(from+mergeLot, n)]
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
func (g *grouping) regrouped(ids []uint32, n int) ([]state, error) {
	all := make([]state, len(g.accs))
	var states []merging
	for i := range g.accs {
		if all[i] = g.accs[i].newState(shapeGroups); all[i] != nil {
			all[i].grow(n)
			states = append(states, merging{to: all[i], from: g.stateOf(i)})
		}
	}
	if err := mergeNumbers(states, ids, 0); err != nil {
		return nil, err
	}
	return all, mergeOthers(states, ids)
}
