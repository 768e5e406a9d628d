package group

import (
	"math"
	"math/bits"

	"flowlog/parse/codes"
)

// A keyLevel maps a pair (prefix group, code of the next key) to a group id. Levels are chained for composite keys.
type keyLevel struct {
	*codes.Pairs
	// dense is a lookup table for few groups and codes: at prefix<<bits | brief[code]<<up is the id plus 1, or 0. One of
	// the shifts is 0, so that what there are fewer of lies together.
	dense []uint32
	bits  int
	up    int
	brief []uint16 // by code: its number among the codes that have come, from 1 on; 0 for the others
	came  int      // how many codes have come
}

// maxDense is the largest dense table: there are few of them, and a part stays in the processor's caches.
const maxDense = 1 << 20

// exceedsCache reports whether the ids do not fit into the processor's caches.
func (l *keyLevel) exceedsCache() bool { return l.dense == nil && l.Parted() }

// number replaces ids, which are prefix groups below groups, by the ids of them and codes, which are below values.
func (l *keyLevel) number(ids []uint32, groups int, rows []int32, keyCodes []uint32, values int, words []uint64) {
	done := 0
	if values > math.MaxUint16 {
		l.dense = nil
	} else {
		l.brief = codes.Grown(l.brief, values)
		for l.fit(groups) && done < len(rows) {
			done += l.numberDense(ids[done:], rows[done:], keyCodes)
		}
	}
	if ids, rows = ids[done:], rows[done:]; len(rows) == 0 {
		return
	}
	for i, row := range rows {
		words[i] = uint64(ids[i])<<32 | uint64(keyCodes[row])
	}
	l.IDs(words[:len(rows)], ids)
}

// numberDense is number by the dense table, up to the first code that has not come yet. It returns how many rows that is.
func (l *keyLevel) numberDense(ids []uint32, rows []int32, codes []uint32) int {
	dense, shift, up, brief := l.dense, l.bits&31, l.up&31, l.brief
	for i, row := range rows {
		at := int(ids[i])<<shift | int(brief[codes[row]])<<up
		if dense[at] == 0 {
			code := codes[row]
			if brief[code] == 0 {
				l.came++
				brief[code] = uint16(l.came)
				return i
			}
			id, _ := l.ID(uint64(ids[i])<<32 | uint64(code))
			dense[at] = id + 1
		}
		ids[i] = dense[at] - 1
	}
	return len(rows)
}

// fit makes the dense table large enough, or reports that it would be too large.
func (l *keyLevel) fit(groups int) bool {
	wide, high := bits.Len(uint(l.came)), 0
	size := groups << wide
	if groups > l.came {
		wide, high = 0, bits.Len(uint(groups-1))
		size = (l.came + 1) << high
	}
	if size > maxDense {
		l.dense = nil
		return false
	}
	if wide == l.bits && high == l.up && size <= len(l.dense) {
		return true
	}
	l.bits, l.up = wide, high
	l.dense = codes.Touched[uint32](min(2*size, maxDense))
	for id, word := range l.Words() {
		if code := int(uint32(word)); code < len(l.brief) && l.brief[code] > 0 { // others did not come by here
			l.dense[int(word>>32)<<wide|int(l.brief[code])<<high] = uint32(id) + 1
		}
	}
	return true
}
