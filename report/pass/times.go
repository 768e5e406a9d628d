package pass

import (
	"math"
	"slices"
)

// slack is how far apart, in seconds, interfaces may date the same packets.
const slack = 60

// times are those of some sightings. Whether any is near another one takes a logarithmic number of steps, however many
// there are: a Fenwick tree has the latest end of those that start by a time.
type times struct {
	starts []int64 // of all sightings that may be added, ascending
	ends   []int64
}

// reset makes the times empty, for sightings of which some may be added.
func (t *times) reset(all []sighting) {
	t.starts, t.ends = t.starts[:0], t.ends[:0]
	for i := range all {
		t.starts, t.ends = append(t.starts, all[i].start), append(t.ends, math.MinInt64)
	}
	slices.Sort(t.starts)
}

// add adds the time of a sighting, if the times are for it.
func (t *times) add(x *sighting) {
	at, ok := slices.BinarySearch(t.starts, x.start)
	if !ok {
		return
	}
	for i := at + 1; i <= len(t.ends); i += i & -i {
		t.ends[i-1] = max(t.ends[i-1], x.end)
	}
}

// near reports whether one of the times is within slack of that of a sighting.
func (t *times) near(x *sighting) bool {
	until := later(x.end)
	n, _ := slices.BinarySearchFunc(t.starts, until, func(start, until int64) int {
		if start <= until {
			return -1
		}
		return 1
	})
	last := int64(math.MinInt64)
	for i := n; i > 0; i -= i & -i {
		last = max(last, t.ends[i-1])
	}
	return last > math.MinInt64 && last >= earlier(x.start)
}

func later(t int64) int64 {
	if t > math.MaxInt64-slack {
		return math.MaxInt64
	}
	return t + slack
}

func earlier(t int64) int64 {
	if t < math.MinInt64+slack {
		return math.MinInt64
	}
	return t - slack
}
