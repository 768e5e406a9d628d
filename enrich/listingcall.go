package enrich

import (
	"fmt"
	"strings"
)

// A call is a call of AWS's CLI whose output becomes rows of a table.
type call struct {
	name    string // behind `aws ec2 `
	member  string // that holds the objects
	wrapper string // that holds objects with this member, "" if the document has it
	id      string // member with the object's own ID, which also tells it apart where --query chose it alone
	with    string // another member that it must have then, since other objects have the ID too
	fields  []string
	ids     []string // paths of further IDs that the fields may have
	address []string // paths of addresses and networks
	columns []listedColumn
}

// A listedColumn is a column of a listing that is not a tag, and the path of its text. With several paths the first that
// has a text counts.
type listedColumn struct {
	name  string
	paths []string
}

// columnsOf reads columns written as name=path, or name=path|path.
func columnsOf(texts ...string) []listedColumn {
	var columns []listedColumn
	for _, text := range texts {
		name, paths, _ := strings.Cut(text, "=")
		columns = append(columns, listedColumn{name, strings.Split(paths, "|")})
	}
	return columns
}

// The members of an object that holds addresses of an interface, and those in its lists.
var interfaceAddresses = []string{
	"PrivateIpAddress", "Association.PublicIp", "Association.CarrierIp", "Association.CustomerOwnedIp", "PrivateIpAddresses[].PrivateIpAddress",
	"PrivateIpAddresses[].Association.PublicIp", "PrivateIpAddresses[].Association.CarrierIp", "PrivateIpAddresses[].Association.CustomerOwnedIp",
	"Ipv6Address", "Ipv6Addresses[].Ipv6Address", "Ipv4Prefixes[].Ipv4Prefix", "Ipv6Prefixes[].Ipv6Prefix",
}

// within are paths of the members of each object of a list.
func within(list string, paths []string) []string {
	var all []string
	for _, path := range paths {
		all = append(all, list+"[]."+path)
	}
	return all
}

