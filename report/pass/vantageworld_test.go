package pass

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"

	"flowlog/report/reporttest"
)

// A world is hosts that send to each other across gateways, and the flow logs of some of the interfaces on the way. In
// left and arrived are the records of the interface that the packets left from, or arrived at.
type world struct {
	r        *rand.Rand
	rows     []reporttest.Row
	left     map[int]bool
	arrived  map[int]bool
	logged   map[string]bool // interfaces
	gateways int             // records of gateways
	crowded  bool            // the two VPCs are in one /16
	port     int
	fields   struct{ packets, direction, instance, kind, vpc bool } // what the format has
}

// A node is an interface.
type node struct {
	name, address, vpc, kind string
	secondary                string // an address that some packets have
	instance                 bool
}

// six is the interface as far as IPv6 is concerned.
func (n node) six() node {
	n.address, n.secondary = "2600:1f16:a:1::"+n.name[len(n.name)-1:], ""
	return n
}

func newWorld(seed uint64) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 24)), left: make(map[int]bool), arrived: make(map[int]bool), logged: make(map[string]bool), port: 1024}
	some := func() bool { return w.r.IntN(2) == 0 }
	w.fields.packets, w.fields.direction = w.r.IntN(5) > 0, some()
	w.fields.instance, w.fields.kind, w.fields.vpc = some(), some(), some()
	w.crowded = some()
	near, far := w.hosts("a", "10.0", 2+w.r.IntN(4)), w.hosts("b", map[bool]string{true: "10.0", false: "10.1"}[w.crowded], 1+w.r.IntN(3))
	w.logs(w.gatewaysOf()...)
	w.logs(append(slices.Clone(near), far...)...)
	for range 5 + w.r.IntN(40) {
		a, b := near[w.r.IntN(len(near))], near[w.r.IntN(len(near))]
		if a.name == b.name {
			b = a
			b.secondary, a.secondary = "", ""
			if w.r.IntN(10) > 0 {
				continue
			}
		}
		public := fmt.Sprintf("198.51.100.%d", 1+w.r.IntN(3))
		switch w.r.IntN(8) {
		case 0, 1:
			w.direct(a, b)
		case 7:
			w.direct(a.six(), b.six())
		case 2:
			w.internet(a, public)
		case 3:
			w.nat(a, public)
		case 4:
			w.transit(a, far[w.r.IntN(len(far))])
		case 5:
			w.application(public, b)
		case 6:
			w.network(public, b)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.logged)) {
		if w.logged[name] && w.r.IntN(4) == 0 {
			w.rows = append(w.rows, reporttest.Row{"interface_id": name, "log_status": []string{"SKIPDATA", "NODATA"}[w.r.IntN(2)]})
		}
	}
	for i := range w.rows {
		w.rows[i]["packets"] = strconv.Itoa(i)
	}
	return w
}

func (w *world) hosts(vpc, network string, n int) []node {
	var hosts []node
	third := map[string]int{"a": 1, "b": 9}[vpc]
	for i := range n {
		h := node{name: fmt.Sprintf("eni-%s%d", vpc, i), vpc: "vpc-" + vpc, address: fmt.Sprintf("%s.%d.%d", network, third, 10+i), instance: w.r.IntN(3) > 0}
		if h.instance && w.r.IntN(2) == 0 {
			h.secondary = fmt.Sprintf("%s.%d.%d", network, third, 200+i)
		}
		hosts = append(hosts, h)
	}
	return hosts
}

var (
	natGateway          = node{name: "eni-nat", address: "10.0.0.220", vpc: "vpc-a", kind: "nat_gateway"}
	attachments         = [2]node{{name: "eni-tgw1", address: "10.0.0.230", vpc: "vpc-a", kind: "transit_gateway"}, {name: "eni-tgw2", address: "10.1.0.230", vpc: "vpc-b", kind: "transit_gateway"}}
	applicationBalancer = node{name: "eni-alb", address: "10.0.0.240", vpc: "vpc-a"}
	transitLog          = node{name: "tgw"} // what a transit gateway logs itself
	networkBalancer     = node{name: "eni-nlb", address: "10.0.0.250", vpc: "vpc-a", kind: "network_load_balancer"}
)

func (w *world) gatewaysOf() []node {
	return []node{natGateway, attachments[0], attachments[1], applicationBalancer, networkBalancer, {name: "nat-1"}, transitLog}
}

// logs chooses which interfaces are logged.
func (w *world) logs(nodes ...node) {
	for _, n := range nodes {
		w.logged[n.name] = w.r.IntN(4) > 0
	}
}

// A packet is the addresses and ports of packets of one direction.
type packet struct {
	src, dst string
	ports    [2]int
}

func (p packet) back() packet { return packet{p.dst, p.src, [2]int{p.ports[1], p.ports[0]}} }

// A view is what one interface logs of packets: what leaves it, or what arrives.
type view struct {
	node
	packet
	egress bool
	own    bool // the packets are from the interface, or for it
}

// exchange logs packets at all interfaces that see them, at about one time, and again later.
func (w *world) exchange(views ...view) {
	start := 1710000000 + 10*w.r.IntN(200)
	bytes := 100 + w.r.IntN(1000)
	rejected := w.r.IntN(8) == 0
	for again := range 1 + w.r.IntN(2) {
		for _, v := range views {
			if !w.logged[v.name] {
				continue
			}
			from := start + 7200*again
			if w.r.IntN(2) == 0 {
				from += w.r.IntN(25)
			}
			action := "ACCEPT"
			if rejected && !v.egress {
				action = "REJECT"
			}
			w.pieces(v, from, bytes, action)
		}
	}
}

