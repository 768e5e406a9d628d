package function

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// costFunction is what bytes cost at rates, which are the values of its field: millionths of a unit of currency for 2^30
// bytes. Its values are units of currency. No engine computes it: rates are not logged.
var costFunction = Func{
	Name: "cost", Also: "bytes",
	semantics:    semantics{Share: true, Zero: true, Fraction: true},
	accumulation: accumulation{New: func(Values, Shape) State { return new(cost) }, Rollup: RollupReport, Buffer: BufferNever},
	computation:  computation{Of: func(parts []any, _ float64) any { return float64(parts[0].(int64)) / 1e9 }},
}

// ErrCost is the error for costs that no billion of units of currency can be, and for rates that none can have.
var ErrCost = errors.New("a cost is larger than 9 billion, or a rate is below 0: narrow the input")

// cost is the exact sum of bytes times rates, of the records that have both.
type cost struct {
	exact
	sums []product
}

// A product is a whole number of 128 bits, whose unit is the part of 2^30 times 10^6 of a unit of currency.
type product struct {
	hi, lo uint64
	some   bool // a record has bytes and a rate
}

// mostHi is the first hi of which the value has no room in an int64.
const mostHi = 1 << 19

// plus adds another number, and reports whether the sum has a value.
func (p *product) plus(o product) bool {
	lo, carry := bits.Add64(p.lo, o.lo, 0)
	hi := p.hi + o.hi + carry // each is less than 2^63
	*p = product{hi, lo, p.some || o.some}
	return hi < mostHi
}

func (s *cost) Grow(groups int) { s.sums = codes.Grown(s.sums, groups) }

func (s *cost) Add(ids []uint32, rows []int32, in Inputs) error {
	rates, amounts := in.Col.(*array.Int64).Int64Values(), in.Also.(*array.Int64).Int64Values()
	noRate, noAmount := schema.ValidityOf(in.Col), schema.ValidityOf(in.Also)
	for i, row := range rows {
		if noRate.Null(row) || noAmount.Null(row) {
			continue
		}
		if rates[row] < 0 || amounts[row] < 0 {
			return ErrCost
		}
		hi, lo := bits.Mul64(uint64(rates[row]), uint64(amounts[row]))
		if !s.sums[ids[i]].plus(product{hi, lo, true}) {
			return ErrCost
		}
	}
	return nil
}

func (s *cost) Merge(other State, ids, _ []uint32) error {
	for group, p := range other.(*cost).sums {
		if ids[group] != Skip && !s.sums[ids[group]].plus(p) {
			return ErrCost
		}
	}
	return nil
}

// Value is in 10^-9 units of currency, rounded half to even.
func (s *cost) Value(group uint32) (int64, bool) {
	const shift, nanos = 30, 1000
	p := s.sums[group]
	hi, lo := bits.Mul64(p.lo, nanos)
	hi += p.hi * nanos
	v, rest := hi<<(64-shift)|lo>>shift, lo%(1<<shift)
	if half := uint64(1) << (shift - 1); rest > half || rest == half && v%2 == 1 {
		v++
	}
	return int64(min(v, math.MaxInt64)), p.some
}

func (s *cost) Append(dst []byte, group uint32) []byte {
	p := s.sums[group]
	if !p.some {
		return binary.AppendUvarint(dst, 0)
	}
	return binary.AppendUvarint(binary.AppendUvarint(dst, p.hi+1), p.lo)
}

func (s *cost) Load(src []byte, group uint32) ([]byte, error) {
	hi, src, err := uvarint(src)
	if hi == 0 || err != nil {
		return src, err
	}
	lo, src, err := uvarint(src)
	switch {
	case err != nil:
		return src, err
	case hi > mostHi:
		return src, ErrPartial
	case !s.sums[group].plus(product{hi - 1, lo, true}):
		return src, ErrCost
	}
	return src, nil
}

func (s *cost) Size() int64 { return 24 * int64(cap(s.sums)) }
