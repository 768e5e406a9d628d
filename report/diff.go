package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report/expr"
	"flowlog/report/function"
)

// What became of a row from one table to another.
const (
	New     = "new"
	Gone    = "gone"
	Grown   = "grown"
	Shrunk  = "shrunk"
	Changed = "changed" // the measure is null in one of the two, so that no difference is known
	Same    = "same"
)

// statuses are what a row of a difference can be: what is the Same is counted, and has none.
var statuses = []string{New, Gone, Grown, Shrunk, Changed}

// The columns of a difference, behind the keys. Its rows are ranked by the size of the change.
const (
	statusColumn = "status"
	beforeColumn = "before"
	afterColumn  = "after"
	changeColumn = "change"
	shareColumn  = "change_share"
)

// CanDiff says what is wrong with a report whose tables are to be compared; nil if nothing is.
func (r *Report) CanDiff() error {
	switch {
	case len(r.Keys) == 0:
		return schema.Wordsf("there is nothing to compare by: name keys, as in %s", schema.Opt("by", "srcaddr"))
	case len(r.Measures) != 1:
		return fmt.Errorf("one measure is compared, not %d", len(r.Measures))
	}
	switch m := r.Measures[0]; {
	case m.Kind() == schema.Time:
		return fmt.Errorf("%s is a time, which does not grow: compare another measure", m.Name)
	case function.Named(m.Func).Input != nil:
		return fmt.Errorf("%s is of the whole input, not of a key: compare another measure", m.Name)
	}
	for _, k := range r.Keys {
		for _, name := range []string{statusColumn, beforeColumn, afterColumn, changeColumn, shareColumn} {
			if k.Name() == name {
				return fmt.Errorf("the key %s is called like a column of the comparison", name)
			}
		}
	}
	return nil
}

// DiffCondition reads a condition on the rows of a comparison: keys, status, before, after, change, change_share. The list
// of the scope is that of these.
func (r *Report) DiffCondition(text string, scope expr.Scope) (expr.Expr, error) {
	rows := scope
	rows.Fields = nil
	for _, k := range r.Keys {
		f, _ := scope.Fields.Lookup(k.Field)
		rows.Fields = append(rows.Fields, schema.Field{Name: k.Name(), Kind: k.Kind(f), Max: f.Max, Values: f.Values, Names: f.Names})
	}
	rows.Fields = append(rows.Fields, schema.Field{Name: statusColumn, Kind: schema.Text, Values: statuses})
	for _, name := range []string{beforeColumn, afterColumn, changeColumn, shareColumn} {
		rows.Fields = append(rows.Fields, schema.Field{Name: name, Kind: schema.Float})
	}
	rows.Text = func(field, value string) error {
		switch {
		case field != statusColumn || slices.Contains(statuses, value):
			return nil
		case strings.EqualFold(value, Same):
			return fmt.Errorf("no row is %s in both: these are counted below the table, and not shown", Same)
		}
		return fmt.Errorf("%q is not a status: %sthere are %s", value, schema.DidYouMean(value, statuses), strings.Join(statuses, ", "))
	}
	return expr.Parse(text, rows)
}

