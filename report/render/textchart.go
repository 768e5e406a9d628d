package render

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"flowlog/report"
)

// Terminal charts are text, so that they can be copied into a message: bars and columns of eighths of a block, shades, or
// ASCII.

// Widths in terminal columns: of bars, which are no more precise beyond the maximum, and of a chart if the terminal's
// width is unknown.
const (
	barMin, barMax = 10, 50
	defaultWidth   = 80
)

// Ramps are characters from empty to full: of a bar from the left, of a column from below, of a shade.
var (
	barRamp    = []rune(" ▏▎▍▌▋▊▉█")
	columnRamp = []rune(" ▁▂▃▄▅▆▇█")
	shadeRamp  = []rune("·░▒▓█")
	asciiBar   = []rune(" #")
	asciiShade = []rune(".:=*#@")
	asciiSteps = []rune(" .:-=+*#")
)

func (o Options) ramp(blocks, ascii []rune) []rune {
	if o.ASCII {
		return ascii
	}
	return blocks
}

func (o Options) width() int {
	if o.Width <= 0 {
		return defaultWidth
	}
	return o.Width
}

// brief shortens a label to thirty characters.
func (o Options) brief(label string) string {
	label = ellipsis(printable(label), 30)
	if o.ASCII {
		label = strings.ReplaceAll(label, "…", "~")
	}
	return label
}

// drawn reports whether a chart replaces the rows of a report.
func drawn(t report.Table) bool {
	c, measure := chartOf(t)
	return measure >= 0 && c.text != nil
}

func writeChart(w io.Writer, t report.Table, opt Options) error {
	c, measure := chartOf(t)
	return c.text(w, t, measure, opt)
}

// withBars appends a bar to each row of a table, in proportion to the largest value. Others and totals have none: they
// would mostly be longer than any row.
func withBars(t report.Table, g *layout, opt Options) {
	_, measure := chartOf(t)
	if measure < 0 || !hasKeys(t) {
		return
	}
	room := opt.width()
	for _, c := range g.columns() {
		room -= max(c.name, c.cells) + len(gap)
	}
	room = min(max(room, barMin), barMax)
	top := 0.0
	for _, row := range t.Rows {
		v, _ := number(row[measure])
		top = max(top, math.Abs(v))
	}
	g.head, g.right = append(g.head, ""), append(g.right, false)
	for i := range g.lines {
		line := ""
		if i < len(t.Rows) {
			v, _ := number(t.Rows[i][measure])
			line = bar(math.Abs(v), top, room, opt.ramp(barRamp, asciiBar))
		}
		g.lines[i] = append(g.lines[i], line)
	}
	if g.foot != nil {
		g.foot = append(g.foot, "")
	}
}

// bar returns a bar for v, where top is n characters long. A value above 0 is always visible.
func bar(v, top float64, n int, ramp []rune) string {
	if v <= 0 || top <= 0 {
		return ""
	}
	steps := len(ramp) - 1
	length := max(int(math.Round(v/top*float64(n*steps))), 1)
	s := strings.Repeat(string(ramp[steps]), length/steps)
	if rest := length % steps; rest > 0 {
		s += string(ramp[rest])
	}
	return s
}

// textTime draws a measure over time: a column chart for one line, or a row of small columns for each of several.
func textTime(w io.Writer, t report.Table, measure int, opt Options) error {
	const margin, most = 12, 10 // columns for the scale, lines
	name := labeller(t, opt, timeColumn(t))
	if keyCount(t) == 1 {
		name = func([]any) string { return t.Columns[measure].Name }
	}
	column := t.Columns[measure]
	widest := margin
	if keyCount(t) > 1 {
		for _, row := range t.Rows {
			widest = max(widest, min(width([]byte(name(row))), 30)+len(gap))
		}
		widest += len("1,023 KiB") + 2*len(gap)
	}
	c := clockOf(t, max(opt.width()-widest, barMin), opt)
	t.Rows = c.rows(t, measure)
	g := gridOf(t, measure, c.n, most, c.place(t), name)
	var b bytes.Buffer
	what := printable(column.Name) + ", a column is " + shortDuration(c.every)
	if g.band {
		what = "largest " + printable(column.Name) + " of the bins of " + shortDuration(c.fine) + " in each column of " + shortDuration(c.every)
	}
	fmt.Fprintf(&b, "%s from %s on\n", what, c.at(0).Format(instant+" MST"))
	times := c.axis(opt)
	if keyCount(t) == 1 {
		columns(&b, g, margin, opt)
		b.WriteString(strings.TrimRight(strings.Repeat(" ", margin)+times, " ") + "\n")
	} else {
		lines(&b, g, times, opt)
	}
	g.writeUndrawn(&b, t, opt)
	_, err := w.Write(b.Bytes())
	return err
}

