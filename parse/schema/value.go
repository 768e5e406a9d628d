package schema

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
	"unsafe"
)

// A Fault says why a token is not a value of its field.
type Fault uint8

const (
	Valid Fault = iota
	NotNumber
	Overflow
	OutOfRange
	NotAddress
	NotText
	WrongCount // of tokens on a line
	TooLong
	NotJSON
	NotCSV
	NotRecord
	Faults // the number of faults
)

var faults = [Faults]string{
	Valid:      "valid",
	NotNumber:  "not a whole number",
	Overflow:   "too large for a 64-bit integer",
	OutOfRange: "out of range",
	NotAddress: "not an IP address",
	NotText:    "not UTF-8 text",
	WrongCount: "wrong number of fields",
	TooLong:    "line too long",
	NotJSON:    "not valid JSON",
	NotCSV:     "not valid CSV",
	NotRecord:  "not a flow log record",
}

func (f Fault) String() string { return faults[f] }

// ParseInt reads a whole number from 0 to 2^63-1: digits, or as JSON may write it, 300.0 or 3e2.
func ParseInt(tok []byte) (int64, Fault) {
	n := len(tok)
	if n == 0 || n > 19 {
		return parseLongInt(tok)
	}
	if n <= 8 {
		v, ok := eightDigits(tok)
		if !ok {
			return parseReal(tok)
		}
		return int64(v), Valid
	}
	if n <= 16 {
		hi, ok1 := eightDigits(tok[:n-8])
		lo, ok2 := eightDigits(tok[n-8:])
		if !ok1 || !ok2 {
			return parseReal(tok)
		}
		return int64(hi*1e8 + lo), Valid
	}
	return parseLongInt(tok)
}

// eightDigits reads up to eight digits at once (SWAR): it shifts them to the high end of a word filled with ASCII zeros,
// then combines neighbours pairwise.
func eightDigits(tok []byte) (uint64, bool) {
	var w uint64
	switch n := len(tok); {
	case n == 8:
		w = binary.LittleEndian.Uint64(tok)
	case n >= 4:
		a, b := uint64(binary.LittleEndian.Uint32(tok)), uint64(binary.LittleEndian.Uint32(tok[n-4:]))
		// b overlaps a; as the high half of the word it overwrites what both hold
		w = a<<(64-8*uint(n)) | b<<32
	default:
		for i := range n {
			w |= uint64(tok[i]) << (64 - 8*uint(n-i))
		}
	}
	if n := len(tok); n < 8 {
		w |= 0x3030303030303030 >> (8 * uint(n))
	}
	if (w&0xf0f0f0f0f0f0f0f0)|((w+0x0606060606060606)&0xf0f0f0f0f0f0f0f0)>>4 != 0x3333333333333333 {
		return 0, false
	}
	w &= 0x0f0f0f0f0f0f0f0f
	w = (w*10 + w>>8) & 0x00ff00ff00ff00ff
	w = (w*100 + w>>16) & 0x0000ffff0000ffff
	return (w*10000 + w>>32) & 0xffffffff, true
}

func parseLongInt(tok []byte) (int64, Fault) {
	if len(tok) == 0 {
		return 0, NotNumber
	}
	var v uint64
	over := false
	for _, c := range tok {
		if c < '0' || c > '9' {
			return parseReal(tok)
		}
		hi, lo := bits.Mul64(v, 10)
		sum, carry := bits.Add64(lo, uint64(c-'0'), 0)
		v = sum
		over = over || hi != 0 || carry != 0 || v > math.MaxInt64
	}
	if over {
		return 0, Overflow
	}
	return int64(v), Valid
}

// parseReal reads a whole number in floating-point notation: with a point, an exponent or both. It is exact. A number
// below zero is out of range.
func parseReal(tok []byte) (int64, Fault) {
	if len(tok) > 1 && tok[0] == '-' && tok[1] != '-' {
		v, fault := ParseInt(tok[1:])
		if fault == Valid && v > 0 {
			fault = OutOfRange
		}
		return 0, fault
	}
	mantissa, exponent := tok, 0
	if i := bytes.IndexAny(tok, "eE"); i > 0 {
		e, err := strconv.Atoi(string(tok[i+1:]))
		if err != nil || len(bytes.TrimLeft(tok[i+1:], "+-")) > 2 {
			return 0, NotNumber
		}
		mantissa, exponent = tok[:i], e
	}
	front, back, point := bytes.Cut(mantissa, []byte("."))
	if len(front) == 0 || point == (len(back) == 0) || !point && len(mantissa) == len(tok) || len(mantissa) > longestReal {
		return 0, NotNumber
	}
	digits := append(bytes.Clone(front), back...)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, NotNumber
		}
	}
	shift := exponent - len(back)
	for ; shift < 0 && len(digits) > 0; shift++ {
		if digits[len(digits)-1] != '0' {
			return 0, NotNumber
		}
		digits = digits[:len(digits)-1]
	}
	digits = bytes.TrimLeft(digits, "0")
	if len(digits) == 0 {
		return 0, Valid
	}
	return parseLongInt(append(digits, strings.Repeat("0", shift)...))
}

