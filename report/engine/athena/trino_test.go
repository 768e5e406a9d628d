package athena

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/engine/athena/athenatest"
	"flowlog/report/sql"
)

func athenaSQL(t *testing.T, name, table string) string {
	t.Helper()
	d := slices.IndexFunc(sql.Dialects(), func(d sql.Dialect) bool { return d.Name == "athena" })
	r := report.Catalog()[slices.Index(report.Names(), name)]
	sql, err := sql.Statement(&r, sql.Dialects()[d], schema.Logged(), table)
	if err != nil {
		t.Fatal(err)
	}
	return sql
}

// A report's SQL in Athena's dialect, run by Trino behind Athena's protocol.
func TestReportOnTrino(t *testing.T) {
	s := athenatest.New(t)
	s.OnTrino(t, os.Getenv("FLOWLOG_TRINO_TEST"))
	table := `(SELECT * FROM (VALUES
		('10.0.0.1', bigint '100', bigint '2', 'OK'),
		('10.0.0.1', bigint '50', bigint '1', '-'),
		('2001:DB8::1', bigint '70', bigint '7', 'OK'),
		('-', bigint '1', bigint '1', 'OK'),
		('10.0.0.9', bigint '1', bigint '1', 'NODATA')) AS t (srcaddr, bytes, packets, log_status))`
	columns, rows := read(t, connect(t, s, Options{}), athenaSQL(t, "talkers", table))
	want := [][]any{{"10.0.0.1", int64(150), int64(3), int64(2)}, {"2001:db8::1", int64(70), int64(7), int64(1)}, {nil, int64(1), int64(1), int64(1)}}
	if !slices.Equal(columns, []string{"srcaddr", "bytes", "packets", "flows"}) || !reflect.DeepEqual(rows, want) {
		t.Errorf("got %v %v\nwant %v", columns, rows, want)
	}
	if _, err := connect(t, s, Options{}).Run(t.Context(), "SELECT nothing"); err == nil || !strings.Contains(err.Error(), "Athena: line 1:8: Column 'nothing' cannot be resolved (query ") {
		t.Errorf("got %v", err)
	}
}

// What Trino's EXPLAIN says of a table that `flowlog sql ddl` makes bounds what a report of a day scans. The statement is
// Trino's, and what Athena says of the table is what its own would have said.
func TestMaxScanOnTrino(t *testing.T) {
	s := athenatest.New(t)
	statement := s.OnTrino(t, os.Getenv("FLOWLOG_TRINO_TEST"))
	dir := t.TempDir()
	var logs string
	for _, day := range []string{"13", "14", "15"} {
		folder := filepath.Join(dir, "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/05", day)
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		logs = "srcaddr bytes packets log-status\n10.0.0.1 100 2 OK\n"
		if err := os.WriteFile(filepath.Join(folder, "a.log"), []byte(logs), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var fields schema.Table
	for _, name := range []string{"srcaddr", "bytes", "packets", "log_status"} {
		f, _ := schema.Logged().Lookup(name)
		fields = append(fields, f)
	}
	stored := sql.StoredTable{
		Table: "hive.athena_test.flows", Location: "local://" + dir, Format: "text", Layout: "daily", Fields: fields,
		Accounts: []string{"123456789012"}, Regions: []string{"eu-west-1"}, Since: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
	}
	d := slices.IndexFunc(sql.Dialects(), func(d sql.Dialect) bool { return d.Name == "trino" })
	ddl, err := stored.DDL(sql.Dialects()[d])
	if err != nil {
		t.Fatal(err)
	}
	statement("CREATE SCHEMA IF NOT EXISTS hive.athena_test")
	t.Cleanup(func() { statement("DROP SCHEMA hive.athena_test CASCADE") })
	statement(ddl)
	s.Tables = map[string]athenatest.Table{"athena_test.flows": {
		Parameters: map[string]string{
			"location": "s3://logs/AWSLogs/", "projection.enabled": "true",
			"projection.aws_account_id.type": "enum", "projection.aws_account_id.values": "123456789012",
			"projection.aws_region.type": "enum", "projection.aws_region.values": "eu-west-1",
			"projection.day.type": "date", "projection.day.format": "yyyy/MM/dd",
			"storage.location.template": "s3://logs/AWSLogs/${aws_account_id}/vpcflowlogs/${aws_region}/${day}/",
		},
		PartitionKeys: []map[string]string{{"Name": "aws_account_id", "Type": "string"}, {"Name": "aws_region", "Type": "string"}, {"Name": "day", "Type": "string"}},
	}}
	s.Objects = make(map[string]int64)
	for _, day := range []string{"13", "14", "15"} {
		s.Objects["logs/AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/05/"+day+"/a.log"] = 1000
	}
	day := athenaSQL(t, "talkers", "(SELECT * FROM hive.athena_test.flows WHERE day = '2026/05/14')")
	_, rows := read(t, connect(t, s, Options{MaxScan: 1 << 20}), day)
	if want := [][]any{{"10.0.0.1", int64(100), int64(2), int64(1)}}; !reflect.DeepEqual(rows, want) {
		t.Errorf("got %v, want %v", rows, want)
	}
	var scan *ScanError
	if _, err := connect(t, s, Options{MaxScan: 999}).Run(t.Context(), day); !errors.As(err, &scan) || scan.Bytes != 1000 || scan.Objects != 1 {
		t.Errorf("a day of more bytes: got %v", err)
	}
	all := athenaSQL(t, "talkers", "(SELECT * FROM hive.athena_test.flows WHERE day > '2026/05/13')")
	if _, err := connect(t, s, Options{MaxScan: 1999}).Run(t.Context(), all); !errors.As(err, &scan) || scan.Bytes != 2000 {
		t.Errorf("two days of more bytes: got %v", err)
	}
}
