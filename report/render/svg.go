package render

import (
	"fmt"
	"math"

	"flowlog/report"
)

// The charts of a page are SVG written without a library. go-analyze/charts and gonum/plot target paper: they write fixed
// sizes and colours in style attributes, which a strict content security policy forbids, and have neither maps nor
// tooltips. They would add 0.7 and 6 MB.
//
// Drawings adapt to the page's width: x is in per cent and y in pixels, so that text keeps its size on a phone. Colours
// are classes, which the style sheet defines for light and dark.

// svgHead begins a drawing of a height in pixels, with title and description for screen readers. The title is in a group
// of its own: browsers would show the title of the whole drawing as a tooltip everywhere.
func (m *markup) svgHead(t report.Table, class string, height int, what string) {
	title, description := m.id(), m.id()
	m.put(`<svg class="plot {}" role="img" width="100%" height="{}" aria-labelledby="{}" aria-describedby="{}">`, class, height, title, description)
	m.put(`<g><title id="{}">{}</title><desc id="{}">{}</desc></g>`, title, titleOf(t), description, what)
}

// titleOf returns the heading of a table on a page.
func titleOf(t report.Table) string {
	switch {
	case t.Title != "":
		return t.Title
	case t.Doc != "":
		return t.Doc
	}
	return t.Name
}

// seriesShown is the most lines of a chart: so many colours can be told apart.
const seriesShown = 8

// seriesColors are the fixed colour classes of line names, the same on every chart of a page. Other lines take the
// remaining colours in order.
var seriesColors = map[string]string{
	othersName: "so", noKeys: "so", "ACCEPT": "sgood", "REJECT": "sbad", "ingress": "s0", "egress": "s1",
	"TCP": "s0", "UDP": "s1", "ESP": "s2", "GRE": "s3", "ICMP": "s4", "IPv6-ICMP": "s5",
}

// paint assigns the colours of lines.
func paint(lines []line) {
	taken := make(map[string]bool)
	for i := range lines {
		lines[i].class = seriesColors[lines[i].label]
		taken[lines[i].class] = true
	}
	next := 0
	for i := range lines {
		for lines[i].class == "" {
			class := "s" + string(rune('0'+next%seriesShown))
			next++
			if !taken[class] || next > seriesShown {
				lines[i].class = class
			}
		}
	}
}

// legend lists the lines of a chart with their totals.
func (m *markup) legend(g grid, opt Options) {
	m.put(`<ul class="legend">`)
	for _, l := range g.lines {
		m.put(`<li><i class="{}"></i>{}`, l.class, ellipsis(l.label, 40))
		if g.Share {
			m.put(` <b>{}</b>`, human(g.Column, l.total, opt))
		}
		m.put(`</li>`)
	}
	m.put(`</ul>`)
}

// undrawn writes below a chart what it does not show.
func (m *markup) undrawn(t report.Table, g grid, opt Options) {
	for _, what := range g.undrawn(t, opt) {
		m.put(`<p class="note">Not drawn: {}.</p>`, what)
	}
}

// pageDonut draws the parts of a whole as a ring, with the whole in its middle.
func pageDonut(m *markup, t report.Table, measure int, opt Options) {
	const size, outer, inner = 180, 88, 58
	c, label := t.Columns[measure], labeller(t, opt)
	g := gridOf(t, measure, 1, seriesShown, func([]any) int { return 0 }, label)
	whole, what := 0.0, "A ring of "+fmt.Sprint(len(g.lines))+" parts by "+spoken(c.Name)+": "
	var all any
	for i, l := range g.lines {
		v, _ := number(l.total)
		whole += v
		all = g.join(all, l.total)
		if i > 0 {
			what += ", "
		}
		what += l.label + " " + exact(c, l.total, opt)
	}
	m.put(`<div class="ring">`)
	title, description := m.id(), m.id()
	m.put(`<svg class="plot donut" role="img" width="{}" height="{}" viewBox="0 0 {} {}" aria-labelledby="{}" aria-describedby="{}">`, size, size, size, size, title, description)
	m.put(`<g><title id="{}">{}</title><desc id="{}">{}</desc></g>`, title, titleOf(t), description, what+".")
	from := 0.0
	for _, l := range g.lines {
		v, _ := number(l.total)
		if whole <= 0 || v <= 0 {
			continue
		}
		var tips tip
		tips.head = l.label
		tips.add("", c.Name, exact(c, l.total, opt)+" · "+humanPercent(l.total, all)+" %")
		to := from + v/whole
		m.put(`<path class="{}" d="{}" data-tip="{}"/>`, l.class, arc(size/2, outer, inner, from, min(to, from+0.9999)), tips)
		from = to
	}
	value, unit := human(c, all, opt), c.Name
	m.put(`<text class="whole" x="50%" y="50%">{}</text><text class="axis" x="50%" y="50%" dy="16">{}</text></svg>`, value, unit)
	m.put(`<ul class="legend">`)
	for _, l := range g.lines {
		m.put(`<li><i class="{}"></i>{} <b>{}</b> {}%</li>`, l.class, ellipsis(l.label, 40), human(c, l.total, opt), humanPercent(l.total, all))
	}
	m.put(`</ul></div>`)
}

// arc returns the path of a ring segment; from and to are fractions of a full turn, clockwise from the top.
func arc(center, outer, inner, from, to float64) string {
	at := func(r, turn float64) (float64, float64) {
		sin, cos := math.Sincos(2 * math.Pi * turn)
		return center + r*sin, center - r*cos
	}
	large := 0
	if to-from > 0.5 {
		large = 1
	}
	x1, y1 := at(outer, from)
	x2, y2 := at(outer, to)
	x3, y3 := at(inner, to)
	x4, y4 := at(inner, from)
	return fmt.Sprintf("M%.2f %.2fA%g %g 0 %d 1 %.2f %.2fL%.2f %.2fA%g %g 0 %d 0 %.2f %.2fZ",
		x1, y1, outer, outer, large, x2, y2, x3, y3, inner, inner, large, x4, y4)
}
