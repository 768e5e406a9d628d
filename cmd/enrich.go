package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	dbs       [4]string // by databases; the inventory may have several files
	tables    []string
	inventory []string
	costs     costing
}

// database is an open file of a row of databases.
type database interface {
	Lookups() []enrich.Lookup
	Err() error
	Note() string
	Close() error
}

// A databaseKind is a kind of file about addresses.
type databaseKind struct {
	kind  enrich.DBKind
	flag  string
	open  func(string) (database, error)
	help  string
	needs string
}

// databases is what files about addresses there are, and where they are named. open is nil for the inventory, which
// may be many files: see readOwners.
var databases = [4]databaseKind{
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
	{
		enrich.Owners, "inventory", nil,
		"who owned addresses and when: `path`s of flowlog inventory, aws describe-…, AWS Config, kubectl",
		"an inventory: make one with flowlog inventory -O DIR, or aws ec2 describe-network-interfaces >FILE",
	},
}

func (e *enrichment) flags(c *cobra.Command) {
	section(c, "Enrichment flags", func(f *pflag.FlagSet) {
		for i, db := range databases {
			if db.open != nil {
				f.StringVar(&e.dbs[i], db.flag, "", db.help)
				continue
			}
			f.StringArrayVar(&e.inventory, db.flag, nil, db.help)
		}
		f.StringVar(&e.protocols, "protocols", "", "names of protocols, a CSV `file`: IANA's, or number,keyword")
		e.tableFlag(f)
		e.costs.flags(f)
	})
	complete(c, "charge-at", func() []string { return chargeAt[:] })
}

func (e *enrichment) tableFlag(f *pflag.FlagSet) {
	f.StringArrayVar(&e.tables, "table", nil, "fields from a CSV file of your own, `name=file`, or from aws ec2 describe-instances")
}

// readTables reads the tables of the user's and returns their fields and lookups.
func (e *enrichment) readTables() (fields schema.Table, lookups []enrich.Lookup, notes []string, err error) {
	tables, err := e.parseTables()
	if err != nil {
		return nil, nil, nil, err
	}
	for _, t := range tables {
		notes = append(notes, t.Notes()...)
	}
	fields, lookups, err = tableFields(tables)
	return fields, lookups, notes, err
}

