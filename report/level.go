package report

import (
	"math/bits"

	"flowlog/parse/schema"
)

// A level numbers the pairs of a group so far and a further code.
type level struct {
	*schema.Pairs
	near []uint32 // at group<<bits | code the number of a pair, plus 1: for few groups and codes
	bits int
}

// maxNear is how large that table may be: it is one of few, and some of it stays in the processor's caches.
const maxNear = 1 << 20

// number makes ids, which are groups so far, the numbers of them and codes. Both are less than the numbers given.
func (l *level) number(ids []uint32, groups int, rows []int32, codes []uint32, values int, words []uint64) {
	if !l.fit(groups, values) {
		for i, row := range rows {
			words[i] = uint64(ids[i])<<32 | uint64(codes[row])
		}
		l.IDs(words[:len(rows)], ids)
		return
	}
	for i, row := range rows {
		near := &l.near[int(ids[i])<<l.bits|int(codes[row])]
		if *near == 0 {
			id, _ := l.ID(uint64(ids[i])<<32 | uint64(codes[row]))
			*near = id + 1
		}
		ids[i] = *near - 1
	}
}

// fit makes the near table large enough, or reports that it would be too large.
func (l *level) fit(groups, values int) bool {
	width := max(bits.Len(uint(values-1)), l.bits)
	size := groups << width
	if size > maxNear {
		l.near = nil
		return false
	}
	if width == l.bits && size <= len(l.near) {
		return true
	}
	l.bits = width
	l.near = make([]uint32, min(2*size, maxNear))
	for id, word := range l.Words() {
		l.near[int(word>>32)<<width|int(uint32(word))] = uint32(id) + 1
	}
	return true
}
