package setup

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flowlog/parse/schema"
)

var allTags = []string{"instance=Name,Team", "interface=Owner,Stage", "asg=Pool,Unit"}

// A flow log with all tags has every field of VPCs once, in AWS's order.
func TestAllFields(t *testing.T) {
	for _, form := range Forms[:2] {
		text, err := form.Text(Request{Resources: []string{"vpc-1"}, Set: "all", Tags: allTags, Bucket: "my-logs", Partition: "aws"})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := fieldsOf(t, text), schema.Version(newest()); !slices.Equal(got, want) {
			t.Errorf("%s: got %d fields %v\nwant %d %v", form.Name, len(got), got, len(want), want)
		}
	}
}

// fieldsOf finds the format in a text and reads it as --log-format does.
func fieldsOf(t *testing.T, text string) []string {
	t.Helper()
	format := regexp.MustCompile(`(\$+\{[a-z0-9-]+\} ?)+`).FindString(text)
	names, err := schema.ParseFormat(format)
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return names
}

// The format that each form prints of each set is read back as the same list, and has the fields of version 2.
func TestSets(t *testing.T) {
	for _, s := range Sets {
		want := s.Fields()
		for _, name := range s.more {
			if !slices.Contains(want, name) {
				t.Errorf("%s: %s is no field", s.Name, name)
			}
		}
		if !slices.Equal(want[:14], schema.Version(2)) {
			t.Errorf("%s begins with %v", s.Name, want[:14])
		}
		for _, form := range Forms {
			text, err := form.Text(Request{Resources: []string{"vpc-1"}, Set: s.Name, Bucket: "my-logs", Partition: "aws"})
			if err != nil {
				t.Fatal(err)
			}
			if got := fieldsOf(t, text); !slices.Equal(got, want) {
				t.Errorf("%s %s: got %v\nwant %v", form.Name, s.Name, got, want)
			}
		}
	}
}

func TestOwnFields(t *testing.T) {
	for _, test := range []struct {
		r    Request
		want string
	}{
		{Request{Resources: []string{"vpc-1"}, Set: "${dstaddr} ${srcaddr}"}, "dstaddr srcaddr"},
		{Request{Resources: []string{"vpc-1"}, Set: "srcaddr,instance-tag", Tags: []string{"instance=Name"}}, "srcaddr instance_tag"},
		{Request{Resources: []string{"vpc-1"}, Set: "srcaddr", Tags: []string{"auto-scaling-group=Pool"}}, "srcaddr asg_tag"},
		{Request{Resources: []string{"tgw-1"}, Set: "cost"}, strings.Join(schema.Version(6), " ")},
		{Request{Resources: []string{"tgw-attach-1"}, Set: "tgw-id"}, "tgw_id"},
	} {
		test.r.Bucket, test.r.Partition = "my-logs", "aws"
		text, err := Forms[0].Text(test.r)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(fieldsOf(t, text), " "); got != test.want {
			t.Errorf("%s: got %s, want %s", test.r.Set, got, test.want)
		}
		if strings.Contains(text, "--traffic-type") == strings.HasPrefix(test.r.Resources[0], "tgw-") {
			t.Errorf("%s has a traffic type, or lacks it:\n%s", test.r.Resources[0], text)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		change       func(*Request)
		option, want string
	}{
		{func(r *Request) { r.Resources = nil }, "resource", "name what is to be logged"},
		{func(r *Request) { r.Resources = []string{"vpc-1", "subnet-1"} }, "resource", "of different kinds"},
		{func(r *Request) { r.Resources = []string{"vpc-1", "vpc-1"} }, "resource", "there twice"},
		{func(r *Request) { r.Resources = []string{"vpc-1'; rm -rf /"} }, "resource", "is not the ID"},
		{func(r *Request) { r.Resources = []string{"core-network-1"} }, "resource", "it prints no format"},
		{func(r *Request) { r.Resources = slices.Repeat([]string{"tgw-1"}, 1); r.Tags = allTags }, "tags", "have no tags"},
		{func(r *Request) { r.Bucket = "" }, "bucket", "say where the records go"},
		{func(r *Request) { r.Firehose = "arn:aws:firehose:x" }, "bucket", "by one of"},
		{func(r *Request) { r.Bucket = "My_Logs" }, "bucket", "is not the name of a bucket"},
		{func(r *Request) { r.Bucket = "my-logs/a/AWSLogs/b" }, "bucket", "leave it out"},
		{func(r *Request) { r.Bucket = "my-logs/a\nb" }, "bucket", "is not a prefix"},
		{func(r *Request) { r.Bucket, r.LogGroup = "", "g" }, "role", "ARN of a role"},
		{func(r *Request) { r.Bucket, r.Firehose, r.Hive = "", "arn:aws:firehose:x", true }, "file-format", "for a bucket alone"},
		{func(r *Request) { r.Set = "srcaddr srcadr" }, "set", "did you mean srcaddr?"},
		{func(r *Request) { r.Set = "costs" }, "set", "did you mean cost?"},
		{func(r *Request) { r.Set = "srcaddr srcaddr" }, "set", "srcaddr is there twice"},
		{func(r *Request) { r.Set = "instance-tag" }, "set", "instance_tag needs the tags"},
		{func(r *Request) { r.Set, r.Tags = "instance-tag-2", []string{"instance=Name"} }, "set", "instance_tag_2 needs the tags"},
		{func(r *Request) { r.Set = "tgw-id" }, "set", "tgw_id"},
		{func(r *Request) { r.Tags = []string{"vpc=Name"} }, "tags", "those of instance, interface or asg"},
		{func(r *Request) { r.Tags = []string{"instance=a,b,c"} }, "tags", "at most 2"},
		{func(r *Request) { r.Tags = []string{"instance="} }, "tags", "the keys of the tags follow"},
		{func(r *Request) { r.Tags = []string{"asg=a", "asg=b"} }, "tags", "named twice"},
		{func(r *Request) { r.Account = "123" }, "account-id", "12 digits"},
		{func(r *Request) { r.Region = "Ireland" }, "region", "is not a region"},
		{func(r *Request) { r.Partition = "aws-us" }, "partition", "aws"},
	} {
		r := Request{Resources: []string{"vpc-1"}, Set: "all", Bucket: "my-logs", Partition: "aws"}
		test.change(&r)
		text, err := Forms[0].Text(r)
		var wrong *schema.OptionError
		if !errors.As(err, &wrong) || wrong.Option != test.option || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got error %v, want one about %s: %s\n%s", err, test.option, test.want, text)
		}
	}
	for n, ok := range map[int]bool{300: true, 301: false} {
		r := Request{Set: "default", Bucket: "my-logs", Partition: "aws"}
		for i := range n {
			r.Resources = append(r.Resources, "eni-"+strings.Repeat("a", i+1))
		}
		if _, err := Forms[0].Text(r); (err == nil) != ok {
			t.Errorf("%d resources: %v", n, err)
		}
	}
}

