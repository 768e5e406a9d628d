package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/s3"
	"flowlog/parse/schema"
	"flowlog/report/expr"
	"flowlog/report/render"
	"flowlog/report/render/dataset"
)

// partitioning is the group of flags that say how a dataset is written.
type partitioning struct {
	by         []string
	fileSize   string
	commitSize string
	memory     memory
}

const partitionFlags = "Partition flags"

func (p *partitioning) flags(c *cobra.Command) {
	section(c, partitionFlags, func(f *pflag.FlagSet) {
		f.StringSliceVar(&p.by, "partition-by", nil, "write Parquet in folders by these `keys`: "+strings.Join(dataset.KeyNames(), ", ")+"; see `flowlog help partitions`")
		f.StringVar(&p.fileSize, "file-size", "128MB", "begin another file when one has about this `size`")
		f.StringVar(&p.commitSize, "commit-size", "1GB", "commit after this `size` of input: what an interrupted run has to do again")
	})
	p.memory.flags(c, partitionFlags, "records")
	complete(c, "partition-by", dataset.KeyNames)
}

// leastFile is the smallest size of files that is taken: pages have 32,768 rows, and a file a page at least.
const leastFile = 1 << 20

// checkPartitions says what is wrong with the flags, before anything is opened.
func (p *parsing) checkPartitions(c *cobra.Command, args []string) error {
	if p.partitioning.by == nil {
		if needless := p.con.settings.typed(c, partitionFlags); needless != nil {
			return usageError{fmt.Errorf("--%s is for a partitioned dataset: say --partition-by too", needless[0])}
		}
		return nil
	}
	if _, err := dataset.ParseKeys(p.partitioning.by); err != nil {
		return usageError{fmt.Errorf("--partition-by: %w", err)}
	}
	for _, wrong := range []struct {
		is  bool
		say string
	}{
		{p.output.format != dataset.Format, "--partition-by writes Parquet: say -o " + dataset.Format},
		{p.output.file == "" || p.output.file == "-", "--partition-by needs a place to write to: say -O DIRECTORY or -O s3://BUCKET/PREFIX"},
		{len(args) == 0 || slices.Contains(args, "-"), "--partition-by remembers by their names what it has read, and standard input has none: name files, directories or s3://"},
		{p.input.rejects != "", "--rejects does not go with --partition-by: `flowlog parse -o none --rejects FILE` keeps the malformed records"},
		{p.input.partial, "--partial does not go with --partition-by: what is committed stays, and the next run does the rest"},
	} {
		if wrong.is {
			return usageError{errors.New(wrong.say)}
		}
	}
	return checkPlace(p.output.file, args)
}

// size reads the value of a flag.
func size(flag, value string, least uint64) (int64, error) {
	n, err := humanize.ParseBytes(value)
	if err != nil || n > 1<<50 {
		return 0, usageError{fmt.Errorf("--%s: %q is not a number of bytes: write 64MB or 1GiB", flag, value)}
	}
	if n < least {
		return 0, usageError{fmt.Errorf("--%s: less than %s is too little", flag, humanize.IBytes(least))}
	}
	return int64(n), nil
}

// datasetDoc says in a dataset what it is.
const datasetDoc = "What flowlog parse --partition-by has written: each commit names inputs and the files that hold their records."

// partition writes a dataset, or what is missing from it.
func (p *parsing) partition(ctx context.Context, in *reader, enr *lookups) (err error) {
	opt, err := p.sizes(in)
	if err != nil {
		return err
	}
	commitSize, err := size("commit-size", p.partitioning.commitSize, leastFile)
	if err != nil {
		return err
	}
	store, err := storeAt(ctx, p.input.s3.Options, p.output.file)
	if err != nil {
		return err
	}
	// What is out of the time asked for is of another object's day. If it were left out here it would be nowhere, since
	// the object counts as done.
	in.opt.Since, in.opt.Until = 0, 0
	data, err := dataset.Open(ctx, store, dataset.Settings{
		PartitionBy: p.partitioning.by, Fields: p.fields, Enrich: p.enrich, Where: p.where, Columns: dataset.Columns(enr.fields), Doc: datasetDoc,
	})
	if err != nil {
		return p.refused(ctx, err)
	}
	defer func() { err = errors.Join(err, data.Close()) }()

	r := &filling{reader: in, data: data}
	r.plan = func(late []string) (err error) {
		r.shape, err = p.shape(ctx, in, enr, data, opt, late)
		return p.refused(ctx, err)
	}
	if err := r.plan(nil); err != nil {
		return err
	}
	if err := r.list(ctx); err != nil {
		return err
	}
	in.none.done = r.there > 0
	in.gather(ctx, len(r.todo)+r.there > 0)
	err = r.run(ctx, commitSize)
	if len(r.todo)+len(in.stats.Failed) > 0 || r.there == 0 {
		if terr := in.tell(err); err != nil || r.there == 0 { // to find nothing new that is good is no failure
			err = terr
		}
	} else {
		in.tellPassedOver()
	}
	if !in.quiet {
		fmt.Fprintln(in.con.err, printable(r.summary(p.output.file)))
	}
	return cmp.Or(err, in.close(), ctx.Err())
}

