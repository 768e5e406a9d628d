package enrich

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"flowlog/parse/schema"
)

// readCSV reads a table whose first line names the columns, separated by commas, semicolons or tabs. It skips blank
// lines and those that begin with #.
func (t *Table) readCSV(file string, content []byte) error {
	in := csv.NewReader(bytes.NewReader(content))
	in.Comma = separator(content)
	in.Comment = '#'
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = in.Comma != '\t' // with tabs it would remove empty cells
	in.ReuseRecord = true

	var h *header
	for {
		cells, err := in.Read()
		if err == io.EOF {
			break
		}
		if bad := new(csv.ParseError); errors.As(err, &bad) {
			return fmt.Errorf("%s:%d: column %d: %s", file, bad.StartLine, len(cells)+1, quoteFault(bad.Err))
		}
		line, _ := in.FieldPos(0)
		for i := range cells {
			if !utf8.ValidString(cells[i]) {
				return fmt.Errorf("%s:%d: column %d: %q is not UTF-8 text: save the file as CSV in UTF-8", file, line, i+1, cells[i])
			}
			cells[i] = strings.TrimSpace(cells[i])
		}
		if strings.Join(cells, "") == "" {
			continue // as spreadsheets write blank lines
		}
		if h == nil {
			if h, err = t.readHeader(file, line, cells); err != nil {
				return err
			}
			continue
		}
		if err := t.readRow(h, line, cells); err != nil {
			return err
		}
	}
	if h == nil {
		return fmt.Errorf("%s:1: column 1: the file is empty: its first line must name the columns, as in cidr,name", file)
	}
	return nil
}

// quoteFault says what is wrong with the quotes of a line, and how to correct it.
func quoteFault(err error) string {
	if errors.Is(err, csv.ErrBareQuote) {
		return `there is a quote in the middle of the cell: put quotes around all of it, and write "" for a quote in it`
	}
	return `the quote that opens the cell has no match at its end: write "" for a quote in it`
}

// separator returns the most frequent separator in the first line that is neither blank nor a comment.
func separator(content []byte) rune {
	for line := range bytes.Lines(content) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		best, most := ',', bytes.Count(line, []byte(","))
		for _, c := range ";\t" {
			if n := bytes.Count(line, []byte(string(c))); n > most {
				best, most = c, n
			}
		}
		return best
	}
	return ','
}

// A header is the meaning of each column of a CSV file.
type header struct {
	file     string
	titles   []string       // as in the file
	key      int            // the key's column
	protocol int            // the column that a port's protocol is in, or -1
	columns  []*tableColumn // of the table; nil for the key and for columns without a name
}

// readHeader assigns the columns. The key is the first one with the name of a key.
func (t *Table) readHeader(file string, line int, titles []string) (*header, error) {
	h := &header{file: file, key: -1, protocol: -1}
	names := make([]string, len(titles))
	for i, title := range titles {
		h.titles = append(h.titles, strings.Clone(title))
		if names[i] = fieldName(title); names[i] == "" {
			continue
		}
		if key := keyNamed(names[i]); key != nil && h.key < 0 {
			if t.key != nil && t.key != key || t.key == nil && t.index != nil {
				return nil, fmt.Errorf("%s: all files of a table must have the same kind of key: give this one another name", h.at(line, i))
			}
			h.key = i
			if t.key == nil {
				t.key, t.index = key, []index{key.index()}
			}
		}
	}
	if h.key < 0 {
		return nil, noKey(h, line, names)
	}
	_, isPorts := t.index[0].(*portNumbers)
	for i, title := range h.titles {
		var column *tableColumn
		switch {
		case i == h.key:
		case isPorts && h.protocol < 0 && (names[i] == "protocol" || names[i] == "proto" || names[i] == "transport_protocol"):
			h.protocol = i
		case title == "": // a spreadsheet's empty column; readRow checks that its cells are empty
		case names[i] == "":
			return nil, fmt.Errorf("%s: the name of a column becomes a part of the names of fields: call it something of letters, digits and _", h.at(line, i))
		default:
			for j, name := range names[:i] {
				if name == names[i] && j != h.key && j != h.protocol {
					return nil, fmt.Errorf("%s: column %d has the same name: rename one of them", h.at(line, i), j+1)
				}
			}
			if schema.CanonicalName(names[i]) == "" && len(t.index[0].joins("")[0].prefix) == 0 {
				return nil, fmt.Errorf("%s: the column's name becomes the name of a field, which begins with a letter: rename it", h.at(line, i))
			}
			column = t.column(names[i], h.at(line, i))
		}
		h.columns = append(h.columns, column)
	}
	if _, ok := t.index[0].(*networks); len(t.columns) == 0 && !ok {
		return nil, fmt.Errorf("%s: there is nothing to look up, since this is the only column: add one, as in %s,name", h.at(line, h.key), names[h.key])
	}
	return h, nil
}

