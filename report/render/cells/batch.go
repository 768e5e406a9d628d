package cells

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// A TextFunc appends a text to a row, escaped for a format so that it stays text there.
type TextFunc func(dst []byte, f *schema.Field, s string) []byte

// Batch are the columns of one batch for reading row by row. They are reused for the next batch.
type Batch struct {
	Rows    int
	Columns []Column // of the fields, then of the batch's other columns
	Known   int      // how many columns are fields
}

// A Column reads the values of one column of a batch by row number.
type Column struct {
	schema.Field
	Rows  int
	Nulls int    // how many rows are null
	Valid []byte // validity bitmap, nil if no row is null
	Bit   int    // the bit of the first row
	Values

	// Cached output of the text function by dictionary code, since most values occur many times in a batch. A span has
	// the offset in made in its upper half and the length + 1 in its lower half.
	spans []uint64
	made  []byte
}

// Values are the values of a column, in the slice of its kind; the others are nil. Those of null rows have no meaning.
type Values struct {
	Ints   []int32
	Longs  []int64 // also Unix seconds
	Floats []float64
	Addrs  [][16]byte
	Codes  []int32       // of texts, in Words
	Words  *array.String // distinct texts
}

// Load takes the columns of a record: first the fields, then the others, which are texts or numbers.
func (b *Batch) Load(rec arrow.Record, fields schema.Table) error {
	n := int(rec.NumCols())
	if n < len(fields) {
		return fmt.Errorf("a batch has %d columns, not the %d asked for", n, len(fields))
	}
	for len(b.Columns) < n {
		b.Columns = append(b.Columns, Column{})
	}
	b.Columns, b.Known, b.Rows = b.Columns[:n], len(fields), int(rec.NumRows())
	for i := range b.Columns {
		f := schema.Field{Name: rec.ColumnName(i), Kind: schema.KindOf(rec.Column(i).DataType()), Escaped: true}
		if i < len(fields) {
			f = fields[i]
		}
		if err := b.Columns[i].load(rec.Column(i), f); err != nil {
			return err
		}
	}
	return nil
}

func (c *Column) load(a arrow.Array, f schema.Field) error {
	if !arrow.TypeEqual(a.DataType(), f.Kind.Arrow()) {
		return fmt.Errorf("column %s: the values are of type %s, not %s", f.Name, a.DataType(), f.Kind.Arrow())
	}
	*c = Column{Field: f, Rows: a.Len(), Nulls: a.NullN(), spans: c.spans[:0], made: c.made[:0]}
	if c.Nulls > 0 {
		c.Valid, c.Bit = a.NullBitmapBytes(), a.Data().Offset()
	}
	if a.Len() == 0 {
		return nil
	}
	switch f.Kind {
	case schema.Int32:
		c.Ints = a.(*array.Int32).Int32Values()
	case schema.Int64, schema.Time:
		c.Longs = a.(*array.Int64).Int64Values()
	case schema.Float:
		c.Floats = a.(*array.Float64).Float64Values()
	case schema.Addr:
		c.Addrs = schema.AddrValues(a)
	case schema.Text:
		c.Codes, c.Words = schema.TextCodes(a)
	}
	return nil
}

// Empty reports whether a batch has no records: it may only fill its number in the sequence.
func Empty(b schema.Batch) bool { return b.Record == nil || b.NumRows() == 0 }

// Has reports whether a row has a value in the batch, which may be NaN or infinite.
func (c *Column) Has(row int) bool {
	i := c.Bit + row
	return c.Valid == nil || c.Valid[i>>3]&(1<<(i&7)) != 0
}

// Null reports whether a row is null. NaN and infinities count as null.
func (c *Column) Null(row int) bool {
	return !c.Has(row) || c.Floats != nil && !Finite(c.Floats[row])
}

// Finite reports whether a value is neither NaN nor infinite.
func Finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Append appends the value of a row, which must not be null. Texts go through the text function once per distinct value,
// so it must not depend on the row.
func (c *Column) Append(dst []byte, row int, text TextFunc) []byte {
	switch c.Kind {
	case schema.Int32:
		return strconv.AppendInt(dst, int64(c.Ints[row]), 10)
	case schema.Int64, schema.Time:
		return strconv.AppendInt(dst, c.Longs[row], 10)
	case schema.Float:
		return AppendFloat(dst, c.Floats[row])
	case schema.Addr:
		return AppendAddr(dst, &c.Addrs[row])
	}
	return c.appendText(dst, c.Codes[row], text)
}

// Value returns the value of a row, in the type that reports have.
func (c *Column) Value(row int) any {
	if c.Null(row) {
		return nil
	}
	switch c.Kind {
	case schema.Int32:
		return int64(c.Ints[row])
	case schema.Int64:
		return c.Longs[row]
	case schema.Time:
		return time.Unix(c.Longs[row], 0).UTC()
	case schema.Float:
		return c.Floats[row]
	case schema.Addr:
		return addrOf(&c.Addrs[row])
	}
	return strings.Clone(c.Words.Value(int(c.Codes[row])))
}

func (c *Column) appendText(dst []byte, code int32, text TextFunc) []byte {
	if len(c.spans) == 0 {
		if c.Words.Len() > 4*len(c.Codes) { // few values of the dictionary are used: a span for each would cost more
			return text(dst, &c.Field, c.Words.Value(int(code)))
		}
		c.spans = Resize(c.spans, c.Words.Len())
		clear(c.spans)
	}
	span := c.spans[code]
	if span == 0 {
		at := len(c.made)
		c.made = text(c.made, &c.Field, c.Words.Value(int(code)))
		span = uint64(at)<<32 | uint64(len(c.made)-at+1)
		c.spans[code] = span
	}
	at := int(span >> 32)
	return append(dst, c.made[at:at+int(uint32(span))-1]...)
}

// Resize returns a slice of n elements with arbitrary values, in the memory of s if that suffices.
func Resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// AppendFloat appends the shortest text that reads back as the same float, with an exponent where JSON readers expect
// one.
func AppendFloat(dst []byte, v float64) []byte {
	form := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(dst, v, form, -1, 64)
}

// AppendAddr writes an address, the mapped form of an IPv4 address as IPv4.
func AppendAddr(dst []byte, a *[16]byte) []byte {
	return addrOf(a).AppendTo(dst)
}

func addrOf(a *[16]byte) netip.Addr { return netip.AddrFrom16(*a).Unmap() }

// ToUTF8 replaces bytes that are not UTF-8: readers of typed formats assume that a text is UTF-8.
func ToUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
