package render

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"flowlog/report"
)

// binsDrawn is the most bins of a time chart: each has two or three pixels.
const binsDrawn = 360

// A timeChart is a chart over time: stacked bars if the measure adds up, lines if not.
type timeChart struct {
	grid
	clock
	t     report.Table
	alone bool    // there is one line, the measure itself
	top   float64 // of the scale
	step  float64 // between grid lines
	lines int     // number of grid lines, without that of 0
	opt   Options
}

// Sizes of a time chart: pixels above, of the chart, and below; drawing units of the width.
const (
	timeAbove, timeHigh, timeBelow = 8, 180, 38
	across, up                     = 10, 1000
)

// pageTime draws a measure over time, on the page's common axis if the table's bins fit it.
func pageTime(m *markup, t report.Table, measure int, opt Options) {
	c := m.clock
	if !c.fits(t) {
		c = clockOf(t, binsDrawn, opt)
	}
	name := labeller(t, opt, timeColumn(t))
	alone := keyCount(t) == 1
	if alone {
		name = func([]any) string { return t.Columns[measure].Name }
	}
	t.Rows = c.rows(t, measure)
	x := timeChart{grid: gridOf(t, measure, c.n, seriesShown, c.place(t), name), clock: c, t: t, alone: alone, opt: opt}
	x.step, x.lines = scale(x.Column, x.grid.top)
	x.top = x.step * float64(x.lines)
	m.svgHead(t, "time", timeAbove+timeHigh+timeBelow, x.spoken()+" The table has all values.")
	for i := range x.lines + 1 {
		at := timeAbove + timeHigh*(1-float64(i)*x.step/x.top)
		m.put(`<line class="grid" x2="100%" y1="{}" y2="{}"/><text class="axis y" x="-8" y="{}">{}</text>`, at, at, at+4, brief(x.Column, float64(i)*x.step))
	}
	m.series(x)
	for place := range x.n {
		m.put(`<rect class="hit" x="{}%" y="8" width="{}%" height="{}" data-tip="{}"/>`, x.left(place), 100/float64(x.n), timeHigh, x.tip(place))
	}
	m.timeAxis(x)
	m.put(`</svg>`)
	if !x.alone {
		m.legend(x.grid, opt)
	}
	if note := x.bandNote(); note != "" {
		m.put(`<p class="note">{}</p>`, note)
	}
	m.undrawn(t, x.grid, opt)
}

// spoken describes the chart for screen readers.
func (x *timeChart) spoken() string {
	s := fmt.Sprintf("%s from %s on, in %s of %s.", spoken(x.Name), x.at(0).Format("2006-01-02 15:04 MST"), numberOf(x.n, "bin"), shortDuration(x.every))
	if x.alone {
		return s
	}
	var labels []string
	for _, l := range x.grid.lines {
		labels = append(labels, l.label)
	}
	return s + " By size: " + strings.Join(labels, ", ") + "."
}

// left returns the x of a bin's left edge, in per cent.
func (x *timeChart) left(place int) float64 { return 100 * float64(place) / float64(x.n) }

// series draws the lines of the chart. Bars of partially covered bins are faded; lines leave these bins out.
func (m *markup) series(x timeChart) {
	m.put(`<svg y="8" width="100%" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">`, timeHigh, across*x.n, up)
	unit := up / x.top
	below := make([]float64, x.n)
	for _, l := range x.grid.lines {
		switch {
		case x.Share:
			m.put(`<path class="{}" d="{}"/>`, l.class, stackPath(l.values, below, across, up, unit))
		case x.band:
			m.put(`<path class="band {}" d="{}"/>`, l.class, bandPath(x.whole(l.least), x.whole(l.values), across, up, unit))
		default:
			m.put(`<path class="curve {}" d="{}"/>`, l.class, curvePath(x.whole(l.values), across, up, unit))
		}
	}
	for place := range x.n {
		if _, cut := x.covered(place); cut {
			m.put(`<rect class="part" x="{}" width="{}" height="{}"/>`, across*place, across, up)
		}
	}
	m.put(`</svg>`)
}

