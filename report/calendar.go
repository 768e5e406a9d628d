package report

import (
	"math"
	"time"
)

// A calendar cuts time into bins of one width, each of which begins where the one before ends.
//
// Bins longer than an hour follow the clock of the zone: they begin when it first shows a multiple of the width, counted
// from midnight of 1970-01-01, in widths of whole weeks from the Monday before. So a day is from midnight to midnight,
// and has 23 or 25 hours where the clock is set. Where the clock skips a beginning, the bin begins behind the gap.
//
// Bins of an hour or less are of absolute time: an hour that the clock shows twice is two of them. They begin at round
// times of the clock too, so that where it is set by part of a bin, as by half an hour, the last bin before is longer.
type calendar struct {
	zone  *time.Location // nil is UTC
	width int64          // seconds
}

// calendar is that of a key that is a bin of time, whose width is known.
func (k Key) calendar() calendar {
	c := calendar{k.Zone, int64(k.Every / time.Second)}
	if c.zone == time.UTC {
		c.zone = nil
	}
	return c
}

// local reports whether bins follow the clock, also where it is set.
func (c calendar) local() bool { return c.width > int64(time.Hour/time.Second) }

// A stretch is a time in which the clock of a zone is not set. It may not be set at its ends either.
type stretch struct {
	from, to int64 // from a second to before another one
	offset   int64 // of the clock, from UTC
}

// Time in which clocks are looked at. Beyond it they are never set.
const (
	clocksFrom = -1 << 33 // in 1697
	clocksTo   = 1 << 37  // in 6325
)

// stretch is the one that a second is in.
func (c calendar) stretch(second int64) stretch {
	s := stretch{math.MinInt64, math.MaxInt64, 0}
	if c.zone == nil {
		return s
	}
	t := time.Unix(min(max(second, clocksFrom), clocksTo), 0).In(c.zone)
	_, offset := t.Zone()
	s.offset = int64(offset)
	from, to := t.ZoneBounds()
	if !from.IsZero() && second >= clocksFrom && from.Unix() > clocksFrom {
		s.from = from.Unix()
	}
	if !to.IsZero() && second < clocksTo && to.Unix() < clocksTo {
		s.to = to.Unix()
		if s.to <= second { // on December 31 of leap years far ahead, for which Go's database has a rule and no times
			const aDay = int64(day / time.Second)
			s.to = second - floorMod(second, aDay) + aDay
		}
	}
	return s
}

// past is how long ago the clock showed the beginning of a bin, by what it shows, in seconds since 1970.
func (c calendar) past(shown int64) int64 {
	return floorMod(shown+c.shift(), c.width)
}

// shift is how far ahead of 1970-01-01 bins are counted from.
func (c calendar) shift() int64 {
	if c.width%int64(7*day/time.Second) == 0 {
		return 3 * int64(day/time.Second) // it was a Thursday
	}
	return 0
}

func floorMod(x, y int64) int64 {
	if x %= y; x < 0 {
		x += y
	}
	return x
}

// begin is the beginning of the bin that a second is in.
func (c calendar) begin(second int64) int64 {
	s := c.stretch(second)
	if c.local() {
		s, line := c.line(s, second)
		return max(s.from, line-s.offset)
	}
	if b := second - c.past(second+s.offset); b >= s.from {
		return b
	}
	return c.begin(s.from - 1)
}

// line is what the clock shows at the beginning of a bin that follows it, or would show if it did not skip that. A second
// of the bin is in a stretch; the one in which the bin begins is returned.
func (c calendar) line(s stretch, second int64) (stretch, int64) {
	line := second + s.offset
	line -= c.past(line)
	for s.from > math.MinInt64 {
		before := c.stretch(s.from - 1)
		last := s.from - 1 + before.offset
		if last < line {
			break
		}
		line = max(line, last-c.past(last)) // the clock was set back
		s = before
	}
	return s, line
}

// next is the beginning of the bin behind the one that begins at a second.
func (c calendar) next(begin int64) int64 {
	s := c.stretch(begin)
	line := begin + s.offset
	line += c.width - c.past(line)
	for line-s.offset >= s.to {
		s = c.stretch(s.to)
		if !c.local() {
			line = s.from + s.offset
			line += floorMod(-c.past(line), c.width)
		}
	}
	return max(s.from, line-s.offset)
}

// length is how many seconds the bin that begins at a second has.
func (c calendar) length(begin int64) int64 { return c.next(begin) - begin }

// count is how many bins there are from the one that a second is in to that of another one, both included.
func (c calendar) count(first, last int64) int64 {
	n, at := int64(1), c.begin(first)
	for end := c.begin(last); at < end; {
		s := c.stretch(at)
		line := at - c.past(at+s.offset)
		// as many as there are until the clock is set, but for the last of them, which may be longer
		if many := (min(s.to, end) - 1 - line) / c.width; many > 0 {
			n, at = n+many, line+many*c.width
			continue
		}
		n, at = n+1, c.next(at)
	}
	return n
}

// bins finds bins, and the one that was found last without looking at clocks.
type bins struct {
	calendar
	from, to int64
}

func (b *bins) begin(second int64) int64 {
	if second < b.from || second >= b.to {
		b.from = b.calendar.begin(second)
		b.to = b.next(b.from)
	}
	return b.from
}

// bin is the beginning of the bin of a width that a second is in.
func bin(second int64, every time.Duration, zone *time.Location) int64 {
	return Key{Every: every, Zone: zone}.calendar().begin(second)
}
