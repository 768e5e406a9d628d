package main

// long is connections that outlast windows, pauses and each other.
func (s *script) long() {
	// six hours, with a packet every five minutes: its SYN is in the first window alone
	s.add(&transfer{client: "api", server: "orders-db", proto: 6, to: 5432, start: clock(0, "02:00:10"), end: clock(0, "08:00:10"), close: "fin",
		upBytes: 73 * 120, upPackets: 73, downBytes: 73 * 640, downPackets: 73, scenario: "pool, open for six hours"})
	// still open when the day ends, and open when it begins: no SYN, no FIN
	s.add(&transfer{client: "worker", server: "orders-db", proto: 6, to: 5432, start: clock(0, "22:30:05"), end: clock(0, "23:58:00"),
		upBytes: 30 * 110, upPackets: 30, downBytes: 30 * 500, downPackets: 30, scenario: "open at the end of the day"})
	old := s.add(&transfer{client: "batch", server: "api", proto: 6, to: 8080, start: 30, end: 900, close: "fin",
		upBytes: 16 * 90, upPackets: 16, downBytes: 16 * 800, downPackets: 16, scenario: "open before the day began", connection: -1})
	s.last++
	old.connection = s.last
	// a pause of an hour, after which the connection goes on without a SYN
	first := s.tcp("worker", "api", 8080, clock(0, "13:00:20"), 120, 9000, 44000, "before an hour's pause")
	first.close = ""
	s.add(&transfer{client: "worker", server: "api", proto: 6, from: first.from, to: 8080, connection: first.connection, start: clock(0, "14:03:00"), end: clock(0, "14:05:30"),
		close: "fin", upBytes: 4000, upPackets: 20, downBytes: 21000, downPackets: 20, scenario: "after an hour's pause"})
	// the same ports again, two minutes later: another connection
	one := s.tcp("api", "worker", 8080, clock(0, "15:00:03"), 30, 5100, 20000, "first use of a port")
	s.add(&transfer{client: "api", server: "worker", proto: 6, from: one.from, to: 8080, start: clock(0, "15:02:30"), end: clock(0, "15:03:00"), close: "fin",
		upBytes: 6200, upPackets: 9, downBytes: 31000, downPackets: 25, scenario: "second use of the port"})
	// ends other than a FIN
	s.tcp("api", "worker", 8080, clock(0, "15:10:00"), 12, 4000, 9000, "reset by the client").close = "rst-client"
	s.tcp("api", "worker", 8080, clock(0, "15:12:00"), 12, 4100, 200, "reset by the server").close = "rst-server"
	s.add(&transfer{client: "api", server: "worker", proto: 6, to: 8080, start: clock(0, "15:14:00"), end: clock(0, "15:14:00"), close: "refused",
		upBytes: 60, upPackets: 1, downBytes: 40, downPackets: 1, scenario: "nothing listens"})
	s.syn("worker", "warehouse-1", 5432, clock(0, "15:16:00"), 4, "server is down")
	s.udp("web-2", "partner", 514, clock(0, "15:18:00"), 900, 0, "syslog, never answered")
}

// reused is what goes to the address that has two owners in a day, and none between them.
func (s *script) reused() {
	for _, at := range []string{"08:00:00", "08:40:00", "09:10:00", "09:50:00", "09:58:30", "10:05:30", "10:30:00", "11:00:00", "12:00:30", "15:00:00"} {
		s.tcp("worker", "job", 8080, clock(0, at), 20, 2600, s.mib(25), "re-used address")
	}
	s.syn("api", "job", 8080, clock(0, "10:02:00"), 3, "re-used address, between its owners")
	s.tcp("job-old", "partner", 443, clock(0, "09:20:00"), 30, s.mib(70), s.mib(19), "re-used address by NAT gateway")
	s.tcp("job-new", "partner", 443, clock(0, "11:20:00"), 30, s.mib(50), s.mib(27), "re-used address by NAT gateway")
	s.syn("api", "nobody", 8080, clock(0, "16:00:00"), 4, "address without an owner")
}

