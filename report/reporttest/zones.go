package reporttest

import (
	"testing"
	"time"
)

// Zones are those whose clocks are set at other times, by other amounts, or never: Berlin at 02:00 and 03:00, Santiago and
// Cairo at midnight, which is skipped, Havana at 01:00, so that midnight is there twice, Lord Howe by half an hour, Troll by
// two hours, St John's until 2011 a minute after midnight; Apia once skipped a day.
var Zones = []string{
	"UTC", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Antarctica/Troll",
	"America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Africa/Casablanca", "Pacific/Apia",
}

const day = 24 * time.Hour

// BinWidths are widths of bins in all of which clocks are set.
var BinWidths = []time.Duration{
	time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 90 * time.Minute, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 3 * day, 7 * day, 14 * day, 28 * day, 364 * day,
}

// InZone loads a zone. Go has those of the machine, or its own.
func InZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Skip("there is no database of time zones here: ", err)
	}
	return zone
}

// Fewer is n, or a part of it where tests are to be short: with the race detector, which makes them many times as slow.
func Fewer(n int) int {
	if testing.Short() {
		return (n + 4) / 5
	}
	return n
}
