package expr

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// Where puts a condition in front of an Emit of so many workers: the records that do not meet it are left out of
// their batch. Each batch is handed on, an empty one too, so that their numbers have no gap. Batches must have the
// fields of the condition.
func Where(e Expr, workers int, next schema.Emit) schema.Emit {
	filters := make([]Filter, workers)
	for i := range filters {
		filters[i] = e.Filter()
	}
	return func(b schema.Batch) error {
		rows := make([]int32, b.NumRows())
		for i := range rows {
			rows[i] = int32(i)
		}
		if rows = filters[b.Worker].Keep(b.Record, rows, true); len(rows) == int(b.NumRows()) {
			return next(b)
		}
		columns := make([]arrow.Array, b.NumCols())
		for i, f := range b.Schema().Fields() {
			c := schema.NewColumn(schema.Field{Name: f.Name, Kind: kindOf(f.Type)})
			c.AppendArray(b.Column(i))
			c.Keep(rows)
			columns[i] = c.Array()
		}
		rec := array.NewRecord(b.Schema(), columns, int64(len(rows)))
		defer rec.Release()
		b.Record = rec
		return next(b)
	}
}

// kindOf is the kind that Arrow holds so.
func kindOf(t arrow.DataType) schema.Kind {
	for _, k := range []schema.Kind{schema.Int32, schema.Int64, schema.Float, schema.Addr} {
		if arrow.TypeEqual(t, k.Arrow()) {
			return k
		}
	}
	return schema.Text
}
