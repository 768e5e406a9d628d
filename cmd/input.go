package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
)

// input is the group of flags that say what is read and how.
type input struct {
	logFormat string
	format    string
	workers   int
	maxErrors int64
	rejects   string
	quiet     bool
	since     string
	until     string
	tz        string
	progress  string
	keys      parse.KeyFilter
	rename    []string
	dryRun    bool
	partial   bool
	library   bool
	s3        s3Flags
	command   *cobra.Command // whose flags these are
	warned    bool           // see warnIdle
}

// inputHeading is the heading of these flags.
const inputHeading = "Input flags"

func (in *input) flags(c *cobra.Command) {
	in.command = c
	group(c, inputHeading, func(f *pflag.FlagSet) {
		f.StringVar(&in.logFormat, "log-format", "", "`fields` of records without a header: '${srcaddr} ${bytes} …', or v2 to v11")
		f.StringVar(&in.format, "input-format", "", "read all inputs as this `format`: "+strings.Join(parse.FormatNames(), ", "))
		f.StringSliceVar(&in.rename, "rename", nil, "read columns of other names as fields: `theirs=field`, such as source_ip=srcaddr")
		f.StringVar(&in.since, "since", "", "only records that end at this `time` or later: 2026-05-14T09:00, yesterday, 3d")
		f.StringVar(&in.until, "until", "", "only records that end before this `time`")
		f.StringSliceVar(&in.keys.FlowLogs, "flow-log", nil, "only objects of these flow logs, by their `ids`: fl-…")
		f.StringSliceVar(&in.keys.Accounts, "account", nil, "only objects whose names are of these `accounts`")
		f.StringSliceVar(&in.keys.Regions, "region-filter", nil, "only objects whose names are of these `regions`")
		f.StringVar(&in.tz, "tz", "UTC", "`zone` of times: UTC, Local, Europe/Berlin …")
		f.BoolVar(&in.dryRun, "dry-run", false, "say what would be read: objects, bytes, requests")
		f.BoolVar(&in.partial, "partial", false, "when interrupted, print what there is so far; with report -o arrow, write what merge finishes")
		f.IntVar(&in.workers, "workers", 0, "parse with this `number` of goroutines, at most 16 or 4 per processor (default: one per processor)")
		f.Int64Var(&in.maxErrors, "max-errors", 0, "fail beyond this `number` of malformed records and values; 0 never does")
		f.StringVar(&in.rejects, "rejects", "", "write malformed records as they were, and malformed values by row, to this `file`; it appears when it is complete")
		f.StringVar(&in.progress, "progress", "auto", "progress of this `kind` on stderr: auto, plain or none")
		f.BoolVarP(&in.quiet, "quiet", "q", false, "no closing line, progress or warnings on stderr")
	})
	// For us, see parse.Options.
	c.Flags().BoolVar(&in.library, "library-gzip", false, "unpack gzip with klauspost/compress: slower, and the same")
	if err := c.Flags().MarkHidden("library-gzip"); err != nil {
		panic(err)
	}
	in.s3.flags(c)
	complete(c, "progress", func() []string { return progressModes })
	complete(c, "input-format", parse.FormatNames)
}

// complete offers values for a flag to the shell.
func complete(c *cobra.Command, flag string, values func() []string) {
	err := c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err)
	}
}

// reader is input flags made ready for scans.
type reader struct {
	*console
	parse.Source
	sources     []parse.Source // that Source is made of
	args        []string       // that name them
	opt         parse.Options
	partial     bool
	quiet       bool
	mode        string         // of progress
	zone        *time.Location // of times that are shown
	now         time.Time
	rejects     *outFile
	names       []string // columns of the input, see header
	stats       parse.Stats
	formatTyped bool // --log-format is on the command line
	renameTyped bool // likewise

	asked string // when the records end that are asked for, "" if at any time
	done  bool   // there is something of the input already: it is no fault that no record is new
	empty string // a dataset of the input that has no files yet; it is looked for if there are no objects
}

