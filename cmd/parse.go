package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/render"
)

// parsing is `flowlog parse`.
type parsing struct {
	con          *console
	input        input
	enrichment   enrichment
	output       output
	partitioning partitioning
	fields       []string
	enrich       bool
	where        string
}

func newParse(con *console) *cobra.Command {
	p := &parsing{con: con}
	c := &cobra.Command{
		Use:   "parse [flags] [INPUT ...]",
		Short: "Read, check, enrich and convert records",
		Long: "parse reads flow log records and writes them in another format, in the order of the input. Every field\n" +
			"is checked. INPUT is files, directories, quoted globs or - for standard input.\n\n" +
			strings.Join(fold(render.ColumnsText()+". Columns that flowlog does not know are in all of them.", helpWidth), "\n"),
		Example: "  flowlog parse a.log.gz | jq -r 'select(.action == \"REJECT\") | .srcaddr'\n" +
			"  flowlog parse logs/ -o parquet -O flows.parquet\n" +
			"  flowlog parse --fields start,srcaddr,dstaddr,dstport,bytes -o csv a.log\n" +
			"  flowlog parse -o parquet --partition-by date,region -O flows/ logs/\n" +
			"  flowlog parse -o none logs/        check everything, write nothing",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return p.run(c, args) },
	}
	section(c, "Record flags", func(f *pflag.FlagSet) {
		f.StringSliceVar(&p.fields, "fields", nil, "write these `fields`, logged or enriched: see `flowlog fields`")
		conditionVar(f, &p.where, "where", "write only records that meet this `condition`: see `flowlog help filters`")
		f.BoolVar(&p.enrich, "enrich", false, "add the enriched fields: names, scopes, places and networks")
	})
	p.output.flags(c, "table on a terminal, ndjson otherwise")
	p.partitioning.flags(c)
	p.input.flags(c)
	p.enrichment.flags(c)
	complete(c, "fields", p.enrichment.names)
	return c
}

func (p *parsing) run(c *cobra.Command, args []string) (err error) {
	ctx := c.Context()
	if err := p.checkPartitions(c, args); err != nil {
		return err
	}
	in, err := p.input.open(ctx, p.con, args)
	if err != nil {
		return err
	}
	if in == nil {
		return c.Help()
	}
	in.opt.Ordered = true
	enr, err := p.enrichment.open(ctx, in, p.wanted())
	if err != nil {
		return err
	}
	defer enr.finish(in, &err)
	if p.partitioning.by != nil {
		return p.partition(ctx, in, enr)
	}
	if _, err := p.partitioning.memory.limit(io.Discard); err != nil { // for the collector: nothing is kept here
		return err
	}
	out, err := p.output.open(p.con, in.zone, "table", "ndjson")
	if err != nil {
		return err
	}
	if out.file != nil && out.Unmarked {
		in.tellInside(p.output.file)
	}
	late, err := p.write(ctx, in, enr, out)
	if err := out.done(err); err != nil {
		return err
	}
	return cmp.Or(in.close(), ctx.Err(), late)
}

// wanted are the words that may be names of fields.
func (p *parsing) wanted() []string {
	wanted := append(slices.Clip(p.fields), report.Change{Where: p.where}.Words()...)
	if p.enrich {
		wanted = append(wanted, enrich.Fields().Names()...)
	}
	if p.fields == nil {
		wanted = append(wanted, schema.Logged().Names()...)
	}
	return wanted
}

// write scans the input and writes its records. incomplete is the error of columns that came too late for the output.
func (p *parsing) write(ctx context.Context, in *reader, enr *lookups, out *sink) (incomplete, err error) {
	projection, err := p.project(ctx, in, enr, out.Columns, nil)
	if err != nil {
		return nil, err
	}
	fields := projection.Fields[:projection.Named]
	var where expr.Expr
	if p.where != "" {
		if projection, where, err = p.filter(ctx, in, enr, projection); err != nil {
			return nil, err
		}
	}
	w, err := out.Records(out.w, fields, out.opt)
	if err != nil {
		return nil, err
	}
	late := new(lateColumns)
	emit := without(projection, late.watch(len(fields), w.Add))
	if where != nil {
		emit = expr.Where(where, in.opt.Workers, emit)
	}
	err = in.scan(ctx, projection.Logged(), enr.wrap(in.opt.Workers)(projection, emit))
	if ctx.Err() != nil && in.partial {
		err = nil
	}
	if n, ok := w.(render.Noter); ok {
		n.Note(schema.MadeOfKey, in.stats.MadeOf())
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if out.Columns == render.OfInput || out.Columns == render.AllLogged { // which a header fixes
		incomplete = late.say(p.con)
	}
	return incomplete, err
}

// lateColumns are columns of the input that were met after those of the output were written.
type lateColumns struct {
	mu     sync.Mutex
	values map[string]int64
}

// watch counts the values of columns that come after the fields.
func (l *lateColumns) watch(fields int, next schema.Emit) schema.Emit {
	return func(b schema.Batch) error {
		for i := fields; b.Record != nil && i < int(b.NumCols()); i++ {
			if a := b.Column(i); a.NullN() < a.Len() {
				l.mu.Lock()
				if l.values == nil {
					l.values = make(map[string]int64)
				}
				l.values[b.ColumnName(i)] += int64(a.Len() - a.NullN())
				l.mu.Unlock()
			}
		}
		return next(b)
	}
}

// say says what is not in the output. It returns errIncomplete if there is something.
func (l *lateColumns) say(con *console) error {
	for _, name := range slices.Sorted(maps.Keys(l.values)) {
		fmt.Fprintln(con.err, printable(fmt.Sprintf("flowlog: the column %s began after the first records: %s not in the output; "+
			"put the records that have it into a file of its own, or write ndjson", name, areValues(l.values[name]))))
	}
	if len(l.values) > 0 {
		return errIncomplete
	}
	return nil
}

func areValues(n int64) string {
	if n == 1 {
		return "1 value is"
	}
	return count(n, "value") + " are"
}

// filter reads the condition, and returns the projection with what it needs.
func (p *parsing) filter(ctx context.Context, in *reader, enr *lookups, projection *schema.Projection) (*schema.Projection, expr.Expr, error) {
	scope := enr.scope(in)
	scope.Fields = override(enr.fields, projection.Fields)
	e, err := expr.Parse(p.where, scope)
	if err != nil { // a name may be that of a column that only the input knows
		scope.Fields = in.with(ctx, scope.Fields, report.Change{Where: p.where}.Words())
		e, err = expr.Parse(p.where, scope)
	}
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("--where: %w", err)}
	}
	names := fieldsOf(e)
	if err := enr.missing(ctx, "--where", in, names); err != nil {
		return nil, nil, err
	}
	wide, err := widen(projection, scope.Fields, names)
	if err != nil {
		return nil, nil, err
	}
	wide.Named = projection.Named
	return wide, e, nil
}

