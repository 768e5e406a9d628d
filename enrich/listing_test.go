package enrich

import (
	"strings"
	"testing"
)

const interfaces = `{
  "NetworkInterfaces": [
    {
      "Attachment": {"AttachmentId": "eni-attach-1", "DeviceIndex": 0, "InstanceId": "i-1", "InstanceOwnerId": "123456789012", "Status": "attached"},
      "AvailabilityZone": "eu-west-1a", "Description": "web", "Groups": [{"GroupName": "web", "GroupId": "sg-1"}, {"GroupName": "ssh", "GroupId": "sg-2"}],
      "InterfaceType": "interface", "NetworkInterfaceId": "eni-1", "OwnerId": "123456789012", "PrivateIpAddress": "10.0.0.5",
      "Association": {"PublicIp": "203.0.113.5"},
      "PrivateIpAddresses": [
        {"Primary": true, "PrivateIpAddress": "10.0.0.5", "Association": {"PublicIp": "203.0.113.5"}},
        {"Primary": false, "PrivateIpAddress": "10.0.0.6", "Association": {"CarrierIp": "203.0.113.6"}}
      ],
      "Ipv6Addresses": [{"Ipv6Address": "2001:db8::5"}], "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.8.0/28"}], "Ipv6Prefixes": [{"Ipv6Prefix": "2001:db8:1::/80"}],
      "Status": "in-use", "SubnetId": "subnet-1", "VpcId": "vpc-1",
      "TagSet": [{"Key": "Name", "Value": "web-1"}, {"Key": "aws:team", "Value": "shop"}, {"Key": "Équipe", "Value": "x"}]
    },
    {"Description": "ELB app/front/1", "InterfaceType": "interface", "NetworkInterfaceId": "eni-2", "PrivateIpAddress": "10.0.0.9", "VpcId": "vpc-1", "TagSet": []},
    {"Description": "twin", "InterfaceType": "interface", "NetworkInterfaceId": "eni-3", "PrivateIpAddress": "10.0.0.9", "VpcId": "vpc-2", "TagSet": []}
  ]
}`

const instances = `{
  "Reservations": [{
    "Groups": [], "OwnerId": "123456789012", "ReservationId": "r-1",
    "Instances": [{
      "InstanceId": "i-1", "InstanceType": "t3.micro", "Placement": {"AvailabilityZone": "eu-west-1a", "Tenancy": "default"},
      "PrivateIpAddress": "10.0.0.5", "PublicIpAddress": "203.0.113.5", "State": {"Code": 16, "Name": "running"},
      "SubnetId": "subnet-1", "VpcId": "vpc-1", "SecurityGroups": [{"GroupName": "web", "GroupId": "sg-1"}],
      "Tags": [{"Key": "Name", "Value": "web-1"}, {"Key": "Team", "Value": "shop"}],
      "NetworkInterfaces": [
        {"Attachment": {"AttachmentId": "eni-attach-1", "DeviceIndex": 0}, "Description": "", "NetworkInterfaceId": "eni-1", "OwnerId": "123456789012",
         "PrivateIpAddress": "10.0.0.5", "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.5"}, {"PrivateIpAddress": "10.0.0.6"}], "Ipv6Addresses": []}
      ]
    }]
  }]
}`