// longestReal bounds the length of numbers in floating-point notation, so that a hostile one costs little. A 64-bit
// number has 19 digits; the rest is room for zeros.
const longestReal = 64

// ParseAddr reads an IPv4 or IPv6 address; IPv4 comes back in its IPv6-mapped form.
func ParseAddr(tok []byte) (addr [16]byte, ok bool) {
	var v, octet uint32
	dots, digits := 0, 0
	for _, c := range tok {
		d := uint32(c) - '0'
		switch {
		case d <= 9 && (digits == 0 || octet != 0) && digits < 3: // netip refuses leading zeros: some read them as octal
			octet = octet*10 + d
			digits++
		case c == '.' && digits > 0 && octet <= 255 && dots < 3:
			v = v<<8 | octet
			dots++
			octet, digits = 0, 0
		default:
			return parseAddr6(tok)
		}
	}
	if dots != 3 || digits == 0 || octet > 255 {
		return parseAddr6(tok)
	}
	addr[10], addr[11] = 0xff, 0xff
	binary.BigEndian.PutUint32(addr[12:], v<<8|octet)
	return addr, true
}

func parseAddr6(tok []byte) ([16]byte, bool) {
	if addr, ok := hexAddr(tok); ok {
		return addr, true
	}
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(tok), len(tok)))
	if err != nil || a.Zone() != "" {
		return [16]byte{}, false
	}
	return a.As16(), true
}

// hexAddr reads an IPv6 address written as groups of hexadecimal digits alone; it fails on any other. It finds all colons
// at once, as bits of a word, and reads each group from the bytes before its colon.
func hexAddr(tok []byte) (addr [16]byte, ok bool) {
	n := len(tok)
	if n < 2 || n > 39 {
		return addr, false
	}
	var text [4 + 40]byte // 4 bytes in front, so that the first group can be read like the others
	copy(text[4:], tok)
	colons := colonsOf(text[4:12]) | colonsOf(text[12:20])<<8 | colonsOf(text[20:28])<<16 |
		colonsOf(text[28:36])<<24 | colonsOf(text[36:44])<<32
	gap := colons & (colons << 1) // the second colon of each ::
	if gap&(gap-1) != 0 || colons&1 > gap>>1&1 {
		return addr, false
	}
	start := int(colons & 1) // of two colons in front the first one ends no group, as does the second of two at the end
	colons &^= 1
	switch last := uint64(1) << (n - 1); {
	case colons&last == 0:
		colons |= last << 1
	case gap != last:
		return addr, false
	}
	groups := bits.OnesCount64(colons)
	if groups > 8 {
		return addr, false
	}
	at := 0
	var bad uint32
	for ; colons != 0; colons &= colons - 1 {
		end := bits.TrailingZeros64(colons)
		n := uint(end - start)
		start = end + 1
		if n == 0 {
			at += 9 - groups // :: stands for as many zero groups as make eight
			continue
		}
		if n > 4 {
			return addr, false
		}
		w := binary.LittleEndian.Uint32(text[end:])
		w = w>>(32-8*n)<<(32-8*n) | 0x30303030>>(8*n)
		v := hexDigits[w&0xff]<<12 | hexDigits[w>>8&0xff]<<8 | hexDigits[w>>16&0xff]<<4 | hexDigits[w>>24]
		binary.BigEndian.PutUint16(addr[2*at&15:], uint16(v))
		bad |= v
		at++
	}
	return addr, at == 8 && bad>>16 == 0
}

// colonsOf returns a bit per byte of eight, set where it is a colon.
func colonsOf(p []byte) uint64 {
	const low, high = 0x0101010101010101, 0x8080808080808080
	word := binary.LittleEndian.Uint64(p) ^ ':'*low
	return ^((word&^high + ^uint64(high)) | word) & high * 0x0002040810204081 >> 56
}

// hexDigits maps each byte to its hexadecimal value; a byte that is no digit sets bit 16, which no group of four digits
// can.
var hexDigits = func() (table [256]uint32) {
	for c := range table {
		v, err := strconv.ParseUint(string([]byte{byte(c)}), 16, 4)
		if table[c] = uint32(v); err != nil {
			table[c] = 1 << 16
		}
	}
	return table
}()
