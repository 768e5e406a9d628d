package render

import (
	"cmp"
	"io"

	"flowlog/parse/schema"
	"flowlog/report/render/parquet"
)

// parquetReports writes the only report of a document: keys by their kind, addresses as text, times as
// timestamps in UTC.
func parquetReports(w io.Writer, doc Document, _ Options) error {
	t, err := single("parquet", doc)
	if err != nil {
		return err
	}
	fields, rec, err := tableRecord(t)
	if err != nil {
		return err
	}
	defer rec.Release()
	out, err := parquet.New(w, fields, schema.ReportRecords)
	if err != nil {
		return err
	}
	return writeAll(out, rec)
}

// parquetRecords writes records in columns of the fields' names.
func parquetRecords(w io.Writer, fields schema.Table, opt Options) (RecordWriter, error) {
	return parquet.New(w, fields, cmp.Or(opt.Holds, schema.FlowRecords))
}
