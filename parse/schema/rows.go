package schema

import (
	"strings"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// AppendRows appends the values of the given rows of an array of the column's kind. It only counts rows if both the
// column and the array have nothing but nulls.
func (c *Column) AppendRows(a arrow.Array, rows []int32) {
	if a.NullN() == a.Len() {
		c.Pad(c.Len() + len(rows))
		return
	}
	c.Fill()
	base := c.Len()
	switch c.Kind {
	case Int64, Time:
		c.Int64 = gather(c.Int64, a.(*array.Int64).Int64Values(), rows)
	case Float:
		c.Float = gather(c.Float, a.(*array.Float64).Float64Values(), rows)
	case Addr:
		c.Addr = gather(c.Addr, AddrValues(a), rows)
	case Int32:
		c.Int32 = gather(c.Int32, a.(*array.Int32).Int32Values(), rows)
	case Text:
		c.recode(a, rows)
	}
	if a.NullN() == 0 {
		return
	}
	for i, row := range rows {
		if a.IsNull(int(row)) {
			c.Nulls = append(c.Nulls, int32(base+i))
		}
	}
}

// recode appends texts, translating the array's dictionary codes to those of the column's dictionary.
func (c *Column) recode(a arrow.Array, rows []int32) {
	codes, words := TextCodes(a)
	code := func(word int32) int32 {
		s := words.Value(int(word))
		code := c.Dict.Code(unsafe.Slice(unsafe.StringData(s), len(s)))
		if code < 0 { // not UTF-8, which only a foreign input can bring in
			code = c.Dict.Code([]byte(strings.ToValidUTF8(s, "\uFFFD")))
		}
		return code
	}
	var known []int32 // plus 1
	if words.Len() <= 2*len(rows) {
		known = make([]int32, words.Len())
	}
	for _, row := range rows {
		word := codes[row]
		switch {
		case a.IsNull(int(row)):
			c.Int32 = append(c.Int32, 0)
		case known == nil: // few of the dictionary's values are used
			c.Int32 = append(c.Int32, code(word))
		default:
			if known[word] == 0 {
				known[word] = code(word) + 1
			}
			c.Int32 = append(c.Int32, known[word]-1)
		}
	}
}

// Memory estimates the bytes that the column takes.
func (c *Column) Memory() int {
	n := 4*cap(c.Int32) + 8*cap(c.Int64) + 8*cap(c.Float) + 16*cap(c.Addr) + 4*cap(c.Nulls)
	if c.Dict != nil {
		n += cap(c.Dict.data) + 4*(cap(c.Dict.offsets)+len(c.Dict.slots)) + 32*cap(c.Dict.fingerprints)
	}
	return n
}
