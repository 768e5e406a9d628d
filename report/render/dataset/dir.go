package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
)

// maxSmallFile is the largest file that Read reads. A manifest document is far smaller.
const maxSmallFile = 1 << 30

// tempEnd is the suffix of unpublished files.
const tempEnd = ".tmp"

// A Dir is a Store in a directory, which is created if it does not exist.
type Dir struct {
	root  string
	locks []*os.File
}

// NewDir returns the store in the directory.
func NewDir(root string) *Dir { return &Dir{root: root} }

func (d *Dir) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

// Lock creates the directory of unpublished files and locks it.
func (d *Dir) Lock(ctx context.Context) error {
	if info, err := os.Stat(d.root); err == nil && !info.IsDir() {
		return errors.New("is a file, not a directory")
	}
	if empty, err := d.Empty(ctx); err != nil || !empty {
		if err != nil {
			return err
		}
		if _, err := os.Stat(d.path(schema.ManifestFolder)); err != nil {
			return ErrNotOurs
		}
	}
	if err := disk.MkdirAll(d.path(schema.ManifestFolder)); err != nil {
		return err
	}
	// The lock file of format 1 is locked too, if it exists, against older versions of flowlog.
	for _, name := range []string{schema.ManifestFolder, path.Join(schema.ManifestFolder, legacyLock)} {
		f, err := os.Open(d.path(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			d.locks = append(d.locks, f)
			err = lock(f)
		}
		if err != nil {
			return errors.Join(err, d.Unlock())
		}
	}
	if err := d.sweepNew(ctx); err != nil {
		return errors.Join(err, d.Unlock())
	}
	return nil
}

// sweepNew removes the temporary files of a run that was killed before its first document. Without a document no
// temporary file belongs to a commit, and Sweep is not called.
func (d *Dir) sweepNew(ctx context.Context) error {
	names, err := d.List(ctx, schema.ManifestFolder)
	if err != nil || len(names) > 0 {
		return err
	}
	return d.Sweep(ctx, nil)
}

// Unlock keeps the folder: removing it while another run waits would give each a lock of its own.
func (d *Dir) Unlock() (err error) {
	for _, f := range d.locks {
		err = errors.Join(err, f.Close())
	}
	d.locks = nil
	return err
}

// Empty ignores the manifest's folder, which Lock has created, and hidden files.
func (d *Dir) Empty(context.Context) (bool, error) {
	entries, err := disk.ReadDir(d.root)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() != schema.ManifestFolder && !strings.HasPrefix(e.Name(), ".")
	}), err
}

// List omits unpublished files.
func (d *Dir) List(_ context.Context, folder string) (names []string, err error) {
	root := d.path(folder)
	err = filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if rel, err := filepath.Rel(root, name); err == nil && e.Type().IsRegular() && !strings.HasSuffix(name, tempEnd) {
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return names, err
}

func (d *Dir) Read(_ context.Context, name string) ([]byte, error) {
	return disk.Read(d.path(name), maxSmallFile)
}

func (d *Dir) Write(_ context.Context, name string, content []byte, mustBeNew bool) (err error) {
	if err := disk.MkdirAll(filepath.Dir(d.path(name))); err != nil {
		return err
	}
	f, err := disk.CreateTemp(d.path(schema.ManifestFolder), "*"+tempEnd)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		if !mustBeNew {
			err = disk.Rename(f.Name(), d.path(name))
		} else if err = disk.Link(f.Name(), d.path(name)); err != nil && !errors.Is(err, fs.ErrExist) {
			// a file system without hard links: only the lock protects
			if _, err = os.Lstat(d.path(name)); err == nil {
				err = fs.ErrExist
			} else {
				err = disk.Rename(f.Name(), d.path(name))
			}
		}
	}
	if rerr := disk.Remove(f.Name()); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(d.path(name)))
}

// syncDir flushes a directory's entries to disk. It ignores file systems that cannot, and so need not.
func syncDir(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	_ = f.Sync()
	return f.Close()
}

func (d *Dir) Create(context.Context, string) (File, error) {
	f, err := disk.CreateTemp(d.path(schema.ManifestFolder), "*"+tempEnd)
	if err != nil {
		return nil, err
	}
	return &dirFile{f}, nil
}

type dirFile struct{ *disk.File }

// Seal flushes the file to disk, so that a commit has its files after a power loss too, and returns its name.
func (f *dirFile) Seal() (string, error) {
	err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		err = errors.Join(err, disk.Remove(f.Name()))
	}
	return filepath.Base(f.Name()), err
}

func (f *dirFile) Discard() error { return errors.Join(f.Close(), disk.Remove(f.Name())) }

func (d *Dir) Publish(_ context.Context, name, seal string) error {
	from, err := sealedName(seal)
	if err != nil {
		return err
	}
	to := d.path(name)
	if err := disk.MkdirAll(filepath.Dir(to)); err != nil {
		return err
	}
	err = disk.Rename(d.path(from), to)
	if errors.Is(err, fs.ErrNotExist) {
		if _, serr := os.Stat(to); serr == nil {
			return nil
		}
	}
	return err
}

func (d *Dir) Remove(_ context.Context, name string) error {
	if err := disk.Remove(d.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *Dir) Discard(ctx context.Context, _, seal string) error {
	name, err := sealedName(seal)
	if err != nil {
		return err
	}
	return d.Remove(ctx, name)
}

// sealedName returns the file of a seal. It rejects any text that Seal does not produce: in a damaged manifest it could
// name a document, or the whole folder.
func sealedName(seal string) (string, error) {
	if seal != filepath.Base(seal) || !strings.HasSuffix(seal, tempEnd) {
		return "", fmt.Errorf("the manifest is damaged: %q is not the name of a file that is being written", seal)
	}
	return schema.ManifestFolder + "/" + seal, nil
}

func (d *Dir) Sweep(_ context.Context, seals []string) error {
	left, err := disk.ReadDir(d.path(schema.ManifestFolder))
	if err != nil {
		return err
	}
	for _, e := range left {
		if !strings.HasSuffix(e.Name(), tempEnd) || slices.Contains(seals, e.Name()) {
			continue
		}
		if err := disk.Remove(d.path(schema.ManifestFolder + "/" + e.Name())); err != nil {
			return fmt.Errorf("left by an interrupted run: %w", err)
		}
	}
	return nil
}