// open checks the flags and arguments. Without arguments it reads stdin, unless that is a terminal: then it
// returns nil. A dry run ends here, with errPlanned.
func (in *input) open(ctx context.Context, con *console, args []string) (*reader, error) {
	if len(args) == 0 {
		if terminal(con.in) {
			return nil, nil
		}
		args = []string{"-"}
	}
	if err := checkArguments(in.command, args); err != nil {
		return nil, usageError{err}
	}
	in.warnIdle(con, args)
	in.clamp(con, args)
	r, err := in.bounds(con)
	if err != nil {
		return nil, err
	}
	if in.logFormat != "" {
		names, err := schema.ParseFormat(in.logFormat)
		if err != nil {
			return nil, usageError{fmt.Errorf("--log-format: %w", err)}
		}
		r.opt.LogFormat, r.formatTyped = names, slices.Contains(con.settings.typed(in.command, inputHeading), "log-format")
	}
	if in.format != "" {
		if err := oneOf("input format", in.format, parse.FormatNames()); err != nil {
			return nil, usageError{err}
		}
	}
	if r.opt.Keys.Until.IsZero() && !r.opt.Keys.Since.IsZero() {
		r.opt.Keys.Until = r.now.Add(clockSkew) // so that S3 need not be asked which later days there are
	}
	in.s3.Filter = r.opt.Keys
	con.reach(ctx, in.s3.Options)
	con.written.reads(con.in, args)
	in.watchRenames(con, r)
	con.written.standard(con.out)
	if r.sources, err = sources(ctx, con, in.s3.Options, args); err != nil {
		return nil, err
	}
	r.args = args
	r.Source = &unwritten{Source: parse.Concat(r.sources...), written: &con.written}
	if in.dryRun {
		return nil, r.plan(ctx)
	}
	if in.rejects != "" {
		f, err := con.create(in.rejects)
		if err != nil {
			return nil, err
		}
		r.rejects, r.opt.Rejects = f, f
		r.tellInside(in.rejects)
	}
	return r, nil
}

// clamp lowers the numbers of goroutines, each of which takes memory, to what the machine can use, and says so.
func (in *input) clamp(con *console, args []string) {
	remote := slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "s3://") })
	for _, of := range []struct {
		flag   string
		number *int
		most   int
		matter bool
	}{
		{"--workers", &in.workers, parse.MostWorkers(), true},
		{"--concurrency", &in.s3.Concurrency, s3.MostConcurrency(), remote},
	} {
		if *of.number > of.most && of.matter && !in.quiet {
			fmt.Fprintf(con.err, "flowlog: warning: %s %d is more than the most on this machine, which has %s: %d are used\n", of.flag, *of.number, count(int64(runtime.GOMAXPROCS(0)), "processor"), of.most)
		}
		*of.number = min(*of.number, of.most)
	}
}

// bounds checks the flags that do not say where the records are.
func (in *input) bounds(con *console) (*reader, error) {
	if in.workers < 0 || in.maxErrors < 0 {
		return nil, usageError{errors.New("--workers and --max-errors cannot be negative")}
	}
	r := &reader{console: con, quiet: in.quiet, partial: in.partial}
	for i, account := range in.keys.Accounts {
		in.keys.Accounts[i] = accountNumber(account)
	}
	for i, region := range in.keys.Regions {
		in.keys.Regions[i] = strings.ToLower(region)
	}
	r.opt = parse.Options{Keys: in.keys, Workers: in.workers, Input: in.format, MaxErrors: in.maxErrors, LibraryGzip: in.library}
	if r.opt.Workers == 0 {
		r.opt.Workers = runtime.GOMAXPROCS(0)
	}
	var err error
	if r.zone, err = loadZone(in.tz); err != nil {
		return nil, usageError{fmt.Errorf("--tz: %w", err)}
	}
	if r.opt.Rename, err = renames(in.rename); err != nil {
		return nil, usageError{fmt.Errorf("--rename: %w", err)}
	}
	now := time.Now()
	r.now = now
	since, until, err := timeBounds(in.since, in.until, now, r.zone)
	if err != nil {
		return nil, usageError{err}
	}
	r.opt.Keys.Since, r.opt.Keys.Until = since, until
	if !since.IsZero() {
		r.opt.Since = since.Unix()
	}
	if !until.IsZero() {
		r.opt.Until = until.Unix()
	}
	switch since, until := r.opt.Keys.Since, r.opt.Keys.Until; {
	case !since.IsZero() && !until.IsZero():
		r.asked = "from " + r.clock(since) + " to " + r.clock(until)
	case !since.IsZero():
		r.asked = "at " + r.clock(since) + " or later"
	case !until.IsZero():
		r.asked = "before " + r.clock(until)
	}
	if r.mode = in.progress; !slices.Contains(progressModes, r.mode) {
		return nil, usageError{schema.Unknown("progress", r.mode, progressModes, "flowlog report --help")}
	}
	if in.quiet {
		r.mode = "none"
	}
	return r, nil
}

// renames reads what names of the input stand for: theirs=field.
func renames(pairs []string) (map[string]string, error) {
	names := make(map[string]string)
	for _, pair := range pairs {
		theirs, field, ok := strings.Cut(pair, "=")
		key := parse.RenameKey(theirs)
		if !ok || key == "" {
			return nil, fmt.Errorf("%q is not theirs=field: write it as source_ip=srcaddr", pair)
		}
		f, ok := schema.Logged().Lookup(strings.TrimSpace(field))
		if !ok {
			return nil, schema.Unknown("field", field, schema.Logged().Names(), "flowlog fields")
		}
		if other, twice := names[key]; twice && other != f.Name {
			return nil, fmt.Errorf("%s cannot be both %s and %s", theirs, other, f.Name)
		}
		names[key] = f.Name
	}
	return names, nil
}

