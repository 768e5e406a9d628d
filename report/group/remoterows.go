package group

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/calendar"
	"flowlog/report/expr"
	"flowlog/report/function"
	"flowlog/report/sql"
)

// remoteBatch is rows of an engine that have not been taken in: what is fed, and the states of each row.
type remoteBatch struct {
	columns []*schema.Column
	records []int64
	states  [][]byte
}

// remoteRows is how many rows are taken in at a time.
const remoteRows = 8192

func (m *Remote) newBatch() *remoteBatch {
	b := &remoteBatch{}
	for _, f := range m.Fed {
		b.columns = append(b.columns, schema.NewColumn(f.Field))
	}
	return b
}

// Add takes in a row of the engine, whose values are nil, int64 or string. wrap computes the fields that the engine
// does not know; it is the same each time.
func (m *Remote) Add(row []any, wrap Wrap) error {
	if len(row) != m.Width() {
		return function.ErrRow
	}
	place, groups := int64(1), int64(1)
	if m.Cut {
		place, groups = whole(row[0]), whole(row[1])
		row = row[2:]
	}
	keys, records := row[:len(m.Fed)], whole(row[len(m.Fed)])
	values := row[len(m.Fed)+1:]
	if records == 0 {
		return nil // a report without keys, of no records
	}
	m.flows += records
	for i, name := range m.Seen {
		if whole(values[len(m.Asked)+i]) > 0 {
			m.present(name)
		}
	}
	for i, v := range keys {
		if v != nil {
			m.present(m.Fed[i].Name)
		}
	}
	u := m.agg.workers[0].groupings[0]
	var states []byte
	next := 0
	var rests [][]function.State // what the row is added to, in place of being one
	if place <= 0 {
		rests = m.rests(place, int(groups))
	}
	for i, b := range u.accs {
		var state []byte
		var err error
		switch {
		case b.rows:
			for _, rest := range rests {
				_, err = rest[i].Load(binary.AppendUvarint(nil, uint64(records)), 0)
			}
		case b.fn.Input != nil:
			state, err = b.fn.Decode(nil, groups)
		default:
			v := values[next]
			next++
			if b.Field != "" && v != nil && !(b.fn.Counts && v == int64(0)) {
				m.present(b.Field)
			}
			if b.fn.Rows && b.All && expr.Text(b.Where) == skipData {
				m.skips += whole(v)
			}
			if b.With != "" && v != int64(0) {
				m.present(b.With)
			}
			state, err = b.fn.Decode(v, groups)
		}
		for _, rest := range rests {
			if err == nil && state != nil {
				_, err = rest[i].Load(state, 0)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.Report.Name, err)
		}
		states = append(states, state...)
	}
	if rests != nil {
		return nil
	}
	for i, v := range keys {
		if err := appendValue(&m.Fed[i], m.batch.columns[i], v); err != nil {
			return fmt.Errorf("%s: %w", m.Report.Name, err)
		}
	}
	m.batch.records = append(m.batch.records, records)
	m.batch.states = append(m.batch.states, states)
	if len(m.batch.records) == remoteRows {
		return m.flush(wrap)
	}
	return nil
}

// rests are what the groups of a place are added to that are not shown: they were cut, or do not meet the condition.
func (m *Remote) rests(place int64, groups int) [][]function.State {
	v := m.agg.workers[0].views[0]
	g := v.groups
	if g.overflow == nil {
		g.overflow = g.totals()
	}
	g.absent += groups
	rests := [][]function.State{g.overflow}
	if v.met == nil && v.report.Having != nil {
		v.met = new(metRows)
	}
	if v.met != nil && place == sql.CutPlace {
		v.met.cut, v.met.n = g.totals(), groups
		rests = append(rests, v.met.cut)
	}
	return rests
}

// skipData is the condition of the measure skipdata.
const skipData = "log_status = 'SKIPDATA'"

// whole is a value that is a whole number, or 0.
func whole(v any) int64 {
	n, _ := v.(int64)
	return n
}

