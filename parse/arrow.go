package parse

import (
	"bytes"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"flowlog/parse/schema"
)

// An Arrow file is an Arrow stream with a magic word before and an index behind it.
const arrowFile = "ARROW1\x00\x00"

func isArrow(head []byte, _ Options) bool {
	return bytes.HasPrefix(head, []byte(arrowFile)) || bytes.HasPrefix(head, []byte("\xff\xff\xff\xff"))
}

// readArrow reads Arrow IPC. Each record batch is a block.
func readArrow(in *input, c *content) error {
	skip := 0
	if bytes.HasPrefix(c.head, []byte(arrowFile)) {
		skip = len(arrowFile)
	}
	r, err := ipc.NewReader(c.Reader(skip))
	if err != nil {
		return named("arrow", err)
	}
	defer r.Release()
	var raw, names []string
	for _, f := range r.Schema().Fields() {
		raw, names = append(raw, f.Name), append(names, in.opt.field(f.Name))
	}
	preferOwn(raw, names)
	holds, _ := r.Schema().Metadata().GetValue(schema.RecordsKey)
	if err := holding(holds, names, in.projection, in.opt); err != nil {
		return fmt.Errorf("arrow: %w", err)
	}
	l := in.intern(&layout{names: names}, in.object)
	first := &place{layout: l}
	in.current.Store(l)
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return named("arrow", err)
		}
		rec.Retain()
		more := in.send(&block{start: first, done: rec.Release, decode: func(w *worker, b *block, at place) place {
			defer recoveredIn(b)
			w.arrow(rec, at)
			at.line += rec.NumRows()
			return at
		}})
		if !more {
			return nil
		}
		first = nil
	}
}

// recoveredIn makes a panic of a decoder that we did not write an error of the block's object.
func recoveredIn(b *block) {
	if r := recover(); r != nil {
		b.fail(fmt.Errorf("the file is damaged (%v)", r))
	}
}

// arrow decodes a record batch.
func (w *worker) arrow(rec arrow.Record, at place) {
	t := columns{w: w, rows: int(rec.NumRows()), bad: make(map[int32]rowProblem)}
	for i, c := range w.bind(at.layout).cols {
		if c == nil {
			continue
		}
		values := rec.Column(i)
		index := make([]int32, t.rows)
		for row := range index {
			index[row] = int32(row)
			if values.IsNull(row) {
				index[row] = -1
			}
		}
		if d, ok := values.(*array.Dictionary); ok {
			for row := range index {
				if index[row] >= 0 {
					index[row] = int32(d.GetValueIndex(row))
				}
			}
			values = d.Dictionary()
		}
		t.add(c, convert(c, values.Len(), arrowValue(values)), index)
	}
	t.done(at.line)
}

// arrowValue returns the function that appends a value of an array.
func arrowValue(values arrow.Array) func(c *schema.Column, i int) (schema.Fault, string) {
	switch a := values.(type) {
	case *array.Int32:
		return func(c *schema.Column, i int) (schema.Fault, string) { return appendInt(c, int64(a.Value(i))) }
	case *array.Int64:
		return func(c *schema.Column, i int) (schema.Fault, string) { return appendInt(c, a.Value(i)) }
	case *array.Float64:
		return func(c *schema.Column, i int) (schema.Fault, string) { return appendFloat(c, a.Value(i)) }
	case *array.FixedSizeBinary:
		if a.DataType().(*arrow.FixedSizeBinaryType).ByteWidth == 16 {
			return func(c *schema.Column, i int) (schema.Fault, string) {
				if c.Kind != schema.Addr {
					return appendText(c, a.Value(i))
				}
				c.Addr = append(c.Addr, [16]byte(a.Value(i)))
				return schema.Valid, ""
			}
		}
	case *array.String:
		return func(c *schema.Column, i int) (schema.Fault, string) { return appendText(c, []byte(a.Value(i))) }
	}
	return func(c *schema.Column, i int) (schema.Fault, string) {
		if values.IsNull(i) {
			c.Null()
			return schema.Valid, ""
		}
		return appendText(c, []byte(values.ValueStr(i)))
	}
}
