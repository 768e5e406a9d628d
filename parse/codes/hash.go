package codes

import (
	"runtime"
	"unsafe"

	"flowlog/parse/schema"
)

// Hash tables of 64-bit words, looked up a batch at a time. Where a table exceeds the processor's caches, the cost is
// memory latency, and the processor overlaps many cache misses if the loads do not depend on each other.

// lookupBatch is how many words are looked up together: enough to overlap cache misses, few enough that their slots are
// still in the first-level cache in the second loop.
const lookupBatch = 256

// Touched returns n zero values and pre-faults their pages. Reading a fresh page first maps the shared zero page; the
// later write faults again and triggers a TLB shootdown on all processors.
func Touched[T any](n int) []T {
	const page = 4 << 10
	values := make([]T, n)
	var zero T
	for i := 0; i < n; i += page / int(unsafe.Sizeof(zero)) {
		values[i] = zero
	}
	return values
}

// Grown returns s with at least n elements, and room for twice as many as it had: append would copy long ones five
// times as often, and write to all the room that there is, though memory that nothing was written to costs nothing. They
// are copied in pieces, as a goroutine can be stopped between two only: the garbage collector would wait, and send signals.
func Grown[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:max(n, len(s))]
	}
	const piece = 1 << 15
	longer := make([]T, n, max(n, 2*len(s)))
	for i := 0; i < len(s); i += piece {
		copy(longer[i:], s[i:min(i+piece, len(s))])
	}
	return longer
}

// Pairs numbers distinct 64-bit words, such as pairs of codes, from 0 in order of appearance.
type Pairs struct {
	words      []uint64 // by number, plus 1
	tables     []table  // one, or one per Part if there are many words
	tableShift uint     // tag>>1>>tableShift is the index of a word's table
	partShift  uint     // bits of the hash that select the table
}

// A table is the hash table of one part. Each part has its own because words may arrive sorted by part: in one table
// they would fill a small range of slots long before the table grows.
type table struct {
	slots []uint64 // linear probing: the upper half of a word's hash, and its index in words; 0 if empty
	shift uint
	n     int
}

const (
	partBits = 8
	// Parts is the number of partitions, see Part. 256: a byte numbers them.
	Parts = 1 << partBits
	// tableBits is the base-2 logarithm of the largest unpartitioned table: 1 MB of slots, the size of a typical
	// second-level cache.
	tableBits = 17
)

// Part returns the partition of a word in a partitioned Pairs. Looking up the words of one partition after another
// keeps each partition's table in the processor's caches (radix partitioning).
func Part(word uint64) uint8 { return uint8(tag(word) >> (64 - partBits)) }

// NewPairs returns an empty Pairs.
func NewPairs() *Pairs {
	return &Pairs{words: make([]uint64, 1), tables: []table{newTable(8)}, tableShift: 63}
}

func newTable(bits uint) table { return table{slots: Touched[uint64](1 << bits), shift: 64 - bits} }

// Len is the number of words.
func (p *Pairs) Len() int { return len(p.words) - 1 }

// Words returns all words, by their number. It is valid until the next word is added.
func (p *Pairs) Words() []uint64 { return p.words[1:] }

// Parted reports whether the words are partitioned: they are once there are many.
func (p *Pairs) Parted() bool { return len(p.tables) > 1 }

// Fetch prefetches the table of a partition if so many lookups pay for it: a sequential read is faster than cache misses
// in random order.
func (p *Pairs) Fetch(part, words int) {
	const line = 64 / 8 // slots per cache line
	slots := p.tables[part].slots
	if len(slots) > line*words {
		return
	}
	var sum uint64
	for i := 0; i < len(slots); i += line {
		sum += slots[i]
	}
	runtime.KeepAlive(sum)
}

// Size estimates the bytes of memory in use.
func (p *Pairs) Size() int64 {
	n := cap(p.words)
	for _, t := range p.tables {
		n += len(t.slots)
	}
	return 8 * int64(n)
}

// tag is the hash of a word with an upper half that is not 0, so that no entry equals an empty slot.
func tag(word uint64) uint64 { return schema.Hash(word) | 1<<32 }

// ID returns the number of the word, and whether it is new.
func (p *Pairs) ID(word uint64) (id uint32, isNew bool) { return p.find(word, tag(word)) }

func (p *Pairs) find(word, tag uint64) (id uint32, isNew bool) {
	t := &p.tables[tag>>1>>(p.tableShift&63)]
	mask := uint64(len(t.slots) - 1)
	for i := tag << p.partShift >> t.shift; ; i = (i + 1) & mask {
		e := t.slots[i]
		if e>>32 == tag>>32 && p.words[uint32(e)] == word {
			return uint32(e) - 1, false
		}
		if e == 0 {
			if len(p.words) == cap(p.words) {
				p.words = Grown(p.words, len(p.words)+1)[:len(p.words)]
			}
			t.slots[i] = tag>>32<<32 | uint64(len(p.words))
			p.words = append(p.words, word)
			if t.n++; 3*t.n > 2*len(t.slots) {
				p.grow(t)
			}
			return uint32(p.Len() - 1), true
		}
	}
}

