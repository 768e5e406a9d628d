package pass

import (
	"cmp"

	"flowlog/parse/schema"
)

// A flow is what one record says of the packets of one direction of a connection. Addresses and observers are codes. It
// has 64 bytes and no pointers: runs of many records keep one for each, in memory or in a file.
type flow struct {
	start, end       int64  // Unix seconds, in order; without a bound where the record has none
	bytes, packets   int64  // 0 if unknown: see marks
	src, dst         uint32 // the addresses that the record shows
	pktSrc, pktDst   uint32 // the packets' own addresses
	observer         uint32 // who logged it: an interface, or a regional NAT gateway
	vpc              uint32 // the observer's VPC if it tells two hosts of one address apart, else 0
	srcPort, dstPort uint16 // 0 if the protocol has none
	marks            marks
	protocol, flags  uint8 // flags is the OR of the TCP flags that were logged
}

// marks are what a flow says beside numbers.
type marks uint16

const (
	fromUpper  marks = 1 << iota // its source is the upper end of the key
	spare                        // its packets count by the record of another interface
	rejected                     // REJECT
	acted                        // it has an action
	noFlags                      // tcp_flags is null, as each of those below
	noBytes                      //
	noPackets                    //
	noPorts                      //
	noProtocol                   //
	directed                     // from here on two bits: the flow_direction that was logged, as in directions
	directedTo                   //
)

// directedShift is the position of the logged direction.
const directedShift = 9

// TCP flags that AWS logs. Source: Amazon VPC User Guide, "TCP flag sequence"; ACK alone is logged as 0.
const (
	flagFIN = 1
	flagSYN = 2
	flagRST = 4
	flagACK = 16
)

// Protocol numbers. Source: IANA, "Protocol Numbers".
const (
	protocolICMP   = 1
	protocolTCP    = 6
	protocolUDP    = 17
	protocolICMPv6 = 58
	protocolSCTP   = 132
)

func (f *flow) has(m marks) bool { return f.marks&m != 0 }

// side is 1 if the flow is from the upper end of its key, else 0.
func (f *flow) side() int { return int(f.marks & fromUpper) }

// opens reports whether the flow has the SYN of a client.
func (f *flow) opens() bool { return f.flags&(flagSYN|flagACK) == flagSYN }

// accepts reports whether the flow has the SYN and ACK of a server.
func (f *flow) accepts() bool { return f.flags&(flagSYN|flagACK) == flagSYN|flagACK }

// ends reports whether the flow has a FIN or an RST.
func (f *flow) ends() bool { return f.flags&(flagFIN|flagRST) != 0 }

// sameEnds reports whether two flows are of one key, in either direction: the same protocol, VPC, packet addresses and
// ports.
func sameEnds(a, b *flow) bool {
	if a.protocol != b.protocol || a.vpc != b.vpc || (a.marks^b.marks)&(noPorts|noProtocol) != 0 {
		return false
	}
	return a.pktSrc == b.pktSrc && a.pktDst == b.pktDst && a.srcPort == b.srcPort && a.dstPort == b.dstPort ||
		a.pktSrc == b.pktDst && a.pktDst == b.pktSrc && a.srcPort == b.dstPort && a.dstPort == b.srcPort
}

// endsHash is the same for all flows of a key.
func (f *flow) endsHash() uint64 {
	a, b := uint64(f.pktSrc)<<16|uint64(f.srcPort), uint64(f.pktDst)<<16|uint64(f.dstPort)
	return schema.Hash(schema.Hash(min(a, b)) + max(a, b)<<8 + uint64(f.protocol))
}

// timeOrder compares flows of one key by time. Flows that it calls equal but for their observers do not differ in what
// follows from them, so the order of the input does not matter.
func (s *sessions) timeOrder(a, b *flow) int {
	if a.start != b.start {
		return cmp.Compare(a.start, b.start)
	}
	return cmp.Or(
		cmp.Compare(a.end, b.end),
		-cmp.Compare(a.flags&flagSYN, b.flags&flagSYN),
		cmp.Compare(a.flags&flagACK, b.flags&flagACK),
		cmp.Compare(a.marks, b.marks),
		cmp.Compare(a.flags, b.flags),
		cmp.Compare(a.bytes, b.bytes),
		cmp.Compare(a.packets, b.packets),
		cmp.Compare(s.rank(a.observer), s.rank(b.observer)),
	)
}
