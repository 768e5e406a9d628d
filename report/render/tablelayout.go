package render

import (
	"bytes"
	"io"
	"slices"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// A layout is the text of a table: cells in columns as wide as their widest cell, aligned to the left or the right.
type layout struct {
	head          []string // nil if there is none
	lines         [][]string
	right         []bool
	foot          []string // nil if there is none
	others, total string   // labels written over blank cells at the beginning of the last line, and of the foot
}

// layoutColumn is the width of a column, in terminal columns.
type layoutColumn struct {
	cells, name int
	least       int    // width of the name in two lines, if that makes the column narrower
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

// label moves a label into the first cell if there are too few blank cells to write it over.
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

// fits reports whether the table fits a terminal, with names of columns in two lines if necessary.
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

// broken returns the head and its number of lines: two if it is wider than the terminal, and some names are wider than
// the cells below and can be broken.
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

// newTable configures a tablewriter for the layout: columns two spaces apart, a rule below the header and above the foot.
func (g *layout) newTable(out io.Writer, ruledHead bool, opt Options) *tablewriter.Table {
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
	if ruledHead {
		ruled = tw.On
	}
	return tablewriter.NewTable(out,
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
}

// write writes the table.
func (g *layout) write(w io.Writer, opt Options) error {
	var buf bytes.Buffer
	head, names := g.broken(opt.Width)
	table := g.newTable(&buf, head != nil, opt)
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

// trimmed returns a line without trailing blanks, in bold if wanted.
func trimmed(line []byte, bold bool) []byte {
	line = bytes.TrimRight(line, " \n")
	if bold {
		return slices.Concat([]byte("\x1b[1m"), line, []byte("\x1b[0m"))
	}
	return slices.Clip(line)
}
