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

	"github.com/spf13/cobra"

	"flowlog/parse"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render"
	"flowlog/report/sql"
)

// A binding is the reports of a command with their words bound to the fields of an input.
type binding struct {
	fields  schema.Table
	reports []report.Report // that can be computed
	places  []int           // where these stand among the reports of the command
	tables  []report.Table  // of all reports of the command, with what is known before anything is read
	learns  bool            // some report depends on all records together
	partial bool            // a partial result is written, and no tables
}

func (r *reporting) run(c *cobra.Command, args []string) (err error) {
	ctx := c.Context()
	table, err := r.check(c)
	if err != nil {
		return err
	}
	if r.elsewhere.name != "" {
		return r.remote(c, args, table)
	}
	in, err := r.input.open(ctx, r.con, args)
	if err != nil {
		return err
	}
	if in == nil {
		return c.Help()
	}
	enr, err := r.enrichment.open(ctx, in, r.wanted())
	if err != nil {
		return err
	}
	defer enr.finish(in, &err)
	b, err := r.bind(c, in, enr)
	if err != nil {
		return err
	}
	out, err := r.open(in.zone, b)
	if err != nil {
		return err
	}
	r.tellPartial(c, b)
	if b.partial {
		err = out.done(r.aggregation.writePartial(ctx, in, enr, b, out.w, r.request(in, b)))
	} else {
		err = r.print(c, args, in, enr, b, out)
	}
	if err != nil {
		return err
	}
	return cmp.Or(in.close(), ctx.Err())
}

// check checks the options that do not depend on the input. It takes the table of an engine out of the options, "" if the
// reports are computed here.
func (r *reporting) check(c *cobra.Command) (table string, err error) {
	if len(r.reports) > 1 && (r.change.By != nil || r.change.Measures != nil || r.change.Sort != "" || r.change.Having != "") {
		return "", usageError{errors.New("--by, --measures, --having and --sort change one report: name it, as in `flowlog report talkers --by dstport`")}
	}
	if err := r.aggregation.check(); err != nil {
		return "", err
	}
	if err := r.elsewhere.check(c, r.con.settings); err != nil {
		return "", err
	}
	table, own, err := engineTable(r.elsewhere.name, r.enrichment.tables)
	if err != nil {
		return "", err
	}
	if !r.con.settings.typedIn("table") && !sql.PlainTable(table) {
		return "", usageError{fmt.Errorf("--table %s: SQL in place of a table's name is for the command line only", table)}
	}
	if r.elsewhere.name != "" && r.panels != nil {
		return "", usageError{errPanels}
	}
	r.enrichment.tables = own
	return table, nil
}

// wanted are the words that may be names of fields.
func (r *reporting) wanted() []string {
	wanted := r.change.Words()
	for i := range r.reports {
		wanted = append(wanted, fieldsOf(&r.reports[i])...)
	}
	for _, p := range r.panels {
		wanted = append(wanted, p.Words()...)
	}
	return wanted
}

// bind makes the changes to the reports. Where a database is missing, a dashboard goes without the report, and else it is
// an error.
func (r *reporting) bind(c *cobra.Command, in *reader, enr *lookups) (*binding, error) {
	scope := enr.scope(in)
	b := &binding{tables: make([]report.Table, len(r.reports)), learns: r.aggregation.vantage != ""}
	for i, rep := range r.reports {
		changed, err := in.change(c.Context(), rep, r.changeOf(i), r.change.Words(), &scope)
		if err != nil {
			return nil, usageError{err}
		}
		if r.con.settings.fromSaved("by") {
			changed.Doc = rep.Doc // it speaks of these keys
		}
		r.warnOfRows(c, changed)
		r.warnOfSmallest(changed)
		b.tables[i] = report.Table{Name: rep.Name, Doc: changed.Doc}
		needs := fieldsOf(&changed)
		if err := enr.missing(c.Context(), rep.Name, in, needs); err != nil {
			if r.panels == nil {
				return nil, err
			}
			b.tables[i].Lacks, b.tables[i].Notes = enr.lacking(needs), []string{err.Error()}
			continue
		}
		b.reports, b.places = append(b.reports, changed), append(b.places, i)
		b.learns = b.learns || r.aggregation.learns(needs)
	}
	b.fields = scope.Fields
	return b, nil
}

// warnOfRows warns of flags that choose and order rows, if the one report that they are for has no more than one.
func (r *reporting) warnOfRows(c *cobra.Command, rep report.Report) {
	if len(rep.Keys) > 0 || len(r.reports) > 1 || r.input.quiet {
		return
	}
	for _, flag := range r.con.settings.typed(c, "Report flags") {
		if flag == "top" || flag == "sort" {
			fmt.Fprintf(r.con.err, "flowlog: warning: --%s is for rows, and %s has one: without effect\n", flag, rep.Name)
		}
	}
}

// warnOfSmallest says that -name ranks from the smallest on, for those who mean the largest.
func (r *reporting) warnOfSmallest(rep report.Report) {
	if m := rep.SmallestFirst(); m != "" && !r.input.quiet && strings.HasPrefix(r.change.Sort, "-") {
		fmt.Fprintf(r.con.err, "flowlog: --sort %s: the smallest %s come first; %[2]s:desc ranks the largest first\n", r.change.Sort, m)
	}
}

