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
	con         *console
	input       input
	enrichment  enrichment
	output      output
	aggregation aggregation
	failOn      string
	baseline    string
	update      bool
	builtin     bool
	print       bool
}

// failNever is the value of --fail-on with which no finding fails the run.
const failNever = "none"

// severities lists the values of --fail-on.
func severities() []string { return append(slices.Clone(report.Severities), failNever) }

// newCheck returns `flowlog check`.
func newCheck(con *console) *cobra.Command {
	k := &checking{con: con, aggregation: aggregation{con: con}}
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
	section(c, "Check flags", func(f *pflag.FlagSet) {
		f.BoolVar(&k.builtin, "builtin", false, "check flowlog's own rules; there is no RULES.yaml then")
		f.BoolVar(&k.print, "print-builtin", false, "print flowlog's own rules")
		f.StringVar(&k.failOn, "fail-on", "info", "fail for findings of this `severity` or worse: "+join(severities()))
		f.StringVar(&k.baseline, "baseline", "", "only findings that this `file` does not know; without one, writes it")
		f.BoolVar(&k.update, "update-baseline", false, "write all findings to the baseline: they are known from now on")
		k.aggregation.vantageFlag(f)
	})
	complete(c, "fail-on", severities)
	k.aggregation.memory.flags(c, "Check flags", "groups")
	k.output.flagsFor(c, "table", findingFormatNames)
	k.input.flags(c)
	k.enrichment.flags(c)
	return c
}

func findingFormatNames() []string {
	return namesOf(render.FindingFormats, func(f render.FindingFormat) string { return f.Name })
}