// pieces logs packets in one to three windows, of which hosts may lose one.
func (w *world) pieces(v view, from, bytes int, action string) {
	n := 1 + w.r.IntN(3)
	for i := range n {
		if w.r.IntN(12) == 0 && v.own {
			continue
		}
		r := w.record(v, action)
		r["bytes"] = strconv.Itoa(bytes / n)
		r["start"], r["end"] = strconv.Itoa(from+i*180/n), strconv.Itoa(from+(i+1)*180/n)
		if v.own && v.egress {
			w.left[len(w.rows)] = true
		} else if v.own {
			w.arrived[len(w.rows)] = true
		} else {
			w.gateways++
		}
		w.rows = append(w.rows, r)
	}
}

// record is what the interface of a view logs, in the format of the world: AWS shows the interface's own address at its
// end, and the packet's beside it.
func (w *world) record(v view, action string) reporttest.Row {
	r := reporttest.Row{"interface_id": v.name, "action": action, "srcaddr": v.src, "dstaddr": v.dst, "protocol": "6", "log_status": "OK", "account_id": "111122223333"}
	r["srcport"], r["dstport"] = strconv.Itoa(v.ports[0]), strconv.Itoa(v.ports[1])
	if w.fields.packets {
		r["pkt_srcaddr"], r["pkt_dstaddr"] = v.src, v.dst
	}
	switch {
	case v.address != "" && v.egress:
		r["srcaddr"] = v.address
	case v.address != "":
		r["dstaddr"] = v.address
	case v.name == transitLog.name:
		for _, name := range []string{"interface_id", "pkt_srcaddr", "pkt_dstaddr", "action"} {
			delete(r, name)
		}
	default: // a regional NAT gateway
		delete(r, "interface_id")
		r["resource_id"] = v.name
	}
	if w.fields.direction || v.name == transitLog.name {
		r["flow_direction"] = map[bool]string{true: "egress", false: "ingress"}[v.egress]
	}
	if w.fields.instance && v.instance {
		r["instance_id"] = "i-" + v.name
	}
	if w.fields.kind && v.kind != "" {
		r["interface_type"] = v.kind
	}
	if w.fields.vpc && v.vpc != "" {
		r["vpc_id"] = v.vpc
	}
	return r
}

// of is an address of a host that packets have.
func (w *world) of(n node) string {
	if n.secondary != "" && w.r.IntN(2) == 0 {
		return n.secondary
	}
	return n.address
}

func (w *world) ports() [2]int {
	if w.r.IntN(4) > 0 {
		w.port++
	}
	return [2]int{w.port, 443}
}

func (w *world) direct(a, b node) {
	p := packet{w.of(a), w.of(b), w.ports()}
	w.exchange(view{a, p, true, true}, view{b, p, false, true})
	w.exchange(view{b, p.back(), true, true}, view{a, p.back(), false, true})
}

func (w *world) internet(a node, public string) {
	p := packet{w.of(a), public, w.ports()}
	w.exchange(view{a, p, true, true})
	w.exchange(view{a, p.back(), false, true})
}

// nat sends through a NAT gateway, which forwards under its own address, or through a regional one.
func (w *world) nat(a node, public string) {
	inner := packet{w.of(a), public, w.ports()}
	gateway, outer := natGateway, packet{natGateway.address, public, [2]int{inner.ports[0] + 20000, 443}}
	if w.r.IntN(3) == 0 {
		gateway, outer.src = node{name: "nat-1"}, "203.0.113.80"
	}
	w.exchange(view{a, inner, true, true}, view{gateway, inner, false, false}, view{gateway, outer, true, false})
	w.exchange(view{gateway, outer.back(), false, false}, view{gateway, inner.back(), true, false}, view{a, inner.back(), false, true})
}

func (w *world) transit(a, b node) {
	p := packet{w.of(a), w.of(b), w.ports()}
	w.exchange(view{a, p, true, true}, view{attachments[0], p, false, false}, view{transitLog, p, false, false}, view{transitLog, p, true, false}, view{attachments[1], p, true, false}, view{b, p, false, true})
	q := p.back()
	w.exchange(view{b, q, true, true}, view{attachments[1], q, false, false}, view{transitLog, q, false, false}, view{attachments[0], q, true, false}, view{a, q, false, true})
}

// application sends to a load balancer, which sends on under its own address, in connections of its own.
func (w *world) application(public string, b node) {
	p, q := packet{public, applicationBalancer.address, w.ports()}, packet{applicationBalancer.address, b.address, w.ports()}
	w.exchange(view{applicationBalancer, p, false, true})
	w.exchange(view{applicationBalancer, q, true, true}, view{b, q, false, true})
	w.exchange(view{b, q.back(), true, true}, view{applicationBalancer, q.back(), false, true})
	w.exchange(view{applicationBalancer, p.back(), true, true})
}

// network sends to a load balancer that preserves the client's address.
func (w *world) network(public string, b node) {
	outer, inner := packet{public, networkBalancer.address, w.ports()}, packet{public, b.address, w.ports()}
	w.exchange(view{networkBalancer, outer, false, false}, view{networkBalancer, inner, true, false}, view{b, inner, false, true})
	w.exchange(view{b, inner.back(), true, true}, view{networkBalancer, inner.back(), false, false}, view{networkBalancer, outer.back(), true, false})
}
