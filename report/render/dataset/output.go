package dataset

import (
	"context"
	"errors"
	"hash"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report/render/parquet"
)

// output is a data file being written.
type output struct {
	name    string
	file    File
	sum     hash.Hash32 // of what was written
	parquet *parquet.Writer
	fields  schema.Table
	schema  *arrow.Schema
	seq     int64
}

func (w *Writer) create(ctx context.Context, name string, fields schema.Table) (*output, error) {
	file, err := w.dataset.store.Create(ctx, name)
	if err != nil {
		return nil, err
	}
	o := &output{name: name, file: file, sum: Checksum(), fields: fields, schema: fields.Arrow()}
	if o.parquet, err = parquet.New(io.MultiWriter(file, o.sum), fields, schema.FlowRecords); err != nil {
		return nil, errors.Join(err, file.Discard())
	}
	o.parquet.SortedBy(Clock)
	o.parquet.GroupMemory(max(w.Memory/2, leastGroup))
	return o, nil
}

// leastGroup is the minimum memory of a row group. Below it a file with many columns is mostly metadata.
const leastGroup = 4 << 20

// record writes sorted rows.
func (o *output) add(r *rows, columns []int) error {
	arrays := make([]arrow.Array, len(columns))
	for i, at := range columns {
		c := r.columns[at]
		if c == nil {
			c = schema.NewColumn(o.fields[i])
			c.Pad(len(r.order))
		}
		arrays[i] = c.Array()
		defer arrays[i].Release()
	}
	rec := array.NewRecord(o.schema, arrays, int64(len(r.order)))
	defer rec.Release()
	err := o.parquet.Add(schema.Batch{Record: rec, Seq: o.seq})
	o.seq++
	return err
}

// seal completes the file; on an error the file is discarded.
func (o *output) seal() (Part, error) {
	if err := o.parquet.Close(); err != nil {
		return Part{}, errors.Join(err, o.file.Discard())
	}
	size, n := o.parquet.Written()
	seal, err := o.file.Seal()
	return Part{Name: o.name, Rows: n, Size: size, Seal: seal, Sum: SumText(o.sum)}, err
}
