package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse/schema"
)

// enrichment is the group of flags that say what records are joined with.
type enrichment struct {
	protocols string
	dbs       [2]string // by databases
}

// databases is what MaxMind databases are used for, and where they are named.
var databases = [2]struct {
	kind      enrich.DBKind
	flag, env string
	open      func(string) (*enrich.DB, error)
	what      string
	get       string
}{
	{enrich.City, "city-db", "FLOWLOG_CITY_DB", enrich.OpenCity, "city", "GeoLite2-City.mmdb from MaxMind with geoipupdate (free, needs an account), or DB-IP's City Lite from db-ip.com (free)"},
	{enrich.ASN, "asn-db", "FLOWLOG_ASN_DB", enrich.OpenASN, "ASN", "GeoLite2-ASN.mmdb from MaxMind with geoipupdate (free, needs an account), or DB-IP's ASN Lite from db-ip.com (free)"},
}

func (e *enrichment) flags(c *cobra.Command) {
	group(c, "Enrichment flags", func(f *pflag.FlagSet) {
		for i, db := range databases {
			f.StringVar(&e.dbs[i], db.flag, "", fmt.Sprintf("MaxMind %s database, an mmdb `file` (default: $%s, then where geoipupdate puts it)", db.what, db.env))
		}
		f.StringVar(&e.protocols, "protocols", "", "names of protocols, a CSV `file`: IANA's, or number,keyword (default: built in)")
	})
}

// lookups is enrichment flags made ready.
type lookups struct {
	all    []enrich.Lookup
	dbs    []*enrich.DB
	lacks  map[enrich.DBKind]int // index of the databases that are not to be had
	fields schema.Table          // logged and enriched
	number func(field, name string) []int64
}

// open opens the databases that the named fields come from. If a database that was not asked for by name
// cannot be found, its fields are left to the input: flowlog's own output may have them.
func (e *enrichment) open(names []string) (*lookups, error) {
	var protocols *enrich.ProtocolNames
	if e.protocols != "" {
		data, err := os.ReadFile(e.protocols)
		if err != nil {
			return nil, fmt.Errorf("--protocols: %w", err)
		}
		if protocols, err = enrich.Protocols(bytes.NewReader(data), e.protocols); err != nil {
			return nil, err
		}
	}
	l := &lookups{all: enrich.Builtin(protocols), lacks: make(map[enrich.DBKind]int), number: enrich.Numbers(protocols)}
	for i, db := range databases {
		path := e.dbs[i]
		if path == "" {
			path = os.Getenv(db.env)
		}
		if path != "" && !exists(path) {
			l.lacks[db.kind] = i
			return nil, errors.Join(fmt.Errorf("--%s: there is no file %s", db.flag, path), l.close())
		}
		wanted := slices.ContainsFunc(names, func(name string) bool { return enrich.NeedsDB(name) == db.kind })
		if path == "" {
			path = enrich.FindDB(db.kind, os.Getenv, exists)
		}
		switch {
		case path == "":
			l.lacks[db.kind] = i
		case wanted:
			d, err := db.open(path)
			if err != nil {
				return nil, errors.Join(err, l.close())
			}
			l.dbs = append(l.dbs, d)
			l.all = append(l.all, d.Lookups()...)
		}
	}
	l.fields = append(schema.Logged(), schema.Delivered()...)
	for _, f := range enrich.Fields() {
		if _, lacks := l.lacks[enrich.NeedsDB(f.Name)]; lacks {
			f.From = nil
		}
		l.fields = append(l.fields, f)
	}
	return l, nil
}

// missing is the error for fields that need a database that is not there, unless the input has them.
func (l *lookups) missing(ctx context.Context, what string, r *reader, names []string) error {
	for _, name := range names {
		i, lacks := l.lacks[enrich.NeedsDB(name)]
		if lacks && !slices.Contains(r.header(ctx), name) {
			db := databases[i]
			return fmt.Errorf("%s needs a MaxMind %s database: get %s; then name it with --%s FILE or $%s", what, db.what, db.get, db.flag, db.env)
		}
	}
	return nil
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
