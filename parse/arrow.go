package parse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"flowlog/parse/schema"
)

// arrowFile is the magic word of an Arrow file, which is an Arrow stream with that word before and an index behind it.
const arrowFile = "ARROW1\x00\x00"

func isArrow(head []byte, _ Options) bool {
	return bytes.HasPrefix(head, []byte(arrowFile)) || bytes.HasPrefix(head, []byte(arrowMessage))
}

// arrowMessage begins each message of a stream.
const arrowMessage = "\xff\xff\xff\xff"

// errNoStream is the error for an Arrow file that cannot be read from its start on.
var errNoStream = errors.New("arrow: no stream begins after the magic word, as in files of Polars: " +
	"write the records as a stream (write_ipc_stream) or as Parquet")

// readArrow reads Arrow IPC. Each record batch is a block.
func readArrow(in *input, c *content) error {
	skip := 0
	if bytes.HasPrefix(c.head, []byte(arrowFile)) {
		skip = len(arrowFile)
		if !bytes.HasPrefix(c.head[skip:], []byte(arrowMessage)) {
			return errNoStream
		}
	}
	messages := &arrowMessages{r: c.Reader(skip), file: skip > 0}
	r, err := ipc.NewReaderFromMessageReader(messages, ipc.WithAllocator(arrowMemory{memory.DefaultAllocator, messages}))
	if err != nil {
		return named("arrow", err)
	}
	defer r.Release()
	var raw []string
	for _, f := range r.Schema().Fields() {
		raw = append(raw, f.Name)
	}
	names := in.opt.fields(raw)
	holds, _ := r.Schema().Metadata().GetValue(schema.RecordsKey)
	if err := in.opt.holding("arrow", holds, names, in.projection); err != nil {
		return fmt.Errorf("arrow: %w", wholeRecords(err, raw))
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

// recoveredIn turns a panic of a library's decoder into an error of the block's object.
func recoveredIn(b *block) {
	if r := recover(); r != nil {
		b.fail(damaged(r))
	}
}

// arrow decodes a record batch.
func (w *worker) arrow(rec arrow.Record, at place) {
	t := columns{w: w, rows: int(rec.NumRows())}
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
		t.add(c, convert(c, values.Len(), arrowValue(values, arrowLogicalType(values.DataType()))), index)
	}
	t.done(at.line)
}

// arrowLogicalType is the meaning of the values of a type.
func arrowLogicalType(t arrow.DataType) logicalType {
	switch t := t.(type) {
	case *arrow.TimestampType:
		return instants(int64(time.Second / t.Unit.Multiplier()))
	case *arrow.Date32Type:
		return dates
	case *arrow.Date64Type:
		return instants(1e3)
	case arrow.DecimalType:
		return logicalType{what: decimal, scale: int(t.GetScale())}
	case *arrow.Uint64Type:
		return logicalType{what: unsigned}
	}
	return logicalType{}
}

// arrowValue returns the function that appends a value of an array.
func arrowValue(values arrow.Array, as logicalType) func(c *schema.Column, i int) (schema.Fault, string) {
	value := arrowValueOf(values, as)
	if values.NullN() == 0 {
		return value
	}
	return func(c *schema.Column, i int) (schema.Fault, string) {
		if values.IsNull(i) {
			c.Null()
			return schema.Valid, ""
		}
		return value(c, i)
	}
}

// arrowValueOf is arrowValue for values that are not null.
func arrowValueOf(values arrow.Array, as logicalType) func(c *schema.Column, i int) (schema.Fault, string) {
	if whole := arrowWhole(values); whole != nil {
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.whole(c, whole(i), 64) }
	}
	switch a := values.(type) {
	case *array.Float16:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.real(c, float64(a.Value(i).Float32())) }
	case *array.Float32:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.real(c, float64(a.Value(i))) }
	case *array.Float64:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.real(c, a.Value(i)) }
	case *array.Decimal128:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.unscaled(c, a.Value(i).BigInt()) }
	case *array.Decimal256:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.unscaled(c, a.Value(i).BigInt()) }
	case *array.FixedSizeBinary:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.bytes(c, a.Value(i)) }
	case *array.String:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.text(c, []byte(a.Value(i))) }
	case *array.LargeString:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.text(c, []byte(a.Value(i))) }
	case *array.Binary:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.text(c, a.Value(i)) }
	case *array.LargeBinary:
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.text(c, a.Value(i)) }
	}
	return func(c *schema.Column, i int) (schema.Fault, string) { return as.text(c, []byte(values.ValueStr(i))) }
}

// arrowWhole returns the function for the whole number of a value, or nil if the values are none.
func arrowWhole(values arrow.Array) func(i int) int64 {
	switch a := values.(type) {
	case *array.Int8:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Int16:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Int32:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Int64:
		return a.Value
	case *array.Uint8:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Uint16:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Uint32:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Uint64:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Timestamp:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Date32:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Date64:
		return func(i int) int64 { return int64(a.Value(i)) }
	}
	return nil
}
