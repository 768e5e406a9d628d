package pass

import (
	"math"
	"slices"
)

// Idle times in seconds: a connection of which nothing is seen for longer is over. Source: Elastic Load Balancing, Network
// Load Balancers, "Connection idle timeout", whose defaults are those of NAT gateways for TCP too.
const (
	DefaultIdleTCP = 350
	DefaultIdleUDP = 120
)

// sessions makes connections of the flows of one key at a time. It belongs to one goroutine.
type sessions struct {
	idleTCP, idleOther int64
	// window is the aggregation interval of an observer, in seconds.
	window func(observer uint32) int64
	// rank orders observers by their names.
	rank func(observer uint32) uint32
	// compare orders addresses by their values.
	compare func(a, b uint32) int
	// choose marks as spare what does not count of flows of the same packets that several interfaces saw.
	choose func(same []flow)
	// fan reports whether the end is known to be a server's by how many others use it.
	fan func(protocol uint8, e end) bool
	// named reports whether the port is that of a known service.
	named func(protocol uint8, port uint16) bool

	spans  []span
	spares []flow
	same   []flow
}

// append appends the connections of the flows of one key, in the order of time. It reorders the flows.
func (s *sessions) append(out []connection, key []flow) []connection {
	ends := s.ends(key)
	protocol, missing := key[0].protocol, key[0].marks&(noPorts|noProtocol)
	s.pick(key)
	s.cut(key)
	client, h := 0, bySYN
	for i := range s.spans {
		p := &s.spans[i]
		resumed := i > 0 && p.resumes(protocol)
		if !resumed {
			client, h = s.client(p, protocol, ends, missing)
		}
		up, down := &p.sides[client], &p.sides[1-client]
		c := connection{
			ends: [2]end{ends[client], ends[1-client]}, vpc: key[0].vpc, observer: up.observer, protocol: protocol,
			state: p.state(protocol, client), how: h, resumed: resumed, windows: max(up.flows, down.flows),
			missing: missing | up.all&down.all&(noBytes|noPackets|noFlags), start: p.start, stop: p.end,
			bytes: [2]int64{up.bytes, down.bytes}, packets: [2]int64{up.packets, down.packets},
		}
		if up.flows == 0 {
			c.observer = down.observer
		}
		out = append(out, c)
	}
	return out
}

// ends finds the ends of a key, and marks the flows from the upper one. The lower end has the lower port or, of equal
// ports, the lower address: codes may be others in another run.
func (s *sessions) ends(key []flow) [2]end {
	lower, upper := end{key[0].pktSrc, key[0].srcPort}, end{key[0].pktDst, key[0].dstPort}
	if upper.port < lower.port || upper.port == lower.port && s.compare(upper.addr, lower.addr) < 0 {
		lower, upper = upper, lower
	}
	for i := range key {
		f := &key[i]
		f.marks &^= fromUpper | spare
		if f.pktSrc != lower.addr || f.srcPort != lower.port {
			f.marks |= fromUpper
		}
	}
	return [2]end{lower, upper}
}

// pick marks the flows that do not count, and sorts those that do to the front by time, the others behind them.
func (s *sessions) pick(key []flow) {
	slices.SortFunc(key, func(a, b flow) int { return s.timeOrder(&a, &b) })
	for side := range 2 {
		legs, first := 0, -1
		for i := range key {
			switch {
			case key[i].side() != side:
			case first < 0:
				first = i
			case !sameView(&key[i], &key[first]):
				legs++
			}
		}
		if legs > 0 {
			s.chooseOf(key, side)
		}
	}
	n := 0
	s.spares = s.spares[:0]
	for _, f := range key {
		if f.has(spare) {
			s.spares = append(s.spares, f)
			continue
		}
		key[n] = f
		n++
	}
	copy(key[n:], s.spares)
}

// chooseOf has choose decide on the flows of one side.
func (s *sessions) chooseOf(key []flow, side int) {
	s.same = s.same[:0]
	for _, f := range key {
		if f.side() == side {
			s.same = append(s.same, f)
		}
	}
	s.choose(s.same)
	same := s.same
	for i := range key {
		if key[i].side() == side {
			key[i], same = same[0], same[1:]
		}
	}
}

// sameView reports whether one observer saw both flows in the same way.
func sameView(a, b *flow) bool {
	return a.observer == b.observer && a.src == b.src && a.dst == b.dst && (a.marks^b.marks)>>directedShift == 0
}

// cut makes the spans of a key. A span ends before a gap that is longer than idle and an aggregation interval, and before
// the SYN of a further connection on the same ports. Flows that do not count, behind the others, only leave marks.
func (s *sessions) cut(key []flow) {
	s.spans = s.spans[:0]
	counting := len(key) - len(s.spares)
	allowed := int64(0)
	for i := range key[:counting] {
		allowed = max(allowed, s.window(key[i].observer))
	}
	if key[0].protocol == protocolTCP {
		allowed += s.idleTCP
	} else {
		allowed += s.idleOther
	}
	for i := range key[:counting] {
		f := &key[i]
		var p *span
		if n := len(s.spans); n > 0 {
			p = &s.spans[n-1]
		}
		gap := p != nil && f.start > sum(p.end, allowed)
		if p == nil || gap || p.reused(f) {
			s.spans = append(s.spans, newSpan(f, gap))
			p = &s.spans[len(s.spans)-1]
		}
		p.add(f)
	}
	for i := range key[counting:] {
		f := &key[counting+i]
		if p := s.nearest(f); p != nil {
			p.mark(f)
		}
	}
}

// sum adds a number that is not negative, at most up to the largest one.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// nearest is the span that covers the middle of a flow or is the least far away from it.
func (s *sessions) nearest(f *flow) *span {
	var best *span
	least := uint64(math.MaxUint64)
	middle := f.start/2 + f.end/2
	for i := range s.spans {
		p := &s.spans[i]
		var far uint64
		if middle < p.start {
			far = uint64(p.start) - uint64(middle)
		} else if middle > p.end {
			far = uint64(middle) - uint64(p.end)
		}
		if best == nil || far < least {
			best, least = p, far
		}
	}
	return best
}