// whole returns the values without those of partially covered bins.
func (x *timeChart) whole(values []any) []any {
	values = slices.Clone(values)
	for place := range values {
		if _, cut := x.covered(place); cut {
			values[place] = nil
		}
	}
	return values
}

// tip returns the tooltip of a bin.
func (x *timeChart) tip(place int) tip {
	tips := tip{head: x.clock.name(place)}
	if part, cut := x.covered(place); cut {
		tips.head += fmt.Sprintf(" · the data cover %s of it", spokenDuration(part))
	}
	var sum any
	for _, l := range x.grid.lines {
		v := l.values[place]
		if n, ok := number(v); !ok || n == 0 && len(x.grid.lines) > 1 {
			continue
		}
		class := l.class
		if x.alone {
			class = ""
		}
		tips.add(class, l.label, x.exact(l, place))
		sum = x.join(sum, v)
	}
	if len(x.grid.lines) > 1 && x.Share && sum != nil {
		tips.add("", "together", exact(x.Column, sum, x.opt))
	}
	if tips.lines == nil {
		tips.add("", x.Name, "0")
	}
	return tips
}

// exact formats the value of a line in a bin, or the smallest and largest of several.
func (x *timeChart) exact(l line, place int) string {
	s := exact(x.Column, l.values[place], x.opt)
	if x.Share {
		return s
	}
	if least := exact(x.Column, l.least[place], x.opt); least != s {
		s = least + " – " + s
	}
	return s
}

// bandNote explains the band that is drawn where bins have several values that do not add up.
func (x *timeChart) bandNote() string {
	if !x.band {
		return ""
	}
	return fmt.Sprintf("Drawn from the smallest to the largest %s of the bins of %s in each %s.", spoken(x.Name), shortDuration(x.fine), shortDuration(x.every))
}

// timeAxis writes the times below a chart.
func (m *markup) timeAxis(x timeChart) {
	const y = timeAbove + timeHigh + 14
	m.put(`<text class="axis y" x="-8" y="{}">{}</text>`, y+15, x.at(0).Format("MST"))
	last := -100.0
	for i, tick := range x.ticks(7) {
		left := x.left(tick.place)
		class, larger := "axis x", "axis x"
		switch {
		case left > 94:
			class = "axis x last"
		case i%2 == 1:
			class = "axis x odd" // hidden on narrow pages
		}
		switch {
		case left > 75:
			larger = "axis x last"
		case left-last < 40:
			larger = "axis x odd"
		}
		m.put(`<text class="{}" x="{}%" y="{}">{}</text>`, class, left, y, tick.text)
		if tick.larger != "" {
			m.put(`<text class="{}" x="{}%" y="{}">{}</text>`, larger, left, y+15, tick.larger)
			last = left
		}
	}
}

func keyCount(t report.Table) int {
	n := 0
	for _, c := range t.Columns {
		if c.Role == report.KeyRole {
			n++
		}
	}
	return n
}

// stackPath returns the path of a bar for each value, on top of below, and adds the values to below.
func stackPath(values []any, below []float64, across, up int, unit float64) string {
	var d []byte
	gap := 0
	switch n := len(values); {
	case n <= 8:
		gap = 4
	case n <= 90:
		gap = 1
	}
	for x, value := range values {
		v, _ := number(value)
		if v <= 0 {
			continue
		}
		from := math.Round(below[x] * unit)
		below[x] += v
		to := math.Round(below[x] * unit)
		d = append(d, 'M')
		d = strconv.AppendInt(d, int64(x*across+gap), 10)
		d = append(d, ' ')
		d = strconv.AppendInt(d, int64(up)-int64(to), 10)
		d = append(d, 'h')
		d = strconv.AppendInt(d, int64(across-2*gap), 10)
		d = append(d, 'v')
		d = strconv.AppendInt(d, int64(to-from), 10)
		d = append(d, 'h')
		d = strconv.AppendInt(d, -int64(across-2*gap), 10)
		d = append(d, 'z')
	}
	return string(d)
}

// bandPath returns the path of the area from the smallest to the largest value of each bin, at least a thin line.
func bandPath(least, most []any, across, up int, unit float64) string {
	const thin = 8
	var d []byte
	for x := range most {
		v, ok := number(most[x])
		if !ok {
			continue
		}
		low, _ := number(least[x])
		from, to := int(math.Round(low*unit)), int(math.Round(v*unit))
		d = fmt.Appendf(d, "M%d %dh%dv%dh%dz", x*across, up-to, across, max(to-from, thin), -across)
	}
	return string(d)
}

