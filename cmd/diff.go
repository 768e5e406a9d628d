package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/render"
)

// diffing is `flowlog diff`.
type diffing struct {
	con           *console
	input         input
	enrichment    enrichment
	output        output
	aggregation   aggregation
	change        report.Change
	having        string
	before, after string // windows, FROM..TO
}

// A diffBinding is what is computed of either side, and which rows of the difference are shown.
type diffBinding struct {
	report report.Report
	having expr.Expr // nil is all rows
	scope  expr.Scope
}

// What is compared if nothing else is asked for.
const (
	diffKey     = "srcaddr"
	diffMeasure = "bytes"
	diffRows    = 10
)

// newDiff returns `flowlog diff`.
func newDiff(con *console) *cobra.Command {
	d := &diffing{con: con, aggregation: aggregation{con: con}}
	c := &cobra.Command{
		Use:   "diff [flags] BEFORE AFTER",
		Short: "Compare two inputs, or two times of one: what is new, gone, grown, shrunk",
		Long: "diff groups the flows of two inputs by the same keys and compares a measure of them. What differs\n" +
			"the most comes first. With --before and --after, it compares two times of the same INPUT … . A day is such\n" +
			"a time, and so is FROM..TO. With --since and one INPUT, it compares the time from then on with as long\n" +
			"before it.\n" +
			"The status of a row is new, gone, grown, shrunk, or changed where the measure is null in one of the two.",
		Example: "  flowlog diff monday/ tuesday/\n" +
			"  flowlog diff --before yesterday --after today logs/\n" +
			"  flowlog diff --since 1d logs/        the last 24 hours, compared with the 24 before\n" +
			"  flowlog diff --by dstaddr,dstport --where 'src_scope = private' --having 'status = new' monday/ tuesday/\n" +
			"  flowlog diff --by srcaddr --measures flows --before 2d..1d --after 1d..now s3://my-bucket",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case (d.before == "") != (d.after == ""):
				return errors.New("--before and --after go together: each is a time, as in --before 2d..1d --after 1d..now")
			case d.sinceBefore(args):
			case d.before == "" && len(args) != 2:
				return errors.New("name two inputs, as in `flowlog diff monday/ tuesday/`, or two times of one, as in --before 2d..1d --after 1d..now or --since 1d")
			case d.before == "" && args[0] == "-" && args[1] == "-":
				return errors.New("standard input can be read but once: only one of the two can be -")
			case d.before != "" && (d.input.within.since != "" || d.input.within.until != ""):
				return errors.New("--before and --after say which time is read: leave out --since and --until")
			case d.before == "" && d.input.rejects != "":
				return errors.New("--rejects is one file, and these would be two inputs: `flowlog parse -o none --rejects FILE` checks one")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkChange(c, &d.change); err != nil {
				return err
			}
			return d.run(c, args)
		},
	}
	section(c, "Comparison flags", func(f *pflag.FlagSet) {
		f.StringSliceVar(&d.change.By, "by", []string{diffKey}, "compare by these `keys`: fields, networks such as srcaddr/24")
		f.StringSliceVar(&d.change.Measures, "measures", []string{diffMeasure}, "compare this `measure`: flows, bytes, distinct(dstport) …")
		conditionVar(f, &d.change.Where, "where", "only flows that meet this `condition`: 'dstport = ssh and bytes > 1MB'")
		conditionVar(f, &d.having, "having", "only rows that meet this `condition`: 'status = new and after > 1MB'")
		topVar(f, &d.change.Top, diffRows)
		f.StringVar(&d.before, "before", "", "the first `time` of the input: 2026-05-13, yesterday, 2d..1d")
		f.StringVar(&d.after, "after", "", "the second `time` of the input: 2026-05-14, today, 1d..now")
		d.aggregation.vantageFlag(f)
	})
	complete(c, "by", d.enrichment.names)
	complete(c, "measures", measureNames)
	d.aggregation.memory.flags(c, "Comparison flags", "groups")
	d.output.flags(c, "table")
	d.input.flags(c)
	d.enrichment.flags(c)
	return c
}

