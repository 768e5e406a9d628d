package main

import "time"

// day is the UTC day that the committed logs cover whole.
var day = time.Date(2026, 5, 14, 0, 0, 0, 0, time.UTC).Unix()

func newNetwork(seed uint64) *network {
	return &network{Region: "us-east-1", Begin: day, End: day + 86400, ends: map[string]*end{}, seed: seed}
}

// small is the committed network: two VPCs of one account that a transit gateway joins, and a third VPC of another
// account, which has the same addresses as the second and is peered with the first.
func small() *network {
	n := newNetwork(0)
	n.addVPC("shop", accountShop, "10.0.0.0/16", "2001:db8:a::/56", true)
	n.addVPC("data", accountShop, "10.1.0.0/16", "", true)
	n.addVPC("lab", accountLab, "10.1.0.0/16", "", true)
	n.vpc("data").Encryption = true
	n.Lists = []*list{
		{Name: "com.amazonaws.us-east-1.s3", ID: "pl-63a5400a", Owner: "AWS", Entries: []string{"52.216.0.0/15", "54.231.0.0/16"}},
		{Name: "com.amazonaws.us-east-1.dynamodb", ID: "pl-02cd2c6b", Owner: "AWS", Entries: []string{"52.94.0.0/22"}},
		{Name: "partners", ID: n.id("pl", "partners"), Owner: accountShop, Entries: []string{"10.1.0.0/28", "203.0.113.4/30"}},
	}
	n.smallRoutes()
	n.smallFilters()
	n.smallShop()
	n.smallOthers()
	n.Snapshots = []*snapshot{
		{accountShop, clock(day, "09:00:00")}, {accountShop, clock(day, "09:30:00")},
		{accountShop, clock(day, "12:00:00")}, {accountLab, clock(day, "12:00:00")},
	}
	return n
}

func (n *network) smallRoutes() {
	n.addPeering("lab", "shop", "lab", "", [2]string{"10.0.0.0/16", "10.1.0.0/16"})
	n.addPeering("west", "shop", n.id("vpc", "west"), "us-west-2", [2]string{"10.0.0.0/16", "172.31.0.0/16"})
	lab, west := n.Peerings[0].ID, n.Peerings[1].ID
	tgw, nat := n.id("tgw", "hub"), n.id("nat", "nat-a")
	s3, dynamo := n.Lists[0].ID, n.Lists[1].ID
	igw := n.vpc("shop").Gateway
	n.addTable("shop", "public", route{any4, igw}, route{any6, igw}, route{"10.1.0.0/16", tgw})
	n.addTable("shop", "app", route{any4, nat}, route{s3, n.id("vpce", "s3")}, route{dynamo, n.id("vpce", "dynamodb")},
		route{"10.1.0.0/16", tgw}, route{"172.31.0.0/16", west}, route{"192.168.0.0/16", n.id("vgw", "shop")})
	n.addTable("shop", "batch", route{any4, nat}, route{"10.1.0.0/16", tgw}) // without gateway endpoints: what S3 gets goes by NAT
	n.addTable("shop", "data", route{any4, nat}, route{s3, n.id("vpce", "s3")}, route{"10.1.0.0/16", lab})
	n.addTable("shop", "hub", route{"10.1.0.0/16", tgw})
	n.addTable("data", "data-app", route{any4, n.id("nat", "nat-b")}, route{"10.0.0.0/16", tgw})
	n.addTable("data", "data-hub", route{"10.0.0.0/16", tgw})
	n.addTable("lab", "lab", route{any4, n.vpc("lab").Gateway}, route{"10.0.0.0/16", lab})

	n.addSubnet("shop", "public-1", "use1-az1", "10.0.0.0/24", "2001:db8:a::/64", "public", "public")
	n.addSubnet("shop", "public-2", "use1-az2", "10.0.1.0/24", "", "public", "public")
	n.addSubnet("shop", "public-3", "use1-az3", "10.0.2.0/24", "", "public", "public")
	n.addSubnet("shop", "app-1", "use1-az1", "10.0.16.0/22", "2001:db8:a:10::/64", "app", "open")
	n.addSubnet("shop", "app-2", "use1-az2", "10.0.20.0/22", "2001:db8:a:14::/64", "app", "open")
	n.addSubnet("shop", "app-3", "use1-az3", "10.0.24.0/22", "", "batch", "open")
	n.addSubnet("shop", "data-1", "use1-az1", "10.0.32.0/24", "", "data", "data")
	n.addSubnet("shop", "data-2", "use1-az2", "10.0.33.0/24", "", "data", "data")
	n.addSubnet("shop", "hub-1", "use1-az1", "10.0.48.0/28", "", "hub", "open")
	n.addSubnet("shop", "hub-2", "use1-az2", "10.0.48.16/28", "", "hub", "open")
	n.addSubnet("shop", "hub-3", "use1-az3", "10.0.48.32/28", "", "hub", "open")
	n.addSubnet("data", "data-app-1", "use1-az1", "10.1.0.0/24", "", "data-app", "data-open")
	n.addSubnet("data", "data-app-2", "use1-az2", "10.1.1.0/24", "", "data-app", "data-open")
	n.addSubnet("data", "data-hub-1", "use1-az1", "10.1.48.0/28", "", "data-hub", "data-open")
	n.addSubnet("data", "data-hub-2", "use1-az2", "10.1.48.16/28", "", "data-hub", "data-open")
	n.addSubnet("lab", "lab-1", "use1-az2", "10.1.1.0/24", "", "lab", "lab-open")
	n.addSubnet("lab", "lab-2", "use1-az1", "10.1.2.0/24", "", "lab", "lab-open")
}

