package report

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// zones are those whose clocks are set at other times, by other amounts, or never: Berlin at 02:00 and 03:00, Santiago and
// Cairo at midnight, which is skipped, Havana at 01:00, so that midnight is there twice, Lord Howe by half an hour, Troll by
// two hours, St John's until 2011 a minute after midnight; Apia once skipped a day.
var calendarZones = []string{
	"UTC", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Antarctica/Troll",
	"America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Africa/Casablanca", "Pacific/Apia",
}

var calendarWidths = []time.Duration{
	time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 90 * time.Minute, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 3 * day, 7 * day, 14 * day, 28 * day, 364 * day,
}

// inZone loads a zone. Go has those of the machine, or its own.
func inZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Skip("there is no database of time zones here: ", err)
	}
	return zone
}

// clockOf is what the clock of a zone shows each minute from a second to another one, in seconds since 1970.
func clockOf(zone *time.Location, from, to int64) (shown []int64) {
	for at := from; at < to; at += 60 {
		_, offset := time.Unix(at, 0).In(zone).Zone()
		shown = append(shown, at+int64(offset))
	}
	return shown
}

// slowBins are the bins of a width since a second, found by looking at a clock every minute: a bin begins when it shows a
// multiple of the width for the first time, or has skipped it; one of an hour or less whenever it shows one.
func slowBins(width time.Duration, from int64, shown []int64) (begins []int64) {
	every, highest := int64(width/time.Second), int64(-1<<62)
	for i, x := range shown {
		if width%(7*day) == 0 {
			x += 3 * 24 * 3600
		}
		if line := x / every; every <= 3600 && x%every == 0 || every > 3600 && line > highest {
			highest = line
			begins = append(begins, from+60*int64(i))
		}
	}
	return begins
}

// Bins are what a look at the clock every minute finds, over years in which clocks are set in all the ways there are.
func TestCalendar(t *testing.T) {
	for _, name := range calendarZones[:fewer(len(calendarZones))] {
		t.Run(name, func(t *testing.T) {
			zone := inZone(t, name)
			for _, years := range [][2]int{{2011, 2012}, {2024, 2026}} {
				from := time.Date(years[0], 1, 1, 0, 0, 0, 0, time.UTC).Unix()
				to := time.Date(years[1], 1, 1, 0, 0, 0, 0, time.UTC).Unix()
				shown := clockOf(zone, from, to)
				for _, width := range calendarWidths {
					checkCalendar(t, Key{Every: width, Zone: zone}.calendar(), slowBins(width, from, shown))
				}
			}
		})
	}
}

// checkCalendar compares a calendar with bins, of which the first may have begun before.
func checkCalendar(t *testing.T, c calendar, begins []int64) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	cached := bins{calendar: c}
	for i := 1; i+1 < len(begins); i++ {
		if c.width < 1800 && i%37 > 0 {
			continue // there are many
		}
		begin, next := begins[i], begins[i+1]
		for _, second := range []int64{begin, next - 1, begin + r.Int64N(next-begin)} {
			if got, again := c.begin(second), cached.begin(second); got != begin || again != begin {
				t.Fatalf("%d s in %s: %s is in the bin of %s and of %s, want %s", c.width, c.zone, clock(c, second), clock(c, got), clock(c, again), clock(c, begin))
			}
		}
		if got := c.next(begin); got != next {
			t.Fatalf("%d s in %s: behind %s comes %s, want %s", c.width, c.zone, clock(c, begin), clock(c, got), clock(c, next))
		}
	}
	first, last := 1, len(begins)-2
	if got := c.count(begins[first]+1, begins[last]+59); last > first && got != int64(last-first+1) {
		t.Errorf("%d s in %s: %d bins, want %d", c.width, c.zone, got, last-first+1)
	}
}

func clock(c calendar, second int64) string {
	return fmt.Sprint(time.Unix(second, 0).In(c.zone))
}