func (d *diffing) run(c *cobra.Command, args []string) (err error) {
	ctx := c.Context()
	if err := d.aggregation.check(); err != nil {
		return err
	}
	windows, err := d.windows(args)
	if err != nil {
		return usageError{err}
	}
	ins, err := d.open(ctx, args, windows)
	if err != nil {
		return err
	}
	if ins == nil {
		return c.Help()
	}
	enr, err := d.enrichment.open(ctx, ins[0], append(d.change.Words(), report.Change{Having: d.having}.Words()...))
	if err != nil {
		return err
	}
	defer enr.finish(ins[0], &err)
	x, err := d.bind(ctx, ins, enr)
	if err != nil {
		return err
	}
	out, err := d.output.open(d.con, ins[0].zone, "table", "table")
	if err != nil {
		return err
	}
	tables, stats, err := d.sides(ctx, ins, enr, x, windows)
	if err != nil {
		return out.done(err)
	}
	t := d.compare(ins[0], x, tables, windows)
	if err := out.done(out.Tables(out.w, render.Document{Tables: []report.Table{t}, Input: stats, Settings: t.Settings}, out.opt)); err != nil {
		return err
	}
	if out.Bare && d.change.Top < 0 {
		d.output.tellCut(d.con, []report.Table{t}, "--top 0 writes all")
	}
	return cmp.Or(d.close(ins), ctx.Err())
}

// open opens the two inputs, or the one whose times are compared. A dry run plans both. It returns nil if there is no input.
func (d *diffing) open(ctx context.Context, args []string, windows []span) ([]*reader, error) {
	d.input.warnIdle(d.con, args)
	inputs := [][]string{args}
	if windows == nil {
		inputs = [][]string{args[:1], args[1:]}
	}
	var ins []*reader
	planned := false
	for _, names := range inputs {
		in, err := d.input.open(ctx, d.con, names)
		if errors.Is(err, errPlanned) {
			planned = true
			continue
		}
		if err != nil || in == nil {
			return nil, err
		}
		if windows != nil {
			in.restrict(windows[0], windows[1])
		}
		ins = append(ins, in)
	}
	if planned {
		return nil, errPlanned
	}
	return ins, nil
}

// restrict bounds a scan to two windows: what lies between them is of neither.
func (r *reader) restrict(first, last span) {
	if last.from.Before(first.from) {
		first, last = last, first
	}
	r.opt.GapSince, r.opt.GapUntil = first.to.Unix(), last.from.Unix()
	if first.to.Before(last.from) {
		r.none.asked = "from " + r.clock(first.from) + " to " + r.clock(first.to) + " or from " + r.clock(last.from) + " to " + r.clock(last.to)
	}
}

// compare makes the tables of both sides one, whose notes are those of both.
func (d *diffing) compare(in *reader, x *diffBinding, tables []report.Table, windows []span) report.Table {
	var notes []string // of one pass, which are of both sides
	if windows != nil {
		notes = append(tables[0].Notes, tables[1].Notes...)
		slices.Sort(notes)
		notes = slices.Compact(notes)
		tables[0].Notes, tables[1].Notes = nil, nil
	}
	notes = append(notes, emptySides(in, tables, windows)...)
	limit := d.change.Top
	if limit < 0 {
		limit = diffRows
	}
	t := x.report.Diff(tables[0], tables[1], x.having, limit)
	t.Settings = d.asked(in, windows)
	t.Notes = append(t.Notes, notes...)
	if windows == nil {
		return t
	}
	rate := x.report.Measures[0].PerSecond()
	if a, b := windows[0].to.Sub(windows[0].from), windows[1].to.Sub(windows[1].from); a.Round(time.Second) != b.Round(time.Second) && !rate {
		t.Notes = append(t.Notes, fmt.Sprintf("before is %s long, after %s: --measures bps compares what it is a second", a.Round(time.Second), b.Round(time.Second)))
	}
	return t
}

// emptySides says which of two times has nothing, if one of them does: all is new then, or gone.
func emptySides(in *reader, tables []report.Table, windows []span) []string {
	var notes []string
	for i, w := range windows {
		if len(tables[i].Rows) == 0 && len(tables[1-i].Rows) > 0 {
			notes = append(notes, fmt.Sprintf("nothing was found %s, from %s to %s", tables[i].Name, in.clock(w.from), in.clock(w.to)))
		}
	}
	return notes
}

