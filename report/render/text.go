package render

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"flowlog/parse/schema"
)

// instant is how people read a time. It is always in UTC.
const instant = "2006-01-02 15:04:05"

// What is left of it for bins of time that begin with a minute, or at midnight.
const (
	instantOfBin = "2006-01-02 15:04"
	instantOfDay = "2006-01-02"
)

// appendPlain writes a value of a report as every format but the table for people has it: numbers in full,
// times by RFC 3339, texts as the text function has them. A null is nothing.
func appendPlain(dst []byte, f *schema.Field, v any, text textFunc) []byte {
	switch v := v.(type) {
	case nil:
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		if finite(v) {
			return appendFloat(dst, v)
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

// isNull reports whether a value of a report is no value. What is not a number is none.
func isNull(v any) bool {
	if f, ok := v.(float64); ok {
		return !finite(f)
	}
	return v == nil
}

// appendPrintable writes a text for the eyes. What a terminal or an editor would not print as a character of
// its own is escaped as in Go: control characters, those that change the direction of writing or have no
// width, spaces other than the plain one, and bytes that are not UTF-8. It never breaks a line.
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
