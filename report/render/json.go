package render

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render/cells"
)

// jsonReports writes one document: {"report":…,"change":{…},"rows":[…],"totals":{…},"others":{…},"excluded":…,"input":{…}} for
// one
// report, {"reports":[{…}, …],"input":{…}} for several. Nulls are left out.
func jsonReports(w io.Writer, doc Document, _ Options) error {
	out := indenter{w: w}
	if len(doc.Tables) == 1 {
		out.text("{")
		out.report(doc.Tables[0], "\n  ")
	} else {
		out.text("{\n  \"reports\": [")
		for i, t := range doc.Tables {
			if i > 0 {
				out.text(",")
			}
			out.text("\n    {")
			out.report(t, "\n      ")
			out.text("\n    }")
		}
		if len(doc.Tables) > 0 {
			out.text("\n  ")
		}
		out.text("]")
	}
	member, value := "input", any(doc.Input)
	if doc.Queries != nil {
		member, value = "queries", doc.Queries
	}
	input, err := json.Marshal(value)
	if err != nil {
		return err
	}
	out.text(",\n  \"" + member + "\": ")
	out.value(input, "  ")
	out.text("\n}\n")
	return out.flush()
}

// An indenter collects indented JSON and writes it in pieces.
type indenter struct {
	w   io.Writer
	buf bytes.Buffer
	row []byte
	err error
}

// report writes the members of a report's object, each after the line break nl.
func (o *indenter) report(t report.Table, nl string) {
	o.head(t, nl)
	names := memberNames(t)
	o.text("," + nl + `"rows": [`)
	for i, row := range t.Rows {
		if i > 0 {
			o.text(",")
		}
		o.text(nl + "  ")
		o.row = append(appendMembers(append(o.row[:0], '{'), t, names, row), '}')
		o.value(o.row, nl[1:]+"  ")
	}
	if len(t.Rows) > 0 {
		o.text(nl)
	}
	o.text("]")
	if t.Totals != nil {
		o.text("," + nl + `"totals": `)
		o.value(append(appendMembers([]byte{'{'}, t, names, t.Totals), '}'), nl[1:])
	}
	if t.Cut > 0 {
		o.text("," + nl + `"others": `)
		others := strconv.AppendInt([]byte(`{"rows":`), int64(t.Cut), 10)
		o.value(append(appendMembers(others, t, names, t.Others), '}'), nl[1:])
	}
	if t.Excluded > 0 {
		o.text("," + nl + `"excluded": ` + strconv.Itoa(t.Excluded))
	}
}

// head writes the members before the rows.
func (o *indenter) head(t report.Table, nl string) {
	o.text(nl + `"report": `)
	o.value(jsonString(nil, t.Name), "")
	if t.Title != "" { // what several panels of a dashboard may have in common is not their title
		for _, member := range [][2]string{{"tab", t.Tab}, {"title", t.Title}, {"command", t.Command}} {
			o.text("," + nl + `"` + member[0] + `": `)
			o.value(jsonString(nil, member[1]), "")
		}
	}
	if len(t.Settings) > 0 {
		o.text("," + nl + `"change": `)
		o.value(jsonSettings(t.Settings), nl[1:])
	}
	if t.Lacks != nil {
		o.text("," + nl + `"lacks": [`)
		for i, field := range t.Lacks {
			if i > 0 {
				o.text(", ")
			}
			o.value(jsonString(nil, field), "")
		}
		o.text("]")
	}
	if len(t.Notes) > 0 {
		o.text("," + nl + `"notes": [`)
		for i, note := range t.Notes {
			if i > 0 {
				o.text(",")
			}
			o.text(nl + "  ")
			o.value(jsonString(nil, note), "")
		}
		o.text(nl + "]")
	}
}

// jsonSettings writes settings as an object. Each value is what the flag takes; only a number of rows is a number.
func jsonSettings(settings []report.Setting) []byte {
	dst := []byte{'{'}
	for i, s := range settings {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsonString(dst, strings.ReplaceAll(s.Name, "-", "_")), ':')
		if _, err := strconv.Atoi(s.Value); err == nil && s.Name == "top" {
			dst = append(dst, s.Value...)
		} else {
			dst = jsonString(dst, s.Value)
		}
	}
	return append(dst, '}')
}

func (o *indenter) text(s string) {
	o.buf.WriteString(s)
	if o.buf.Len() > 1<<16 {
		o.send()
	}
}

