package price

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// record reads a record from words, name=value; names are those of flow log fields, those of an inventory, and of
// ip-ranges.json. A log of version 11 has the next hop and the services of AWS: next=no and aws=no say that it has not.
func record(t *testing.T, text string) *Record {
	t.Helper()
	r := &Record{NextKnown: true, ServiceKnown: true}
	addr := map[string]*netip.Addr{"src": &r.Src, "dst": &r.Dst, "pktsrc": &r.PktSrc, "pktdst": &r.PktDst}
	word := map[string]*string{
		"own": &r.Own.Type, "az": &r.Own.Zone, "region": &r.Own.Region,
		"next": &r.Next.Type, "next_az": &r.Next.Zone,
		"peer": &r.Peer.Type, "peer_az": &r.Peer.Zone, "peer_region": &r.Peer.Region,
		"src_aws": &r.SrcAWS.Service, "dst_aws": &r.DstAWS.Service, "src_region": &r.SrcAWS.Region, "dst_region": &r.DstAWS.Region,
		"resource": &r.Resource, "instance": &r.Instance, "route": &r.Route, "attachment": &r.Attachment,
	}
	for field := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(field, "=")
		switch {
		case addr[name] != nil:
			a, err := netip.ParseAddr(value)
			if err != nil {
				t.Fatal(err)
			}
			*addr[name] = a
		case field == "own=none":
			r.OwnKnown = true
		case field == "next=no":
			r.NextKnown = false
		case field == "aws=no":
			r.ServiceKnown = false
		case field == "ingress", field == "egress":
			r.Flow = DirectionOf(field)
		case field == "reject":
			r.Rejected = true
		case field == "tgwlog":
			r.Transit = true
		case name == "p":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			r.Path = n
		case word[name] != nil:
			*word[name] = value
		default:
			t.Fatalf("no word of a record: %q", field)
		}
	}
	return r
}

// due writes what a record pays as one text: charges, those that are guesses with a ?, then the most of unknown.
func due(d Due) string {
	var words []string
	for c := range d.Charges.All {
		name := c.String()
		if d.Assumed.Has(c) {
			name += "?"
		}
		if c == Region && d.To != "" {
			name += ":" + d.To
		}
		if c == Unknown {
			name += "(" + d.Most.String() + ")"
		}
		words = append(words, name)
	}
	return strings.Join(words, " ")
}

const (
	home   = "region=us-east-1 az=use1-az1 "
	client = home + "own=interface instance=i-1 "
	zonal  = home + "own=nat_gateway "
	far    = "203.0.113.5"
)

