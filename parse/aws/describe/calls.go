package describe

import (
	"slices"

	"flowlog/parse/aws"
)

var ec2 = &Service{
	Service: aws.Service{Name: "ec2", ID: "EC2"}, version: "2016-11-15", prefix: "ec2", size: "MaxResults", token: "NextToken", next: "nextToken",
}

var (
	tags = list("tagSet", "Tags", text("key", "value"))

	association = object("association", "Association", text("publicIp", "ipOwnerId", "carrierIp", "customerOwnedIp", "allocationId", "associationId"))

	networkInterface = slices.Concat(
		text("networkInterfaceId", "subnetId", "vpcId", "availabilityZone", "availabilityZoneId", "description", "ownerId", "requesterId", "status",
			"privateIpAddress", "privateDnsName", "ipv6Address", "interfaceType", "macAddress"),
		boolean("requesterManaged", "sourceDestCheck"),
		list("groupSet", "Groups", text("groupId", "groupName")),
		object("attachment", "Attachment", text("attachmentId", "instanceId", "instanceOwnerId", "status"), moment("attachTime"), number("deviceIndex"), boolean("deleteOnTermination")),
		association,
		list("privateIpAddressesSet", "PrivateIpAddresses", text("privateIpAddress", "privateDnsName"), boolean("primary"), association),
		list("ipv6AddressesSet", "Ipv6Addresses", text("ipv6Address"), boolean("isPrimaryIpv6")),
		list("ipv4PrefixSet", "Ipv4Prefixes", text("ipv4Prefix")),
		list("ipv6PrefixSet", "Ipv6Prefixes", text("ipv6Prefix")),
		list("tagSet", "TagSet", text("key", "value")),
	)

	// An instance's interfaces say less, and name some of it differently.
	instanceInterface = slices.Concat(
		text("networkInterfaceId", "subnetId", "vpcId", "description", "ownerId", "status", "privateIpAddress", "privateDnsName", "interfaceType", "macAddress"),
		boolean("sourceDestCheck"),
		list("groupSet", "Groups", text("groupId", "groupName")),
		object("attachment", "Attachment", text("attachmentId", "status"), moment("attachTime"), number("deviceIndex"), boolean("deleteOnTermination")),
		object("association", "Association", text("publicIp", "ipOwnerId", "carrierIp", "customerOwnedIp")),
		list("privateIpAddressesSet", "PrivateIpAddresses", text("privateIpAddress", "privateDnsName"), boolean("primary"), object("association", "Association", text("publicIp", "ipOwnerId", "carrierIp", "customerOwnedIp"))),
		list("ipv6AddressesSet", "Ipv6Addresses", text("ipv6Address"), boolean("isPrimaryIpv6")),
		list("ipv4PrefixSet", "Ipv4Prefixes", text("ipv4Prefix")),
		list("ipv6PrefixSet", "Ipv6Prefixes", text("ipv6Prefix")),
	)

	cidrState = func(name string) []Member { return object(name, byRule(name), text("state", "statusMessage")) }

	// A side of a peering connection.
	peer = []([]Member){
		text("vpcId", "ownerId", "region", "cidrBlock"),
		list("cidrBlockSet", "CidrBlockSet", text("cidrBlock")),
		list("ipv6CidrBlockSet", "Ipv6CidrBlockSet", text("ipv6CidrBlock")),
	}

	permissions = []([]Member){
		text("ipProtocol"), number("fromPort", "toPort"),
		list("groups", "UserIdGroupPairs", text("groupId", "groupName", "userId", "vpcId", "vpcPeeringConnectionId", "peeringStatus", "description")),
		list("ipRanges", "IpRanges", text("cidrIp", "description")),
		list("ipv6Ranges", "Ipv6Ranges", text("cidrIpv6", "description")),
		list("prefixListIds", "PrefixListIds", text("prefixListId", "description")),
	}
)