// Single days, weeks and hours around a change of the clock.
func TestCalendarDays(t *testing.T) {
	for _, x := range []struct {
		zone  string
		every time.Duration
		at    string
		begin string
		hours float64
	}{
		{"Europe/Berlin", day, "2024-03-31T12:00:00+02:00", "2024-03-31T00:00:00+01:00", 23},
		{"Europe/Berlin", day, "2024-03-31T04:00:00+02:00", "2024-03-31T00:00:00+01:00", 23},
		{"Europe/Berlin", day, "2024-10-27T23:59:59+01:00", "2024-10-27T00:00:00+02:00", 25},
		{"Europe/Berlin", 6 * time.Hour, "2024-03-31T05:00:00+02:00", "2024-03-31T00:00:00+01:00", 5},
		{"Europe/Berlin", 6 * time.Hour, "2024-03-31T06:00:00+02:00", "2024-03-31T06:00:00+02:00", 6},
		{"Europe/Berlin", 7 * day, "2024-03-31T12:00:00+02:00", "2024-03-25T00:00:00+01:00", 167},
		{"Europe/Berlin", time.Hour, "2024-10-27T02:30:00+01:00", "2024-10-27T02:00:00+01:00", 1},
		{"America/Santiago", day, "2024-09-08T12:00:00-03:00", "2024-09-08T01:00:00-03:00", 23},
		{"America/Santiago", day, "2024-04-06T23:30:00-04:00", "2024-04-06T00:00:00-03:00", 25},
		{"Africa/Cairo", day, "2024-04-26T12:00:00+03:00", "2024-04-26T01:00:00+03:00", 23},
		{"America/Havana", day, "2024-11-03T00:30:00-05:00", "2024-11-03T00:00:00-04:00", 25},
		{"Australia/Lord_Howe", day, "2024-04-07T12:00:00+10:30", "2024-04-07T00:00:00+11:00", 24.5},
		{"Australia/Lord_Howe", time.Hour, "2024-04-07T01:45:00+10:30", "2024-04-07T01:00:00+11:00", 1.5},
		{"Asia/Kolkata", day, "2024-03-31T12:00:00+05:30", "2024-03-31T00:00:00+05:30", 24},
		{"Asia/Kolkata", time.Hour, "2024-03-31T12:59:00+05:30", "2024-03-31T12:00:00+05:30", 1},
	} {
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		c := Key{Every: x.every, Zone: inZone(t, x.zone)}.calendar()
		begin := c.begin(at.Unix())
		if got := time.Unix(begin, 0).In(c.zone).Format(time.RFC3339); got != x.begin {
			t.Errorf("%s of %s in %s begins at %s, want %s", x.every, x.at, x.zone, got, x.begin)
		}
		if got := float64(c.length(begin)) / 3600; got != x.hours {
			t.Errorf("%s of %s in %s has %g hours, want %g", x.every, x.at, x.zone, got, x.hours)
		}
	}
}

// Seconds that no clock has been made for are in bins too.
func TestCalendarFar(t *testing.T) {
	for _, zone := range []*time.Location{nil, time.UTC, inZone(t, "Europe/Berlin"), time.FixedZone("", -5400)} {
		for _, every := range []time.Duration{time.Second, time.Hour, day, 364 * day} {
			c := Key{Every: every, Zone: zone}.calendar()
			for _, second := range []int64{-1 << 60, clocksFrom - 1, clocksFrom, -1, 0, clocksTo - 1, clocksTo, 1 << 60} {
				begin := c.begin(second)
				if next := c.next(begin); begin > second || next <= second || c.begin(begin) != begin {
					t.Errorf("%s in %v: %d is in the bin from %d to %d", every, zone, second, begin, next)
				}
			}
		}
	}
}

// Time goes on where Go's database of zones has a rule and no times, to the end of a leap year too.
func TestStretches(t *testing.T) {
	for _, name := range calendarZones {
		c := calendar{inZone(t, name), 3600}
		n := 0
		for at := int64(1_500_000_000); at < clocksTo; n++ {
			s := c.stretch(at)
			if s.from > at || s.to <= at {
				t.Fatalf("%s: %d is in the stretch from %d to %d", name, at, s.from, s.to)
			}
			at = s.to
		}
		if n > 20_000 {
			t.Errorf("%s: %d stretches", name, n)
		}
	}
}

// `--every auto` never makes more than sixty bins, and no wider ones than that takes.
func TestAutoMakesSixtyBins(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, zone := range []*time.Location{nil, inZone(t, "Europe/Berlin"), inZone(t, "Australia/Lord_Howe")} {
		for range 3000 {
			first := 1_700_000_000 + 60*r.Int64N(1<<20)
			last := first + 60*r.Int64N(1<<(1+r.IntN(21)))
			step := chooseStep(first, last, zone)
			if n := (Key{Every: step, Zone: zone}).calendar().count(first, last); n > maxBins {
				t.Fatalf("from %d to %d: %d bins of %s", first, last, n, step)
			}
			for i, smaller := range steps[1:] {
				if smaller == step && (Key{Every: steps[i], Zone: zone}).calendar().count(first, last) <= maxBins {
					t.Fatalf("from %d to %d: %s would do, and not only %s", first, last, steps[i], step)
				}
			}
		}
	}
	if got := chooseStep(0, 200*365*24*3600, nil); got != 4*364*day {
		t.Errorf("of 200 years: got %s", got)
	}
	if got := chooseStep(60, 7200, nil); got != 5*time.Minute { // 61 bins of two minutes are touched
		t.Errorf("got %s", got)
	}
}