// Diff compares two tables of a report that CanDiff, each with all of its rows. The rows that differ the most come
// first, at most limit of them if that is not 0, and of those that are the same there is but a number. having may be
// nil. A key that one of the tables lacks is 0 there, if the measure is 0 of nothing, and else null. A null of a key that
// a table has stays null: it differs from each number, 0 too, by an amount that is not known.
func (r *Report) Diff(before, after Table, having expr.Expr, limit int) Table {
	d := diff{report: r, before: before, after: after}
	t := Table{Name: "diff", Doc: fmt.Sprintf("%s by %s, before and after", r.Measures[0].Name, keyNames(r.Keys)), Desc: true}
	d.columns(&t)
	same := 0
	var rows, cut [][]any
	for _, row := range d.rows() {
		if row[d.status] == Same {
			same++
			continue
		}
		rows = append(rows, row)
	}
	if having != nil {
		all := rows
		rows = nil
		for i, met := range meeting(having, t.Columns, all) {
			if met {
				rows = append(rows, all[i])
			} else {
				t.Excluded++
			}
		}
	}
	slices.SortStableFunc(rows, func(x, y []any) int {
		if c := CompareNullsLast(size(x[t.Order]), size(y[t.Order]), true); c != 0 {
			return c
		}
		for i, c := range t.Columns {
			if c.Role == KeyRole {
				if c := CompareNullsLast(x[i], y[i], false); c != 0 {
					return c
				}
			}
		}
		return 0
	})
	if limit > 0 && len(rows) > limit {
		cut = append(cut, rows[limit:]...)
		rows = rows[:limit]
	}
	t.Rows = rows
	if t.Cut = len(cut); t.Cut > 0 {
		t.Others = d.sum(cut)
	}
	t.Totals = d.between(totalsOf(before), totalsOf(after))
	t.Totals[d.status] = nil // it is of rows
	if len(rows)+t.Excluded == 0 && same > 0 {
		t.None = "no differences"
	}
	if same > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("the same in both, and not shown: %d", same))
	}
	for i, notes := range [][]string{before.Notes, after.Notes} {
		for _, note := range notes {
			note = []string{beforeColumn, afterColumn}[i] + ": " + note
			if !slices.Contains(t.Notes, note) {
				t.Notes = append(t.Notes, note)
			}
		}
	}
	return t
}

// totalsOf are the totals of a table, nil if it is of no records.
func totalsOf(t Table) []any {
	if len(t.Rows) == 0 {
		return nil
	}
	return t.Totals
}

func keyNames(keys []Key) string {
	var names []string
	for _, k := range keys {
		names = append(names, k.Name())
	}
	return strings.Join(names, ", ")
}

// diff is a comparison of two tables.
type diff struct {
	report        *Report
	before, after Table
	labels        int   // columns in front of the status: keys and labels
	taken         []int // of these, the column of after; those of before may have fewer labels
	status        int   // the column
}

// columns makes those of the comparison: the keys and labels of the tables, then what became of the measure.
func (d *diff) columns(t *Table) {
	for i, c := range d.after.Columns {
		if c.Role != MeasureRole {
			t.Columns = append(t.Columns, c)
			d.taken = append(d.taken, i)
		}
	}
	d.labels = len(t.Columns)
	d.status = d.labels
	m := d.after.Columns[d.measure(d.after)]
	m.Share = false
	t.Columns = append(t.Columns, Column{Name: statusColumn, Role: KeyRole, Kind: schema.Text})
	for _, name := range []string{beforeColumn, afterColumn, changeColumn} {
		m.Name = name
		t.Columns = append(t.Columns, m)
	}
	t.Columns = append(t.Columns, Column{Name: shareColumn, Role: MeasureRole, Kind: schema.Float, Unit: Share})
	t.Order = d.labels + 3
}

// measure is the column of the measure that is compared.
func (d *diff) measure(t Table) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Role == MeasureRole })
}

// key tells apart the rows of a table, by what they are grouped by.
func (d *diff) key(t Table, row []any) string {
	var b strings.Builder
	for i, c := range t.Columns {
		if c.Role == KeyRole {
			fmt.Fprintf(&b, "%T %q ", row[i], PlainText(row[i]))
		}
	}
	return b.String()
}

// rows are those of both tables, each key once.
func (d *diff) rows() [][]any {
	was := make(map[string][]any, len(d.before.Rows))
	for _, row := range d.before.Rows {
		was[d.key(d.before, row)] = row
	}
	var rows [][]any
	for _, row := range d.after.Rows {
		key := d.key(d.after, row)
		rows = append(rows, d.between(was[key], row))
		delete(was, key)
	}
	for _, row := range d.before.Rows {
		if _, gone := was[d.key(d.before, row)]; gone {
			rows = append(rows, d.between(row, nil))
		}
	}
	return rows
}

