package cmd

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/pass"
	"flowlog/report/sql"
)

// newSQL returns `flowlog sql`.
func newSQL(con *console) *cobra.Command {
	var ask sqlAsk
	c := &cobra.Command{
		Use:   "sql NAME [flags]",
		Short: "Print a report as SQL, for an engine that has the records",
		Long: "sql prints a report as a query that gives the same rows in the same order, run by the engine that\n" +
			"already has the records in a table. What an engine cannot compute exactly so is an error that says\n" +
			"which part it is. `flowlog help sql` says more.",
		Example: "  flowlog sql talkers --table flows.parquet | duckdb\n" +
			"  flowlog sql rejected --dialect athena --table vpc.flow_logs --where 'srcaddr in 10.0.0.0/8'\n" +
			"  flowlog sql timeline --every 1h --dialect trino --table hive.vpc.flow_logs",
		Args: func(_ *cobra.Command, args []string) error { return oneReport(con.settings, args) },
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
			defer ask.lists.tell(con)
			return ask.run(con.out, args[0])
		},
	}
	c.AddCommand(newDDL(con))
	changeFlags(c, &ask.change, func() []string { return sqlFields().Names() })
	section(c, "SQL flags", func(f *pflag.FlagSet) {
		f.StringVar(&ask.dialect, "dialect", dialectNames()[0], "SQL of this `engine`: "+join(dialectNames()))
		f.StringVar(&ask.since, "since", "", "only records that end at this `time` or later: 2026-05-14T09:00, 3d")
		f.StringVar(&ask.until, "until", "", "only records that end before this `time`")
		f.StringVar(&ask.layout, "layout", "", "read only the partitions of --since and --until, of a table that sql ddl made in this `layout`: daily, hive, dataset …")
		f.StringVar(&ask.tz, "tz", "UTC", "`zone` of bins, hours and times in conditions: UTC, Local or a name such as Europe/Berlin")
	})
	// Under no heading, and so for the command line alone: in flowlog.yaml and the environment, table is report's.
	c.Flags().StringVar(&ask.table, "table", "flows", "`name` of the table, as in vpc.flow_logs; in duckdb also a file, or a glob of files")
	complete(c, "dialect", dialectNames)
	return c
}

// oneReport refuses arguments that do not name one report of the catalog.
func oneReport(s *settings, args []string) error {
	if len(args) != 1 {
		hint := ""
		if len(args) > 1 && slices.Contains(report.Names(), args[0]) {
			hint = "; it reads no logs: --table names what has the records"
		}
		return fmt.Errorf("name one report, as in `flowlog sql talkers`: `flowlog reports` lists them%s", hint)
	}
	if saved := s.report(args[0]); saved != nil && saved.from != "" {
		return fmt.Errorf("%s is a saved report, and sql has those of flowlog: write it out, as in `flowlog sql %s`", args[0], saved.command())
	}
	if list, _ := several(args[0], nil); list != nil || args[0] == dashboardName {
		return fmt.Errorf("a query is one report, and %s is more: name one, as in `flowlog sql talkers`", args[0])
	}
	_, err := find("report", args[0], report.Names(), "flowlog reports")
	return err
}

func dialectNames() []string {
	return namesOf(sql.Dialects(), func(d sql.Dialect) string { return d.Name })
}

// dialectNamed is the dialect that --dialect names.
func dialectNamed(name string) (sql.Dialect, error) {
	i := slices.Index(dialectNames(), name)
	if i < 0 {
		return sql.Dialect{}, usageError{fmt.Errorf("--dialect: %q is none: there are %s", name, join(dialectNames()))}
	}
	return sql.Dialects()[i], nil
}

// sqlFields are the fields that reports may name. Those that an engine cannot have are among them, so that it can
// be said why not.
func sqlFields() schema.Table {
	return slices.Concat(schema.Logged(), schema.Delivered(), pass.VantageFields(), enrich.Fields())
}

// sqlAsk is what is asked of a report as SQL.
type sqlAsk struct {
	lists        lists // that conditions name
	change       report.Change
	dialect      string
	table        string
	since, until string
	layout       string // of the table, whose partitions --since and --until choose then
	tz           string
}

// run prints a report of the catalog as SQL.
func (a *sqlAsk) run(w io.Writer, name string) error {
	d, err := dialectNamed(a.dialect)
	if err != nil {
		return err
	}
	text, err := a.sql(name, d)
	if err != nil {
		return usageError{err}
	}
	return printStatement(w, text)
}

// printStatement prints SQL with one semicolon behind it.
func printStatement(w io.Writer, text string) error {
	_, err := fmt.Fprintf(w, "%s;\n", strings.TrimSuffix(text, "\n"))
	return err
}

// sql is a report of the catalog as SQL.
func (a *sqlAsk) sql(name string, d sql.Dialect) (string, error) {
	zone, err := loadZone(a.tz)
	if err != nil {
		return "", fmt.Errorf("--tz: %w", err)
	}
	now := time.Now()
	fields := sqlFields()
	scope := expr.Scope{
		Fields: fields, List: "flowlog fields", Number: enrich.Numbers(nil), File: a.lists.file,
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
		if table, err = sql.WithinDays(d, table, a.layout, since, until); err != nil {
			return "", fmt.Errorf("--layout: %w", err)
		}
	}
	during := r.During(since, until)
	return sql.Statement(&during, d, fields, table)
}
