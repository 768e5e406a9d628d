package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse"
	"flowlog/parse/schema"
	"flowlog/report/render/dataset"
)

// datasetCheck is `flowlog check-dataset`.
type datasetCheck struct {
	con      *console
	s3       s3Flags
	deleted  bool
	progress string
	quiet    bool

	meter   *parse.Meter
	columns *schema.Projection
	sum     verdict // of all files
}

func newCheckDataset(con *console) *cobra.Command {
	k := &datasetCheck{con: con, meter: new(parse.Meter)}
	c := &cobra.Command{
		Use:   "check-dataset [flags] DATASET",
		Short: "Verify the files of a partitioned dataset",
		Long: "check-dataset reads back what `flowlog parse --partition-by` wrote to DATASET, a directory or s3://bucket/prefix,\n" +
			"and changes nothing. Each file of the manifest must be there, with the size, the checksum and the number of records\n" +
			"that the manifest has; every page is decoded and its own checksum verified. Parquet files that are not in the\n" +
			"manifest are named too. Each file with a problem is a line on stdout, and the exit code is 3 then.",
		Example: "  flowlog check-dataset flows/\n" +
			"  flowlog check-dataset s3://lake/flows",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name one dataset, as in `flowlog check-dataset flows/`")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return k.run(c.Context(), args[0]) },
	}
	section(c, "Check flags", func(f *pflag.FlagSet) {
		f.BoolVar(&k.deleted, "allow-deleted", false, "folders of partitions that are gone as a whole are no problem")
		f.StringVar(&k.progress, "progress", "auto", "progress of this `kind` on stderr: auto, plain or none")
		f.BoolVarP(&k.quiet, "quiet", "q", false, "no closing line or progress on stderr")
	})
	complete(c, "progress", func() []string { return progressModes })
	k.s3.flags(c)
	return c
}

func (k *datasetCheck) run(ctx context.Context, place string) error {
	if _, err := find("kind of progress", k.progress, progressModes, "flowlog check-dataset --help"); err != nil {
		return usageError{fmt.Errorf("--progress: %w", err)}
	}
	if k.quiet {
		k.progress = "none"
	}
	store, err := storeAt(ctx, k.s3.Options, place)
	if err != nil {
		return err
	}
	parts, open, err := k.manifest(ctx, store, place)
	if err != nil {
		return err
	}
	files, err := k.list(ctx, place)
	if err != nil {
		return err
	}
	if err := k.check(ctx, place, parts, files); err != nil {
		return err
	}
	if err := k.strangers(ctx, store, place, files, slices.Concat(parts, open)); err != nil {
		return err
	}
	k.tell(place, len(open) > 0)
	if k.sum.bad > 0 {
		return errIncomplete
	}
	return nil
}

// manifest returns the files that the manifest names, and those of a commit that is not complete.
func (k *datasetCheck) manifest(ctx context.Context, store dataset.Store, place string) (parts, open []dataset.Part, err error) {
	if info, err := os.Stat(place); err == nil && !info.IsDir() {
		return nil, nil, fmt.Errorf("%s is a file: name the directory of a dataset", place)
	}
	commits, open, err := dataset.Read(ctx, store)
	if err == nil && commits == nil && open == nil {
		var names []string
		if names, err = store.List(ctx, schema.ManifestFolder); err == nil && len(names) == 0 {
			err = errors.New("is no dataset: name the directory or prefix that `flowlog parse --partition-by … -O` wrote to")
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", place, err)
	}
	for _, c := range commits {
		parts = append(parts, c.Parts...)
	}
	return parts, open, nil
}

// list returns the files that are there, by their names in the dataset.
func (k *datasetCheck) list(ctx context.Context, place string) (map[string]parse.Object, error) {
	remote := strings.HasPrefix(place, "s3://")
	if remote {
		place = strings.TrimRight(place, "/") + "/"
	}
	src, err := sources(ctx, k.con, k.s3.Options, []string{place})
	if err != nil {
		return nil, err
	}
	files := make(map[string]parse.Object)
	for o, err := range src[0].Objects(ctx) {
		if err != nil {
			return nil, parse.ObjectError{Object: o.Name, Err: err}
		}
		name := strings.TrimPrefix(o.Name, place)
		if !remote {
			if name, err = filepath.Rel(place, o.Name); err != nil {
				return nil, err
			}
			name = filepath.ToSlash(name)
		}
		files[name] = o
	}
	return files, ctx.Err()
}

// filesAtATime are checked beside each other, so that small ones of a bucket do not wait for one another.
const filesAtATime = 4

// check checks the files of the manifest and prints what is wrong, in the order of the commits.
func (k *datasetCheck) check(ctx context.Context, place string, parts []dataset.Part, files map[string]parse.Object) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if k.columns, err = sqlFields().Project(schema.Logged().Names()...); err != nil {
		return err
	}
	k.columns.Extra, k.columns.Rest = true, true
	folders := make(map[string]bool)
	for name := range files {
		folders[path.Dir(name)] = true
	}
	for _, p := range parts {
		k.meter.KnownObjects.Add(1)
		k.meter.KnownBytes.Add(p.Size)
	}
	defer progress(k.con.err, k.progress, k.meter)()
	verdicts := make(chan chan verdict, filesAtATime-1)
	go func() {
		defer close(verdicts)
		for _, p := range parts {
			one := make(chan verdict, 1)
			select {
			case verdicts <- one:
			case <-ctx.Done():
				return
			}
			go func() { one <- k.part(ctx, p, files, folders) }()
		}
	}()
	i := 0
	for one := range verdicts {
		v := <-one
		if ctx.Err() != nil {
			break
		}
		for _, problem := range v.problems {
			if err := k.print(place, parts[i].Name, problem); err != nil {
				return err
			}
		}
		k.sum.add(v)
		i++
	}
	return ctx.Err()
}

