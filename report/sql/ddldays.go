package sql

import (
	"fmt"
	"slices"
	"time"

	"flowlog/parse/schema"
)

// WithinDays is a table that `flowlog sql ddl` makes in this layout, or dataset, as a query of the partitions that can hold
// records that end from since to before until; zero is no bound. Without a bound it is the table itself.
func WithinDays(d Dialect, table, layout string, since, until time.Time) (string, error) {
	names := []string{"dataset"}
	for _, l := range layouts {
		if l.folders != "" {
			names = append(names, l.Name)
		}
	}
	if !slices.Contains(names, layout) {
		return "", schema.Unknown("layout", layout, names, "flowlog help sql")
	}
	if d.files && layout != "dataset" {
		return "", fmt.Errorf("a view of %s has no columns for the folders of AWS's layouts: name the files of the time in its place", d.Name)
	}
	if err := CheckTable(table); err != nil {
		return "", err
	}
	first, last := since.UTC(), until.UTC()
	if !until.IsZero() {
		last = last.Add(-time.Second) // it is whole seconds
	}
	column, literal := "date", func(t time.Time) sqlNode { return typedNode{"DATE", t.Format(isoDay.layout)} }
	if layout != "dataset" { // whose folders are the days of the ends themselves
		first, last = first.Add(-schema.DeliveryMargin), last.Add(schema.DeliveryMargin)
		name, form := dateOf(layout)
		column, literal = name, func(t time.Time) sqlNode { return textNode(t.Format(form.layout)) }
	}
	var from, to sqlNode
	if !since.IsZero() {
		from = sqlInfix(identNode(column), ">=", literal(first))
	}
	if !until.IsZero() {
		to = sqlInfix(identNode(column), "<=", literal(last))
	}
	within := sqlAnd(from, to)
	if within == nil {
		return table, nil
	}
	return "(" + d.selectAll(table, within) + ")", nil
}