// refusals is what does not get through, of every kind.
func (s *script) refusals() {
	at := clock(0, "11:10:00")
	for i := range int64(3) {
		s.syn("sweeper", "web-2", 3389, at+i*40, 2, "security group: no rule, from the internet")
		s.syn("search-0", "worker", 9300, at+i*41, 3, "security group: no rule, pod to instance")
		s.syn("etl", "api", 8080, at+i*43, 3, "security group: no rule outwards")
		s.syn("etl", "partner", 25, at+i*43, 3, "security group and network ACL: no rule outwards")
		s.syn("etl", "partner", 8443, at+i*47, 3, "network ACL: no rule outwards")
		s.syn("blocked", "web-1", 443, at+i*53, 2, "network ACL: rule 50")
		s.syn("blocked", "web-1", 23, at+i*59, 2, "security group and network ACL: rule 50")
		s.denied("client-3", "lab-3", 443, at+i*61, "bpa", "Block Public Access")
		s.denied("warehouse-1", "kms-1", 80, at+i*67, "ec", "encryption controls")
		s.syn("warehouse-1", "api", 8080, at+i*71, 3, "security group: a rule was removed")
		s.syn("lab-2", "etl", uint16(445+i), at+i*79, 2, "security group: no rule, from a peered VPC")
		s.ping("prober", "alb-1", at+i*83, 2, "security group: no rule for ICMP")
		s.udp("prober", "web-1", 161, at+i*89, 80, 0, "security group: no rule for UDP")
		s.ping("api", "orders-db", at+i*97, 4, "network ACL: answers to ICMP")
		// answers to the last ports are refused by the network ACL of the database's subnet
		s.add(&transfer{client: "api", server: "orders-db", proto: 6, from: uint16(61500 + i), to: 5432, start: at + i*73, end: at + i*73 + 6, upBytes: 180, upPackets: 3,
			scenario: "network ACL: answers to ports above 61000"})
	}
	s.syn("warehouse-1", "api", 8080, clock(0, "12:30:00"), 3, "security group: a rule was removed")
	s.tcp("warehouse-1", "api", 9100, clock(0, "10:12:00"), 20, 4000, 9000, "rule that is gone for twenty minutes")
	s.syn("warehouse-1", "api", 9100, clock(0, "10:30:00"), 3, "rule that is gone for twenty minutes")
	s.tcp("warehouse-1", "api", 9100, clock(0, "10:50:00"), 20, 4000, 9000, "rule that is gone for twenty minutes")
	for i := range int64(2) { // the client has closed, the server has not heard of it
		t := s.tcp("web-1", "partner", 443, clock(0, "17:00:00")+i*600, 20, 9000, 70000, "late answers")
		t.close = "rst-client"
		s.add(&transfer{client: "web-1", server: "partner", proto: 6, from: t.from, to: 443, connection: t.connection, start: t.end - s.n.Begin + 25, end: t.end - s.n.Begin + 40,
			downBytes: 120, downPackets: 3, event: "late", scenario: "late answers"})
	}
}

// denied adds two packets that AWS refuses for a reason of its own.
func (s *script) denied(client, server string, port uint16, start int64, event, scenario string) {
	s.add(&transfer{client: client, server: server, proto: 6, to: port, start: start, end: start + 2, event: event,
		scenario: scenario, upBytes: 120, upPackets: 2})
}

// clockwork is a beacon, one who talks as often by chance, scans, and a monitor that is none.
func (s *script) clockwork() {
	for at := int64(65); at < 86300; at += 1200 + int64(s.dice.IntN(241)) - 120 {
		s.tcp("worker", "control", 443, at, 1, 1150, 640, "beacon: every 20 minutes, give or take 10 %")
	}
	for at := int64(200); at < 86000; {
		s.tcp("web-3", "partner", 443, at, 1, 1100, 2600, "as often, by chance")
		gap := int64(60)
		for s.dice.IntN(20) != 0 {
			gap += 60
		}
		at += gap + int64(s.dice.IntN(60))
	}
	for i := range int64(60) {
		s.syn("sweeper", "web-1", uint16(1000+37*i), clock(0, "18:00:00")+i/2, 1, "scan of one host's ports")
	}
	for i, host := range []string{"web-1", "web-2", "web-3", "old-1", "alb-1", "alb-2"} {
		for j, port := range []uint16{22, 3389, 5900, 8080} {
			s.syn("prober", host, port, clock(0, "19:00:00")+int64(i*4+j)*5, 2, "scan of hosts")
		}
	}
	for i := range int64(24) {
		s.tcp("monitor", "web-1", 443, i*3600+600, 1, 700, 5200, "monitor")
		s.tcp("monitor", "web-2", 443, i*3600+603, 1, 700, 5200, "monitor")
	}
}
