package render

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render/cells"
)

// typedReports writes the only report of a document as the only batch of a format of records: keys by their kind, addresses
// as text, times as timestamps in UTC.
func typedReports(format string, open func(io.Writer, schema.Table, Options) (RecordWriter, error)) func(io.Writer, Document, Options) error {
	return func(w io.Writer, doc Document, _ Options) error {
		t, err := single(format, doc)
		if err != nil {
			return err
		}
		fields, rec, err := tableRecord(t)
		if err != nil {
			return err
		}
		defer rec.Release()
		out, err := open(w, fields, Options{Holds: schema.ReportRecords})
		if err != nil {
			return err
		}
		if err := out.Add(schema.Batch{Record: rec}); err != nil {
			return err
		}
		return out.Close()
	}
}

// tableRecord converts the rows of a report to a record, for formats with typed columns. The caller releases it.
func tableRecord(t report.Table) (schema.Table, arrow.Record, error) {
	fields := make(schema.Table, len(t.Columns))
	columns := make([]arrow.Array, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = schema.Field{Name: c.Name, Kind: c.Kind}
		if c.Unit == report.Instant {
			fields[i].Kind = schema.Time
		}
		column := schema.NewColumn(fields[i])
		for _, row := range t.Rows {
			if err := appendValue(column, row[i]); err != nil {
				return nil, nil, fmt.Errorf("report %s: column %s: %w", t.Name, c.Name, err)
			}
		}
		columns[i] = column.Array()
		defer columns[i].Release()
	}
	return fields, array.NewRecord(fields.Arrow(), columns, int64(len(t.Rows))), nil
}

// appendValue appends a value of a report to a column of its declared kind.
func appendValue(c *schema.Column, v any) error {
	if isNull(v) {
		c.Null()
		return nil
	}
	ok := false
	switch c.Kind {
	case schema.Int32:
		var n int64
		if n, ok = v.(int64); ok {
			c.Int32 = append(c.Int32, int32(n))
			ok = int64(int32(n)) == n
		}
	case schema.Int64:
		var n int64
		if n, ok = v.(int64); ok {
			c.Int64 = append(c.Int64, n)
		}
	case schema.Float:
		var n float64
		if n, ok = number(v); ok {
			c.Float = append(c.Float, n)
		}
	case schema.Time:
		switch v := v.(type) {
		case time.Time:
			c.Int64, ok = append(c.Int64, v.Unix()), true
		case int64: // Unix seconds of a logged field
			c.Int64, ok = append(c.Int64, v), true
		}
	case schema.Addr:
		var a netip.Addr
		if a, ok = v.(netip.Addr); ok {
			c.Addr = append(c.Addr, a.As16())
		}
	case schema.Text:
		s, isText := v.(string)
		if !isText {
			s = fmt.Sprint(v)
		}
		ok = true
		c.Text(cells.ToUTF8(s))
	}
	if !ok {
		return fmt.Errorf("%v is not a value of kind %s", v, c.Kind)
	}
	return nil
}
