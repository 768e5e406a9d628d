package calendar

import "time"

// Edges returns the beginnings of the bins of a width from the one that first is in to the one that last is in, and the
// end of that one. It returns nil if there are more bins than most. zone is that of the bins; nil is UTC.
func Edges(first, last time.Time, every time.Duration, zone *time.Location, most int) []time.Time {
	c := New(every, zone)
	at := c.Begin(first.Unix())
	edges := []time.Time{time.Unix(at, 0).UTC()}
	for at <= last.Unix() {
		if len(edges) > most {
			return nil
		}
		at = c.Next(at)
		edges = append(edges, time.Unix(at, 0).UTC())
	}
	return edges
}
