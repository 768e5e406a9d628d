package main

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// A format is a flow log's choice and order of fields.
type format struct {
	name    string // of its folder
	version int
	fields  []string
}

// The fields that each version added, in the order of AWS's documentation. Version 6 is a transit gateway's; those that
// versions 7 and 11 have for ECS and tags are in the last format too, mostly without a value.
const (
	fields2  = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
	fields3  = " vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr"
	fields4  = " region az-id sublocation-type sublocation-id"
	fields5  = " pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path"
	fields7  = " ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id"
	fields8  = " reject-reason"
	fields9  = " resource-id"
	fields10 = " encryption-status"
	fields11 = " instance-tag instance-tag-2 interface-tag interface-tag-2 asg-tag asg-tag-2 interface-type next-hop-interface-id next-hop-subnet-id next-hop-az-id next-hop-vpc-id next-hop-interface-type"
)

var formats = []format{
	{"v2", 2, strings.Fields(fields2)},
	{"v5", 5, strings.Fields(fields2 + fields3 + fields4 + fields5)},
	{"v11", 11, strings.Fields(fields2 + fields3 + fields4 + fields5 + fields7 + fields8 + fields9 + fields10 + fields11)},
}

// logFormat is the format as AWS's API shows it.
func (f format) logFormat() string { return "${" + strings.Join(f.fields, "} ${") + "}" }

// line writes a record, with its newline.
func (f format) line(b []byte, n *network, r *record) []byte {
	return append(f.join(b, n.values(r)), '\n')
}

// join writes the values of a record in the format's order.
func (f format) join(b []byte, values map[string]string) []byte {
	for i, name := range f.fields {
		if i > 0 {
			b = append(b, ' ')
		}
		v := values[name]
		switch {
		case name == "version":
			v = strconv.Itoa(f.version)
		case v == "":
			v = "-"
		}
		b = append(b, v...)
	}
	return b
}

// values are those of a record by field. What is missing is "-" in the log.
func (n *network) values(r *record) map[string]string {
	e := r.at
	v := map[string]string{
		"account-id": r.vpc.Account, "interface-id": e.ENI, "vpc-id": r.vpc.ID, "region": n.Region, "az-id": n.zone(e),
		"start": number(r.start), "end": number(r.end), "log-status": "OK",
	}
	if e.Type == "vpc_endpoint" { // a service made the interface: AWS may not tell whose it is
		v["account-id"] = "unknown"
	}
	if e.Type == "instance" {
		v["instance-id"] = e.Owner
	}
	if e.Subnet != "" {
		v["subnet-id"] = n.subnet(e.Subnet).ID
	}
	if r.noData {
		v["log-status"] = "NODATA"
		return v
	}
	src, dst := r.logged()
	v["srcaddr"], v["dstaddr"], v["pkt-srcaddr"], v["pkt-dstaddr"] = src.String(), dst.String(), r.src.String(), r.dst.String()
	v["srcport"], v["dstport"], v["protocol"] = number(int64(r.srcPort)), number(int64(r.dstPort)), number(int64(r.t.proto))
	v["packets"], v["bytes"], v["tcp-flags"] = number(r.packets), number(r.bytes), number(int64(r.flags))
	v["action"], v["type"], v["flow-direction"] = "ACCEPT", "IPv4", "ingress"
	if r.src.Is6() {
		v["type"] = "IPv6"
	}
	if r.out {
		v["flow-direction"] = "egress"
		if !r.reject {
			v["traffic-path"] = number(int64(r.path))
		}
	}
	v["pkt-src-aws-service"], v["pkt-dst-aws-service"] = n.service(r.src), n.service(r.dst)
	n.newer(v, r)
	return v
}

// newer adds the fields of versions above 5.
func (n *network) newer(v map[string]string, r *record) {
	e := r.at
	if r.reject {
		v["action"] = "REJECT"
		v["reject-reason"] = map[string]string{"bpa": "BPA", "ec": "EC"}[r.t.event]
	}
	if e.ENI == "" {
		v["resource-id"] = e.Owner
	}
	if r.vpc.Encryption {
		v["encryption-status"] = n.encryption(r)
	}
	switch e.Type {
	case "nat_gateway", "network_load_balancer", "regional_nat_gateway", "transit_gateway", "vpc_endpoint":
		v["interface-type"] = e.Type
	case "instance":
		v["instance-tag"] = strings.ReplaceAll(url.QueryEscape(n.title(e)), "+", "%20")
	}
	v["asg-tag"] = e.Scaling
	v["next-hop-az-id"] = r.nextZone
	v["next-hop-interface-type"] = r.nextType
	if next := r.next; next != nil && !r.reject {
		v["next-hop-interface-id"], v["next-hop-subnet-id"], v["next-hop-vpc-id"] = next.ENI, n.subnet(next.Subnet).ID, n.vpc(next.VPC).ID
		if next.Type == "nat_gateway" || next.Type == "network_load_balancer" || next.Type == "transit_gateway" || next.Type == "vpc_endpoint" {
			v["next-hop-interface-type"] = next.Type
		}
	}
	if r.reject {
		v["next-hop-az-id"], v["next-hop-interface-type"] = "", ""
	}
}

// logged are a record's srcaddr and dstaddr: on the interface's own side they are its primary address, whichever the
// packet has. A regional NAT gateway has none, and logs those of the packet.
func (r *record) logged() (src, dst netip.Addr) {
	src, dst = r.src, r.dst
	if r.at.ENI == "" || src.Is6() {
		return src, dst
	}
	if own := netip.MustParseAddr(r.at.Addr); r.out {
		src = own
	} else {
		dst = own
	}
	return src, dst
}

// encryption is the status in a VPC with encryption controls: 1 between two interfaces of the VPC, 3 if TLS to an
// endpoint is inside, 0 for the rest.
func (n *network) encryption(r *record) string {
	if r.next == nil || r.next.VPC != r.at.VPC || r.next.Type == "transit_gateway" || r.at.Type == "transit_gateway" {
		return "0"
	}
	endpoint := r.at.Type == "vpc_endpoint" || r.next.Type == "vpc_endpoint"
	if endpoint && (r.srcPort == 443 || r.dstPort == 443) {
		return "3"
	}
	return "1"
}

// service is the name under which AWS lists a public address: of a service, or of an interface's own one.
func (n *network) service(a netip.Addr) string {
	for _, o := range n.Outside {
		if o.Addr == a.String() {
			return o.Service
		}
	}
	if own.Contains(a) {
		return "EC2"
	}
	return ""
}

// own is where the public addresses of interfaces are from.
var own = netip.MustParsePrefix("198.51.100.0/24")

// title is the tag Name of an instance.
func (n *network) title(e *node) string { return e.Name }

func number(i int64) string {
	if i < 0 {
		return ""
	}
	return strconv.FormatInt(i, 10)
}
