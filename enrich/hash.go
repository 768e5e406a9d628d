package enrich

import (
	"math/bits"
	"math/rand/v2"
)

// The seeds keep whoever sends packets from choosing addresses that all fall into one slot.
var seed1, seed2 = rand.Uint64() | 1, rand.Uint64() | 1

func hash(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^seed1, b^seed2)
	return hi ^ lo
}

// An ip4Table numbers IPv4 addresses: a hash table with linear probing, at most half full, whose slots are
// one word each, so that a hit costs one cache miss.
type ip4Table struct {
	slots []uint64 // address<<32 | number+1, or 0
	used  int
}

// find returns the number of key, which is next if it is new.
func (t *ip4Table) find(key uint32, next int32) int32 {
	if 2*t.used >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash(uint64(key), 0); ; i++ {
		slot := &t.slots[i&mask]
		if *slot == 0 {
			*slot = uint64(key)<<32 | uint64(next+1)
			t.used++
			return next
		}
		if uint32(*slot>>32) == key {
			return int32(uint32(*slot)) - 1
		}
	}
}

func (t *ip4Table) grow() {
	old := t.slots
	t.slots = make([]uint64, max(256, 2*len(old)))
	mask := uint64(len(t.slots) - 1)
	for _, slot := range old {
		if slot == 0 {
			continue
		}
		i := hash(slot>>32, 0)
		for t.slots[i&mask] != 0 {
			i++
		}
		t.slots[i&mask] = slot
	}
}

// A wideTable numbers IPv6 addresses, large whole numbers and pairs of numbers, in the same way.
type wideTable struct {
	slots []uint32 // place among the keys + 1, or 0
	keys  []wideKey
}

type wideKey struct {
	key [2]uint64
	id  int32
}

// find returns the number of key, which is next if it is new.
func (t *wideTable) find(key [2]uint64, next int32) int32 {
	if 2*len(t.keys) >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash(key[0], key[1]); ; i++ {
		slot := &t.slots[i&mask]
		if *slot == 0 {
			t.keys = append(t.keys, wideKey{key, next})
			*slot = uint32(len(t.keys))
			return next
		}
		if k := &t.keys[*slot-1]; k.key == key {
			return k.id
		}
	}
}

func (t *wideTable) grow() {
	t.slots = make([]uint32, max(256, 2*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for n, k := range t.keys {
		i := hash(k.key[0], k.key[1])
		for t.slots[i&mask] != 0 {
			i++
		}
		t.slots[i&mask] = uint32(n + 1)
	}
}
