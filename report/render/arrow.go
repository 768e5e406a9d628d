package render

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// arrowRecords writes records as a stream: int32, int64 and float64 as they are, times in Unix seconds,
// texts in a dictionary<int32, utf8> of each batch, and addresses as utf8, since no other tool would know
// the 16 bytes for an address.
func arrowRecords(w io.Writer, fields schema.Table, opt Options) (RecordWriter, error) {
	return newArrowStream(w, fields, cmp.Or(opt.Holds, schema.FlowRecords))
}

// An arrowStream encodes batches concurrently. Each batch has its own dictionaries, so it does not depend on earlier
// ones.
type arrowStream struct {
	out    io.Writer
	fields schema.Table
	schema *arrow.Schema
	stamps bool   // Time columns are timestamps
	head   int    // length of the schema message
	end    []byte // the end of the stream
	turns  cells.Sequencer
	pages  sync.Pool
}

// newArrowStream starts a stream whose metadata say what it holds: a report, whose times are timestamps, or records.
func newArrowStream(w io.Writer, fields schema.Table, holds string) (*arrowStream, error) {
	s := &arrowStream{out: w, fields: fields, stamps: holds == schema.ReportRecords}
	columns := make([]arrow.Field, len(fields))
	for i, f := range fields {
		columns[i] = arrow.Field{Name: f.Name, Type: s.typeOf(f.Kind), Nullable: true}
	}
	about := arrow.NewMetadata([]string{schema.RecordsKey}, []string{holds})
	s.schema = arrow.NewSchema(columns, &about)
	var empty bytes.Buffer
	if err := ipc.NewWriter(&empty, ipc.WithSchema(s.schema)).Close(); err != nil {
		return nil, err
	}
	const endMark = 8 // the continuation marker and a length of 0
	s.head = empty.Len() - endMark
	s.end = empty.Bytes()[s.head:]
	_, err := w.Write(empty.Bytes()[:s.head])
	return s, err
}

func (s *arrowStream) typeOf(k schema.Kind) arrow.DataType {
	switch {
	case k == schema.Addr:
		return arrow.BinaryTypes.String
	case k == schema.Time && s.stamps:
		return arrow.FixedWidthTypes.Timestamp_s
	}
	return k.Arrow()
}

// An arrowPage is the memory for encoding one batch, reused for the next.
type arrowPage struct {
	cells   cells.Batch
	out     bytes.Buffer
	columns []arrowColumn
}

// An arrowColumn is the memory of a converted array.
type arrowColumn struct {
	ints []int32 // codes, or the offsets of addresses
	ends []int32 // the offsets of the words
	data []byte
	seen []int32 // by code of the batch: the code here + 1
}

func (s *arrowStream) Add(b schema.Batch) error {
	p, ok := s.pages.Get().(*arrowPage)
	if !ok {
		p = &arrowPage{columns: make([]arrowColumn, len(s.fields))}
	}
	defer s.pages.Put(p)
	p.out.Reset()
	if !cells.Empty(b) {
		if err := s.encode(p, b.Record); err != nil {
			return s.turns.Fail(err)
		}
	}
	return s.turns.Do(b.Seq, func() error {
		if p.out.Len() == 0 {
			return nil
		}
		_, err := s.out.Write(p.out.Bytes()[s.head:])
		return err
	})
}

func (s *arrowStream) encode(p *arrowPage, rec arrow.Record) error {
	if err := p.cells.Load(rec, s.fields); err != nil {
		return err
	}
	columns := make([]arrow.Array, len(s.fields))
	for i, f := range s.fields {
		a, c := rec.Column(i), &p.cells.Columns[i]
		switch {
		case f.Kind == schema.Addr:
			columns[i] = p.columns[i].addresses(c)
		case f.Kind == schema.Text:
			columns[i] = p.columns[i].texts(c)
		case c.Nulls > 0:
			columns[i] = p.columns[i].numbers(c, s.typeOf(f.Kind))
		case f.Kind == schema.Time && s.stamps:
			columns[i] = array.MakeFromData(retyped(a.Data(), s.typeOf(f.Kind)))
		default:
			a.Retain()
			columns[i] = a
		}
		defer columns[i].Release()
	}
	out := array.NewRecord(s.schema, columns, rec.NumRows())
	defer out.Release()
	return ipc.NewWriter(&p.out, ipc.WithSchema(s.schema)).Write(out)
}

