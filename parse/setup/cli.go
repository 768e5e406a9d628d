package setup

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// writeCLI writes commands of a shell.
func writeCLI(b *strings.Builder, p *plan) error {
	kind, arn := p.destination()
	comments(b, "", p.notes)
	if policy := p.policy(); policy != "" {
		name, _ := p.bucket()
		fmt.Fprintf(b, "\n# Only if AWS does not set the policy itself. This would overwrite a policy that the bucket has: add the statements to that.\n"+
			"cat >bucket-policy.json <<'END'\n%sEND\n# aws s3api put-bucket-policy --bucket %s --policy file://bucket-policy.json\n", policy, quote(name))
	}
	args := [][]string{
		{"--resource-type", p.kind.name}, append([]string{"--resource-ids"}, p.Resources...),
	}
	if p.Region != "" {
		args = append([][]string{{"--region", p.Region}}, args...)
	}
	if p.kind.traffic {
		args = append(args, []string{"--traffic-type", "ALL"})
	}
	args = append(args, []string{"--max-aggregation-interval", "60"}, []string{"--log-destination-type", kind})
	if p.LogGroup != "" {
		args = append(args, []string{"--log-group-name", p.LogGroup}, []string{"--deliver-logs-permission-arn", p.Role})
	} else {
		args = append(args, []string{"--log-destination", arn})
	}
	if p.hasOptions() {
		args = append(args, []string{"--destination-options", fmt.Sprintf("FileFormat=%s,HiveCompatiblePartitions=%t,PerHourPartition=%t", p.fileFormat(), p.Hive, p.Hourly)})
	}
	args = append(args, []string{"--log-format", p.format("$")})
	if len(p.tags) > 0 {
		args = append(args, []string{"--tag-field-specifications", tagJSON(p.tags)})
	}
	b.WriteString("\naws ec2 create-flow-logs")
	for _, words := range args {
		b.WriteString(" \\\n ")
		for _, w := range words {
			b.WriteString(" " + quote(w))
		}
	}
	b.WriteString("\n")
	return nil
}

// tagJSON is the tags as the CLI takes them.
func tagJSON(tags []tagSpec) string {
	type spec struct {
		ResourceType string
		TagKeys      []string
	}
	var specs []spec
	for _, t := range tags {
		specs = append(specs, spec{t.resource, t.keys})
	}
	text, _ := json.Marshal(specs) // texts always have a form
	return string(text)
}

// comments writes lines of comments.
func comments(b *strings.Builder, indent string, lines []string) {
	for _, line := range lines {
		b.WriteString(indent + "# " + line + "\n")
	}
}

// quote writes a word as a shell reads it.
func quote(word string) string {
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./,:=@%+"
	if word != "" && strings.Trim(word, safe) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// hcl writes a text as Terraform reads it: ${ and %{ begin a template unless they are doubled.
func hcl(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(text))
}
