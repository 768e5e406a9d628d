package group

import (
	"math"
	"slices"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/report"
	"flowlog/report/function"
)

// began is the range of the starts of flows, whatever reports ask of them: bins without a row are in it too.
type began struct{ lo, hi atomic.Int64 }

func (b *began) reset() {
	b.lo.Store(math.MaxInt64)
	b.hi.Store(math.MinInt64)
}

// observe takes in the flows of a batch.
func (b *began) observe(starts arrow.Array, rows []int32) {
	first, last := function.NewExtreme(1), function.NewExtreme(-1)
	for _, s := range []*function.Extreme{first, last} {
		s.Grow(1)
		_ = s.Add(nil, rows, function.Inputs{Col: starts}) // it has no errors
	}
	earliest, ok := first.Value(0)
	if !ok {
		return
	}
	latest, _ := last.Value(0)
	for lo := b.lo.Load(); earliest < lo && !b.lo.CompareAndSwap(lo, earliest); lo = b.lo.Load() {
	}
	for hi := b.hi.Load(); latest > hi && !b.hi.CompareAndSwap(hi, latest); hi = b.hi.Load() {
	}
}

// bins is how many bins of a key there are from the first flow to the last.
func (b *began) bins(k report.Key) int {
	lo, hi := b.lo.Load(), b.hi.Load()
	if lo > hi {
		return 0
	}
	return int(k.Bins().Count(lo, hi))
}

// spiking reports whether some report has a Spike.
func spiking(reports []report.Report) bool {
	return slices.ContainsFunc(reports, func(r report.Report) bool { return r.Spike != nil })
}