func (k *datasetCheck) print(place, name, problem string) error {
	_, err := fmt.Fprintln(k.con.out, printable(strings.TrimRight(place, "/")+"/"+name+": "+problem))
	return err
}

// A verdict is what was found of a file, or of several.
type verdict struct {
	problems       []string
	files          int64 // that are there
	records, bytes int64 // that could be read
	bad            int64 // files with problems
}

func (v *verdict) add(o verdict) {
	v.files, v.records, v.bytes = v.files+o.files, v.records+o.records, v.bytes+o.bytes
	if v.bad += o.bad; len(o.problems) > 0 {
		v.bad++
	}
}

// say notes a problem.
func (v *verdict) say(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// part checks a file of the manifest.
func (k *datasetCheck) part(ctx context.Context, p dataset.Part, files map[string]parse.Object, folders map[string]bool) (v verdict) {
	k.meter.KnownObjects.Add(-1) // which Scan is going to add
	k.meter.KnownBytes.Add(-p.Size)
	o, there := files[p.Name]
	switch {
	case there:
	case !folders[path.Dir(p.Name)] && k.deleted:
		return v
	case !folders[path.Dir(p.Name)]:
		v.say("is missing, as all of its folder is; if that was deleted on purpose, say --allow-deleted")
		return v
	default:
		v.say("is missing")
		return v
	}
	v.files = 1
	if o.Size != p.Size {
		v.say("has %s bytes, and the manifest says %s: it is cut off, or another file", humanize.Comma(o.Size), humanize.Comma(p.Size))
	} else if sum, err := sumOf(ctx, o); err != nil {
		v.say("could not be read: %s", say(err))
		return v
	} else if p.Sum != "" && sum != p.Sum {
		v.say("its checksum is %s, and the manifest says %s: it is damaged, or another file", sum, p.Sum)
	}
	stats, err := parse.Scan(ctx, listedObject(o), k.columns, parse.Options{Input: "parquet", Meter: k.meter}, func(schema.Batch) error { return nil })
	v.records, v.bytes = stats.Records, stats.Bytes
	switch {
	case err != nil:
		v.say("could not be read: %s", say(err))
	case len(stats.Failed) > 0:
		v.say("could not be read: %s", say(stats.Failed[0].Err))
	case stats.Malformed > 0:
		v.say("has %s with values that their fields cannot have: %v", count(stats.Malformed, "record"), stats.Problems[0])
	case stats.Records != p.Rows:
		v.say("has %s, and the manifest says %s", count(stats.Records, "record"), humanize.Comma(p.Rows))
	}
	return v
}

// sumOf returns the checksum of an object as the manifest has it.
func sumOf(ctx context.Context, o parse.Object) (_ string, err error) {
	in, err := o.Open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	sum := dataset.Checksum()
	_, err = io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{in}, make([]byte, 1<<20))
	return dataset.SumText(sum), err
}

// listedObject is the Source of one object.
type listedObject parse.Object

func (o listedObject) Objects(context.Context) iter.Seq2[parse.Object, error] {
	return func(yield func(parse.Object, error) bool) { yield(parse.Object(o), nil) }
}

// strangers prints which Parquet files no commit names. A run may have committed some of them meanwhile.
func (k *datasetCheck) strangers(ctx context.Context, store dataset.Store, place string, files map[string]parse.Object, known []dataset.Part) error {
	strange := make(map[string]bool)
	for name := range files {
		strange[name] = strings.HasSuffix(name, ".parquet")
	}
	forget := func(parts []dataset.Part) {
		for _, p := range parts {
			delete(strange, p.Name)
		}
		maps.DeleteFunc(strange, func(_ string, is bool) bool { return !is })
	}
	if forget(known); len(strange) > 0 {
		parts, open, err := k.manifest(ctx, store, place)
		if err != nil {
			return err
		}
		forget(slices.Concat(parts, open))
	}
	for _, name := range slices.Sorted(maps.Keys(strange)) {
		k.sum.bad++
		if err := k.print(place, name, "is not in the manifest: reports and other tools would count its records; move it out of the dataset"); err != nil {
			return err
		}
	}
	return nil
}

// tell prints the closing line.
func (k *datasetCheck) tell(place string, open bool) {
	if k.quiet {
		return
	}
	if open {
		fmt.Fprintln(k.con.err, printable("flowlog: "+place+" has a commit that is not complete, whose files were not checked: a run is writing it, or the next one completes it"))
	}
	line := fmt.Sprintf("flowlog: checked %s, %s, %s: ", count(k.sum.files, "file"), count(k.sum.records, "record"), humanize.IBytes(uint64(k.sum.bytes)))
	if k.sum.bad == 0 {
		line += "no problem"
	} else {
		line += count(k.sum.bad, "file") + " missing, damaged or not in the manifest"
	}
	fmt.Fprintln(k.con.err, line)
}
