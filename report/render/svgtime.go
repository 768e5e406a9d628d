package render

import (
	"fmt"
	"math"
	"strconv"

	"flowlog/report"
)

// binsDrawn is how many bins of time a chart has at most: two or three pixels each.
const binsDrawn = 360

// pageTime draws a measure over time: stacked bars if it adds up, lines if not.
func pageTime(m *markup, t report.Table, measure int, opt Options) {
	const height, below = 180, 22
	c := clockOf(t, binsDrawn, opt)
	if c.n == 0 {
		return
	}
	name := labeller(t, opt, c.column)
	alone := keyCount(t) == 1
	if alone {
		name = func([]any) string { return t.Columns[measure].Name }
	}
	g := gridOf(t, measure, c.n, seriesShown, c.place, name)
	step, lines := scale(g.Column, g.top)
	top := step * float64(lines)
	what := fmt.Sprintf("%s from %s on, in %s of %s.", spoken(g.Name), c.at(0).Format("2006-01-02 15:04 MST"), numberOf(c.n, "bin"), c.every)
	if !alone {
		what += " By size: "
		for i, l := range g.lines {
			if i > 0 {
				what += ", "
			}
			what += l.label
		}
		what += "."
	}
	m.svgHead(t, "time", height+below+8, what+" The table has all values.")
	y := func(v float64) float64 { return 8 + height*(1-v/top) }
	for i := range lines + 1 {
		at := y(float64(i) * step)
		m.put(`<line class="grid" x2="100%" y1="{}" y2="{}"/><text class="axis y" x="-8" y="{}">{}</text>`, at, at, at+4, brief(g.Column, float64(i)*step))
	}
	const across, up = 10, 1000 // units of the drawing, by bin and in all
	m.put(`<svg y="8" width="100%" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">`, height, across*c.n, up)
	unit := up / top
	below0 := make([]float64, c.n)
	for _, l := range g.lines {
		if g.Share {
			m.put(`<path class="{}" d="{}"/>`, l.class, stackPath(l.values, below0, across, up, unit))
		} else {
			m.put(`<path class="curve {}" d="{}"/>`, l.class, curvePath(l.values, across, up, unit))
		}
	}
	m.put(`</svg>`)
	for x := range c.n {
		tips := tip{head: c.name(x)}
		var sum any
		for _, l := range g.lines {
			v := l.values[x]
			if n, ok := number(v); !ok || n == 0 && len(g.lines) > 1 {
				continue
			}
			class := l.class
			if alone {
				class = ""
			}
			tips.add(class, l.label, exact(g.Column, v, opt))
			sum = g.join(sum, v)
		}
		if len(g.lines) > 1 && g.Share && sum != nil {
			tips.add("", "together", exact(g.Column, sum, opt))
		}
		if tips.lines == nil {
			tips.add("", g.Name, "0")
		}
		m.put(`<rect class="hit" x="{}%" y="8" width="{}%" height="{}" data-tip="{}"/>`, 100*float64(x)/float64(c.n), 100/float64(c.n), height, tips)
	}
	places, form := c.ticks(7)
	for i, x := range places {
		class := "axis x"
		switch {
		case float64(x)/float64(c.n) > 0.94:
			class = "axis x last"
		case i%2 == 1:
			class = "axis x odd" // left out where there is little room
		}
		m.put(`<text class="{}" x="{}%" y="{}">{}</text>`, class, 100*float64(x)/float64(c.n), height+below, c.at(x).Format(form))
	}
	m.put(`</svg>`)
	if !alone {
		m.legend(g, opt)
	}
	m.undrawn(t, g, opt)
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

// stackPath is a bar for each value on top of what is below, which it adds to.
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

// curvePath is a line through the middles of the bins, interrupted where there is no value.
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
			d = append(d, "h0"...) // a point, where there is no line
		}
	}
	return string(d)
}

// heatSteps is how many colours a heat map has; each is twice or more of the one before.
const heatSteps = 6

// heatRows is how many rows it has.
const heatRows = 14

// pageHeat draws a measure by the hour of the day and what is left of the keys.
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

// heatRange is the smallest and the largest value of a grid that is not 0.
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

// heatStep is the colour of a value, from 1 to heatSteps: traffic differs by powers, so steps do.
func heatStep(v, low, top float64) int {
	if top <= low {
		return heatSteps
	}
	return 1 + min(int(heatSteps*math.Log(v/low)/math.Log(top/low)), heatSteps-1)
}
