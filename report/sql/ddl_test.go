package sql

import (
	"testing"
	"time"
)

func TestWithinDays(t *testing.T) {
	at := func(s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		x, err := time.Parse("2006-01-02T15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct{ layout, since, until, want string }{
		{"daily", "2026-05-14T09:00", "2026-05-14T10:00", "(SELECT * FROM vpc.f WHERE day >= '2026/05/14' AND day <= '2026/05/14')"},
		{"hourly", "2026-05-14T00:00", "2026-05-15T00:00", "(SELECT * FROM vpc.f WHERE day >= '2026/05/13' AND day <= '2026/05/15')"}, // what was delivered late
		{"daily", "", "2026-05-15T00:00", "(SELECT * FROM vpc.f WHERE day <= '2026/05/15')"},
		{"daily", "", "", "vpc.f"},
		{"hive", "2026-05-14T09:00", "2026-05-15T10:00", "(SELECT * FROM vpc.f WHERE day >= 'year=2026/month=05/day=14' AND day <= 'year=2026/month=05/day=15')"},
		{"hive-hourly", "2026-05-31T09:00", "2026-06-01T10:00",
			"(SELECT * FROM vpc.f WHERE hour >= 'year=2026/month=05/day=31/hour=08' AND hour <= 'year=2026/month=06/day=01/hour=10')"}, // likewise
		{"dataset", "2026-05-14T00:00", "2026-05-15T00:00", "(SELECT * FROM vpc.f WHERE date >= DATE '2026-05-14' AND date <= DATE '2026-05-14')"},
		{"none", "", "", ""},
	} {
		got, err := WithinDays(dialect(t, "athena"), "vpc.f", c.layout, at(c.since), at(c.until))
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s from %q to %q:\n got %s, %v\nwant %s", c.layout, c.since, c.until, got, err, c.want)
		}
	}
}
