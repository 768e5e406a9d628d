package trino

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flowlog/report/engine"
)

// A server answers as Trino does: a query is a POST, then pages, each of which names the next one.
type server struct {
	*httptest.Server
	status    int
	pages     []map[string]any
	deleted   atomic.Int64 // queries
	asked     atomic.Int64 // pages
	forever   bool         // the last page is always the next
	user, sql string
	auth      string
}

func serve(t *testing.T, pages ...map[string]any) *server {
	t.Helper()
	return serveBy(t, httptest.NewServer, pages...)
}

func serveBy(t *testing.T, start func(http.Handler) *httptest.Server, pages ...map[string]any) *server {
	t.Helper()
	s := &server{status: http.StatusOK, pages: pages}
	s.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := 0
		switch r.Method {
		case http.MethodDelete:
			s.deleted.Add(1)
			w.WriteHeader(http.StatusNoContent)
			return
		case http.MethodPost:
			body, _ := io.ReadAll(r.Body)
			s.auth = r.Header.Get("Authorization")
			s.user, s.sql = r.Header.Get("X-Trino-User"), string(body)
			if s.status != http.StatusOK {
				http.Error(w, "Basic s3cret%21 is wrong", s.status)
				return
			}
		default:
			s.asked.Add(1)
			time.Sleep(5 * time.Millisecond) // as any network; the driver drops news of progress that come at once
			page, _ = strconv.Atoi(path.Base(r.URL.Path))
		}
		answer := map[string]any{"id": "q1", "infoUri": s.URL, "stats": map[string]any{
			"state": "RUNNING", "elapsedTimeMillis": 1500, "physicalInputBytes": 4096, "processedBytes": 9}}
		for k, v := range s.pages[min(page, len(s.pages)-1)] {
			answer[k] = v
		}
		if page < len(s.pages)-1 || s.forever {
			answer["nextUri"] = fmt.Sprintf("%s/v1/statement/page/%d", s.URL, min(page+1, len(s.pages)))
		} else {
			answer["stats"].(map[string]any)["state"] = finished
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func columns(typed ...string) []map[string]any {
	var all []map[string]any
	for i, name := range typed {
		raw, _, _ := strings.Cut(name, "(")
		all = append(all, map[string]any{"name": fmt.Sprintf("c%d", i), "type": name, "typeSignature": map[string]any{"rawType": raw, "arguments": []any{}}})
	}
	return all
}

func open(t *testing.T, dsn string) engine.Runner {
	t.Helper()
	r, err := Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestRows(t *testing.T) {
	types := columns("bigint", "integer", "varchar", "double", "boolean", "json")
	s := serve(t,
		map[string]any{},
		map[string]any{"columns": types, "data": [][]any{{int64(1) << 60, 7, "10.0.0.1", 1.5, true, `{"1":2}`}}},
		map[string]any{"columns": types, "data": [][]any{{nil, nil, nil, nil, nil, nil}}},
	)
	r := open(t, s.URL+"?catalog=hive&schema=vpc")
	res, err := r.Run(context.Background(), "SELECT ?")
	if err != nil {
		t.Fatal(err)
	}
	var got [][]any
	for {
		row, err := res.Next(context.Background())
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	want := [][]any{{int64(1) << 60, int64(7), "10.0.0.1", 1.5, true, `{"1":2}`}, {nil, nil, nil, nil, nil, nil}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
	if err := res.Close(); err != nil {
		t.Error(err)
	}
	if got, want := res.Columns(), []string{"c0", "c1", "c2", "c3", "c4", "c5"}; !reflect.DeepEqual(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
	if got, want := r.Stats(), (engine.Stats{Scanned: 4096, Elapsed: 1500 * time.Millisecond, ID: "q1", Cost: -1}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	if s.user != "flowlog" || s.sql != "SELECT ?" {
		t.Errorf("user %q asked %q", s.user, s.sql)
	}
}

// A query that is given up is given up on the server too, whoever waits for it.
func TestCancel(t *testing.T) {
	for _, running := range []bool{false, true} {
		pages := []map[string]any{{}}
		if running {
			pages = append(pages, map[string]any{"columns": columns("bigint"), "data": [][]any{{1}}})
		}
		s := serve(t, pages...)
		s.forever = true
		r := open(t, s.URL)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(200*time.Millisecond, cancel)
		res, err := r.Run(ctx, "SELECT 1")
		for err == nil {
			_, err = res.Next(ctx)
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("rows %t: got %v", running, err)
		}
		if res != nil {
			_ = res.Close() // of a query that was cancelled
		}
		for i := 0; i < 100 && s.deleted.Load() == 0; i++ {
			time.Sleep(20 * time.Millisecond)
		}
		if s.deleted.Load() == 0 {
			t.Errorf("rows %t: the server was not told", running)
		}
	}
}

// A Result that is closed before its end is given up too.
func TestCloseEarly(t *testing.T) {
	s := serve(t, map[string]any{}, map[string]any{"columns": columns("bigint"), "data": [][]any{{1}}})
	s.forever = true
	res, err := open(t, s.URL).Run(context.Background(), "SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Close(); err != nil {
		t.Error(err)
	}
	if s.deleted.Load() == 0 {
		t.Error("the server was not told")
	}
}

func TestErrors(t *testing.T) {
	failure := func(name, message string) map[string]any {
		return map[string]any{"error": map[string]any{"message": message, "errorName": name, "errorCode": 4, "errorType": "USER_ERROR"}}
	}
	for _, x := range []struct {
		name   string
		status int
		page   map[string]any
		denied bool
		want   string
	}{
		{"unauthorized", http.StatusUnauthorized, nil, true, "401 Unauthorized"},
		{"forbidden", http.StatusForbidden, nil, true, "403 Forbidden"},
		{"permission", http.StatusOK, failure("PERMISSION_DENIED", "Access Denied: Cannot select from table hive.vpc.flows"), true, "Access Denied: Cannot select from table hive.vpc.flows"},
		{"no table", http.StatusOK, failure("TABLE_NOT_FOUND", "line 5:8: Table 'hive.vpc.flows' does not exist"), false, "line 5:8: Table 'hive.vpc.flows' does not exist"},
		{"echo", http.StatusOK, failure("GENERIC_USER_ERROR", "no user with password s3cret! or s3cret%21 or token eyJ"), false, "no user with password xxxxx or xxxxx or token xxxxx"},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := serve(t, map[string]any{}, x.page)
			s.status = x.status
			r := open(t, s.URL+"?extra_credentials=pass%3As3cret!&accessToken=eyJ")
			r.(*runner).secrets = []string{"s3cret%21", "s3cret!", "eyJ"}
			res, err := r.Run(context.Background(), "SELECT 1")
			if err == nil {
				_, err = res.Next(context.Background())
			}
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Fatalf("got %v, want %s", err, x.want)
			}
			var denied interface{ AccessDenied() bool }
			if got := errors.As(err, &denied); got != x.denied {
				t.Errorf("denied is %t: %v", got, err)
			}
			for _, secret := range []string{"s3cret", "eyJ"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q shows %s", err, secret)
				}
			}
		})
	}
}

// A password goes to a server that is known, by the system or by the DSN.
func TestTLS(t *testing.T) {
	s := serveBy(t, httptest.NewTLSServer, map[string]any{}, map[string]any{"columns": columns("bigint"), "data": [][]any{{1}}})
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	cert := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for params, ok := range map[string]bool{"": false, "?SSLVerification=NONE": true, "?SSLCertPath=" + cert: true} {
		s.auth = ""
		r := open(t, strings.Replace(s.URL, "https://", "https://ann:s3cret@", 1)+params)
		res, err := r.Run(context.Background(), "SELECT 1")
		if err == nil {
			_, err = res.Next(context.Background())
			_ = res.Close() // after one row
		}
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v", params, err)
		}
		if user, password, _ := (&http.Request{Header: http.Header{"Authorization": {s.auth}}}).BasicAuth(); ok != (user == "ann" && password == "s3cret") {
			t.Errorf("%s: the server got %q", params, s.auth)
		}
	}
}

// No DSN, however wrong, is repeated.
func TestOpenErrors(t *testing.T) {
	for _, dsn := range []string{
		"", "s3cret", "user:s3cret@host:8080", "https://user:s3cret%zz@host", "ftp://user:s3cret@host", "https://user:s3cret@:8080", "http://user:s3cret@host:80",
		"https://user:s3cret@host:port", "https://user:s3cret@host?SSLCert=s3cret&SSLCertPath=x", "https://host?SSLVerification=s3crets&accessToken=s3cret",
		"https://user:s3cret@host?query_timeout=s3cret", "https://user:s3cret@host?session_properties=s3cret",
	} {
		r, err := Open(dsn)
		if err == nil {
			r.Close()
			t.Errorf("%s: no error", dsn)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

// Nobody waits for two minutes for a server that is not there.
func TestNobodyThere(t *testing.T) {
	s := serve(t, map[string]any{})
	s.Close()
	began := time.Now()
	if _, err := open(t, s.URL).Run(context.Background(), "SELECT 1"); err == nil {
		t.Error("no error")
	} else {
		t.Log(err)
	}
	if d := time.Since(began); d > 2*patience {
		t.Errorf("it took %v", d)
	}
}

// A page that names no next one is the end only if it says so: else rows would be missing without a word.
func TestCutOff(t *testing.T) {
	const more = `{"id":"q","nextUri":"http://trino.example/v1/statement/executing/1/1","stats":{"state":"QUEUED"}}`
	const rows = `"columns":[{"name":"a","type":"bigint","typeSignature":{"rawType":"bigint","arguments":[]}}],"data":[[1]]`
	for last, whole := range map[string]bool{
		`{"id":"q",` + rows + `,"stats":{"state":"FINISHED"}}`: true,
		`{"id":"q",` + rows + `,"stats":{"state":"RUNNING"}}`:  false,
		`{"id":"q",` + rows + `}`:                              false,
		`{}`:                                                   false,
		`null`:                                                 false,
	} {
		opened, err := Open("http://trino.example")
		if err != nil {
			t.Fatal(err)
		}
		r := opened.(*runner)
		r.next = canned(func(q *http.Request) string {
			if q.Method == http.MethodPost {
				return more
			}
			return last
		})
		res, err := r.Run(t.Context(), "SELECT 1")
		for err == nil {
			_, err = res.Next(t.Context())
		}
		if got := err == io.EOF; got != whole {
			t.Errorf("%s: %v", last, err)
		}
	}
}
