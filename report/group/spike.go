package group

import (
	"fmt"
	"slices"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report"
)

// leastBins is how many bins there must be, so that the median is of three others at least: of fewer, it is as likely
// to be the exception.
const leastBins = 4

// spikes returns those of the candidates that are spikes, and notes the medians of their series. ids are all groups.
func (v *reportView) spikes(candidates, ids []uint32, began *began, stats schema.Stats) []uint32 {
	at, m := v.report.TimeAt(), v.report.Measure(v.report.Spike.Measure)
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
		if v.measures[m].fn.Zero {
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
	x, ok := report.Number(v.value(m, group, stats))
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