// clockSkew is how much later than by this machine's clock records may be.
const clockSkew = time.Hour

func oneOf(what, name string, names []string) error {
	for _, n := range names {
		if n == name {
			return nil
		}
	}
	return schema.Unknown(what, name, names, "flowlog formats")
}

// header returns the columns of all objects, nil if there are none to be had.
func (r *reader) header(ctx context.Context) []string {
	if r.names == nil {
		p, err := sqlFields().Project(schema.Logged().Names()...) // it knows that an output of parse has enriched ones too
		if err == nil {
			r.names = parse.Columns(ctx, r.Source, p, r.opt)
		}
	}
	return r.names
}

const unknownColumn = "a column of the input that this version does not know"

// time reads a point in time as --since does.
func (r *reader) time(s string) (time.Time, error) { return parseTime(s, r.now, r.zone) }

// with returns the table with those of the names that it does not have, but the input does, added as text.
func (r *reader) with(ctx context.Context, fields schema.Table, names []string) schema.Table {
	there := make(map[string]bool, len(fields))
	for _, f := range fields {
		there[f.Name] = true
	}
	var header map[string]bool // read once a name asks for it
	for _, name := range names {
		name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "-", "_")
		if there[name] {
			continue
		}
		if header == nil {
			header = make(map[string]bool)
			for _, h := range r.header(ctx) {
				header[h] = true
			}
		}
		if there[name] = header[name]; there[name] {
			fields = append(fields, schema.Field{Name: name, Kind: schema.Text, Doc: unknownColumn})
		}
	}
	return fields
}

// scan reads everything and says on stderr what could not be read.
func (r *reader) scan(ctx context.Context, p *schema.Projection, emit schema.Emit) error {
	began := time.Now()
	var err error
	r.opt.Meter, r.opt.MadeOf = new(parse.Meter), r.madeOf(ctx)
	stop := progress(r.err, r.mode, r.opt.Meter)
	r.stats, err = parse.Scan(ctx, r.Source, p, r.opt, emit)
	stop()
	r.stats.Seconds = time.Since(began).Seconds()
	r.gather(ctx, r.stats.Objects > 0)
	return r.tell(err)
}

// tell says on stderr what could not be read, and returns err, or that nothing was read.
func (r *reader) tell(err error) error {
	r.tellPassedOver()
	r.warnOfColumns()
	r.warnOfOddValues()
	r.warnOfCounting()
	for _, p := range r.stats.Problems {
		fmt.Fprintln(r.err, "flowlog:", printable(p.String()))
	}
	if more := r.stats.Malformed + r.stats.MalformedValues - int64(len(r.stats.Problems)); more > 0 {
		fmt.Fprintf(r.err, "flowlog: … and %s more; %s in all: %s\n", humanize.Comma(more), malformed(r.stats.Stats), faults(r.stats.Stats))
	}
	for _, f := range r.stats.Failed {
		fmt.Fprintln(r.err, "flowlog:", printable(f.Error()))
	}
	err = r.endRejects(err)
	var many *parse.TooManyErrors
	if errors.As(err, &many) {
		return fmt.Errorf("stopped: %w, which is what --max-errors allows", many)
	}
	if read := r.stats.Records + r.stats.Malformed + r.stats.Outside; err == nil && read == 0 && len(r.stats.Failed) == 0 {
		switch other := r.otherServices(); {
		case r.nothing() != nil: // which close says
		case r.stats.Objects == 0 && other != "":
			return errors.New("there is nothing to read: " + other)
		case r.stats.Objects == 0 && r.empty != "":
			if !r.quiet {
				fmt.Fprintln(r.err, printable("flowlog: warning: the dataset "+r.empty+" has no records yet"))
			}
		case r.stats.Objects == 0 && !r.done:
			return errors.New("there is nothing to read: the input has no files")
		case r.stats.Objects > 0 && !r.quiet:
			fmt.Fprintln(r.err, "flowlog: warning: there are no records in the input")
		}
	}
	if err == nil && len(r.stats.Failed) > 0 && r.stats.Records+r.stats.Malformed+r.stats.Outside == 0 && int64(len(r.stats.Failed)) >= r.stats.Objects {
		for _, f := range r.stats.Failed {
			if accessDenied(f.Err) {
				return fmt.Errorf("no input could be read: %w", f.Err)
			}
		}
		return errors.New("no input could be read")
	}
	return err
}

// shownColumns is how many columns a warning names, and longestColumn how many letters it shows of a name.
const (
	shownColumns  = 5
	longestColumn = 80
)

