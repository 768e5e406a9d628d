package main

import (
	"fmt"
	"math/rand/v2"
)

// A script is a list of transfers as it is written. Chance gives the ports and what is not worth saying.
type script struct {
	n    *network
	dice *rand.Rand
	all  []*transfer
	last int // number of the last connection
	used map[string]bool
}

func newScript(n *network) *script {
	return &script{n: n, dice: rand.New(rand.NewPCG(n.seed, 20260514)), used: map[string]bool{}}
}

// ephemeral is a client's port that no other connection of the same ends has had.
func (s *script) ephemeral(client, server string, port uint16) uint16 {
	for {
		from := uint16(32768 + s.dice.IntN(28000))
		if key := fmt.Sprint(client, server, port, from); !s.used[key] {
			s.used[key] = true
			return from
		}
	}
}

// add adds a transfer with its own connection. Times are seconds of the day.
func (s *script) add(t *transfer) *transfer {
	if t.connection == 0 {
		s.last++
		t.connection, t.begins = s.last, true
	}
	t.id = len(s.all) + 1
	t.start, t.end = s.n.Begin+t.start, s.n.Begin+t.end
	if t.from == 0 && (t.proto == 6 || t.proto == 17) {
		t.from = s.ephemeral(t.client, t.server, t.to)
	}
	if t.proto == 6 || t.proto == 17 {
		t.natPort = s.ephemeral("nat", t.server, t.to)
	}
	s.all = append(s.all, t)
	s.n.plan(t)
	return t
}

// packets is how many carry so many bytes: at least least of them, and none larger than 1,400 bytes.
func packets(bytes, least int64) int64 { return max(least, (bytes+1399)/1400) }

// tcp adds a connection that sends up and down bytes and is closed.
func (s *script) tcp(client, server string, port uint16, start, seconds, up, down int64, scenario string) *transfer {
	return s.add(&transfer{
		client: client, server: server, proto: 6, to: port, start: start, end: start + seconds, close: "fin", scenario: scenario,
		upBytes: up, upPackets: packets(up, 5), downBytes: down, downPackets: packets(down, 4),
	})
}

// udp adds a question and its answer, in the same second.
func (s *script) udp(client, server string, port uint16, start, up, down int64, scenario string) *transfer {
	t := &transfer{client: client, server: server, proto: 17, to: port, start: start, end: start, scenario: scenario,
		upBytes: up, upPackets: packets(up, 1), downBytes: down}
	if down > 0 {
		t.downPackets = packets(down, 1)
	}
	return s.add(t)
}

// ping adds echo requests and replies of 84 bytes, one a second.
func (s *script) ping(client, server string, start, count int64, scenario string) *transfer {
	return s.add(&transfer{client: client, server: server, proto: 1, start: start, end: start + count - 1, scenario: scenario,
		upBytes: 84 * count, upPackets: count, downBytes: 84 * count, downPackets: count})
}

// syn adds an attempt: the first packet, count times.
func (s *script) syn(client, server string, port uint16, start, count int64, scenario string) *transfer {
	return s.add(&transfer{client: client, server: server, proto: 6, to: port, start: start, end: start + count*count - count,
		scenario: scenario, upBytes: 60 * count, upPackets: count})
}

// mib is so many mebibytes and a little, so that sums do not come out round.
func (s *script) mib(n int64) int64 { return n<<20 + int64(s.dice.IntN(1<<19)) }

// when is some time between two hours.
func (s *script) when(from, to int64) int64 {
	return from*3600 + int64(s.dice.IntN(int(to-from)*3600-300))
}

// smallTraffic is the day in the committed network.
func smallTraffic(n *network) []*transfer {
	s := newScript(n)
	s.local()
	s.outward()
	s.joined()
	s.long()
	s.reused()
	s.refusals()
	s.clockwork()
	return s.all
}

