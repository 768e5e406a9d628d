package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"flowlog/parse/disk"
	"flowlog/parse/s3"
)

// An outFile is a file or an object in S3 that appears under its name only when it is complete. It ends with commit or
// discard; later calls do nothing.
type outFile struct {
	io.Writer
	name     string
	info     fs.FileInfo // of what is written to, nil if that is no regular file
	complete func() error
	remove   func() error
	ended    bool
}

// create starts a file.
func (con *console) create(name string) (*outFile, error) {
	open := newOutFile
	if strings.HasPrefix(name, "s3://") {
		open = con.upload
	}
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	if err := con.written.add(f); err != nil {
		return nil, errors.Join(err, f.discard())
	}
	con.mu.Lock()
	defer con.mu.Unlock()
	con.files = append(con.files, f)
	return f, nil
}

// reach lets create write to S3.
func (con *console) reach(ctx context.Context, opt s3.Options) {
	con.upload = func(name string) (*outFile, error) { return newUpload(ctx, opt, name) }
}

// newOutFile starts a file on this machine. A file that it replaces passes its permissions on, from the first byte, and
// a symbolic link to that file stays one.
func newOutFile(name string) (*outFile, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil: // mostly it is not there; if there is more to it, creating it says what
		return startBeside(name, name, nil)
	case info.IsDir():
		return nil, fmt.Errorf("%s: is a directory", name)
	case info.Mode().IsRegular():
		goal, err := filepath.EvalSymlinks(name)
		if err != nil {
			return nil, cannotWrite(name, err)
		}
		return startBeside(name, goal, info)
	}
	f, err := disk.OpenInPlace(name) // a device or pipe
	if err != nil {
		return nil, cannotWrite(name, err)
	}
	return &outFile{Writer: f, name: name, complete: f.Close, remove: f.Close}, nil
}

// tempTries is the number of names of temporary files that may be in use already.
const tempTries = 100

// startBeside starts a temporary file next to the goal, whose name it gets when it is complete. name is the user's name for
// the goal, and old is the file that it replaces, or nil.
func startBeside(name, goal string, old fs.FileInfo) (*outFile, error) {
	perm := fs.FileMode(0o666)
	if old != nil {
		perm = old.Mode().Perm()
	}
	for n := 0; ; n++ {
		f, err := disk.Create(fmt.Sprintf("%s.%d-%d.tmp", goal, os.Getpid(), n), perm)
		if errors.Is(err, fs.ErrExist) && n < tempTries {
			continue
		}
		if err != nil {
			return nil, cannotWrite(name, err)
		}
		t := tempFile{f, name, goal}
		out := &outFile{Writer: t, name: name, complete: t.complete, remove: t.remove}
		if out.info, err = f.Stat(); err == nil && old != nil && out.info.Mode().Perm() != perm {
			err = f.Chmod(perm) // which the umask has cut
		}
		if err != nil {
			return nil, errors.Join(cannotWrite(name, err), out.discard())
		}
		return out, nil
	}
}

// A tempFile replaces the file of another name when it is complete.
type tempFile struct {
	*disk.File
	name, goal string
}

func (t tempFile) Write(p []byte) (int, error) {
	n, err := t.File.Write(p)
	return n, cannotWrite(t.name, err)
}

func (t tempFile) complete() error {
	err := t.Close()
	if err == nil {
		err = disk.Rename(t.Name(), t.goal)
	}
	if err != nil {
		return errors.Join(cannotWrite(t.name, err), disk.Remove(t.Name()))
	}
	return nil
}

func (t tempFile) remove() error { return errors.Join(t.Close(), disk.Remove(t.Name())) }

// cannotWrite is the error of an operation on an output, or on its temporary file, under the user's name for it.
func cannotWrite(name string, err error) error {
	var link *os.LinkError
	var path *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &link):
		err = link.Err
	case errors.As(err, &path):
		err = path.Err
	}
	return fmt.Errorf("cannot write %s: %w", name, err)
}

// newUpload starts an object in S3. It goes on when ctx ends: an interrupted run may have something to write.
func newUpload(ctx context.Context, opt s3.Options, url string) (*outFile, error) {
	i := strings.LastIndexByte(url, '/')
	if i < len("s3://x") || i == len(url)-1 || strings.ContainsAny(url, "*?[{") {
		return nil, usageError{fmt.Errorf("-O %s names no object: write s3://BUCKET/NAME", url)}
	}
	client, err := s3.Connect(ctx, opt)
	if err != nil {
		return nil, err
	}
	folder, err := client.Folder(url[:i])
	if err != nil {
		return nil, usageError{err}
	}
	ctx = context.WithoutCancel(ctx)
	u, err := folder.Create(ctx, url[i+1:])
	if err != nil {
		return nil, err
	}
	return &outFile{
		Writer: u, name: url,
		complete: func() error {
			seal, err := u.Seal()
			if err != nil {
				return err
			}
			return folder.Publish(ctx, url[i+1:], seal)
		},
		remove: u.Discard,
	}, nil
}

// commit completes the file.
func (f *outFile) commit() error {
	if f.ended {
		return nil
	}
	f.ended = true
	return f.complete()
}

// discard removes what there is of the file.
func (f *outFile) discard() error {
	if f.ended {
		return nil
	}
	f.ended = true
	return f.remove()
}
