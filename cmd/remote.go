package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/engine"
	"flowlog/report/group"
	"flowlog/report/render"
	"flowlog/report/sql"
)

// remote runs the reports on an engine, one query each.
func (r *reporting) remote(c *cobra.Command, args []string, table string) (err error) {
	ctx := c.Context()
	kind, err := r.elsewhere.kind(c, args, table)
	if err != nil {
		return err
	}
	r.con.reach(ctx, r.input.s3.Options)
	in, err := r.input.bounds(r.con)
	if err != nil {
		return err
	}
	in.from.columns = schema.Logged().Names() // what the table has
	enr, err := r.enrichment.open(ctx, in, r.wanted())
	if err != nil {
		return err
	}
	defer enr.finish(in, &err)
	halves, err := r.halves(ctx, in, enr, kind, table)
	for _, half := range halves {
		defer closeWith(half, &err)
	}
	switch {
	case err != nil:
		return err
	case r.input.dryRun:
		return r.printQueries(halves)
	}
	runner, err := kind.open(ctx, &r.elsewhere, r.input.s3.Options)
	if err != nil {
		return err
	}
	defer closeWith(runner, &err)
	out, err := r.sink(in.zone, r.reports)
	if err != nil {
		return err
	}
	doc, nothing, err := r.fetch(ctx, runner, halves, enr.wrap(1), in)
	if err == nil {
		r.describe(c, in, &doc)
		err = out.Tables(out.w, doc, out.opt)
	}
	if err := out.done(err); err != nil {
		return err
	}
	if out.Bare && r.change.Top < 0 {
		r.output.tellCut(r.con, doc.Tables, "--top 0 writes all")
	}
	if !in.quiet {
		fmt.Fprintln(r.con.err, printable(closing(r.elsewhere.name, doc)+kind.note(&r.elsewhere)))
	}
	return cmp.Or(ctx.Err(), nothing)
}

// kind is the engine that the options name. It refuses what an engine cannot heed.
func (e *elsewhere) kind(c *cobra.Command, args []string, table string) (kind engineKind, err error) {
	if len(args) > 0 {
		return kind, usageError{fmt.Errorf("%s: with --engine the records are those of --table %s: leave the input out, or --engine", args[0], table)}
	}
	for _, flag := range slices.Sorted(maps.Keys(notElsewhere)) {
		if c.Flags().Changed(flag) {
			return kind, usageError{fmt.Errorf("--%s and --engine: %s", flag, notElsewhere[flag])}
		}
	}
	i, err := find("engine", e.name, engineNames(), "flowlog help sql")
	if err != nil {
		return kind, usageError{err}
	}
	return engines[i], nil
}

// halves splits each report in a query for the engine and the rest, which flowlog computes. They are to be closed, also if
// there is an error.
func (r *reporting) halves(ctx context.Context, in *reader, enr *lookups, kind engineKind, table string) (halves []*group.Remote, err error) {
	dialects := sql.Dialects()
	dialect := dialects[slices.IndexFunc(dialects, func(d sql.Dialect) bool { return d.Name == kind.name })]
	if r.elsewhere.layout != "" {
		if table, err = sql.WithinDays(dialect, table, r.elsewhere.layout, in.opt.Keys.Since, in.opt.Keys.Until); err != nil {
			return nil, usageError{fmt.Errorf("--layout: %w", err)}
		}
	}
	limit, err := r.aggregation.memory.limit(r.con.warnings(r.input.quiet))
	if err != nil {
		return nil, err
	}
	for _, rep := range r.reports {
		changed, err := rep.With(r.change, enr.scope(in), in.zone)
		if err != nil {
			return halves, usageError{err}
		}
		if r.con.settings.fromSaved("by") {
			changed.Doc = rep.Doc
		}
		if err := enr.missing(ctx, rep.Name, in, fieldsOf(&changed)); err != nil {
			return halves, err
		}
		if err := enr.refuseOwners(fieldsOf(&changed)); err != nil {
			return halves, err
		}
		split, err := sql.NewSplit(changed.During(in.opt.Keys.Since, in.opt.Keys.Until), dialect, enr.fields, table)
		if err != nil {
			return halves, usageError{err}
		}
		half, err := group.NewRemote(split)
		if err != nil {
			return halves, usageError{err}
		}
		if limit > 0 {
			half.Limit(limit, r.aggregation.memory.tempDir)
		}
		halves = append(halves, half)
	}
	return halves, nil
}

// printQueries prints what would be asked of the engine.
func (r *reporting) printQueries(halves []*group.Remote) error {
	for _, half := range halves {
		if err := printStatement(r.con.out, half.SQL); err != nil {
			return err
		}
	}
	return nil
}

// describe says in a document what was asked for, and how to print each table alone.
func (r *reporting) describe(c *cobra.Command, in *reader, doc *render.Document) {
	request := report.Request{Change: r.change.Settings(), Selection: in.selection("")}
	doc.Settings = settingsOf(request)
	for i := range doc.Tables {
		t := &doc.Tables[i]
		t.Settings = slices.Concat(t.Settings, request.Selection)
		t.Command = r.command(c, slices.IndexFunc(r.reports, func(x report.Report) bool { return x.Name == t.Name }), nil)
	}
}

// fetch runs one query after the other, and behind each those that find out which fields the records have. A report whose
// fields the table does not have is left out if there are others. nothing is the error of a time without records, for when
// the reports are printed.
func (r *reporting) fetch(ctx context.Context, runner engine.Runner, halves []*group.Remote, wrap group.Wrap, in *reader) (doc render.Document, nothing, err error) {
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
			fmt.Fprintf(r.con.err, "flowlog: left out: %s\n", say(err))
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
func (in *reader) ofTable(ctx context.Context, runner engine.Runner, halves []*group.Remote, ran func(engine.Stats)) (nothing, err error) {
	if in.none.asked == "" || slices.ContainsFunc(halves, (*group.Remote).Found) {
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
		nothing = nothingError{"no record is left that ends " + in.none.asked + ": the table has none"}
	}
	return nothing, nil
}

// answer runs the queries of one report.
func answer(ctx context.Context, runner engine.Runner, half *group.Remote, wrap group.Wrap, ran func(engine.Stats)) (report.Table, error) {
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