// threshold is the least severity that fails the run; beyond all of them if none does.
func (k *checking) threshold() (report.Severity, error) {
	i, err := find("severity", k.failOn, severities(), rulesHelp)
	if err != nil {
		return 0, usageError{fmt.Errorf("--fail-on: %w", err)}
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
	k.output.tellEnding(k.con, name)
	return render.FindingFormats[slices.Index(findingFormatNames(), name)], nil
}

func (k *checking) run(c *cobra.Command, args []string) (err error) {
	ctx := c.Context()
	failOn, format, err := k.check()
	if err != nil {
		return err
	}
	file, args, err := k.rules(args)
	if err != nil {
		return err
	}
	known, err := k.known()
	if err != nil {
		return err
	}
	in, err := k.input.open(ctx, k.con, args)
	if err != nil {
		return err
	}
	if in == nil {
		return c.Help()
	}
	enr, err := k.enrichment.open(ctx, in, file.words())
	if err != nil {
		return err
	}
	defer enr.finish(in, &err)
	b, err := bindRules(ctx, file, in, enr)
	if err != nil {
		return err
	}
	out, err := k.output.start(k.con, in.zone, render.Format{})
	if err != nil {
		return err
	}
	verdicts, err := k.judge(ctx, in, enr, b, known)
	if err == nil {
		err = format.Write(out.w, render.Checked{Verdicts: verdicts, Input: in.stats.Stats, File: file.path, FailOn: failOn, Version: version()}, out.opt)
	}
	if err := out.done(err); err != nil {
		return err
	}
	if err := k.accept(ctx, known, verdicts); err != nil {
		return err
	}
	return k.end(ctx, in, verdicts, failOn, k.accepts(known))
}

// check checks the options that do not depend on the input.
func (k *checking) check() (failOn report.Severity, format render.FindingFormat, err error) {
	if failOn, err = k.threshold(); err != nil {
		return failOn, format, err
	}
	if format, err = k.format(); err != nil {
		return failOn, format, err
	}
	if err = k.aggregation.check(); err != nil {
		return failOn, format, err
	}
	if k.update && k.baseline == "" {
		err = usageError{errors.New("--update-baseline needs the file that it writes: --baseline FILE")}
	}
	return failOn, format, err
}

// rules reads the file of rules, and returns the arguments that are left for the input.
func (k *checking) rules(args []string) (file *ruleFile, input []string, err error) {
	if k.builtin {
		if file, err = parseRules(builtinName, builtinRules); err == nil && !k.enrichment.hasThreats() {
			file.rules = slices.DeleteFunc(file.rules, func(r *ruleText) bool { return r.key.Value == threatRule })
		}
	} else {
		file, err = readRules(args[0])
		args = args[1:]
	}
	if err != nil {
		return nil, nil, usageError{err}
	}
	return file, args, nil
}

// known reads the baseline, nil if there is none to be heeded.
func (k *checking) known() (*baseline, error) {
	if k.baseline == "" {
		return nil, nil
	}
	return readBaseline(k.baseline)
}

// accepts reports whether all findings of the run are to be known from now on.
func (k *checking) accepts(known *baseline) bool { return known != nil && (k.update || !known.exists) }

// A ruleBinding is rules with their words bound to the fields of an input.
type ruleBinding struct {
	fields  schema.Table
	rules   []report.Rule
	reports []report.Report   // of the rules that can be checked
	reasons map[string]string // why others cannot, by their names
}

// bindRules binds the rules of a file. It is an error if none can be checked.
func bindRules(ctx context.Context, file *ruleFile, in *reader, enr *lookups) (*ruleBinding, error) {
	rules, fields, err := file.all(ctx, in, enr)
	if err != nil {
		return nil, usageError{err}
	}
	b := &ruleBinding{fields: fields, rules: rules, reasons: make(map[string]string)}
	for i := range rules {
		if err := enr.missing(ctx, rules[i].Name, in, fieldsOf(&rules[i])); err != nil {
			b.reasons[rules[i].Name] = err.Error()
			continue
		}
		b.reports = append(b.reports, rules[i].Report)
	}
	if len(b.reports) == 0 {
		return nil, fmt.Errorf("no rule can be checked: %s", b.reasons[rules[0].Name])
	}
	return b, nil
}

// judge computes the reports of the rules and returns the verdicts. It says which rules could not be checked.
func (k *checking) judge(ctx context.Context, in *reader, enr *lookups, b *ruleBinding, known *baseline) ([]report.Verdict, error) {
	done, err := k.aggregation.tables(ctx, in, enr, b.fields, b.reports)
	if err != nil {
		return nil, err
	}
	isKnown := func(string) bool { return false }
	if known != nil && !k.accepts(known) {
		isKnown = known.has
	}
	for _, l := range done.lacks {
		b.reasons[l.Report] = say(l)
	}
	verdicts := report.Check(b.rules, done.tables, b.reasons, isKnown)
	if in.quiet {
		return verdicts, nil
	}
	for _, note := range done.notes {
		fmt.Fprintln(k.con.err, "flowlog: "+note)
	}
	for _, v := range verdicts {
		if v.Skipped != "" {
			fmt.Fprintln(k.con.err, printable("flowlog: not checked: "+v.Skipped))
		}
	}
	return verdicts, nil
}

// accept writes the findings to the baseline, if they are to be known from now on. A run that was interrupted has not seen
// all of them.
func (k *checking) accept(ctx context.Context, known *baseline, verdicts []report.Verdict) error {
	if !k.accepts(known) || ctx.Err() != nil {
		return nil
	}
	n, err := known.write(k.con, verdicts)
	if err == nil && !k.input.quiet {
		fmt.Fprintf(k.con.err, "flowlog: %s: %s known from now on\n", printable(known.path), count(int64(n), "finding"))
	}
	return err
}

// end is the error that the run ends with: what fired counts for more than what could not be read.
func (k *checking) end(ctx context.Context, in *reader, verdicts []report.Verdict, failOn report.Severity, accepted bool) error {
	fired := slices.ContainsFunc(verdicts, func(v report.Verdict) bool { return v.Fired() > 0 && v.Severity >= failOn && !accepted })
	checked := slices.ContainsFunc(verdicts, func(v report.Verdict) bool { return v.Skipped == "" })
	incomplete := in.close()
	if left := (nothingError{}); in.stats.Records == 0 && !errors.As(incomplete, &left) {
		incomplete = nothingError{"there are no records to check"}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fired:
		return errFired
	case !checked:
		return errors.New("no rule could be checked")
	}
	return incomplete
}
