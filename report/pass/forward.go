package pass

import (
	"net/netip"
	"slices"
	"sync"

	"flowlog/report/parallel"
)

// What a gateway forwards is not what it sends, nor what was sent to it. To the logs a gateway looks as an interface that
// has further addresses: both show their own address in place of the packets'. This file tells them apart.

// the traces of one goroutine that looks at the sightings of observers that may forward.
type traces struct {
	far    map[[2]uint32]bool // observer and address: a packet from or to it is shown with the address of the other end
	inside map[[2]uint32]bool
	speaks map[uint32]bool // observers that send or receive under their own address
}

// findForwarders finds what each observer forwards: of whatever it is, and of each address that it shows its own
// instead of.
func (s *survey) findForwarders() {
	s.standsFor = make(map[[2]uint32]bool)
	for r := range s.relays {
		s.standsFor[r.pair()] = false
	}
	t := s.trace()
	s.inside = t.inside
	owners, managed := s.owners(), s.managed()
	others := func(r relay) bool {
		owner, owned := owners[r.packet]
		return owned && owner != r.observer
	}
	for r := range s.relays {
		s.standsFor[r.pair()] = s.standsFor[r.pair()] || s.kinds[r.observer] != host || managed[r.observer] || t.far[r.pair()] || others(r) ||
			!s.oneSubnet(r.own, r.packet)
	}
	claims := make(map[uint32]int) // by address: how many observers it may be a secondary address of
	for pair, forwards := range s.standsFor {
		if !forwards {
			claims[pair[1]]++
		}
	}
	for pair := range s.standsFor {
		if claims[pair[1]] > 1 && !t.speaks[pair[0]] {
			s.standsFor[pair] = true
		}
	}
}

func (r relay) pair() [2]uint32 { return [2]uint32{r.observer, r.packet} }

// owners returns whose own each address is: the observer, or nobody's number if several have it.
func (s *survey) owners() map[uint32]uint32 {
	owners := make(map[uint32]uint32)
	add := func(address, observer uint32) {
		if owner, known := owners[address]; known && owner != observer {
			observer = manifold
		}
		owners[address] = observer
	}
	for i := range s.own {
		for _, address := range s.own[i] {
			add(address, uint32(i))
		}
		for address := range s.facts[i].evident {
			add(address, uint32(i))
		}
	}
	return owners
}

// managed are the interfaces without an instance in a place where others have one: AWS manages them for gateways and
// services, and gives them no secondary addresses.
func (s *survey) managed() []bool {
	instances := make(map[place]bool)
	for i := range s.facts {
		if f := &s.facts[i]; f.instance() {
			instances[f.place()] = true
		}
	}
	managed := make([]bool, len(s.facts))
	for i := range s.facts {
		f := &s.facts[i]
		managed[i] = !f.instance() && instances[f.place()]
	}
	return managed
}

// oneSubnet reports whether two addresses may be of one subnet, and so of one interface. A subnet has at most a /16 of
// IPv4 or a /44 of IPv6.
func (s *survey) oneSubnet(a, b uint32) bool {
	x, _ := s.addrs.Value(a).(netip.Addr)
	y, _ := s.addrs.Value(b).(netip.Addr)
	size := 16
	if !x.Is4() {
		size = 44
	}
	network, err := x.Prefix(size)
	return err == nil && network.Contains(y)
}

// trace looks at all sightings of the observers that may forward.
func (s *survey) trace() traces {
	all := traces{far: make(map[[2]uint32]bool), inside: make(map[[2]uint32]bool), speaks: make(map[uint32]bool)}
	s.relaying = make([]bool, len(s.kinds))
	for i, k := range s.kinds {
		s.relaying[i] = k == regional
	}
	for r := range s.relays {
		s.relaying[r.observer] = true
	}
	for i := range s.facts {
		if s.relaying[i] && s.facts[i].instance() {
			all.speaks[uint32(i)] = true
		}
	}
	if !slices.Contains(s.relaying, true) {
		return all
	}
	var mu sync.Mutex
	_ = parallel.Each(lots, func(lot int) error {
		t := traces{far: make(map[[2]uint32]bool), inside: make(map[[2]uint32]bool), speaks: make(map[uint32]bool)}
		for _, w := range s.witnesses {
			for x := range w.sightings(lot) {
				if s.relaying[x.observer] {
					t.look(s, x)
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		all.join(t)
		return nil
	})
	return all
}

func (t *traces) join(o traces) {
	for pair := range o.far {
		t.far[pair] = true
	}
	for pair := range o.inside {
		t.inside[pair] = true
	}
	for observer := range o.speaks {
		t.speaks[observer] = true
	}
}

func (t *traces) look(s *survey, x *sighting) {
	if s.kinds[x.observer] == regional {
		if private(s.addrs.Value(x.pktSrc)) {
			t.inside[[2]uint32{x.observer, x.pktDst}] = true
		}
		if private(s.addrs.Value(x.pktDst)) {
			t.inside[[2]uint32{x.observer, x.pktSrc}] = true
		}
		return
	}
	for _, end := range [2][2]uint32{{x.src, x.pktSrc}, {x.dst, x.pktDst}} {
		if shown, packet := end[0], end[1]; shown != packet {
			continue
		} else if s.owns(x.observer, shown) {
			t.speaks[x.observer] = true
		} else if pair := [2]uint32{x.observer, shown}; !t.far[pair] {
			if _, asked := s.standsFor[pair]; asked {
				t.far[pair] = true
			}
		}
	}
}

// translated reports whether a record shows packets under an address of a NAT gateway that also logged whom they are from
// or for.
func (s *survey) translated(x *sighting) bool {
	if !s.relaying[x.observer] {
		return false
	}
	if s.kinds[x.observer] == regional {
		// it shows the packets' addresses alone: its own are public, its clients' are not
		if private(s.addrs.Value(x.pktSrc)) || private(s.addrs.Value(x.pktDst)) {
			return false
		}
		return s.inside[[2]uint32{x.observer, x.pktDst}] || s.inside[[2]uint32{x.observer, x.pktSrc}]
	}
	return x.src == x.pktSrc && s.relays[relay{x.observer, x.src, x.pktDst, ingress}] ||
		x.dst == x.pktDst && s.relays[relay{x.observer, x.dst, x.pktSrc, egress}]
}

// A standing is what a record is for the vantage of one side.
type standing uint8

const (
	there     standing = iota // the interface of that side of the packets saw them leave, or arrive
	elsewhere                 // somebody else saw them
	open                      // it is not known
)

// standing tells what a record is for the vantage of a side.
func (s *survey) standing(x *sighting, side uint8) standing {
	shown, packet := x.src, x.pktSrc
	if side == ingress {
		shown, packet = x.dst, x.pktDst
	}
	switch s.kinds[x.observer] {
	case gateway, regional, nobody:
		return elsewhere
	}
	switch s.direction(x) {
	case 0:
		return open
	case side:
	default:
		return elsewhere
	}
	if s.translated(x) || shown != packet && s.standsFor[[2]uint32{x.observer, packet}] {
		return elsewhere
	}
	return there
}
