package render

import (
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"flowlog/parse/schema"
	"flowlog/report"
)

// A chart is a way to draw the rows of a report, on a page and in a terminal.
type chart struct {
	name string // also the class that it has on a page
	doc  string // its name for screen readers
	wide bool   // it takes the whole width of a page
	fits func(report.Table) bool
	page func(*markup, report.Table, int, Options)
	text func(io.Writer, report.Table, int, Options) error // nil: bars beside the rows
}

// charts is THE table of charts. A report gets the first one that fits the roles and units of its columns, so that an
// ad-hoc report is drawn like one of the catalog.
var charts = []chart{
	{"map", "World map", true, hasPlaces, pageMap, nil},
	{"heat", "Heat map", false, hasHours, pageHeat, textHeat},
	{"time", "Chart over time", false, hasTime, pageTime, textTime},
	{"donut", "Ring chart", false, fewGroups, pageDonut, nil},
	{"bars", "Bar chart", false, hasKeys, pageBars, nil},
}

// chartOf chooses the chart of a report and its measure: the one that ranks the rows, or else the first with a value.
// A report without keys, rows or numbers has no chart.
func chartOf(t report.Table) (c chart, measure int) {
	measure = t.Order
	if measure >= len(t.Columns) || !drawable(t, measure) {
		measure = -1
		for i := range t.Columns {
			if drawable(t, i) {
				measure = i
				break
			}
		}
	}
	t.Order = measure
	i := slices.IndexFunc(charts, func(c chart) bool { return measure >= 0 && c.fits(t) })
	if i < 0 {
		return chart{}, -1
	}
	return charts[i], measure
}

// drawable reports whether a column is a measure with a number in it.
func drawable(t report.Table, i int) bool {
	c := t.Columns[i]
	return c.Role == report.MeasureRole && c.Unit != report.Instant &&
		slices.ContainsFunc(t.Rows, func(row []any) bool { _, ok := number(row[i]); return ok })
}

func hasKeys(t report.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c report.Column) bool { return c.Role == report.KeyRole })
}

// hasTime reports whether some row has a time: rows without one cannot be drawn over time.
func hasTime(t report.Table) bool { return filled(t, timeColumn(t)) }

// filled reports whether some row has a value in a column, if there is such a column.
func filled(t report.Table, column int) bool {
	return column >= 0 && slices.ContainsFunc(t.Rows, func(row []any) bool { return !isNull(row[column]) })
}

func timeColumn(t report.Table) int {
	return slices.IndexFunc(t.Columns, func(c report.Column) bool {
		return c.Role == report.KeyRole && c.Every > 0
	})
}

func hasHours(t report.Table) bool { return filled(t, hourColumn(t)) && timeColumn(t) < 0 }

// hourColumn returns the index of the column with the hour of the day.
func hourColumn(t report.Table) int {
	return slices.IndexFunc(t.Columns, func(c report.Column) bool {
		return c.Role == report.KeyRole && c.Name == "hour" && c.Kind == schema.Int32
	})
}

func hasPlaces(t report.Table) bool {
	latitude, longitude := placeColumns(t)
	return latitude >= 0 && longitude >= 0 && timeColumn(t) < 0
}

func placeColumns(t report.Table) (latitude, longitude int) {
	is := func(suffix string) int {
		return slices.IndexFunc(t.Columns, func(c report.Column) bool {
			return c.Role != report.MeasureRole && c.Kind == schema.Float && strings.HasSuffix(c.Name, suffix)
		})
	}
	return is("_latitude"), is("_longitude")
}

// fewGroups reports whether all groups are shown, and few enough to be told apart as parts of a whole.
func fewGroups(t report.Table) bool {
	const most = 5
	keys := 0
	for _, c := range t.Columns {
		if c.Role == report.KeyRole {
			keys++
		}
	}
	return keys == 1 && t.Cut == 0 && t.Excluded == 0 && 2 <= len(t.Rows) && len(t.Rows) <= most && t.Order < len(t.Columns) && t.Columns[t.Order].Share
}

// A grid is a measure by position along x, such as the bin of time, and by line: the row's other keys.
type grid struct {
	report.Column
	lines []line // largest first
	more  int    // lines that were dropped: too many, and the measure does not add up
	band  bool   // some position has several values that do not add up
	top   float64
	// The measure and number of rows without a position, such as those of records without a time.
	lost     any
	lostRows int
}

// A line is the values of one combination of the other keys, nil where there is none. Where several rows share a position
// and the measure does not add up, its combined value is unknown: values has the largest, least the smallest.
type line struct {
	label  string
	class  string // of its colour
	values []any
	least  []any
	total  any
}

// othersName is the name of the line that sums the small ones.
const othersName = "others"

