package cmd

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// sinceBefore reports whether the time since --since is to be compared with as long before it.
func (d *diffing) sinceBefore(args []string) bool {
	return d.before == "" && d.after == "" && d.input.within.since != "" && len(args) < 2
}

// parseWindow reads a time of the input: FROM..TO, or a day, week, month or year.
func parseWindow(flag, text string, now time.Time, zone *time.Location) (span, error) {
	from, to, ok := strings.Cut(text, "..")
	if !ok {
		w, err := parseSpan(text, now, zone)
		switch {
		case err != nil:
			return w, fmt.Errorf("--%s: %w", flag, err)
		case !w.from.Before(w.to):
			return w, fmt.Errorf("--%s: %q has no end: write two times with .. between, as in 2d..1d, or a day", flag, text)
		}
		return w, nil
	}
	var w span
	var err error
	if w.from, err = parseTime(from, now, zone); err != nil {
		return w, fmt.Errorf("--%s: %w", flag, err)
	}
	if w.to, err = parseTime(to, now, zone); err != nil {
		return w, fmt.Errorf("--%s: %w", flag, err)
	}
	if !w.from.Before(w.to) {
		return w, fmt.Errorf("--%s: %s is not before %s", flag, strings.TrimSpace(from), strings.TrimSpace(to))
	}
	return w, nil
}

// windows reads --before and --after, or makes them from --since, and makes the input that which has both. They are
// nil if two inputs are compared.
func (d *diffing) windows(args []string) ([]span, error) {
	since := d.sinceBefore(args)
	if d.before == "" && !since {
		return nil, nil
	}
	zone, err := loadZone(d.input.within.tz)
	if err != nil {
		return nil, fmt.Errorf("--tz: %w", err)
	}
	now := time.Now()
	var before, after span
	if since {
		after, err = parseWindow("since", d.input.within.since+".."+cmp.Or(d.input.within.until, "now"), now, zone)
		before = span{after.from.Add(-after.to.Sub(after.from)), after.from}
	} else if before, err = parseWindow("before", d.before, now, zone); err == nil {
		after, err = parseWindow("after", d.after, now, zone)
	}
	if err != nil {
		return nil, err
	}
	first, last := before.from, after.to
	if after.from.Before(first) {
		first = after.from
	}
	if before.to.After(last) {
		last = before.to
	}
	d.input.within.since, d.input.within.until = first.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339)
	return []span{before, after}, nil
}
