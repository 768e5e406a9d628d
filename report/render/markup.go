package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"flowlog/report"
)

// markup is HTML or SVG in the making.
//
// It stands in for html/template, which keeps the linker from leaving unused methods out and makes the binary 11 MB
// larger. What a value may do is less than there: it is text between tags or in the quotes of an attribute, nothing
// else. No value ever comes into a script, a style, the name of a tag, or an attribute that holds an address.
type markup struct {
	buf   []byte
	ids   int   // how many have been given out
	world bool  // the outlines of the map are there already
	clock clock // the axis of time that all charts have in common; empty if there is none
}

// A form is a piece of markup with {} where values come. It is a constant: text of the input cannot become one
// without a conversion that stands out.
type form string

// put appends a form with its values, escaped. A {} that is neither between tags nor in quotes, or more or fewer of
// them than values, is a mistake in the program.
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

// value appends a value as text: printable, so that control characters and those that turn the direction of writing
// are seen, and without the characters that mean something in HTML.
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

// id returns a name that nothing else on the page has.
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

// A tip is what is shown of a mark under the pointer: a heading, then lines of a name and a value. The page's script
// takes it apart at the line feeds and tabs, which no text of the input has left in it.
type tip struct {
	head  string
	lines []byte // in markup
}

// add appends a line. The class, if any, is the colour that the name goes by.
func (t *tip) add(class, name, value string) {
	t.lines = append(t.lines, "&#10;"...)
	t.lines = append(append(t.lines, class...), "&#9;"...)
	t.lines = append(appendMarkup(t.lines, name), "&#9;"...)
	t.lines = appendMarkup(t.lines, value)
}

// exact writes a measure in full, with its rounded form behind it where that is easier to read.
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
