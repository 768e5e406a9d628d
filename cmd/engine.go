package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/s3"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/engine"
	"flowlog/report/engine/athena"
	"flowlog/report/engine/trino"
	"flowlog/report/render"
)

// elsewhere is the group of flags that say where a report is computed, if it is not here.
type elsewhere struct {
	name     string
	trinoDSN string
	athena   athena.Options
	maxScan  string
	layout   string
}

// engines is THE table of engines that run reports. The dialect of each has its name.
var engines = []struct {
	name string
	open func(ctx context.Context, e *elsewhere, aws s3.Options) (engine.Runner, error)
	note func(e *elsewhere) string // what else to say behind the cost
	own  []string                  // flags that no other engine has
}{
	{"trino", func(_ context.Context, e *elsewhere, _ s3.Options) (engine.Runner, error) {
		if e.trinoDSN == "" {
			return nil, usageError{fmt.Errorf("--engine trino: name the server, as in --trino-dsn 'https://user@host:8443?catalog=hive&schema=vpc' or $%s", envName(flagTrinoDSN))}
		}
		r, err := trino.Open(e.trinoDSN)
		if err != nil {
			return nil, usageError{fmt.Errorf("--%s: %w", flagTrinoDSN, err)}
		}
		return r, nil
	}, func(*elsewhere) string { return "" }, []string{flagTrinoDSN}},
	{"athena", func(ctx context.Context, e *elsewhere, aws s3.Options) (engine.Runner, error) {
		opt := e.athena
		opt.Profile, opt.Region, opt.EndpointURL = aws.Profile, aws.Region, aws.EndpointURL
		if e.maxScan != "" {
			var err error
			if opt.MaxScan, err = size("max-scan", e.maxScan, 1); err != nil {
				return nil, err
			}
		}
		if !(opt.Price >= 0 && opt.Price < 1e6) { // nor is it NaN
			return nil, usageError{fmt.Errorf("--scan-price: %g is no price", opt.Price)}
		}
		return athena.Connect(ctx, opt)
	}, func(e *elsewhere) string { return fmt.Sprintf(" at $%g a terabyte", e.athena.Price) },
		[]string{"workgroup", "output-location", "max-scan", "scan-price"}},
}

const engineFlags = "Engine flags"

// check says what is wrong with flags of the command line that no engine, or another one, is to heed: whoever bounds what
// a query scans must not believe that it is bounded.
func (e *elsewhere) check(c *cobra.Command, s *settings) error {
	for _, flag := range s.typed(c, engineFlags) {
		var of []string
		for _, row := range engines {
			if slices.Contains(row.own, flag) {
				of = append(of, row.name)
			}
		}
		switch {
		case flag == "engine" || slices.Contains(of, e.name) || of == nil && e.name != "":
		case len(of) == 1:
			return usageError{fmt.Errorf("--%s is for --engine %s: say that too, or leave it out", flag, of[0])}
		default:
			return usageError{fmt.Errorf("--%s is for a table of an engine: say --engine too, or leave it out", flag)}
		}
	}
	return nil
}

// flagTrinoDSN names a flag whose value has a password.
const flagTrinoDSN = "trino-dsn"

func engineNames() []string {
	var names []string
	for _, e := range engines {
		names = append(names, e.name)
	}
	return names
}

func (e *elsewhere) flags(c *cobra.Command) {
	group(c, engineFlags, func(f *pflag.FlagSet) {
		f.StringVar(&e.name, "engine", "", "run the report on this `engine`, on the table that --table names: "+join(engineNames()))
		f.StringVar(&e.trinoDSN, flagTrinoDSN, "", "Trino server, a `URL`: https://user:password@host:8443?catalog=hive&schema=vpc")
		f.StringVar(&e.layout, "layout", "", "read only the partitions of --since and --until, of a table that sql ddl made in this `layout`: daily, hive, dataset …")
		f.StringVar(&e.athena.WorkGroup, "workgroup", "", "Athena `workgroup` (default: primary)")
		f.StringVar(&e.athena.OutputLocation, "output-location", "", "where Athena puts results, a `URL`: s3://bucket/prefix/ (default: the workgroup's)")
		f.StringVar(&e.maxScan, "max-scan", "", "Athena runs no query that could scan more than this `size`: 100GB")
		f.Float64Var(&e.athena.Price, "scan-price", athena.Price, "US `dollars` that Athena asks for scanning a terabyte (2^40 bytes)")
	})
	complete(c, "engine", engineNames)
}

// withoutSecrets is the value of a flag as it may be shown: without the password of a URL, and what follows its host.
func withoutSecrets(flag, value string) string {
	if flag != flagTrinoDSN || value == "" {
		return value
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return "xxxxx"
	}
	user := ""
	if name := u.User.Username(); name != "" {
		user = url.User(name).String() + "@"
	}
	shown := u.Scheme + "://" + user + u.Host
	if u.RawQuery != "" {
		shown += "?…"
	}
	return shown
}

