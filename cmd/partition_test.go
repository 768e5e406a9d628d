package cmd_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"flowlog/cmd"
	"flowlog/parse/s3/s3test"
)

// writeLogs writes files of records that are told apart by their bytes, which count up from 0 over all files.
func writeLogs(t *testing.T, dir string, files, records int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	n := 0
	for i := range files {
		var b bytes.Buffer
		b.WriteString("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status region\n")
		for range records {
			end := 1778716800 + r.IntN(2*86400)
			fmt.Fprintf(&b, "2 %s eni-%d 10.0.0.%d 192.0.2.7 %d 443 6 1 %d %d %d ACCEPT OK us-east-1\n",
				[]string{"123456789012", "000012345678", "-"}[r.IntN(3)], r.IntN(50), r.IntN(256), r.IntN(65536), n, end-60, end)
			n++
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.log", i)), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// once checks that no record is in what flowlog reads of the inputs twice, and that it is want records, unless that
// is -1.
func once(t *testing.T, want int, args ...string) {
	t.Helper()
	r := cmd.Invoke(append([]string{"parse", "-q", "-o", "tsv", "--fields", "bytes"}, args...)...)
	if r.Code != 0 && want == -1 { // there is nothing yet
		return
	}
	lines := strings.Fields(r.Exits(t, 0))
	if len(lines) > 0 {
		lines = lines[1:]
	}
	seen := len(lines)
	slices.Sort(lines)
	if distinct := len(slices.Compact(lines)); distinct != seen {
		t.Fatalf("%d records are there more than once", seen-distinct)
	}
	if want >= 0 && seen != want {
		t.Fatalf("%d records, want %d", seen, want)
	}
}

// A process that is killed at any time loses no record and doubles none. KILL_TIME=10m looks further.
func TestPartitionKill(t *testing.T) {
	budget := 8 * time.Second
	if testing.Short() {
		budget = 3 * time.Second
	}
	if s := os.Getenv("KILL_TIME"); s != "" {
		var err error
		if budget, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	logs := filepath.Join(t.TempDir(), "logs")
	const files, records = 60, 1000
	writeLogs(t, logs, files, records) // 6 MB: six commits
	flowlog := func(out string) *exec.Cmd {
		c := exec.Command(self, "parse", "-q", "-o", "parquet", "--partition-by", "date,account_id", "--file-size", "1MiB", "--commit-size", "1MiB", "-O", out, logs)
		c.Args[0] = "flowlog" // see TestMain
		c.Stderr = os.Stderr
		return c
	}
	began := time.Now()
	var whole time.Duration // that a run takes
	kills, rounds := 0, 0
	for ; time.Since(began) < budget; rounds++ {
		out := filepath.Join(t.TempDir(), "out")
		if rounds == 0 {
			if err := flowlog(out).Run(); err != nil {
				t.Fatal(err)
			}
			whole = time.Since(began)
			once(t, files*records, out)
			continue
		}
		for done := false; !done; {
			c := flowlog(out)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(rand.N(whole), func() { _ = c.Process.Kill() })
			done = c.Wait() == nil
			timer.Stop()
			if !done {
				kills++
				if c.ProcessState.Exited() {
					t.Fatalf("exit code %d", c.ProcessState.ExitCode())
				}
			}
			once(t, -1, out)
		}
		once(t, files*records, out)
		// The last run came to its end, so what runs before it left is gone. A file that a kill left before the first
		// document of the dataset, which Dir.sweepNew removes, was once missed here; dataset.TestKilledTwice has each
		// operation as the place of a kill.
		if left, err := filepath.Glob(filepath.Join(out, "_flowlog", "*.tmp")); err != nil || len(left) > 0 {
			entries, _ := os.ReadDir(filepath.Join(out, "_flowlog"))
			t.Fatalf("left behind after %d kills: %q %v, among %v", kills, left, err, entries)
		}
	}
	t.Logf("killed %d times in %d rounds", kills, rounds)
}

// dyingServer is an S3 server that is gone after some requests.
type dyingServer struct {
	next http.Handler
	mu   sync.Mutex
	left int // -1: it lives
	late bool
	log  []string
}

func (s *dyingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.log = append(s.log, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery)
	dead, last := s.left == 0, s.left == 1
	if s.left > 0 {
		s.left--
	}
	s.mu.Unlock()
	switch {
	case dead:
		http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden) // which is not tried again
	case last && s.late:
		s.next.ServeHTTP(httptest.NewRecorder(), r) // it is done, but nobody hears of it
		http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
	default:
		s.next.ServeHTTP(w, r)
	}
}

// count counts the requests that have something in them.
func (s *dyingServer) count(what string) int {
	n := 0
	for _, line := range s.log {
		if strings.Contains(line, what) {
			n++
		}
	}
	return n
}

// To and from S3 likewise: wherever the requests end, the next run makes up for it.
func TestPartitionS3(t *testing.T) {
	setAWS(t)
	logs := filepath.Join(t.TempDir(), "logs")
	const files, records = 3, 6000
	writeLogs(t, logs, files, records) // 1.7 MB: two commits
	start := func(t *testing.T) (*dyingServer, func(wantCode int, more ...string) string) {
		s := &dyingServer{next: s3test.New("flows"), left: -1}
		flowlog := onServer(t, s)
		return s, func(wantCode int, more ...string) string {
			t.Helper()
			r := flowlog(more...)
			if wantCode >= 0 {
				r.Exits(t, wantCode)
			}
			return r.Out + r.Err
		}
	}
	write := []string{"parse", "-o", "parquet", "--partition-by", "date,account_id", "--commit-size", "1MiB", "--workers", "2", "-O", "s3://flows/a/b", logs}
	check := func(t *testing.T, flowlog func(int, ...string) string, want int) {
		t.Helper()
		lines := strings.Fields(flowlog(-1, "parse", "-q", "-o", "tsv", "--fields", "bytes", "s3://flows/a/b"))
		if len(lines) == 0 || lines[0] != "bytes" {
			if want >= 0 {
				t.Fatalf("nothing can be read: %q", lines)
			}
			return
		}
		lines = lines[1:]
		seen := len(lines)
		slices.Sort(lines)
		if distinct := len(slices.Compact(lines)); distinct != seen || want >= 0 && seen != want {
			t.Fatalf("%d records, %d distinct ones, want %d", seen, distinct, want)
		}
	}

	t.Run("whole", func(t *testing.T) {
		s, flowlog := start(t)
		said := flowlog(0, write...)
		if !strings.Contains(said, "flowlog: wrote 12 files, 18,000 records, ") || !strings.Contains(said, " to s3://flows/a/b\n") {
			t.Error(said)
		}
		check(t, flowlog, files*records)
		said = flowlog(0, write...)
		if !strings.Contains(said, "wrote 0 files, 0 records, 0 B, to s3://flows/a/b; 3 objects there already") {
			t.Error(said)
		}
		direct := flowlog(0, "report", "talkers", "-q", "--by", "srcaddr,account_id", "-o", "csv", logs)
		if got := flowlog(0, "report", "talkers", "-q", "--by", "srcaddr,account_id", "-o", "csv", "s3://flows/a/b"); got != direct {
			t.Errorf("a report of the dataset:\n%s\nof the logs:\n%s", got, direct)
		}
		if n := s.count("/_flowlog/"); n < 5 {
			t.Errorf("%d requests for the manifest", n)
		}
		// it is an input of its own
		if said := flowlog(1, "report", "talkers", "s3://flows/"); !strings.Contains(said, "left out: s3://flows/a/b: a dataset of flowlog, which is an input of its own") {
			t.Error(said)
		}
		for _, part := range []string{"s3://flows/a/b/", "s3://flows/a/*/**/*.parquet", "s3://flows/a/b/date=*/**"} {
			if got := flowlog(0, "report", "talkers", "-q", "--by", "srcaddr,account_id", "-o", "csv", part); got != direct {
				t.Errorf("a report of %s:\n%s\nof the logs:\n%s", part, got, direct)
			}
		}
		if said := flowlog(2, "parse", "-o", "parquet", "--partition-by", "date", "-O", "s3://flows/a", "s3://flows/a/b/"); !strings.Contains(said, "is the input") {
			t.Error(said)
		}
		// from a bucket into a directory
		out := filepath.Join(t.TempDir(), "out")
		flowlog(0, "parse", "-o", "parquet", "--partition-by", "region,date", "-O", out, "s3://flows/a/b")
		once(t, files*records, out)
		if said := flowlog(0, "parse", "-o", "parquet", "--partition-by", "region,date", "-O", out, logs); !strings.Contains(said, "wrote 0 files, 0 records, 0 B, to "+out+"; 3 objects there already") {
			t.Error(said)
		}
	})
	// check-dataset reads it back
	t.Run("checked", func(t *testing.T) {
		s, flowlog := start(t)
		flowlog(0, write...)
		for _, place := range []string{"s3://flows/a/b", "s3://flows/a/b/"} {
			if said := flowlog(0, "check-dataset", place); !strings.HasPrefix(said, "flowlog: checked 12 files, 18,000 records, ") || !strings.HasSuffix(said, ": no problem\n") {
				t.Error(said)
			}
		}
		part := "/flows/a/b/date=2026-05-14/account_id=000012345678/part-000001-0001.parquet"
		if s.count("GET "+part) == 0 {
			t.Fatalf("%s was not read", part)
		}
		send := func(method, name string, body []byte) []byte {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(method, name, bytes.NewReader(body))
			r.Header.Set("Content-Length", strconv.Itoa(len(body)))
			s.next.ServeHTTP(w, r)
			if w.Code >= 300 {
				t.Fatalf("%s %s: %d", method, name, w.Code)
			}
			return w.Body.Bytes()
		}
		content := send(http.MethodGet, part, nil)
		content[len(content)/3] ^= 1
		send(http.MethodPut, part, content)
		said := flowlog(3, "check-dataset", "s3://flows/a/b")
		if !strings.Contains(said, "s3:/"+part+": its checksum is ") || !strings.HasSuffix(said, ": 1 file missing, damaged or not in the manifest\n") {
			t.Error(said)
		}
		send(http.MethodDelete, part, nil)
		if said := flowlog(3, "check-dataset", "s3://flows/a/b"); !strings.Contains(said, "s3:/"+part+": is missing") {
			t.Error(said)
		}
		if said := flowlog(1, "check-dataset", "s3://flows/a"); !strings.Contains(said, "s3://flows/a: is no dataset: ") {
			t.Error(said)
		}
	})
	// any output is written there, whole or not at all
	t.Run("outputs", func(t *testing.T) {
		s, flowlog := start(t)
		want := flowlog(0, "report", "talkers", "-q", "-o", "csv", logs)
		flowlog(0, "report", "talkers", "-q", "-O", "s3://flows/x/talkers.csv", logs)
		for i := range files {
			part := fmt.Sprintf("%03d", i)
			flowlog(0, "report", "talkers", "-q", "--partial", "-O", "s3://flows/parts/"+part+".arrow", filepath.Join(logs, part+".log"))
		}
		for range 2 { // the second time its own output is there
			flowlog(0, "merge", "-q", "--partial", "-O", "s3://flows/parts/all.arrow", "s3://flows/parts/")
		}
		for _, parts := range []string{"s3://flows/parts/0", "s3://flows/parts/0*.arrow", "s3://flows/parts/all.arrow"} {
			if got := flowlog(0, "merge", "-q", "-o", "csv", parts); got != want {
				t.Errorf("%s: got\n%s\nwant\n%s", parts, got, want)
			}
		}
		flowlog(0, "parse", "-q", "-O", "s3://flows/x/all.parquet", logs)
		if got := flowlog(0, "report", "talkers", "-q", "-o", "csv", "s3://flows/x/"); got != want { // beside a report
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		for i := range 2 {
			said := flowlog(0, "parse", "-o", "parquet", "-O", "s3://flows/x/all.parquet", logs, "s3://flows/x/")
			if out := "left out: s3://flows/x/all.parquet: this command writes it"; !strings.Contains(said, out) || !strings.Contains(said, "18,000 records") {
				t.Error(i, said)
			}
		}
		for out, want := range map[string]string{
			"s3://flows": "names no object", "s3://flows/": "names no object", "s3://flows/x/*.csv": "names no object",
			"s3://flows/x/all.parquet": "is an input, which would be gone",
		} {
			if said := flowlog(2, "report", "talkers", "-o", "csv", "-O", out, "s3://flows/x/all.parquet"); !strings.Contains(said, want) {
				t.Errorf("%s: %s", out, said)
			}
		}
		s.log = nil
		flowlog(2, "report", "talkers,rejected", "-q", "-O", "s3://flows/x/two.csv", logs)
		flowlog(1, "merge", "s3://flows/nowhere/")
		if begun, aborted := s.count("?uploads"), s.count("DELETE"); begun != aborted {
			t.Errorf("%d uploads were begun, %d aborted", begun, aborted)
		}
	})
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("late=%v", late), func(t *testing.T) {
			step := 3
			if testing.Short() {
				step = 11
			}
			for n := 1; ; n += step {
				s, flowlog := start(t)
				s.left, s.late = n, late
				said := flowlog(-1, write...)
				if s.left > 0 {
					return
				}
				if strings.Contains(said, "panic") {
					t.Fatal(said)
				}
				s.left = -1
				check(t, flowlog, -1)
				flowlog(0, write...)
				check(t, flowlog, files*records)
				flowlog(0, "check-dataset", "s3://flows/a/b")
				s.log = nil
				flowlog(0, write...)
				if n := s.count("DELETE"); n != 0 {
					t.Errorf("%d uploads were left behind", n)
				}
			}
		})
	}
	// what fails while there is a connection is cleaned up at once
	t.Run("aborted", func(t *testing.T) {
		s, flowlog := start(t)
		inner := s.next
		s.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut && r.URL.Query().Get("partNumber") != "" && strings.Contains(r.URL.Path, "account_id=0000") {
				http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
				return
			}
			inner.ServeHTTP(w, r)
		})
		said := flowlog(4, write...)
		if !strings.Contains(said, "the permission s3:PutObject on arn:aws:s3:::flows/a/b/date=2026-05-1") {
			t.Error(said)
		}
		if begun, aborted := s.count("?uploads"), s.count("DELETE"); begun == 0 || begun != aborted {
			t.Errorf("%d uploads were begun, %d aborted", begun, aborted)
		}
		check(t, flowlog, -1)
	})
}
