package parse

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
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
	// Found is set for an object of a listing, which the user did not name.
	Found bool
	Open  func(context.Context) (io.ReadCloser, error)
}

// A Source lists objects in their order. An error comes with an Object that has just the name of what could not be listed;
// the objects after it still come. If the number of missing objects is not known, the error is a *ListingError.
type Source interface {
	Objects(context.Context) iter.Seq2[Object, error]
}

// Paths is the Source of command-line arguments: files, directories (recursive, in the order of their
// names, without hidden files and the manifest of a dataset), globs with *, ?, [], {} and **, and "-" for stdin. Of a
// dataset that lies below one of them nothing comes: it is a Passer.
func Paths(stdin io.Reader, args ...string) Source {
	return &paths{args: args, stdin: &replay{r: stdin}}
}

type paths struct {
	args  []string
	stdin *replay

	mu  sync.Mutex
	out []PassedOver
}

// PassedOver returns the datasets below directories and globs.
func (p *paths) PassedOver() []PassedOver {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.out)
}

func (p *paths) leaveOut(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := NestedDataset(name); !slices.Contains(p.out, l) {
		p.out = append(p.out, l)
	}
}

// isDataset reports whether a directory is one that parse --partition-by writes.
func isDataset(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, schema.ManifestFolder))
	return err == nil && info.IsDir()
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
		return p.glob(arg, yield)
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
			more = yield(Object{Name: name}, &ListingError{reason(err)})
		case name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == schema.ManifestFolder):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir() && name != root && isDataset(name):
			p.leaveOut(name)
			return fs.SkipDir
		case d.Type().IsRegular():
			more = yield(foundFile(name), nil)
		case d.Type()&fs.ModeSymlink != 0:
			if info, err := os.Stat(name); err != nil {
				more = yield(Object{Name: name}, reason(err))
			} else if info.Mode().IsRegular() {
				more = yield(foundFile(name), nil)
			}
		}
		if !more {
			return fs.SkipAll
		}
		return nil
	})
	return more
}

// glob yields the files that match a pattern. Directories that cannot be read are passed over, and the first is named.
func (p *paths) glob(pattern string, yield func(Object, error) bool) bool {
	matches, err := doublestar.FilepathGlob(pattern, doublestar.WithFilesOnly(), doublestar.WithFailOnIOErrors())
	switch path := (*fs.PathError)(nil); {
	case err == nil && len(matches) == 0:
		return yield(Object{Name: pattern}, errors.New("no file matches"))
	case errors.Is(err, doublestar.ErrBadPattern):
		return yield(Object{Name: pattern}, fs.ErrNotExist)
	case err == nil:
		return p.matches(pattern, matches, yield)
	case errors.As(err, &path) && !errors.Is(err, syscall.ELOOP): // a circle of links holds nothing
		base, _ := doublestar.SplitPattern(filepath.ToSlash(pattern))
		if !yield(Object{Name: filepath.Join(base, path.Path)}, &ListingError{reason(err)}) {
			return false
		}
	}
	if matches, err = doublestar.FilepathGlob(pattern, doublestar.WithFilesOnly()); err != nil {
		return yield(Object{Name: pattern}, &ListingError{reason(err)})
	}
	return p.matches(pattern, matches, yield)
}

// matches yields the files that match a glob, without those of datasets that the glob does not name.
func (p *paths) matches(pattern string, names []string, yield func(Object, error) bool) bool {
	nested := make(map[string]string) // by directory, the dataset that it is in, or ""
	var dataset func(dir string) string
	dataset = func(dir string) string {
		root, ok := nested[dir]
		if !ok {
			if isDataset(dir) && !Names(filepath.ToSlash(pattern), filepath.ToSlash(dir)) {
				root = dir
			} else if up := filepath.Dir(dir); up != dir {
				root = dataset(up)
			}
			nested[dir] = root
		}
		return root
	}
	for _, name := range names {
		if _, ok := InManifest(filepath.ToSlash(name)); ok {
			continue
		}
		if root := dataset(filepath.Dir(name)); root != "" {
			p.leaveOut(root)
			continue
		}
		if !yield(foundFile(name), nil) {
			return false
		}
	}
	return true
}

// foundFile is a file that a listing found.
func foundFile(name string) Object {
	o := file(name)
	o.Found = true
	return o
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

// reason is the error of a file without the file's name, which messages have in front already.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// replay lets stdin be read twice, once for its header and once for its records, as long as all that was read is
// remembered.
type replay struct {
	r    io.Reader
	seen []byte
	gone bool // too much was read to remember it

	pending *stdinRead // nil if none was started, or its data is used up
	buffer  []byte
}

// replayable is the number of bytes of stdin that are remembered when it is read, and lookedAt when only its header is read,
// for which findShape may read that far.
const (
	replayable = 1 << 20
	lookedAt   = 2 * longestRecord
)

// looking marks a context in which only a header is read.
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

// read returns when ctx ends, since a read of a pipe or terminal can last forever. Data that arrives later is for the next
// read.
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
