package report

import (
	"slices"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// catalog is THE table of reports, in the order in which they are listed. Each is a subcommand of
// `flowlog report`.
var catalog = []Report{
	{
		Name: "summary", Doc: "What the logs hold: how much, from when to when, and what is missing",
		Next:     schema.Wordsf("talkers for who sends, rejected for who is refused"),
		Measures: named("flows bytes packets first last accepted rejected nodata skipdata malformed distinct_srcaddr distinct_dstaddr distinct_interface_id"),
		Overview: true,
	},
	{
		Name: "talkers", Doc: "Source addresses that send the most",
		Next: schema.Wordsf("pairs for whom they talk to; %s for the most packets", schema.Opt("sort", "packets")),
		Keys: keys("srcaddr"), Measures: named("bytes packets flows"), Limit: 10, Overview: true,
	},
	{
		Name: "receivers", Doc: "Destination addresses that receive the most",
		Next: schema.Wordsf("ports for what they offer"),
		Keys: keys("dstaddr"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "pairs", Doc: "Pairs of source and destination address that exchange the most",
		Next: schema.Wordsf("%s for the service", schema.Opt("by", "srcaddr,dstaddr,dstport")),
		Keys: keys("srcaddr dstaddr"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "packet-talkers", Doc: "Original sources, behind NAT and in pods, that send the most",
		Next: schema.Wordsf("%s for what they are behind", schema.Opt("by", "pkt_srcaddr,srcaddr")),
		Keys: keys("pkt_srcaddr"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "packet-pairs", Doc: "Pairs of original addresses, behind NAT, that exchange the most",
		Next: schema.Wordsf("%s for the service", schema.Opt("by", "pkt_srcaddr,pkt_dstaddr,dstport")),
		Keys: keys("pkt_srcaddr pkt_dstaddr"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "rejected", Doc: "Sources with the most rejected flows, and how widely they tried",
		Next:  schema.Wordsf("rejected-ports for what they tried, rejected-targets for whom"),
		Where: where("action = REJECT"), Keys: keys("srcaddr"),
		Measures: named("flows packets bytes distinct_dstaddr distinct_dstport"), Limit: 10, Overview: true,
	},
	{
		Name: "rejected-ports", Doc: "Ports and protocols with the most rejected flows",
		Next:  schema.Wordsf("rejected for who tried"),
		Where: where("action = REJECT"), Keys: keys("dstport protocol"),
		Measures: named("flows packets bytes distinct_srcaddr distinct_dstaddr"), Limit: 10,
	},
	{
		Name: "rejected-targets", Doc: "Destination addresses and ports with the most rejected flows",
		Next:  schema.Wordsf("rejected for who tried"),
		Where: where("action = REJECT"), Keys: keys("dstaddr dstport"),
		Measures: named("flows packets bytes distinct_srcaddr"), Limit: 10,
	},
	{
		Name: "actions", Doc: "Accepted and rejected traffic",
		Next: schema.Wordsf("rejected for the sources"),
		Keys: keys("action"), Measures: named("flows bytes packets"), Limit: 10,
	},
	{
		Name: "protocols", Doc: "Traffic by IP protocol",
		Next: schema.Wordsf("ports for the services on top"),
		Keys: keys("protocol"), Measures: named("bytes packets flows"), Limit: 10, Overview: true,
	},
	{
		Name: "ports", Doc: "Traffic by destination port and protocol",
		Next: schema.Wordsf("services for the servers, without the replies to clients"),
		Keys: keys("dstport protocol"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "services", Doc: "Ports that hosts offer, and to how many, without the replies to clients",
		Next:  schema.Wordsf("talkers %s for who asks one of them", schema.Opt("where", "dstaddr = … and dstport = …")),
		Where: expr.CompareFields{Left: destinationPort, Op: expr.Equal, Right: servicePort}, Keys: keys("dstaddr dstport protocol"),
		Measures: append(named("bytes flows"), Measure{Name: "clients", Func: "distinct", Field: "srcaddr", Unit: Count}), Limit: 10,
	},
	{
		Name: "admin-ports", Doc: "Who uses ssh, rdp, telnet, vnc, WinRM, Docker and Kubernetes ports",
		Next:  schema.Wordsf("%s for what is let in from outside", schema.Opt("where", "action = ACCEPT and src_scope = public")),
		Where: where("dstport in (22, 23, 2375, 2376, 3389, 5900, 5985, 5986, 6443, 10250)"),
		Keys:  keys("srcaddr dstport"), Measures: named("bytes flows packets"), Limit: 10,
	},
	{
		Name: "scanners", Doc: "Sources that try many addresses and ports, and get no answer",
		Next: schema.Wordsf("rejected-targets %s for what one tried", schema.Opt("where", "srcaddr = …")),
		// AWS notes no ACK of its own, so that a long connection begins with a SYN alone too: few packets tell
		// one that was not answered, which is sent again after 1 and 3 seconds.
		Where: where("action = REJECT or tcp_flags = 2 and packets <= 3"), Keys: keys("srcaddr"),
		Measures: append([]Measure{{Name: "targets", Func: "distinct", Field: "dstaddr", With: "dstport", Unit: Count}},
			named("distinct_dstaddr distinct_dstport flows")...),
		Limit: 10,
	},
	{
		Name: "tcp-flags", Doc: "TCP flags that were seen in an interval",
		Next:  schema.Wordsf("scanners for who sends a SYN and nothing else"),
		Where: where("protocol = 6"), Keys: keys("tcp_flags"), Measures: named("flows packets bytes"), Limit: 10,
	},
	{
		Name: "ip-versions", Doc: "IPv4 and IPv6 traffic",
		Next: schema.Wordsf("talkers %s for who sends it", schema.Opt("where", "ip_version = IPv6")),
		Keys: keys("ip_version"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "timeline", Doc: "Traffic over time",
		Next: schema.Wordsf("%s for finer bins; protocol-timeline for what it is made of", schema.Opt("every", "5m")),
		Keys: keys("time"), Measures: named("flows bytes packets rejected"), Order: "time",
	},
	{
		Name: "protocol-timeline", Doc: "Traffic over time, by IP protocol",
		Next: schema.Wordsf("%s for one of them", schema.Opt("where", "protocol = udp")),
		Keys: keys("time protocol"), Measures: named("bytes packets flows"), Order: "time",
	},
	{
		Name: "heatmap", Doc: "Traffic by the hour of the day and IP protocol",
		Next: schema.Wordsf("%s for the hours of your clock", schema.Opt("tz", "Local")),
		Keys: keys("hour protocol"), Measures: named("bytes packets flows"), Order: "hour",
	},
	{
		Name: "directions", Doc: "Traffic into and out of the interfaces, over time",
		Next: schema.Wordsf("paths for the ways out"),
		Keys: keys("time flow_direction"), Measures: named("bytes packets flows"), Order: "time",
	},
	{
		Name: "paths", Doc: "Ways that outgoing traffic takes: in the VPC, by a gateway, by peering",
		Next: schema.Wordsf("talkers %s for who uses one", schema.Opt("where", "traffic_path = 8")),
		Keys: keys("traffic_path"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "interfaces", Doc: "Network interfaces with the most traffic",
		Next: schema.Wordsf("%s for the services", schema.Opt("by", "interface_id,dstport")),
		Keys: keys("interface_id"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "subnets", Doc: "Subnets with the most traffic",
		Next: schema.Wordsf("%s for where they are", schema.Opt("by", "subnet_id,az_id")),
		Keys: keys("subnet_id"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "instances", Doc: "Instances with the most traffic",
		Next: schema.Wordsf("%s for the services", schema.Opt("by", "instance_id,dstport")),
		Keys: keys("instance_id"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "vpcs", Doc: "VPCs with the most traffic",
		Next: schema.Wordsf("%s for their subnets", schema.Opt("by", "vpc_id,subnet_id")),
		Keys: keys("vpc_id"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "azs", Doc: "Traffic of the availability zones over time",
		Next: schema.Wordsf("%s for what crosses zones, where that is logged", schema.Opt("by", "az_id,next_hop_az_id")),
		Keys: keys("time az_id"), Measures: named("bytes packets flows"), Order: "time",
	},
	{
		Name: "src-services", Doc: "AWS services that traffic comes from, over time",
		Next: schema.Wordsf("%s for who talks to them", schema.Opt("by", "pkt_src_aws_service,interface_id")),
		Keys: keys("time pkt_src_aws_service"), Measures: named("bytes packets flows"), Order: "time",
	},
	{
		Name: "dst-services", Doc: "AWS services that traffic goes to, over time",
		Next: schema.Wordsf("%s for who talks to them", schema.Opt("by", "pkt_dst_aws_service,interface_id")),
		Keys: keys("time pkt_dst_aws_service"), Measures: named("bytes packets flows"), Order: "time",
	},
	{
		Name: "quality", Doc: "What the logs of each interface hold, and for how long they say nothing",
		Next: schema.Wordsf("%s on other reports for what one does log", schema.Opt("where", "interface_id = …")),
		Keys: keys("interface_id"),
		Measures: append(named("flows nodata skipdata"),
			Measure{Name: "first_record", Func: "min", Field: "start", All: true, Unit: Instant},
			Measure{Name: "last_record", Func: "max", Field: "end", All: true, Unit: Instant},
			Measure{Name: "longest_gap", Func: "gap", Field: "start", All: true, Unit: Seconds}),
		Order: "longest_gap", Limit: 10,
	},
	{
		Name: "tgw-drops", Doc: "Where a transit gateway loses packets, and why: by attachment",
		Next: schema.Wordsf("%s for the destinations", schema.Opt("by", "tgw_attachment_id,dstaddr")),
		Keys: keys("tgw_attachment_id"),
		Measures: append([]Measure{
			{Name: "lost", Func: "sum", Field: "packets_lost", Unit: Count},
			{Name: "lost_no_route", Func: "sum", Field: "packets_lost_no_route", Unit: Count},
			{Name: "lost_blackhole", Func: "sum", Field: "packets_lost_blackhole", Unit: Count},
			{Name: "lost_mtu_exceeded", Func: "sum", Field: "packets_lost_mtu_exceeded", Unit: Count},
			{Name: "lost_ttl_expired", Func: "sum", Field: "packets_lost_ttl_expired", Unit: Count},
		}, named("packets flows")...),
		Limit: 10,
	},
	{
		Name: "src-geo", Doc: "Where traffic comes from: country, city and place of the source",
		Next: schema.Wordsf("src-asn for the networks"),
		Keys: keys("src_country src_city src_latitude src_longitude"), Measures: named("flows bytes packets"), Limit: 10,
	},
	{
		Name: "dst-geo", Doc: "Where traffic goes to: country, city and place of the destination",
		Next: schema.Wordsf("dst-asn for the networks"),
		Keys: keys("dst_country dst_city dst_latitude dst_longitude"), Measures: named("flows bytes packets"), Limit: 10,
	},
	{
		Name: "src-asn", Doc: "Networks (autonomous systems) that traffic comes from",
		Next: schema.Wordsf("talkers for the addresses"),
		Keys: keys("src_asn src_as_org"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "dst-asn", Doc: "Networks (autonomous systems) that traffic goes to",
		Next: schema.Wordsf("receivers for the addresses"),
		Keys: keys("dst_asn dst_as_org"), Measures: named("bytes packets flows"), Limit: 10,
	},
}

// destinationPort is logged, and servicePort is computed: it is the one of the two ports that is the service's.
var (
	destinationPort, _ = logged.Lookup("dstport")
	servicePort        = schema.Field{Name: "service_port", Kind: schema.Int32, Max: 65535, From: []string{"srcport", "dstport"}}
)

// Catalog returns all reports.
func Catalog() []Report { return slices.Clone(catalog) }

// Overview returns the reports that `flowlog report` prints without a name.
func Overview() []Report {
	return slices.DeleteFunc(Catalog(), func(r Report) bool { return !r.Overview })
}

// Names lists the names of all reports.
func Names() []string {
	var names []string
	for _, r := range catalog {
		names = append(names, r.Name)
	}
	return names
}

func keys(names string) []Key {
	var ks []Key
	for _, name := range strings.Fields(names) {
		k := Key{Field: name} // it may be a field that enrichment adds, which is not known here
		if name == timeKey || name == schema.HourKey {
			k, _ = ParseKey(name, nil)
		}
		ks = append(ks, k)
	}
	return ks
}

// logged are the fields that AWS logs: a copy for each use in the catalog would take longer than all else at start.
var logged = schema.Logged()

// where returns the condition, which must be one on logged fields.
func where(text string) expr.Expr {
	e, err := expr.Parse(text, expr.Scope{Fields: logged})
	if err != nil {
		panic(err)
	}
	return e
}

// named returns measures by their names, which must exist.
func named(names string) []Measure {
	var ms []Measure
	for _, name := range strings.Fields(names) {
		m, err := ParseMeasure(name, logged)
		if err != nil {
			panic(err)
		}
		ms = append(ms, m)
	}
	return ms
}
