package cmd_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"flowlog/cmd"
	"flowlog/parse/disk"
)

const faultLog = `srcaddr dstaddr srcport dstport protocol bytes packets start end action
10.0.0.5 192.0.2.10 40000 443 6 3000 20 1778749200 1778749230 ACCEPT
10.0.0.6 192.0.2.10 40001 443 6 x 20 1778749200 1778749230 ACCEPT
10.0.0.7 192.0.2.10 40002 22 6 40 1 1778749201 1778749230 REJECT
`

// Whichever operation of the disk fails, alone or with all after it: a command that writes a file says so and ends with
// exit code 1, and the file is as it was before or complete, never a part of what it would be. Nothing lies beside it
// unless that could not be removed.
func TestEveryFailureOfAWriter(t *testing.T) {
	for name, args := range map[string][]string{
		"out":      {"parse", "-q", "-o", "csv", "-O", "file", "flow.log"},
		"rejects":  {"parse", "-q", "-o", "none", "--rejects", "file", "flow.log"},
		"partial":  {"report", "talkers", "-q", "--partial", "-o", "arrow", "-O", "file", "flow.log"},
		"baseline": {"check", "-q", "rules.yaml", "--baseline", "file", "--update-baseline", "flow.log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "flow.log", faultLog)
			write(t, "rules.yaml", "rules:\n  busy:\n    by: srcaddr\n    having: flows > 0\n    severity: low\n    message: '{srcaddr}'\n")
			write(t, "old", `{"version":1,"findings":[]}`)
			for _, later := range []bool{false, true} {
				for n := int64(1); failing(t, args, n, later); n++ {
					if n > 100 {
						t.Fatal("does not end")
					}
				}
			}
		})
	}
}

// failing runs a command of which the nth operation of the disk fails, and with later all after it. It reports whether
// there was one.
func failing(t *testing.T, args []string, n int64, later bool) bool {
	t.Helper()
	old, err := os.ReadFile("old")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "file", string(old))
	var calls atomic.Int64
	var failed, stuck string
	restore := disk.Inject(func(op, name string) error {
		at := calls.Add(1)
		if at != n && (!later || at < n) {
			return nil
		}
		if at == n {
			failed = op + " " + name
		}
		if op == "remove" {
			stuck = name
		}
		return errors.New("injected")
	})
	r := cmd.Invoke(args...)
	restore()
	got, err := os.ReadFile("file")
	if err != nil {
		t.Fatal(err)
	}
	whole := !bytes.Equal(got, old)
	switch {
	case failed == "" && (!whole || r.Code == 1):
		t.Errorf("nothing fails: %s", r)
	case failed != "" && (r.Code != 1 && r.Code != 2 || !strings.Contains(r.Err, "injected")):
		t.Errorf("%s fails: %s", failed, r)
	case failed != "" && whole:
		t.Errorf("%s fails, and the file is replaced:\n%s", failed, got)
	}
	left, err := filepath.Glob("*.tmp")
	if err != nil || len(left) > 0 && stuck == "" {
		t.Errorf("%s fails: left behind: %v %v", failed, left, err)
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	return failed != ""
}

// What ends a command before it writes leaves no temporary file, and what ends a scan leaves the files as they were.
func TestNoFileOfAFailedRun(t *testing.T) {
	for name, args := range map[string][]string{
		"before":     {"parse", "-q", "-o", "none", "--rejects", "file", "--table", "net=nowhere.csv", "flow.log"},
		"while":      {"parse", "-q", "-o", "csv", "-O", "out", "--rejects", "file", "--max-errors", "1", "bad.log"},
		"no folder":  {"parse", "-q", "-O", "nowhere/out", "--rejects", "file", "flow.log"},
		"not a rule": {"check", "-q", "flow.log", "--rejects", "file", "flow.log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "flow.log", faultLog)
			write(t, "bad.log", strings.ReplaceAll(faultLog, " 6 ", " six "))
			write(t, "file", "old")
			cmd.Invoke(args...).Exits(t, 1, 2)
			if got, err := os.ReadFile("file"); err != nil || string(got) != "old" {
				t.Errorf("%q %v", got, err)
			}
			if left, err := filepath.Glob("*.tmp"); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}
