package report

import (
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// catalog is THE table of reports, in the order in which they are listed. Each is a subcommand of
// `flowlog report`.
var catalog = []Report{
	{
		Name: "summary", Doc: "What the logs hold: how much, from when to when, and what is missing",
		Next:     "talkers for who sends, rejected for who is refused",
		Measures: named("flows bytes packets first last accepted rejected nodata skipdata malformed distinct_srcaddr distinct_dstaddr distinct_interface_id"),
		Overview: true,
	},
	{
		Name: "talkers", Doc: "Source addresses that send the most",
		Next: "pairs for whom they talk to; --sort packets for the most packets",
		Keys: keys("srcaddr"), Measures: named("bytes packets flows"), Limit: 10, Overview: true,
	},
	{
		Name: "receivers", Doc: "Destination addresses that receive the most",
		Next: "ports for what they offer",
		Keys: keys("dstaddr"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "pairs", Doc: "Pairs of source and destination address that exchange the most",
		Next: "--by srcaddr,dstaddr,dstport for the service",
		Keys: keys("srcaddr dstaddr"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "rejected", Doc: "Source addresses with the most rejected flows, and how widely they tried",
		Next:  "rejected-ports for what they tried, rejected-targets for whom",
		Where: Equal{"action", "REJECT"}, Keys: keys("srcaddr"),
		Measures: named("flows packets bytes distinct_dstaddr distinct_dstport"), Limit: 10, Overview: true,
	},
	{
		Name: "rejected-ports", Doc: "Ports and protocols with the most rejected flows",
		Next:  "rejected for who tried",
		Where: Equal{"action", "REJECT"}, Keys: keys("dstport protocol"),
		Measures: named("flows packets bytes distinct_srcaddr distinct_dstaddr"), Limit: 10,
	},
	{
		Name: "rejected-targets", Doc: "Destination addresses and ports with the most rejected flows",
		Next:  "rejected for who tried",
		Where: Equal{"action", "REJECT"}, Keys: keys("dstaddr dstport"),
		Measures: named("flows packets bytes distinct_srcaddr"), Limit: 10,
	},
	{
		Name: "actions", Doc: "Accepted and rejected traffic",
		Next: "rejected for the sources",
		Keys: keys("action"), Measures: named("flows bytes packets"), Limit: 10,
	},
	{
		Name: "protocols", Doc: "Traffic by IP protocol",
		Next: "ports for the services on top",
		Keys: keys("protocol"), Measures: named("bytes packets flows"), Limit: 10, Overview: true,
	},
	{
		Name: "ports", Doc: "Traffic by destination port and protocol",
		Next: "--by dstaddr,dstport for the servers",
		Keys: keys("dstport protocol"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "interfaces", Doc: "Network interfaces with the most traffic",
		Next: "--by interface_id,dstport for the services",
		Keys: keys("interface_id"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "subnets", Doc: "Subnets with the most traffic",
		Next: "--by subnet_id,az_id for where they are",
		Keys: keys("subnet_id"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "instances", Doc: "Instances with the most traffic",
		Next: "--by instance_id,dstport for the services",
		Keys: keys("instance_id"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "tgw-drops", Doc: "Where a transit gateway loses packets, and why: by attachment",
		Next: "--by tgw_attachment_id,dstaddr for the destinations",
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
		Next: "src-asn for the networks",
		Keys: keys("src_country src_city src_latitude src_longitude"), Measures: named("flows bytes packets"), Limit: 10,
	},
	{
		Name: "dst-geo", Doc: "Where traffic goes to: country, city and place of the destination",
		Next: "dst-asn for the networks",
		Keys: keys("dst_country dst_city dst_latitude dst_longitude"), Measures: named("flows bytes packets"), Limit: 10,
	},
	{
		Name: "src-asn", Doc: "Networks (autonomous systems) that traffic comes from",
		Next: "talkers for the addresses",
		Keys: keys("src_asn src_as_org"), Measures: named("bytes packets flows"), Limit: 10,
	},
	{
		Name: "dst-asn", Doc: "Networks (autonomous systems) that traffic goes to",
		Next: "receivers for the addresses",
		Keys: keys("dst_asn dst_as_org"), Measures: named("bytes packets flows"), Limit: 10,
	},
}

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
		ks = append(ks, Key{name})
	}
	return ks
}

// named returns measures by their names, which must exist.
func named(names string) []Measure {
	var ms []Measure
	for _, name := range strings.Fields(names) {
		m, err := ParseMeasure(name, schema.Logged())
		if err != nil {
			panic(err)
		}
		ms = append(ms, m)
	}
	return ms
}
