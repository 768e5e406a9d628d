package group

import (
	"flowlog/report/function"
	"flowlog/report/parallel"
)

// isNumeric reports whether a state is numeric.
func isNumeric(s function.State) bool {
	_, ok := s.(function.Numeric)
	return ok
}

// A merging is a merge of one state into another that is to be done.
type merging struct {
	to, from function.State
	codes    []uint32 // as for state.merge
}

// mergeNumbers merges the numeric states, of groups from, from+1, …, which are ids[0], ids[1], … in the targets. All
// states of function.MergeLot groups are merged before the next groups, while their cells are in the cache.
func mergeNumbers(states []merging, ids []uint32, from int) error {
	for len(ids) > 0 {
		lot := ids[:min(len(ids), function.MergeLot)]
		for _, m := range states {
			if n, ok := m.to.(function.Numeric); ok {
				if err := n.MergeSome(m.from, lot, from); err != nil {
					return err
				}
			}
		}
		ids, from = ids[len(lot):], from+len(lot)
	}
	return nil
}

// mergeOthers merges the states that are not numeric, several at once.
func mergeOthers(states []merging, ids []uint32) error {
	return parallel.Each(len(states), func(i int) error {
		m := states[i]
		if isNumeric(m.to) {
			return nil
		}
		return m.to.Merge(m.from, ids, m.codes)
	})
}
