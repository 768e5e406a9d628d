package enrich

import (
	"maps"
	"slices"
	"testing"

	"flowlog/parse/schema"
)

// callSamples has a document of each call, in the form that AWS prints, and look-ups in it: the field, the values that it is
// computed from, and what comes out.
var callSamples = map[string]struct {
	json    string
	lookups [][]string // field, want, values …
}{
	"describe-nat-gateways": {
		`{"NatGateways":[{"NatGatewayId":"nat-1","State":"available","SubnetId":"subnet-1","VpcId":"vpc-1","ConnectivityType":"public",
			"NatGatewayAddresses":[{"AllocationId":"eipalloc-1","NetworkInterfaceId":"eni-1","PrivateIp":"10.0.0.2","PublicIp":"203.0.113.9"}],"Tags":[{"Key":"Name","Value":"nat-a"}]}]}`,
		[][]string{{"t_name", "nat-a", "-", "eni-1"}, {"t_id", "nat-1", "nat-1", "eni-7"}, {"dst_t_name", "nat-a", "-", "203.0.113.9"}, {"src_t_subnet_id", "subnet-1", "-", "10.0.0.2"}},
	},
	"describe-vpc-endpoints": {
		`{"VpcEndpoints":[{"VpcEndpointId":"vpce-1","VpcEndpointType":"Interface","VpcId":"vpc-1","ServiceName":"com.amazonaws.eu-west-1.sqs","State":"available","NetworkInterfaceIds":["eni-1","eni-2"]}]}`,
		[][]string{{"t_service", "com.amazonaws.eu-west-1.sqs", "eni-2"}},
	},
	"describe-instance-connect-endpoints": {
		`{"InstanceConnectEndpoints":[{"InstanceConnectEndpointId":"eice-1","NetworkInterfaceIds":["eni-1"],"SubnetId":"subnet-1"}]}`,
		[][]string{{"t_id", "eice-1", "eni-1"}},
	},
	"describe-route-tables": {
		`{"RouteTables":[{"RouteTableId":"rtb-1","VpcId":"vpc-1","Associations":[{"Main":true,"RouteTableId":"rtb-1"},{"Main":false,"SubnetId":"subnet-1"}],"Routes":[]}]}`,
		[][]string{{"t_id", "rtb-1", "subnet-1"}, {"t_id", "-", "subnet-2"}},
	},
	"describe-network-acls": {
		`{"NetworkAcls":[{"NetworkAclId":"acl-1","IsDefault":true,"VpcId":"vpc-1","Associations":[{"NetworkAclId":"acl-1","SubnetId":"subnet-1"}],"Entries":[]}]}`,
		[][]string{{"t_id", "acl-1", "subnet-1"}},
	},
	"describe-internet-gateways": {
		`{"InternetGateways":[{"InternetGatewayId":"igw-1","Attachments":[{"State":"available","VpcId":"vpc-1"}]}]}`,
		[][]string{{"t_id", "igw-1", "vpc-1"}},
	},
	"describe-egress-only-internet-gateways": {
		`{"EgressOnlyInternetGateways":[{"EgressOnlyInternetGatewayId":"eigw-1","Attachments":[{"VpcId":"vpc-1"}]}]}`,
		[][]string{{"t_id", "eigw-1", "vpc-1"}},
	},
	"describe-carrier-gateways": {
		`{"CarrierGateways":[{"CarrierGatewayId":"cagw-1","VpcId":"vpc-1","State":"available"}]}`,
		[][]string{{"t_id", "cagw-1", "vpc-1"}},
	},
	"describe-vpc-peering-connections": {
		`{"VpcPeeringConnections":[{"VpcPeeringConnectionId":"pcx-1","Status":{"Code":"active"},
			"AccepterVpcInfo":{"CidrBlock":"10.1.0.0/16","CidrBlockSet":[{"CidrBlock":"10.1.0.0/16"}],"VpcId":"vpc-2"},"RequesterVpcInfo":{"CidrBlock":"10.0.0.0/16","VpcId":"vpc-1"}}]}`,
		[][]string{{"dst_t_id", "pcx-1", "-", "10.1.2.3"}, {"src_t_state", "active", "-", "10.0.2.3"}},
	},
	"describe-transit-gateway-vpc-attachments": {
		`{"TransitGatewayVpcAttachments":[{"TransitGatewayAttachmentId":"tgw-attach-1","TransitGatewayId":"tgw-1","VpcId":"vpc-1","VpcOwnerId":"123456789012","SubnetIds":["subnet-1"]}]}`,
		[][]string{{"t_resource_id", "vpc-1", "tgw-attach-1"}},
	},
	"describe-transit-gateway-attachments": {
		`{"TransitGatewayAttachments":[{"TransitGatewayAttachmentId":"tgw-attach-1","ResourceType":"vpn","ResourceId":"vpn-1","TransitGatewayId":"tgw-1","State":"available"}]}`,
		[][]string{{"t_type", "vpn", "tgw-attach-1"}},
	},
	"describe-vpn-connections": {
		`{"VpnConnections":[{"VpnConnectionId":"vpn-1","CustomerGatewayId":"cgw-1","State":"available","VgwTelemetry":[{"OutsideIpAddress":"203.0.113.1","Status":"UP"}],
			"Options":{"LocalIpv4NetworkCidr":"10.9.0.0/16","TunnelOptions":[{"OutsideIpAddress":"203.0.113.1"},{"OutsideIpAddress":"203.0.113.2"}]}}]}`,
		[][]string{{"src_t_id", "vpn-1", "-", "203.0.113.2"}, {"dst_t_id", "vpn-1", "-", "10.9.1.1"}},
	},
	"describe-transit-gateways": {
		`{"TransitGateways":[{"TransitGatewayId":"tgw-1","Description":"hub","Options":{"TransitGatewayCidrBlocks":["10.200.0.0/24"]}}]}`,
		[][]string{{"t_description", "hub", "tgw-1"}, {"src_t_id", "tgw-1", "-", "10.200.0.3"}},
	},
	"describe-customer-gateways": {
		`{"CustomerGateways":[{"CustomerGatewayId":"cgw-1","IpAddress":"203.0.113.3","State":"available","Type":"ipsec.1","BgpAsn":"65000"}]}`,
		[][]string{{"src_t_id", "cgw-1", "-", "203.0.113.3"}},
	},
	"describe-client-vpn-endpoints": {
		`{"ClientVpnEndpoints":[{"ClientVpnEndpointId":"cvpn-1","ClientCidrBlock":"10.50.0.0/22","VpcId":"vpc-1"}]}`,
		[][]string{{"src_t_id", "cvpn-1", "-", "10.50.1.1"}},
	},
	"describe-flow-logs": {
		`{"FlowLogs":[{"FlowLogId":"fl-1","ResourceId":"vpc-1","TrafficType":"ALL","FlowLogStatus":"ACTIVE","LogDestination":"arn:aws:s3:::logs"}]}`,
		[][]string{{"t_resource_id", "vpc-1", "fl-1"}, {"t_destination", "arn:aws:s3:::logs", "fl-1"}},
	},
	"describe-addresses": {
		`{"Addresses":[{"AllocationId":"eipalloc-1","InstanceId":"i-1","NetworkInterfaceId":"eni-1","PublicIp":"203.0.113.4","PrivateIpAddress":"10.0.0.4"}]}`,
		[][]string{{"t_id", "eipalloc-1", "eni-1"}, {"dst_t_id", "eipalloc-1", "-", "203.0.113.4"}},
	},
	"describe-instances":          {instances, [][]string{{"t_name", "web-1", "i-1", "-"}}},
	"describe-network-interfaces": {interfaces, [][]string{{"t_name", "web-1", "eni-1"}}},
	"describe-subnets": {
		`{"Subnets":[{"SubnetId":"subnet-1","CidrBlock":"10.0.1.0/24","AvailabilityZone":"us-east-1a","AvailabilityZoneId":"use1-az1","VpcId":"vpc-1","AvailableIpAddressCount":250,
			"Ipv6CidrBlockAssociationSet":[{"Ipv6CidrBlock":"2001:db8:0:1::/64","Ipv6CidrBlockState":{"State":"associated"}}]}]}`,
		[][]string{{"t_az_id", "use1-az1", "subnet-1"}, {"src_t_az_id", "use1-az1", "-", "10.0.1.7"}, {"dst_t_id", "subnet-1", "-", "2001:db8:0:1::9"}, {"dst_t", "true", "-", "10.0.1.7"}},
	},
	"describe-vpcs": {
		`{"Vpcs":[{"VpcId":"vpc-1","CidrBlock":"10.0.0.0/16","CidrBlockAssociationSet":[{"CidrBlock":"10.0.0.0/16"},{"CidrBlock":"100.64.0.0/16"}],"IsDefault":false,"Tags":[{"Key":"Name","Value":"prod"}]}]}`,
		[][]string{{"t_name", "prod", "vpc-1"}, {"src_t_name", "prod", "-", "100.64.1.1"}},
	},
	"describe-availability-zones": {
		`{"AvailabilityZones":[{"ZoneId":"use1-az1","ZoneName":"us-east-1a","RegionName":"us-east-1","State":"available"}]}`,
		[][]string{{"t_name", "us-east-1a", "use1-az1"}},
	},
	"describe-regions": {
		`{"Regions":[{"RegionName":"eu-west-1","Endpoint":"ec2.eu-west-1.amazonaws.com","OptInStatus":"opt-in-not-required"}]}`,
		[][]string{{"t_opt_in", "opt-in-not-required", "eu-west-1"}},
	},
	"describe-byoip-cidrs": {
		`{"ByoipCidrs":[{"Cidr":"198.51.100.0/24","Description":"ours","State":"advertised"}]}`,
		[][]string{{"dst_t_description", "ours", "-", "198.51.100.7"}},
	},
}

