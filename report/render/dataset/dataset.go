// Package dataset writes records as a partitioned dataset: Parquet files in folders that are named for what all
// records in them share, as Hive began it and Athena, Trino, Spark, DuckDB and pyarrow read it.
//
//	schema.Batch → rows by partition → sorted runs, on disk if need be → merged → files → commit
//
// What is in the dataset stands in its manifest, a folder of commits. A commit names inputs and the files that
// hold their records, and no others. It is written before its files appear, when all of each is safe under
// a name that no reader looks at: so a run that ends anywhere, by whatever cause, leaves commits that are whole or can
// be completed, and files that nobody has seen. Open does so, and then what is committed is never read again.
package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"flowlog/parse/schema"
)

// A Store is the place of a dataset: a directory or a prefix of a bucket. Names have slashes, and are relative to it.
type Store interface {
	// Lock keeps other runs from writing, as far as the store can, until Unlock.
	Lock(context.Context) error
	Unlock() error
	// Empty reports whether nothing is there.
	Empty(context.Context) (bool, error)
	// List returns the names of the files in a folder without it, in their order.
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

// Settings are what all runs that write to a dataset must agree on, since they decide which rows and columns an
// input gives.
type Settings struct {
	Format      int      `json:"format"`
	PartitionBy []string `json:"partition_by"`
	Columns     []string `json:"columns"`
	Where       string   `json:"where,omitempty"`
	Doc         string   `json:"doc"`
}

// format is the number of this layout of the manifest.
const format = 1

const doc = "What flowlog parse --partition-by has written: each commit names inputs and the files that hold their records."

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
}

type commit struct {
	Inputs []Input `json:"inputs"`
	Parts  []Part  `json:"files"`
}

// A Dataset is open for writing.
type Dataset struct {
	store     Store
	settings  Settings
	done      map[string]Input
	commits   int64 // the number of the last one
	published int64 // likewise
}

const (
	settingsFile   = schema.ManifestFolder + "/dataset.json"
	commitFolder   = schema.ManifestFolder + "/commits"
	publishedFile  = schema.ManifestFolder + "/published"
	commitForm     = "%06d.json"
	errOtherRun    = "another run is writing to this dataset: one at a time can"
	commitsAtATime = 16 // are read: a bucket takes some 30 ms for each
)

// ErrNotOurs is the error of Open where something is that has no manifest.
var ErrNotOurs = errors.New("there are files, and no manifest of flowlog's among them: name a place that is empty or was written by --partition-by")

// A SettingsError says that a dataset was begun with other settings.
type SettingsError struct{ What, Have, Want string }

func (e *SettingsError) Error() string {
	return fmt.Sprintf("its files are of a run with another %s: %s, not %s; say the same again or write to another place", e.What, e.Have, e.Want)
}

// Open begins a dataset, or goes on with one: it completes the commit that was under way when the last run ended,
// and removes what belongs to none.
func Open(ctx context.Context, store Store, s Settings) (_ *Dataset, err error) {
	s.Format, s.Doc = format, doc
	d := &Dataset{store: store, settings: s, done: make(map[string]Input)}
	if err := store.Lock(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, store.Unlock())
		}
	}()
	content, err := store.Read(ctx, settingsFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d, d.begin(ctx)
	case err != nil:
		return nil, err
	}
	if err := d.agree(content); err != nil {
		return d, d.begunAnew(ctx, err)
	}
	last, err := d.load(ctx)
	if err != nil {
		return nil, err
	}
	return d, d.recover(ctx, last)
}

func (d *Dataset) begin(ctx context.Context) error {
	empty, err := d.store.Empty(ctx)
	if err != nil {
		return err
	}
	if !empty {
		return ErrNotOurs
	}
	content, err := d.settings.text()
	if err == nil {
		err = d.store.Write(ctx, settingsFile, content, true)
	}
	if errors.Is(err, fs.ErrExist) {
		return errors.New(errOtherRun)
	}
	return err
}

// begunAnew gives a dataset without a commit these settings: no row is there that others have decided on. Else it
// returns what was wrong.
func (d *Dataset) begunAnew(ctx context.Context, wrong error) error {
	if other := (*SettingsError)(nil); !errors.As(wrong, &other) {
		return wrong
	}
	commits, err := d.store.List(ctx, commitFolder)
	if err != nil || len(commits) > 0 {
		return errors.Join(wrong, err)
	}
	content, err := d.settings.text()
	if err == nil {
		err = d.store.Write(ctx, settingsFile, content, false)
	}
	if err == nil {
		err = d.store.Sweep(ctx, nil)
	}
	return err
}

