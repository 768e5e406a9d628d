package oracle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever reads Parquet finds in a dataset of `flowlog parse --partition-by` its records alone, however it looks for
// files: the manifest is no stumbling block, and adds no row.
func TestReaders(t *testing.T) {
	python := os.Getenv("DUCKDB_PYTHON")
	if python == "" {
		python = "python3"
	}
	if exec.Command(python, "-c", "import polars, pyarrow, duckdb").Run() != nil {
		t.Skip("there are no readers here: pip install polars pyarrow duckdb, or name a Python that has them in $DUCKDB_PYTHON")
	}
	dir := t.TempDir()
	program, lake := built(t), filepath.Join(dir, "lake")
	run := func(name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Stderr = os.Stderr
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	const header = "version account-id srcaddr dstaddr bytes start end log-status\n"
	for name, text := range map[string]string{
		"a.log": header + "2 000000000012 10.0.0.5 192.0.2.10 1 1778750000 1778750060 OK\n2 123456789012 10.0.0.5 192.0.2.10 2 1778803190 1778803200 OK\n",
		"b.log": header + "2 - 10.0.0.5 192.0.2.10 4 1778750000 1778750060 OK\n2 123456789012 10.0.0.5 192.0.2.10 8 - - OK\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		run(program, "parse", "-q", "-o", "parquet", "--partition-by", "date,account_id", "-O", lake, file) // a commit each
	}
	check := func(want string, least int, args ...string) {
		t.Helper()
		ways := 0
		for line := range strings.Lines(run(python, append([]string{"readers.py", lake}, args...)...)) {
			ways++
			if way, found, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); found != want {
				t.Errorf("%s: %q", way, found)
			}
		}
		if ways < least {
			t.Errorf("read in %d ways only", ways)
		}
	}
	check("4\t15\t12\t123456789012", 10)
	// a column that comes later
	file := filepath.Join(dir, "c.log")
	text := strings.Replace(header, "\n", " shiny-field\n", 1) + "2 123456789012 10.0.0.5 192.0.2.10 16 1778750000 1778750060 OK x\n"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	run(program, "parse", "-q", "-o", "parquet", "--partition-by", "date,account_id", "-O", lake, file)
	check("5\t31\t12\t123456789012", 3, "later")
}
