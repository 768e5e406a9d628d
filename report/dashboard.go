package report

import (
	"slices"
	"strings"
)

// A Panel is a report at its place on the dashboard.
type Panel struct {
	Tab    string
	Title  string // which no other panel has
	Report string // of the catalog
	Change        // what is different about it
}

// A Place is where on a dashboard a report is.
type Place struct{ Tab, Title string }

// dashboardRows is how many rows the rankings of the dashboard have, and dashboardPlaces how many points its maps.
const (
	dashboardRows   = 20
	dashboardPlaces = 300
)

// dashboard is THE table of panels, in order. Tabs are in that of their first panels. It has all that the panels of
// OpenObserve's dashboard "AWS VPC Flow Log" show, which are those with a number, and more. Distinct values are counted
// where they are the point only: a count of them costs more than ten sums.
var dashboard = []Panel{
	{"Overview", "What the logs hold", "summary", Change{}},
	{"Overview", "Bytes over time, by protocol", "protocol-timeline", Change{}},                                                                   // 5
	{"Overview", "Packets over time, by protocol", "protocol-timeline", Change{Measures: panelWords("packets bytes flows")}},                      // 2
	{"Overview", "Accepted and rejected flows over time", "timeline", Change{By: panelWords("time action"), Measures: panelWords("flows bytes")}}, // 13
	{"Overview", "Bytes in and out over time", "directions", Change{}},                                                                            // 4
	{"Overview", "Bytes by hour of the day and protocol", "heatmap", Change{}},                                                                    // 3
	{"Overview", "Busiest ports", "ports", Change{}},
	{"Overview", "Inside and outside", "talkers", Change{By: panelWords("src_scope dst_scope")}},
	{"Overview", "Accepted and rejected bytes", "actions", Change{Sort: "bytes"}},    // 13
	{"Top talkers", "Sources by bytes", "talkers", Change{}},                         // 8
	{"Top talkers", "Destinations by bytes", "receivers", Change{}},                  // 9
	{"Top talkers", "Sources by packets", "talkers", Change{Sort: "packets"}},        // 6
	{"Top talkers", "Destinations by packets", "receivers", Change{Sort: "packets"}}, // 7
	{"Top talkers", "Pairs by bytes", "pairs", Change{}},
	{"Top talkers", "Pairs by flows", "pairs", Change{Sort: "flows"}},
	{"Top talkers", "Original sources, behind NAT and pods", "packet-talkers", Change{}},
	{"Top talkers", "Original pairs, behind NAT and pods", "packet-pairs", Change{}},
	{"Geo", "Where flows come from", "src-geo", Change{Top: dashboardPlaces}}, // 10
	{"Geo", "Where flows go to", "dst-geo", Change{Top: dashboardPlaces}},     // 11
	{"Geo", "Countries that send the most", "src-geo", Change{By: panelWords("src_country"), Sort: "bytes"}},
	{"Geo", "Countries that receive the most", "dst-geo", Change{By: panelWords("dst_country"), Sort: "bytes"}},
	{"Geo", "Countries whose flows are rejected", "src-geo", Change{By: panelWords("src_country"), Where: onlyRejected}},
	{"Geo", "Countries whose flows are accepted", "src-geo", Change{By: panelWords("src_country"), Where: "action = ACCEPT"}},
	{"ASN", "Source networks by bytes", "src-asn", Change{}},                       // 16
	{"ASN", "Destination networks by bytes", "dst-asn", Change{}},                  // 17
	{"ASN", "Source networks by packets", "src-asn", Change{Sort: "packets"}},      // 14
	{"ASN", "Destination networks by packets", "dst-asn", Change{Sort: "packets"}}, // 15
	{"ASN", "Source networks whose flows are rejected", "src-asn", Change{Where: onlyRejected, Sort: "flows"}},
	{"ASN", "Destination networks whose flows are rejected", "dst-asn", Change{Where: onlyRejected, Sort: "flows"}},
	{"Rejected", "Rejected flows over time, by protocol", "protocol-timeline", Change{Where: onlyRejected, Measures: panelWords("flows bytes")}},
	{"Rejected", "Rejected part of all flows over time", "timeline", Change{Measures: panelWords("rejected_share rejected flows")}},
	{"Rejected", "Sources with the most rejected flows", "rejected", Change{}}, // 12
	{"Rejected", "Ports with the most rejected flows", "rejected-ports", Change{Measures: panelWords("flows packets bytes")}},
	{"Rejected", "Targets with the most rejected flows", "rejected-targets", Change{Measures: panelWords("flows packets bytes")}},
	{"Rejected", "Sources that try the most addresses", "scanners", Change{Measures: panelWords("distinct_dstaddr flows")}},
	{"Rejected", "Accepted and rejected flows", "actions", Change{}}, // 13
	{"Rejected", "Why flows are rejected", "rejected", Change{By: panelWords("reject_reason"), Measures: panelWords("flows packets bytes")}},
	{"AWS networking", "Network interfaces by bytes", "interfaces", Change{}}, // 18
	{"AWS networking", "Subnets by bytes", "subnets", Change{}},               // 20
	{"AWS networking", "Instances by bytes", "instances", Change{}},
	{"AWS networking", "VPCs by bytes", "vpcs", Change{}},
	{"AWS networking", "Ways out of the VPC", "paths", Change{}},
	{"AWS networking", "Accounts and regions", "interfaces", Change{By: panelWords("account_id region")}},
	{"AWS networking", "Bytes over time, by availability zone", "azs", Change{}}, // 19
	{"AWS networking", "Packets that transit gateways lose", "tgw-drops", Change{}},
	{"Protocols", "Protocols by packets", "protocols", Change{Sort: "packets"}},                                                                      // 25
	{"Protocols", "Protocols by bytes", "protocols", Change{}},                                                                                       // 26
	{"Protocols", "TCP packets over time", "timeline", Change{Where: "protocol = tcp", Measures: panelWords("packets bytes flows")}},                 // 21
	{"Protocols", "UDP packets over time", "timeline", Change{Where: "protocol = udp", Measures: panelWords("packets bytes flows")}},                 // 22
	{"Protocols", "ICMP packets over time", "timeline", Change{Where: "protocol in (1, 58)", Measures: panelWords("packets bytes flows")}},           // 23
	{"Protocols", "Packets of other protocols over time", "protocol-timeline", Change{Where: otherProtocols, Measures: panelWords("packets bytes")}}, // 24
	{"Protocols", "TCP flags", "tcp-flags", Change{}},
	{"AWS services", "Bytes from AWS services over time", "src-services", Change{Where: "pkt_src_aws_service is not null"}}, // 27
	{"AWS services", "Bytes to AWS services over time", "dst-services", Change{Where: "pkt_dst_aws_service is not null"}},   // 28
	{"AWS services", "AWS services by bytes sent", "src-services", Change{By: panelWords("pkt_src_aws_service"), Where: "pkt_src_aws_service is not null", Sort: "bytes"}},
	{"AWS services", "AWS services by bytes received", "dst-services", Change{By: panelWords("pkt_dst_aws_service"), Where: "pkt_dst_aws_service is not null", Sort: "bytes"}},
	{"Ports", "Destination ports by bytes", "ports", Change{}},
	{"Ports", "Destination ports by flows", "ports", Change{Sort: "flows"}},
	{"Ports", "Destination ports by packets", "ports", Change{Sort: "packets"}},
	{"Ports", "Who uses administrative ports", "admin-ports", Change{}},
	{"Quality", "Records of each interface, and the longest silence", "quality", Change{}},
	{"Quality", "Interfaces whose flows were lost", "quality", Change{Sort: "skipdata", Having: "skipdata > 0"}},
	{"Quality", "Lost records (SKIPDATA) over time", "timeline", Change{Measures: panelWords("skipdata nodata flows")}},
	{"Quality", "Records without traffic (NODATA) over time", "timeline", Change{Measures: panelWords("nodata skipdata flows")}},
}

