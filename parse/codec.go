package parse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"flowlog/parse/internal/inflate"
)

// A codec undoes one compression, which it recognises by the first bytes.
type codec struct {
	name  string
	magic string
	open  func(io.Reader, Options) (io.ReadCloser, error) // nil: recognised, to say that it is not supported
}

// codecs is THE table of compressions. Archives are in it for the sake of a clear error.
var codecs = []codec{
	{"gzip", "\x1f\x8b", openGzip},
	{"zstd", "\x28\xb5\x2f\xfd", func(r io.Reader, _ Options) (io.ReadCloser, error) {
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}},
	{"bzip2", "BZh", nil},
	{"xz", "\xfd7zXZ\x00", nil},
	{"zip", "PK\x03\x04", nil},
	{"lz4", "\x04\x22\x4d\x18", nil},
}

// decompress returns the content of r, whose first bytes are head, without the compression that head
// shows, if any.
func decompress(head []byte, r io.Reader, opt Options) (io.ReadCloser, error) {
	for _, c := range codecs {
		if !bytes.HasPrefix(head, []byte(c.magic)) {
			continue
		}
		if c.open == nil {
			return nil, errors.New(c.name + " compression is not supported: unpack it first")
		}
		d, err := c.open(r, opt)
		if err != nil {
			return nil, named(c.name, err)
		}
		return &codecReader{c.name, d}, nil
	}
	return io.NopCloser(r), nil
}

func openGzip(r io.Reader, opt Options) (io.ReadCloser, error) {
	if opt.LibraryGzip {
		return gzip.NewReader(r)
	}
	g := gzipReader{gzipReaders.Get().(*inflate.Reader)}
	g.Reset(r)
	return g, nil
}

// gzipReaders keeps the readers that are not in use. Each takes a quarter of a megabyte, which is more than most objects.
var gzipReaders = sync.Pool{New: func() any { return inflate.NewReader(nil) }}

type gzipReader struct{ *inflate.Reader }

// Close puts the reader back into the pool. It may be called once, as the last method.
func (g gzipReader) Close() error {
	g.Reset(nil) // lets the source go
	gzipReaders.Put(g.Reader)
	return nil
}

// A codecReader adds the name of the codec to errors.
type codecReader struct {
	name string
	io.ReadCloser
}

func (c *codecReader) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = named(c.name, err)
	}
	return n, err
}

func named(name string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("unexpected end: the file is cut off")
	}
	if errors.Is(err, gzip.ErrHeader) {
		err = errors.New("what follows is not gzip data")
	}
	if _, _, gos := strings.Cut(err.Error(), "runtime error: "); gos { // of a panic that the decoder caught itself
		err = errDamaged
	}
	return errors.New(name + ": " + err.Error())
}