// gridOf builds a grid with positions 0 to n-1 and at most most lines. place returns the position of a row, -1 for none.
func gridOf(t report.Table, measure, n, most int, place func(row []any) int, label func(row []any) string) grid {
	g := grid{Column: t.Columns[measure]}
	at := make(map[string]int)
	for _, row := range t.Rows {
		x := place(row)
		v := row[measure]
		if _, ok := number(v); !ok || x >= n {
			continue
		}
		if x < 0 {
			g.lost, g.lostRows = g.join(g.lost, v), g.lostRows+1
			continue
		}
		name := label(row)
		i, ok := at[name]
		if !ok {
			i = len(g.lines)
			at[name] = i
			g.lines = append(g.lines, line{label: name, values: make([]any, n), least: make([]any, n)})
		}
		l := &g.lines[i]
		g.band = g.band || l.values[x] != nil && !g.Share
		if l.least[x] == nil || compareNumbers(v, l.least[x]) < 0 {
			l.least[x] = v
		}
		l.values[x], l.total = g.join(l.values[x], v), g.join(l.total, v)
	}
	slices.SortStableFunc(g.lines, func(a, b line) int {
		if c := compareNumbers(b.total, a.total); c != 0 {
			return c
		}
		return strings.Compare(a.label, b.label)
	})
	g.limit(n, most)
	paint(g.lines)
	g.top = g.highest(n)
	return g
}

// limit keeps the largest lines, at most so many. The others are summed in the last line if the measure adds up; else
// they are dropped and counted.
func (g *grid) limit(n, most int) {
	if len(g.lines) <= most {
		return
	}
	rest := line{label: othersName, values: make([]any, n)}
	g.more = len(g.lines) - most
	if g.Share {
		g.more = 0
		most--
		for _, l := range g.lines[most:] {
			rest.total = g.join(rest.total, l.total)
			for x, v := range l.values {
				rest.values[x] = g.join(rest.values[x], v)
			}
		}
	}
	g.lines = g.lines[:most]
	if g.Share {
		g.lines = append(g.lines, rest)
	}
}

// highest is the largest value of a position: that of a line, or the sum of all lines if the measure adds up.
func (g *grid) highest(n int) float64 {
	top := 0.0
	for x := range n {
		sum := 0.0
		for _, l := range g.lines {
			v, _ := number(l.values[x])
			if g.Share {
				sum += v
			} else {
				sum = max(sum, v)
			}
		}
		top = max(top, sum)
	}
	return top
}

// undrawn lists what a chart of the table does not show.
func (g *grid) undrawn(t report.Table, opt Options) []string {
	var list []string
	if g.more > 0 {
		list = append(list, grouped(int64(g.more))+" more, which are smaller")
	}
	if v, _ := number(g.lost); g.lostRows > 0 && g.Share && v > 0 {
		list = append(list, amount(g.Column, g.lost, opt)+" without a start time")
	} else if g.lostRows > 0 && !g.Share {
		list = append(list, numberOf(g.lostRows, "row")+" without a start time")
	}
	if t.Cut > 0 {
		list = append(list, count(t.Cut, t.Cut)+" that "+map[bool]string{true: "was", false: "were"}[t.Cut == 1]+" cut")
	}
	return list
}

// amount formats a value with its unit or name.
func amount(c report.Column, v any, opt Options) string {
	s := human(c, v, opt)
	if c.Unit != report.Bytes {
		s += " " + spoken(c.Name)
	}
	return s
}

// join combines two values: their sum if the measure adds up, else the larger.
func (g *grid) join(a, b any) any {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	i, ok := a.(int64)
	j, ok2 := b.(int64)
	x, _ := number(a)
	y, _ := number(b)
	switch {
	case ok && ok2 && g.Share:
		return i + j
	case ok && ok2:
		return max(i, j)
	case g.Share:
		return x + y
	}
	return max(x, y)
}

func compareNumbers(a, b any) int {
	x, _ := number(a)
	y, _ := number(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// scale chooses the grid lines of a chart: round numbers from 0 to the first that is not below top.
func scale(c report.Column, top float64) (step float64, n int) {
	if top <= 0 {
		return 1, 1
	}
	unit := 1.0
	if c.Unit == report.Bytes {
		for top/unit >= 1024 {
			unit *= 1024
		}
	}
	for p := math.Pow(10, math.Floor(math.Log10(top/unit))-1); ; p *= 10 {
		for _, round := range []float64{1, 2, 2.5, 5} {
			step = round * p * unit
			if c.Kind == schema.Int64 && step < 1 {
				continue
			}
			if n = int(math.Ceil(top/step - 1e-9)); n <= 4 {
				return step, max(n, 1)
			}
		}
	}
}

// brief formats a number of a scale.
func brief(c report.Column, v float64) string {
	switch c.Unit {
	case report.Bytes:
		return humanBytes(v)
	case report.BitRate:
		return humanBits(v)
	case report.Share:
		return humanFloat(100*v) + "%"
	case report.Seconds:
		return (time.Duration(v) * time.Second).String()
	}
	units := [...]string{"", "k", "M", "G", "T", "P", "E"}
	unit := 0
	for ; math.Abs(v) >= 1000 && unit < len(units)-1; unit++ {
		v /= 1000
	}
	return humanFloat(v) + units[unit]
}

func grouped(n int64) string { return humanize.Comma(n) }

// spoken returns the name of a measure for a sentence.
func spoken(name string) string { return strings.ReplaceAll(name, "_", " ") }
