package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render"
)

// diffing is `flowlog diff`.
type diffing struct {
	reporting
	having        string
	before, after string // windows, FROM..TO
}

// What is compared if nothing else is asked for.
const (
	diffKey     = "srcaddr"
	diffMeasure = "bytes"
	diffRows    = 10
)

// newDiff returns `flowlog diff`.
func newDiff(con *console) *cobra.Command {
	d := &diffing{reporting: reporting{console: con}}
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
			case d.before != "" && (d.input.since != "" || d.input.until != ""):
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
	group(c, "Comparison flags", func(f *pflag.FlagSet) {
		f.StringSliceVar(&d.change.By, "by", []string{diffKey}, "compare by these `keys`: fields, networks such as srcaddr/24")
		f.StringSliceVar(&d.change.Measures, "measures", []string{diffMeasure}, "compare this `measure`: flows, bytes, distinct(dstport) …")
		conditionVar(f, &d.change.Where, "where", "only flows that meet this `condition`: 'dstport = ssh and bytes > 1MB'")
		conditionVar(f, &d.having, "having", "only rows that meet this `condition`: 'status = new and after > 1MB'")
		topVar(f, &d.change.Top, diffRows)
		f.StringVar(&d.before, "before", "", "the first `time` of the input: 2026-05-13, yesterday, 2d..1d")
		f.StringVar(&d.after, "after", "", "the second `time` of the input: 2026-05-14, today, 1d..now")
		d.vantageFlag(f)
	})
	complete(c, "by", d.enrichment.names)
	complete(c, "measures", measureNames)
	d.memory.flags(c, "Comparison flags", "groups")
	d.output.flags(c, "table")
	d.input.flags(c)
	d.enrichment.flags(c)
	return c
}

// sinceBefore reports whether the time since --since is to be compared with as long before it.
func (d *diffing) sinceBefore(args []string) bool {
	return d.before == "" && d.after == "" && d.input.since != "" && len(args) < 2
}

// parseWindow reads a time of the input: FROM..TO, or a day, week, month or year.
func parseWindow(flag, text string, now time.Time, zone *time.Location) (span, error) {
	from, to, ok := strings.Cut(text, "..")
	if !ok {
		w, err := parseSpan(text, now, zone)
		switch {
		case err != nil:
			return w, fmt.Errorf("--%s: %w", flag, err)
		case !w.from.Before(w.to):
			return w, fmt.Errorf("--%s: %q has no end: write two times with .. between, as in 2d..1d, or a day", flag, text)
		}
		return w, nil
	}
	var w span
	var err error
	if w.from, err = parseTime(from, now, zone); err != nil {
		return w, fmt.Errorf("--%s: %w", flag, err)
	}
	if w.to, err = parseTime(to, now, zone); err != nil {
		return w, fmt.Errorf("--%s: %w", flag, err)
	}
	if !w.from.Before(w.to) {
		return w, fmt.Errorf("--%s: %s is not before %s", flag, strings.TrimSpace(from), strings.TrimSpace(to))
	}
	return w, nil
}

// windows reads --before and --after, or makes them from --since, and makes the input that which has both. They are
// nil if two inputs are compared.
func (d *diffing) windows(args []string) ([]span, error) {
	since := d.sinceBefore(args)
	if d.before == "" && !since {
		return nil, nil
	}
	zone, err := loadZone(d.input.tz)
	if err != nil {
		return nil, fmt.Errorf("--tz: %w", err)
	}
	now := time.Now()
	var before, after span
	if since {
		after, err = parseWindow("since", d.input.since+".."+cmp.Or(d.input.until, "now"), now, zone)
		before = span{after.from.Add(-after.to.Sub(after.from)), after.from}
	} else if before, err = parseWindow("before", d.before, now, zone); err == nil {
		after, err = parseWindow("after", d.after, now, zone)
	}
	if err != nil {
		return nil, err
	}
	first, last := before.from, after.to
	if after.from.Before(first) {
		first = after.from
	}
	if before.to.After(last) {
		last = before.to
	}
	d.input.since, d.input.until = first.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339)
	return []span{before, after}, nil
}

