package parse

import (
	"math"
	"strconv"

	"flowlog/parse/schema"
)

//go:noescape
func shortNumbersAVX2(data *byte, seps *int32, stride, rows, columns int, shapes *numberShapes) (n int)

//go:noescape
func longNumbersAVX2(data *byte, seps *int32, stride, rows, columns int, most *[4]int32) (n int)

//go:noescape
func validAddrsAVX2(data *byte, seps *int32, stride, rows int, shapes *addrShapes) (n int)

// The functions below need this many places of seps behind those that they look at.
const sepsBehind = 4

// validAddrs says how many rows from the first one on are surely addresses.
func validAddrs(data []byte, seps []int32, stride, rows int) int {
	if !hasAVX2 {
		return validAddrsPortable(data, seps, stride, rows)
	}
	_ = seps[(rows-1)*stride+1]
	return validAddrsAVX2(&data[0], &seps[0], stride, rows, validAddr)
}

// numbersOf makes the function that says how many rows from the first one on are surely numbers of the columns.
func numbersOf(cols []*schema.Column) func(data []byte, seps []int32, stride, rows int) int {
	if !hasAVX2 {
		return numbersPortable(cols)
	}
	if isShort(cols[0]) {
		shapes := newNumberShapes(cols)
		return func(data []byte, seps []int32, stride, rows int) int {
			_ = seps[(rows-1)*stride+len(cols)]
			return shortNumbersAVX2(&data[0], &seps[0], stride, rows, len(cols), shapes)
		}
	}
	most := [4]int32{math.MaxInt32, math.MaxInt32, math.MaxInt32, math.MaxInt32}
	for i, c := range cols {
		most[i] = int32(maxDigits(c)) + 1 // with the separator
	}
	return func(data []byte, seps []int32, stride, rows int) int {
		_ = seps[: (rows-1)*stride+len(cols)+sepsBehind : cap(seps)]
		return longNumbersAVX2(&data[0], &seps[0], stride, rows, len(cols), &most)
	}
}

// numberShapes is what the places of separators in the last 16 bytes of a run say of its numbers, which have up to
// eight digits. Shapes are numbered from 1.
type numberShapes struct {
	bySeparators [1 << 16]uint8
	most         [4][8]byte // the largest number of each column, its last digit first
	_            [32]byte   // shape 0
	shuffle      [254][2][16]byte
}

func newNumberShapes(cols []*schema.Column) *numberShapes {
	t := &numberShapes{}
	digits := make([]int, len(cols))
	for i := range t.most {
		limit := "0" // a column that is not there has no digits
		if i < len(cols) {
			limit = strconv.FormatInt(cols[i].Max, 10)
			digits[i] = len(limit)
		}
		for j := range limit {
			t.most[i][j] = limit[len(limit)-1-j] - '0'
		}
	}
	shape := 0
	eachLengths(digits, func(lengths []int) {
		end := 16
		separators := 0
		var from [4][8]byte
		for i := range from {
			for j := range from[i] {
				from[i][j] = 0x80 // zero
			}
		}
		for i := len(lengths) - 1; i >= 0; i-- {
			for j := range lengths[i] {
				from[i][j] = byte(end - 1 - j)
			}
			if end -= lengths[i] + 1; end < 0 {
				return
			}
			separators |= 1 << end
		}
		if shape == len(t.shuffle) {
			return
		}
		for i := range from {
			copy(t.shuffle[shape][i/2][8*(i%2):], from[i][:])
		}
		shape++
		t.bySeparators[separators] = uint8(shape)
	})
	return t
}

// eachLengths calls yield with all lists of lengths from 1 up to the given ones, the largest first.
func eachLengths(most []int, yield func([]int)) {
	lengths := make([]int, len(most))
	var from func(int)
	from = func(i int) {
		if i == len(most) {
			yield(lengths)
			return
		}
		for n := most[i]; n > 0; n-- {
			lengths[i] = n
			from(i + 1)
		}
	}
	from(0)
}

// addrShapes is what the places of dots in the last 16 bytes say of an IPv4 address that ends there, and of the
// separator in front of it. Shapes are numbered from 1.
type addrShapes struct {
	byDots [1 << 16]uint8
	_      [32]byte // shape 0
	shapes [81]struct {
		shuffle [16]byte  // the digits of each octet, its last one first
		least   [4]uint32 // less would have a zero in front
	}
}

var validAddr = newAddrShapes()

func newAddrShapes() *addrShapes {
	t := &addrShapes{}
	shape := 0
	eachLengths([]int{3, 3, 3, 3}, func(lengths []int) {
		s := &t.shapes[shape]
		end, dots := 16, 0
		for i := 3; i >= 0; i-- {
			for j := range 4 {
				s.shuffle[4*i+j] = 0x80 // zero
				if j < lengths[i] {
					s.shuffle[4*i+j] = byte(end - 1 - j)
				}
			}
			s.least[i] = []uint32{0, 1 << 8, 1 << 16}[lengths[i]-1]
			end -= lengths[i] + 1
			dots |= 1 << end
		}
		shape++
		t.byDots[dots] = uint8(shape)
	})
	return t
}
