package cmd

import (
	"fmt"
	"slices"

	"flowlog/enrich"
	"flowlog/parse/schema"
)

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
		return enrich.Wrap(p, slices.Concat(l.all, l.costs), workers, next)
	}
}

// finish says what of lists and tables was not used, and which fields the databases did not have; it closes those, and sets
// err to what was wrong with them unless it is set.
func (l *lookups) finish(r *reader, err *error) {
	if !r.quiet {
		l.lists.tell(r.con)
	}
	for _, db := range l.dbs {
		if note := db.Note(); note != "" && !r.quiet {
			fmt.Fprintln(r.con.err, printable("flowlog: warning: "+note))
		}
	}
	if l.owners != nil && !r.quiet {
		if note := l.owners.Note(); note != "" {
			fmt.Fprintln(r.con.err, printable("flowlog: "+note))
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
