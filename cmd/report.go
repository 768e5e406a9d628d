package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render"
)

// reporting is what `flowlog report` and its subcommands have in common.
type reporting struct {
	*console
	input
	enrichment
	output
	change  report.Change
	chart   bool
	reports []report.Report
	panels  []report.Panel // of a dashboard, by report
}

// newReport returns `flowlog report`, with a subcommand for each report of the catalog.
func newReport(con *console) *cobra.Command {
	c := newReporting(con, report.Overview(), nil)
	c.Use = "report [NAME] [flags] [INPUT ...]"
	c.Short = "Group, rank and print flows"
	c.Long = "report reads flow logs and prints reports. Without a NAME it prints the summary, the top talkers,\n" +
		"the rejected traffic and the protocols, in one pass. INPUT is files, directories, quoted globs\n" +
		"or - for standard input, in any format and compression that `flowlog formats` lists.\n" +
		"dashboard is all of it, with charts."
	c.Example = "  flowlog report logs/\n" +
		"  flowlog report talkers --sort packets --top 20 a.log.gz\n" +
		"  flowlog report rejected-ports -o csv 'logs/**/*.log.gz'\n" +
		"  flowlog report talkers --by srcaddr,dstaddr,dstport logs/\n" +
		"  flowlog report dashboard -o html -O report.html logs/"
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 || several(args[0]) != nil {
			return nil
		}
		if _, err := os.Stat(args[0]); errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(args[0], "/.*?[{") && args[0] != "-" {
			err := schema.Unknown("report", args[0], append(report.Names(), dashboardName), "flowlog reports")
			return fmt.Errorf("%w; there is no file of that name either", err)
		}
		for _, arg := range args[1:] {
			if _, err := os.Stat(arg); err != nil && slices.Contains(report.Names(), arg) {
				return fmt.Errorf("the name of the report comes first: flowlog report %s %s", arg, args[0])
			}
		}
		return nil
	}
	for _, r := range report.Catalog() {
		sub := newReporting(con, []report.Report{r}, nil)
		sub.Use = r.Name + " [flags] [INPUT ...]"
		sub.Short = r.Doc
		sub.Long = r.Doc + ".\n\n" + describe(r)
		sub.Args = cobra.ArbitraryArgs
		c.AddCommand(sub)
	}
	c.AddCommand(newDashboard(con))
	return c
}

// several returns the reports that a list of names stands for, such as talkers,rejected, or nil if it is none.
func several(list string) []report.Report {
	if !strings.Contains(list, ",") {
		return nil
	}
	var reports []report.Report
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(report.Catalog(), func(r report.Report) bool { return r.Name == strings.TrimSpace(name) })
		if i < 0 {
			return nil
		}
		reports = append(reports, report.Catalog()[i])
	}
	return reports
}

// describe says in words what a report computes.
func describe(r report.Report) string {
	var b strings.Builder
	if len(r.Keys) > 0 {
		fmt.Fprintf(&b, "Groups by:  %s\n", names(r.Keys, report.Key.Name))
	}
	fmt.Fprintf(&b, "Measures:   %s\n", names(r.Measures, func(m report.Measure) string { return m.Name }))
	if r.Where != nil {
		fmt.Fprintf(&b, "Only where: %s\n", r.Where)
	}
	fmt.Fprintf(&b, "Look next:  %s", r.Next)
	return b.String()
}

func names[T any](list []T, name func(T) string) string {
	var all []string
	for _, x := range list {
		all = append(all, name(x))
	}
	return strings.Join(all, ", ")
}

func newReporting(con *console, reports []report.Report, panels []report.Panel) *cobra.Command {
	r := &reporting{console: con, reports: reports, panels: panels}
	c := &cobra.Command{
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("top") && r.change.Top < 0 {
				return usageError{errors.New("--top cannot be negative: 0 shows all rows")}
			}
			if !c.Flags().Changed("top") {
				r.change.Top = -1
			}
			if c.HasSubCommands() && len(args) > 0 {
				if reports := several(args[0]); reports != nil {
					r.reports, args = reports, args[1:]
				}
			}
			return r.run(c, args)
		},
		ValidArgsFunction: nil,
	}
	group(c, "Report flags", func(f *pflag.FlagSet) {
		f.IntVarP(&r.change.Top, "top", "n", 10, "rows to show; 0 shows all")
		f.StringVar(&r.change.Where, "where", "", "only flows that meet this `condition`, as in 'dstport = ssh and srcaddr in 10.0.0.0/8': see `flowlog help filters`")
		f.StringSliceVar(&r.change.By, "by", nil, "group by these `keys` instead: fields, networks such as srcaddr/24, time")
		f.StringSliceVar(&r.change.Measures, "measures", nil, "compute these `measures` instead: flows, bytes, distinct(dstport) …: see `flowlog help measures`")
		f.StringVar(&r.change.Having, "having", "", "only rows that meet this `condition` on keys and measures, as in 'flows > 1000'")
		f.StringVar(&r.change.Every, "every", "", "group by bins of time of this `width`: 5m, 1h, 1d, or auto")
		f.StringVar(&r.change.Sort, "sort", "", "rank by this measure or key; -`name` ranks from the other end")
		f.BoolVar(&r.chart, "chart", false, "draw in the terminal: bars beside ranked rows, lines over time, heat maps")
	})
	r.output.flags(c, "table")
	r.input.flags(c)
	r.enrichment.flags(c)
	complete(c, "by", func() []string { return append(schema.Logged(), enrich.Fields()...).Names() })
	complete(c, "sort", measureNames)
	complete(c, "measures", measureNames)
	return c
}

