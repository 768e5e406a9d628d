package function

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

var (
	minFunction = extremeFunction("min", 1)
	maxFunction = extremeFunction("max", -1)
)

func extremeFunction(name string, sign int64) Func {
	return Func{
		Name: name, Kinds: orderedKinds,
		accumulation: accumulation{New: func(Values, Shape) State { return NewExtreme(sign) }, Rollup: RollupAlways, Buffer: BufferValue},
		remote:       remote{Adds: name, Decode: decodeExtreme(sign)},
	}
}

// Extreme is the smallest (sign 1) or largest (sign -1) value of a field. Its cells are the smallest product of sign and
// value, MaxInt64 if there is none.
type Extreme struct {
	sign int64
	number
}

func NewExtreme(sign int64) *Extreme { return &Extreme{sign, newNumber(math.MaxInt64)} }

func (s *Extreme) Add(ids []uint32, rows []int32, in Inputs) error {
	valid := schema.ValidityOf(in.Col)
	switch a := in.Col.(type) {
	case *array.Int64:
		findExtreme(s, ids, rows, a.Int64Values(), valid)
	case *array.Int32:
		findExtreme(s, ids, rows, a.Int32Values(), valid)
	}
	return nil
}

func findExtreme[T int32 | int64](s *Extreme, ids []uint32, rows []int32, values []T, valid schema.Validity) {
	if s.Groups == 1 {
		best := *s.Of(0)
		for _, row := range rows {
			if v := s.sign * int64(values[row]); v < best && !valid.Null(row) {
				best = v
			}
		}
		*s.Of(0) = best
		return
	}
	at, width := uint(s.at), uint(len(s.none))
	if extremes := s.pages.one(); extremes != nil {
		for i, row := range rows {
			if v, best := s.sign*int64(values[row]), &extremes[uint(ids[i])*width+at]; v < *best && !valid.Null(row) {
				*best = v
			}
		}
		return
	}
	for i, row := range rows {
		if v, best := s.sign*int64(values[row]), s.pages.at(uint(ids[i])*width+at); v < *best && !valid.Null(row) {
			*best = v
		}
	}
}

func (s *Extreme) Merge(other State, ids, _ []uint32) error {
	return s.MergeSome(other, ids[:other.(*Extreme).Groups], 0)
}

func (s *Extreme) MergeSome(other State, ids []uint32, from int) error {
	o := other.(*Extreme)
	for i, id := range ids {
		if v := *o.Of(uint32(from + i)); v != math.MaxInt64 && id != Skip {
			t := s.Of(id)
			*t = min(*t, v)
		}
	}
	return nil
}

func (s *Extreme) Value(group uint32) (int64, bool) {
	v := *s.Of(group)
	return s.sign * v, v != math.MaxInt64
}

func (s *Extreme) Append(dst []byte, group uint32) []byte {
	return binary.AppendVarint(dst, *s.Of(group))
}

func (s *Extreme) Load(src []byte, group uint32) ([]byte, error) {
	v, src, err := varint(src)
	if err == nil {
		t := s.Of(group)
		*t = min(*t, v)
	}
	return src, err
}

func decodeExtreme(sign int64) func(any, int64) ([]byte, error) {
	return func(v any, _ int64) ([]byte, error) {
		n, present, err := wholeNumber(v)
		if !present {
			return binary.AppendVarint(nil, math.MaxInt64), err
		}
		return binary.AppendVarint(nil, sign*n), nil
	}
}
