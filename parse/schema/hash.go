package schema

import (
	"math/bits"
	"math/rand/v2"
	"runtime"
	"unsafe"
)

// Hash tables of 64-bit words. Whoever asks them asks for the words of a batch: where the tables are larger than the
// processor's caches, all that it costs is the wait for memory, and the processor waits for many places at once if
// nothing that it does meanwhile depends on what is there.

// lot is how many words are looked up together: enough to wait for, and so few that their places are still in the
// first-level cache when it comes to them again.
const lot = 256

// The seeds keep whoever sends packets from choosing addresses that all fall into one place of a table.
var seed1, seed2 = rand.Uint64(), rand.Uint64() | 1

func hash(w uint64) uint64 {
	high, low := bits.Mul64(w^seed1, seed2)
	return high ^ low
}

// Touched returns n zero values in memory that was written to. Where fresh memory is read first, as a hash table
// is, each page of it takes two page faults, and the second one interrupts all processors.
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

// Pairs numbers distinct 64-bit words, such as pairs of codes, from 0 on in the order in which they come.
type Pairs struct {
	words  []uint64 // by number, plus 1
	tables []table  // one, or if there are many words one for each Part
	of     uint     // how far the hash is shifted for the table, after 1
	skip   uint     // how many bits of the hash that uses
}

// A table finds words by a part of their hash. Words may come in the order of their parts: a table of all would become
// full in one place long before it became larger.
type table struct {
	slots []uint64 // with linear probing: the upper half of a word's hash, and its place in words; 0 if empty
	shift uint
	n     int
}

const (
	partBits = 8
	// Parts is how many parts there are, see Part.
	Parts = 1 << partBits
	// tableBits are those of the places that a table has at most before there is one for each part.
	tableBits = 17
)

// Part is the part of a Pairs that a word is in, if there are parts. Whoever asks for the words of one part after those of
// another has what is asked for in the processor's caches (radix partitioning).
func Part(word uint64) uint8 { return uint8(tag(word) >> (64 - partBits)) }

// NewPairs returns an empty Pairs.
func NewPairs() *Pairs {
	return &Pairs{words: make([]uint64, 1), tables: []table{newTable(8)}, of: 63}
}

func newTable(bits uint) table { return table{slots: Touched[uint64](1 << bits), shift: 64 - bits} }

// Len is how many words there are.
func (p *Pairs) Len() int { return len(p.words) - 1 }

// Words returns all words, by their number. It is valid until the next word is added.
func (p *Pairs) Words() []uint64 { return p.words[1:] }

// Parted reports whether there are so many words that there are parts.
func (p *Pairs) Parted() bool { return len(p.tables) > 1 }

// Fetch brings one of the parts to the caches, if it pays for so many words: read in order, it is there sooner.
func (p *Pairs) Fetch(part, words int) {
	const line = 64 / 8
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

// Size is about how many bytes the words take.
func (p *Pairs) Size() int64 {
	n := cap(p.words)
	for _, t := range p.tables {
		n += len(t.slots)
	}
	return 8 * int64(n)
}

// tag is the hash of a word whose upper half is not 0.
func tag(word uint64) uint64 { return hash(word) | 1<<32 }

// ID returns the number of the word, and whether it is new.
func (p *Pairs) ID(word uint64) (id uint32, isNew bool) { return p.find(word, tag(word)) }

func (p *Pairs) find(word, tag uint64) (id uint32, isNew bool) {
	t := &p.tables[tag>>1>>(p.of&63)]
	mask := uint64(len(t.slots) - 1)
	for i := tag << p.skip >> t.shift; ; i = (i + 1) & mask {
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
	var tags, found [lot]uint64
	var late [lot]uint8
	for len(words) > 0 {
		n := min(len(words), lot)
		if tables := p.tables; p.Parted() {
			for i, word := range words[:n] {
				tags[i] = tag(word)
				t := &tables[tags[i]>>(64-partBits)]
				found[i] = t.slots[tags[i]<<partBits>>(t.shift&63)]
			}
		} else {
			slots, shift := tables[0].slots, tables[0].shift&63
			for i, word := range words[:n] {
				tags[i] = tag(word)
				found[i] = slots[tags[i]>>shift]
			}
		}
		misses := 0
		for i, word := range words[:n] {
			e := found[i]
			ids[i] = uint32(e) - 1
			late[misses&(lot-1)] = uint8(i)
			if (e^tags[i])>>32|(p.words[uint32(e)]^word) != 0 {
				misses++
			}
		}
		for _, i := range late[:misses] {
			ids[i], _ = p.find(words[i], tags[i])
		}
		words, ids = words[n:], ids[n:]
	}
}

// grow makes a table twice as large, or the only one a table for each part.
func (p *Pairs) grow(t *table) {
	if p.Parted() || len(t.slots) < 1<<tableBits {
		t.shift--
		t.slots = doubled(t.slots, p.skip, t.shift)
		return
	}
	p.tables, p.of, p.skip = make([]table, Parts), 63-partBits, partBits
	for i := range p.tables {
		p.tables[i] = newTable(tableBits + 1 - partBits)
	}
	for _, e := range t.slots {
		if e != 0 {
			part := &p.tables[e>>(64-partBits)]
			part.n++
			place(part.slots, e, p.skip, part.shift)
		}
	}
}

// doubled is a table of twice the places, for hashes that are shifted by one bit less, with the same entries, whose
// upper half is that of a hash, of which it does not use so many bits.
func doubled(old []uint64, skip, shift uint) []uint64 {
	slots := Touched[uint64](2 * len(old))
	for _, e := range old {
		if e != 0 {
			place(slots, e, skip, shift)
		}
	}
	return slots
}

// place puts an entry into a table: this has fewer places than the half of the hash tells apart.
func place(slots []uint64, e uint64, skip, shift uint) {
	mask := uint64(len(slots) - 1)
	i := e << skip >> shift
	for slots[i] != 0 {
		i = (i + 1) & mask
	}
	slots[i] = e
}

// A Set is a set of 64-bit words that are not 0.
type Set struct {
	slots []uint64 // a hash table with linear probing, at most half full
	n     int
	shift uint
}

// NewSet returns an empty Set.
func NewSet() *Set { return &Set{slots: make([]uint64, 1<<8), shift: 64 - 8} }

// Len is how many words there are.
func (s *Set) Len() int { return s.n }

// Size is about how many bytes the words take.
func (s *Set) Size() int64 { return 8 * int64(len(s.slots)) }

// Add adds a word, and returns whether it is new.
func (s *Set) Add(word uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := hash(word) >> s.shift; ; i = (i + 1) & mask {
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

// Reserve makes room for the words of another Set, which has so many. They come in about the order of their places:
// in a smaller table they would all crowd into one part of it.
func (s *Set) Reserve(n int) {
	for 2*n > len(s.slots) {
		s.grow()
	}
}

// AddAll adds words, and returns those that are new, in their order. It reuses the slice.
func (s *Set) AddAll(words []uint64) []uint64 {
	added := words[:0]
	for len(words) > 0 {
		n := min(len(words), lot)
		slots, shift := s.slots, s.shift&63
		left := 0
		for _, word := range words[:n] {
			at := slots[hash(word)>>shift]
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

// All calls yield with each word, in no order, until it returns false.
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
		i := hash(word) >> s.shift
		for s.slots[i] != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = word
	}
}
