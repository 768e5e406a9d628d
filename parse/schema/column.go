package schema

import (
	"math"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// A Column builds one field's values of a batch in a plain slice, which Array wraps as an Arrow array without a copy.
// Only the slice of the field's kind is used; a null takes an element too. Parsers may append to the slice themselves,
// as long as all columns of a batch end up equally long.
type Column struct {
	Field
	Int32 []int32    // values of Int32, codes of Text
	Int64 []int64    // values of Int64 and Time
	Float []float64  // values of Float
	Addr  [][16]byte // values of Addr
	Nulls []int32    // the rows that are null, ascending
	Dict  *Dict      // values of Text

	addrDict  arrow.Array // dictionary of addresses, whose indices are in Int32: see Code; nil if Addr has the values
	nullRows  int         // if not 0, all rows are null, there are so many, and the slices are empty
	nullArray arrow.Array // cached array of nulls, sliced for such columns
}

// NewColumn returns an empty column.
func NewColumn(f Field) *Column {
	c := &Column{Field: f}
	if f.Kind == Text {
		c.Dict = f.newDict()
	}
	if f.Kind == Int32 && f.Max == 0 {
		c.Max = math.MaxInt32
	}
	return c
}

// Len is the number of rows.
func (c *Column) Len() int {
	if c.nullRows > 0 {
		return c.nullRows
	}
	switch c.Kind {
	case Int64, Time:
		return len(c.Int64)
	case Float:
		return len(c.Float)
	case Addr:
		if c.addrDict == nil {
			return len(c.Addr)
		}
	}
	return len(c.Int32)
}

// Truncate drops the rows from n on.
func (c *Column) Truncate(n int) {
	if c.nullRows > 0 {
		c.nullRows = n
		return
	}
	for len(c.Nulls) > 0 && int(c.Nulls[len(c.Nulls)-1]) >= n {
		c.Nulls = c.Nulls[:len(c.Nulls)-1]
	}
	c.Int32 = cut(c.Int32, n)
	c.Int64 = cut(c.Int64, n)
	c.Float = cut(c.Float, n)
	c.Addr = cut(c.Addr, n)
}

// cut truncates a slice to n values; the slices of other kinds are empty and stay so.
func cut[T any](values []T, n int) []T {
	return values[:min(n, len(values))]
}

// Reset empties the column for the next batch. A text column keeps its dictionary, so that codes mean the
// same in the next batch, until the dictionary has grown large.
func (c *Column) Reset() {
	c.Truncate(0)
	c.addrDict = nil
	if c.Dict != nil && c.Dict.Large() {
		c.Dict = c.newDict()
	}
}

// Pad makes the column n rows long by appending nulls. It only sets a counter if the column has no other rows.
func (c *Column) Pad(n int) {
	if c.nullRows > 0 || c.Len() == 0 {
		c.nullRows = max(c.nullRows, n)
		return
	}
	for c.Len() < n {
		c.Null()
	}
}

// Fill writes out the nulls that Pad only counted, so that values can be appended to the slices.
func (c *Column) Fill() {
	n := c.nullRows
	c.nullRows = 0
	for range n {
		c.Null()
	}
}

// Grow makes room for n more rows.
func (c *Column) Grow(n int) {
	switch c.Kind {
	case Int64, Time:
		c.Int64 = slices.Grow(c.Int64, n)
	case Float:
		c.Float = slices.Grow(c.Float, n)
	case Addr:
		c.Addr = slices.Grow(c.Addr, n)
	default:
		c.Int32 = slices.Grow(c.Int32, n)
	}
}

// Null appends a null.
func (c *Column) Null() {
	if c.nullRows > 0 {
		c.nullRows++
		return
	}
	c.Nulls = append(c.Nulls, int32(c.Len()))
	switch c.Kind {
	case Int64, Time:
		c.Int64 = append(c.Int64, 0)
	case Float:
		c.Float = append(c.Float, 0)
	case Addr:
		if c.addrDict == nil {
			c.Addr = append(c.Addr, [16]byte{})
			return
		}
		c.Int32 = append(c.Int32, 0)
	default:
		c.Int32 = append(c.Int32, 0)
	}
}

// Text appends a text, which must be UTF-8.
func (c *Column) Text(s string) {
	if c.nullRows > 0 {
		c.Fill()
	}
	c.Int32 = append(c.Int32, c.Dict.Code(unsafe.Slice(unsafe.StringData(s), len(s))))
}

// Append appends a value such as Coder.Value returns, or a time.Time for Time. It must be of the column's kind.
func (c *Column) Append(v any) {
	if v == nil {
		c.Null()
		return
	}
	c.Fill()
	switch c.Kind {
	case Int32:
		c.Int32 = append(c.Int32, int32(v.(int64)))
	case Int64:
		c.Int64 = append(c.Int64, v.(int64))
	case Time:
		if t, ok := v.(time.Time); ok {
			v = t.Unix()
		}
		c.Int64 = append(c.Int64, v.(int64))
	case Float:
		c.Float = append(c.Float, v.(float64))
	case Addr:
		c.Addr = append(c.Addr, v.(netip.Addr).As16())
	case Text:
		c.Text(v.(string))
	}
}

// AppendArray appends a copy of the values of an array of the column's kind.
func (c *Column) AppendArray(a arrow.Array) {
	c.Fill()
	base := c.Len()
	switch c.Kind {
	case Int64, Time:
		c.Int64 = append(c.Int64, a.(*array.Int64).Int64Values()...)
	case Float:
		c.Float = append(c.Float, a.(*array.Float64).Float64Values()...)
	case Addr:
		c.Addr = append(c.Addr, AddrValues(a)...)
	case Int32:
		c.Int32 = append(c.Int32, a.(*array.Int32).Int32Values()...)
	case Text:
		codes, words := TextCodes(a)
		known := make([]int32, words.Len()) // plus 1
		for row, code := range codes {
			if a.IsNull(row) {
				code = 0
			} else if known[code] == 0 {
				s := words.Value(int(code))
				known[code] = c.Dict.Code(unsafe.Slice(unsafe.StringData(s), len(s))) + 1
				code = known[code] - 1
			} else {
				code = known[code] - 1
			}
			c.Int32 = append(c.Int32, code)
		}
	}
	if a.NullN() > 0 {
		for row := range a.Len() {
			if a.IsNull(row) {
				c.Nulls = append(c.Nulls, int32(base+row))
			}
		}
	}
}

// Array wraps the rows so far as an Arrow array. It shares their memory: it is valid until the column is
// appended to or reset.
func (c *Column) Array() arrow.Array {
	n := c.Len()
	if c.nullRows > 0 {
		if c.nullArray == nil || c.nullArray.Len() < n {
			c.nullArray = array.MakeArrayOfNull(memory.DefaultAllocator, c.Kind.Arrow(), 2*n)
		}
		return array.NewSlice(c.nullArray, 0, int64(n))
	}
	var valid *memory.Buffer
	if len(c.Nulls) > 0 {
		bits := make([]byte, (n+7)/8)
		for i := range bits {
			bits[i] = 0xff
		}
		for _, row := range c.Nulls {
			bits[row/8] &^= 1 << (row % 8)
		}
		valid = memory.NewBufferBytes(bits)
	}
	var values *memory.Buffer
	switch c.Kind {
	case Int64, Time:
		values = memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(c.Int64))
	case Float:
		values = memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(c.Float))
	case Addr:
		values = memory.NewBufferBytes(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(c.Addr))), 16*len(c.Addr)))
	}
	if values == nil || c.addrDict != nil {
		values = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.Int32))
	}
	kind, words := c.Kind.Arrow(), c.addrDict
	switch {
	case c.Dict != nil:
		words = c.Dict.Array()
		defer words.Release()
	case words != nil:
		kind = codedAddrs
	}
	if words != nil {
		data := array.NewDataWithDictionary(kind, n, []*memory.Buffer{valid, values}, len(c.Nulls), 0, words.Data().(*array.Data))
		defer data.Release()
		return array.MakeFromData(data)
	}
	data := array.NewData(kind, n, []*memory.Buffer{valid, values}, nil, len(c.Nulls), 0)
	defer data.Release()
	return array.MakeFromData(data)
}

