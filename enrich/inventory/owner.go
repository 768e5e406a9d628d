package inventory

import "slices"

// An Owner is what an address or an interface belongs to. "" is unknown.
//
// Long because each member is a field of the records that users see.
type Owner struct {
	Name          string // what people call it: a tag, or the name or ID that AWS has for it
	Type          string // one of Types
	ID            string // AWS's: i-…, nat-…, vpce-…, an ARN, or that of the interface
	Interface     string // eni-…
	InterfaceType string // as AWS spells it
	Instance      string // i-…, if the interface is attached to one
	Zone          string // ID of the availability zone, such as use1-az1
	Subnet        string
	VPC           string
	Account       string
	Region        string
	Groups        string // IDs of security groups, separated by commas
	Tags          []Tag  // sorted by key
	Kubernetes    *Kubernetes
	Guess         bool // the name is not AWS's own statement but follows from other properties: never certain
}

// A Kubernetes is what a pod or a service is in its cluster.
type Kubernetes struct{ Namespace, Workload, Pod string }

// A Tag is a tag of AWS's, or a label of Kubernetes'.
type Tag struct{ Key, Value string }

// tagged returns the value of a tag, "" if there is none.
func tagged(tags []Tag, key string) string {
	if i := slices.IndexFunc(tags, func(t Tag) bool { return t.Key == key }); i >= 0 {
		return tags[i].Value
	}
	return ""
}

// The types of owners that the code names. Where AWS logs a type of interface, it is spelled alike.
const (
	typeInstance    = "instance"
	typeALB         = "application_load_balancer"
	typeNLB         = "network_load_balancer"
	typeClassicELB  = "classic_load_balancer"
	typeGatewayELB  = "gateway_load_balancer"
	typeNAT         = "nat_gateway"
	typeEndpoint    = "vpc_endpoint"
	typeTransit     = "transit_gateway"
	typeLambda      = "lambda"
	typeRDS         = "rds"
	typeECS         = "ecs_task"
	typePod         = "pod"
	typeNode        = "kubernetes_node"
	typeK8sService  = "kubernetes_service"
	typeInterface   = "interface"
	typeAWS         = "aws"
	typeOther       = "other"
	typeElasticIP   = "elastic_ip"
	typeElastiCache = "elasticache"
)

// interfaceTypes are the types of interface that are types of owners. Source: the EC2 API, NetworkInterface.
var interfaceTypes = []string{
	typeNAT, typeNLB, typeGatewayELB, "gateway_load_balancer_endpoint", typeEndpoint, typeTransit, typeLambda,
	"api_gateway_managed", "aws_codestar_connections_managed", "ec2_instance_connect_endpoint", "efs", "evs",
	"global_accelerator_managed", "iot_rules_managed", "quicksight",
}

// Types returns the closed list of types of owners.
func Types() []string {
	types := slices.Concat([]string{
		typeInstance, typeALB, typeClassicELB, typeRDS, typeElastiCache, "redshift", "dms", "dax", typeECS, typePod, typeNode, typeK8sService,
		"glue", "sagemaker", "directory", "workspaces", "cloudhsm", "datasync", typeElasticIP, typeInterface, typeAWS, typeOther,
	}, interfaceTypes)
	slices.Sort(types)
	return types
}
