package pass

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"

	"flowlog/parse/codes"
)

type tallies struct{ total, double, beside, open Tally }

// A judge decides on the sightings of a lot, one lot after the other.
type judge struct {
	*survey
	mode    string
	held    []*held
	tallies tallies

	all   []sighting   // of the lot
	heads []int32      // a hash table: the last sighting of the same packets, plus 1
	next  []int32      // by sighting: the one before, plus 1
	same  []sighting   // those of the same packets
	acted times        // of those that count and have an action, if others have none
	legs  [][]sighting // of a flow
	seen  times        // of its legs so far
}

func (j *judge) lot(lot int) {
	j.all = j.all[:0]
	for _, w := range j.witnesses {
		for _, chunk := range w.lots[lot] {
			j.all = append(j.all, chunk...)
		}
		w.lots[lot] = nil
	}
	for i := range j.all {
		j.tallies.total.add(j.all[i].bytes)
	}
	switch j.mode {
	case "src":
		j.ofSide(j.all, egress)
	case "dst":
		j.ofSide(j.all, ingress)
	case "":
		for i := range j.all {
			if x := &j.all[i]; j.decide(x, true) == 0 {
				j.tallies.open.add(x.bytes)
			}
		}
	default:
		j.flows(j.all)
	}
}

// decide writes the verdict of a flow, and returns its direction.
func (j *judge) decide(x *sighting, count bool) uint8 {
	direction := j.direction(x)
	verdict := direction << 1
	if count {
		verdict |= counted
	}
	j.held[x.batch].verdicts[x.row] = verdict
	return direction
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
	size := 1 << bits.Len(uint(2*len(all)))
	j.heads = codes.Grown(j.heads[:0], size)[:size]
	j.next = codes.Grown(j.next[:0], len(all))[:len(all)]
	clear(j.heads)
	for i := range all {
		at := int(all[i].hash()) & (size - 1)
		for j.heads[at] != 0 && !samePackets(&all[j.heads[at]-1], &all[i]) {
			at = (at + 1) & (size - 1)
		}
		j.next[i], j.heads[at] = j.heads[at], int32(i+1)
	}
	for _, head := range j.heads {
		if head == 0 {
			continue
		}
		j.same = j.same[:0]
		for i := head; i != 0; i = j.next[i-1] {
			j.same = append(j.same, all[i-1])
		}
		j.packets(j.same)
	}
}

// packets decides on the sightings of the same packets and ports. Those without an action come last: they are of any flow
// that was near.
func (j *judge) packets(same []sighting) {
	if len(same) > 1 {
		slices.SortFunc(same, func(a, b sighting) int {
			return cmp.Or(cmp.Compare(b.action(), a.action()), cmp.Compare(a.start, b.start))
		})
	}
	j.acted.reset(nil)
	if len(same) > 1 && same[0].action() != 0 && same[len(same)-1].action() == 0 {
		j.acted.reset(same)
	}
	for len(same) > 0 {
		n, last := 1, same[0].end
		for n < len(same) && same[n].action() == same[0].action() && same[n].start <= later(last) {
			last = max(last, same[n].end)
			n++
		}
		j.flow(same[:n])
		same = same[n:]
	}
}

func samePackets(a, b *sighting) bool {
	return a.pktSrc == b.pktSrc && a.pktDst == b.pktDst && a.ports == b.ports
}

func (x *sighting) hash() uint64 {
	return mixed(uint64(x.pktSrc)<<32|uint64(x.pktDst)) ^ mixed(x.ports<<16)
}

// flow decides on the sightings of one flow. A leg is where they were seen: an interface, in one direction, with the
// addresses that it shows. The first leg counts, and of the others what was seen at times when none before saw any.
func (j *judge) flow(all []sighting) {
	legs := j.legsOf(all)
	if len(legs) > 1 {
		j.seen.reset(all)
	}
	for i, leg := range legs {
		translated := j.translated(&leg[0])
		action := leg[0].action() != 0
		for n := range leg {
			x := &leg[n]
			before := translated || i > 0 && j.seen.near(x) || !action && j.acted.near(x)
			if before {
				x.labels |= double
				j.tallies.double.add(x.bytes)
			}
			j.decide(x, j.mode != "dedupe" || !before)
		}
		for n := range leg {
			if x := &leg[n]; x.labels&double == 0 {
				if i < len(legs)-1 {
					j.seen.add(x)
				}
				if action {
					j.acted.add(x)
				}
			}
		}
	}
}

// legsOf sorts the sightings of a flow by leg, and returns the legs in the order in which they are chosen: those with the
// packets' own addresses are first, and of these those with the most records.
func (j *judge) legsOf(all []sighting) [][]sighting {
	legs := j.legs[:0]
	if len(all) > 1 {
		slices.SortFunc(all, func(a, b sighting) int { return j.compareLegs(&a, &b) })
	}
	for len(all) > 0 {
		n := 1
		for n < len(all) && j.sameLeg(&all[n], &all[0]) {
			n++
		}
		legs, all = append(legs, all[:n]), all[n:]
	}
	j.legs = legs
	if len(legs) > 1 {
		slices.SortStableFunc(legs, func(a, b []sighting) int {
			return cmp.Or(cmp.Compare(a[0].hidden(), b[0].hidden()), cmp.Compare(len(b), len(a)))
		})
	}
	return legs
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