// curvePath returns the path of a line through the middles of the bins, interrupted where there is no value.
func curvePath(values []any, across, up int, unit float64) string {
	var d []byte
	drawn := false
	for x, value := range values {
		v, ok := number(value)
		if !ok {
			drawn = false
			continue
		}
		next := byte('L')
		if !drawn {
			next = 'M'
		}
		drawn = true
		d = append(d, next)
		d = strconv.AppendInt(d, int64(x*across+across/2), 10)
		d = append(d, ' ')
		d = strconv.AppendInt(d, int64(up)-int64(math.Round(v*unit)), 10)
		if x+1 == len(values) || values[x+1] == nil {
			d = append(d, "h0"...) // a single value: a point
		}
	}
	return string(d)
}

// heatSteps is the number of colours of a heat map, on a logarithmic scale: each is at least twice the one before.
const heatSteps = 6

// heatRows is the most rows of a heat map.
const heatRows = 14

// pageHeat draws a measure by the hour of the day and the other keys.
func pageHeat(m *markup, t report.Table, measure int, opt Options) {
	const height, hours = 24, 24
	hour := hourColumn(t)
	name := labeller(t, opt, hour)
	if keyCount(t) == 1 {
		name = func([]any) string { return t.Columns[measure].Name }
	}
	g := gridOf(t, measure, hours, heatRows, hourPlace(hour), name)
	what := fmt.Sprintf("%s by hour of the day, %s, the largest on top.", spoken(g.Name), numberOf(len(g.lines), "row"))
	m.svgHead(t, "heat", len(g.lines)*height+20, what+" The table has all values.")
	low, top := heatRange(g)
	for i, l := range g.lines {
		m.put(`<text class="axis y" x="-8" y="{}">{}</text>`, i*height+16, ellipsis(l.label, 15))
		for x, v := range l.values {
			class := "h0"
			if n, _ := number(v); n > 0 {
				class = "h" + strconv.Itoa(heatStep(n, low, top))
			}
			tips := tip{head: fmt.Sprintf("%02d:00–%02d:00", x, x+1)}
			if v == nil {
				tips.add("", l.label, "0")
			} else {
				tips.add("", l.label, exact(g.Column, v, opt))
			}
			m.put(`<rect class="{}" x="{}%" y="{}" width="{}%" height="{}" rx="2" data-tip="{}"/>`, class, 100*float64(x)/hours, i*height, 100.0/hours-0.35, height-3, tips)
		}
	}
	for x := 0; x < hours; x += 3 {
		m.put(`<text class="axis" x="{}%" y="{}">{}</text>`, 100*(float64(x)+0.5)/hours-0.2, len(g.lines)*height+13, fmt.Sprintf("%02d", x))
	}
	m.put(`</svg><p class="steps"><span>{}</span>`, brief(g.Column, low))
	for step := 1; step <= heatSteps; step++ {
		m.put(`<i class="{}"></i>`, "h"+strconv.Itoa(step))
	}
	m.put(`<span>{}</span></p>`, brief(g.Column, top))
	m.undrawn(t, g, opt)
}

func hourPlace(column int) func(row []any) int {
	return func(row []any) int {
		hour, ok := row[column].(int64)
		if !ok {
			return -1
		}
		return int(hour)
	}
}

// heatRange returns the smallest and the largest value of a grid that is not 0.
func heatRange(g grid) (low, top float64) {
	low = math.Inf(1)
	for _, l := range g.lines {
		for _, v := range l.values {
			if n, ok := number(v); ok && n > 0 {
				low, top = min(low, n), max(top, n)
			}
		}
	}
	return min(low, top), top
}

// heatStep returns the colour of a value, from 1 to heatSteps, on a logarithmic scale: traffic spans orders of magnitude.
func heatStep(v, low, top float64) int {
	if top <= low {
		return heatSteps
	}
	return 1 + min(int(heatSteps*math.Log(v/low)/math.Log(top/low)), heatSteps-1)
}
