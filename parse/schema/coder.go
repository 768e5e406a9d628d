package schema

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// A Coder numbers the distinct values of one field: null is 0, the others follow in the order in which they
// come, or by their size. Grouping, counting distinct values and remembering lookups work on these codes. A
// Coder is for one goroutine.
type Coder interface {
	// Encode writes the codes of some rows of a column of the field to out, at the rows' index.
	Encode(col arrow.Array, rows []int32, out []uint32)
	// Len is one more than the largest code.
	Len() int
	// Value is what a code stands for: nil, int64, float64, string or netip.Addr.
	Value(code uint32) any
	// Absorb adds the values of another Coder of the same field, and returns the code here of each code
	// there.
	Absorb(other Coder) []uint32
	// Code is the code of a value such as Value returns, but nil. It is false for a value of another kind.
	Code(v any) (uint32, bool)
	// Gather appends the values of codes to a column of the field.
	Gather(codes []uint32, out *Column)
	// Size is about how many bytes the values take.
	Size() int64
}

// NewCoder returns a Coder for the field.
func NewCoder(f Field) Coder {
	switch f.Kind {
	case Addr:
		return newAddrCoder()
	case Text:
		return newTextCoder()
	case Int32:
		if 0 < f.Max && f.Max <= math.MaxUint16 {
			return &smallCoder{}
		}
	}
	return &wordCoder{kind: f.Kind, codes: NewPairs()}
}

// Validity says which rows of a column are null.
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

// smallCoder codes numbers from 0 to 65535 by themselves.
type smallCoder struct{ top int }

func (c *smallCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	values := col.(*array.Int32).Int32Values()
	valid := ValidityOf(col)
	top := uint32(c.top)
	for _, row := range rows {
		code := uint32(values[row]) + 1
		if valid.Null(row) {
			code = 0
		}
		out[row] = code
		top = max(top, code)
	}
	c.top = int(top)
}

func (c *smallCoder) Len() int { return c.top + 1 }

func (c *smallCoder) Value(code uint32) any {
	if code == 0 {
		return nil
	}
	return int64(code - 1)
}

func (c *smallCoder) Absorb(other Coder) []uint32 {
	o := other.(*smallCoder)
	c.top = max(c.top, o.top)
	same := make([]uint32, o.Len())
	for i := range same {
		same[i] = uint32(i)
	}
	return same
}

// wordCoder codes numbers by the 64 bits that hold them. Times, of which most columns have few hours, are found in a
// table by what they are, without a hash.
type wordCoder struct {
	kind  Kind
	codes *Pairs
	near  *[1 << 16]uint32 // codes of the words seen last, by their lower bits
	far   bool             // words are too many, or too often the same in their lower bits: there is no near
	words []uint64         // of a batch
	ids   []uint32
}

func (c *wordCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	switch a := col.(type) {
	case *array.Int32:
		encodeWords(c, a.Int32Values(), ValidityOf(col), rows, out)
	case *array.Int64:
		encodeWords(c, a.Int64Values(), ValidityOf(col), rows, out)
	case *array.Float64:
		// floating-point numbers are words as they are
		values := a.Float64Values()
		encodeWords(c, unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(values))), len(values)), ValidityOf(col), rows, out)
	}
}

func encodeWords[T int32 | int64 | uint64](c *wordCoder, values []T, valid Validity, rows []int32, out []uint32) {
	if !c.far {
		encodeNear(c, values, valid, rows, out)
		return
	}
	c.words = slices.Grow(c.words[:0], len(rows))[:len(rows)]
	c.ids = slices.Grow(c.ids[:0], len(rows))[:len(rows)]
	n := 0
	for _, row := range rows {
		if !valid.Null(row) {
			c.words[n] = uint64(values[row])
			n++
		}
	}
	c.codes.IDs(c.words[:n], c.ids)
	n = 0
	for _, row := range rows {
		out[row] = 0
		if !valid.Null(row) {
			out[row] = c.ids[n] + 1
			n++
		}
	}
}

// encodeNear is encodeWords by what is near.
func encodeNear[T int32 | int64 | uint64](c *wordCoder, values []T, valid Validity, rows []int32, out []uint32) {
	if c.near == nil {
		c.near = new([1 << 16]uint32)
	}
	near, words, again := c.near, c.codes.words, 0
	for _, row := range rows {
		if valid.Null(row) {
			out[row] = 0
			continue
		}
		word := uint64(values[row])
		code := near[uint16(word)]
		if code == 0 || words[code] != word {
			id, isNew := c.codes.ID(word)
			if !isNew {
				again++
			}
			code, words = id+1, c.codes.words
			near[uint16(word)] = code
		}
		out[row] = code
	}
	if 8*again > len(rows) || c.codes.Len() > len(near) {
		c.near, c.far = nil, true
	}
}

