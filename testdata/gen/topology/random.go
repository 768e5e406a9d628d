package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
)

// random is a network of two to five VPCs and so many transfers in it. Its first VPC has a NAT gateway, which is
// regional in half of the others, and a transit gateway joins those whose addresses do not overlap.
func random(seed uint64, size int) (*network, []*transfer) {
	n := newNetwork(seed)
	d := rand.New(rand.NewPCG(seed, 7))
	n.Lists = small().Lists[:2]
	tgw := n.id("tgw", "hub")
	vpcs := 2 + d.IntN(4)
	n.outsides(d)
	for i := range vpcs {
		name := fmt.Sprintf("vpc%d", i)
		account := accountShop
		if i > 0 && d.IntN(3) == 0 {
			account = accountLab
		}
		n.addVPC(name, account, fmt.Sprintf("10.%d.0.0/16", i), "", true)
		n.randomFilters(d, name)
		n.randomVPC(d, name, i, vpcs, tgw)
	}
	n.Snapshots = []*snapshot{{accountShop, n.Begin - 3600}, {accountLab, n.Begin - 3600}, {accountShop, n.End + 3600}, {accountLab, n.End + 3600}}
	return n, n.randomTraffic(d, size)
}

func (n *network) outsides(d *rand.Rand) {
	for i := range 20 {
		n.addOutside(fmt.Sprintf("host-%d", i), fmt.Sprintf("203.0.113.%d", 1+12*i+d.IntN(12)), "", "")
	}
	n.addOutside("s3", "52.216.8.53", "S3", "us-east-1")
	n.addOutside("s3-west", "52.218.136.10", "S3", "us-west-2")
	n.addOutside("cdn", "130.176.1.9", "CLOUDFRONT", "GLOBAL")
	n.addOutside("site", "192.168.20.7", "", "")
	n.addOutside("west", "172.31.0.10", "", "us-west-2")
}

// randomFilters gives a VPC two groups: one admits the networks 10.0.0.0/8 and a few ports from everywhere, the other
// what is in the first group.
func (n *network) randomFilters(d *rand.Rand, vpc string) {
	open := []entry{{100, false, true, -1, all, any4}, {100, true, true, -1, all, any4}}
	n.addACL(vpc, vpc+"-open", open...)
	last := 40000 + d.IntN(20000)
	n.addACL(vpc, vpc+"-tight", entry{100, false, true, -1, all, "10.0.0.0/8"}, entry{90, false, false, -1, all, "203.0.113.0/26"}, entry{110, false, true, -1, all, any4},
		entry{100, true, true, 6, [2]int{443, last}, any4}, entry{110, true, true, 17, all, any4})
	front := vpc + "-front"
	n.addGroup(vpc, front, in(6, 443, 443, any4), in(-1, 0, 65535, "10.0.0.0/8"), in(17, 514, 514, any4), anyOut())
	n.addGroup(vpc, vpc+"-back", in(6, 5432, 5432, front), in(6, 443, 8080, "10.0.0.0/9"), out(6, 443, 9999, any4), out(17, 0, 65535, any4))
}