// widen adds fields of a table to those of a projection that were asked for.
func widen(projection *schema.Projection, table schema.Table, names []string) (*schema.Projection, error) {
	wide, err := override(table, projection.Fields).Project(append(projection.Fields.Names()[:projection.Named:projection.Named], names...)...)
	if err != nil {
		return nil, err
	}
	wide.Extra, wide.Rest = projection.Extra, projection.Rest
	return wide, nil
}

// override is a table with fields in place of those of their names, or beside them.
func override(table, fields schema.Table) schema.Table {
	table = slices.Clone(table)
	places := make(map[string]int, len(table)+len(fields))
	for i, f := range slices.Backward(table) {
		places[f.Name] = i
	}
	for _, f := range fields {
		if i, ok := places[f.Name]; ok {
			table[i] = f
		} else {
			places[f.Name] = len(table)
			table = append(table, f)
		}
	}
	return table
}

// given is the field of a column that is read, also where it could be computed: text, unless the table knows its kind.
func given(table schema.Table, name string) schema.Field {
	f, ok := table.Named(name)
	if !ok {
		return schema.Field{Name: name, Kind: schema.Text, Doc: unknownColumn}
	}
	f.From = nil
	return f
}

// without removes the columns that are there only because others are computed from them.
func without(p *schema.Projection, emit schema.Emit) schema.Emit {
	if p.Named == len(p.Fields) {
		return emit
	}
	return func(b schema.Batch) error {
		fields, columns := b.Schema().Fields(), b.Columns()
		rec := array.NewRecord(arrow.NewSchema(slices.Delete(slices.Clone(fields), p.Named, len(p.Fields)), nil),
			slices.Delete(slices.Clone(columns), p.Named, len(p.Fields)), b.NumRows())
		defer rec.Release()
		b.Record = rec
		return emit(b)
	}
}

// project decides on the columns. had are those of the dataset that is written to.
func (p *parsing) project(ctx context.Context, in *reader, enr *lookups, columns render.Columns, had schema.Table) (*schema.Projection, error) {
	table, names := enr.fields, p.fields
	if names == nil {
		table, names = p.all(ctx, in, enr, columns)
	} else {
		if slices.Contains(names, "") {
			return nil, usageError{errors.New("--fields names nothing: `flowlog fields` lists the fields")}
		}
		for _, f := range had {
			if _, ok := table.Named(f.Name); !ok {
				table = append(slices.Clip(table), f)
			}
		}
		table = in.with(ctx, table, names)
		if err := enr.missing(ctx, "--fields", in, names); err != nil {
			return nil, err
		}
	}
	projection, err := table.Project(names...)
	if err != nil {
		return nil, usageError{err}
	}
	projection.Extra = p.fields == nil && columns != render.NoColumns
	projection.Rest = projection.Extra
	return projection, nil
}

// all are the columns of a format where nobody has named any, and the table with them: its Columns, and what is computed.
func (p *parsing) all(ctx context.Context, in *reader, enr *lookups, which render.Columns) (schema.Table, []string) {
	names, found := schema.Logged().Names(), []string(nil)
	switch {
	case p.partitioning.by != nil: // see dataset.Writer.Late
	case which == render.OfInput:
		if found = in.header(ctx); found != nil {
			names = nil
		}
	case which == render.AllLogged:
		found = in.header(ctx)
	}
	var columns schema.Table
	seen := map[string]bool{"": true}
	for _, name := range names {
		seen[name] = true
	}
	for _, name := range found {
		if !seen[name] {
			seen[name] = true
			names, columns = append(names, name), append(columns, given(enr.fields, name))
		}
	}
	table := override(enr.fields, columns)
	if p.enrich {
		for _, l := range enr.all {
			if p.partitioning.by != nil && enr.own(l.Name) && isTag(l.Name) {
				continue // which tags there are can be another matter in the next run
			}
			names = append(slices.Clip(names), l.Name)
			table = override(table, schema.Table{l.Field})
		}
	} else if which == render.NotNull {
		names = append(slices.Clip(names), "protocol_name")
	}
	return table, names
}

// isTag reports whether a field of a table is that of a tag.
func isTag(name string) bool {
	return strings.HasPrefix(name, "tag_") || strings.Contains(name, "_tag_")
}
