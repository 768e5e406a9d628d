// Package setup writes what creates a flow log: commands of AWS's CLI, Terraform or CloudFormation, and the policy of the
// bucket. It runs nothing and asks nobody.
//
//	Request → checked → fields, resource kind, destination → text in one of Forms
//
// Files, each uses only those above it:
//
//	setup.go            what is asked for, and what is wrong with it
//	sets.go             sets of fields
//	policy.go           the policy of a bucket
//	cli.go terraform.go cloudformation.go
//	write.go            the way in
package setup

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// A Request is a flow log that somebody wants.
type Request struct {
	Resources []string // IDs of one kind: vpc-…, subnet-…, eni-…, tgw-…, tgw-attach-…, nat-…
	Set       string   // a name of Sets, or fields as schema.ParseFormat reads them
	Tags      []string // such as instance=Name,Team: tag fields, by resource and keys

	Bucket   string // with a prefix behind a slash, or not
	Firehose string // ARN of a delivery stream
	LogGroup string // of CloudWatch Logs
	Role     string // ARN of the role that delivers to CloudWatch Logs

	Parquet, Hive, Hourly bool // of files in a bucket

	Account, Region, Partition string // of the flow log, for ARNs; "" leaves out what needs them
	Policy                     bool   // the bucket's policy too, in Terraform and CloudFormation
}

// A resourceKind is what a flow log can be of. Source: Amazon EC2 API Reference, CreateFlowLogs.
type resourceKind struct {
	prefix    string // of IDs
	name      string // of the API
	terraform string // argument of aws_flow_log
	traffic   bool   // it takes a traffic type
	most      int    // resources of one call
}

// kinds is THE table of resources. A prefix comes before those that it begins with.
var kinds = []resourceKind{
	{"vpc-", "VPC", "vpc_id", true, 300},
	{"subnet-", "Subnet", "subnet_id", true, 300},
	{"eni-", "NetworkInterface", "eni_id", true, 300},
	{"tgw-attach-", "TransitGatewayAttachment", "transit_gateway_attachment_id", false, 25},
	{"tgw-", "TransitGateway", "transit_gateway_id", false, 25},
	{"nat-", "RegionalNatGateway", "regional_nat_gateway_id", true, 300},
}

// isTransit reports whether the records are those of transit gateways, version 6.
func (k resourceKind) isTransit() bool { return strings.HasPrefix(k.name, "TransitGateway") }

// A plan is a request that was checked.
type plan struct {
	*Request
	kind   resourceKind
	fields []string
	tags   []tagSpec
	notes  []string
}

// format is the format as AWS takes it, with a text in front of each brace.
func (p *plan) format(dollar string) string {
	var b strings.Builder
	for i, f := range p.fields {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(dollar + "{" + strings.ReplaceAll(f, "_", "-") + "}")
	}
	return b.String()
}

var (
	bucketName  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	resourceID  = regexp.MustCompile(`^[a-z-]+-[0-9a-f]+$`)
	accountID   = regexp.MustCompile(`^[0-9]{12}$`)
	regionName  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
	prefixChars = regexp.MustCompile(`^[A-Za-z0-9!_.*'()/-]*$`)
)

// check checks a request. Errors are about one of its options, by the name of its flag.
func (r *Request) check() (*plan, error) {
	p := &plan{Request: r}
	if err := p.checkResources(); err != nil {
		return nil, wrong("resource", err)
	}
	if err := p.checkDestination(); err != nil {
		return nil, err
	}
	if r.Account != "" && !accountID.MatchString(r.Account) {
		return nil, wrong("account-id", fmt.Errorf("%q is not an account, which has 12 digits", r.Account))
	}
	if r.Region != "" && !regionName.MatchString(r.Region) {
		return nil, wrong("region", fmt.Errorf("%q is not a region, such as eu-west-1", r.Region))
	}
	if !slices.Contains(Partitions, r.Partition) {
		return nil, wrong("partition", schema.Unknown("partition", r.Partition, Partitions, "flowlog setup --help"))
	}
	if err := p.checkFields(); err != nil {
		return nil, err
	}
	return p, nil
}

// Partitions are those of AWS.
var Partitions = []string{"aws", "aws-cn", "aws-us-gov"}

