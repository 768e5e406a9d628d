package list

import (
	"bytes"
	"fmt"
	"strings"
)

// Read reads a list of addresses. The form is told by the content. file names it in errors, which have the place. JSON of
// another kind is an error; so is a file of which everything was skipped.
func Read(file string, content []byte) (*List, error) {
	content, err := decoded(file, content)
	if err != nil {
		return nil, err
	}
	l, err := Detect(file, content)
	if err != nil {
		return nil, err
	}
	if l == nil {
		if isJSON(content) {
			return nil, fmt.Errorf("%s:1: column 1: this JSON is no list of addresses: STIX 2.1 bundles, get-managed-prefix-list-entries, and objects or lines with a member cidr or ip are", file)
		}
		return readLines(file, content)
	}
	return l, nil
}

// empty is the error of a list of which everything was skipped.
func (l *List) empty(file string) error {
	if len(l.Entries) > 0 || len(l.Skipped) == 0 {
		return nil
	}
	return fmt.Errorf("%s:%d: column 1: the file has no address that can be used: skipped %s", file, l.Skipped[0].Line, l.skips())
}

// Titles are the cells of the first line that is neither blank nor a remark.
func Titles(content []byte) []string {
	for raw := range bytes.Lines(bytes.TrimPrefix(content, []byte("\ufeff"))) {
		if line := strings.TrimSpace(string(raw[:min(len(raw), maxValue)])); line != "" && !strings.HasPrefix(line, "#") {
			return cellsOf(line)
		}
	}
	return nil
}

// Detect reads a list that says what it is: JSON, or CSV with titles, in the first line or in the remark before it. It
// returns nil if the content is something else.
func Detect(file string, content []byte) (*List, error) {
	content, err := decoded(file, content)
	if err != nil {
		return nil, err
	}
	var l *List
	if isJSON(content) {
		l, err = readJSON(file, content)
	} else if c, comma, start, ok := titles(content); ok {
		l, err = readRows(file, content, c, comma, start)
	}
	if l != nil && err == nil {
		err = l.empty(file)
	}
	return l, err
}

// Plain reads a list without titles, one value or several a line, with remarks. It returns nil if the first line is no such
// list.
func Plain(file string, content []byte) (*List, error) {
	content, err := decoded(file, content)
	if err != nil {
		return nil, err
	}
	for raw := range bytes.Lines(content) {
		if len(raw) > maxValue {
			return nil, nil
		}
		line, _ := uncommented(string(raw))
		if line == "" {
			continue
		}
		if fields := words(line); len(fields) == 0 || !isAddress(strings.Trim(fields[0], `"'`)) {
			return nil, nil
		}
		return readLines(file, content)
	}
	return nil, nil
}

func decoded(file string, content []byte) ([]byte, error) {
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("%s:1: column 1: the file is UTF-16 text, as PowerShell writes: save it as UTF-8", file)
	}
	return bytes.TrimPrefix(content, []byte("\ufeff")), nil
}

func isJSON(content []byte) bool {
	start := bytes.TrimSpace(bytes.TrimPrefix(content, []byte("\ufeff")))
	return len(start) > 0 && (start[0] == '{' || start[0] == '[')
}
