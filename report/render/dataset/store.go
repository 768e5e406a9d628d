package dataset

import (
	"context"
	"io"
)

// A Store is the place of a dataset: a directory or a prefix of a bucket. Names have slashes, and are relative to it.
type Store interface {
	// Lock keeps other runs from writing, as far as the store can, until Unlock.
	Lock(context.Context) error
	Unlock() error
	// Empty reports whether nothing is there.
	Empty(context.Context) (bool, error)
	// List returns the names of the files below a folder without it, in their order.
	List(ctx context.Context, folder string) ([]string, error)
	// Read returns a file's content; the error is fs.ErrNotExist if there is none.
	Read(ctx context.Context, name string) ([]byte, error)
	// Write writes a small file, which appears whole. If it must be new, the error is fs.ErrExist where it is not.
	Write(ctx context.Context, name string, content []byte, mustBeNew bool) error
	// Create starts a file that no reader sees before Publish.
	Create(ctx context.Context, name string) (File, error)
	// Publish makes a sealed file appear. To do it again does no harm. The error is fs.ErrNotExist if there is neither
	// the sealed file nor the one that it became.
	Publish(ctx context.Context, name, seal string) error
	// Remove removes a file that everybody sees, Discard one that is sealed. It is no error if there is none.
	Remove(ctx context.Context, name string) error
	Discard(ctx context.Context, name, seal string) error
	// Sweep removes what Create started in runs that have ended, but for what has one of the seals.
	Sweep(ctx context.Context, seals []string) error
}

// A File is being written. It ends with Seal or Discard.
type File interface {
	io.Writer
	// Seal completes the file and returns by what Publish finds it, in this run or another.
	Seal() (string, error)
	Discard() error
}
