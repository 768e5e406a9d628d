package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// A Spike is a condition on the rows of a report over time: that a measure is more than so many times its median
// in the other bins. Rows that differ in their keys other than time are compared apart. Where bins differ in length, as
// days do when a clock is set, counts and sums are compared as rates. A bin in which there was nothing counts as 0, for a
// measure that is 0 of nothing; else it is left out. What the median is of 0 is more than any multiple of it, so that a
// Having should say what is too little to matter.
type Spike struct {
	Measure string
	Times   float64
}

// leastBins is how many bins there must be, so that the median is of three others at least: of fewer, it is as likely
// to be the exception.
const leastBins = 4

// medianColumn is the name of the column that says what is usual.
const medianColumn = "median"

// began is the range of the starts of flows, whatever reports ask of them: bins without a row are in it too.
type began struct{ lo, hi atomic.Int64 }

func (b *began) reset() {
	b.lo.Store(math.MaxInt64)
	b.hi.Store(math.MinInt64)
}

// observe takes in the flows of a batch.
func (b *began) observe(starts arrow.Array, rows []int32) {
	first, last := newExtreme(1), newExtreme(-1)
	for _, s := range []*extreme{first, last} {
		s.grow(1)
		_ = s.add(nil, rows, inputs{col: starts}) // it has no errors
	}
	earliest, ok := first.value(0)
	if !ok {
		return
	}
	latest, _ := last.value(0)
	for lo := b.lo.Load(); earliest < lo && !b.lo.CompareAndSwap(lo, earliest); lo = b.lo.Load() {
	}
	for hi := b.hi.Load(); latest > hi && !b.hi.CompareAndSwap(hi, latest); hi = b.hi.Load() {
	}
}

// bins is how many bins of a key there are from the first flow to the last.
func (b *began) bins(k Key) int {
	lo, hi := b.lo.Load(), b.hi.Load()
	if lo > hi {
		return 0
	}
	return int(k.calendar().count(lo, hi))
}

// spiking reports whether some report has a Spike.
func spiking(reports []Report) bool {
	return slices.ContainsFunc(reports, func(r Report) bool { return r.Spike != nil })
}

// timeAt is the place of the key that is a bin of time, or -1.
func (r *Report) timeAt() int {
	return slices.IndexFunc(r.Keys, func(k Key) bool { return k.Every != 0 })
}

// spikes returns those of the candidates that are spikes, and notes the medians of their series. ids are all groups.
func (v *reportView) spikes(candidates, ids []uint32, began *began, stats schema.Stats) []uint32 {
	at, m := v.report.timeAt(), v.report.measure(v.report.Spike.Measure)
	bins := began.bins(v.groups.keys[at])
	if bins < leastBins || len(candidates) == 0 {
		return nil
	}
	series := v.groups.series(ids, at)
	of := make(map[string][]uint32) // the groups of those series that have a candidate
	place := make(map[uint32]string, len(candidates))
	for _, id := range candidates {
		place[id] = ""
	}
	for i, id := range ids {
		if _, ok := place[id]; ok {
			place[id] = series(i)
			of[series(i)] = nil
		}
	}
	for i, id := range ids {
		if groups, ok := of[series(i)]; ok {
			of[series(i)] = append(groups, id)
		}
	}
	v.medians = make(map[uint32]float64)
	var kept []uint32
	for _, id := range candidates {
		value, ok := v.comparable(m, id, stats)
		if !ok {
			continue
		}
		var others []float64
		for _, other := range of[place[id]] {
			if o, ok := v.comparable(m, other, stats); ok && other != id {
				others = append(others, o)
			}
		}
		absent := 0
		if v.measures[m].fn.zero {
			absent = max(bins-1-len(others), 0)
		}
		if len(others)+absent < leastBins-1 {
			continue
		}
		if usual := median(others, absent); value > v.report.Spike.Times*usual {
			v.medians[id] = usual / v.perWidth(m, id)
			kept = append(kept, id)
		}
	}
	return kept
}

// comparable is a measure of a group as it is compared with those of other bins of time, which may be longer or shorter.
func (v *reportView) comparable(m int, group uint32, stats schema.Stats) (float64, bool) {
	x, ok := float(v.value(m, group, stats))
	if ok {
		x *= v.perWidth(m, group)
	}
	return x, ok
}

// series returns what tells apart the groups by their keys other than the one at a place: a text for the i-th.
func (g *grouping) series(ids []uint32, at int) func(i int) string {
	codes := g.keyCodes(ids)
	return func(i int) string {
		var b strings.Builder
		for level, c := range codes {
			if level != at {
				fmt.Fprintf(&b, "%x ", c[i])
			}
		}
		return b.String()
	}
}

// median is that of values and so many zeros. It sorts the values.
func median(values []float64, zeros int) float64 {
	slices.Sort(values) // none is negative
	n := len(values) + zeros
	nth := func(i int) float64 {
		if i < zeros {
			return 0
		}
		return values[i-zeros]
	}
	if n%2 == 1 {
		return nth(n / 2)
	}
	return (nth(n/2-1) + nth(n/2)) / 2
}

// float is a number as a floating-point one.
func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v)
	}
	return 0, false
}

// moot says why the conditions on rows cannot be met, whatever the flows are: what they ask for is not in the logs.
// It is "" if they can be.
func (j *job) moot(v *reportView, missing []bool, stats schema.Stats) string {
	if stats.Flows == 0 {
		return ""
	}
	var names []string
	missingOf := func(measures ...string) []string {
		var out []string
		for _, name := range measures {
			if i := v.report.measure(name); i >= 0 && missing[i] {
				out = append(out, name)
				v.measures[i].fields(func(field string) { names = append(names, j.missing(field)...) })
			}
		}
		return out
	}
	without := unmet(v.report.Having, missingOf)
	if v.report.Spike != nil {
		without = append(without, missingOf(v.report.Spike.Measure)...)
	}
	if without != nil {
		slices.Sort(names)
		return (&Lacking{Report: v.report.Name, Fields: slices.Compact(names), From: origins(j.enricher.fields, names), stats: stats}).Error()
	}
	if v.report.Spike == nil {
		return ""
	}
	k := v.groups.keys[v.report.timeAt()]
	if bins := j.began.bins(k); bins < leastBins {
		return fmt.Sprintf("%s compares %d bins of %s or more, and these logs have %d", v.report.Name, leastBins, width(k.Every), bins)
	}
	return ""
}

// width writes a length of time without the units that are 0: 5m, not 5m0s.
func width(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = strings.TrimSuffix(s, zero[1:])
		}
	}
	return s
}
