package main

import (
	"fmt"
	"strings"
	"time"
)

// A doc is an object of JSON.
type doc = map[string]any

func stamp(at int64) string { return time.Unix(at, 0).UTC().Format("2006-01-02T15:04:05+00:00") }

func tags(name string, more ...string) []doc {
	all := []doc{{"Key": "Name", "Value": name}}
	for i := 0; i+1 < len(more); i += 2 {
		all = append(all, doc{"Key": more[i], "Value": more[i+1]})
	}
	return all
}

// inventory adds what the aws CLI prints for each call, a document for each account and time.
func (n *network) inventory(files map[string][]byte) {
	for _, s := range n.Snapshots {
		at := time.Unix(s.Time, 0).UTC()
		files[fmt.Sprintf("inventory/%s_%s_%s.json", at.Format("2006-01-02T150405Z"), s.Account, n.Region)] = document(doc{
			"flowlog": "inventory", "version": 1, "account": s.Account, "region": n.Region, "time": at.Format(time.RFC3339), "calls": n.calls(s),
		})
	}
}

// calls are the answers by action.
func (n *network) calls(s *snapshot) doc {
	c := doc{}
	put := func(action, member string, all []doc) { c[action] = doc{member: nonNil(all)} }
	put("DescribeAvailabilityZones", "AvailabilityZones", n.zones(s))
	put("DescribeVpcs", "Vpcs", each(n.VPCs, func(v *vpc) doc {
		if v.Account != s.Account {
			return nil
		}
		d := doc{"VpcId": v.ID, "CidrBlock": v.CIDR, "OwnerId": v.Account, "State": "available", "IsDefault": false, "Tags": tags(v.Name),
			"CidrBlockAssociationSet": []doc{{"CidrBlock": v.CIDR, "CidrBlockState": doc{"State": "associated"}}}}
		if v.CIDR6 != "" {
			d["Ipv6CidrBlockAssociationSet"] = []doc{{"Ipv6CidrBlock": v.CIDR6, "Ipv6CidrBlockState": doc{"State": "associated"}}}
		}
		return d
	}))
	put("DescribeSubnets", "Subnets", each(n.Subnets, func(sub *subnet) doc {
		if n.vpc(sub.VPC).Account != s.Account {
			return nil
		}
		d := doc{"SubnetId": sub.ID, "VpcId": n.vpc(sub.VPC).ID, "CidrBlock": sub.CIDR, "AvailabilityZoneId": sub.Zone, "OwnerId": s.Account,
			"AvailabilityZone": n.zoneName(s.Account, sub.Zone), "State": "available", "Tags": tags(sub.Name)}
		if sub.CIDR6 != "" {
			d["Ipv6CidrBlockAssociationSet"] = []doc{{"Ipv6CidrBlock": sub.CIDR6, "Ipv6CidrBlockState": doc{"State": "associated"}}}
		}
		return d
	}))
	put("DescribeNetworkInterfaces", "NetworkInterfaces", each(n.Nodes, func(e *node) doc {
		if e.ENI == "" || !e.there(s.Time) || n.vpc(e.VPC).Account != s.Account {
			return nil
		}
		return n.eni(e)
	}))
	c["DescribeInstances"] = doc{"Reservations": nonNil(each(n.Nodes, func(e *node) doc {
		if e.Type != "instance" || !e.there(s.Time) || n.vpc(e.VPC).Account != s.Account {
			return nil
		}
		return doc{"OwnerId": s.Account, "Instances": []doc{n.instance(e)}}
	}))}
	n.gateways(s, put)
	n.filters(s, put)
	return c
}

// each makes a document of each, without those that are nil.
func each[T any](all []T, make func(T) doc) []doc {
	var docs []doc
	for _, x := range all {
		if d := make(x); d != nil {
			docs = append(docs, d)
		}
	}
	return docs
}

func nonNil(all []doc) []doc {
	if all == nil {
		return []doc{}
	}
	return all
}

// zoneName is how an account calls a zone; accounts have the same names for different zones.
func (n *network) zoneName(account, id string) string {
	number := int(id[len(id)-1] - '1')
	if account == accountLab {
		number = (number + 2) % 3
	}
	return n.Region + string(rune('a'+number))
}

func (n *network) zones(s *snapshot) []doc {
	var all []doc
	for i := range 3 {
		id := fmt.Sprintf("use1-az%d", i+1)
		all = append(all, doc{"ZoneId": id, "ZoneName": n.zoneName(s.Account, id), "RegionName": n.Region, "State": "available", "ZoneType": "availability-zone"})
	}
	return all
}

