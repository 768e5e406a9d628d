package s3

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"flowlog/parse"
	"flowlog/parse/s3/s3test"
)

// TestMain keeps the tests from the configuration of whoever runs them, and from the network: the SDK asks
// machines of AWS for their role.
func TestMain(m *testing.M) {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_ACCESS_KEY_ID":           "AKIDTEST",
		"AWS_SECRET_ACCESS_KEY":       "secret",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

const bucket = "logs"

// server is an S3 server that remembers what it was asked for, and can be made to fail.
type server struct {
	*httptest.Server
	t       testing.TB
	backend *s3test.Server
	next    http.Handler

	page int // keys of a page of a listing; 0 means what the backend gives

	mu    sync.Mutex
	log   []call
	seen  map[string]int
	fault func(c call, w http.ResponseWriter) (done bool) // set before it is used
}

// call is one request.
type call struct {
	*http.Request
	op     string // LIST, GET, HEAD
	key    string // or prefix
	folder bool   // of a LIST: with a delimiter
	nth    int    // how often the same was asked for before
}

func newServer(t testing.TB) *server {
	s := &server{t: t, backend: s3test.New(bucket), seen: make(map[string]int)}
	s.next = s.backend
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about our faults
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c := call{Request: r, op: r.Method, key: key}
	if q.Get("list-type") == "2" {
		c.op, c.key, c.folder = "LIST", q.Get("prefix"), q.Get("delimiter") != ""
		if s.page > 0 {
			q.Set("max-keys", strconv.Itoa(s.page))
			r.URL.RawQuery = q.Encode()
		}
	}
	s.mu.Lock()
	c.nth = s.seen[c.op+c.key]
	s.seen[c.op+c.key]++
	s.log = append(s.log, c)
	fault := s.fault
	s.mu.Unlock()
	if fault == nil || !fault(c, w) {
		s.next.ServeHTTP(w, r)
	}
}

// fail answers as S3 does when something is wrong.
func fail(w http.ResponseWriter, status int, code, message string) bool {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
	return true
}

func (s *server) put(key string, content []byte) {
	s.backend.Put(bucket, key, content)
}

func (s *server) delete(key string) {
	s.backend.Delete(bucket, key)
}

// calls returns what was asked for, as "LIST prefix" or "LIST prefix /" for one level of folders.
func (s *server) calls(ops ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, c := range s.log {
		for _, op := range ops {
			if c.op != op {
				continue
			}
			line := op + " " + c.key
			if c.folder {
				line += " /"
			}
			if h := c.Header.Get("Range"); h != "" {
				line += " " + h
			}
			all = append(all, line)
		}
	}
	return all
}

func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// atOnce is hardly a wait between attempts.
func atOnce(int) time.Duration { return time.Millisecond }

// options are those that reach the server.
func (s *server) options() Options {
	return Options{EndpointURL: s.URL, backoff: atOnce}
}

func (s *server) source(path string, opt Options) *Source {
	s.t.Helper()
	opt.EndpointURL, opt.backoff = s.URL, atOnce
	src, err := New(context.Background(), "s3://"+bucket+"/"+path, opt)
	if err != nil {
		s.t.Fatal(err)
	}
	return src
}

// names returns the keys that a source lists, and the errors among them.
func names(src *Source) (keys, errs []string) {
	for o, err := range src.Objects(context.Background()) {
		if err != nil {
			errs = append(errs, o.Name+": "+err.Error())
			continue
		}
		keys = append(keys, strings.TrimPrefix(o.Name, "s3://"+bucket+"/"))
	}
	return keys, errs
}

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); g != w {
		t.Errorf("%s:\n got %.2000s\nwant %.2000s", what, g, w)
	}
}

// filter makes a KeyFilter of two times, either "".
func during(since, until string) parse.KeyFilter {
	var f parse.KeyFilter
	for _, b := range []struct {
		s string
		t *time.Time
	}{{since, &f.Since}, {until, &f.Until}} {
		if b.s == "" {
			continue
		}
		t, err := time.Parse("2006-01-02T15:04", b.s)
		if err != nil {
			panic(err)
		}
		*b.t = t
	}
	return f
}
