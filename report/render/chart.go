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
	doc  string // what it is called for those who do not see it
	wide bool   // it takes the whole width of a page
	fits func(report.Table) bool
	page func(*markup, report.Table, int, Options)
	text func(io.Writer, report.Table, int, Options) error // nil: bars beside the rows
}

// charts is THE table of charts. The first that fits a report is the one that it gets: by the roles and units of its
// columns alone, so that a report which a user has put together is drawn like one of the catalog.
var charts = []chart{
	{"map", "World map", true, hasPlaces, pageMap, nil},
	{"heat", "Heat map", false, hasHours, pageHeat, textHeat},
	{"time", "Chart over time", false, hasTime, pageTime, textTime},
	{"donut", "Ring chart", false, fewGroups, pageDonut, nil},
	{"bars", "Bar chart", false, hasKeys, pageBars, nil},
}

// chartOf chooses the chart of a report and the measure that it shows: the one that ranks the rows, or else the
// first that has a value. There is none for a report without keys, rows or numbers.
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
	i := slices.IndexFunc(charts, func(c chart) bool { return c.fits(t) })
	if i < 0 || measure < 0 {
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

// hasTime reports whether some row has a time. The rows of records without one have no place in a chart over time.
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

// hourColumn is that of the hour of the day.
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

// fewGroups reports whether the rows are all there is, and few enough to be told apart as parts of a whole.
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

// A grid is a measure by the place of a row, such as its bin of time, and by what is left of its keys.
type grid struct {
	report.Column
	lines []line // the largest first
	more  int    // lines that are not there, because there were too many and the measure does not add up
	band  bool   // some place has several values that do not add up
	top   float64
	// What rows without a place have: those of records without a time. They are nil and 0 if there are none.
	lost     any
	lostRows int
}

// A line is the row of a grid. Its values are nil where there is none. Where several rows share a place and the measure
// does not add up, nobody knows what it is of all: the value is the largest, and that of least the smallest.
type line struct {
	label  string
	class  string // of its colour
	values []any
	least  []any
	total  any
}

// othersName is the line that several small ones are added up in.
const othersName = "others"

// gridOf puts the rows of a report in places 0 to n-1, and -1 is none, with at most so many lines.
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
	if len(g.lines) > most {
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
	paint(g.lines)
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
		g.top = max(g.top, sum)
	}
	return g
}

// undrawn says what of a table a chart of it does not show.
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

// amount is a value with what it counts.
func amount(c report.Column, v any, opt Options) string {
	s := human(c, v, opt)
	if c.Unit != report.Bytes {
		s += " " + spoken(c.Name)
	}
	return s
}

// join is two values together: their sum if the measure adds up, else the larger.
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

// scale chooses the lines behind a chart: round numbers from 0 to the first that is not below top.
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

// brief writes a number of a scale.
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

// spoken is what a measure is called in a sentence.
func spoken(name string) string { return strings.ReplaceAll(name, "_", " ") }
