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

// A textFunc appends a text to a row in the way of a format, which takes care that it stays text there.
type textFunc func(dst []byte, f *schema.Field, s string) []byte

// cells are the columns of one batch, ready to be read row by row. They are reused for the next batch.
type cells struct {
	rows    int
	columns []cell // one for each field, then those of the columns that the fields do not have
	known   int    // how many of them are fields
}

// A cell is one column of a batch, on whose values it is placed by a row number.
type cell struct {
	schema.Field
	rows   int
	nulls  int    // how many of them are null
	valid  []byte // bit map of the rows that are not, or nil if none is
	bit    int    // where in it the rows begin
	ints   []int32
	longs  []int64
	floats []float64
	addrs  [][16]byte
	codes  []int32
	words  *array.String

	// What the text function made of each word, written one after the other: the place in made in the upper
	// half of a span, the length + 1 in the lower. Most words come many times in a batch.
	spans []uint64
	made  []byte

	// What a dictionary of further reach has for the words: its code + 1, or 0 if that was not asked for.
	codesIn *textDict
	recodes []int32
}

// load takes the columns of a record: first the fields, then others, which are texts or numbers.
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

// null reports whether a row has no value. What is not a number is none.
func (c *cell) null(row int) bool {
	if c.valid != nil {
		if i := c.bit + row; c.valid[i>>3]&(1<<(i&7)) == 0 {
			return true
		}
	}
	return c.floats != nil && !finite(c.floats[row])
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// append writes the value of a row, which is not null. Texts go through the text function, once for each
// word that is met: it must not depend on the row.
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
		if c.words.Len() > 4*len(c.codes) { // few of its words are used: a span each would cost more
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

// recode returns the code that another dictionary has for a word of this one's.
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

// resize returns a slice of n elements of any value, in the memory of s if that suffices.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// appendFloat writes a float in as few digits as tell it from all others, with an exponent where JSON's
// readers expect one.
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
