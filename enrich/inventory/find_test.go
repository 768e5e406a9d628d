package inventory

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// day is the day of the tests.
const day = "2026-11-27T"

func clock(t *testing.T, text string) int64 {
	t.Helper()
	if len(text) == 5 {
		text += ":00"
	}
	at, err := time.Parse(time.RFC3339, day+text+"Z")
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

func file(name, content string) File {
	return File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// snapshot is a file of flowlog inventory with these interfaces.
func snapshot(at string, interfaces ...string) File {
	if len(at) == 5 {
		at += ":00"
	}
	return file("inv-"+at+".json", fmt.Sprintf(`{"flowlog":"inventory","version":1,"account":"123456789012","region":"us-east-1","time":"%s%sZ",
		"calls":{"DescribeNetworkInterfaces":{"NetworkInterfaces":[%s]}}}`, day, at, strings.Join(interfaces, ",")))
}

// eni is an interface of an instance. attach may be "".
func eni(id, address, attach string, more ...string) string {
	if attach != "" {
		attach = fmt.Sprintf(`,"AttachTime":"%s%s:00+00:00"`, day, attach)
	}
	return fmt.Sprintf(`{"NetworkInterfaceId":"eni-%[1]s","OwnerId":"123456789012","VpcId":"vpc-1","SubnetId":"subnet-1","AvailabilityZone":"us-east-1a","AvailabilityZoneId":"use1-az1",
		"InterfaceType":"interface","PrivateIpAddress":%[2]q,"TagSet":[{"Key":"Name","Value":%[1]q}],"Attachment":{"InstanceId":"i-%[1]s"%[3]s}%[4]s}`, id, address, attach, strings.Join(more, ""))
}

func read(t *testing.T, files ...File) *Inventory {
	t.Helper()
	inv, err := Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// ask writes an answer as "certain A", "several (2)", "none".
func ask(t *testing.T, inv *Inventory, address, vpc, start, end string) string {
	t.Helper()
	q := Query{Addr: netip.MustParseAddr(address), VPC: vpc, Start: clock(t, start), End: clock(t, end)}
	return text(inv.Find(q))
}

func text(a Answer) string {
	switch {
	case a.State == Several:
		return fmt.Sprintf("several (%d)", len(a.Owners))
	case a.Owner() != nil:
		return a.State.String() + " " + a.Owner().Name
	}
	return a.State.String()
}

func TestReuse(t *testing.T) {
	configItem := func(id, address, at, status string, created string) string {
		return fmt.Sprintf(`{"resourceType":"AWS::EC2::NetworkInterface","resourceId":"eni-%[1]s","awsAccountId":"123456789012","awsRegion":"us-east-1",
			"configurationItemCaptureTime":"%[6]s%[3]s:00.000Z","configurationItemStatus":%[4]q,"resourceCreationTime":%[5]s,"tags":{"Name":%[1]q},
			"configuration":{"networkInterfaceId":"eni-%[1]s","ownerId":"123456789012","vpcId":"vpc-1","privateIpAddress":%[2]q,"attachment":{"instanceId":"i-%[1]s"}}}`, id, address, at, status, created, day)
	}
	for _, test := range []struct {
		name  string
		files []File
		want  map[string]string // by the time of a record of one second
	}{
		{
			"without attach times",
			[]File{snapshot("09:00", eni("A", "10.0.2.7", "")), snapshot("09:30", eni("A", "10.0.2.7", "")), snapshot("12:00", eni("B", "10.0.2.7", ""))},
			map[string]string{
				"08:00": "assumed A", "09:10": "certain A", "09:30:59": "certain A", "09:32": "several (2)", "11:00": "several (2)",
				"11:58:58": "several (2)", "11:59:00": "certain B", "12:00:30": "certain B", "15:00": "assumed B",
			},
		},
		{
			"with attach times",
			[]File{snapshot("09:00", eni("A", "10.0.2.7", "")), snapshot("09:30", eni("A", "10.0.2.7", "")), snapshot("12:00", eni("B", "10.0.2.7", "10:05"))},
			map[string]string{"10:00": "assumed A", "10:05": "several (2)", "10:06": "certain B", "11:00": "certain B", "15:00": "assumed B"},
		},
		{
			"with AWS Config",
			[]File{
				snapshot("09:00", eni("A", "10.0.2.7", "")), snapshot("09:30", eni("A", "10.0.2.7", "")), snapshot("12:00", eni("B", "10.0.2.7", "")),
				file("123456789012_Config_us-east-1_ConfigHistory_AWS::EC2::NetworkInterface_20261127T060000Z_20261127T120000Z_1.json", `{"fileVersion":"1.0","configurationItems":[`+
					configItem("A", "10.0.2.7", "07:00", "ResourceDiscovered", `"`+day+`07:00:00.000Z"`)+","+
					configItem("A", "10.0.2.7", "10:00", "ResourceDeleted", "null")+","+
					configItem("B", "10.0.2.7", "10:05", "ResourceDiscovered", `"`+day+`10:05:00.000Z"`)+`]}`),
			},
			map[string]string{
				"06:00": "none", "07:00": "assumed A", "07:02": "certain A", "09:50": "certain A", "10:00": "assumed A", "10:02": "none", "10:05": "assumed B", "10:07": "certain B",
				"11:59": "certain B", "15:00": "assumed B",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inv := read(t, test.files...)
			for at, want := range test.want {
				if got := ask(t, inv, "10.0.2.7", "vpc-1", at, at); got != want {
					t.Errorf("%s: %s, want %s", at, got, want)
				}
			}
			if got := ask(t, inv, "10.0.2.7", "vpc-1", "09:30:30", "09:32"); test.name == "without attach times" && got != "several (2)" {
				t.Errorf("a record over the end: %s", got)
			}
		})
	}
}

func TestVPCs(t *testing.T) {
	other := strings.NewReplacer("vpc-1", "vpc-2", "subnet-1", "subnet-2")
	listing := `{"NetworkInterfaces":[` + eni("A", "10.0.0.5", "") + "," + other.Replace(eni("B", "10.0.0.5", "")) + "," + other.Replace(eni("C", "10.0.0.6", "")) + `]}`
	vpcs := `{"Vpcs":[{"VpcId":"vpc-1","CidrBlock":"10.0.0.0/24"},{"VpcId":"vpc-2","CidrBlock":"10.0.0.0/24"},{"VpcId":"vpc-3","CidrBlock":"10.9.0.0/24"}]}`
	inv := read(t, file("20261127T100000Z.json", listing), file("20261127T100000Z-vpcs.json", vpcs))
	for _, test := range []struct{ address, vpc, want string }{
		{"10.0.0.5", "vpc-1", "certain A"},
		{"10.0.0.5", "vpc-2", "certain B"},
		{"10.0.0.5", "", "several (2)"},
		{"10.0.0.6", "", "assumed C"},      // the VPC of the record is unknown
		{"10.0.0.6", "vpc-1", "none"},      // one of its own
		{"10.0.0.6", "vpc-3", "assumed C"}, // it may be reached from there
		{"10.0.0.7", "vpc-1", "none"},
	} {
		if got := ask(t, inv, test.address, test.vpc, "10:00", "10:00"); got != test.want {
			t.Errorf("%s in %q: %s, want %s", test.address, test.vpc, got, test.want)
		}
	}
	q := Query{Addr: netip.MustParseAddr("10.0.0.5"), Interface: "eni-B", Start: clock(t, "11:00"), End: clock(t, "11:01")}
	if got := text(inv.Find(q)); got != "certain B" {
		t.Errorf("the record's own end: %s, want certain B at any time", got)
	}
	q.Addr = netip.MustParseAddr("10.0.0.6")
	if got := text(inv.Find(q)); got != "assumed C" {
		t.Errorf("the other end, in the VPC of the interface: %s, want assumed C", got)
	}
}

func TestAddressKinds(t *testing.T) {
	more := `,"PrivateIpAddresses":[{"PrivateIpAddress":"10.0.0.5","Primary":true,"Association":{"PublicIp":"198.51.100.7"}},{"PrivateIpAddress":"10.0.0.6"}],
		"Ipv6Addresses":[{"Ipv6Address":"2001:db8::5"}],"Ipv4Prefixes":[{"Ipv4Prefix":"10.0.1.16/28"}],"Ipv6Prefixes":[{"Ipv6Prefix":"2001:db8:1::/80"}]`
	node := eni("N", "10.0.0.5", "", more)
	inv := read(t, snapshot("09:00", node), snapshot("10:00", node))
	for _, test := range []struct{ address, at, want, kind string }{
		{"10.0.0.5", "09:30", "certain N", "instance"},
		{"10.0.0.6", "09:30", "assumed N", "instance"},
		{"10.0.0.6", "09:00:30", "certain N", "instance"},
		{"10.0.0.6", "09:59:10", "certain N", "instance"},
		{"198.51.100.7", "09:30", "assumed N", "instance"},
		{"198.51.100.7", "10:00", "certain N", "instance"},
		{"2001:db8::5", "09:30", "certain N", "instance"},
		{"10.0.1.20", "09:00", "assumed N", "pod"},
		{"2001:db8:1::20", "09:00", "assumed N", "pod"},
		{"10.0.1.32", "09:00", "none", ""},
	} {
		a := inv.Find(Query{Addr: netip.MustParseAddr(test.address), VPC: "vpc-1", Start: clock(t, test.at), End: clock(t, test.at)})
		if got := text(a); got != test.want || a.Owner() != nil && a.Owner().Type != test.kind {
			t.Errorf("%s at %s: %s %+v, want %s, %s", test.address, test.at, got, a.Owner(), test.want, test.kind)
		}
	}
}

func TestPods(t *testing.T) {
	pod := func(name, uid, address, start, more string) string {
		return fmt.Sprintf(`{"kind":"Pod","metadata":{"name":"%s-abc","namespace":"shop","uid":%q,"labels":{"pod-template-hash":"77"},"ownerReferences":[{"kind":"ReplicaSet","name":"%s-77"}]%s},
			"spec":{"nodeName":"node-1"},"status":{"phase":"Running","podIP":%q,"podIPs":[{"ip":%[5]q}],"startTime":"%s%s:00Z"}}`, name, uid, name, more, address, day, start)
	}
	list := func(items ...string) string {
		return `{"apiVersion":"v1","items":[` + strings.Join(items, ",") + `],"kind":"List"}`
	}
	nodes := `{"kind":"Node","metadata":{"name":"node-1","uid":"n1"},"spec":{"providerID":"aws:///us-east-1a/i-N"},"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.5"}]}}`
	host := `{"kind":"Pod","metadata":{"name":"proxy","uid":"u9"},"spec":{"hostNetwork":true,"nodeName":"node-1"},"status":{"podIP":"10.0.0.5"}}`
	inv := read(t,
		snapshot("09:00", eni("N", "10.0.0.5", "", `,"Ipv4Prefixes":[{"Ipv4Prefix":"10.0.1.16/28"}]`)),
		file("pods_20261127T090000Z.json", list(pod("cart", "u1", "10.0.1.17", "08:00", ""), nodes, host)),
		file("pods_20261127T110000Z.json", list(pod("pay", "u2", "10.0.1.17", "10:00", ""), nodes, host)))
	for _, test := range []struct{ address, at, want string }{
		{"10.0.1.17", "08:30", "certain shop/cart"},
		{"10.0.1.17", "09:30", "assumed shop/cart"},
		{"10.0.1.17", "10:00", "several (2)"},
		{"10.0.1.17", "10:30", "certain shop/pay"},
		{"10.0.1.17", "12:00", "assumed shop/pay"},
		{"10.0.1.18", "10:30", "assumed N"},
		{"10.0.0.5", "09:00", "certain N"},
	} {
		if got := ask(t, inv, test.address, "vpc-1", test.at, test.at); got != test.want {
			t.Errorf("%s at %s: %s, want %s", test.address, test.at, got, test.want)
		}
	}
	a := inv.Find(Query{Addr: netip.MustParseAddr("10.0.1.17"), VPC: "vpc-1", Start: clock(t, "10:30"), End: clock(t, "10:30")})
	o := a.Owner()
	if k := o.Kubernetes; *k != (Kubernetes{"shop", "pay", "pay-abc"}) || o.Instance != "i-N" || o.VPC != "vpc-1" {
		t.Errorf("the pod is %+v of %+v", *k, o)
	}
}

// TestAttributes reads names from the other calls.
func TestAttributes(t *testing.T) {
	base := `"OwnerId":"123456789012","VpcId":"vpc-1","SubnetId":"subnet-1","AvailabilityZone":"us-east-1a","Groups":[{"GroupId":"sg-2"},{"GroupId":"sg-1"}]`
	of := func(address, more string) string {
		return fmt.Sprintf(`{"NetworkInterfaceId":"eni-%s","PrivateIpAddress":%[1]q,%s,%s}`, address, base, more)
	}
	enis := `{"NetworkInterfaces":[` + strings.Join([]string{
		of("10.0.0.1", `"Attachment":{"InstanceId":"i-1"}`),
		of("10.0.0.2", `"InterfaceType":"nat_gateway","Description":"Interface for NAT Gateway nat-1"`),
		of("10.0.0.3", `"InterfaceType":"vpc_endpoint","Description":"VPC Endpoint Interface vpce-1"`),
		of("10.0.0.4", `"InterfaceType":"interface","Description":"ELB app/shop/0123","RequesterId":"amazon-elb"`),
		of("10.0.0.5", `"InterfaceType":"network_load_balancer","Description":"ELB net/edge/4567"`),
		of("10.0.0.6", `"Description":"ELB old","RequesterId":"amazon-elb"`),
		of("10.0.0.7", `"Description":"RDSNetworkInterface","RequesterId":"amazon-rds"`),
		of("10.0.0.8", `"InterfaceType":"lambda","Description":"AWS Lambda VPC ENI-pay-out-0f1c2d3e-1111-2222-3333-444455556666"`),
		of("10.0.0.9", `"Description":"arn:aws:ecs:us-east-1:123456789012:attachment/aa"`),
		of("10.0.0.10", `"Description":"ElastiCache orders","RequesterManaged":true`),
		of("10.0.0.11", `"Description":"some service","RequesterManaged":true`),
		of("10.0.0.12", `"InterfaceType":"interface","Description":"spare"`),
		of("10.0.0.13", `"InterfaceType":"efs","Description":"EFS mount target for fs-1 (fsmt-1)"`),
		of("10.0.0.15", `"InterfaceType":"branch","Description":"aws-k8s-branch-eni"`),
		of("10.0.0.14", `"InterfaceType":"transit_gateway","Description":"Network Interface for Transit Gateway Attachment tgw-attach-1"`),
	}, ",") + `]}`
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := io.WriteString(w, enis); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	inv := read(t,
		file("20261127T090000Z_enis.json.gz", z.String()),
		file("20261127T090000Z_rest.json", `{"Reservations":[{"OwnerId":"123456789012","Instances":[{"InstanceId":"i-1","Tags":[{"Key":"Name","Value":"web"},{"Key":"team","Value":"a"}],"NetworkInterfaces":[]}]}]}
			{"Subnets":[{"SubnetId":"subnet-1","VpcId":"vpc-1","CidrBlock":"10.0.0.0/24","AvailabilityZone":"us-east-1a","AvailabilityZoneId":"use1-az4"}]}
			{"NatGateways":[{"NatGatewayId":"nat-1","Tags":[{"Key":"Name","Value":"out"}]}]}
			{"VpcEndpoints":[{"VpcEndpointId":"vpce-1","ServiceName":"com.amazonaws.us-east-1.secretsmanager"}]}
			{"LoadBalancers":[{"LoadBalancerArn":"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/0123","LoadBalancerName":"shop"}]}
			{"DBInstances":[{"DBInstanceIdentifier":"orders-db","AvailabilityZone":"us-east-1a","DBSubnetGroup":{"VpcId":"vpc-1"},"VpcSecurityGroups":[{"VpcSecurityGroupId":"sg-1"},{"VpcSecurityGroupId":"sg-2"}]}]}
			{"Functions":[{"FunctionName":"pay-out","VpcConfig":{"SubnetIds":["subnet-1"],"SecurityGroupIds":["sg-1","sg-2"]}}]}
			{"tasks":[{"taskArn":"arn:task","group":"service:checkout","attachments":[{"details":[{"name":"networkInterfaceId","value":"eni-10.0.0.9"}]}]}],"failures":[]}
			{"RouteTables":[{"RouteTableId":"rtb-1"}]}`))
	for _, test := range []struct{ address, state, name, kind, id string }{
		{"10.0.0.1", "certain", "web", "instance", "i-1"},
		{"10.0.0.2", "certain", "out", "nat_gateway", "nat-1"},
		{"10.0.0.3", "certain", "secretsmanager", "vpc_endpoint", "vpce-1"},
		{"10.0.0.4", "certain", "shop", "application_load_balancer", "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/0123"},
		{"10.0.0.5", "certain", "edge", "network_load_balancer", "net/edge/4567"},
		{"10.0.0.6", "certain", "old", "classic_load_balancer", "old"},
		{"10.0.0.7", "assumed", "orders-db", "rds", "orders-db"},
		{"10.0.0.8", "certain", "pay-out", "lambda", "eni-10.0.0.8"},
		{"10.0.0.9", "certain", "checkout", "ecs_task", "arn:task"},
		{"10.0.0.10", "certain", "orders", "elasticache", "eni-10.0.0.10"},
		{"10.0.0.11", "certain", "some service", "aws", "eni-10.0.0.11"},
		{"10.0.0.12", "certain", "spare", "interface", "eni-10.0.0.12"},
		{"10.0.0.13", "certain", "fs-1", "efs", "eni-10.0.0.13"},
		{"10.0.0.15", "certain", "aws-k8s-branch-eni", "pod", "eni-10.0.0.15"},
		{"10.0.0.14", "certain", "tgw-attach-1", "transit_gateway", "eni-10.0.0.14"},
	} {
		a := inv.Find(Query{Addr: netip.MustParseAddr(test.address), VPC: "vpc-1", Start: clock(t, "09:00"), End: clock(t, "09:00")})
		o := a.Owner()
		if o == nil || a.State.String() != test.state || o.Name != test.name || o.Type != test.kind || o.ID != test.id {
			t.Errorf("%s: %s %+v, want %+v", test.address, a.State, o, test)
			continue
		}
		if o.Zone != "use1-az4" || o.Groups != "sg-1,sg-2" || o.Account != "123456789012" || o.Region != "us-east-1" || a.Subnet == nil || a.Subnet.ID != "subnet-1" {
			t.Errorf("%s is at %+v, in %+v", test.address, o, a.Subnet)
		}
		if !strings.Contains(strings.Join(Types(), " "), o.Type) {
			t.Errorf("%s is none of Types", o.Type)
		}
	}
	if o := inv.Interface("eni-10.0.0.1", 0); o == nil || tagged(o.Tags, "team") != "a" {
		t.Errorf("the interface is of %+v", o)
	}
}