// chargeTests has the rows of the table of charges: a record, and what it pays with the gateways' own records and with
// those of their clients.
var chargeTests = []struct{ name, record, gateways, clients string }{
	// NAT gateways: the client sends, the gateway passes on, the answer comes and is passed back.
	{"zonal: from the client", zonal + "ingress src=10.0.1.5 dst=10.0.0.220 pktsrc=10.0.1.5 pktdst=" + far + " next=interface next_az=use1-az1", "nat internet", "free"},
	{"zonal: to the internet", zonal + "egress p=8 src=10.0.0.220 dst=" + far + " pktsrc=10.0.0.220 pktdst=" + far, "free", "free"},
	{"zonal: from the internet", zonal + "ingress src=" + far + " dst=10.0.0.220 pktsrc=" + far + " pktdst=10.0.0.220", "free", "free"},
	{"zonal: to the client", zonal + "egress p=1 src=10.0.0.220 dst=10.0.1.5 pktsrc=" + far + " pktdst=10.0.1.5 next=interface next_az=use1-az1", "nat", "free"},
	{"the client sends", client + "egress p=1 src=10.0.1.5 dst=" + far + " pktsrc=10.0.1.5 pktdst=" + far + " next=nat_gateway next_az=use1-az1", "free", "nat internet"},
	{"the client gets", client + "ingress src=" + far + " dst=10.0.1.5 pktsrc=" + far + " pktdst=10.0.1.5 next=nat_gateway next_az=use1-az1", "free", "nat"},
	{"zonal, client in another zone", zonal + "ingress src=10.0.1.5 dst=10.0.0.220 pktsrc=10.0.1.5 pktdst=" + far + " next=interface next_az=use1-az2", "nat zone internet", "zone"},
	{"to a client in another zone", zonal + "egress p=1 src=10.0.0.220 dst=10.0.1.5 pktsrc=" + far + " pktdst=10.0.1.5 next=interface next_az=use1-az2", "nat zone", "zone"},
	{"the client sends to another zone", client + "egress p=1 src=10.0.1.5 dst=" + far + " next=nat_gateway next_az=use1-az2", "zone", "nat zone internet"},
	{"S3 by a NAT gateway", zonal + "ingress src=10.0.1.5 dst=10.0.0.220 pktsrc=10.0.1.5 pktdst=52.216.0.1 next=interface next_az=use1-az1 dst_aws=S3 dst_region=us-east-1", "nat", "free"},
	{"S3 of another region by a NAT gateway", zonal + "ingress src=10.0.1.5 dst=10.0.0.220 pktsrc=10.0.1.5 pktdst=52.218.0.1 next=interface next_az=use1-az1 dst_aws=S3 dst_region=eu-west-1", "nat region:eu-west-1", "free"},
	{"S3 by a NAT gateway, no ranges", zonal + "ingress src=10.0.1.5 dst=10.0.0.220 pktsrc=10.0.1.5 pktdst=52.216.0.1 next=interface next_az=use1-az1 dst_aws=S3", "nat unknown(region)", "free"},
	{"regional: from the client", "region=us-east-1 resource=nat-1 ingress src=10.0.1.5 dst=" + far + " pktsrc=10.0.1.5 pktdst=" + far + " next=interface next_az=use1-az1", "nat internet", "free"},
	{"regional: out", "region=us-east-1 resource=nat-1 egress src=107.22.182.139 dst=" + far + " pktsrc=107.22.182.139 pktdst=" + far, "free", "free"},
	{"regional: in", "region=us-east-1 resource=nat-1 ingress src=" + far + " dst=107.22.182.139 pktsrc=" + far + " pktdst=107.22.182.139", "free", "free"},
	{"regional: to the client", "region=us-east-1 resource=nat-1 egress src=" + far + " dst=10.0.1.5 pktsrc=" + far + " pktdst=10.0.1.5 next=interface next_az=use1-az1", "nat", "free"},
	{"zonal without a direction: out", zonal + "src=10.0.1.5 dst=10.0.0.220 pktsrc=10.0.1.5 pktdst=" + far + " next=interface next_az=use1-az1", "nat internet", "free"},
	{"zonal without a direction: back", zonal + "src=10.0.0.220 dst=10.0.1.5 pktsrc=" + far + " pktdst=10.0.1.5 next=interface next_az=use1-az1", "nat", "free"},
	{"zonal, v2: client's side", zonal + "next=no src=10.0.1.5 dst=10.0.0.220 peer=instance peer_az=use1-az1", "nat", "free"},
	{"zonal, v2: the far side sends", zonal + "next=no egress src=10.0.0.220 dst=" + far, "internet", "free"},
	{"zonal, v2: the far side gets", zonal + "next=no ingress src=" + far + " dst=10.0.0.220", "free", "free"},
	{"v5: the client sends", client + "next=no egress p=1 src=10.0.1.5 dst=" + far + " pktsrc=10.0.1.5 pktdst=" + far, "unknown(zone)", "nat? internet? unknown(zone)"},
	{"v5: the client gets", client + "next=no ingress src=" + far + " dst=10.0.1.5 pktsrc=" + far + " pktdst=10.0.1.5", "unknown(zone)", "unknown(nat+zone)"},
	{"v2: route to a NAT gateway, zone known", client + "next=nat_gateway next_az=use1-az2 aws=no egress src=10.0.1.5 dst=" + far + " route=nat-1", "zone", "nat zone internet?"},
	{"v5: an interface that passes on", home + "next=no ingress src=10.0.1.5 dst=10.0.0.220 pktsrc=10.0.1.5 pktdst=" + far, "nat? unknown(zone+endpoint+gwlb_endpoint)", "unknown(zone+endpoint+gwlb_endpoint)"},

	// Zones.
	{"another zone, sent", client + "egress p=1 src=10.0.1.5 dst=10.0.2.5 next=interface next_az=use1-az2", "zone", "zone"},
	{"another zone, received", client + "ingress src=10.0.2.5 dst=10.0.1.5 next=interface next_az=use1-az2", "zone", "zone"},
	{"no type, which is an ordinary one", home + "own=none egress p=1 src=10.0.1.5 dst=10.0.2.5 next_az=use1-az2", "zone", "zone"},
	{"the same zone", client + "egress p=1 src=10.0.1.5 dst=10.0.1.6 next=interface next_az=use1-az1", "free", "free"},
	{"peering, another zone", client + "egress p=4 src=10.0.1.5 dst=10.1.2.5 next=interface next_az=use1-az2", "zone", "zone"},
	{"peering, the same zone", client + "egress p=4 src=10.0.1.5 dst=10.1.1.5 next=interface next_az=use1-az1", "free", "free"},
	{"rejected", client + "reject egress p=1 src=10.0.1.5 dst=10.0.2.5 next=interface next_az=use1-az2", "free", "free"},
	{"NLB in another zone", client + "egress p=1 src=10.0.1.5 dst=10.0.2.5 next=network_load_balancer next_az=use1-az2", "zone", "zone"},
	{"ALB in another zone", client + "egress p=1 src=10.0.1.5 dst=10.0.2.5 next=load_balancer next_az=use1-az2", "free", "free"},
	{"at the ALB", home + "own=application_load_balancer egress p=1 src=10.0.1.5 dst=10.0.2.5 next=interface next_az=use1-az2", "free", "free"},
	{"RDS in another zone", client + "egress p=1 src=10.0.1.5 dst=10.0.2.5 next_az=use1-az2 peer=rds", "zone", "zone"},
	{"at the RDS end", home + "own=rds ingress src=10.0.2.5 dst=10.0.1.5 next=interface next_az=use1-az2", "free", "free"},
	{"inventory: another zone", client + "next=no p=1 egress src=10.0.1.5 dst=10.0.2.5 peer=instance peer_az=use1-az2", "zone", "zone"},
	{"inventory: own type is not known", home + "next=no p=1 egress src=10.0.1.5 dst=10.0.2.5 peer=instance peer_az=use1-az2", "zone? unknown(nat+endpoint+gwlb_endpoint)", "zone?"},
	{"v5: the zone of the peer is not known", client + "next=no p=1 egress src=10.0.1.5 dst=10.0.2.5", "unknown(zone)", "unknown(zone+tgw+endpoint+gwlb_endpoint)"},
	{"from behind a virtual private gateway", client + "ingress src=192.168.1.5 dst=10.0.1.5", "free", "free"},
	{"IPv6 in the VPC, another zone", client + "egress p=1 src=2600:1f18::1 dst=2600:1f18::2 next=interface next_az=use1-az2", "zone", "zone"},

	// Public addresses in one region.
	{"to a public address of EC2 here", client + "egress p=8 src=10.0.1.5 dst=54.1.1.1 dst_aws=EC2 dst_region=us-east-1", "zone", "zone"},
	{"from a public address of EC2 here", client + "ingress src=54.1.1.1 dst=10.0.1.5 src_aws=EC2 src_region=us-east-1", "zone", "zone"},
	{"from a public address of EC2 elsewhere", client + "ingress src=54.1.1.1 dst=10.0.1.5 src_aws=EC2 src_region=eu-west-1", "free", "free"},
	{"to EC2, no ranges", client + "egress p=8 src=10.0.1.5 dst=54.1.1.1 dst_aws=EC2", "unknown(zone+region)", "unknown(zone+region)"},

	// Internet.
	{"to the internet", client + "egress p=8 src=10.0.1.5 dst=" + far, "internet", "internet"},
	{"to the internet, not Nitro", client + "egress p=2 src=10.0.1.5 dst=" + far, "internet", "internet"},
	{"from the internet", client + "ingress src=" + far + " dst=10.0.1.5", "free", "free"},
	{"IPv6 to the internet", client + "egress p=8 src=2600:1f18::1 dst=2a00:1450::1", "internet", "internet"},
	{"S3 by the internet gateway", client + "egress p=8 src=10.0.1.5 dst=52.216.0.1 dst_aws=S3 dst_region=us-east-1", "free", "free"},
	{"S3 by path 2", client + "egress p=2 src=10.0.1.5 dst=52.216.0.1 dst_aws=S3 dst_region=us-east-1", "free", "free"},
	{"to CloudFront", client + "egress p=8 src=10.0.1.5 dst=13.224.0.1 dst_aws=CLOUDFRONT dst_region=GLOBAL", "free", "free"},
	{"to Global Accelerator", client + "egress p=8 src=10.0.1.5 dst=13.248.0.1 dst_aws=GLOBALACCELERATOR dst_region=GLOBAL", "internet", "internet"},
	{"nothing says what is AWS's", client + "aws=no egress p=8 src=10.0.1.5 dst=" + far, "internet?", "internet?"},
	{"v5 without the instance", home + "next=no egress p=8 src=10.0.1.5 dst=" + far + " pktsrc=10.0.1.5 pktdst=" + far, "internet?", "internet?"},
	{"v2 + inventory: route to the internet gateway", client + "next=no egress src=10.0.1.5 dst=" + far + " route=igw-1", "internet", "internet"},
	{"v2: nothing known", "region=us-east-1 next=no aws=no egress src=10.0.1.5 dst=" + far, "unknown(nat+zone+internet)", "unknown(nat+zone+internet)"},
	{"v2: no direction", "region=us-east-1 next=no aws=no src=10.0.1.5 dst=" + far, "unknown(nat+zone+internet)", "unknown(nat+zone+internet)"},
	{"rejected on the way out", client + "reject egress p=8 src=10.0.1.5 dst=" + far, "free", "free"},

	// Regions.
	{"peering to another region", client + "egress p=5 src=10.0.1.5 dst=10.9.0.5", "region", "region"},
	{"peering to a region that the next hop shows", client + "egress p=5 src=10.0.1.5 dst=10.9.0.5 next=interface next_az=use2-az1", "region:us-east-2", "region:us-east-2"},
	{"from another region", client + "ingress src=10.9.0.5 dst=10.0.1.5 peer=instance peer_region=us-east-2 next=no", "unknown(zone)", "unknown(zone)"},
	{"S3 of another region", client + "egress p=8 src=10.0.1.5 dst=52.218.0.1 dst_aws=S3 dst_region=eu-west-1", "region:eu-west-1", "region:eu-west-1"},
	{"v2 + inventory: peer in another region", client + "next=no egress src=10.0.1.5 dst=10.9.0.5 peer=instance peer_region=us-east-2 peer_az=use2-az1 route=pcx-1", "zone region:us-east-2", "zone region:us-east-2"},

	// Transit gateways.
	{"TGW log, VPC attachment, ingress", "region=us-east-1 tgwlog ingress attachment=vpc src=10.0.1.5 dst=10.1.0.5", "tgw", "free"},
	{"TGW log, VPC attachment, egress", "region=us-east-1 tgwlog egress attachment=vpc src=10.0.1.5 dst=10.1.0.5", "free", "free"},
	{"TGW log, peering attachment", "region=us-east-1 tgwlog ingress attachment=peering src=10.0.1.5 dst=10.1.0.5", "free", "free"},
	{"TGW log, attachment not known", "region=us-east-1 tgwlog ingress src=10.0.1.5 dst=10.1.0.5", "unknown(tgw)", "free"},
	{"client to a transit gateway", client + "egress p=1 src=10.0.1.5 dst=10.1.0.5 next=transit_gateway next_az=use1-az2", "free", "tgw"},
	{"client from a transit gateway", client + "ingress src=10.1.0.5 dst=10.0.1.5 next=transit_gateway next_az=use1-az2", "free", "free"},
	{"at the interface of the attachment", home + "own=transit_gateway ingress src=10.0.1.5 dst=10.1.0.5 next=interface next_az=use1-az2", "free", "free"},
	{"v2 + inventory: route to a transit gateway", client + "next=no egress src=10.0.1.5 dst=10.1.0.5 route=tgw-1 peer=instance peer_az=use1-az1", "free", "tgw"},

	// Endpoints.
	{"at the endpoint, in", home + "own=vpc_endpoint ingress src=10.0.1.5 dst=10.0.9.9 next=interface next_az=use1-az2", "endpoint", "free"},
	{"at the endpoint, out", home + "own=vpc_endpoint egress p=1 src=10.0.9.9 dst=10.0.1.5 next=interface next_az=use1-az2", "endpoint", "free"},
	{"client to the endpoint", client + "egress p=1 src=10.0.1.5 dst=10.0.9.9 next=vpc_endpoint next_az=use1-az2", "free", "endpoint"},
	{"client from the endpoint", client + "ingress src=10.0.9.9 dst=10.0.1.5 next=vpc_endpoint next_az=use1-az2", "free", "endpoint"},
	{"at the GWLB endpoint", home + "own=gateway_load_balancer_endpoint ingress src=10.0.1.5 dst=" + far + " next=interface next_az=use1-az2", "gwlb_endpoint", "free"},
	{"client to the GWLB endpoint", client + "egress p=1 src=10.0.1.5 dst=" + far + " next=gateway_load_balancer_endpoint next_az=use1-az2", "free", "gwlb_endpoint"},
	{"inventory: the peer is an endpoint", client + "next=no egress p=1 src=10.0.1.5 dst=10.0.9.9 peer=vpc_endpoint peer_az=use1-az2", "free", "endpoint"},

	// What is free, and what a virtual private gateway leads to.
	{"gateway endpoint", client + "egress p=7 src=10.0.1.5 dst=52.216.0.1 dst_aws=S3", "free", "free"},
	{"virtual private gateway", client + "egress p=3 src=10.0.1.5 dst=192.168.1.5", "unknown(dx+vpn)", "unknown(dx+vpn)"},
	{"Local Zone", client + "egress p=6 src=10.0.1.5 dst=10.0.2.5", "unknown(zone)", "unknown(zone)"},
}