func (n *network) randomVPC(d *rand.Rand, vpc string, i, vpcs int, tgw string) {
	nat := vpc + "-nat"
	var joined []route
	for j := range vpcs {
		if j != i {
			joined = append(joined, route{fmt.Sprintf("10.%d.0.0/16", j), tgw})
		}
	}
	if i == 1 { // the second is peered with the first instead, and with a VPC of another region
		n.addPeering("first", "vpc0", vpc, "", [2]string{"10.0.0.0/16", "10.1.0.0/16"})
		n.addPeering("west", vpc, n.id("vpc", "west"), "us-west-2", [2]string{"10.1.0.0/16", "172.31.0.0/16"})
		joined[0].Via = n.id("pcx", "first")
		joined = append(joined, route{"172.31.0.0/16", n.id("pcx", "west")})
	} else if i == 0 {
		joined[0].Via = n.id("pcx", "first")
		joined = append(joined, route{"192.168.0.0/16", n.id("vgw", vpc)})
	}
	igw := n.vpc(vpc).Gateway
	n.addTable(vpc, vpc+"-public", append([]route{{any4, igw}}, joined...)...)
	private := append([]route{{any4, n.id("nat", nat)}}, joined...)
	if d.IntN(2) == 0 {
		private = append(private, route{n.Lists[0].ID, n.id("vpce", vpc+"-s3")})
	}
	n.addTable(vpc, vpc+"-private", private...)
	n.addTable(vpc, vpc+"-hub", joined...)
	zones := 2 + d.IntN(2)
	for z := range zones {
		zone := fmt.Sprintf("use1-az%d", z+1)
		name := func(kind string) string { return fmt.Sprintf("%s-%s-%d", vpc, kind, z+1) }
		filter := vpc + []string{"-open", "-open", "-tight"}[d.IntN(3)]
		n.addSubnet(vpc, name("public"), zone, fmt.Sprintf("10.%d.%d.0/24", i, z), "", vpc+"-public", vpc+"-open")
		n.addSubnet(vpc, name("private"), zone, fmt.Sprintf("10.%d.%d.0/24", i, 16+z), "", vpc+"-private", filter)
		n.addSubnet(vpc, name("hub"), zone, fmt.Sprintf("10.%d.%d.0/28", i, 48+z), "", vpc+"-hub", vpc+"-open")
		n.addNode(&node{Name: name("hub"), Type: "transit_gateway", Owner: n.id("tgw-attach", vpc), Subnet: name("hub"), Addr: fmt.Sprintf("10.%d.%d.5", i, 48+z)})
		n.randomNodes(d, vpc, i, z, name)
	}
	if i == 0 || d.IntN(2) == 0 {
		n.addNode(&node{Name: nat, Type: "nat_gateway", Subnet: vpc + "-public-1", Addr: fmt.Sprintf("10.%d.0.220", i), Public: fmt.Sprintf("198.51.100.%d", 240+i)})
		return
	}
	e := &node{Name: nat, Type: "regional_nat_gateway", VPC: vpc}
	for z := range zones {
		e.Zonal = append(e.Zonal, fmt.Sprintf("use1-az%d=198.51.100.%d", z+1, 200+4*i+z))
	}
	n.addNode(e)
}

// randomNodes adds the interfaces of a zone.
func (n *network) randomNodes(d *rand.Rand, vpc string, i, z int, name func(string) string) {
	kinds := []string{"instance", "instance", "instance", "instance", "rds", "lambda", "network_load_balancer", "vpc_endpoint"}
	for k := range 4 + d.IntN(5) {
		kind := kinds[d.IntN(len(kinds))]
		e := &node{Name: fmt.Sprintf("%s-%s", name(kind), string(rune('a'+k))), Type: kind, Subnet: name("private"), Addr: fmt.Sprintf("10.%d.%d.%d", i, 16+z, 20+k),
			Groups: []string{vpc + []string{"-front", "-back"}[d.IntN(2)]}}
		switch kind {
		case "vpc_endpoint":
			e.Owner = n.id("vpce", vpc+"-service")
		case "instance":
		default:
			e.Owner = e.Name
		}
		if kind == "instance" && d.IntN(3) == 0 {
			e.Subnet, e.Addr = name("public"), fmt.Sprintf("10.%d.%d.%d", i, z, 20+k)
			e.Public, e.OldHost = fmt.Sprintf("198.51.100.%d", 1+i*36+z*12+k), d.IntN(5) == 0
		}
		if kind == "instance" && e.Public == "" && d.IntN(3) == 0 {
			e.Prefixes = []string{fmt.Sprintf("10.%d.%d.%d/28", i, 16+z, 112+16*(k%9))}
		}
		n.addNode(e)
		for p := range len(e.Prefixes) * 3 {
			n.addPod(fmt.Sprintf("%s-pod-%d", e.Name, p), "default", "Deployment/"+e.Name, e.Name, fmt.Sprintf("10.%d.%d.%d", i, 16+z, 112+16*(k%9)+p))
		}
	}
}

// randomTraffic is so many transfers between ends of which one can be a client of the other.
func (n *network) randomTraffic(d *rand.Rand, size int) []*transfer {
	s := newScript(n)
	names := make([]string, 0, len(n.ends))
	for name := range n.ends {
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare[string])
	for len(s.all) < size {
		client, server := names[d.IntN(len(names))], names[d.IntN(len(names))]
		if !n.plausible(client, server) {
			continue
		}
		s.randomTransfer(d, client, server)
	}
	return s.all
}