var codedAddrs = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: Addr.Arrow()}

// Code makes an empty column of addresses dictionary-encoded until it is reset, with values as its dictionary: Gather
// from values then appends row numbers as indices, and Array returns an Arrow dictionary. Only a Coder reads such arrays.
func (c *Column) Code(values *Column) {
	c.nullRows = 0
	c.addrDict = values.Array()
}

// AddrValues is the slice of values of an Addr array, without a copy.
func AddrValues(a arrow.Array) [][16]byte {
	d := a.Data()
	b := d.Buffers()[1].Bytes()[16*d.Offset():]
	return unsafe.Slice((*[16]byte)(unsafe.Pointer(unsafe.SliceData(b))), d.Len())
}

// TextCodes returns the dictionary codes of a Text array, without a copy, and its dictionary.
func TextCodes(a arrow.Array) ([]int32, *array.String) {
	d := a.(*array.Dictionary)
	return d.Indices().(*array.Int32).Int32Values(), d.Dictionary().(*array.String)
}

// Gather appends the values that from has at the given rows; -1 is a null. A text column must share the
// dictionary of from.
func (c *Column) Gather(from *Column, rows []int32) {
	c.Fill()
	base := int32(c.Len())
	switch c.Kind {
	case Int64, Time:
		c.Int64 = gather(c.Int64, from.Int64, rows)
	case Float:
		c.Float = gather(c.Float, from.Float, rows)
	case Addr:
		if c.addrDict != nil {
			c.Int32 = append(c.Int32, rows...)
			break
		}
		c.Addr = gather(c.Addr, from.Addr, rows)
	default:
		c.Int32 = gather(c.Int32, from.Int32, rows)
	}
	var null []bool
	if len(from.Nulls) > 0 {
		null = make([]bool, from.Len())
		for _, row := range from.Nulls {
			null[row] = true
		}
	}
	for i, row := range rows {
		if row < 0 || null != nil && null[row] {
			c.Nulls = append(c.Nulls, base+int32(i))
			if c.addrDict != nil {
				c.Int32[base+int32(i)] = 0
			}
		}
	}
}

