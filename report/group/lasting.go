package group

import (
	"flowlog/parse/codes"
	"flowlog/report/calendar"
)

// lasting is how many seconds the rows of a report cover that has a key for bins of time.
type lasting struct {
	calendar.Bins
	key     int       // the place of that key
	seconds []float64 // by its code; 0 is not known yet
}

func (l *lasting) of(g *grouping, group uint32) float64 {
	code := group
	for level := len(g.levels); level > 0 && level >= l.key; level-- {
		word := g.levels[level-1].Words()[code]
		if code = uint32(word >> 32); level == l.key {
			code = uint32(word)
		}
	}
	coder := g.encoders[l.key].coder
	if int(code) >= len(l.seconds) {
		l.seconds = codes.Grown(l.seconds, coder.Len())
	}
	if l.seconds[code] == 0 {
		l.seconds[code] = float64(l.Width) // of records without a time
		if begin, ok := coder.Value(code).(int64); ok {
			l.seconds[code] = float64(l.Length(begin))
		}
	}
	return l.seconds[code]
}
