package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"flowlog/parse/s3"
)

// An outFile is a file or an object in S3 that appears under its name only when it is complete. It ends with commit or
// discard; what comes after that does nothing.
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

func newOutFile(name string) (*outFile, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return nil, fmt.Errorf("%s: is a directory", name)
		}
		f, err := os.OpenFile(name, os.O_WRONLY, 0) // a device or pipe is written in place
		if err != nil {
			return nil, err
		}
		return &outFile{Writer: f, name: name, complete: f.Close, remove: f.Close}, nil
	}
	for n := 0; ; n++ {
		f, err := os.OpenFile(fmt.Sprintf("%s.%d-%d.tmp", name, os.Getpid(), n), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return tempFile(f, name), nil
		}
		if !os.IsExist(err) || n == 100 {
			return nil, fmt.Errorf("cannot write %s: %w", name, errors.Unwrap(err))
		}
	}
}

// tempFile is a file that is going to have another name.
func tempFile(f *os.File, name string) *outFile {
	info, _ := f.Stat()
	return &outFile{
		Writer: f, name: name, info: info,
		complete: func() error {
			err := f.Close()
			if err == nil {
				err = os.Rename(f.Name(), name)
			}
			if err != nil {
				err = errors.Join(err, os.Remove(f.Name()))
			}
			return err
		},
		remove: func() error { return errors.Join(f.Close(), os.Remove(f.Name())) },
	}
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
