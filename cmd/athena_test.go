package cmd_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"flowlog/cmd"
	"flowlog/report"
	"flowlog/report/engine/athena/athenatest"
)

// TestAthena runs a report on a server that speaks Athena's protocol. What it answers to the query is made up: that the
// SQL means what it should is for testdata/oracle.
func TestAthena(t *testing.T) {
	s := athenatest.New(t)
	text := athenatest.Text
	s.Run = func(sql string) ([]string, []string, [][]*string, error) {
		if !strings.Contains(sql, "FROM (SELECT * FROM vpc.flow_logs WHERE day = '2026/05/14')") {
			t.Errorf("the query is\n%s", sql)
		}
		if strings.HasPrefix(sql, "EXPLAIN") {
			return []string{"Query Plan"}, []string{"varchar"}, [][]*string{{text(`{"inputTableColumnInfos": [{"table": {"catalog": "awsdatacatalog", "schemaTable": {"schema": "vpc", "table": "flow_logs"}}, "constraint": {}}]}`)}}, nil
		}
		return []string{"_place", "_groups", "action", "_records", "_state0", "_state1"}, []string{"bigint", "bigint", "varchar", "bigint", "bigint", "bigint"}, [][]*string{
			{text("1"), text("1"), text("ACCEPT"), text("30"), text("4500"), text("90")},
			{text("2"), text("1"), text("REJECT"), text("10"), text("400"), text("10")},
		}, nil
	}
	s.Tables = map[string]athenatest.Table{"vpc.flow_logs": {Parameters: map[string]string{"location": "s3://logs/AWSLogs/"}}}
	s.Objects = map[string]int64{"logs/AWSLogs/1.log.gz": 600, "logs/AWSLogs/2.log.gz": 600}
	ask := func(args ...string) (code int, out, errOut string) {
		var stdout, stderr bytes.Buffer
		args = append([]string{"report", "actions", "--engine", "athena", "--table", "(SELECT * FROM vpc.flow_logs WHERE day = '2026/05/14')", "--region", "eu-west-1", "--endpoint-url", s.URL}, args...)
		code = cmd.Main(args, nil, &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}

	code, out, errOut := ask("-o", "csv", "--workgroup", "logs", "--output-location", "s3://results/", "--max-scan", "2kB")
	if want := "action,flows,bytes,packets\nACCEPT,30,4500,90\nREJECT,10,400,10\n"; code != 0 || out != want {
		t.Errorf("exit code %d, got\n%s\nwant\n%s\n%s", code, out, want, errOut)
	}
	if want := `^flowlog: athena answered 1 query with 2 rows; 1\.0 MiB scanned in 1\.50 s, about \$0\.00005 at \$5 a terabyte\n$`; !regexp.MustCompile(want).MatchString(errOut) {
		t.Errorf("got %s", errOut)
	}
	if q := s.Queries[s.Order[len(s.Order)-1]]; q.Started["WorkGroup"] != "logs" {
		t.Errorf("it was started with %v", q.Started)
	}

	started := len(s.Order)
	code, _, errOut = ask("--max-scan", "1kB")
	if want := "flowlog: the query was not started: it may scan more than 1000 B, which is the most that it may; the first 2 objects that it may read of vpc.flow_logs have 1.2 KiB: restrict the partitions that it reads, such as its days\n"; code != 1 || errOut != want {
		t.Errorf("exit code %d, got %s\nwant %s", code, errOut, want)
	}
	if got := len(s.Order) - started; got != 1 {
		t.Errorf("%d queries were started beside EXPLAIN", got-1)
	}

	s.Deny["StartQueryExecution"] = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: athena:StartQueryExecution on resource: arn:aws:athena:eu-west-1:123456789012:workgroup/primary"
	code, _, errOut = ask()
	if want := "flowlog: access denied: the permission athena:StartQueryExecution on arn:aws:athena:eu-west-1:123456789012:workgroup/primary is missing (User: arn:aws:iam::123456789012:user/x): "; code != 4 || !strings.HasPrefix(errOut, want) {
		t.Errorf("exit code %d, got %s", code, errOut)
	}

	for want, args := range map[string][]string{
		`--max-scan: "much" is not a number of bytes`: {"--max-scan", "much"},
		"--scan-price: -1 is no price":                {"--scan-price", "-1"},
		"--scan-price: NaN is no price":               {"--scan-price", "nan"},
	} {
		if code, _, errOut := ask(args...); code != 2 || !strings.Contains(errOut, want) {
			t.Errorf("%q: exit code %d, %s", args, code, errOut)
		}
	}
}

// What a table lacks ends a report of it as it would one of the logs: a column that it does not have, a field that no flow
// has, and records of the time. Each query that this takes is counted.
func TestAthenaLacks(t *testing.T) {
	s := athenatest.New(t)
	text := athenatest.Text
	var records string
	s.Run = func(sql string) ([]string, []string, [][]*string, error) {
		switch {
		case strings.Contains(sql, "vpc.narrow") && strings.Contains(sql, "flow_direction"):
			return nil, nil, nil, errors.New("COLUMN_NOT_FOUND: line 5:5: Column 'flow_direction' cannot be resolved or requester is not authorized to access requested resources")
		case strings.Contains(sql, " AS _seen"): // which fields flows have: of any, the bytes alone
			var names, types []string
			var row []*string
			for _, m := range regexp.MustCompile(`count\((\w+)\) AS (_seen\d+)`).FindAllStringSubmatch(sql, -1) {
				n := "0"
				if m[1] == "bytes" && records != "0" {
					n = "1000"
				}
				names, types, row = append(names, m[2]), append(types, "bigint"), append(row, text(n))
			}
			return names, types, [][]*string{row}, nil
		case strings.Contains(sql, "1 AS one"):
			return []string{"_records"}, []string{"bigint"}, [][]*string{{text(records)}}, nil
		}
		columns := regexp.MustCompile(`AS (_\w+|action|bytes)\b`).FindAllStringSubmatch(sql[strings.LastIndex(sql, "SELECT"):], -1)
		names, types := []string{"action"}, []string{"varchar"}
		for _, m := range columns {
			if m[1] != "action" {
				names, types = append(names, m[1]), append(types, "bigint")
			}
		}
		return names, types, nil, nil // no row
	}
	ask := func(args ...string) (code int, errOut string) {
		var stdout, stderr bytes.Buffer
		code = cmd.Main(append([]string{"report", "actions", "--engine", "athena", "--region", "eu-west-1", "--endpoint-url", s.URL}, args...), nil, &stdout, &stderr)
		return code, stderr.String()
	}
	for _, c := range []struct {
		what, records string
		args          []string
		code          int
		says          string
	}{
		{"a column", "1", []string{"--table", "vpc.narrow", "--where", "flow_direction = ingress"}, 1, "flowlog: actions: the table has no column flow_direction: ask without it"},
		{"a field", "1", []string{"--table", "vpc.wide", "--top", "0", "--where", "flow_direction = ingress"}, 1, "flowlog: actions needs action and flow_direction, which these logs do not have"},
		{"flows", "0", []string{"--table", "vpc.wide", "--top", "0", "--where", "flow_direction = ingress"}, 0, "flowlog: athena answered 3 queries with 0 rows"},
		{"records of the time", "0", []string{"--table", "vpc.wide", "--top", "0", "--since", "2026-05-14"}, 6, "flowlog: no record is left that ends at 2026-05-14 00:00 UTC or later: the table has none"},
		{"flows of the time", "1", []string{"--table", "vpc.wide", "--top", "0", "--since", "2026-05-14"}, 0, "flowlog: athena answered 2 queries with 0 rows"},
	} {
		records = c.records
		if code, errOut := ask(c.args...); code != c.code || !strings.Contains(errOut, c.says) {
			t.Errorf("%s: exit code %d, want %d; got\n%s\nwant %s", c.what, code, c.code, errOut, c.says)
		}
	}
}

// TestAthenaOnTrino runs every report of the catalog that SQL can compute on a server that speaks Athena's protocol and has
// Trino run the queries, of a table that `flowlog sql ddl` has made of text. The answers are those of flowlog itself.
func TestAthenaOnTrino(t *testing.T) {
	s := athenatest.New(t)
	statement := s.OnTrino(t, os.Getenv(trinoTest))
	const schema = "hive.athena_cmd_test"
	statement("CREATE SCHEMA IF NOT EXISTS " + schema)
	t.Cleanup(func() { statement("DROP SCHEMA " + schema + " CASCADE") })
	logs, err := os.ReadFile("../testdata/logs/v5-console.log")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	input := filepath.Join(dir, "v5.log")
	if err := os.WriteFile(input, logs, 0o666); err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(string(logs), "\n")
	ddl := run(t, nil, "sql", "ddl", "--dialect", "trino", "--table", schema+".flows", "--location", "local://"+dir, "--layout", "none", "--log-format", header)
	statement(strings.TrimSuffix(string(ddl), ";\n"))

	compared := 0
	for _, name := range report.Names() {
		args := []string{"report", name, "-q", "-o", "csv", "--top", "0"}
		var out, errOut bytes.Buffer
		switch code := cmd.Main(append(args, "--engine", "athena", "--table", schema+".flows", "--region", "eu-west-1", "--endpoint-url", s.URL), nil, &out, &errOut); {
		case code == 2: // what SQL cannot compute is refused
			t.Logf("%s: %s", name, &errOut)
			continue
		case code != 0:
			var native, nativeErr bytes.Buffer
			if cmd.Main(append(args, input), nil, &native, &nativeErr) != code { // what neither can, for want of a field or a database
				t.Errorf("%s: exit code %d: %s", name, code, &errOut)
			}
			continue
		}
		want := run(t, nil, append(args, input)...)
		if name == "summary" { // an engine knows of no malformed records
			want = bytes.Replace(want, []byte(",1,1,0,"), []byte(",1,1,,"), 1)
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, &out, want)
		}
		compared++
	}
	t.Logf("%d reports were compared", compared)
	if compared < 20 {
		t.Error("that is too few")
	}
}