// refused is what the dataset says against a run, with its name.
func (p *parsing) refused(ctx context.Context, err error) error {
	switch wrong := (*dataset.SettingsError)(nil); {
	case err == nil || errors.As(err, new(usageError)):
		return err
	case errors.As(err, &wrong) || errors.Is(err, dataset.ErrNotOurs):
		return usageError{fmt.Errorf("%s: %w", p.output.file, err)}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("%s: %w", p.output.file, err)
}

// sizes reads the flags that do not depend on the input.
func (p *parsing) sizes(in *reader) (opt dataset.Options, err error) {
	if opt.Keys, err = dataset.ParseKeys(p.partitioning.by); err != nil {
		return opt, err
	}
	if opt.FileSize, err = size("file-size", p.partitioning.fileSize, leastFile); err != nil {
		return opt, err
	}
	if opt.Memory, err = p.partitioning.memory.limit(p.con.warnings(p.input.quiet)); err != nil {
		return opt, err
	}
	opt.Memory = cmp.Or(opt.Memory, unknownMemory)
	opt.TempDir, opt.Workers = p.partitioning.memory.tempDir, in.opt.Workers
	return opt, nil
}

// A shape is what the files have, and what has to be read for them.
type shape struct {
	opt  dataset.Options
	read *schema.Projection
	emit func(*dataset.Writer) schema.Emit
}

// shape decides on the columns of the files: those of the dataset, those of this run, and those of the input that are
// late, which means that they were not known before they were met.
func (p *parsing) shape(ctx context.Context, in *reader, enr *lookups, data *dataset.Dataset, opt dataset.Options, late []string) (_ *shape, err error) {
	projection, err := p.project(ctx, in, enr, render.AllLogged, data.Fields())
	if err != nil {
		return nil, err
	}
	run := slices.DeleteFunc(projection.Fields[:projection.Named:projection.Named], func(f schema.Field) bool {
		return slices.ContainsFunc(opt.Keys, func(k dataset.Key) bool { return k.Name == f.Name && k.From == f.Name })
	})
	if len(run) == 0 {
		return nil, usageError{errors.New("--fields names the keys of the partitions only, which are not in the files: name more")}
	}
	for _, name := range late {
		run = append(run, given(enr.fields, name))
	}
	columns, err := data.Extend(run, enr.own)
	if err != nil {
		return nil, err
	}
	opt.Columns = columns.Names()
	need := slices.Clip(append(columns.Names(), dataset.Clock))
	for _, k := range opt.Keys {
		if slices.Contains(opt.Columns, k.Name) {
			return nil, usageError{fmt.Errorf("a column of the files cannot be called %s, as the partitions are: name the others with --fields", k.Name)}
		}
		need = append(need, k.From)
	}
	if projection, err = override(enr.fields, columns).Project(need...); err != nil {
		return nil, err
	}
	projection.Extra, projection.Rest = p.fields == nil, p.fields == nil
	opt.Fields, opt.Helpers = projection.Fields[:projection.Named:projection.Named], enr.helpers()
	var where expr.Expr
	if p.where != "" {
		if projection, where, err = p.filter(ctx, in, enr, projection); err != nil {
			return nil, err
		}
	}
	return &shape{opt, projection.Logged(), func(w *dataset.Writer) schema.Emit {
		emit := without(projection, w.Add)
		if where != nil {
			emit = expr.Where(where, in.opt.Workers, emit)
		}
		return enr.wrap(in.opt.Workers)(projection, emit)
	}}, nil
}

// helpers are the files that records are enriched with, as they are now.
func (l *lookups) helpers() []dataset.Helper {
	var all []dataset.Helper
	for _, file := range l.files {
		h := dataset.Helper{Name: file}
		if info, err := os.Stat(file); err == nil {
			h.Version = info.ModTime().UTC().Format(time.RFC3339)
		}
		all = append(all, h)
	}
	return all
}

// unknownMemory is what records may take where it is not known how much memory there is.
const unknownMemory = 1 << 30

// storeAt is the store of the dataset at a place: a directory, or s3://bucket/prefix.
func storeAt(ctx context.Context, opt s3.Options, place string) (dataset.Store, error) {
	if !strings.HasPrefix(place, "s3://") {
		return dataset.NewDir(place), nil
	}
	client, err := s3.Connect(ctx, opt)
	if err != nil {
		return nil, err
	}
	folder, err := client.Folder(place)
	if err != nil {
		return nil, usageError{err}
	}
	return bucket{folder}, nil
}

// bucket makes a folder in S3 a store.
type bucket struct{ *s3.Folder }

func (b bucket) Create(ctx context.Context, name string) (dataset.File, error) {
	u, err := b.Folder.Create(ctx, name)
	if err != nil {
		return nil, err
	}
	return u, nil
}
