package report

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// Vantages are the ways to count traffic that several interfaces logged.
var Vantages = []struct{ Name, Doc string }{
	{"all", "every record, as logged; says how much of it was logged more than once"},
	{"src", "as its source's interface saw it"},
	{"dst", "as its destination's interface saw it"},
	{"dedupe", "each flow once, across interfaces, NAT and transit gateways"},
}

// ErrNoInterface is the error for logs that do not say which interface saw a flow.
var ErrNoInterface = errors.New("--vantage needs interface_id, which these logs do not have: add ${interface-id} to the format of the flow log")

// directionField is computed by a Vantage, where AWS did not log flow_direction.
const directionField = "direction"

// VantageFields lists the fields that only a Vantage knows.
func VantageFields() schema.Table {
	return schema.Table{{
		Name: directionField, Kind: schema.Text, Values: []string{"ingress", "egress"},
		Doc: "ingress or egress: flow_direction, or where that was not logged, by which address is the interface's own",
	}}
}

// vantageFields are what a Vantage looks at.
var vantageFields = []string{
	"log_status", "interface_id", "resource_id", "srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr", "srcport", "dstport",
	"protocol", "action", "start", "end", "bytes", "flow_direction",
}

// A Vantage stands between a scan and what it feeds, and lets pass what is to be counted. Which address is an
// interface's own, and who else saw a flow, is known only when all records have been seen: until then it
// keeps them in memory, in the columns that are asked for.
//
// A flow is told by the packets' addresses, the ports, the protocol, the action, and the time, give or take a
// minute. Of the interfaces that saw it, one counts: one that shows the packets' own addresses, if there is
// one, and of these the one with the most records. What a NAT gateway sends on under an address of its own is
// another flow to every interface; it is left out where the gateway logged what it stands for.
type Vantage struct {
	mode   string
	fields schema.Table
	mu     sync.Mutex
	held   []*held
	Total  Tally // all flows
	Double Tally // those that were logged before
	Beside Tally // those that were left out because another side, or none that is known, saw them
}

// A Tally counts flows and their bytes.
type Tally struct{ Flows, Bytes int64 }

func (t *Tally) add(bytes int64) {
	t.Flows++
	t.Bytes += bytes
}

// held is one batch.
type held struct {
	columns []*schema.Column
	rows    int
	first   int // number of its first row among all
}

// NewVantage returns the Vantage of one of the Vantages, or of "" which only tells directions, for a scan of a
// projection, and the projection that it
// needs.
func NewVantage(mode string, known schema.Table, p *schema.Projection) (*Vantage, *schema.Projection, error) {
	names := p.Fields.Names()[:p.Named]
	names = append(slices.Clone(names), vantageFields...)
	wide, err := known.Project(names...)
	if err != nil {
		return nil, nil, err
	}
	return &Vantage{mode: mode, fields: wide.Logged().Fields}, wide, nil
}

