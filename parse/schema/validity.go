package schema

import "github.com/apache/arrow/go/v15/arrow"

// Validity is the null bitmap of a column.
type Validity struct {
	bits   []byte // nil if none is null
	offset int
}

// ValidityOf is the validity of a column.
func ValidityOf(col arrow.Array) Validity {
	if col.NullN() == 0 {
		return Validity{}
	}
	return Validity{col.NullBitmapBytes(), col.Data().Offset()}
}

// Null reports whether a row is null.
func (v Validity) Null(row int32) bool {
	if v.bits == nil {
		return false
	}
	i := uint(int(row) + v.offset)
	return uint64(v.bits[i>>3])&(1<<(i&7)) == 0 // a bit of 64 is tested without a shift
}
