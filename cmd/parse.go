package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse/schema"
	"flowlog/report"
)

// parsing is `flowlog parse`.
type parsing struct {
	*console
	input
	enrichment
	output
	partitioning
	fields []string
	enrich bool
	where  string
}

func newParse(con *console) *cobra.Command {
	p := &parsing{console: con}
	c := &cobra.Command{
		Use:   "parse [flags] [INPUT ...]",
		Short: "Read, check, enrich and convert records",
		Long: "parse reads flow log records and writes them in another format, in the order of the input. Every field\n" +
			"is checked. INPUT is files, directories, quoted globs or - for standard input.\n\n" +
			"ndjson and json have every field that is not null; parquet and arrow have all fields that AWS logs, so\n" +
			"that all files fit one table; csv, tsv, markdown and table have the fields of the first input.",
		Example: "  flowlog parse a.log.gz | jq -r 'select(.action == \"REJECT\") | .srcaddr'\n" +
			"  flowlog parse logs/ -o parquet -O flows.parquet\n" +
			"  flowlog parse --fields start,srcaddr,dstaddr,dstport,bytes -o csv a.log\n" +
			"  flowlog parse -o parquet --partition-by date,region -O flows/ logs/\n" +
			"  flowlog parse -o none logs/        check everything, write nothing",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return p.run(c, args) },
	}
	group(c, "Record flags", func(f *pflag.FlagSet) {
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
	in, err := p.input.open(ctx, p.console, args)
	if err != nil {
		return err
	}
	if in == nil {
		return c.Help()
	}
	in.opt.Ordered = true
	wanted := append(slices.Clip(p.fields), report.Change{Where: p.where}.Words()...)
	if p.enrich {
		wanted = append(slices.Clip(wanted), enrich.Fields().Names()...)
	}
	enr, err := p.enrichment.open(wanted)
	if err != nil {
		return err
	}
	defer enr.finish(in, &err)
	if p.partitioning.by != nil {
		return p.partition(ctx, in, enr)
	}
	out, err := p.output.open(p.console, in.zone, "table", "ndjson")
	if err != nil {
		return err
	}
	if err := out.done(p.write(ctx, in, enr, out)); err != nil {
		return err
	}
	return cmp.Or(in.close(), ctx.Err())
}

// write scans the input and writes its records.
func (p *parsing) write(ctx context.Context, in *reader, enr *lookups, out *sink) error {
	projection, err := p.project(ctx, in, enr, out.Name)
	if err != nil {
		return err
	}
	fields := projection.Fields[:projection.Named]
	var where report.Expr
	if p.where != "" {
		if projection, where, err = p.filter(ctx, in, enr, projection); err != nil {
			return err
		}
	}
	w, err := out.Records(out.w, fields, out.opt)
	if err != nil {
		return err
	}
	emit := without(projection, w.Add)
	if where != nil {
		emit = report.Where(where, in.opt.Workers, emit)
	}
	err = in.scan(ctx, projection.Logged(), enr.wrap(in.opt.Workers)(projection, emit))
	if ctx.Err() != nil && in.partial {
		err = nil
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return err
}

// filter reads the condition, and returns the projection with what it needs.
func (p *parsing) filter(ctx context.Context, in *reader, enr *lookups, projection *schema.Projection) (*schema.Projection, report.Expr, error) {
	scope := enr.scope(in)
	e, err := report.ParseExpr(p.where, scope)
	if err != nil { // a name may be that of a column that only the input knows
		scope.Fields = in.with(ctx, enr.fields, report.Change{Where: p.where}.Words())
		e, err = report.ParseExpr(p.where, scope)
	}
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("--where: %w", err)}
	}
	var names []string
	e.Fields(func(name string) { names = append(names, name) })
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
	table = slices.Clone(table)
	for _, f := range projection.Fields { // columns of the input that are written
		if _, ok := table.Lookup(f.Name); !ok {
			table = append(table, f)
		}
	}
	wide, err := table.Project(append(projection.Fields.Names()[:projection.Named:projection.Named], names...)...)
	if err != nil {
		return nil, err
	}
	wide.Extra = projection.Extra
	return wide, nil
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

// project decides on the columns.
func (p *parsing) project(ctx context.Context, in *reader, enr *lookups, format string) (*schema.Projection, error) {
	table, names := enr.fields, p.fields
	if names != nil {
		if slices.Contains(names, "") {
			return nil, usageError{errors.New("--fields names nothing: `flowlog fields` lists the fields")}
		}
		table = in.with(ctx, table, names)
		if err := enr.missing(ctx, "--fields", in, names); err != nil {
			return nil, err
		}
	} else {
		switch format {
		case "csv", "tsv", "markdown", "table":
			names = in.header(ctx)
			table = in.with(ctx, table, names)
		}
		if names == nil {
			names = schema.Logged().Names()
		}
		if p.enrich {
			for _, l := range enr.all {
				names = append(slices.Clip(names), l.Name)
			}
		} else if format == "ndjson" || format == "json" {
			names = append(slices.Clip(names), "protocol_name")
		}
	}
	projection, err := table.Project(names...)
	if err != nil {
		return nil, usageError{err}
	}
	projection.Extra = p.fields == nil && (format == "ndjson" || format == "json")
	return projection, nil
}
