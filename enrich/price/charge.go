package price

import "math/bits"

// A Charge is a way that AWS bills traffic, or Free or Unknown. Keys, measures, files of prices and reports call it by its
// name.
type Charge uint8

const (
	NAT Charge = iota
	Zone
	Internet
	Region
	TGW
	Endpoint
	GWLBEndpoint
	DX
	VPN
	Free    // the record pays nothing
	Unknown // some charge can neither be taken nor excluded
)

// Priced is the number of charges that have a price: those before Free.
const Priced = int(Free)

// A Set is a set of charges.
type Set uint16

// Of returns the set of some charges.
func Of(list ...Charge) Set {
	var s Set
	for _, c := range list {
		s |= 1 << c
	}
	return s
}

// Has reports whether a charge is in the set.
func (s Set) Has(c Charge) bool { return s>>c&1 == 1 }

// All yields the charges of the set, in the order of the table.
func (s Set) All(yield func(Charge) bool) {
	for s != 0 {
		c := Charge(bits.TrailingZeros16(uint16(s)))
		if !yield(c) {
			return
		}
		s &= s - 1
	}
}
