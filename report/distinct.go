package report

import (
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"slices"

	"flowlog/parse/schema"
)

// exactDistinct is how many different values of a group are counted exactly. Beyond, they are estimated: a
// hundred groups with so many would take gigabytes.
const exactDistinct = 1 << 20

// distinct counts the different values of a field. Nulls do not count.
type distinct struct {
	coder  values             // of the field
	few    []few              // by group
	more   *schema.Set        // of group<<32 | code: the values that are not in few
	many   map[uint32]*logLog // the groups with more than exactDistinct values
	hashes hashes
	words  []uint64 // of a batch
	sorted []uint64 // what is seen, in order, once it was asked for
}

func newDistinct(coder values) *distinct { return &distinct{more: schema.NewSet(), coder: coder} }

// few are the first values of a group. Most groups have no others, however many records they have, and of what is
// counted in a group all that is in one place is one wait for memory.
type few struct {
	n     uint32    // of all its values, as long as they are not estimated
	codes [3]uint32 // 0 where there is none yet
}

// take reports whether a code is among the first ones, where it is put if there is room.
func (f *few) take(code uint32) bool {
	for i, c := range f.codes {
		if c == code {
			return true
		}
		if c == 0 {
			f.codes[i] = code
			f.n++
			return true
		}
	}
	return false
}

func (s *distinct) grow(groups int) { s.few = schema.Grown(s.few, groups) }

func (s *distinct) add(ids []uint32, rows []int32, in inputs) error {
	s.words = s.words[:0]
	for i, row := range rows {
		if code := in.codes[row]; code != 0 {
			s.words = append(s.words, uint64(ids[i])<<32|uint64(code))
		}
	}
	s.seeAll()
	return nil
}

// seeAll takes in words of group and code. It is see for many.
func (s *distinct) seeAll() {
	if s.many != nil {
		for _, word := range s.words {
			s.see(uint32(word>>32), uint32(word))
		}
		return
	}
	words := s.words[:0]
	for _, word := range s.words {
		if !s.few[word>>32].take(uint32(word)) {
			words = append(words, word)
		}
	}
	for _, word := range s.more.AddAll(words) {
		f := &s.few[word>>32]
		if f.n++; f.n == exactDistinct+1 {
			s.estimate(uint32(word >> 32))
		}
	}
}

func (s *distinct) see(group, code uint32) {
	if s.many != nil {
		if e := s.many[group]; e != nil {
			e.add(s.hash(code))
			return
		}
	}
	f := &s.few[group]
	if f.take(code) || !s.more.Add(uint64(group)<<32|uint64(code)) {
		return
	}
	if f.n++; f.n > exactDistinct {
		s.estimate(group)
	}
}

// all calls yield with each group<<32 | code, in no order, until it returns false.
func (s *distinct) all(yield func(word uint64) bool) {
	for group := range s.few {
		for _, code := range s.few[group].codes {
			if code != 0 && !yield(uint64(group)<<32|uint64(code)) {
				return
			}
		}
	}
	s.more.All(yield)
}

// estimate turns from counting the values of a group to estimating them.
func (s *distinct) estimate(group uint32) *logLog {
	if s.many == nil {
		s.many = make(map[uint32]*logLog)
	}
	e := &logLog{}
	for word := range s.all {
		if uint32(word>>32) == group {
			e.add(s.hash(uint32(word)))
		}
	}
	s.many[group] = e
	return e
}

func (s *distinct) merge(other state, ids, codes []uint32) error {
	o := other.(*distinct)
	s.more.Reserve(o.more.Len())
	s.words = slices.Grow(s.words[:0], mergeLot)
	for word := range o.all {
		if group := ids[word>>32]; group != skip {
			s.words = append(s.words, uint64(group)<<32|uint64(translate(codes, uint32(word))))
			if len(s.words) == mergeLot {
				s.seeAll()
				s.words = s.words[:0]
			}
		}
	}
	s.seeAll()
	for group, e := range o.many {
		if ids[group] == skip {
			continue
		}
		own := s.many[ids[group]]
		if own == nil {
			own = s.estimate(ids[group])
		}
		own.merge(e)
	}
	return nil
}