// The policy is JSON, of the folder that AWS writes to.
func TestPolicy(t *testing.T) {
	for hive, want := range map[bool]string{
		false: "arn:aws-cn:s3:::my-logs/a/b/AWSLogs/123456789012/*",
		true:  "arn:aws-cn:s3:::my-logs/a/b/AWSLogs/aws-account-id=123456789012/*",
	} {
		p, err := (&Request{Resources: []string{"vpc-1"}, Set: "all", Bucket: "s3://my-logs/a/b/", Hive: hive, Account: "123456789012", Region: "cn-north-1", Partition: "aws-cn"}).check()
		if err != nil {
			t.Fatal(err)
		}
		var document struct{ Statement []statement }
		if err := json.Unmarshal([]byte(p.policy()), &document); err != nil {
			t.Fatal(err)
		}
		if got := document.Statement[0].Resource; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// A key of a tag is a text in each form, whatever it has in it.
func TestHostileTags(t *testing.T) {
	r := Request{Resources: []string{"vpc-1"}, Set: "default", Tags: []string{"instance=it's $(rm) \"${x}\""}, Bucket: "my-logs", Partition: "aws"}
	for form, want := range map[int]string{
		0: `--tag-field-specifications '[{"ResourceType":"instance","TagKeys":["it'\''s $(rm) \"${x}\""]}]'`,
		1: `tag_keys      = ["it's $(rm) \"$${x}\""]`,
	} {
		text, err := Forms[form].Text(r)
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("%s: %v lacks %s:\n%s", Forms[form].Name, err, want, text)
		}
	}
}

// cfn-lint accepts the templates, if FLOWLOG_CFN_LINT names it.
func TestCloudFormationIsValid(t *testing.T) {
	lint := os.Getenv("FLOWLOG_CFN_LINT")
	if lint == "" {
		t.Skip("FLOWLOG_CFN_LINT names no cfn-lint")
	}
	for name, r := range map[string]Request{
		"vpc":     {Resources: []string{"vpc-0123456789abcdef0", "vpc-0123456789abcdef1"}, Set: "all", Bucket: "my-logs/a", Parquet: true, Hive: true, Hourly: true, Account: "123456789012", Region: "eu-west-1", Policy: true},
		"tgw":     {Resources: []string{"tgw-0123456789abcdef0"}, Set: "all", Bucket: "my-logs"},
		"logs":    {Resources: []string{"subnet-0123456789abcdef0"}, Set: "cost", LogGroup: "flows", Role: "arn:aws:iam::123456789012:role/flows"},
		"stream":  {Resources: []string{"eni-0123456789abcdef0"}, Set: "security", Firehose: "arn:aws:firehose:eu-west-1:123456789012:deliverystream/flows"},
		"default": {Resources: []string{"vpc-0123456789abcdef0"}, Set: "default", Bucket: "my-logs"},
	} {
		r.Partition = "aws"
		text, err := Forms[2].Text(r)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), name+".yaml")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(lint, "--regions", "eu-west-1", "--", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, out, text)
		}
	}
}
