package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answers are the ways in which a server fails a request.
var answers = map[string]func(s *server, c call, w http.ResponseWriter) bool{
	"500": func(_ *server, _ call, w http.ResponseWriter) bool { return fail(w, 500, "InternalError", "Oh.") },
	"502": func(_ *server, _ call, w http.ResponseWriter) bool { w.WriteHeader(502); return true },
	"503": func(_ *server, _ call, w http.ResponseWriter) bool { return fail(w, 503, "SlowDown", "Slow down.") },
	"429": func(_ *server, _ call, w http.ResponseWriter) bool {
		return fail(w, 429, "TooManyRequests", "Slow down.")
	},
	"408": func(_ *server, _ call, w http.ResponseWriter) bool {
		return fail(w, 408, "RequestTimeout", "Too late.")
	},
	"gone": func(*server, call, http.ResponseWriter) bool { panic(http.ErrAbortHandler) },
	"cut": func(s *server, c call, w http.ResponseWriter) bool {
		if c.op == "GET" { // a read that gets on a little is taken up as often as it takes
			return cut(s, c, w, 0)
		}
		return cut(s, c, w, 100)
	},
	"stall": func(s *server, c call, w http.ResponseWriter) bool {
		select {
		case <-c.Context().Done():
		case <-time.After(time.Second):
		}
		panic(http.ErrAbortHandler)
	},
}

// pretences are answers that a listing could be taken from.
var pretences = map[string]string{
	"HTML":           "<html><body>Welcome</body></html>",
	"nothing":        "",
	"blank":          " \n",
	"empty root":     "<ListBucketResult/>",
	"no IsTruncated": "<ListBucketResult><Name>logs</Name><KeyCount>0</KeyCount></ListBucketResult>",
	"goes nowhere":   "<ListBucketResult><IsTruncated>true</IsTruncated><KeyCount>1</KeyCount><Contents><Key>x</Key><Size>1</Size></Contents></ListBucketResult>",
	"goes on empty":  "<ListBucketResult><IsTruncated>true</IsTruncated><KeyCount>0</KeyCount><NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
	"another root":   "<Result><IsTruncated>false</IsTruncated></Result>",
	"breaks off":     "<ListBucketResult><IsTruncated>false</IsTruncated>",
	"JSON":           `{"IsTruncated": false}`,
}

// Whatever fails, at whichever request: a fault that passes changes nothing, and one that stays is told, and what was
// listed before it is right.
func TestEveryFault(t *testing.T) {
	faults := map[string]func(s *server, c call, w http.ResponseWriter) bool{}
	for name, f := range answers {
		faults[name] = f
	}
	for name, body := range pretences {
		faults[name] = func(_ *server, c call, w http.ResponseWriter) bool {
			if c.op != "LIST" {
				return false
			}
			_, err := io.WriteString(w, body)
			return err == nil
		}
	}
	const objects, page = 50, 10
	for name, answer := range faults {
		for _, op := range []string{"LIST", "GET", "HEAD", "PUT"} {
			if _, listing := pretences[name]; listing && op != "LIST" || op == "HEAD" && name == "cut" { // it has no body
				continue
			}
			for _, place := range []int{0, 2, 4} {
				for _, stays := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%s/%d/stays=%t", op, name, place, stays), func(t *testing.T) {
						t.Parallel()
						testFault(t, op, place, stays, objects, page, answer)
					})
				}
			}
		}
	}
}

func testFault(t *testing.T, op string, place int, stays bool, objects, page int, answer func(*server, call, http.ResponseWriter) bool) {
	s := newServer(t)
	var want []string
	for i := range objects {
		want = append(want, fmt.Sprintf("logs/%03d", i))
		s.put(want[i], bytes.Repeat([]byte(want[i]), 100))
	}
	s.page = page
	n, hit := 0, 0
	s.fault = func(c call, w http.ResponseWriter) bool {
		s.mu.Lock()
		if c.op != op {
			s.mu.Unlock()
			return op == "HEAD" && c.op == "LIST" && fail(w, 403, "AccessDenied", "Access Denied")
		}
		fails := n == place || stays && n > place
		if fails {
			hit++
		}
		n++
		s.mu.Unlock()
		return fails && answer(s, c, w)
	}
	opt := s.options()
	opt.silence, opt.Concurrency = 100*time.Millisecond, 1
	client, err := Connect(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	switch op {
	case "PUT":
		f, err := client.Folder("s3://" + bucket + "/out")
		if err != nil {
			t.Fatal(err)
		}
		failed := -1
		for i := range 5 {
			if err := f.Write(context.Background(), fmt.Sprint(i), []byte("x"), false); err != nil {
				failed = i
				break
			}
		}
		if want := map[bool]int{false: -1, true: place}[stays]; failed != want {
			t.Errorf("write %d failed, want %d", failed, want)
		}
	case "HEAD":
		failed := -1
		for i := range 5 {
			src, err := client.Source("s3://" + bucket + "/" + want[i])
			if err != nil {
				t.Fatal(err)
			}
			if keys, _ := names(src); len(keys) != 1 {
				failed = i
				break
			}
		}
		if want := map[bool]int{false: -1, true: place}[stays]; failed != want {
			t.Errorf("head %d failed, want %d", failed, want)
		}
	default:
		src, err := client.Source("s3://" + bucket + "/logs/*")
		if err != nil {
			t.Fatal(err)
		}
		var read []string
		var errs []error
		for o, err := range src.Objects(context.Background()) {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			key := strings.TrimPrefix(o.Name, "s3://"+bucket+"/")
			r, err := o.Open(context.Background())
			if err != nil {
				errs = append(errs, err)
				continue
			}
			got, err := io.ReadAll(r)
			r.Close()
			switch {
			case err != nil:
				errs = append(errs, err)
			case string(got) != strings.Repeat(key, 100):
				t.Errorf("%s: %d wrong bytes", key, len(got))
			default:
				read = append(read, key)
			}
		}
		if (len(errs) > 0) != stays {
			t.Errorf("errors: %v", errs)
		}
		if !stays && len(read) != objects || stays && len(read) >= objects {
			t.Errorf("%d of %d objects, errors %v", len(read), objects, errs)
		}
		for i, key := range read {
			if key != want[i] {
				t.Errorf("object %d is %s, want %s", i, key, want[i])
				break
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if hit == 0 {
		t.Error("the fault did not occur")
	}
}