// Add keeps a batch. It is a schema.Emit.
func (v *Vantage) Add(b schema.Batch) error {
	h := &held{rows: int(b.NumRows())}
	for _, f := range v.fields {
		c := schema.NewColumn(f)
		if f.Name != directionField {
			c.AppendArray(column(b.Record, f.Name))
		}
		h.columns = append(h.columns, c)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = append(v.held, h)
	return nil
}

// Emit hands on what is to be counted, to so many workers at once. It follows the last Add.
func (v *Vantage) Emit(workers int, emit schema.Emit) error {
	s, err := v.survey()
	if err != nil {
		return err
	}
	keep := s.resolve(v)
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for i := worker; i < len(v.held) && errs[worker] == nil; i += workers {
				errs[worker] = v.replay(v.held[i], s, keep, worker, i, emit)
				v.held[i] = nil
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

func (v *Vantage) replay(h *held, s *survey, keep []bool, worker, seq int, emit schema.Emit) error {
	var rows []int32
	for row := range h.rows {
		if keep[h.first+row] {
			rows = append(rows, int32(row))
		}
	}
	columns := make([]arrow.Array, len(h.columns))
	for i, c := range h.columns {
		if c.Name == directionField {
			for row := range h.rows {
				c.Append(s.directionOf(h.first + row))
			}
		}
		if len(rows) < h.rows {
			c.Keep(rows)
		}
		columns[i] = c.Array()
	}
	rec := array.NewRecord(v.fields.Arrow(), columns, int64(len(rows)))
	defer rec.Release()
	return emit(schema.Batch{Record: rec, Worker: worker, Seq: int64(seq)})
}

// Note says what the vantage did.
func (v *Vantage) Note() string {
	share := func(t Tally) string {
		return fmt.Sprintf("%d of %d flows and %d of %d bytes", t.Flows, v.Total.Flows, t.Bytes, v.Total.Bytes)
	}
	switch v.mode {
	case "src", "dst":
		return fmt.Sprintf("vantage %s: %s were seen from elsewhere, or from a side that is not known, and are left out", v.mode, share(v.Beside))
	case "dedupe":
		return fmt.Sprintf("vantage dedupe: %s had been logged by another interface, and are left out", share(v.Double))
	}
	return fmt.Sprintf("vantage all: %s had been logged by another interface too; --vantage dedupe leaves them out", share(v.Double))
}

// A survey is what is known of all rows.
type survey struct {
	flows      []sighting
	flowOf     []int32 // by row: its place in flows, or -1
	tuples     int     // how many different flows there are
	observers  *schema.Pairs
	names      []uint64 // of observers: codes of interface and resource
	addrs      schema.Coder
	interfaces schema.Coder
	resources  schema.Coder
	legs       []leg
	own        []uint32 // by observer: the code of the interface's own address, 0 if unknown
	// behind are the remote addresses that observers forward packets for: triples of observer, own address and
	// remote address, for packets to (0) and from (1) the remote.
	behind [2]map[[3]uint32]bool
	inside map[[2]uint32]bool // for regional NAT gateways: observer and remote, of packets from or to private addresses
}

// A sighting is a flow as one interface logged it.
type sighting struct {
	flow, leg  uint32 // what was seen, and from where
	start, end int64
	bytes      int64
	row        int32
}

// A leg is a place where flows are seen: an interface, in one direction, with the addresses that it shows.
type leg struct {
	observer       uint32
	src, dst       uint32 // codes of addresses
	pktSrc, pktDst uint32
	direction      uint8 // 0 is unknown, 1 ingress, 2 egress
}

var directions = [...]any{nil, "ingress", "egress"}

func (s *survey) directionOf(row int) any {
	if f := s.flowOf[row]; f >= 0 {
		return directions[s.legs[s.flows[f].leg].direction]
	}
	return nil
}

// survey numbers everything.
func (v *Vantage) survey() (*survey, error) {
	known := func(name string) schema.Field {
		f, _ := v.fields.Lookup(name)
		return f
	}
	s := &survey{
		observers: schema.NewPairs(), addrs: schema.NewCoder(known("srcaddr")),
		interfaces: schema.NewCoder(known("interface_id")), resources: schema.NewCoder(known("resource_id")),
		behind: [2]map[[3]uint32]bool{{}, {}}, inside: make(map[[2]uint32]bool),
	}
	actions, directionsLogged := schema.NewCoder(known("action")), schema.NewCoder(known("flow_direction"))
	small := schema.NewCoder(known("srcport"))
	var tuples [5]*schema.Pairs
	var legIDs [4]*schema.Pairs
	for i := range tuples {
		tuples[i] = schema.NewPairs()
	}
	for i := range legIDs {
		legIDs[i] = schema.NewPairs()
	}
	pair := func(p *schema.Pairs, a, b uint32) uint32 {
		id, _ := p.ID(uint64(a)<<32 | uint64(b))
		return id
	}
	seen := schema.NewPairs() // of observer and address
	var times []int64         // by pair of observer and address: how often it was seen
	var all []int32
	var codes [][]uint32 // of a batch
	total := 0
	rows := 0
	for _, h := range v.held {
		rows += h.rows
	}
	s.flowOf, s.flows = make([]int32, 0, rows), make([]sighting, 0, rows)
	for _, h := range v.held {
		h.first = total
		total += h.rows
		arrays := make(map[string]arrow.Array)
		for _, c := range h.columns {
			arrays[c.Name] = c.Array()
		}
		for i := len(all); i < h.rows; i++ {
			all = append(all, int32(i))
		}
		used := 0
		code := func(c schema.Coder, name string) []uint32 {
			if used == len(codes) {
				codes = append(codes, nil)
			}
			codes[used] = schema.Grown(codes[used], h.rows)
			used++
			c.Encode(arrays[name], all[:h.rows], codes[used-1])
			return codes[used-1]
		}
		src, dst := code(s.addrs, "srcaddr"), code(s.addrs, "dstaddr")
		pktSrc, pktDst := code(s.addrs, "pkt_srcaddr"), code(s.addrs, "pkt_dstaddr")
		srcport, dstport, protocol := code(small, "srcport"), code(small, "dstport"), code(small, "protocol")
		iface, resource := code(s.interfaces, "interface_id"), code(s.resources, "resource_id")
		action, direction := code(actions, "action"), code(directionsLogged, "flow_direction")
		starts, ends, bytes := longs(arrays["start"]), longs(arrays["end"]), longs(arrays["bytes"])
		next := 0
		flowRows := flows(arrays["log_status"], all[:h.rows], nil)
		for row := range h.rows {
			s.flowOf = append(s.flowOf, -1)
			if next == len(flowRows) || int(flowRows[next]) != row {
				continue
			}
			next++
			if pktSrc[row] == 0 {
				pktSrc[row] = src[row]
			}
			if pktDst[row] == 0 {
				pktDst[row] = dst[row]
			}
			observer := pair(s.observers, iface[row], resource[row])
			flow := pair(tuples[0], pktSrc[row], pktDst[row])
			flow = pair(tuples[1], flow, srcport[row])
			flow = pair(tuples[2], flow, dstport[row])
			flow = pair(tuples[3], flow, protocol[row])
			flow = pair(tuples[4], flow, action[row])
			l := leg{observer: observer, src: src[row], dst: dst[row], pktSrc: pktSrc[row], pktDst: pktDst[row]}
			switch directionsLogged.Value(direction[row]) {
			case "ingress":
				l.direction = 1
			case "egress":
				l.direction = 2
			}
			id := pair(legIDs[0], observer, uint32(l.direction))
			id = pair(legIDs[1], id, l.src)
			id = pair(legIDs[2], id, l.dst)
			id = pair(legIDs[3], id, pair(tuples[0], l.pktSrc, l.pktDst))
			if int(id) == len(s.legs) {
				s.legs = append(s.legs, l)
				s.forwards(l)
			}
			for _, a := range []uint32{l.src, l.dst} {
				n := pair(seen, observer, a)
				if int(n) == len(times) {
					times = append(times, 0)
				}
				if times[n]++; l.src == l.dst {
					break
				}
			}
			f := sighting{flow: flow, leg: id, start: math.MinInt64, end: math.MaxInt64, row: int32(total - h.rows + row)}
			if start, ok := starts(row); ok {
				f.start = start
			}
			if end, ok := ends(row); ok {
				f.end = end
			}
			f.bytes, _ = bytes(row)
			s.flowOf[len(s.flowOf)-1] = int32(len(s.flows))
			s.flows = append(s.flows, f)
			v.Total.add(f.bytes)
		}
	}
	if len(s.flows) > 0 && s.interfaces.Len() == 1 && s.resources.Len() == 1 {
		return nil, ErrNoInterface
	}
	s.names = s.observers.Words()
	s.tuples = tuples[4].Len()
	s.findOwn(seen, times)
	return s, nil
}

// longs gives the values of a column of 64-bit numbers.
func longs(col arrow.Array) func(row int) (int64, bool) {
	values, valid := col.(*array.Int64).Int64Values(), schema.ValidityOf(col)
	return func(row int) (int64, bool) { return values[row], !valid.Null(int32(row)) }
}

// forwards remembers what a leg says of packets that its interface sends on for others.
func (s *survey) forwards(l leg) {
	if l.dst != l.pktDst {
		s.behind[0][[3]uint32{l.observer, l.dst, l.pktDst}] = true
	}
	if l.src != l.pktSrc {
		s.behind[1][[3]uint32{l.observer, l.src, l.pktSrc}] = true
	}
	if private(s.addrs.Value(l.pktSrc)) {
		s.inside[[2]uint32{l.observer, l.pktDst}] = true
	}
	if private(s.addrs.Value(l.pktDst)) {
		s.inside[[2]uint32{l.observer, l.pktSrc}] = true
	}
}

func private(v any) bool {
	a, ok := v.(netip.Addr)
	return ok && (a.IsPrivate() || sharedSpace.Contains(a))
}

// sharedSpace is used like private addresses. Source: RFC 6598.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// findOwn tells each interface's own address: the one that most of its records have; if two are as common,
// the private one. Where AWS did not log a direction, it follows from that.
func (s *survey) findOwn(seen *schema.Pairs, times []int64) {
	s.own = make([]uint32, s.observers.Len())
	most := make([]int64, s.observers.Len())
	for n, word := range seen.Words() {
		observer, a := uint32(word>>32), uint32(word)
		if a == 0 {
			continue
		}
		if best := s.own[observer]; best == 0 || times[n] > most[observer] || times[n] == most[observer] && s.ownBefore(a, best) {
			s.own[observer], most[observer] = a, times[n]
		}
	}
	for i := range s.legs {
		l := &s.legs[i]
		own := s.own[l.observer]
		switch {
		case l.direction != 0 || l.src == 0 || l.dst == 0:
		case l.src != l.pktSrc, l.src == own && l.dst != own && l.dst == l.pktDst:
			l.direction = 2
		case l.dst != l.pktDst, l.dst == own && l.src != own:
			l.direction = 1
		}
	}
}

func (s *survey) ownBefore(a, b uint32) bool {
	x, y := s.addrs.Value(a).(netip.Addr), s.addrs.Value(b).(netip.Addr)
	if private(x) != private(y) {
		return private(x)
	}
	return x.Less(y)
}

// translated reports whether a leg shows packets under an address of a NAT gateway that also logged whom they
// are from or for.
func (s *survey) translated(l leg) bool {
	if l.src == l.pktSrc && s.behind[0][[3]uint32{l.observer, l.src, l.pktDst}] || l.dst == l.pktDst && s.behind[1][[3]uint32{l.observer, l.dst, l.pktSrc}] {
		return true
	}
	// a regional NAT gateway shows the packets' addresses alone: its own are public, its clients' are not
	if name, ok := s.resources.Value(uint32(s.names[l.observer])).(string); !ok || !strings.HasPrefix(name, "nat-") {
		return false
	}
	if private(s.addrs.Value(l.pktSrc)) || private(s.addrs.Value(l.pktDst)) {
		return false
	}
	return s.inside[[2]uint32{l.observer, l.pktDst}] || s.inside[[2]uint32{l.observer, l.pktSrc}]
}

// slack is how far apart, in seconds, interfaces may date the same packets.
const slack = 60

// resolve says which rows are to be counted, and counts those that are not.
func (s *survey) resolve(v *Vantage) []bool {
	keep := make([]bool, len(s.flowOf))
	for row, f := range s.flowOf {
		keep[row] = f < 0
	}
	translated := make([]bool, len(s.legs))
	for i, l := range s.legs {
		translated[i] = s.translated(l)
	}
	// the sightings of each flow, side by side: a sort that only counts
	places := make([]int32, s.tuples+1)
	for i := range s.flows {
		places[s.flows[i].flow+1]++
	}
	for i := 1; i < len(places); i++ {
		places[i] += places[i-1]
	}
	order := make([]int32, len(s.flows))
	for i := range s.flows {
		flow := s.flows[i].flow
		order[places[flow]] = int32(i)
		places[flow]++
	}
	rank := s.rankLegs()
	var sightings []sighting
	for len(order) > 0 {
		sightings = sightings[:0]
		flow := s.flows[order[0]].flow
		for len(order) > 0 && s.flows[order[0]].flow == flow {
			sightings = append(sightings, s.flows[order[0]])
			order = order[1:]
		}
		if len(sightings) > 1 {
			slices.SortFunc(sightings, func(a, b sighting) int {
				return cmp.Or(cmp.Compare(rank[a.leg], rank[b.leg]), cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(a.row, b.row))
			})
		}
		s.resolveFlow(v, sightings, translated, keep)
	}
	return keep
}

// resolveFlow decides on the sightings of one flow, which are sorted by leg.
func (s *survey) resolveFlow(v *Vantage, sightings []sighting, translated []bool, keep []bool) {
	var legs [][]sighting
	for len(sightings) > 0 {
		n := 1
		for n < len(sightings) && sightings[n].leg == sightings[0].leg {
			n++
		}
		legs = append(legs, sightings[:n])
		sightings = sightings[n:]
	}
	hidden := func(l leg) int { // addresses that are not the packets' own
		n := 0
		if l.src != l.pktSrc {
			n++
		}
		if l.dst != l.pktDst {
			n++
		}
		return n
	}
	slices.SortStableFunc(legs, func(a, b []sighting) int {
		return cmp.Or(cmp.Compare(hidden(s.legs[a[0].leg]), hidden(s.legs[b[0].leg])), cmp.Compare(len(b), len(a)))
	})
	var counted []span[int64]
	for i, list := range legs {
		var more []span[int64]
		for _, f := range list {
			double := translated[f.leg] || i > 0 && overlaps(counted, f.start, f.end)
			if double {
				v.Double.add(f.bytes)
			} else {
				more = append(more, span[int64]{f.start, f.end})
			}
			switch v.mode {
			case "all", "":
				keep[f.row] = true
			case "dedupe":
				keep[f.row] = !double
			default:
				side := uint8(2)
				if v.mode == "dst" {
					side = 1
				}
				if keep[f.row] = s.legs[f.leg].direction == side; !keep[f.row] {
					v.Beside.add(f.bytes)
				}
			}
		}
		if i < len(legs)-1 {
			counted = merged(append(counted, more...), func(x int64) int64 { return x })
		}
	}
}

// overlaps reports whether a time is within slack of one of some others, which are in order.
func overlaps(spans []span[int64], start, end int64) bool {
	if start > math.MinInt64+slack {
		start -= slack
	}
	if end < math.MaxInt64-slack {
		end += slack
	}
	i, _ := slices.BinarySearchFunc(spans, start, func(s span[int64], start int64) int { return cmp.Compare(s.hi, start) })
	return i < len(spans) && spans[i].lo <= end
}

// rankLegs orders legs by the names of what they are, so that a choice among equals is the same in every run.
func (s *survey) rankLegs() []int {
	text := func(i int) string {
		l := s.legs[i]
		o := s.names[l.observer]
		return fmt.Sprintf("%v %v %d %v %v", s.interfaces.Value(uint32(o>>32)), s.resources.Value(uint32(o)), 2-l.direction, s.addrs.Value(l.src), s.addrs.Value(l.dst))
	}
	names := make([]string, len(s.legs))
	order := make([]int, len(s.legs))
	for i := range s.legs {
		names[i], order[i] = text(i), i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(names[a], names[b]) })
	rank := make([]int, len(order))
	for n, i := range order {
		rank[i] = n
	}
	return rank
}
