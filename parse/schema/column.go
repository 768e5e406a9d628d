package schema

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"net/netip"
	"slices"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// A Column collects one field's values of a batch in a plain slice, which Array then wraps as an Arrow
// array without a copy. Only the slice of the field's kind is used; a null has its place in it too. Parsers
// may append to the slice themselves, as long as all columns of a batch end up equally long.
type Column struct {
	Field
	Int32 []int32    // values of Int32, codes of Text
	Int64 []int64    // values of Int64 and Time
	Float []float64  // values of Float
	Addr  [][16]byte // values of Addr
	Nulls []int32    // the rows that are null, ascending
	Dict  *Dict      // values of Text

	words  arrow.Array // the addresses that Int32 are codes of, see Code; nil if they are in Addr
	blank  int         // rows that are null and not in the slices: all of them, or none
	blanks arrow.Array // nulls to cut such rows from
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
	if c.blank > 0 {
		return c.blank
	}
	switch c.Kind {
	case Int64, Time:
		return len(c.Int64)
	case Float:
		return len(c.Float)
	case Addr:
		if c.words == nil {
			return len(c.Addr)
		}
	}
	return len(c.Int32)
}

// Truncate drops the rows from n on.
func (c *Column) Truncate(n int) {
	if c.blank > 0 {
		c.blank = n
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

// cut is the first n values of a slice that is used.
func cut[T any](values []T, n int) []T {
	return values[:min(n, len(values))]
}

// Reset empties the column for the next batch. A text column keeps its dictionary, so that codes mean the
// same in the next batch, until the dictionary has grown large.
func (c *Column) Reset() {
	c.Truncate(0)
	c.words = nil
	if c.Dict != nil && c.Dict.Large() {
		c.Dict = c.newDict()
	}
}

// Pad makes the column n rows long by appending nulls. It is cheap for a column that has no rows yet and
// gets none other.
func (c *Column) Pad(n int) {
	if c.blank > 0 || c.Len() == 0 {
		c.blank = max(c.blank, n)
		return
	}
	for c.Len() < n {
		c.Null()
	}
}

// Fill makes the slices complete, so that values can be appended to them.
func (c *Column) Fill() {
	n := c.blank
	c.blank = 0
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
	if c.blank > 0 {
		c.blank++
		return
	}
	c.Nulls = append(c.Nulls, int32(c.Len()))
	switch c.Kind {
	case Int64, Time:
		c.Int64 = append(c.Int64, 0)
	case Float:
		c.Float = append(c.Float, 0)
	case Addr:
		if c.words == nil {
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
	if c.blank > 0 {
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
	if c.blank > 0 {
		if c.blanks == nil || c.blanks.Len() < n {
			c.blanks = array.MakeArrayOfNull(memory.DefaultAllocator, c.Kind.Arrow(), 2*n)
		}
		return array.NewSlice(c.blanks, 0, int64(n))
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
	if values == nil || c.words != nil {
		values = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.Int32))
	}
	kind, words := c.Kind.Arrow(), c.words
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

// Code makes an empty column of addresses one of codes, until it is reset: Gather from this column of values
// then notes the rows alone, and Array wraps them as an Arrow dictionary. Only a Coder understands that.
func (c *Column) Code(values *Column) {
	c.blank = 0
	c.words = values.Array()
}

// A Dict numbers the distinct values of a text column, in the order in which they come.
type Dict struct {
	offsets []int32
	data    []byte
	slots   []uint32 // hash table of codes+1, at most a quarter full: a place is hardly ever taken
	sights  []sight  // by code
	seed    maphash.Seed

	spelled func(string) string // spells values anew; nil leaves them as they are
	others  map[string]int32    // codes of the spellings that were met
}

// A sight is what is compared first of a value. Of one of 8 to 24 bytes the words are the first, the middle and the
// last eight, of a shorter one the last word has them all: with the length they are all of it.
type sight struct {
	first, middle, last uint64
	hash                uint32
	len                 int32
}

const longestInSight = 24

// The sizes from which on a dictionary is started anew: it is handed along with every batch.
const (
	largeDict      = 1 << 16
	largeDictBytes = 1 << 22
)

// NewDict returns an empty dictionary.
func NewDict() *Dict {
	return &Dict{offsets: []int32{0}, slots: make([]uint32, 64), seed: maphash.MakeSeed()}
}

// Len is the number of values.
func (d *Dict) Len() int { return len(d.offsets) - 1 }

// Large reports whether the dictionary has grown so far that a new one should be started.
func (d *Dict) Large() bool { return d.Len()+len(d.others) > largeDict || len(d.data) > largeDictBytes }

// Value returns the value with the given code. It is valid as long as the dictionary.
func (d *Dict) Value(code int32) []byte { return d.data[d.offsets[code]:d.offsets[code+1]] }

// Code returns the number of the value s, as it is spelled in a dictionary of its field: see Field.Spelled. It is -1 if
// the value is new and is not UTF-8.
func (d *Dict) Code(s []byte) int32 {
	n := len(s)
	var first, middle, last uint64
	switch {
	case n >= 8:
		first = binary.LittleEndian.Uint64(s)
		middle = binary.LittleEndian.Uint64(s[(n-8)/2:])
		last = binary.LittleEndian.Uint64(s[n-8:])
	case n >= 4:
		last = uint64(binary.LittleEndian.Uint32(s)) | uint64(binary.LittleEndian.Uint32(s[n-4:]))<<32
	case n > 0:
		last = uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16
	}
	var h uint32
	if n <= longestInSight {
		h = uint32(hash(hash(hash(first)^middle)^last) + uint64(n))
	} else {
		h = uint32(maphash.Bytes(d.seed, s))
	}
	mask := uint32(len(d.slots) - 1)
	i := h & mask
	for ; d.slots[i] != 0; i = (i + 1) & mask {
		code := int32(d.slots[i] - 1)
		seen := &d.sights[code]
		if (seen.first^first)|(seen.middle^middle)|(seen.last^last) == 0 && int(seen.len) == n &&
			(n <= longestInSight || string(d.Value(code)) == string(s)) {
			return code
		}
	}
	if !utf8.Valid(s) || len(d.data)+n > math.MaxInt32 {
		return -1
	}
	if d.spelled != nil {
		if code, ok := d.others[string(s)]; ok {
			return code
		}
		if own := d.spelled(string(s)); own != string(s) {
			if d.others == nil {
				d.others = make(map[string]int32)
			}
			code := d.Code([]byte(own))
			d.others[string(s)] = code
			return code
		}
	}
	d.data = append(d.data, s...)
	d.offsets = append(d.offsets, int32(len(d.data)))
	d.sights = append(d.sights, sight{first, middle, last, h, int32(n)})
	d.slots[i] = uint32(d.Len())
	if 4*d.Len() > len(d.slots) {
		d.grow()
	}
	return int32(d.Len() - 1)
}

func (d *Dict) grow() {
	d.slots = make([]uint32, 2*len(d.slots))
	mask := uint32(len(d.slots) - 1)
	for code, seen := range d.sights {
		i := seen.hash & mask
		for d.slots[i] != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = uint32(code) + 1
	}
}

// Array wraps the values as an Arrow array. Later values do not change it.
func (d *Dict) Array() arrow.Array {
	data := array.NewData(arrow.BinaryTypes.String, d.Len(), []*memory.Buffer{
		nil,
		memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(d.offsets)),
		memory.NewBufferBytes(d.data),
	}, nil, 0, 0)
	defer data.Release()
	return array.NewStringData(data)
}

// AddrValues is the slice of values of an Addr array, without a copy.
func AddrValues(a arrow.Array) [][16]byte {
	d := a.Data()
	b := d.Buffers()[1].Bytes()[16*d.Offset():]
	return unsafe.Slice((*[16]byte)(unsafe.Pointer(unsafe.SliceData(b))), d.Len())
}

// TextCodes is the slice of dictionary codes of a Text array, without a copy, and the values they stand for.
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
		if c.words != nil {
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
			if c.words != nil {
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
	if c.blank > 0 {
		c.blank = len(rows)
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

// keep moves the given rows to the front of a slice that is used, in place.
func keep[T any](values []T, rows []int32) []T {
	if len(values) == 0 {
		return values
	}
	for i, row := range rows {
		values[i] = values[row]
	}
	return values[:len(rows)]
}

// Repeat makes the column n rows of one text. It must be a text column without rows.
func (c *Column) Repeat(s string, n int) {
	c.blank = 0
	for range n {
		c.Text(s)
	}
}

// Blank reports whether all rows are null, and none was appended on its own.
func (c *Column) Blank() bool { return c.blank > 0 }
