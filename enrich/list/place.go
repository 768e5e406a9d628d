package list

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// at is a place in a file: its name, line and column, both from 1.
func at(file string, content []byte, offset int) string {
	before := content[:max(min(offset, len(content)), 0)]
	start := bytes.LastIndexByte(before, '\n') + 1
	return fmt.Sprintf("%s:%d: column %d", file, 1+bytes.Count(before, []byte("\n")), 1+utf8.RuneCount(before[start:]))
}

// jsonFault is what is wrong with JSON that begins at an offset of the content.
func jsonFault(file string, content []byte, offset int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%s: the JSON ends too early: get the file again", at(file, content, len(content)))
	case errors.As(err, &syntax):
		if syntax.Error() == "unexpected end of JSON input" {
			return fmt.Errorf("%s: the JSON ends too early: get the file again", at(file, content, len(content)))
		}
		return fmt.Errorf("%s: %w: get the file again", at(file, content, int(syntax.Offset)-1), err)
	case errors.As(err, &kind):
		return fmt.Errorf("%s: there is a %s where a list has something else: get the file again", at(file, content, int(offset+kind.Offset)), kind.Value)
	}
	return fmt.Errorf("%s: %w", at(file, content, int(offset)), err)
}

// A lineCounter counts lines up to ascending offsets.
type lineCounter struct {
	content []byte
	offset  int
	line    int // lines that end before offset
}

// at returns the line of an offset, from 1. Offsets must not descend.
func (c *lineCounter) at(offset int64) int {
	if end := min(int(offset), len(c.content)); end > c.offset {
		c.line += bytes.Count(c.content[c.offset:end], []byte("\n"))
		c.offset = end
	}
	return c.line + 1
}
