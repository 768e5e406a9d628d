package function

import (
	"encoding/binary"
	"math"
	"slices"

	"flowlog/parse/codes"
)

// exactDistinct is the cardinality up to which a group's values are counted exactly. Larger ones are estimated: a hundred
// groups with so many values would take gigabytes.
const exactDistinct = 1 << 20

var distinctFunction = Func{
	Name: "distinct", Kinds: allKinds, Pairs: true,
	semantics: semantics{Zero: true, Counts: true},
	accumulation: accumulation{
		New: func(values Values, of Shape) State {
			if of == ShapeGroups {
				return newDistinct(values)
			}
			return &distinctOfAll{coder: values}
		},
		Codes: true, Rollup: RollupNever, Buffer: BufferNever,
	},
}

// distinct counts the different values of a field. Nulls do not count.
type distinct struct {
	coder  Values             // of the field
	few    []few              // by group
	more   *codes.Set         // of group<<32 | code: the values that are not in few
	many   map[uint32]*logLog // the groups with more than exactDistinct values
	hashes Hashes
	words  []uint64 // of a batch
	sorted []uint64 // what is seen, in order, once it was asked for
}

func newDistinct(coder Values) *distinct { return &distinct{more: codes.NewSet(), coder: coder} }

// few are the first values of a group, in one cache line. Most groups have no others, however many records they have.
type few struct {
	n     uint32    // the number of all values of the group, until it is estimated
	codes [3]uint32 // 0 where there is none yet
}

// take adds a code if there is room, and reports whether it is there now.
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

func (s *distinct) Grow(groups int) { s.few = codes.Grown(s.few, groups) }

func (s *distinct) Add(ids []uint32, rows []int32, in Inputs) error {
	s.words = s.words[:0]
	for i, row := range rows {
		if code := in.Codes[row]; code != 0 {
			s.words = append(s.words, uint64(ids[i])<<32|uint64(code))
		}
	}
	s.seeAll()
	return nil
}

// seeAll is see for the words of a batch.
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

// estimate replaces the exact set of a group by a HyperLogLog.
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

func (s *distinct) Merge(other State, ids, codes []uint32) error {
	o := other.(*distinct)
	s.more.Reserve(o.more.Len())
	s.words = slices.Grow(s.words[:0], MergeLot)
	for word := range o.all {
		if group := ids[word>>32]; group != Skip {
			s.words = append(s.words, uint64(group)<<32|uint64(translate(codes, uint32(word))))
			if len(s.words) == MergeLot {
				s.seeAll()
				s.words = s.words[:0]
			}
		}
	}
	s.seeAll()
	for group, e := range o.many {
		if ids[group] == Skip {
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

// translate is the code here of a code of another dictionary.
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

func (s *distinct) Value(group uint32) (int64, bool) {
	if e := s.many[group]; e != nil {
		return e.count(), true
	}
	return int64(s.few[group].n), true
}

// estimateError says how far off the numbers of groups with more than exactDistinct values may be.
const estimateError = "numbers above 1,048,576 are estimates, with a standard error of 0.8 %"

func (s *distinct) Inexact() string {
	if len(s.many) == 0 {
		return ""
	}
	return estimateError
}

func (s *distinct) hash(code uint32) uint64 { return s.hashes.Of(code, s.coder) }

// distinctOfAll is distinct for one group: that of a report without keys, or several taken together. It is exact,
// unless a group that it takes in is not.
type distinctOfAll struct {
	coder Values
	seen  []bool // by code
	n     int64
	rest  *logLog // of groups whose values are not known any more
}

func (s *distinctOfAll) Grow(int) {}

func (s *distinctOfAll) Add(_ []uint32, rows []int32, in Inputs) error {
	for _, row := range rows {
		s.see(in.Codes[row])
	}
	return nil
}

func (s *distinctOfAll) see(code uint32) {
	if int(code) >= len(s.seen) {
		s.seen = codes.Grown(s.seen, 2*int(code)+1024)
	}
	if !s.seen[code] && code != 0 {
		s.seen[code] = true
		s.n++
	}
}

func (s *distinctOfAll) Merge(other State, ids, codes []uint32) error {
	switch o := other.(type) {
	case *distinctOfAll:
		if ids[0] == Skip {
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
			if ids[word>>32] != Skip {
				s.see(translate(codes, uint32(word)))
			}
		}
		for group, e := range o.many {
			if ids[group] != Skip {
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

func (s *distinctOfAll) Value(uint32) (int64, bool) {
	if s.rest == nil {
		return s.n, true
	}
	return s.estimated().count(), true
}

func (s *distinctOfAll) Inexact() string {
	if s.rest == nil {
		return ""
	}
	return estimateError
}

// estimated is the estimate of all values, known or not.
func (s *distinctOfAll) estimated() *logLog {
	all := *s.rest
	var h Hashes
	for code, seen := range s.seen {
		if seen {
			all.add(h.Of(uint32(code), s.coder))
		}
	}
	return &all
}

func (s *distinct) Append(dst []byte, group uint32) []byte {
	if e := s.many[group]; e != nil {
		return e.append(dst)
	}
	codes := s.codesOf(group)
	dst = binary.AppendUvarint(dst, uint64(len(codes)))
	for _, word := range codes {
		dst = appendValue(dst, s.coder.Value(uint32(word)))
	}
	return dst
}

func (s *distinct) Load(src []byte, group uint32) ([]byte, error) {
	return loadDistinct(src, s.coder, func(code uint32) { s.see(group, code) }, func(e *logLog) {
		own := s.many[group]
		if own == nil {
			own = s.estimate(group)
		}
		own.merge(e)
	})
}

func (s *distinctOfAll) Append(dst []byte, _ uint32) []byte {
	if s.rest != nil {
		return s.estimated().append(dst)
	}
	dst = binary.AppendUvarint(dst, uint64(s.n))
	for code, seen := range s.seen {
		if seen {
			dst = appendValue(dst, s.coder.Value(uint32(code)))
		}
	}
	return dst
}

func (s *distinctOfAll) Load(src []byte, _ uint32) ([]byte, error) {
	return loadDistinct(src, s.coder, s.see, s.estimate)
}

// loadDistinct reads values, or the estimate of how many there are.
func loadDistinct(src []byte, coder Values, see func(code uint32), estimate func(*logLog)) ([]byte, error) {
	n, src, err := uvarint(src)
	if err != nil {
		return src, err
	}
	if n == math.MaxUint64 {
		e := &logLog{}
		if len(src) < len(e.ranks) {
			return src, ErrPartial
		}
		copy(e.ranks[:], src)
		for i, rank := range e.ranks {
			e.ranks[i] = min(rank, 64)
		}
		estimate(e)
		return src[len(e.ranks):], nil
	}
	for ; n > 0; n-- {
		var v any
		if v, src, err = loadValue(src); err != nil {
			return src, err
		}
		code, ok := coder.Code(v)
		if !ok {
			return src, ErrPartial
		}
		see(code)
	}
	return src, nil
}

func (s *distinct) Size() int64 {
	return s.more.Size() + 16*int64(cap(s.few)) + int64(len(s.many))<<logLogBits
}

func (s *distinctOfAll) Size() int64 { return int64(cap(s.seen)) }
