package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"

	"flowlog/parse/schema"
)

// regular decodes a block in which every line has the tokens of its layout, one blank between them, and
// every value is valid. It works column by column, on the positions of all separators, which makes each
// loop short. It reports false, and leaves the columns in disorder, if the block is not like that.
func (w *worker) regular(data []byte, l *layout) bool {
	n := len(l.names)
	var ok, ascii bool
	if w.seps, ascii, ok = separators(data, w.seps[:0]); !ok || (len(w.seps)-1)%n != 0 {
		return false
	}
	rows := (len(w.seps) - 1) / n
	if rows == 0 || bytes.Count(data, []byte("\n")) != rows {
		return false
	}
	for r := 1; r <= rows; r++ {
		if data[w.seps[r*n]] != '\n' {
			return false
		}
	}
	bound := w.bind(l)
	checked := len(bound.checks) > 0
	for k, c := range bound.cols {
		if c == nil {
			continue
		}
		c.Fill()
		seps := w.seps[k:]
		switch {
		case c.Kind == schema.Int32:
			ok = regularInt32(c, data, seps, rows, n)
		case c.Kind == schema.Int64:
			ok = regularInt64(c, data, seps, rows, n, false)
		case c.Kind == schema.Time:
			ok = regularInt64(c, data, seps, rows, n, true)
		case c.Kind == schema.Addr:
			ok = regularAddr(c, data, seps, rows, n)
		case c.Kind == schema.Text && !c.Escaped:
			ok = regularText(c, data, seps, rows, n)
		default:
			for r := 0; r < rows && ok; r++ {
				ok = c.ParseEscaped(data[seps[r*n]+1:seps[r*n+1]]) == schema.Valid
			}
		}
		if !ok {
			return false
		}
		// A header in mid-file is told apart from a record by a column that takes no names.
		checked = checked || c.Kind != schema.Text || c == w.status && w.statuses(rows).Other == 0
	}
	w.rows = rows
	return checked && bound.valid(data, w.seps, rows, ascii)
}

// The loops of regularInt32, regularInt64, regularAddr and regularText read one token of each row: it lies between
// seps[r*n] and seps[r*n+1].

func regularInt32(c *schema.Column, data []byte, seps []int32, rows, n int) bool {
	base := len(c.Int32)
	c.Int32 = slices.Grow(c.Int32, rows)[:base+rows]
	out := c.Int32[base:]
	for r := 0; r < rows; r++ {
		if r += int32s(data, seps[r*n:], n, c.Max, out[r:]); r == rows {
			break
		}
		s, e := int(seps[r*n])+1, int(seps[r*n+1])
		v, ok := shortInt(data, s, e)
		if !ok {
			if c.IsNull(data[s:e]) {
				c.Nulls = append(c.Nulls, int32(base+r))
				out[r] = 0
				continue
			}
			long, fault := schema.ParseInt(data[s:e])
			if fault != schema.Valid {
				return false
			}
			v = uint64(long)
		}
		if v > uint64(c.Max) {
			return false
		}
		out[r] = int32(v)
	}
	return true
}

func regularInt64(c *schema.Column, data []byte, seps []int32, rows, n int, time bool) bool {
	base := len(c.Int64)
	c.Int64 = slices.Grow(c.Int64, rows)[:base+rows]
	out := c.Int64[base:]
	most := 16
	if time {
		most = 10 // more are milliseconds
	}
	for r := 0; r < rows; r++ {
		if r += int64s(data, seps[r*n:], n, most, out[r:]); r == rows {
			break
		}
		s, e := int(seps[r*n])+1, int(seps[r*n+1])
		v, ok := shortInt(data, s, e)
		if !ok {
			if c.IsNull(data[s:e]) {
				c.Nulls = append(c.Nulls, int32(base+r))
				out[r] = 0
				continue
			}
			parse := schema.ParseInt
			if time {
				parse = schema.ParseTime
			}
			long, fault := parse(data[s:e])
			if fault != schema.Valid {
				return false
			}
			v = uint64(long)
		}
		out[r] = int64(v)
	}
	return true
}

// shortInt reads a number of 1 to 10 digits that ends before data[e]. It fails on longer ones, on
// other bytes, and near the start of data.
func shortInt(data []byte, s, e int) (uint64, bool) {
	n := uint(e - s)
	if n-1 >= 10 || e < 10 {
		return 0, false
	}
	w := binary.LittleEndian.Uint64(data[e-8:])
	var upper uint64
	if n > 8 {
		a, b := uint64(data[e-9]-'0'), uint64(0)
		if n == 10 {
			b = uint64(data[e-10] - '0')
		}
		if a > 9 || b > 9 {
			return 0, false
		}
		upper = (a + 10*b) * 1e8
	} else {
		w = w>>(64-8*n)<<(64-8*n) | 0x3030303030303030>>(8*n)
	}
	if (w&0xf0f0f0f0f0f0f0f0)|((w+0x0606060606060606)&0xf0f0f0f0f0f0f0f0)>>4 != 0x3333333333333333 {
		return 0, false
	}
	w &= 0x0f0f0f0f0f0f0f0f
	w = (w*10 + w>>8) & 0x00ff00ff00ff00ff
	w = (w*100 + w>>16) & 0x0000ffff0000ffff
	return upper + (w*10000+w>>32)&0xffffffff, true
}

