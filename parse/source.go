package parse

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"flowlog/parse/schema"
)

// An Object is one thing to read: a file, standard input, an S3 object. If what Open returns is an
// io.ReaderAt too, formats that need not be read from front to back make use of it.
type Object struct {
	Name string
	Size int64 // in bytes, -1 if unknown
	// Version changes with the content: when a file was written, the ETag of an S3 object. "" if that is unknown.
	Version string
	Open    func(context.Context) (io.ReadCloser, error)
}

// A Source lists objects in their order. An error comes with an Object that has just the name of what
// could not be listed; the objects after it still come.
type Source interface {
	Objects(context.Context) iter.Seq2[Object, error]
}

// Paths is the Source of command-line arguments: files, directories (recursive, in the order of their
// names, without hidden files and the manifest of a dataset), globs with *, ?, [], {} and **, and "-" for stdin.
func Paths(stdin io.Reader, args ...string) Source {
	return &paths{args, &replay{r: stdin}}
}

type paths struct {
	args  []string
	stdin *replay
}

func (p *paths) Objects(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for _, arg := range p.args {
			if !p.expand(arg, yield) {
				return
			}
		}
	}
}

// expand yields the objects of one argument, and reports whether the caller wants more.
func (p *paths) expand(arg string, yield func(Object, error) bool) bool {
	if arg == "-" {
		return yield(Object{Name: "stdin", Size: -1, Open: p.stdin.open}, nil)
	}
	info, err := os.Stat(arg)
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(arg, "*?[{") {
		matches, err := doublestar.FilepathGlob(arg, doublestar.WithFilesOnly())
		if errors.Is(err, doublestar.ErrBadPattern) {
			err = fs.ErrNotExist
		}
		if err == nil && len(matches) == 0 {
			err = errors.New("no file matches")
		}
		if err != nil {
			return yield(Object{Name: arg}, err)
		}
		for _, name := range matches {
			if !yield(file(name), nil) {
				return false
			}
		}
		return true
	}
	if err != nil {
		return yield(Object{Name: arg}, reason(err))
	}
	if !info.IsDir() {
		return yield(file(arg), nil)
	}
	more := true
	// with a separator at its end it may be a link to a directory
	root := strings.TrimRight(arg, string(filepath.Separator)) + string(filepath.Separator)
	// WalkDir reports all of its errors to the function
	_ = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			more = yield(Object{Name: name}, reason(err))
		case name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == schema.ManifestFolder):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.Type().IsRegular():
			more = yield(file(name), nil)
		case d.Type()&fs.ModeSymlink != 0:
			if info, err := os.Stat(name); err != nil {
				more = yield(Object{Name: name}, reason(err))
			} else if info.Mode().IsRegular() {
				more = yield(file(name), nil)
			}
		}
		if !more {
			return fs.SkipAll
		}
		return nil
	})
	return more
}

// Concat is the Source of all objects of several sources, one after the other.
func Concat(sources ...Source) Source { return concat(sources) }

type concat []Source

func (c concat) Objects(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for _, src := range c {
			for o, err := range src.Objects(ctx) {
				if !yield(o, err) {
					return
				}
			}
		}
	}
}

func file(name string) Object {
	o := Object{Name: name, Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, reason(err)
		}
		if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
			return struct{ io.ReadCloser }{f}, nil // a pipe has ReadAt too, but it does not work
		}
		return f, nil
	}}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		o.Size, o.Version = info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano)
	}
	return o
}

// reason is what is wrong with a file, without its name, which messages have in front already.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// replay lets stdin be opened again as long as all that was read of it is remembered: once to look at its
// header, once to read it.
type replay struct {
	r    io.Reader
	seen []byte
	gone bool // too much was read to remember it

	pending *stdinRead // nil if none was started, or its data is used up
	buffer  []byte
}

