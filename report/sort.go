package report

import (
	"fmt"
	"slices"
	"strings"
)

// An ordering is how rows are ranked, as a user writes it: bytes, -bytes for the other end, bytes:asc, bytes:desc.
type ordering struct {
	name      string
	other     bool   // from the other end than a report ranks by itself: measures from the largest on, keys from the smallest
	direction string // asc, desc, or "" for none
}

// ways are the words for directions.
var ways = []string{"asc", "desc", "ascending", "descending"}

func orderingOf(s string) ordering {
	name, other := strings.CutPrefix(strings.TrimSpace(s), "-")
	if at := strings.LastIndexByte(name, ':'); at >= 0 {
		if i := slices.Index(ways, strings.ToLower(strings.TrimSpace(name[at+1:]))); i >= 0 {
			return ordering{strings.TrimSpace(name[:at]), other, ways[i%2]}
		}
	}
	return ordering{name, other, ""}
}

// reverse reports whether rows come from the other end, if they are ranked by a key or by a measure.
func (o ordering) reverse(key bool) bool {
	if o.direction == "" {
		return o.other
	}
	return (o.direction == "desc") == key
}

// written is the ordering with its direction as a word, if it has one: who reads -bytes cannot know which end that is.
func (o ordering) written(key bool) string {
	switch {
	case !o.other && o.direction == "":
		return o.name
	case o.reverse(key) == key:
		return o.name + ":desc"
	}
	return o.name + ":asc"
}

// check says what is wrong with the ordering: nil if nothing is.
func (o ordering) check() error {
	switch {
	case slices.Contains(ways, strings.ToLower(o.name)):
		return fmt.Errorf("%s is a direction: name a measure too, as in bytes:desc, or -bytes for the smallest first", o.name)
	case o.other && o.direction != "":
		return fmt.Errorf("-%s:%s has two directions: leave out the -", o.name, o.direction)
	}
	return nil
}

// SmallestFirst returns the measure of which the smallest values come first in a report, or "". That is not what rows are
// ranked for, and may surprise.
func (r *Report) SmallestFirst() string {
	if i := r.Measure(r.Order); i >= 0 && r.Reverse {
		return r.Measures[i].Name
	}
	return ""
}