// open opens the output. It decides whether that is a partial result, which reports that learn from all records do not have.
func (r *reporting) open(zone *time.Location, b *binding) (*sink, error) {
	format, err := r.output.formatName("output format", render.Names())
	if err != nil {
		return nil, err
	}
	if b.partial = r.input.partial && format == render.PartialName(); b.partial {
		if b.learns {
			return nil, usageError{errors.New("--vantage and the key direction learn from all records, which the part of them in a partial result is not: run the report over all of the input at once")}
		}
		r.output.format = format
	}
	return r.sink(zone, b.reports)
}

// sink opens the output for the reports.
func (r *reporting) sink(zone *time.Location, reports []report.Report) (*sink, error) {
	out, err := r.output.open(r.con, zone, "table", "table")
	if err != nil {
		return nil, err
	}
	if r.chart {
		if err := chartable(out.Format); err != nil {
			return nil, usageError{out.done(err)}
		}
		out.opt.Chart, out.opt.Width, out.opt.ASCII = true, r.con.width(), !unicodeOutput(os.Getenv)
	}
	if whole := !r.input.partial || !out.Partial; out.Single && whole && len(reports) > 1 {
		return nil, usageError{out.done(fmt.Errorf("%s holds one report, and this would be %d: name one, as in `flowlog report %s`, or use %s", out.Name, len(reports), reports[1].Name, schema.Join(render.SeveralNames(), "or")))}
	}
	return out, nil
}

// chartable is the error for --chart in a format whose tables are not drawn on request.
func chartable(f render.Format) error {
	hint := ", or use -o " + render.NamesOf(func(f render.Format) bool { return f.Charts == render.Always })[0] + ", which has charts"
	switch f.Charts {
	case render.OnRequest:
		return nil
	case render.Always:
		hint = ", since " + f.Name + " has charts anyway"
	}
	return fmt.Errorf("--chart draws in tables, and %s is none: leave --chart out%s", f.Name, hint)
}

// request is what is asked of the run, for the reader of its output.
func (r *reporting) request(in *reader, b *binding) report.Request {
	request := report.Request{Change: r.change.Settings(), Selection: in.selection(r.aggregation.vantage)}
	if r.panels == nil {
		return request
	}
	for _, i := range b.places {
		request.Places = append(request.Places, report.Place{Tab: r.panels[i].Tab, Title: r.panels[i].Title})
	}
	return request
}

// print computes the reports and writes their tables.
func (r *reporting) print(c *cobra.Command, args []string, in *reader, enr *lookups, b *binding, out *sink) error {
	p := &page{wanted: r.change.Where == "" && r.aggregation.vantage == "" && wantsCoverage(out.Format, b.reports)}
	done, err := r.compute(c.Context(), in, enr, b, p)
	var tables []report.Table
	if err == nil {
		request := r.request(in, b)
		tables = r.assemble(c, args, b, done, request.Selection)
		err = out.Tables(out.w, render.Document{Tables: tables, Input: in.stats.Stats, Settings: settingsOf(request), Covered: p.covered}, out.opt)
	}
	if err := out.done(err); err != nil {
		return err
	}
	if out.file != nil && out.Plain && slices.ContainsFunc(tables, readAsRecords) {
		in.tellInside(r.output.file)
	}
	if out.Bare && r.change.Top < 0 { // the limit is not the user's
		r.output.tellCut(r.con, tables, "--top 0 writes all")
	}
	r.tellNotes(out.Format, tables, done.notes)
	return nil
}

// readAsRecords reports whether the columns of a table cannot be told from those of records.
func readAsRecords(t report.Table) bool {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	p, err := sqlFields().Project(schema.Logged().Names()...)
	return err == nil && parse.RecordColumns(names, p)
}

// compute runs the reports over the input. A report whose fields the input lacks is an error if it is the only one.
func (r *reporting) compute(ctx context.Context, in *reader, enr *lookups, b *binding, p *page) (computed, error) {
	done, err := r.aggregation.tables(ctx, in, enr, b.fields, p.with(b.reports))
	if err != nil {
		return done, err
	}
	done.tables = p.take(done.tables)
	for _, l := range done.lacks {
		if len(b.reports) == 1 && r.panels == nil {
			return done, l
		}
		if in.quiet || r.panels != nil {
			continue
		}
		fmt.Fprintf(r.con.err, "flowlog: left out: %s\n", say(l))
	}
	return done, nil
}

// settingsOf are the settings that all tables of a run have in common.
func settingsOf(r report.Request) []report.Setting { return slices.Concat(r.Change, r.Selection) }

// tellNotes says what a vantage has left out and why tables have no rows, where the output has no room for it.
func (r *reporting) tellNotes(f render.Format, tables []report.Table, notes []string) {
	if !f.Bare || r.input.quiet || r.panels != nil {
		return
	}
	for _, note := range notes {
		fmt.Fprintln(r.con.err, printable("flowlog: "+note))
	}
	for _, t := range tables {
		if t.Why != "" {
			fmt.Fprintln(r.con.err, printable("flowlog: "+t.Name+": "+t.Why))
		}
	}
}
