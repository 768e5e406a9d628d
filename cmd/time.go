package cmd

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timeForms are the forms of a point in time, in the zone of --tz if they have none of their own. What they name is
// so long: a date is a day.
var timeForms = []struct {
	form string
	long func(from time.Time) time.Time // nil: it is an instant
}{
	{"2006-01-02T15:04:05Z07:00", nil},
	{"2006-01-02 15:04:05Z07:00", nil},
	{"2006-01-02T15:04Z07:00", nil},
	{"2006-01-02 15:04Z07:00", nil},
	{"2006-01-02T15:04:05", nil},
	{"2006-01-02 15:04:05", nil},
	{"2006-01-02T15:04", nil},
	{"2006-01-02 15:04", nil},
	{"2006-01-02", func(from time.Time) time.Time { return midnight(from, 0, 0, 1) }},
	{"2006-01", func(from time.Time) time.Time { return midnight(from, 0, 1, 1-from.Day()) }},
}

// earliest is the smallest number that is taken for Unix seconds, in 1973: a year is none.
const earliest = 100_000_000

// timeHelp says in errors how a time is written.
const timeHelp = "write 2026-05-14, 2026-05-14T09:00, 2026-05-14T09:00Z, yesterday, last-month or Unix seconds, or 2h, 3d or 1w for that long ago"

// timeExamples are the forms of times, for help.
var timeExamples = []struct {
	what  string
	forms []string
}{
	{"a point in time", []string{"2026-05-14T09:00", "2026-05-14 09:00:30", "2026-05-14T09:00Z", "2026-05-14T09:00+02:00", "1778749200", "yesterday 18:00", "now"}},
	{"the beginning of", []string{"2026-05-14", "2026-05", "today", "yesterday", "this-week", "last-week", "last-month", "last-year"}},
	{"so long ago", []string{"90s", "30m", "2h", "1h30m", "3d", "1w", "2 days ago", "3 months ago", "now-1h"}},
}

// A span is what a word about time names: an instant, whose ends are the same, or a day, week, month or year. It is
// half-open.
type span struct{ from, to time.Time }

// parseTime reads a point in time: the beginning of what parseSpan reads.
func parseTime(s string, now time.Time, zone *time.Location) (time.Time, error) {
	span, err := parseSpan(s, now, zone)
	return span.from, err
}

// parseSpan reads a time: RFC 3339, a date, a month, a date and a time, Unix seconds, a word such as yesterday, or how
// long ago.
func parseSpan(s string, now time.Time, zone *time.Location) (span, error) {
	s = strings.TrimSpace(s)
	for _, f := range timeForms {
		t, err := time.ParseInLocation(f.form, s, zone)
		switch {
		case err != nil:
			continue
		case f.long == nil:
			return span{t, t}, nil
		}
		day, _ := time.Parse(f.form, s) // in UTC, since in the zone there may be no midnight
		t = midnight(time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone), 0, 0, 0)
		return span{t, f.long(t)}, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= earliest {
		if n >= 1e11 {
			n /= 1000 // milliseconds
		}
		return span{time.Unix(n, 0), time.Unix(n, 0)}, nil
	}
	words := strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(s))
	if days, ok := dayWord(strings.Fields(words), now.In(zone)); ok {
		return days, nil
	}
	if t, ok := longAgo(strings.ToLower(s), now.In(zone)); ok {
		return span{t, t}, nil
	}
	return span{}, fmt.Errorf("%q is not a time: %s", s, timeHelp)
}

// dayWord reads yesterday, today, tomorrow, with a time of that day or without, and this week, last month and so on,
// which are of the calendar: a week begins on a Monday.
func dayWord(words []string, now time.Time) (span, bool) {
	if len(words) == 0 || len(words) > 2 {
		return span{}, false
	}
	day, isDay := map[string]int{"yesterday": -1, "today": 0, "tomorrow": 1}[words[0]]
	if isDay && len(words) == 1 {
		return span{midnight(now, 0, 0, day), midnight(now, 0, 0, day+1)}, true
	}
	if isDay {
		for _, form := range []string{"15:04", "15:04:05"} {
			if t, err := time.Parse(form, words[1]); err == nil {
				t = time.Date(now.Year(), now.Month(), now.Day()+day, t.Hour(), t.Minute(), t.Second(), 0, now.Location())
				return span{t, t}, true
			}
		}
		return span{}, false
	}
	n, ok := map[string]int{"this": 0, "last": -1, "previous": -1}[words[0]]
	if !ok || len(words) != 2 {
		return span{}, false
	}
	switch monday := (int(now.Weekday()) + 6) % 7; words[1] {
	case "week":
		return span{midnight(now, 0, 0, 7*n-monday), midnight(now, 0, 0, 7*n-monday+7)}, true
	case "month":
		return span{midnight(now, 0, n, 1-now.Day()), midnight(now, 0, n+1, 1-now.Day())}, true
	case "year":
		first := time.Date(now.Year()+n, 1, 1, 12, 0, 0, 0, now.Location())
		return span{midnight(first, 0, 0, 0), midnight(first, 1, 0, 0)}, true
	}
	return span{}, false
}

