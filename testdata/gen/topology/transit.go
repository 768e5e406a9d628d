package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// transitFormat is the format of a transit gateway's flow log, version 6, which is fixed.
var transitFormat = format{"v6", 6, strings.Fields("version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id " +
	"tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni " +
	"tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport " +
	"protocol packets bytes start end log-status type packets-lost-no-route packets-lost-blackhole " +
	"packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags region flow-direction " +
	"pkt-src-aws-service pkt-dst-aws-service")}

// A passage is a transit gateway's record: of packets that came in by an interface of one attachment, or went out by
// one of another.
type passage struct {
	record
	enter, leave *node
}

// transitLogs adds what the transit gateway logs: each direction of a transfer as it comes in and as it goes out.
func (n *network) transitLogs(files map[string][]byte, transfers []*transfer) {
	var all []passage
	for _, t := range transfers {
		if t.way.kind != "tgw" {
			continue
		}
		for _, back := range []bool{false, true} {
			points, packets, bytes := t.way.forth, t.upPackets, t.upBytes
			if back {
				points, packets, bytes = t.way.back, t.downPackets, t.downBytes
			}
			if r := t.refusal; packets == 0 || r != nil && (r.back == back && r.point < 2 || back && !r.back) {
				continue // it does not come so far
			}
			for _, out := range []bool{false, true} {
				r := record{point: points[1], t: t, packets: packets, bytes: bytes}
				r.out = out
				for _, piece := range r.cut(back) {
					all = append(all, passage{piece, points[1].at, points[2].at})
				}
			}
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(a, b passage) int {
		return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.enter.ENI, b.enter.ENI), cmp.Compare(a.start, b.start))
	})
	text := []byte(strings.Join(transitFormat.fields, " ") + "\n")
	for _, p := range all {
		text = append(transitFormat.join(text, n.passed(p)), '\n')
	}
	date := time.Unix(n.Begin, 0).UTC()
	files[fmt.Sprintf("v6/AWSLogs/%s/vpcflowlogs/%s/%s/%s_vpcflowlogs_%s_%s_%s.log.gz", accountShop, n.Region, date.Format("2006/01/02"),
		accountShop, n.Region, n.id("fl", "hub"), date.Format("20060102"))] = gzipped(text)
}

// passed are the values of a passage by field.
func (n *network) passed(p passage) map[string]string {
	src, dst := n.subnet(p.enter.Subnet), n.subnet(p.leave.Subnet)
	at, pair, direction := p.enter.Owner, p.leave.Owner, "ingress"
	if p.out {
		at, pair, direction = pair, at, "egress"
	}
	flags := p.flags
	if p.t.proto == 6 && p.packets > 2 {
		flags |= 8 // some packets carry data
	}
	return map[string]string{
		"resource-type": "TransitGateway", "account-id": accountShop, "tgw-id": n.id("tgw", "hub"), "tgw-attachment-id": at, "tgw-pair-attachment-id": pair,
		"tgw-src-vpc-account-id": n.vpc(p.enter.VPC).Account, "tgw-dst-vpc-account-id": n.vpc(p.leave.VPC).Account,
		"tgw-src-vpc-id": n.vpc(p.enter.VPC).ID, "tgw-dst-vpc-id": n.vpc(p.leave.VPC).ID, "tgw-src-subnet-id": src.ID, "tgw-dst-subnet-id": dst.ID,
		"tgw-src-eni": p.enter.ENI, "tgw-dst-eni": p.leave.ENI, "tgw-src-az-id": src.Zone, "tgw-dst-az-id": dst.Zone,
		"srcaddr": p.src.String(), "dstaddr": p.dst.String(), "srcport": strconv.Itoa(int(p.srcPort)), "dstport": strconv.Itoa(int(p.dstPort)),
		"protocol": strconv.Itoa(p.t.proto), "packets": number(p.packets), "bytes": number(p.bytes), "start": number(p.start), "end": number(p.end),
		"log-status": "OK", "type": "IPv4", "packets-lost-no-route": "0", "packets-lost-blackhole": "0", "packets-lost-mtu-exceeded": "0", "packets-lost-ttl-expired": "0",
		"tcp-flags": strconv.Itoa(flags), "region": n.Region, "flow-direction": direction,
	}
}
