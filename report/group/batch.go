package group

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// A batch is the records at hand.
type batch struct {
	record  arrow.Record
	number  int           // of the batch, from 1 on
	columns []arrow.Array // by field of the projection; nil if the record has none
	flowing []arrow.Array // the same to read flows from: a column that is not null in any flow has no nulls
	flows   []int32       // rows that are flows
	others  []int32       // the other rows
	all     []int32       // 0, 1, 2 …
	buffer  []int32
}

func newBatch(fields int) batch {
	return batch{columns: make([]arrow.Array, fields), flowing: make([]arrow.Array, fields)}
}

// begin takes a record and tells flows from other rows.
func (b *batch) begin(rec arrow.Record, p *schema.Projection) {
	n := int(rec.NumRows())
	b.number++
	b.flows = expr.Flows(expr.Column(rec, "log_status"), b.first(n), b.flows[:0])
	b.others = b.others[:0]
	if len(b.flows) < n {
		b.buffer = append(b.buffer[:0], b.first(n)...)
		b.others = append(b.others, expr.Without(b.buffer, b.flows)...)
	}
	b.look(rec, p)
}

// look takes the columns of a record whose flows are known.
func (b *batch) look(rec arrow.Record, p *schema.Projection) {
	b.record = rec
	for i, f := range p.Fields {
		b.columns[i], b.flowing[i] = nil, nil
		at := rec.Schema().FieldIndices(f.Name)
		if len(at) == 0 {
			continue
		}
		col := rec.Column(at[0])
		b.columns[i], b.flowing[i] = col, col
		if col.NullN() > 0 && col.NullN() == nulls(col, b.others) {
			b.flowing[i] = withoutNulls(col)
		}
	}
}

// rows is how many rows the batch has.
func (b *batch) rows() int { return len(b.flows) + len(b.others) }

// first are the first n row numbers: 0, 1, 2 …
func (b *batch) first(n int) []int32 {
	for i := len(b.all); i < n; i++ {
		b.all = append(b.all, int32(i))
	}
	return b.all[:n]
}

// A rowSet is rows of a batch, ascending, and the group of each.
type rowSet struct {
	rows []int32
	ids  []uint32
}

// pick returns those rows of the set that are in some, all of which it has. The ids are written to buf.
func (s rowSet) pick(some []int32, buf *[]uint32) rowSet {
	out, i := (*buf)[:0], 0
	for _, row := range some {
		for s.rows[i] != row {
			i++
		}
		out = append(out, s.ids[i])
	}
	*buf = out
	return rowSet{some, out}
}

// blank reports whether a column is null throughout. Then it may be nil.
func blank(col arrow.Array) bool { return col == nil || col.NullN() == col.Len() }

// nulls is how many of the rows are null.
func nulls(col arrow.Array, rows []int32) int {
	if col.NullN() == 0 {
		return 0
	}
	n, valid := 0, schema.ValidityOf(col)
	for _, row := range rows {
		if valid.Null(row) {
			n++
		}
	}
	return n
}

// anyValue reports whether some of the rows are not null.
func anyValue(col arrow.Array, rows []int32) bool {
	valid := schema.ValidityOf(col)
	return col.NullN() < col.Len() && slices.ContainsFunc(rows, func(row int32) bool { return !valid.Null(row) })
}

// withoutNulls is a column all of whose rows have the values that they have in memory.
func withoutNulls(col arrow.Array) arrow.Array {
	d := col.Data()
	buffers := append([]*memory.Buffer{nil}, d.Buffers()[1:]...)
	if words, ok := col.(*array.Dictionary); ok {
		return array.NewDictionaryData(array.NewDataWithDictionary(d.DataType(), d.Len(), buffers, 0, d.Offset(), words.Dictionary().Data().(*array.Data)))
	}
	return array.MakeFromData(array.NewData(d.DataType(), d.Len(), buffers, d.Children(), 0, d.Offset()))
}
