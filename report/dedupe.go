package report

import (
	"bytes"
	"cmp"
	"math"
	"slices"
)

// slack is how far apart, in seconds, interfaces may date the same packets.
const slack = 60

type tallies struct{ total, double, beside, open Tally }

// A judge decides on the sightings of a lot.
type judge struct {
	*survey
	mode    string
	held    []*held
	tallies tallies
	legs    [][]sighting // of a flow
}

func (j *judge) lot(lot int) {
	var all []sighting
	for _, w := range j.witnesses {
		all = append(all, w.lots[lot]...)
		w.lots[lot] = nil
	}
	for i := range all {
		j.tallies.total.add(all[i].bytes)
	}
	switch j.mode {
	case "src":
		j.ofSide(all, egress)
	case "dst":
		j.ofSide(all, ingress)
	case "":
		for i := range all {
			j.decide(&all[i], true)
		}
	default:
		j.flows(all)
	}
}

// decide writes the verdict of a flow.
func (j *judge) decide(x *sighting, count bool) {
	verdict := j.direction(x) << 1
	if count {
		verdict |= counted
	}
	j.held[x.batch].verdicts[x.row] = verdict
}

func (j *judge) ofSide(all []sighting, side uint8) {
	for i := range all {
		x := &all[i]
		p := j.standing(x, side)
		j.decide(x, p == there)
		if p != there {
			j.tallies.beside.add(x.bytes)
		}
		if p == open {
			j.tallies.open.add(x.bytes)
		}
	}
}

// flows decides on one flow after the other: the sightings of the same packets, ports, protocol and action whose times
// overlap, give or take slack. What was seen after a longer gap is another flow, which has no part in the decision.
func (j *judge) flows(all []sighting) {
	slices.SortFunc(all, func(a, b sighting) int {
		return cmp.Or(compareFlows(&a, &b), cmp.Compare(a.start, b.start))
	})
	for len(all) > 0 {
		n, last := 1, all[0].end
		for n < len(all) && compareFlows(&all[n], &all[0]) == 0 && all[n].start <= later(last) {
			last = max(last, all[n].end)
			n++
		}
		j.flow(all[:n])
		all = all[n:]
	}
}

func compareFlows(a, b *sighting) int {
	return cmp.Or(cmp.Compare(a.pktSrc, b.pktSrc), cmp.Compare(a.pktDst, b.pktDst), cmp.Compare(a.ports, b.ports), cmp.Compare(a.action(), b.action()))
}

func later(t int64) int64 {
	if t > math.MaxInt64-slack {
		return math.MaxInt64
	}
	return t + slack
}

func earlier(t int64) int64 {
	if t < math.MinInt64+slack {
		return math.MinInt64
	}
	return t - slack
}

// flow decides on the sightings of one flow. A leg is where they were seen: an interface, in one direction, with the
// addresses that it shows. The first leg counts, and of the others what was seen at times when none before saw any.
func (j *judge) flow(all []sighting) {
	slices.SortFunc(all, func(a, b sighting) int {
		return cmp.Or(j.compareLegs(&a, &b), cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	legs := j.legs[:0]
	for len(all) > 0 {
		n := 1
		for n < len(all) && j.sameLeg(&all[n], &all[0]) {
			n++
		}
		legs, all = append(legs, all[:n]), all[n:]
	}
	j.legs = legs
	slices.SortStableFunc(legs, func(a, b []sighting) int {
		return cmp.Or(cmp.Compare(a[0].hidden(), b[0].hidden()), cmp.Compare(len(b), len(a)))
	})
	var seen []span[int64]
	for i, leg := range legs {
		translated := j.translated(&leg[0])
		var more []span[int64]
		for n := range leg {
			x := &leg[n]
			double := translated || i > 0 && overlaps(seen, x.start, x.end)
			if double {
				j.tallies.double.add(x.bytes)
			} else if i < len(legs)-1 {
				more = append(more, span[int64]{x.start, x.end})
			}
			j.decide(x, j.mode != "dedupe" || !double)
		}
		if i < len(legs)-1 {
			seen = merged(append(seen, more...), func(x int64) int64 { return x })
		}
	}
}

func (j *judge) sameLeg(a, b *sighting) bool {
	return a.observer == b.observer && a.src == b.src && a.dst == b.dst && (a.logged() == b.logged() || j.direction(a) == j.direction(b))
}

// compareLegs orders legs by the names of what they are, so that a choice among equals is the same in every run.
func (j *judge) compareLegs(a, b *sighting) int {
	if j.sameLeg(a, b) {
		return 0
	}
	x, y := j.names[a.observer], j.names[b.observer]
	text := func(v any) string {
		if s, ok := v.(string); ok {
			return "+" + s
		}
		return "~" // a regional NAT gateway has no interface: it comes last
	}
	address := func(code uint32) []byte {
		if code == 0 {
			return nil
		}
		b := j.addrs.Value(code).(interface{ As16() [16]byte }).As16()
		return b[:]
	}
	return cmp.Or(
		cmp.Compare(text(j.interfaces.Value(uint32(x>>32))), text(j.interfaces.Value(uint32(y>>32)))),
		cmp.Compare(text(j.resources.Value(uint32(x))), text(j.resources.Value(uint32(y)))),
		cmp.Compare(j.direction(b), j.direction(a)), // egress is first
		bytes.Compare(address(a.src), address(b.src)),
		bytes.Compare(address(a.dst), address(b.dst)),
	)
}

// overlaps reports whether a time is within slack of one of some others, which are in order.
func overlaps(spans []span[int64], start, end int64) bool {
	start, end = earlier(start), later(end)
	i, _ := slices.BinarySearchFunc(spans, start, func(s span[int64], start int64) int { return cmp.Compare(s.hi, start) })
	return i < len(spans) && spans[i].lo <= end
}
