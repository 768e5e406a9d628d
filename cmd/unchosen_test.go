package cmd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"flowlog/parse/s3/s3test"
)

// TestNothingLeftInS3 asks for what is not in a bucket: the answer is what is in there, though that is not listed.
func TestNothingLeftInS3(t *testing.T) {
	setAWS(t)
	backend := s3test.New("flows")
	put := func(key, content string) { backend.Put("flows", key, []byte(content)) }
	for day := range 3 {
		at := time.Date(2026, 5, 30+day, 9, 0, 0, 0, time.UTC)
		put(fmt.Sprintf("AWSLogs/111111111111/vpcflowlogs/eu-west-1/%s/111111111111_vpcflowlogs_eu-west-1_fl-1_%s_0a1b2c3d.log", at.Format("2006/01/02"), at.Format("20060102T1504Z")),
			fmt.Sprintf("srcaddr bytes end\n10.0.0.1 1 %d\n", at.Unix()+30))
	}
	put("AWSLogs/111111111111/CloudTrail/eu-west-1/2026/05/30/x.json", "{}")
	flowlog := onServer(t, backend)
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"--since 2026-06-10 --until 2026-06-11 s3://flows", 6, "no record is left that ends from 2026-06-10 00:00 UTC to 2026-06-11 00:00 UTC: there are folders of 2026-05-30 00:00 UTC to 2026-06-02 00:00 UTC\n"},
		{"--since 2026-06-01T12:00 --until 2026-06-01T13:00 s3://flows", 6, "1 object not read, whose name says 2026-06-01 09:00 UTC to 2026-06-01 09:05 UTC\n"},
		{"--account 222222222222 s3://flows", 6, "no record is left: folders not read, of the account 111111111111\n"},
		{"--region-filter us-east-1 s3://flows/AWSLogs/", 6, "no record is left: folders not read, of the region eu-west-1\n"},
		{"--since 2026-06-10 s3://flows/nowhere", 6, ": there are no objects that could have one\n"},
		{"--account 222222222222 s3://flows/nowhere", 1, "there are no objects with this name or prefix"},
		{"s3://flows/AWSLogs/111111111111/CloudTrail/", 1, "there is nothing to read: 1 object not read, since the folders below AWSLogs/ say other services: 1 CloudTrail\n"},
		{"s3://flows/AWSLogs/**", 0, ""},
	} {
		flowlog(append([]string{"report", "summary", "-q"}, strings.Fields(test.args)...)...).Refused(t, test.code, test.want)
	}
}
