package group

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
	"flowlog/report/function"
)

// Groups leave a worker as an Arrow record with a row for each group: the keys, how many records the group has, and the
// states of the accumulators as bytes, one after the other. Any worker for the same reports can load it, in this process or
// in another one.

// The columns behind those of the keys.
const (
	recordsColumn = "records"
	statesColumn  = "states"
)

// unload returns the record of some groups. Nothing may be added to the grouping after it.
func (g *grouping) unload(groups []uint32) (arrow.Record, error) {
	var columns []arrow.Array
	var fields []arrow.Field
	for i, codes := range g.keyCodes(groups) {
		f := g.keyField(i)
		column := schema.NewColumn(f)
		column.Grow(len(groups))
		g.encoders[i].coder.Gather(codes, column)
		columns = append(columns, column.Array())
		fields = append(fields, arrow.Field{Name: f.Name, Type: f.Kind.Arrow(), Nullable: true})
	}
	records := schema.NewColumn(schema.Field{Name: recordsColumn, Kind: schema.Int64})
	var data []byte
	offsets := make([]int32, 1, len(groups)+1)
	for _, id := range groups {
		records.Int64 = append(records.Int64, *g.rows.Of(id))
		for i := range g.accs {
			if s := g.accs[i].state; s != nil {
				data = s.Append(data, id)
			}
		}
		if len(data) > math.MaxInt32 {
			return nil, fmt.Errorf("%s: a partial result is larger than 2 GiB", g.name)
		}
		offsets = append(offsets, int32(len(data)))
	}
	states := array.NewData(arrow.BinaryTypes.Binary, len(groups), []*memory.Buffer{
		nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(data),
	}, nil, 0, 0)
	columns = append(columns, records.Array(), array.NewBinaryData(states))
	fields = append(fields, arrow.Field{Name: recordsColumn, Type: arrow.PrimitiveTypes.Int64}, arrow.Field{Name: statesColumn, Type: arrow.BinaryTypes.Binary})
	return array.NewRecord(arrow.NewSchema(fields, nil), columns, int64(len(groups))), nil
}

// load adds the groups of a record that unload has made, and returns their ids here. all has at least as many row numbers:
// 0, 1, 2 …
func (g *grouping) load(rec arrow.Record, all []int32) ([]uint32, error) {
	n := int(rec.NumRows())
	if int(rec.NumCols()) != len(g.keys)+2 {
		return nil, function.ErrPartial
	}
	ids, groups := make([]uint32, n), 1
	for i, c := range g.encoders {
		col := rec.Column(i)
		if !arrow.TypeEqual(col.DataType(), c.kind.Arrow()) {
			return nil, function.ErrPartial
		}
		c.codes = codes.Grown(c.codes, n)
		if made, ok := c.coder.(*keyCoder); ok {
			made.adopt(col, c.codes)
		} else {
			c.coder.Encode(col, all[:n], c.codes)
		}
		if i == 0 {
			copy(ids, c.codes)
			groups = c.coder.Len()
			continue
		}
		for row, code := range c.codes[:n] {
			ids[row], _ = g.levels[i-1].ID(uint64(ids[row])<<32 | uint64(code))
		}
		groups = g.levels[i-1].Len()
	}
	records, ok := rec.Column(len(g.keys)).(*array.Int64)
	states, ok2 := rec.Column(len(g.keys) + 1).(*array.Binary)
	if !ok || !ok2 {
		return nil, function.ErrPartial
	}
	g.grow(groups)
	for row, id := range ids {
		if err := g.loadGroup(id, records.Value(row), states.Value(row)); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// loadGroup adds so many records and the encoded states of its accumulators to a group.
func (g *grouping) loadGroup(id uint32, records int64, states []byte) error {
	*g.rows.Of(id) += records
	for i := range g.accs {
		if s := g.accs[i].state; s != nil {
			var err error
			if states, err = s.Load(states, id); err != nil {
				return err
			}
		}
	}
	if len(states) > 0 {
		return function.ErrPartial
	}
	return nil
}

// encodeRecord is a record as an Arrow stream.
func encodeRecord(rec arrow.Record) ([]byte, error) {
	var buf bytes.Buffer
	out := ipc.NewWriter(&buf, ipc.WithSchema(rec.Schema()))
	err := errors.Join(out.Write(rec), out.Close())
	return buf.Bytes(), err
}

// decodeRecord calls take with the record that encodeRecord has encoded. It is valid until take returns.
func decodeRecord(in io.Reader, take func(arrow.Record) error) error {
	r, err := ipc.NewReader(in)
	if err != nil {
		return fmt.Errorf("%w: %w", function.ErrPartial, err)
	}
	defer r.Release()
	for r.Next() {
		if err := take(r.Record()); err != nil {
			return err
		}
	}
	return r.Err()
}
