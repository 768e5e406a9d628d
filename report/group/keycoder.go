package group

import (
	"net/netip"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/calendar"
)

// coderOf numbers a key's values.
func coderOf(k report.Key, f schema.Field) codes.Coder {
	base := codes.NewCoder(f)
	switch {
	case k.Every != 0:
		if k.Every == calendar.Auto {
			k.Every = calendar.Widths[0]
		}
		b := calendar.Finder{Bins: k.Bins()}
		c := newKeyCoder(base, func(v any) any { return b.Begin(v.(int64)) })
		c.again = true // bins that were made before the width was known are put into wider ones
		return c
	case k.Hour:
		zone := k.Zone
		if zone == nil {
			zone = time.UTC
		}
		return newKeyCoder(base, func(v any) any { return int64(time.Unix(v.(int64), 0).In(zone).Hour()) })
	case k.Bits != 0:
		return newKeyCoder(base, func(v any) any {
			a, bits := v.(netip.Addr), k.Bits6
			if a.Is4() {
				bits = min(k.Bits, 32)
			}
			p, _ := a.Prefix(bits)
			return p
		})
	}
	return base
}

// valueOf is what a table shows for a value of the coder.
func valueOf(k report.Key, v any) any {
	switch x := v.(type) {
	case netip.Prefix:
		return x.String()
	case int64:
		if k.Every != 0 {
			return time.Unix(x, 0).UTC()
		}
	}
	return v
}

// A keyCoder numbers what a function makes of a field's values. The function is called once for each distinct
// value.
type keyCoder struct {
	base   codes.Coder
	of     func(any) any
	again  bool     // of is for what another keyCoder has made too
	near   minutes  // of values that are seconds
	known  []uint32 // by code of base: the code here
	values []any    // by code
	codes  map[any]uint32
}

func newKeyCoder(base codes.Coder, of func(any) any) *keyCoder {
	return &keyCoder{base: base, of: of, known: []uint32{0}, values: []any{nil}, codes: make(map[any]uint32)}
}

func (c *keyCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	if seconds, ok := col.(*array.Int64); ok && !c.near.off {
		if rows = c.near.encode(c, seconds, rows, out); len(rows) == 0 {
			return
		}
	}
	c.base.Encode(col, rows, out)
	for code := len(c.known); code < c.base.Len(); code++ {
		c.known = append(c.known, c.code(c.of(c.base.Value(uint32(code)))))
	}
	for _, row := range rows {
		out[row] = c.known[out[row]]
	}
}

func (c *keyCoder) code(v any) uint32 {
	code, ok := c.codes[v]
	if !ok {
		code = uint32(len(c.values))
		c.values = append(c.values, v)
		c.codes[v] = code
	}
	return code
}

// adopt writes the codes of values that another keyCoder has made.
func (c *keyCoder) adopt(col arrow.Array, out []uint32) {
	valid := schema.ValidityOf(col)
	codes, numbers := func(int) any { return nil }, func(int) int64 { return 0 }
	switch a := col.(type) {
	case *array.Int32:
		numbers = func(row int) int64 { return int64(a.Value(row)) }
	case *array.Int64:
		numbers = func(row int) int64 { return a.Value(row) }
	case *array.Dictionary:
		places, words := schema.TextCodes(a)
		codes = func(row int) any {
			p, _ := netip.ParsePrefix(words.Value(int(places[row])))
			return p
		}
	}
	for row := range col.Len() {
		if valid.Null(int32(row)) {
			out[row] = 0
			continue
		}
		v := codes(row)
		if v == nil {
			v = numbers(row)
		}
		out[row] = c.remade(v)
	}
}

// remade is the code of a value that another keyCoder has made.
func (c *keyCoder) remade(v any) uint32 {
	if c.again {
		v = c.of(v)
	}
	return c.code(v)
}

func (c *keyCoder) Code(v any) (uint32, bool) { return c.remade(v), true }

func (c *keyCoder) Size() int64 {
	return c.base.Size() + 64*int64(len(c.values)) + 4*int64(cap(c.near.codes))
}

func (c *keyCoder) Gather(codes []uint32, out *schema.Column) {
	for _, code := range codes {
		v := c.values[code]
		if p, ok := v.(netip.Prefix); ok {
			v = p.String()
		}
		out.Append(v)
	}
}

func (c *keyCoder) Len() int { return len(c.values) }

func (c *keyCoder) Value(code uint32) any { return c.values[code] }

func (c *keyCoder) Absorb(other codes.Coder) []uint32 {
	o := other.(*keyCoder)
	codes := make([]uint32, o.Len())
	for i := 1; i < len(codes); i++ {
		codes[i] = c.remade(o.values[i])
	}
	return codes
}

// minutes are the codes of what a keyCoder makes of times, by the minute, where it makes the same of all its seconds. A
// table of seconds would be too large for the processor's caches.
type minutes struct {
	first int64    // since 1970
	codes []uint32 // 0 where it is not known
	off   bool     // minutes are not the same throughout
	rest  []int32
}

// maxMinutes is how many there are at most: two years.
const maxMinutes = 1 << 20

// encode writes the codes that it knows, and returns the other rows.
func (m *minutes) encode(c *keyCoder, col *array.Int64, rows []int32, out []uint32) []int32 {
	seconds, valid := col.Int64Values(), schema.ValidityOf(col)
	m.rest = m.rest[:0]
	for _, row := range rows {
		minute := int64(uint64(seconds[row])/60) - m.first
		if valid.Null(row) || uint64(minute) >= uint64(len(m.codes)) || m.codes[minute] == 0 {
			if valid.Null(row) || !m.learn(c, seconds[row]) {
				m.rest = append(m.rest, row)
				continue
			}
			minute = seconds[row]/60 - m.first
		}
		out[row] = m.codes[minute]
	}
	return m.rest
}

// learn makes what there is of a time known, and reports whether it is.
func (m *minutes) learn(c *keyCoder, second int64) bool {
	minute := second / 60
	if len(m.codes) == 0 {
		m.first = minute
	}
	first, end := min(m.first, minute), max(m.first+int64(len(m.codes)), minute+1)
	if m.off || second < 0 || end-first > maxMinutes {
		return false
	}
	v := c.of(60 * minute)
	if m.off = v != c.of(60*minute+59); m.off {
		return false
	}
	if first < m.first { // with room for as many again, as a slice that is appended to
		first = max(0, end-max(end-first, 2*int64(len(m.codes))))
		codes := make([]uint32, end-first)
		copy(codes[m.first-first:], m.codes)
		m.first, m.codes = first, codes
	}
	m.codes = codes.Grown(m.codes, int(end-m.first))
	m.codes[minute-m.first] = c.code(v)
	return true
}