// Conditions of panels.
const (
	onlyRejected   = "action = REJECT"
	otherProtocols = "protocol not in (1, 6, 17, 58)"
)

func panelWords(names string) []string { return strings.Fields(names) }

// Dashboard returns the panels. Rankings among them show more rows than they do by themselves.
func Dashboard() []Panel {
	panels := slices.Clone(dashboard)
	for i := range panels {
		p := &panels[i]
		switch r, _ := Named(p.Report); {
		case p.Top > 0:
		case p.By == nil && r.Limit > 0 || p.By != nil && !slices.Contains(p.By, timeKey):
			p.Top = dashboardRows
		default:
			p.Top = -1 // time has all its bins
		}
	}
	return panels
}

// Coverage is the report of the time that the records cover, those without traffic too: one row of two times, either of
// which may be null.
func Coverage() Report {
	return Report{Name: "coverage", Measures: []Measure{
		{Name: "first_record", Func: "min", Field: "start", All: true, Unit: Instant},
		{Name: "last_record", Func: "max", Field: "end", All: true, Unit: Instant},
	}}
}

// Named returns the report of the catalog with a name.
func Named(name string) (Report, bool) {
	all := Catalog()
	i := slices.IndexFunc(all, func(r Report) bool { return r.Name == name })
	if i < 0 {
		return Report{}, false
	}
	return all[i], true
}
