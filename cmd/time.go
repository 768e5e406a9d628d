package cmd

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// timeForms are the forms of a point in time that have no zone of their own.
var timeForms = []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05"}

// earliest is the smallest number that is taken for Unix seconds, in 1973: a year is none.
const earliest = 100_000_000

// ago are the units of "2h", that long before now.
var ago = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parseTime reads a point in time: RFC 3339, a date, a date and a time, Unix seconds, or how long ago.
func parseTime(s string, now time.Time, zone *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, s, zone); err == nil {
			return t, nil
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= earliest {
		if n >= 1e11 {
			n /= 1000 // milliseconds
		}
		return time.Unix(n, 0), nil
	}
	if s == "now" {
		return now, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if s != "" {
		if n, err := strconv.ParseFloat(s[:len(s)-1], 64); err == nil && ago[s[len(s)-1]] != 0 && n >= 0 {
			return now.Add(-time.Duration(n * float64(ago[s[len(s)-1]]))), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: write 2026-05-14, 2026-05-14T09:00:00Z, Unix seconds, or 2h or 3d for that long ago", s)
}

// loadZone is the zone that --tz names.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("unknown zone %q: write UTC, Local or a city's, as in Europe/Berlin", name)
	}
	return zone, nil
}
