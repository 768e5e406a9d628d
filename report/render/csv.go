package render

import (
	"io"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// csvReports writes a header and the rows by RFC 4180, with plain line feeds, for spreadsheets. A null is an empty cell.
// Totals, others and notes are left out. Unprintable characters are escaped, so that each row is a line.
func csvReports(w io.Writer, doc Document, _ Options) error {
	text := func(dst []byte, _ *schema.Field, s string) []byte {
		escaped := printable(s)
		if formula(s) {
			escaped = "'" + escaped
		}
		return appendCSV(dst, escaped)
	}
	return separated(w, "csv", ',', doc, text)
}

// formula reports whether a spreadsheet would evaluate a text as a formula; a quote before it prevents that. Only texts
// need it: a number may begin with a minus.
func formula(s string) bool { return s != "-" && s != "" && strings.IndexByte("=+-@\t\r\n", s[0]) >= 0 }

// separated writes the only report of a document with a separator between its columns.
func separated(w io.Writer, format string, between byte, doc Document, text cells.TextFunc) error {
	t, err := single(format, doc)
	if err != nil {
		return err
	}
	var buf []byte
	fields := make([]schema.Field, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = schema.Field{Name: c.Name, Kind: c.Kind}
		if i > 0 {
			buf = append(buf, between)
		}
		buf = text(buf, &fields[i], c.Name)
	}
	buf = append(buf, '\n')
	for _, row := range t.Rows {
		for i, v := range row {
			if i > 0 {
				buf = append(buf, between)
			}
			buf = appendPlain(buf, &fields[i], v, text)
		}
		if len(row) == 1 && row[0] == nil && between == ',' {
			buf = append(buf, onlyNull...)
		}
		buf = append(buf, '\n')
		if len(buf) > 1<<16 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err = w.Write(buf)
	return err
}

// csvRecords writes a header and the records for programs. `flowlog report` must read the same values back, so texts
// that look like formulas get no quote.
func csvRecords(w io.Writer, fields schema.Table, opt Options) (RecordWriter, error) {
	text := func(dst []byte, _ *schema.Field, s string) []byte { return appendCSV(dst, s) }
	if opt.Terminal {
		text = func(dst []byte, _ *schema.Field, s string) []byte { return appendCSV(dst, printable(s)) }
	}
	null := ""
	if len(fields) == 1 {
		null = onlyNull
	}
	return separatedRecords(w, fields, ',', null, text)
}

// onlyNull is a null in a row of one column: an empty cell would be a blank line, which readers skip.
const onlyNull = `""`

// separatedRecords writes records with a separator between their columns, and a text for null.
func separatedRecords(w io.Writer, fields schema.Table, between byte, null string, text cells.TextFunc) (RecordWriter, error) {
	s := &stream{out: w, fields: fields}
	s.encode = func(p *page) error {
		dst, c := p.text, &p.cells
		for row := range c.Rows {
			for i := range c.Columns[:c.Known] {
				if i > 0 {
					dst = append(dst, between)
				}
				if col := &c.Columns[i]; col.Null(row) {
					dst = append(dst, null...)
				} else {
					dst = col.Append(dst, row, text)
				}
			}
			dst = append(dst, '\n')
		}
		p.text = dst
		return nil
	}
	return s.start(strings.Join(fields.Names(), string(between)) + "\n")
}

// appendCSV appends a field, in quotes if it needs them. The empty text is quoted, to differ from null.
func appendCSV(dst []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, "\",\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		dst = append(append(dst, s[:i]...), `""`...)
		s = s[i+1:]
	}
	return append(append(dst, s...), '"')
}