// all is every port, in the form of AWS's rules without ports.
var all = [2]int{0, 65535}

func in(proto, from, to int, peer string) rule {
	return rule{Proto: proto, Ports: [2]int{from, to}, Peer: peer}
}
func out(proto, from, to int, peer string) rule {
	return rule{Out: true, Proto: proto, Ports: [2]int{from, to}, Peer: peer}
}
func anyOut() rule  { return out(-1, 0, 65535, any4) }
func anyOut6() rule { return out(-1, 0, 65535, any6) }

func (n *network) smallFilters() {
	gone := func(r rule, from, to int64) rule { r.Gone = [2]int64{from, to}; return r }
	n.addGroup("shop", "web", in(6, 443, 443, any4), in(6, 443, 443, any6), in(6, 80, 80, any4), in(6, 22, 22, "203.0.113.12/32"),
		in(1, 0, 65535, any4), in(17, 4789, 4789, "web"), in(6, 7000, 7000, "198.51.100.0/24"), anyOut(), anyOut6())
	n.addGroup("shop", "alb", in(6, 443, 443, any4), out(6, 8080, 8080, "node"))
	n.addGroup("shop", "node", in(6, 8080, 8080, "alb"), in(-1, 0, 65535, "node"), in(6, 8080, 8080, "app"), anyOut())
	n.addGroup("shop", "app", in(6, 8080, 8080, "app"), in(6, 8080, 8080, "node"), in(6, 9000, 9000, "nlb"), gone(in(6, 8080, 8080, "10.1.0.0/16"), clock(day, "11:00:00"), n.End),
		gone(in(6, 9100, 9100, n.Lists[2].ID), clock(day, "10:20:00"), clock(day, "10:40:00")), in(1, 0, 65535, "10.0.0.0/8"), in(6, 8443, 8443, "2001:db8:a::/56"), anyOut(), anyOut6())
	n.addGroup("shop", "nlb", in(6, 9000, 9000, "10.0.0.0/16"), anyOut())
	n.addGroup("shop", "locked", in(6, 22, 22, "10.0.0.0/16"), out(6, 443, 443, any4), out(6, 8443, 8443, any4), out(6, 5432, 5432, "10.1.0.0/16"), out(6, 5432, 5432, "db"))
	n.addGroup("shop", "db", in(6, 5432, 5432, "app"), in(6, 5432, 5432, "node"), in(6, 5432, 5432, "locked"), in(1, 0, 65535, "app"))
	n.addGroup("shop", "endpoint", in(6, 443, 443, "10.0.0.0/16"))
	n.addGroup("data", "warehouse", in(6, 5432, 5432, "10.0.0.0/16"), in(6, 5432, 5432, "warehouse"), in(6, 8080, 8080, "10.0.0.0/16"), anyOut())
	n.addGroup("data", "data-endpoint", in(6, 80, 80, "10.1.0.0/16"), in(6, 443, 443, "10.1.0.0/16"))
	n.addGroup("lab", "lab", in(6, 5432, 5432, "10.0.0.0/16"), in(6, 443, 443, any4), anyOut())

	open := []entry{{100, false, true, -1, all, any4}, {100, true, true, -1, all, any4}, {101, false, true, -1, all, any6}, {101, true, true, -1, all, any6}}
	n.addACL("shop", "open", open...)
	n.addACL("data", "data-open", open[:2]...)
	n.addACL("lab", "lab-open", open[:2]...)
	n.addACL("shop", "public", append([]entry{{50, false, false, -1, all, "192.0.2.66/32"}}, open...)...)
	// the last ephemeral ports are forgotten, and the way out to 8443
	n.addACL("shop", "data", entry{100, false, true, -1, all, "10.0.0.0/8"}, entry{110, false, true, 6, [2]int{1024, 65535}, any4},
		entry{90, true, false, 6, [2]int{3306, 3306}, any4}, entry{100, true, true, 6, [2]int{1024, 61000}, "10.0.0.0/8"},
		entry{110, true, true, 6, [2]int{443, 443}, any4})
}

