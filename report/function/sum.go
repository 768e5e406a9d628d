package function

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

var sumFunction = Func{
	Name: "sum", Kinds: wholeKinds,
	semantics:    semantics{Share: true, Zero: true},
	accumulation: accumulation{New: func(Values, Shape) State { return newSum() }, Rollup: RollupAlways, Buffer: BufferValue},
	remote:       remote{Adds: "sum", Decode: decodeSum},
}

// ErrSum is the error for sums beyond 2^63-1.
var ErrSum = errors.New("a sum is larger than 9223372036854775807 (2^63-1): narrow the input")

// sum is the sum of a field, null for a group in which the field is always null.
type sum struct{ number }

// noSum marks a group without values. Its other bits are 0, so that clearing it is all that the first value needs.
const noSum = math.MinInt64

func newSum() *sum { return &sum{newNumber(noSum)} }

func (s *sum) Add(ids []uint32, rows []int32, in Inputs) error {
	valid := schema.ValidityOf(in.Col)
	over := false
	switch a := in.Col.(type) {
	case *array.Int64:
		over = addUp(s, ids, rows, a.Int64Values(), valid)
	case *array.Int32:
		over = addUp(s, ids, rows, a.Int32Values(), valid)
	}
	if over {
		return ErrSum
	}
	return nil
}

// addUp adds values to the sums of their groups, and reports whether one overflowed.
func addUp[T int32 | int64](s *sum, ids []uint32, rows []int32, values []T, valid schema.Validity) bool {
	var over int64
	if s.Groups == 1 { // sum in a register: through memory each addition would wait for the store of the one before
		total := *s.Of(0)
		for _, row := range rows {
			if !valid.Null(row) {
				total = total&^noSum + int64(values[row])
				over |= total
			}
		}
		*s.Of(0) = total
		return over < 0
	}
	if s.Groups <= fewGroups && len(rows) >= fewGroups {
		return addUpFew(s, ids, rows, values, valid)
	}
	at, width := uint(s.at), uint(len(s.none))
	if v := s.pages.one(); v != nil {
		for i, row := range rows {
			if !valid.Null(row) {
				t := &v[uint(ids[i])*width+at]
				*t = *t&^noSum + int64(values[row])
				over |= *t
			}
		}
		return over < 0
	}
	for i, row := range rows {
		if !valid.Null(row) {
			t := s.pages.at(uint(ids[i])*width + at)
			*t = *t&^noSum + int64(values[row])
			over |= *t
		}
	}
	return over < 0
}

// fewGroups is the largest number of groups for which a batch is summed in four interleaved arrays. Where most rows are of
// one group, an addition to the same cell would wait for the one before.
const fewGroups = 256

func addUpFew[T int32 | int64](s *sum, ids []uint32, rows []int32, values []T, valid schema.Validity) bool {
	var sums [4][fewGroups]int64
	var seen [fewGroups]bool
	var over int64
	for i, row := range rows {
		if !valid.Null(row) {
			id := ids[i] % fewGroups
			t := &sums[i%len(sums)][id]
			*t += int64(values[row])
			over |= *t
			seen[id] = true
		}
	}
	for id := range uint32(s.Groups) {
		if !seen[id] {
			continue
		}
		t := s.Of(id)
		*t &^= noSum
		for _, some := range &sums {
			*t += some[id]
			over |= *t
		}
	}
	return over < 0
}

func (s *sum) Merge(other State, ids, _ []uint32) error {
	return s.MergeSome(other, ids[:other.(*sum).Groups], 0)
}

func (s *sum) MergeSome(other State, ids []uint32, from int) error {
	o := other.(*sum)
	for i, id := range ids {
		v := *o.Of(uint32(from + i))
		if v == noSum || id == Skip {
			continue
		}
		t := s.Of(id)
		if *t = *t&^noSum + v; *t < 0 {
			return ErrSum
		}
	}
	return nil
}

func (s *sum) Value(group uint32) (int64, bool) {
	v := *s.Of(group)
	return v, v != noSum
}

func (s *sum) Append(dst []byte, group uint32) []byte {
	v := *s.Of(group)
	if v == noSum {
		return binary.AppendUvarint(dst, 0)
	}
	return binary.AppendUvarint(dst, uint64(v)+1)
}

func (s *sum) Load(src []byte, group uint32) ([]byte, error) {
	n, src, err := uvarint(src)
	if n == 0 || err != nil {
		return src, err
	}
	t := s.Of(group)
	if n > 1<<63 {
		return src, ErrPartial
	}
	if *t = *t&^noSum + int64(n-1); *t < 0 {
		return src, ErrSum
	}
	return src, nil
}

func decodeSum(v any, _ int64) ([]byte, error) {
	n, present, err := wholeNumber(v)
	if !present {
		return binary.AppendUvarint(nil, 0), err
	}
	return binary.AppendUvarint(nil, uint64(n)+1), nil
}
