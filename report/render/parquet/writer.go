package parquet

import (
	"io"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// A Writer writes batches of records to one file in the order of Seq, which counts from 0 without gaps.
type Writer struct {
	file    *file
	turns   cells.Sequencer
	batches sync.Pool
}

// New starts a file. Its columns have the names of the fields and are INT32, INT64, DOUBLE, and STRING for texts
// and addresses, all optional. The metadata say what the records are: schema.FlowRecords or another of its kind. The
// times of schema.ReportRecords are timestamps in UTC, those of others Unix seconds, as flow logs have them.
func New(w io.Writer, fields schema.Table, holds string) (*Writer, error) {
	f, err := newFile(w, fields, holds)
	if err != nil {
		return nil, err
	}
	return &Writer{file: f}, nil
}

// SortedBy has the metadata say that the records are sorted by the named field, ascending, nulls last. It must be called
// before Add.
func (w *Writer) SortedBy(name string) {
	w.file.sortedBy = slices.IndexFunc(w.file.fields, func(f schema.Field) bool { return f.Name == name })
}

// GroupMemory limits the memory of a row group before encoding, if it is below the default; row groups become smaller. It
// must be called before Add.
func (w *Writer) GroupMemory(most int64) {
	w.file.groupMemory = int(min(most, groupMemory))
}

// Size estimates the bytes of the file if it ended here, without the dictionaries of the last row group. It must not be
// called during Add.
func (w *Writer) Size() int64 { return w.file.size() }

// Note adds a value to the metadata of the file. It must be called before Close.
func (w *Writer) Note(key, value string) {
	w.file.notes = append(w.file.notes, format.KeyValue{Key: key, Value: value})
}

// Written returns the bytes and records of the file. It is valid after Close.
func (w *Writer) Written() (bytes, records int64) { return w.file.at, w.file.rows }

// Add copies the records in the order of batches, then encodes full chunks concurrently with other calls. It is a
// schema.Emit: it may be called concurrently, and it returns once the batch may be reused. It waits for the batches before
// it. After an error every call returns that error.
func (w *Writer) Add(b schema.Batch) error {
	c, ok := w.batches.Get().(*batch)
	if !ok {
		c = new(batch)
	}
	defer w.batches.Put(c)
	if err := c.load(b, w.file.fields); err != nil {
		return w.turns.Fail(err)
	}
	var full []*chunk
	err := w.turns.Do(b.Seq, func() error {
		full = w.file.append(c)
		return nil
	})
	for _, chunk := range full {
		if e := w.file.encode(chunk); err == nil { // every one, also after an error: later chunks wait for it
			err = e
		}
	}
	if err != nil {
		return w.turns.Fail(err)
	}
	return nil
}

// Close writes the footer. It must follow the last Add, and does not close the underlying writer.
func (w *Writer) Close() error { return w.turns.Finish(w.file.close) }
