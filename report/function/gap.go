package function

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
	"flowlog/report/expr"
)

var gapFunction = Func{
	Name: "gap", Also: "end",
	accumulation: accumulation{
		New: func(_ Values, of Shape) State {
			if of == ShapeTotal {
				return new(longest)
			}
			return &gap{}
		},
		Rollup: RollupReport, Buffer: BufferNever,
	},
}

// gap is the longest time, in seconds, between the first and the last record of a group that no record covers.
type gap struct {
	exact
	last    []expr.Span[int64]   // by group: the interval that was extended last; none at first
	covered [][]expr.Span[int64] // by group: the other intervals, which join merges now and then
	joined  []int                // by group: how many join left
}

// none is a span that covers nothing.
var none = expr.Span[int64]{Lo: math.MaxInt64, Hi: math.MinInt64}

func (s *gap) Grow(groups int) {
	s.covered = codes.Grown(s.covered, groups)
	s.joined = codes.Grown(s.joined, groups)
	n := len(s.last)
	s.last = codes.Grown(s.last, groups)
	for ; n < groups; n++ {
		s.last[n] = none
	}
}

func (s *gap) Add(ids []uint32, rows []int32, in Inputs) error {
	starts, ends := in.Col.(*array.Int64).Int64Values(), in.Also.(*array.Int64).Int64Values()
	noStart, noEnd := schema.ValidityOf(in.Col), schema.ValidityOf(in.Also)
	for i, row := range rows {
		if !noStart.Null(row) && !noEnd.Null(row) {
			s.cover(ids[i], expr.Span[int64]{Lo: starts[row], Hi: max(starts[row], ends[row])})
		}
	}
	return nil
}

func (s *gap) cover(group uint32, c expr.Span[int64]) {
	last := &s.last[group]
	if c.Lo <= last.Hi && last.Lo <= c.Hi {
		last.Lo, last.Hi = min(last.Lo, c.Lo), max(last.Hi, c.Hi)
		return
	}
	s.covered[group] = append(s.covered[group], *last)
	*last = c
	if len(s.covered[group]) > 2*s.joined[group]+64 {
		s.join(group)
	}
}

// join merges the intervals that overlap, and returns all, in order.
func (s *gap) join(group uint32) []expr.Span[int64] {
	list := expr.Merged(append(s.covered[group], s.last[group]), func(x int64) int64 { return x })
	s.covered[group], s.last[group], s.joined[group] = list, none, len(list)
	return list
}

func (s *gap) Merge(other State, ids, _ []uint32) error {
	o := other.(*gap)
	for group := range uint32(len(o.last)) {
		if ids[group] == Skip {
			continue
		}
		for _, c := range o.covered[group] { // which others may be reading, and so is not joined
			s.cover(ids[group], c)
		}
		if last := o.last[group]; last != none {
			s.cover(ids[group], last)
		}
	}
	return nil
}

func (s *gap) Value(group uint32) (int64, bool) { return longestGap(s.join(group)) }

func (s *gap) Append(dst []byte, group uint32) []byte {
	spans := s.join(group)
	dst = binary.AppendUvarint(dst, uint64(len(spans)))
	for _, c := range spans {
		dst = binary.AppendVarint(dst, c.Lo)
		dst = binary.AppendVarint(dst, c.Hi)
	}
	return dst
}

func (s *gap) Load(src []byte, group uint32) ([]byte, error) {
	spans, src, err := uvarint(src)
	for ; spans > 0 && err == nil; spans-- {
		var c expr.Span[int64]
		if c.Lo, src, err = varint(src); err != nil {
			break
		}
		if c.Hi, src, err = varint(src); err == nil {
			s.cover(group, c)
		}
	}
	return src, err
}

func (s *gap) Size() int64 {
	const header = 16 + 24 + 8
	var n int64
	for _, list := range s.covered {
		n += 16 * int64(cap(list))
	}
	return n + header*int64(cap(s.covered))
}

// longestGap is the longest distance between neighbours of disjoint intervals that are in order.
func longestGap(spans []expr.Span[int64]) (seconds int64, ok bool) {
	if len(spans) == 0 {
		return 0, false
	}
	longest := int64(0)
	for i := 1; i < len(spans); i++ {
		longest = max(longest, spans[i].Lo-spans[i-1].Hi)
	}
	return longest, true
}

// longest is the longest gap of several groups: the largest of their values, since records of one group do not fill a gap of
// another.
type longest struct {
	exact
	seconds int64
	known   bool // some group has records
}

func (s *longest) Grow(int) {}

func (s *longest) Add([]uint32, []int32, Inputs) error {
	panic("the gaps of several groups have no records")
}

func (s *longest) Merge(other State, ids, _ []uint32) error {
	for group, id := range ids {
		if id == Skip {
			continue
		}
		if v, ok := other.Value(uint32(group)); ok {
			s.seconds, s.known = max(s.seconds, v), true
		}
	}
	return nil
}

func (s *longest) Value(uint32) (int64, bool) { return s.seconds, s.known }

func (s *longest) Append(dst []byte, _ uint32) []byte {
	if !s.known {
		return binary.AppendUvarint(dst, 0)
	}
	return binary.AppendUvarint(dst, uint64(s.seconds)+1)
}

func (s *longest) Load(src []byte, _ uint32) ([]byte, error) {
	n, src, err := uvarint(src)
	if n > 0 && err == nil {
		s.seconds, s.known = max(s.seconds, int64(n-1)), true
	}
	return src, err
}

func (s *longest) Size() int64 { return 16 }
