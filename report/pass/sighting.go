package pass

import (
	"encoding/binary"
	"iter"
	"math"
	"math/bits"
	"net/netip"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// Places of sightingFields.
const (
	atSrc = iota
	atDst
	atPktSrc
	atPktDst
	atSrcPort
	atDstPort
	atProtocol
	atAction
	atDirection
	atInterface
	atResource
	atInstance
	atType
	atVPC
	atAccount
	atRegion
	atStatus // from here on: fields without codes
	atStart
	atEnd
	atBytes

	numCoded = atStatus
)

// sightingFields are what a Vantage looks at.
var sightingFields = [...]string{
	"srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr", "srcport", "dstport", "protocol", "action", "flow_direction",
	"interface_id", "resource_id", "instance_id", "interface_type", "vpc_id", "account_id", "region",
	"log_status", "start", "end", "bytes",
}

// A sighting is what a flow record says of who saw which packets when. Numbers are codes, of the witness that made it
// until it is translated, then of the survey.
type sighting struct {
	pktSrc, pktDst uint32 // the packets' own addresses
	ports          uint64 // source port, destination port, protocol
	src, dst       uint32 // the addresses that the record shows
	observer       uint32
	labels         uint32 // the action, and in the lower bits whether it is double, and the direction that was logged
	batch, row     int32
	start, end     int64
	bytes          int64
}

// Directions, as in directions. Those that are not 0 are sides too: what one counts.
const (
	ingress = 1
	egress  = 2
)

var directions = [...]any{nil, "ingress", "egress"}

func (x *sighting) logged() uint8  { return uint8(x.labels & 3) }
func (x *sighting) action() uint32 { return x.labels >> 3 }

// double is the label of a sighting that was logged before.
const double = 4

// hidden is how many of the packets' addresses the record does not show.
func (x *sighting) hidden() int {
	n := 0
	if x.src != x.pktSrc {
		n++
	}
	if x.dst != x.pktDst {
		n++
	}
	return n
}

// lots is into how many parts sightings are dealt: those of the same packets are in one.
const lots = 256

// firstChunk is how many sightings of a lot are first held at once; later chunks are larger.
const firstChunk = 4

// A witness is what one goroutine of a scan has seen.
type witness struct {
	coders     [numCoded]codes.Coder // the four of addresses are one
	directions []uint8               // by code of flow_direction
	observers  *codes.Pairs          // codes of interface and resource
	facts      []facts               // by observer
	addresses  []address             // by code
	relays     map[relay]bool
	lots       [lots][][]sighting // in chunks
	codes      [numCoded][]uint32 // of a batch
	all, flows []int32
}

func newWitness() *witness {
	w := &witness{observers: codes.NewPairs(), relays: make(map[relay]bool), directions: []uint8{0}}
	logged := schema.Logged()
	for i, name := range sightingFields[:numCoded] {
		f, _ := logged.Lookup(name)
		w.coders[i] = codes.NewCoder(f)
	}
	for i := atDst; i <= atPktDst; i++ {
		w.coders[i] = w.coders[atSrc]
	}
	return w
}

// see keeps the flows of a batch. Other records are counted, whatever is.
func (w *witness) see(rec arrow.Record, batch int32, verdicts []uint8) {
	n := len(verdicts)
	for i := len(w.all); i < n; i++ {
		w.all = append(w.all, int32(i))
	}
	w.flows = expr.Flows(expr.Column(rec, sightingFields[atStatus]), w.all[:n], w.flows[:0])
	if len(w.flows) < n {
		for i := range verdicts {
			verdicts[i] = counted
		}
		for _, row := range w.flows {
			verdicts[row] = 0
		}
	}
	for i, name := range sightingFields[:numCoded] {
		w.codes[i] = codes.Grown(w.codes[i], n)
		col := expr.Column(rec, name)
		if col.NullN() == n {
			clear(w.codes[i][:n])
			continue
		}
		w.coders[i].Encode(col, w.flows, w.codes[i])
	}
	for code := len(w.directions); code < w.coders[atDirection].Len(); code++ {
		known := map[any]uint8{"ingress": ingress, "egress": egress}
		w.directions = append(w.directions, known[w.coders[atDirection].Value(uint32(code))])
	}
	starts, ends, bytes := longs(expr.Column(rec, "start")), longs(expr.Column(rec, "end")), longs(expr.Column(rec, "bytes"))
	for _, row := range w.flows {
		x := w.sight(row)
		x.batch, x.row = batch, row
		x.start, x.end = between(starts, ends, int(row))
		x.bytes, _ = bytes(int(row))
		w.learn(&x, row)
		w.keep(x)
	}
}

// keep adds a sighting to its lot.
func (w *witness) keep(x sighting) {
	lot := &w.lots[w.lotOf(&x)]
	n := len(*lot)
	if n == 0 || len((*lot)[n-1]) == cap((*lot)[n-1]) {
		*lot = append(*lot, make([]sighting, 0, firstChunk<<min(n, 6)))
		n++
	}
	(*lot)[n-1] = append((*lot)[n-1], x)
}

// sightings calls yield with each sighting of a lot.
func (w *witness) sightings(lot int) iter.Seq[*sighting] {
	return func(yield func(*sighting) bool) {
		for _, chunk := range w.lots[lot] {
			for i := range chunk {
				if !yield(&chunk[i]) {
					return
				}
			}
		}
	}
}

// sight is what the codes of a row say.
func (w *witness) sight(row int32) sighting {
	code := func(at int) uint32 { return w.codes[at][row] }
	x := sighting{
		src: code(atSrc), dst: code(atDst), pktSrc: code(atPktSrc), pktDst: code(atPktDst),
		ports:  uint64(code(atSrcPort)) | uint64(code(atDstPort))<<17 | uint64(code(atProtocol))<<34,
		labels: code(atAction)<<3 | uint32(w.directions[code(atDirection)]),
	}
	// of the two addresses of one end that a record can have, one stands for the other
	x.pktSrc, x.src = standIn(x.pktSrc, x.src)
	x.pktDst, x.dst = standIn(x.pktDst, x.dst)
	var isNew bool
	if x.observer, isNew = w.observers.ID(uint64(code(atInterface))<<32 | uint64(code(atResource))); isNew {
		w.facts = append(w.facts, facts{})
	}
	return x
}

func standIn(a, b uint32) (uint32, uint32) {
	switch {
	case a == 0:
		return b, b
	case b == 0:
		return a, a
	}
	return a, b
}

// between is the time of a record, in order. It is without a bound where none was logged.
func between(starts, ends func(int) (int64, bool), row int) (start, end int64) {
	start, started := starts(row)
	end, ended := ends(row)
	switch {
	case !started && !ended:
		return math.MinInt64, math.MaxInt64
	case !started:
		return math.MinInt64, end
	case !ended:
		return start, math.MaxInt64
	}
	return min(start, end), max(start, end)
}

// longs gives the values of a column of 64-bit numbers.
func longs(col arrow.Array) func(row int) (int64, bool) {
	values, valid := col.(*array.Int64).Int64Values(), schema.ValidityOf(col)
	return func(row int) (int64, bool) { return values[row], !valid.Null(int32(row)) }
}

// address is what a witness knows of an address by its code, without looking at its value again.
type address struct {
	hash   uint32
	family uint8 // 0 is IPv4, 1 IPv6
}

// address returns what is known of an address. All witnesses know the same of one.
func (w *witness) address(code uint32) address {
	for next := len(w.addresses); next <= int(code); next++ {
		a, _ := w.coders[atSrc].Value(uint32(next)).(netip.Addr)
		b := a.As16()
		known := address{hash: uint32(mixed(binary.LittleEndian.Uint64(b[:8]) ^ mixed(binary.LittleEndian.Uint64(b[8:]))))}
		if !a.Is4() {
			known.family = 1
		}
		w.addresses = append(w.addresses, known)
	}
	return w.addresses[code]
}

// lotOf is the lot of the sightings of the same packets and ports.
func (w *witness) lotOf(x *sighting) int {
	src, dst := w.address(x.pktSrc).hash, w.address(x.pktDst).hash
	return int(mixed(uint64(src)<<32|uint64(dst)^x.ports<<7) % lots)
}

// mixed spreads the bits of a word over its lower ones.
func mixed(word uint64) uint64 {
	high, low := bits.Mul64(word^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return high ^ low
}
