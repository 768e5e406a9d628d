package cmd

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
)

// input is the group of flags that say what is read and how.
type input struct {
	form      inputForm
	within    inputBounds
	workers   int
	maxErrors int64
	rejects   string
	progress  string
	quiet     bool
	dryRun    bool
	partial   bool
	s3        s3Flags
	command   *cobra.Command // whose flags these are
	warned    bool           // see warnIdle
}

// inputForm says how inputs are read.
type inputForm struct {
	fields  string // of records without a header
	format  string // "" is told by the content
	rename  []string
	library bool // see parse.Options.LibraryGzip
}

// inputBounds says which objects and records are read.
type inputBounds struct {
	since, until string
	tz           string
	keys         parse.KeyFilter
}

// inputHeading is the heading of these flags.
const inputHeading = "Input flags"

func (in *input) flags(c *cobra.Command) {
	in.command = c
	section(c, inputHeading, func(f *pflag.FlagSet) {
		f.StringVar(&in.form.fields, "log-format", "", "`fields` of records without a header: '${srcaddr} ${bytes} …', or "+schema.VersionRange(" to "))
		f.StringVar(&in.form.format, "input-format", "", "read all inputs as this `format`: "+strings.Join(parse.FormatNames(), ", "))
		f.StringSliceVar(&in.form.rename, "rename", nil, "read columns of other names as fields: `theirs=field`, such as source_ip=srcaddr")
		f.StringVar(&in.within.since, "since", "", "only records that end at this `time` or later: 2026-05-14T09:00, yesterday, 3d")
		f.StringVar(&in.within.until, "until", "", "only records that end before this `time`")
		f.StringSliceVar(&in.within.keys.FlowLogs, "flow-log", nil, "only objects of these flow logs, by their `ids`: fl-…")
		f.StringSliceVar(&in.within.keys.Accounts, "account", nil, "only objects whose names are of these `accounts`")
		f.StringSliceVar(&in.within.keys.Regions, "region-filter", nil, "only objects whose names are of these `regions`")
		f.StringVar(&in.within.tz, "tz", "UTC", "`zone` of times: UTC, Local, Europe/Berlin …")
		f.BoolVar(&in.dryRun, "dry-run", false, "say what would be read: objects, bytes, requests")
		f.BoolVar(&in.partial, "partial", false, "when interrupted, print what there is so far; with report -o arrow, write what merge finishes")
		f.IntVar(&in.workers, "workers", 0, "parse with this `number` of goroutines, at most 16 or 4 per processor (default: one per processor)")
		f.Int64Var(&in.maxErrors, "max-errors", 0, "fail beyond this `number` of malformed records and values; 0 never does")
		f.StringVar(&in.rejects, "rejects", "", "write malformed records as they were, and malformed values by row, to this `file`; it appears when it is complete")
		f.StringVar(&in.progress, "progress", "auto", "progress of this `kind` on stderr: auto, plain or none")
		f.BoolVarP(&in.quiet, "quiet", "q", false, "no closing line, progress or warnings on stderr")
	})
	// For us, see parse.Options.
	c.Flags().BoolVar(&in.form.library, "library-gzip", false, "unpack gzip with klauspost/compress: slower, and the same")
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
	if err := checkRejects(in.rejects, args); err != nil {
		return nil, err
	}
	in.warnIdle(con, args)
	in.clamp(con, args)
	r, err := in.bounds(con)
	if err != nil {
		return nil, err
	}
	if in.form.fields != "" {
		names, err := schema.ParseFormat(in.form.fields)
		if err != nil {
			return nil, usageError{fmt.Errorf("--log-format: %w", err)}
		}
		r.opt.LogFormat, r.typed.logFormat = names, slices.Contains(con.settings.typed(in.command, inputHeading), "log-format")
	}
	if in.form.format != "" {
		if _, err := find("input format", in.form.format, parse.FormatNames(), "flowlog formats"); err != nil {
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
	if r.from.sources, err = sources(ctx, con, in.s3.Options, args); err != nil {
		return nil, err
	}
	r.from.args = args
	r.from.source = &unwritten{Source: parse.Concat(r.from.sources...), written: &con.written}
	if in.dryRun {
		return nil, r.plan(ctx)
	}
	if in.rejects != "" {
		f, err := con.create(in.rejects)
		if err != nil {
			return nil, err
		}
		r.rejects, r.opt.Rejects = f, f
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
	r := &reader{con: con, quiet: in.quiet, partial: in.partial, s3: in.s3.Options}
	for i, account := range in.within.keys.Accounts {
		in.within.keys.Accounts[i] = accountNumber(account)
	}
	for i, region := range in.within.keys.Regions {
		in.within.keys.Regions[i] = strings.ToLower(region)
	}
	r.opt = parse.Options{Keys: in.within.keys, Workers: in.workers, Input: in.form.format, MaxErrors: in.maxErrors, LibraryGzip: in.form.library}
	if r.opt.Workers == 0 {
		r.opt.Workers = runtime.GOMAXPROCS(0)
	}
	var err error
	if r.zone, err = loadZone(in.within.tz); err != nil {
		return nil, usageError{fmt.Errorf("--tz: %w", err)}
	}
	if r.opt.Rename, err = renames(in.form.rename); err != nil {
		return nil, usageError{fmt.Errorf("--rename: %w", err)}
	}
	now := time.Now()
	r.now = now
	since, until, err := timeBounds(in.within.since, in.within.until, now, r.zone)
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
		r.none.asked = "from " + r.clock(since) + " to " + r.clock(until)
	case !since.IsZero():
		r.none.asked = "at " + r.clock(since) + " or later"
	case !until.IsZero():
		r.none.asked = "before " + r.clock(until)
	}
	if _, err := find("progress", in.progress, progressModes, "flowlog report --help"); err != nil {
		return nil, usageError{err}
	}
	if r.mode = in.progress; in.quiet {
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
