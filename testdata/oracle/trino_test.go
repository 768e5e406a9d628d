package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// trino is the server that $FLOWLOG_TRINO_TEST names, as testdata/trino/start prints it. It sees the files of this
// machine, at local:///path. The test is skipped if there is none.
func trino(t *testing.T) *engine {
	t.Helper()
	dsn := os.Getenv("FLOWLOG_TRINO_TEST")
	if dsn == "" {
		t.Skip("$FLOWLOG_TRINO_TEST names no server: export FLOWLOG_TRINO_TEST=$(testdata/trino/start)")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	s := &statements{url: "http://" + u.Host + "/v1/statement", schema: strings.ToLower(t.Name())}
	e := &engine{name: "trino", query: s.query, fill: trinoTables, estimates: true, splits: true, slow: true, env: []string{"FLOWLOG_TRINO_DSN=" + dsn}}
	e.must(t, "CREATE SCHEMA IF NOT EXISTS hive."+s.schema)
	t.Cleanup(func() { e.must(t, "DROP SCHEMA hive."+s.schema+" CASCADE") })
	for _, table := range []string{"flows", "partitioned", "lines"} {
		e.tables = append(e.tables, "hive."+s.schema+"."+table)
	}
	return e
}

// statements speaks the protocol of Trino's clients, apart from the driver that flowlog has.
type statements struct{ url, schema string }

func (s *statements) query(sql string) (answer, error) {
	var a answer
	var types []string
	method, at, body := http.MethodPost, s.url, sql
	for at != "" {
		req, err := http.NewRequest(method, at, strings.NewReader(body))
		if err != nil {
			return a, err
		}
		req.Header.Set("X-Trino-User", "oracle")
		req.Header.Set("X-Trino-Catalog", "hive")
		req.Header.Set("X-Trino-Schema", s.schema)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return a, err
		}
		var page struct {
			NextURI string
			Columns []struct{ Name, Type string }
			Data    [][]any
			Error   *struct{ Message string }
		}
		dec := json.NewDecoder(res.Body)
		dec.UseNumber()
		err = dec.Decode(&page)
		res.Body.Close()
		if err != nil {
			return a, fmt.Errorf("%s: %w", res.Status, err)
		}
		if page.Error != nil {
			return a, errors.New(page.Error.Message)
		}
		if a.Columns == nil {
			for _, c := range page.Columns {
				a.Columns = append(a.Columns, c.Name)
				types = append(types, c.Type)
			}
		}
		for _, row := range page.Data {
			for i, v := range row {
				if text, ok := v.(string); ok && strings.HasPrefix(types[i], "timestamp") {
					at, err := time.Parse("2006-01-02 15:04:05.000 MST", text)
					if err != nil {
						return a, err
					}
					row[i] = at.Format(time.RFC3339)
				}
			}
		}
		a.Rows = append(a.Rows, page.Data...)
		method, at, body = http.MethodGet, page.NextURI, ""
	}
	return a, nil
}

