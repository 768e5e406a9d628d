package s3

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"flowlog/parse/aws"
)

// firstError returns the first error of a listing.
func firstError(t testing.TB, src *Source) error {
	t.Helper()
	for _, err := range src.Objects(context.Background()) {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestListErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		opt    Options
		path   string
		fault  func(c call, w http.ResponseWriter) bool
		err    string
		denied bool
	}{
		{"no right to list", Options{}, "AWSLogs/", func(c call, w http.ResponseWriter) bool {
			return fail(w, 403, "AccessDenied", "Access Denied")
		}, "access denied: the permission s3:ListBucket on arn:aws:s3:::logs is missing: allow it in the identity's or the bucket's policy, choose another identity with profile, or request-payer if", true},
		{"in China", Options{Region: "cn-north-1"}, "AWSLogs/", func(c call, w http.ResponseWriter) bool {
			return fail(w, 403, "AccessDenied", "Access Denied")
		}, "access denied: the permission s3:ListBucket on arn:aws-cn:s3:::logs is missing", true},
		{"anonymous", Options{NoSignRequest: true}, "", func(c call, w http.ResponseWriter) bool {
			return fail(w, 403, "AccessDenied", "Access Denied")
		}, "access denied: the permission s3:ListBucket on arn:aws:s3:::logs is missing: the bucket is not public; leave out no-sign-request", true},
		{"wrong key", Options{}, "", func(c call, w http.ResponseWriter) bool {
			return fail(w, 403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
		}, "The AWS Access Key Id you provided does not exist in our records: check AWS_ACCESS_KEY_ID", true},
		{"expired", Options{}, "", func(c call, w http.ResponseWriter) bool {
			return fail(w, 400, "ExpiredToken", "The provided token has expired.")
		}, "The provided token has expired: sign in again", true},
		{"not S3", Options{}, "", func(c call, w http.ResponseWriter) bool {
			_, err := io.WriteString(w, "<html><body>Welcome</p></html>")
			return err == nil
		}, "the server answered with <html> instead of a listing; check endpoint-url", false},
		{"nothing there", Options{}, "", func(c call, w http.ResponseWriter) bool {
			http.Error(w, "404 page not found", 404)
			return true
		}, "S3 answers 404 Not Found; check endpoint-url", false},
		{"another failure", Options{}, "", func(c call, w http.ResponseWriter) bool {
			return fail(w, 400, "InvalidRequest", "No.")
		}, "S3 answers InvalidRequest: No", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			s.put("AWSLogs/x", []byte("x"))
			s.fault = test.fault
			err := firstError(t, s.source(test.path, test.opt))
			if err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("got %v, want %q", err, test.err)
			}
			var denied interface{ AccessDenied() bool }
			if errors.As(err, &denied) != test.denied {
				t.Errorf("AccessDenied of %v: want %v", err, test.denied)
			}
		})
	}
}

// TestHead reads an object by its name without the right to list.
func TestHead(t *testing.T) {
	s := newServer(t)
	s.put("a/x.log", []byte("hello"))
	s.fault = func(c call, w http.ResponseWriter) bool {
		return c.op == "LIST" && fail(w, 403, "AccessDenied", "Access Denied")
	}
	got, err := io.ReadAll(open(t, s.source("a/x.log", Options{})))
	if err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	err = firstError(t, s.source("a/y.log", Options{}))
	if err == nil || !strings.Contains(err.Error(), "s3:ListBucket") {
		t.Errorf("got %v", err)
	}
}

// TestPartOfListing denies one of two prefixes: the other is read.
func TestPartOfListing(t *testing.T) {
	s := newServer(t)
	all := s.fill(layouts[0], "")
	s.fault = func(c call, w http.ResponseWriter) bool {
		return strings.HasPrefix(c.key, "AWSLogs/"+account1+"/") && fail(w, 403, "AccessDenied", "Access Denied")
	}
	got, errs := names(s.source("", Options{}))
	if len(errs) != 1 || !strings.HasPrefix(errs[0], "s3://logs/AWSLogs/"+account1+"/vpcflowlogs/: access denied") {
		t.Errorf("errors: %q", errs)
	}
	if len(got) == 0 || len(got) >= len(all) {
		t.Errorf("%d of %d keys", len(got), len(all))
	}
}

func TestNoSuchBucket(t *testing.T) {
	s := newServer(t)
	src, err := New(context.Background(), "s3://nowhere/a/b", s.options())
	if err != nil {
		t.Fatal(err)
	}
	want(t, "error", firstError(t, src).Error(), "there is no bucket nowhere at "+s.URL)
}

func TestConnectErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nothing listens there now
	began := time.Now()
	src, err := New(context.Background(), "s3://logs/x", Options{EndpointURL: "http://" + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	err = firstError(t, src)
	if err == nil || err.Error() != "cannot reach http://"+l.Addr().String()+": connection refused; check endpoint-url" {
		t.Errorf("got %v", err)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %v to say so", d)
	}
	for _, url := range []string{"localhost:9000", "ftp://x", "http://", "//x"} {
		if _, err := Connect(context.Background(), Options{EndpointURL: url}); err == nil {
			t.Errorf("%q is no endpoint, but there was no error", url)
		}
	}
	if _, err := Connect(context.Background(), Options{Profile: "nobody"}); err == nil || !strings.HasPrefix(err.Error(), `there is no profile "nobody"`) {
		t.Errorf("profile: %v", err)
	}
}

func TestNoCredentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err := Connect(context.Background(), Options{Region: "us-east-1"})
	var access *aws.AccessError
	if !errors.As(err, &access) || !strings.HasPrefix(err.Error(), "no AWS credentials were found: ") || !strings.Contains(err.Error(), "profile") {
		t.Errorf("got %v", err)
	}

	s := newServer(t)
	s.put("x", []byte("hello"))
	r := open(t, s.source("x", Options{NoSignRequest: true}))
	if got, err := io.ReadAll(r); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, c := range s.log {
		if c.Header.Get("Authorization") != "" {
			t.Error("an anonymous request is signed")
		}
	}
}

// TestRegion has a bucket in another region than the one configured, as each kind of server tells.
func TestRegion(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault func(c call, w http.ResponseWriter) bool
	}{
		{"redirect with a header", func(c call, w http.ResponseWriter) bool {
			w.Header().Set("x-amz-bucket-region", "eu-west-3")
			return fail(w, 301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")
		}},
		{"in words", func(c call, w http.ResponseWriter) bool {
			return fail(w, 400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-3'")
		}},
		{"by HeadBucket", func(c call, w http.ResponseWriter) bool {
			if c.op == "HEAD" {
				w.Header().Set("x-amz-bucket-region", "eu-west-3")
				w.WriteHeader(403)
				return true
			}
			return fail(w, 301, "PermanentRedirect", "The bucket is elsewhere.")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			s.put("x", []byte("hello"))
			wrong := 0
			s.fault = func(c call, w http.ResponseWriter) bool {
				if strings.Contains(c.Header.Get("Authorization"), "/eu-west-3/s3/") {
					return false
				}
				if c.op != "HEAD" {
					wrong++
				}
				return test.fault(c, w)
			}
			got, err := io.ReadAll(open(t, s.source("x", Options{})))
			if err != nil || string(got) != "hello" || wrong != 1 {
				t.Errorf("got %q, %v; %d requests to the wrong region, want 1", got, err, wrong)
			}
		})
	}
}

func TestRequestPayer(t *testing.T) {
	s := newServer(t)
	s.put("a/x", []byte("hello"))
	open(t, s.source("a/", Options{RequestPayer: true}))
	if len(s.log) != 2 {
		t.Errorf("%d requests, want 2", len(s.log))
	}
	for _, c := range s.log {
		if c.Header.Get("x-amz-request-payer") != "requester" {
			t.Errorf("%s %s does not say who pays", c.op, c.key)
		}
		for name := range c.Header {
			if strings.Contains(strings.ToLower(name), "checksum") {
				t.Errorf("%s %s: %s: other servers do not take that", c.op, c.key, name)
			}
		}
	}
}

// TestEnvironment has what the SDK takes from it.
func TestEnvironment(t *testing.T) {
	s := newServer(t)
	s.put("x", []byte("hello"))
	t.Setenv("AWS_ENDPOINT_URL_S3", s.URL)
	t.Setenv("AWS_REGION", "eu-west-3")
	src, err := New(context.Background(), "s3://logs/x", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(open(t, src)); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	if h := s.log[0].Header.Get("Authorization"); !strings.Contains(h, "/eu-west-3/s3/") {
		t.Errorf("the request is for another region: %s", h)
	}
	t.Setenv("AWS_MAX_ATTEMPTS", "2")
	s.forget()
	s.fault = func(c call, w http.ResponseWriter) bool { return fail(w, 500, "InternalError", "No.") }
	if err := firstError(t, s.source("x", Options{})); err == nil || len(s.log) != 2 {
		t.Errorf("%v after %d Attempts", err, len(s.log))
	}
}

// TestKilled ends the server in the middle of a run: every object that was not read says so, and soon.
func TestKilled(t *testing.T) {
	s := newServer(t)
	const objects = 500
	for i := range objects {
		s.put("d/"+string(rune('a'+i%26))+strings.Repeat("x", i), []byte("hello"))
	}
	src := s.source("d/", Options{})
	read, failed := 0, 0
	for o, err := range src.Objects(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		r, err := o.Open(context.Background())
		if err != nil {
			failed++
			if !strings.HasPrefix(err.Error(), "no answer from "+s.URL) {
				t.Error(err)
			}
			continue
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != "hello" {
			t.Error(err)
		}
		r.Close()
		if read++; read == 100 {
			s.CloseClientConnections()
			s.Server.Close()
		}
	}
	if read+failed != objects || failed < objects-100-1-concurrency() {
		t.Errorf("%d read, %d failed, of %d", read, failed, objects)
	}
	if gets := src.Stats().Gets; gets > objects+10*aws.Attempts {
		t.Errorf("%d requests: those after the first failure go on trying", gets)
	}
}