func TestCharges(t *testing.T) {
	rules := [2]*Rules{Builtin().Rules(AtGateways), Builtin().Rules(AtClients)}
	for _, test := range chargeTests {
		for at, want := range []string{AtGateways: test.gateways, AtClients: test.clients} {
			if got := due(rules[at].Charges(record(t, test.record))); got != want {
				t.Errorf("%s, --charge-at %d: got %q, want %q", test.name, at, got, want)
			}
		}
	}
}

// What a virtual private gateway leads to, and who pays at a type of interface, are in the file of prices.
func TestRules(t *testing.T) {
	dx := record(t, client+"egress p=3 src=10.0.1.5 dst=192.168.1.5")
	alb := record(t, client+"egress p=1 src=10.0.1.5 dst=10.0.2.5 next=load_balancer next_az=use1-az2")
	for _, test := range []struct {
		text string
		r    *Record
		want string
	}{
		{"virtual_private_gateway: dx", dx, "dx"},
		{"virtual_private_gateway: vpn", dx, "vpn"},
		{"sides: {load_balancer: both}", alb, "zone"},
		{"sides: {load_balancer: peer}", alb, "zone"},
		{"sides: {interface: peer, load_balancer: both}", alb, "free"},
	} {
		b := Builtin()
		b.Lay(read(t, test.text))
		if got := due(b.Rules(AtGateways).Charges(test.r)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.text, got, test.want)
		}
	}
}

