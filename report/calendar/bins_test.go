package calendar

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"flowlog/report/reporttest"
)

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
		if width%(7*Day) == 0 {
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
	for _, name := range reporttest.Zones[:reporttest.Fewer(len(reporttest.Zones))] {
		t.Run(name, func(t *testing.T) {
			zone := reporttest.InZone(t, name)
			for _, years := range [][2]int{{2011, 2012}, {2024, 2026}} {
				from := time.Date(years[0], 1, 1, 0, 0, 0, 0, time.UTC).Unix()
				to := time.Date(years[1], 1, 1, 0, 0, 0, 0, time.UTC).Unix()
				shown := clockOf(zone, from, to)
				for _, width := range reporttest.BinWidths {
					checkCalendar(t, New(width, zone), slowBins(width, from, shown))
				}
			}
		})
	}
}

// checkCalendar compares a calendar with bins, of which the first may have begun before.
func checkCalendar(t *testing.T, c Bins, begins []int64) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	cached := Finder{Bins: c}
	for i := 1; i+1 < len(begins); i++ {
		if c.Width < 1800 && i%37 > 0 {
			continue // there are many
		}
		begin, next := begins[i], begins[i+1]
		for _, second := range []int64{begin, next - 1, begin + r.Int64N(next-begin)} {
			if got, again := c.Begin(second), cached.Begin(second); got != begin || again != begin {
				t.Fatalf("%d s in %s: %s is in the bin of %s and of %s, want %s", c.Width, c.Zone, Clock(c, second), Clock(c, got), Clock(c, again), Clock(c, begin))
			}
		}
		if got := c.Next(begin); got != next {
			t.Fatalf("%d s in %s: behind %s comes %s, want %s", c.Width, c.Zone, Clock(c, begin), Clock(c, got), Clock(c, next))
		}
	}
	first, last := 1, len(begins)-2
	if got := c.Count(begins[first]+1, begins[last]+59); last > first && got != int64(last-first+1) {
		t.Errorf("%d s in %s: %d bins, want %d", c.Width, c.Zone, got, last-first+1)
	}
}

func Clock(c Bins, second int64) string {
	return fmt.Sprint(time.Unix(second, 0).In(c.Zone))
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
		{"Europe/Berlin", Day, "2024-03-31T12:00:00+02:00", "2024-03-31T00:00:00+01:00", 23},
		{"Europe/Berlin", Day, "2024-03-31T04:00:00+02:00", "2024-03-31T00:00:00+01:00", 23},
		{"Europe/Berlin", Day, "2024-10-27T23:59:59+01:00", "2024-10-27T00:00:00+02:00", 25},
		{"Europe/Berlin", 6 * time.Hour, "2024-03-31T05:00:00+02:00", "2024-03-31T00:00:00+01:00", 5},
		{"Europe/Berlin", 6 * time.Hour, "2024-03-31T06:00:00+02:00", "2024-03-31T06:00:00+02:00", 6},
		{"Europe/Berlin", 7 * Day, "2024-03-31T12:00:00+02:00", "2024-03-25T00:00:00+01:00", 167},
		{"Europe/Berlin", time.Hour, "2024-10-27T02:30:00+01:00", "2024-10-27T02:00:00+01:00", 1},
		{"America/Santiago", Day, "2024-09-08T12:00:00-03:00", "2024-09-08T01:00:00-03:00", 23},
		{"America/Santiago", Day, "2024-04-06T23:30:00-04:00", "2024-04-06T00:00:00-03:00", 25},
		{"Africa/Cairo", Day, "2024-04-26T12:00:00+03:00", "2024-04-26T01:00:00+03:00", 23},
		{"America/Havana", Day, "2024-11-03T00:30:00-05:00", "2024-11-03T00:00:00-04:00", 25},
		{"Australia/Lord_Howe", Day, "2024-04-07T12:00:00+10:30", "2024-04-07T00:00:00+11:00", 24.5},
		{"Australia/Lord_Howe", time.Hour, "2024-04-07T01:45:00+10:30", "2024-04-07T01:00:00+11:00", 1.5},
		{"Asia/Kolkata", Day, "2024-03-31T12:00:00+05:30", "2024-03-31T00:00:00+05:30", 24},
		{"Asia/Kolkata", time.Hour, "2024-03-31T12:59:00+05:30", "2024-03-31T12:00:00+05:30", 1},
	} {
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		c := New(x.every, reporttest.InZone(t, x.zone))
		begin := c.Begin(at.Unix())
		if got := time.Unix(begin, 0).In(c.Zone).Format(time.RFC3339); got != x.begin {
			t.Errorf("%s of %s in %s begins at %s, want %s", x.every, x.at, x.zone, got, x.begin)
		}
		if got := float64(c.Length(begin)) / 3600; got != x.hours {
			t.Errorf("%s of %s in %s has %g hours, want %g", x.every, x.at, x.zone, got, x.hours)
		}
	}
}

