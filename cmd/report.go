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
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	memory
	elsewhere
	change  report.Change
	vantage string
	counted []string // what the vantage says of the records that count
	chart   bool
	part    io.Writer // where partial results go; nil if reports are to be finished
	request report.Request
	page    page // of html, what else is computed for it
	reports []report.Report
	panels  []report.Panel // of a dashboard, by report
}

// newReport returns `flowlog report`, with a subcommand for each report of the catalog. Those that the arguments do
// not name are there to be listed, without their flags: all together these take longer than a small report.
func newReport(con *console, args []string) *cobra.Command {
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
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 || con.settings.err != nil {
			return con.settings.err
		}
		if list, err := several(args[0], con.settings.names()); list != nil || err != nil {
			return err
		}
		reports := append(report.Names(), con.settings.names()...)
		if _, err := os.Stat(args[0]); errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(args[0], "/.*?[{") && args[0] != "-" {
			if meant(c, noFiles(args)) != "" || checkURL(args[0]) != nil {
				return checkArguments(c, args)
			}
			err := schema.Unknown("report", args[0], append(reports, dashboardName), "flowlog reports")
			return fmt.Errorf("%w; there is no file of that name either", err)
		}
		for _, arg := range args[1:] {
			if _, err := os.Stat(arg); err != nil && slices.Contains(reports, arg) {
				return fmt.Errorf("the name of the report comes first: flowlog report %s %s", arg, args[0])
			}
		}
		return nil
	}
	for _, r := range report.Catalog() {
		sub := &cobra.Command{Run: func(*cobra.Command, []string) {}}
		if slices.Contains(args, r.Name) {
			sub = newReporting(con, []report.Report{r}, nil)
		}
		sub.Use = r.Name + " [flags] [INPUT ...]"
		sub.Short = r.Doc
		sub.Long = r.Doc + ".\n\n" + describe(r)
		sub.Args = onlyInputs
		c.AddCommand(sub)
	}
	c.AddCommand(newDashboard(con, args))
	return c
}

// onlyInputs refuses the names of reports behind that of one, if there are no such files.
func onlyInputs(c *cobra.Command, args []string) error {
	for _, arg := range args {
		if _, err := os.Stat(arg); err != nil && slices.Contains(report.Names(), arg) {
			return fmt.Errorf("%s is a report, and no file: name several with commas between, as in flowlog report %s,%s", arg, c.Name(), arg)
		}
	}
	return nil
}

// several returns the reports that a list of names stands for, such as talkers,rejected, or nil if it is none: some
// name must be that of a report. saved are the names of those that have flags of their own.
func several(list string, saved []string) ([]report.Report, error) {
	var reports []report.Report
	var unknown error
	own := false
	names := strings.Split(list, ",")
	for _, name := range names {
		r, ok := report.Named(strings.TrimSpace(name))
		if ok {
			reports = append(reports, r)
		} else if unknown == nil && strings.TrimSpace(name) == dashboardName {
			unknown = errors.New("the dashboard is a page of its own, with all reports: name it alone")
		} else if slices.Contains(saved, strings.TrimSpace(name)) {
			own = true
			unknown = cmp.Or(unknown, fmt.Errorf("%s is a saved report with flags of its own: run it alone", strings.TrimSpace(name)))
		} else if unknown == nil {
			unknown = schema.Unknown("report", name, report.Names(), "flowlog reports")
		}
	}
	switch {
	case len(names) < 2 || reports == nil && !own:
		return nil, nil
	case unknown != nil:
		return nil, unknown
	}
	return reports, nil
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
			if err := checkChange(c, &r.change); err != nil {
				return err
			}
			if c.HasSubCommands() && len(args) > 0 {
				if reports, _ := several(args[0], nil); reports != nil {
					r.reports, args = reports, args[1:]
				}
			}
			return r.run(c, args)
		},
		ValidArgsFunction: nil,
	}
	changeFlags(c, &r.change, r.enrichment.names)
	group(c, "Report flags", func(f *pflag.FlagSet) {
		r.vantageFlag(f)
		f.BoolVar(&r.chart, "chart", false, "draw in the terminal: bars beside ranked rows, lines over time, heat maps")
	})
	r.memory.flags(c, "Report flags", "groups")
	r.output.flags(c, "table")
	r.input.flags(c)
	r.enrichment.flags(c)
	r.elsewhere.flags(c)
	return c
}

