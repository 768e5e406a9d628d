package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render"
)

// checking is `flowlog check`.
type checking struct {
	reporting
	failOn   string
	baseline string
	update   bool
	builtin  bool
	print    bool
}

// failNever is the value of --fail-on with which no finding fails the run.
const failNever = "none"

// newCheck returns `flowlog check`.
func newCheck(con *console) *cobra.Command {
	k := &checking{reporting: reporting{console: con}}
	c := &cobra.Command{
		Use:   "check RULES.yaml [flags] [INPUT ...]",
		Short: "Check flows by rules, and fail if one fires",
		Long: "check reads flow logs once and holds them against rules: reports each of whose rows is a finding.\n" +
			"It ends with exit code 5 if there are any. `flowlog help rules` says how to write rules; --builtin\n" +
			"has some to begin with, and --print-builtin prints them.",
		Example: "  flowlog check --builtin logs/\n" +
			"  flowlog check --print-builtin >rules.yaml\n" +
			"  flowlog check rules.yaml --baseline known.json --fail-on high -o sarif -O flows.sarif logs/",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && k.print {
				return errors.New("--print-builtin reads nothing: leave the arguments out, or take --builtin to check logs by these rules")
			}
			if len(args) == 0 && !k.builtin && !k.print {
				return fmt.Errorf("name a file of rules, or take flowlog's own by --builtin: `%s` says how to write one", rulesHelp)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if k.print {
				_, err := con.out.Write(builtinRules)
				return err
			}
			return k.run(c, args)
		},
	}
	group(c, "Check flags", func(f *pflag.FlagSet) {
		f.BoolVar(&k.builtin, "builtin", false, "check flowlog's own rules; there is no RULES.yaml then")
		f.BoolVar(&k.print, "print-builtin", false, "print flowlog's own rules")
		f.StringVar(&k.failOn, "fail-on", "info", "fail for findings of this `severity` or worse: "+join(append(report.Severities, failNever)))
		f.StringVar(&k.baseline, "baseline", "", "only findings that this `file` does not know; without one, writes it")
		f.BoolVar(&k.update, "update-baseline", false, "write all findings to the baseline: they are known from now on")
		k.vantageFlag(f)
	})
	complete(c, "fail-on", func() []string { return append(slices.Clone(report.Severities), failNever) })
	k.memory.flags(c, "Check flags", "groups")
	k.output.flagsFor(c, "table", findingFormatNames)
	k.input.flags(c)
	k.enrichment.flags(c)
	return c
}

func findingFormatNames() []string {
	var names []string
	for _, f := range render.FindingFormats {
		names = append(names, f.Name)
	}
	return names
}

// threshold is the least severity that fails the run; beyond all of them if none does.
func (k *checking) threshold() (report.Severity, error) {
	names := append(slices.Clone(report.Severities), failNever)
	i := slices.Index(names, k.failOn)
	if i < 0 {
		return 0, usageError{fmt.Errorf("--fail-on: %w", schema.Unknown("severity", k.failOn, names, rulesHelp))}
	}
	return report.Severity(i), nil
}

// format is what findings are written as.
func (k *checking) format() (render.FindingFormat, error) {
	name, err := k.output.formatName("output format of check", findingFormatNames())
	if err != nil {
		return render.FindingFormat{}, err
	}
	name = cmp.Or(name, render.FindingFormats[0].Name)
	k.output.tellEnding(k.console, name)
	return render.FindingFormats[slices.Index(findingFormatNames(), name)], nil
}

