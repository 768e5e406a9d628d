package report

import "time"

// BinEdges returns the beginnings of the bins of a width from the one that first is in to the one that last is in, and the
// end of that one. It returns nil if there are more bins than most. zone is that of the bins; nil is UTC.
func BinEdges(first, last time.Time, every time.Duration, zone *time.Location, most int) []time.Time {
	at := bin(first.Unix(), every, zone)
	edges := []time.Time{time.Unix(at, 0).UTC()}
	for at <= last.Unix() {
		if len(edges) > most {
			return nil
		}
		at = nextBin(at, every, zone)
		edges = append(edges, time.Unix(at, 0).UTC())
	}
	return edges
}

// nextBin is the beginning of the bin behind the one that begins at a second. Where the clock is set back, that is later
// than the width of a bin.
func nextBin(at int64, every time.Duration, zone *time.Location) int64 {
	width := int64(every / time.Second)
	for _, later := range []int64{0, int64(time.Hour / time.Second)} {
		if next := bin(at+width+later, every, zone); next > at {
			return next
		}
	}
	return at + width
}
