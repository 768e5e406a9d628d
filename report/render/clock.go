package render

import (
	"sort"
	"strings"
	"time"

	"flowlog/report"
	"flowlog/report/calendar"
)

const day = calendar.Day

// A clock is a time axis: each bin is a position of a grid.
type clock struct {
	edges []time.Time   // the beginning of each bin, and the end of the last one
	n     int           // number of bins
	every time.Duration // width of a bin
	fine  time.Duration // width of the table's bins, of which one bin here may combine several
	zone  *time.Location
	// from and to are the time that the data cover; zero if unknown.
	from, to time.Time
}

// clockOf returns the axis of a table, with at most so many bins.
func clockOf(t report.Table, most int, opt Options) clock {
	return commonClock([]report.Table{t}, most, opt)
}

// commonClock returns one axis for all tables with bins of time, with at most so many bins. If a table has more bins, or
// narrower ones than another table, several of its bins are combined. Bins without data are included.
func commonClock(tables []report.Table, most int, opt Options) clock {
	c := clock{zone: opt.zone()}
	var first, last time.Time
	var zone *time.Location
	for _, t := range tables {
		column := timeColumn(t)
		if column < 0 || !hasTime(t) {
			continue
		}
		zone = t.Columns[column].Zone
		c.fine = max(c.fine, t.Columns[column].Every)
		for _, row := range t.Rows {
			at, ok := row[column].(time.Time)
			if !ok {
				continue
			}
			if first.IsZero() || at.Before(first) {
				first = at
			}
			if at.After(last) {
				last = at
			}
		}
	}
	if last.IsZero() {
		return c
	}
	c.every, c.edges = widen(first, last, c.fine, zone, most)
	c.n = len(c.edges) - 1
	return c
}

// widen returns the narrowest width that gives at most most bins: the width itself or a multiple, round ones first.
func widen(first, last time.Time, every time.Duration, zone *time.Location, most int) (time.Duration, []time.Time) {
	widths := []time.Duration{every}
	for _, step := range tickSteps {
		if step > every && step%every == 0 {
			widths = append(widths, step)
		}
	}
	for _, width := range widths {
		if edges := calendar.Edges(first, last, width, zone, most); edges != nil {
			return width, edges
		}
	}
	for many := last.Sub(first)/(every*time.Duration(most)) + 1; ; many++ {
		if edges := calendar.Edges(first, last, every*many, zone, most); edges != nil {
			return every * many, edges
		}
	}
}

// fits reports whether each bin of a table lies within one bin of the axis.
func (c clock) fits(t report.Table) bool {
	return c.n > 0 && c.every%t.Columns[timeColumn(t)].Every == 0
}

// rows returns the rows for a chart of a measure. If the axis has wider bins and the measure does not add up, they are
// recomputed for these; if that is impossible, they are the table's.
func (c clock) rows(t report.Table, measure int) [][]any {
	if c.every != t.Columns[timeColumn(t)].Every && !t.Columns[measure].Share && t.Rebin != nil {
		if rows, err := t.Rebin(c.every); err == nil {
			return rows
		}
	}
	return t.Rows
}

// place returns a function that maps a row of a table to its bin, -1 if it has no time.
func (c clock) place(t report.Table) func(row []any) int {
	column := timeColumn(t)
	return func(row []any) int {
		at, ok := row[column].(time.Time)
		if !ok {
			return -1
		}
		return sort.Search(len(c.edges), func(i int) bool { return c.edges[i].After(at) }) - 1
	}
}

// at returns the beginning of a bin.
func (c clock) at(place int) time.Time { return c.edges[place].In(c.zone) }

// name returns the full name of a bin: its beginning and its end.
func (c clock) name(place int) string {
	from, to := c.at(place), c.at(place+1)
	form := "15:04"
	switch {
	case c.every%time.Minute != 0:
		form = "15:04:05"
	case c.every == day:
		return from.Format("Mon 2006-01-02")
	case c.every%day == 0:
		return from.Format("Mon 2006-01-02") + " – " + to.AddDate(0, 0, -1).Format("Mon 2006-01-02")
	}
	return from.Format("Mon 2006-01-02 "+form) + "–" + to.Format(form)
}

// covered returns how much of a bin the data cover, and whether that is so little that the bin misleads. Only the first
// and the last bin can be partial.
func (c clock) covered(place int) (time.Duration, bool) {
	if c.from.IsZero() || place > 0 && place < c.n-1 {
		return 0, false
	}
	from, to := c.edges[place], c.edges[place+1]
	length := to.Sub(from)
	if c.from.After(from) {
		from = c.from
	}
	if c.to.Before(to) {
		to = c.to
	}
	part := max(to.Sub(from), 0)
	return part, part*10 < length*9
}

// A tick is a label on the time axis: the time, and the larger unit (the date or year) where it changes.
type tick struct {
	place        int
	text, larger string
}

// ticks returns at most so many ticks, at round times.
func (c clock) ticks(most int) []tick {
	var places []int
	for _, step := range tickSteps {
		if step%c.every != 0 || (c.n+int(step/c.every)-1)/int(step/c.every) > most {
			continue
		}
		for i := range c.n {
			at := c.at(i)
			_, offset := at.Zone()
			if (at.Unix()+int64(offset))%int64(step/time.Second) == 0 {
				places = append(places, i)
			}
		}
		break
	}
	if len(places) < 2 { // no bins begin at round times
		places = nil
		for i := 0; i < c.n; i += (c.n + most - 1) / most {
			places = append(places, i)
		}
	}
	return c.written(places)
}

// written formats the ticks at positions: a time of day with its date below, a date with its year, a month with its
// year. The larger unit is at the first one and where it changes.
func (c clock) written(places []int) []tick {
	text, larger, again := "15:04", "Mon 2 Jan 2006", "Mon 2 Jan"
	apart := c.every
	if len(places) > 1 {
		apart = c.at(places[1]).Sub(c.at(places[0]))
	}
	switch {
	case apart >= 28*day && c.edges[c.n].Sub(c.edges[0]) > 366*day:
		text, larger, again = "Jan", "2006", "2006"
	case apart >= day:
		text, larger, again = "Jan 2", "2006", "2006"
	case c.every%time.Minute != 0:
		text = "15:04:05"
	}
	ticks := make([]tick, len(places))
	for i, place := range places {
		at := c.at(place)
		ticks[i] = tick{place: place, text: at.Format(text)}
		switch {
		case i == 0:
			ticks[i].larger = at.Format(larger)
		case at.Format(larger) != c.at(places[i-1]).Format(larger):
			ticks[i].larger = at.Format(again)
			if at.Year() != c.at(places[i-1]).Year() {
				ticks[i].larger = at.Format(larger)
			}
		}
	}
	if len(ticks) > 1 && ticks[1].larger != "" { // the first larger unit would overlap the second
		ticks[0].larger = strings.TrimPrefix(ticks[0].larger, c.at(places[0]).Format("Mon "))
	}
	return ticks
}

// tickSteps are the possible distances between ticks: the widths of bins, and parts of a minute.
var tickSteps = append([]time.Duration{time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}, calendar.Widths...)
