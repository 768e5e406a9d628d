package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/schema"
	"flowlog/report"
)

// reporting is `flowlog report` or one of its subcommands: the groups of its options, and the reports that it prints.
type reporting struct {
	con         *console
	input       input
	enrichment  enrichment
	output      output
	aggregation aggregation
	elsewhere   elsewhere
	change      report.Change
	chart       bool
	reports     []report.Report
	panels      []report.Panel // of a dashboard, by report; nil if it is none
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
		sub.Long = r.Doc + ".\n\n" + computes(r)
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

// computes says in words what a report computes.
func computes(r report.Report) string {
	var b strings.Builder
	if len(r.Keys) > 0 {
		fmt.Fprintf(&b, "Groups by:  %s\n", join(namesOf(r.Keys, report.Key.Name)))
	}
	fmt.Fprintf(&b, "Measures:   %s\n", join(namesOf(r.Measures, measureName)))
	if r.Where != nil {
		fmt.Fprintf(&b, "Only where: %s\n", r.Where)
	}
	fmt.Fprintf(&b, "Look next:  %s", say(r.Next))
	return b.String()
}

// newReporting returns the command for some reports; panels are those of a dashboard.
func newReporting(con *console, reports []report.Report, panels []report.Panel) *cobra.Command {
	r := &reporting{con: con, aggregation: aggregation{con: con}, reports: reports, panels: panels}
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
	section(c, "Report flags", func(f *pflag.FlagSet) {
		r.aggregation.vantageFlag(f)
		f.BoolVar(&r.chart, "chart", false, "draw in the terminal: bars beside ranked rows, lines over time, heat maps")
	})
	r.aggregation.memory.flags(c, "Report flags", "groups")
	r.output.flags(c, "table")
	r.input.flags(c)
	r.enrichment.flags(c)
	r.elsewhere.flags(c)
	return c
}

// changeFlags adds the flags that change a report. keys are the fields that it can be grouped by, for completion.
func changeFlags(c *cobra.Command, change *report.Change, keys func() []string) {
	section(c, "Report flags", func(f *pflag.FlagSet) {
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

func measureNames() []string { return namesOf(report.Measures(), measureName) }

func measureName(m report.Measure) string { return m.Name }