func (n *network) eni(e *node) doc {
	sub := n.subnet(e.Subnet)
	account := n.vpc(e.VPC).Account
	d := doc{"NetworkInterfaceId": e.ENI, "InterfaceType": "interface", "Description": "", "OwnerId": account, "RequesterManaged": e.Type != "instance",
		"SubnetId": sub.ID, "VpcId": n.vpc(e.VPC).ID, "AvailabilityZone": n.zoneName(account, sub.Zone), "AvailabilityZoneId": sub.Zone,
		"PrivateIpAddress": e.Addr, "Ipv6Addresses": []doc{}, "Status": "in-use", "SourceDestCheck": e.Type == "instance", "TagSet": []doc{},
		"Groups": nonNil(each(e.Groups, func(g string) doc { return doc{"GroupId": n.group(g).ID, "GroupName": g} }))}
	address := doc{"PrivateIpAddress": e.Addr, "Primary": true}
	if e.Public != "" {
		association := doc{"PublicIp": e.Public, "IpOwnerId": account, "AllocationId": n.id("eipalloc", e.Name), "AssociationId": n.id("eipassoc", e.Name)}
		if e.Type == "application_load_balancer" {
			association = doc{"PublicIp": e.Public, "IpOwnerId": "amazon-elb"}
		}
		address["Association"], d["Association"] = association, association
	}
	d["PrivateIpAddresses"] = []doc{address}
	if e.Addr6 != "" {
		d["Ipv6Addresses"] = []doc{{"Ipv6Address": e.Addr6}}
	}
	if len(e.Prefixes) > 0 {
		d["Ipv4Prefixes"] = each(e.Prefixes, func(p string) doc { return doc{"Ipv4Prefix": p} })
	}
	attachment := doc{"AttachmentId": n.id("eni-attach", e.Name), "InstanceOwnerId": "amazon-aws", "DeviceIndex": 1, "Status": "attached",
		"AttachTime": stamp(e.Attached), "DeleteOnTermination": false}
	requester := func(kind, by, description string) {
		d["InterfaceType"], d["Description"] = kind, description
		if by != "" {
			d["RequesterId"] = by
		}
	}
	switch e.Type {
	case "instance":
		attachment["InstanceId"], attachment["InstanceOwnerId"], attachment["DeviceIndex"] = e.Owner, account, 0
		attachment["DeleteOnTermination"] = true
	case "nat_gateway":
		requester("nat_gateway", account, "Interface for NAT Gateway "+e.Owner)
	case "vpc_endpoint":
		requester("vpc_endpoint", account, "VPC Endpoint Interface "+e.Owner)
	case "transit_gateway":
		requester("transit_gateway", account, "Network Interface for Transit Gateway Attachment "+e.Owner)
	case "application_load_balancer":
		requester("interface", "amazon-elb", "ELB "+e.Owner)
		attachment["InstanceOwnerId"] = "amazon-elb"
	case "network_load_balancer":
		requester("network_load_balancer", "amazon-elb", "ELB "+e.Owner)
	case "rds":
		requester("interface", "amazon-rds", "RDSNetworkInterface")
		attachment["InstanceOwnerId"] = "amazon-rds"
	case "lambda":
		requester("lambda", "AROAEXAMPLE:"+account, "AWS Lambda VPC ENI-"+e.Owner+"-0d3a1c52-7b1e-4f0a-9c64-2f5b8e0d7a11")
	}
	d["Attachment"] = attachment
	return d
}

func (n *network) instance(e *node) doc {
	account, sub := n.vpc(e.VPC).Account, n.subnet(e.Subnet)
	kind, extra := "m7g.large", []string{}
	if e.OldHost {
		kind = "t2.micro"
	}
	if e.Scaling != "" {
		extra = []string{"aws:autoscaling:groupName", e.Scaling, "eks:nodegroup-name", e.Scaling, "kubernetes.io/cluster/shop", "owned"}
	}
	d := doc{"InstanceId": e.Owner, "InstanceType": kind, "LaunchTime": stamp(e.Attached), "PrivateIpAddress": e.Addr, "SubnetId": sub.ID, "VpcId": n.vpc(e.VPC).ID,
		"PrivateDnsName": "ip-" + strings.ReplaceAll(e.Addr, ".", "-") + ".ec2.internal", "State": doc{"Code": 16, "Name": "running"},
		"Placement": doc{"AvailabilityZone": n.zoneName(account, sub.Zone), "Tenancy": "default"}, "Tags": tags(n.title(e), extra...),
		"NetworkInterfaces": []doc{{"NetworkInterfaceId": e.ENI, "PrivateIpAddress": e.Addr}},
		"SecurityGroups":    nonNil(each(e.Groups, func(g string) doc { return doc{"GroupId": n.group(g).ID, "GroupName": g} }))}
	if e.Public != "" {
		d["PublicIpAddress"] = e.Public
	}
	return d
}

