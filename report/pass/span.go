package pass

import "math"

// A span is the flows of a key between two cuts, added up by side: 0 is the lower end of the key, 1 the upper one.
type span struct {
	start, end int64
	head       int64 // the end of its first flow
	sides      [2]side
	gap        bool // it follows a gap, not a SYN
	begins     bool // its first window has a SYN
}

// A side is the flows from one end of a span. Times are never if there is none.
type side struct {
	flows          int32
	observer       uint32 // of the first
	bytes, packets int64
	began          int64 // the first start
	closed         int64 // the first end of a flow with FIN or RST
	established    int64 // the first end of a TCP flow without SYN
	opened         int64 // the first start of a flow with the SYN of a client
	accepted       int64 // the first start of a flow with the SYN and ACK of a server
	flags          uint8
	some, all      marks // that a flow has, and that all flows have
	passed         bool  // a flow was not rejected
}

const never = math.MaxInt64

func newSpan(f *flow, gap bool) span {
	none := side{began: never, closed: never, established: never, opened: never, accepted: never, all: ^marks(0)}
	return span{start: f.start, end: f.end, head: f.end, gap: gap, sides: [2]side{none, none}}
}

// reused reports whether a flow is of a further connection on the same ports: it has a SYN, and windows before its own
// have a FIN or an RST, or packets of its direction without a SYN. The answer to a SYN overlaps what it answers, so
// the other direction counts only against the SYN of a client.
func (p *span) reused(f *flow) bool {
	own, other := &p.sides[f.side()], &p.sides[1-f.side()]
	switch {
	case f.opens():
		return min(own.closed, own.established, other.closed) <= f.start
	case f.accepts():
		return own.closed <= f.start
	}
	return false
}

// add adds a flow that counts.
func (p *span) add(f *flow) {
	if f.flags&flagSYN != 0 && f.start <= p.head {
		p.begins = true
	}
	p.end = max(p.end, f.end)
	s := &p.sides[f.side()]
	if s.flows == 0 {
		s.began, s.observer = f.start, f.observer
	}
	s.flows++
	s.bytes, s.packets = sum(s.bytes, f.bytes), sum(s.packets, f.packets)
	s.all &= f.marks
	if f.ends() {
		s.closed = min(s.closed, f.end)
	}
	if f.protocol == protocolTCP && !f.has(noFlags) && f.flags&flagSYN == 0 {
		s.established = min(s.established, f.end)
	}
	p.mark(f)
}

// mark takes in what does not depend on which record counts.
func (p *span) mark(f *flow) {
	s := &p.sides[f.side()]
	s.flags |= f.flags
	s.some |= f.marks
	if f.opens() {
		s.opened = min(s.opened, f.start)
	}
	if f.accepts() {
		s.accepted = min(s.accepted, f.start)
	}
	s.passed = s.passed || !f.has(rejected)
}

// resumes reports whether the span goes on with the connection of the span before: after a gap, TCP without a SYN.
func (p *span) resumes(protocol uint8) bool {
	known := p.sides[0].all&p.sides[1].all&noFlags == 0
	return p.gap && protocol == protocolTCP && known && !p.begins
}

// client is the side that opened the connection, and how that is known.
func (s *sessions) client(p *span, protocol uint8, ends [2]end, missing marks) (client int, h how) {
	portless := missing&noPorts != 0 || ends[0].port|ends[1].port == 0
	order := [...]how{bySYN, byTime, byFan, byName, byPort}
	if protocol == protocolUDP {
		order = [...]how{byFan, byTime, byName, byPort, byNothing}
	}
	if protocol == protocolICMP || protocol == protocolICMPv6 {
		return p.first(), byNothing
	}
	for _, h := range order {
		var which bool // the lower end is the server
		known := false
		switch h {
		case bySYN:
			opened := [2]int64{min(p.sides[0].opened, p.sides[1].accepted), min(p.sides[1].opened, p.sides[0].accepted)}
			known, which = protocol == protocolTCP && opened[0] != opened[1], opened[1] < opened[0]
		case byTime:
			a, b := p.sides[0].began, p.sides[1].began
			known, which = a != never && b != never && sum(min(a, b), slack) < max(a, b), b < a
		case byFan:
			known, which = s.oneOf(portless, func(i int) bool { return s.fan(protocol, ends[i]) })
		case byName:
			known, which = s.oneOf(portless, func(i int) bool { return s.named(protocol, ends[i].port) })
		case byPort:
			known, which = !portless && ends[0].port != ends[1].port, true
		}
		if known && which {
			return 1, h
		} else if known {
			return 0, h
		}
	}
	return p.first(), byNothing
}

// oneOf asks both ends whether they are a server's. It is known only if one of them is.
func (s *sessions) oneOf(portless bool, server func(end int) bool) (known, lower bool) {
	if portless {
		return false, false
	}
	lower = server(0)
	return lower != server(1), lower
}

// first is the side that was seen first, or else the lower one.
func (p *span) first() int {
	if p.sides[1].began < p.sides[0].began {
		return 1
	}
	return 0
}

// headers is the most that a packet without data has: the headers of IPv6 and TCP with all options.
const headers = 40 + 60

// state is what became of the connection that a side opened.
func (p *span) state(protocol uint8, client int) state {
	up, down := &p.sides[client], &p.sides[1-client]
	decided := (up.some|down.some)&acted != 0
	switch {
	case decided && !down.passed && (up.some|down.some)&rejected != 0:
		return stateRefused
	case up.flows == 0:
		return stateOneSided
	case down.flows == 0 && protocol == protocolTCP && up.sends():
		return stateOneSided
	case down.flows == 0:
		return stateNoAnswer
	case protocol != protocolTCP:
		return stateOpen
	}
	opened := up.flags&(flagSYN|flagACK) == flagSYN
	answer := down.flags & (flagFIN | flagSYN | flagRST)
	switch flags := up.flags | down.flags; {
	case decided && opened && answer == flagRST:
		return stateRefused
	case up.flags&down.flags&flagFIN != 0:
		return stateClosed
	case flags&flagRST != 0:
		return stateReset
	case flags&flagFIN != 0:
		return stateClosed
	}
	return stateOpen
}

// sends reports whether TCP packets are more than attempts to open a connection.
func (s *side) sends() bool {
	return s.established != never || s.flags&flagFIN != 0 || s.bytes > headers*s.packets
}
