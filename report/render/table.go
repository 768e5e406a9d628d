package render

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"flowlog/report"
)

// Tables have a header, a thin rule, and columns two spaces apart. Values are never cut: half an address is useless. If
// the table is wider than the terminal, names of columns are broken and the cumulative shares left out.
const (
	gap  = "  "
	rule = "─"

	asciiRule = "-"
)

// totalLabel labels the row of totals.
const totalLabel = "total"

// summedShares is the name of the column of cumulative shares.
const summedShares = "cum %"

// othersLabel labels the row that sums the rows that were cut.
func othersLabel(t report.Table) string { return "others (" + humanize.Comma(int64(t.Cut)) + " more)" }

// notesOf returns the notes of a table: its own, and the number of rows that --having excluded.
func notesOf(t report.Table) []string {
	if t.Excluded == 0 || len(t.Rows) == 0 {
		return t.Notes
	}
	rows, are := "rows do", "are"
	if t.Excluded == 1 {
		rows, are = "row does", "is"
	}
	note := fmt.Sprintf("%s more %s not meet the condition on rows and %s not shown", grouped(int64(t.Excluded)), rows, are)
	if t.Totals != nil {
		note += "; the total has them"
	}
	return append(slices.Clip(t.Notes), note)
}

// emptyReason says why a table has no rows.
func emptyReason(t report.Table) string {
	if t.None == "" && t.Excluded > 0 {
		return "no row meets the condition on rows: " + grouped(int64(t.Excluded)) + " do not"
	}
	return cmp.Or(t.None, "no matching flows")
}

