package render

import (
	"io"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go/format"

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
	f.holds = schema.ReportRecords
	return writeAll(&parquetRecordWriter{file: f}, rec)
}

// parquetRecords writes records in columns of the fields' names: INT32, INT64, DOUBLE, and STRING for texts
// and addresses, all optional. Times are Unix seconds, as flow logs have them.
func parquetRecords(w io.Writer, fields schema.Table, opt Options) (RecordWriter, error) {
	f, err := newParquetFile(w, fields, false)
	if err == nil && opt.Holds != "" {
		f.holds = opt.Holds
	}
	return &parquetRecordWriter{file: f}, err
}

// A ParquetWriter writes records in the format parquet and estimates the size of the file.
type ParquetWriter struct {
	parquetRecordWriter
}

// NewParquetWriter starts a file whose records are sorted by the named field, ascending, nulls last; "" is unsorted. The
// file's metadata say so.
func NewParquetWriter(w io.Writer, fields schema.Table, sortedBy string) (*ParquetWriter, error) {
	f, err := newParquetFile(w, fields, false)
	if err != nil {
		return nil, err
	}
	f.sortedBy = slices.IndexFunc(fields, func(f schema.Field) bool { return f.Name == sortedBy })
	return &ParquetWriter{parquetRecordWriter{file: f}}, nil
}

// GroupMemory limits the memory of a row group before encoding, if it is below the default; row groups become smaller. It
// must be called before Add.
func (w *ParquetWriter) GroupMemory(most int64) {
	w.file.groupMemory = int(min(most, groupMemory))
}

// Size estimates the bytes of the file if it ended here, without the dictionaries of the last row group. It must not be
// called during Add.
func (w *ParquetWriter) Size() int64 { return w.file.size() }

// Note adds a value to the metadata of the file. It must be called before Close.
func (w *parquetRecordWriter) Note(key, value string) {
	w.file.notes = append(w.file.notes, format.KeyValue{Key: key, Value: value})
}

// Written returns the bytes and records of the file. It is valid after Close.
func (w *ParquetWriter) Written() (bytes, records int64) { return w.file.at, w.file.rows }

type parquetRecordWriter struct {
	file  *parquetFile
	turns sequencer
	cells sync.Pool
}

// Add copies the records in the order of batches, then encodes full chunks concurrently with other calls.
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
		if e := w.file.encode(chunk); err == nil { // every one, also after an error: later chunks wait for it
			err = e
		}
	}
	if err != nil {
		return w.turns.fail(err)
	}
	return nil
}

func (w *parquetRecordWriter) Close() error { return w.turns.finish(w.file.close) }