func gather[T any](to, from []T, rows []int32) []T {
	n := len(to)
	to = slices.Grow(to, len(rows))[:n+len(rows)]
	for i, row := range rows {
		if row >= 0 {
			to[n+i] = from[row]
		} else {
			clear(to[n+i : n+i+1])
		}
	}
	return to
}

// Keep leaves only the given rows, which must ascend.
func (c *Column) Keep(rows []int32) {
	if c.nullRows > 0 {
		c.nullRows = len(rows)
		return
	}
	c.Int32 = keep(c.Int32, rows)
	c.Int64 = keep(c.Int64, rows)
	c.Float = keep(c.Float, rows)
	c.Addr = keep(c.Addr, rows)
	nulls, n := c.Nulls, 0
	c.Nulls = c.Nulls[:0]
	for i, row := range rows {
		for n < len(nulls) && nulls[n] < row {
			n++
		}
		if n < len(nulls) && nulls[n] == row {
			c.Nulls = append(c.Nulls, int32(i))
			n++
		}
	}
}

// keep moves the given rows to the front of a slice, in place; the slices of other kinds are empty and stay so.
func keep[T any](values []T, rows []int32) []T {
	if len(values) == 0 {
		return values
	}
	for i, row := range rows {
		values[i] = values[row]
	}
	return values[:len(rows)]
}

// Repeat appends one text n times. It must be a text column without rows.
func (c *Column) Repeat(s string, n int) {
	c.nullRows = 0
	for range n {
		c.Text(s)
	}
}

// Blank reports whether the column has only nulls that Pad counted.
func (c *Column) Blank() bool { return c.nullRows > 0 }
