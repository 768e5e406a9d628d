package dataset

import (
	"context"
	"io"
)

// A Store holds the files of a dataset: a directory or a prefix of a bucket. Names use slashes and are relative to it.
type Store interface {
	// Lock excludes other writers until Unlock, as far as the store supports it.
	Lock(context.Context) error
	Unlock() error
	// Empty reports whether the store has no files.
	Empty(context.Context) (bool, error)
	// List returns the names of the files below a folder, relative to it, in order.
	List(ctx context.Context, folder string) ([]string, error)
	// Read returns a file's content; the error is fs.ErrNotExist if there is none.
	Read(ctx context.Context, name string) ([]byte, error)
	// Write writes a small file atomically. If it must be new and exists, the error is fs.ErrExist.
	Write(ctx context.Context, name string, content []byte, mustBeNew bool) error
	// Create starts a file that is invisible to readers until Publish.
	Create(ctx context.Context, name string) (File, error)
	// Publish makes a sealed file visible. It is idempotent. The error is fs.ErrNotExist if there is neither the sealed
	// nor the published file.
	Publish(ctx context.Context, name, seal string) error
	// Remove removes a visible file, Discard a sealed one. A file that does not exist is no error.
	Remove(ctx context.Context, name string) error
	Discard(ctx context.Context, name, seal string) error
	// Sweep removes the invisible files of earlier runs, except those with one of the seals.
	Sweep(ctx context.Context, seals []string) error
}

// A File is being written. It ends with Seal or Discard.
type File interface {
	io.Writer
	// Seal completes the file and returns its handle for Publish, which is valid in later runs too.
	Seal() (string, error)
	Discard() error
}
