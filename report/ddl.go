package report

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"flowlog/parse/schema"
)

// A StoredTable is flow logs as they lie in files, for engines that read these in place.
type StoredTable struct {
	Table    string // its name, with its database and catalog or not
	Location string // s3://bucket/prefix/ above AWS's AWSLogs/, or of the dataset
	Format   string // a name in StoredFormats
	Layout   string // a name in Layouts: how AWS's folders are laid out
	// Fields are the columns: of text those of every line in their order, of Parquet those by whose names it is read.
	Fields schema.Table
	// Keys are what a dataset is partitioned by, in the order of its folders: date, hour, account_id, region.
	Keys []string
	// Accounts and Regions are all that there are; empty is not known.
	Accounts, Regions []string
	Since             time.Time // the first day, in UTC
}

// A StoredFormat is what the files are: a row of THE table of them.
type StoredFormat struct {
	Name, Doc string
	text      bool
	ours      bool // parse --partition-by wrote them
}

// StoredFormats lists them.
func StoredFormats() []StoredFormat { return slices.Clone(storedFormats) }

var storedFormats = []StoredFormat{
	{Name: "text", Doc: "lines as AWS delivers them: fields between single spaces, a header first", text: true},
	{Name: "parquet", Doc: "Parquet as AWS delivers it"},
	{Name: "dataset", Doc: "what flowlog parse --partition-by wrote", ours: true},
}

// A Layout is how AWS lays out the folders of flow logs: a row of THE table of them.
type Layout struct {
	Name, Doc string
	folders   string // below AWSLogs/; ${name} is the value of the partition of that name
}

// Layouts lists them.
func Layouts() []Layout { return slices.Clone(layouts) }

var layouts = []Layout{
	{"daily", "AWSLogs/ACCOUNT/vpcflowlogs/REGION/2026/05/14/, which is AWS's default", "${aws_account_id}/vpcflowlogs/${aws_region}/${day}/"},
	{"hourly", "AWSLogs/ACCOUNT/vpcflowlogs/REGION/2026/05/14/09/", "${aws_account_id}/vpcflowlogs/${aws_region}/${day}/${hour}/"},
	{"hive", "AWSLogs/aws-account-id=ACCOUNT/aws-service=vpcflowlogs/aws-region=REGION/year=2026/month=05/day=14/", hiveFolders + "${day}/"},
	{"hive-hourly", "the same, then hour=09/", hiveFolders + "${hour}/"},
	{"none", "all files below the location, in no partitions", ""},
}

const hiveFolders = "aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/"

// A dateForm is how folders write a day or an hour. One column has all of it, also the folders of year, month and day of
// Hive's layouts: as columns of their own these would stand for days that never were, and for years to come.
type dateForm struct {
	java, layout string // as Java and as Go write it; texts of it are in the order of time
	glob         string // what matches all
	hours        bool
}

var (
	isoDay   = &dateForm{java: "yyyy-MM-dd", layout: time.DateOnly}
	slashDay = &dateForm{java: "yyyy/MM/dd", layout: "2006/01/02", glob: "*/*/*"}
	hiveDay  = &dateForm{java: "'year='yyyy/'month='MM/'day='dd", layout: "year=2006/month=01/day=02", glob: "year=*/month=*/day=*"}
	hiveHour = &dateForm{java: hiveDay.java + "/'hour='HH", layout: hiveDay.layout + "/hour=15", glob: hiveDay.glob + "/hour=*", hours: true}
)

// dateOf is the column that has the date in a layout of AWS's folders, and its form.
func dateOf(layout string) (name string, form *dateForm) {
	switch layout {
	case "hive":
		return "day", hiveDay
	case "hive-hourly":
		return "hour", hiveHour
	}
	return "day", slashDay
}

// A partition is a column whose value is in the name of a folder. Its values are those between lo and hi, those
// listed, or if neither is known whatever a query names: an engine then has no need to be told of new folders.
type partition struct {
	name   string
	typ    string // a word that means the same to all engines: date, or "" for the dialect's text, "int" for its number
	values []string
	lo, hi string
	digits int       // of a number, with zeros in front
	date   *dateForm // of a date
}

