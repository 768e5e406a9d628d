package render

import (
	"cmp"
	"io"

	"flowlog/parse/schema"
	"flowlog/report/render/parquet"
)

// parquetRecords writes records in columns of the fields' names.
func parquetRecords(w io.Writer, fields schema.Table, opt Options) (RecordWriter, error) {
	return parquet.New(w, fields, cmp.Or(opt.Holds, schema.FlowRecords))
}
