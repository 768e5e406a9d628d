// Package calendar cuts time into bins that follow the clock of a zone, for keys, charts and SQL.
package calendar

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Bins cut time into bins of one width, each of which begins where the one before ends.
//
// Bins longer than an hour follow the clock of the zone: they begin when it first shows a multiple of the width, counted
// from midnight of 1970-01-01, in widths of whole weeks from the Monday before. So a day is from midnight to midnight,
// and has 23 or 25 hours where the clock is set. Where the clock skips a beginning, the bin begins behind the gap.
//
// Bins of an hour or less are of absolute time: an hour that the clock shows twice is two of them. They begin at round
// times of the clock too, so that where it is set by part of a bin, as by half an hour, the last bin before is longer.
type Bins struct {
	Zone  *time.Location // nil is UTC
	Width int64          // seconds
}

// New returns the bins of a width in a zone; nil is UTC.
func New(every time.Duration, zone *time.Location) Bins {
	if zone == time.UTC {
		zone = nil
	}
	return Bins{zone, int64(every / time.Second)}
}

// Local reports whether bins follow the clock, also where it is set.
func (c Bins) Local() bool { return c.Width > int64(time.Hour/time.Second) }

// A stretch is a time in which the clock of a zone is not set. It may not be set at its ends either.
type Stretch struct {
	From, To int64 // from a second to before another one
	Offset   int64 // of the clock, from UTC
}

// Time in which clocks are looked at. Beyond it they are never set.
const (
	clocksFrom = -1 << 33 // in 1697
	clocksTo   = 1 << 37  // in 6325
)

// Stretch is the one that a second is in.
func (c Bins) Stretch(second int64) Stretch {
	s := Stretch{math.MinInt64, math.MaxInt64, 0}
	if c.Zone == nil {
		return s
	}
	t := time.Unix(min(max(second, clocksFrom), clocksTo), 0).In(c.Zone)
	_, offset := t.Zone()
	s.Offset = int64(offset)
	from, to := t.ZoneBounds()
	if !from.IsZero() && second >= clocksFrom && from.Unix() > clocksFrom {
		s.From = from.Unix()
	}
	if !to.IsZero() && second < clocksTo && to.Unix() < clocksTo {
		s.To = to.Unix()
		if s.To <= second { // on December 31 of leap years far ahead, for which Go's database has a rule and no times
			const aDay = int64(Day / time.Second)
			s.To = second - FloorMod(second, aDay) + aDay
		}
	}
	return s
}

// past is how long ago the clock showed the beginning of a bin, by what it shows, in seconds since 1970.
func (c Bins) past(shown int64) int64 {
	return FloorMod(shown+c.Shift(), c.Width)
}

// Shift is how far ahead of 1970-01-01 bins are counted from.
func (c Bins) Shift() int64 {
	if c.Width%int64(7*Day/time.Second) == 0 {
		return 3 * int64(Day/time.Second) // it was a Thursday
	}
	return 0
}

func FloorMod(x, y int64) int64 {
	if x %= y; x < 0 {
		x += y
	}
	return x
}

// Begin is the beginning of the bin that a second is in.
func (c Bins) Begin(second int64) int64 {
	s := c.Stretch(second)
	if c.Local() {
		s, line := c.line(s, second)
		return max(s.From, line-s.Offset)
	}
	if b := second - c.past(second+s.Offset); b >= s.From {
		return b
	}
	return c.Begin(s.From - 1)
}

// line is what the clock shows at the beginning of a bin that follows it, or would show if it did not skip that. A second
// of the bin is in a stretch; the one in which the bin begins is returned.
func (c Bins) line(s Stretch, second int64) (Stretch, int64) {
	line := second + s.Offset
	line -= c.past(line)
	for s.From > math.MinInt64 {
		before := c.Stretch(s.From - 1)
		last := s.From - 1 + before.Offset
		if last < line {
			break
		}
		line = max(line, last-c.past(last)) // the clock was set back
		s = before
	}
	return s, line
}

// Next is the beginning of the bin behind the one that begins at a second.
func (c Bins) Next(begin int64) int64 {
	s := c.Stretch(begin)
	line := begin + s.Offset
	line += c.Width - c.past(line)
	for line-s.Offset >= s.To {
		s = c.Stretch(s.To)
		if !c.Local() {
			line = s.From + s.Offset
			line += FloorMod(-c.past(line), c.Width)
		}
	}
	return max(s.From, line-s.Offset)
}

// Length is how many seconds the bin that begins at a second has.
func (c Bins) Length(begin int64) int64 { return c.Next(begin) - begin }

// Count is how many bins there are from the one that a second is in to that of another one, both included.
func (c Bins) Count(first, last int64) int64 {
	n, at := int64(1), c.Begin(first)
	for end := c.Begin(last); at < end; {
		s := c.Stretch(at)
		line := at - c.past(at+s.Offset)
		// as many as there are until the clock is set, but for the last of them, which may be longer
		if many := (min(s.To, end) - 1 - line) / c.Width; many > 0 {
			n, at = n+many, line+many*c.Width
			continue
		}
		n, at = n+1, c.Next(at)
	}
	return n
}

// Finder finds bins, and the one that was found last without looking at clocks.
type Finder struct {
	Bins
	from, to int64
}

func (b *Finder) Begin(second int64) int64 {
	if second < b.from || second >= b.to {
		b.from = b.Bins.Begin(second)
		b.to = b.Next(b.from)
	}
	return b.from
}

// Auto is the width of a bin that is chosen when all records have been seen.
const Auto time.Duration = -1

// Widths are the widths that auto chooses from: those of clocks and calendars. All are multiples of the first.
var Widths = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	Day, 2 * Day, 7 * Day, 14 * Day, 28 * Day, 91 * Day, 364 * Day,
}

// Day is the width of bins of a day. Where the clock of their zone is set, such a bin is longer or shorter.
const Day = 24 * time.Hour

// MaxBins is how many bins auto makes at most: about as many as a screen has room for.
const MaxBins = 60

// Choose is the width of bins for what begins between two seconds: the smallest that makes no more than maxBins.
func Choose(first, last int64, zone *time.Location) time.Duration {
	fit := func(step time.Duration) bool {
		return New(step, zone).Count(first, last) <= MaxBins
	}
	for _, step := range Widths {
		if fit(step) {
			return step
		}
	}
	step := Widths[len(Widths)-1]
	for step <= math.MaxInt64/2 && !fit(step) { // of times that no log has
		step *= 2
	}
	return step
}

// Varies reports whether bins may have other lengths than their width.
func (c Bins) Varies() bool { return c.Zone != nil }

// YY and BinWidths are for the move.
const YY = Day

func XX() []time.Duration { return slices.Clone(Widths) }

// FormatWidth writes a length of time without the units that are 0: 5m, not 5m0s.
func FormatWidth(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = strings.TrimSuffix(s, zero[1:])
		}
	}
	return s
}

// SecondOfHour is some time at which a clock shows an hour of the day: of a day on which none is set.
func SecondOfHour(hour int64, zone *time.Location) int64 {
	if zone == nil {
		zone = time.UTC
	}
	return time.Date(2021, time.January, 15, int(hour), 0, 0, 0, zone).Unix()
}
