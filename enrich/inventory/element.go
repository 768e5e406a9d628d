package inventory

import (
	"slices"
	"strings"
)

// An elastic network interface, as DescribeNetworkInterfaces, DescribeInstances and AWS Config describe it: AWS Config spells
// the members in lower case, which encoding/json does not mind.
//
// Long because the API's interface has as many members that tell an owner.
type networkInterface struct {
	NetworkInterfaceID string
	OwnerID            string
	InterfaceType      string
	Description        string
	RequesterID        string
	RequesterManaged   bool
	VpcID              string
	SubnetID           string
	AvailabilityZone   string
	AvailabilityZoneID string
	Attachment         struct {
		InstanceID string
		AttachTime stamp
	}
	Groups []struct{ GroupID string }
	TagSet []Tag

	PrivateIPAddress   string
	Association        association
	PrivateIPAddresses []struct {
		PrivateIPAddress string
		Primary          bool
		Association      association
	}
	IPv6Addresses []struct{ IPv6Address string }
	IPv4Prefixes  []struct{ IPv4Prefix string }
	IPv6Prefixes  []struct{ IPv6Prefix string }
}

type association struct{ PublicIP, CarrierIP, CustomerOwnedIP string }

func (a association) addresses() []string {
	return []string{a.PublicIP, a.CarrierIP, a.CustomerOwnedIP}
}

// reservation is an element of DescribeInstances.
type reservation struct {
	OwnerID   string
	Instances []instance
}

type instance struct {
	InstanceID        string
	VpcID             string
	Placement         struct{ AvailabilityZone string }
	State             struct{ Name string }
	NetworkInterfaces []networkInterface
	Tags              []Tag
}

type subnet struct {
	SubnetID                    string
	VpcID                       string
	OwnerID                     string
	CidrBlock                   string
	AvailabilityZone            string
	AvailabilityZoneID          string
	IPv6CidrBlockAssociationSet []struct{ IPv6CidrBlock string }
	Tags                        []Tag
}

type vpc struct {
	VpcID                       string
	CidrBlock                   string
	CidrBlockAssociationSet     []struct{ CidrBlock string }
	IPv6CidrBlockAssociationSet []struct{ IPv6CidrBlock string }
	Tags                        []Tag
}

type zone struct{ ZoneName, ZoneID, RegionName string }

type natGateway struct {
	NatGatewayID        string
	State               string
	Tags                []Tag
	NatGatewayAddresses []struct{ NetworkInterfaceID string }
}

type vpcEndpoint struct {
	VpcEndpointID       string
	ServiceName         string
	NetworkInterfaceIDs []string
	Tags                []Tag
}

type elasticIP struct {
	PublicIP                string
	AllocationID            string
	NetworkInterfaceID      string
	NetworkInterfaceOwnerID string
	NetworkBorderGroup      string
	Tags                    []Tag
}

type loadBalancer struct{ LoadBalancerArn, LoadBalancerName, Type string }

type dbInstance struct {
	DBInstanceIdentifier      string
	AvailabilityZone          string
	SecondaryAvailabilityZone string
	DBSubnetGroup             struct{ VpcID string }
	VpcSecurityGroups         []struct{ VpcSecurityGroupID string }
}

type function struct {
	FunctionName string
	VpcConfig    struct{ SubnetIDs, SecurityGroupIDs []string }
}

type ecsTask struct {
	TaskArn     string
	Group       string
	Attachments []struct {
		Details []struct{ Name, Value string }
	}
}

// A flowLog says what a flow log covers, and whether it is delivered.
type flowLog struct {
	FlowLogID               string
	FlowLogStatus           string
	ResourceID              string
	TrafficType             string
	DeliverLogsStatus       string
	DeliverLogsErrorMessage string
	LogDestinationType      string
}

// regionOf returns the region of a zone's name: us-east-1 of us-east-1a, and of us-east-1-bos-1a, a Local Zone.
func regionOf(zone string) string {
	parts := strings.SplitN(zone, "-", 4)
	for i, p := range parts {
		if p == "" || p[0] < '0' || p[0] > '9' || i == 0 {
			continue
		}
		digits := strings.TrimRightFunc(p, func(c rune) bool { return c < '0' || c > '9' })
		return strings.Join(append(slices.Clone(parts[:i]), digits), "-")
	}
	return ""
}

// joined sorts IDs and joins them with commas.
func joined(ids []string) string {
	slices.Sort(ids)
	return strings.Join(slices.Compact(ids), ",")
}

func (n *networkInterface) groups() string {
	var ids []string
	for _, g := range n.Groups {
		ids = append(ids, g.GroupID)
	}
	return joined(ids)
}