// calls is THE table of the calls whose output --table reads. The id of a row must not be a member of objects of the rows
// below it: a NAT gateway has a SubnetId, a subnet has no NatGatewayId. Source: the output sections of the AWS CLI's EC2
// commands, API version 2016-11-15.
var calls = []call{
	{
		name: "describe-nat-gateways", member: "NatGateways", id: "NatGatewayId", fields: []string{"resource_id", "interface_id"}, // a regional one logs itself as resource_id
		ids: []string{"NatGatewayAddresses[].NetworkInterfaceId"}, address: []string{"NatGatewayAddresses[].PrivateIp", "NatGatewayAddresses[].PublicIp"},
		columns: columnsOf("name=#Name", "state=State", "connectivity=ConnectivityType", "availability=AvailabilityMode", "subnet_id=SubnetId", "vpc_id=VpcId", "id=NatGatewayId"),
	},
	{
		name: "describe-vpc-endpoints", member: "VpcEndpoints", id: "VpcEndpointId", fields: []string{"interface_id"},
		ids:     []string{"NetworkInterfaceIds[]"},
		columns: columnsOf("name=#Name", "service=ServiceName", "type=VpcEndpointType", "state=State", "vpc_id=VpcId", "account_id=OwnerId", "id=VpcEndpointId"),
	},
	{
		name: "describe-instance-connect-endpoints", member: "InstanceConnectEndpoints", id: "InstanceConnectEndpointId", fields: []string{"interface_id"},
		ids:     []string{"NetworkInterfaceIds[]"},
		columns: columnsOf("name=#Name", "state=State", "subnet_id=SubnetId", "vpc_id=VpcId", "az=AvailabilityZone", "account_id=OwnerId", "id=InstanceConnectEndpointId"),
	},
	{
		name: "describe-route-tables", member: "RouteTables", id: "RouteTableId", fields: []string{"subnet_id"}, ids: []string{"Associations[].SubnetId"},
		columns: columnsOf("name=#Name", "vpc_id=VpcId", "account_id=OwnerId", "id=RouteTableId"),
	},
	{
		name: "describe-network-acls", member: "NetworkAcls", id: "NetworkAclId", fields: []string{"subnet_id"}, ids: []string{"Associations[].SubnetId"},
		columns: columnsOf("name=#Name", "vpc_id=VpcId", "account_id=OwnerId", "id=NetworkAclId"),
	},
	{
		name: "describe-internet-gateways", member: "InternetGateways", id: "InternetGatewayId", fields: []string{"vpc_id"}, ids: []string{"Attachments[].VpcId"},
		columns: columnsOf("name=#Name", "account_id=OwnerId", "id=InternetGatewayId"),
	},
	{
		name: "describe-egress-only-internet-gateways", member: "EgressOnlyInternetGateways", id: "EgressOnlyInternetGatewayId", fields: []string{"vpc_id"}, ids: []string{"Attachments[].VpcId"},
		columns: columnsOf("name=#Name", "id=EgressOnlyInternetGatewayId"),
	},
	{
		name: "describe-carrier-gateways", member: "CarrierGateways", id: "CarrierGatewayId", fields: []string{"vpc_id"}, ids: []string{"VpcId"},
		columns: columnsOf("name=#Name", "state=State", "account_id=OwnerId", "id=CarrierGatewayId"),
	},
	{
		name: "describe-vpc-peering-connections", member: "VpcPeeringConnections", id: "VpcPeeringConnectionId",
		address: []string{
			"AccepterVpcInfo.CidrBlock", "AccepterVpcInfo.CidrBlockSet[].CidrBlock", "AccepterVpcInfo.Ipv6CidrBlockSet[].Ipv6CidrBlock",
			"RequesterVpcInfo.CidrBlock", "RequesterVpcInfo.CidrBlockSet[].CidrBlock", "RequesterVpcInfo.Ipv6CidrBlockSet[].Ipv6CidrBlock",
		},
		columns: columnsOf("name=#Name", "state=Status.Code", "accepter_vpc_id=AccepterVpcInfo.VpcId", "requester_vpc_id=RequesterVpcInfo.VpcId", "id=VpcPeeringConnectionId"),
	},
	{
		name: "describe-transit-gateway-vpc-attachments", member: "TransitGatewayVpcAttachments", id: "TransitGatewayAttachmentId", fields: []string{"tgw_attachment_id"},
		columns: columnsOf("name=#Name", "state=State", "type=ResourceType", "resource_id=ResourceId|VpcId", "resource_owner_id=ResourceOwnerId|VpcOwnerId", "tgw_id=TransitGatewayId", "id=TransitGatewayAttachmentId"),
	},
	{
		name: "describe-transit-gateway-attachments", member: "TransitGatewayAttachments", id: "TransitGatewayAttachmentId", fields: []string{"tgw_attachment_id"},
		columns: columnsOf("name=#Name", "state=State", "type=ResourceType", "resource_id=ResourceId|VpcId", "resource_owner_id=ResourceOwnerId|VpcOwnerId", "tgw_id=TransitGatewayId", "id=TransitGatewayAttachmentId"),
	},
	{
		name: "describe-vpn-connections", member: "VpnConnections", id: "VpnConnectionId",
		address: []string{"VgwTelemetry[].OutsideIpAddress", "Options.TunnelOptions[].OutsideIpAddress", "Options.LocalIpv4NetworkCidr", "Options.RemoteIpv4NetworkCidr"},
		columns: columnsOf("name=#Name", "state=State", "customer_gateway_id=CustomerGatewayId", "tgw_id=TransitGatewayId", "vgw_id=VpnGatewayId", "id=VpnConnectionId"),
	},
	{
		name: "describe-transit-gateways", member: "TransitGateways", id: "TransitGatewayId", fields: []string{"tgw_id"}, address: []string{"Options.TransitGatewayCidrBlocks[]"},
		columns: columnsOf("name=#Name", "description=Description", "state=State", "account_id=OwnerId", "id=TransitGatewayId"),
	},
	{
		name: "describe-customer-gateways", member: "CustomerGateways", id: "CustomerGatewayId", address: []string{"IpAddress"},
		columns: columnsOf("name=#Name", "state=State", "type=Type", "id=CustomerGatewayId"),
	},
	{
		name: "describe-client-vpn-endpoints", member: "ClientVpnEndpoints", id: "ClientVpnEndpointId", address: []string{"ClientCidrBlock"},
		columns: columnsOf("name=#Name", "description=Description", "vpc_id=VpcId", "id=ClientVpnEndpointId"),
	},
	{
		name: "describe-flow-logs", member: "FlowLogs", id: "FlowLogId", fields: []string{"flow_log_id"},
		columns: columnsOf("name=#Name", "resource_id=ResourceId", "traffic_type=TrafficType", "status=FlowLogStatus", "destination=LogDestination|LogGroupName", "format=LogFormat", "id=FlowLogId"),
	},
	{
		name: "describe-addresses", member: "Addresses", id: "AllocationId", fields: []string{"interface_id"}, ids: []string{"NetworkInterfaceId"},
		address: []string{"PublicIp", "PrivateIpAddress", "CarrierIp", "CustomerOwnedIp"},
		columns: columnsOf("name=#Name", "instance_id=InstanceId", "interface_id=NetworkInterfaceId", "border_group=NetworkBorderGroup", "account_id=NetworkInterfaceOwnerId", "id=AllocationId"),
	},
	{
		name: "describe-instances", member: "Instances", wrapper: "Reservations", id: "InstanceId", fields: []string{"instance_id", "interface_id"}, // records may have no instance_id
		ids:     []string{"NetworkInterfaces[].NetworkInterfaceId"},
		address: append([]string{"PrivateIpAddress", "PublicIpAddress", "Ipv6Address"}, within("NetworkInterfaces", interfaceAddresses)...),
		columns: columnsOf("name=#Name", "type=InstanceType", "state=State.Name", "security_groups=SecurityGroups[].GroupName|SecurityGroups[].GroupId", "subnet_id=SubnetId", "vpc_id=VpcId",
			"az=Placement.AvailabilityZone", "account_id=OwnerId", "id=InstanceId"),
	},
	{
		name: "describe-network-interfaces", member: "NetworkInterfaces", id: "NetworkInterfaceId", fields: []string{"interface_id"}, address: interfaceAddresses,
		columns: columnsOf("name=#Name", "description=Description", "type=InterfaceType", "instance_id=Attachment.InstanceId", "security_groups=Groups[].GroupName|Groups[].GroupId",
			"subnet_id=SubnetId", "vpc_id=VpcId", "az=AvailabilityZone", "account_id=OwnerId", "id=NetworkInterfaceId"),
	},
	{
		name: "describe-subnets", member: "Subnets", id: "SubnetId", with: "CidrBlock", fields: []string{"subnet_id"}, address: []string{"CidrBlock", "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock"},
		columns: columnsOf("name=#Name", "cidr=CidrBlock", "az=AvailabilityZone", "az_id=AvailabilityZoneId", "vpc_id=VpcId", "account_id=OwnerId", "id=SubnetId"),
	},
	{
		name: "describe-vpcs", member: "Vpcs", id: "VpcId", with: "CidrBlock", fields: []string{"vpc_id"},
		address: []string{"CidrBlock", "CidrBlockAssociationSet[].CidrBlock", "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock"},
		columns: columnsOf("name=#Name", "cidr=CidrBlock", "state=State", "account_id=OwnerId", "id=VpcId"),
	},
	{
		name: "describe-availability-zones", member: "AvailabilityZones", id: "ZoneId", fields: []string{"az_id"},
		columns: columnsOf("name=ZoneName", "type=ZoneType", "state=State", "group=GroupName", "region=RegionName", "id=ZoneId"),
	},
	{
		name: "describe-regions", member: "Regions", id: "RegionName", with: "Endpoint", fields: []string{"region"},
		columns: columnsOf("endpoint=Endpoint", "opt_in=OptInStatus", "id=RegionName"),
	},
	{
		name: "describe-byoip-cidrs", member: "ByoipCidrs", id: "Cidr", with: "State", address: []string{"Cidr"},
		columns: columnsOf("description=Description", "state=State", "id=Cidr"),
	},
}

// callNames lists the calls for errors.
func callNames() string {
	var names []string
	for _, c := range calls {
		names = append(names, strings.TrimPrefix(c.name, "describe-"))
	}
	return fmt.Sprintf("describe-… of %s", strings.Join(names, ", "))
}