// between is the row of a key, by its rows in both tables, of which one may be nil.
func (d *diff) between(before, after []any) []any {
	row := make([]any, d.labels, d.labels+5)
	for i, c := range d.taken {
		switch {
		case after != nil:
			row[i] = after[c]
		case before != nil:
			name := d.after.Columns[c].Name
			if j := slices.IndexFunc(d.before.Columns, func(c Column) bool { return c.Name == name }); j >= 0 {
				row[i] = before[j]
			}
		}
	}
	was, is := d.value(d.before, before), d.value(d.after, after)
	change, share := changeOf(was, is)
	status := Same
	switch {
	case before == nil:
		status = New
	case after == nil:
		status = Gone
	case (was == nil) != (is == nil):
		status = Changed
	case change != nil && sign(change) > 0:
		status = Grown
	case change != nil && sign(change) < 0:
		status = Shrunk
	}
	return append(row, status, was, is, change, share)
}

// value is the measure in a row of a table. Of no row it is 0, if the measure is 0 of nothing.
func (d *diff) value(t Table, row []any) any {
	m := d.report.Measures[0]
	switch {
	case row != nil:
		return row[d.measure(t)]
	case !function.Named(m.Func).Zero:
		return nil
	case m.Kind() == schema.Float:
		return 0.0
	}
	return int64(0)
}

// sum adds up rows, for a measure that adds up: the sum of distinct counts is no distinct count. The sum of nothing but
// nulls is null.
func (d *diff) sum(rows [][]any) []any {
	out := make([]any, d.labels+5)
	if f := function.Named(d.report.Measures[0].Func); !f.Share {
		return out
	}
	for _, row := range rows {
		for _, c := range []int{d.status + 1, d.status + 2} { // counts and sums, which cannot add up to more than their total
			if v, ok := row[c].(int64); ok {
				sum, _ := out[c].(int64)
				out[c] = sum + v
			}
		}
	}
	change, share := changeOf(out[d.status+1], out[d.status+2])
	copy(out[d.status+3:], []any{change, share})
	return out
}

// changeOf is by how much a value has grown, and by what part of what it was. Nulls do not compare.
func changeOf(was, is any) (change, share any) {
	x, ok1 := Number(was)
	y, ok2 := Number(is)
	if !ok1 || !ok2 {
		return nil, nil
	}
	change = y - x
	if a, ok := was.(int64); ok {
		change = is.(int64) - a
	}
	if x != 0 {
		share = (y - x) / x
	}
	return change, share
}

func sign(v any) int {
	f, _ := Number(v)
	return cmp.Compare(f, 0)
}

// size is how large a change is, whichever way it goes.
func size(v any) any {
	if f, ok := Number(v); ok {
		return math.Abs(f)
	}
	return nil
}

// meeting says of each row whether it meets a condition on its columns, of which measures are floats.
func meeting(e expr.Expr, columns []Column, rows [][]any) []bool {
	needed := make(map[string]bool)
	e.Fields(func(name string) { needed[name] = true })
	var fields schema.Table
	var arrays []arrow.Array
	for i, c := range columns {
		if !needed[c.Name] {
			continue
		}
		f := schema.Field{Name: c.Name, Kind: c.Kind}
		if c.Role == MeasureRole {
			f.Kind = schema.Float
		}
		column := schema.NewColumn(f)
		for _, row := range rows {
			v := row[i]
			if x, ok := Number(v); ok && f.Kind == schema.Float {
				v = x
			}
			column.Append(v)
		}
		fields, arrays = append(fields, f), append(arrays, column.Array())
	}
	all := make([]int32, len(rows))
	for i := range all {
		all[i] = int32(i)
	}
	out := make([]bool, len(rows))
	rec := array.NewRecord(fields.Arrow(), arrays, int64(len(rows)))
	for _, row := range e.Filter().Keep(rec, all, true) {
		out[row] = true
	}
	return out
}
