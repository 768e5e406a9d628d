package inventory

import (
	"net/netip"
	"slices"
)

// A State is how sure an answer is.
type State uint8

const (
	None    State = iota // nobody is known to have had the address
	Certain              // one owner had it for all of the time
	Assumed              // just one owner may have had it
	Several              // more than one may have had it, or had it one after the other
)

func (s State) String() string { return [...]string{"none", "certain", "assumed", "several"}[s] }

// States lists the states by name.
func States() []string {
	return []string{Certain.String(), Assumed.String(), Several.String(), None.String()}
}

// A Query asks for the owner of an address at a time.
type Query struct {
	Addr       netip.Addr
	VPC        string // of the record, "" if unknown
	Interface  string // that recorded the flow, "" if unknown
	Start, End int64  // of the flow, in Unix seconds
}

// An Answer is who owned an address.
type Answer struct {
	State State
	// Owners are one for Certain and Assumed, all that are possible for Several, and none for None. Their properties are
	// shared: do not change them.
	Owners []*Owner
	// Subnet is the subnet that the address is in, "" if it is unknown. It is known without an owner too.
	Subnet *Subnet
	// First and Last are the first and the last snapshot that could see the owner: an answer for a time outside them is of the
	// nearest snapshot. Both are 0 where exact times are known.
	First, Last int64
}

// A Subnet is a range of addresses of a VPC in one zone.
type Subnet struct{ ID, VPC, Zone, Account string }

// Owner is the owner if there is just one, else nil.
func (a *Answer) Owner() *Owner {
	if a.State == Certain || a.State == Assumed {
		return a.Owners[0]
	}
	return nil
}

// candidates are the timelines that an answer comes from.
type candidates struct {
	lines     []*timeline
	elsewhere bool // they are of other VPCs than the record's, or that is not known
	delegated bool // they are of prefixes
}

// home returns the VPC that the record is of, nil if it is unknown.
func (inv *Inventory) home(q Query) *network {
	if n := inv.vpcs[q.VPC]; n != nil || q.VPC != "" {
		return n
	}
	if h, ok := inv.byID[q.Interface]; ok {
		if r := inv.at(h, ever); r != nil { // an interface never changes its VPC
			return inv.vpcs[r.about.vpc]
		}
	}
	return nil
}

// at finds the timelines of an address or prefix in a layer: those of the home VPC and of the internet; if there is none and
// the address is not one of home's, those of other VPCs.
func (inv *Inventory) lines(p netip.Prefix, l layer, q Query, home *network) (c candidates) {
	i, ok := inv.heads[p]
	if !ok {
		return c
	}
	var others []*timeline
	for ; i >= 0; i = inv.timelines[i].next {
		switch t := &inv.timelines[i]; {
		case t.layer != l:
		case t.vpc == 0 || home != nil && t.vpc == home.number:
			c.lines = append(c.lines, t)
		default:
			others = append(others, t)
		}
	}
	if c.lines == nil && others != nil {
		if home != nil && slices.ContainsFunc(home.cidrs, func(p netip.Prefix) bool { return p.Contains(q.Addr) }) {
			return c
		}
		c.lines, c.elsewhere = others, true
	}
	return c
}

// each calls use with what an answer may come from, closest first, until it returns true.
func (inv *Inventory) each(q Query, home *network, use func(candidates) bool) {
	for l := range layers {
		if c := inv.lines(single(q.Addr), l, q, home); c.lines != nil && use(c) {
			return
		}
		if l != interfaces {
			continue
		}
		for _, bits := range inv.bits {
			p, err := q.Addr.Prefix(bits)
			if err != nil {
				continue
			}
			if c := inv.lines(p, l, q, home); c.lines != nil {
				c.delegated = true
				if use(c) {
					return
				}
			}
		}
	}
}