// changeFlags adds the flags that change a report. keys are the fields that it can be grouped by, for completion.
func changeFlags(c *cobra.Command, change *report.Change, keys func() []string) {
	group(c, "Report flags", func(f *pflag.FlagSet) {
		topVar(f, &change.Top, 10)
		conditionVar(f, &change.Where, "where", "only flows that meet this `condition`: 'dstport = ssh and bytes > 1MB'")
		f.StringSliceVar(&change.By, "by", nil, "group by these `keys`: fields, networks such as srcaddr/24, time")
		f.StringSliceVar(&change.Measures, "measures", nil, "compute these `measures`: flows, bytes, distinct(dstport) …")
		conditionVar(f, &change.Having, "having", "only rows that meet this `condition`: 'flows > 1000'")
		f.StringVar(&change.Every, "every", "", "group by bins of time of this `width` too: 5m, 1h, 1d, or auto")
		f.StringVar(&change.Sort, "sort", "", "rank by this measure or key; -`name` ranks from the other end, as name:asc and name:desc say it")
	})
	complete(c, "by", keys)
	complete(c, "sort", measureNames)
	complete(c, "measures", measureNames)
}

// checkChange makes what changeFlags were set to a change.
func checkChange(c *cobra.Command, change *report.Change) error {
	if !c.Flags().Changed("top") {
		change.Top = -1
	} else if change.Top < 0 {
		return usageError{errors.New("--top cannot be negative: 0 shows all rows")}
	}
	return nil
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
	if err := r.checkVantage(); err != nil {
		return err
	}
	if err := r.elsewhere.check(c, r.settings); err != nil {
		return err
	}
	table, own, err := engineTable(r.elsewhere.name, r.enrichment.tables)
	if err != nil {
		return err
	}
	if !r.settings.typedIn("table") && !report.PlainTable(table) {
		return usageError{fmt.Errorf("--table %s: SQL in place of a table's name is for the command line only", table)}
	}
	if r.elsewhere.name != "" {
		if r.panels != nil {
			return usageError{errPanels}
		}
		r.enrichment.tables = own
		return r.remote(c, args, table)
	}
	in, err := r.input.open(ctx, r.console, args)
	if err != nil {
		return err
	}
	if in == nil {
		return c.Help()
	}
	enr, err := r.enrichment.open(r.wanted())
	if err != nil {
		return err
	}
	defer enr.finish(in, &err)
	scope := enr.scope(in)
	reports := make([]report.Report, 0, len(r.reports))
	tables := make([]report.Table, len(r.reports)) // what is known of them before
	var computed []int
	learns := r.vantage != ""
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
		if r.settings.fromSaved("by") {
			changed.Doc = rep.Doc // it speaks of these keys
		}
		r.warnOfRows(c, changed)
		if m := changed.SmallestFirst(); m != "" && !in.quiet && strings.HasPrefix(r.change.Sort, "-") {
			fmt.Fprintf(r.err, "flowlog: --sort %s: the smallest %s come first; %[2]s:desc ranks the largest first\n", r.change.Sort, m)
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
		learns = learns || r.learns(needs)
	}
	format, err := r.output.formatName("output format", render.Names())
	if err != nil {
		return err
	}
	partial := r.input.partial && format == "arrow"
	if partial {
		if learns {
			return usageError{errors.New("--vantage and the key direction learn from all records, which the part of them in a partial result is not: run the report over all of the input at once")}
		}
		r.output.format = "arrow"
	}
	out, err := r.sink(in.zone, reports)
	if err != nil {
		return err
	}
	r.tellPartial(c, format)
	r.request.Change, r.request.Selection = r.change.Settings(), in.selection(r.vantage)
	if partial {
		r.part = out.w
		for _, i := range computed {
			if r.panels != nil {
				r.request.Places = append(r.request.Places, report.Place{Tab: r.panels[i].Tab, Title: r.panels[i].Title})
			}
		}
	}
	r.page.wanted = r.change.Where == "" && r.vantage == "" && wantsCoverage(out.Name, reports)
	done, lacks, stats, err := r.compute(ctx, in, enr, scope.Fields, reports)
	if err == nil && !partial {
		tables = r.assemble(c, args, tables, computed, done, lacks)
		err = out.Tables(out.w, render.Document{Tables: tables, Input: stats, Settings: r.settingsOfAll(), Covered: r.page.covered}, out.opt)
	}
	if err := out.done(err); err != nil {
		return err
	}
	if !partial {
		r.tellCut(out.Format, tables)
		r.tellNotes(out.Format, tables, in.quiet)
	}
	return cmp.Or(in.close(), ctx.Err())
}