func (k *checking) run(c *cobra.Command, args []string) (err error) {
	ctx := c.Context()
	failOn, err := k.threshold()
	if err != nil {
		return err
	}
	format, err := k.format()
	if err != nil {
		return err
	}
	if err := k.checkVantage(); err != nil {
		return err
	}
	if k.update && k.baseline == "" {
		return usageError{errors.New("--update-baseline needs the file that it writes: --baseline FILE")}
	}
	var file *ruleFile
	if k.builtin {
		file, err = parseRules(builtinName, builtinRules)
	} else {
		file, err = readRules(args[0])
		args = args[1:]
	}
	if err != nil {
		return usageError{err}
	}
	var known *baseline
	if k.baseline != "" {
		if known, err = readBaseline(k.baseline); err != nil {
			return err
		}
	}
	in, err := k.input.open(ctx, k.console, args)
	if err != nil {
		return err
	}
	if in == nil {
		return c.Help()
	}
	var wanted []string
	for _, r := range file.rules {
		wanted = append(wanted, r.words()...)
	}
	enr, err := k.enrichment.open(wanted)
	if err != nil {
		return err
	}
	defer enr.finish(in, &err)
	rules, fields, err := file.all(ctx, in, enr)
	if err != nil {
		return usageError{err}
	}
	reasons := make(map[string]string)
	var reports []report.Report
	for i := range rules {
		var needs []string
		rules[i].Fields(func(name string) { needs = append(needs, name) })
		if err := enr.missing(ctx, rules[i].Name, in, needs); err != nil {
			reasons[rules[i].Name] = err.Error()
			continue
		}
		reports = append(reports, rules[i].Report)
	}
	if len(reports) == 0 {
		return fmt.Errorf("no rule can be checked: %s", reasons[rules[0].Name])
	}
	out, err := k.output.start(k.console, in.zone, render.Format{})
	if err != nil {
		return err
	}
	tables, lacks, err := k.tables(ctx, in, enr, fields, reports)
	if err != nil {
		return out.done(err)
	}
	for _, note := range k.counted {
		if !in.quiet {
			fmt.Fprintln(k.err, "flowlog: "+note)
		}
	}
	accept := known != nil && (k.update || !known.exists)
	isKnown := func(string) bool { return false }
	if known != nil && !accept {
		isKnown = known.has
	}
	for _, l := range lacks {
		reasons[l.Report] = say(l)
	}
	verdicts := report.Check(rules, tables, reasons, isKnown)
	fired, skipped := false, 0
	for _, v := range verdicts {
		fired = fired || v.Fired() > 0 && v.Severity >= failOn && !accept
		if v.Skipped == "" {
			continue
		}
		skipped++
		if !in.quiet {
			fmt.Fprintln(k.err, printable("flowlog: not checked: "+v.Skipped))
		}
	}
	err = format.Write(out.w, render.Checked{Verdicts: verdicts, Input: in.stats.Stats, File: file.path, FailOn: failOn, Version: version()}, out.opt)
	if err := out.done(err); err != nil {
		return err
	}
	if accept && ctx.Err() == nil {
		n, err := known.write(k.console, verdicts)
		if err != nil {
			return err
		}
		if !in.quiet {
			fmt.Fprintf(k.err, "flowlog: %s: %s known from now on\n", printable(known.path), count(int64(n), "finding"))
		}
	}
	incomplete := in.close()
	if left := (nothingError{}); in.stats.Records == 0 && !errors.As(incomplete, &left) {
		incomplete = nothingError{"there are no records to check"}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fired:
		return errFired
	case skipped == len(verdicts):
		return errors.New("no rule could be checked")
	}
	return incomplete
}

// all makes the texts rules. Their words may be columns that only the input knows, which the second result has too.
func (f *ruleFile) all(ctx context.Context, in *reader, enr *lookups) ([]report.Rule, schema.Table, error) {
	scope := enr.scope(in)
	var rules []report.Rule
	for _, t := range f.rules {
		wrong := len(f.errs)
		r, ok := f.bind(t, scope, in.zone)
		if more := in.with(ctx, scope.Fields, t.words()); !ok && len(more) > len(scope.Fields) {
			f.errs = f.errs[:wrong]
			scope.Fields = more
			r, ok = f.bind(t, scope, in.zone)
		}
		if ok {
			rules = append(rules, r)
		}
	}
	return rules, scope.Fields, f.wrong()
}