// local is what stays in the first VPC.
func (s *script) local() {
	for i := range int64(6) {
		at := s.when(i*4, i*4+4)
		s.tcp("client-1", "alb-1", 443, at, 3, 2100, s.mib(40), "client of the load balancer")
		s.tcp("alb-1", "checkout-6f7c9", 8080, at, 3, 2300, s.mib(40), "load balancer to target, same zone")
		s.tcp("alb-1", "checkout-x2k7p", 8080, at+20, 4, s.mib(700), s.mib(900), "load balancer to target, other zone")
		s.tcp("checkout-x2k7p", "cart-5d8b4", 8080, at+40, 50, s.mib(500), s.mib(2100), "pod to pod, other zone")
		s.tcp("checkout-6f7c9", "search-0", 9200, at+41, 30, s.mib(300), s.mib(800), "pod to pod, other zone")
		s.tcp("checkout-6f7c9", "orders-db", 5432, at+60, 20, s.mib(90), s.mib(1200), "pod to database, same zone")
		s.tcp("checkout-x2k7p", "orders-db", 5432, at+61, 20, s.mib(80), s.mib(3100), "pod to database, other zone")
		s.tcp("resize", "orders-db", 5432, at+70, 9, s.mib(3), s.mib(260), "function to database, other zone")
		s.tcp("api", "worker", 8080, at+90, 100, s.mib(2300), s.mib(5200), "instances, other zone")
		s.tcp("worker", "sqs-2", 443, at+95, 40, s.mib(1500), s.mib(210), "interface endpoint, same zone")
		s.tcp("worker", "sqs-1", 443, at+99, 40, s.mib(1700), s.mib(190), "interface endpoint, other zone")
		s.tcp("batch", "ingest", 9000, at+110, 30, s.mib(800), s.mib(4), "network load balancer, other zone")
		s.tcp("ingest", "worker", 9000, at+110, 30, s.mib(800), s.mib(4), "network load balancer to target, other zone")
		s.tcp("ingest", "api", 9000, at+115, 30, s.mib(400), s.mib(3), "network load balancer to target, same zone")
		s.ping("api", "worker", at+150, 4, "ping, other zone")
	}
	s.tcp("api@6", "worker@6", 8443, s.when(3, 4), 30, s.mib(600), s.mib(11), "IPv6, other zone")
	s.tcp("web-1", "web-3@public", 7000, s.when(5, 6), 30, s.mib(900), s.mib(1300), "public address, same zone")
	s.tcp("web-1", "web-2@public", 7000, s.when(6, 7), 30, s.mib(700), s.mib(1100), "public address, other zone")
}