// warnOfRows warns of flags that choose and order rows, if the one report that they are for has no more than one.
func (r *reporting) warnOfRows(c *cobra.Command, rep report.Report) {
	if len(rep.Keys) > 0 || len(r.reports) > 1 || r.input.quiet {
		return
	}
	for _, flag := range r.settings.typed(c, "Report flags") {
		if flag == "top" || flag == "sort" {
			fmt.Fprintf(r.err, "flowlog: warning: --%s is for rows, and %s has one: without effect\n", flag, rep.Name)
		}
	}
}

// tellCut says how many rows a limit that nobody has set left out of what was written, where the output does not say it.
func (r *reporting) tellCut(f render.Format, tables []report.Table) {
	if !f.Bare || r.change.Top >= 0 {
		return
	}
	written, cut := 0, 0
	for _, t := range tables {
		written, cut = written+len(t.Rows), cut+t.Cut
	}
	if cut > 0 {
		r.output.tellCut(r.console, written, written+cut, "--top 0 writes all")
	}
}

// tellNotes says what a vantage has left out and why tables have no rows, where the output has no room for it.
func (r *reporting) tellNotes(f render.Format, tables []report.Table, quiet bool) {
	if !f.Bare || quiet || r.panels != nil {
		return
	}
	for _, note := range r.page.notes {
		fmt.Fprintln(r.err, printable("flowlog: "+note))
	}
	for _, t := range tables {
		if t.Why != "" {
			fmt.Fprintln(r.err, printable("flowlog: "+t.Name+": "+t.Why))
		}
	}
}

// wanted are the words that may be names of fields.
func (r *reporting) wanted() []string {
	wanted := r.change.Words()
	for i := range r.reports {
		r.reports[i].Fields(func(name string) { wanted = append(wanted, name) })
	}
	for _, p := range r.panels {
		wanted = append(wanted, p.Words()...)
	}
	return wanted
}

// sink opens the output for the reports.
func (r *reporting) sink(zone *time.Location, reports []report.Report) (*sink, error) {
	out, err := r.output.open(r.console, zone, "table", "table")
	if err != nil {
		return nil, err
	}
	if r.chart {
		if out.Name != "table" {
			hint := ", or use -o html, which has charts"
			if out.Name == "html" {
				hint = ", since html has charts anyway"
			}
			return nil, usageError{out.done(fmt.Errorf("--chart draws in tables, and %s is none: leave --chart out%s", out.Name, hint))}
		}
		out.opt.Chart, out.opt.Width, out.opt.ASCII = true, r.console.width(), !unicodeOutput(os.Getenv)
	}
	if whole := !r.input.partial || out.Name != "arrow"; out.Single && whole && len(reports) > 1 {
		return nil, usageError{out.done(fmt.Errorf("%s holds one report, and this would be %d: name one, as in `flowlog report %s`, or use json or ndjson", out.Name, len(reports), reports[1].Name))}
	}
	return out, nil
}

// vantageFlag adds --vantage.
func (r *reporting) vantageFlag(f *pflag.FlagSet) {
	f.StringVar(&r.vantage, "vantage", "", "count from this `side`: all, src, dst, or dedupe for each flow once")
}

// checkVantage checks what vantageFlag was set to.
func (r *reporting) checkVantage() error {
	var vantages []string
	for _, v := range report.Vantages {
		vantages = append(vantages, v.Name)
	}
	if r.vantage != "" && !slices.Contains(vantages, r.vantage) {
		return usageError{fmt.Errorf("--vantage is %s, not %q: `flowlog help counting` says what they count", strings.Join(vantages, ", "), r.vantage)}
	}
	return nil
}