// Every call of the table reads its document, whole and by --query, empty too, and gives fields of records.
func TestCalls(t *testing.T) {
	known := slices.Concat(schema.Logged(), schema.Delivered())
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			sample, ok := callSamples[c.name]
			if !ok {
				t.Fatal("there is no sample in callSamples")
			}
			for _, f := range c.fields {
				if _, ok := known.Lookup(f); !ok {
					t.Errorf("%s is no field of records", f)
				}
			}
			if !slices.ContainsFunc(c.columns, func(column listedColumn) bool { return column.name == "id" }) {
				t.Error("there is no column id")
			}
			lookups := table(t, "t", sample.json).Lookups()
			for _, l := range sample.lookups {
				if got := lookup(t, lookups, l[0], l[2:]...); got != l[1] {
					t.Errorf("%s of %q: got %q, want %q", l[0], l[2:], got, l[1])
				}
			}
			member := c.member
			if c.wrapper != "" {
				member = c.wrapper
			}
			empty := table(t, "t", `{"`+member+`":[]}`).Lookups()
			for _, l := range empty {
				if !slices.ContainsFunc(lookups, func(other Lookup) bool { return other.Name == l.Name }) {
					t.Errorf("without rows there is a field %s that is not there with rows", l.Name)
				}
			}
			if len(empty) < len(c.columns) {
				t.Errorf("without rows there are %d fields", len(empty))
			}
		})
	}
	for name := range maps.Keys(callSamples) {
		if !slices.ContainsFunc(calls, func(c call) bool { return c.name == name }) {
			t.Errorf("%s is a sample of no call", name)
		}
	}
}