// shortDuration formats the width of a bin as flags accept it.
func shortDuration(width time.Duration) string {
	if width > 0 && width%day == 0 {
		return strconv.Itoa(int(width/day)) + "d"
	}
	s := width.String()
	s = strings.TrimSuffix(s, "0s")
	if s == "" || s[len(s)-1] != 'm' && s[len(s)-1] != 'h' {
		return width.String()
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// spokenDuration formats a duration for people: beyond a day, in days and hours.
func spokenDuration(d time.Duration) string {
	if d < 2*day {
		return shortDuration(d)
	}
	return fmt.Sprintf("%dd %dh", d/day, d%day/time.Hour)
}

// columns draws one line of a grid as a column chart with its scale.
func columns(b *bytes.Buffer, g grid, margin int, opt Options) {
	const high = 8
	ramp := opt.ramp(columnRamp, asciiSteps)
	steps := len(ramp) - 1
	step, n := scale(g.Column, g.top)
	top := step * float64(n)
	for row := high - 1; row >= 0; row-- {
		label := ""
		if row == high-1 || row == high/2-1 {
			label = brief(g.Column, top*float64(row+1)/high)
		}
		label = fmt.Sprintf("%*s  ", margin-2, label)
		line := make([]rune, len(g.lines[0].values))
		for x, value := range g.lines[0].values {
			v, _ := number(value)
			level := int(math.Round(v/top*float64(high*steps))) - row*steps
			if row == 0 && v > 0 {
				level = max(level, 1)
			}
			line[x] = ramp[min(max(level, 0), steps)]
		}
		b.WriteString(strings.TrimRight(label+string(line), " ") + "\n")
	}
}

// lines draws each line of a grid one row high, on its own scale, between its name and its total or highest value.
func lines(b *bytes.Buffer, g grid, times string, opt Options) {
	ramp := opt.ramp(columnRamp, asciiSteps)
	names, totals := make([]string, len(g.lines)), make([]string, len(g.lines))
	left, right := 0, 0
	for i, l := range g.lines {
		names[i], totals[i] = opt.brief(l.label), human(g.Column, l.total, opt)
		left, right = max(left, width([]byte(names[i]))), max(right, len(totals[i]))
	}
	for i, l := range g.lines {
		top := 0.0
		for _, v := range l.values {
			n, _ := number(v)
			top = max(top, n)
		}
		line := make([]rune, len(l.values))
		for x, value := range l.values {
			line[x] = ' '
			if v, _ := number(value); v > 0 {
				line[x] = ramp[max(int(math.Round(v/top*float64(len(ramp)-1))), 1)]
			}
		}
		name := names[i] + strings.Repeat(" ", left-width([]byte(names[i])))
		b.WriteString(strings.TrimRight(fmt.Sprintf("%s  %*s  %s", name, right, totals[i], string(line)), " ") + "\n")
	}
	b.WriteString(strings.TrimRight(strings.Repeat(" ", left+right+2*len(gap))+times, " ") + "\n")
	what := "highest value"
	if g.Share {
		what = "sum"
	}
	fmt.Fprintf(b, "each line has its %s before it and a scale of its own\n", what)
}

// axis returns the lines of the time axis, a column per bin.
func (c clock) axis(opt Options) string {
	line := []rune(strings.Repeat(" ", c.n+12))
	end := 0
	mark := "└"
	if opt.ASCII {
		mark = "|"
	}
	for i, tick := range c.ticks(max(c.n/14, 2)) {
		x, s := tick.place, []rune(mark+tick.text)
		if i > 0 && tick.larger != "" && c.every < day { // a new day; the line above has the first one
			s = []rune(mark + c.at(x).Format("Jan 2"))
		}
		if x < end || x+len(s) > len(line) {
			continue
		}
		copy(line[x:], s)
		end = x + len(s) + 1
	}
	return string(line)
}

// heatColors are backgrounds in the 256-colour palette, from low to high.
var heatColors = [heatSteps]int{17, 18, 19, 26, 33, 75}

// textHeat draws a measure by the hour of the day, in colours if the terminal has them, else in shades.
func textHeat(w io.Writer, t report.Table, measure int, opt Options) error {
	const hours = 24
	hour := hourColumn(t)
	name := labeller(t, opt, hour)
	if keyCount(t) == 1 {
		name = func([]any) string { return t.Columns[measure].Name }
	}
	g := gridOf(t, measure, hours, heatRows, hourPlace(hour), name)
	low, top := heatRange(g)
	cell := func(v float64) string {
		if v <= 0 {
			return "  "
		}
		step := heatStep(v, low, top)
		if opt.Color {
			return fmt.Sprintf("\x1b[48;5;%dm  \x1b[0m", heatColors[step-1])
		}
		ramp := opt.ramp(shadeRamp, asciiShade)
		return strings.Repeat(string(ramp[(step-1)*(len(ramp)-1)/(heatSteps-1)]), 2)
	}
	left, right := 0, 0
	for _, l := range g.lines {
		left, right = max(left, width([]byte(opt.brief(l.label)))), max(right, len(human(g.Column, l.total, opt)))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s by the hour of the day, from %s to %s\n", printable(g.Name), human(g.Column, anyNumber(g.Column, low), opt), human(g.Column, anyNumber(g.Column, top), opt))
	for _, l := range g.lines {
		label := opt.brief(l.label)
		line := label + strings.Repeat(" ", left-width([]byte(label))) + fmt.Sprintf("  %*s  ", right, human(g.Column, l.total, opt))
		for _, v := range l.values {
			n, _ := number(v)
			line += cell(n)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteString(strings.Repeat(" ", left+right+2*len(gap)))
	for x := 0; x < hours; x += 3 {
		fmt.Fprintf(&b, "%-6s", fmt.Sprintf("%02d", x))
	}
	b.Truncate(len(bytes.TrimRight(b.Bytes(), " ")))
	b.WriteString("\n")
	g.writeUndrawn(&b, t, opt)
	_, err := w.Write(b.Bytes())
	return err
}

// writeUndrawn writes below a chart what it does not show.
func (g *grid) writeUndrawn(b *bytes.Buffer, t report.Table, opt Options) {
	for _, what := range g.undrawn(t, opt) {
		b.WriteString("not drawn: " + printable(what) + "\n")
	}
}

// anyNumber converts a number to the type of a column's values.
func anyNumber(c report.Column, v float64) any {
	if numeric(c) && v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return int64(v)
	}
	return v
}
