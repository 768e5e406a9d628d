package function

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
)

// ErrPartial is the error for bytes that no state can have written.
var ErrPartial = errors.New("not a partial result, or a damaged one")

// Hashes are those of values, by code. They are the same in every run.
type Hashes []uint64

func (h *Hashes) Of(code uint32, coder Values) uint64 {
	for c := len(*h); c <= int(code); c++ {
		*h = append(*h, hashValue(coder.Value(uint32(c))))
	}
	return (*h)[code]
}

// hashValue hashes a value of a Coder.
func hashValue(v any) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	eat := func(b []byte) {
		for _, c := range b {
			h = (h ^ uint64(c)) * 1099511628211
		}
	}
	switch v := v.(type) {
	case int64:
		eat(binary.LittleEndian.AppendUint64(nil, uint64(v)))
	case float64:
		eat(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	case string:
		eat([]byte(v))
	case netip.Addr:
		a := v.As16()
		eat(a[:])
	case [2]any:
		eat(binary.LittleEndian.AppendUint64(nil, hashValue(v[0])))
		eat(binary.LittleEndian.AppendUint64(nil, hashValue(v[1])))
	}
	// its high bits, which are used most, are its weakest: mix them
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Values is what codes stand for.
type Values interface {
	Len() int // one more than the largest code
	Value(code uint32) any
	Code(v any) (uint32, bool)
}

// The kinds of value that appendValue writes.
const (
	intValue = iota
	floatValue
	textValue
	addrValue
	pairValue
)

// appendValue writes a value of a Coder.
func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return binary.AppendVarint(append(dst, intValue), v)
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, floatValue), math.Float64bits(v))
	case string:
		return append(binary.AppendUvarint(append(dst, textValue), uint64(len(v))), v...)
	case netip.Addr:
		a := v.As16()
		return append(append(dst, addrValue), a[:]...)
	case [2]any:
		return appendValue(appendValue(append(dst, pairValue), v[0]), v[1])
	}
	panic(fmt.Sprintf("a value of type %T", v))
}

func loadValue(src []byte) (v any, rest []byte, err error) {
	if len(src) == 0 {
		return nil, src, ErrPartial
	}
	kind, src := src[0], src[1:]
	switch kind {
	case intValue:
		return varint2(varint(src))
	case floatValue:
		if len(src) < 8 {
			return nil, src, ErrPartial
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(src)), src[8:], nil
	case textValue:
		n, src, err := uvarint(src)
		if err != nil || n > uint64(len(src)) {
			return nil, src, ErrPartial
		}
		return string(src[:n]), src[n:], nil
	case addrValue:
		if len(src) < 16 {
			return nil, src, ErrPartial
		}
		return netip.AddrFrom16([16]byte(src)).Unmap(), src[16:], nil
	case pairValue:
		var pair [2]any
		for i := range pair {
			if len(src) > 0 && src[0] == pairValue {
				return nil, src, ErrPartial
			}
			if pair[i], src, err = loadValue(src); err != nil {
				return nil, src, err
			}
		}
		return pair, src, nil
	}
	return nil, src, ErrPartial
}

func varint2(v int64, rest []byte, err error) (any, []byte, error) { return v, rest, err }

func uvarint(src []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(src)
	if n <= 0 {
		return 0, src, ErrPartial
	}
	return v, src[n:], nil
}

func varint(src []byte) (int64, []byte, error) {
	v, n := binary.Varint(src)
	if n <= 0 {
		return 0, src, ErrPartial
	}
	return v, src[n:], nil
}
