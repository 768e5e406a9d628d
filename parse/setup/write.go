package setup

import (
	"fmt"
	"slices"
	"strings"
)

// A Form is a way to write what creates a flow log.
type Form struct {
	Name  string
	Doc   string
	write func(*strings.Builder, *plan) error
}

// Forms is THE table of forms.
var Forms = []Form{
	{"cli", "commands of AWS's CLI, for a shell", writeCLI},
	{"terraform", "a resource of Terraform's AWS provider", writeTerraform},
	{"cloudformation", "a template of CloudFormation", writeCloudFormation},
}

// Text returns what creates the flow log of a request. Errors about an option are *schema.OptionError.
func (f Form) Text(r Request) (string, error) {
	p, err := r.check()
	if err != nil {
		return "", err
	}
	p.note()
	var b strings.Builder
	if err := f.write(&b, p); err != nil {
		return "", err
	}
	return b.String(), nil
}

// note collects what is to be known before the text is run. Source: Amazon VPC User Guide, "Flow logs basics" and "Publish
// flow logs to Amazon S3"; Amazon EC2 API Reference, CreateFlowLogs.
func (p *plan) note() {
	add := func(format string, args ...any) { p.notes = append(p.notes, fmt.Sprintf(format, args...)) }
	add("A flow log of %d fields. Its format cannot be changed later: make a second one, then delete the first.", len(p.fields))
	if p.Bucket != "" {
		add("AWS sets the policy of the bucket itself if you own it, and overwrites the policy that the bucket has: keep a copy.")
		if p.policy() == "" {
			add("With the account and the region named, the policy is printed too.")
		}
		add("A bucket with SSE-KMS needs a key policy that lets delivery.logs.amazonaws.com use the key.")
	}
	if p.kind.isTransit() {
		add("Transit gateways are logged every 60 s and have no traffic type.")
	}
	if p.kind.name == "VPC" {
		add("A regional NAT gateway needs a flow log of its own: its records are in none of a VPC.")
	}
	if slices.ContainsFunc(p.fields, func(name string) bool { return strings.HasPrefix(name, "ecs_") }) {
		add("ECS fields need ecs:ListClusters, ListServices, ListTaskDefinitions, ListTasks and ListContainerInstances; without ECS they are always -.")
	}
	if len(p.tags) > 0 {
		asg := ""
		if slices.ContainsFunc(p.tags, func(t tagSpec) bool { return strings.HasPrefix(t.resource, "auto") }) {
			asg = ", and for Auto Scaling groups autoscaling:DescribeTags and a trail of CloudTrail"
		}
		add("Tags need ec2:DescribeTags and iam:CreateServiceLinkedRole%s. Values may be missing in the first hour.", asg)
		add("Do not delete the managed rules of EventBridge that AWS makes for tags.")
	}
	if p.Bucket != "" {
		add("After ten minutes: flowlog report s3://%s --since 1h", p.Bucket)
	}
}
