package codes

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// addrCoder encodes addresses. IPv4 has a hash table of its own whose entries hold the whole address, so a hit needs no
// second memory access: cache misses dominate the cost of grouping.
type addrCoder struct {
	addrs     [][16]byte // by code
	v4        []uint64   // hash table of address<<32 | code
	count4    int
	shift4    uint
	v6        []uint64 // hash table of hash>>32<<32 | code, as the slots of Pairs
	shift6    uint
	dict      [][16]byte // the dictionary of the last dictionary-encoded column
	dictCodes []uint32   // by index in dict: the code here, 0 if not yet looked up
	misses    []int32    // scratch: rows whose address is new or not in its first slot
	entries   []uint64   // scratch: the first slot of each row's address
}

func newAddrCoder() *addrCoder {
	return &addrCoder{addrs: make([][16]byte, 1), v4: make([]uint64, 1<<10), shift4: 64 - 10, v6: make([]uint64, 1<<8), shift6: 64 - 8}
}

func (c *addrCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	valid := schema.ValidityOf(col)
	if d, ok := col.(*array.Dictionary); ok {
		c.encodeDict(schema.AddrValues(d.Dictionary()), d.Indices().(*array.Int32).Int32Values(), valid, rows, out)
		return
	}
	values := schema.AddrValues(col)
	// A first loop only loads the slots, so that the processor overlaps the cache misses.
	entries := slices.Grow(c.entries[:0], len(rows))[:len(rows)]
	table, shift := c.v4, c.shift4&63
	for i, row := range rows {
		entries[i] = table[schema.Hash(uint64(binary.LittleEndian.Uint32(values[row][12:])))>>shift]
	}
	missRows := slices.Grow(c.misses[:0], len(rows))[:len(rows)]
	c.entries, c.misses = entries, missRows
	missed := 0
	for i, row := range rows {
		e := entries[i]
		high, low := halves(&values[row])
		out[row] = uint32(e)
		missRows[missed] = row
		other := uint64(uint32(e)-1) >> 31 // 1 if the slot is empty
		if valid.Null(row) {
			other = 1
		}
		if high|(low^(e>>32<<32|Mapped))|other != 0 {
			missed++
		}
	}
	for _, row := range missRows[:missed] {
		out[row] = 0
		if !valid.Null(row) {
			out[row] = c.code(&values[row])
		}
	}
}

// Mapped is the lower half of the second word of an IPv4-mapped address (::ffff:a.b.c.d) read as two little-endian
// words; the first word is 0.
const Mapped = 0xffff0000

func halves(a *[16]byte) (high, low uint64) {
	return binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:])
}

// encodeDict is Encode for a dictionary-encoded column. The dictionary is immutable and shared by many batches, so
// its identity is that of its memory.
func (c *addrCoder) encodeDict(dict [][16]byte, codes []int32, valid schema.Validity, rows []int32, out []uint32) {
	if len(dict) != len(c.dict) || unsafe.SliceData(dict) != unsafe.SliceData(c.dict) {
		c.dict = dict
		c.dictCodes = slices.Grow(c.dictCodes[:0], len(dict))[:len(dict)]
		clear(c.dictCodes)
	}
	c.misses = slices.Grow(c.misses[:0], len(rows))[:len(rows)]
	missed := 0
	for _, row := range rows {
		if valid.Null(row) {
			out[row] = 0
			continue
		}
		code := c.dictCodes[codes[row]]
		out[row] = code
		c.misses[missed] = row
		if code == 0 {
			missed++
		}
	}
	// in a loop of its own, so that the processor overlaps the cache misses
	for _, row := range c.misses[:missed] {
		code := &c.dictCodes[codes[row]]
		if *code == 0 {
			*code = c.code(&c.dict[codes[row]])
		}
		out[row] = *code
	}
}

func (c *addrCoder) code(a *[16]byte) uint32 {
	high, low := halves(a)
	if high != 0 || uint32(low) != Mapped {
		return c.code6(a, tag(schema.Hash(high)^low))
	}
	key := low >> 32
	mask := uint64(len(c.v4) - 1)
	for i := schema.Hash(key) >> c.shift4; ; i = (i + 1) & mask {
		e := c.v4[i]
		if e>>32 == key && e != 0 {
			return uint32(e)
		}
		if e == 0 {
			code := c.add(a)
			c.v4[i] = key<<32 | uint64(code)
			if c.count4++; 3*c.count4 > 2*len(c.v4) {
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
			if n6 := len(c.addrs) - 1 - c.count4; 3*n6 > 2*len(c.v6) {
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
		i := schema.Hash(e>>32) >> c.shift4
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
