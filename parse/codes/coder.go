package codes

import (
	"math"
	"slices"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// NewCoder returns a Coder for the field.
func NewCoder(f schema.Field) Coder {
	switch f.Kind {
	case schema.Addr:
		return newAddrCoder()
	case schema.Text:
		return newTextCoder()
	case schema.Int32:
		if 0 < f.Max && f.Max <= math.MaxUint16 {
			return &smallCoder{}
		}
	}
	return &wordCoder{kind: f.Kind, codes: NewPairs()}
}

// smallCoder encodes numbers from 0 to 65535: the code is the number plus 1, so no table is needed.
type smallCoder struct{ top int } // the largest code seen

func (c *smallCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	values := col.(*array.Int32).Int32Values()
	valid := schema.ValidityOf(col)
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

// wordCoder encodes numbers by their 64 bits. A direct-mapped cache on the lower 16 bits answers for columns with few
// distinct values, such as the times of a few hours, without hashing.
type wordCoder struct {
	kind     schema.Kind
	codes    *Pairs
	cache    *[1 << 16]uint32 // by the lower 16 bits of a word: the code of the last such word
	uncached bool             // the cache was dropped: see encodeCached
	words    []uint64         // scratch: non-null words of a batch
	ids      []uint32         // scratch: their ids
}

func (c *wordCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	switch a := col.(type) {
	case *array.Int32:
		encodeWords(c, a.Int32Values(), schema.ValidityOf(col), rows, out)
	case *array.Int64:
		encodeWords(c, a.Int64Values(), schema.ValidityOf(col), rows, out)
	case *array.Float64:
		// a float64 is encoded by its bit pattern
		values := a.Float64Values()
		encodeWords(c, unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(values))), len(values)), schema.ValidityOf(col), rows, out)
	}
}

func encodeWords[T int32 | int64 | uint64](c *wordCoder, values []T, valid schema.Validity, rows []int32, out []uint32) {
	if !c.uncached {
		encodeCached(c, values, valid, rows, out)
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

// maxConflicts is the share of a batch's rows, one in so many, that may evict a cached word and find it known in the
// hash table. Beyond it, a probe of the cache before the table costs more than it saves.
const maxConflicts = 8

// encodeCached is encodeWords through the cache. It drops the cache for good if words that it evicted come back too
// often, or if there are more distinct words than it has entries.
func encodeCached[T int32 | int64 | uint64](c *wordCoder, values []T, valid schema.Validity, rows []int32, out []uint32) {
	if c.cache == nil {
		c.cache = new([1 << 16]uint32)
	}
	cache, words, conflicts := c.cache, c.codes.words, 0
	for _, row := range rows {
		if valid.Null(row) {
			out[row] = 0
			continue
		}
		word := uint64(values[row])
		code := cache[uint16(word)]
		if code == 0 || words[code] != word {
			id, isNew := c.codes.ID(word)
			if !isNew {
				conflicts++
			}
			code, words = id+1, c.codes.words
			cache[uint16(word)] = code
		}
		out[row] = code
	}
	if maxConflicts*conflicts > len(rows) || c.codes.Len() > len(cache) {
		c.cache, c.uncached = nil, true
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
	case c.kind == schema.Float:
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

// textCoder encodes texts. It caches the mapping from the codes of the last batch's dictionary to its own: a worker's
// dictionary only grows until it is replaced, so the mapping is extended and seldom rebuilt.
type textCoder struct {
	dict   *schema.Dict
	offset []int32  // offsets of the batch dictionary that codes maps from
	data   []byte   // its bytes
	codes  []uint32 // by the batch dictionary's code: the code here
}

func newTextCoder() *textCoder { return &textCoder{dict: schema.NewDict()} }

func (c *textCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	codes, words := schema.TextCodes(col)
	c.extend(words)
	known, valid := c.codes, schema.ValidityOf(col)
	n := min(len(codes), len(out)) // equal lengths: the compiler checks bounds once
	codes, out = codes[:n], out[:n]
	for _, row := range rows {
		if valid.Null(row) {
			out[row] = 0
			continue
		}
		out[row] = known[codes[row]]
	}
}

// extend maps the dictionary of a batch. It keeps what codes has if the dictionary begins with the one mapped before.
func (c *textCoder) extend(words *array.String) {
	if words.Len() == 0 {
		return
	}
	offset, data := words.ValueOffset(0), words.ValueBytes()
	n := len(c.codes)
	same := n <= words.Len() && words.ValueOffset(n)-offset == len(c.data) && string(data[:len(c.data)]) == string(c.data)
	for i := 0; same && i < n; i++ {
		same = int32(words.ValueOffset(i)-offset) == c.offset[i]
	}
	if !same {
		c.codes, c.offset, c.data = c.codes[:0], c.offset[:0], c.data[:0]
	}
	for i := len(c.codes); i < words.Len(); i++ {
		word := data[words.ValueOffset(i)-offset : words.ValueOffset(i+1)-offset]
		c.codes = append(c.codes, uint32(c.dict.Code(word))+1)
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
