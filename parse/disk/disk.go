// Package disk is the file system behind everything that flowlog writes, and behind the files that it reads for
// reference. All writers go through it, so that a test can make any single operation of any of them fail.
//
// Files, each uses only those above it:
//
//	disk.go         operations, and what makes them fail
//	reference.go    files that are read whole
package disk

import (
	"io/fs"
	"os"
	"sync/atomic"
)

// fault is asked before each operation, if a test has set it.
var fault atomic.Pointer[func(op, name string) error]

// Inject is for tests: fail is called before each operation, from any goroutine, with what is done (create, open, read,
// write, sync, chmod, close, rename, link, remove, mkdir, list) and to which file. If it returns an error, the operation
// is not done and ends with that error; a write writes half, and a close closes. restore ends this.
func Inject(fail func(op, name string) error) (restore func()) {
	before := fault.Swap(&fail)
	return func() { fault.Store(before) }
}

// check returns the error that a test wants an operation to end with, as the system's errors are.
func check(op, name string) error {
	fail := fault.Load()
	if fail == nil {
		return nil
	}
	if err := (*fail)(op, name); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

// A File is an open file.
type File struct{ f *os.File }

// Create makes a file that must not be there yet. Its permissions are perm, less those that the umask forbids.
func Create(name string, perm fs.FileMode) (*File, error) {
	return openFile("create", name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
}

// OpenInPlace opens a device or a pipe to be written to. It waits for whoever reads a pipe.
func OpenInPlace(name string) (*File, error) { return openFile("open", name, os.O_WRONLY, 0) }

func openFile(op, name string, flag int, perm fs.FileMode) (*File, error) {
	if err := check(op, name); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// CreateTemp makes a file of an unused name, as os.CreateTemp does: only its owner can read it.
func CreateTemp(dir, pattern string) (*File, error) {
	if err := check("create", dir); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// Name is the name that the file was opened by.
func (f *File) Name() string { return f.f.Name() }

// Stat describes the file.
func (f *File) Stat() (fs.FileInfo, error) { return f.f.Stat() }

// Write appends to what was written.
func (f *File) Write(p []byte) (int, error) {
	if err := check("write", f.Name()); err != nil {
		n, _ := f.f.Write(p[:len(p)/2])
		return n, err
	}
	return f.f.Write(p)
}

// WriteAt writes at an offset, from any number of goroutines.
func (f *File) WriteAt(p []byte, offset int64) (int, error) {
	if err := check("write", f.Name()); err != nil {
		n, _ := f.f.WriteAt(p[:len(p)/2], offset)
		return n, err
	}
	return f.f.WriteAt(p, offset)
}

// ReadAt reads at an offset, from any number of goroutines.
func (f *File) ReadAt(p []byte, offset int64) (int, error) {
	if err := check("read", f.Name()); err != nil {
		return 0, err
	}
	return f.f.ReadAt(p, offset)
}

// Chmod changes the permissions.
func (f *File) Chmod(perm fs.FileMode) error {
	if err := check("chmod", f.Name()); err != nil {
		return err
	}
	return f.f.Chmod(perm)
}

// Sync returns when the content is on disk.
func (f *File) Sync() error {
	if err := check("sync", f.Name()); err != nil {
		return err
	}
	return f.f.Sync()
}

// Close closes the file, also where it returns an error.
func (f *File) Close() error {
	err := check("close", f.Name())
	if cerr := f.f.Close(); err == nil {
		err = cerr
	}
	return err
}

// Rename gives a file another name, and replaces the file that has it.
func Rename(from, to string) error {
	if err := check("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// Link gives a file one more name. It must be unused: the error is fs.ErrExist otherwise.
func Link(from, to string) error {
	if err := check("link", to); err != nil {
		return err
	}
	return os.Link(from, to)
}

// Remove removes a file.
func Remove(name string) error {
	if err := check("remove", name); err != nil {
		return err
	}
	return os.Remove(name)
}

// MkdirAll makes a directory and those above it, if they are not there.
func MkdirAll(name string) error {
	if err := check("mkdir", name); err != nil {
		return err
	}
	return os.MkdirAll(name, 0o777)
}

// ReadDir lists a directory.
func ReadDir(name string) ([]fs.DirEntry, error) {
	if err := check("list", name); err != nil {
		return nil, err
	}
	return os.ReadDir(name)
}
