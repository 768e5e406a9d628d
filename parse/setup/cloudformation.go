package setup

import (
	"fmt"
	"strings"
)

// writeCloudFormation writes a template.
func writeCloudFormation(b *strings.Builder, p *plan) error {
	if len(p.tags) > 0 {
		return wrong("tags", fmt.Errorf("this version knows no property of AWS::EC2::FlowLog for tags: write commands or Terraform"))
	}
	kind, arn := p.destination()
	comments(b, "", p.notes)
	comments(b, "", []string{"A change of a property replaces the flow log."})
	b.WriteString("AWSTemplateFormatVersion: \"2010-09-09\"\nDescription: Flow logs\nResources:\n")
	for i, id := range p.Resources {
		fmt.Fprintf(b, "  FlowLog%d:\n    Type: AWS::EC2::FlowLog\n    Properties:\n", i+1)
		property := func(name, value string) { fmt.Fprintf(b, "      %s: %s\n", name, value) }
		property("ResourceType", p.kind.name)
		property("ResourceId", id)
		if p.kind.traffic {
			property("TrafficType", "ALL")
		}
		property("MaxAggregationInterval", "60")
		property("LogDestinationType", kind)
		if p.LogGroup != "" {
			property("LogGroupName", yamlText(p.LogGroup))
			property("DeliverLogsPermissionArn", yamlText(p.Role))
		} else {
			property("LogDestination", yamlText(arn))
		}
		if p.hasOptions() {
			fmt.Fprintf(b, "      DestinationOptions:\n        FileFormat: %s\n        HiveCompatiblePartitions: %t\n        PerHourPartition: %t\n", p.fileFormat(), p.Hive, p.Hourly)
		}
		property("LogFormat", yamlText(p.format("$")))
	}
	if policy := p.policy(); p.Policy && policy != "" {
		name, _ := p.bucket()
		fmt.Fprintf(b, "  # It takes the place of a policy that the bucket has: add the statements to that.\n  BucketPolicy:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket: %s\n      PolicyDocument:\n%s",
			yamlText(name), indented(policy, "        "))
	}
	return nil
}

// yamlText writes a text in single quotes.
func yamlText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