// engineTable takes the engine's table, or the query in brackets in its place, out of the values of --table, which names
// the user's own tables too.
func engineTable(engine string, values []string) (table string, own []string, err error) {
	for _, v := range values {
		name, _, ok := strings.Cut(v, "=")
		switch {
		case ok && !strings.ContainsAny(name, " (\""): // a query has these before any =
			own = append(own, v)
		case engine == "":
			return "", nil, usageError{fmt.Errorf("--table %s: name the table and its file, as in --table nets=nets.csv; the table of an engine needs --engine too", v)}
		case table != "":
			return "", nil, usageError{fmt.Errorf("--table names two tables, %s and %s: a report is of one", table, v)}
		default:
			table = v
		}
	}
	if engine != "" && table == "" {
		return "", nil, usageError{fmt.Errorf("--engine %s: name the table that has the records, as in --table hive.vpc.flow_logs", engine)}
	}
	return table, own, nil
}

// notElsewhere are the flags about reading that mean nothing where flowlog reads nothing, with what to do instead.
var notElsewhere = map[string]string{
	"vantage":       "it learns from all records, which stay in the engine",
	"flow-log":      "it chooses objects: ask for another table",
	"account":       "it chooses objects: write --where \"account_id = '123456789012'\"",
	"region-filter": "it chooses objects: write --where \"region = 'eu-central-1'\"",
	"partial":       "an engine's report is whole or none",
	"rejects":       "an engine reads the records",
	"max-errors":    "an engine reads the records",
}

// remote runs the reports on an engine, one query each.
func (r *reporting) remote(c *cobra.Command, args []string, table string) (err error) {
	ctx := c.Context()
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s: with --engine the records are those of --table %s: leave the input out, or --engine", args[0], table)}
	}
	for _, flag := range slices.Sorted(maps.Keys(notElsewhere)) {
		if c.Flags().Changed(flag) {
			return usageError{fmt.Errorf("--%s and --engine: %s", flag, notElsewhere[flag])}
		}
	}
	i := slices.Index(engineNames(), r.elsewhere.name)
	if i < 0 {
		return usageError{schema.Unknown("engine", r.elsewhere.name, engineNames(), "flowlog help sql")}
	}
	r.console.reach(ctx, r.input.s3.Options)
	in, err := r.input.bounds(r.console)
	if err != nil {
		return err
	}
	in.names = schema.Logged().Names() // what the table has
	enr, err := r.enrichment.open(r.wanted())
	if err != nil {
		return err
	}
	defer enr.finish(in, &err)
	dialects := report.Dialects()
	dialect := dialects[slices.IndexFunc(dialects, func(d report.Dialect) bool { return d.Name == r.elsewhere.name })]
	if r.elsewhere.layout != "" {
		if table, err = report.WithinDays(dialect, table, r.elsewhere.layout, in.opt.Keys.Since, in.opt.Keys.Until); err != nil {
			return usageError{fmt.Errorf("--layout: %w", err)}
		}
	}
	limit, err := r.memory.limit(r.warnings(r.input.quiet))
	if err != nil {
		return err
	}
	var halves []*report.Remote
	defer func() {
		for _, half := range halves {
			if cerr := half.Close(); err == nil {
				err = cerr
			}
		}
	}()
	for _, rep := range r.reports {
		changed, err := rep.With(r.change, enr.scope(in), in.zone)
		if err != nil {
			return usageError{err}
		}
		if r.settings.fromSaved("by") {
			changed.Doc = rep.Doc
		}
		var needs []string
		changed.Fields(func(name string) { needs = append(needs, name) })
		if err := enr.missing(ctx, rep.Name, in, needs); err != nil {
			return err
		}
		split, err := report.NewSplit(changed.During(in.opt.Keys.Since, in.opt.Keys.Until), dialect, enr.fields, table)
		if err != nil {
			return usageError{err}
		}
		half, err := report.NewRemote(split)
		if err != nil {
			return usageError{err}
		}
		if limit > 0 {
			half.Limit(limit, r.memory.tempDir)
		}
		halves = append(halves, half)
	}
	if r.input.dryRun {
		for _, half := range halves {
			if _, err := fmt.Fprintf(r.out, "%s;\n", strings.TrimSuffix(half.SQL, "\n")); err != nil {
				return err
			}
		}
		return nil
	}
	runner, err := engines[i].open(ctx, &r.elsewhere, r.input.s3.Options)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := runner.Close(); err == nil {
			err = cerr
		}
	}()
	out, err := r.sink(in.zone, r.reports)
	if err != nil {
		return err
	}
	doc, nothing, err := r.fetch(ctx, runner, halves, enr.wrap(1), in)
	r.request.Change, r.request.Selection = r.change.Settings(), in.selection("")
	doc.Settings = r.settingsOfAll()
	if err == nil {
		for i := range doc.Tables {
			doc.Tables[i].Settings = slices.Concat(doc.Tables[i].Settings, r.request.Selection)
			doc.Tables[i].Command = r.command(c, slices.IndexFunc(r.reports, func(x report.Report) bool { return x.Name == doc.Tables[i].Name }), nil)
		}
		err = out.Tables(out.w, doc, out.opt)
	}
	if err := out.done(err); err != nil {
		return err
	}
	r.tellCut(out.Format, doc.Tables)
	if !in.quiet {
		fmt.Fprintln(r.err, printable(closing(r.elsewhere.name, doc)+engines[i].note(&r.elsewhere)))
	}
	return cmp.Or(ctx.Err(), nothing)
}