// translate is a code of another coder here.
func translate(codes []uint32, code uint32) uint32 {
	if codes == nil {
		return code
	}
	return codes[code]
}

// codesOf lists the codes of a group's values, as words of group and code. Nothing may be added after it.
func (s *distinct) codesOf(group uint32) []uint64 {
	if s.sorted == nil {
		s.sorted = slices.Sorted(s.all)
	}
	from, _ := slices.BinarySearch(s.sorted, uint64(group)<<32)
	to, _ := slices.BinarySearch(s.sorted, uint64(group+1)<<32)
	return s.sorted[from:to]
}

func (s *distinct) whole(group uint32) (int64, bool) {
	if e := s.many[group]; e != nil {
		return e.count(), true
	}
	return int64(s.few[group].n), true
}

func (s *distinct) value(group uint32) any { return boxed(s.whole(group)) }

func (s *distinct) error() string {
	if len(s.many) == 0 {
		return ""
	}
	return "numbers above 1,048,576 are estimates, with a standard error of 0.8 %"
}

func (s *distinct) hash(code uint32) uint64 { return s.hashes.of(code, s.coder) }

// hashes are those of values, by code. They are the same in every run.
type hashes []uint64

func (h *hashes) of(code uint32, coder values) uint64 {
	for c := len(*h); c <= int(code); c++ {
		*h = append(*h, hashValue(coder.Value(uint32(c))))
	}
	return (*h)[code]
}

// values is what codes stand for.
type values interface {
	Len() int // one more than the largest code
	Value(code uint32) any
	Code(v any) (uint32, bool)
}

// A pairCoder numbers pairs of values by their codes. A pair with a null is null.
type pairCoder struct {
	parts  [2]int // places of what codes the values
	coders [2]schema.Coder
	pairs  *schema.Pairs
	words  []uint64 // of a batch
	ids    []uint32
}

func newPairCoder(parts [2]int, a, b schema.Coder) *pairCoder {
	return &pairCoder{parts: parts, coders: [2]schema.Coder{a, b}, pairs: schema.NewPairs()}
}

func (c *pairCoder) encode(a, b []uint32, rows []int32, out []uint32) {
	c.words, c.ids = schema.Grown(c.words, len(rows)), schema.Grown(c.ids, len(rows))
	n := 0
	for _, row := range rows {
		if a[row] != 0 && b[row] != 0 {
			c.words[n] = uint64(a[row])<<32 | uint64(b[row])
			n++
		}
	}
	c.pairs.IDs(c.words[:n], c.ids)
	n = 0
	for _, row := range rows {
		out[row] = 0
		if a[row] != 0 && b[row] != 0 {
			out[row] = c.ids[n] + 1
			n++
		}
	}
}

func (c *pairCoder) code(a, b uint32) uint32 {
	if a == 0 || b == 0 {
		return 0
	}
	id, _ := c.pairs.ID(uint64(a)<<32 | uint64(b))
	return id + 1
}

func (c *pairCoder) Len() int { return c.pairs.Len() + 1 }

// Value is a pair of values.
func (c *pairCoder) Value(code uint32) any {
	if code == 0 {
		return nil
	}
	word := c.pairs.Words()[code-1]
	return [2]any{c.coders[0].Value(uint32(word >> 32)), c.coders[1].Value(uint32(word))}
}

func (c *pairCoder) Code(v any) (uint32, bool) {
	pair, ok := v.([2]any)
	if !ok {
		return 0, false
	}
	a, ok := c.coders[0].Code(pair[0])
	b, ok2 := c.coders[1].Code(pair[1])
	return c.code(a, b), ok && ok2
}

// absorb adds the pairs of another pairCoder, whose values have the codes translated here, and returns the code
// of each code there.
func (c *pairCoder) absorb(o *pairCoder, translated [][]uint32) []uint32 {
	codes := make([]uint32, o.Len())
	for i, word := range o.pairs.Words() {
		codes[i+1] = c.code(translated[c.parts[0]][word>>32], translated[c.parts[1]][uint32(word)])
	}
	return codes
}

