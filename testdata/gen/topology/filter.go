package main

import (
	"net/netip"
	"slices"
)

// A refusal is what ended a transfer: the point, and the rule of the network ACL or the security groups that did.
type refusal struct {
	back   bool // it is the answer that was refused
	point  int  // index in the way's forth or back
	acl    string
	number int  // rule of the network ACL, 32767 if none matches
	groups bool // the security groups have no rule
}

// refused returns what refuses a transfer on its way at a time, or nil. A network ACL sees every packet that leaves or
// enters a subnet; security groups see the first one alone, since they are stateful.
func (n *network) refused(w way, proto int, at int64) *refusal {
	for i, p := range w.forth {
		r := n.judge(p, proto, at, true)
		if r != nil {
			r.point = i
			return r
		}
	}
	for i, p := range w.back {
		r := n.judge(p, proto, at, false)
		if r != nil {
			r.back, r.point = true, i
			return r
		}
	}
	return nil
}

// judge asks the network ACL and, if first, the security groups of a point.
func (n *network) judge(p point, proto int, at int64, first bool) *refusal {
	if p.at.Subnet == "" {
		return nil // a regional NAT gateway has neither
	}
	peer := p.src
	if p.out {
		peer = p.dst
	}
	var r refusal
	if p.next == nil || p.next.Subnet != p.at.Subnet {
		if number, allow := n.byACL(p, peer, proto); !allow {
			r.acl, r.number = n.subnet(p.at.Subnet).ACL, number
		}
	}
	if first && len(p.at.Groups) > 0 {
		r.groups = !n.byGroups(p, peer, proto, at)
	}
	if r.acl == "" && !r.groups {
		return nil
	}
	return &r
}

// byACL returns the number of the first rule that matches, and whether it allows.
func (n *network) byACL(p point, peer netip.Addr, proto int) (int, bool) {
	entries := slices.Clone(n.acl(n.subnet(p.at.Subnet).ACL).Entries)
	slices.SortFunc(entries, func(a, b entry) int { return a.Number - b.Number })
	for _, e := range entries {
		if e.Out == p.out && matches(e.Proto, e.Ports, proto, p.dstPort) && netip.MustParsePrefix(e.CIDR).Contains(peer) {
			return e.Number, e.Allow
		}
	}
	return 32767, false
}

// matches reports whether a rule is for a protocol and port; ICMP's types are not in the network.
func matches(ruleProto int, ports [2]int, proto int, port uint16) bool {
	if ruleProto == -1 {
		return true
	}
	return ruleProto == proto && (proto != 6 && proto != 17 || ports[0] <= int(port) && int(port) <= ports[1])
}

func (n *network) byGroups(p point, peer netip.Addr, proto int, at int64) bool {
	for _, name := range p.at.Groups {
		for _, r := range n.group(name).Rules {
			gone := r.Gone[0] <= at && at < r.Gone[1]
			if r.Out == p.out && !gone && matches(r.Proto, r.Ports, proto, p.dstPort) && n.isPeer(r.Peer, p.at.VPC, peer, at) {
				return true
			}
		}
	}
	return false
}

// isPeer reports whether an address is what a rule names. A group stands for the private addresses of its interfaces.
func (n *network) isPeer(text, vpc string, addr netip.Addr, at int64) bool {
	if slices.ContainsFunc(n.Groups, func(g *group) bool { return g.Name == text }) {
		e := n.owner(vpc, addr, at)
		return e != nil && slices.Contains(e.Groups, text)
	}
	return slices.ContainsFunc(n.networks(text), func(p netip.Prefix) bool { return p.Contains(addr) })
}
