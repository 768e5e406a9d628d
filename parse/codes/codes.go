// Package codes numbers values: a dictionary encoder gives each distinct value of a field a small code, and hash tables of
// 64-bit words number pairs of codes. Grouping, distinct counts, conditions and caches of lookups work on codes.
//
//	arrow.Array → Coder → codes → Pairs → group ids
//
// Files, each uses only those above it:
//
//	hash.go         sets and maps of 64-bit words, looked up a batch at a time
//	codes.go        Coder, a dictionary encoder
//	coderaddr.go    the dictionary encoders of addresses and of text
//	coder.go        the encoders of numbers; NewCoder
//	decoder.go      codes → values, values → codes
package codes

import (
	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// A Coder is the dictionary encoder of one field: it gives each distinct value a code. Null is 0; the other values
// are numbered in order of appearance, or for small numbers by value. Grouping, distinct counts and lookup caches work
// on these codes. A Coder belongs to one goroutine.
type Coder interface {
	// Encode writes the code of each of the rows to out[row].
	Encode(col arrow.Array, rows []int32, out []uint32)
	// Len is one more than the largest code.
	Len() int
	// Value returns the value of a code: nil, int64, float64, string or netip.Addr.
	Value(code uint32) any
	// Absorb adds the values of another Coder of the same field. The result maps the other's codes to this one's.
	Absorb(other Coder) []uint32
	// Code returns the code of a non-nil value of a type that Value returns, and adds the value if it is new. It is
	// false for a value of another kind.
	Code(v any) (uint32, bool)
	// Gather appends the values of codes to a column of the field.
	Gather(codes []uint32, out *schema.Column)
	// Size estimates the bytes that the dictionary takes.
	Size() int64
}
