package report

// isNumeric reports whether a state is numeric.
func isNumeric(s state) bool {
	_, ok := s.(numeric)
	return ok
}

// A merging is a merge of one state into another that is to be done.
type merging struct {
	to, from state
	codes    []uint32 // as for state.merge
}

// mergeLot is how many groups or values are merged at once: as many as fit into the processor's caches.
const mergeLot = 1024

// mergeNumbers merges the numeric states, of groups from, from+1, …, which are ids[0], ids[1], … in the targets. All
// states of mergeLot groups are merged before the next groups, while their cells are in the cache.
func mergeNumbers(states []merging, ids []uint32, from int) error {
	for len(ids) > 0 {
		lot := ids[:min(len(ids), mergeLot)]
		for _, m := range states {
			if n, ok := m.to.(numeric); ok {
				if err := n.mergeSome(m.from, lot, from); err != nil {
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
	return atOnce(len(states), func(i int) error {
		m := states[i]
		if isNumeric(m.to) {
			return nil
		}
		return m.to.merge(m.from, ids, m.codes)
	})
}
