package render

import (
	"io"

	"flowlog/parse/schema"
)

// ndjsonReports writes each row as an object on a line of its own, with the report's name as the first
// member. It streams the rows, of which there may be many.
func ndjsonReports(w io.Writer, doc Document, _ Options) error {
	var buf []byte
	for _, t := range doc.Tables {
		names := memberNames(t)
		head := jsonString([]byte(`{"report":`), t.Name)
		if t.Title != "" {
			head = jsonString(append(head, `,"title":`...), t.Title)
		}
		for _, row := range t.Rows {
			buf = appendMembers(append(buf, head...), t, names, row)
			buf = append(buf, "}\n"...)
			if len(buf) > 1<<16 {
				if _, err := w.Write(buf); err != nil {
					return err
				}
				buf = buf[:0]
			}
		}
	}
	_, err := w.Write(buf)
	return err
}

// ndjsonRecords writes each record as an object on a line of its own.
func ndjsonRecords(w io.Writer, fields schema.Table, _ Options) (RecordWriter, error) {
	members := jsonMembers(fields)
	s := &stream{out: w, fields: fields}
	s.encode = func(p *page) error {
		p.text = appendObjects(p.text, &p.cells, members, "\n")
		return nil
	}
	return s.start("")
}