// listed reports whether the values are known without looking at the folders.
func (p partition) listed() bool { return len(p.values) > 0 || p.lo != "" }

// partitionNamed is what is known of a partition by its name.
func (t *StoredTable) partitionNamed(name string) partition {
	p := partition{name: name}
	switch name {
	case "aws_account_id", "account_id":
		p.values = t.Accounts
	case "aws_region", "region":
		p.values = t.Regions
	case "date": // the type must be text unless the date is written as in ISO 8601
		p.typ, p.date = "date", isoDay
	case "day", "hour":
		if date, form := dateOf(t.Layout); name == date && t.Format != "dataset" {
			p.date = form
		} else {
			p.typ, p.lo, p.hi, p.digits = "int", "0", "23", 2
		}
	}
	if p.date != nil {
		p.lo, p.hi = t.Since.Truncate(day).Format(p.date.layout), "NOW"
	}
	return p
}

// stored is a table made ready for a dialect to write.
type stored struct {
	*Dialect
	*StoredTable
	format     StoredFormat
	base       string // where the files are, with a slash at its end
	folders    string // below it, with ${name} for values
	partitions []partition
	projected  bool // the values of all partitions are known, or given by queries
	noStatus   bool // the lines have no log_status: the column behind the last one, which is null, stands for it
}

