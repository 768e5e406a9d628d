package parse

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"

	"flowlog/parse/schema"
)

// isCSV recognises a header of field names separated by commas.
func isCSV(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return bytes.IndexByte(line, ',') >= 0 && csvHeader(line) != nil
}

// csvHeader returns the names in a header line, or nil if it is not one: all must look like names, and at
// least half of them be fields that AWS logs.
func csvHeader(line []byte) []string {
	cells, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil {
		return nil
	}
	known := 0
	for i, cell := range cells {
		name := schema.CanonicalName(cell)
		if name == "" {
			return nil
		}
		if _, ok := schema.Logged().Lookup(name); ok {
			known++
		}
		cells[i] = name
	}
	if 2*known < len(cells) {
		return nil
	}
	return cells
}

// readCSV reads comma-separated values with a header, as flowlog writes them. An empty cell and "-" are
// null. Tags are not percent-decoded.
func readCSV(in *input, c *content) error {
	line, _, found := bytes.Cut(c.head, []byte("\n"))
	if !found && c.err() != nil {
		return c.err()
	}
	names := csvHeader(line)
	if names == nil {
		return errors.New("csv: the first line does not name flow log fields")
	}
	start := place{in.intern(&layout{names: names}, in.object), 1}
	in.current.Store(start.layout)
	return in.cut(c.Reader(min(len(line)+1, len(c.head))), start, lastCSVLine, (*worker).csv)
}

// lastCSVLine finds the end of the last line that does not end within quotes.
func lastCSVLine(data []byte) int {
	for end := lastLine(data); end > 0; end = lastLine(data[:end-1]) {
		if bytes.Count(data[:end], []byte(`"`))%2 == 0 {
			return end
		}
	}
	return 0
}

// csv decodes a block of comma-separated values.
func (w *worker) csv(b *block, at place) place {
	for data := b.data; len(data) > 0; {
		// a line at a time, so that one that is broken does not take others with it
		end := firstCSVLine(data)
		line := data[:end]
		data = data[end:]
		r := csv.NewReader(bytes.NewReader(line))
		r.FieldsPerRecord = -1
		at.line++
		cells, err := r.Read()
		lines := int64(bytes.Count(line, []byte("\n"))) - 1
		if err == io.EOF { // a blank line
			continue
		}
		line = bytes.TrimRight(line, "\r\n")
		if err != nil {
			w.drop(line, Problem{Line: at.line, Value: err.Error(), Fault: schema.NotCSV})
		} else {
			w.tokens = w.tokens[:0]
			for _, cell := range cells {
				w.tokens = append(w.tokens, []byte(cell))
			}
			w.append(at, line, false)
		}
		at.line += max(lines, 0)
	}
	return at
}

// firstCSVLine finds the end of the first line that does not end within quotes.
func firstCSVLine(data []byte) int {
	quoted := false
	for i, c := range data {
		if c == '"' {
			quoted = !quoted
		} else if c == '\n' && !quoted {
			return i + 1
		}
	}
	return len(data)
}
