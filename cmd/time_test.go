package cmd

import (
	"strings"
	"testing"
	"time"
)

// TestParseSpan reads every form of a time, at a Thursday noon in Berlin's summer.
func TestParseSpan(t *testing.T) {
	zone, err := loadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 14, 12, 30, 0, 0, zone)
	const form = "2006-01-02T15:04:05"
	for _, test := range []struct{ text, from, to string }{ // in UTC; no to is an instant
		{"2026-05-14T09:30:00Z", "2026-05-14T09:30:00", ""},
		{"2026-05-14T09:30Z", "2026-05-14T09:30:00", ""},
		{"2026-05-14 09:30Z", "2026-05-14T09:30:00", ""},
		{"2026-05-14T09:30+02:00", "2026-05-14T07:30:00", ""},
		{"2026-05-14 09:30:15-07:00", "2026-05-14T16:30:15", ""},
		{"2026-05-14 09:00", "2026-05-14T07:00:00", ""},
		{"2026-05-14T09:00:01", "2026-05-14T07:00:01", ""},
		{"2026-05-14", "2026-05-13T22:00:00", "2026-05-14T22:00:00"},
		{"2026-03-29", "2026-03-28T23:00:00", "2026-03-29T22:00:00"}, // of 23 hours
		{"2026-05", "2026-04-30T22:00:00", "2026-05-31T22:00:00"},
		{"2026-12", "2026-11-30T23:00:00", "2026-12-31T23:00:00"},
		{"1778749200", "2026-05-14T09:00:00", ""},
		{"1778749200000", "2026-05-14T09:00:00", ""},
		{"now", "2026-05-14T10:30:00", ""},
		{"today", "2026-05-13T22:00:00", "2026-05-14T22:00:00"},
		{"Yesterday", "2026-05-12T22:00:00", "2026-05-13T22:00:00"},
		{"tomorrow", "2026-05-14T22:00:00", "2026-05-15T22:00:00"},
		{"yesterday 18:00", "2026-05-13T16:00:00", ""},
		{"today 07:15:10", "2026-05-14T05:15:10", ""},
		{"this week", "2026-05-10T22:00:00", "2026-05-17T22:00:00"},
		{"last-week", "2026-05-03T22:00:00", "2026-05-10T22:00:00"},
		{"last-month", "2026-03-31T22:00:00", "2026-04-30T22:00:00"},
		{"last month", "2026-03-31T22:00:00", "2026-04-30T22:00:00"},
		{"this-month", "2026-04-30T22:00:00", "2026-05-31T22:00:00"},
		{"last_year", "2024-12-31T23:00:00", "2025-12-31T23:00:00"},
		{"this year", "2025-12-31T23:00:00", "2026-12-31T23:00:00"},
		{"2h", "2026-05-14T08:30:00", ""},
		{"-24h", "2026-05-13T10:30:00", ""},
		{"1h30m", "2026-05-14T09:00:00", ""},
		{"now-1h", "2026-05-14T09:30:00", ""},
		{"now-1h30m", "2026-05-14T09:00:00", ""},
		{"now - 2d", "2026-05-12T10:30:00", ""},
		{"1.5d", "2026-05-12T22:30:00", ""},
		{"1w", "2026-05-07T10:30:00", ""},
		{"2 days ago", "2026-05-12T10:30:00", ""},
		{"1 hour ago", "2026-05-14T09:30:00", ""},
		{"90 minutes", "2026-05-14T09:00:00", ""},
		{"2h ago", "2026-05-14T08:30:00", ""},
		{"2 months ago", "2026-03-14T11:30:00", ""},
		{"1y", "2025-05-14T10:30:00", ""},
	} {
		got, err := parseSpan(test.text, now, zone)
		if test.to == "" {
			test.to = test.from
		}
		if err != nil || got.from.UTC().Format(form) != test.from || got.to.UTC().Format(form) != test.to {
			t.Errorf("%q is %v to %v (%v), want %s to %s", test.text, got.from.UTC(), got.to.UTC(), err, test.from, test.to)
		}
	}
	for _, row := range timeExamples {
		for _, form := range row.forms {
			if got, err := parseSpan(form, now, zone); err != nil || (row.what == "the beginning of") != got.from.Before(got.to) {
				t.Errorf("the example %q is %v (%v)", form, got, err)
			}
		}
	}
	for _, text := range []string{"", "d", "nwo", "05/14/2026", "2026", "1000", "-", "ago", "now-", "3 fortnights", "Infd", "NaNd", "1e300d",
		"99999999999999h", "last", "last day", "yesterday 25:00", "yesterday noon", "2026-02-30", "2026-13", "0x1pd", "1.5 months ago", "now+1h"} {
		if got, err := parseSpan(text, now, zone); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// TestLoadZone reads zones, and says what to write for those that have no name.
func TestLoadZone(t *testing.T) {
	for name, want := range map[string]string{"utc": "UTC", "UTC": "UTC", "local": "Local", "Europe/Berlin": "Europe/Berlin", "Etc/GMT-2": "Etc/GMT-2"} {
		if zone, err := loadZone(name); err != nil || zone.String() != want {
			t.Errorf("%s is %v (%v)", name, zone, err)
		}
	}
	for name, want := range map[string]string{
		"+02:00": "write Etc/GMT-2,", "-5": "write Etc/GMT+5,", "UTC+1": "write Etc/GMT-1,", "utc-10": "write Etc/GMT+10,",
		"berlin": "write Europe/Berlin", "new york": "write America/New_York", "Lord-Howe": "write Australia/Lord_Howe",
		"+05:30": "write UTC, Local or a city's", "Nowhere": "write UTC, Local or a city's", "é": "write UTC", "_": "write UTC",
	} {
		if _, err := loadZone(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q in %v", name, want, err)
		}
		if zone, ok := strings.CutPrefix(want, "write Etc"); ok {
			if _, err := loadZone("Etc" + strings.TrimSuffix(zone, ",")); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestMidnight takes days at whose start clocks change, or have changed some hours before.
func TestMidnight(t *testing.T) {
	for _, test := range []struct{ zone, day, want string }{
		{"America/Santiago", "2024-09-08", "2024-09-08T01:00:00-03:00"}, // has no midnight
		{"Africa/Cairo", "2024-04-26", "2024-04-26T01:00:00+03:00"},     // has no midnight
		{"America/Havana", "2024-11-03", "2024-11-03T00:00:00-04:00"},   // has two
		{"America/Nuuk", "2024-03-31", "2024-03-31T00:00:00-01:00"},     // an hour after the change
		{"Europe/Berlin", "2024-04-01", "2024-04-01T00:00:00+02:00"},
		{"Europe/Berlin", "2024-10-27", "2024-10-27T00:00:00+02:00"},
		{"Australia/Lord_Howe", "2024-04-07", "2024-04-07T00:00:00+11:00"},
		{"UTC", "2024-02-29", "2024-02-29T00:00:00Z"},
	} {
		zone, err := loadZone(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseTime(test.day, time.Now(), zone)
		if err != nil || got.Format(time.RFC3339) != test.want {
			t.Errorf("%s in %s begins at %s (%v), want %s", test.day, test.zone, got.Format(time.RFC3339), err, test.want)
		}
	}
}
