package sql

import (
	"slices"
	"time"

	"flowlog/report"
	"flowlog/report/calendar"
	"flowlog/report/function"
)

// Columns of layers that compute bins of time which follow a clock. No field has these names.
const (
	shownName   = "_shown"   // what the clock shows at the start, in seconds since 1970
	roundName   = "_round"   // when it showed a round time last, if it was not set since
	binName     = "_bin"     // the beginning of the bin
	secondsName = "_seconds" // how long the bin is
)

// A binForm is how bins of a calendar are written in SQL.
type binForm int

const (
	noForm    binForm = iota // they cannot be, exactly
	plainForm                // by arithmetic: the clock is never set, or by whole bins
	clockForm                // by what the engine's clock of the zone shows
)

// Bins are the same in SQL for what begins in this time: there are no older flow logs.
var (
	sqlFrom = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	sqlTo   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// formOf is how the bins of a calendar are written, and how far ahead of UTC they are counted, if by arithmetic.
func formOf(c calendar.Bins) (f binForm, ahead int64) {
	first := c.Stretch(sqlFrom)
	ahead = calendar.FloorMod(first.Offset+c.Shift(), c.Width)
	f = plainForm
	for s := first; s.To < sqlTo; {
		s = c.Stretch(s.To)
		if calendar.FloorMod(s.Offset-first.Offset, c.Width) != 0 {
			f = clockForm
		}
	}
	if f == clockForm && !namedZone(c.Zone) {
		return noForm, 0
	}
	for s := first; s.To < sqlTo; s = c.Stretch(s.To) {
		if !exact(c, f, ahead, s.To) {
			return noForm, 0
		}
	}
	return f, ahead
}

// namedZone reports whether an engine can be told the zone.
func namedZone(zone *time.Location) bool { return zone.String() != "" && zone != time.Local }

// exact reports whether the SQL of bins is right where a clock is set, in the bins around that.
func exact(c calendar.Bins, f binForm, ahead, set int64) bool {
	begin := set
	for range 3 {
		begin = c.Begin(begin - 1)
	}
	for range 6 {
		next := c.Next(begin)
		for _, second := range []int64{begin, set - 1, set, next - 1} {
			if second < begin || second >= next {
				continue
			}
			if f == plainForm && second-calendar.FloorMod(second+ahead, c.Width) != begin {
				return false
			}
			if got, seconds := asSQL(c, second); f == clockForm && (got != begin || seconds != next-begin) {
				return false
			}
		}
		begin = next
	}
	return true
}

// asSQL computes the bin of a second, and how long it is, as the layers of clockLayers do.
func asSQL(c calendar.Bins, start int64) (bin, seconds int64) {
	clock := func(second int64) int64 { return second + c.Stretch(second).Offset }
	shown := clock(start)
	round := start - (shown+c.Shift())%c.Width
	if !c.Local() {
		bin = round - clock(round)%c.Width
		return bin, c.Width + (c.Width-clock(bin+c.Width)%c.Width)%c.Width
	}
	bin = shown - start + 2*round - max(clock(round), clock(round-1)+1)
	return bin, shown - start + round + 2*c.Width - min(clock(bin+c.Width), clock(bin+c.Width-1)+1)
}

// clockLayers are the layers that add a bin that follows a clock. A round time is found as if the clock had not been set
// since; what it shows then says by how much it was.
func (q *query) clockLayers(c calendar.Bins, start sqlNode) []layer {
	clock := func(x sqlNode) sqlNode { return q.clock(x, c.Zone.String()) }
	one, two, width := intNode(1), intNode(2), intNode(c.Width)
	shown, round, bin := identNode(shownName), identNode(roundName), identNode(binName)
	end := sqlInfix(bin, "+", width)
	begin := sqlInfix(round, "-", sqlInfix(clock(round), "%", width))
	left := sqlInfix(width, "-", sqlInfix(clock(end), "%", width))
	seconds := sqlInfix(width, "+", sqlInfix(left, "%", width))
	if c.Local() {
		since := sqlInfix(shown, "-", start)
		begin = sqlInfix(sqlInfix(since, "+", sqlInfix(two, "*", round)), "-",
			sqlCall("greatest", clock(round), sqlInfix(clock(sqlInfix(round, "-", one)), "+", one)))
		seconds = sqlInfix(sqlChain("+", since, round, sqlInfix(two, "*", width)), "-",
			sqlCall("least", clock(end), sqlInfix(clock(sqlInfix(end, "-", one)), "+", one)))
	}
	add := func(name, column string, x sqlNode) layer {
		l := layer{name: name}
		l.add(x, column)
		return l.afterAll()
	}
	layers := []layer{
		add("clocked", shownName, clock(start)),
		add("rounded", roundName, sqlInfix(start, "-", sqlInfix(secondsOn(shown, c.Shift()), "%", width))),
		add("binned", binName, begin),
	}
	if slices.ContainsFunc(q.report.Measures, func(m report.Measure) bool { return function.Named(m.Func).Span }) {
		layers = append(layers, add("lasting", secondsName, seconds))
	}
	return layers
}

// bin is the SQL of a bin of time of a field, which is the start.
func (q *query) bin(k report.Key, x sqlNode) sqlNode {
	c := k.Bins()
	switch form, ahead := formOf(c); form {
	case clockForm:
		q.bins = q.clockLayers(c, x)
		return identNode(binName)
	case plainForm:
		return parensNode{sqlInfix(x, "-", sqlInfix(secondsOn(x, ahead), "%", intNode(c.Width)))}
	}
	if !namedZone(k.Zone) {
		return q.refuse("%s: an engine does not know which zone Local is: name it, as in Europe/Berlin", k.Name())
	}
	return q.refuse("%s: bins of %s begin at times of %s that SQL does not know: choose another width, such as 1d, or UTC", k.Name(), calendar.FormatWidth(k.Every), k.Zone)
}

// secondsOn is some seconds after a time.
func secondsOn(x sqlNode, seconds int64) sqlNode {
	if seconds == 0 {
		return x
	}
	return sqlInfix(x, "+", intNode(seconds))
}

// hour is the SQL of the hour of the day.
func (q *query) hour(k report.Key, x sqlNode) sqlNode {
	k.Every = calendar.Day
	switch form, ahead := formOf(k.Bins()); {
	case form == plainForm:
		x = secondsOn(x, ahead)
	case !namedZone(k.Zone):
		return q.refuse("%s: an engine does not know which zone Local is: name it, as in Europe/Berlin", k.Name())
	default:
		x = q.clock(x, k.Zone.String())
	}
	return sqlInfix(sqlInfix(x, "%", intNode(86400)), q.divide, intNode(3600))
}

// keyInSQL reports whether an engine can group by a key, if it is of time.
func keyInSQL(k report.Key) bool {
	if k.Hour {
		k.Every = calendar.Day // where days cannot be written exactly, hours can
		form, _ := formOf(k.Bins())
		return form != noForm || namedZone(k.Zone)
	}
	form, _ := formOf(k.Bins())
	return form != noForm
}

// seconds is the time that a row covers: its bin, or all that the report does, at least one second.
func (q *query) seconds() sqlNode {
	if at := q.report.TimeAt(); at >= 0 {
		width := intNode(q.report.Keys[at].Every / time.Second)
		if q.bins != nil {
			return sqlCall("coalesce", sqlCall("max", identNode(secondsName)), width)
		}
		return width
	}
	overall := func(aggregate, field string) sqlNode {
		x := q.measure(report.Measure{Func: aggregate, Field: field})
		return windowNode{function: sqlCall(aggregate, x)}
	}
	first := overall("min", "start")
	last := overall("max", "end")
	return sqlCall("coalesce", sqlCall("greatest", sqlInfix(last, "-", first), intNode(1)), intNode(1))
}
