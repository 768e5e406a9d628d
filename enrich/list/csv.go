package list

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// cellsOf splits a line at its tabs, commas or semicolons, whichever is the most frequent. It returns one cell for a line
// that has none, or whose quotes do not match.
func cellsOf(line string) []string {
	in := reader(strings.NewReader(line), separator(line))
	in.LazyQuotes = true
	cells, err := in.Read()
	if err != nil {
		return []string{line}
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

func reader(r io.Reader, comma rune) *csv.Reader {
	in := csv.NewReader(r)
	in.Comma, in.FieldsPerRecord, in.TrimLeadingSpace = comma, -1, comma != '\t'
	return in
}

func separator(line string) rune {
	best, most := ',', strings.Count(line, ",")
	for _, c := range ";\t" {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// titles finds the line of titles: the first line that is no remark, or the last of the remarks before it, as abuse.ch has
// it. They must name a column of addresses. start is where the rows begin.
func titles(content []byte) (c columns, comma rune, start int, ok bool) {
	var comment string
	offset := 0
	for raw := range bytes.Lines(content) {
		if len(raw) > maxValue {
			return c, 0, 0, false
		}
		line := strings.TrimSpace(string(raw))
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			if text := strings.TrimSpace(strings.Trim(line, "#")); text != "" {
				comment = text
			}
		default:
			if c, ok = columnsOf(cellsOf(line), Addresses); ok {
				return c, separator(line), offset + len(raw), true
			}
			cells := cellsOf(line)
			c, ok = columnsOf(cellsOf(comment), Addresses)
			return c, separator(line), offset, ok && len(c.titles) == len(cells) && len(cells) > 1
		}
		offset += len(raw)
	}
	return c, 0, 0, false
}

// readRows reads a CSV file with titles, whose rows begin at an offset.
func readRows(file string, content []byte, c columns, comma rune, start int) (*List, error) {
	l := &List{Form: "CSV", Columns: c.others()}
	if c.kind >= 0 {
		l.Form = "CSV with types"
	}
	in := reader(bytes.NewReader(content[start:]), comma)
	in.Comment = '#'
	first := bytes.Count(content[:start], []byte("\n"))
	for {
		cells, err := in.Read()
		if err == io.EOF {
			return l, nil
		}
		if bad := new(csv.ParseError); errors.As(err, &bad) {
			return nil, fmt.Errorf("%s:%d: column %d: %w: get the file again", file, first+bad.StartLine, len(cells)+1, bad.Err)
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		line, _ := in.FieldPos(0)
		line += first
		for i := range cells {
			cells[i] = strings.ToValidUTF8(strings.TrimSpace(cells[i]), "\ufffd")
		}
		if strings.Join(cells, "") == "" {
			continue
		}
		if len(cells) != len(c.titles) {
			l.skip(fmt.Sprintf("that do not have %d cells", len(c.titles)), line)
			continue
		}
		c.add(l, cells, line)
	}
}