// Seconds that no clock has been made for are in bins too.
func TestCalendarFar(t *testing.T) {
	for _, zone := range []*time.Location{nil, time.UTC, reporttest.InZone(t, "Europe/Berlin"), time.FixedZone("", -5400)} {
		for _, every := range []time.Duration{time.Second, time.Hour, Day, 364 * Day} {
			c := New(every, zone)
			for _, second := range []int64{-1 << 60, clocksFrom - 1, clocksFrom, -1, 0, clocksTo - 1, clocksTo, 1 << 60} {
				begin := c.Begin(second)
				if next := c.Next(begin); begin > second || next <= second || c.Begin(begin) != begin {
					t.Errorf("%s in %v: %d is in the bin from %d to %d", every, zone, second, begin, next)
				}
			}
		}
	}
}

// Time goes on where Go's database of zones has a rule and no times, to the end of a leap year too.
func TestStretches(t *testing.T) {
	for _, name := range reporttest.Zones {
		c := Bins{reporttest.InZone(t, name), 3600}
		n := 0
		for at := int64(1_500_000_000); at < clocksTo; n++ {
			s := c.Stretch(at)
			if s.From > at || s.To <= at {
				t.Fatalf("%s: %d is in the stretch from %d to %d", name, at, s.From, s.To)
			}
			at = s.To
		}
		if n > 20_000 {
			t.Errorf("%s: %d stretches", name, n)
		}
	}
}

// `--every auto` never makes more than sixty bins, and no wider ones than that takes.
func TestAutoMakesSixtyBins(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, zone := range []*time.Location{nil, reporttest.InZone(t, "Europe/Berlin"), reporttest.InZone(t, "Australia/Lord_Howe")} {
		for range 3000 {
			first := 1_700_000_000 + 60*r.Int64N(1<<20)
			last := first + 60*r.Int64N(1<<(1+r.IntN(21)))
			step := Choose(first, last, zone)
			if n := New(step, zone).Count(first, last); n > MaxBins {
				t.Fatalf("from %d to %d: %d bins of %s", first, last, n, step)
			}
			for i, smaller := range Widths[1:] {
				if smaller == step && New(Widths[i], zone).Count(first, last) <= MaxBins {
					t.Fatalf("from %d to %d: %s would do, and not only %s", first, last, Widths[i], step)
				}
			}
		}
	}
	if got := Choose(0, 200*365*24*3600, nil); got != 4*364*Day {
		t.Errorf("of 200 years: got %s", got)
	}
	if got := Choose(60, 7200, nil); got != 5*time.Minute { // 61 bins of two minutes are touched
		t.Errorf("got %s", got)
	}
}

// Each hour of the day has a second in every zone.
func TestSecondOfHour(t *testing.T) {
	for _, name := range reporttest.Zones {
		zone := reporttest.InZone(t, name)
		for hour := range int64(24) {
			if got := time.Unix(SecondOfHour(hour, zone), 0).In(zone).Hour(); int64(got) != hour {
				t.Errorf("%s: got %d, want %d", name, got, hour)
			}
		}
	}
}