// Charges that flow through one gateway are taken once, with whichever kind of record: the sum over all records that AWS
// writes of one exchange by a NAT gateway is the same for both, and the client's in neither case counts twice.
func TestOneKindOfRecord(t *testing.T) {
	records := []struct {
		text  string
		bytes int64
	}{
		{client + "egress p=1 src=10.0.1.5 dst=" + far + " pktsrc=10.0.1.5 pktdst=" + far + " next=nat_gateway next_az=use1-az2", 1000},
		{home + "az=use1-az2 own=nat_gateway ingress src=10.0.1.5 dst=10.0.0.220 pktsrc=10.0.1.5 pktdst=" + far + " next=interface next_az=use1-az1", 1000},
		{home + "az=use1-az2 own=nat_gateway egress p=8 src=10.0.0.220 dst=" + far + " pktsrc=10.0.0.220 pktdst=" + far, 1000},
		{home + "az=use1-az2 own=nat_gateway ingress src=" + far + " dst=10.0.0.220 pktsrc=" + far + " pktdst=10.0.0.220", 90_000},
		{home + "az=use1-az2 own=nat_gateway egress p=1 src=10.0.0.220 dst=10.0.1.5 pktsrc=" + far + " pktdst=10.0.1.5 next=interface next_az=use1-az1", 90_000},
		{client + "ingress src=" + far + " dst=10.0.1.5 pktsrc=" + far + " pktdst=10.0.1.5 next=nat_gateway next_az=use1-az2", 90_000},
	}
	want := map[Charge]int64{NAT: 91_000, Zone: 182_000, Internet: 1000}
	for _, at := range []ChargeAt{AtGateways, AtClients} {
		got := make(map[Charge]int64)
		for _, r := range records {
			d := Builtin().Rules(at).Charges(record(t, r.text))
			for c := range (d.Charges &^ Of(Free)).All {
				got[c] += r.bytes
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("at %d: got %v, want %v", at, got, want)
		}
	}
}

// Whatever a record has, what it pays is one thing: Free alone, or charges; Unknown with the charges that it can be, none of
// which it pays for sure.
func TestDueIsWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	words := strings.Fields("ingress egress reject tgwlog next=no aws=no p=1 p=2 p=3 p=4 p=5 p=6 p=7 p=8 own=nat_gateway own=vpc_endpoint own=interface own=transit_gateway " +
		"instance=i-1 az=use1-az1 region=us-east-1 next=nat_gateway next=interface next_az=use1-az2 next_az=use1-az1 peer=rds peer_az=use1-az2 peer_region=eu-west-1 " +
		"src=10.0.0.1 src=203.0.113.5 dst=10.0.0.2 dst=203.0.113.6 dst=2600::1 pktsrc=10.0.0.3 pktsrc=203.0.113.5 pktdst=10.0.0.4 pktdst=203.0.113.6 " +
		"dst_aws=EC2 dst_aws=S3 dst_region=us-east-1 dst_region=eu-west-1 dst_region=GLOBAL src_aws=EC2 src_region=us-east-1 route=nat-1 route=igw-1 route=tgw-1 route=local resource=nat-1 attachment=vpc")
	rules := [2]*Rules{Builtin().Rules(AtGateways), Builtin().Rules(AtClients)}
	for range 20_000 {
		var some []string
		for _, w := range words {
			if random.IntN(4) == 0 {
				some = append(some, w)
			}
		}
		text := strings.Join(some, " ")
		for _, rules := range rules {
			r := record(t, text)
			d := rules.Charges(r)
			switch {
			case d.Charges.Has(Free) != (d.Charges == Of(Free)), d.Charges == 0,
				d.Charges.Has(Unknown) != (d.Most != 0), d.Most&d.Charges != 0, d.Assumed&^d.Charges != 0,
				r.Rejected && d.Charges != Of(Free):
				t.Fatalf("%s: got %+v", text, d)
			}
		}
	}
}