// distinctOfAll is distinct for one group: that of a report without keys, or several taken together. It is exact,
// unless a group that it takes in is not.
type distinctOfAll struct {
	coder values
	seen  []bool // by code
	n     int64
	rest  *logLog // of groups whose values are not known any more
}

func (s *distinctOfAll) grow(int) {}

func (s *distinctOfAll) add(_ []uint32, rows []int32, in inputs) error {
	for _, row := range rows {
		s.see(in.codes[row])
	}
	return nil
}

func (s *distinctOfAll) see(code uint32) {
	if int(code) >= len(s.seen) {
		s.seen = schema.Grown(s.seen, 2*int(code)+1024)
	}
	if !s.seen[code] && code != 0 {
		s.seen[code] = true
		s.n++
	}
}

func (s *distinctOfAll) merge(other state, ids, codes []uint32) error {
	switch o := other.(type) {
	case *distinctOfAll:
		if ids[0] == skip {
			return nil
		}
		for code, seen := range o.seen {
			if seen {
				s.see(translate(codes, uint32(code)))
			}
		}
		s.estimate(o.rest)
	case *distinct:
		for word := range o.all {
			if ids[word>>32] != skip {
				s.see(translate(codes, uint32(word)))
			}
		}
		for group, e := range o.many {
			if ids[group] != skip {
				s.estimate(e)
			}
		}
	}
	return nil
}

func (s *distinctOfAll) estimate(e *logLog) {
	if e == nil {
		return
	}
	if s.rest == nil {
		s.rest = &logLog{}
	}
	s.rest.merge(e)
}

func (s *distinctOfAll) value(uint32) any {
	if s.rest == nil {
		return s.n
	}
	return s.estimated().count()
}

// estimated is the estimate of all values, known or not.
func (s *distinctOfAll) estimated() *logLog {
	all := *s.rest
	var h hashes
	for code, seen := range s.seen {
		if seen {
			all.add(h.of(uint32(code), s.coder))
		}
	}
	return &all
}

// A logLog estimates how many different hashes it was given, with a standard error of 1.04 / sqrt(2^14). It is
// for large numbers only: those below 40,000 would need a correction. Source: Flajolet, Fusy, Gandouet and
// Meunier, "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm", 2007.
type logLog struct{ ranks [1 << logLogBits]uint8 }

const logLogBits = 14

func (l *logLog) add(hash uint64) {
	rank := uint8(bits.LeadingZeros64(hash<<logLogBits|1<<(logLogBits-1))) + 1
	if r := &l.ranks[hash>>(64-logLogBits)]; *r < rank {
		*r = rank
	}
}

func (l *logLog) merge(o *logLog) {
	for i, rank := range o.ranks {
		l.ranks[i] = max(l.ranks[i], rank)
	}
}

func (l *logLog) count() int64 {
	sum := 0.0
	for _, rank := range l.ranks {
		sum += math.Ldexp(1, -int(rank))
	}
	const m = 1 << logLogBits
	const alpha = 0.7213 / (1 + 1.079/m)
	return int64(math.Round(alpha * m * m / sum))
}

// hashValue hashes a value of a Coder.
func hashValue(v any) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	eat := func(b []byte) {
		for _, c := range b {
			h = (h ^ uint64(c)) * 1099511628211
		}
	}
	switch v := v.(type) {
	case int64:
		eat(binary.LittleEndian.AppendUint64(nil, uint64(v)))
	case float64:
		eat(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	case string:
		eat([]byte(v))
	case netip.Addr:
		a := v.As16()
		eat(a[:])
	case [2]any:
		eat(binary.LittleEndian.AppendUint64(nil, hashValue(v[0])))
		eat(binary.LittleEndian.AppendUint64(nil, hashValue(v[1])))
	}
	// its high bits, which are used most, are its weakest: mix them
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
