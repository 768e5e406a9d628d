package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"flowlog/parse/aws"
	"flowlog/parse/schema"
)

const (
	// whole is the largest size of an object that is fetched by one request and kept until it is closed. A request takes as
	// long as a megabyte or two, so to read less of such an object would save nothing.
	whole = 1 << 20

	// wholeParquet is the same for Parquet, whose reader may need few columns.
	wholeParquet = 256 << 10

	// headSize and tailSize are the bytes of larger Parquet that are fetched first: parse recognises the format by the head,
	// and the tail has the footer of any flow log.
	headSize = 64 << 10
	tailSize = 64 << 10

	// partSize is the number of bytes of one request for a larger object that is read from front to back. The request for the
	// next part is sent when half of this one has arrived, so there is no pause between parts.
	partSize = 8 << 20

	// resumes is the number of attempts in a row to continue a read that bring no byte.
	resumes = 5
)

// An object is an S3 object as it was listed.
type object struct {
	*Client
	bucket, key string
	size        int64
	version     string // ETag
}

func (o *object) name() string { return "s3://" + o.bucket + "/" + o.key }

// isParquet reports whether the name is that of Parquet. The content decides how the object is read.
func (o *object) isParquet() bool { return path.Ext(o.key) == ".parquet" }

// first is the number of bytes that the first request fetches and keeps: the whole object, the head of Parquet, or 0 for an
// object that is streamed.
func (o *object) first() int64 {
	switch {
	case o.size <= wholeParquet, o.size <= whole && !o.isParquet():
		return o.size
	case o.isParquet():
		return headSize
	}
	return 0
}

// requests is the number of requests that reading the object takes. For large Parquet it counts the head, the footer and
// one column.
func (o *object) requests() int {
	switch n := o.first(); {
	case o.size == 0:
		return 0
	case n == o.size:
		return 1
	case n == 0:
		return int((o.size + partSize - 1) / partSize)
	default:
		return 3
	}
}

// A reader reads an object: from front to back with Read, anywhere with ReadAt. Read is for one goroutine, ReadAt for any.
type reader struct {
	*object
	ctx    context.Context // of Open: neither Read nor ReadAt is given one
	cancel context.CancelFunc
	unlink func() bool // detaches it from the context of its opener; nil if that is the parent of ctx
	head   []byte      // the first bytes

	off       int64 // of Read
	now, next *part // of an object that is streamed

	mu       sync.Mutex
	etag     string
	segments []*segment // of ReadAt, the most recently used one last
}

// A segment is a piece of the object that was fetched for ReadAt.
type segment struct {
	from, to int64
	data     []byte
	err      error
	ready    chan struct{} // closed when data or err is there
}

// open fetches the beginning of the object.
func (o *object) open(ctx context.Context) (*reader, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &reader{object: o, ctx: ctx, cancel: cancel}
	if err := r.begin(); err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

func (r *reader) begin() error {
	n := r.first()
	if n == 0 {
		if r.size > 0 {
			r.now = r.part(0)
			<-r.now.opened
			return r.now.err
		}
		return nil
	}
	if n < r.size {
		r.mu.Lock()
		r.load(max(n, r.size-tailSize), r.size)
		r.mu.Unlock()
	}
	r.head = make([]byte, n)
	_, err := io.ReadFull(&stream{r: r, end: n}, r.head)
	return err
}

// Close ends all requests and frees the memory.
func (r *reader) Close() error {
	r.end()
	return nil
}

func (r *reader) end() {
	r.cancel()
	if r.unlink != nil {
		r.unlink()
	}
	for _, p := range []*part{r.now, r.next} {
		if p != nil {
			<-p.opened
			p.close()
		}
	}
	r.now, r.next = nil, nil
	r.mu.Lock()
	r.head, r.segments = nil, nil
	r.mu.Unlock()
}

func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.off < int64(len(r.head)) {
		n := copy(p, r.head[r.off:])
		r.off += int64(n)
		return n, nil
	}
	if r.off == r.size {
		return 0, io.EOF
	}
	if r.now == nil {
		if r.now, r.next = r.next, nil; r.now == nil {
			r.now = r.part(r.off)
		}
	}
	<-r.now.opened
	if r.now.err != nil {
		return 0, r.now.err
	}
	n, err := r.now.Read(p)
	r.off += int64(n)
	if r.next == nil && r.now.end < r.size && r.off > r.now.end-partSize/2 {
		r.next = r.part(r.now.end)
	}
	if r.off == r.now.end {
		r.now.close()
		r.now, err = nil, nil
	}
	return n, err
}

// A part is a piece of the object that one request streams.
type part struct {
	stream
	opened chan struct{} // closed when the answer has begun, or err is set
	err    error
}

// part sends the request for the part of the object that begins at from.
func (r *reader) part(from int64) *part {
	p := &part{stream: stream{r: r, off: from, end: min(from+partSize, r.size)}, opened: make(chan struct{})}
	go func() {
		defer close(p.opened)
		p.err = p.open()
	}()
	return p
}