// value writes compact JSON, its further lines after the prefix.
func (o *indenter) value(compact []byte, prefix string) {
	if err := json.Indent(&o.buf, compact, prefix, "  "); err != nil && o.err == nil {
		o.err = err
	}
}

// send writes what has been collected, unless that has failed before.
func (o *indenter) send() {
	if o.err == nil {
		_, o.err = o.w.Write(o.buf.Bytes())
	}
	o.buf.Reset()
}

// flush writes the rest and returns the first error.
func (o *indenter) flush() error {
	o.send()
	return o.err
}

// memberNames are the columns' names as JSON writes them before a value: "name":
func memberNames(t report.Table) [][]byte {
	names := make([][]byte, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = append(jsonString(nil, c.Name), ':')
	}
	return names
}

// appendMembers writes the values of a row as members of an object that has been opened.
func appendMembers(dst []byte, t report.Table, names [][]byte, row []any) []byte {
	for i := range t.Columns {
		if i >= len(row) || isNull(row[i]) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, names[i]...)
		switch v := row[i].(type) {
		case time.Time:
			dst = append(v.UTC().AppendFormat(append(dst, '"'), time.RFC3339), '"')
		case netip.Addr:
			dst = append(v.AppendTo(append(dst, '"')), '"')
		default:
			dst = appendPlain(dst, nil, v, jsonText)
		}
	}
	return dst
}

// jsonRecords writes an array with an object for each record, one to a line.
func jsonRecords(w io.Writer, fields schema.Table, _ Options) (RecordWriter, error) {
	members := jsonMembers(fields)
	s := &stream{out: w, fields: fields, between: ",\n", end: "\n]\n"}
	s.encode = func(p *page) error {
		p.text = appendObjects(p.text, &p.cells, members, ",\n")
		p.text = p.text[:len(p.text)-len(",\n")]
		return nil
	}
	return s.start("[\n")
}

// jsonMembers are the fields' names as JSON writes them before a value: ,"name":
func jsonMembers(fields schema.Table) []string {
	members := make([]string, len(fields))
	for i, f := range fields {
		members[i] = jsonMember(f.Name)
	}
	return members
}

func jsonMember(name string) string { return string(append(jsonString([]byte{','}, name), ':')) }

// appendObjects writes each row as an object of the values that are not null, with an end after it.
func appendObjects(dst []byte, c *cells.Batch, members []string, end string) []byte {
	members = slices.Clip(members)
	for _, extra := range c.Columns[c.Known:] {
		members = append(members, jsonMember(extra.Name))
	}
	// columns without any value are common, so that they cost nothing per row
	full := make([]int, 0, len(c.Columns))
	for i := range c.Columns {
		if c.Columns[i].Nulls < c.Rows {
			full = append(full, i)
		}
	}
	for row := range c.Rows {
		start := len(dst)
		for _, i := range full {
			col := &c.Columns[i]
			if col.Null(row) {
				continue
			}
			dst = append(dst, members[i]...)
			if col.Kind == schema.Addr {
				dst = append(cells.AppendAddr(append(dst, '"'), &col.Addrs[row]), '"')
			} else {
				dst = col.Append(dst, row, jsonText)
			}
		}
		if len(dst) == start {
			dst = append(dst, '{')
		}
		dst[start] = '{' // in place of the comma before the first member
		dst = append(dst, '}')
		dst = append(dst, end...)
	}
	return dst
}

func jsonText(dst []byte, _ *schema.Field, s string) []byte { return jsonString(dst, s) }

// jsonString writes a string literal. Whatever is not printable is escaped, more than JSON asks for, so that
// it is harmless on a terminal and yet arrives unchanged; bytes that are not UTF-8 become
// U+FFFD, as JSON cannot hold them.
func jsonString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	plain := 0 // what comes before has been written
	for i := 0; i < len(s); {
		c := s[i]
		if ' ' <= c && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
			if strconv.IsPrint(r) && !(r == utf8.RuneError && size == 1) {
				i += size
				continue
			}
		}
		dst = append(dst, s[plain:i]...)
		i += size
		plain = i
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			dst = appendHex(append(dst, `\u`...), uint32(hi), 4)
			dst = appendHex(append(dst, `\u`...), uint32(lo), 4)
		default:
			dst = appendHex(append(dst, `\u`...), uint32(r), 4)
		}
	}
	dst = append(dst, s[plain:]...)
	return append(dst, '"')
}
