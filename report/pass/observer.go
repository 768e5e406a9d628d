package pass

import (
	"net/netip"
	"strings"

	"flowlog/parse/codes"
	"flowlog/report/parallel"
)

// facts are what the records of one observer say of it: of a network interface, or of a regional NAT gateway, which has
// none. They do not depend on the order of the records.
type facts struct {
	common  [2][2]uint32                      // by family: the addresses that all its records show
	met     [2]bool                           // by family: there are records
	evident map[uint32]bool                   // addresses that a record shows to be its own
	last    uint32                            // the last of them
	traits  [atRegion - atInstance + 1]uint32 // codes of fields, the instance first
}

// manifold is the code of a trait that differs from record to record, of which nothing follows then.
const manifold = ^uint32(0)

func (f *facts) trait(at int) uint32 {
	if code := f.traits[at-atInstance]; code != manifold {
		return code
	}
	return 0
}

// instance reports whether records name an instance that the interface is attached to.
func (f *facts) instance() bool { return f.traits[0] != 0 }

// learn takes in what a sighting says of its observer.
func (w *witness) learn(x *sighting, row int32) {
	f := &w.facts[x.observer]
	for at := atInstance; at <= atRegion; at++ {
		if code := w.codes[at][row]; code != f.traits[at-atInstance] {
			f.join(at, code)
		}
	}
	if family := w.address(x.src).family; x.src != 0 && x.dst != 0 && family == w.address(x.dst).family {
		f.meet(family, [2]uint32{x.src, x.dst})
	}
	if own := x.evident(); own != 0 && own != f.last {
		f.show(own)
	}
	if x.src != x.pktSrc {
		w.relays[relay{x.observer, x.src, x.pktSrc, egress}] = true
	}
	if x.dst != x.pktDst {
		w.relays[relay{x.observer, x.dst, x.pktDst, ingress}] = true
	}
}

// evident is the address of a record that is the interface's own for certain, or 0: the one that flow_direction says, or
// that is shown in place of a packet's.
func (x *sighting) evident() uint32 {
	switch x.side() {
	case egress:
		return x.src
	case ingress:
		return x.dst
	}
	return 0
}

// side is the direction that follows from the record alone.
func (x *sighting) side() uint8 {
	switch {
	case x.logged() != 0:
		return x.logged()
	case x.src != x.pktSrc && x.dst == x.pktDst:
		return egress
	case x.dst != x.pktDst && x.src == x.pktSrc:
		return ingress
	}
	return 0
}

func (f *facts) join(at int, code uint32) {
	switch known := &f.traits[at-atInstance]; {
	case *known == 0:
		*known = code
	case code != 0 && code != *known:
		*known = manifold
	}
}

// meet leaves of the common addresses of a family those that are among some others too.
func (f *facts) meet(family uint8, others [2]uint32) {
	if others[0] == others[1] {
		others[1] = 0
	}
	if !f.met[family] {
		f.met[family], f.common[family] = true, others
		return
	}
	common := &f.common[family]
	for i, a := range common {
		if a != others[0] && a != others[1] {
			common[i] = 0
		}
	}
}

func (f *facts) show(own uint32) {
	if f.evident == nil {
		f.evident = make(map[uint32]bool)
	}
	f.evident[own], f.last = true, own
}

// A relay is an address of an observer that records show in place of a packet's: as destination of what comes in, or as
// source of what goes out.
type relay struct {
	observer, own, packet uint32
	side                  uint8
}

// A survey is what all witnesses have seen.
type survey struct {
	witnesses  []*witness
	addrs      codes.Coder
	interfaces codes.Coder
	resources  codes.Coder
	types      codes.Coder
	names      []uint64 // of observers: codes of interface and resource
	facts      []facts  // by observer
	own        [][2]uint32
	relays     map[relay]bool
	kinds      []kind
	relaying   []bool // by observer: its records have addresses in place of others, or it is a regional NAT gateway
	// standsFor has the pairs of an observer and an address that it shows its own instead of. They are true where it
	// forwards what is from or for the address; else that is an address of its own too, such as that of a pod.
	standsFor map[[2]uint32]bool
	inside    map[[2]uint32]bool // of regional NAT gateways: observer and remote, of packets from or to private addresses
}

// A kind is what an observer does by its type.
type kind uint8

const (
	host     kind = iota
	service       // receives and sends under its own address, and forwards what is not under it
	gateway       // forwards only
	regional      // forwards only, and never shows an address of its own
	nobody        // no interface, such as a transit gateway in its own logs
)