// replayable is how much of stdin is remembered when it is read; lookedAt how much when only its header is looked for,
// which may come as late as findShape reads on.
const (
	replayable = 1 << 20
	lookedAt   = 2 * longestRecord
)

// looking marks a context in which only a header is looked for.
type looking struct{}

func (s *replay) open(ctx context.Context) (io.ReadCloser, error) {
	if s.r == nil {
		return nil, errors.New("there is no standard input")
	}
	if s.gone {
		return nil, errors.New("standard input can be read only once")
	}
	most := replayable
	if ctx.Value(looking{}) != nil {
		most = lookedAt
	}
	return io.NopCloser(&replayReader{s, ctx, 0, most}), nil
}

// A stdinRead is one read of stdin, which may still be under way.
type stdinRead struct {
	done chan struct{}
	data []byte
	err  error
}

// read reads on, but gives up when ctx ends: a read of a pipe or terminal can last forever. What arrives
// after that is for the next read.
func (s *replay) read(ctx context.Context, p []byte) (int, error) {
	if s.pending == nil {
		r := &stdinRead{done: make(chan struct{})}
		if s.buffer == nil {
			s.buffer = make([]byte, 64<<10) // what a pipe holds
		}
		s.pending = r
		go func() {
			n, err := s.r.Read(s.buffer)
			r.data, r.err = s.buffer[:n], err
			close(r.done)
		}()
	}
	r := s.pending
	select {
	case <-r.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	n := copy(p, r.data)
	if r.data = r.data[n:]; len(r.data) > 0 {
		return n, nil
	}
	s.pending = nil
	return n, r.err
}

type replayReader struct {
	*replay
	ctx    context.Context
	offset int
	most   int // to be remembered
}

func (s *replayReader) Read(p []byte) (int, error) {
	if s.offset < len(s.seen) {
		n := copy(p, s.seen[s.offset:])
		s.offset += n
		return n, nil
	}
	n, err := s.read(s.ctx, p)
	if !s.gone {
		if s.seen = append(s.seen, p[:n]...); len(s.seen) > s.most {
			s.gone, s.seen = true, nil
		}
	}
	s.offset += n
	return n, err
}

// Header returns the names of the columns of the first object of src that has a layout and is chosen by opt.Keys, in
// its order.
// What it reads of stdin for this comes again in Scan.
func Header(ctx context.Context, src Source, p *schema.Projection, opt Options) ([]string, error) {
	var first error
	for obj, err := range src.Objects(ctx) {
		var names []string
		if err == nil && !opt.Keys.Keep(obj.Name) {
			continue
		}
		if err == nil {
			names, err = headerOfObject(ctx, obj, p, opt)
		}
		if len(names) > 0 {
			return names, nil
		}
		if first == nil && err != nil {
			first = ObjectError{Object: obj.Name, Err: err}
		}
	}
	return nil, first
}

// headerOfObject reads an object up to its first block, which knows its layout.
func headerOfObject(ctx context.Context, obj Object, p *schema.Projection, opt Options) ([]string, error) {
	ctx, stop := context.WithCancelCause(context.WithValue(ctx, looking{}, true))
	defer stop(nil)
	opt.BlockSize, opt.Meter, opt.LogFormat = defaultBlockSize, new(Meter), opt.fields(opt.LogFormat)
	s := &scan{opt: opt, projection: p, stop: stop, layouts: make(map[string]*layout)}
	in := &input{scan: s, object: &object{Object: obj}, ctx: ctx, queue: make(chan *block)}
	done := make(chan error, 1)
	go func() { done <- in.read() }()
	select {
	case err := <-done:
		if l := in.current.Load(); l != nil { // there is nothing below the header
			return l.names, nil
		}
		return nil, err
	case b := <-in.queue:
		stop(nil)
		var names []string
		if b.start.layout != nil {
			names = b.start.layout.names
		}
		b.free(s) // or the reader of a Parquet file, which waits for its blocks, never ends
		<-done
		return names, nil
	}
}
