// Package dataset writes records as a partitioned dataset: Parquet files in Hive-style folders (day=2026-05-14), as
// Athena, Trino, Spark, DuckDB and pyarrow read them.
//
//	schema.Batch → rows by partition → sorted runs, spilled if memory is short → merged → files → commit
//
// The manifest, a folder of commits, lists the content of the dataset. A commit names inputs and exactly the files with
// their records. It is written after all bytes of its files are safe under names that readers ignore, and before the
// files appear under their own names. So a run that is killed at any point leaves complete commits, at most one that
// can be completed, and invisible files. Open completes the commit and removes the files; committed inputs are never
// read again. For readers that list the manifest's folder too, its files are Parquet without rows: see document.go.
package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io/fs"
	"path"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// An Input is an object with records in the dataset.
type Input struct {
	Name    string `json:"name"` // the same for copies, see parse.Identity
	Size    int64  `json:"size"`
	Version string `json:"version,omitempty"`
}

// Part is one file of the dataset.
type Part struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
	Size int64  `json:"size"`
	Seal string `json:"seal"`
	Sum  string `json:"crc32,omitempty"` // of all bytes, see Checksum; "" if an earlier flowlog wrote the file
}

// Checksum returns the hash of Part.Sum, which is its SumText.
func Checksum() hash.Hash32 { return crc32.NewIEEE() }

// SumText formats a checksum as manifests have it: CRC-32 (IEEE) in hexadecimal digits.
func SumText(sum hash.Hash32) string { return fmt.Sprintf("%08x", sum.Sum32()) }

// A Helper is a file that enriched the records: a database or a table.
type Helper struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// A Commit names inputs and exactly the files with their records.
type Commit struct {
	Inputs  []Input  `json:"inputs"`
	Parts   []Part   `json:"files"`
	Columns []Column `json:"columns,omitempty"`       // added by this commit
	Helpers []Helper `json:"enriched_with,omitempty"` // of this commit
}

// A Dataset is a dataset that is open for writing.
type Dataset struct {
	store     Store
	settings  Settings
	folder    string   // of the documents
	unwritten bool     // the settings document does not exist yet
	replaces  bool     // it will replace an older one
	columns   []Column // of the files of all commits
	done      map[string]Input
	commits   int64 // number of the last commit
	published int64 // number of the last commit whose files have appeared
}

const (
	errOtherRun    = "another run is writing to this dataset: one at a time can"
	commitsAtATime = 16 // concurrent reads of commits: S3 takes some 30 ms for each
)

// ErrNotOurs is the error of Open for a folder that is not empty and has no manifest.
var ErrNotOurs error = schema.Wordsf("there are files, and no manifest of flowlog's among them: name a place that is empty or was written by %s", schema.Opt("partition-by"))

// Open opens or creates a dataset for writing. It completes the commit of an interrupted run and removes files that
// belong to no commit. The settings' columns need only be valid; Extend decides which the files have.
func Open(ctx context.Context, store Store, s Settings) (_ *Dataset, err error) {
	s.Format = format
	d := &Dataset{store: store, settings: s, folder: manifestFolder(s.PartitionBy), done: make(map[string]Input)}
	if err := store.Lock(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, store.Unlock())
		}
	}()
	m, err := load(ctx, store, s.Columns)
	if err != nil {
		return nil, err
	}
	if m == nil {
		d.unwritten = true
		return d, d.vacant(ctx)
	}
	if m.legacy { // whose documents did not say what they are
		m.settings.Doc = s.Doc
	}
	if err := m.settle(ctx, store); err != nil {
		return nil, err
	}
	if err := m.settings.agree(s); err != nil {
		if len(m.commits) > 0 {
			return nil, err
		}
		d.unwritten, d.replaces = true, true // no row depends on the old settings
		return d, store.Sweep(ctx, nil)
	}
	d.settings, d.columns, d.published = m.settings, m.settings.Columns, m.published
	var last Commit
	for _, c := range m.commits {
		d.commits, last = c.number, c.Commit
		d.record(last)
	}
	return d, d.recover(ctx, last)
}

func (d *Dataset) vacant(ctx context.Context) error {
	empty, err := d.store.Empty(ctx)
	if err == nil && !empty {
		err = ErrNotOurs
	}
	return err
}

// begin writes the settings document, if it does not exist yet.
func (d *Dataset) begin(ctx context.Context, columns []Column) error {
	if !d.unwritten {
		return nil
	}
	d.settings.Columns = columns
	if d.replaces {
		if err := d.clear(ctx); err != nil {
			return err
		}
	}
	err := d.write(ctx, settingsFile, d.settings, true)
	if errors.Is(err, fs.ErrExist) {
		return errors.New(errOtherRun)
	}
	if err == nil {
		d.unwritten, d.replaces, d.columns = false, false, columns
	}
	return err
}

