package report

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// gather makes one worker of all, which is rolled up. choose says whether bins of time whose width was left open get one.
func (a *Aggregator) gather(choose bool) (*worker, error) {
	var waits func(g, from *grouping) bool
	if a.rollsLate() {
		waits = func(_, from *grouping) bool { return !from.inner }
	}
	if err := a.roll(waits); err != nil {
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
	return w, w.roll(nil)
}

// merge takes in what another worker has come to. Both are rolled up, or have the same yet to be.
func (w *worker) merge(o *worker) error {
	translated := w.translate(o)
	return o.atOnce(func(i int) error { return w.mergeGrouping(w.groupings[i], o.groupings[i], translated) })
}

// translate adds the values of another worker, and returns the codes here of the codes there.
func (w *worker) translate(o *worker) [][]uint32 {
	translated := make([][]uint32, w.own)
	_ = atOnce(w.own, func(i int) error {
		if c := w.coded[i]; c.pair == nil {
			translated[i] = c.coder.Absorb(o.coded[i].coder)
		}
		return nil
	})
	for i, c := range w.coded[:w.own] {
		if c.pair != nil {
			translated[i] = c.pair.absorb(o.coded[i].pair, translated)
		}
	}
	return translated
}

// atOnce calls do with the numbers below n, from as many goroutines as there are processors, and returns one of its
// errors.
func atOnce(n int, do func(int) error) error {
	errs := make([]error, n)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = do(i)
			}
		}()
	}
	workers.Wait()
	return cmp.Or(errs...)
}

// atOnce is atOnce with the places of groupings, those with the most groups first: others fill up the time until they
// are done.
func (w *worker) atOnce(do func(grouping int) error) error {
	places := make([]int, len(w.groupings))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return w.groupings[b].rows.groups - w.groupings[a].rows.groups })
	return atOnce(len(places), func(i int) error { return do(places[i]) })
}

func (w *worker) mergeGrouping(u, o *grouping, translated [][]uint32) error {
	if u == o { // see rebinned
		return nil
	}
	states := []merging{{to: &u.rows, from: &o.rows}}
	for i, b := range u.bases {
		if b.state != nil {
			m := merging{to: b.state, from: o.bases[i].state}
			if b.fn.codes {
				m.codes = translated[b.coded]
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
			u.rows.grow(p.groups)
			to := min(len(p.ids), o.rows.groups)
			err = cmp.Or(err, mergeNumbers(states, p.ids[from:to], from))
			from = to
		}
		done <- err
	}()
	ids, groups := []uint32{0}, 1
	if len(u.keys) > 0 {
		ids, groups = translated[u.keys[0]], w.coded[u.keys[0]].coder.Len()
	}
	for level, table := range u.levels {
		codes, words := translated[u.keys[level+1]], o.levels[level].Words()
		found, lot := make([]uint32, len(words)), make([]uint64, 4*mergeLot)
		for from := 0; from < len(words); from += len(lot) {
			to := min(from+len(lot), len(words))
			for i, word := range words[from:to] {
				lot[i] = uint64(ids[word>>32])<<32 | uint64(codes[uint32(word)])
			}
			table.IDs(lot[:to-from], found[from:to])
			if level == len(u.levels)-1 {
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
	u.grow(groups)
	return mergeOthers(states, ids)
}
