package parse

import (
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"flowlog/parse/schema"
)

// A logicalType says what the numbers and bytes of a column in a columnar format stand for, beyond their physical type. It
// is chosen once a column.
type logicalType struct {
	what     representation
	div, mul int64 // of instants: seconds are number × mul / div
	scale    int   // of decimals: digits after the point
}

type representation uint8

const (
	asIs     representation = iota
	unsigned                // whole numbers without a sign, where the physical type has one
	instant                 // a point in time
	decimal                 // a number with scale digits after the point
	unusable                // what no field has, such as a time of day
)

// instants are points in time of which there are so many a second.
func instants(perSecond int64) logicalType { return logicalType{what: instant, div: perSecond, mul: 1} }

// dates are days since 1970-01-01; each stands for its midnight in UTC.
var dates = logicalType{what: instant, div: 1, mul: 24 * 60 * 60}

// seconds is an instant in Unix seconds, and the nanoseconds beyond.
func (s logicalType) seconds(v int64) (seconds, nanos int64) {
	if s.mul != 1 {
		return v * s.mul, 0
	}
	seconds, rest := v/s.div, v%s.div
	if rest < 0 {
		seconds, rest = seconds-1, rest+s.div
	}
	return seconds, rest * (1e9 / s.div)
}

// between returns the Unix seconds of the smallest and the largest of some times. It is false if that cannot be told.
func (s logicalType) between(low, high int64) (from, to int64, ok bool) {
	switch s.what {
	case instant:
		from, _ = s.seconds(low)
		to, _ = s.seconds(high)
		return from, to, true
	case asIs, unsigned:
		return schema.SecondsBetween(low, high)
	}
	return 0, 0, false
}

// whole appends the value that a stored number of so many bits stands for.
func (s logicalType) whole(c *schema.Column, v int64, bits int) (schema.Fault, string) {
	fault := schema.NotNumber
	switch s.what {
	case asIs:
		fault = c.Whole(v)
	case unsigned:
		if v < 0 && bits == 64 {
			return s.text(c, strconv.AppendUint(nil, uint64(v), 10))
		}
		if v < 0 {
			v += 1 << bits
		}
		fault = c.Whole(v)
	case instant:
		fault = c.Instant(s.seconds(v))
	case decimal:
		if s.scale != 0 {
			return s.unscaled(c, big.NewInt(v))
		}
		fault = c.Whole(v)
	}
	if fault == schema.Valid {
		return fault, ""
	}
	return fault, strconv.FormatInt(v, 10)
}

// real appends the value that a floating-point number stands for.
func (s logicalType) real(c *schema.Column, v float64) (schema.Fault, string) {
	if fault := c.Real(v); fault != schema.Valid {
		return fault, strconv.FormatFloat(v, 'g', -1, 64)
	}
	return schema.Valid, ""
}

// text appends the value that a text says.
func (s logicalType) text(c *schema.Column, v []byte) (schema.Fault, string) {
	if fault := c.Parse(v); fault != schema.Valid {
		return fault, string(v)
	}
	return schema.Valid, ""
}

// bytes appends the value that some bytes of fixed length stand for: a decimal, an address, or a text that is filled
// up with zeros.
func (s logicalType) bytes(c *schema.Column, v []byte) (schema.Fault, string) {
	switch {
	case s.what == decimal:
		return s.unscaled(c, bigEndian(v))
	case c.Kind == schema.Addr && len(v) == 16:
		c.Fill()
		c.Addr = append(c.Addr, [16]byte(v))
		return schema.Valid, ""
	}
	for len(v) > 0 && v[len(v)-1] == 0 {
		v = v[:len(v)-1]
	}
	if !utf8.Valid(v) {
		return schema.NotText, hex.EncodeToString(v)
	}
	return s.text(c, v)
}

// bigEndian is the number that bytes are in two's complement, the highest first.
func bigEndian(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// unscaled appends the value of a decimal whose digits are those of n.
func (s logicalType) unscaled(c *schema.Column, n *big.Int) (schema.Fault, string) {
	digits := n.String()
	if s.scale <= 0 {
		digits += strings.Repeat("0", -s.scale)
		if n.Sign() == 0 {
			digits = "0"
		}
		return s.text(c, []byte(digits))
	}
	sign := ""
	if n.Sign() < 0 {
		sign, digits = "-", digits[1:]
	}
	if missing := s.scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - s.scale
	digits = sign + digits[:point] + "." + digits[point:]
	return s.text(c, []byte(strings.TrimSuffix(strings.TrimRight(digits, "0"), ".")))
}
