package render

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// A textFunc appends a text to a row, escaped for a format so that it stays text there.
type textFunc func(dst []byte, f *schema.Field, s string) []byte

// cells are the columns of one batch for reading row by row. They are reused for the next batch.
type cells struct {
	rows    int
	columns []cell // of the fields, then of the batch's other columns
	known   int    // how many columns are fields
}

// A cell reads the values of one column of a batch by row number.
type cell struct {
	schema.Field
	rows  int
	nulls int    // how many rows are null
	valid []byte // validity bitmap, nil if no row is null
	bit   int    // the bit of the first row
	cellValues

	// Cached output of the text function by dictionary code, since most values occur many times in a batch. A span has
	// the offset in made in its upper half and the length + 1 in its lower half.
	spans []uint64
	made  []byte

	// Cached translation of dictionary codes to those of the dictionary codesIn: its code + 1, 0 if not translated yet.
	codesIn *textDict
	recodes []int32
}

// cellValues are the values of a column, in the slice of its kind.
type cellValues struct {
	ints   []int32
	longs  []int64
	floats []float64
	addrs  [][16]byte
	codes  []int32 // of a text
	words  *array.String
}

// load takes the columns of a record: first the fields, then the others, which are texts or numbers.
func (c *cells) load(rec arrow.Record, fields schema.Table) error {
	n := int(rec.NumCols())
	if n < len(fields) {
		return fmt.Errorf("a batch has %d columns, not the %d asked for", n, len(fields))
	}
	for len(c.columns) < n {
		c.columns = append(c.columns, cell{})
	}
	c.columns, c.known, c.rows = c.columns[:n], len(fields), int(rec.NumRows())
	for i := range c.columns {
		f := schema.Field{Name: rec.ColumnName(i), Kind: schema.KindOf(rec.Column(i).DataType()), Escaped: true}
		if i < len(fields) {
			f = fields[i]
		}
		if err := c.columns[i].load(rec.Column(i), f); err != nil {
			return err
		}
	}
	return nil
}

func (c *cell) load(a arrow.Array, f schema.Field) error {
	if !arrow.TypeEqual(a.DataType(), f.Kind.Arrow()) {
		return fmt.Errorf("column %s: the values are of type %s, not %s", f.Name, a.DataType(), f.Kind.Arrow())
	}
	*c = cell{Field: f, rows: a.Len(), nulls: a.NullN(), spans: c.spans[:0], made: c.made[:0], recodes: c.recodes}
	if c.nulls > 0 {
		c.valid, c.bit = a.NullBitmapBytes(), a.Data().Offset()
	}
	if a.Len() == 0 {
		return nil
	}
	switch f.Kind {
	case schema.Int32:
		c.ints = a.(*array.Int32).Int32Values()
	case schema.Int64, schema.Time:
		c.longs = a.(*array.Int64).Int64Values()
	case schema.Float:
		c.floats = a.(*array.Float64).Float64Values()
	case schema.Addr:
		c.addrs = schema.AddrValues(a)
	case schema.Text:
		c.codes, c.words = schema.TextCodes(a)
	}
	return nil
}

// null reports whether a row is null. NaN and infinities count as null.
func (c *cell) null(row int) bool {
	if c.valid != nil {
		if i := c.bit + row; c.valid[i>>3]&(1<<(i&7)) == 0 {
			return true
		}
	}
	return c.floats != nil && !finite(c.floats[row])
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// append appends the value of a row, which must not be null. Texts go through the text function once per distinct value,
// so it must not depend on the row.
func (c *cell) append(dst []byte, row int, text textFunc) []byte {
	switch c.Kind {
	case schema.Int32:
		return strconv.AppendInt(dst, int64(c.ints[row]), 10)
	case schema.Int64, schema.Time:
		return strconv.AppendInt(dst, c.longs[row], 10)
	case schema.Float:
		return appendFloat(dst, c.floats[row])
	case schema.Addr:
		return appendAddr(dst, &c.addrs[row])
	}
	return c.appendText(dst, c.codes[row], text)
}

func (c *cell) appendText(dst []byte, code int32, text textFunc) []byte {
	if len(c.spans) == 0 {
		if c.words.Len() > 4*len(c.codes) { // few values of the dictionary are used: a span for each would cost more
			return text(dst, &c.Field, c.words.Value(int(code)))
		}
		c.spans = resize(c.spans, c.words.Len())
		clear(c.spans)
	}
	span := c.spans[code]
	if span == 0 {
		at := len(c.made)
		c.made = text(c.made, &c.Field, c.words.Value(int(code)))
		span = uint64(at)<<32 | uint64(len(c.made)-at+1)
		c.spans[code] = span
	}
	at := int(span >> 32)
	return append(dst, c.made[at:at+int(uint32(span))-1]...)
}

// recode translates a code of this dictionary to that of another one.
func (c *cell) recode(code int32, dict *textDict) int32 {
	if c.codesIn != dict {
		c.codesIn = dict
		c.recodes = resize(c.recodes, c.words.Len())
		clear(c.recodes)
	}
	if c.recodes[code] == 0 {
		s := c.words.Value(int(code))
		c.recodes[code] = dict.code(unsafe.Slice(unsafe.StringData(s), len(s))) + 1 // the slice is only read
	}
	return c.recodes[code] - 1
}

// resize returns a slice of n elements with arbitrary values, in the memory of s if that suffices.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// appendFloat appends the shortest text that reads back as the same float, with an exponent where JSON readers expect
// one.
func appendFloat(dst []byte, v float64) []byte {
	form := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(dst, v, form, -1, 64)
}

// appendAddr writes an address, the mapped form of an IPv4 address as IPv4.
func appendAddr(dst []byte, a *[16]byte) []byte {
	return addrOf(a).AppendTo(dst)
}

func addrOf(a *[16]byte) netip.Addr { return netip.AddrFrom16(*a).Unmap() }
