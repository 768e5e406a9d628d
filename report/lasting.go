package report

import "flowlog/parse/schema"

// lasting is how many seconds the rows of a report cover that has a key for bins of time.
type lasting struct {
	calendar
	key     int       // the place of that key
	seconds []float64 // by its code; 0 is not known yet
}

// lasts is the seconds that a group covers: its bin of time, or without such a key all that the report does.
func (u *run) lasts(group uint32) float64 {
	key := u.timeAt()
	if key < 0 {
		return u.seconds
	}
	if u.lasting == nil {
		u.lasting = &lasting{calendar: u.Keys[key].calendar(), key: key}
	}
	if !u.lasting.varies() {
		return float64(u.lasting.width)
	}
	return u.lasting.of(u, group)
}

// varies reports whether bins may have other lengths than their width.
func (c calendar) varies() bool { return c.zone != nil }

func (l *lasting) of(u *run, group uint32) float64 {
	code := group
	for level := len(u.levels); level > 0 && level >= l.key; level-- {
		word := u.levels[level-1].Words()[code]
		if code = uint32(word >> 32); level == l.key {
			code = uint32(word)
		}
	}
	coder := u.worker.coded[u.keys[l.key]].coder
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
func (u *run) perWidth(m int, group uint32) float64 {
	if u.measures[m].fn.adds != "sum" {
		return 1
	}
	return float64(u.Keys[u.timeAt()].calendar().width) / u.lasts(group)
}
