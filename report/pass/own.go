package pass

import "net/netip"

// A place is where an address stands for one interface at most, as far as is known: a VPC, or if that was not logged an
// account in a region.
type place struct{ vpc, account, region uint32 }

func (f *facts) place() place {
	if vpc := f.trait(atVPC); vpc != 0 {
		return place{vpc: vpc}
	}
	return place{account: f.trait(atAccount), region: f.trait(atRegion)}
}

// An ownership is a claim to an address in a place.
type ownership struct {
	address uint32
	place   place
}

// A tie is an interface of which all records show the same two addresses, and nothing in them says which is its own.
type tie struct {
	observer uint32
	family   int
	place    place
	either   [2]uint32
	taken    [2]bool // another interface has it
}

// findOwn finds the own address of each interface, one of each family: a record shows that of its interface and that of
// the other end, so it is the one that all records of the interface show. If they all show the same two, a tie, it is
// the one that a record shows to be its own, or the private one of a private and a public IPv4 address: an interface has
// a private one. Else it is the one that is left when the other is another interface's own. What is open then stays so.
// If no address is in all records, those are its own that records show to be.
func (s *survey) findOwn() {
	s.own = make([][2]uint32, len(s.facts))
	owners := make(map[ownership]bool)
	var ties []*tie
	for i := range s.facts {
		f := &s.facts[i]
		for family, common := range f.common {
			own, open := s.ownOf(common, f.evident)
			if open && s.named(uint32(i)) {
				ties = append(ties, &tie{observer: uint32(i), family: family, place: f.place(), either: common})
			}
			if own != 0 && s.named(uint32(i)) {
				s.own[i][family] = own
				owners[ownership{own, f.place()}] = true
			}
		}
		s.keepEvident(uint32(i), owners)
	}
	s.breakTies(ties, owners)
}

// named reports whether an observer is an interface, which has own addresses.
func (s *survey) named(observer uint32) bool {
	return s.kinds[observer] != nobody && s.kinds[observer] != regional
}

// keepEvident forgets what records show to be an interface's own where all of them have an address in common.
func (s *survey) keepEvident(observer uint32, owners map[ownership]bool) {
	f := &s.facts[observer]
	for a := range f.evident {
		family := 0
		if address, ok := s.addrs.Value(a).(netip.Addr); ok && !address.Is4() {
			family = 1
		}
		if f.common[family] != [2]uint32{} || !s.named(observer) {
			delete(f.evident, a)
		} else {
			owners[ownership{a, f.place()}] = true
		}
	}
}

// ownOf is the own address among those that all records of an interface have, or 0. It is open if that is one of the two,
// and its records do not tell which.
func (s *survey) ownOf(common [2]uint32, evident map[uint32]bool) (own uint32, open bool) {
	a, b := common[0], common[1]
	if a == 0 || b == 0 {
		return a + b, false
	}
	first, second := evident[a], evident[b]
	if first == second {
		x, y := s.addrs.Value(a).(netip.Addr), s.addrs.Value(b).(netip.Addr)
		first, second = x.Is4() && private(x), y.Is4() && private(y)
	}
	switch {
	case first == second:
		return 0, true
	case first:
		return a, false
	}
	return b, false
}

// breakTies finds own addresses by those of others: two interfaces of a place cannot both own one. Each that is found may
// break further ties, in rounds. What two of them claim is neither's.
func (s *survey) breakTies(ties []*tie, owners map[ownership]bool) {
	waiting := make(map[ownership][]*tie)
	for _, t := range ties {
		for _, a := range t.either {
			o := ownership{a, t.place}
			waiting[o] = append(waiting[o], t)
		}
	}
	var found []ownership
	for o := range waiting {
		if owners[o] {
			found = append(found, o)
		}
	}
	claims := make(map[ownership][]*tie)
	for len(found) > 0 {
		for _, o := range found {
			for _, t := range waiting[o] {
				t.taken[0] = t.taken[0] || t.either[0] == o.address
				t.taken[1] = t.taken[1] || t.either[1] == o.address
			}
		}
		claimed := make(map[ownership]bool)
		for _, o := range found {
			for _, t := range waiting[o] {
				if left := t.left(); left != 0 {
					claim := ownership{left, t.place}
					claims[claim] = append(claims[claim], t)
					claimed[claim] = true
				}
			}
		}
		found = found[:0]
		for o := range claimed {
			if by := claims[o]; len(by) == 1 {
				s.own[by[0].observer][by[0].family] = o.address
				found = append(found, o)
			}
		}
	}
}

// left is the address that nobody else has, or 0 if that is both or none.
func (t *tie) left() uint32 {
	switch {
	case t.taken[0] == t.taken[1]:
		return 0
	case t.taken[0]:
		return t.either[1]
	}
	return t.either[0]
}
