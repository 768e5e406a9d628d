package sql

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
	"flowlog/report/calendar"
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
	Since             time.Time          // the first day, in UTC
	Help              string             // the command that lists the formats and layouts
	Say               func(error) string // the text of a message for people: see schema.Say
	// Ask is the command that prints a report of the table, or of a query if it is one, for a comment in the statement.
	Ask func(dialect, from string, query bool) string
}

// A StoredFormat is what the files are: a row of THE table of them.
type StoredFormat struct {
	Name string
	Doc  *schema.Words
	text bool
	ours bool // parse --partition-by wrote them
}

// StoredFormats lists them.
func StoredFormats() []StoredFormat { return slices.Clone(storedFormats) }

var storedFormats = []StoredFormat{
	{Name: "text", Doc: schema.Wordsf("lines as AWS delivers them: fields between single spaces, a header first"), text: true},
	{Name: "parquet", Doc: schema.Wordsf("Parquet as AWS delivers it")},
	{Name: "dataset", Doc: schema.Wordsf("what flowlog parse %s wrote", schema.Opt("partition-by")), ours: true},
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
		p.lo, p.hi = t.Since.Truncate(calendar.Day).Format(p.date.layout), "NOW"
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
		return schema.Unknown("format", s.Format, names, s.Help)
	}
	s.format = storedFormats[i]
	if !s.format.ours && layoutNamed(s.Layout).Name == "" {
		var names []string
		for _, l := range layouts {
			names = append(names, l.Name)
		}
		return schema.Unknown("layout", s.Layout, names, s.Help)
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
