package inventory

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// slack is how far the times of a flow record may be off, in seconds. Source: Amazon VPC User Guide, start and end.
const slack = 60

const (
	ever  = math.MinInt64
	never = math.MaxInt64
)

// A tenure is the time in which a holder may have had an address. Times are Unix seconds, inclusive.
//
// Long because it has what was seen beside what follows from it, until all of an address are known.
type tenure struct {
	holder         int32
	stream         int32 // -1 for items of AWS Config
	first, last    int32 // snapshots that saw it, of the stream in order of time
	kind           claimKind
	fixed          bool  // from and to are set: by exact times
	attach, gone   int64 // see state
	from, to       int64 // it certainly had the address, or between the points if there are some; from > to is never
	mayFrom, mayTo int64 // it may have had the address
	points         []int64
}

// certain reports whether the holder had the address for all of a time.
func (t *tenure) certain(start, end int64) bool {
	if t.points == nil {
		return t.from <= start && end <= t.to
	}
	i, _ := slices.BinarySearch(t.points, end-slack) // the first that may cover the end
	return i < len(t.points) && t.points[i]-slack <= start && end <= t.points[i]+slack
}

// overlaps reports whether the holder certainly had the address for some of a time.
func (t *tenure) overlaps(start, end int64) bool {
	if t.points == nil {
		return t.from <= t.to && t.from <= end && start <= t.to
	}
	i, _ := slices.BinarySearch(t.points, start-slack)
	return i < len(t.points) && t.points[i]-slack <= end
}

// possible reports whether the holder may have had the address for some of a time.
func (t *tenure) possible(start, end int64) bool { return t.mayFrom <= end && start <= t.mayTo }

// changes appends the times at which an answer of the tenure changes.
func (t *tenure) changes(times []int64) []int64 {
	add := func(t int64) {
		if t != ever && t != never {
			times = append(times, t)
		}
	}
	add(t.mayFrom)
	if t.mayTo != never {
		add(t.mayTo + 1)
	}
	if t.points == nil {
		add(t.from)
		if t.to != never {
			add(t.to + 1)
		}
	}
	for _, p := range t.points {
		add(p - slack)
		add(p + slack + 1)
	}
	return times
}

// sure reports whether what two snapshots in a row show was so between them too.
func (k claimKind) sure() bool { return k == primary || k == attached || k == exact }

// A timeline is the tenures of one address or prefix in one VPC.
type timeline struct {
	vpc     int32
	next    int32 // another one of the same address, -1 if there is none
	layer   layer
	tenures []tenure
}

// A layer is how close an owner is to the traffic: a pod is asked for before the interface that it shares.
type layer uint8

const (
	pods layer = iota
	interfaces
	services // and nodes
	layers
)

// finish computes the bounds of the tenures of a timeline.
func (l *timeline) finish(streams []history) {
	order := func(a, b tenure) int {
		return cmp.Or(cmp.Compare(a.holder, b.holder), cmp.Compare(a.stream, b.stream), cmp.Compare(a.first, b.first))
	}
	if !slices.IsSortedFunc(l.tenures, order) {
		slices.SortStableFunc(l.tenures, order)
	}
	kept := l.tenures[:0]
	for _, t := range l.tenures {
		if n := len(kept); n > 0 && t.joins(&kept[n-1], streams) {
			kept[n-1].last = max(kept[n-1].last, t.last)
			continue
		}
		kept = append(kept, t)
	}
	l.tenures = slices.Clip(kept)
	for i := range l.tenures {
		if t := &l.tenures[i]; !t.fixed {
			t.bound(&streams[t.stream])
		}
	}
	l.clamp()
	l.cut()
}

// joins reports whether a tenure goes on where another one of the list before it ended.
func (t *tenure) joins(before *tenure, streams []history) bool {
	if t.fixed || before.fixed || t.holder != before.holder || t.stream != before.stream || t.kind != before.kind {
		return false
	}
	if t.kind == attached && t.attach != before.attach || t.gone != before.gone {
		return false
	}
	return t.first <= before.last+1 || !streams[t.stream].between(before.last, t.first)
}