// wrong is an error about an option.
func wrong(option string, err error) error {
	return &schema.OptionError{Option: option, Err: err}
}

func (p *plan) checkResources() error {
	if len(p.Resources) == 0 {
		return fmt.Errorf("name what is to be logged, such as vpc-0123456789abcdef0")
	}
	for i, id := range p.Resources {
		if strings.HasPrefix(id, "core-network-") {
			return fmt.Errorf("%s: core networks of Cloud WAN (CoreNetwork, CoreNetworkEdge, CoreNetworkAttachment) can be logged, every 60 s and without a traffic type, but this version does not know their fields: it prints no format", id)
		}
		k := slices.IndexFunc(kinds, func(k resourceKind) bool { return strings.HasPrefix(id, k.prefix) })
		switch {
		case k < 0 || !resourceID.MatchString(id):
			return fmt.Errorf("%q is not the ID of a VPC, subnet, interface, transit gateway, attachment or regional NAT gateway: these begin with vpc-, subnet-, eni-, tgw-, tgw-attach- or nat-", id)
		case i > 0 && kinds[k] != p.kind:
			return fmt.Errorf("%s and %s are of different kinds: one flow log is of one kind, so make one for each", p.Resources[0], id)
		case slices.Contains(p.Resources[:i], id):
			return fmt.Errorf("%s is there twice", id)
		}
		p.kind = kinds[k]
	}
	if len(p.Resources) > p.kind.most {
		return fmt.Errorf("there are %d, and one call takes at most %d of this kind", len(p.Resources), p.kind.most)
	}
	return nil
}

func (p *plan) checkDestination() error {
	n := 0
	for _, to := range []string{p.Bucket, p.Firehose, p.LogGroup} {
		if to != "" {
			n++
		}
	}
	if n != 1 {
		return wrong("bucket", fmt.Errorf("say where the records go, by one of a bucket, a delivery stream of Firehose and a log group"))
	}
	if p.Bucket == "" {
		switch {
		case p.Parquet || p.Hive || p.Hourly:
			return wrong("file-format", fmt.Errorf("files and folders are chosen for a bucket alone"))
		case p.Firehose != "" && !strings.HasPrefix(p.Firehose, "arn:"):
			return wrong("firehose", fmt.Errorf("%q is not the ARN of a delivery stream", p.Firehose))
		case p.LogGroup != "" && !strings.HasPrefix(p.Role, "arn:"):
			return wrong("role", fmt.Errorf("CloudWatch Logs needs the ARN of a role that may write to the log group"))
		}
		return nil
	}
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(p.Bucket, "s3://"), "/")
	switch {
	case !bucketName.MatchString(bucket):
		return wrong("bucket", fmt.Errorf("%q is not the name of a bucket", bucket))
	case !prefixChars.MatchString(prefix):
		return wrong("bucket", fmt.Errorf("%q is not a prefix: it has letters, digits and !_.*'()/-", prefix))
	case slices.Contains(strings.Split(prefix, "/"), "AWSLogs"):
		return wrong("bucket", fmt.Errorf("AWS makes the folder AWSLogs itself and refuses it in a prefix: leave it out"))
	}
	p.Bucket = strings.Trim(bucket+"/"+prefix, "/")
	return nil
}

// bucket returns the name of the bucket, and the prefix with a slash behind it, or "".
func (p *plan) bucket() (name, prefix string) {
	name, prefix, _ = strings.Cut(p.Bucket, "/")
	if prefix != "" {
		prefix += "/"
	}
	return name, prefix
}

// destination is the type and the ARN of the destination.
func (p *plan) destination() (kind, arn string) {
	switch {
	case p.Firehose != "":
		return "kinesis-data-firehose", p.Firehose
	case p.LogGroup != "":
		return "cloud-watch-logs", p.LogGroup
	}
	name, prefix := p.bucket()
	return "s3", "arn:" + p.Partition + ":s3:::" + name + "/" + prefix
}

// fileFormat is the format of files, in AWS's words.
func (p *plan) fileFormat() string {
	if p.Parquet {
		return "parquet"
	}
	return "plain-text"
}

// hasOptions reports whether the files in the bucket differ from AWS's default.
func (p *plan) hasOptions() bool { return p.Parquet || p.Hive || p.Hourly }
