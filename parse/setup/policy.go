package setup

import (
	"bytes"
	"encoding/json"
)

// A statement is one of a policy.
type statement struct {
	Sid       string
	Effect    string
	Principal map[string]string
	Action    any
	Resource  string
	Condition map[string]map[string]string
}

// policy is the policy by which a bucket takes flow logs, "" without an account and a region. Source: Amazon VPC User Guide,
// "Amazon S3 bucket permissions for flow logs".
func (p *plan) policy() string {
	if p.Account == "" || p.Region == "" || p.Bucket == "" {
		return ""
	}
	name, prefix := p.bucket()
	bucket := "arn:" + p.Partition + ":s3:::" + name
	folder := p.Account
	if p.Hive {
		folder = "aws-account-id=" + p.Account
	}
	principal := map[string]string{"Service": "delivery.logs.amazonaws.com"}
	source := "arn:" + p.Partition + ":logs:" + p.Region + ":" + p.Account + ":*"
	document := struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{
		{
			"AWSLogDeliveryWrite", "Allow", principal, "s3:PutObject", bucket + "/" + prefix + "AWSLogs/" + folder + "/*",
			map[string]map[string]string{
				"StringEquals": {"aws:SourceAccount": p.Account, "s3:x-amz-acl": "bucket-owner-full-control"},
				"ArnLike":      {"aws:SourceArn": source},
			},
		},
		{
			"AWSLogDeliveryAclCheck", "Allow", principal, []string{"s3:GetBucketAcl", "s3:ListBucket"}, bucket,
			map[string]map[string]string{"StringEquals": {"aws:SourceAccount": p.Account}, "ArnLike": {"aws:SourceArn": source}},
		},
	}}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(document) != nil {
		return "" // texts always have a form in JSON
	}
	return b.String()
}
