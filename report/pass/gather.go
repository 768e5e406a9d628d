package pass

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// connectionNeeds are the fields that connections are made of, beside sightingFields.
var connectionNeeds = [...]string{"packets", "tcp_flags"}

// A gatherer keeps the flows that one goroutine of a scan has read, and what they say of their observers.
type gatherer struct {
	*witness
	flows   *shard[flow]
	longest []int64 // by observer: the longest flow, in seconds
	reject  []bool  // by code of an action
	total   Tally

	first, last int64 // of the starts
}

func newGatherer(to *overflow) *gatherer {
	return &gatherer{witness: newWitness(), flows: newShard[flow](to), reject: []bool{false}, first: math.MaxInt64, last: math.MinInt64}
}

// gather keeps the flows of a batch.
func (g *gatherer) gather(rec arrow.Record) error {
	rows := g.read(rec)
	for code := len(g.reject); code < g.coders[atAction].Len(); code++ {
		g.reject = append(g.reject, g.coders[atAction].Value(uint32(code)) == "REJECT")
	}
	starts, ends := longs(expr.Column(rec, "start")), longs(expr.Column(rec, "end"))
	bytes, packets := longs(expr.Column(rec, "bytes")), longs(expr.Column(rec, "packets"))
	flags := expr.Column(rec, "tcp_flags").(*array.Int32)
	noFlag := schema.ValidityOf(flags)
	for _, row := range rows {
		x := g.sight(row)
		x.start, x.end = between(starts, ends, int(row))
		g.learn(&x, row)
		g.measure(&x)
		f := g.flow(&x)
		var known bool
		if f.bytes, known = bytes(int(row)); !known {
			f.bytes, f.marks = 0, f.marks|noBytes
		}
		if f.packets, known = packets(int(row)); !known {
			f.packets, f.marks = 0, f.marks|noPackets
		}
		if f.flags = uint8(flags.Value(int(row))); noFlag.Null(row) {
			f.flags, f.marks = 0, f.marks|noFlags
		}
		g.total.add(f.bytes)
		if err := g.flows.put(g.lotOfEnds(&x), f); err != nil {
			return err
		}
	}
	return nil
}

// measure takes in when a flow begins, and how long it is.
func (g *gatherer) measure(x *sighting) {
	if known(x.start) {
		g.first, g.last = min(g.first, x.start), max(g.last, x.start)
	}
	g.longest = codes.Grown(g.longest, int(x.observer)+1)
	if known(x.start) && known(x.end) {
		g.longest[x.observer] = max(g.longest[x.observer], x.end-x.start)
	}
}

// flow is what a sighting says, without numbers.
func (g *gatherer) flow(x *sighting) flow {
	f := flow{
		start: x.start, end: x.end, src: x.src, dst: x.dst, pktSrc: x.pktSrc, pktDst: x.pktDst, observer: x.observer,
		marks: marks(x.logged()) << directedShift,
	}
	// codes of ports and protocols are the number plus 1
	src, dst, protocol := x.ports&(1<<17-1), x.ports>>17&(1<<17-1), x.ports>>34
	if src == 0 && dst == 0 {
		f.marks |= noPorts
	}
	f.srcPort, f.dstPort = uint16(max(src, 1)-1), uint16(max(dst, 1)-1)
	if protocol == 0 {
		f.marks |= noProtocol
	}
	f.protocol = uint8(max(protocol, 1) - 1)
	if action := x.action(); action != 0 {
		f.marks |= acted
		if g.reject[action] {
			f.marks |= rejected
		}
	}
	return f
}

// lotOfEnds is the lot of the flows of a key: it depends on values alone, and is the same for both directions.
func (g *gatherer) lotOfEnds(x *sighting) int {
	src, dst := uint64(g.address(x.pktSrc).hash), uint64(g.address(x.pktDst).hash)
	a, b := mixed(src<<32|x.ports&(1<<17-1)), mixed(dst<<32|x.ports>>17&(1<<17-1))
	return int(mixed(a+b+x.ports>>34) % lots)
}

// translate gives a flow the survey's codes in place of the gatherer's.
func (g *gatherer) translate(flows []flow) {
	if g.seen == nil {
		return // it is the one whose codes the survey has
	}
	for i := range flows {
		f := &flows[i]
		f.src, f.dst, f.pktSrc, f.pktDst = g.addrs[f.src], g.addrs[f.dst], g.addrs[f.pktSrc], g.addrs[f.pktDst]
		f.observer = g.seen[f.observer]
	}
}

// sighting is what a flow says of who saw which packets, with its place in a list.
func (f *flow) sighting(place int) sighting {
	return sighting{
		pktSrc: f.pktSrc, pktDst: f.pktDst, src: f.src, dst: f.dst, observer: f.observer, start: f.start, end: f.end,
		ports:  uint64(f.srcPort) | uint64(f.dstPort)<<17 | uint64(f.protocol)<<34,
		labels: uint32(f.marks >> directedShift & 3), row: int32(place), bytes: f.bytes,
	}
}
