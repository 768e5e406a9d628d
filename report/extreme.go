package report

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

func extremeFunction(name string, sign int64) function {
	return function{
		name: name, kinds: orderedKinds,
		accumulation: accumulation{new: func(values, shape) state { return newExtreme(sign) }, rollup: rollupAlways, buffer: bufferValue},
		remote:       remote{adds: name, decode: decodeExtreme(sign)},
	}
}

// extreme is the smallest (sign 1) or largest (sign -1) value of a field. Its cells are the smallest product of sign and
// value, MaxInt64 if there is none.
type extreme struct {
	sign int64
	number
}

func newExtreme(sign int64) *extreme { return &extreme{sign, newNumber(math.MaxInt64)} }

func (s *extreme) add(ids []uint32, rows []int32, in inputs) error {
	valid := schema.ValidityOf(in.col)
	switch a := in.col.(type) {
	case *array.Int64:
		findExtreme(s, ids, rows, a.Int64Values(), valid)
	case *array.Int32:
		findExtreme(s, ids, rows, a.Int32Values(), valid)
	}
	return nil
}

func findExtreme[T int32 | int64](s *extreme, ids []uint32, rows []int32, values []T, valid schema.Validity) {
	if s.groups == 1 {
		best := *s.of(0)
		for _, row := range rows {
			if v := s.sign * int64(values[row]); v < best && !valid.Null(row) {
				best = v
			}
		}
		*s.of(0) = best
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

func (s *extreme) merge(other state, ids, _ []uint32) error {
	return s.mergeSome(other, ids[:other.(*extreme).groups], 0)
}

func (s *extreme) mergeSome(other state, ids []uint32, from int) error {
	o := other.(*extreme)
	for i, id := range ids {
		if v := *o.of(uint32(from + i)); v != math.MaxInt64 && id != skip {
			t := s.of(id)
			*t = min(*t, v)
		}
	}
	return nil
}

func (s *extreme) value(group uint32) (int64, bool) {
	v := *s.of(group)
	return s.sign * v, v != math.MaxInt64
}

func (s *extreme) append(dst []byte, group uint32) []byte {
	return binary.AppendVarint(dst, *s.of(group))
}

func (s *extreme) load(src []byte, group uint32) ([]byte, error) {
	v, src, err := varint(src)
	if err == nil {
		t := s.of(group)
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
