package group

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// Add takes a batch with the fields of the Projection, but see Enrich. It is a schema.Emit.
func (a *Aggregator) Add(b schema.Batch) error {
	w := a.workers[b.Worker]
	if err := w.begin(b.Record); err != nil {
		return err
	}
	if err := w.emit(b); err != nil {
		return err
	}
	return a.relieve(b.Worker)
}

// Notice notes which fields the flows of a batch have, and counts none of them. Where something stands between the scan
// and Add that leaves flows out, the fields that only these have are not missing from the logs.
func (a *Aggregator) Notice(b schema.Batch) {
	rows := make([]int32, b.NumRows())
	for i := range rows {
		rows[i] = int32(i)
	}
	rows = expr.Flows(expr.Column(b.Record, "log_status"), rows, nil)
	for i, f := range a.projection.Fields {
		if a.present[i].Load() || len(b.Schema().FieldIndices(f.Name)) == 0 {
			continue
		}
		if anyValue(expr.Column(b.Record, f.Name), rows) {
			a.present[i].Store(true)
		}
	}
}

// noticeSkimmed does the same for the flows that the scan passed over: see Only.
func (j *job) noticeSkimmed(stats schema.Stats) {
	for _, name := range stats.Skimmed {
		if i := j.projection.Index(name); i >= 0 {
			j.present[i].Store(true)
		}
	}
}

// relieve puts the groups of a worker on disk if they take too much memory.
func (a *Aggregator) relieve(worker int) error {
	w := a.workers[worker]
	if a.memory == 0 || w.size() <= a.memory {
		return nil
	}
	a.workers[worker] = newWorker(a.job) // whatever comes of it: whoever does not stop at once may call again
	return a.spill(w)
}

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
