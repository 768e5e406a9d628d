package cmd_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"flowlog/parse/s3/s3test"
)

// failingServer is an S3 server of which the nth request fails, with an error that is not tried again.
type failingServer struct {
	next   http.Handler
	mu     sync.Mutex
	calls  int
	nth    int    // 0: none fails
	late   bool   // it is done, but the answer says that it is not
	aborts bool   // with it each later abort of an upload
	every  string // so does each operation of this kind
	failed string // what the nth was; "" if there were fewer
}

// operation is what a request asks for.
func operation(r *http.Request) string {
	q := r.URL.Query()
	switch {
	case q.Has("uploads") && r.Method == http.MethodPost:
		return "begin of an upload"
	case q.Has("uploads"):
		return "LIST of uploads"
	case q.Has("partNumber"):
		return "PUT of a part"
	case q.Has("uploadId") && r.Method == http.MethodPost:
		return "end of an upload"
	case q.Has("uploadId") && r.Method == http.MethodDelete:
		return "abort"
	case q.Get("list-type") == "2":
		return "LIST"
	}
	return r.Method
}

func (s *failingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op := operation(r)
	s.mu.Lock()
	s.calls++
	fails := s.calls == s.nth
	if fails {
		s.failed = op
	}
	fails = fails || op == s.every || (s.failed != "" || s.every != "") && s.aborts && op == "abort"
	s.mu.Unlock()
	if !fails {
		s.next.ServeHTTP(w, r)
		return
	}
	if s.late {
		s.next.ServeHTTP(httptest.NewRecorder(), r)
	}
	http.Error(w, "<Error><Code>InvalidRequest</Code><Message>injected</Message></Error>", http.StatusBadRequest)
}

// A faultOfS3 says what fails of a run beside its nth request.
type faultOfS3 struct {
	late, aborts bool   // see failingServer
	before       string // another run was before, in which these failed
}

// Whichever request of a dataset in S3 fails, alone or with the aborts after it, done or not: the run ends with exit code 1
// and the reason, or has done all, be it the first run or one that finds what an earlier one left half done; readers see each
// record at most once, and after the next run exactly once, with no upload left over.
func TestEveryFailureOfS3(t *testing.T) {
	setAWS(t)
	logs := filepath.Join(t.TempDir(), "logs")
	const files, records = 2, 9000 // 1.7 MB: two commits
	writeLogs(t, logs, files, records)
	step := 1
	if testing.Short() {
		step = 5
	}
	seen := make(map[string]int)
	for _, f := range []faultOfS3{
		{}, {late: true}, {aborts: true}, {before: "end of an upload"}, {late: true, before: "end of an upload"},
		{before: "PUT of a part"}, {late: true, before: "PUT of a part"},
	} {
		for n, failed := 1, "one"; failed != ""; n += step {
			failed = f.test(t, logs, n, files*records)
			seen[failed]++
		}
	}
	if testing.Short() {
		return // not every kind of request is among each fifth
	}
	for _, op := range []string{"GET", "PUT", "LIST", "LIST of uploads", "begin of an upload", "PUT of a part", "end of an upload", "abort"} {
		if seen[op] == 0 {
			t.Errorf("no %s failed", op)
		}
	}
}

// test has the nth request of a run fail, and returns what it was, "" if there were fewer.
func (f faultOfS3) test(t *testing.T, logs string, n, records int) string {
	t.Helper()
	s := &failingServer{next: s3test.New("flows")}
	flowlog := onServer(t, s)
	run := func(args ...string) (int, string) {
		r := flowlog(args...)
		return r.Code, r.Out + r.Err
	}
	write := []string{"parse", "-o", "parquet", "--partition-by", "date", "--commit-size", "1MiB", "--workers", "1", "-O", "s3://flows/a", logs}
	if f.before != "" {
		s.every, s.aborts = f.before, true
		if code, said := run(write...); code != 1 || !strings.Contains(said, "injected") {
			t.Fatalf("%s fails: exit code %d: %s", s.every, code, said)
		}
		s.every = ""
	}
	s.calls, s.nth, s.late, s.aborts = 0, n, f.late, f.aborts
	code, said := run(write...)
	s.nth, s.aborts = 0, false
	what := fmt.Sprintf("%+v, request %d, %s", f, n, s.failed)
	switch {
	case code == 0:
		onceInS3(t, what, records, run)
	case s.failed == "" || code != 1 || !strings.Contains(said, "injected") || strings.Contains(said, "panic"):
		t.Errorf("%s: exit code %d: %s", what, code, said)
	default:
		onceInS3(t, what, -1, run)
	}
	for _, args := range [][]string{write, {"check-dataset", "s3://flows/a"}} {
		if code, said := run(args...); code != 0 {
			t.Fatalf("%s: then %s: exit code %d: %s", what, args[0], code, said)
		}
	}
	onceInS3(t, what, records, run)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/flows?uploads", nil))
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<Upload>") {
		t.Errorf("%s: uploads are left behind: %d %s", what, w.Code, w.Body)
	}
	return s.failed
}

// onceInS3 checks that no record of the dataset is there twice, and that it has so many, unless that is -1.
func onceInS3(t *testing.T, what string, want int, run func(...string) (int, string)) {
	t.Helper()
	code, out := run("parse", "-q", "-o", "tsv", "--fields", "bytes", "s3://flows/a")
	lines := strings.Fields(out)
	if code != 0 || len(lines) == 0 || lines[0] != "bytes" {
		if want >= 0 {
			t.Fatalf("%s: nothing can be read: exit code %d, %s", what, code, out)
		}
		return
	}
	lines = lines[1:]
	count := len(lines)
	slices.Sort(lines)
	if distinct := len(slices.Compact(lines)); distinct != count || want >= 0 && count != want {
		t.Fatalf("%s: %d records, %d distinct ones, want %d", what, count, distinct, want)
	}
}
