package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dustin/go-humanize"
)

// A reference is a file that is read to its end, and of which no more than most bytes are.
type reference struct {
	f    *os.File
	name string
	most int64
	left int64
}

// Open opens a file that is read as a whole before or beside the records: a table, a list, settings, rules. It never
// waits for somebody to write it, so it takes no pipe, device or directory, unless the file is one of those that the
// process was started with (/dev/stdin, or /dev/fd/63 for <(command)), or the null device. A file of more than most
// bytes is an error: at once if its size tells, or else of Read. Errors are *fs.PathError.
func Open(name string, most int64) (io.ReadCloser, error) {
	f, err := openNow(name)
	if err != nil {
		return nil, err
	}
	r := &reference{f, name, most, most}
	if err := r.check(); err != nil {
		_ = f.Close() // nothing was read
		return nil, err
	}
	return r, nil
}

// openNow opens a file to be read, and does not wait for the other end of a pipe.
func openNow(name string) (*os.File, error) {
	if err := check("open", name); err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// check returns what is wrong with the file before anything is read.
func (r *reference) check() error {
	info, err := r.f.Stat()
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsRegular() && info.Size() > r.most:
		return r.tooLarge()
	case !mode.IsRegular() && (mode.IsDir() || !handed(r.name)):
		return &fs.PathError{Op: "open", Path: r.name, Err: errors.New(kindOf(mode))}
	}
	return nil
}

// Read returns the content of a file that Open opens.
func Read(name string, most int64) ([]byte, error) {
	r, err := Open(name, most)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return content, err
}

// Regular returns an error unless a file can be opened and is a regular one, for readers that map it into memory.
func Regular(name string) error {
	f, err := openNow(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing is read
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New(kindOf(info.Mode()))}
	}
	return err
}

// handed reports whether a name stands for a file that the process was started with, or for the null device.
func handed(name string) bool {
	name = filepath.Clean(name)
	if name == "/dev/stdin" || name == os.DevNull || strings.HasPrefix(name, "/dev/fd/") {
		return true
	}
	return strings.HasPrefix(name, "/proc/") && strings.Contains(name, "/fd/")
}

// kindOf says what a file is that is not a regular one, and what to do.
func kindOf(mode fs.FileMode) string {
	kind := "a special file"
	switch {
	case mode.IsDir():
		return "is a directory"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	}
	return "is not a file but " + kind + ": name a regular file"
}

func (r *reference) tooLarge() error {
	return &fs.PathError{Op: "read", Path: r.name, Err: fmt.Errorf("is larger than %s, the most that is read of such a file", humanize.IBytes(uint64(r.most)))}
}

func (r *reference) Read(p []byte) (int, error) {
	if err := check("read", r.name); err != nil {
		return 0, err
	}
	if r.left < 0 {
		return 0, r.tooLarge()
	}
	if int64(len(p)) > r.left+1 {
		p = p[:r.left+1]
	}
	n, err := r.f.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return n - 1, r.tooLarge()
	}
	return n, err
}

func (r *reference) Close() error { return r.f.Close() }