// retyped is an array's data under another type of the same layout.
func retyped(d arrow.ArrayData, t arrow.DataType) arrow.ArrayData {
	return array.NewData(t, d.Len(), d.Buffers(), nil, d.NullN(), d.Offset())
}

// numbers converts numbers so that nulls have the value 0. In the batch they have leftovers of earlier batches, which
// would make the bytes of the output vary.
func (a *arrowColumn) numbers(c *cells.Column, t arrow.DataType) arrow.Array {
	width := 8
	if c.Kind == schema.Int32 {
		width = 4
	}
	a.data = cells.Resize(a.data, width*c.Rows)
	clear(a.data)
	if c.Nulls < c.Rows {
		for row := range c.Rows {
			if !c.Has(row) {
				continue
			}
			switch to := a.data[width*row:]; c.Kind {
			case schema.Int32:
				binary.LittleEndian.PutUint32(to, uint32(c.Ints[row]))
			case schema.Float:
				binary.LittleEndian.PutUint64(to, math.Float64bits(c.Floats[row]))
			default:
				binary.LittleEndian.PutUint64(to, uint64(c.Longs[row]))
			}
		}
	}
	return array.MakeFromData(array.NewData(t, c.Rows, []*memory.Buffer{bitmap(c), memory.NewBufferBytes(a.data)}, nil, c.Nulls, 0))
}

// addresses converts addresses to texts.
func (a *arrowColumn) addresses(c *cells.Column) arrow.Array {
	a.ints = append(a.ints[:0], 0)
	a.data = a.data[:0]
	for row := range c.Rows {
		if c.Nulls < c.Rows && !c.Null(row) {
			a.data = cells.AppendAddr(a.data, &c.Addrs[row])
		}
		a.ints = append(a.ints, int32(len(a.data)))
	}
	return array.NewStringData(array.NewData(arrow.BinaryTypes.String, c.Rows, []*memory.Buffer{
		bitmap(c), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(a.ints)), memory.NewBufferBytes(a.data),
	}, nil, c.Nulls, 0))
}

// texts converts texts to a dictionary array with only the values in use: the batch's dictionary may have many more.
func (a *arrowColumn) texts(c *cells.Column) arrow.Array {
	a.ints = cells.Resize(a.ints, c.Rows)
	a.ends = append(a.ends[:0], 0)
	a.data = a.data[:0]
	if c.Nulls == c.Rows {
		clear(a.ints)
	} else {
		a.seen = cells.Resize(a.seen, c.Words.Len())
		clear(a.seen)
		for row, code := range c.Codes {
			if c.Null(row) {
				a.ints[row] = 0
				continue
			}
			if a.seen[code] == 0 {
				a.data = append(a.data, c.Words.Value(int(code))...)
				a.ends = append(a.ends, int32(len(a.data)))
				a.seen[code] = int32(len(a.ends)) - 1
			}
			a.ints[row] = a.seen[code] - 1
		}
	}
	words := array.NewData(arrow.BinaryTypes.String, len(a.ends)-1, []*memory.Buffer{
		nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(a.ends)), memory.NewBufferBytes(a.data),
	}, nil, 0, 0)
	return array.NewDictionaryData(array.NewDataWithDictionary(schema.Text.Arrow(), c.Rows, []*memory.Buffer{
		bitmap(c), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(a.ints)),
	}, c.Nulls, 0, words))
}

// bitmap returns the validity bitmap of a column, from bit 0, or nil if no row is null.
func bitmap(c *cells.Column) *memory.Buffer {
	if c.Valid == nil {
		return nil
	}
	bits := make([]byte, (c.Rows+7)/8)
	bitutil.CopyBitmap(c.Valid, c.Bit, c.Rows, bits, 0)
	return memory.NewBufferBytes(bits)
}

func (s *arrowStream) Close() error {
	return s.turns.Finish(func() error {
		_, err := s.out.Write(s.end)
		return err
	})
}
