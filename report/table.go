package report

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"time"

	"flowlog/parse/schema"
)

// A Table is a finished report, ready to print: plain values, no Arrow.
type Table struct {
	Name    string
	Doc     string
	Columns []Column
	// Rows are in order. A value is nil (null), int64, float64, string, netip.Addr, or time.Time (UTC).
	Rows [][]any
	// Cut counts the rows that a limit left out, and Others is what they add up to: a value for each measure that adds up,
	// nil elsewhere. Both are unset when nothing was cut.
	Cut    int
	Others []any
	// Excluded counts the rows that do not meet the report's conditions on rows.
	Excluded int
	// Totals covers all rows, printed, cut or excluded, in the shape of a row; keys are nil. It is nil for a report
	// without keys, whose only row is the total.
	Totals []any
	// Rebin returns what the rows are by bins of time of another width, of which theirs is a part, in the order of their first
	// rows. It is nil if the rows have no bins, all measures add up, or nobody knows.
	Rebin func(width time.Duration) ([][]any, error)
	// Order is the index of the column that ranks the rows, and Desc its direction.
	Order int
	Desc  bool
	// Moot says why no row can meet the report's conditions on rows, whatever the flows are; "" if some can. What they
	// ask for is not in the logs.
	Moot string
	// None says why there are no rows, if it is not for want of flows.
	None string
	// Why says which of the conditions on flows none of them meets, if none meets all.
	Why string
	// Notes are remarks for people, one line each: fields that the input lacks, what to do about it.
	Notes []string
	// Hints are parts of the notes that name options: see schema.SayIn.
	Hints []error
	// Settings are what makes it differ from the report of its name, in no order.
	Settings []Setting
	// Tab and Title are the place of the table on a dashboard, and its heading there; Command prints it alone.
	Tab, Title, Command string
	// Lacks names what the input does not have and the table needs: it has no columns then, and a note says why.
	Lacks []string
}

// Role is what a column of a Table is there for.
type Role uint8

const (
	KeyRole     Role = iota // a value that rows are grouped by
	LabelRole               // what enrichment knows of a key
	MeasureRole             // a number computed over the group
)

// Unit is what a measure counts, so that tables can humanise it.
type Unit uint8

const (
	Plain   Unit = iota
	Count        // things; thousands are separated
	Bytes        // shown as KiB, MiB …
	Instant      // time.Time
	Share        // a part of a whole, from 0 to 1, shown as a percentage
	BitRate      // bits a second
	Seconds      // a length of time
	Money        // dollars, shown with two decimals, or four below a cent
)

// A Column describes one column of a Table.
type Column struct {
	Name string
	Role Role
	Kind schema.Kind // of keys and labels; Int64, Float or Time for measures
	Unit Unit
	// Of is, for a label, the index of the key column that it puts into words. InPlace says that tables for
	// people show the label instead of the key; every other format shows both.
	Of      int
	InPlace bool
	// Share is whether a percentage of the total makes sense for this measure.
	Share bool
	// Every is, for a key that is a bin of time, the width of the bins, and Zone the one whose days they follow; nil is UTC.
	Every time.Duration
	Zone  *time.Location
}

// Key is the place of a key among the columns.
func (t *Table) Key(n int) int {
	for i, c := range t.Columns {
		if c.Role == KeyRole {
			if n == 0 {
				return i
			}
			n--
		}
	}
	return -1
}

// Number is a number as a floating-point one.
func Number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v)
	}
	return 0, false
}

// CompareNullsLast orders values of one column: numbers as numbers, all else by its text, nulls last
// whatever the direction.
func CompareNullsLast(x, y any, desc bool) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	}
	c := 0
	switch x := x.(type) {
	case int64:
		c = cmp.Compare(x, y.(int64))
	case float64:
		c = cmp.Compare(x, y.(float64))
	case string:
		c = cmp.Compare(x, y.(string))
	case netip.Addr:
		c = cmp.Compare(x.String(), y.(netip.Addr).String())
	case time.Time:
		c = x.Compare(y.(time.Time))
	}
	if desc {
		return -c
	}
	return c
}

// PlainText is a value as text, "" for null.
func PlainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case netip.Addr:
		return v.String()
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}