// present notes that flows have a field.
func (m *Remote) present(name string) {
	m.doubt.had[name] = true
	if i := m.agg.projection.Index(name); i >= 0 {
		m.agg.present[i].Store(true)
	}
}

// appendValue appends a value of the engine's to the column of the field: of a network its first address, of a bin of time
// its beginning, of an hour one second of it.
func appendValue(f *sql.Fed, c *schema.Column, v any) error {
	switch x := v.(type) {
	case nil:
		c.Null()
		return nil
	case int64:
		if f.Key.Hour {
			x = calendar.SecondOfHour(x, f.Key.Zone)
		}
		if f.Kind == schema.Int32 && x != int64(int32(x)) || f.Kind > schema.Time {
			return fmt.Errorf("%s has the value %d: %w", f.Name, x, function.ErrRow)
		}
		c.Append(x)
		return nil
	case string:
		switch f.Kind {
		case schema.Text:
			c.Text(x)
			return nil
		case schema.Addr:
			if p, err := netip.ParsePrefix(x); err == nil && f.Key.Bits != 0 {
				c.Append(p.Addr())
				return nil
			}
			if a, err := netip.ParseAddr(x); err == nil {
				c.Append(a.Unmap())
				return nil
			}
		}
	}
	return fmt.Errorf("%s has the value %v: %w", f.Name, v, function.ErrRow)
}

// flush takes the batch in.
func (m *Remote) flush(wrap Wrap) error {
	n := len(m.batch.records)
	if n == 0 {
		return nil
	}
	var columns []arrow.Array
	var fields schema.Table
	m.own = make(map[string]arrow.Array)
	for i, c := range m.batch.columns {
		m.own[m.Fed[i].Name] = c.Array()
		columns = append(columns, m.own[m.Fed[i].Name])
		fields = append(fields, m.Fed[i].Field)
	}
	if m.emit == nil {
		var err error
		if m.emit, err = (enricher{m.agg.enricher.fields, wrap}).records(nil, m.Local.Names(), m.take); err != nil {
			return err
		}
	}
	if err := m.emit(schema.Batch{Record: array.NewRecord(fields.Arrow(), columns, int64(n))}); err != nil {
		return err
	}
	m.batch = m.newBatch()
	return m.agg.relieve(0)
}

// take takes in the batch, of which a record has what was looked up.
func (m *Remote) take(lookedUp schema.Batch) error {
	get := func(name string) arrow.Array {
		at := lookedUp.Record.Schema().FieldIndices(name)
		if c := m.own[name]; c != nil || len(at) == 0 {
			return c
		}
		return lookedUp.Record.Column(at[0])
	}
	columns := make([]arrow.Array, len(m.agg.projection.Fields))
	for i, f := range m.agg.projection.Fields {
		columns[i] = get(f.Name)
	}
	return m.agg.AddGroups(columns, m.batch.records, m.batch.states)
}

// Limit makes Add put groups into temporary files when they take about so many bytes: see Aggregator.
func (m *Remote) Limit(bytes int64, tempDir string) { m.agg.Limit(bytes, tempDir) }

// Close deletes temporary files of a report that was not finished.
func (m *Remote) Close() error { return m.agg.Close() }

// Table finishes the report. Like Tables of an Aggregator it gives a Lacking in place of a table whose keys or conditions are
// on fields that no flow has, if there is no Doubt about them.
func (m *Remote) Table(wrap Wrap) (report.Table, *report.Lacking, error) {
	if err := m.flush(wrap); err != nil {
		return report.Table{}, nil, err
	}
	stats := schema.Stats{SkipData: m.skips}
	switch {
	case m.Whole():
		stats.Flows = m.flows
	case m.doubt.flows && len(m.doubt.gone) > 0:
		if lacks := m.doubt.lacks(); lacks != nil {
			return report.Table{}, lacks, nil
		}
		stats.Flows = max(m.flows, 1)
	}
	tables, lacks, err := m.agg.Tables(stats, wrap)
	switch {
	case err != nil:
		return report.Table{}, nil, err
	case len(lacks) > 0:
		return report.Table{}, lacks[0], nil
	}
	return tables[0], nil, nil
}
