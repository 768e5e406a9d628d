package parse

import (
	"cmp"
	"fmt"
	"slices"

	"flowlog/parse/schema"
)

// A badValue is a value of a columnar format that its field cannot hold.
type badValue struct {
	field string
	value string
	fault schema.Fault
}

// columns collects the rows of a block of a columnar format, column by column.
type columns struct {
	w       *worker
	rows    int
	foreign bool      // not written by flowlog: tags are percent-encoded, and 0 may stand for nothing
	index   []int32   // of a page
	bad     []Problem // values that became null; lines counted from the first row
}

// A distinct is a list of values that rows refer to by index.
type distinct struct {
	values schema.Column
	faults map[int32]badValue // values that the field cannot hold, which are null here
}

// convert makes a distinct of count values. append appends value i to its column, or returns a fault and the text of the
// value.
func convert(c *schema.Column, count int, append func(c *schema.Column, i int) (schema.Fault, string)) *distinct {
	d := &distinct{values: schema.Column{Field: c.Field, Dict: c.Dict}}
	d.values.Grow(count)
	for i := range count {
		if fault, text := append(&d.values, i); fault != schema.Valid {
			d.values.Null()
			if d.faults == nil {
				d.faults = make(map[int32]badValue)
			}
			d.faults[int32(i)] = badValue{c.Name, text, fault}
		}
	}
	d.values.Fill()
	return d
}

// add appends, for each row, the value that index names; -1 is a null.
func (t *columns) add(c *schema.Column, d *distinct, index []int32) {
	base := int32(c.Len())
	c.Gather(&d.values, index)
	if d.faults == nil {
		return
	}
	for i, v := range index {
		if p, ok := d.faults[v]; ok {
			t.bad = append(t.bad, Problem{Line: int64(base) + int64(i), Field: p.field, Value: p.value, Fault: p.fault, Null: true})
		}
	}
}

// done makes the collected rows those of the worker. firstRow is the number of rows of the object before them. A row stays
// if one of its values is bad: which columns are read depends on the reports of the run, and no report may change what
// another one counts.
func (t *columns) done(firstRow int64) {
	w := t.w
	for _, c := range append(w.cols, w.extra...) {
		c.Pad(t.rows)
	}
	w.rows = t.rows
	if t.foreign {
		w.unzero()
	}
	slices.SortStableFunc(t.bad, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	for _, p := range t.bad {
		p.Line += firstRow + 1
		w.problems = append(w.problems, p)
		if w.opt.Rejects != nil {
			w.rejected = fmt.Appendf(w.rejected, "row %d: %s: %s\n", p.Line, p.Field, p.Value)
		}
	}
}

// unzero makes zeros null in records without traffic data (NODATA, SKIPDATA), since some writers of columnar formats have
// no nulls and write 0. A traffic_path of 0 does not exist either.
func (w *worker) unzero() {
	none := make([]bool, w.rows)
	codes := w.status.Int32
	for row := range codes {
		if w.status.Dict.Len() > 0 {
			status := string(w.status.Dict.Value(codes[row]))
			none[row] = status == schema.StatusNoData || status == schema.StatusSkipData
		}
	}
	for _, row := range w.status.Nulls {
		if len(codes) > 0 {
			none[row] = false
		}
	}
	for _, c := range w.cols {
		if c.Kind != schema.Int32 && c.Kind != schema.Int64 || c.Name == "version" {
			continue
		}
		null := make([]bool, w.rows)
		zeros := false
		for _, row := range c.Nulls {
			null[row] = true
		}
		for row := range w.rows {
			zero := len(c.Int32) > 0 && c.Int32[row] == 0 || len(c.Int64) > 0 && c.Int64[row] == 0
			if zero && !null[row] && (none[row] || c.Name == "traffic_path") {
				null[row], zeros = true, true
			}
		}
		if !zeros {
			continue
		}
		c.Nulls = c.Nulls[:0]
		for row, yes := range null {
			if yes {
				c.Nulls = append(c.Nulls, int32(row))
			}
		}
	}
}