// outward is what leaves the first VPC without another VPC at the end.
func (s *script) outward() {
	for i := range int64(5) {
		client := fmt.Sprintf("client-%d", i+1)
		s.tcp(client, "web-1", 443, s.when(i*4, i*4+4), 8, 3300, s.mib(600), "client of a public instance")
		s.tcp(client, "web-2", 80, s.when(i*4, i*4+4), 2, 900, 410, "client of a public instance")
	}
	s.tcp("client6", "web-1@6", 443, s.when(2, 3), 6, 2400, s.mib(310), "IPv6 client")
	s.tcp("web-1@6", "client6", 443, s.when(3, 4), 6, s.mib(55), s.mib(3), "IPv6 outwards")
	s.tcp("office", "web-1", 22, s.when(9, 10), 900, 91000, 420000, "ssh")
	s.tcp("client-2", "old-1", 443, s.when(4, 5), 7, 2900, s.mib(280), "client of an instance that is not Nitro")
	s.tcp("old-1", "s3", 443, s.when(4, 5), 7, s.mib(190), s.mib(77), "S3 by internet gateway, not Nitro")
	s.tcp("web-2", "s3", 443, s.when(7, 8), 30, s.mib(900), s.mib(450), "S3 by internet gateway")
	s.tcp("web-2", "s3-west", 443, s.when(7, 8), 30, s.mib(310), s.mib(20), "S3 of another region by internet gateway")
	s.tcp("web-1", "cdn", 443, s.when(8, 9), 30, s.mib(420), s.mib(5), "to CloudFront")
	s.tcp("web-1", "partner", 443, s.when(8, 9), 30, s.mib(230), s.mib(610), "partner by internet gateway")
	s.udp("web-1", "resolver", 53, s.when(8, 9), 71, 180, "DNS by internet gateway")
	for range 4 {
		s.tcp("api", "s3", 443, s.when(0, 24), 70, s.mib(2500), s.mib(8100), "S3 by gateway endpoint")
		s.tcp("worker", "dynamodb", 443, s.when(0, 24), 20, s.mib(120), s.mib(340), "DynamoDB by gateway endpoint")
		s.tcp("batch", "s3", 443, s.when(0, 24), 90, s.mib(410), s.mib(6200), "S3 by NAT gateway, other zone")
		s.tcp("api", "partner", 443, s.when(0, 24), 40, s.mib(130), s.mib(2050), "partner by NAT gateway, same zone")
		s.tcp("worker", "partner", 443, s.when(0, 24), 40, s.mib(890), s.mib(310), "partner by NAT gateway, other zone")
		s.tcp("checkout-x2k7p", "partner", 443, s.when(0, 24), 20, s.mib(45), s.mib(170), "pod by NAT gateway, other zone")
	}
	s.tcp("batch", "s3-west", 443, s.when(10, 11), 50, s.mib(700), s.mib(30), "S3 of another region by NAT gateway")
	s.tcp("batch", "dynamodb", 443, s.when(10, 11), 50, s.mib(60), s.mib(200), "DynamoDB by NAT gateway")
	s.udp("api", "resolver", 53, s.when(10, 11), 70, 170, "DNS by NAT gateway")
	s.tcp("api", "west-1", 443, s.when(11, 12), 60, s.mib(1400), s.mib(90), "peering to another region")
	s.tcp("worker", "site-1", 1433, s.when(12, 13), 60, s.mib(350), s.mib(980), "virtual private gateway")
	s.tcp("etl", "partner", 443, s.when(13, 14), 30, s.mib(510), s.mib(12), "partner by NAT gateway, other zone")
}

// joined is what goes between VPCs, and what the others do by themselves.
func (s *script) joined() {
	for i := range int64(4) {
		at := s.when(i*6, i*6+6)
		s.tcp("api", "warehouse-1", 5432, at, 40, s.mib(70), s.mib(2900), "transit gateway, same zone")
		s.tcp("worker", "warehouse-1", 5432, at+70, 40, s.mib(60), s.mib(1900), "transit gateway, other zone")
		s.tcp("api", "warehouse-2", 5432, at+150, 40, s.mib(50), s.mib(900), "transit gateway, other zone, address of two VPCs")
		s.tcp("etl", "lab-1", 5432, at+200, 60, s.mib(820), s.mib(33), "peering, same zone, address of two VPCs")
		s.tcp("etl", "lab-2", 5432, at+280, 60, s.mib(610), s.mib(2050), "peering, other zone")
		s.tcp("warehouse-1", "warehouse-2", 5432, at+10, 30, s.mib(1200), s.mib(480), "instances, other zone")
		s.tcp("warehouse-2", "partner", 443, at+20, 30, s.mib(330), s.mib(770), "partner by regional NAT gateway")
		s.tcp("warehouse-1", "s3", 443, at+25, 30, s.mib(90), s.mib(1500), "S3 by regional NAT gateway")
		s.tcp("warehouse-2", "kms-1", 443, at+30, 5, s.mib(2), s.mib(1), "interface endpoint, other zone")
		s.tcp("client-4", "lab-3", 443, at+35, 5, 2600, s.mib(150), "client of a public instance")
	}
	s.tcp("warehouse-1", "api", 8080, clock(0, "10:10:00"), 30, s.mib(41), s.mib(95), "transit gateway, from the other side")
}