func (d *diffing) run(c *cobra.Command, args []string) (err error) {
	ctx := c.Context()
	if err := d.checkVantage(); err != nil {
		return err
	}
	windows, err := d.windows(args)
	if err != nil {
		return usageError{err}
	}
	d.input.warnIdle(d.console, args)
	inputs := [][]string{args}
	if windows == nil {
		inputs = [][]string{args[:1], args[1:]}
	}
	var ins []*reader
	planned := false
	for _, names := range inputs {
		in, err := d.input.open(ctx, d.console, names)
		if errors.Is(err, errPlanned) {
			planned = true
			continue
		}
		if err != nil {
			return err
		}
		if in == nil {
			return c.Help()
		}
		if windows != nil { // what is between them is of neither
			first, last := windows[0], windows[1]
			if last.from.Before(first.from) {
				first, last = last, first
			}
			in.opt.GapSince, in.opt.GapUntil = first.to.Unix(), last.from.Unix()
			if first.to.Before(last.from) {
				in.asked = "from " + in.clock(first.from) + " to " + in.clock(first.to) + " or from " + in.clock(last.from) + " to " + in.clock(last.to)
			}
		}
		ins = append(ins, in)
	}
	if planned {
		return errPlanned
	}
	enr, err := d.enrichment.open(append(d.change.Words(), report.Change{Having: d.having}.Words()...))
	if err != nil {
		return err
	}
	defer enr.finish(ins[0], &err)
	rep, having, scope, err := d.report(ctx, ins, enr)
	if err != nil {
		return usageError{err}
	}
	var needs []string
	rep.Fields(func(name string) { needs = append(needs, name) })
	for _, in := range ins {
		if err := enr.missing(ctx, rep.Name, in, needs); err != nil {
			return err
		}
	}
	out, err := d.output.open(d.console, ins[0].zone, "table", "table")
	if err != nil {
		return err
	}
	tables, stats, err := d.sides(ctx, ins, enr, rep, scope, windows)
	if err != nil {
		return out.done(err)
	}
	var notes []string // of one pass, which are of both sides
	if windows != nil {
		notes = append(tables[0].Notes, tables[1].Notes...)
		slices.Sort(notes)
		notes = slices.Compact(notes)
		tables[0].Notes, tables[1].Notes = nil, nil
	}
	notes = append(notes, emptySides(ins[0], tables, windows)...)
	limit := d.change.Top
	if limit < 0 {
		limit = diffRows
	}
	t := rep.Diff(tables[0], tables[1], having, limit)
	t.Settings = d.asked(ins[0], windows)
	t.Notes = append(t.Notes, notes...)
	if windows != nil {
		rate := rep.Measures[0].Func == "bps" || rep.Measures[0].Func == "pps"
		if a, b := windows[0].to.Sub(windows[0].from), windows[1].to.Sub(windows[1].from); a.Round(time.Second) != b.Round(time.Second) && !rate {
			t.Notes = append(t.Notes, fmt.Sprintf("before is %s long, after %s: --measures bps compares what it is a second", a.Round(time.Second), b.Round(time.Second)))
		}
	}
	if err := out.done(out.Tables(out.w, render.Document{Tables: []report.Table{t}, Input: stats, Settings: t.Settings}, out.opt)); err != nil {
		return err
	}
	if out.Bare && d.change.Top < 0 && t.Cut > 0 {
		d.output.tellCut(d.console, len(t.Rows), len(t.Rows)+t.Cut, "--top 0 writes all")
	}
	return cmp.Or(d.close(ins), ctx.Err())
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
			fmt.Fprintln(d.err, printable("flowlog: warning: "+err.Error()))
		}
	}
	return incomplete
}

// asked are the settings of the comparison. What is compared, and by what, is its heading.
func (d *diffing) asked(in *reader, windows []span) []report.Setting {
	change := report.Change{Where: d.change.Where, Having: d.having, Top: d.change.Top}
	selection := in.selection(d.vantage)
	if windows != nil { // in place of the time that has both
		selection = slices.DeleteFunc(selection, func(s report.Setting) bool { return s.Name == "since" || s.Name == "until" })
		for i, name := range []string{"before", "after"} {
			w := windows[i]
			selection = append(selection, report.Setting{Name: name, Value: second(w.from.Unix()) + ".." + second(w.to.Unix())})
		}
	}
	return append(change.Settings(), selection...)
}

// report is what is computed of either side, without a limit, and the condition on the rows that are compared.
func (d *diffing) report(ctx context.Context, ins []*reader, enr *lookups) (report.Report, report.Expr, report.Scope, error) {
	scope := enr.scope(ins[0])
	change := d.change
	change.Top = 0
	rep, err := report.Report{Name: "diff"}.With(change, scope, ins[0].zone)
	if err != nil { // a name may be that of a column that only the input knows
		for _, in := range ins {
			scope.Fields = in.with(ctx, scope.Fields, d.change.Words())
		}
		rep, err = report.Report{Name: "diff"}.With(change, scope, ins[0].zone)
	}
	if err == nil {
		err = rep.CanDiff()
	}
	if err != nil || d.having == "" {
		return rep, nil, scope, err
	}
	having, err := rep.DiffCondition(d.having, scope)
	if err != nil {
		err = fmt.Errorf("--having: %w", err)
	}
	return rep, having, scope, err
}

// sideNames are what is compared, in the order of both.
var sideNames = []string{"before", "after"}

// sides computes the report for both sides: in one pass each, or of windows in one pass.
func (d *diffing) sides(ctx context.Context, ins []*reader, enr *lookups, rep report.Report, scope report.Scope, windows []span) ([]report.Table, schema.Stats, error) {
	groups := [][]report.Report{{rep}, {rep}}
	if windows != nil {
		var both []report.Report
		for i, w := range windows {
			where := fmt.Sprintf("end >= %s and end < %s", w.from.UTC().Format(time.RFC3339), w.to.UTC().Format(time.RFC3339))
			side, err := rep.With(report.Change{Where: where, Top: -1}, scope, ins[0].zone)
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
		some, lacks, err := d.tables(ctx, ins[i], enr, scope.Fields, slices.Clone(reports))
		if err != nil {
			return nil, stats, err
		}
		if len(lacks) > 0 && windows == nil { // of one input neither side has them
			return nil, stats, fmt.Errorf("%s: %w", sideNames[i], lacks[0])
		}
		if len(lacks) > 0 {
			return nil, stats, lacks[0]
		}
		tables = append(tables, some...)
		stats.Add(ins[i].stats.Stats)
	}
	stats.Seconds = 0
	for _, in := range ins {
		stats.Seconds += in.stats.Seconds
	}
	return tables, stats, nil
}