func (c *wordCoder) code(word uint64) uint32 {
	id, _ := c.codes.ID(word)
	return id + 1
}

func (c *wordCoder) word(code uint32) uint64 { return c.codes.Words()[code-1] }
func (c *wordCoder) Len() int                { return c.codes.Len() + 1 }

func (c *wordCoder) Value(code uint32) any {
	switch {
	case code == 0:
		return nil
	case c.kind == Float:
		return math.Float64frombits(c.word(code))
	}
	return int64(c.word(code))
}

func (c *wordCoder) Absorb(other Coder) []uint32 {
	o := other.(*wordCoder)
	codes := make([]uint32, o.Len())
	c.codes.IDs(o.codes.Words(), codes[1:])
	for i := 1; i < len(codes); i++ {
		codes[i]++
	}
	return codes
}

// addrCoder codes addresses. IPv4 has a table of its own, in which entries need not be compared with addrs: the cache
// misses are most of what grouping costs.
type addrCoder struct {
	addrs  [][16]byte // by code
	v4     []uint64   // hash table of address<<32 | code
	n4     int
	shift4 uint
	v6     []uint64 // as the slots of Pairs: the upper half of an address's hash, and its code
	shift6 uint
	words  [][16]byte // of the last column that came with a dictionary
	known  []uint32   // by the place in words: its code, or 0 if no row had it yet
	fresh  []int32    // rows whose address was not known, or not at the first place
	found  []uint64   // what the table has at the first place of each row's address
}

func newAddrCoder() *addrCoder {
	return &addrCoder{addrs: make([][16]byte, 1), v4: make([]uint64, 1<<10), shift4: 64 - 10, v6: make([]uint64, 1<<8), shift6: 64 - 8}
}

func (c *addrCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	valid := ValidityOf(col)
	if d, ok := col.(*array.Dictionary); ok {
		c.encodeCoded(AddrValues(d.Dictionary()), d.Indices().(*array.Int32).Int32Values(), valid, rows, out)
		return
	}
	values := AddrValues(col)
	// The places of the table are looked at on their own first, so that the processor waits for several at once.
	found := slices.Grow(c.found[:0], len(rows))[:len(rows)]
	table, shift := c.v4, c.shift4&63
	for i, row := range rows {
		found[i] = table[hash(uint64(binary.LittleEndian.Uint32(values[row][12:])))>>shift]
	}
	fresh := slices.Grow(c.fresh[:0], len(rows))[:len(rows)]
	c.found, c.fresh = found, fresh
	misses := 0
	for i, row := range rows {
		e := found[i]
		high, low := halves(&values[row])
		out[row] = uint32(e)
		fresh[misses] = row
		other := uint64(uint32(e)-1) >> 31 // 1 if the place is empty
		if valid.Null(row) {
			other = 1
		}
		if high|(low^(e>>32<<32|mapped))|other != 0 {
			misses++
		}
	}
	for _, row := range fresh[:misses] {
		out[row] = 0
		if !valid.Null(row) {
			out[row] = c.code(&values[row])
		}
	}
}

// mapped is the lower half of the second word of IPv4 addresses, whose first word is 0.
const mapped = 0xffff0000

func halves(a *[16]byte) (high, low uint64) {
	return binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:])
}

// encodeCoded is Encode for a column with a dictionary, which nobody changes and many batches share.
func (c *addrCoder) encodeCoded(words [][16]byte, codes []int32, valid Validity, rows []int32, out []uint32) {
	if len(words) != len(c.words) || unsafe.SliceData(words) != unsafe.SliceData(c.words) {
		c.words = words
		c.known = slices.Grow(c.known[:0], len(words))[:len(words)]
		clear(c.known)
	}
	c.fresh = slices.Grow(c.fresh[:0], len(rows))[:len(rows)]
	fresh := 0
	for _, row := range rows {
		if valid.Null(row) {
			out[row] = 0
			continue
		}
		code := c.known[codes[row]]
		out[row] = code
		c.fresh[fresh] = row
		if code == 0 {
			fresh++
		}
	}
	// on their own, so that the processor waits for several places of the table at once
	for _, row := range c.fresh[:fresh] {
		known := &c.known[codes[row]]
		if *known == 0 {
			*known = c.code(&c.words[codes[row]])
		}
		out[row] = *known
	}
}

