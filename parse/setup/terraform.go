package setup

import (
	"fmt"
	"strings"
)

// writeTerraform writes a resource of the AWS provider.
func writeTerraform(b *strings.Builder, p *plan) error {
	kind, arn := p.destination()
	comments(b, "", p.notes)
	if p.kind.name == "RegionalNatGateway" {
		comments(b, "", []string{"regional_nat_gateway_id needs a provider of December 2025 or later."})
	}
	if len(p.tags) > 0 {
		comments(b, "", []string{"tag_field_specification needs a provider of July 2026 or later."})
	}
	var ids []string
	for _, id := range p.Resources {
		ids = append(ids, hcl(id))
	}
	type argument struct{ name, value string }
	args := []argument{{p.kind.terraform, "each.value"}}
	if p.kind.traffic {
		args = append(args, argument{"traffic_type", hcl("ALL")})
	}
	args = append(args, argument{"max_aggregation_interval", "60"}, argument{"log_destination_type", hcl(kind)})
	if p.LogGroup != "" {
		if p.Region == "" || p.Account == "" {
			return wrong("log-group", fmt.Errorf("its ARN, which Terraform takes, needs an account and a region"))
		}
		arn = "arn:" + p.Partition + ":logs:" + p.Region + ":" + p.Account + ":log-group:" + p.LogGroup
		args = append(args, argument{"iam_role_arn", hcl(p.Role)})
	}
	args = append(args, argument{"log_destination", hcl(arn)}, argument{"log_format", hcl(p.format("$"))})
	fmt.Fprintf(b, "\nresource \"aws_flow_log\" \"flowlog\" {\n  for_each = toset([%s])\n\n", strings.Join(ids, ", "))
	width := 0
	for _, a := range args {
		width = max(width, len(a.name))
	}
	for _, a := range args {
		fmt.Fprintf(b, "  %-*s = %s\n", width, a.name, a.value)
	}
	if p.hasOptions() {
		fmt.Fprintf(b, "\n  destination_options {\n    file_format                = %s\n    hive_compatible_partitions = %t\n    per_hour_partition         = %t\n  }\n", hcl(p.fileFormat()), p.Hive, p.Hourly)
	}
	for _, t := range p.tags {
		var keys []string
		for _, key := range t.keys {
			keys = append(keys, hcl(key))
		}
		fmt.Fprintf(b, "\n  tag_field_specification {\n    resource_type = %s\n    tag_keys      = [%s]\n  }\n", hcl(t.resource), strings.Join(keys, ", "))
	}
	b.WriteString("}\n")
	if policy := p.policy(); p.Policy && policy != "" {
		name, _ := p.bucket()
		fmt.Fprintf(b, "\n# It takes the place of a policy that the bucket has: add the statements to that.\nresource \"aws_s3_bucket_policy\" \"flowlog\" {\n  bucket = %s\n  policy = <<-END\n%s  END\n}\n",
			hcl(name), indented(policy, "    "))
	}
	return nil
}

// indented puts a text in front of each line.
func indented(text, by string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(by + line)
	}
	return b.String()
}
