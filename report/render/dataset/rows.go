package dataset

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// rows are the columns of records in memory. A column is nil as long as it has only nulls: most columns of most logs
// have, and there may be thousands of partitions.
type rows struct {
	columns []*schema.Column
	order   []int64 // positions in the input
}

// append appends rows of arrays; nil arrays have only nulls.
func (r *rows) append(fields schema.Table, arrays []arrow.Array, which []int32) error {
	for i, f := range fields {
		a := arrays[i]
		if a == nil || a.NullN() == a.Len() {
			if c := r.columns[i]; c != nil {
				c.Pad(c.Len() + len(which))
			}
			continue
		}
		if !arrow.TypeEqual(a.DataType(), f.Kind.Arrow()) {
			return fmt.Errorf("column %s: the values are of type %s, not %s", f.Name, a.DataType(), f.Kind.Arrow())
		}
		if r.columns[i] == nil {
			r.columns[i] = schema.NewColumn(f)
			r.columns[i].Pad(len(r.order))
		}
		r.columns[i].AppendRows(a, which)
	}
	return nil
}

func (r *rows) memory() int64 {
	n := 8 * cap(r.order)
	for _, c := range r.columns {
		if c != nil {
			n += c.Memory()
		}
	}
	return int64(n)
}

// A rank is the sort key of a row: its time, then its position in the input.
type rank struct {
	at    int64 // math.MaxInt64 for null
	order int64
	row   int32
}

func (a rank) compare(b rank) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order))
}

// ranks returns the sorted rows.
func (r *rows) ranks(clock int) []rank {
	ranks := make([]rank, len(r.order))
	times := r.columns[clock]
	for i := range ranks {
		ranks[i] = rank{at: math.MaxInt64, order: r.order[i], row: int32(i)}
		if times != nil && !times.Blank() {
			ranks[i].at = times.Int64[i]
		}
	}
	if times != nil && !times.Blank() {
		for _, row := range times.Nulls {
			ranks[row].at = math.MaxInt64
		}
	}
	slices.SortFunc(ranks, rank.compare)
	return ranks
}

// take returns the rows of the given ranks as new columns, which share the dictionaries.
func (r *rows) take(ranks []rank) *rows {
	which := make([]int32, len(ranks))
	out := &rows{columns: make([]*schema.Column, len(r.columns)), order: make([]int64, len(ranks))}
	for i, k := range ranks {
		which[i], out.order[i] = k.row, k.order
	}
	for i, c := range r.columns {
		if c == nil {
			continue
		}
		c.Fill()
		to := schema.NewColumn(c.Field)
		to.Dict = c.Dict
		to.Gather(c, which)
		out.columns[i] = to
	}
	return out
}

// arrays wraps the columns.
func (r *rows) arrays() []arrow.Array {
	arrays := make([]arrow.Array, len(r.columns))
	for i, c := range r.columns {
		if c != nil {
			arrays[i] = c.Array()
		}
	}
	return arrays
}