func TestListing(t *testing.T) {
	for _, test := range []struct {
		name, json, field string
		from              []string
		want              string
	}{
		{"interface", interfaces, "eni_name", []string{"eni-1"}, "web-1"},
		{"description", interfaces, "eni_description", []string{"eni-2"}, "ELB app/front/1"},
		{"type", interfaces, "eni_type", []string{"eni-1"}, "interface"},
		{"instance", interfaces, "eni_instance_id", []string{"eni-1"}, "i-1"},
		{"groups", interfaces, "eni_security_groups", []string{"eni-1"}, "web,ssh"},
		{"subnet", interfaces, "eni_subnet_id", []string{"eni-1"}, "subnet-1"},
		{"vpc", interfaces, "eni_vpc_id", []string{"eni-1"}, "vpc-1"},
		{"zone", interfaces, "eni_az", []string{"eni-1"}, "eu-west-1a"},
		{"account", interfaces, "eni_account_id", []string{"eni-1"}, "123456789012"},
		{"no name", interfaces, "eni_name", []string{"eni-2"}, "-"},
		{"tag", interfaces, "eni_tag_aws_team", []string{"eni-1"}, "shop"},
		{"unknown", interfaces, "eni_name", []string{"eni-9"}, "-"},
		{"address", interfaces, "src_eni_name", []string{"-", "10.0.0.5"}, "web-1"},
		{"id of an address", interfaces, "dst_eni_id", []string{"-", "10.0.0.5"}, "eni-1"},
		{"second address", interfaces, "dst_eni_name", []string{"10.0.0.6", "10.0.0.9"}, "web-1"},
		{"public address", interfaces, "src_eni_name", []string{"-", "203.0.113.5"}, "web-1"},
		{"carrier's address", interfaces, "src_eni_name", []string{"-", "203.0.113.6"}, "web-1"},
		{"ipv6", interfaces, "src_eni_name", []string{"-", "2001:db8::5"}, "web-1"},
		{"delegated prefix", interfaces, "src_eni_name", []string{"-", "10.0.8.3"}, "web-1"},
		{"delegated ipv6 prefix", interfaces, "src_eni_name", []string{"-", "2001:db8:1::3"}, "web-1"},
		{"an address that two have", interfaces, "src_eni_description", []string{"-", "10.0.0.9"}, "-"},
		{"only the interfaces", "[" + strings.TrimSuffix(strings.SplitN(interfaces, "[", 2)[1], "}"), "eni_name", []string{"eni-1"}, "web-1"},

		{"by instance", instances, "eni_name", []string{"i-1", "-"}, "web-1"},
		{"by its interface", instances, "eni_name", []string{"-", "eni-1"}, "web-1"},
		{"instance first", instances, "eni_name", []string{"i-1", "eni-9"}, "web-1"},
		{"interface if the instance is not listed", instances, "eni_name", []string{"i-9", "eni-1"}, "web-1"},
		{"instance type", instances, "eni_type", []string{"i-1"}, "t3.micro"},
		{"state", instances, "eni_state", []string{"i-1"}, "running"},
		{"instance's account", instances, "eni_account_id", []string{"i-1"}, "123456789012"},
		{"instance's zone", instances, "eni_az", []string{"i-1"}, "eu-west-1a"},
		{"instance's group", instances, "eni_security_groups", []string{"i-1"}, "web"},
		{"instance's tag", instances, "src_eni_tag_team", []string{"-", "10.0.0.5"}, "shop"},
		{"instance's second address", instances, "src_eni_id", []string{"-", "10.0.0.6"}, "i-1"},
		{"instance's public address", instances, "src_eni_id", []string{"-", "203.0.113.5"}, "i-1"},
		{"Reservations[]", `[{"OwnerId":"1","Instances":[{"InstanceId":"i-1"}]}]`, "eni_account_id", []string{"i-1"}, "1"},
		{"Reservations[].Instances", `[[{"InstanceId":"i-1","State":{"Name":"running"}}]]`, "eni_state", []string{"i-1"}, "running"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := lookup(t, table(t, "eni", test.json).Lookups(), test.field, test.from...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// There is a listing for each region and account.
func TestListingFiles(t *testing.T) {
	const other = `{"NetworkInterfaces":[{"NetworkInterfaceId":"eni-7","PrivateIpAddress":"10.7.0.1","Description":"seven"}]}`
	for name, lookups := range map[string][]Lookup{
		"two files":         table(t, "eni", interfaces, other).Lookups(),
		"one behind other":  table(t, "eni", interfaces+"\n"+other).Lookups(),
		"the same twice":    table(t, "eni", interfaces, interfaces, other).Lookups(),
		"an empty one":      table(t, "eni", `{"NetworkInterfaces":[]}`, interfaces, other).Lookups(),
		"with a BOM":        table(t, "eni", "\ufeff"+interfaces, other).Lookups(),
		"a list that ended": table(t, "eni", "[]", interfaces, other).Lookups(),
	} {
		if got := lookup(t, lookups, "eni_name", "eni-1"); got != "web-1" {
			t.Errorf("%s: got %s, want web-1", name, got)
		}
		if got := lookup(t, lookups, "src_eni_name", "-", "10.0.0.5"); got != "web-1" {
			t.Errorf("%s: got %s, want web-1", name, got)
		}
		if got := lookup(t, lookups, "eni_description", "eni-7"); got != "seven" {
			t.Errorf("%s: got %s, want seven", name, got)
		}
	}
}

func TestListingErrors(t *testing.T) {
	for _, test := range []struct{ json, want string }{
		{"{\"NetworkInterfaces\":[\n{\"NetworkInterfaceId\":\"eni-1\"},\n]}", "a.json:3: column 1: invalid character ']'"},
		{"{\"NetworkInterfaces\":[\n{\"NetworkInterfaceId\":5}]}", "a.json:2: column 23: there is a number where AWS has something else"},
		{"{\"NetworkInterfaces\":[\n{\"NetworkInterfaceId\":\"eni-1\"", "a.json:2: column 30: the JSON ends too early"},
		{"{\"NetworkInterfaces\":[\n{\"NetworkInterfaceId\":\"eni-1\",\"PrivateIpAddress\":\"10.0.0.x\"}]}", `a.json:2: column 50: eni-1: "10.0.0.x" is not a network or an address`},
		{"{\"NetworkInterfaces\":[]}\nx", "a.json:2: column 1: invalid character 'x'"},
		{`{"Images":[]}`, "a.json:1: column 1: this is not what a call of aws ec2 prints that flowlog knows (describe-… of nat-gateways, vpc-endpoints, "},
		{`[{"GroupId":"sg-1","VpcId":"vpc-1"}]`, "a.json:1: column 1: this is not what a call of aws ec2 prints that flowlog knows"},
		{`{"Subnets":{}}`, "a.json:1: column 12: there is an object where AWS has something else"},
		{`{"Vpcs":[{"VpcId":"vpc-1","CidrBlock":["10.0.0.0/8"]}]}`, "a.json:1: column 39: there is an array where AWS has something else"},
		{`{"Vpcs":[{"VpcId":"vpc-1","CidrBlock":"10.0.0.0/8","Tags":[{"Key":"a"}]}]}`, "a.json:1: column 59: there is an object where"},
		{`[5]`, "a.json:1: column 2: there is a number where"},
		{rangesFile, "a.json:1: column 1: this is AWS's ip-ranges.json: aws-ranges a.json reads it"},
		{`[{"NetworkInterfaceId":"eni-1"},{"NetworkInterfaceId":"eni-1","VpcId":"x"}]`, "a.json: eni-1 is in a.json too, and not the same there"},
	} {
		tab, _ := NewTable("eni")
		if err := tab.Read("a.json", []byte(test.json)); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: got error %v\nwant %s", test.json, err, test.want)
		}
	}
}
