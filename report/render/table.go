package render

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"flowlog/parse/schema"
	"flowlog/report"
)

// The look of tables: a header, a thin rule, columns two spaces apart. Nothing is cut: half an address is of no use. Where
// the terminal would else wrap the lines of the whole table, names of columns are broken, and the shares summed up left out.
const (
	gap  = "  "
	rule = "─"

	asciiRule = "-"
)

// totalLabel stands in the first column of the row of totals.
const totalLabel = "total"

// summedShares is the column of the shares of all rows down to one.
const summedShares = "cum %"

// othersLabel stands in the first column of the row that adds up what was cut.
func othersLabel(t report.Table) string { return "others (" + humanize.Comma(int64(t.Cut)) + " more)" }

// notesOf are the remarks on a table: its own, and how many rows conditions have excluded.
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

// without says why a table has no rows.
func without(t report.Table) string {
	if t.None == "" && t.Excluded > 0 {
		return "no row meets the condition on rows: " + grouped(int64(t.Excluded)) + " do not"
	}
	return cmp.Or(t.None, "no matching flows")
}

// tableReports writes reports for people. Labels that speak for a key stand in its place, the measure that
// ranks the rows has its shares of the total beside it, and a report without keys, which is one row, is
// turned upright.
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
			buf.WriteString(without(t) + "\n")
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

// A shown column is one that people see: a value of the row, or something made of several. cell is called with
// the number of the row too: that of others is the number of rows, and the totals are the next.
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

// layOut makes the layout of a report.
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

// show lists what people see of a table: each key, or the label in its place, then its further labels; then
// the measures, the ranking one with its shares.
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

// shares are the percentages beside the measure that ranks the rows: a row's part of the total and, from the
// largest on, that of all rows down to it. There are none where they make no sense.
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

// showPlain is a column as it is.
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

// showKey is the key in column k, or the label in its place, and its further labels.
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

// sharedLabels finds the labels that several keys of the table have, such as "Unassigned".
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

// timed reports whether a column's values are points in time or hours, and not seconds as they were logged: they go by
// the zone.
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

// binFormat is how bins of time are written: without seconds where all begin with a minute, and without the time of
// day where all begin at midnight. It is "" for a column of anything else.
func binFormat(t report.Table, i int, opt Options) string {
	format := ""
	for _, row := range t.Rows {
		at, ok := row[i].(time.Time)
		if !ok {
			continue
		}
		switch hour, minute, second := at.In(opt.zone()).Clock(); {
		case second != 0:
			return instant
		case hour != 0 || minute != 0:
			format = instantOfBin
		case format == "":
			format = instantOfDay
		}
	}
	return format
}

// A layout is what a table shows: cells in columns as wide as their widest one, each to the left or the right.
type layout struct {
	head          []string // nil if there is none
	lines         [][]string
	right         []bool
	foot          []string // nil if there is none
	others, total string   // what stands over blank cells at the beginning of the last line, and of the foot
}

// layoutColumn says how wide a column is, in columns of a terminal.
type layoutColumn struct {
	cells, name int
	least       int    // of the name in two lines, if that makes the column narrower
	parted      string // the name in two lines
}

func (g *layout) columns() []layoutColumn {
	columns := make([]layoutColumn, len(g.right))
	lines := append(slices.Clip(g.lines), g.foot)
	for i := range columns {
		c := &columns[i]
		for _, line := range lines {
			if i < len(line) {
				c.cells = max(c.cells, width([]byte(line[i])))
			}
		}
		if g.head == nil {
			continue
		}
		name := g.head[i]
		c.name = width([]byte(name))
		c.least, c.parted = c.name, "\n"+name
		for at, char := range name {
			first, second := name[:at], name[at+1:]
			switch char {
			case '_':
				first += "_"
			case ' ':
			default:
				continue
			}
			if w := max(width([]byte(first)), width([]byte(second))); c.cells < c.name && w < c.least {
				c.least, c.parted = w, first+"\n"+second
			}
		}
	}
	return columns
}

