package cmd

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestArguments names inputs that are none: nothing is read, and the error has what was meant.
func TestArguments(t *testing.T) {
	t.Setenv("FLOWLOG_CONFIG", "none")
	file := filepath.Join("..", "testdata", "logs", "v3.log")
	for _, test := range []struct{ args, want string }{ // after report talkers, with | between
		{"host|10.0.0.5|and|port|443", `there is no file or folder "host": a condition goes into --where 'addr = 10.0.0.5 and port = 443'`},
		{"src|host|10.0.0.5|tcp|dst|port|443", `--where 'srcaddr = 10.0.0.5 and protocol = tcp and dstport = 443'`},
		{"net|10.0.0.0/8|and|not|udp", `--where 'addr in 10.0.0.0/8 and not protocol = udp'`},
		{"host 10.0.0.5", `--where 'addr = 10.0.0.5'`},
		{"10.0.0.5", `--where 'addr = 10.0.0.5'`},
		{"2001:db8::1", `--where 'addr = 2001:db8::1'`},
		{"10.0.0.0/8", `--where 'addr in 10.0.0.0/8'`},
		{"srcaddr=10.0.0.5", `--where srcaddr=10.0.0.5`},
		{"srcaddr = 10.0.0.0/8", `--where 'srcaddr = 10.0.0.0/8'`},
		{"dstport = 443 or dstport = 80", `--where 'dstport = 443 or dstport = 80'`},
		{"bytes > 1MB", `--where 'bytes > 1MB'`},
		{"5", `there is no file or folder "5": the number of rows is --top 5`},
		{".rows", `there is no file or folder ".rows": -q takes no value here; -o json writes what jq .rows reads`},
		{".rows[0].bytes", `jq '.rows[0].bytes' reads`},
		{"nosuch", `there is no file or folder "nosuch"` + "\n"},
		{"https://example.com/flow.log", "https://example.com/flow.log: only files and s3:// are read: download it, and name the file\n"},
		{"https://my-bucket.s3.eu-west-1.amazonaws.com/AWSLogs/x.gz", "write s3://my-bucket/AWSLogs/x.gz\n"},
		{"https://s3.amazonaws.com/my-bucket/x.gz", "write s3://my-bucket/x.gz\n"},
		{"https://s3.us-east-2.amazonaws.com/my-bucket/x.gz", "write s3://my-bucket/x.gz\n"},
		{"https://my.bucket.s3.cn-north-1.amazonaws.com.cn/x", "write s3://my.bucket/x\n"},
		{"S3://my-bucket/x", "write s3://my-bucket/x\n"},
		{"file:///var/log/flow.log", "write /var/log/flow.log\n"},
		{"gs://b/x", "only files and s3:// are read"},
		{"arn:aws-us-gov:s3:::my-bucket", "arn:aws-us-gov:s3:::my-bucket: write s3://my-bucket\n"},
		{"s3:/my-bucket/x", "s3:/my-bucket/x: write s3://my-bucket/x\n"},
		{"s3:my-bucket", "s3:my-bucket: write s3://my-bucket\n"},
		{"https://s3.console.aws.amazon.com/s3/buckets/my-bucket?region=eu-west-1&prefix=AWSLogs/1/&showversions=false", "write s3://my-bucket/AWSLogs/1/\n"},
		{"https://eu-west-1.console.aws.amazon.com/s3/object/my-bucket?prefix=AWSLogs/x.gz", "write s3://my-bucket/AWSLogs/x.gz\n"},
		{"arn:aws:s3:::my-bucket/x", "arn:aws:s3:::my-bucket/x: write s3://my-bucket/x\n"},
	} {
		for _, before := range [][]string{{"report", "talkers"}, {"parse", "-o", "none"}, {"report"}} {
			if before[0] == "parse" && strings.Contains(test.want, "--top") || len(before) == 1 && strings.HasPrefix(test.args, "nosuch") {
				continue
			}
			r := Invoke(append(append(before, strings.Split(test.args, "|")...), file)...)
			if r.Refused(t, exitUsage, test.want); r.Out != "" {
				t.Errorf("%s: it printed %s", r, r.Out)
			}
		}
	}
	// what looks like a file is one that is missing
	for _, name := range []string{"nosuch.log", "dir/nosuch", "region=us-east-1/part-1.parquet", "*.nosuch", "./5", "date=2026-05-14/x"} {
		Invoke("report", "talkers", name, file).Exits(t, exitIncomplete)
	}
}
