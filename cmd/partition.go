package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
	"flowlog/report"
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
	group(c, partitionFlags, func(f *pflag.FlagSet) {
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
	if p.by == nil {
		switch needless := p.settings.typed(c, partitionFlags); {
		case needless != nil:
			return usageError{fmt.Errorf("--%s is for a partitioned dataset: say --partition-by too", needless[0])}
		case strings.HasPrefix(p.file, "s3://"):
			return usageError{errors.New("-O writes to S3 with --partition-by only: write a file, and copy it there with `aws s3 cp`")}
		}
		return nil
	}
	if _, err := dataset.ParseKeys(p.by); err != nil {
		return usageError{fmt.Errorf("--partition-by: %w", err)}
	}
	for _, wrong := range []struct {
		is  bool
		say string
	}{
		{p.output.format != "parquet", "--partition-by writes Parquet: say -o parquet"},
		{p.file == "" || p.file == "-", "--partition-by needs a place to write to: say -O DIRECTORY or -O s3://BUCKET/PREFIX"},
		{len(args) == 0 || slices.Contains(args, "-"), "--partition-by remembers by their names what it has read, and standard input has none: name files, directories or s3://"},
		{p.rejects != "", "--rejects does not go with --partition-by: `flowlog parse -o none --rejects FILE` keeps the malformed records"},
		{p.partial, "--partial does not go with --partition-by: what is committed stays, and the next run does the rest"},
	} {
		if wrong.is {
			return usageError{errors.New(wrong.say)}
		}
	}
	return nil
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

// A candidate is an object that may be read.
type candidate struct {
	parse.Object
	input  dataset.Input
	key    parse.Key
	remote *s3.Planned // nil if it is a file
	client *s3.Client
}

// partition writes a dataset, or what is missing from it.
func (p *parsing) partition(ctx context.Context, in *reader, enr *lookups) (err error) {
	opt, projection, where, err := p.plan(ctx, in, enr)
	if err != nil {
		return err
	}
	commitSize, err := size("commit-size", p.commitSize, leastFile)
	if err != nil {
		return err
	}
	store, err := p.store(ctx)
	if err != nil {
		return err
	}
	// What is out of the time asked for is of another object's day. If it were left out here it would be nowhere, since
	// the object counts as done.
	if in.opt.Since != 0 || in.opt.Until != 0 {
		in.opt.Since, in.opt.Until = 0, 0
	}
	settings := dataset.Settings{PartitionBy: p.by, Columns: opt.Columns, Where: p.where}
	data, err := dataset.Open(ctx, store, settings)
	if err != nil {
		if wrong := (*dataset.SettingsError)(nil); errors.As(err, &wrong) || errors.Is(err, dataset.ErrNotOurs) {
			return usageError{fmt.Errorf("%s: %w", p.file, err)}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s: %w", p.file, err)
	}
	defer func() { err = errors.Join(err, data.Close()) }()

	r := &filling{reader: in, data: data, opt: opt}
	if err := r.list(ctx); err != nil {
		return err
	}
	in.done = r.there > 0
	in.gather(ctx)
	began := time.Now()
	in.opt.Meter = new(parse.Meter)
	for _, c := range r.todo {
		in.opt.Meter.KnownObjects.Add(1)
		in.opt.Meter.KnownBytes.Add(max(c.Size, 0))
	}
	stop := progress(in.err, in.mode, in.opt.Meter)
	err = r.fill(ctx, commitSize, projection.Logged(), func(w *dataset.Writer) schema.Emit {
		emit := without(projection, w.Add)
		if where != nil {
			emit = report.Where(where, in.opt.Workers, emit)
		}
		return enr.wrap(in.opt.Workers)(projection, emit)
	})
	stop()
	in.stats.Seconds = time.Since(began).Seconds()
	if len(r.todo)+len(in.stats.Failed) > 0 || r.there == 0 {
		if terr := in.tell(err); err != nil || r.there == 0 { // to find nothing new that is good is no failure
			err = terr
		}
	}
	if !in.quiet {
		fmt.Fprintln(in.err, printable(r.summary(p.file)))
	}
	return cmp.Or(err, in.close(), ctx.Err())
}

// plan decides on the columns of the files, and on what has to be read for them.
func (p *parsing) plan(ctx context.Context, in *reader, enr *lookups) (opt dataset.Options, projection *schema.Projection, where report.Expr, err error) {
	if opt.Keys, err = dataset.ParseKeys(p.by); err != nil {
		return opt, nil, nil, err
	}
	if opt.FileSize, err = size("file-size", p.fileSize, leastFile); err != nil {
		return opt, nil, nil, err
	}
	if opt.Memory, err = p.memory.limit(); err != nil {
		return opt, nil, nil, err
	}
	opt.Memory = cmp.Or(opt.Memory, unknownMemory)
	opt.TempDir, opt.Workers = p.memory.tempDir, in.opt.Workers
	if projection, err = p.project(ctx, in, enr, "parquet"); err != nil {
		return opt, nil, nil, err
	}
	need := []string{dataset.Clock}
	for _, k := range opt.Keys {
		need = append(need, k.From)
	}
	for _, f := range projection.Fields[:projection.Named] {
		k := slices.IndexFunc(opt.Keys, func(k dataset.Key) bool { return k.Name == f.Name })
		switch {
		case k < 0:
			opt.Columns = append(opt.Columns, f.Name)
		case opt.Keys[k].From != f.Name:
			return opt, nil, nil, usageError{fmt.Errorf("a column of the files cannot be called %s, as the partitions are", f.Name)}
		}
	}
	if len(opt.Columns) == 0 {
		return opt, nil, nil, usageError{errors.New("--fields names the keys of the partitions only, which are not in the files: name more")}
	}
	if projection, err = widen(projection, enr.fields, need); err != nil {
		return opt, nil, nil, err
	}
	opt.Fields = projection.Fields[:projection.Named:projection.Named]
	if p.where != "" {
		projection, where, err = p.filter(ctx, in, enr, projection)
	}
	return opt, projection, where, err
}

// unknownMemory is what records may take where it is not known how much memory there is.
const unknownMemory = 1 << 30

// store is the place to write to.
func (p *parsing) store(ctx context.Context) (dataset.Store, error) {
	if !strings.HasPrefix(p.file, "s3://") {
		return dataset.NewDir(p.file), nil
	}
	client, err := s3.Connect(ctx, p.s3.Options)
	if err != nil {
		return nil, err
	}
	folder, err := client.Folder(p.file)
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

// filling is the work of bringing new objects into a dataset.
type filling struct {
	*reader
	data  *dataset.Dataset
	opt   dataset.Options
	todo  []candidate
	there int // objects that are in it already

	files, commits int
	rows, bytes    int64
}

// list finds the objects that are not in the dataset yet, and puts them in the order of their time: so a commit has few
// partitions, each with large files.
func (r *filling) list(ctx context.Context) error {
	seen := make(map[string]bool)
	for c, err := range r.candidates(ctx) {
		if err == nil && c.remote == nil && c.Size < 0 {
			err = errors.New("is not a file, so that it cannot be told whether it was read before: --partition-by reads files")
		}
		if err == nil && seen[c.input.Name] {
			r.there++
			continue
		}
		if was, done := r.data.Done(c.input.Name); err == nil && done {
			r.there++
			if c.key.FlowLogID == "" && was != c.input { // what AWS delivers never changes
				err = errors.New("has changed since its records came into the dataset: it is not read again, since they would be there twice")
			} else {
				continue
			}
		}
		if err != nil {
			r.stats.Failed = append(r.stats.Failed, parse.ObjectError{Object: c.Name, Err: err})
			continue
		}
		seen[c.input.Name] = true
		r.todo = append(r.todo, c)
	}
	slices.SortStableFunc(r.todo, func(a, b candidate) int { return a.key.Time.Compare(b.key.Time) })
	return ctx.Err()
}

// candidates lists the objects of the input.
func (r *filling) candidates(ctx context.Context) iter.Seq2[candidate, error] {
	return func(yield func(candidate, error) bool) {
		for _, src := range r.sources {
			if remote, ok := src.(*s3.Source); ok {
				for o, err := range remote.Plan(ctx) {
					c := candidate{Object: o.Object, remote: &o, client: remote.Client}
					if !yield(c.named(o.Name), err) {
						return
					}
				}
				continue
			}
			for o, err := range src.Objects(ctx) {
				if err == nil && !r.chooses(o.Name) {
					continue
				}
				name := o.Name
				if abs, aerr := filepath.Abs(name); aerr == nil {
					name = abs
				}
				if c := (candidate{Object: o}); !yield(c.named(name), err) {
					return
				}
			}
		}
	}
}

// named fills in what tells whether an object was read before.
func (c candidate) named(name string) candidate {
	c.key, _ = parse.ParseKey(name)
	c.input = dataset.Input{Name: parse.Identity(name, c.key), Size: c.Size, Version: c.Version}
	return c
}

// fill reads the objects, commit by commit.
func (r *filling) fill(ctx context.Context, commitSize int64, fields *schema.Projection, emit func(*dataset.Writer) schema.Emit) error {
	most := r.reader.opt.MaxErrors
	for rest := r.todo; len(rest) > 0; {
		n, bytes := 0, int64(0)
		for n < len(rest) && (n == 0 || bytes < commitSize) {
			bytes += max(rest[n].Size, 0)
			n++
		}
		group := slices.Clone(rest[:n])
		rest = rest[n:]
		for len(group) > 0 {
			failed, err := r.commit(ctx, group, fields, emit)
			if err != nil {
				return err
			}
			if most > 0 && r.stats.Malformed > most {
				return &parse.TooManyErrors{Most: most}
			}
			if len(failed) == 0 {
				break
			}
			// some of their records may have come: again, without these
			group = slices.DeleteFunc(group, func(c candidate) bool { return failed[c.Name] })
		}
	}
	return nil
}

// commit reads objects and commits their records. If some could not be read to the end there is no commit, and it
// returns their names.
func (r *filling) commit(ctx context.Context, group []candidate, fields *schema.Projection, emit func(*dataset.Writer) schema.Emit) (failed map[string]bool, err error) {
	w, err := r.data.Begin(r.opt)
	if err != nil {
		return nil, err
	}
	ahead, stop := context.WithCancel(ctx)
	defer stop()
	meter := r.reader.opt.Meter
	var inputs []dataset.Input
	for _, c := range group { // which Scan is going to add
		inputs = append(inputs, c.input)
		meter.KnownObjects.Add(-1)
		meter.KnownBytes.Add(-max(c.Size, 0))
	}
	stats, err := parse.Scan(ctx, chosen{ahead, group}, fields, r.reader.opt, emit(w))
	if err == nil && len(stats.Failed) > 0 {
		failed = make(map[string]bool)
		for i, f := range stats.Failed {
			failed[f.Object] = true
			stats.Failed[i].Records = 0 // none of them counts
		}
		r.stats.Failed = append(r.stats.Failed, stats.Failed...)
		return failed, w.Discard()
	}
	r.stats.Merge(stats)
	if err != nil {
		return nil, errors.Join(err, w.Discard())
	}
	parts, err := w.Commit(ctx, inputs)
	if err != nil {
		return nil, err
	}
	r.commits++
	r.files += len(parts)
	for _, p := range parts {
		r.rows += p.Rows
		r.bytes += p.Size
	}
	return nil, nil
}

// chosen is the Source of objects that were listed before.
type chosen struct {
	ahead context.Context // of what is fetched before it is opened
	group []candidate
}

func (s chosen) Objects(context.Context) iter.Seq2[parse.Object, error] {
	return func(yield func(parse.Object, error) bool) {
		add := make(map[*s3.Client]func(s3.Planned) parse.Object)
		for _, c := range s.group {
			o := c.Object
			if c.remote != nil {
				if add[c.client] == nil {
					add[c.client] = c.client.Ahead(s.ahead)
				}
				o = add[c.client](*c.remote)
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// summary is the line about what was written.
func (r *filling) summary(to string) string {
	line := fmt.Sprintf("flowlog: wrote %s, %s, %s, to %s", count(int64(r.files), "file"), count(r.rows, "record"), humanize.IBytes(uint64(r.bytes)), to)
	if r.there > 0 {
		line += fmt.Sprintf("; %s there already", count(int64(r.there), "object"))
	}
	return line
}
