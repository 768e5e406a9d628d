package function

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// sketch is a quantile of whole numbers that are not negative: the smallest number that at least this part of the values
// does not exceed.
type sketch struct {
	quantile float64
	*histogram
}

// histogram counts values in log-linear buckets: each is 1/128 of its values wide, or 1 if that is more, so that its middle
// is less than 0.4 % off. It does not depend on the order of values.
type histogram struct {
	cells  *codes.Pairs // of group and bucket
	n      []int64      // by cell
	listed []uint32     // the cells in the order of groups; made when the first value is read
	ends   []int        // by group: where its cells in listed end
	words  []uint64     // of a batch
	ids    []uint32
}

type cell struct {
	bucket uint32
	n      int64
}

// quantileFunction is the function of a quantile. All of a field's share one histogram; an engine sends one for each.
func quantileFunction(name string, quantile float64) Func {
	return Func{
		Name: name, Kinds: wholeKinds,
		accumulation: accumulation{
			New:    func(Values, Shape) State { return newSketch(quantile) },
			Rollup: RollupNever, Buffer: BufferNever,
			Shares: "histogram",
			View:   func(of State) State { return &sketch{quantile, of.(*sketch).histogram} },
		},
		remote: remote{
			Buckets: true,
			Decode:  decodeHistogram,
		},
	}
}

func newSketch(quantile float64) *sketch {
	return &sketch{quantile, &histogram{cells: codes.NewPairs()}}
}

// bucketBits is how many significant bits of a number choose its bucket.
const bucketBits = 8

// maxBucket is the bucket of the largest number.
const maxBucket = (63-bucketBits)<<(bucketBits-1) + 1<<bucketBits - 1

func BucketOf(v int64) uint32 {
	shift := max(bits.Len64(uint64(v))-bucketBits, 0)
	return uint32(shift)<<(bucketBits-1) + uint32(v>>shift)
}

// BucketMiddle is the number in the middle of a bucket, which stands for all of its numbers.
func BucketMiddle(bucket uint32) int64 {
	shift := max(int(bucket>>(bucketBits-1))-1, 0)
	low := int64(bucket-uint32(shift)<<(bucketBits-1)) << shift
	return low + 1<<shift/2
}

func (s *histogram) Grow(int) {}

func (s *histogram) Add(ids []uint32, rows []int32, in Inputs) error {
	valid := schema.ValidityOf(in.Col)
	switch a := in.Col.(type) {
	case *array.Int64:
		s.words = buckets(s.words[:0], ids, rows, a.Int64Values(), valid)
	case *array.Int32:
		s.words = buckets(s.words[:0], ids, rows, a.Int32Values(), valid)
	}
	for _, id := range s.number(s.words) {
		s.n[id]++
	}
	return nil
}

// buckets appends the words of group and bucket of the rows that have a value.
func buckets[T int32 | int64](out []uint64, ids []uint32, rows []int32, values []T, valid schema.Validity) []uint64 {
	for i, row := range rows {
		if !valid.Null(row) {
			out = append(out, uint64(ids[i])<<32|uint64(BucketOf(int64(values[row]))))
		}
	}
	return out
}

// number returns the cells of words of group and bucket. They are valid until the next call.
func (s *histogram) number(words []uint64) []uint32 {
	s.listed, s.ends = nil, nil
	s.ids = codes.Grown(s.ids, len(words))
	s.cells.IDs(words, s.ids)
	s.n = codes.Grown(s.n, s.cells.Len())
	return s.ids[:len(words)]
}

// count adds n values to one cell.
func (s *histogram) count(group, bucket uint32, n int64) {
	s.listed, s.ends = nil, nil
	id, _ := s.cells.ID(uint64(group)<<32 | uint64(bucket))
	s.n = codes.Grown(s.n, s.cells.Len())
	s.n[id] += n
}