// midnight is the beginning of the day of t in its zone, so many years, months and days later. Where there is no
// midnight it is the first instant of that date, where there are two, the first of them.
func midnight(t time.Time, years, months, days int) time.Time {
	t = time.Date(t.Year()+years, t.Month()+time.Month(months), t.Day()+days, 0, 0, 0, 0, t.Location())
	start, end := t.ZoneBounds()
	switch h, m, s := t.Clock(); {
	case h >= 12: // t is before a gap of the clock
		return end
	case h+m+s > 0: // t is behind it
		return start
	case start.IsZero():
		return t
	}
	_, offset := start.Add(-1).Zone()
	_, now := t.Zone()
	if earlier := t.Add(time.Duration(now-offset) * time.Second); earlier.Before(start) {
		return earlier
	}
	return t
}

// agoForm is how long ago: 2h, 90m, 1.5d, -24h, now-1h, 2 days ago. Go's 1h30m is told apart before.
var agoForm = regexp.MustCompile(`^(?:now\s*)?-?\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-zµ]+?)(?:\s+ago)?$`)

// agoUnits are the units of agoForm, that long before now. Plurals are their own.
var agoUnits = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour,
}

// longest is how long ago a time can be, of what a time.Duration can hold.
const longest = 200 * 365 * 24 * time.Hour

// longAgo reads how long before now a time is, or now itself.
func longAgo(s string, now time.Time) (time.Time, bool) {
	if s == "now" {
		return now, true
	}
	long := strings.TrimPrefix(strings.TrimPrefix(s, "now"), "-")
	if d, err := time.ParseDuration(long); err == nil && d >= 0 && d <= longest && long[0] != '+' {
		return now.Add(-d), true
	}
	m := agoForm.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	name := m[2]
	if len(name) > 1 {
		name = strings.TrimSuffix(name, "s")
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return time.Time{}, false
	}
	if months := map[string]int{"month": 1, "y": 12, "year": 12}[name]; months > 0 && n == float64(int(n)) && n <= 200 {
		return now.AddDate(0, -months*int(n), 0), true
	}
	unit := agoUnits[name]
	if unit == 0 || n*float64(unit) > float64(longest) {
		return time.Time{}, false
	}
	return now.Add(-time.Duration(n * float64(unit))), true
}

// zoneOffset matches a zone that is no more than its distance from UTC in whole hours.
var zoneOffset = regexp.MustCompile(`^(?:UTC|GMT)?([+-])0?([0-9]|1[0-4])(?::?00)?$`)

// loadZone is the zone that --tz names.
func loadZone(name string) (*time.Location, error) {
	for _, known := range []string{"UTC", "Local"} {
		if strings.EqualFold(name, known) {
			name = known
		}
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		return zone, nil
	}
	hint := "write UTC, Local or a city's, as in Europe/Berlin"
	if m := zoneOffset.FindStringSubmatch(strings.ToUpper(name)); m != nil {
		// the zones of these names count from Greenwich to the west
		hint = fmt.Sprintf("write Etc/GMT%s%s, or a city's, as in Europe/Berlin", map[string]string{"+": "-", "-": "+"}[m[1]], m[2])
	} else if city := zoneOf(name); city != "" {
		hint = "write " + city
	}
	return nil, fmt.Errorf("unknown zone %q: %s", name, hint)
}

// zoneOf finds the zone of a city, however it is written, "" if there is none.
func zoneOf(city string) string {
	words := strings.FieldsFunc(strings.ToLower(city), func(r rune) bool { return r == ' ' || r == '_' || r == '-' })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	for _, area := range []string{"Europe", "America", "Asia", "Australia", "Africa", "Pacific", "Atlantic", "Indian"} {
		name := area + "/" + strings.Join(words, "_")
		if _, err := time.LoadLocation(name); err == nil && len(words) > 0 {
			return name
		}
	}
	return ""
}
