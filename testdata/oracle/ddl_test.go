package oracle

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Tables that `flowlog sql ddl` makes of files in each layout and format are read as flowlog reads the files.
func TestDDL(t *testing.T) { testDDL(t, duckDB(t), "") }
func TestTrinoDDL(t *testing.T) {
	t.Parallel()
	testDDL(t, trino(t), "local://")
}

const (
	ddlAccount = "012345678901" // a number would lose the zero
	ddlRegion  = "us-gov-west-1"
)

var address = regexp.MustCompile(`[^ \n]*[:.][^ \n]*`)

func testDDL(t *testing.T, e *engine, scheme string) {
	fill := e.fill
	e.fill = func(*testing.T, *bench) {}
	b := setUp(t, e, 1)
	e.fill = fill
	text := b.random.log(5, 300)
	if e.name == "duckdb" { // to which another form of an address is another text
		text = address.ReplaceAllStringFunc(text, func(s string) string {
			if a, err := netip.ParseAddr(s); err == nil {
				return a.Unmap().String()
			}
			return s
		})
	}
	header, _, _ := strings.Cut(text, "\n")
	lines := strings.SplitAfter(text, "\n")
	lines = slices.Insert(lines, 100, lines[0]) // as where files were joined
	text = strings.Join(lines, "")

	n, inSchema := 0, strings.TrimSuffix(e.tables[0], "flows")
	// table makes a table of a folder, and expects reports of it to be those of flowlog on the same folder.
	table := func(dir string, args ...string) {
		t.Helper()
		n++
		name := fmt.Sprintf("%sddl%d", inSchema, n)
		args = append([]string{"sql", "ddl", "--dialect", e.name, "--table", name, "--location", scheme + dir, "--since", "2023-11-15"}, args...)
		ddl, err := b.run(args...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.query(strings.TrimSuffix(string(ddl), ";\n")); err != nil {
			t.Errorf("%q: %v\n%s", args, err, ddl)
			return
		}
		for line := range strings.Lines(string(ddl)) { // what to do next
			if _, call, ok := strings.Cut(line, ": CALL "); ok {
				b.must(t, "CALL "+strings.TrimSpace(call))
			}
		}
		b.logs, b.parquet, b.tables = dir, dir, []string{name}
		if _, day, ok := strings.Cut(string(ddl), `--table "`); ok && !slices.Contains(args, "dataset") { // all that there is
			b.tables[0], _, _ = strings.Cut(day, "\"\n")
		}
		reports := []string{"rejected", "summary", "talkers", "interfaces", "actions"}
		if e.slow {
			reports = reports[:2]
		}
		for _, report := range reports {
			if !b.check(t, report, "--top", "0") {
				t.Errorf("%q: %s was not compared", args, report)
			}
		}
		layout := ""
		for i, arg := range args {
			switch {
			case arg == "--layout":
				layout = args[i+1]
			case arg == "dataset" && strings.HasPrefix(args[slices.Index(args, "--partition-by")+1], "date"):
				layout = arg
			}
		}
		if e.name != "trino" || layout == "" || layout == "none" {
			return
		}
		// --layout restricts a query to the partitions of a time
		days := []string{"report", "talkers", "-q", "-o", "csv", "--since", "2023-11-15", "--until", "2023-11-16"}
		want, err := b.run(append(days, dir)...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.run(append(days, "--engine", "trino", "--trino-dsn", os.Getenv("FLOWLOG_TRINO_TEST"), "--table", name, "--layout", layout)...)
		if err != nil || string(got) != string(want) {
			t.Errorf("%q, a day: got %v\n%s\nwant\n%s", args, err, got, want)
		}
	}
	put := func(path, text string) {
		t.Helper()
		path = filepath.Join(b.dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	file := func(hour string) string {
		return fmt.Sprintf("%s_vpcflowlogs_%s_fl-0123456789abcdef0_20231115T%s05Z_0123abcd", ddlAccount, ddlRegion, hour)
	}
	for _, l := range []struct{ name, folders string }{
		{"daily", ddlAccount + "/vpcflowlogs/" + ddlRegion + "/2023/11/15/"},
		{"hourly", ddlAccount + "/vpcflowlogs/" + ddlRegion + "/2023/11/15/HOUR/"},
		{"hive", "aws-account-id=" + ddlAccount + "/aws-service=vpcflowlogs/aws-region=" + ddlRegion + "/year=2023/month=11/day=15/"},
		{"hive-hourly", "aws-account-id=" + ddlAccount + "/aws-service=vpcflowlogs/aws-region=" + ddlRegion + "/year=2023/month=11/day=15/hour=HOUR/"},
		{"none", ""},
	} {
		place := []string{"--layout", l.name}
		if l.name != "none" {
			place = append(place, "--account", ddlAccount+",999999999999", "--region-filter", ddlRegion+",eu-west-1")
		}
		dir, parquet := filepath.Join(l.name, "text"), filepath.Join(l.name, "parquet")
		for _, hour := range []string{"00", "09", "23"} {
			folder := "AWSLogs/" + strings.ReplaceAll(l.folders, "HOUR", hour)
			put(filepath.Join(dir, folder, file(hour)+".log"), text)
			put(filepath.Join(parquet, folder, "x"), "")
			os.Remove(filepath.Join(b.dir, parquet, folder, "x"))
			if _, err := b.run("parse", "-q", "-o", "parquet", "-O", filepath.Join(b.dir, parquet, folder, file(hour)+".log.parquet"), filepath.Join(b.dir, dir, folder, file(hour)+".log")); err != nil {
				t.Fatal(err)
			}
		}
		table(filepath.Join(b.dir, dir), append(place, "--log-format", header)...)
		table(filepath.Join(b.dir, parquet), append(place, "--format", "parquet")...)
	}
	for _, keys := range []string{"date", "date,hour", "date,account_id", "date,hour,account_id", "account_id"} {
		dir := filepath.Join(b.dir, "lake-"+keys)
		if _, err := b.run("parse", "-q", "-o", "parquet", "--partition-by", keys, "-O", dir, filepath.Join(b.dir, "daily/text")); err != nil {
			t.Fatal(err)
		}
		table(dir, "--format", "dataset", "--partition-by", keys, "--since", "2023-11-14")
	}
	t.Logf("%d rows of reports on %d tables were compared", b.rows, n)
}

// The goldens of `flowlog sql ddl` are statements of their dialects, as sqlglot reads these.
func TestDDLParses(t *testing.T) {
	python := os.Getenv("DUCKDB_PYTHON")
	if python == "" {
		python = "python3"
	}
	if exec.Command(python, "-c", "import sqlglot").Run() != nil {
		t.Skip("there is no sqlglot here: pip install sqlglot, or name a Python that has it in $DUCKDB_PYTHON")
	}
	out, err := exec.Command(python, "parse.py", "../golden").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
