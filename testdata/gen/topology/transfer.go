package main

import (
	"fmt"
	"net/netip"
)

// A transfer is what went to and fro between two ends on one pair of ports, without a long pause. A connection is one
// transfer, or several with pauses between them. All counts are of what an end sends, whether or not it arrives.
type transfer struct {
	id, connection           int
	client, server           string
	proto                    int
	from, to                 uint16 // ports of client and server
	upPackets, upBytes       int64
	downPackets, downBytes   int64
	start, end               int64
	begins                   bool   // it has the handshake
	close                    string // fin, rst-client, rst-server, refused; empty if it stays open
	event                    string // late, bpa, ec: AWS refuses it for no rule of the network
	scenario                 string
	natPort                  uint16
	way                      way
	refusal                  *refusal
	clientAddr, serverAddr   netip.Addr // of the packets that the client sends
	clientOwner, serverOwner *node
}

// outcome is the transfer's column of that name: accept, or where it was refused, as
// forth|back, the point's index there, and what refused.
func (t *transfer) outcome() string {
	r := t.refusal
	if r == nil {
		return "accept"
	}
	way := "forth"
	if r.back {
		way = "back"
	}
	cause := t.event
	if cause == "" && r.acl != "" {
		cause = fmt.Sprintf("acl:%s:%d", r.acl, r.number)
		if r.groups {
			cause += "+groups"
		}
	} else if cause == "" {
		cause = "groups"
	}
	return fmt.Sprintf("%s:%d:%s", way, r.point, cause)
}

// plan finds the transfer's way and what refuses it, and cuts what it sends to what then can be sent: without an answer
// a client sends its first packet a few times.
func (n *network) plan(t *transfer) {
	client, server := n.ends[t.client], n.ends[t.server]
	if client == nil || server == nil {
		panic(fmt.Sprintf("who are %s and %s?", t.client, t.server))
	}
	t.way = n.way(call{client: client, server: server, from: t.from, to: t.to, natPort: t.natPort, at: t.start})
	t.clientAddr, t.serverAddr = t.way.forth[0].src, t.way.forth[0].dst
	t.clientOwner = client.at
	if last := t.way.forth[len(t.way.forth)-1]; !last.out {
		t.serverOwner = last.at
	}
	switch t.event {
	case "late": // the last answers of a connection that is closed at the client
		t.refusal = &refusal{back: true, point: len(t.way.back) - 1}
		return
	case "bpa", "ec":
		t.refusal = &refusal{point: len(t.way.forth) - 1}
	default:
		t.refusal = n.refused(t.way, t.proto, t.start)
	}
	unanswered := t.way.kind == "none" || t.refusal != nil
	if !unanswered {
		return
	}
	t.close = ""
	size := int64(60)
	if t.proto != 6 {
		size = t.upBytes / t.upPackets
	}
	t.upPackets = min(t.upPackets, 4)
	t.upBytes = t.upPackets * size
	t.end = min(t.end, t.start+7)
	t.downPackets, t.downBytes = 0, 0
	if t.refusal != nil && t.refusal.back {
		t.downPackets, t.downBytes = t.upPackets, t.upBytes
	}
}

// A record is one line of a flow log.
type record struct {
	point
	t              *transfer // nil of a record without data
	vpc            *vpc
	packets, bytes int64 // bytes is below 0 where AWS does not log them
	start, end     int64
	flags          int
	reject         bool
	noData         bool
}

// records are what a transfer leaves in the logs: each point's packets, cut by the windows of its interface.
func (n *network) records(t *transfer) []record {
	var all []record
	add := func(points []point, last int, packets, bytes int64, back bool) {
		for i, p := range points[:last+1] {
			r := record{point: p, t: t, vpc: n.vpc(p.at.VPC), packets: packets, bytes: bytes}
			r.reject = t.refusal != nil && t.refusal.back == back && t.refusal.point == i
			all = append(all, r.cut(back)...)
		}
	}
	forth, back := len(t.way.forth)-1, len(t.way.back)-1
	if r := t.refusal; r != nil && r.back {
		back = r.point
	} else if r != nil {
		forth, back = r.point, -1
	}
	if t.upPackets > 0 {
		add(t.way.forth, forth, t.upPackets, t.upBytes, false)
	}
	if t.downPackets > 0 && back >= 0 {
		add(t.way.back, back, t.downPackets, t.downBytes, true)
	}
	return all
}

// cut divides the packets of a whole transfer, which are evenly spaced in time and size, among the interface's windows.
func (r record) cut(back bool) []record {
	var all []record
	t, total, bytes := r.t, r.packets, r.bytes
	span := t.end - t.start
	before := func(at int64) int64 { // packets that are sent before a time
		switch {
		case at <= t.start:
			return 0
		case at > t.end:
			return total
		case total == 1:
			return 1
		}
		return min(total, ((at-t.start)*(total-1)+span-1)/span)
	}
	when := func(i int64) int64 {
		if total == 1 {
			return t.start
		}
		return t.start + i*span/(total-1)
	}
	for at := t.start; at <= t.end; {
		window := at - (at-r.at.phase)%60
		first, end := before(at), before(window+60)
		at = window + 60
		if first == end {
			continue
		}
		piece := r
		piece.packets = end - first
		piece.bytes = bytes*end/total - bytes*first/total
		piece.start, piece.end = when(first), when(end-1)
		if t.proto == 6 {
			piece.flags = t.flags(back, first == 0, end == total)
		}
		if t.event == "bpa" {
			piece.bytes = -1
		}
		all = append(all, piece)
	}
	return all
}

// flags are those of a direction's packets in a window: the first has the handshake, the last the end.
func (t *transfer) flags(back, first, last bool) int {
	flags := 0
	if first && t.begins && t.close != "refused" {
		flags |= 2
		if back {
			flags |= 18
		}
	}
	if t.close == "refused" { // a SYN, and a RST as the answer
		if back {
			return 4
		}
		return 2
	}
	if t.event == "late" {
		return 4
	}
	if t.refusal != nil { // every packet is the first one again
		return 2 | map[bool]int{true: 18}[back]
	}
	if last {
		switch {
		case t.close == "fin":
			flags |= 1
		case t.close == "rst-client" && !back, t.close == "rst-server" && back:
			flags |= 4
		}
	}
	return flags
}

// idle is an interface's record of a minute without traffic.
func (n *network) idle(e *node, at int64) record {
	at -= (at - e.phase) % 60
	return record{point: point{at: e}, vpc: n.vpc(e.VPC), start: at, end: at + 59, noData: true}
}
