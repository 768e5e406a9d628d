package schema

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
	"math/rand/v2"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// A Dict is the dictionary of a text column: it numbers distinct values in order of appearance.
type Dict struct {
	offsets      []int32
	data         []byte
	slots        []uint32      // hash table of codes+1, at most a quarter full, so that probes seldom collide
	fingerprints []fingerprint // by code
	seed         maphash.Seed

	spelling  func(string) string // normalizes a value's spelling, see Field.Spelled; nil if values need none
	spellings map[string]int32    // codes of the other spellings seen
}

// A fingerprint is the length of a value and up to 24 of its bytes, compared before the value itself. For 8 to 24 bytes
// the words are the first, middle and last eight; a shorter value is in the last word alone. So up to 24 bytes the
// fingerprint identifies a value.
type fingerprint struct {
	first, middle, last uint64
	hash                uint32
	len                 int32
}

// fingerprintBytes is the longest value that its fingerprint identifies: three words.
const fingerprintBytes = 24

// The sizes beyond which a dictionary is replaced by an empty one. Every batch carries its dictionary, and consumers
// map each of its values once, so a larger one costs more than the values that recur save.
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

// Large reports whether the dictionary should be replaced by an empty one.
func (d *Dict) Large() bool {
	return d.Len()+len(d.spellings) > largeDict || len(d.data) > largeDictBytes
}

// Value returns the value with the given code. It is valid as long as the dictionary.
func (d *Dict) Value(code int32) []byte { return d.data[d.offsets[code]:d.offsets[code+1]] }

// Code returns the code of a value in its normalized spelling (see Field.Spelled), and adds it if it is new. It is -1
// if the value is not UTF-8, or the dictionary would exceed 2 GB.
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
	if n <= fingerprintBytes {
		h = uint32(Hash(Hash(Hash(first)^middle)^last) + uint64(n))
	} else {
		h = uint32(maphash.Bytes(d.seed, s))
	}
	mask := uint32(len(d.slots) - 1)
	i := h & mask
	for ; d.slots[i] != 0; i = (i + 1) & mask {
		code := int32(d.slots[i] - 1)
		seen := &d.fingerprints[code]
		if (seen.first^first)|(seen.middle^middle)|(seen.last^last) == 0 && int(seen.len) == n &&
			(n <= fingerprintBytes || string(d.Value(code)) == string(s)) {
			return code
		}
	}
	if !utf8.Valid(s) || len(d.data)+n > math.MaxInt32 {
		return -1
	}
	if d.spelling != nil {
		if code, ok := d.spellings[string(s)]; ok {
			return code
		}
		if own := d.spelling(string(s)); own != string(s) {
			if d.spellings == nil {
				d.spellings = make(map[string]int32)
			}
			code := d.Code([]byte(own))
			d.spellings[string(s)] = code
			return code
		}
	}
	d.data = append(d.data, s...)
	d.offsets = append(d.offsets, int32(len(d.data)))
	d.fingerprints = append(d.fingerprints, fingerprint{first, middle, last, h, int32(n)})
	d.slots[i] = uint32(d.Len())
	if 4*d.Len() > len(d.slots) {
		d.grow()
	}
	return int32(d.Len() - 1)
}

func (d *Dict) grow() {
	d.slots = make([]uint32, 2*len(d.slots))
	mask := uint32(len(d.slots) - 1)
	for code, seen := range d.fingerprints {
		i := seen.hash & mask
		for d.slots[i] != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = uint32(code) + 1
	}
}

// Array wraps the values as an Arrow array. Values added later do not change it.
func (d *Dict) Array() arrow.Array {
	data := array.NewData(arrow.BinaryTypes.String, d.Len(), []*memory.Buffer{
		nil,
		memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(d.offsets)),
		memory.NewBufferBytes(d.data),
	}, nil, 0, 0)
	defer data.Release()
	return array.NewStringData(data)
}

// Size returns the approximate bytes in memory.
func (d *Dict) Size() int64 { return 2*int64(cap(d.data)) + 16*int64(cap(d.offsets)) }

// Random seeds keep a sender of packets from choosing addresses that collide.
var seed1, seed2 = rand.Uint64(), rand.Uint64() | 1

// Hash mixes the bits of a word; equal words have equal hashes within one process only. There are three hash functions,
// since none serves all: Hash takes a word in two instructions; maphash, which Dict takes for long texts, is faster on
// those; the distinct counts of reports need one without a random seed, since they are merged across machines.
func Hash(w uint64) uint64 {
	high, low := bits.Mul64(w^seed1, seed2)
	return high ^ low
}