// tableReports writes reports for people. A label with InPlace replaces its key, the measure that ranks the rows has its
// shares of the total beside it, and a report without keys, which is one row, is written upright, a measure per line.
func tableReports(w io.Writer, doc Document, opt Options) error {
	for i, t := range doc.Tables {
		var buf bytes.Buffer
		if i > 0 {
			buf.WriteByte('\n')
		}
		buf.WriteString(printable(t.Name))
		switch {
		case t.Title != "":
			buf.WriteString(": " + printable(t.Title))
		case t.Doc != "":
			buf.WriteString(": " + printable(t.Doc))
		}
		buf.WriteString("\n" + settingsLines(t, opt))
		var err error
		switch {
		case t.Lacks != nil:
			buf.WriteString("not in these logs: " + printable(strings.Join(t.Lacks, ", ")) + "\n")
		case upright(t):
			err = writeUpright(&buf, t, opt)
		case opt.Chart && drawn(t):
			err = writeChart(&buf, t, opt)
		default:
			err = writeReport(&buf, t, opt)
		}
		if err != nil {
			return err
		}
		if len(t.Rows) == 0 && t.Lacks == nil {
			buf.WriteString(emptyReason(t) + "\n")
		}
		for _, note := range notesOf(t) {
			buf.WriteString("note: " + printable(note) + "\n")
		}
		if _, err := w.Write(buf.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// upright reports whether a table is the one row of a report without keys.
func upright(t report.Table) bool {
	for _, c := range t.Columns {
		if c.Role == report.KeyRole {
			return false
		}
	}
	return t.Totals == nil && len(t.Rows) == 1
}

func writeUpright(w io.Writer, t report.Table, opt Options) error {
	lines := make([][]string, len(t.Columns))
	for i, c := range t.Columns {
		lines[i] = []string{printable(c.Name), human(c, t.Rows[0][i], opt)}
		if _, ok := t.Rows[0][i].(time.Time); ok && !opt.Raw {
			lines[i][1] += " " + opt.zone().String()
		}
	}
	return (&layout{lines: lines, right: []bool{false, false}}).write(w, opt)
}

// A shown column is a printed column: a value of the row, or one computed from several. cell gets the number of the row
// too: that of others is the number of rows, and totals follow.
type shown struct {
	name  string
	right bool
	cell  func(n int, row []any) string
}

func writeReport(w io.Writer, t report.Table, opt Options) error {
	columns := show(t, opt)
	g := layOut(t, columns, opt)
	if summed := slices.IndexFunc(columns, func(c shown) bool { return c.name == summedShares }); summed >= 0 && !g.fits(opt.Width) {
		if less := layOut(t, slices.Delete(columns, summed, summed+1), opt); less.fits(opt.Width) {
			g = less
		}
	}
	return g.write(w, opt)
}

// layOut returns the layout of a report.
func layOut(t report.Table, columns []shown, opt Options) *layout {
	g := &layout{}
	for _, c := range columns {
		g.head = append(g.head, c.name)
		g.right = append(g.right, c.right)
	}
	line := func(n int, row []any) []string {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = c.cell(n, row)
		}
		return cells
	}
	for n, row := range t.Rows {
		g.lines = append(g.lines, line(n, row))
	}
	// a null in these rows means that the column does not add up
	sum := func(n int, row []any) []string {
		cells := line(n, row)
		for i := range cells {
			if cells[i] == "-" {
				cells[i] = ""
			}
		}
		if len(cells) > 0 {
			cells[0] = ""
		}
		return cells
	}
	if t.Cut > 0 && len(t.Others) == len(t.Columns) {
		g.lines = append(g.lines, sum(len(t.Rows), t.Others))
		g.others = othersLabel(t)
	}
	if len(t.Totals) == len(t.Columns) && len(t.Rows)+t.Cut+t.Excluded > 1 {
		g.foot = sum(len(t.Rows)+1, t.Totals)
		g.total = totalLabel
	}
	g.label()
	if opt.Chart {
		withBars(t, g, opt)
	}
	return g
}

// show lists the printed columns of a table: each key, or the label in its place, then its further labels; then the
// measures, the ranking one with its shares.
func show(t report.Table, opt Options) []shown {
	var columns []shown
	for k, key := range t.Columns {
		if key.Role == report.KeyRole {
			columns = append(columns, showKey(t, k, opt)...)
		}
	}
	for m, measure := range t.Columns {
		if measure.Role != report.MeasureRole {
			continue
		}
		columns = append(columns, showPlain(t, m, opt))
		if m == t.Order {
			columns = append(columns, shares(t)...)
		}
	}
	return columns
}

// shares returns the percentage columns of the measure that ranks the rows: a row's share of the total, and if the order
// is descending the cumulative share. There are none for a measure that does not add up.
func shares(t report.Table) []shown {
	m := t.Order
	if m >= len(t.Columns) || !t.Columns[m].Share || len(t.Totals) <= m || isNull(t.Totals[m]) {
		return nil
	}
	columns := []shown{{"%", true, func(_ int, row []any) string { return humanPercent(row[m], t.Totals[m]) }}}
	if !t.Desc || len(t.Rows) < 2 {
		return columns
	}
	rows := t.Rows
	if t.Cut > 0 && len(t.Others) > m {
		rows = append(slices.Clip(rows), t.Others)
	}
	sum, sums := 0.0, make([]float64, len(rows))
	for n, row := range rows {
		if v, ok := number(row[m]); ok {
			sum += v
		}
		sums[n] = sum
	}
	return append(columns, shown{summedShares, true, func(n int, _ []any) string {
		if n >= len(sums) {
			return "" // the totals
		}
		return humanPercent(sums[n], t.Totals[m])
	}})
}

// showPlain returns a column of the table as a shown column.
func showPlain(t report.Table, i int, opt Options) shown {
	c := t.Columns[i]
	name := printable(c.Name)
	if timed(t, i) && !opt.Raw {
		name += " (" + opt.zone().String() + ")"
	}
	format := ""
	if c.Role == report.KeyRole && !opt.Raw {
		format = binFormat(t, i, opt)
	}
	return shown{name, numeric(c), func(_ int, row []any) string {
		if at, ok := row[i].(time.Time); ok && format != "" {
			return at.In(opt.zone()).Format(format)
		}
		return human(c, row[i], opt)
	}}
}

// showKey returns the key in column k, or the label in its place, and its further labels.
func showKey(t report.Table, k int, opt Options) []shown {
	column, labels, replaced := showPlain(t, k, opt), []shown(nil), false
	for l, label := range t.Columns {
		if label.Role != report.LabelRole || label.Of != k {
			continue
		}
		if !label.InPlace || replaced {
			labels = append(labels, showPlain(t, l, opt))
			continue
		}
		replaced = true
		value := column.cell
		column.right = column.right && numeric(label)
		shared := sharedLabels(t, k, l)
		column.cell = func(n int, row []any) string {
			if isNull(row[l]) {
				return value(n, row)
			}
			if shared[row[l]] {
				return human(label, row[l], opt) + " (" + value(n, row) + ")"
			}
			return human(label, row[l], opt)
		}
	}
	return append([]shown{column}, labels...)
}

// sharedLabels returns the labels that several keys of the table share, such as "Unassigned".
func sharedLabels(t report.Table, key, label int) map[any]bool {
	keys := make(map[any]any)
	shared := make(map[any]bool)
	for _, row := range t.Rows {
		if was, ok := keys[row[label]]; ok && was != row[key] {
			shared[row[label]] = true
		}
		keys[row[label]] = row[key]
	}
	return shared
}

// timed reports whether a column's values depend on the time zone: instants or hours, but not logged seconds.
func timed(t report.Table, i int) bool {
	if t.Columns[i].Unit == report.Instant || i == hourColumn(t) {
		return true
	}
	for _, row := range t.Rows {
		if row[i] != nil {
			_, ok := row[i].(time.Time)
			return ok
		}
	}
	return false
}

// binFormat returns the layout of bins of time: without seconds if all begin at a full minute, and without the time of
// day if all begin at midnight, or would if the clock did not skip it. It is "" for other columns.
func binFormat(t report.Table, i int, opt Options) string {
	format := ""
	days := t.Columns[i].Every > 0 && t.Columns[i].Every%day == 0 && zoneOf(t.Columns[i]) == opt.zone().String()
	for _, row := range t.Rows {
		at, ok := row[i].(time.Time)
		if !ok {
			continue
		}
		switch hour, minute, second := at.In(opt.zone()).Clock(); {
		case second != 0:
			return instant
		case (hour != 0 || minute != 0) && !days:
			format = instantOfBin
		case format == "":
			format = instantOfDay
		}
	}
	return format
}

// zoneOf returns the name of the zone of a column's bins.
func zoneOf(c report.Column) string {
	if c.Zone == nil {
		return time.UTC.String()
	}
	return c.Zone.String()
}
