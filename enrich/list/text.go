package list

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// Words reads a plain list of values that are not addresses: each line is a text, or words between blanks and commas.
// What follows a # is a remark; in a text, a # needs a blank before it.
func Words(file string, content []byte, texts bool) ([]Entry, error) {
	var entries []Entry
	n := 0
	for raw := range bytes.Lines(bytes.TrimPrefix(content, []byte("\ufeff"))) {
		n++
		if len(raw) > maxValue {
			return nil, fmt.Errorf("%s:%d: the line is longer than %d characters: write one value a line", file, n, maxValue)
		}
		line := string(raw)
		if i := strings.IndexByte(line, '#'); i == 0 || i > 0 && (!texts || line[i-1] == ' ' || line[i-1] == '\t') {
			line = line[:i]
		}
		if texts {
			if line = strings.TrimSpace(line); line != "" {
				entries = append(entries, Entry{Value: line, Line: n})
			}
			continue
		}
		for _, word := range words(line) {
			entries = append(entries, Entry{Value: word, Line: n})
		}
	}
	return entries, nil
}

// maxValue is the length of a line beyond which it is no value: the longest that AWS logs, an ARN, has 2,048.
const maxValue = 64 << 10

func words(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
}

// remarks are the signs that begin a remark, at the start of a line or behind a value.
var remarks = []string{"#", ";", "//"}

// uncommented splits a line at the sign that begins a remark.
func uncommented(line string) (value, remark string) {
	at, end := len(line), len(line)
	for _, sign := range remarks {
		if i := strings.Index(line, sign); i >= 0 && i < at {
			at, end = i, i+len(sign)
		}
	}
	return strings.TrimSpace(line[:at]), strings.TrimSpace(line[end:])
}

// remarkColumn is the name of the column of remarks.
const remarkColumn = "remark"

// readLines reads a list without titles: values between blanks and commas, with remarks; or rows of as many cells each,
// of which the first is the value.
func readLines(file string, content []byte) (*List, error) {
	l := &List{Form: "text", Columns: []string{remarkColumn}}
	rows := headlessRows(content)
	n := 0
	for raw := range bytes.Lines(content) {
		n++
		line, remark := uncommented(string(raw))
		if line == "" {
			continue
		}
		remark = strings.ToValidUTF8(shortened(remark, maxRemark), "\ufffd")
		if rows {
			cells := cellsOf(line)
			behind := strings.ToValidUTF8(shortened(strings.Join(filled(append(cells[1:], remark)), ", "), maxRemark), "\ufffd")
			l.Entries = append(l.Entries, Entry{Value: cells[0], Line: n, Label: behind, Cells: []string{behind}})
			continue
		}
		for _, word := range words(line) {
			word = strings.Trim(word, `"'`)
			if len(word) > maxAddress {
				return nil, fmt.Errorf("%s:%d: column 1: %q is not an IP address or network", file, n, shortened(word, 40))
			}
			e := Entry{Value: word, Line: n, Label: remark, Cells: []string{remark}}
			if p, port, ok := network(word); ok && port > 0 {
				e.Value, e.Port = p.Addr().String(), port
			}
			l.Entries = append(l.Entries, e)
		}
	}
	return l, nil
}

// maxAddress is longer than any address, network or range is written. maxRemark bounds what is kept of a remark.
const (
	maxAddress = 200
	maxRemark  = 200
)

// headlessRows reports whether the lines are rows of a CSV file without titles: each has as many cells, at least two; the
// first is an address and none of the others is, or looks like one with an error in it.
func headlessRows(content []byte) bool {
	width := 0
	for raw := range bytes.Lines(content) {
		line, _ := uncommented(string(raw))
		if line == "" {
			continue
		}
		if len(line) > maxValue {
			return false
		}
		cells := cellsOf(line)
		if width == 0 {
			width = len(cells)
		}
		if len(cells) < 2 || len(cells) != width || !isAddress(cells[0]) {
			return false
		}
		for _, c := range cells[1:] {
			if isAddress(c) || addressLike.MatchString(c) {
				return false
			}
		}
	}
	return width > 0
}

// addressLike matches what begins like an address, and may be a mistyped one.
var addressLike = regexp.MustCompile(`^\s*(\d+\.\d+\.\d|[0-9a-fA-F]{1,4}:[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}:)`)

// isAddress reports whether a cell is an address, a network or a range.
func isAddress(s string) bool {
	from, to, isRange := strings.Cut(s, "..")
	if isRange {
		_, err1 := netip.ParseAddr(from)
		_, err2 := netip.ParseAddr(to)
		return err1 == nil && err2 == nil
	}
	_, _, ok := network(s)
	return ok
}

// filled are the texts that are not empty.
func filled(texts []string) []string {
	var out []string
	for _, s := range texts {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
