package render

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"flowlog/report"
)

// barsShown is the most rows of a bar chart: more are easier to read in the table.
const barsShown = 20

// bars is the data of a bar chart: a bar after the name of each row, all on one scale. Two rows have no bar, since they
// would dwarf the others: the sum of the rows that were cut, and the row without a name, such as that of private
// addresses, which have no country.
type bars struct {
	t        report.Table
	measure  int
	opt      Options
	label    func(row []any) string
	rows     [][]any // the rows with bars
	notDrawn [][]any // the rows after them
	nameless []any   // the row whose keys are null; nil if there is none
	total    any     // of the measure; nil if it does not add up
	top      float64 // value of the longest bar
}

func barsOf(t report.Table, measure int, opt Options) *bars {
	b := &bars{t: t, measure: measure, opt: opt, label: labeller(t, opt)}
	if t.Columns[measure].Share && len(t.Totals) > measure {
		b.total = t.Totals[measure]
	}
	for _, row := range t.Rows {
		switch {
		case b.label(row) == noKeys:
			b.nameless = row
		case len(b.rows) == barsShown:
			b.notDrawn = append(b.notDrawn, row)
		default:
			b.rows = append(b.rows, row)
			v, _ := number(row[measure])
			b.top = max(b.top, math.Abs(v))
		}
	}
	return b
}

// length returns the length of a bar, in per cent of the longest.
func (b *bars) length(row []any) float64 {
	if v, ok := number(row[b.measure]); ok && b.top > 0 {
		return 100 * math.Abs(v) / b.top
	}
	return 0
}

// pageBars draws a bar chart, and writes below it what has no bar.
func pageBars(m *markup, t report.Table, measure int, opt Options) {
	const height, bar = 30, 26
	b := barsOf(t, measure, opt)
	if len(b.rows) > 0 {
		m.svgHead(t, "bars", len(b.rows)*height-height+bar, b.spoken()+" The table has all values.")
		for i, row := range b.rows {
			m.bar(b, row, i*height, bar)
		}
		m.put(`</svg>`)
	}
	for _, note := range b.rest() {
		m.put(`<p class="note">{}</p>`, note)
	}
}

// spoken describes the chart for screen readers.
func (b *bars) spoken() string {
	c, first := b.t.Columns[b.measure], b.rows[0]
	s := fmt.Sprintf("%s, ranked by %s.", numberOf(len(b.rows), "bar"), spoken(c.Name))
	if v, _ := number(first[b.measure]); v > 0 {
		s += fmt.Sprintf(" The first is %s with %s", b.label(first), exact(c, first[b.measure], b.opt))
		if p := humanPercent(first[b.measure], b.total); p != "" {
			s += ", " + p + " % of the total"
		}
		s += "."
	}
	return s
}

// bar draws a row at a y position.
func (m *markup) bar(b *bars, row []any, y, height int) {
	c := b.t.Columns[b.measure]
	share := humanPercent(row[b.measure], b.total)
	name := b.label(row)
	tips := tip{head: name}
	for j, c := range b.t.Columns {
		if c.Role == report.MeasureRole && !isNull(row[j]) {
			s := exact(c, row[j], b.opt)
			if j == b.measure && share != "" {
				s += " · " + share + " %"
			}
			tips.add("", c.Name, s)
		}
	}
	m.put(`<g data-tip="{}"><rect class="row" width="100%" height="{}" y="{}" rx="4"/>`, tips, height, y)
	if length := b.length(row); length > 0 {
		m.put(`<rect class="bar" width="{}%" height="{}" y="{}" rx="4"/>`, length, height, y)
	}
	m.barName(name, y+17)
	m.put(`<text class="value" x="100%" y="{}">{}</text>`, y+17, human(c, row[b.measure], b.opt))
	if share != "" {
		m.put(`<text class="share" x="100%" y="{}">{}%</text>`, y+17, share)
	}
	m.put(`</g>`)
}

// barName writes the name of a row, shortened on narrow pages. A pair has two columns, so that a shortened address is
// never taken for part of the other.
func (m *markup) barName(name string, y int) {
	left, right, pair := strings.Cut(name, pairArrow)
	if !pair {
		m.shortened("", name, 58, 25, "9", y)
		return
	}
	m.shortened("", left, 22, 13, "9", y)
	m.shortened("→ ", right, 22, 12, "35%", y)
}

// shortened writes a text with at most so many characters, fewer on a narrow page.
func (m *markup) shortened(before, s string, wide, narrow int, x string, y int) {
	long, short := before+ellipsis(s, wide), before+ellipsis(s, narrow)
	if long == short {
		m.put(`<text x="{}" y="{}">{}</text>`, x, y, long)
		return
	}
	m.put(`<text class="long" x="{}" y="{}">{}</text><text class="short" x="{}" y="{}">{}</text>`, x, y, long, x, y, short)
}

// rest writes what has no bar: the row without a name, and the rows that are not drawn or were cut.
func (b *bars) rest() []string {
	c := b.t.Columns[b.measure]
	amount := func(v any) string {
		s := amount(c, v, b.opt)
		if p := humanPercent(v, b.total); p != "" {
			s += ", " + p + " %"
		}
		return s
	}
	var notes []string
	all := len(b.t.Rows) + b.t.Cut
	if b.nameless != nil {
		all--
		notes = append(notes, "Without "+keyNames(b.t)+": "+amount(b.nameless[b.measure])+".")
	}
	if len(b.rows) == all {
		return notes
	}
	note := grouped(int64(len(b.rows))) + " of " + count(all, all)
	if c.Share && (b.t.Cut == 0 || len(b.t.Others) > b.measure) {
		rest := b.notDrawn
		if b.t.Cut > 0 {
			rest = append(slices.Clip(rest), b.t.Others)
		}
		note += " with " + amount(b.sum(b.rows)) + "; the others have " + amount(b.sum(rest))
	}
	return append(notes, note+".")
}

// sum returns the sum of the measure over rows, nil if it does not add up.
func (b *bars) sum(rows [][]any) any {
	g, sum := grid{Column: b.t.Columns[b.measure]}, any(nil)
	for _, row := range rows {
		sum = g.join(sum, row[b.measure])
	}
	return sum
}

// keyNames lists the keys of a table.
func keyNames(t report.Table) string {
	var names []string
	for _, c := range t.Columns {
		if c.Role == report.KeyRole {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}
