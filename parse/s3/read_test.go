package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"flowlog/parse"
)

// content returns bytes that differ from place to place.
func content(n int) []byte {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// one lists the one object of a source.
func one(t testing.TB, src *Source) parse.Object {
	t.Helper()
	var all []parse.Object
	for o, err := range src.Objects(context.Background()) {
		if err != nil {
			t.Fatal(o.Name, err)
		}
		all = append(all, o)
	}
	if len(all) != 1 {
		t.Fatalf("%d objects, want one", len(all))
	}
	return all[0]
}

func open(t testing.TB, src *Source) io.ReadCloser {
	t.Helper()
	r, err := one(t, src).Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// TestRead reads objects of sizes around the bounds, in every way, and looks at the requests.
func TestRead(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		name     string
		size     int
		requests []string
	}{
		{"empty", 0, nil},
		{"byte", 1, []string{"GET byte"}},
		{"small.log.gz", 20_000, []string{"GET small.log.gz"}},
		{"whole", whole, []string{"GET whole"}},
		{"one part", whole + 1, []string{"GET one part"}},
		{"part", partSize, []string{"GET part"}},
		{"parts", 2*partSize + 5, []string{"GET parts bytes=0-8388607", "GET parts bytes=8388608-16777215", "GET parts bytes=16777216-16777220"}},
		{"small.parquet", wholeParquet, []string{"GET small.parquet"}},
	} {
		data := content(test.size)
		s.put(test.name, data)
		s.forget()
		src := s.source(test.name, Options{})
		r := open(t, src)
		if _, ok := r.(io.ReaderAt); !ok {
			t.Fatal(test.name, "cannot be read anywhere")
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v; want %d bytes as they are", test.name, len(got), err, test.size)
		}
		want(t, test.name+": requests", s.calls("GET"), test.requests)
		if n := src.Stats().Bytes; n != int64(test.size) {
			t.Errorf("%s: %d bytes counted, want %d", test.name, n, test.size)
		}
		if test.size <= 20_000 {
			if err := iotest.TestReader(open(t, src), data); err != nil {
				t.Error(test.name, err)
			}
		}
	}
}

// TestReadAt reads a large object as a reader of Parquet does: the head, the end, then columns in small steps.
func TestReadAt(t *testing.T) {
	s := newServer(t)
	const name = "x.log.parquet"
	data := content(20 << 20)
	s.put(name, data)
	src := s.source(name, Options{})
	r := open(t, src)
	head := make([]byte, headSize)
	if _, err := io.ReadFull(r, head); err != nil || !bytes.Equal(head, data[:headSize]) {
		t.Fatal("head:", err)
	}
	at := r.(io.ReaderAt)
	check := func(off, n int) {
		t.Helper()
		p := make([]byte, n)
		m, err := at.ReadAt(p, int64(off))
		end := min(off+n, len(data))
		if end < off+n != errors.Is(err, io.EOF) || err != nil && err != io.EOF || !bytes.Equal(p[:m], data[min(off, len(data)):end]) {
			t.Fatalf("read %d at %d: %d, %v", n, off, m, err)
		}
	}
	check(len(data)-8, 8)
	check(len(data)-60_000, 59_000)
	check(len(data)-8, 100)
	check(0, 4)
	calls := s.calls("GET")
	if len(calls) != 2 || s.calls("GET")[0] == calls[1] {
		t.Errorf("requests for head and tail: %q", calls)
	}

	// a column of a megabyte, 4 KiB at a time
	s.forget()
	before := src.Stats().Bytes
	for off := 5 << 20; off < 6<<20; off += 4096 {
		check(off, 4096)
	}
	if n, b := len(s.calls("GET")), src.Stats().Bytes-before; n > 6 || b > 2<<20 {
		t.Errorf("a column of a megabyte took %d requests, %d bytes", n, b)
	}
	s.forget()
	check(10<<20, 3<<20)
	want(t, "a long read", s.calls("GET"), []string{"GET " + name + " bytes=10485760-13631487"})

	rng := rand.New(rand.NewPCG(2, 3))
	for range 200 {
		check(rng.IntN(len(data)+10), rng.IntN(100_000))
	}
	if kept := r.(*reader).segments; len(kept) == 0 {
		t.Error("nothing is remembered")
	} else {
		total := int64(0)
		for _, s := range kept {
			total += s.to - s.from
		}
		if total > 8*maxFetch {
			t.Errorf("%d bytes are remembered", total)
		}
	}

	// what looks like Parquet by its name can be something else
	got, err := io.ReadAll(open(t, s.source(name, Options{})))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("from front to back: %d bytes, %v", len(got), err)
	}

	errs := make(chan error, 8)
	for i := range cap(errs) {
		go func() {
			p := make([]byte, 5000)
			for off := i << 21; off < (i+1)<<21; off += len(p) {
				if _, err := at.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, data[off:off+len(p)]) {
					errs <- fmt.Errorf("column %d at %d: %v", i, off, err)
					return
				}
			}
			errs <- nil
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// cut answers a request with part of what it should and breaks the connection.
func cut(s *server, c call, w http.ResponseWriter, n int64) bool {
	rec := &recorder{ResponseWriter: w, left: n}
	s.next.ServeHTTP(rec, c.Request)
	panic(http.ErrAbortHandler)
}

type recorder struct {
	http.ResponseWriter
	left int64
}

func (r *recorder) Write(p []byte) (int, error) {
	n := min(int64(len(p)), r.left)
	r.left -= n
	_, err := r.ResponseWriter.Write(p[:n])
	if f, ok := r.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
	return len(p), err
}

// TestFaults breaks reading in every way that happens, and says what must come of it.
func TestFaults(t *testing.T) {
	small, large := content(20_000), content(2*partSize+1000)
	isGet := func(c call) bool { return c.op == "GET" }
	for _, test := range []struct {
		name  string
		data  []byte
		fault func(s *server, c call, w http.ResponseWriter) bool
		err   string   // "" if all must be read well
		calls []string // of GET
	}{
		{"500 twice", small, func(_ *server, c call, w http.ResponseWriter) bool {
			return c.nth < 2 && fail(w, 500, "InternalError", "We encountered an internal error.")
		}, "", []string{"LIST", "LIST", "LIST", "GET", "GET", "GET"}},
		{"slow down", small, func(_ *server, c call, w http.ResponseWriter) bool {
			return c.nth < 2 && fail(w, 503, "SlowDown", "Please reduce your request rate.")
		}, "", []string{"LIST", "LIST", "LIST", "GET", "GET", "GET"}},
		{"no answer", small, func(_ *server, c call, w http.ResponseWriter) bool {
			if isGet(c) && c.nth < 2 {
				panic(http.ErrAbortHandler)
			}
			return false
		}, "", []string{"LIST", "GET", "GET", "GET"}},
		{"cut in a small object", small, func(s *server, c call, w http.ResponseWriter) bool {
			return isGet(c) && c.nth < 2 && cut(s, c, w, 7000)
		}, "", []string{"LIST", "GET", "GET bytes=7000-19999", "GET bytes=14000-19999"}},
		{"cut in a large object", large, func(s *server, c call, w http.ResponseWriter) bool {
			return isGet(c) && c.nth == 1 && cut(s, c, w, 1_000_000)
		}, "", nil},
		{"always cut", small, func(s *server, c call, w http.ResponseWriter) bool {
			return isGet(c) && cut(s, c, w, 0)
		}, "the connection broke off at byte 0 of 20000, 6 times", nil},
		{"always 503", small, func(_ *server, c call, w http.ResponseWriter) bool {
			return isGet(c) && fail(w, 503, "SlowDown", "Please reduce your request rate.")
		}, "S3 answers SlowDown: Please reduce your request rate", nil},
		{"vanished", small, func(s *server, c call, w http.ResponseWriter) bool {
			if isGet(c) {
				s.delete("x")
			}
			return false
		}, "the object vanished after it was listed", []string{"LIST", "GET"}},
		{"vanished in mid-read", large, func(s *server, c call, w http.ResponseWriter) bool {
			if isGet(c) && c.nth == 1 {
				s.delete("x")
			}
			return false
		}, "the object vanished after it was listed", nil},
		{"replaced in mid-read, and the server does not know If-Match", large, func(s *server, c call, w http.ResponseWriter) bool {
			if isGet(c) && c.nth == 1 {
				s.put("x", bytes.Repeat([]byte("y"), len(large)))
				c.Header.Del("If-Match")
			}
			return false
		}, "the object was replaced while it was read", nil},
		{"replaced in mid-read, told by the server", large, func(s *server, c call, w http.ResponseWriter) bool {
			if isGet(c) && c.nth == 1 {
				if c.Header.Get("If-Match") == "" {
					s.t.Error("no If-Match")
				}
				return fail(w, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
			}
			return false
		}, "the object was replaced while it was read", nil},
		{"shrunk before it was read", small, func(s *server, c call, w http.ResponseWriter) bool {
			if isGet(c) {
				s.put("x", small[:100])
			}
			return false
		}, "the object changed after it was listed: it had 20000 bytes and has 100", nil},
		{"shrunk in mid-read, and the server does not know If-Match", large, func(s *server, c call, w http.ResponseWriter) bool {
			if isGet(c) && c.nth == 1 {
				s.put("x", large[:100])
				c.Header.Del("If-Match")
			}
			return false
		}, "the object shrank after it was listed with 16778216 bytes", nil},
		{"grown", large, func(s *server, c call, w http.ResponseWriter) bool {
			if isGet(c) && c.nth == 0 {
				s.put("x", append(large, large...))
			}
			return false
		}, "the object changed after it was listed: it had 16778216 bytes and has 33556432", nil},
		{"denied", small, func(s *server, c call, w http.ResponseWriter) bool {
			return isGet(c) && fail(w, 403, "AccessDenied", "Access Denied")
		}, "access denied: the permission s3:GetObject on arn:aws:s3:::logs/x is missing: allow it", []string{"LIST", "GET"}},
		{"denied with words", small, func(s *server, c call, w http.ResponseWriter) bool {
			return isGet(c) && fail(w, 403, "AccessDenied", "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:111122223333:key/1 because no identity-based policy allows the kms:Decrypt action")
		}, "access denied: the permission kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/1 is missing (User: arn:aws:iam::111122223333:user/ann): allow it", nil},
		{"archived", small, func(s *server, c call, w http.ResponseWriter) bool {
			return isGet(c) && fail(w, 403, "InvalidObjectState", "The operation is not valid for the object's storage class")
		}, "the object is archived", nil},
		{"ranges ignored", large, func(s *server, c call, w http.ResponseWriter) bool {
			c.Header.Del("Range")
			return false
		}, "the server was asked for the object from byte 8388608 on and sent it from byte 0 on", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.put("x", test.data)
			s.fault = func(c call, w http.ResponseWriter) bool { return test.fault(s, c, w) }
			src := s.source("x", Options{})
			o := one(t, src)
			var got []byte
			r, err := o.Open(context.Background())
			if err == nil {
				got, err = io.ReadAll(r)
				r.Close()
			}
			if test.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), test.err) {
					t.Errorf("got %d bytes and error %v, want %q", len(got), err, test.err)
				}
				var denied interface{ AccessDenied() bool }
				if errors.As(err, &denied) != strings.HasPrefix(test.err, "access denied") {
					t.Errorf("%v says AccessDenied, or does not", err)
				}
			} else if err != nil || !bytes.Equal(got, test.data) {
				t.Errorf("%d bytes of %d, %v", len(got), len(test.data), err)
			}
			if !bytes.HasPrefix(test.data, got) {
				t.Error("what was read is mixed of two objects")
			}
			if test.calls != nil {
				calls := s.calls("LIST", "GET")
				for i, c := range calls {
					calls[i] = strings.Replace(strings.TrimSuffix(c, " /"), " x", "", 1)
				}
				want(t, "requests", calls, test.calls)
			}
		})
	}
}

