package parse

import (
	"fmt"
	"testing"
	"time"
)

func TestParseKey(t *testing.T) {
	const file = "123456789012_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20260514T0905Z_1a2b3c4d.log.gz"
	const all = "123456789012 us-east-1 fl-0123456789abcdef0 2026-05-14T09:05 5m0s"
	for _, test := range []struct{ name, want string }{
		{file, all},
		{"123456789012_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20260514T0905Z_1a2b3c4d.log.parquet", all},
		{"AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/14/" + file, all},
		{"any/prefix/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/14/09/" + file, all},
		{"AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=05/day=14/" + file, all},
		{"s3://bucket/x/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=05/day=14/hour=09/" + file, all},
		{"/home/ann/logs/" + file, all},
		{`C:\logs\AWSLogs\123456789012\vpcflowlogs\us-east-1\2026\05\14\` + file, all},
		{"123456789012_vpcflowlogs_us-gov-west-1_fl-1_20260514T0905Z_1a2b3c4d.log.gz", "123456789012 us-gov-west-1 fl-1 2026-05-14T09:05 5m0s"},
		{"AWSLogs/123456789012/vpcflowlogs/cn-northwest-1/2026/05/14/x.gz", "123456789012 cn-northwest-1  2026-05-14T00:00 24h0m0s"},
		{"AWSLogs/123456789012/vpcflowlogs/us-isob-east-1/2026/05/14/23/x.gz", "123456789012 us-isob-east-1  2026-05-14T23:00 1h0m0s"},
		// a part was renamed, or lost
		{"copy of 123456789012_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20260514T0905Z.log", " us-east-1 fl-0123456789abcdef0 2026-05-14T09:05 5m0s"},
		{"dev_123456789012_vpcflowlogs_us-east-1_fl-1_20260514T0905Z_1a2b3c4d (2).log.gz", "123456789012 us-east-1 fl-1 2026-05-14T09:05 5m0s"},
		{"AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/14/renamed_vpcflowlogs_fl-1", "123456789012 us-east-1 fl-1 2026-05-14T00:00 24h0m0s"},
		{"AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/x.gz", "123456789012 us-east-1  - 0s"},
		{"AWSLogs/123456789012/vpcflowlogs/us-east-1/x.gz", "123456789012 us-east-1  - 0s"},
		{"AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/13/14/x.gz", "123456789012 us-east-1  - 0s"},
		{"AWSLogs/123456789012/vpcflowlogs/x.gz", "123456789012   - 0s"},
		// the file counts more than its folder
		{"AWSLogs/999999999999/vpcflowlogs/eu-west-1/2025/01/01/" + file, all},
		// a dataset of flowlog's, and of others, whose dates may be of any zone
		{"out/date=2026-05-14/hour=09/account_id=000012345678/region=us-east-1/part-000001-0001.parquet", "000012345678 us-east-1  2026-05-14T09:00 1h0m0s"},
		{"s3://b/x/region=a%2Fb/date=2026-05-14/part-000001-0001.parquet", " a/b  2026-05-14T00:00 24h0m0s"},
		{"date=__HIVE_DEFAULT_PARTITION__/region=__HIVE_DEFAULT_PARTITION__/account_id=unknown/part-000001-0001.parquet", "unknown   - 0s"},
		{"date=2026-05-14/account_id=123456789012/data_0.parquet", "123456789012   - 0s"},
		// what is said elsewhere says nothing
		{"backup_20260514T0905Z.log.gz", ""},
		{"2026/05/14/x.log.gz", ""},
		{"123456789012/us-east-1/2026/05/14/x.log.gz", ""},
		{"AWSLogs/123456789012/CloudTrail/us-east-1/2026/05/14/123456789012_CloudTrail_us-east-1_20260514T0905Z_abc.json.gz", ""},
		{"vpcflowlogs", ""},
		{"", ""},
	} {
		k, ok := ParseKey(test.name)
		got := ""
		if ok {
			at := "-"
			if !k.Time.IsZero() {
				at = k.Time.Format("2006-01-02T15:04")
			}
			got = fmt.Sprintf("%s %s %s %s %s", k.Account, k.Region, k.FlowLogID, at, k.Span)
		} else if k != (Key{}) {
			t.Errorf("%s: %+v, but not ok", test.name, k)
		}
		want(t, test.name, got, test.want)
	}
}

func TestKeyFilter(t *testing.T) {
	const file = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/14/123456789012_vpcflowlogs_us-east-1_fl-1_20260514T0905Z_1a2b3c4d.log.gz"
	const day = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/14/renamed.gz"
	at := func(s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		u, err := time.Parse("2006-01-02T15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	for _, test := range []struct {
		name         string
		since, until string
		want         bool
	}{
		{file, "2026-05-14T09:00", "2026-05-14T10:00", true},
		{file, "2026-05-14T09:09", "", true},
		{file, "2026-05-14T09:19", "", true}, // the margin
		{file, "2026-05-14T09:20", "", false},
		{file, "", "2026-05-14T08:55", false},
		{file, "", "2026-05-14T08:56", true}, // the margin
		{file, "2026-05-13T00:00", "2026-05-14T00:00", false},
		{day, "2026-05-14T23:00", "2026-05-14T23:01", true},
		{day, "2026-05-15T00:09", "", true},
		{day, "2026-05-15T00:10", "", false},
		{"x.log", "2026-05-15T00:10", "2026-05-15T00:11", true},
	} {
		f := KeyFilter{Since: at(test.since), Until: at(test.until)}
		if got := f.Keep(test.name); got != test.want {
			t.Errorf("%s, from %q to %q: %v, want %v", test.name, test.since, test.until, got, test.want)
		}
	}
	for _, test := range []struct {
		name string
		f    KeyFilter
		want bool
	}{
		{"x.log", KeyFilter{}, true},
		{file, KeyFilter{Accounts: []string{"1", "123456789012"}}, true},
		{file, KeyFilter{Accounts: []string{"123456789013"}}, false},
		{file, KeyFilter{Regions: []string{"us-east-1"}, FlowLogs: []string{"fl-1"}}, true},
		{file, KeyFilter{Regions: []string{"us-east-1"}, FlowLogs: []string{"fl-2"}}, false},
		{day, KeyFilter{FlowLogs: []string{"fl-1"}}, false}, // it does not say
	} {
		if got := test.f.Keep(test.name); got != test.want {
			t.Errorf("%s, %+v: %v, want %v", test.name, test.f, got, test.want)
		}
	}
}

func TestOtherService(t *testing.T) {
	const flowLog = "123456789012_vpcflowlogs_us-east-1_fl-1_20260514T0905Z_1a2b3c4d.log.gz"
	for _, test := range []struct{ name, want string }{
		{"AWSLogs/123456789012/CloudTrail/us-east-1/2026/05/14/123456789012_CloudTrail_us-east-1_20260514T0905Z_abc.json.gz", "CloudTrail"},
		{"s3://b/x/AWSLogs/o-a1b2c3d4e5/123456789012/CloudTrail-Digest/us-east-1/2026/05/14/x.json.gz", "CloudTrail-Digest"},
		{"/mirror/AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2026/05/14/x.log.gz", "elasticloadbalancing"},
		{"AWSLogs/123456789012/globalaccelerator/us-west-2/2026/05/14/123456789012_globalaccelerator_x_flow_logs.log.gz", "globalaccelerator"},
		{"AWSLogs/123456789012/vpcdnsquerylogs/vpc-1/2026/05/14/vpc-1_vpcdnsquerylogs_123456789012_20260514T0905Z_a.log.gz", "vpcdnsquerylogs"},
		{`C:\AWSLogs\aws-account-id=123456789012\aws-service=network-firewall\x.log`, "network-firewall"},
		{"AWSLogs/123456789012/ELBAccessLogTestFile", "elasticloadbalancing"},
		{"AWSLogs/AWSLogs/123456789012/Config/x.json.gz", "Config"},
		// flow logs, and what nobody can tell
		{"AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/14/" + flowLog, ""},
		{"AWSLogs/123456789012/mine/" + flowLog, ""},
		{"AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/x.parquet", ""},
		{"AWSLogs/123456789012/flow.log", ""},
		{"AWSLogs/123456789012/us-east-1/2026/05/14/flow.log", ""},
		{"AWSLogs/123456789012/2026/05/14/flow.log", ""},
		{"AWSLogs/flow.log", ""},
		{"AWSLogs/CloudTrail/x.json", ""},
		{"myAWSLogs/123456789012/CloudTrail/x.json", ""},
		{"123456789012/CloudTrail/x.json", ""},
		{"AWSLogs", ""},
		{"", ""},
	} {
		want(t, test.name, OtherService(test.name), test.want)
		want(t, test.name, KeyFilter{}.Keep(test.name), test.want == "")
	}
}

// TestLeftOut counts objects for the first reason for which they were not chosen.
func TestLeftOut(t *testing.T) {
	at := func(s string) time.Time {
		tm, err := time.Parse("2006-01-02T15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	f := KeyFilter{Since: at("2026-05-14T09:00"), Accounts: []string{"111111111111"}, Regions: []string{"us-east-1"}}
	const name = "%s_vpcflowlogs_%s_fl-1_%s_1a2b3c4d.log.gz"
	var left, more LeftOut
	for i, object := range []string{
		fmt.Sprintf(name, "111111111111", "us-east-1", "20260514T0905Z"),
		fmt.Sprintf(name, "222222222222", "eu-west-1", "20260101T0905Z"),
		fmt.Sprintf(name, "222222222222", "us-east-1", "20260514T0905Z"),
		fmt.Sprintf(name, "111111111111", "eu-west-1", "20260514T0905Z"),
		fmt.Sprintf(name, "111111111111", "us-east-1", "20260512T0905Z"),
		fmt.Sprintf(name, "111111111111", "us-east-1", "20260510T0905Z"),
		"AWSLogs/111111111111/vpcflowlogs/us-east-1/2026/05/13/x.log",
		"my.log",
		"AWSLogs/111111111111/CloudTrail/us-east-1/2026/05/14/x.json.gz",
	} {
		to := &left
		if i%2 == 1 {
			to = &more
		}
		_, ok := f.Choose(object, to)
		want(t, object, ok, i == 0)
	}
	left.Merge(more)
	want(t, "services", left.Services, map[string]int64{"CloudTrail": 1})
	want(t, "accounts", left.Accounts, map[string]int64{"222222222222": 2, "": 1})
	want(t, "regions", left.Regions, map[string]int64{"eu-west-1": 1})
	want(t, "time", []any{left.Timed, left.From, left.To}, []any{int64(3), at("2026-05-10T09:05"), at("2026-05-14T00:00")})
}
