package main

import "net/netip"

// A hop is one direction of a session as one interface sees it.
type hop struct {
	at             *eni
	src, dst       netip.Addr
	pktSrc, pktDst netip.Addr // unset where they are src and dst
	egress         bool
	path           int
	next           *eni
	natID          string
}

// A session is a conversation that lives for some minutes. Each minute, every interface on its way logs
// what went forth (from the client) and what came back.
type session struct {
	forth, back      []hop
	proto            uint8
	srcPort, dstPort uint16
	up, down         int64 // bytes per minute
	efa              bool
	encryption       int // what the interfaces report where encryption is logged
	left             int // minutes to live
	begun            bool
}

// direct is a session with an address outside the VPC. The interface is the server if inbound, the client
// otherwise; path is the way that its egress takes.
func direct(e *eni, remote netip.Addr, inbound bool, path int) *session {
	local := e.v4
	if remote.Is6() {
		local = e.v6
	}
	in := hop{at: e, src: remote, dst: local}
	out := hop{at: e, src: local, dst: remote, egress: true, path: path}
	if inbound {
		return &session{forth: []hop{in}, back: []hop{out}}
	}
	return &session{forth: []hop{out}, back: []hop{in}}
}

// internal is a session between two interfaces of the VPC: both log both directions, four records.
func internal(client, server *eni) *session {
	a, b := client.v4, server.v4
	return &session{
		forth:      []hop{{at: client, src: a, dst: b, egress: true, path: 1, next: server}, {at: server, src: a, dst: b, next: client}},
		back:       []hop{{at: server, src: b, dst: a, egress: true, path: 1, next: client}, {at: client, src: b, dst: a, next: server}},
		encryption: 1,
	}
}

// translated is a session through a NAT gateway: six records of the same bytes. Only pkt-srcaddr and
// pkt-dstaddr tell who talks to whom.
func translated(client, nat *eni, remote netip.Addr) *session {
	c, n := client.v4, nat.v4
	return &session{
		forth: []hop{
			{at: client, src: c, dst: remote, egress: true, path: 1, next: nat},
			{at: nat, src: c, dst: n, pktSrc: c, pktDst: remote, next: client},
			{at: nat, src: n, dst: remote, egress: true, path: 8},
		},
		back: []hop{
			{at: nat, src: remote, dst: n},
			{at: nat, src: n, dst: c, pktSrc: remote, pktDst: c, egress: true, path: 1, next: client},
			{at: client, src: remote, dst: c, next: nat},
		},
	}
}

// regional is a session through a regional NAT gateway, which has no interface: its records name the
// gateway, and their addresses are those of the packets.
func regional(client *eni, natID string, public, remote netip.Addr) *session {
	c := client.v4
	return &session{
		forth: []hop{
			{at: client, src: c, dst: remote, egress: true, path: 1},
			{natID: natID, src: c, dst: remote},
			{natID: natID, src: public, dst: remote, egress: true, path: 8},
		},
		back: []hop{
			{natID: natID, src: remote, dst: public},
			{natID: natID, src: remote, dst: c, egress: true, path: 1},
			{at: client, src: remote, dst: c},
		},
	}
}