// at formats the position of a cell.
func (h *header) at(line, column int) string {
	if h.titles[column] == "" {
		return fmt.Sprintf("%s:%d: column %d", h.file, line, column+1)
	}
	return fmt.Sprintf("%s:%d: column %d (%s)", h.file, line, column+1, h.titles[column])
}

// noKey returns the error for a header without a key column.
func noKey(h *header, line int, names []string) error {
	var all, first []string
	for _, key := range tableKeys {
		all = append(all, key.names...)
		first = append(first, key.names[:min(len(key.names), 2)]...)
	}
	for i, title := range h.titles {
		if _, err := parseNetwork(title); err == nil {
			return fmt.Errorf("%s: the first line must name the columns: put one like cidr,name before it", h.at(line, i))
		}
	}
	hint := "call the one that the others are about"
	place := fmt.Sprintf("%s:%d: column 1", h.file, line)
	for i, name := range names {
		if near := schema.Nearest(name, all); name != "" && near != "" {
			place, hint = h.at(line, i), fmt.Sprintf("did you mean %s? Such names are", near)
			break
		}
	}
	return fmt.Errorf("%s: no column has the name of a key (%s): %s %s", place, strings.Join(h.titles, ", "), hint, schema.Join(first, "or"))
}

func (t *Table) readRow(h *header, line int, cells []string) error {
	if len(cells) != len(h.titles) {
		fix := "put quotes around a cell that has a separator in it"
		if len(cells) < len(h.titles) {
			fix = "a cell that is empty needs its separator too"
		}
		return fmt.Errorf("%s:%d: column %d: the line has %d cells, the first line %d: %s", h.file, line, min(len(cells), len(h.titles))+1, len(cells), len(h.titles), fix)
	}
	key := cells[h.key]
	if key == "" {
		return fmt.Errorf("%s: the cell is empty: fill it in, or take the line out", h.at(line, h.key))
	}
	if h.protocol >= 0 {
		if _, ok := protocolNumber(cells[h.protocol]); !ok {
			return fmt.Errorf("%s: %q is not a protocol: write its number, a name such as tcp or udp, or any", h.at(line, h.protocol), cells[h.protocol])
		}
		key += "/" + cells[h.protocol]
	}
	row := t.row(h.file, line)
	for i, cell := range cells {
		switch column := h.columns[i]; {
		case column != nil && cell != "-":
			t.set(column, cell)
		case column == nil && cell != "" && h.titles[i] == "":
			return fmt.Errorf("%s: %q is in a column that has no name: name it in the first line", h.at(line, i), cell)
		}
	}
	before, err := t.index[0].add(strings.Clone(key), row)
	if err != nil {
		return fmt.Errorf("%s: %w", h.at(line, h.key), err)
	}
	if before != noRow && !t.same(before, row) {
		return fmt.Errorf("%s: %q is in %s too, with other cells: take one of the lines out; if another column is meant to be the key, put it first", h.at(line, h.key), key, t.rows[before])
	}
	return nil
}

// fieldName converts a title to part of a field name: lower case, with _ for runs of other characters than letters and
// digits. It returns "" if the title has letters outside ASCII, or no letters and digits.
func fieldName(title string) string {
	var b strings.Builder
	gap := false
	for _, c := range strings.ToLower(title) {
		switch {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			gap = false
			b.WriteRune(c)
		case c >= utf8.RuneSelf:
			return ""
		default:
			gap = true
		}
	}
	return b.String()
}
