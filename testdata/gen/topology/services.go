package main

import (
	"fmt"
	"slices"
	"strings"
)

// endpoints are the interface endpoints, by their interfaces, and the gateway endpoints, by the routes to them.
func (n *network) endpoints(s *snapshot) []doc {
	var all []doc
	for _, e := range n.Nodes {
		if e.Type != "vpc_endpoint" || n.vpc(e.VPC).Account != s.Account {
			continue
		}
		i := slices.IndexFunc(all, func(d doc) bool { return d["VpcEndpointId"] == e.Owner })
		if i < 0 {
			service, _, _ := strings.Cut(e.Name, "-")
			i = len(all)
			all = append(all, doc{"VpcEndpointId": e.Owner, "VpcEndpointType": "Interface", "VpcId": n.vpc(e.VPC).ID, "State": "available", "OwnerId": s.Account,
				"ServiceName": "com.amazonaws." + n.Region + "." + service, "PrivateDnsEnabled": true, "CreationTimestamp": stamp(e.Attached), "RouteTableIds": []string{}, "Tags": tags(service),
				"SubnetIds": []string{}, "NetworkInterfaceIds": []string{}, "Groups": each(e.Groups, func(g string) doc { return doc{"GroupId": n.group(g).ID, "GroupName": g} })})
		}
		all[i]["SubnetIds"] = append(all[i]["SubnetIds"].([]string), n.subnet(e.Subnet).ID)
		all[i]["NetworkInterfaceIds"] = append(all[i]["NetworkInterfaceIds"].([]string), e.ENI)
	}
	for _, t := range n.Tables {
		for _, r := range t.Routes {
			if !strings.HasPrefix(r.Via, "vpce-") || n.vpc(t.VPC).Account != s.Account {
				continue
			}
			i := slices.IndexFunc(all, func(d doc) bool { return d["VpcEndpointId"] == r.Via })
			if i < 0 {
				i = len(all)
				all = append(all, doc{"VpcEndpointId": r.Via, "VpcEndpointType": "Gateway", "VpcId": n.vpc(t.VPC).ID, "State": "available", "OwnerId": s.Account,
					"ServiceName": find(n.Lists, r.To, func(l *list) string { return l.ID }).Name, "CreationTimestamp": stamp(n.Begin - 2*86400),
					"RouteTableIds": []string{}, "SubnetIds": []string{}, "NetworkInterfaceIds": []string{}, "Groups": []doc{}, "Tags": []doc{}})
			}
			all[i]["RouteTableIds"] = append(all[i]["RouteTableIds"].([]string), t.ID)
		}
	}
	return all
}

// attachments are those of VPCs to the transit gateway, by the interfaces that they made.
func (n *network) attachments(s *snapshot) []doc {
	var all []doc
	for _, e := range n.Nodes {
		if e.Type != "transit_gateway" || n.vpc(e.VPC).Account != s.Account || slices.ContainsFunc(all, func(d doc) bool { return d["TransitGatewayAttachmentId"] == e.Owner }) {
			continue
		}
		all = append(all, doc{"TransitGatewayAttachmentId": e.Owner, "TransitGatewayId": n.id("tgw", "hub"), "ResourceType": "vpc", "ResourceId": n.vpc(e.VPC).ID,
			"ResourceOwnerId": s.Account, "TransitGatewayOwnerId": s.Account, "State": "available", "CreationTime": stamp(e.Attached), "Tags": tags(e.VPC)})
	}
	return all
}

// flowLogs are one of each format for each VPC, and the transit gateway's.
func (n *network) flowLogs(s *snapshot) []doc {
	var all []doc
	if s.Account == accountShop {
		all = append(all, doc{"FlowLogId": n.id("fl", "hub"), "ResourceId": n.id("tgw", "hub"), "FlowLogStatus": "ACTIVE", "DeliverLogsStatus": "SUCCESS",
			"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::topology/v6", "LogFormat": transitFormat.logFormat(), "MaxAggregationInterval": 60,
			"CreationTime": stamp(n.Begin - 86400), "Tags": tags("hub")})
	}
	for _, v := range n.VPCs {
		if v.Account != s.Account {
			continue
		}
		for _, f := range formats {
			all = append(all, doc{"FlowLogId": n.flowLog(v, f), "ResourceId": v.ID, "TrafficType": "ALL", "FlowLogStatus": "ACTIVE", "DeliverLogsStatus": "SUCCESS",
				"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::topology/" + f.name, "LogFormat": f.logFormat(), "MaxAggregationInterval": 60,
				"CreationTime": stamp(n.Begin - 86400), "Tags": tags(v.Name + "-" + f.name)})
		}
	}
	return all
}