// label puts what stands over blank cells into the first one if there are too few of them.
func (g *layout) label() {
	columns := g.columns()
	put := func(line []string, label *string) {
		room := 0
		for i, cell := range line {
			if i > 0 {
				room += len(gap)
			}
			if cell != "" {
				room -= len(gap)
				break
			}
			room += max(columns[i].cells, columns[i].least)
		}
		if width([]byte(*label)) > room {
			line[0], *label = *label, ""
		}
	}
	if g.others != "" {
		put(g.lines[len(g.lines)-1], &g.others)
	}
	if g.total != "" {
		put(g.foot, &g.total)
	}
}

// fits reports whether a terminal has room for it, with names of columns in two lines if they have to be.
func (g *layout) fits(terminal int) bool {
	if terminal <= 0 {
		return true
	}
	total := 0
	for i, c := range g.columns() {
		total += max(c.cells, c.least)
		if i > 0 {
			total += len(gap)
		}
	}
	return total <= terminal
}

// broken is the head, and how many lines it takes: two where it is wider than the terminal, and some names are wider
// than what is below them and can be broken.
func (g *layout) broken(terminal int) ([]string, int) {
	if terminal <= 0 {
		return g.head, 1
	}
	total, gain := len(gap)*(len(g.head)-1), 0
	parted := make([]string, len(g.head))
	for i, c := range g.columns() {
		if i < len(parted) {
			parted[i] = c.parted
		}
		total += max(c.name, c.cells)
		gain += max(c.name, c.cells) - max(c.least, c.cells)
	}
	if total <= terminal || gain == 0 {
		return g.head, 1
	}
	return parted, 2
}

