package parse

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
)

// A Key is the parts that the name of an object has. Missing parts are zero.
type Key struct {
	Account   string // twelve digits, or any value of account_id= in a partitioned dataset
	Region    string // us-east-1, us-gov-west-1, cn-north-1, …
	FlowLogID string // fl-…, which no field of a record has

	// Time is the start of the time that the object covers, in UTC, and Span its length: five minutes by the name of a
	// file, an hour or a day by its folder.
	Time time.Time
	Span time.Duration
}

const (
	deliveryRoot    = "AWSLogs"        // the folder of the logs of all services, below any prefix
	deliveryService = "vpcflowlogs"    // also of transit gateways
	deliverySpan    = 5 * time.Minute  // of a file: the interval at which AWS publishes
	deliveryTime    = "20060102T1504Z" // in the name of a file
)

// ParseKey reads the key of an S3 object, or the path of a copy of one. It knows the layouts daily, hourly,
// Hive and hourly Hive, whatever stands before them, and a file's name alone:
//
//	AWSLogs/{account}/vpcflowlogs/{region}/2026/05/14/09/{account}_vpcflowlogs_{region}_{fl-id}_20260514T0905Z_{hash}.log.gz
//	AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/year=2026/month=05/day=14/hour=09/…
//	date=2026-05-14/hour=09/account_id={account}/region={region}/part-000001-0001.parquet, as parse --partition-by writes
//
// The name of the file counts more than its folder. It reports false if the name says nothing.
func ParseKey(name string) (Key, bool) {
	segments := strings.Split(strings.ReplaceAll(name, `\`, "/"), "/")
	file := len(segments) - 1
	k := fileKey(segments[file])
	f := folderKey(segments[:file])
	if k.Account == "" {
		k.Account = f.Account
	}
	if k.Region == "" {
		k.Region = f.Region
	}
	if k.Time.IsZero() {
		k.Time, k.Span = f.Time, f.Span
	}
	if k == (Key{}) {
		k = partitionKey(segments[:file], segments[file])
	}
	return k, k != Key{}
}

// partitionKey reads the folders of a partitioned dataset: date=2026-05-14/hour=09/account_id=…/region=…, in any order. The
// date counts only in datasets of flowlog, where it is that of the ends of records, in UTC.
func partitionKey(folders []string, file string) Key {
	var k Key
	var date string
	hour := -1
	for _, folder := range folders {
		name, value, ok := strings.Cut(folder, "=")
		if !ok || value == schema.NullPartition {
			continue
		}
		if s, err := url.PathUnescape(value); err == nil {
			value = s
		}
		switch name {
		case "account_id":
			k.Account = value
		case "region":
			k.Region = value
		case "date":
			date = value
		case "hour":
			if h, ok := DatePart(3, value); ok {
				hour = h
			}
		}
	}
	if ours, _ := path.Match(schema.PartGlob, file); !ours {
		return k
	}
	day, err := time.Parse(time.DateOnly, date)
	switch {
	case err != nil:
	case hour < 0:
		k.Time, k.Span = day, 24*time.Hour
	default:
		k.Time, k.Span = day.Add(time.Duration(hour)*time.Hour), time.Hour
	}
	return k
}

// fileKey reads the name of a file. Only the parts beside the name of the service count: a date in any other name may mean
// anything.
func fileKey(name string) Key {
	var k Key
	name, _, _ = strings.Cut(name, ".")
	parts := strings.Split(name, "_")
	at := slices.Index(parts, deliveryService)
	if at < 0 {
		return k
	}
	if at > 0 && isAccount(parts[at-1]) {
		k.Account = parts[at-1]
	}
	for _, part := range parts[at+1:] {
		switch {
		case k.Region == "" && isRegion(part):
			k.Region = part
		case k.FlowLogID == "" && strings.HasPrefix(part, "fl-") && len(part) > 3:
			k.FlowLogID = part
		case k.Time.IsZero():
			if t, err := time.Parse(deliveryTime, part); err == nil {
				k.Time, k.Span = t, deliverySpan
			}
		}
	}
	return k
}

// folderKey reads the folders of a file, from that of the account on.
func folderKey(segments []string) Key {
	var k Key
	at := slices.IndexFunc(segments, func(s string) bool { return strings.TrimPrefix(s, "aws-service=") == deliveryService })
	if at < 0 {
		return k
	}
	if at > 0 {
		if a := strings.TrimPrefix(segments[at-1], "aws-account-id="); isAccount(a) {
			k.Account = a
		}
	}
	rest := segments[at+1:]
	if len(rest) == 0 {
		return k
	}
	region := strings.TrimPrefix(rest[0], "aws-region=")
	if !isRegion(region) {
		return k
	}
	k.Region = region
	var date [4]int // year, month, day, hour
	n := 0
	for n < len(date) && n+1 < len(rest) {
		v, ok := DatePart(n, rest[n+1])
		if !ok {
			break
		}
		date[n] = v
		n++
	}
	if n >= 3 {
		k.Time = time.Date(date[0], time.Month(date[1]), date[2], date[3], 0, 0, 0, time.UTC)
		k.Span = time.Hour
		if n == 3 {
			k.Span = 24 * time.Hour
		}
	}
	return k
}

// dateParts are the folders of a date, in their order.
var dateParts = []struct {
	hive            string
	digits          int
	lowest, highest int
}{{"year=", 4, 1, 9999}, {"month=", 2, 1, 12}, {"day=", 2, 1, 31}, {"hour=", 2, 0, 23}}

// DatePart reads the name of a folder as the year (part 0), month, day or hour of a delivery, plain or as Hive
// writes it.
func DatePart(part int, folder string) (int, bool) {
	p := dateParts[part]
	s := strings.TrimPrefix(folder, p.hive)
	if len(s) != p.digits {
		return 0, false
	}
	v := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = 10*v + int(c-'0')
	}
	return v, v >= p.lowest && v <= p.highest
}

// isAccount reports whether s is an AWS account: twelve digits.
func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// isRegion reports whether s has the form of a region: words and a number, as in us-isob-east-1.
func isRegion(s string) bool {
	words := strings.Split(s, "-")
	last := len(words) - 1
	if last < 2 || words[last] == "" || strings.Trim(words[last], "0123456789") != "" {
		return false
	}
	for _, w := range words[:last] {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			return false
		}
	}
	return true
}

// Window returns the ends of records that the object can hold: from inclusive, to exclusive. Both are zero if the key has
// no time.
func (k Key) Window() (from, to time.Time) {
	if k.Time.IsZero() {
		return k.Time, k.Time
	}
	return k.Time.Add(-schema.DeliveryMargin), k.Time.Add(k.Span + schema.DeliveryMargin)
}
