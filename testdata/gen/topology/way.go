package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
)

// A point is where one direction of a transfer is logged: an interface that the packets enter or leave, or a regional
// NAT gateway.
type point struct {
	at               *node
	out              bool // the packets leave the interface (egress)
	src, dst         netip.Addr
	srcPort, dstPort uint16
	path             int    // of egress, as traffic_path has it
	next             *node  // the interface that the packets go to, or come from, if AWS tells
	nextZone         string // its zone, also where AWS does not tell the interface
	nextType         string // its type, where there is no interface to tell
	free             bool   // security groups do not see it
}

// A way is all points of a transfer, forth from client to server and back, in the order that packets pass them.
type way struct {
	kind        string // local, igw, public, nat, regional_nat, tgw, peering, region_peering, vgw, gateway_endpoint, none
	forth, back []point
}

// A call is what chooses the way of a transfer: its ends, ports and time.
type call struct {
	client, server *end
	from, to       uint16 // ports of client and server
	natPort        uint16 // what a NAT gateway puts in the place of the client's port
	at             int64
}

// way follows the routes from the client, or for a client outside from the internet to the server.
func (n *network) way(c call) way {
	if c.client.at == nil {
		return n.inbound(c)
	}
	here := c.client.at
	server := c.server.at
	if server == nil && c.server.remote == nil {
		server = n.owner(here.VPC, c.server.addr, c.at)
	}
	if n.within(here.VPC, c.server.addr) {
		if server == nil {
			return way{kind: "none", forth: []point{c.leave(here, 1, nil)}}
		}
		return n.through("local", c, server, 1, true)
	}
	via := n.target(here, c.server.addr)
	kind, _, _ := strings.Cut(via, "-")
	switch kind {
	case "igw":
		return n.internet(c, here)
	case "nat":
		return n.translated(c, here, via)
	case "tgw":
		return n.transit(c, here, server)
	case "pcx":
		if server == nil {
			return n.away("region_peering", c, 5)
		}
		return n.through("peering", c, server, 4, n.vpc(here.VPC).Account == n.vpc(server.VPC).Account)
	case "vgw":
		return n.away("vgw", c, 3)
	case "vpce":
		if here.OldHost {
			return n.away("gateway_endpoint", c, 2)
		}
		return n.away("gateway_endpoint", c, 7)
	}
	panic(fmt.Sprintf("%s has no route to %s", here.Name, c.server.addr))
}

// within reports whether an address is one of the VPC's own networks.
func (n *network) within(name string, a netip.Addr) bool {
	v := n.vpc(name)
	return netip.MustParsePrefix(v.CIDR).Contains(a) || v.CIDR6 != "" && netip.MustParsePrefix(v.CIDR6).Contains(a)
}

// target is where the most specific route of the interface's subnet leads.
func (n *network) target(from *node, to netip.Addr) string {
	best, via := -1, ""
	for _, r := range n.table(n.subnet(from.Subnet).Table).Routes {
		for _, p := range n.networks(r.To) {
			if p.Contains(to) && p.Bits() > best {
				best, via = p.Bits(), r.Via
			}
		}
	}
	return via
}

// networks are those of a prefix list, or the one network that the text is.
func (n *network) networks(text string) []netip.Prefix {
	if !strings.HasPrefix(text, "pl-") {
		return []netip.Prefix{netip.MustParsePrefix(text)}
	}
	var all []netip.Prefix
	for _, e := range find(n.Lists, text, func(l *list) string { return l.ID }).Entries {
		all = append(all, netip.MustParsePrefix(e))
	}
	return all
}

// leave is the client's packet as it leaves its interface; arrive is the answer as it comes in there.
func (c call) leave(at *node, path int, next *node) point {
	return point{at: at, out: true, src: c.client.addr, dst: c.server.addr, srcPort: c.from, dstPort: c.to, path: path, next: next}
}

func (c call) arrive(at *node, next *node) point {
	return point{at: at, src: c.server.addr, dst: c.client.addr, srcPort: c.to, dstPort: c.from, next: next}
}

// through is a way that two interfaces alone log. Of an interface of another account, AWS tells the zone.
func (n *network) through(kind string, c call, server *node, path int, tells bool) way {
	w := way{kind: kind,
		forth: []point{c.leave(c.client.at, path, server), {at: server, src: c.client.addr, dst: c.server.addr, srcPort: c.from, dstPort: c.to, next: c.client.at}},
		back: []point{{at: server, out: true, src: c.server.addr, dst: c.client.addr, srcPort: c.to, dstPort: c.from, path: path, next: c.client.at},
			c.arrive(c.client.at, server)},
	}
	for _, points := range [][]point{w.forth, w.back} {
		for i := range points {
			points[i].nextZone = n.zone(points[i].next)
			if !tells {
				points[i].next = nil
			}
		}
	}
	return w
}