func measureNames() []string {
	var all []string
	for _, m := range report.Measures() {
		all = append(all, m.Name)
	}
	return all
}

func (r *reporting) run(c *cobra.Command, args []string) (err error) {
	ctx := c.Context()
	if len(r.reports) > 1 && (r.change.By != nil || r.change.Measures != nil || r.change.Sort != "" || r.change.Having != "") {
		return usageError{errors.New("--by, --measures, --having and --sort change one report: name it, as in `flowlog report talkers --by dstport`")}
	}
	in, err := r.input.open(ctx, r.console, args)
	if err != nil {
		return err
	}
	if in == nil {
		return c.Help()
	}
	wanted := r.change.Words()
	for i := range r.reports {
		r.reports[i].Fields(func(name string) { wanted = append(wanted, name) })
	}
	for _, p := range r.panels {
		wanted = append(wanted, p.Words()...)
	}
	enr, err := r.enrichment.open(wanted)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := enr.close(); cerr != nil && err == nil {
			err = cerr
		}
	}()
	scope := report.Scope{Fields: enr.fields, List: "flowlog fields", Number: enr.number, Open: openFile, Time: in.time}
	reports := make([]report.Report, 0, len(r.reports))
	tables := make([]report.Table, len(r.reports)) // what is known of them before
	var computed []int
	for i, rep := range r.reports {
		change := r.changeOf(i)
		changed, err := rep.With(change, scope, in.zone)
		if err != nil { // a name may be that of a column that only the input knows
			scope.Fields = in.with(ctx, enr.fields, r.change.Words())
			changed, err = rep.With(change, scope, in.zone)
		}
		if err != nil {
			return usageError{err}
		}
		tables[i] = report.Table{Name: rep.Name, Doc: changed.Doc}
		var needs []string
		changed.Fields(func(name string) { needs = append(needs, name) })
		if err := enr.missing(ctx, rep.Name, in, needs); err != nil {
			if r.panels == nil {
				return err
			}
			tables[i].Lacks, tables[i].Notes = enr.lacking(needs), []string{err.Error()}
			continue
		}
		reports = append(reports, changed)
		computed = append(computed, i)
	}
	out, err := r.output.open(r.console, in.zone, "table", "table")
	if err != nil {
		return err
	}
	if r.chart {
		if out.Name != "table" {
			return usageError{out.done(fmt.Errorf("--chart draws in tables, and %s is none: leave --chart out, or use -o html, which has charts", out.Name))}
		}
		out.opt.Chart, out.opt.Width, out.opt.ASCII = true, r.console.width(), !unicodeOutput(os.Getenv)
	}
	if out.Single && len(reports) > 1 {
		return usageError{out.done(fmt.Errorf("%s holds one report, and this would be %d: name one, as in `flowlog report %s`, or use json or ndjson", out.Name, len(reports), reports[1].Name))}
	}
	done, lacks, stats, err := r.compute(ctx, in, enr, scope.Fields, reports)
	if err == nil {
		tables = r.assemble(c, args, tables, computed, done, lacks)
		err = out.Tables(out.w, render.Document{Tables: tables, Input: stats}, out.opt)
	}
	if err := out.done(err); err != nil {
		return err
	}
	return cmp.Or(in.close(), ctx.Err())
}

// openFile opens a list of values that a condition names.
func openFile(name string) (io.ReadCloser, error) { return os.Open(name) }

// compute runs the reports over the input.
func (r *reporting) compute(ctx context.Context, in *reader, enr *lookups, fields schema.Table, reports []report.Report) ([]report.Table, []*report.Lacking, schema.Stats, error) {
	agg, err := report.NewAggregator(fields, reports, in.opt.Workers)
	if err != nil {
		return nil, nil, schema.Stats{}, usageError{err}
	}
	in.opt.Only.Field, in.opt.Only.Value = agg.Only()
	wrap := enr.wrap(in.opt.Workers)
	if err := in.scan(ctx, agg.Projection().Logged(), wrap(agg.Projection(), agg.Add)); err != nil && (ctx.Err() == nil || !in.partial) {
		return nil, nil, schema.Stats{}, err
	}
	tables, lacks, err := agg.Tables(in.stats.Stats, wrap)
	if err != nil {
		return nil, nil, schema.Stats{}, err
	}
	if ctx.Err() != nil {
		for i := range tables {
			tables[i].Notes = append(tables[i].Notes, "interrupted: this is what was read until then")
		}
	}
	for _, l := range lacks {
		if len(reports) == 1 && r.panels == nil {
			return nil, nil, schema.Stats{}, l
		}
		if in.quiet || r.panels != nil {
			continue
		}
		fmt.Fprintf(r.err, "flowlog: left out: %v\n", l)
	}
	return tables, lacks, in.stats.Stats, nil
}
