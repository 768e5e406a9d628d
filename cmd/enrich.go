package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse/disk"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/pass"
)

// enrichment is the group of flags that say what records are joined with.
type enrichment struct {
	protocols string
	dbs       [3]string // by databases
	tables    []string
}

// database is an open file of a row of databases.
type database interface {
	Lookups() []enrich.Lookup
	Err() error
	Note() string
	Close() error
}

// databases is what files about addresses there are, and where they are named.
var databases = [3]struct {
	kind  enrich.DBKind
	flag  string
	open  func(string) (database, error)
	help  string
	needs string
}{
	{
		enrich.City, "city-db", func(path string) (database, error) { return enrich.OpenCity(path) },
		"MaxMind city database, an mmdb `file` (default: where geoipupdate puts it)",
		"a MaxMind city database: get GeoLite2-City.mmdb from MaxMind with geoipupdate (free, needs an account), or DB-IP's City Lite from db-ip.com (free)",
	},
	{
		enrich.ASN, "asn-db", func(path string) (database, error) { return enrich.OpenASN(path) },
		"MaxMind ASN database, an mmdb `file` (default: where geoipupdate puts it)",
		"a MaxMind ASN database: get GeoLite2-ASN.mmdb from MaxMind with geoipupdate (free, needs an account), or DB-IP's ASN Lite from db-ip.com (free)",
	},
	{
		enrich.AWS, "aws-ranges", func(path string) (database, error) { return enrich.OpenAWSRanges(path) },
		"AWS's ip-ranges.json, a `file`: services and regions of addresses",
		"AWS's list of its addresses: get it with curl -O https://ip-ranges.amazonaws.com/ip-ranges.json",
	},
}

func (e *enrichment) flags(c *cobra.Command) {
	group(c, "Enrichment flags", func(f *pflag.FlagSet) {
		for i, db := range databases {
			f.StringVar(&e.dbs[i], db.flag, "", db.help)
		}
		f.StringVar(&e.protocols, "protocols", "", "names of protocols, a CSV `file`: IANA's, or number,keyword")
		e.tableFlag(f)
	})
}

func (e *enrichment) tableFlag(f *pflag.FlagSet) {
	f.StringArrayVar(&e.tables, "table", nil, "fields from a CSV file of your own, `name=file`, or from aws ec2 describe-instances")
}

// readTables reads the tables of the user's and returns their fields and lookups.
func (e *enrichment) readTables() (fields schema.Table, lookups []enrich.Lookup, err error) {
	var tables []*enrich.Table
	byName := make(map[string]*enrich.Table)
	for _, arg := range e.tables {
		name, file, ok := strings.Cut(arg, "=")
		if !ok || file == "" {
			return nil, nil, usageError{fmt.Errorf("--table %s: name the table and its file, as in --table nets=nets.csv", arg)}
		}
		t := byName[strings.ToLower(name)]
		if t == nil {
			if t, err = enrich.NewTable(name); err != nil {
				return nil, nil, usageError{fmt.Errorf("--table %s: %w", arg, err)}
			}
			byName[strings.ToLower(name)] = t
			tables = append(tables, t)
		}
		content, err := disk.Read(file, maxTable)
		if err != nil {
			return nil, nil, fmt.Errorf("--table %s: %w", arg, named(err))
		}
		if err := t.Read(file, content); err != nil {
			return nil, nil, err
		}
	}
	taken := map[string]string{"report": "what reports are named by in JSON"}
	for _, m := range report.Measures() {
		taken[m.Name] = "a measure"
	}
	for _, f := range schema.Logged() {
		taken[f.Name] = "a field that AWS logs"
	}
	for _, f := range slices.Concat(schema.Delivered(), pass.VantageFields(), enrich.Fields()) {
		taken[f.Name] = "a field that flowlog has already"
	}
	for _, t := range tables {
		if err := t.Check(func(field string) string { return taken[field] }); err != nil {
			return nil, nil, err
		}
		for _, l := range t.Lookups() {
			taken[l.Name] = "a field of the table " + t.Name()
			fields = append(fields, l.Field)
			lookups = append(lookups, l)
		}
	}
	return fields, lookups, nil
}

// names lists all fields that there are with these flags, for completion.
func (e *enrichment) names() []string {
	fields, _, _ := e.readTables() // what is wrong with a table is said when the command runs
	return slices.Concat(schema.Logged(), schema.Delivered(), pass.VantageFields(), enrich.Fields(), fields).Names()
}

// lookups is enrichment flags made ready.
type lookups struct {
	all    []enrich.Lookup
	dbs    []database
	lacks  map[enrich.DBKind]int // index of the databases that are not to be had
	fields schema.Table          // logged and enriched
	tables schema.Table          // of them, those of the user's tables
	files  []string              // that they come from
	number func(field, name string) []int64
}

