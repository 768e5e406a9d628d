package main

import (
	"fmt"
	"slices"
	"time"
)

// changes adds what is known beside the snapshots: the history that AWS Config keeps of the interfaces with the re-used
// address, and the pods as kubectl prints them.
func (n *network) changes(files map[string][]byte) {
	var before, during []doc
	for _, e := range n.Nodes {
		if n.seed != 0 || e.Addr != "10.0.16.50" {
			continue
		}
		if e.Attached < n.Begin {
			before = append(before, n.item(e, e.Attached, "ResourceDiscovered"))
		} else {
			during = append(during, n.item(e, e.Attached, "ResourceDiscovered"))
		}
		if e.Until != 0 {
			during = append(during, n.item(e, e.Until, "ResourceDeleted"))
		}
	}
	if n.seed == 0 {
		put := func(from int64, items []doc) {
			name := func(at int64) string { return time.Unix(at, 0).UTC().Format("20060102T150405Z") }
			files[fmt.Sprintf("config/%s_Config_%s_ConfigHistory_NetworkInterface_%s_%s_1.json", accountShop, n.Region, name(from), name(from+6*3600))] =
				document(doc{"fileVersion": "1.0", "configurationItems": items})
		}
		put(n.Begin-2*86400, before)
		put(n.Begin+6*3600, during)
	}
	pods := each(n.Pods, func(p *pod) doc {
		return doc{"apiVersion": "v1", "kind": "Pod",
			"metadata": doc{"name": p.Name, "namespace": p.Namespace, "creationTimestamp": time.Unix(p.Start, 0).UTC().Format(time.RFC3339),
				"ownerReferences": []doc{{"kind": owners[p.Workload[0]], "name": p.Workload[slices.Index([]byte(p.Workload), '/')+1:]}}},
			"spec":   doc{"nodeName": "ip-" + dashed(n.node(p.Node).Addr) + ".ec2.internal"},
			"status": doc{"phase": "Running", "podIP": p.Addr, "podIPs": []doc{{"ip": p.Addr}}, "hostIP": n.node(p.Node).Addr, "startTime": time.Unix(p.Start, 0).UTC().Format(time.RFC3339)}}
	})
	files["pods.json"] = document(doc{"apiVersion": "v1", "kind": "List", "items": nonNil(pods)})
}

// owners are what Kubernetes makes for a Deployment, and for a StatefulSet, to own a pod.
var owners = map[byte]string{'D': "ReplicaSet", 'S': "StatefulSet"}

func dashed(addr string) string {
	b := []byte(addr)
	for i := range b {
		if b[i] == '.' {
			b[i] = '-'
		}
	}
	return string(b)
}

// item is what AWS Config says of an interface from a time on.
func (n *network) item(e *node, at int64, status string) doc {
	sub := n.subnet(e.Subnet)
	d := doc{"resourceType": "AWS::EC2::NetworkInterface", "resourceId": e.ENI, "awsAccountId": n.vpc(e.VPC).Account, "awsRegion": n.Region,
		"configurationItemCaptureTime": time.Unix(at, 0).UTC().Format("2006-01-02T15:04:05.000Z"), "configurationItemStatus": status, "configurationStateId": fmt.Sprint(at * 1000),
		"resourceCreationTime": time.Unix(e.Attached, 0).UTC().Format("2006-01-02T15:04:05.000Z"), "availabilityZone": n.zoneName(n.vpc(e.VPC).Account, sub.Zone), "tags": doc{}}
	if status == "ResourceDeleted" {
		return d
	}
	d["configuration"] = doc{"networkInterfaceId": e.ENI, "privateIpAddress": e.Addr, "privateIpAddresses": []doc{{"primary": true, "privateIpAddress": e.Addr}},
		"description": "", "interfaceType": "interface", "requesterManaged": false, "subnetId": sub.ID, "vpcId": n.vpc(e.VPC).ID, "ownerId": n.vpc(e.VPC).Account, "status": "in-use",
		"attachment": doc{"attachTime": time.Unix(at, 0).UTC().Format("2006-01-02T15:04:05.000Z"), "instanceId": e.Owner, "deviceIndex": 0, "status": "attached"},
		"groups":     each(e.Groups, func(g string) doc { return doc{"groupId": n.group(g).ID, "groupName": g} })}
	return d
}

// ranges is the part of AWS's list of address ranges that is about the network's addresses, in AWS's form. That the
// public addresses of interfaces are of EC2 in this region is invented, as they are.
func (n *network) ranges() []byte {
	prefix := func(cidr, region, service string) []doc {
		return []doc{{"ip_prefix": cidr, "region": region, "service": "AMAZON", "network_border_group": region},
			{"ip_prefix": cidr, "region": region, "service": service, "network_border_group": region}}
	}
	all := slices.Concat(prefix("52.216.0.0/15", "us-east-1", "S3"), prefix("52.218.128.0/17", "us-west-2", "S3"), prefix("52.94.0.0/22", "us-east-1", "DYNAMODB"),
		prefix("130.176.0.0/17", "GLOBAL", "CLOUDFRONT"), prefix(own.String(), "us-east-1", "EC2"))
	return document(doc{"syncToken": fmt.Sprint(n.Begin), "createDate": time.Unix(n.Begin, 0).UTC().Format("2006-01-02-15-04-05"), "prefixes": all, "ipv6_prefixes": []doc{}})
}

// prices are those of the region that are used, in USD per GB of 2^30 bytes.
const prices = `# USD per GB (2^30 bytes); tiers are cumulative
date: 2026-05-14
us-east-1:
  nat: 0.045
  zone: 0.01
  internet: [{up_to_gb: 10240, price: 0.09}, {up_to_gb: 51200, price: 0.085}, {up_to_gb: 153600, price: 0.07}, {price: 0.05}]
  region: {default: 0.02, us-east-2: 0.01}
  tgw: 0.02
  endpoint: [{up_to_gb: 1048576, price: 0.01}, {up_to_gb: 5242880, price: 0.006}, {price: 0.004}]
  dx: 0.02
  hours: {nat: 0.045, endpoint: 0.01, tgw: 0.05, public-ipv4: 0.005}
`
