package inventory

import (
	"net/netip"
	"slices"
	"sync/atomic"
)

// An Inventory is what all files say together. It does not change, so any number of goroutines may ask it.
//
// Long because it has one index for each way in which it is asked.
type Inventory struct {
	names     *names
	holders   []holder
	byID      map[string]int32 // holders
	timelines []timeline
	heads     map[netip.Prefix]int32 // the first timeline of an address or prefix
	bits      []int                  // lengths of delegated prefixes, longest first
	streams   []stream
	histories []history
	vpcs      map[string]*network
	vpcIDs    []string // by number; 0 is the internet
	flowLogs  map[string]flowLog
	tagKeys   []string
	about     About
}

// An About says what an inventory was made from.
type About struct {
	First, Last int64 // Unix seconds of the first and the last snapshot or item; 0 if there is none
	Snapshots   int   // of interfaces, instances or pods: one for each account, region and time
	Accounts    int
	Interfaces  int
	Items       int                // of AWS Config
	Sources     map[TimeSource]int // files, by where their times are from
}

// About says what the inventory was made from.
func (inv *Inventory) About() About { return inv.about }

// A holder is what has addresses: an interface, a pod, a service.
type holder struct {
	id        string
	primary   netip.Addr  // the address that never moves, if there is one
	revisions []*revision // in the order of time
}

// A revision is how a holder is described from a time on.
type revision struct {
	since int64
	about *description
	owner atomic.Pointer[Owner]
}

// A network is a VPC.
type network struct {
	number  int32
	cidrs   []netip.Prefix
	subnets []subnetRange
}

type subnetRange struct {
	netip.Prefix
	id string
}

// at returns the description of a holder at a time.
func (inv *Inventory) at(h int32, time int64) *revision {
	revisions := inv.holders[h].revisions
	for i := len(revisions) - 1; i > 0; i-- {
		if revisions[i].since <= time {
			return revisions[i]
		}
	}
	if len(revisions) == 0 {
		return nil
	}
	return revisions[0]
}

// ownerAt returns the owner that a holder stands for at a time, nil if nothing describes it.
func (inv *Inventory) ownerAt(h int32, time int64) *Owner {
	v := inv.at(h, time)
	if v == nil {
		return nil
	}
	if o := v.owner.Load(); o != nil {
		return o
	}
	o := inv.names.owner(v.about)
	v.owner.Store(o)
	return o
}

// Interface returns the owner of an interface at a time, in Unix seconds: nil if the inventory does not have the interface.
// IDs of interfaces are never used again, so this is certain.
func (inv *Inventory) Interface(id string, time int64) *Owner {
	h, ok := inv.byID[id]
	if !ok {
		return nil
	}
	return inv.ownerAt(h, time)
}

// Primary returns the address of an interface that never moves: in a record of the interface it is the interface itself. It
// is the zero Addr if it is unknown.
func (inv *Inventory) Primary(id string) netip.Addr {
	if h, ok := inv.byID[id]; ok {
		return inv.holders[h].primary
	}
	return netip.Addr{}
}

// TagKeys returns the keys of all tags and labels, in order.
func (inv *Inventory) TagKeys() []string { return inv.tagKeys }

// InterfaceEpochs returns the times at which the answer of Interface changes, in order; nil if it never does.
func (inv *Inventory) InterfaceEpochs(id string) []int64 {
	h, ok := inv.byID[id]
	if !ok || len(inv.holders[h].revisions) < 2 {
		return nil
	}
	var times []int64
	for _, r := range inv.holders[h].revisions[1:] {
		times = append(times, r.since)
	}
	return times
}

// subnetOf returns the subnet of an address: in the VPC, or if home is nil, in the only VPC that has it.
func (inv *Inventory) subnetOf(a netip.Addr, home *network) (id string, ok bool) {
	in := func(n *network) (string, bool) {
		i := slices.IndexFunc(n.subnets, func(s subnetRange) bool { return s.Contains(a) })
		if i < 0 {
			return "", false
		}
		return n.subnets[i].id, true
	}
	if home != nil {
		return in(home)
	}
	for _, n := range inv.vpcs {
		if found, has := in(n); has {
			if ok {
				return "", false
			}
			id, ok = found, true
		}
	}
	return id, ok
}
