package main

import (
	"net/netip"
	"strconv"
)

// A record is one line of a flow log: one direction of a flow at one interface in one interval.
type record struct {
	at                 *eni // interface that saw it; nil for a regional NAT gateway
	natID              string
	src, dst           netip.Addr
	pktSrc, pktDst     netip.Addr
	srcPort, dstPort   uint16
	proto              uint8
	packets, bytes     int64 // bytes is below 0 where AWS does not log it
	start, end         int64
	action, reason     string
	status             string // OK, NODATA or SKIPDATA
	flags              int    // below 0 where AWS does not log it
	kind               string // IPv4, IPv6 or EFA
	direction          string
	path               int // 0 where AWS does not log it
	encryption         int // below 0 where AWS does not log it
	next               *eni
	from, to           *attachment // of transit gateway records only
	lost               [4]int64    // no route, blackhole, MTU exceeded, TTL expired
	account, vpc, zone string
	region             string
}

// A field writes one column of a record.
type field struct {
	name   string
	since  int
	always bool // NODATA and SKIPDATA records have it too
	put    func(b []byte, r *record) []byte
}

// fields is the table of what VPC flow logs have, in the order of AWS's documentation.
var fields = []field{
	{"version", 2, true, nil}, // known only to the format, which writes it
	{"account-id", 2, true, func(b []byte, r *record) []byte { return text(b, r.account) }},
	{"interface-id", 2, true, ofENI(func(e *eni) string { return e.id })},
	{"srcaddr", 2, false, func(b []byte, r *record) []byte { return r.src.AppendTo(b) }},
	{"dstaddr", 2, false, func(b []byte, r *record) []byte { return r.dst.AppendTo(b) }},
	{"srcport", 2, false, func(b []byte, r *record) []byte { return strconv.AppendInt(b, int64(r.srcPort), 10) }},
	{"dstport", 2, false, func(b []byte, r *record) []byte { return strconv.AppendInt(b, int64(r.dstPort), 10) }},
	{"protocol", 2, false, func(b []byte, r *record) []byte { return strconv.AppendInt(b, int64(r.proto), 10) }},
	{"packets", 2, false, func(b []byte, r *record) []byte { return number(b, r.packets) }},
	{"bytes", 2, false, func(b []byte, r *record) []byte { return number(b, r.bytes) }},
	{"start", 2, true, func(b []byte, r *record) []byte { return number(b, r.start) }},
	{"end", 2, true, func(b []byte, r *record) []byte { return number(b, r.end) }},
	{"action", 2, false, func(b []byte, r *record) []byte { return text(b, r.action) }},
	{"log-status", 2, true, func(b []byte, r *record) []byte { return text(b, r.status) }},
	{"vpc-id", 3, true, func(b []byte, r *record) []byte { return text(b, r.vpc) }},
	{"subnet-id", 3, true, ofENI(func(e *eni) string { return e.subnet })},
	{"instance-id", 3, true, ofENI(func(e *eni) string { return e.instance })},
	{"tcp-flags", 3, false, func(b []byte, r *record) []byte { return number(b, int64(r.flags)) }},
	{"type", 3, false, func(b []byte, r *record) []byte { return text(b, r.kind) }},
	{"pkt-srcaddr", 3, false, func(b []byte, r *record) []byte { return r.pktSrc.AppendTo(b) }},
	{"pkt-dstaddr", 3, false, func(b []byte, r *record) []byte { return r.pktDst.AppendTo(b) }},
	{"region", 4, true, func(b []byte, r *record) []byte { return text(b, r.region) }},
	{"az-id", 4, true, func(b []byte, r *record) []byte { return text(b, r.zone) }},
	{"sublocation-type", 4, false, ofENI(func(e *eni) string { return e.sublocationType })},
	{"sublocation-id", 4, false, ofENI(func(e *eni) string { return e.sublocationID })},
	{"pkt-src-aws-service", 5, false, func(b []byte, r *record) []byte { return text(b, awsService(r.pktSrc)) }},
	{"pkt-dst-aws-service", 5, false, func(b []byte, r *record) []byte { return text(b, awsService(r.pktDst)) }},
	{"flow-direction", 5, false, func(b []byte, r *record) []byte { return text(b, r.direction) }},
	{"traffic-path", 5, false, func(b []byte, r *record) []byte { return positive(b, r.path) }},
	{"ecs-cluster-arn", 7, false, ofTask(func(t *task) string { return t.clusterARN })},
	{"ecs-cluster-name", 7, false, ofTask(func(t *task) string { return t.cluster })},
	{"ecs-container-instance-arn", 7, false, ofTask(func(t *task) string { return t.hostARN })},
	{"ecs-container-instance-id", 7, false, ofTask(func(t *task) string { return t.host })},
	{"ecs-container-id", 7, false, ofTask(func(t *task) string { return t.container })},
	{"ecs-second-container-id", 7, false, ofTask(func(t *task) string { return t.sidecar })},
	{"ecs-service-name", 7, false, ofTask(func(t *task) string { return t.service })},
	{"ecs-task-definition-arn", 7, false, ofTask(func(t *task) string { return t.definitionARN })},
	{"ecs-task-arn", 7, false, ofTask(func(t *task) string { return t.arn })},
	{"ecs-task-id", 7, false, ofTask(func(t *task) string { return t.id })},
	{"reject-reason", 8, false, func(b []byte, r *record) []byte { return text(b, r.reason) }},
	{"resource-id", 9, false, func(b []byte, r *record) []byte { return text(b, r.natID) }},
	{"encryption-status", 10, false, func(b []byte, r *record) []byte { return number(b, int64(r.encryption)) }},
	{"instance-tag", 11, false, ofENI(func(e *eni) string { return e.tags[0] })},
	{"instance-tag-2", 11, false, ofENI(func(e *eni) string { return e.tags[1] })},
	{"interface-tag", 11, false, ofENI(func(e *eni) string { return e.tags[2] })},
	{"interface-tag-2", 11, false, ofENI(func(e *eni) string { return e.tags[3] })},
	{"asg-tag", 11, false, ofENI(func(e *eni) string { return e.tags[4] })},
	{"asg-tag-2", 11, false, ofENI(func(e *eni) string { return e.tags[5] })},
	{"interface-type", 11, false, ofENI(func(e *eni) string { return e.kind })},
	{"next-hop-interface-id", 11, false, ofNext(func(e *eni) string { return e.id })},
	{"next-hop-subnet-id", 11, false, ofNext(func(e *eni) string { return e.subnet })},
	{"next-hop-az-id", 11, false, ofNext(func(e *eni) string { return e.zone })},
	{"next-hop-vpc-id", 11, false, ofNext(func(e *eni) string { return e.vpc })},
	{"next-hop-interface-type", 11, false, ofNext(func(e *eni) string { return e.kind })},
}

