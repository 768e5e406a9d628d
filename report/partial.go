package report

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"flowlog/parse/schema"
)

// What a worker has come to for a report can leave it, as an Arrow record with a row for each group: the
// keys, how many records the group has, and the states of the bases, one after the other, as bytes. It is
// taken in again by the same worker, by another, or by another process.

// The columns behind those of the keys.
const (
	recordsColumn = "records"
	statesColumn  = "states"
)

// unload returns the record of some groups. Nothing may be added to the worker after it.
func (w *worker) unload(u *grouping, groups []uint32) (arrow.Record, error) {
	var columns []arrow.Array
	var fields []arrow.Field
	codes := w.keyCodes(u, groups)
	for i, k := range u.first.Keys {
		c := w.coded[u.keys[i]]
		f := schema.Field{Name: k.Name(), Kind: k.kind(w.aggregator.projection.Fields[c.field])}
		column := schema.NewColumn(f)
		column.Grow(len(groups))
		c.coder.Gather(codes[i], column)
		columns = append(columns, column.Array())
		fields = append(fields, arrow.Field{Name: f.Name, Type: f.Kind.Arrow(), Nullable: true})
	}
	records := schema.NewColumn(schema.Field{Name: recordsColumn, Kind: schema.Int64})
	var data []byte
	offsets := make([]int32, 1, len(groups)+1)
	for _, g := range groups {
		records.Int64 = append(records.Int64, *u.rows.of(g))
		for i := range u.bases {
			if s := u.bases[i].state; s != nil {
				data = s.append(data, g)
			}
		}
		if len(data) > math.MaxInt32 {
			return nil, fmt.Errorf("%s: a partial result is larger than 2 GiB", u.first.Name)
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

// keyCodes are the codes of each key of some groups.
func (w *worker) keyCodes(u *grouping, groups []uint32) [][]uint32 {
	codes := make([][]uint32, len(u.keys))
	if len(codes) == 0 {
		return codes
	}
	prefix := append([]uint32(nil), groups...)
	for level := len(u.levels) - 1; level >= 0; level-- {
		words := u.levels[level].Words()
		last := make([]uint32, len(groups))
		for i, g := range prefix {
			last[i] = uint32(words[g])
			prefix[i] = uint32(words[g] >> 32)
		}
		codes[level+1] = last
	}
	codes[0] = prefix
	return codes
}

// load takes in a record that unload has made.
func (w *worker) load(u *grouping, rec arrow.Record) error {
	_, err := w.loadGroups(u, rec)
	return err
}

// loadGroups is load, which returns what groups the rows are here.
func (w *worker) loadGroups(u *grouping, rec arrow.Record) ([]uint32, error) {
	n := int(rec.NumRows())
	if int(rec.NumCols()) != len(u.first.Keys)+2 {
		return nil, errPartial
	}
	rows := w.rows(n)
	ids, groups := make([]uint32, n), 1
	for i, k := range u.first.Keys {
		c := w.coded[u.keys[i]]
		col := rec.Column(i)
		if !arrow.TypeEqual(col.DataType(), k.kind(w.aggregator.projection.Fields[c.field]).Arrow()) {
			return nil, errPartial
		}
		c.codes = schema.Grown(c.codes, n)
		if made, ok := c.coder.(*keyCoder); ok {
			made.adopt(col, c.codes)
		} else {
			c.coder.Encode(col, rows, c.codes)
		}
		if i == 0 {
			copy(ids, c.codes)
			groups = c.coder.Len()
			continue
		}
		for row, code := range c.codes[:n] {
			ids[row], _ = u.levels[i-1].ID(uint64(ids[row])<<32 | uint64(code))
		}
		groups = u.levels[i-1].Len()
	}
	records, ok := rec.Column(len(u.first.Keys)).(*array.Int64)
	states, ok2 := rec.Column(len(u.first.Keys) + 1).(*array.Binary)
	if !ok || !ok2 {
		return nil, errPartial
	}
	u.grow(groups)
	for row, id := range ids {
		*u.rows.of(id) += records.Value(row)
		src := states.Value(row)
		for i := range u.bases {
			if s := u.bases[i].state; s != nil {
				var err error
				if src, err = s.load(src, id); err != nil {
					return nil, err
				}
			}
		}
		if len(src) > 0 {
			return nil, errPartial
		}
	}
	return ids, nil
}