var (
	placeholder = regexp.MustCompile(`\$\{(\w+)\}`)
	// unsafeInLocation are quotes and escapes of one of the engines, what a template replaces, what ends a comment.
	unsafeInLocation = regexp.MustCompile("['\"`\\\\${}*?\\[\\]\\x00-\\x1f\\x7f]")
	accountID        = regexp.MustCompile(`^[0-9]{12}$`)
	regionName       = regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+$`)
	// tableName is what is a name to every engine, and nothing else to a shell that a comment is pasted into.
	tableName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
)

// DDL is the statement that makes the table known to an engine, with comments that say what to do next. It changes
// no files. What the report SQL of the dialect names is in the table, in the types that it needs. Accounts and
// regions that are none, and names that could be anything but a name, are errors.
func (t StoredTable) DDL(d Dialect) (string, error) {
	s := &stored{Dialect: &d, StoredTable: &t}
	if err := s.check(); err != nil {
		return "", err
	}
	s.base = strings.TrimRight(t.Location, "/") + "/"
	if s.format.ours {
		for _, key := range t.Keys {
			s.folders += key + "=${" + key + "}/"
		}
	} else if l := layoutNamed(t.Layout); l.folders != "" {
		if !strings.HasSuffix(s.base, "/AWSLogs/") {
			s.base += "AWSLogs/"
		}
		s.folders = l.folders
	}
	for _, m := range placeholder.FindAllStringSubmatch(s.folders, -1) {
		s.partitions = append(s.partitions, t.partitionNamed(m[1]))
	}
	// What AWS's folders are called is known. Of a dataset the values must be too, for it can also have folders of
	// records that have none.
	s.projected = len(s.partitions) > 0 && (!s.format.ours || !slices.ContainsFunc(s.partitions, func(p partition) bool { return !p.listed() }))
	for _, f := range t.Fields {
		inFolder := slices.ContainsFunc(s.partitions, func(p partition) bool { return p.name == f.Name })
		if inFolder && !s.format.ours {
			return "", fmt.Errorf("%s is a folder in the layout %s and cannot be a field too", f.Name, t.Layout)
		}
	}
	if s.format.ours {
		s.Fields = slices.DeleteFunc(slices.Clone(t.Fields), func(f schema.Field) bool { return slices.Contains(t.Keys, f.Name) })
	}
	if _, ok := s.Fields.Lookup(statusField.Name); !ok {
		s.noStatus = true
	}
	return s.ddl(s), nil
}

func layoutNamed(name string) Layout {
	i := slices.IndexFunc(layouts, func(l Layout) bool { return l.Name == name })
	if i < 0 {
		return Layout{}
	}
	return layouts[i]
}

// check says what is wrong with a table, before anything of it is written.
func (s *stored) check() error {
	i := slices.IndexFunc(storedFormats, func(f StoredFormat) bool { return f.Name == s.Format })
	if i < 0 {
		var names []string
		for _, f := range storedFormats {
			names = append(names, f.Name)
		}
		return schema.Unknown("format", s.Format, names, "flowlog sql ddl --help")
	}
	s.format = storedFormats[i]
	if !s.format.ours && layoutNamed(s.Layout).Name == "" {
		var names []string
		for _, l := range layouts {
			names = append(names, l.Name)
		}
		return schema.Unknown("layout", s.Layout, names, "flowlog sql ddl --help")
	}
	parts := strings.Split(s.Table, ".")
	switch {
	case !tableName.MatchString(s.Table):
		return fmt.Errorf("%q is not the name of a table, such as vpc.flow_logs: it has letters, digits, _ and -", s.Table)
	case len(parts) > s.nameParts:
		return fmt.Errorf("%s has too many parts for %s, which takes %s", s.Table, s.Dialect.Name, [...]string{1: "TABLE", 2: "DATABASE.TABLE", 3: "CATALOG.SCHEMA.TABLE"}[s.nameParts])
	case len(s.Fields) == 0:
		return errors.New("a table has at least one column")
	}
	if bad := unsafeInLocation.FindString(s.Location); bad != "" {
		return fmt.Errorf("%q has the character %q, which means something else to an engine: choose a location without it", s.Location, bad)
	}
	if scheme, rest, ok := strings.Cut(s.Location, "://"); !s.files && (!ok || strings.Trim(rest, "/") == "" || s.s3only && scheme != "s3") {
		return fmt.Errorf("%q is not a location that %s reads: write s3://bucket/prefix/", s.Location, s.Dialect.Name)
	}
	for _, a := range s.Accounts {
		if !accountID.MatchString(a) {
			return fmt.Errorf("%q is not an account: it has twelve digits", a)
		}
	}
	for _, r := range s.Regions {
		if !regionName.MatchString(r) {
			return fmt.Errorf("%q is not a region, such as us-east-1", r)
		}
	}
	return nil
}

// types are the SQL types of the kinds of fields.
type types [schema.Text + 1]string

var (
	hiveTypes  = types{schema.Int32: "int", schema.Int64: "bigint", schema.Time: "bigint", schema.Float: "double", schema.Addr: "string", schema.Text: "string"}
	trinoTypes = types{schema.Int32: "integer", schema.Int64: "bigint", schema.Time: "bigint", schema.Float: "double", schema.Addr: "varchar", schema.Text: "varchar"}
	duckTypes  = types{schema.Int32: "INTEGER", schema.Int64: "BIGINT", schema.Time: "BIGINT", schema.Float: "DOUBLE", schema.Addr: "VARCHAR", schema.Text: "VARCHAR"}
)

// of returns the type of a partition.
func (t types) of(p partition) string {
	switch p.typ {
	case "":
		return t[schema.Text]
	case "int":
		return t[schema.Int32]
	}
	return p.typ
}

// columns are the fields with their types, and log_status if it has to be made up.
func (s *stored) columns(quote func(string) string, t types) []string {
	var list []string
	for _, f := range s.Fields {
		list = append(list, quote(f.Name)+" "+t[f.Kind])
	}
	if s.noStatus {
		list = append(list, quote(statusField.Name)+" "+t[schema.Text])
	}
	return list
}

// comments are what to know before and after the statement is run. next are the commands that come next.
func (s *stored) comments(next ...string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "-- "+format+"\n", args...) }
	line("Flow logs in %s, %s.", s.base+s.folders, s.format.Doc)
	if s.format.text {
		line("Every file has these columns in this order. Files of a flow log with another format need a table of their own.")
	}
	if s.noStatus {
		line("The format has no log-status: the column log_status is null, which is a flow.")
	}
	for _, p := range s.partitions {
		switch {
		case s.projected && !p.listed():
			line("A query must name %[1]s, as in WHERE %[1]s = '…'; with a list of all in the table it need not.", p.name)
		case s.projected && p.date != nil:
			line("Days before %s are not in the table.", s.Since.Format(time.DateOnly))
		}
	}
	for _, n := range next {
		line("%s", n)
	}
	return b.String()
}

// where is a condition on the partitions that restricts a query to the first day.
func (s *stored) where() string {
	var parts []string
	for _, p := range s.partitions {
		name := s.name(p.name)
		switch {
		case p.date == isoDay:
			parts = append(parts, name+" = DATE "+quote(p.lo))
		case p.date != nil && p.date.hours:
			parts = append(parts, name+" BETWEEN "+quote(p.lo)+" AND "+quote(s.Since.Truncate(day).Add(23*time.Hour).Format(p.date.layout)))
		case p.date != nil:
			parts = append(parts, name+" = "+quote(p.lo))
		case !p.listed() && s.projected:
			parts = append(parts, name+" = '…'")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

// questions are the comments that say how to ask a day.
func (s *stored) questions() []string {
	from := "SELECT * FROM " + s.from(s.Table) + s.where()
	list := []string{"Try it: " + from + " LIMIT 10"}
	if where := s.where(); where != "" {
		list = append(list, "Reports of a day: flowlog sql talkers --dialect "+s.Dialect.Name+` --table "(`+strings.ReplaceAll(from, `"`, `\"`)+`)"`)
	} else {
		list = append(list, "Reports: flowlog sql talkers --dialect "+s.Dialect.Name+" --table '"+s.Table+"'")
	}
	return list
}

// backtick quotes a name for Hive's language, in which Athena takes statements about tables.
func backtick(s string) string { return "`" + s + "`" }

// hiveText is a text in Hive's language, where two texts side by side are one.
func hiveText(s string) string {
	if strings.Contains(s, "'") {
		return doubleQuote(s)
	}
	return quote(s)
}

func doubleQuote(s string) string { return `"` + s + `"` }

// dotted quotes the parts of a table's name.
func dotted(quote func(string) string, name string) string {
	var parts []string
	for part := range strings.SplitSeq(name, ".") {
		parts = append(parts, quote(part))
	}
	return strings.Join(parts, ".")
}

// list writes lines between brackets.
func list(lines []string) string { return "(\n  " + strings.Join(lines, ",\n  ") + "\n)" }

// athenaTable is a table of Glue's. LazySimpleSerDe reads a number that is none, such as -, as null; so also a header
// between records is a row that is no flow, since its log_status is log-status.
func athenaTable(s *stored) string {
	next := s.questions()
	if !s.projected && len(s.partitions) > 0 {
		next = slices.Insert(next, 0, "Next, and whenever there are new folders: MSCK REPAIR TABLE "+dotted(backtick, s.Table))
	}
	var b strings.Builder
	b.WriteString(s.comments(next...))
	fmt.Fprintf(&b, "CREATE EXTERNAL TABLE IF NOT EXISTS %s %s\n", dotted(backtick, s.Table), list(s.columns(backtick, hiveTypes)))
	var properties []string
	set := func(name, value string) { properties = append(properties, quote(name)+" = "+hiveText(value)) }
	if len(s.partitions) > 0 {
		var columns []string
		for _, p := range s.partitions {
			columns = append(columns, backtick(p.name)+" "+hiveTypes.of(p))
		}
		fmt.Fprintf(&b, "PARTITIONED BY (%s)\n", strings.Join(columns, ", "))
	}
	if s.format.text {
		b.WriteString("ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' NULL DEFINED AS '-'\nSTORED AS TEXTFILE\n")
		set("skip.header.line.count", "1")
	} else {
		b.WriteString("STORED AS PARQUET\n")
	}
	if s.projected {
		set("projection.enabled", "true")
		for _, p := range s.partitions {
			prefix := "projection." + p.name + "."
			switch {
			case len(p.values) > 0:
				set(prefix+"type", "enum")
				set(prefix+"values", strings.Join(p.values, ","))
				continue
			case p.lo == "":
				set(prefix+"type", "injected")
				continue
			case p.date != nil:
				set(prefix+"type", "date")
				set(prefix+"format", p.date.java)
				if p.date.hours {
					set(prefix+"interval", "1")
					set(prefix+"interval.unit", "HOURS")
				}
			default:
				set(prefix+"type", "integer")
			}
			set(prefix+"range", p.lo+","+p.hi)
			if p.digits > 0 {
				set(prefix+"digits", strconv.Itoa(p.digits))
			}
		}
		set("storage.location.template", s.base+s.folders)
	}
	fmt.Fprintf(&b, "LOCATION %s\n", quote(s.base))
	if len(properties) > 0 {
		fmt.Fprintf(&b, "TBLPROPERTIES %s\n", list(properties))
	}
	return b.String()
}

// trinoTable is a table of the Hive connector. What it calls CSV has texts alone; its TEXTFILE reads numbers as
// LazySimpleSerDe does.
func trinoTable(s *stored) string {
	var before []string
	switch {
	case s.projected:
		before = []string{"The catalog is one of the Hive connector, with hive.partition-projection-enabled=true."}
		if !strings.HasPrefix(s.base, "s3") { // where a folder without files is none
			before[0] += " Folders that are missing need hive.ignore-absent-partitions=true."
		}
	case len(s.partitions) > 0:
		parts := strings.Split(s.Table, ".")
		catalog, schemaName := "", "'…'"
		if n := len(parts); n > 1 {
			schemaName = quote(parts[n-2])
			if n > 2 {
				catalog = doubleQuote(parts[0]) + "."
			}
		}
		before = []string{"The catalog is one of the Hive connector.",
			fmt.Sprintf("Next, and whenever there are new folders: CALL %ssystem.sync_partition_metadata(schema_name => %s, table_name => %s, mode => 'FULL')",
				catalog, schemaName, quote(parts[len(parts)-1]))}
	default:
		before = []string{"The catalog is one of the Hive connector, with hive.recursive-directories=true if there are folders."}
	}
	columns := s.columns(doubleQuote, trinoTypes)
	var properties, names []string
	set := func(name, value string) { properties = append(properties, name+" = "+value) }
	texts := func(values ...string) string {
		var list []string
		for _, v := range values {
			list = append(list, quote(v))
		}
		return "ARRAY[" + strings.Join(list, ", ") + "]"
	}
	for _, p := range s.partitions {
		column := doubleQuote(p.name) + " " + trinoTypes.of(p)
		names = append(names, p.name)
		if s.projected {
			var of []string
			switch {
			case len(p.values) > 0:
				of = []string{"type = 'ENUM'", "values = " + texts(p.values...)}
			case p.lo == "":
				of = []string{"type = 'INJECTED'"}
			case p.date != nil:
				of = []string{"type = 'DATE'", "format = " + quote(p.date.java), "range = " + texts(p.lo, p.hi)}
				if p.date.hours {
					of = append(of, "interval = 1", "interval_unit = 'HOURS'")
				}
			default:
				of = []string{"type = 'INTEGER'", "range = " + texts(p.lo, p.hi)}
			}
			if p.digits > 0 {
				of = append(of, "digits = "+strconv.Itoa(p.digits))
			}
			column += " WITH (partition_projection_" + strings.Join(of, ", partition_projection_") + ")"
		}
		columns = append(columns, column)
	}
	set("external_location", quote(s.base))
	if s.format.text {
		set("format", "'TEXTFILE'")
		set("textfile_field_separator", "' '")
		set("null_format", "'-'")
		set("skip_header_line_count", "1")
	} else {
		set("format", "'PARQUET'")
	}
	if len(names) > 0 {
		set("partitioned_by", texts(names...))
	}
	if s.projected {
		set("partition_projection_enabled", "true")
		set("partition_projection_location_template", quote(s.base+s.folders))
	}
	return s.comments(slices.Concat(before, s.questions())...) +
		fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s %s\nWITH %s\n", dotted(doubleQuote, s.Table), list(columns), list(properties))
}

// duckView is a view, since DuckDB reads files by their names. Lines that do not fit are left out, as flowlog leaves
// them out.
func duckView(s *stored) string {
	// A glob must match something, so alternatives are none: they are conditions on the names of the files.
	glob, where := s.folders, ""
	for _, p := range s.partitions {
		value := "*"
		switch {
		case p.date != nil && p.date.glob != "":
			value = p.date.glob
		case len(p.values) == 1:
			value = p.values[0]
		case len(p.values) > 1:
			before, _, _ := strings.Cut(s.folders, "${"+p.name+"}")
			before = before[strings.LastIndexByte(before, '/')+1:]
			where += " AND regexp_matches(filename, " + quote("/"+before+"("+strings.Join(p.values, "|")+")/") + ")"
		}
		glob = strings.ReplaceAll(glob, "${"+p.name+"}", value)
	}
	end := map[bool]string{true: "*.log*", false: "*.parquet"}[s.format.text]
	if s.folders == "" {
		end = "**/" + end
	}
	columns := "*"
	if s.noStatus {
		columns += ", CAST(NULL AS VARCHAR) AS log_status"
	}
	var options []string
	if s.format.text {
		var fields []string
		for _, f := range s.Fields {
			fields = append(fields, quote(f.Name)+": "+quote(duckTypes[f.Kind]))
		}
		options = []string{"columns = {\n    " + strings.Join(fields, ",\n    ") + "\n  }", "auto_detect = false", "header = true", "delim = ' '", "quote = ''", "escape = ''", "nullstr = '-'", "ignore_errors = true"}
	}
	hive := s.format.ours && len(s.partitions) > 0
	if hive {
		var keys []string
		for _, p := range s.partitions {
			keys = append(keys, s.name(p.name)+": "+strings.ToUpper(duckTypes.of(p)))
		}
		options = append(options, "hive_types = {"+strings.Join(keys, ", ")+"}")
	}
	options = append(options, fmt.Sprintf("hive_partitioning = %t", hive))
	if s.format.ours {
		options = append(options, "union_by_name = true") // files of later commits can have more columns
	}
	if where != "" {
		columns = strings.Replace(columns, "*", "* EXCLUDE (filename)", 1)
		options = append(options, "filename = true")
		where = "WHERE" + strings.TrimPrefix(where, " AND") + "\n"
	}
	function := map[bool]string{true: "read_csv", false: "read_parquet"}[s.format.text]
	plain := *s
	if !hive {
		plain.partitions = nil
	}
	return plain.comments(plain.questions()...) +
		fmt.Sprintf("CREATE OR REPLACE VIEW %s AS\nSELECT %s FROM %s(\n  %s,\n  %s\n)\n%s", dotted(doubleQuote, s.Table), columns, function, quote(s.base+glob+end), strings.Join(options, ",\n  "), where)
}

// WithinDays is a table that `flowlog sql ddl` makes in this layout, or dataset, as a query of the partitions that can hold
// records that end from since to before until; zero is no bound. Without a bound it is the table itself.
func WithinDays(d Dialect, table, layout string, since, until time.Time) (string, error) {
	names := []string{"dataset"}
	for _, l := range layouts {
		if l.folders != "" {
			names = append(names, l.Name)
		}
	}
	if !slices.Contains(names, layout) {
		return "", schema.Unknown("layout", layout, names, "flowlog help sql")
	}
	if d.files && layout != "dataset" {
		return "", fmt.Errorf("a view of %s has no columns for the folders of AWS's layouts: name the files of the time in its place", d.Name)
	}
	if err := CheckTable(table); err != nil {
		return "", err
	}
	var parts []string
	first, last := since.UTC(), until.UTC()
	if !until.IsZero() {
		last = last.Add(-time.Second) // it is whole seconds
	}
	if layout != "dataset" { // whose folders are the days of the ends themselves
		first, last = first.Add(-schema.DeliveryMargin), last.Add(schema.DeliveryMargin)
	}
	bound := func(day func(time.Time) string, form string) {
		if !since.IsZero() {
			parts = append(parts, fmt.Sprintf(form, ">", day(first)))
		}
		if !until.IsZero() {
			parts = append(parts, fmt.Sprintf(form, "<", day(last)))
		}
	}
	if layout == "dataset" {
		bound(func(t time.Time) string { return "DATE " + quote(t.Format(isoDay.layout)) }, d.name("date")+" %s= %s")
	} else {
		name, form := dateOf(layout)
		bound(func(t time.Time) string { return quote(t.Format(form.layout)) }, name+" %s= %s")
	}
	if len(parts) == 0 {
		return table, nil
	}
	return "(SELECT * FROM " + d.from(table) + " WHERE " + strings.Join(parts, " AND ") + ")", nil
}