// gatewayFields is what transit gateway flow logs have beside some of the above, and gatewayFormat their
// default format, which is fixed.
var gatewayFields = []field{
	{"resource-type", 6, true, func(b []byte, r *record) []byte { return text(b, "TransitGateway") }},
	{"tgw-id", 6, true, func(b []byte, r *record) []byte { return text(b, r.from.gateway) }},
	{"tgw-attachment-id", 6, true, func(b []byte, r *record) []byte { return text(b, r.attachment().id) }},
	{"tgw-src-vpc-account-id", 6, false, func(b []byte, r *record) []byte { return text(b, r.from.account) }},
	{"tgw-dst-vpc-account-id", 6, false, func(b []byte, r *record) []byte { return text(b, r.to.account) }},
	{"tgw-src-vpc-id", 6, false, func(b []byte, r *record) []byte { return text(b, r.from.vpc) }},
	{"tgw-dst-vpc-id", 6, false, func(b []byte, r *record) []byte { return text(b, r.to.vpc) }},
	{"tgw-src-subnet-id", 6, false, func(b []byte, r *record) []byte { return text(b, r.from.subnet) }},
	{"tgw-dst-subnet-id", 6, false, func(b []byte, r *record) []byte { return text(b, r.to.subnet) }},
	{"tgw-src-eni", 6, false, func(b []byte, r *record) []byte { return text(b, r.from.eni) }},
	{"tgw-dst-eni", 6, false, func(b []byte, r *record) []byte { return text(b, r.to.eni) }},
	{"tgw-src-az-id", 6, false, func(b []byte, r *record) []byte { return text(b, r.from.zone) }},
	{"tgw-dst-az-id", 6, false, func(b []byte, r *record) []byte { return text(b, r.to.zone) }},
	{"tgw-pair-attachment-id", 6, false, func(b []byte, r *record) []byte { return text(b, r.pair().id) }},
	{"packets-lost-no-route", 6, false, func(b []byte, r *record) []byte { return number(b, r.lost[0]) }},
	{"packets-lost-blackhole", 6, false, func(b []byte, r *record) []byte { return number(b, r.lost[1]) }},
	{"packets-lost-mtu-exceeded", 6, false, func(b []byte, r *record) []byte { return number(b, r.lost[2]) }},
	{"packets-lost-ttl-expired", 6, false, func(b []byte, r *record) []byte { return number(b, r.lost[3]) }},
}

const gatewayFormat = "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id " +
	"tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni " +
	"tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport " +
	"protocol packets bytes start end log-status type packets-lost-no-route packets-lost-blackhole " +
	"packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags region flow-direction " +
	"pkt-src-aws-service pkt-dst-aws-service"

// attachment is the one the record was taken at, and pair the one at the flow's other end.
func (r *record) attachment() *attachment {
	if r.direction == "egress" {
		return r.to
	}
	return r.from
}

func (r *record) pair() *attachment {
	if r.direction == "egress" {
		return r.from
	}
	return r.to
}

func text(b []byte, s string) []byte {
	if s == "" {
		return append(b, '-')
	}
	return append(b, s...)
}

func number(b []byte, n int64) []byte {
	if n < 0 {
		return append(b, '-')
	}
	return strconv.AppendInt(b, n, 10)
}

func positive(b []byte, n int) []byte {
	if n == 0 {
		return append(b, '-')
	}
	return strconv.AppendInt(b, int64(n), 10)
}

func ofENI(get func(*eni) string) func([]byte, *record) []byte {
	return func(b []byte, r *record) []byte {
		if r.at == nil {
			return append(b, '-')
		}
		return text(b, get(r.at))
	}
}

func ofNext(get func(*eni) string) func([]byte, *record) []byte {
	return func(b []byte, r *record) []byte {
		if r.next == nil {
			return append(b, '-')
		}
		return text(b, get(r.next))
	}
}

func ofTask(get func(*task) string) func([]byte, *record) []byte {
	return func(b []byte, r *record) []byte {
		if r.at == nil || r.at.task == nil {
			return append(b, '-')
		}
		return text(b, get(r.at.task))
	}
}