// newSurvey adds up what witnesses have seen. It returns nil if there are none.
func newSurvey(witnesses map[int]*witness) *survey {
	var s *survey
	for _, w := range witnesses {
		if s == nil {
			s = &survey{
				addrs: w.coders[atSrc], interfaces: w.coders[atInterface], resources: w.coders[atResource], types: w.coders[atType],
				facts: w.facts, relays: w.relays,
			}
		} else {
			s.absorb(w)
		}
		s.witnesses = append(s.witnesses, w)
	}
	if s != nil {
		s.names = s.witnesses[0].observers.Words()
	}
	return s
}

// absorb adds what a further witness has seen to what the first one has, and translates its sightings.
func (s *survey) absorb(w *witness) {
	first := s.witnesses[0]
	var codes [numCoded][]uint32
	for i := range codes {
		if i == atSrc || i > atPktDst {
			codes[i] = first.coders[i].Absorb(w.coders[i])
		}
	}
	addrs := codes[atSrc]
	observers := make([]uint32, w.observers.Len())
	for i, name := range w.observers.Words() {
		id, isNew := first.observers.ID(uint64(codes[atInterface][name>>32])<<32 | uint64(codes[atResource][uint32(name)]))
		if isNew {
			s.facts = append(s.facts, facts{})
		}
		observers[i] = id
		s.facts[id].absorb(&w.facts[i], codes)
	}
	for r := range w.relays {
		s.relays[relay{observers[r.observer], addrs[r.own], addrs[r.packet], r.side}] = true
	}
	_ = parallel.Each(lots, func(lot int) error {
		for x := range w.sightings(lot) {
			x.src, x.dst, x.pktSrc, x.pktDst = addrs[x.src], addrs[x.dst], addrs[x.pktSrc], addrs[x.pktDst]
			x.observer = observers[x.observer]
			x.labels = codes[atAction][x.action()]<<3 | uint32(x.logged())
		}
		return nil
	})
}

// absorb adds the facts of another witness, whose codes are others here.
func (f *facts) absorb(o *facts, codes [numCoded][]uint32) {
	addrs := codes[atSrc]
	for family, met := range o.met {
		if met {
			f.meet(uint8(family), [2]uint32{addrs[o.common[family][0]], addrs[o.common[family][1]]})
		}
	}
	for own := range o.evident {
		f.show(addrs[own])
	}
	for i, code := range o.traits {
		if code == manifold {
			f.traits[i] = manifold
		} else if code != 0 {
			f.join(atInstance+i, codes[atInstance+i][code])
		}
	}
}

// anonymous reports whether there are flows, and none says who has seen it.
func (s *survey) anonymous() bool {
	return len(s.names) > 0 && s.interfaces.Len() == 1 && s.resources.Len() == 1
}

// learn finds out what follows from the facts.
func (s *survey) learn() {
	s.kinds = make([]kind, len(s.names))
	for i, name := range s.names {
		s.kinds[i] = s.kindOf(name, &s.facts[i])
	}
	s.findOwn()
	s.findForwarders()
}

func (s *survey) kindOf(name uint64, f *facts) kind {
	resource, _ := s.resources.Value(uint32(name)).(string)
	logged, _ := s.types.Value(f.trait(atType)).(string)
	switch {
	case strings.HasPrefix(resource, "nat-") || logged == "regional_nat_gateway":
		return regional
	case logged == "nat_gateway" || logged == "transit_gateway":
		return gateway
	case name == 0:
		return nobody
	case logged != "":
		return service
	}
	return host
}

// owns reports whether an address is the observer's own.
func (s *survey) owns(observer, address uint32) bool {
	if address == 0 {
		return false
	}
	own := s.own[observer]
	return own[0] == address || own[1] == address || s.facts[observer].evident[address]
}

// direction is the one that was logged, or else follows from which address is the interface's own; 0 if neither tells.
func (s *survey) direction(x *sighting) uint8 {
	if side := x.side(); side != 0 {
		return side
	}
	src, dst := s.owns(x.observer, x.src), s.owns(x.observer, x.dst)
	switch {
	case src == dst:
		return 0
	case src:
		return egress
	}
	return ingress
}

func private(v any) bool {
	a, ok := v.(netip.Addr)
	return ok && (a.IsPrivate() || sharedSpace.Contains(a))
}

// sharedSpace is used like private addresses. Source: RFC 6598.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")