// fetch runs one query after the other, and behind each those that find out which fields the records have. A report whose
// fields the table does not have is left out if there are others. nothing is the error of a time without records, for when
// the reports are printed.
func (r *reporting) fetch(ctx context.Context, runner engine.Runner, halves []*report.Remote, wrap report.Wrap, in *reader) (doc render.Document, nothing, err error) {
	for i, half := range halves {
		ran := r.counting(&doc, r.reports[i].Name)
		t, err := answer(ctx, runner, half, wrap, ran)
		var lacks *report.Lacking
		var none *engine.NoColumn
		missing := errors.As(err, &lacks) || errors.As(err, &none)
		if none != nil {
			err = fmt.Errorf("%s: %w", r.reports[i].Name, none)
		}
		switch {
		case err == nil:
			doc.Tables = append(doc.Tables, t)
		case !missing || len(halves) == 1:
			return doc, nil, err
		case !in.quiet:
			fmt.Fprintf(r.err, "flowlog: left out: %v\n", err)
		}
	}
	nothing, err = in.ofTable(ctx, runner, halves, r.counting(&doc, r.reports[0].Name))
	return doc, nothing, err
}

// counting returns a function that notes what a query for a report took.
func (r *reporting) counting(doc *render.Document, name string) func(engine.Stats) {
	began := time.Now()
	return func(s engine.Stats) {
		q := render.Query{Report: name, Engine: r.elsewhere.name, ID: s.ID, Seconds: cmp.Or(s.Elapsed, time.Since(began)).Seconds()}
		if s.Scanned >= 0 {
			q.Bytes = &s.Scanned
		}
		if s.Cost >= 0 {
			q.Dollars = &s.Cost
		}
		doc.Queries = append(doc.Queries, q)
		began = time.Now()
	}
}

// ofTable finds out whether the table has a record of the time that reports without any are of. nothing says that it has
// none.
func (in *reader) ofTable(ctx context.Context, runner engine.Runner, halves []*report.Remote, ran func(engine.Stats)) (nothing, err error) {
	if in.asked == "" || slices.ContainsFunc(halves, (*report.Remote).Found) {
		return nil, nil
	}
	sql, err := halves[0].AnyRecord()
	if err != nil {
		return nil, err
	}
	n, err := engine.Count(ctx, runner, sql)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	ran(runner.Stats())
	if n == 0 {
		nothing = nothingError{"no record is left that ends " + in.asked + ": the table has none"}
	}
	return nothing, nil
}

// answer runs the queries of one report.
func answer(ctx context.Context, runner engine.Runner, half *report.Remote, wrap report.Wrap, ran func(engine.Stats)) (report.Table, error) {
	if err := engine.Feed(ctx, runner, half, wrap, ran); err != nil {
		return report.Table{}, cmp.Or(ctx.Err(), err)
	}
	t, lacks, err := half.Table(wrap)
	if err == nil && lacks != nil {
		err = lacks
	}
	return t, err
}

// closing is the line that says what the queries took, as far as the engine says.
func closing(name string, doc render.Document) string {
	var rows, bytes int64
	var seconds, dollars float64
	sized, priced := true, true
	for _, t := range doc.Tables {
		rows += int64(len(t.Rows))
	}
	for _, q := range doc.Queries {
		seconds += q.Seconds
		if sized = sized && q.Bytes != nil; sized {
			bytes += *q.Bytes
		}
		if priced = priced && q.Dollars != nil; priced {
			dollars += *q.Dollars
		}
	}
	queries := "1 query"
	if n := len(doc.Queries); n != 1 {
		queries = fmt.Sprintf("%d queries", n)
	}
	line := fmt.Sprintf("flowlog: %s answered %s with %s", name, queries, count(rows, "row"))
	if sized {
		line += "; " + humanize.IBytes(uint64(bytes)) + " scanned"
	}
	line += fmt.Sprintf(" in %.2f s", seconds)
	if priced {
		line += fmt.Sprintf(", about $%.5f", dollars)
	}
	return line
}

var errPanels = errors.New("the dashboard is many reports of the same logs, which an engine would scan once for each: run one report, as in `flowlog report talkers --engine trino`")
