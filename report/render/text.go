package render

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// instant is the layout of times for people.
const instant = "2006-01-02 15:04:05"

// Shorter layouts, for bins of time that begin at a full minute, or at midnight.
const (
	instantOfBin = "2006-01-02 15:04"
	instantOfDay = "2006-01-02"
)

// appendPlain appends a value of a report as all formats but tables have it: exact numbers, times in RFC 3339, texts
// through the text function. A null is empty.
func appendPlain(dst []byte, f *schema.Field, v any, text cells.TextFunc) []byte {
	switch v := v.(type) {
	case nil:
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		if cells.Finite(v) {
			return cells.AppendFloat(dst, v)
		}
	case time.Time:
		return v.UTC().AppendFormat(dst, time.RFC3339)
	case netip.Addr:
		return v.AppendTo(dst)
	case string:
		return text(dst, f, v)
	default:
		return text(dst, f, fmt.Sprint(v))
	}
	return dst
}

// isNull reports whether a value of a report is null. NaN and infinities count as null.
func isNull(v any) bool {
	if f, ok := v.(float64); ok {
		return !cells.Finite(f)
	}
	return v == nil
}

// appendPrintable appends a text with all unprintable characters escaped as in Go: control characters, characters without
// width or that change the direction of writing, spaces other than U+0020, and bytes that are not UTF-8. The result has no
// line ends.
func appendPrintable(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if ' ' <= c && c < 0x7f {
				dst = append(dst, c)
			} else {
				dst = appendEscape(dst, rune(c))
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = appendHex(append(dst, `\x`...), uint32(s[i]), 2)
		case strconv.IsPrint(r):
			dst = append(dst, s[i:i+size]...)
		default:
			dst = appendEscape(dst, r)
		}
		i += size
	}
	return dst
}

func printable(s string) string { return string(appendPrintable(nil, s)) }

func appendEscape(dst []byte, r rune) []byte {
	switch {
	case r == '\t':
		return append(dst, `\t`...)
	case r == '\n':
		return append(dst, `\n`...)
	case r == '\r':
		return append(dst, `\r`...)
	case r < utf8.RuneSelf:
		return appendHex(append(dst, `\x`...), uint32(r), 2)
	case r <= 0xffff:
		return appendHex(append(dst, `\u`...), uint32(r), 4)
	}
	return appendHex(append(dst, `\U`...), uint32(r), 8)
}

func appendHex(dst []byte, v uint32, digits int) []byte {
	for digits--; digits >= 0; digits-- {
		dst = append(dst, "0123456789abcdef"[v>>(4*digits)&15])
	}
	return dst
}