func regularAddr(c *schema.Column, data []byte, seps []int32, rows, n int) bool {
	base := len(c.Addr)
	c.Addr = slices.Grow(c.Addr, rows)[:base+rows]
	out := c.Addr[base:]
	for r := 0; r < rows; r++ {
		if r += ipv4s(data, seps[r*n:], n, out[r:]); r == rows {
			break
		}
		s, e := int(seps[r*n])+1, int(seps[r*n+1])
		v, ok := shortAddr(data, s, e)
		if ok {
			out[r] = v
			continue
		}
		if v, ok = schema.ParseAddr(data[s:e]); !ok {
			if !c.IsNull(data[s:e]) {
				return false
			}
			c.Nulls = append(c.Nulls, int32(base+r))
		}
		out[r] = v
	}
	return true
}

// shortAddr reads an IPv4 address that ends before data[e]. It fails on everything else, and near the ends of
// data. The dots are found all at once, and each octet is read from the bytes before its dot.
func shortAddr(data []byte, s, e int) (addr [16]byte, ok bool) {
	n := uint(e - s)
	if n-7 > 15-7 || s < 4 || s+16 > len(data) {
		return addr, false
	}
	p := data[s-4 : s+16 : s+16]
	dots := dotsOf(p[4:12]) | dotsOf(p[12:20])<<8
	dots &= 1<<n - 1
	one := uint(bits.TrailingZeros64(dots))
	dots &= dots - 1
	two := uint(bits.TrailingZeros64(dots))
	dots &= dots - 1
	three := uint(bits.TrailingZeros64(dots))
	if dots == 0 || dots&(dots-1) != 0 {
		return addr, false
	}
	a, bad1 := octet(binary.LittleEndian.Uint32(p[one&15:]), one)
	b, bad2 := octet(binary.LittleEndian.Uint32(p[two&15:]), two-one-1)
	c, bad3 := octet(binary.LittleEndian.Uint32(p[three&15:]), three-two-1)
	d, bad4 := octet(binary.LittleEndian.Uint32(p[n:]), n-three-1)
	if bad1|bad2|bad3|bad4 != 0 {
		return addr, false
	}
	addr[10], addr[11] = 0xff, 0xff
	addr[12], addr[13], addr[14], addr[15] = byte(a), byte(b), byte(c), byte(d)
	return addr, true
}

// dotsOf has a bit for each of eight bytes, set where it is a dot.
func dotsOf(p []byte) uint64 {
	const low, high = 0x0101010101010101, 0x8080808080808080
	word := binary.LittleEndian.Uint64(p) ^ '.'*low
	return ^((word&^high + ^uint64(high)) | word) & high * 0x0002040810204081 >> 56
}

// octet reads the number in the last n bytes of a word of four. bad is not 0 if they are not one to three
// digits of a number up to 255 without a leading zero.
func octet(w uint32, n uint) (v, bad uint32) {
	if n-1 > 2 || w < 1<<24 { // a zero byte at the end would make fewer digits of them
		return 0, 1
	}
	digits := w >> (32 - 8*n)
	e := octets[digits*octetHash>>octetShift]
	return e >> 24, e&0xffffff ^ digits
}

// octets has each number from 0 to 255 in its upper byte and its digits, the first one lowest, in the others, at
// the place that a multiplication of the digits gives. The factor was found by trying: it gives each number a place
// of its own.
var octets = func() (table [1 << (32 - octetShift)]uint32) {
	for v := range uint32(256) {
		var digits uint32
		for i, c := range []byte(strconv.Itoa(int(v))) {
			digits |= uint32(c) << (8 * i)
		}
		table[digits*octetHash>>octetShift] = v<<24 | digits
	}
	return table
}()

const (
	octetHash  = 0x1a029c9b
	octetShift = 32 - 9
)

// regularText codes texts. Most columns have few values: those of up to eight bytes are looked up as a word among
// those that came last. No two texts are the same word, since none has a zero byte.
func regularText(c *schema.Column, data []byte, seps []int32, rows, n int) bool {
	base := len(c.Int32)
	c.Int32 = slices.Grow(c.Int32, rows)[:base+rows]
	out := c.Int32[base:]
	var known [1 << textBits]uint64
	var codes [1 << textBits]int32
	short := false // the last one was
	for r := 0; r < rows; r++ {
		if short {
			if r += knownWords(data, seps[r*n:], n, &known, &codes, out[r:]); r == rows {
				break
			}
		}
		s, e := int(seps[r*n])+1, int(seps[r*n+1])
		var word, at uint64
		if e >= 8 && e-s <= 8 {
			word = binary.LittleEndian.Uint64(data[e-8:]) >> (64 - 8*uint(e-s))
			at = word * textHash >> (64 - textBits)
			short = true
			if known[at] == word {
				out[r] = codes[at]
				continue
			}
		}
		if c.IsNull(data[s:e]) {
			c.Nulls = append(c.Nulls, int32(base+r))
			out[r] = 0
			continue
		}
		code := c.Dict.Code(data[s:e])
		if code < 0 {
			return false
		}
		out[r] = code
		if short = word != 0; short {
			known[at], codes[at] = word, code
		}
	}
	return true
}

const (
	textBits = 4
	textHash = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: it spreads words that are alike
)
