package inventory

import "slices"

// A call is a member of a document: what one read-only call of an API lists.
type call struct {
	member string // of the document
	name   string // of the call, as people type it
	// decode reads an element: it returns the holders of addresses, and keeps names. nil for members that are known, and that no
	// field needs.
	decode func(d *document, raw []byte) ([]state, error)
	// scope returns the account and region of an element where the document does not have them.
	scope func(raw []byte) (account, region string)
}

// calls is THE table of what is read. Source of the members: the API references of EC2, Elastic Load Balancing, RDS,
// Lambda, ECS and EKS.
var calls = []call{
	{"NetworkInterfaces", "aws ec2 describe-network-interfaces", decodeInterface, scopeOfInterface},
	{"Reservations", "aws ec2 describe-instances", decodeReservation, scopeOfReservation},
	{"Addresses", "aws ec2 describe-addresses", decodeAddress, scopeOfAddress},
	{"Subnets", "aws ec2 describe-subnets", decodeSubnet, nil},
	{"Vpcs", "aws ec2 describe-vpcs", decodeVPC, nil},
	{"AvailabilityZones", "aws ec2 describe-availability-zones", decodeZone, nil},
	{"NatGateways", "aws ec2 describe-nat-gateways", decodeNAT, nil},
	{"VpcEndpoints", "aws ec2 describe-vpc-endpoints", decodeEndpoint, nil},
	{"FlowLogs", "aws ec2 describe-flow-logs", decodeFlowLog, nil},
	{"RouteTables", "aws ec2 describe-route-tables", nil, nil},
	{"VpcPeeringConnections", "aws ec2 describe-vpc-peering-connections", nil, nil},
	{"TransitGatewayAttachments", "aws ec2 describe-transit-gateway-attachments", nil, nil},
	{"TransitGatewayVpcAttachments", "aws ec2 describe-transit-gateway-vpc-attachments", nil, nil},
	{"TransitGateways", "aws ec2 describe-transit-gateways", nil, nil},
	{"InternetGateways", "aws ec2 describe-internet-gateways", nil, nil},
	{"EgressOnlyInternetGateways", "aws ec2 describe-egress-only-internet-gateways", nil, nil},
	{"SecurityGroups", "aws ec2 describe-security-groups", nil, nil},
	{"SecurityGroupRules", "aws ec2 describe-security-group-rules", nil, nil},
	{"NetworkAcls", "aws ec2 describe-network-acls", nil, nil},
	{"PrefixLists", "aws ec2 describe-managed-prefix-lists", nil, nil},
	{"Entries", "aws ec2 get-managed-prefix-list-entries", nil, nil},
	{"Regions", "aws ec2 describe-regions", nil, nil},
	{"LoadBalancers", "aws elbv2 describe-load-balancers", decodeBalancer, nil},
	{"LoadBalancerDescriptions", "aws elb describe-load-balancers", nil, nil},
	{"DBInstances", "aws rds describe-db-instances", decodeDatabase, nil},
	{"DBClusters", "aws rds describe-db-clusters", nil, nil},
	{"Functions", "aws lambda list-functions", decodeFunction, nil},
	{"tasks", "aws ecs describe-tasks", decodeTask, nil},
	{"taskArns", "aws ecs list-tasks", nil, nil},
	{"clusterArns", "aws ecs list-clusters", nil, nil},
	{"serviceArns", "aws ecs list-services", nil, nil},
	{"services", "aws ecs describe-services", nil, nil},
	{"clusters", "aws eks list-clusters", nil, nil},
	{"cluster", "aws eks describe-cluster", nil, nil},
	{"nodegroups", "aws eks list-nodegroups", nil, nil},
	{"configurationItems", "AWS Config", decodeItem, scopeOfItem},
	{"items", "kubectl get pods", decodeItemOfKubernetes, nil},
}

// callOf returns the call that lists a member, or nil.
func callOf(member string) *call {
	if i := slices.IndexFunc(calls, func(c call) bool { return c.member == member }); i >= 0 {
		return &calls[i]
	}
	return nil
}

// Calls lists what is read, for help and errors: the calls whose answers have effect on fields.
func Calls() []string {
	var all []string
	for _, c := range calls {
		if c.decode != nil {
			all = append(all, c.name)
		}
	}
	return all
}