// A stream reads the bytes off up to end of an object, and continues with a new request where one broke off.
type stream struct {
	r        *reader
	off, end int64
	body     io.ReadCloser
	failed   int // attempts in a row without a byte
}

func (s *stream) open() error {
	body, err := s.r.get(s.off, s.end)
	s.body = body
	return err
}

func (s *stream) close() {
	if s.body != nil {
		s.body.Close()
		s.body = nil
	}
}

func (s *stream) Read(p []byte) (int, error) {
	if s.off == s.end {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.end-s.off)]
	for {
		if s.body == nil {
			if err := s.open(); err != nil {
				return 0, err
			}
		}
		n, err := s.body.Read(p)
		s.off += int64(n)
		s.r.count.bytes.Add(int64(n))
		if s.off == s.end {
			// with the end of the body seen the connection can be used again
			_, _ = io.Copy(io.Discard, io.LimitReader(s.body, 1))
			s.close()
		} else if err != nil {
			s.close()
		}
		switch {
		case n > 0:
			s.failed = 0
			return n, nil
		case s.r.ctx.Err() != nil:
			return 0, s.r.ctx.Err()
		case err == nil:
			continue
		}
		s.failed++
		if s.failed > resumes {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, &cause{schema.Wordsf("the connection broke off at byte %d of %d, %d times: %s", s.off, s.r.size, s.failed, aws.Innermost(err)), err}
		}
		s.r.count.resumed.Add(1)
		if err := s.r.link.Wait(s.r.ctx, s.failed); err != nil {
			return 0, err
		}
	}
}

// get requests the bytes from up to end of the version of the object that was read first.
func (r *reader) get(from, end int64) (io.ReadCloser, error) {
	in := &s3.GetObjectInput{Bucket: &r.bucket, Key: &r.key, RequestPayer: r.payer}
	all := from == 0 && end == r.size
	if !all {
		s := "bytes=" + strconv.FormatInt(from, 10) + "-" + strconv.FormatInt(end-1, 10)
		in.Range = &s
	}
	r.mu.Lock()
	if r.etag != "" {
		etag := r.etag
		in.IfMatch = &etag
	}
	r.mu.Unlock()
	out, err := do(r.ctx, r.Client, r.bucket, func(o func(*s3.Options)) (*s3.GetObjectOutput, error) {
		return r.api.GetObject(r.ctx, in, o)
	})
	if err != nil {
		return nil, r.explainGet(err)
	}
	size, at := int64(-1), int64(0)
	if out.ContentRange != nil {
		at, size = contentRange(*out.ContentRange)
	} else if out.ContentLength != nil {
		size = *out.ContentLength
	}
	etag := ""
	if out.ETag != nil {
		etag = *out.ETag
	}
	r.mu.Lock()
	r.etag = cmp.Or(r.etag, etag)
	same := r.etag == etag || etag == ""
	r.mu.Unlock()
	switch {
	case size >= 0 && size != r.size:
		err = &cause{schema.Wordsf("the object changed after it was listed: it had %d bytes and has %d; read it again", r.size, size), errChanged}
	case !same:
		err = errChanged
	case at != from:
		err = fmt.Errorf("the server was asked for the object from byte %d on and sent it from byte %d on", from, at)
	}
	if err != nil {
		out.Body.Close()
		return nil, err
	}
	return out.Body, nil
}

var errChanged = errors.New("the object was replaced while it was read; read it again")

// explainGet explains the failure of a request for an object that was there when it was listed.
func (r *reader) explainGet(err error) error {
	var resp *smithyhttp.ResponseError
	var api smithy.APIError
	if errors.As(err, &resp) && resp.Response != nil {
		errors.As(err, &api)
		switch resp.HTTPStatusCode() {
		case http.StatusPreconditionFailed:
			return &cause{schema.Wordsf("%s", errChanged.Error()), errors.Join(errChanged, err)}
		case http.StatusRequestedRangeNotSatisfiable:
			return &cause{schema.Wordsf("the object shrank after it was listed with %d bytes; read it again", r.size), errors.Join(errChanged, err)}
		case http.StatusNotFound:
			if api == nil || api.ErrorCode() != "NoSuchBucket" {
				return &cause{schema.Wordsf("the object vanished after it was listed: something deletes objects"), err}
			}
		}
	}
	return r.explain(request{permission: "s3:GetObject", bucket: r.bucket, key: r.key}, err)
}

// contentRange returns where the bytes of an answer begin, and the size of the object: -1 if it does not say.
func contentRange(s string) (at, size int64) {
	span, total, _ := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	from, _, _ := strings.Cut(span, "-")
	at, err := strconv.ParseInt(from, 10, 64)
	if err != nil {
		return 0, -1
	}
	size, err = strconv.ParseInt(total, 10, 64)
	if err != nil {
		return at, -1
	}
	return at, size
}