// parseTables reads the files of the tables.
func (e *enrichment) parseTables() (tables []*enrich.Table, err error) {
	byName := make(map[string]*enrich.Table)
	for _, arg := range e.tables {
		name, file, ok := strings.Cut(arg, "=")
		if !ok || file == "" {
			return nil, usageError{fmt.Errorf("--table %s: name the table and its file, as in --table nets=nets.csv", arg)}
		}
		t := byName[strings.ToLower(name)]
		if t == nil {
			if t, err = enrich.NewTable(name); err != nil {
				return nil, usageError{fmt.Errorf("--table %s: %w", arg, err)}
			}
			byName[strings.ToLower(name)] = t
			tables = append(tables, t)
		}
		content, err := disk.Read(file, maxTable)
		if err != nil {
			return nil, fmt.Errorf("--table %s: %w", arg, named(err))
		}
		if err := t.Read(file, content); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// tableFields returns the fields of tables, whose names must be free.
func tableFields(tables []*enrich.Table) (fields schema.Table, lookups []enrich.Lookup, err error) {
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
	fields, _, _, _ := e.readTables() // what is wrong with a table is said when the command runs
	return slices.Concat(schema.Logged(), schema.Delivered(), pass.VantageFields(), enrich.Fields(), fields).Names()
}

// lookups is enrichment flags made ready.
type lookups struct {
	all    []enrich.Lookup
	dbs    []database
	lacks  map[enrich.DBKind]int // index of the databases that are not to be had
	fields schema.Table          // logged and enriched
	tables schema.Table          // of them, those of the user's tables
	costs  []enrich.Lookup       // which --enrich does not ask for
	files  []string              // that they come from
	owners *enrich.Inventory     // nil without one
	number func(field, name string) []int64
	lists  lists // that conditions name

	noThreats bool // threatFields can only be read
}

// threatTable is the name of the table that the rule threat-list of check is about. Its fields are known without it too, as
// those of databases are, so that the rule can say what it lacks.
const threatTable = "threat"

var threatFields = schema.Table{
	{Name: "src_" + threatTable, Kind: schema.Text, Doc: "What the table threat says of the source address"},
	{Name: "dst_" + threatTable, Kind: schema.Text, Doc: "What the table threat says of the destination address"},
}

// hasThreats reports whether there is a table called threat.
func (e *enrichment) hasThreats() bool {
	return slices.ContainsFunc(e.tables, func(arg string) bool {
		name, _, _ := strings.Cut(arg, "=")
		return strings.EqualFold(name, threatTable)
	})
}

// open opens the databases that the named fields come from. If a database that was not asked for by name
// cannot be found, its fields are left to the input: flowlog's own output may have them.
func (e *enrichment) open(ctx context.Context, in *reader, names []string) (*lookups, error) {
	names = enrich.CostInputs(names)
	protocols, err := e.readProtocols()
	if err != nil {
		return nil, err
	}
	own, tableLookups, notes, err := e.readTables()
	if err != nil {
		return nil, err
	}
	l := &lookups{lists: lists{notes: notes}, all: append(enrich.Builtin(protocols), tableLookups...), lacks: make(map[enrich.DBKind]int), number: enrich.Numbers(protocols)}
	owners, err := e.readOwners(ctx, in.con, in.s3)
	if err != nil {
		return nil, err
	}
	l.use(owners, in, names)
	for i, db := range databases {
		if db.open == nil {
			continue
		}
		if err := l.open(i, e.dbs[i], names); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	if l.costs, err = e.costs.lookups(ctx, in, l, names); err != nil {
		return nil, errors.Join(err, l.close())
	}
	l.fields, l.tables = append(l.enriched(), own...), own
	for _, f := range threatFields {
		if _, ok := own.Lookup(f.Name); !ok {
			l.fields = append(l.fields, f)
			l.noThreats = true
		}
	}
	if owners != nil {
		for _, f := range owners.Fields() { // those of tags
			if _, has := l.fields.Named(f.Name); !has {
				l.fields = append(l.fields, f)
			}
		}
	}
	l.files = append(l.files, e.inventory...)
	for _, arg := range e.tables {
		_, file, _ := strings.Cut(arg, "=")
		l.files = append(l.files, file)
	}
	if e.protocols != "" {
		l.files = append(l.files, e.protocols)
	}
	if l.costs != nil {
		l.files = append(l.files, e.costs.files...)
	}
	return l, nil
}

// use adds the lookups of an inventory, and has a reader fill those logged fields from it that are named.
func (l *lookups) use(owners *enrich.Inventory, in *reader, names []string) {
	if owners == nil {
		l.lacks[enrich.Owners] = slices.IndexFunc(databases[:], func(db databaseKind) bool { return db.kind == enrich.Owners })
		return
	}
	l.owners, in.owners = owners, owners
	for _, name := range owners.Fills() {
		if slices.ContainsFunc(names, func(word string) bool { return schema.FieldNamed(schema.CanonicalName(word)) == name }) {
			in.fills = append(in.fills, name)
		}
	}
	l.all = append(l.all, owners.Lookups()...)
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
	for _, known := range l.costs { // which lack what there is no file for
		if i := slices.IndexFunc(fields, func(f schema.Field) bool { return f.Name == known.Name }); i >= 0 {
			fields[i] = known.Field
		}
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
		if _, ok := threatFields.Lookup(name); ok && l.noThreats && !slices.Contains(r.header(ctx), name) {
			return fmt.Errorf("%s needs a list of addresses: name it with --table %s=FILE", what, threatTable)
		}
	}
	return nil
}

// scope is what the words of a condition may mean.
func (l *lookups) scope(r *reader) expr.Scope {
	return expr.Scope{Fields: l.fields, List: "flowlog fields", Number: l.number, File: l.lists.file, Time: r.time}
}

// The most that is read of a table, of a list that a condition names, and of a file of protocols. A table may be a listing of a large account.
const (
	maxTable     = 1 << 30
	maxList      = 1 << 28
	maxProtocols = 16 << 20
)

// named is an error of the system with what it calls the operation left out: a.csv: no such file or directory.
func named(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}
