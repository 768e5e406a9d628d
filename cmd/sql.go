package cmd

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse/schema"
	"flowlog/report"
)

// newSQL returns `flowlog sql`.
func newSQL(con *console) *cobra.Command {
	var ask sqlAsk
	var dialect string
	var names []string
	for _, d := range report.Dialects() {
		names = append(names, d.Name)
	}
	c := &cobra.Command{
		Use:   "sql NAME [flags]",
		Short: "Print a report as SQL, for an engine that has the records",
		Long: "sql prints a report as a query that gives the same rows in the same order, run by the engine that\n" +
			"already has the records in a table. What an engine cannot compute exactly so is an error that says\n" +
			"which part it is. `flowlog help sql` says more.",
		Example: "  flowlog sql talkers --table flows.parquet | duckdb\n" +
			"  flowlog sql rejected --dialect athena --table vpc.flow_logs --where 'srcaddr in 10.0.0.0/8'\n" +
			"  flowlog sql timeline --every 1h --dialect trino --table hive.vpc.flow_logs",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				hint := ""
				if len(args) > 1 && slices.Contains(report.Names(), args[0]) {
					hint = "; it reads no logs: --table names what has the records"
				}
				return fmt.Errorf("name one report, as in `flowlog sql talkers`: `flowlog reports` lists them%s", hint)
			}
			if saved := con.settings.report(args[0]); saved != nil && saved.from != "" {
				return fmt.Errorf("%s is a saved report, and sql has those of flowlog: write it out, as in `flowlog sql %s`", args[0], saved.command())
			}
			if list, _ := several(args[0], nil); list != nil || args[0] == dashboardName {
				return fmt.Errorf("a query is one report, and %s is more: name one, as in `flowlog sql talkers`", args[0])
			}
			if !slices.Contains(report.Names(), args[0]) {
				return schema.Unknown("report", args[0], report.Names(), "flowlog reports")
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return report.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkChange(c, &ask.change); err != nil {
				return err
			}
			i := slices.Index(names, dialect)
			if i < 0 {
				return usageError{fmt.Errorf("--dialect: %q is none: there are %s", dialect, strings.Join(names, ", "))}
			}
			text, err := ask.sql(args[0], report.Dialects()[i])
			if err != nil {
				return usageError{err}
			}
			_, err = fmt.Fprintf(con.out, "%s;\n", strings.TrimSuffix(text, "\n"))
			return err
		},
	}
	c.AddCommand(newDDL(con))
	changeFlags(c, &ask.change, func() []string { return sqlFields().Names() })
	group(c, "SQL flags", func(f *pflag.FlagSet) {
		f.StringVar(&dialect, "dialect", names[0], "SQL of this `engine`: "+strings.Join(names, ", "))
		f.StringVar(&ask.since, "since", "", "only records that end at this `time` or later: 2026-05-14T09:00, 3d")
		f.StringVar(&ask.until, "until", "", "only records that end before this `time`")
		f.StringVar(&ask.layout, "layout", "", "read only the partitions of --since and --until, of a table that sql ddl made in this `layout`: daily, hive, dataset …")
		f.StringVar(&ask.tz, "tz", "UTC", "`zone` of bins, hours and times in conditions: UTC, Local or a name such as Europe/Berlin")
	})
	// Under no heading, and so for the command line alone: in flowlog.yaml and the environment, table is report's.
	c.Flags().StringVar(&ask.table, "table", "flows", "`name` of the table, as in vpc.flow_logs; in duckdb also a file, or a glob of files")
	complete(c, "dialect", func() []string { return names })
	return c
}

// sqlFields are the fields that reports may name. Those that an engine cannot have are among them, so that it can
// be said why not.
func sqlFields() schema.Table {
	return slices.Concat(schema.Logged(), schema.Delivered(), report.VantageFields(), enrich.Fields())
}

// sqlAsk is what is asked of a report as SQL.
type sqlAsk struct {
	change       report.Change
	table        string
	since, until string
	layout       string // of the table, whose partitions --since and --until choose then
	tz           string
}

// sql is a report of the catalog as SQL.
func (a *sqlAsk) sql(name string, d report.Dialect) (string, error) {
	zone, err := loadZone(a.tz)
	if err != nil {
		return "", fmt.Errorf("--tz: %w", err)
	}
	now := time.Now()
	fields := sqlFields()
	scope := report.Scope{
		Fields: fields, List: "flowlog fields", Number: enrich.Numbers(nil), Open: openFile,
		Time: func(s string) (time.Time, error) { return parseTime(s, now, zone) },
	}
	i := slices.Index(report.Names(), name)
	r, err := report.Catalog()[i].With(a.change, scope, zone)
	if err != nil {
		return "", err
	}
	since, until, err := timeBounds(a.since, a.until, now, zone)
	if err != nil {
		return "", err
	}
	table := a.table
	if a.layout != "" {
		if table, err = report.WithinDays(d, table, a.layout, since, until); err != nil {
			return "", fmt.Errorf("--layout: %w", err)
		}
	}
	during := r.During(since, until)
	return report.SQL(&during, d, fields, table)
}