func (c *addrCoder) code(a *[16]byte) uint32 {
	high, low := halves(a)
	if high != 0 || uint32(low) != mapped {
		return c.code6(a, tag(hash(high)^low))
	}
	key := low >> 32
	mask := uint64(len(c.v4) - 1)
	for i := hash(key) >> c.shift4; ; i = (i + 1) & mask {
		e := c.v4[i]
		if e>>32 == key && e != 0 {
			return uint32(e)
		}
		if e == 0 {
			code := c.add(a)
			c.v4[i] = key<<32 | uint64(code)
			if c.n4++; 3*c.n4 > 2*len(c.v4) {
				c.grow()
			}
			return code
		}
	}
}

func (c *addrCoder) code6(a *[16]byte, tag uint64) uint32 {
	mask := uint64(len(c.v6) - 1)
	for i := tag >> c.shift6; ; i = (i + 1) & mask {
		e := c.v6[i]
		if e>>32 == tag>>32 && c.addrs[uint32(e)] == *a {
			return uint32(e)
		}
		if e == 0 {
			code := c.add(a)
			c.v6[i] = tag>>32<<32 | uint64(code)
			if n6 := len(c.addrs) - 1 - c.n4; 3*n6 > 2*len(c.v6) {
				c.shift6--
				c.v6 = doubled(c.v6, 0, c.shift6)
			}
			return code
		}
	}
}

func (c *addrCoder) add(a *[16]byte) uint32 {
	if len(c.addrs) == cap(c.addrs) {
		c.addrs = Grown(c.addrs, len(c.addrs)+1)[:len(c.addrs)]
	}
	c.addrs = append(c.addrs, *a)
	return uint32(len(c.addrs) - 1)
}

func (c *addrCoder) grow() {
	old := c.v4
	c.v4 = Touched[uint64](2 * len(old))
	c.shift4--
	mask := uint64(len(c.v4) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		i := hash(e>>32) >> c.shift4
		for c.v4[i] != 0 {
			i = (i + 1) & mask
		}
		c.v4[i] = e
	}
}

func (c *addrCoder) Len() int { return len(c.addrs) }

func (c *addrCoder) Value(code uint32) any {
	if code == 0 {
		return nil
	}
	return netip.AddrFrom16(c.addrs[code]).Unmap()
}

func (c *addrCoder) Absorb(other Coder) []uint32 {
	o := other.(*addrCoder)
	codes := make([]uint32, o.Len())
	for i := 1; i < len(codes); i++ {
		codes[i] = c.code(&o.addrs[i])
	}
	return codes
}

// textCoder codes texts. It remembers what the codes of the last batch's dictionary are here: a worker's
// dictionary only grows, until it is started anew.
type textCoder struct {
	dict   *Dict
	offset []int32 // copy of the dictionary that known is about
	data   []byte
	known  []uint32
}

func newTextCoder() *textCoder { return &textCoder{dict: NewDict()} }

func (c *textCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	codes, words := TextCodes(col)
	c.learn(words)
	known, valid := c.known, ValidityOf(col)
	n := min(len(codes), len(out)) // of one length the two are checked once
	codes, out = codes[:n], out[:n]
	for _, row := range rows {
		if valid.Null(row) {
			out[row] = 0
			continue
		}
		out[row] = known[codes[row]]
	}
}

// learn brings known up to the dictionary of a batch.
func (c *textCoder) learn(words *array.String) {
	if words.Len() == 0 {
		return
	}
	offset, data := words.ValueOffset(0), words.ValueBytes()
	n := len(c.known)
	same := n <= words.Len() && words.ValueOffset(n)-offset == len(c.data) && string(data[:len(c.data)]) == string(c.data)
	for i := 0; same && i < n; i++ {
		same = int32(words.ValueOffset(i)-offset) == c.offset[i]
	}
	if !same {
		c.known, c.offset, c.data = c.known[:0], c.offset[:0], c.data[:0]
	}
	for i := len(c.known); i < words.Len(); i++ {
		word := data[words.ValueOffset(i)-offset : words.ValueOffset(i+1)-offset]
		c.known = append(c.known, uint32(c.dict.Code(word))+1)
		c.offset = append(c.offset, int32(len(c.data)))
		c.data = append(c.data, word...)
	}
}

func (c *textCoder) Len() int { return c.dict.Len() + 1 }

func (c *textCoder) Value(code uint32) any {
	if code == 0 {
		return nil
	}
	return string(c.dict.Value(int32(code - 1)))
}

func (c *textCoder) Absorb(other Coder) []uint32 {
	o := other.(*textCoder)
	codes := make([]uint32, o.Len())
	for i := 1; i < len(codes); i++ {
		codes[i] = uint32(c.dict.Code(o.dict.Value(int32(i-1)))) + 1
	}
	return codes
}