// clear removes the documents of a dataset that has no commit.
func (d *Dataset) clear(ctx context.Context) error {
	names, err := d.store.List(ctx, schema.ManifestFolder)
	for _, name := range names {
		if err == nil {
			err = d.store.Remove(ctx, path.Join(schema.ManifestFolder, name))
		}
	}
	return err
}

// write writes a document.
func (d *Dataset) write(ctx context.Context, name string, v any, mustBeNew bool) error {
	content, err := encode(v, d.settings.Columns)
	if err != nil {
		return err
	}
	return d.store.Write(ctx, path.Join(d.folder, name), content, mustBeNew)
}

// unchanged checks before the first commit that no other run has replaced the settings, which can happen on a store
// without locks.
func (d *Dataset) unchanged(ctx context.Context) error {
	if d.commits > 0 {
		return nil
	}
	var have Settings
	content, err := d.store.Read(ctx, path.Join(d.folder, settingsFile))
	if err == nil {
		err = decode(content, &have)
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && (have.agree(d.settings) != nil || !slices.Equal(have.Columns, d.settings.Columns)) {
		err = errors.New(errOtherRun)
	}
	return err
}

// record adds a commit to the state in memory.
func (d *Dataset) record(c Commit) {
	for _, in := range c.Inputs {
		d.done[in.Name] = in
	}
	d.columns = append(slices.Clip(d.columns), c.Columns...)
}

// recover completes the last commit. If its files are gone, because somebody cleaned up, it rolls the commit back, and
// its inputs are read again.
func (d *Dataset) recover(ctx context.Context, last Commit) error {
	if d.published >= d.commits {
		return d.store.Sweep(ctx, nil)
	}
	var seals []string
	for _, p := range last.Parts {
		seals = append(seals, p.Seal)
	}
	if err := d.store.Sweep(ctx, seals); err != nil {
		return err
	}
	err := d.publish(ctx, last.Parts)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, p := range last.Parts {
		if err := errors.Join(d.store.Remove(ctx, p.Name), d.store.Discard(ctx, p.Name, p.Seal)); err != nil {
			return err
		}
	}
	for _, in := range last.Inputs {
		delete(d.done, in.Name)
	}
	d.columns = d.columns[:len(d.columns)-len(last.Columns)]
	name := path.Join(d.folder, fmt.Sprintf(commitForm, d.commits))
	d.commits--
	return d.store.Remove(ctx, name)
}

func (d *Dataset) publish(ctx context.Context, parts []Part) error {
	for _, p := range parts {
		if err := d.store.Publish(ctx, p.Name, p.Seal); err != nil {
			return err
		}
	}
	d.published = d.commits
	return d.write(ctx, publishedFile, published{d.published}, false)
}

// Done returns the committed version of an input.
func (d *Dataset) Done(name string) (Input, bool) {
	in, ok := d.done[name]
	return in, ok
}

// commit commits the inputs with their sealed parts, then publishes the parts.
func (d *Dataset) commit(ctx context.Context, c Commit) error {
	slices.SortFunc(c.Parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	content, err := encode(c, d.settings.Columns)
	if err != nil {
		return err
	}
	if err := d.unchanged(ctx); err != nil {
		return errors.Join(err, d.drop(ctx, c.Parts))
	}
	// Not cancelled from here on: a half-published commit would stay so until the next run.
	ctx = context.WithoutCancel(ctx)
	name := path.Join(d.folder, fmt.Sprintf(commitForm, d.commits+1))
	if err = d.store.Write(ctx, name, content, true); err != nil {
		// the commit may exist after all: the answer was lost, or a retry was refused
		there, rerr := d.store.Read(ctx, name)
		switch {
		case rerr == nil && bytes.Equal(there, content):
		case rerr == nil:
			return errors.Join(errors.New(errOtherRun), d.drop(ctx, c.Parts))
		case errors.Is(rerr, fs.ErrNotExist):
			return errors.Join(err, d.drop(ctx, c.Parts))
		default: // unknown: the next run finds out
			return err
		}
	}
	d.commits++
	d.record(c)
	return d.publish(ctx, c.Parts)
}

// drop removes sealed files that will not be published.
func (d *Dataset) drop(ctx context.Context, parts []Part) (err error) {
	for _, p := range parts {
		err = errors.Join(err, d.store.Discard(context.WithoutCancel(ctx), p.Name, p.Seal))
	}
	return err
}

// Close releases the lock.
func (d *Dataset) Close() error { return d.store.Unlock() }