// close prints the closing lines. That nothing is left of one side is a warning, of both an error.
func (d *diffing) close(ins []*reader) error {
	var incomplete error
	var empty []error
	for _, in := range ins {
		err := in.close()
		if left := (nothingError{}); errors.As(err, &left) {
			empty = append(empty, err)
		} else if err != nil {
			incomplete = err
		}
	}
	if len(empty) == len(ins) {
		return empty[0]
	}
	for _, err := range empty {
		if !d.input.quiet {
			fmt.Fprintln(d.con.err, printable("flowlog: warning: "+err.Error()))
		}
	}
	return incomplete
}

// asked are the settings of the comparison. What is compared, and by what, is its heading.
func (d *diffing) asked(in *reader, windows []span) []report.Setting {
	change := report.Change{Where: d.change.Where, Having: d.having, Top: d.change.Top}
	selection := in.selection(d.aggregation.vantage)
	if windows != nil { // in place of the time that has both
		selection = slices.DeleteFunc(selection, func(s report.Setting) bool { return s.Name == "since" || s.Name == "until" })
		for i, name := range []string{"before", "after"} {
			w := windows[i]
			selection = append(selection, report.Setting{Name: name, Value: second(w.from.Unix()) + ".." + second(w.to.Unix())})
		}
	}
	return append(change.Settings(), selection...)
}

// bind makes the report that is computed of either side, without a limit, and the condition on the rows that are compared.
// Databases that it needs must be there.
func (d *diffing) bind(ctx context.Context, ins []*reader, enr *lookups) (*diffBinding, error) {
	x := &diffBinding{scope: enr.scope(ins[0])}
	change := d.change
	change.Top = 0
	var err error
	x.report, err = report.Report{Name: "diff"}.With(change, x.scope, ins[0].zone)
	if err != nil { // a name may be that of a column that only the input knows
		for _, in := range ins {
			x.scope.Fields = in.with(ctx, x.scope.Fields, d.change.Words())
		}
		x.report, err = report.Report{Name: "diff"}.With(change, x.scope, ins[0].zone)
	}
	if err == nil {
		err = x.report.CanDiff()
	}
	if err != nil {
		return nil, usageError{err}
	}
	if d.having != "" {
		rows := x.scope
		rows.List = "flowlog diff --help"
		if x.having, err = x.report.DiffCondition(d.having, rows); err != nil {
			return nil, usageError{fmt.Errorf("--having: %w", err)}
		}
	}
	for _, in := range ins {
		if err := enr.missing(ctx, x.report.Name, in, fieldsOf(&x.report)); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// sideNames are what is compared, in the order of both.
var sideNames = []string{"before", "after"}

// sides computes the report for both sides: in one pass each, or of windows in one pass.
func (d *diffing) sides(ctx context.Context, ins []*reader, enr *lookups, x *diffBinding, windows []span) ([]report.Table, schema.Stats, error) {
	groups := [][]report.Report{{x.report}, {x.report}}
	if windows != nil {
		var both []report.Report
		for i, w := range windows {
			where := fmt.Sprintf("end >= %s and end < %s", w.from.UTC().Format(time.RFC3339), w.to.UTC().Format(time.RFC3339))
			side, err := x.report.With(report.Change{Where: where, Top: -1}, x.scope, ins[0].zone)
			if err != nil {
				return nil, schema.Stats{}, err
			}
			side.Name = sideNames[i]
			both = append(both, side)
		}
		groups = [][]report.Report{both}
	}
	var tables []report.Table
	var stats schema.Stats
	for i, reports := range groups {
		done, err := d.aggregation.tables(ctx, ins[i], enr, x.scope.Fields, slices.Clone(reports))
		if err != nil {
			return nil, stats, err
		}
		if len(done.lacks) > 0 && windows == nil { // of one input neither side has them
			return nil, stats, fmt.Errorf("%s: %w", sideNames[i], done.lacks[0])
		}
		if len(done.lacks) > 0 {
			return nil, stats, done.lacks[0]
		}
		tables = append(tables, done.tables...)
		stats.Add(ins[i].stats.Stats)
	}
	stats.Seconds = 0
	for _, in := range ins {
		stats.Seconds += in.stats.Seconds
	}
	return tables, stats, nil
}