// learns reports whether what is asked for follows from all records together, so that none of them may be left unread.
func (r *reporting) learns(fields []string) bool {
	return r.vantage != "" || slices.ContainsFunc(report.VantageFields().Names(), func(name string) bool { return slices.Contains(fields, name) })
}

// compute runs the reports over the input. A report whose fields the input lacks is an error if it is the only one.
func (r *reporting) compute(ctx context.Context, in *reader, enr *lookups, fields schema.Table, reports []report.Report) ([]report.Table, []*report.Lacking, schema.Stats, error) {
	tables, lacks, err := r.tables(ctx, in, enr, fields, r.page.with(reports))
	if err != nil {
		return nil, nil, schema.Stats{}, err
	}
	tables = r.page.take(tables)
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

// tables runs the reports over the input. Those whose fields it lacks are in the second result.
func (r *reporting) tables(ctx context.Context, in *reader, enr *lookups, fields schema.Table, reports []report.Report) (_ []report.Table, _ []*report.Lacking, err error) {
	agg, err := report.NewAggregator(fields, reports, in.opt.Workers)
	if err != nil {
		return nil, nil, usageError{err}
	}
	defer func() {
		if cerr := agg.Close(); err == nil {
			err = cerr
		}
	}()
	limit, err := r.memory.limit(r.warnings(r.input.quiet))
	if err != nil {
		return nil, nil, err
	}
	if limit > 0 {
		agg.Limit(limit, r.memory.tempDir)
	}
	if !r.learns(agg.Projection().Fields.Names()) {
		in.opt.Only.Field, in.opt.Only.Value = agg.Only()
	}
	wrap := enr.wrap(in.opt.Workers)
	agg.Enrich(wrap)
	notes, err := r.feed(ctx, in, fields, agg)
	if err != nil && (ctx.Err() == nil || !in.partial || r.part != nil) {
		return nil, nil, err
	}
	if r.part != nil {
		return nil, nil, agg.WritePartial(r.part, in.stats.Stats, r.request)
	}
	tables, lacks, err := agg.Tables(in.stats.Stats, wrap)
	if err != nil {
		return nil, nil, err
	}
	if ctx.Err() != nil {
		for i := range tables {
			tables[i].Notes = append(tables[i].Notes, "interrupted: this is what was read until then")
		}
	}
	if len(tables) > 0 {
		tables[0].Notes = append(tables[0].Notes, notes...)
	}
	r.page.notes = notes
	return tables, lacks, nil
}

// feed scans the input for an Aggregator, by way of a Vantage if one is asked for, and returns what that has to say.
func (r *reporting) feed(ctx context.Context, in *reader, fields schema.Table, agg *report.Aggregator) ([]string, error) {
	p := agg.Projection()
	if !r.learns(p.Fields.Names()) {
		return nil, in.scan(ctx, p.Logged(), agg.Add)
	}
	v, p, err := report.NewVantage(r.vantage, fields, p)
	if err != nil {
		return nil, err
	}
	err = in.scan(ctx, p.Logged(), func(b schema.Batch) error {
		agg.Notice(b)
		return v.Add(b)
	})
	if err == nil || ctx.Err() != nil && in.partial {
		err = v.Emit(in.opt.Workers, agg.Add)
	}
	if errors.Is(err, report.ErrNoInterface) {
		err = in.noInterface(err)
	}
	r.counted = nil
	if note := v.Note(); note != "" {
		r.counted = []string{note}
	}
	return r.counted, err
}

// noInterface is the error for a vantage of logs without interfaces, with what helps.
func (r *reader) noInterface(err error) error {
	if r.stats.OfTransitGateways() {
		return errors.New("--vantage needs interface_id, which transit gateways do not log: --where 'flow_direction = ingress' counts once what comes in and goes out")
	}
	for _, g := range schema.Guesses(r.stats.Strange) {
		if g.Field == "interface_id" {
			return fmt.Errorf("--vantage needs interface_id, which these logs do not have: the input has a column %s: %s", g.Column, schema.RenameFlag([]schema.Renaming{g}))
		}
	}
	return err
}
