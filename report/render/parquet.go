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
func parquetRecords(w io.Writer, fields schema.Table, _ Options) (RecordWriter, error) {
	f, err := newParquetFile(w, fields, false)
	return &parquetRecordWriter{file: f}, err
}

// A ParquetWriter writes records as the format parquet does, and says how large the file becomes.
type ParquetWriter struct {
	parquetRecordWriter
}

// NewParquetWriter starts a file whose records come in the order of the named field, smallest first, nulls last;
// "" is no order. The file says so.
func NewParquetWriter(w io.Writer, fields schema.Table, sortedBy string) (*ParquetWriter, error) {
	f, err := newParquetFile(w, fields, false)
	if err != nil {
		return nil, err
	}
	f.sortedBy = slices.IndexFunc(fields, func(f schema.Field) bool { return f.Name == sortedBy })
	return &ParquetWriter{parquetRecordWriter{file: f}}, nil
}

// GroupMemory bounds what the values of a row group take before they are encoded, if that is less than usual: row groups
// become smaller. It must be called before Add.
func (w *ParquetWriter) GroupMemory(most int64) {
	w.file.groupMemory = int(min(most, groupMemory))
}

// Size is how many bytes the file would have if it ended here, give or take the dictionaries of the last row
// group. It must not be called during Add.
func (w *ParquetWriter) Size() int64 { return w.file.size() }

// Note puts a value into the metadata of the file. It must be called before Close.
func (w *parquetRecordWriter) Note(key, value string) {
	w.file.notes = append(w.file.notes, format.KeyValue{Key: key, Value: value})
}

// Written is how many bytes and records the file has. It is for after Close.
func (w *ParquetWriter) Written() (bytes, records int64) { return w.file.at, w.file.rows }

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