// IDs writes the number of each word to ids.
func (p *Pairs) IDs(words []uint64, ids []uint32) {
	var tags, entries [lookupBatch]uint64
	var missed [lookupBatch]uint8
	for len(words) > 0 {
		n := min(len(words), lookupBatch)
		if tables := p.tables; p.Parted() {
			for i, word := range words[:n] {
				tags[i] = tag(word)
				t := &tables[tags[i]>>(64-partBits)]
				entries[i] = t.slots[tags[i]<<partBits>>(t.shift&63)]
			}
		} else {
			slots, shift := tables[0].slots, tables[0].shift&63
			for i, word := range words[:n] {
				tags[i] = tag(word)
				entries[i] = slots[tags[i]>>shift]
			}
		}
		misses := 0
		for i, word := range words[:n] {
			e := entries[i]
			ids[i] = uint32(e) - 1
			missed[misses&(lookupBatch-1)] = uint8(i)
			if (e^tags[i])>>32|(p.words[uint32(e)]^word) != 0 {
				misses++
			}
		}
		for _, i := range missed[:misses] {
			ids[i], _ = p.find(words[i], tags[i])
		}
		words, ids = words[n:], ids[n:]
	}
}

// grow doubles a table, or splits the single table into one per partition.
func (p *Pairs) grow(t *table) {
	if p.Parted() || len(t.slots) < 1<<tableBits {
		t.shift--
		t.slots = doubled(t.slots, p.partShift, t.shift)
		return
	}
	p.tables, p.tableShift, p.partShift = make([]table, Parts), 63-partBits, partBits
	for i := range p.tables {
		p.tables[i] = newTable(tableBits + 1 - partBits)
	}
	for _, e := range t.slots {
		if e != 0 {
			part := &p.tables[e>>(64-partBits)]
			part.n++
			insert(part.slots, e, p.partShift, part.shift)
		}
	}
}

// doubled returns a table with the same entries and twice the slots; shift is the new one. partShift is how many upper
// bits of the hash select the table and so are skipped.
func doubled(old []uint64, partShift, shift uint) []uint64 {
	slots := Touched[uint64](2 * len(old))
	for _, e := range old {
		if e != 0 {
			insert(slots, e, partShift, shift)
		}
	}
	return slots
}

// insert puts an entry into a table. The half hash of the entry is enough to find its slot: tables have fewer than 2^32.
func insert(slots []uint64, e uint64, partShift, shift uint) {
	mask := uint64(len(slots) - 1)
	i := e << partShift >> shift
	for slots[i] != 0 {
		i = (i + 1) & mask
	}
	slots[i] = e
}

// A Set is a set of 64-bit words that are not 0.
type Set struct {
	slots []uint64 // hash table with linear probing, at most half full
	n     int
	shift uint
}

// NewSet returns an empty Set.
func NewSet() *Set { return &Set{slots: make([]uint64, 1<<8), shift: 64 - 8} }

// Len is the number of words.
func (s *Set) Len() int { return s.n }

// Size is the bytes of memory in use.
func (s *Set) Size() int64 { return 8 * int64(len(s.slots)) }

// Add adds a word and reports whether it is new.
func (s *Set) Add(word uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := schema.Hash(word) >> s.shift; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case word:
			return false
		case 0:
			s.slots[i] = word
			if s.n++; 2*s.n > len(s.slots) {
				s.grow()
			}
			return true
		}
	}
}

// Reserve makes room for n words, before the words of another Set are added. These arrive in hash order: in a smaller
// table they would all collide in one range of slots.
func (s *Set) Reserve(n int) {
	for 2*n > len(s.slots) {
		s.grow()
	}
}

// AddAll adds words and returns the new ones, in their order. It reuses the slice.
func (s *Set) AddAll(words []uint64) []uint64 {
	added := words[:0]
	for len(words) > 0 {
		n := min(len(words), lookupBatch)
		slots, shift := s.slots, s.shift&63
		left := 0
		for _, word := range words[:n] {
			at := slots[schema.Hash(word)>>shift]
			words[left] = word
			if at != word {
				left++
			}
		}
		for _, word := range words[:left] {
			if s.Add(word) {
				added = append(added, word)
			}
		}
		words = words[n:]
	}
	return added
}

// All iterates over the words in no particular order.
func (s *Set) All(yield func(word uint64) bool) {
	for _, word := range s.slots {
		if word != 0 && !yield(word) {
			return
		}
	}
}

func (s *Set) grow() {
	old := s.slots
	s.slots = Touched[uint64](2 * len(old))
	s.shift--
	mask := uint64(len(s.slots) - 1)
	for _, word := range old {
		if word == 0 {
			continue
		}
		i := schema.Hash(word) >> s.shift
		for s.slots[i] != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = word
	}
}
