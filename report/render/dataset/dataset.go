// Package dataset writes records as a partitioned dataset: Parquet files in folders that are named for what all
// records in them share, as Hive began it and Athena, Trino, Spark, DuckDB and pyarrow read it.
//
//	schema.Batch → rows by partition → sorted runs, on disk if need be → merged → files → commit
//
// What is in the dataset stands in its manifest, a folder of commits. A commit names inputs and the files that
// hold their records, and no others. It is written before its files appear, when all of each is safe under
// a name that no reader looks at: so a run that ends anywhere, by whatever cause, leaves commits that are whole or can
// be completed, and files that nobody has seen. Open does so, and then what is committed is never read again.
// Readers that look into the manifest's folder too find Parquet files without rows there: see document.go.
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

// An Input is an object whose records are in the dataset.
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

// Checksum begins the checksum of a file: what Part.Sum has is the SumText of it.
func Checksum() hash.Hash32 { return crc32.NewIEEE() }

// SumText writes a checksum as manifests do: CRC-32 of IEEE in hexadecimal digits.
func SumText(sum hash.Hash32) string { return fmt.Sprintf("%08x", sum.Sum32()) }

// A Helper is a file that records were enriched with: a database or a table.
type Helper struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// A Commit names inputs, and the files that hold their records and no others.
type Commit struct {
	Inputs  []Input  `json:"inputs"`
	Parts   []Part   `json:"files"`
	Columns []Column `json:"columns,omitempty"`       // that the commits before do not have
	Helpers []Helper `json:"enriched_with,omitempty"` // in this commit
}

// A Dataset is open for writing.
type Dataset struct {
	store     Store
	settings  Settings
	folder    string   // of the documents
	fresh     bool     // the settings are not written yet
	anew      bool     // they replace others
	columns   []Column // of the files of all commits
	done      map[string]Input
	commits   int64 // the number of the last one
	published int64 // likewise
}

const (
	errOtherRun    = "another run is writing to this dataset: one at a time can"
	commitsAtATime = 16 // are read: a bucket takes some 30 ms for each
)

// ErrNotOurs is the error of Open where something is that has no manifest.
var ErrNotOurs error = schema.Wordsf("there are files, and no manifest of flowlog's among them: name a place that is empty or was written by %s", schema.Opt("partition-by"))

// Open begins a dataset, or goes on with one: it completes the commit that was under way when the last run ended,
// and removes what belongs to none. The columns of the settings need only be known ones: which the files have is said
// later, see Extend.
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
		d.fresh = true
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
		d.fresh, d.anew = true, true // no row is there that the settings have decided on
		return d, store.Sweep(ctx, nil)
	}
	d.settings, d.columns, d.published = m.settings, m.settings.Columns, m.published
	var last Commit
	for _, c := range m.commits {
		d.commits, last = c.number, c.Commit
		d.add(last)
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

// begin writes the settings, if they are not there yet.
func (d *Dataset) begin(ctx context.Context, columns []Column) error {
	if !d.fresh {
		return nil
	}
	d.settings.Columns = columns
	if d.anew {
		if err := d.clear(ctx); err != nil {
			return err
		}
	}
	err := d.write(ctx, settingsFile, d.settings, true)
	if errors.Is(err, fs.ErrExist) {
		return errors.New(errOtherRun)
	}
	if err == nil {
		d.fresh, d.anew, d.columns = false, false, columns
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

// unchanged makes sure before the first commit that no other run has begun anew meanwhile, as it can where there is no
// lock.
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

// add notes what a commit brings.
func (d *Dataset) add(c Commit) {
	for _, in := range c.Inputs {
		d.done[in.Name] = in
	}
	d.columns = append(slices.Clip(d.columns), c.Columns...)
}

// recover completes the last commit. Where that is no longer possible, because somebody has cleaned up, it takes it
// back: its inputs are read again then.
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

// Done returns the input as it was when its records came into the dataset.
func (d *Dataset) Done(name string) (Input, bool) {
	in, ok := d.done[name]
	return in, ok
}

// commit makes the parts, which are sealed, those of the inputs.
func (d *Dataset) commit(ctx context.Context, c Commit) error {
	slices.SortFunc(c.Parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	content, err := encode(c, d.settings.Columns)
	if err != nil {
		return err
	}
	if err := d.unchanged(ctx); err != nil {
		return errors.Join(err, d.drop(ctx, c.Parts))
	}
	// From here on it is too late to stop: what is half done would wait for the next run.
	ctx = context.WithoutCancel(ctx)
	name := path.Join(d.folder, fmt.Sprintf(commitForm, d.commits+1))
	if err = d.store.Write(ctx, name, content, true); err != nil {
		// it may be there after all: the answer was lost, or a repeated request was refused
		there, rerr := d.store.Read(ctx, name)
		switch {
		case rerr == nil && bytes.Equal(there, content):
		case rerr == nil:
			return errors.Join(errors.New(errOtherRun), d.drop(ctx, c.Parts))
		case errors.Is(rerr, fs.ErrNotExist):
			return errors.Join(err, d.drop(ctx, c.Parts))
		default: // nobody knows: the next run will
			return err
		}
	}
	d.commits++
	d.add(c)
	return d.publish(ctx, c.Parts)
}

// drop removes sealed files that will not be published.
func (d *Dataset) drop(ctx context.Context, parts []Part) (err error) {
	for _, p := range parts {
		err = errors.Join(err, d.store.Discard(context.WithoutCancel(ctx), p.Name, p.Seal))
	}
	return err
}

// Close lets other runs write.
func (d *Dataset) Close() error { return d.store.Unlock() }