// away is a way whose other end logs nothing.
func (n *network) away(kind string, c call, path int) way {
	return way{kind: kind, forth: []point{c.leave(c.client.at, path, nil)}, back: []point{c.arrive(c.client.at, nil)}}
}

// gatewayPath is the path through an internet gateway.
func gatewayPath(e *node) int {
	if e.OldHost {
		return 2
	}
	return 8
}

// internet is a way out through an internet gateway. It leads back in if the server is called by the public address of
// an interface; both interfaces see the other's public address then.
func (n *network) internet(c call, here *node) way {
	w := n.away("igw", c, gatewayPath(here))
	if !c.server.public {
		return w
	}
	there := c.server.at
	own, public := netip.MustParseAddr(there.Addr), netip.MustParseAddr(here.Public)
	return way{kind: "public",
		forth: []point{w.forth[0], {at: there, src: public, dst: own, srcPort: c.from, dstPort: c.to}},
		back:  []point{{at: there, out: true, src: own, dst: public, srcPort: c.to, dstPort: c.from, path: gatewayPath(there)}, w.back[0]},
	}
}

// inbound is a way in from the internet, to an interface with a public address or to an IPv6 address.
func (n *network) inbound(c call) way {
	e := c.server.at
	own := c.server.addr
	if own.Is4() {
		own = netip.MustParseAddr(e.Addr)
	}
	return way{kind: "igw",
		forth: []point{{at: e, src: c.client.addr, dst: own, srcPort: c.from, dstPort: c.to}},
		back:  []point{{at: e, out: true, src: own, dst: c.client.addr, srcPort: c.to, dstPort: c.from, path: gatewayPath(e)}},
	}
}

// translated is a way out through a NAT gateway. The gateway's interface logs both of its legs; a regional one has no
// interface, and its records name it.
func (n *network) translated(c call, here *node, id string) way {
	nat := find(n.Nodes, id, func(e *node) string { return e.Owner })
	own, kind := nat.Addr, "nat"
	if nat.ENI == "" {
		kind = "regional_nat"
		for _, z := range nat.Zonal {
			if zone, addr, _ := strings.Cut(z, "="); zone == n.zone(here) {
				own = addr
			}
		}
	}
	a, r, g := c.client.addr, c.server.addr, netip.MustParseAddr(own)
	w := way{kind: kind,
		forth: []point{
			c.leave(here, 1, nat),
			{at: nat, src: a, dst: r, srcPort: c.from, dstPort: c.to, next: here},
			{at: nat, out: true, src: g, dst: r, srcPort: c.natPort, dstPort: c.to, path: 8},
		},
		back: []point{
			{at: nat, src: r, dst: g, srcPort: c.to, dstPort: c.natPort},
			{at: nat, out: true, src: r, dst: a, srcPort: c.to, dstPort: c.from, path: 1, next: here},
			c.arrive(here, nat),
		},
	}
	n.tell(w)
	return w
}

// tell fills in the zone of the next interfaces, and the type of those that are none.
func (n *network) tell(w way) {
	for _, points := range [][]point{w.forth, w.back} {
		for i := range points {
			p := &points[i]
			p.nextZone = n.zone(p.next)
			if p.next != nil && p.next.ENI == "" {
				p.nextType, p.next = p.next.Type, nil
			}
		}
	}
}

// attached is the transit gateway's interface of a VPC in a zone, or the first one if that zone has none.
func (n *network) attached(vpc, zone string) *node {
	var first *node
	for _, e := range n.Nodes {
		if e.Type == "transit_gateway" && e.VPC == vpc {
			if n.zone(e) == zone {
				return e
			}
			first = cmp.Or(first, e)
		}
	}
	return first
}

// transit is a way through a transit gateway, which keeps to the zone that packets come from: they reach the other VPC
// by its interface there.
func (n *network) transit(c call, here, there *node) way {
	leg := func(from, to *node, src, dst netip.Addr, srcPort, dstPort uint16) []point {
		enter := n.attached(from.VPC, n.zone(from))
		leave := n.attached(to.VPC, n.zone(enter))
		p := point{src: src, dst: dst, srcPort: srcPort, dstPort: dstPort, path: 1}
		at := func(e *node, out bool, next *node) point {
			q := p
			q.at, q.out, q.next = e, out, next
			if !out {
				q.path = 0
			}
			return q
		}
		return []point{at(from, true, enter), at(enter, false, from), at(leave, true, to), at(to, false, leave)}
	}
	w := way{kind: "tgw",
		forth: leg(here, there, c.client.addr, c.server.addr, c.from, c.to),
		back:  leg(there, here, c.server.addr, c.client.addr, c.to, c.from),
	}
	n.tell(w)
	return w
}