func (s *sketch) Merge(other State, ids, _ []uint32) error {
	o := other.(*sketch)
	from := o.cells.Words()
	for start := 0; start < len(from); start += MergeLot {
		var n [MergeLot]int64
		s.words = s.words[:0]
		for i, word := range from[start:min(start+MergeLot, len(from))] {
			if group := ids[word>>32]; group != Skip {
				n[len(s.words)] = o.n[start+i]
				s.words = append(s.words, uint64(group)<<32|uint64(uint32(word)))
			}
		}
		for i, id := range s.number(s.words) {
			s.n[id] += n[i]
		}
	}
	return nil
}

// list lists the cells by group.
func (s *histogram) list() {
	if s.listed != nil || len(s.n) == 0 {
		return
	}
	words := s.cells.Words()
	groups := uint32(0)
	for _, word := range words {
		groups = max(groups, uint32(word>>32)+1)
	}
	s.ends, s.listed = make([]int, groups+1), make([]uint32, len(words))
	for _, word := range words {
		s.ends[word>>32+1]++
	}
	for g := range groups {
		s.ends[g+1] += s.ends[g]
	}
	for id, word := range words { // what is the start of a group becomes its end
		s.listed[s.ends[word>>32]] = uint32(id)
		s.ends[word>>32]++
	}
}

func (s *sketch) Value(group uint32) (int64, bool) { return s.find(s.of(group)) }

// of lists the cells of a group by bucket.
func (s *histogram) of(group uint32) []cell {
	s.list()
	if int(group) >= len(s.ends) {
		return nil
	}
	start, end := 0, s.ends[group]
	if group > 0 {
		start = s.ends[group-1]
	}
	cells := make([]cell, 0, end-start)
	for _, id := range s.listed[start:end] {
		cells = append(cells, cell{uint32(s.cells.Words()[id]), s.n[id]})
	}
	slices.SortFunc(cells, func(a, b cell) int { return cmp.Compare(a.bucket, b.bucket) })
	return cells
}

// find returns the quantile of the values that cells count. The cells are in the order of their buckets.
func (s *sketch) find(cells []cell) (int64, bool) {
	var n int64
	for _, c := range cells {
		n += c.n
	}
	if n == 0 {
		return 0, false
	}
	rank := max(int64(math.Ceil(s.quantile*float64(n))), 1)
	for _, c := range cells {
		if rank -= c.n; rank <= 0 {
			return BucketMiddle(c.bucket), true
		}
	}
	return BucketMiddle(cells[len(cells)-1].bucket), true
}

func (s *histogram) Inexact() string {
	for _, word := range s.cells.Words() {
		if uint32(word) >= 1<<bucketBits {
			return "numbers above 255 are exact to 0.4 %"
		}
	}
	return ""
}

func (s *histogram) Append(dst []byte, group uint32) []byte {
	cells := s.of(group)
	dst = binary.AppendUvarint(dst, uint64(len(cells)))
	for _, c := range cells {
		dst = binary.AppendUvarint(dst, uint64(c.bucket))
		dst = binary.AppendUvarint(dst, uint64(c.n))
	}
	return dst
}

func (s *histogram) Load(src []byte, group uint32) ([]byte, error) {
	cells, src, err := uvarint(src)
	for ; cells > 0 && err == nil; cells-- {
		var bucket, n uint64
		if bucket, src, err = uvarint(src); err != nil {
			break
		}
		if n, src, err = uvarint(src); err == nil {
			s.count(group, uint32(min(bucket, maxBucket)), int64(n))
		}
	}
	return src, err
}

// decodeHistogram decodes the JSON of an engine's histogram: how many values are in each bucket.
func decodeHistogram(v any, _ int64) ([]byte, error) {
	var cells map[string]int64
	if text, ok := v.(string); ok {
		if err := json.Unmarshal([]byte(text), &cells); err != nil {
			return nil, ErrRow
		}
	} else if v != nil {
		return nil, ErrRow
	}
	out := binary.AppendUvarint(nil, uint64(len(cells)))
	for bucket, n := range cells {
		b, err := strconv.ParseUint(bucket, 10, 32)
		if err != nil || n < 0 {
			return nil, ErrRow
		}
		out = binary.AppendUvarint(binary.AppendUvarint(out, b), uint64(n))
	}
	return out, nil
}

func (s *histogram) Size() int64 { return s.cells.Size() + 8*int64(cap(s.n)) }
