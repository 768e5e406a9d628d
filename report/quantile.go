package report

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// sketch finds a quantile of whole numbers that are not negative: the smallest that so large a part of the values
// does not exceed. It counts values in buckets that are 1/128 of their size wide, or 1 if that is more: what is
// reported is the middle of a bucket, less than 0.4 % off. Sketches of the same values are the same whatever
// the order.
type sketch struct {
	quantile float64
	cells    *schema.Pairs // of group and bucket
	n        []int64       // by cell
	sorted   []cell        // of all groups, by group and bucket, once the first value was asked for
}

type cell struct {
	group, bucket uint32
	n             int64
}

func newSketch(quantile float64) *sketch {
	return &sketch{quantile: quantile, cells: schema.NewPairs()}
}

// bucketBits is how many of the highest bits of a number say which bucket it is in.
const bucketBits = 8

// maxBucket is the bucket of the largest number.
const maxBucket = (63-bucketBits)<<(bucketBits-1) + 1<<bucketBits - 1

func bucketOf(v int64) uint32 {
	shift := max(bits.Len64(uint64(v))-bucketBits, 0)
	return uint32(shift)<<(bucketBits-1) + uint32(v>>shift)
}

// bucketMiddle is the number that stands for those of a bucket.
func bucketMiddle(bucket uint32) int64 {
	shift := max(int(bucket>>(bucketBits-1))-1, 0)
	low := int64(bucket-uint32(shift)<<(bucketBits-1)) << shift
	return low + 1<<shift/2
}

func (s *sketch) grow(int) {}

func (s *sketch) add(ids []uint32, rows []int32, in inputs) error {
	valid := schema.ValidityOf(in.col)
	switch a := in.col.(type) {
	case *array.Int64:
		values := a.Int64Values()
		for i, row := range rows {
			if !valid.Null(row) {
				s.count(ids[i], bucketOf(values[row]), 1)
			}
		}
	case *array.Int32:
		values := a.Int32Values()
		for i, row := range rows {
			if !valid.Null(row) {
				s.count(ids[i], bucketOf(int64(values[row])), 1)
			}
		}
	}
	return nil
}

func (s *sketch) count(group, bucket uint32, n int64) {
	id, isNew := s.cells.ID(uint64(group)<<32 | uint64(bucket))
	if isNew {
		s.n = append(s.n, 0)
	}
	s.n[id] += n
}

func (s *sketch) merge(other state, ids, _ []uint32) error {
	o := other.(*sketch)
	s.sorted = nil
	for id, word := range o.cells.Words() {
		if group := ids[word>>32]; group != skip {
			s.count(group, uint32(word), o.n[id])
		}
	}
	return nil
}

// sort lists all cells in order.
func (s *sketch) sort() {
	if s.sorted != nil || len(s.n) == 0 {
		return
	}
	for id, word := range s.cells.Words() {
		s.sorted = append(s.sorted, cell{uint32(word >> 32), uint32(word), s.n[id]})
	}
	slices.SortFunc(s.sorted, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.bucket, b.bucket))
	})
}

func (s *sketch) value(group uint32) any { return s.find(s.of(group)) }

// of lists the cells of a group.
func (s *sketch) of(group uint32) []cell {
	s.sort()
	from, _ := slices.BinarySearchFunc(s.sorted, group, func(c cell, g uint32) int { return cmp.Compare(c.group, g) })
	to := from
	for to < len(s.sorted) && s.sorted[to].group == group {
		to++
	}
	return s.sorted[from:to]
}

// find returns the quantile of what the cells count, which are in order.
func (s *sketch) find(cells []cell) any {
	var n int64
	for _, c := range cells {
		n += c.n
	}
	if n == 0 {
		return nil
	}
	rank := max(int64(math.Ceil(s.quantile*float64(n))), 1)
	for _, c := range cells {
		if rank -= c.n; rank <= 0 {
			return bucketMiddle(c.bucket)
		}
	}
	return bucketMiddle(cells[len(cells)-1].bucket)
}

func (s *sketch) error() string {
	for _, word := range s.cells.Words() {
		if uint32(word) >= 1<<bucketBits {
			return "numbers above 255 are exact to 0.4 %"
		}
	}
	return ""
}