// kinds are what a VPC's traffic consists of; weight is how often each begins.
var kinds = []struct {
	weight int
	begin  func(w *world) *session
}{
	{24, func(w *world) *session { return w.tcp(direct(w.host("web"), w.remote(), true, 8), 443, 2e3, 9e4) }},
	{5, func(w *world) *session { return w.tcp(direct(w.host("web"), w.remote6(), true, 8), 443, 2e3, 9e4) }},
	{4, func(w *world) *session { return w.tcp(direct(w.host("web"), w.remote(), true, 8), 80, 600, 900) }},
	{4, func(w *world) *session { return w.udp(direct(w.host("web"), w.remote(), true, 8), 443, 3e3, 2e5) }},
	{2, func(w *world) *session { return w.tcp(direct(w.host("nlb"), w.remote(), true, 8), 443, 2e3, 3e4) }},
	{12, func(w *world) *session { return w.tcp(internal(w.host("web"), w.host("app")), 8080, 3e3, 4e4) }},
	{8, func(w *world) *session { return w.tcp(internal(w.host("app"), w.host("db")), 5432, 4e3, 6e4) }},
	{5, func(w *world) *session { return w.tcp(internal(w.host("app"), w.host("cache")), 6379, 900, 5e3) }},
	{2, func(w *world) *session { return w.tcp(internal(w.host("web"), w.host("endpoint")), 443, 5e3, 5e3) }},
	{1, func(w *world) *session { return w.udp(internal(w.host("app"), w.host("app")), 4789, 2e4, 2e4) }},
	{1, func(w *world) *session { return w.tcp(internal(w.host("app"), w.host("transit")), 443, 4e3, 2e4) }},
	{8, func(w *world) *session { return w.tcp(w.outward(w.remote()), 443, 3e3, 2e4) }},
	{2, func(w *world) *session { return w.tcp(w.outward(pick(w.dice, console)), 443, 4e3, 9e3) }},
	{3, func(w *world) *session { return w.udp(w.outward(pick(w.dice, dns)), 53, 70, 180) }},
	{5, func(w *world) *session { return w.udp(direct(w.host("web"), pick(w.dice, dns), false, 8), 53, 70, 180) }},
	{2, func(w *world) *session { return w.udp(direct(w.host("web"), pick(w.dice, ntp), false, 8), 123, 76, 76) }},
	{4, func(w *world) *session {
		return w.tcp(direct(w.host("app"), pick(w.dice, s3), false, 7), 443, 4e5, 9e3)
	}},
	{4, func(w *world) *session {
		return w.tcp(direct(w.host("app"), pick(w.dice, dynamoDB), false, 7), 443, 6e3, 8e3)
	}},
	{2, func(w *world) *session { return w.tcp(direct(w.host("bastion"), office, true, 8), 22, 9e3, 4e4) }},
	{1, func(w *world) *session {
		return w.tcp(direct(w.host("outpost"), pick(w.dice, onPrem), false, 1), 2049, 9e4, 9e5)
	}},
	{2, func(w *world) *session {
		return w.tcp(direct(w.host("db"), pick(w.dice, peer), true, 4), 3306, 4e3, 2e4)
	}},
	{1, func(w *world) *session {
		return w.tcp(direct(w.host("app"), pick(w.dice, onPrem), false, 3), 1433, 4e3, 2e4)
	}},
	{3, func(w *world) *session { return w.portless(direct(w.host("web"), w.remote(), true, 8), 1, 84) }},
	{1, func(w *world) *session { return w.portless(direct(w.host("web"), w.remote6(), true, 8), 58, 104) }},
	{1, func(w *world) *session { return w.portless(direct(w.host("vpn"), gateway, true, 8), 50, 3e6) }},
	{1, func(w *world) *session { return w.portless(direct(w.host("vpn"), gateway, true, 8), 47, 2e5) }},
	{1, func(w *world) *session {
		rare := []uint8{0, 2, 4, 41, 51, 88, 89, 103, 112, 132, 253, 255}
		return w.portless(direct(w.host("vpn"), gateway, true, 8), pick(w.dice, rare), 4e3)
	}},
	{1, func(w *world) *session {
		s := w.portless(internal(w.hosts["hpc"][0], w.hosts["hpc"][1]), 17, 5e6)
		s.efa = true
		return s
	}},
}

func (w *world) remote() netip.Addr  { return w.remotes[w.dice.skew(len(w.remotes))] }
func (w *world) remote6() netip.Addr { return w.remotes6[w.dice.skew(len(w.remotes6))] }

// outward is a session from a private subnet to the internet.
func (w *world) outward(remote netip.Addr) *session {
	if w.regionalNAT != "" {
		return regional(w.host("app"), w.regionalNAT, w.regionalAddr, remote)
	}
	return translated(w.host("app"), w.host("nat"), remote)
}

func (w *world) tcp(s *session, port uint16, up, down int) *session {
	s.proto = 6
	return w.ported(s, port, up, down)
}

func (w *world) udp(s *session, port uint16, up, down int) *session {
	s.proto = 17
	return w.ported(s, port, up, down)
}

func (w *world) ported(s *session, port uint16, up, down int) *session {
	s.srcPort, s.dstPort = uint16(w.dice.between(32768, 60999)), port
	s.up, s.down = int64(w.dice.between(up/2, 2*up)), int64(w.dice.between(down/2, 2*down))
	s.left = 1 + w.dice.skew(6)
	return s
}

func (w *world) portless(s *session, proto uint8, bytes int) *session {
	s.proto = proto
	s.up, s.down = int64(w.dice.between(bytes/2, 2*bytes)), int64(w.dice.between(bytes/2, 2*bytes))
	s.left = 1 + w.dice.skew(4)
	return s
}