// Find returns the owner of an address at a time.
func (inv *Inventory) Find(q Query) Answer {
	if q.End < q.Start {
		q.Start, q.End = q.End, q.Start
	}
	q.Addr = q.Addr.Unmap()
	home := inv.home(q)
	a := Answer{}
	inv.each(q, home, func(c candidates) bool {
		a = inv.answer(q, c)
		return a.State != None
	})
	if id, ok := inv.subnetOf(q.Addr, home); ok {
		s := inv.names.subnets[id]
		a.Subnet = &Subnet{ID: id, VPC: s.VpcID, Zone: s.AvailabilityZoneID, Account: s.OwnerID}
	}
	return a
}

// answer is what some timelines say.
func (inv *Inventory) answer(q Query, c candidates) (a Answer) {
	var possible, certain, some []int32 // holders: that may have had it; for all of the time; for some of it
	add := func(list *[]int32, h int32) {
		if !slices.Contains(*list, h) {
			*list = append(*list, h)
		}
	}
	var one *tenure
	own, isOwn := inv.byID[q.Interface]
	for _, line := range c.lines {
		for i := range line.tenures {
			t := &line.tenures[i]
			if isOwn && t.holder == own && t.kind == primary { // it never moves, and its interface was there: it wrote the record
				a.State, a.Owners = inv.sure(q, c, t)
				return a
			}
			if !t.possible(q.Start, q.End) {
				continue
			}
			add(&possible, t.holder)
			if t.certain(q.Start, q.End) {
				add(&certain, t.holder)
				one = t
			}
			if t.overlaps(q.Start, q.End) {
				add(&some, t.holder)
			}
			if one == nil {
				one = t
			}
		}
	}
	switch {
	case len(possible) == 0:
		return a
	case len(certain) == 1 && len(some) == 1:
		a.State, a.Owners = inv.sure(q, c, one)
	case len(possible) == 1:
		a.State, a.Owners = inv.sure(q, c, one)
		if a.State == Certain {
			a.State = Assumed
		}
		if one.stream >= 0 {
			times := inv.histories[one.stream].times
			a.First, a.Last = times[0], times[len(times)-1]
		}
	default:
		a.State = Several
		slices.SortFunc(possible, func(x, y int32) int { return int(x - y) })
		for _, h := range possible {
			if o := inv.owner(h, q, c); o != nil {
				a.Owners = append(a.Owners, o)
			}
		}
	}
	return a
}

// sure is the answer with one owner: certain, unless what is known of it is a guess.
func (inv *Inventory) sure(q Query, c candidates, t *tenure) (State, []*Owner) {
	o := inv.owner(t.holder, q, c)
	switch {
	case o == nil:
		return None, nil
	case o.Guess || c.elsewhere || t.kind == delegated:
		return Assumed, []*Owner{o}
	}
	return Certain, []*Owner{o}
}

// owner is the owner that a holder stands for. What has a prefix, or an address for a pod, is the node.
func (inv *Inventory) owner(h int32, q Query, c candidates) *Owner {
	o := inv.ownerAt(h, q.End)
	if o == nil || !c.delegated && !inv.delegates(h, q.Addr, c) {
		return o
	}
	pod := *o
	pod.Type, pod.Guess = typePod, true
	return &pod
}

// delegates reports whether a holder has the address for a pod.
func (inv *Inventory) delegates(h int32, a netip.Addr, c candidates) bool {
	return slices.ContainsFunc(c.lines, func(l *timeline) bool {
		return slices.ContainsFunc(l.tenures, func(t tenure) bool { return t.holder == h && t.kind == delegated })
	})
}

// Epochs returns the times at which the answer to a query may change, in order, whatever its Start and End are; nil if it
// never does. The answer is the same for queries whose Start and End are between the same of these times.
func (inv *Inventory) Epochs(q Query) []int64 {
	q.Addr = q.Addr.Unmap()
	var times []int64
	inv.each(q, inv.home(q), func(c candidates) bool {
		for _, line := range c.lines {
			for i := range line.tenures {
				t := &line.tenures[i]
				times = t.changes(times)
				for _, r := range inv.holders[t.holder].revisions {
					times = append(times, r.since)
				}
			}
		}
		return false
	})
	slices.Sort(times)
	return slices.Compact(times)
}