// write writes the table.
func (g *layout) write(w io.Writer, opt Options) error {
	var buf bytes.Buffer
	head, names := g.broken(opt.Width)
	cell := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: gap, Overwrite: true}},
	}
	for _, r := range g.right {
		side := tw.AlignLeft
		if r {
			side = tw.AlignRight
		}
		cell.Alignment.PerColumn = append(cell.Alignment.PerColumn, side)
		cell.Padding.PerColumn = append(cell.Padding.PerColumn, tw.Padding{Right: gap, Overwrite: true})
	}
	if n := len(g.right); n > 0 {
		cell.Padding.PerColumn[n-1] = tw.Padding{Overwrite: true}
	}
	rule := rule
	if opt.ASCII {
		rule = asciiRule
	}
	ruled := tw.Off
	if head != nil {
		ruled = tw.On
	}
	table := tablewriter.NewTable(&buf,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Symbols: tw.NewSymbolCustom("rule").WithRow(rule).WithCenter(rule).WithHeaderMid(rule).WithColumn(""),
			Settings: tw.Settings{
				Lines:      tw.Lines{ShowHeaderLine: ruled, ShowFooterLine: tw.On, ShowTop: tw.Off, ShowBottom: tw.Off},
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{
			Header: cell, Row: cell, Footer: cell,
			Behavior: tw.Behavior{TrimSpace: tw.Off, TrimLine: tw.Off, TrimTab: tw.Off},
		}),
		tablewriter.WithEastAsian(tw.Off), // the widths must not depend on the locale
	)
	if head != nil {
		table.Header(head)
	}
	for _, line := range g.lines {
		if err := table.Append(line); err != nil {
			return err
		}
	}
	if g.foot != nil {
		table.Footer(g.foot)
	}
	if err := table.Render(); err != nil {
		return err
	}
	out := slices.Collect(bytes.Lines(buf.Bytes()))
	if g.total != "" {
		copy(out[len(out)-1], g.total)
	}
	if g.others != "" {
		copy(out[names+len(g.lines)], g.others) // after the rule below the names
	}
	for i, line := range out {
		line = append(trimmed(line, i < names && head != nil && opt.Color), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// trimmed is a line without the blanks at its end, emphasised if it is to be bold.
func trimmed(line []byte, bold bool) []byte {
	line = bytes.TrimRight(line, " \n")
	if bold {
		return slices.Concat([]byte("\x1b[1m"), line, []byte("\x1b[0m"))
	}
	return slices.Clip(line)
}

// tableRecords writes records for people, as they come. The first batch with rows says how wide the columns
// are; a longer value in a later one pushes the rest of its row aside. Times are readable unless Raw.
func tableRecords(w io.Writer, fields schema.Table, opt Options) (RecordWriter, error) {
	return &recordTable{out: w, fields: fields, opt: opt}, nil
}

// recordTable formats its batches in turn, not side by side: the reader's eyes are what it waits for.
type recordTable struct {
	out    io.Writer
	fields schema.Table
	opt    Options
	turns  sequencer
	cells  cells
	widths []int // nil until the header is written
}

func (t *recordTable) Add(b schema.Batch) error {
	return t.turns.do(b.Seq, func() error {
		if empty(b) {
			return nil
		}
		if err := t.cells.load(b.Record, t.fields); err != nil {
			return err
		}
		return t.write()
	})
}

func (t *recordTable) write() error {
	var text []byte
	ends := make([]int, 0, t.cells.rows*len(t.fields))
	for row := range t.cells.rows {
		for i := range t.fields {
			text = t.append(text, &t.cells.columns[i], row)
			ends = append(ends, len(text))
		}
	}
	var out []byte
	if t.widths == nil {
		out = t.head(text, ends)
	}
	start := 0
	for i, end := range ends {
		col := i % len(t.fields)
		out = t.pad(out, col, text[start:end], width(text[start:end]))
		start = end
	}
	_, err := t.out.Write(out)
	return err
}

func (t *recordTable) append(dst []byte, c *cell, row int) []byte {
	switch {
	case c.null(row):
		return append(dst, '-')
	case c.Kind == schema.Time && !t.opt.Raw:
		return time.Unix(c.longs[row], 0).In(t.opt.zone()).AppendFormat(dst, instant)
	}
	return c.append(dst, row, func(dst []byte, _ *schema.Field, s string) []byte { return appendPrintable(dst, s) })
}

// head sets the widths by the names and the first rows, and returns the header and its rule.
func (t *recordTable) head(text []byte, ends []int) []byte {
	names := t.fields.Names()
	t.widths = make([]int, len(names))
	for i, f := range t.fields {
		if f.Kind == schema.Time && !t.opt.Raw {
			names[i] += " (" + t.opt.zone().String() + ")"
		}
		t.widths[i] = len(names[i])
	}
	start := 0
	for i, end := range ends {
		col := i % len(names)
		t.widths[col] = max(t.widths[col], width(text[start:end]))
		start = end
	}
	var out []byte
	total := len(gap) * max(0, len(names)-1)
	for i, name := range names {
		out = t.pad(out, i, []byte(name), len(name))
		total += t.widths[i]
	}
	out = append(trimmed(out, t.opt.Color), '\n')
	return append(append(out, strings.Repeat(rule, total)...), '\n')
}

// pad appends a cell, of which so much is visible, and what follows it: a gap, or the end of the line.
func (t *recordTable) pad(dst []byte, col int, cell []byte, visible int) []byte {
	n := t.widths[col] - visible
	kind := t.fields[col].Kind
	right := kind == schema.Int32 || kind == schema.Int64 || kind == schema.Float
	if right {
		dst = spaces(dst, n)
	}
	dst = append(dst, cell...)
	if col == len(t.fields)-1 {
		return append(dst, '\n')
	}
	if !right {
		dst = spaces(dst, n)
	}
	return append(dst, gap...)
}

// width is how many columns of a terminal a printable text takes.
func width(s []byte) int {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return twwidth.WidthWithOptions(string(s), twwidth.Options{})
		}
	}
	return len(s)
}

func spaces(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}

func (t *recordTable) Close() error {
	return t.turns.finish(func() error {
		if t.widths != nil || len(t.fields) == 0 {
			return nil
		}
		_, err := t.out.Write(append(t.head(nil, nil), "no records\n"...))
		return err
	})
}
