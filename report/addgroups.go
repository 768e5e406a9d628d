package report

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// AddGroups adds rows that each stand for a group of flows, to the only report: columns by field of the Projection, nil for a
// field that is not needed, how many flows each row stands for, and the encoded states of its accumulators.
func (a *Aggregator) AddGroups(columns []arrow.Array, records []int64, states [][]byte) error {
	f, g := &a.workers[0].feeder, a.workers[0].groupings[0]
	f.beginColumns(columns, a.projection, len(records))
	defer f.record.Release()
	f.beginBatch(len(records))
	rows := f.flows
	if g.selection != nil {
		rows = g.selection.meet(f.record, rows, f.number, false, false)
	}
	if len(rows) == 0 {
		return nil
	}
	set, groups := f.group(g, rows, false)
	g.grow(groups)
	for i, row := range rows {
		if err := g.loadGroup(set.ids[i], records[row], states[row]); err != nil {
			return err
		}
	}
	return nil
}

// beginColumns takes columns of rows that are all flows.
func (b *batch) beginColumns(columns []arrow.Array, p *schema.Projection, rows int) {
	var present []arrow.Array
	var fields schema.Table
	for i, f := range p.Fields {
		if columns[i] != nil {
			present = append(present, columns[i])
			fields = append(fields, f)
		}
	}
	copy(b.columns, columns)
	copy(b.flowing, columns)
	b.number++
	b.flows, b.others = append(b.flows[:0], b.first(rows)...), b.others[:0]
	b.record = array.NewRecord(fields.Arrow(), present, int64(rows))
}
