package pass

import (
	"math"
	"slices"
)

// An ordering deals connections out to lots by their start, each as long as the others: lot by lot they are in the order
// of time. Those without a start are in the first one.
type ordering struct {
	first, width int64
	shards       []*shard[connection] // by worker
}

// newOrdering returns the ordering that a pass is to have, or nil.
func newOrdering(c *Connections, m *matcher, workers int) *ordering {
	if !c.opt.Ordered {
		return nil
	}
	o := &ordering{first: math.MaxInt64}
	last := int64(math.MinInt64)
	for _, g := range m.gatherers {
		o.first, last = min(o.first, g.first), max(last, g.last)
	}
	if last > o.first {
		o.width = int64((uint64(last)-uint64(o.first))/lots + 1)
	}
	for range workers {
		o.shards = append(o.shards, newShard[connection](m.overflow))
	}
	return o
}

// lot is where connections of a start are.
func (o *ordering) lot(start int64) int {
	if !known(start) || o.width == 0 {
		return 0
	}
	return int((uint64(start) - uint64(o.first)) / uint64(o.width))
}

func (o *ordering) put(worker int, all []connection) error {
	for _, c := range all {
		if err := o.shards[worker].put(o.lot(c.start), c); err != nil {
			return err
		}
	}
	return nil
}

// load returns the connections of a lot in their order. They are valid until the reader's next call.
func (o *ordering) load(l *lotReader, lot int) (all []connection, err error) {
	all = l.all[:0]
	for _, s := range o.shards {
		if all, err = s.load(all, lot); err != nil {
			return nil, err
		}
		s.drop(lot)
	}
	l.all = all
	slices.SortFunc(all, func(a, b connection) int { return l.order(&a, &b) })
	return all, nil
}