// bound computes what the snapshots of a stream say of a tenure.
func (t *tenure) bound(h *history) {
	before, after := h.before(t.first), h.after(t.last)
	t.mayFrom, t.mayTo = before, after
	t.from, t.to = h.times[t.first]-slack, h.times[t.last]+slack
	if !t.kind.sure() && t.first < t.last {
		t.points = h.times[t.first : t.last+1]
	}
	starts := t.kind == exact || t.kind == primary && t.attach > before
	if t.attach > 0 && starts && t.attach <= h.times[t.first]+slack {
		t.from, t.mayFrom = t.attach+slack, t.attach-slack
	}
	if t.gone > 0 {
		t.to, t.mayTo = min(t.to, t.gone-slack), t.gone+slack
	}
}

// clamp limits what snapshots leave open to the exact times that AWS Config has for the same holder.
func (l *timeline) clamp() {
	for i := range l.tenures {
		t := &l.tenures[i]
		if !t.fixed {
			continue
		}
		for j := range l.tenures {
			o := &l.tenures[j]
			if o.fixed || o.holder != t.holder {
				continue
			}
			if t.mayTo != never && t.to <= t.mayTo && o.from <= t.mayTo && o.to >= t.from {
				o.mayTo = min(o.mayTo, max(t.mayTo, o.to))
			}
			if t.mayFrom != ever && o.to >= t.mayFrom && o.from <= t.to {
				o.mayFrom = max(o.mayFrom, min(t.mayFrom, o.from))
			}
		}
	}
}

// cut ends what was possible for a holder where another one certainly had the address: it has one owner at a time.
func (l *timeline) cut() {
	if len(l.tenures) < 2 {
		return
	}
	slices.SortStableFunc(l.tenures, func(a, b tenure) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.holder, b.holder)) })
	for i := range l.tenures {
		t := &l.tenures[i]
		for j := i + 1; j < len(l.tenures); j++ {
			if o := &l.tenures[j]; o.holder != t.holder && o.from <= o.to && o.from > t.to {
				t.mayTo = min(t.mayTo, o.from-1)
				break
			}
		}
		for j := i - 1; j >= 0; j-- {
			if o := &l.tenures[j]; o.holder != t.holder && o.from <= o.to && o.to < t.from {
				t.mayFrom = max(t.mayFrom, o.to+1)
				break
			}
		}
	}
}

// A history is the snapshots of a stream in the order of time, each time once.
type history struct {
	times   []int64
	partial []bool  // what the snapshot lacks may have been there
	rank    []int32 // by index in the order of reading; nil if that is the order of time
	gaps    bool    // some snapshot is partial
}

func (s *stream) history() history {
	h := history{times: s.times, partial: s.partial, gaps: slices.Contains(s.partial, true)}
	ordered := true
	for i := 1; i < len(s.times); i++ {
		ordered = ordered && s.times[i-1] < s.times[i]
	}
	if ordered {
		return h
	}
	h.times = slices.Clone(s.times)
	slices.Sort(h.times)
	h.times = slices.Compact(h.times)
	h.partial, h.rank = make([]bool, len(h.times)), make([]int32, len(s.times))
	for i := range h.partial {
		h.partial[i] = true
	}
	for i, t := range s.times {
		at, _ := slices.BinarySearch(h.times, t)
		h.rank[i] = int32(at)
		h.partial[at] = h.partial[at] && s.partial[i]
	}
	return h
}

// before is the time of the last complete snapshot in front of one.
func (h *history) before(i int32) int64 {
	for i--; i >= 0; i-- {
		if !h.partial[i] {
			return h.times[i]
		}
	}
	return ever
}

// after is the time of the first complete snapshot behind one.
func (h *history) after(i int32) int64 {
	for i++; int(i) < len(h.times); i++ {
		if !h.partial[i] {
			return h.times[i]
		}
	}
	return never
}

// between reports whether there is a complete snapshot between two.
func (h *history) between(a, b int32) bool {
	return !h.gaps && b > a+1 || h.gaps && slices.Contains(h.partial[a+1:max(b, a+1)], false)
}

// runs translates runs in the order of reading.
func (h *history) runs(all []run) []run {
	if h.rank == nil {
		return all
	}
	var ranks []int32
	for _, r := range all {
		for i := r.first; i <= r.last; i++ {
			ranks = append(ranks, h.rank[i])
		}
	}
	slices.Sort(ranks)
	var out []run
	for _, r := range ranks {
		if n := len(out); n > 0 && r <= out[n-1].last+1 {
			out[n-1].last = r
			continue
		}
		out = append(out, run{r, r})
	}
	return out
}

// single is the prefix of one address.
func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
