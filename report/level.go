package report

import (
	"math"
	"math/bits"

	"flowlog/parse/schema"
)

// A level numbers the pairs of a group so far and a further code.
type level struct {
	*schema.Pairs
	near  []uint32 // at group<<bits | brief[code]<<up the number of a pair, plus 1: for few groups and codes
	bits  int      // 0 if there are more groups than codes: these are asked for more often than others, and lie together then
	up    int      // 0 otherwise
	brief []uint16 // by code: which of those that have come it is, from 1 on; 0 for the others
	came  int
}

// maxNear is how large that table may be: it is one of few, and some of it stays in the processor's caches.
const maxNear = 1 << 20

// far reports whether the numbers are so many, and so far apart, that the processor's caches do not hold them.
func (l *level) far() bool { return l.near == nil && l.Parted() }

// number makes ids, which are groups so far, the numbers of them and codes. Both are less than the numbers given.
func (l *level) number(ids []uint32, groups int, rows []int32, codes []uint32, values int, words []uint64) {
	done := 0
	if values > math.MaxUint16 {
		l.near = nil
	} else {
		l.brief = schema.Grown(l.brief, values)
		for l.fit(groups) && done < len(rows) {
			done += l.numberNear(ids[done:], rows[done:], codes)
		}
	}
	if ids, rows = ids[done:], rows[done:]; len(rows) == 0 {
		return
	}
	for i, row := range rows {
		words[i] = uint64(ids[i])<<32 | uint64(codes[row])
	}
	l.IDs(words[:len(rows)], ids)
}

// numberNear is number by the near table, as far as the codes that come fit into it. It returns how many rows that is.
func (l *level) numberNear(ids []uint32, rows []int32, codes []uint32) int {
	near, shift, up, brief := l.near, l.bits&31, l.up&31, l.brief
	for i, row := range rows {
		at := int(ids[i])<<shift | int(brief[codes[row]])<<up
		if near[at] == 0 {
			code := codes[row]
			if brief[code] == 0 {
				l.came++
				brief[code] = uint16(l.came)
				return i
			}
			id, _ := l.ID(uint64(ids[i])<<32 | uint64(code))
			near[at] = id + 1
		}
		ids[i] = near[at] - 1
	}
	return len(rows)
}

// fit makes the near table large enough, or reports that it would be too large.
func (l *level) fit(groups int) bool {
	wide, high := bits.Len(uint(l.came)), 0
	size := groups << wide
	if groups > l.came {
		wide, high = 0, bits.Len(uint(groups-1))
		size = (l.came + 1) << high
	}
	if size > maxNear {
		l.near = nil
		return false
	}
	if wide == l.bits && high == l.up && size <= len(l.near) {
		return true
	}
	l.bits, l.up = wide, high
	l.near = schema.Touched[uint32](min(2*size, maxNear))
	for id, word := range l.Words() {
		if code := int(uint32(word)); code < len(l.brief) && l.brief[code] > 0 { // others did not come by here
			l.near[int(word>>32)<<wide|int(l.brief[code])<<high] = uint32(id) + 1
		}
	}
	return true
}