// traffic makes the world's records minute by minute, begun sessions per minute, until take has had enough.
func (w *world) traffic(from int64, begun int, take func([]record) bool) {
	var weights int
	for _, k := range kinds {
		weights += k.weight
	}
	var live []*session
	for minute := 0; ; minute++ {
		at := from + int64(minute)*60
		var out []record
		if minute == 0 { // so that a small file has some of everything
			for _, k := range kinds {
				live = append(live, k.begin(w))
			}
		}
		for range begun {
			n := w.dice.IntN(weights)
			for _, k := range kinds {
				if n -= k.weight; n < 0 {
					live = append(live, k.begin(w))
					break
				}
			}
		}
		// the talker that dominates: its one connection to S3 never ends
		bulk := direct(w.hosts["backup"][0], s3[0], false, 7)
		bulk.proto, bulk.srcPort, bulk.dstPort, bulk.begun, bulk.left = 6, 40022, 443, minute > 0, 1<<30
		bulk.up = int64(w.dice.between(w.bulk*9/10, w.bulk))
		bulk.down = bulk.up / 120
		out = w.emit(out, bulk, at)
		kept := live[:0]
		for _, s := range live {
			out = w.emit(out, s, at)
			if s.left > 0 {
				kept = append(kept, s)
			}
		}
		live = kept
		for range 5 + begun*2/5 {
			out = append(out, w.scan(at))
		}
		out = w.quiet(out, at, minute)
		if !take(out) {
			return
		}
	}
}

// emit adds what the interfaces on a session's way log of it in a minute.
func (w *world) emit(out []record, s *session, at int64) []record {
	d := w.dice
	first := !s.begun
	s.begun = true
	s.left--
	last := s.left <= 0
	start := at + int64(d.IntN(25))
	end := start + int64(d.between(10, 34))
	way := func(hops []hop, bytes int64, srcPort, dstPort uint16, server bool) {
		if bytes = bytes * int64(d.between(80, 120)) / 100; bytes < 40 {
			bytes = 40
		}
		packets := bytes/1400 + 1 + int64(d.IntN(4))
		if s.proto == 1 || s.proto == 58 || s.dstPort == 53 || s.dstPort == 123 {
			packets = 1 + bytes/150
		}
		for _, h := range hops {
			r := record{
				at: h.at, natID: h.natID, src: h.src, dst: h.dst, pktSrc: h.pktSrc, pktDst: h.pktDst, srcPort: srcPort, dstPort: dstPort,
				proto: s.proto, packets: packets, bytes: bytes, start: start, end: end, action: "ACCEPT", status: "OK",
				path: h.path, next: h.next, encryption: s.encryption,
			}
			if !r.pktSrc.IsValid() {
				r.pktSrc, r.pktDst = r.src, r.dst
			}
			if h.egress {
				r.direction = "egress"
			} else {
				r.direction = "ingress"
			}
			if s.proto == 6 {
				r.flags = tcpFlags(server, first, last)
				if d.oneIn(400) {
					r.flags = -1 // AWS saw a combination that it calls invalid
				}
			}
			if h.at != nil && h.at.instance == "" || d.oneIn(20) {
				r.encryption = -1
			} else if s.dstPort == 443 && h.path == 7 {
				r.encryption = 2
			} else if s.encryption == 1 && s.dstPort == 443 {
				r.encryption = 3
			}
			out = append(out, w.complete(r, s.efa))
		}
	}
	way(s.forth, s.up, s.srcPort, s.dstPort, false)
	way(s.back, s.down, s.dstPort, s.srcPort, true)
	// a security group lets the answer to a ping out, a network ACL does not
	if reply := &out[len(out)-1]; s.proto == 1 && d.oneIn(3) {
		reply.action = "REJECT"
	}
	// what arrives after the connection was closed is rejected, too
	if s.proto == 6 && last && d.oneIn(30) {
		late := out[len(out)-1]
		late.action, late.flags, late.packets, late.bytes, late.path = "REJECT", 4, 1, 40, 0
		out = append(out, late)
	}
	return out
}

// tcpFlags is the OR of the flags in an interval; the first has the handshake, the last the FIN.
func tcpFlags(server, first, last bool) int {
	flags := 0
	if first {
		flags |= 2
		if server {
			flags |= 18
		}
	}
	if last {
		flags |= 1
	}
	return flags
}

