package athena

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"flowlog/parse/aws"
	"flowlog/report/engine/athena/athenatest"
)

func connect(t *testing.T, s *athenatest.Server, opt Options) *Runner {
	t.Helper()
	opt.Region, opt.EndpointURL = "eu-west-1", s.URL
	if opt.wait == nil {
		opt.wait = func(int) time.Duration { return time.Millisecond }
	}
	r, err := Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// read reads a result to its end.
func read(t *testing.T, r *Runner, sql string) (columns []string, rows [][]any) {
	t.Helper()
	res, err := r.Run(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	for {
		row, err := res.Next(t.Context())
		if err == io.EOF {
			return res.Columns(), rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

// Values have the types of their columns; the header that Athena sends is no row, and a row that looks like it is one.
func TestResult(t *testing.T) {
	s := athenatest.New(t)
	s.Run = func(string) ([]string, []string, [][]*string, error) {
		return []string{"srcaddr", "flows", "share", "ok", "time"}, []string{"varchar", "bigint", "double", "boolean", "timestamp with time zone"}, [][]*string{
			{athenatest.Text("10.0.0.1"), athenatest.Text("9223372036854775807"), athenatest.Text("0.5"), athenatest.Text("true"), athenatest.Text("2026-05-14 09:00:00.000 UTC")},
			{nil, nil, nil, nil, nil},
			{athenatest.Text(""), athenatest.Text("-1"), athenatest.Text("Infinity"), athenatest.Text("false"), athenatest.Text("")},
		}, nil
	}
	r := connect(t, s, Options{WorkGroup: "logs", OutputLocation: "s3://results/x/", Database: "vpc", Catalog: "AwsDataCatalog", Price: Price})
	columns, rows := read(t, r, "SELECT 1;\n")
	want := [][]any{
		{"10.0.0.1", int64(math.MaxInt64), 0.5, true, "2026-05-14 09:00:00.000 UTC"},
		{nil, nil, nil, nil, nil},
		{"", int64(-1), math.Inf(1), false, ""},
	}
	if len(columns) != 5 || !reflect.DeepEqual(rows, want) {
		t.Errorf("got %v %v, want %v", columns, rows, want)
	}
	q := s.Queries[s.Order[0]]
	if q.SQL != "SELECT 1" || q.Started["WorkGroup"] != "logs" || fmt.Sprint(q.Started["ResultConfiguration"]) != "map[OutputLocation:s3://results/x/]" ||
		fmt.Sprint(q.Started["QueryExecutionContext"]) != "map[Catalog:AwsDataCatalog Database:vpc]" || q.Started["ClientRequestToken"] == nil {
		t.Errorf("the query was started with %v", q.Started)
	}
	if s.Unsigned {
		t.Error("a request was not signed")
	}
	got := r.Stats()
	if got.ID != s.Order[0] || got.Scanned != 1<<20 || got.Elapsed != 1500*time.Millisecond {
		t.Errorf("got %+v", got)
	}
	if want := 10.0 / (1 << 20) * 5; math.Abs(got.Cost-want) > 1e-12 { // ten megabytes are the least
		t.Errorf("it cost %g, want %g", got.Cost, want)
	}
}

func TestPages(t *testing.T) {
	s := athenatest.New(t)
	s.Page = 7
	s.Run = func(string) ([]string, []string, [][]*string, error) {
		var rows [][]*string
		for i := range 100 {
			rows = append(rows, []*string{athenatest.Text(strconv.Itoa(i))})
		}
		return []string{"n"}, []string{"integer"}, rows, nil
	}
	_, rows := read(t, connect(t, s, Options{}), "SELECT n")
	for i, row := range rows {
		if row[0] != int64(i) {
			t.Fatalf("row %d is %v", i, row)
		}
	}
	if len(rows) != 100 {
		t.Errorf("got %d rows", len(rows))
	}
}

func TestCost(t *testing.T) {
	for scanned, want := range map[int64]float64{0: 5 * 10. / (1 << 20), 10 << 20: 5 * 10. / (1 << 20), 10<<20 + 1: 5 * 11. / (1 << 20), 1 << 40: 5} {
		if got := (&Options{Price: 5}).cost(scanned); math.Abs(got-want) > 1e-12 {
			t.Errorf("%d bytes: got %g, want %g", scanned, got, want)
		}
	}
}

// A context that ends stops the query on the server, at whatever time it does.
func TestCancel(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
		s := athenatest.New(t)
		s.Polls = math.MaxInt
		r := connect(t, s, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(after, cancel)
		began := time.Now()
		if _, err := r.Run(ctx, "SELECT 1"); !errors.Is(err, context.Canceled) {
			t.Fatalf("after %s: got %v", after, err)
		}
		if d := time.Since(began); d > after+grace+time.Second {
			t.Errorf("after %s: it took %s", after, d)
		}
		s.Lock()
		for id, q := range s.Queries {
			if q.State != "CANCELLED" {
				t.Errorf("after %s: query %s is %s", after, id, q.State)
			}
		}
		s.Unlock()
	}
}

func TestThrottled(t *testing.T) {
	s := athenatest.New(t)
	s.Throttle = 2
	s.Run = func(string) ([]string, []string, [][]*string, error) {
		return []string{"n"}, []string{"integer"}, [][]*string{{athenatest.Text("1")}}, nil
	}
	if _, rows := read(t, connect(t, s, Options{}), "SELECT 1"); len(rows) != 1 || len(s.Order) != 1 {
		t.Errorf("got %v of %d queries", rows, len(s.Order))
	}
}

func TestFailures(t *testing.T) {
	const arn = "arn:aws:glue:eu-west-1:123456789012:table/vpc/flows"
	for _, c := range []struct {
		reason, want string
		denied       bool
	}{
		{"SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved", "Athena: SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved (query 00000001-query)", false},
		{"", "Athena: the query failed, and it does not say why (query 00000001-query)", false},
		{"Insufficient permissions to execute the query. User: arn:aws:iam::1:user/x is not authorized to perform: glue:GetTable on resource: " + arn + " because no identity-based policy allows it",
			"access denied: the permission glue:GetTable on " + arn + " is missing (query 00000001-query): " + aws.Allow.Error(), true},
		{"PERMISSION_DENIED: Permission denied on S3 path: s3://logs/AWSLogs/x.gz", "access denied: the permission s3:GetObject and s3:ListBucket on s3://logs/AWSLogs/x.gz is missing (query 00000001-query): " + aws.Allow.Error(), true},
		{"Access denied when writing output to url: s3://results/1.csv . Please ensure", "access denied: the permission s3:PutObject on s3://results/1.csv is missing (query 00000001-query): " + aws.Allow.Error(), true},
	} {
		s := athenatest.New(t)
		s.Run = func(string) ([]string, []string, [][]*string, error) { return nil, nil, nil, errors.New(c.reason) }
		r := connect(t, s, Options{})
		_, err := r.Run(t.Context(), "SELECT x")
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
		var denied interface{ AccessDenied() bool }
		if got := errors.As(err, &denied) && denied.AccessDenied(); got != c.denied {
			t.Errorf("%s: access denied is %t", c.reason, got)
		}
		if r.Stats().Cost != 0 {
			t.Errorf("a query that failed cost %g", r.Stats().Cost)
		}
	}
}

func TestDenied(t *testing.T) {
	for op, c := range map[string][2]string{
		"StartQueryExecution": {"You are not authorized to perform: athena:StartQueryExecution on the resource. After your AWS administrator has updated your permissions, please try again.",
			"access denied: the permission athena:StartQueryExecution on what the query reads is missing: " + aws.Allow.Error()},
		"GetQueryExecution": {"User: arn:aws:iam::1:user/x is not authorized to perform: athena:GetQueryExecution on resource: arn:aws:athena:eu-west-1:1:workgroup/logs",
			"query 00000001-query: access denied: the permission athena:GetQueryExecution on arn:aws:athena:eu-west-1:1:workgroup/logs is missing (User: arn:aws:iam::1:user/x): " + aws.Allow.Error()},
		"GetQueryResults": {"", "results of query 00000001-query: access denied: the permission athena:GetQueryResults on the workgroup logs is missing: " + aws.Allow.Error()},
	} {
		s := athenatest.New(t)
		s.Deny[op] = c[0]
		s.Run = func(string) ([]string, []string, [][]*string, error) { return nil, nil, nil, nil }
		_, err := connect(t, s, Options{WorkGroup: "logs"}).Run(t.Context(), "SELECT 1")
		if err == nil || err.Error() != c[1] {
			t.Errorf("%s:\n got %v\nwant %s", op, err, c[1])
		}
		var denied interface{ AccessDenied() bool }
		if !errors.As(err, &denied) {
			t.Errorf("%s: %T", op, err)
		}
	}
}

func TestConnect(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	for want, opt := range map[string]Options{
		"no region is known":              {},
		"no AWS credentials were found":   {Region: "eu-west-1"},
		`there is no profile "nobody"`:    {Profile: "nobody"},
		"is not the URL of an endpoint":   {EndpointURL: "localhost"},
		"is not a place for results":      {OutputLocation: "results"},
		`"s3://" is not a place for resu`: {OutputLocation: "s3://"},
	} {
		if _, err := Connect(t.Context(), opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// plan is what EXPLAIN (TYPE IO, FORMAT JSON) says, as Trino 435 does of a table that flowlog sql ddl makes, with other
// values: an account, and days.
const plan = `{
  "inputTableColumnInfos" : [ {
    "table" : { "catalog" : "awsdatacatalog", "schemaTable" : { "schema" : "vpc", "table" : "flows" } },
    "constraint" : { "none" : false, "columnConstraints" : [
      { "columnName" : "aws_account_id", "type" : "varchar", "domain" : { "nullsAllowed" : false, "ranges" : [
        { "low" : { "value" : "123456789012", "bound" : "EXACTLY" }, "high" : { "value" : "123456789012", "bound" : "EXACTLY" } } ] } },
      { "columnName" : "day", "type" : "varchar", "domain" : { "nullsAllowed" : false, "ranges" : [ DAYS ] } },
      { "columnName" : "log_status", "type" : "varchar", "domain" : { "nullsAllowed" : true, "ranges" : [
        { "low" : { "value" : "OK", "bound" : "EXACTLY" }, "high" : { "value" : "OK", "bound" : "EXACTLY" } } ] } }
    ] },
    "estimate" : { "outputRowCount" : "NaN", "outputSizeInBytes" : "NaN", "cpuCost" : "NaN", "maxMemory" : 0.0, "networkCost" : 0.0 }
  } ]
}`

// What a query may scan is counted before it is started: the objects of its partitions, and no others.
func TestMaxScan(t *testing.T) {
	const tenMB = 10 << 20
	one := `{ "low" : { "value" : "2026/05/14", "bound" : "EXACTLY" }, "high" : { "value" : "2026/05/14", "bound" : "EXACTLY" } }`
	more := `{ "low" : { "value" : "2026/05/14", "bound" : "ABOVE" }, "high" : { "bound" : "BELOW" } }`
	s := athenatest.New(t)
	days := one
	s.Run = func(sql string) ([]string, []string, [][]*string, error) {
		if strings.HasPrefix(sql, "EXPLAIN (TYPE IO, FORMAT JSON) SELECT") {
			var rows [][]*string
			for line := range strings.Lines(strings.ReplaceAll(plan, "DAYS", days)) {
				rows = append(rows, []*string{athenatest.Text(strings.TrimSuffix(line, "\n"))})
			}
			return []string{"Query Plan"}, []string{"varchar"}, rows, nil
		}
		return []string{"n"}, []string{"integer"}, [][]*string{{athenatest.Text("1")}}, nil
	}
	s.Tables = map[string]athenatest.Table{"vpc.flows": {
		Parameters: map[string]string{
			"location": "s3://logs/AWSLogs/", "projection.enabled": "true",
			"projection.aws_account_id.type": "injected", "projection.aws_region.type": "enum", "projection.aws_region.values": "eu-west-1,us-east-1",
			"projection.day.type": "date", "projection.day.format": "yyyy/MM/dd", "projection.day.range": "2026/01/01,NOW",
			"storage.location.template": "s3://logs/AWSLogs/${aws_account_id}/vpcflowlogs/${aws_region}/${day}/",
		},
		PartitionKeys: []map[string]string{{"Name": "aws_account_id", "Type": "string"}, {"Name": "aws_region", "Type": "string"}, {"Name": "day", "Type": "string"}},
	}}
	s.Objects = map[string]int64{}
	for _, account := range []string{"123456789012", "999999999999"} {
		for _, region := range []string{"eu-west-1", "us-east-1", "us-east-2"} {
			for _, day := range []string{"2026/05/13", "2026/05/14", "2026/05/15", "2026/05/16"} {
				for i := range 3 {
					s.Objects[fmt.Sprintf("logs/AWSLogs/%s/vpcflowlogs/%s/%s/%d.log.gz", account, region, day, i)] = tenMB
				}
			}
		}
	}
	for _, c := range []struct {
		days    string
		max     int64
		refused string
	}{
		{one, 6 * tenMB, ""},
		{one, 6*tenMB - 1, "the first 6 objects that it may read of vpc.flows have 60 MiB"},
		{more, 12 * tenMB, ""},
		{more, 12*tenMB - 1, "the first 12 objects that it may read of vpc.flows have 120 MiB"},
	} {
		days = c.days
		s.Order, s.Calls = nil, nil
		r := connect(t, s, Options{MaxScan: c.max})
		_, err := r.Run(t.Context(), "SELECT 1")
		var scan *ScanError
		switch {
		case c.refused == "" && err != nil, c.refused != "" && (!errors.As(err, &scan) || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%d: got %v", c.max, err)
		case c.refused != "" && len(s.Order) != 1:
			t.Errorf("%d: the query was started", c.max)
		}
	}

	// Nobody knows what it may scan: then it is not run.
	s.Deny["ListObjectsV2"] = "Access Denied"
	_, err := connect(t, s, Options{MaxScan: 1 << 40}).Run(t.Context(), "SELECT 1")
	if err == nil || !strings.Contains(err.Error(), "cannot be bounded: s3://logs/AWSLogs/123456789012/vpcflowlogs/") || !strings.Contains(err.Error(), "the permission s3:ListBucket on arn:aws:s3:::logs is missing") {
		t.Errorf("got %v", err)
	}
	delete(s.Deny, "ListObjectsV2")

	// It scans more than it should have been able to: then it is stopped.
	s.Polls, s.Scanned = 100, 40<<20
	_, err = connect(t, s, Options{MaxScan: 100 * tenMB}).Run(t.Context(), "SELECT 1")
	last := s.Order[len(s.Order)-1]
	if err == nil || !regexp.MustCompile(`^query `+last+` was stopped: it had scanned 1\.0 GiB, and 1000 MiB is the most`).MatchString(err.Error()) || s.Queries[last].State != "CANCELLED" {
		t.Errorf("got %v; it is %s", err, s.Queries[last].State)
	}
}

// Partitions that were registered are folders of their names and values below the table's; a number in them may have
// zeros in front.
func TestPlaces(t *testing.T) {
	value := func(s string) valueRange {
		return valueRange{marker{&s, "EXACTLY"}, marker{&s, "EXACTLY"}}
	}
	constraint := func(name string, ranges ...valueRange) column {
		c := column{ColumnName: name}
		c.Domain.Ranges = ranges
		return c
	}
	at := map[string]string{"location": "s3://lake/flows"}
	keys := metadataKeys("date", "date", "hour", "int", "account_id", "string")
	p, err := newLocation(at, keys, []column{constraint("date", value("2026-05-14")), constraint("hour", value("9"))})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.prefixes(); !slices.Equal(got, []string{"flows/date=2026-05-14/hour="}) {
		t.Errorf("got %q", got)
	}
	for name, want := range map[string]bool{
		"flows/date=2026-05-14/hour=09/account_id=1/x.parquet":                         true,
		"flows/date=2026-05-14/hour=9/account_id=1/x.parquet":                          true,
		"flows/date=2026-05-14/hour=10/account_id=1/x.parquet":                         false,
		"flows/date=2026-05-13/hour=09/account_id=1/x.parquet":                         false,
		"flows/date=2026-05-14/hour=__HIVE_DEFAULT_PARTITION__/account_id=1/x.parquet": true,
		"flows/_flowlog/000001.json":                                                   false,
	} {
		if got := p.holds(name); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
	// A date that is several folders, of a range of hours: only what these share is listed.
	low, high := "year=2026/month=05/day=13/hour=23", "year=2026/month=05/day=15/hour=00"
	hours := map[string]string{
		"location": "s3://logs/", "projection.enabled": "true", "projection.hour.type": "date",
		"projection.hour.format": "'year='yyyy/'month='MM/'day='dd/'hour='HH", "storage.location.template": "s3://logs/${hour}/",
	}
	p, err = newLocation(hours, metadataKeys("hour", "string"), []column{constraint("hour", valueRange{marker{&low, "EXACTLY"}, marker{&high, "EXACTLY"}})})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.prefixes(); !slices.Equal(got, []string{"year=2026/month=05/day=1"}) {
		t.Errorf("got %q", got)
	}
	for name, want := range map[string]bool{
		"year=2026/month=05/day=13/hour=22/x.log.gz": false,
		"year=2026/month=05/day=13/hour=23/x.log.gz": true,
		"year=2026/month=05/day=15/hour=00/x.log.gz": true,
		"year=2026/month=05/day=15/hour=01/x.log.gz": false,
	} {
		if got := p.holds(name); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
	if p, err = newLocation(at, nil, nil); err != nil || !p.holds("flows/a/b") || p.holds("flows2/a") {
		t.Errorf("a table without partitions: %v", err)
	}
	if _, err = newLocation(map[string]string{"location": "jdbc:x"}, nil, nil); err == nil {
		t.Error("a table that is not in S3 has a place")
	}
}

func metadataKeys(pairs ...string) []types.Column {
	var list []types.Column
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, types.Column{Name: &pairs[i], Type: &pairs[i+1]})
	}
	return list
}
