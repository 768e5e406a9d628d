package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"flowlog/parse/schema"
)

// A manifest is the content of the documents of a dataset.
type manifest struct {
	settings  Settings
	commits   []numbered
	published int64
	legacy    bool     // format 1
	stale     []string // files of format 1 that are to be removed
}

type numbered struct {
	Commit
	number int64
}

// published has the number of the last commit whose files have appeared.
type published struct {
	Commits int64 `json:"commits"`
}

// load reads the manifest of a store, nil if there is none. Format 1 lacks the kinds of columns and takes them from the
// known ones.
func load(ctx context.Context, store Store, known []Column) (*manifest, error) {
	names, err := store.List(ctx, schema.ManifestFolder)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(names, func(name string) bool { return path.Base(name) == settingsFile })
	if i < 0 {
		return loadLegacy(ctx, store, names, known)
	}
	m := &manifest{}
	folder := path.Dir(names[i])
	var commits []string
	for _, name := range names {
		switch {
		case isLegacy(name):
			m.stale = append(m.stale, name)
		case path.Dir(name) == folder && strings.HasPrefix(path.Base(name), commitPrefix):
			commits = append(commits, name)
		}
	}
	if err := document(ctx, store, names[i], &m.settings); err != nil {
		return nil, err
	}
	if have := m.settings.Format; have > format {
		return nil, fmt.Errorf("the manifest is of format %d, which a later flowlog wrote; this one knows %d", have, format)
	}
	if err := m.read(ctx, store, commits, document); err != nil {
		return nil, err
	}
	var p published
	err = document(ctx, store, path.Join(folder, publishedFile), &p)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	m.published = p.Commits
	return m, cmp.Or(err, m.whole())
}

// errLost is the error for a manifest that lacks a commit. To continue without it would read its inputs again and
// duplicate their records.
var errLost = errors.New("is missing: restore it from a backup, or begin another dataset")

// whole checks that no commit is missing: they are numbered from 1, and include the last published one.
func (m *manifest) whole() error {
	last := int64(0)
	for _, c := range append(slices.Clip(m.commits), numbered{number: m.published + 1}) {
		if c.number > last+1 {
			return fmt.Errorf("%s/%s %w", manifestFolder(m.settings.PartitionBy), fmt.Sprintf(commitForm, last+1), errLost)
		}
		last = c.number
	}
	return nil
}

// readTries is how often a manifest that lacks a commit is read again: a run may publish one after the listing.
const readTries = 3

// Read returns the commits of the dataset in a store, and the files of an incomplete commit, without writing. Both are
// nil if there is no dataset.
func Read(ctx context.Context, store Store) (commits []Commit, open []Part, err error) {
	var m *manifest
	for range readTries {
		if m, err = load(ctx, store, nil); !errors.Is(err, errLost) {
			break
		}
	}
	if m == nil || err != nil {
		return nil, nil, err
	}
	for _, c := range m.commits {
		if c.number <= m.published {
			commits = append(commits, c.Commit)
		} else {
			open = append(open, c.Parts...)
		}
	}
	return commits, open, nil
}

// document reads one document.
func document(ctx context.Context, store Store, name string, v any) error {
	content, err := store.Read(ctx, path.Join(schema.ManifestFolder, name))
	if err == nil {
		err = decode(content, v)
	}
	if err != nil {
		err = fmt.Errorf("%s/%s: %w", schema.ManifestFolder, name, err)
	}
	return err
}

// read reads the commits of these names.
func (m *manifest) read(ctx context.Context, store Store, names []string, one func(context.Context, Store, string, any) error) error {
	m.commits = make([]numbered, len(names))
	errs := make([]error, len(names))
	slots := make(chan struct{}, commitsAtATime)
	var all sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if m.commits[i].number, errs[i] = commitNumber(name); errs[i] == nil {
				errs[i] = one(ctx, store, name, &m.commits[i].Commit)
			}
			for _, p := range m.commits[i].Parts {
				if !fs.ValidPath(p.Name) {
					errs[i] = errors.Join(errs[i], fmt.Errorf("%s/%s: %q is not the name of a file in a dataset", schema.ManifestFolder, name, p.Name))
				}
			}
		})
	}
	all.Wait()
	slices.SortFunc(m.commits, func(a, b numbered) int { return int(a.number - b.number) })
	return errors.Join(errs...)
}

// settle converts a manifest to the current format. A run that is killed in between leaves the old one or both; the new
// one counts as soon as it has settings.
func (m *manifest) settle(ctx context.Context, store Store) error {
	folder := manifestFolder(m.settings.PartitionBy)
	write := func(name string, v any) error {
		content, err := encode(v, m.settings.Columns)
		if err != nil {
			return err
		}
		return store.Write(ctx, path.Join(folder, name), content, false)
	}
	if m.legacy {
		for _, c := range m.commits {
			if err := write(fmt.Sprintf(commitForm, c.number), c.Commit); err != nil {
				return err
			}
		}
		if err := write(publishedFile, published{m.published}); err != nil {
			return err
		}
		if err := write(settingsFile, m.settings); err != nil {
			return err
		}
	}
	for _, name := range m.stale {
		if err := store.Remove(ctx, path.Join(schema.ManifestFolder, name)); err != nil {
			return err
		}
	}
	return nil
}