// TestResume cuts a connection with the reader in the middle of a part, and looks at where it goes on.
func TestResume(t *testing.T) {
	s := newServer(t)
	data := content(3 << 20)
	s.put("x", data)
	var from atomic.Int64
	s.fault = func(c call, w http.ResponseWriter) bool {
		if c.op != "GET" {
			return false
		}
		h := strings.TrimPrefix(c.Header.Get("Range"), "bytes=")
		first, _, _ := strings.Cut(h, "-")
		n, _ := strconv.ParseInt(first, 10, 64)
		if n != from.Load() {
			s.t.Errorf("goes on at %d, but broke off at %d", n, from.Load())
		}
		from.Add(600_000)
		return cut(s, c, w, 600_000)
	}
	src := s.source("x", Options{})
	got, err := io.ReadAll(open(t, src))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n := src.Stats().Resumed; n != 5 {
		t.Errorf("resumed %d times, want 5", n)
	}
}

// TestSilence has a server that stops to answer without breaking the connection, before and in the middle of
// its answer.
func TestSilence(t *testing.T) {
	s := newServer(t)
	data := content(3 << 20)
	s.put("x", data)
	s.fault = func(c call, w http.ResponseWriter) bool {
		if c.op != "GET" || c.nth > 1 {
			return false
		}
		if c.nth == 1 {
			s.next.ServeHTTP(&recorder{w, 1 << 20}, c.Request)
		}
		<-c.Context().Done()
		return true
	}
	src, err := New(context.Background(), "s3://logs/x", Options{EndpointURL: s.URL, backoff: atOnce, silence: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(open(t, src))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n := len(s.calls("GET")); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

// TestOpenTwice opens an object again, after what was fetched ahead was taken.
func TestOpenTwice(t *testing.T) {
	s := newServer(t)
	for i := range 5 {
		s.put(fmt.Sprint("d/", i), content(1000+i))
	}
	var all []parse.Object
	for o, err := range s.source("d/", Options{}).Objects(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	want(t, "requests before anything is opened", s.calls("GET"), []string(nil))
	for range 2 {
		for _, i := range []int{0, 3, 1, 4, 2} { // in any order
			r, err := all[i].Open(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, content(1000+i)) {
				t.Errorf("object %d: %d bytes, %v", i, len(got), err)
			}
			r.Close()
		}
	}
	if n := len(s.calls("GET")); n != 10 {
		t.Errorf("%d requests, want 10", n)
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := all[0].Open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
