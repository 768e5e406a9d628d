package report

import "time"

// BinEdges returns the beginnings of the bins of a width from the one that first is in to the one that last is in, and the
// end of that one. It returns nil if there are more bins than most. zone is that of the bins; nil is UTC.
func BinEdges(first, last time.Time, every time.Duration, zone *time.Location, most int) []time.Time {
	c := Key{Every: every, Zone: zone}.calendar()
	at := c.begin(first.Unix())
	edges := []time.Time{time.Unix(at, 0).UTC()}
	for at <= last.Unix() {
		if len(edges) > most {
			return nil
		}
		at = c.next(at)
		edges = append(edges, time.Unix(at, 0).UTC())
	}
	return edges
}