// trinoTables are flows, a file of Parquet; partitioned, a dataset of it in folders; and lines, the logs themselves as
// AWS delivers them: a table of text for each version, with its columns in the order of its logs, and a view of all.
func trinoTables(t *testing.T, b *bench) {
	trinoFlows(t, b)
	all := b.logged()
	lake := filepath.Join(b.dir, "lake")
	if err := os.RemoveAll(lake); err != nil {
		t.Fatal(err)
	}
	if _, err := b.run("parse", "-q", "-o", "parquet", "--partition-by", "date,account_id", "-O", lake, b.logs); err != nil {
		t.Fatal(err)
	}
	keyed := append(slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == "account_id" }), "date", "account_id")
	b.external(t, b.tables[1], lake, keyed, "format = 'PARQUET', partitioned_by = ARRAY['date', 'account_id']")
	parts := strings.Split(b.tables[1], ".")
	b.must(t, "CALL hive.system.sync_partition_metadata('"+parts[1]+"', '"+parts[2]+"', 'ADD')")

	var selects []string
	logs, err := filepath.Glob(filepath.Join(b.logs, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range logs {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		version := strings.TrimSuffix(filepath.Base(name), ".log")
		dir := filepath.Join(b.dir, version)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o666); err != nil {
			t.Fatal(err)
		}
		header, _, _ := bytes.Cut(data, []byte("\n"))
		logged := strings.Fields(strings.ReplaceAll(string(header), "-", "_"))
		table := b.tables[2] + "_" + version
		b.external(t, table, dir, logged, "format = 'TEXTFILE', textfile_field_separator = ' ', skip_header_line_count = 1")
		var columns []string
		for _, name := range all {
			x := `"` + name + `"`
			switch {
			case !slices.Contains(logged, name):
				x = "NULL AS " + x
			case name == "instance_tag": // which engines do not decode
				x = "url_decode(" + x + ") AS " + x
			}
			columns = append(columns, x)
		}
		selects = append(selects, "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
	}
	b.must(t, "CREATE OR REPLACE VIEW "+b.tables[2]+" AS "+strings.Join(selects, " UNION ALL "))
}

// trinoFlows makes the first of the tables.
func trinoFlows(t *testing.T, b *bench) {
	flows := filepath.Join(b.dir, "flows", filepath.Base(b.parquet))
	if err := os.MkdirAll(filepath.Dir(flows), 0o777); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(b.parquet)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(flows, data, 0o666); err != nil {
		t.Fatal(err)
	}
	b.external(t, b.tables[0], filepath.Dir(flows), b.logged(), "format = 'PARQUET'")
}

// logged are the columns of all versions.
func (b *bench) logged() (all []string) {
	for _, f := range b.random.fields {
		if f.Since > 0 {
			all = append(all, f.Name)
		}
	}
	return all
}

// external makes a table of the files in a folder, with the types of AWS's own files.
func (b *bench) external(t *testing.T, table, dir string, columns []string, with string) {
	t.Helper()
	var defs []string
	for _, name := range columns {
		kind := "date"
		for _, f := range b.random.fields {
			if f.Name == name {
				kind = map[string]string{"int32": "integer", "int64": "bigint", "time": "bigint"}[f.Kind]
				if kind == "" {
					kind = "varchar"
				}
			}
		}
		defs = append(defs, `"`+name+`" `+kind)
	}
	b.must(t, "DROP TABLE IF EXISTS "+table)
	b.must(t, "CREATE TABLE "+table+" ("+strings.Join(defs, ", ")+") WITH (external_location = 'local://"+dir+"', "+with+")")
}

// Every report of the catalog, in Trino.
func TestTrinoCatalog(t *testing.T) {
	t.Parallel() // as all do but TestTrinoInterrupt: half of the time is the server's, with one processor
	testCatalog(t, trino(t))
}

// Random reports in Trino, for as long as $ORACLE_TIME says.
func TestTrinoRandomReports(t *testing.T) {
	t.Parallel()
	testRandomReports(t, trino(t))
}

// Reports by place and network, of which Trino knows nothing, and by a table of the user's own.
func TestTrinoEnriched(t *testing.T) {
	t.Parallel()
	b := setUp(t, trino(t), 2)
	nets := filepath.Join(b.dir, "nets.csv")
	if err := os.WriteFile(nets, []byte("network,team\n10.0.0.0/8,shop\n2001:db8::/32,web\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	files := []string{"--city-db", "../geo/city.mmdb", "--asn-db", "../geo/asn.mmdb", "--table", "nets=" + nets}
	for _, report := range [][]string{
		{"src-geo"}, {"dst-geo", "--top", "2"}, {"src-asn", "--sort", "flows"}, {"dst-asn", "--having", "flows > 3"},
		{"talkers", "--by", "src_nets_team,dst_nets_team", "--measures", "bytes,p90(bytes),first,bps"},
		{"timeline", "--where", "src_country is not null or src_nets_team = shop"},
	} {
		changes := append(report[1:], files...)
		doc, err := b.document(report[0], "2", append(changes, b.logs)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range b.tables {
			if err := b.split(doc, table, report[0], changes...); err != nil {
				t.Errorf("%q: %v", report, err)
			}
		}
	}
	if b.refused > 0 || b.halved == 0 {
		t.Errorf("%d were refused, %d were not", b.refused, b.halved)
	}
}

// A table without a record, and one without a flow: the same rows, and no error.
func TestTrinoEmpty(t *testing.T) {
	t.Parallel()
	b := setUp(t, trino(t), 3)
	for _, where := range []string{"1 = 0", "log_status = 'NODATA'", "srcaddr IS NULL"} {
		table := `(SELECT * FROM ` + b.tables[0] + ` WHERE ` + where + `)`
		out, err := b.run("report", "--engine", "trino", "--table", table, "-o", "json", "-q")
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		var doc struct {
			Reports []struct {
				Report string
				Rows   []map[string]any
			}
		}
		if err := json.Unmarshal(out, &doc); err != nil {
			t.Fatal(err)
		}
		if len(doc.Reports) == 0 || doc.Reports[0].Report != "summary" || len(doc.Reports[0].Rows) != 1 {
			t.Errorf("%s: %s", where, out)
		}
	}
}

// Ctrl-C ends the query on the server too, and flowlog with 130.
func TestTrinoInterrupt(t *testing.T) {
	b := setUp(t, trino(t), 4)
	table := fmt.Sprintf("(SELECT a.* FROM %s a CROSS JOIN %[1]s b CROSS JOIN %[1]s c WHERE 'interrupted_%d' <> '')", b.tables[0], os.Getpid())
	state := func() string {
		a := b.must(t, fmt.Sprintf("SELECT state || coalesce(' ' || error_code, '') FROM system.runtime.queries WHERE query LIKE '%%interrupted!_%d%%' ESCAPE '!' AND query NOT LIKE '%%runtime%%'", os.Getpid()))
		if len(a.Rows) == 0 {
			return ""
		}
		return a.Rows[0][0].(string)
	}
	c := exec.Command(b.flowlog, "report", "talkers", "--engine", "trino", "--table", table)
	c.Env = append(os.Environ(), append(b.env, "FLOWLOG_CONFIG=none")...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 300 && state() != "RUNNING"; i++ {
		time.Sleep(50 * time.Millisecond)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("got %v, want exit code 130", err)
	}
	for i := 0; i < 100 && state() == "RUNNING"; i++ {
		time.Sleep(50 * time.Millisecond)
	}
	if got := state(); got != "FAILED USER_CANCELED" {
		t.Errorf("the query is %s", got)
	}
}

// A field that no flow has is named by a report of the engine as by one of the logs, whatever leaves records out.
func TestTrinoLacking(t *testing.T) {
	t.Parallel()
	e := trino(t)
	e.tables = e.tables[:1]
	fill := func(*testing.T, *bench) {}
	e.fill = fill
	b := setUp(t, e, 5)
	b.logs = filepath.Join(b.dir, "few.log")
	text := "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n" +
		"2 eni-1 10.0.0.1 10.0.0.2 40000 443 6 1 100 1700000000 1700000060 ACCEPT OK\n" +
		"2 eni-1 - - - - - - - 1700000100 1700000160 - NODATA\n"
	if err := os.WriteFile(b.logs, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	b.parquet = filepath.Join(b.dir, "few.parquet")
	if _, err := b.run("parse", "-q", "-o", "parquet", "-O", b.parquet, b.logs); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(b.parquet)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(b.dir, "few")
	if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, "few.parquet"), data, 0o666)); err != nil {
		t.Fatal(err)
	}
	b.external(t, b.tables[0], dir, b.logged(), "format = 'PARQUET'")
	for _, changes := range [][]string{
		{"talkers", "--by", "flow_direction"},
		{"talkers", "--by", "flow_direction", "--since", "2023-11-14"},
		{"talkers", "--by", "flow_direction", "--where", "dstport = 443"},
		{"talkers", "--where", "flow_direction = ingress"},
		{"talkers", "--where", "flow_direction = ingress or dstport = 444"},
		{"talkers", "--where", "flow_direction = ingress and dstport = 444"},
		{"talkers", "--where", "dstport = 444"},
		{"talkers", "--where", "not flow_direction = ingress"},
		{"talkers", "--since", "2023-11-15"},
		{"talkers", "--where", "flow_direction = ingress", "--since", "2023-11-15"},
		{"talkers", "--by", "interface_id,vpc_id", "--measures", "flows,nodata"},
		{"talkers", "--by", "interface_id", "--measures", "flows,nodata,sum(packets_lost),distinct(vpc_id)", "--where", "interface_id = eni-1"},
		{"summary", "--where", "az_id = x"},
		{"summary", "--where", "dstport = 443"},
		{"quality"},
	} {
		args := append([]string{"report"}, append(changes, "-o", "json", "-q")...)
		native, nativeErr := b.run(append(args, b.logs)...)
		got, gotErr := b.run(append(args, "--engine", "trino", "--table", b.tables[0])...)
		if nativeErr != nil || gotErr != nil {
			left := "no record is left that ends at "
			if fmt.Sprint(nativeErr) != fmt.Sprint(gotErr) && !(strings.Contains(fmt.Sprint(nativeErr), left) && strings.Contains(fmt.Sprint(gotErr), left)) {
				t.Errorf("%q:\nflowlog: %v\n  trino: %v", changes, nativeErr, gotErr)
			}
			continue
		}
		want, have := notes(t, native), notes(t, got)
		if want != have {
			t.Errorf("%q:\nflowlog:\n%s\ntrino:\n%s", changes, want, have)
		}
	}
}

// notes are what a report in JSON says of what its logs do not have, and how many rows it has.
func notes(t *testing.T, text []byte) string {
	t.Helper()
	var doc struct {
		Rows  []map[string]any
		Notes []string
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	notes := slices.DeleteFunc(doc.Notes, func(s string) bool { return strings.HasPrefix(s, "none of ") }) // which an engine does not count
	return fmt.Sprintf("%d rows; %q", len(doc.Rows), notes)
}
