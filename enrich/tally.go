package enrich

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"flowlog/enrich/inventory"
)

// A counter is a number that several workers add to.
type counter struct{ atomic.Int64 }

// raise makes the number at least n.
func (c *counter) raise(n int64) {
	for {
		now := c.Load()
		if n <= now || c.CompareAndSwap(now, n) {
			return
		}
	}
}

// A tally counts what an inventory has answered, in bytes of flows if those are among the columns, else in records. A
// flow counts once for each private address of which something was asked.
type tally struct {
	bytes   atomic.Bool // some batch had bytes
	private counter     // at private addresses
	states  [4]counter  // of private addresses, by inventory.State
	named   counter     // of owners that are certain or assumed, at any address
	outside counter     // of them, before the first or after the last snapshot
	before  counter     // the longest time before the first snapshot, in seconds
	after   counter     // the longest time after the last one
}

// A weighing is the part of a tally that a batch adds.
type weighing struct {
	private, named, outside, before, after int64
	states                                 [4]int64
}

func (t *tally) add(w *weighing, bytes bool) {
	if bytes {
		t.bytes.Store(true)
	}
	t.private.Add(w.private)
	t.named.Add(w.named)
	t.outside.Add(w.outside)
	t.before.raise(w.before)
	t.after.raise(w.after)
	for i, n := range w.states {
		t.states[i].Add(n)
	}
}

// Note says what the inventory is of, how much of the traffic it has no sure answer for, and which logged fields were
// filled from it. It is "" if nothing was asked.
func (n *Inventory) Note() string {
	var parts []string
	t := &n.tally
	unit := "records"
	if t.bytes.Load() {
		unit = "bytes"
	}
	if private := t.private.Load(); private > 0 {
		var shares []string
		for _, s := range []struct {
			state inventory.State
			what  string
		}{
			{inventory.None, "have no owner in it"}, {inventory.Several, "have several possible owners, and no name"}, {inventory.Assumed, "have an owner that is assumed"},
		} {
			if of := t.states[s.state].Load(); of > 0 {
				shares = append(shares, percent(of, private)+" "+s.what)
			}
		}
		if shares != nil {
			parts = append(parts, fmt.Sprintf("of the %s at private addresses, %s", unit, strings.Join(shares, ", ")))
		} else {
			parts = append(parts, "all private addresses have a certain owner")
		}
	}
	if outside := t.outside.Load(); outside > 0 {
		var far []string
		if d := t.before.Load(); d > 0 {
			far = append(far, distance(d)+" before the first snapshot")
		}
		if d := t.after.Load(); d > 0 {
			far = append(far, distance(d)+" after the last snapshot")
		}
		parts = append(parts, fmt.Sprintf("%s of the named %s are up to %s", percent(outside, t.named.Load()), unit, strings.Join(far, ", or ")))
	}
	if filled := n.filledNote(); filled != "" {
		parts = append(parts, filled)
	}
	if parts == nil {
		return ""
	}
	return n.Describe() + ": " + strings.Join(parts, "; ")
}

// percent writes a share with two digits that count.
func percent(part, all int64) string {
	share := 100 * float64(part) / float64(max(all, 1))
	switch {
	case part == all:
		return "100 %"
	case share >= 10:
		return fmt.Sprintf("%.0f %%", min(share, 99))
	case share >= 0.1:
		return fmt.Sprintf("%.1f %%", share)
	}
	return "less than 0.1 %"
}

// distance writes a length of time in its largest unit.
func distance(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d min", max(1, d/time.Minute))
}

// Describe says what the inventory was made from.
func (n *Inventory) Describe() string {
	a := n.inv.About()
	if a.First == 0 {
		return "inventory without a snapshot of interfaces"
	}
	at := func(t int64) string { return time.Unix(t, 0).UTC().Format("2006-01-02 15:04") }
	span := at(a.First)
	if a.Last != a.First {
		span += " … " + at(a.Last)
	}
	text := fmt.Sprintf("inventory of %s UTC, %s of %s", span, plural(a.Snapshots, "snapshot"), plural(a.Accounts, "account"))
	var sources []string
	for _, s := range []inventory.TimeSource{inventory.FromName, inventory.FromModified} {
		if a.Sources[s] > 0 {
			sources = append(sources, s.String())
		}
	}
	if sources != nil {
		text += " (times from " + strings.Join(sources, " and ") + ")"
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