// open opens the databases that the named fields come from. If a database that was not asked for by name
// cannot be found, its fields are left to the input: flowlog's own output may have them.
func (e *enrichment) open(names []string) (*lookups, error) {
	protocols, err := e.readProtocols()
	if err != nil {
		return nil, err
	}
	tableFields, tableLookups, err := e.readTables()
	if err != nil {
		return nil, err
	}
	l := &lookups{all: append(enrich.Builtin(protocols), tableLookups...), lacks: make(map[enrich.DBKind]int), number: enrich.Numbers(protocols)}
	for i := range databases {
		if err := l.open(i, e.dbs[i], names); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	l.fields, l.tables = append(l.enriched(), tableFields...), tableFields
	for _, arg := range e.tables {
		_, file, _ := strings.Cut(arg, "=")
		l.files = append(l.files, file)
	}
	if e.protocols != "" {
		l.files = append(l.files, e.protocols)
	}
	return l, nil
}

// readProtocols reads the names of protocols, nil if they are not the user's.
func (e *enrichment) readProtocols() (*enrich.ProtocolNames, error) {
	if e.protocols == "" {
		return nil, nil
	}
	data, err := disk.Read(e.protocols, maxProtocols)
	if err != nil {
		return nil, fmt.Errorf("--protocols: %w", named(err))
	}
	return enrich.Protocols(bytes.NewReader(data), e.protocols)
}

// open opens a row of databases, if one of the named fields comes from it. path is "" if the user names none.
func (l *lookups) open(row int, path string, names []string) error {
	db := databases[row]
	if path != "" {
		if _, err := os.Stat(path); err != nil {
			l.lacks[db.kind] = row
			return fmt.Errorf("--%s: there is no file %s", db.flag, path)
		}
	} else {
		path = enrich.FindDB(db.kind, os.Getenv, exists)
	}
	wanted := slices.ContainsFunc(names, func(name string) bool { return enrich.NeedsDB(name) == db.kind })
	switch {
	case path == "":
		l.lacks[db.kind] = row
	case wanted:
		d, err := db.open(path)
		if other := (*enrich.OtherKindError)(nil); errors.As(err, &other) {
			err = fmt.Errorf("%w: name it with --%s", err, databaseFlag(other.Kind))
		}
		if err != nil {
			return err
		}
		l.dbs, l.files = append(l.dbs, d), append(l.files, path)
		l.all = append(l.all, d.Lookups()...)
	}
	return nil
}

// enriched is the table of logged and enriched fields. Those whose database is missing can only be read.
func (l *lookups) enriched() schema.Table {
	fields := slices.Concat(schema.Logged(), schema.Delivered(), pass.VantageFields())
	for _, f := range enrich.Fields() {
		if _, lacks := l.lacks[enrich.NeedsDB(f.Name)]; lacks {
			f.From = nil
		}
		fields = append(fields, f)
	}
	for _, known := range l.all { // the names of protocols may be the user's
		if i := slices.IndexFunc(fields, func(f schema.Field) bool { return f.Name == known.Name }); i >= 0 {
			fields[i].Values = known.Values
		}
	}
	return fields
}

// own reports whether a field is one of a table of the user's.
func (l *lookups) own(name string) bool {
	_, ok := l.tables.Lookup(name)
	return ok
}

// databaseFlag is the flag that names databases of a kind.
func databaseFlag(kind enrich.DBKind) string {
	for _, db := range databases {
		if db.kind == kind {
			return db.flag
		}
	}
	return ""
}

// missing is the error for fields that need a file that is not there, unless the input has them.
func (l *lookups) missing(ctx context.Context, what string, r *reader, names []string) error {
	for _, name := range names {
		i, lacks := l.lacks[enrich.NeedsDB(name)]
		if lacks && !slices.Contains(r.header(ctx), name) {
			db := databases[i]
			return fmt.Errorf("%s needs %s; then name it with --%s FILE or $%s", what, db.needs, db.flag, envName(db.flag))
		}
	}
	return nil
}

// scope is what the words of a condition may mean.
func (l *lookups) scope(r *reader) expr.Scope {
	return expr.Scope{Fields: l.fields, List: "flowlog fields", Number: l.number, Open: openFile, Time: r.time}
}

// openFile opens a list of values that a condition names.
func openFile(name string) (io.ReadCloser, error) {
	f, err := disk.Open(name, maxTable)
	return f, named(err)
}

// The most that is read of a table or a list, and of a file of protocols. A table may be a listing of a large account.
const (
	maxTable     = 1 << 30
	maxProtocols = 16 << 20
)

// named is an error of the system with what it calls the operation left out: a.csv: no such file or directory.
func named(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

// lacking lists the fields among the names whose database is not there.
func (l *lookups) lacking(names []string) []string {
	var lacking []string
	for _, name := range names {
		if _, lacks := l.lacks[enrich.NeedsDB(name)]; lacks && !slices.Contains(lacking, name) {
			lacking = append(lacking, name)
		}
	}
	return lacking
}

// wrap puts the lookups in front of an Emit.
func (l *lookups) wrap(workers int) func(*schema.Projection, schema.Emit) schema.Emit {
	return func(p *schema.Projection, next schema.Emit) schema.Emit {
		return enrich.Wrap(p, l.all, workers, next)
	}
}

// finish says which fields the databases did not have, closes them, and sets err to what was wrong with them unless it
// is set.
func (l *lookups) finish(r *reader, err *error) {
	for _, db := range l.dbs {
		if note := db.Note(); note != "" && !r.quiet {
			fmt.Fprintln(r.con.err, printable("flowlog: warning: "+note))
		}
	}
	if cerr := l.close(); *err == nil {
		*err = cerr
	}
}

// close closes the databases, and says what was wrong with them.
func (l *lookups) close() error {
	var first error
	for _, db := range l.dbs {
		if err := db.Err(); err != nil && first == nil {
			first = err
		}
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
