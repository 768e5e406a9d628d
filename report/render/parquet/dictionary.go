package parquet

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// A dictionary numbers the distinct values of one column of a row group in order of appearance. Only one goroutine may
// add values; others may read those that existed when they got their reader.
type dictionary interface {
	// len is the number of values.
	len() int32
	// reader returns a view of the values so far.
	reader() dictReader
}

// A dictReader is a dictionary at one moment.
type dictReader interface {
	// appendPlain appends a value in Parquet's encoding PLAIN.
	appendPlain(dst []byte, code int32) []byte
	// appendStat appends a value as column statistics have it.
	appendStat(dst []byte, code int32) []byte
}

// smallInts is the range of whole numbers that get a dictionary: protocols, flags, versions. A column with a larger one
// has values like ports, which delta encoding stores in less space.
const smallInts = 1024

// An intDict is the dictionary of a column of small whole numbers.
type intDict struct {
	codes  [smallInts]int16 // by value: its code + 1
	values []int32
	over   bool // a value was not small: the rest of the row group has no dictionary
}

// code returns the code of a value, or -1 from the first value that is not small.
func (d *intDict) code(v int32) int32 {
	if uint32(v) >= smallInts || d.over {
		d.over = true
		return -1
	}
	if d.codes[v] == 0 {
		d.values = append(d.values, v)
		d.codes[v] = int16(len(d.values))
	}
	return int32(d.codes[v]) - 1
}

func (d *intDict) len() int32         { return int32(len(d.values)) }
func (d *intDict) reader() dictReader { return intValues(d.values) }

type intValues []int32

func (v intValues) appendPlain(dst []byte, code int32) []byte {
	return binary.LittleEndian.AppendUint32(dst, uint32(v[code]))
}
func (v intValues) appendStat(dst []byte, code int32) []byte { return v.appendPlain(dst, code) }

// An addrDict is the dictionary of a column of addresses, which Parquet holds as text.
type addrDict struct {
	keys   [][16]byte
	slots  []uint32 // hash table of codes + 1
	recent [1024]int32
	seed   [2]uint64 // random, so that nobody can choose addresses that collide
}

func newAddrDict() *addrDict {
	return &addrDict{slots: make([]uint32, 1<<12), seed: [2]uint64{rand.Uint64(), rand.Uint64()}}
}

func (d *addrDict) hash(a *[16]byte) uint64 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(a[:8])^d.seed[0], binary.LittleEndian.Uint64(a[8:])^d.seed[1])
	return hi ^ lo
}

// code returns the code of an address.
func (d *addrDict) code(a *[16]byte) int32 {
	h := d.hash(a)
	// a few addresses make most of the traffic: a small cache finds these without a cache miss of the processor
	recent := &d.recent[h>>32%uint64(len(d.recent))]
	if code := *recent - 1; code >= 0 && d.keys[code] == *a {
		return code
	}
	mask := uint64(len(d.slots) - 1)
	i := h & mask
	for ; d.slots[i] != 0; i = (i + 1) & mask {
		if code := int32(d.slots[i] - 1); d.keys[code] == *a {
			*recent = code + 1
			return code
		}
	}
	d.keys = append(d.keys, *a)
	code := int32(len(d.keys) - 1)
	d.slots[i] = uint32(code) + 1
	*recent = code + 1
	if 2*len(d.keys) > len(d.slots) {
		d.grow()
	}
	return code
}

func (d *addrDict) grow() {
	d.slots = make([]uint32, 2*len(d.slots))
	mask := uint64(len(d.slots) - 1)
	for code := range d.keys {
		i := d.hash(&d.keys[code]) & mask
		for d.slots[i] != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = uint32(code) + 1
	}
}

func (d *addrDict) len() int32         { return int32(len(d.keys)) }
func (d *addrDict) reader() dictReader { return addrValues(d.keys) }

type addrValues [][16]byte

func (v addrValues) appendPlain(dst []byte, code int32) []byte {
	at := len(dst)
	dst = cells.AppendAddr(append(dst, 0, 0, 0, 0), &v[code])
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
func (v addrValues) appendStat(dst []byte, code int32) []byte { return cells.AppendAddr(dst, &v[code]) }

// A textDict is the dictionary of a column of texts.
type textDict struct {
	*schema.Dict
	bytes int // of all texts
}

func newTextDict() *textDict { return &textDict{Dict: schema.NewDict()} }

// code returns the code of a text. Bytes that are not UTF-8, which only a foreign input can have, are replaced: readers
// of Parquet assume that a string is UTF-8.
func (d *textDict) code(s []byte) int32 {
	known := d.Len()
	code := d.Code(s)
	if code < 0 {
		s = []byte(cells.ToUTF8(string(s)))
		code = d.Code(s)
	}
	if d.Len() > known {
		d.bytes += len(s)
	}
	return code
}

func (d *textDict) len() int32 { return int32(d.Len()) }

// size estimates the memory of the dictionary.
func (d *textDict) size() int { return d.bytes + 16*d.Len() }

func (d *textDict) reader() dictReader { return textValues{d.Array().(*array.String)} }

type textValues struct{ *array.String }

func (v textValues) appendPlain(dst []byte, code int32) []byte {
	s := v.Value(int(code))
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(s))), s...)
}
func (v textValues) appendStat(dst []byte, code int32) []byte {
	return append(dst, v.Value(int(code))...)
}