// smallShop adds the interfaces of the first VPC.
func (n *network) smallShop() {
	for _, e := range []*node{
		{Name: "nat-a", Type: "nat_gateway", Subnet: "public-1", Addr: "10.0.0.220", Public: "198.51.100.1"},
		{Name: "web-1", Type: "instance", Subnet: "public-1", Addr: "10.0.0.10", Addr6: "2001:db8:a::10", Public: "198.51.100.10", Groups: []string{"web"}},
		{Name: "web-2", Type: "instance", Subnet: "public-2", Addr: "10.0.1.10", Public: "198.51.100.11", Groups: []string{"web"}},
		{Name: "web-3", Type: "instance", Subnet: "public-1", Addr: "10.0.0.11", Public: "198.51.100.13", Groups: []string{"web"}},
		{Name: "old-1", Type: "instance", Subnet: "public-3", Addr: "10.0.2.20", Public: "198.51.100.12", Groups: []string{"web"}, OldHost: true},
		{Name: "alb-1", Type: "application_load_balancer", Owner: "app/shop/50dc6c495c0c9188", Subnet: "public-1", Addr: "10.0.0.40", Public: "198.51.100.40", Groups: []string{"alb"}},
		{Name: "alb-2", Type: "application_load_balancer", Owner: "app/shop/50dc6c495c0c9188", Subnet: "public-2", Addr: "10.0.1.40", Public: "198.51.100.41", Groups: []string{"alb"}},
		{Name: "node-1", Type: "instance", Subnet: "app-1", Addr: "10.0.16.20", Prefixes: []string{"10.0.17.0/28", "10.0.17.16/28"}, Groups: []string{"node"}, Scaling: "eks-nodes"},
		{Name: "node-2", Type: "instance", Subnet: "app-2", Addr: "10.0.20.20", Prefixes: []string{"10.0.21.0/28"}, Groups: []string{"node"}, Scaling: "eks-nodes"},
		{Name: "api", Type: "instance", Subnet: "app-1", Addr: "10.0.16.10", Addr6: "2001:db8:a:10::10", Groups: []string{"app"}},
		{Name: "worker", Type: "instance", Subnet: "app-2", Addr: "10.0.20.10", Addr6: "2001:db8:a:14::10", Groups: []string{"app"}},
		{Name: "batch", Type: "instance", Subnet: "app-3", Addr: "10.0.24.10", Groups: []string{"app"}},
		{Name: "job-old", Type: "instance", Subnet: "app-1", Addr: "10.0.16.50", Groups: []string{"app"}, Until: clock(day, "10:00:00")},
		{Name: "job-new", Type: "instance", Subnet: "app-1", Addr: "10.0.16.50", Groups: []string{"app"}, Attached: clock(day, "10:05:00")},
		{Name: "resize", Type: "lambda", Owner: "resize", Subnet: "app-2", Addr: "10.0.20.60", Groups: []string{"app"}},
		{Name: "ingest", Type: "network_load_balancer", Owner: "net/ingest/7c1d2f8e9a0b3c4d", Subnet: "app-1", Addr: "10.0.16.70", Groups: []string{"nlb"}},
		{Name: "sqs-1", Type: "vpc_endpoint", Owner: n.id("vpce", "sqs"), Subnet: "app-1", Addr: "10.0.16.80", Groups: []string{"endpoint"}},
		{Name: "sqs-2", Type: "vpc_endpoint", Owner: n.id("vpce", "sqs"), Subnet: "app-2", Addr: "10.0.20.80", Groups: []string{"endpoint"}},
		{Name: "orders-db", Type: "rds", Owner: "orders-db", Subnet: "data-1", Addr: "10.0.32.30", Groups: []string{"db"}},
		{Name: "orders-db-standby", Type: "rds", Owner: "orders-db", Subnet: "data-2", Addr: "10.0.33.30", Groups: []string{"db"}},
		{Name: "etl", Type: "instance", Subnet: "data-2", Addr: "10.0.33.10", Groups: []string{"locked"}},
		{Name: "hub-shop-1", Type: "transit_gateway", Owner: n.id("tgw-attach", "shop"), Subnet: "hub-1", Addr: "10.0.48.5"},
		{Name: "hub-shop-2", Type: "transit_gateway", Owner: n.id("tgw-attach", "shop"), Subnet: "hub-2", Addr: "10.0.48.21"},
		{Name: "hub-shop-3", Type: "transit_gateway", Owner: n.id("tgw-attach", "shop"), Subnet: "hub-3", Addr: "10.0.48.37"},
	} {
		n.addNode(e)
	}
	n.addPod("checkout-6f7c9", "shop", "Deployment/checkout", "node-1", "10.0.17.2")
	n.addPod("cart-5d8b4", "shop", "Deployment/cart", "node-1", "10.0.17.21")
	n.addPod("checkout-x2k7p", "shop", "Deployment/checkout", "node-2", "10.0.21.3")
	n.addPod("search-0", "shop", "StatefulSet/search", "node-2", "10.0.21.7")
}