// gateways adds what routes lead to.
func (n *network) gateways(s *snapshot, put func(action, member string, all []doc)) {
	ours := func(name string) bool { return n.vpc(name).Account == s.Account }
	put("DescribeNatGateways", "NatGateways", each(n.Nodes, func(e *node) doc {
		if !ours(e.VPC) || !strings.HasSuffix(e.Type, "nat_gateway") {
			return nil
		}
		d := doc{"NatGatewayId": e.Owner, "VpcId": n.vpc(e.VPC).ID, "State": "available", "ConnectivityType": "public", "CreateTime": stamp(e.Attached), "Tags": tags(e.Name)}
		if e.ENI == "" {
			d["AvailabilityMode"] = "regional"
			d["NatGatewayAddresses"] = each(e.Zonal, func(z string) doc {
				zone, addr, _ := strings.Cut(z, "=")
				return doc{"PublicIp": addr, "AllocationId": n.id("eipalloc", addr), "AvailabilityZoneId": zone, "AvailabilityZone": n.zoneName(s.Account, zone), "Status": "succeeded"}
			})
			return d
		}
		d["AvailabilityMode"], d["SubnetId"] = "zonal", n.subnet(e.Subnet).ID
		d["NatGatewayAddresses"] = []doc{{"PublicIp": e.Public, "PrivateIp": e.Addr, "NetworkInterfaceId": e.ENI, "AllocationId": n.id("eipalloc", e.Name), "IsPrimary": true, "Status": "succeeded"}}
		return d
	}))
	put("DescribeRouteTables", "RouteTables", each(n.Tables, func(t *table) doc {
		if !ours(t.VPC) {
			return nil
		}
		return n.routeTable(t)
	}))
	put("DescribeInternetGateways", "InternetGateways", each(n.VPCs, func(v *vpc) doc {
		if !ours(v.Name) || v.Gateway == "" {
			return nil
		}
		return doc{"InternetGatewayId": v.Gateway, "OwnerId": s.Account, "Attachments": []doc{{"VpcId": v.ID, "State": "available"}}, "Tags": tags(v.Name)}
	}))
	put("DescribeVpcPeeringConnections", "VpcPeeringConnections", each(n.Peerings, func(p *peering) doc { return n.peeringOf(p, s) }))
	put("DescribeVpcEndpoints", "VpcEndpoints", n.endpoints(s))
	put("DescribeTransitGatewayAttachments", "TransitGatewayAttachments", n.attachments(s))
	put("DescribeAddresses", "Addresses", each(n.Nodes, func(e *node) doc {
		if !ours(e.VPC) || e.Public == "" || e.Type == "application_load_balancer" {
			return nil
		}
		return doc{"PublicIp": e.Public, "AllocationId": n.id("eipalloc", e.Name), "AssociationId": n.id("eipassoc", e.Name), "Domain": "vpc",
			"NetworkInterfaceId": e.ENI, "PrivateIpAddress": e.Addr, "NetworkInterfaceOwnerId": s.Account}
	}))
	put("DescribeFlowLogs", "FlowLogs", n.flowLogs(s))
}

func (n *network) routeTable(t *table) doc {
	v := n.vpc(t.VPC)
	routes := []doc{{"DestinationCidrBlock": v.CIDR, "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}}
	if v.CIDR6 != "" {
		routes = append(routes, doc{"DestinationIpv6CidrBlock": v.CIDR6, "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"})
	}
	targets := map[string]string{"nat": "NatGatewayId", "tgw": "TransitGatewayId", "pcx": "VpcPeeringConnectionId"}
	for _, r := range t.Routes {
		kind, _, _ := strings.Cut(r.Via, "-")
		target := targets[kind]
		if target == "" {
			target = "GatewayId"
		}
		to := "DestinationCidrBlock"
		if strings.HasPrefix(r.To, "pl-") {
			to = "DestinationPrefixListId"
		} else if strings.Contains(r.To, ":") {
			to = "DestinationIpv6CidrBlock"
		}
		routes = append(routes, doc{to: r.To, target: r.Via, "Origin": "CreateRoute", "State": "active"})
	}
	associations := each(n.Subnets, func(s *subnet) doc {
		if s.Table != t.Name {
			return nil
		}
		return doc{"RouteTableAssociationId": n.id("rtbassoc", s.Name), "RouteTableId": t.ID, "SubnetId": s.ID, "Main": false, "AssociationState": doc{"State": "associated"}}
	})
	return doc{"RouteTableId": t.ID, "VpcId": v.ID, "OwnerId": v.Account, "Routes": routes, "Associations": nonNil(associations), "Tags": tags(t.Name)}
}

func (n *network) peeringOf(p *peering, s *snapshot) doc {
	side := func(i int) doc {
		for _, v := range n.VPCs {
			if v.Name == p.VPCs[i] {
				return doc{"VpcId": v.ID, "OwnerId": v.Account, "Region": n.Region, "CidrBlock": v.CIDR}
			}
		}
		return doc{"VpcId": p.VPCs[i], "OwnerId": n.vpc(p.VPCs[0]).Account, "Region": p.Region, "CidrBlock": p.Networks[i]}
	}
	requester, accepter := side(0), side(1)
	if requester["OwnerId"] != s.Account && accepter["OwnerId"] != s.Account {
		return nil
	}
	return doc{"VpcPeeringConnectionId": p.ID, "RequesterVpcInfo": requester, "AccepterVpcInfo": accepter, "Status": doc{"Code": "active", "Message": "Active"}, "Tags": []doc{}}
}