// randomTransfer adds a transfer of some kind, or the two or three that one connection or one port is for.
func (s *script) randomTransfer(d *rand.Rand, client, server string) {
	start, seconds := int64(d.IntN(80000)), int64(d.IntN(300))
	port := []uint16{443, 443, 5432, 8080, 514}[d.IntN(5)]
	up, down := s.mib(int64(1)<<d.IntN(12)), s.mib(int64(1)<<d.IntN(12))
	if d.IntN(2) == 0 {
		up, down = int64(300+d.IntN(100000)), int64(300+d.IntN(100000))
	}
	switch kind := d.IntN(24); kind {
	case 0:
		s.syn(client, server, port, start, int64(1+d.IntN(4)), "attempt")
	case 1:
		s.ping(client, server, start, int64(1+d.IntN(9)), "ping")
	case 2, 3:
		s.udp(client, server, 514, start, up%9000+60, (down%9000+60)*int64(d.IntN(2)), "datagrams")
	case 4, 5, 6, 7, 8, 9:
		s.randomConnection(kind, s.tcp(client, server, port, start, seconds, up, down, "transfer"))
	default:
		s.tcp(client, server, port, start, seconds, up, down, "transfer")
	}
}

// randomConnection makes something else of a transfer that ends by FIN, if it was not refused.
func (s *script) randomConnection(kind int, t *transfer) {
	if t.refusal != nil || t.way.kind == "none" {
		return
	}
	// a further transfer on the same ports, so many seconds after the end
	again := func(after int64, more transfer) {
		more.client, more.server, more.proto, more.from, more.to = t.client, t.server, t.proto, t.from, t.to
		more.start = t.end - s.n.Begin + after
		more.end += more.start
		s.add(&more)
	}
	switch kind {
	case 4, 5:
		t.close, t.scenario = []string{"rst-client", "rst-server"}[kind-4], "reset"
		if kind == 4 {
			again(20, transfer{connection: t.connection, end: 9, downBytes: 120, downPackets: 3, event: "late", scenario: "late answers"})
		}
	case 6:
		t.close, t.end, t.scenario = "refused", t.start, "nothing listens"
		t.upBytes, t.upPackets, t.downBytes, t.downPackets = 60, 1, 40, 1
	case 7:
		t.close, t.scenario = "", "before a pause"
		again(900+int64(s.dice.IntN(3000)), transfer{connection: t.connection, end: 100, close: "fin", upBytes: 4000, upPackets: 20, downBytes: 21000, downPackets: 20, scenario: "after a pause"})
	case 8:
		again(61+int64(s.dice.IntN(300)), transfer{end: 40, close: "fin", upBytes: 5000, upPackets: 12, downBytes: 9000, downPackets: 12, scenario: "second use of the port"})
	case 9: // a packet now and then, and the handshake before the logs begin
		t.begins, t.end, t.scenario = false, t.start+3600, "without its beginning"
		t.upBytes, t.upPackets, t.downBytes, t.downPackets = 2000, 20, 9000, 20
	}
}

// plausible reports whether a client can reach for a server: a route leads there, and the way is logged at least once.
func (n *network) plausible(client, server string) bool {
	c, s := n.ends[client], n.ends[server]
	passive := map[string]bool{"transit_gateway": true, "nat_gateway": true, "rds": true, "vpc_endpoint": true}
	switch {
	case c.public || c.at == nil && (c.remote.Service != "" || !s.public):
		return false // from outside only to public addresses
	case c.at == nil:
		return c.remote.Region == "" && c.remote.Name != "site" && s.at.Type == "instance"
	case passive[c.at.Type] || c.at == s.at:
		return false
	case s.at == nil:
		return n.reaches(c, s)
	case s.at.Type == "transit_gateway" || s.at.Type == "nat_gateway" || s.public && (c.at.Public == "" || s.at.Type != "instance"):
		return false
	case s.at.Type == "vpc_endpoint":
		return s.at.VPC == c.at.VPC
	}
	return s.at.VPC == c.at.VPC || n.reaches(c, s)
}

// reaches reports whether the client's routes lead to an address outside its VPC.
func (n *network) reaches(c, s *end) bool {
	via := n.target(c.at, s.addr)
	private := s.remote != nil && (s.remote.Name == "site" || s.remote.Name == "west")
	switch {
	case via == "" || private && (via[:4] == "igw-" || via[:4] == "nat-"):
		return false
	case via[:4] == "igw-":
		return c.at.Public != ""
	}
	return true
}
