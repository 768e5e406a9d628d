package describe

import (
	"slices"

	"flowlog/parse/aws"
)

var (
	elbv2 = &Service{
		Service: aws.Service{Name: "elasticloadbalancing", ID: "Elastic Load Balancing v2"}, version: "2015-12-01", prefix: "elasticloadbalancing",
		size: "PageSize", token: "Marker", next: "NextMarker",
	}
	rds    = &Service{Service: aws.Service{Name: "rds", ID: "RDS"}, version: "2014-10-31", prefix: "rds", size: "MaxRecords", token: "Marker", next: "Marker"}
	lambda = &Service{Service: aws.Service{Name: "lambda", ID: "Lambda"}, prefix: "lambda", size: "MaxItems", token: "Marker", next: "NextMarker"}
	ecs    = &Service{
		Service: aws.Service{Name: "ecs", ID: "ECS"}, prefix: "ecs", target: "AmazonEC2ContainerServiceV20141113", size: "maxResults", token: "nextToken", next: "nextToken",
	}
	eks = &Service{Service: aws.Service{Name: "eks", ID: "EKS"}, prefix: "eks", size: "maxResults", token: "nextToken", next: "nextToken"}
)

// onRequest are the calls for names that interfaces do not have. The word that asks for one is the aws command's.
var onRequest = []Call{
	{With: "elbv2", Service: elbv2, Action: "DescribeLoadBalancers", Page: 400, CLI: "LoadBalancers", XML: "LoadBalancers", Doc: "load balancers", Members: slices.Concat(
		text("LoadBalancerArn", "DNSName", "LoadBalancerName", "Scheme", "VpcId", "Type", "IpAddressType"), moment("CreatedTime"), object("State", "State", text("Code", "Reason")),
		list("AvailabilityZones", "AvailabilityZones", text("ZoneName", "SubnetId"), list("LoadBalancerAddresses", "LoadBalancerAddresses", text("IpAddress", "AllocationId", "PrivateIPv4Address", "IPv6Address"))),
		list("SecurityGroups", "SecurityGroups"))},
	{With: "rds", Service: rds, Action: "DescribeDBInstances", Page: 100, CLI: "DBInstances", XML: "DBInstances", Doc: "databases, which their interfaces do not name", Members: slices.Concat(
		text("DBInstanceIdentifier", "DBInstanceArn", "DbiResourceId", "DBClusterIdentifier", "Engine", "EngineVersion", "DBInstanceStatus", "AvailabilityZone", "SecondaryAvailabilityZone"),
		boolean("MultiAZ", "PubliclyAccessible"), moment("InstanceCreateTime"),
		object("Endpoint", "Endpoint", text("Address", "HostedZoneId"), number("Port")),
		object("DBSubnetGroup", "DBSubnetGroup", text("DBSubnetGroupName", "VpcId", "SubnetGroupStatus"),
			list("Subnets", "Subnets", text("SubnetIdentifier", "SubnetStatus"), object("SubnetAvailabilityZone", "SubnetAvailabilityZone", text("Name")))),
		list("VpcSecurityGroups", "VpcSecurityGroups", text("VpcSecurityGroupId", "Status")),
		list("TagList", "TagList", text("Key", "Value")))},
	{With: "ecs", Service: ecs, Action: "ListClusters", Page: 100, CLI: "clusterArns", Hidden: true, Key: ".", Doc: "clusters, for their tasks"},
	{With: "ecs", Service: ecs, Action: "ListTasks", Page: 100, CLI: "taskArns", Hidden: true, Each: &Each{Of: "ListClusters", Param: "cluster"}, Key: ".", Doc: "tasks of each cluster"},
	{With: "ecs", Service: ecs, Action: "DescribeTasks", CLI: "tasks", Each: &Each{Of: "ListTasks", Param: "tasks", Batch: 100}, Doc: "services of tasks and their interfaces",
		Members: seconds("createdAt", "startedAt", "stoppingAt", "stoppedAt", "connectivityAt", "pullStartedAt", "pullStoppedAt", "executionStoppedAt")},
	{With: "lambda", Service: lambda, Action: "ListFunctions", Page: 50, CLI: "Functions", Path: "/2015-03-31/functions", Doc: "functions and their subnets and security groups"},
	{With: "eks", Service: eks, Action: "ListClusters", Page: 100, CLI: "clusters", Path: "/clusters", Hidden: true, Key: ".", Doc: "names of clusters"},
	{With: "eks", Service: eks, Action: "DescribeCluster", CLI: "cluster", Path: "/clusters/{name}", Each: &Each{Of: "ListClusters", Param: "name"}, Doc: "clusters with their VPC and security groups",
		Members: seconds("createdAt")},
}
