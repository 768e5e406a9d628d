package group

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// Wrap puts enrichment in front of an Emit: see enrich.Wrap, of which it is a part.
type Wrap func(p *schema.Projection, next schema.Emit) schema.Emit

// An enricher is the only way to enriched fields: of records, of the keys of groups, and of the rows of a table.
type enricher struct {
	fields schema.Table // all fields that reports may name
	wrap   Wrap         // nil computes none
}

// records puts the computation of enriched fields in front of an Emit that needs these and the others named.
func (e enricher) records(names, enriched []string, next schema.Emit) (schema.Emit, error) {
	if len(enriched) == 0 || e.wrap == nil {
		return next, nil
	}
	p, err := e.fields.Project(slices.Concat(names, enriched)...)
	if err != nil {
		return nil, err
	}
	return e.wrap(p, next), nil
}

// column computes a field of n rows, of which logged has the columns that the field may be computed from, by the fields of
// the projection. The column is valid until use returns.
func (e enricher) column(p *schema.Projection, f schema.Field, logged []arrow.Array, n int, use func(arrow.Array)) error {
	emit := schema.Emit(func(b schema.Batch) error {
		use(expr.Column(b.Record, f.Name))
		return nil
	})
	if len(f.From) > 0 {
		emit = e.wrap(p, emit)
	}
	return emit(schema.Batch{Record: array.NewRecord(p.Logged().Fields.Arrow(), logged, int64(n))})
}

// labels computes the fields that put the keys of finished rows into words, if there are any.
func (e enricher) labels(keys []schema.Field, rows [][]any) ([]schema.Field, [][]any, error) {
	var labels []schema.Field
	var names []string
	for _, f := range e.fields {
		is := func(name string) bool {
			return slices.ContainsFunc(keys, func(k schema.Field) bool { return k.Name == name })
		}
		if f.Names != "" && is(f.Names) && !is(f.Name) {
			labels = append(labels, f)
			names = append(names, f.Name)
		}
	}
	if len(labels) == 0 || e.wrap == nil {
		return nil, nil, nil
	}
	p, err := e.fields.Project(names...)
	if err != nil {
		return nil, nil, err
	}
	logged := p.Logged()
	var cols []arrow.Array
	for _, f := range logged.Fields {
		k := slices.IndexFunc(keys, func(k schema.Field) bool { return k.Name == f.Name })
		cols = append(cols, columnOf(f, rows, k))
	}
	rec := array.NewRecord(logged.Fields.Arrow(), cols, int64(len(rows)))
	values := make([][]any, len(rows))
	err = e.wrap(p, func(b schema.Batch) error {
		for _, f := range labels {
			col := expr.Column(b.Record, f.Name)
			codes, words := schema.TextCodes(col)
			for row := range values {
				var v any
				if !col.IsNull(row) {
					v = words.Value(int(codes[row]))
				}
				values[row] = append(values[row], v)
			}
		}
		return nil
	})(schema.Batch{Record: rec})
	return labels, values, err
}

// columnOf is a column of whole numbers of rows; other values are null.
func columnOf(f schema.Field, rows [][]any, at int) arrow.Array {
	c := schema.NewColumn(f)
	for _, row := range rows {
		v, ok := row[at].(int64)
		switch {
		case !ok:
			c.Null()
		case f.Kind == schema.Int32:
			c.Int32 = append(c.Int32, int32(v))
		default:
			c.Int64 = append(c.Int64, v)
		}
	}
	return c.Array()
}