// text is the settings as they stand in the dataset.
func (s Settings) text() ([]byte, error) {
	content, err := json.MarshalIndent(s, "", "  ")
	return append(content, '\n'), err
}

// unchanged makes sure before the first commit that no other run has begun anew meanwhile, as it can where there is no
// lock.
func (d *Dataset) unchanged(ctx context.Context) error {
	if d.commits > 0 {
		return nil
	}
	content, err := d.store.Read(ctx, settingsFile)
	if err == nil && d.agree(content) != nil {
		err = errors.New(errOtherRun)
	}
	return err
}

// agree compares the settings of the dataset with those of this run.
func (d *Dataset) agree(content []byte) error {
	var have Settings
	if err := json.Unmarshal(content, &have); err != nil {
		return fmt.Errorf("%s: %w", settingsFile, err)
	}
	if have.Format > format {
		return fmt.Errorf("%s is of format %d, which a later flowlog wrote; this one knows %d", settingsFile, have.Format, format)
	}
	list := func(names []string) string { return strings.Join(names, ",") }
	for _, s := range []struct{ what, have, want string }{
		{"--partition-by", list(have.PartitionBy), list(d.settings.PartitionBy)},
		{"list of columns", list(have.Columns), list(d.settings.Columns)},
		{"--where", strconv.Quote(have.Where), strconv.Quote(d.settings.Where)},
	} {
		if s.have != s.want {
			return &SettingsError{s.what, s.have, s.want}
		}
	}
	return nil
}

// load reads the manifest and returns the last commit.
func (d *Dataset) load(ctx context.Context) (last commit, err error) {
	names, err := d.store.List(ctx, commitFolder)
	if err != nil {
		return last, err
	}
	commits, errs := make([]commit, len(names)), make([]error, len(names))
	slots := make(chan struct{}, commitsAtATime)
	var all sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			content, err := d.store.Read(ctx, path.Join(commitFolder, name))
			if err == nil {
				err = json.Unmarshal(content, &commits[i])
			}
			if err != nil {
				errs[i] = fmt.Errorf("%s/%s: %w", commitFolder, name, err)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return last, err
	}
	for i, name := range names {
		n, err := strconv.ParseInt(strings.TrimSuffix(name, ".json"), 10, 64)
		if err != nil || n <= d.commits {
			return last, fmt.Errorf("%s/%s is not the name of a commit", commitFolder, name)
		}
		for _, p := range commits[i].Parts {
			if !fs.ValidPath(p.Name) {
				return last, fmt.Errorf("%s/%s: %q is not the name of a file in a dataset", commitFolder, name, p.Name)
			}
		}
		d.commits = n
		d.add(commits[i].Inputs)
		last = commits[i]
	}
	content, err := d.store.Read(ctx, publishedFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return last, nil
	case err != nil:
		return last, err
	}
	d.published, err = strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
	return last, err
}

func (d *Dataset) add(inputs []Input) {
	for _, in := range inputs {
		d.done[in.Name] = in
	}
}

// recover completes the last commit. Where that is no longer possible, because somebody has cleaned up, it takes it
// back: its inputs are read again then.
func (d *Dataset) recover(ctx context.Context, last commit) error {
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
	name := path.Join(commitFolder, fmt.Sprintf(commitForm, d.commits))
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
	return d.store.Write(ctx, publishedFile, []byte(strconv.FormatInt(d.published, 10)+"\n"), false)
}

// Done returns the input as it was when its records came into the dataset.
func (d *Dataset) Done(name string) (Input, bool) {
	in, ok := d.done[name]
	return in, ok
}

// commit makes the parts, which are sealed, those of the inputs.
func (d *Dataset) commit(ctx context.Context, c commit) error {
	slices.SortFunc(c.Parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := d.unchanged(ctx); err != nil {
		return errors.Join(err, d.drop(ctx, c.Parts))
	}
	// From here on it is too late to stop: what is half done would wait for the next run.
	ctx = context.WithoutCancel(ctx)
	name := path.Join(commitFolder, fmt.Sprintf(commitForm, d.commits+1))
	content = append(content, '\n')
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
	d.add(c.Inputs)
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