// always are the calls of every inventory. Interfaces come first: they are what the time of the snapshot is about.
var always = []Call{
	{Service: ec2, Action: "DescribeNetworkInterfaces", Page: 1000, CLI: "NetworkInterfaces", XML: "networkInterfaceSet",
		Doc: "addresses, owners, zones and security groups of interfaces", Members: networkInterface},
	{Service: ec2, Action: "DescribeInstances", Page: 1000, CLI: "Reservations", XML: "reservationSet", Doc: "names and tags of instances", Members: slices.Concat(
		text("reservationId", "ownerId", "requesterId"),
		list("instancesSet", "Instances",
			text("instanceId", "imageId", "instanceType", "vpcId", "subnetId", "privateIpAddress", "privateDnsName", "ipv6Address"),
			renamed("reason", "StateTransitionReason"), renamed("ipAddress", "PublicIpAddress"), renamed("dnsName", "PublicDnsName"),
			moment("launchTime"),
			object("placement", "Placement", text("availabilityZone", "availabilityZoneId", "tenancy", "groupName")),
			object("instanceState", "State", number("code"), text("name")),
			list("groupSet", "SecurityGroups", text("groupId", "groupName")),
			list("networkInterfaceSet", "NetworkInterfaces", instanceInterface),
			tags))},
	{Service: ec2, Action: "DescribeSubnets", Page: 1000, CLI: "Subnets", XML: "subnetSet", Doc: "networks and zones of subnets", Members: slices.Concat(
		text("subnetId", "subnetArn", "vpcId", "ownerId", "cidrBlock", "availabilityZone", "availabilityZoneId", "state"),
		number("availableIpAddressCount"), boolean("mapPublicIpOnLaunch", "defaultForAz", "ipv6Native"),
		list("ipv6CidrBlockAssociationSet", "Ipv6CidrBlockAssociationSet", text("associationId", "ipv6CidrBlock"), cidrState("ipv6CidrBlockState")), tags)},
	{Service: ec2, Action: "DescribeVpcs", Page: 1000, CLI: "Vpcs", XML: "vpcSet", Doc: "networks of VPCs", Members: slices.Concat(
		text("vpcId", "ownerId", "cidrBlock", "state"), boolean("isDefault"),
		list("cidrBlockAssociationSet", "CidrBlockAssociationSet", text("associationId", "cidrBlock"), cidrState("cidrBlockState")),
		list("ipv6CidrBlockAssociationSet", "Ipv6CidrBlockAssociationSet", text("associationId", "ipv6CidrBlock", "networkBorderGroup"), cidrState("ipv6CidrBlockState")), tags)},
	{Service: ec2, Action: "DescribeAvailabilityZones", CLI: "AvailabilityZones", XML: "availabilityZoneInfo", Doc: "zone IDs behind the account's zone names", Members: slices.Concat(
		text("zoneName", "zoneId", "regionName", "groupName", "networkBorderGroup", "zoneType", "optInStatus"), renamed("zoneState", "State"))},
	{Service: ec2, Action: "DescribeNatGateways", Page: 1000, CLI: "NatGateways", XML: "natGatewaySet", Doc: "NAT gateways", Members: slices.Concat(
		text("natGatewayId", "vpcId", "subnetId", "state", "connectivityType"), moment("createTime", "deleteTime"),
		list("natGatewayAddressSet", "NatGatewayAddresses", text("allocationId", "associationId", "networkInterfaceId", "privateIp", "publicIp", "status"), boolean("isPrimary")), tags)},
	{Service: ec2, Action: "DescribeVpcEndpoints", Page: 1000, CLI: "VpcEndpoints", XML: "vpcEndpointSet", Doc: "VPC endpoints and their services", Members: slices.Concat(
		text("vpcEndpointId", "vpcEndpointType", "vpcId", "serviceName", "state", "ownerId"), boolean("requesterManaged", "privateDnsEnabled"), moment("creationTimestamp"),
		list("networkInterfaceIdSet", "NetworkInterfaceIds"), list("subnetIdSet", "SubnetIds"), list("routeTableIdSet", "RouteTableIds"),
		list("groupSet", "Groups", text("groupId", "groupName")), tags)},
	{Service: ec2, Action: "DescribeRouteTables", Page: 100, CLI: "RouteTables", XML: "routeTableSet", Doc: "paths: next hops by network", Members: slices.Concat(
		text("routeTableId", "vpcId", "ownerId"),
		list("routeSet", "Routes", text("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId", "gatewayId", "natGatewayId", "transitGatewayId", "localGatewayId",
			"carrierGatewayId", "egressOnlyInternetGatewayId", "vpcPeeringConnectionId", "instanceId", "instanceOwnerId", "networkInterfaceId", "coreNetworkArn", "origin", "state")),
		list("associationSet", "Associations", text("routeTableAssociationId", "routeTableId", "subnetId", "gatewayId"), boolean("main"),
			object("associationState", "AssociationState", text("state"))),
		tags)},
	{Service: ec2, Action: "DescribeVpcPeeringConnections", Page: 1000, CLI: "VpcPeeringConnections", XML: "vpcPeeringConnectionSet", Doc: "paths between VPCs", Members: slices.Concat(
		text("vpcPeeringConnectionId"), object("accepterVpcInfo", "AccepterVpcInfo", peer...), object("requesterVpcInfo", "RequesterVpcInfo", peer...),
		object("status", "Status", text("code", "message")), moment("expirationTime"), tags)},
	{Service: ec2, Action: "DescribeTransitGatewayAttachments", Page: 1000, CLI: "TransitGatewayAttachments", XML: "transitGatewayAttachments", Doc: "what is attached to transit gateways", Members: slices.Concat(
		text("transitGatewayAttachmentId", "transitGatewayId", "transitGatewayOwnerId", "resourceOwnerId", "resourceType", "resourceId", "state"), moment("creationTime"),
		object("association", "Association", text("transitGatewayRouteTableId", "state")), tags)},
	{Service: ec2, Action: "DescribeInternetGateways", Page: 1000, CLI: "InternetGateways", XML: "internetGatewaySet", Doc: "paths to the internet", Members: slices.Concat(
		text("internetGatewayId", "ownerId"), list("attachmentSet", "Attachments", text("vpcId", "state")), tags)},
	{Service: ec2, Action: "DescribeAddresses", CLI: "Addresses", XML: "addressesSet", Doc: "elastic IPs", Members: slices.Concat(
		text("publicIp", "allocationId", "associationId", "domain", "networkInterfaceId", "networkInterfaceOwnerId", "privateIpAddress", "instanceId", "networkBorderGroup",
			"publicIpv4Pool", "carrierIp", "customerOwnedIp", "serviceManaged"), tags)},
	{Service: ec2, Action: "DescribeSecurityGroups", Page: 1000, CLI: "SecurityGroups", XML: "securityGroupInfo", Doc: "names and rules of security groups", Members: slices.Concat(
		text("groupId", "groupName", "vpcId", "ownerId"), renamed("groupDescription", "Description"),
		list("ipPermissions", "IpPermissions", permissions...), list("ipPermissionsEgress", "IpPermissionsEgress", permissions...), tags)},
	{Service: ec2, Action: "DescribeSecurityGroupRules", Page: 1000, CLI: "SecurityGroupRules", XML: "securityGroupRuleSet", Doc: "IDs of security group rules", Members: slices.Concat(
		text("securityGroupRuleId", "groupId", "groupOwnerId", "ipProtocol", "cidrIpv4", "cidrIpv6", "prefixListId", "description"), boolean("isEgress"), number("fromPort", "toPort"),
		object("referencedGroupInfo", "ReferencedGroupInfo", text("groupId", "userId", "vpcId", "vpcPeeringConnectionId", "peeringStatus")), tags)},
	{Service: ec2, Action: "DescribeNetworkAcls", Page: 1000, CLI: "NetworkAcls", XML: "networkAclSet", Doc: "rules of network ACLs", Members: slices.Concat(
		text("networkAclId", "vpcId", "ownerId"),
		[]Member{{XML: "default", CLI: "IsDefault", Kind: Bool}},
		list("associationSet", "Associations", text("networkAclAssociationId", "networkAclId", "subnetId")),
		list("entrySet", "Entries", number("ruleNumber"), text("protocol", "ruleAction", "cidrBlock", "ipv6CidrBlock"), boolean("egress"),
			object("portRange", "PortRange", number("from", "to")),
			object("icmpTypeCode", "IcmpTypeCode", number("type", "code"))),
		tags)},
	{Service: ec2, Action: "DescribeManagedPrefixLists", Page: 100, CLI: "PrefixLists", XML: "prefixListSet", Key: "PrefixListId", Doc: "names of prefix lists", Members: slices.Concat(
		text("prefixListId", "prefixListArn", "prefixListName", "addressFamily", "state", "ownerId"), number("maxEntries", "version"), tags)},
	{Service: ec2, Action: "GetManagedPrefixListEntries", Page: 100, CLI: "Entries", XML: "entrySet", Each: &Each{Of: "DescribeManagedPrefixLists", Param: "PrefixListId", Add: true},
		Doc: "networks of prefix lists", Members: text("cidr", "description")},
	{Service: ec2, Action: "DescribeFlowLogs", Page: 1000, CLI: "FlowLogs", XML: "flowLogSet", Doc: "flow logs, their format and delivery", Members: slices.Concat(
		text("flowLogId", "flowLogStatus", "resourceId", "trafficType", "logDestination", "logDestinationType", "logGroupName", "logFormat", "deliverLogsStatus", "deliverLogsErrorMessage",
			"deliverLogsPermissionArn", "deliverCrossAccountRole"),
		moment("creationTime"), number("maxAggregationInterval"),
		object("destinationOptions", "DestinationOptions", text("fileFormat"), boolean("hiveCompatiblePartitions", "perHourPartition")), tags)},
}