// Each row of the table of charges is complete.
func TestChargeTable(t *testing.T) {
	seen := make(map[string]bool)
	for c, row := range charges {
		if row.name == "" || row.pays == "" || seen[row.name] {
			t.Errorf("row %d: %q, %q", c, row.name, row.pays)
		}
		seen[row.name] = true
		if (row.test == nil) != (c >= Priced) {
			t.Errorf("%s: a test for what has a price, and for nothing else", row.name)
		}
		got, ok := ChargeNamed(row.name)
		if ok != (c < Priced) || ok && got != Charge(c) {
			t.Errorf("%s: found as %s %v", row.name, got, ok)
		}
		for _, usage := range row.usage {
			if u, ok := UsageOf(usage); !ok || u.Charge != Charge(c) {
				t.Errorf("%s: the usage type %s is of %s", row.name, usage, u.Charge)
			}
		}
	}
	if got := Of(NAT, Zone, Unknown).String(); got != "nat+zone+unknown" {
		t.Errorf("got %s", got)
	}
}

func TestUsageOf(t *testing.T) {
	for text, want := range map[string]Usage{
		"NatGateway-Bytes":              {NAT, "us-east-1", ""},
		"USE1-NatGateway-Bytes":         {NAT, "us-east-1", ""},
		"EUW2-NatGateway-Bytes":         {NAT, "eu-west-2", ""},
		"EU-DataTransfer-Out-Bytes":     {Internet, "eu-west-1", ""},
		"EUW1-VpcEndpoint-Bytes":        {Endpoint, "eu-west-1", ""},
		"VpcEndpoint-GWLBE-Bytes":       {GWLBEndpoint, "us-east-1", ""},
		"DataTransfer-Regional-Bytes":   {Zone, "us-east-1", ""},
		"APS3-VpcPeering-In-Bytes":      {Zone, "ap-south-1", ""},
		"DataTransfer-xAZ-Out-Bytes":    {Zone, "us-east-1", ""},
		"USE1-USE2-AWS-Out-Bytes":       {Region, "us-east-1", "us-east-2"},
		"APS3-EU-AWS-Out-Bytes":         {Region, "ap-south-1", "eu-west-1"},
		"EUC1-AWS-Out-Bytes":            {Region, "eu-central-1", ""},
		"USE2-TransitGateway-Bytes":     {TGW, "us-east-2", ""},
		"USW2-DataXfer-Out:dc.3":        {DX, "us-west-2", ""},
		"DataXfer-Out":                  {DX, "us-east-1", ""},
		"USE1-EUW2-AWS-In-Bytes":        {Free, "us-east-1", "eu-west-2"},
		"DataTransfer-In-Bytes":         {Free, "us-east-1", ""},
		"USW2-DataTransfer-AZ-In-Bytes": {Free, "us-west-2", ""},
	} {
		if got, ok := UsageOf(text); !ok || got != want {
			t.Errorf("%s: got %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "BoxUsage:m5.large", "EUW2-NatGateway-Hours", "EU-EUW2-NatGateway-Bytes", "Requests-Tier1", "NatGateway-Prvd-Bytes"} {
		if got, ok := UsageOf(text); ok {
			t.Errorf("%q: got %v, want none", text, got)
		}
	}
}

// Zones and codes of bills name a region each, and no two regions share one.
func TestRegions(t *testing.T) {
	codes, zones := make(map[string]string), make(map[string]string)
	for _, r := range regions {
		if codes[r.code] != "" {
			t.Errorf("%s is the code of %s and %s", r.code, codes[r.code], r.name)
		}
		if other := zones[r.zone]; other != "" && other != r.name {
			t.Errorf("%s is of %s and %s", r.zone, other, r.name)
		}
		codes[r.code], zones[r.zone] = r.name, r.name
	}
	for id, want := range map[string]string{"use1-az4": "us-east-1", "apse2-az3": "ap-southeast-2", "use1-bos1-az1": "us-east-1", "x": "", "": ""} {
		if got := RegionOfZone(id); got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
	}
}
