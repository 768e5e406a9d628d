package cmd

import (
	"context"
	"slices"
	"strings"
	"time"

	"flowlog/enrich"
	"flowlog/parse"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
)

// A reader is the options of an input made ready for scans, and what the last scan has found.
type reader struct {
	con     *console
	from    origin
	opt     parse.Options
	partial bool           // an interrupted scan counts
	quiet   bool           // nothing but errors is said
	mode    string         // of progress
	zone    *time.Location // of times that are shown
	now     time.Time
	rejects *outFile // nil if malformed records are not kept
	typed   typedFlags
	stats   parse.Stats
	none    absence
	s3      s3.Options        // how the input is reached
	owners  *enrich.Inventory // fills logged fields that are null; nil does not
	fills   []string          // those
}

// typedFlags says which flags are on the command line, so that a warning tells if they have no effect.
type typedFlags struct{ logFormat, rename bool }

// An origin is where records come from.
type origin struct {
	source  parse.Source   // of all
	sources []parse.Source // that it is made of
	args    []string       // that name these
	columns []string       // of all objects, see reader.header; nil if they are not known
}

// An absence is what explains that there are no records.
type absence struct {
	asked string // when the records end that are asked for, "" if at any time
	done  bool   // there is something of the input already: it is no fault that no record is new
	empty string // a dataset of the input that has no files yet; it is looked for if there are no objects
}

// header returns the columns of all objects, nil if there are none to be had.
func (r *reader) header(ctx context.Context) []string {
	if r.from.columns == nil {
		p, err := sqlFields().Project(schema.Logged().Names()...) // it knows that an output of parse has enriched ones too
		if err == nil {
			r.from.columns = parse.Columns(ctx, r.from.source, p, r.opt)
		}
	}
	return r.from.columns
}

const unknownColumn = "a column of the input that this version does not know"

// time reads a point in time as --since does.
func (r *reader) time(s string) (time.Time, error) { return parseTime(s, r.now, r.zone) }

// change makes changes to a report. One of the words may be the name of a column that only the input has: then the scope gets
// it as a field.
func (r *reader) change(ctx context.Context, rep report.Report, c report.Change, words []string, scope *expr.Scope) (report.Report, error) {
	changed, err := rep.With(c, *scope, r.zone)
	if err != nil {
		scope.Fields = r.with(ctx, scope.Fields, words)
		changed, err = rep.With(c, *scope, r.zone)
	}
	return changed, err
}

// with returns the table with those of the names that it does not have, but the input does, added as text.
func (r *reader) with(ctx context.Context, fields schema.Table, names []string) schema.Table {
	there := make(map[string]bool, len(fields))
	for _, f := range fields {
		there[f.Name] = true
	}
	var header map[string]bool // read once a name asks for it
	for _, name := range names {
		name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "-", "_")
		if there[name] {
			continue
		}
		if header == nil {
			header = make(map[string]bool)
			for _, h := range r.header(ctx) {
				header[h] = true
			}
		}
		if there[name] = header[name]; there[name] {
			fields = append(fields, schema.Field{Name: name, Kind: schema.Text, Doc: unknownColumn})
		}
	}
	return fields
}

// fill puts the inventory in front of an Emit: see enrich.Inventory.Fill. A filled field cannot choose what is read.
func (r *reader) fill(p *schema.Projection, emit schema.Emit) (*schema.Projection, schema.Emit) {
	if r.owners == nil {
		return p, emit
	}
	if slices.Contains(r.fills, r.opt.Only.Field) {
		r.opt.Only.Field, r.opt.Only.Value = "", ""
	}
	return r.owners.Fill(p, r.fills, r.opt.Workers, emit)
}

// scan reads everything and says on stderr what could not be read.
func (r *reader) scan(ctx context.Context, p *schema.Projection, emit schema.Emit) error {
	began := time.Now()
	var err error
	r.opt.Meter, r.opt.MadeOf = new(parse.Meter), r.madeOf(ctx)
	stop := progress(r.con.err, r.mode, r.opt.Meter)
	p, emit = r.fill(p, emit)
	r.stats, err = parse.Scan(ctx, r.from.source, p, r.opt, emit)
	stop()
	r.stats.Seconds = time.Since(began).Seconds()
	r.gather(ctx, r.stats.Objects > 0)
	return r.tell(err)
}
