package schema

import (
	"bytes"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// This file converts input to values of fields for every input format. Text formats deliver tokens; columnar formats
// deliver whole numbers, floating-point numbers and instants. Each becomes the same value, or the same fault.

// nulls are the words for null of Hive, SQL, Python and pandas.
var nulls = [...]string{`\N`, "NULL", "null", "None", "NaN", "nan", "<NA>"}

// longestNull is the length of the longest of these words: a longer token is not compared.
const longestNull = 4

// IsNull reports whether a token is null: it is empty, "-", or a tool's word for null. Free text, such as the value of a
// tag, may be a word like None, so there only \N counts.
func (f *Field) IsNull(tok []byte) bool {
	switch {
	case len(tok) > longestNull:
		return false
	case len(tok) == 0, len(tok) == 1 && tok[0] == '-', string(tok) == nulls[0]:
		return true
	case f.Kind == Text && (f.Escaped || f.Since == 0):
		return false
	}
	for _, word := range nulls {
		if string(tok) == word {
			return true
		}
	}
	return false
}

// Parse appends the value of a token; see IsNull for nulls. A whole number may be written as 300.0 or 3e2, a time as
// ParseTime accepts it. On a fault nothing is appended.
func (c *Column) Parse(tok []byte) Fault {
	if c.IsNull(tok) {
		c.Null()
		return Valid
	}
	if c.nullRows > 0 {
		c.Fill()
	}
	switch c.Kind {
	case Int32:
		v, fault := ParseInt(tok)
		if fault != Valid {
			return fault
		}
		if v > c.Max {
			return OutOfRange
		}
		c.Int32 = append(c.Int32, int32(v))
	case Int64:
		v, fault := ParseInt(tok)
		if fault != Valid {
			return fault
		}
		c.Int64 = append(c.Int64, v)
	case Time:
		v, fault := ParseTime(tok)
		if fault != Valid {
			return fault
		}
		c.Int64 = append(c.Int64, v)
	case Float:
		v, err := strconv.ParseFloat(string(tok), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return NotNumber
		}
		c.Float = append(c.Float, v)
	case Addr:
		v, ok := ParseAddr(tok)
		if !ok {
			return NotAddress
		}
		c.Addr = append(c.Addr, v)
	case Text:
		code := c.Dict.Code(tok)
		if code < 0 {
			return NotText
		}
		c.Int32 = append(c.Int32, code)
	}
	return Valid
}

// ParseEscaped is Parse for a token of a text record, where AWS percent-encodes the values of tags. One that
// does not decode to UTF-8 is kept as it is.
func (c *Column) ParseEscaped(tok []byte) Fault {
	if c.Escaped && bytes.IndexByte(tok, '%') >= 0 {
		if s, err := url.PathUnescape(string(tok)); err == nil && utf8.ValidString(s) && s != "" {
			c.Text(s)
			return Valid
		}
	}
	return c.Parse(tok)
}

// Check reports what Parse would, and appends nothing.
func (c *Column) Check(tok []byte) Fault { return c.check(tok, c.Parse) }

// CheckEscaped reports what ParseEscaped would, and appends nothing.
func (c *Column) CheckEscaped(tok []byte) Fault { return c.check(tok, c.ParseEscaped) }

func (c *Column) check(tok []byte, parse func([]byte) Fault) Fault {
	if c.Kind == Text { // parse would add the value to the dictionary
		if !utf8.Valid(tok) {
			return NotText
		}
		return Valid
	}
	n := c.Len()
	fault := parse(tok)
	c.Truncate(n)
	return fault
}

// Whole appends the value of a whole number. On a fault nothing is appended.
func (c *Column) Whole(v int64) Fault {
	switch c.Kind {
	case Text:
		c.Text(strconv.FormatInt(v, 10))
		return Valid
	case Addr:
		return NotAddress
	}
	if c.nullRows > 0 {
		c.Fill()
	}
	switch {
	case c.Kind == Float:
		c.Float = append(c.Float, float64(v))
	case v < 0, c.Kind == Int32 && v > c.Max:
		return OutOfRange
	case c.Kind == Int32:
		c.Int32 = append(c.Int32, int32(v))
	case c.Kind == Time:
		c.Int64 = append(c.Int64, Seconds(v))
	default:
		c.Int64 = append(c.Int64, v)
	}
	return Valid
}

// Real appends the value of a floating-point number: many tools store nullable whole numbers as floats, with NaN for
// null. On a fault nothing is appended.
func (c *Column) Real(v float64) Fault {
	switch {
	case math.IsNaN(v):
		c.Null()
	case c.Kind == Text:
		c.Text(strconv.FormatFloat(v, 'f', -1, 64))
	case c.Kind == Addr:
		return NotAddress
	case math.IsInf(v, 0):
		return NotNumber
	case c.Kind == Float:
		c.Fill()
		c.Float = append(c.Float, v)
	case v != math.Trunc(v) && c.Kind != Time: // fractions of a second are dropped
		return NotNumber
	case math.Abs(v) >= 1<<63:
		return Overflow
	default:
		return c.Whole(int64(v))
	}
	return Valid
}

// Instant appends the value of a point in time, given as Unix seconds and nanoseconds; a text field gets RFC 3339. On a
// fault nothing is appended.
func (c *Column) Instant(seconds, nanos int64) Fault {
	switch c.Kind {
	case Text:
		c.Text(time.Unix(seconds, nanos).UTC().Format(time.RFC3339Nano))
		return Valid
	case Time:
		if seconds < 0 || seconds >= latestSeconds {
			return OutOfRange
		}
		c.Fill()
		c.Int64 = append(c.Int64, seconds)
		return Valid
	case Addr:
		return NotAddress
	}
	return NotNumber
}

// Spelled normalizes the spelling of a text value: one of Values gets its documented case, and an identifier of digits
// gets back the leading zeros that it lost where it was a number. Other values are returned unchanged.
func (f Field) Spelled(s string) string {
	for _, v := range f.Values {
		if strings.EqualFold(v, s) {
			return v
		}
	}
	if f.Digits > 0 && s != "" && len(s) != f.Digits {
		if v, fault := ParseInt([]byte(s)); fault == Valid {
			digits := strconv.FormatInt(v, 10)
			return strings.Repeat("0", max(0, f.Digits-len(digits))) + digits
		}
	}
	return s
}

// Documents reports whether AWS documents the value for a text field, in any case. All values count where it documents
// none.
func (f Field) Documents(s string) bool {
	return f.Values == nil || slices.Contains(f.Values, f.Spelled(s))
}

// newDict returns the empty dictionary of a text column.
func (f Field) newDict() *Dict {
	d := NewDict()
	if f.Values != nil || f.Digits > 0 {
		d.spelling = f.Spelled
	}
	return d
}

// Within reports whether some spelling of a text value may lie between low and high, bytewise: a reader skips a row
// group by such bounds.
func (f Field) Within(value, low, high string) bool {
	if low == high {
		return f.Spelled(low) == f.Spelled(value)
	}
	from, to := value, value
	switch {
	case f.Values != nil: // all spellings lie between upper case and lower case
		from, to = strings.ToUpper(value), strings.ToLower(value)
	case f.Digits > 0:
		return true // it may have lost its leading zeros
	}
	return to >= low && from <= high
}

// Outside counts the rows of each value of a text column that AWS does not document for its field. It looks at the
// dictionary alone if there are none.
func (c *Column) Outside() map[string]int64 {
	if c.Values == nil || c.Dict == nil || c.nullRows > 0 || c.Dict.Len() == 0 {
		return nil
	}
	odd := make([]bool, c.Dict.Len())
	some := false
	for code := range odd {
		odd[code] = !c.Documents(string(c.Dict.Value(int32(code))))
		some = some || odd[code]
	}
	if !some {
		return nil
	}
	counts := make([]int64, len(odd))
	for _, code := range c.Int32 {
		counts[code]++
	}
	counts[0] -= int64(len(c.Nulls)) // nulls have code 0
	values := make(map[string]int64)
	for code, n := range counts {
		if odd[code] && n > 0 {
			values[string(c.Dict.Value(int32(code)))] = n
		}
	}
	return values
}