// smallOthers adds the interfaces of the other two VPCs, and what is outside.
func (n *network) smallOthers() {
	for _, e := range []*node{
		{Name: "warehouse-1", Type: "instance", Subnet: "data-app-1", Addr: "10.1.0.10", Groups: []string{"warehouse"}},
		{Name: "warehouse-2", Type: "instance", Subnet: "data-app-2", Addr: "10.1.1.20", Groups: []string{"warehouse"}}, // lab-1 has this address too
		{Name: "kms-1", Type: "vpc_endpoint", Owner: n.id("vpce", "kms"), Subnet: "data-app-1", Addr: "10.1.0.80", Groups: []string{"data-endpoint"}},
		{Name: "hub-data-1", Type: "transit_gateway", Owner: n.id("tgw-attach", "data"), Subnet: "data-hub-1", Addr: "10.1.48.5"},
		{Name: "hub-data-2", Type: "transit_gateway", Owner: n.id("tgw-attach", "data"), Subnet: "data-hub-2", Addr: "10.1.48.21"},
		{Name: "nat-b", Type: "regional_nat_gateway", VPC: "data", Zonal: []string{"use1-az1=198.51.100.200", "use1-az2=198.51.100.201"}},
		{Name: "lab-1", Type: "instance", Subnet: "lab-1", Addr: "10.1.1.20", Groups: []string{"lab"}},
		{Name: "lab-2", Type: "instance", Subnet: "lab-2", Addr: "10.1.2.10", Groups: []string{"lab"}},
		{Name: "lab-3", Type: "instance", Subnet: "lab-2", Addr: "10.1.2.11", Public: "198.51.100.250", Groups: []string{"lab"}},
	} {
		n.addNode(e)
	}
	for i, a := range []string{"203.0.113.20", "203.0.113.77", "203.0.113.140", "192.0.2.40", "192.0.2.201"} {
		n.addOutside("client-"+string(rune('1'+i)), a, "", "")
	}
	n.addOutside("client6", "2001:db8:c0::7", "", "")
	n.addOutside("office", "203.0.113.12", "", "")
	n.addOutside("partner", "203.0.113.5", "", "")
	n.addOutside("control", "203.0.113.66", "", "") // whom the beacon calls
	n.addOutside("sweeper", "203.0.113.250", "", "")
	n.addOutside("prober", "192.0.2.99", "", "")
	n.addOutside("blocked", "192.0.2.66", "", "")
	n.addOutside("monitor", "203.0.113.33", "", "")
	n.addOutside("s3", "52.216.8.53", "S3", "us-east-1")
	n.addOutside("dynamodb", "52.94.0.71", "DYNAMODB", "us-east-1")
	n.addOutside("s3-west", "52.218.136.10", "S3", "us-west-2")
	n.addOutside("cdn", "130.176.1.9", "CLOUDFRONT", "GLOBAL")
	n.addOutside("resolver", "8.8.8.8", "", "")
	n.addOutside("west-1", "172.31.0.10", "", "us-west-2")
	n.addOutside("site-1", "192.168.20.7", "", "")
	// addresses of the first VPC that nobody has, or not yet
	n.addPlace("nobody", "shop", "10.0.16.99")
	n.addPlace("job", "shop", "10.0.16.50")
}