// warnOfColumns says which columns are none that AWS documents.
func (r *reader) warnOfColumns() {
	unknown := r.stats.Unknown
	if len(unknown) == 0 || r.quiet {
		return
	}
	first := unknown[0].Object
	where, them := schema.Shown(first), "s %s; they can be used by those names, as text"
	if slices.ContainsFunc(unknown, func(u parse.UnknownColumn) bool { return u.Object != first }) {
		where += " and others"
	}
	if len(unknown) == 1 {
		them = " %s; it can be used by that name, as text"
	}
	names := make([]string, min(len(unknown), shownColumns))
	for i := range names {
		if names[i] = unknown[i].Name; len(names[i]) > longestColumn {
			names[i] = names[i][:longestColumn] + "…"
		}
	}
	list := strings.Join(names, ", ")
	if more := len(unknown) - len(names); more > 0 {
		list += fmt.Sprintf(" and %s more", humanize.Comma(int64(more)))
	}
	fmt.Fprintln(r.err, printable("flowlog: warning: "+where+": this version does not know the column"+fmt.Sprintf(them, list)))
}

// endRejects completes the file of malformed records if the scan has ended as asked for, and discards it otherwise. It
// returns err or its own error.
func (r *reader) endRejects(err error) error {
	switch {
	case r.rejects == nil:
		return err
	case err == nil, r.partial && errors.Is(err, context.Canceled):
		return cmp.Or(err, r.rejects.commit())
	}
	return errors.Join(err, r.rejects.discard())
}

// warnOfOddValues says which values are none that AWS documents.
func (r *reader) warnOfOddValues() {
	var parts []string
	for _, o := range r.stats.Odd {
		parts = append(parts, fmt.Sprintf("%s of %s such as %q", o.Field, count(o.Records, "record"), o.Value))
	}
	if len(parts) > 0 && !r.quiet {
		fmt.Fprintln(r.err, printable("flowlog: warning: this version does not know these values, and keeps them: "+strings.Join(parts, "; ")))
	}
}

// shownSkipped is how many names a warning about skipped objects has.
const shownSkipped = 3

// warnOfCounting says what counts more than once, and what was not read.
func (r *reader) warnOfCounting() {
	if r.quiet {
		return
	}
	if other := r.otherServices(); other != "" && r.stats.Objects > 0 {
		fmt.Fprintln(r.err, printable("flowlog: "+other))
	}
	if n := len(r.stats.Twice); n > 0 {
		fmt.Fprintln(r.err, printable(fmt.Sprintf("flowlog: warning: %s given twice and counted twice, such as %s", count(int64(n), "object"), schema.Shown(r.stats.Twice[0]))))
	}
	if n := len(r.stats.Remakes); n > 0 {
		more := ""
		if n > 1 {
			more = fmt.Sprintf(" (and %s more of the kind)", count(int64(n-1), "object"))
		}
		fmt.Fprintln(r.err, printable(fmt.Sprintf("flowlog: warning: flowlog parse made %s of %s, and both are read%s: their records count twice", schema.Shown(r.stats.Remakes[0].Name), schema.Shown(r.stats.Remakes[0].Of), more)))
	}
	for _, src := range r.sources {
		remote, ok := src.(*s3.Source)
		if !ok || len(remote.Skipped()) == 0 {
			continue
		}
		skipped, more := remote.Skipped(), ""
		if n := len(skipped) - shownSkipped; n > 0 {
			skipped, more = skipped[:shownSkipped], fmt.Sprintf(" and %d more", n)
		}
		for i, name := range skipped {
			skipped[i] = schema.Shown(name)
		}
		fmt.Fprintln(r.err, printable("flowlog: warning: not read, since it lies beside AWSLogs/: "+strings.Join(skipped, ", ")+more+"; name it to read it"))
	}
	if slices.ContainsFunc(r.sources, func(src parse.Source) bool { remote, ok := src.(*s3.Source); return ok && remote.Miscounted() }) {
		fmt.Fprintln(r.err, "flowlog: warning: the S3 server says of a page of its listing that it has another number of objects (KeyCount) than it lists: objects may be missing")
	}
	r.tellRenamed()
	if r.formatTyped && r.stats.Records > 0 && r.stats.Headerless == 0 {
		fmt.Fprintln(r.err, "flowlog: warning: --log-format is for records without a header, and all inputs say their fields: without effect")
	}
	if n := len(r.stats.Overlaps); n > 0 {
		more := ""
		if n > 1 {
			more = fmt.Sprintf(" (and %s more)", count(int64(n-1), "pair"))
		}
		fmt.Fprintf(r.err, "flowlog: warning: flow logs %s%s log the same interfaces, whose flows count twice: --flow-log restricts to one\n", printable(r.stats.Overlaps[0]), more)
	}
}
