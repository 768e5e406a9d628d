package cmd

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/schema"
	"flowlog/report/render/dataset"
	"flowlog/report/sql"
)

// ddlAsk is what is asked of a table, as it is typed.
type ddlAsk struct {
	table     sql.StoredTable
	dialect   string
	logFormat string
	since, tz string
}

// newDDL returns `flowlog sql ddl`.
func newDDL(con *console) *cobra.Command {
	ask := ddlAsk{table: sql.StoredTable{Table: "flows", Format: "text", Layout: "daily", Help: "flowlog sql ddl --help", Say: say, Ask: askTable}}
	t := &ask.table
	formats := namesOf(sql.StoredFormats(), func(f sql.StoredFormat) string { return f.Name })
	layouts := namesOf(sql.Layouts(), func(l sql.Layout) string { return l.Name })
	c := &cobra.Command{
		Use:   "ddl --location s3://BUCKET/PREFIX/ [flags]",
		Short: "Print the statement that makes a table of flow logs in S3",
		Long: "ddl prints CREATE TABLE for Athena or Trino, or a view for DuckDB, over flow logs as they lie in S3: in\n" +
			"the columns and types that `flowlog sql NAME` needs, in partitions by account, region and day. Nothing is\n" +
			"run or changed; comments in it say what to do next.\n\n" + aboutTables(),
		Example: "  flowlog sql ddl --dialect athena --table vpc.flow_logs --location s3://my-logs/ --account 123456789012 --region-filter eu-west-1,us-east-1\n" +
			"  flowlog sql ddl --dialect athena --location s3://my-logs/ --layout hive-hourly --format parquet --since 2026-01-01\n" +
			"  flowlog sql ddl --dialect trino --table hive.vpc.flow_logs --location s3://my-logs/ --log-format '${version} ${srcaddr} …'\n" +
			"  flowlog sql ddl --dialect trino --table hive.lake.flows --location s3://lake/flows --format dataset --partition-by date,account_id\n" +
			"  flowlog sql ddl --location flows/ --format dataset | duckdb flows.db",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return ask.run(con.out) },
	}
	section(c, "Table flags", func(f *pflag.FlagSet) {
		f.StringVar(&ask.dialect, "dialect", dialectNames()[0], "statement of this `engine`: "+join(dialectNames()))
		f.StringVar(&t.Format, "format", t.Format, "what the files are, a `format`: "+join(formats))
		f.StringVar(&t.Layout, "layout", t.Layout, "how AWS's folders are laid out, a `layout`: "+join(layouts))
		f.StringVar(&ask.logFormat, "log-format", "", "`fields` of the records, of text in their order: '${srcaddr} ${bytes} …', or "+schema.VersionRange(" to ")+" (default: v2 for text, else all)")
		f.StringSliceVar(&t.Keys, "partition-by", []string{"date"}, "`keys` of a dataset, as parse --partition-by was given them: "+join(dataset.KeyNames()))
		f.StringSliceVar(&t.Accounts, "account", nil, "all `accounts` that there are; without, each query names one")
		f.StringSliceVar(&t.Regions, "region-filter", nil, "all `regions` that there are; without, each query names one")
		f.StringVar(&ask.since, "since", "365d", "first `day` that is in the table: 2026-01-01")
		f.StringVar(&ask.tz, "tz", "UTC", "time `zone` of --since: UTC, Local or a name such as Europe/Berlin")
	})
	// Under no heading, and so for the command line alone: in flowlog.yaml and the environment, table is report's.
	c.Flags().StringVar(&t.Table, "table", t.Table, "`name` of the table, as in vpc.flow_logs")
	c.Flags().StringVar(&t.Location, "location", "", "where the files are, a `URL`: s3://bucket/prefix/ above AWSLogs/, or of the dataset")
	for flag, values := range map[string][]string{"dialect": dialectNames(), "format": formats, "layout": layouts} {
		complete(c, flag, func() []string { return values })
	}
	complete(c, "partition-by", dataset.KeyNames)
	return c
}

// aboutTables lists the formats and layouts for help.
func aboutTables() string {
	about := "Formats:\n"
	for _, f := range sql.StoredFormats() {
		about += fmt.Sprintf("  %-12s %s\n", f.Name, say(f.Doc))
	}
	about += "\nLayouts of AWS's folders:\n"
	for _, l := range sql.Layouts() {
		about += fmt.Sprintf("  %-12s %s\n", l.Name, l.Doc)
	}
	return strings.TrimSuffix(about, "\n")
}

// run prints the statement.
func (a *ddlAsk) run(w io.Writer) error {
	d, err := dialectNamed(a.dialect)
	if err != nil {
		return err
	}
	if a.table.Location == "" {
		return usageError{fmt.Errorf("say where the files are: --location s3://BUCKET/PREFIX/")}
	}
	if err := a.bind(); err != nil {
		return usageError{err}
	}
	text, err := a.table.DDL(d)
	if err != nil {
		return usageError{err}
	}
	return printStatement(w, text)
}

// bind reads the options that are more than a name.
func (a *ddlAsk) bind() error {
	t := &a.table
	zone, err := loadZone(a.tz)
	if err != nil {
		return fmt.Errorf("--tz: %w", err)
	}
	if t.Since, err = parseTime(a.since, time.Now(), zone); err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	t.Since = t.Since.UTC()
	keys, err := dataset.ParseKeys(t.Keys)
	if err != nil {
		return fmt.Errorf("--partition-by: %w", err)
	}
	t.Keys = namesOf(keys, func(k dataset.Key) string { return k.Name })
	if t.Fields, err = columnsOf(t.Format, a.logFormat); err != nil {
		return fmt.Errorf("--log-format: %w", err)
	}
	return nil
}

// askTable is the command for a report of a table, or of a query.
func askTable(dialect, from string, query bool) string {
	if query {
		from = `"(` + strings.ReplaceAll(from, `"`, `\"`) + `)"`
	} else {
		from = "'" + from + "'"
	}
	return "flowlog sql talkers --dialect " + dialect + " --table " + from
}

// columnsOf are the columns of a table of files: the fields of a flow log format, or those that files of the format have
// by default.
func columnsOf(format, logFormat string) (schema.Table, error) {
	names := schema.Logged().Names()
	if format == "text" {
		names = schema.Version(2)
	}
	if logFormat != "" {
		var err error
		if names, err = schema.ParseFormat(logFormat); err != nil {
			return nil, err
		}
	}
	known := sqlFields()
	var fields schema.Table
	for _, name := range names {
		f, ok := known.Lookup(name)
		if !ok {
			f = schema.Field{Name: name, Kind: schema.Text}
		}
		if _, twice := fields.Lookup(f.Name); twice {
			return nil, fmt.Errorf("%q is named twice, and a table has each column once", name)
		}
		fields = append(fields, f)
	}
	return fields, nil
}
