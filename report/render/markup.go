package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"flowlog/report"
)

// markup is a buffer of HTML or SVG.
//
// It replaces html/template, which keeps the linker from removing unused methods and makes the binary 11 MB larger. Values
// can be only text between tags or in a quoted attribute, never in a script, a style, the name of a tag, or an attribute
// with a URL.
type markup struct {
	buf   []byte
	ids   int   // number of ids used
	world bool  // the map's outlines were written
	clock clock // the time axis of all charts; empty if there is none
}

// A form is markup with {} for values. Forms are constants: input cannot become one without an explicit conversion.
type form string

// put appends a form with its values, escaped. It panics if a {} is neither between tags nor in quotes, or if the number
// of values differs.
func (m *markup) put(f form, values ...any) {
	rest := string(f)
	for _, v := range values {
		before, after, ok := strings.Cut(rest, "{}")
		if !ok || strings.HasSuffix(before, "=") {
			panic(fmt.Sprintf("no place for a value in %q", f))
		}
		m.buf = append(m.buf, before...)
		m.value(v)
		rest = after
	}
	if strings.Contains(rest, "{}") {
		panic(fmt.Sprintf("a value is missing in %q", f))
	}
	m.buf = append(m.buf, rest...)
}

// value appends a value as printable text, with control and bidirectional characters made visible and HTML escaped.
func (m *markup) value(v any) {
	switch v := v.(type) {
	case string:
		m.buf = appendMarkup(m.buf, v)
	case int:
		m.buf = strconv.AppendInt(m.buf, int64(v), 10)
	case float64:
		m.buf = strconv.AppendFloat(m.buf, math.Round(v*100)/100, 'f', -1, 64)
	case tip:
		m.buf = append(appendMarkup(m.buf, v.head), v.lines...)
	default:
		panic(fmt.Sprintf("%T is no value of markup", v))
	}
}

// id returns a unique id.
func (m *markup) id() string {
	m.ids++
	return "i" + strconv.Itoa(m.ids)
}

func appendMarkup(dst []byte, s string) []byte {
	s = printable(s)
	for i := range len(s) {
		switch c := s[i]; c {
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '&':
			dst = append(dst, "&amp;"...)
		case '"':
			dst = append(dst, "&#34;"...)
		case '\'':
			dst = append(dst, "&#39;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// A tip is the tooltip of a mark: a heading, then lines of a name and a value. The page's script splits it at line feeds
// and tabs, which are escaped in text from the input.
type tip struct {
	head  string
	lines []byte // in markup
}

// add appends a line. The class, if any, is the colour of the name.
func (t *tip) add(class, name, value string) {
	t.lines = append(t.lines, "&#10;"...)
	t.lines = append(append(t.lines, class...), "&#9;"...)
	t.lines = append(appendMarkup(t.lines, name), "&#9;"...)
	t.lines = appendMarkup(t.lines, value)
}

// exact formats a measure exactly, followed by its rounded form where that is easier to read.
func exact(c report.Column, v any, opt Options) string {
	opt.Raw = false
	rounded := human(c, v, opt)
	n, ok := v.(int64)
	switch {
	case isNull(v), v == nil:
		return "-"
	case ok && c.Unit == report.Bytes:
		s := grouped(n) + " bytes"
		if n >= 1024 {
			s += " (" + rounded + ")"
		}
		return s
	case ok && c.Unit == report.Seconds:
		return rounded
	case ok:
		return grouped(n)
	}
	if _, ok := v.(time.Time); ok {
		return rounded
	}
	if _, ok := number(v); ok && c.Unit != report.Share && c.Unit != report.BitRate {
		return string(appendPlain(nil, nil, v, nil))
	}
	return rounded
}
