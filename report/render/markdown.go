package render

import (
	"io"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report"
)

// markdownReports writes a heading and a GitHub table for each report, with the row of others and the
// totals, and its notes below. The measure that ranks the rows has its shares of the total beside it.
func markdownReports(w io.Writer, doc Document, opt Options) error {
	for i, t := range doc.Tables {
		var buf []byte
		if i > 0 {
			buf = append(buf, '\n')
		}
		buf, err := appendMarkdownRows(w, appendMarkdownTitle(buf, t, opt), t)
		if err != nil {
			return err
		}
		for _, note := range notesOf(t) {
			buf = append(buf, "\nnote: "...)
			buf = appendMarkdown(buf, nil, note)
			buf = append(buf, '\n')
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// appendMarkdownTitle appends what precedes a report's table: heading, description, settings and missing fields.
func appendMarkdownTitle(buf []byte, t report.Table, opt Options) []byte {
	buf = append(buf, "## "...)
	if t.Title != "" {
		buf = appendMarkdown(buf, nil, t.Title)
	} else {
		buf = appendMarkdown(buf, nil, t.Name)
	}
	buf = append(buf, '\n')
	if t.Doc != "" {
		buf = append(buf, '\n')
		buf = appendMarkdown(buf, nil, t.Doc)
		buf = append(buf, '\n')
	}
	if words := sayOf(t, opt); words != nil {
		buf = appendMarkdown(append(buf, '\n'), nil, strings.Join(words, betweenSettings))
		buf = append(buf, '\n')
	}
	buf = append(buf, '\n')
	if t.Lacks != nil {
		buf = appendMarkdown(append(buf, "Not in these logs: "...), nil, strings.Join(t.Lacks, ", "))
		buf = append(buf, '\n')
	}
	return buf
}

// appendMarkdownRows appends a report's table. It writes buf to w whenever it is long, and returns the rest.
func appendMarkdownRows(w io.Writer, buf []byte, t report.Table) ([]byte, error) {
	var names []string
	var right []bool
	extra := shares(t)
	for i, c := range t.Columns {
		names, right = append(names, c.Name), append(right, numeric(c))
		if i == t.Order {
			for _, x := range extra {
				names, right = append(names, x.name), append(right, x.right)
			}
		}
	}
	if len(t.Columns) > 0 {
		buf = appendMarkdownHead(buf, names, right)
	}
	// row appends a row, with a label in place of the first value if there is one
	row := func(n int, values []any, label string) {
		for i, v := range values {
			buf = append(buf, "| "...)
			if i == 0 && label != "" {
				buf = append(buf, label...)
			} else {
				buf = appendPlain(buf, nil, v, appendMarkdown)
			}
			buf = append(buf, ' ')
			if i == t.Order {
				for _, x := range extra {
					buf = append(append(append(buf, "| "...), x.cell(n, values)...), ' ')
				}
			}
		}
		buf = append(buf, "|\n"...)
	}
	for n, values := range t.Rows {
		row(n, values, "")
		if len(buf) > 1<<16 { // few writes, and little memory for a long table
			if _, err := w.Write(buf); err != nil {
				return nil, err
			}
			buf = buf[:0]
		}
	}
	if t.Cut > 0 && len(t.Others) > 0 {
		row(len(t.Rows), t.Others, othersLabel(t))
	}
	if t.Totals != nil && len(t.Rows)+t.Cut+t.Excluded > 1 {
		row(len(t.Rows)+1, t.Totals, totalLabel)
	}
	return buf, nil
}

// numeric reports whether a column holds numbers, which are aligned to the right.
func numeric(c report.Column) bool {
	return c.Kind != schema.Text && c.Kind != schema.Addr && c.Kind != schema.Time && c.Unit != report.Instant
}

func appendMarkdownHead(dst []byte, names []string, right []bool) []byte {
	for _, name := range names {
		dst = append(appendMarkdown(append(dst, "| "...), nil, name), ' ')
	}
	dst = append(dst, "|\n"...)
	for i := range names {
		dst = append(dst, "| ---"...)
		if right[i] {
			dst = append(dst, ':')
		}
		dst = append(dst, ' ')
	}
	return append(dst, "|\n"...)
}

// markdownRecords writes a table of records.
func markdownRecords(w io.Writer, fields schema.Table, _ Options) (RecordWriter, error) {
	right := make([]bool, len(fields))
	for i, f := range fields {
		right[i] = f.Kind != schema.Text && f.Kind != schema.Addr
	}
	s := &stream{out: w, fields: fields}
	s.encode = func(p *page) error {
		dst, c := p.text, &p.cells
		for row := range c.Rows {
			for i := range c.Columns[:c.Known] {
				dst = append(dst, "| "...)
				if col := &c.Columns[i]; !col.Null(row) {
					dst = col.Append(dst, row, appendMarkdown)
				}
				dst = append(dst, ' ')
			}
			dst = append(dst, "|\n"...)
		}
		p.text = dst
		return nil
	}
	return s.start(string(appendMarkdownHead(nil, fields.Names(), right)))
}

// appendMarkdown appends a text that Markdown renders literally: it escapes characters that could begin markup, replaces
// those of HTML by entities, and keeps web addresses from becoming links.
func appendMarkdown(dst []byte, _ *schema.Field, s string) []byte {
	s = printable(s)
	for i := range len(s) {
		switch c := s[i]; c {
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '&':
			dst = append(dst, "&amp;"...)
		case '@':
			dst = append(dst, "&#64;"...)
		case '\\', '`', '*', '|', '[', ']', '!', '~', '$', '#':
			dst = append(dst, '\\', c)
		case '_':
			if i == 0 || i == len(s)-1 || !alphanumeric(s[i-1]) || !alphanumeric(s[i+1]) {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
		case ':':
			if strings.HasPrefix(s[i:], "://") {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
		case '.':
			if i >= 3 && strings.EqualFold(s[i-3:i], "www") {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
