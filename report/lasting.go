package report

import "flowlog/parse/schema"

// lasting is how many seconds the rows of a report cover that has a key for bins of time.
type lasting struct {
	calendar
	key     int       // the place of that key
	seconds []float64 // by its code; 0 is not known yet
}

// lasts is the seconds that a group covers: its bin of time, or without such a key all that the report does.
func (v *reportView) lasts(group uint32) float64 {
	key := v.report.timeAt()
	if key < 0 {
		return v.seconds
	}
	if v.lasting == nil {
		v.lasting = &lasting{calendar: v.groups.keys[key].calendar(), key: key}
	}
	if !v.lasting.varies() {
		return float64(v.lasting.width)
	}
	return v.lasting.of(v.groups, group)
}

// varies reports whether bins may have other lengths than their width.
func (c calendar) varies() bool { return c.zone != nil }

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
		l.seconds = schema.Grown(l.seconds, coder.Len())
	}
	if l.seconds[code] == 0 {
		l.seconds[code] = float64(l.width) // of records without a time
		if begin, ok := coder.Value(code).(int64); ok {
			l.seconds[code] = float64(l.length(begin))
		}
	}
	return l.seconds[code]
}

// perWidth is by how much a measure of a group is multiplied so that those of bins of several lengths can be compared: what
// adds up as if the bin were as long as its width. Shares, rates and extremes are what they are.
func (v *reportView) perWidth(m int, group uint32) float64 {
	if v.measures[m].fn.adds != "sum" {
		return 1
	}
	return float64(v.groups.keys[v.report.timeAt()].calendar().width) / v.lasts(group)
}