// complete fills in what follows from the rest.
func (w *world) complete(r record, efa bool) record {
	r.account, r.vpc, r.region = w.account, w.vpc, w.region
	if r.at != nil {
		r.zone = r.at.zone
	}
	switch {
	case efa:
		r.kind = "EFA"
	case r.src.Is6():
		r.kind = "IPv6"
	default:
		r.kind = "IPv4"
	}
	return r
}

// scan is one rejected attempt by someone who looks for open ports.
func (w *world) scan(at int64) record {
	d := w.dice
	r := record{
		srcPort: uint16(d.between(40000, 60999)), proto: 6, packets: int64(1 + d.IntN(2)), action: "REJECT", status: "OK", flags: 2,
		direction: "ingress", start: at + int64(d.IntN(50)),
	}
	r.bytes = 44 * r.packets
	r.end = r.start + int64(d.IntN(8))
	ports := []uint16{22, 23, 445, 3389, 5900, 8080}
	switch d.IntN(10) {
	case 0, 1, 2, 3:
		r.at, r.src, r.dstPort = w.hosts["web"][0], sweeper, uint16(d.between(1, 10000))
	case 4, 5, 6, 7:
		r.at, r.src, r.dstPort = pick(d, w.busy), prober, pick(d, ports)
	case 8:
		r.at, r.src, r.dstPort = pick(d, w.hosts["web"]), prober6, pick(d, ports)
	default:
		r.at, r.src, r.dstPort = pick(d, w.hosts["web"]), w.remote(), pick(d, ports)
	}
	if r.dst = r.at.v4; r.src.Is6() {
		r.dst = r.at.v6
	}
	if w.blocked {
		switch d.IntN(4) {
		case 0, 1:
			r.reason, r.bytes = "BPA", -1
		case 2:
			r.reason, r.at, r.src, r.dstPort = "EC", w.hosts["endpoint"][0], w.hosts["app"][0].v4, 80
			r.dst = r.at.v4
		}
	}
	r.pktSrc, r.pktDst = r.src, r.dst
	return w.complete(r, false)
}

// quiet adds the records that are no flows: nothing happened, or AWS lost what did.
func (w *world) quiet(out []record, at int64, minute int) []record {
	for i, e := range w.hosts["idle"] {
		if (minute+i)%3 == 0 {
			out = append(out, w.complete(record{at: e, start: at + 3, end: at + 57, status: "NODATA"}, false))
		}
	}
	if minute%15 == 1 {
		out = append(out, w.complete(record{at: w.hosts["backup"][0], start: at + 1, end: at + 58, status: "SKIPDATA"}, false))
	}
	return out
}

// transit makes a transit gateway's records: each flow is logged where it comes in and where it goes out.
func (w *world) transit(from int64, begun int, take func([]record) bool) {
	d := w.dice
	for minute := 0; ; minute++ {
		at := from + int64(minute)*60
		var out []record
		for range begun {
			i := d.IntN(len(w.attachments))
			a, b := w.attachments[i], w.attachments[(i+1+d.IntN(len(w.attachments)-1))%len(w.attachments)]
			r := record{
				account: w.account, region: w.region, from: a, to: b, src: a.hosts[d.skew(len(a.hosts))], dst: b.hosts[d.skew(len(b.hosts))],
				srcPort: uint16(d.between(32768, 60999)), dstPort: pick(d, []uint16{443, 5432, 9092, 2049}), proto: 6,
				status: "OK", kind: "IPv4", flags: pick(d, []int{0, 2, 16, 18, 24, 25}), start: at + int64(d.IntN(25)), direction: "ingress",
			}
			r.end = r.start + int64(d.between(10, 34))
			r.packets = int64(1 + d.skew(4000))
			r.bytes = r.packets * int64(d.between(60, 1400))
			if d.oneIn(4) {
				r.srcPort, r.dstPort, r.proto, r.flags = 0, 0, 1, 0
			}
			r.pktSrc, r.pktDst = r.src, r.dst
			if d.oneIn(5) { // lost on the way through: nothing goes out
				r.lost[d.IntN(4)] = r.packets
				out = append(out, r)
				continue
			}
			out = append(out, r)
			r.direction = "egress"
			out = append(out, r)
		}
		if minute%7 == 2 {
			quiet := record{account: w.account, region: w.region, from: w.attachments[2], to: w.attachments[2], start: at, end: at + 59, status: "NODATA"}
			if minute%2 == 0 {
				quiet.status = "SKIPDATA"
			}
			out = append(out, quiet)
		}
		if !take(out) {
			return
		}
	}
}
