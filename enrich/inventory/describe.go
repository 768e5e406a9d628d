package inventory

import (
	"cmp"
	"slices"
	"strings"
)

// A description is what an interface says of itself: facts of one state of it, with what needs other calls left open.
//
// Long because it has each property of an interface that an answer may show.
type description struct {
	id, text, kind, requester string
	managed                   bool // by AWS
	instance, vpc, subnet     string
	zoneName, zoneID          string
	account, region, groups   string
	tags                      []Tag
	kubernetes                *Kubernetes
}

// described takes over the properties of an interface.
func described(n *networkInterface, account, region string, intern func(string) string) description {
	d := description{
		id: n.NetworkInterfaceID, text: strings.Clone(n.Description), kind: intern(n.InterfaceType), requester: intern(n.RequesterID),
		managed: n.RequesterManaged, instance: n.Attachment.InstanceID, vpc: intern(n.VpcID), subnet: intern(n.SubnetID),
		zoneName: intern(n.AvailabilityZone), zoneID: intern(n.AvailabilityZoneID),
		account: intern(cmp.Or(n.OwnerID, account)), region: intern(cmp.Or(region, regionOf(n.AvailabilityZone))), groups: intern(n.groups()),
	}
	for _, t := range n.TagSet {
		d.tags = append(d.tags, Tag{intern(t.Key), intern(t.Value)})
	}
	slices.SortFunc(d.tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	return d
}

// names are what other calls say of what interfaces belong to, by ID or as lists.
type names struct {
	instances map[string][]Tag        // tags, by instance
	tasks     map[string]ecsTask      // by interface
	gateways  map[string][]Tag        // tags, by NAT gateway
	endpoints map[string]vpcEndpoint  // by ID
	balancers map[string]loadBalancer // by the end of the ARN: app/NAME/HASH
	databases map[string]dbInstance   // by identifier
	functions map[string]function     // by name
	zones     map[string]string       // ID by account and name
	subnets   map[string]subnet       // by ID
}

func newNames() *names {
	return &names{
		instances: make(map[string][]Tag), tasks: make(map[string]ecsTask), gateways: make(map[string][]Tag), endpoints: make(map[string]vpcEndpoint),
		balancers: make(map[string]loadBalancer), databases: make(map[string]dbInstance), functions: make(map[string]function),
		zones: make(map[string]string), subnets: make(map[string]subnet),
	}
}

// zone returns the ID of the zone that an interface is in.
func (n *names) zone(d *description) string {
	return cmp.Or(d.zoneID, n.subnets[d.subnet].AvailabilityZoneID, n.zones[d.account+" "+d.zoneName])
}

// owner says what an interface belongs to.
func (n *names) owner(d *description) *Owner {
	o := &Owner{
		ID: d.id, Interface: d.id, InterfaceType: d.kind, Instance: d.instance, Zone: n.zone(d), Subnet: d.subnet, VPC: d.vpc,
		Account: d.account, Region: d.region, Groups: d.groups, Tags: d.tags, Kubernetes: d.kubernetes,
	}
	for _, rule := range ownerRules {
		if rule(n, d, o) {
			break
		}
	}
	o.Name = cmp.Or(o.Name, o.ID)
	return o
}

// A rule sets name, type and ID of an owner, if the interface is of its kind.
type rule func(n *names, d *description, o *Owner) bool

// ownerRules is the order in which kinds of interface are told apart: the first that holds counts.
var ownerRules = []rule{ofKubernetes, ofInstance, ofTask, ofLoadBalancer, ofGateway, ofEndpoint, ofLambda, ofDatabase, ofText, ofInterfaceType, ofAWS, ofItself}

func ofKubernetes(_ *names, d *description, o *Owner) bool {
	k := d.kubernetes
	if k == nil {
		return false
	}
	o.Type, o.Interface, o.InterfaceType = d.kind, "", ""
	switch d.kind {
	case typeNode:
		o.Name, o.ID, o.Kubernetes = d.text, d.text, nil
	case typePod:
		o.Name, o.ID = k.Namespace+"/"+k.Workload, k.Namespace+"/"+k.Pod
	default:
		o.Name, o.ID = k.Namespace+"/"+k.Workload, k.Namespace+"/"+k.Workload
	}
	return true
}

func ofInstance(n *names, d *description, o *Owner) bool {
	if d.instance == "" {
		return false
	}
	o.Type, o.ID = typeInstance, d.instance
	tags := n.instances[d.instance]
	o.Name = cmp.Or(tagged(tags, "Name"), tagged(d.tags, "Name"), tagged(tags, "eks:nodegroup-name"), tagged(tags, "aws:autoscaling:groupName"))
	o.Tags = mergeTags(d.tags, tags)
	return true
}

// mergeTags returns tags and those others whose keys they do not have.
func mergeTags(tags, others []Tag) []Tag {
	if len(others) == 0 {
		return tags
	}
	all := slices.Clone(tags)
	for _, t := range others {
		if !slices.ContainsFunc(tags, func(o Tag) bool { return o.Key == t.Key }) {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// ofTask is for tasks of ECS in awsvpc mode. Their description is the ARN of an attachment, without the service.
func ofTask(n *names, d *description, o *Owner) bool {
	task, known := n.tasks[d.id]
	if !known && !(strings.HasPrefix(d.text, "arn:aws") && strings.Contains(d.text, ":ecs:") && strings.Contains(d.text, ":attachment/")) {
		return false
	}
	o.Type, o.ID = typeECS, cmp.Or(task.TaskArn, d.id)
	o.Name = strings.TrimPrefix(task.Group, "service:")
	o.Name = cmp.Or(tagged(d.tags, "aws:ecs:serviceName"), strings.TrimPrefix(o.Name, "family:"))
	return true
}

// ofLoadBalancer reads "ELB app/NAME/HASH", "ELB net/NAME/HASH", "ELB gwy/NAME/HASH" and "ELB NAME".
func ofLoadBalancer(n *names, d *description, o *Owner) bool {
	name, ok := strings.CutPrefix(d.text, "ELB ")
	if !ok {
		return false
	}
	kinds := map[string]string{"app": typeALB, "net": typeNLB, "gwy": typeGatewayELB}
	parts := strings.Split(name, "/")
	if kind := kinds[parts[0]]; kind != "" && len(parts) == 3 {
		o.Type, o.Name = kind, parts[1]
		o.ID = cmp.Or(n.balancers[name].LoadBalancerArn, name)
		return true
	}
	o.Type, o.Name, o.ID = typeClassicELB, name, name
	return true
}

func ofGateway(n *names, d *description, o *Owner) bool {
	id, ok := strings.CutPrefix(d.text, "Interface for NAT Gateway ")
	if !ok && d.kind != typeNAT {
		return false
	}
	o.Type = typeNAT
	if ok {
		o.ID = id
	}
	o.Name = cmp.Or(tagged(n.gateways[o.ID], "Name"), tagged(d.tags, "Name"))
	o.Tags = mergeTags(d.tags, n.gateways[o.ID])
	return true
}

func ofEndpoint(n *names, d *description, o *Owner) bool {
	id, ok := strings.CutPrefix(d.text, "VPC Endpoint Interface ")
	if !ok && d.kind != typeEndpoint && d.kind != "gateway_load_balancer_endpoint" {
		return false
	}
	o.Type = cmp.Or(d.kind, typeEndpoint)
	if o.Type == typeInterface {
		o.Type = typeEndpoint
	}
	if ok {
		o.ID = id
	}
	e := n.endpoints[o.ID]
	o.Name = cmp.Or(tagged(e.Tags, "Name"), tagged(d.tags, "Name"), endpointService(e.ServiceName))
	o.Tags = mergeTags(d.tags, e.Tags)
	return true
}

// endpointService shortens the name of an AWS service: s3 of com.amazonaws.us-east-1.s3. Others stay.
func endpointService(name string) string {
	if parts := strings.SplitN(name, ".", 4); len(parts) == 4 && strings.HasPrefix(name, "com.amazonaws.") && parts[2] != "vpce" {
		return parts[3]
	}
	return name
}

// ofLambda reads "AWS Lambda VPC ENI-FUNCTION-UUID". One interface serves all functions with its subnet and groups, so the
// name is certain only if the list of functions shows no other.
func ofLambda(n *names, d *description, o *Owner) bool {
	rest, ok := strings.CutPrefix(d.text, "AWS Lambda VPC ENI")
	if !ok {
		return false
	}
	o.Type = typeLambda
	rest = strings.TrimLeft(rest, "-: ")
	parts := strings.Split(rest, "-")
	if len(parts) > 5 {
		rest = strings.Join(parts[:len(parts)-5], "-")
	}
	sharing := 0
	for _, f := range n.functions {
		if slices.Contains(f.VpcConfig.SubnetIDs, d.subnet) && joined(slices.Clone(f.VpcConfig.SecurityGroupIDs)) == d.groups {
			sharing++
		}
	}
	if o.Name = rest; sharing > 1 {
		o.Name += " (shared)"
	}
	o.Guess = sharing != 1
	return true
}

// ofInterfaceType is for types of interface that say what the owner is.
func ofInterfaceType(_ *names, d *description, o *Owner) bool {
	if !slices.Contains(interfaceTypes, d.kind) {
		return false
	}
	o.Type = d.kind
	o.Name = cmp.Or(tagged(d.tags, "Name"), d.text)
	return true
}

// ofDatabase is for RDS, and for Neptune and DocumentDB, whose interfaces say the same. They do not name the database: it
// is the one with the VPC, zone and groups of the interface, if there is just one.
func ofDatabase(n *names, d *description, o *Owner) bool {
	if d.text != "RDSNetworkInterface" && d.requester != "amazon-rds" {
		return false
	}
	o.Type, o.Name = typeRDS, "rds in "+cmp.Or(d.groups, d.subnet, d.id)
	o.Guess = true
	var found []string
	for _, db := range n.databases {
		var groups []string
		for _, g := range db.VpcSecurityGroups {
			groups = append(groups, g.VpcSecurityGroupID)
		}
		inZone := d.zoneName == db.AvailabilityZone || d.zoneName == db.SecondaryAvailabilityZone
		if db.DBSubnetGroup.VpcID == d.vpc && inZone && joined(groups) == d.groups {
			found = append(found, db.DBInstanceIdentifier)
		}
	}
	if len(found) == 1 {
		o.Name, o.ID = found[0], found[0]
	}
	return true
}

// texts are descriptions that AWS's services give to their interfaces. What follows the text is the name, up to a blank.
var texts = []struct{ prefix, kind string }{
	{"ElastiCache+", typeElastiCache},
	{"ElastiCache ", typeElastiCache},
	{"RedshiftNetworkInterface", "redshift"},
	{"DMSNetworkInterface", "dms"},
	{"DAX ", "dax"},
	{"EFS mount target for ", "efs"},
	{"Attached to Glue using role: ", "glue"},
	{"[DO NOT DELETE] ENI managed by SageMaker", "sagemaker"},
	{"SageMaker", "sagemaker"},
	{"AWS created network interface for directory ", "directory"},
	{"Created By Amazon Workspaces for AWS Account ID ", "workspaces"},
	{"Created By Amazon Workspaces", "workspaces"},
	{"CloudHsm ENI ", "cloudhsm"},
	{"CloudHSM ", "cloudhsm"},
	{"datasync", "datasync"},
	{"Transit Gateway Attachment ", typeTransit},
	{"Network Interface for Transit Gateway Attachment ", typeTransit},
}

func ofText(_ *names, d *description, o *Owner) bool {
	for _, t := range texts {
		rest, ok := strings.CutPrefix(d.text, t.prefix)
		if !ok {
			continue
		}
		o.Type = t.kind
		o.Name, _, _ = strings.Cut(strings.TrimLeft(rest, ": "), " ")
		o.Name = cmp.Or(tagged(d.tags, "Name"), o.Name, d.text)
		return true
	}
	return false
}

// ofAWS is for other interfaces that AWS manages.
func ofAWS(_ *names, d *description, o *Owner) bool {
	if !d.managed {
		return false
	}
	o.Type, o.Name = typeAWS, d.text
	return true
}

// ofItself is for interfaces that are attached to nothing.
func ofItself(_ *names, d *description, o *Owner) bool {
	o.Type = typeInterface
	if o.Name = cmp.Or(tagged(d.tags, "Name"), d.text); d.kind == "" && o.Name == "" {
		o.Type = typeOther
	}
	return true
}