// filters adds security groups, network ACLs and prefix lists, with the rules that are there at the time.
func (n *network) filters(s *snapshot, put func(action, member string, all []doc)) {
	put("DescribeSecurityGroups", "SecurityGroups", each(n.Groups, func(g *group) doc {
		if n.vpc(g.VPC).Account != s.Account {
			return nil
		}
		ingress, egress := []doc{}, []doc{}
		for _, r := range g.Rules {
			switch {
			case r.Gone[0] <= s.Time && s.Time < r.Gone[1]:
			case r.Out:
				egress = append(egress, n.permission(g, r))
			default:
				ingress = append(ingress, n.permission(g, r))
			}
		}
		return doc{"GroupId": g.ID, "GroupName": g.Name, "Description": g.Name, "OwnerId": s.Account, "VpcId": n.vpc(g.VPC).ID,
			"IpPermissions": ingress, "IpPermissionsEgress": egress, "Tags": tags(g.Name)}
	}))
	var rules []doc
	for _, g := range n.Groups {
		if n.vpc(g.VPC).Account == s.Account {
			rules = append(rules, n.groupRules(g, s)...)
		}
	}
	put("DescribeSecurityGroupRules", "SecurityGroupRules", rules)
	put("DescribeNetworkAcls", "NetworkAcls", each(n.ACLs, func(a *acl) doc {
		if n.vpc(a.VPC).Account != s.Account {
			return nil
		}
		return n.networkACL(a)
	}))
	put("DescribeManagedPrefixLists", "PrefixLists", each(n.Lists, func(l *list) doc {
		if l.Owner != "AWS" && l.Owner != s.Account {
			return nil
		}
		d := doc{"PrefixListId": l.ID, "PrefixListName": l.Name, "AddressFamily": "IPv4", "OwnerId": l.Owner, "State": "create-complete"}
		if l.Owner != "AWS" {
			d["MaxEntries"], d["Version"] = 10, 1
		}
		return d
	}))
	put("GetManagedPrefixListEntries", "Entries", n.entries(s))
}

// entries are those of the account's prefix lists. The call is made once for each list, which flowlog adds to its answers.
func (n *network) entries(s *snapshot) []doc {
	var all []doc
	for _, l := range n.Lists {
		if l.Owner == "AWS" || l.Owner == s.Account {
			all = append(all, each(l.Entries, func(cidr string) doc { return doc{"Cidr": cidr, "PrefixListId": l.ID} })...)
		}
	}
	return all
}

func (n *network) permission(g *group, r rule) doc {
	d := doc{"IpProtocol": fmt.Sprint(r.Proto), "UserIdGroupPairs": []doc{}, "IpRanges": []doc{}, "Ipv6Ranges": []doc{}, "PrefixListIds": []doc{}}
	switch r.Proto {
	case 6, 17:
		d["IpProtocol"] = map[int]string{6: "tcp", 17: "udp"}[r.Proto]
		d["FromPort"], d["ToPort"] = r.Ports[0], r.Ports[1]
	case 1:
		d["IpProtocol"], d["FromPort"], d["ToPort"] = "icmp", -1, -1
	}
	switch {
	case strings.HasPrefix(r.Peer, "pl-"):
		d["PrefixListIds"] = []doc{{"PrefixListId": r.Peer}}
	case strings.Contains(r.Peer, ":"):
		d["Ipv6Ranges"] = []doc{{"CidrIpv6": r.Peer}}
	case strings.Contains(r.Peer, "/"):
		d["IpRanges"] = []doc{{"CidrIp": r.Peer}}
	default:
		d["UserIdGroupPairs"] = []doc{{"GroupId": n.group(r.Peer).ID, "UserId": n.vpc(g.VPC).Account}}
	}
	return d
}

// groupRules are a group's rules once more, each with an ID, as another call has them.
func (n *network) groupRules(g *group, s *snapshot) []doc {
	var all []doc
	for i, r := range g.Rules {
		if r.Gone[0] <= s.Time && s.Time < r.Gone[1] {
			continue
		}
		d := doc{"SecurityGroupRuleId": n.id("sgr", fmt.Sprint(g.Name, i)), "GroupId": g.ID, "GroupOwnerId": s.Account, "IsEgress": r.Out, "FromPort": -1, "ToPort": -1,
			"IpProtocol": map[int]string{-1: "-1", 1: "icmp", 6: "tcp", 17: "udp"}[r.Proto], "Tags": []doc{}}
		if r.Proto == 6 || r.Proto == 17 {
			d["FromPort"], d["ToPort"] = r.Ports[0], r.Ports[1]
		}
		switch {
		case strings.HasPrefix(r.Peer, "pl-"):
			d["PrefixListId"] = r.Peer
		case strings.Contains(r.Peer, ":"):
			d["CidrIpv6"] = r.Peer
		case strings.Contains(r.Peer, "/"):
			d["CidrIpv4"] = r.Peer
		default:
			d["ReferencedGroupInfo"] = doc{"GroupId": n.group(r.Peer).ID, "UserId": s.Account}
		}
		all = append(all, d)
	}
	return all
}

func (n *network) networkACL(a *acl) doc {
	entries := each(a.Entries, func(e entry) doc {
		d := doc{"RuleNumber": e.Number, "Protocol": fmt.Sprint(e.Proto), "Egress": e.Out, "RuleAction": map[bool]string{true: "allow", false: "deny"}[e.Allow]}
		if strings.Contains(e.CIDR, ":") {
			d["Ipv6CidrBlock"] = e.CIDR
		} else {
			d["CidrBlock"] = e.CIDR
		}
		if e.Proto == 6 || e.Proto == 17 {
			d["PortRange"] = doc{"From": e.Ports[0], "To": e.Ports[1]}
		}
		return d
	})
	for _, out := range []bool{true, false} {
		entries = append(entries, doc{"RuleNumber": 32767, "Protocol": "-1", "Egress": out, "RuleAction": "deny", "CidrBlock": any4})
	}
	associations := each(n.Subnets, func(s *subnet) doc {
		if s.ACL != a.Name {
			return nil
		}
		return doc{"NetworkAclAssociationId": n.id("aclassoc", s.Name), "NetworkAclId": a.ID, "SubnetId": s.ID}
	})
	return doc{"NetworkAclId": a.ID, "VpcId": n.vpc(a.VPC).ID, "OwnerId": n.vpc(a.VPC).Account, "IsDefault": false, "Entries": entries, "Associations": nonNil(associations), "Tags": tags(a.Name)}
}
