package render

import (
	"io"
	"sync"

	"flowlog/parse/schema"
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
	f, err := newParquetFile(w, fields, true)
	if err != nil {
		return err
	}
	return writeAll(&parquetRecordWriter{file: f}, rec)
}

// parquetRecords writes records in columns of the fields' names: INT32, INT64, DOUBLE, and STRING for texts
// and addresses, all optional. Times are Unix seconds, as flow logs have them.
func parquetRecords(w io.Writer, fields schema.Table, _ Options) (RecordWriter, error) {
	f, err := newParquetFile(w, fields, false)
	return &parquetRecordWriter{file: f}, err
}

type parquetRecordWriter struct {
	file  *parquetFile
	turns sequencer
	cells sync.Pool
}

// Add copies the records in turn, then encodes what has become full while others go on.
func (w *parquetRecordWriter) Add(b schema.Batch) error {
	c, ok := w.cells.Get().(*cells)
	if !ok {
		c = new(cells)
	}
	defer w.cells.Put(c)
	if c.rows = 0; !empty(b) {
		if err := c.load(b.Record, w.file.fields); err != nil {
			return w.turns.fail(err)
		}
	}
	var full []*chunk
	err := w.turns.do(b.Seq, func() error {
		full = w.file.append(c)
		return nil
	})
	for _, chunk := range full {
		if e := w.file.encode(chunk); err == nil { // each of them, since later chunks wait for it
			err = e
		}
	}
	if err != nil {
		return w.turns.fail(err)
	}
	return nil
}

func (w *parquetRecordWriter) Close() error { return w.turns.finish(w.file.close) }
