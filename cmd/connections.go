package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/pass"
	"flowlog/report/render"
)

// idleTimes is the flags that say when a connection is over.
type idleTimes struct{ tcp, udp time.Duration }

func (i *idleTimes) flags(f *pflag.FlagSet) {
	f.DurationVar(&i.tcp, "tcp-idle", pass.DefaultIdleTCP*time.Second, "connections: one of TCP is over, or goes on as resumed, after this `time` without packets")
	f.DurationVar(&i.udp, "udp-idle", pass.DefaultIdleUDP*time.Second, "connections: one of another protocol is over after this `time` without packets")
}

func (i *idleTimes) check() error {
	for flag, d := range map[string]time.Duration{"tcp-idle": i.tcp, "udp-idle": i.udp} {
		if d < 0 || d%time.Second != 0 {
			return usageError{fmt.Errorf("--%s: %s is not a number of seconds from 0 on: write 350s or 6m", flag, d)}
		}
	}
	return nil
}

// options are those of the pass. Records may take so many bytes of memory, 0 for any number.
func (i *idleTimes) options(limit int64, tempDir string) pass.ConnectionOptions {
	return pass.ConnectionOptions{
		IdleTCP: int64(i.tcp / time.Second), IdleUDP: int64(i.udp / time.Second), Service: enrich.KnownService,
		Limit: limit, TempDir: tempDir,
	}
}

// notInParts says why connections are not made of parts, and what is.
const notInParts = "connections are learned from all records together, which %s: write them once with `flowlog parse --connections -o parquet -O connections.parquet`"

var (
	errPartialConnections = fmt.Errorf(notInParts+", then run `flowlog report … --partial` over its output", "the part of them in a partial result is not")
	errEngineConnections  = fmt.Errorf(notInParts+" and run the report over that", "stay in the engine")
	errSQLConnections     = fmt.Errorf(notInParts+" and query that", "no query sees in their order")
	errTwoVantages        = errors.New("--vantage chooses records, and connections count once by themselves: leave it out")
)

// overOf is what reports are over. Those of one run are over the same, since they share one scan.
func overOf(reports []report.Report) (string, error) {
	for _, r := range reports {
		if r.Over != reports[0].Over {
			return "", usageError{fmt.Errorf("%s is over connections and %s over records: run them apart", nameOver(reports, report.Connections), nameOver(reports, report.Records))}
		}
	}
	if len(reports) == 0 {
		return report.Records, nil
	}
	return reports[0].Over, nil
}

// nameOver is the name of the first report over something.
func nameOver(reports []report.Report, over string) string {
	return reports[slices.IndexFunc(reports, func(r report.Report) bool { return r.Over == over })].Name
}

// ofConnections is the lookups of connections, where these are those of records.
func (l *lookups) ofConnections() *lookups {
	c := *l
	c.all = enrich.OfConnections(l.all)
	c.number = func(field, name string) []int64 { return l.number(enrich.OfRecord(field), name) }
	c.fields = append(pass.ConnectionFields(), logStatus)
	c.tables = nil
	for _, computed := range enrich.OfConnections(l.declared()) {
		c.fields = append(c.fields, computed.Field)
		if l.own(enrich.OfRecord(computed.Name)) {
			c.tables = append(c.tables, computed.Field)
		}
	}
	return &c
}

// logStatus is the field by which flows are told from other records. That of a connection is null, which is a flow.
var logStatus, _ = schema.Logged().Lookup("log_status")

// declared is a lookup for each field that is computed, without a function where its database is missing: its field has
// no From then.
func (l *lookups) declared() []enrich.Lookup {
	all := slices.Clone(l.all)
	for _, f := range enrich.Fields() {
		if !slices.ContainsFunc(all, func(known enrich.Lookup) bool { return known.Name == f.Name }) {
			all = append(all, enrich.Lookup{Field: f})
		}
	}
	return all
}

// inConnections adds to an error about a field what connections have in place of those of records.
func inConnections(err error, words []string) error {
	var have []string
	for _, name := range []string{"srcaddr", "dstaddr", "srcport", "dstport", "pkt_srcaddr", "pkt_dstaddr"} {
		if slices.ContainsFunc(words, func(w string) bool { return schema.CanonicalName(w) == name }) {
			have = append(have, enrich.OfConnection(name)+" in place of "+name)
		}
	}
	if have == nil {
		return err
	}
	return fmt.Errorf("%w\n  connections have %s", err, strings.Join(have, ", "))
}

// checkConnections refuses flags of parse that do not go with connections, or only with them.
func (p *parsing) checkConnections(c *cobra.Command) error {
	for _, flag := range []string{"tcp-idle", "udp-idle"} {
		if !p.connections && c.Flags().Changed(flag) {
			return usageError{fmt.Errorf("--%s is about connections: say --connections too", flag)}
		}
	}
	switch {
	case !p.connections:
		return nil
	case p.partitioning.by != nil:
		return usageError{errors.New("--partition-by adds what is new to what there is, and a connection may have begun before: write --connections to a file of its own")}
	case p.input.rejects != "":
		return usageError{errors.New("--rejects keeps records, and --connections writes none: `flowlog parse -o none --rejects FILE` keeps them")}
	}
	return p.idle.check()
}

// writeConnections scans the input and writes the connections that its records are of, by time.
func (p *parsing) writeConnections(ctx context.Context, in *reader, enr *lookups, out *sink) (err error) {
	projection, where, err := p.connectionColumns(ctx, in, enr)
	if err != nil {
		return err
	}
	opt := p.idle.options(p.limit, p.partitioning.memory.tempDir)
	opt.Ordered = true
	made, needs, err := pass.NewConnections(opt, schema.Logged(), projection)
	if err != nil {
		return err
	}
	defer closeWith(made, &err)
	out.opt.Holds = schema.Connections
	w, err := out.Records(out.w, projection.Fields[:projection.Named], out.opt)
	if err != nil {
		return err
	}
	emit := without(projection, w.Add)
	if where != nil {
		emit = expr.Where(where, in.opt.Workers, emit)
	}
	emit = enr.wrap(in.opt.Workers)(projection, emit)
	if in.hasConnections(ctx) {
		err = in.scan(ctx, projection.Logged(), emit)
	} else if err = in.scan(ctx, needs.Logged(), made.Add); err == nil || ctx.Err() != nil && in.partial {
		err = made.Emit(in.opt.Workers, emit)
	}
	if n, ok := w.(render.Noter); ok {
		n.Note(schema.MadeOfKey, in.stats.MadeOf())
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if note := made.Note(); note != nil && !in.quiet {
		fmt.Fprintln(p.con.err, printable("flowlog: "+say(note)))
	}
	return err
}

// hasConnections reports whether the input has connections that parse has written, in place of records.
func (r *reader) hasConnections(ctx context.Context) bool {
	p, err := pass.ConnectionFields().Project(pass.ConnectionFields().Names()...)
	return err == nil && schema.AreConnections(parse.Columns(ctx, r.from.source, p, r.opt))
}

// connectionColumns are the columns that are written, and the condition.
func (p *parsing) connectionColumns(ctx context.Context, in *reader, enr *lookups) (*schema.Projection, expr.Expr, error) {
	names := p.fields
	switch {
	case slices.Contains(names, ""):
		return nil, nil, usageError{errors.New("--fields names nothing: `flowlog help connections` lists the fields")}
	case names == nil:
		names = pass.ConnectionFields().Names()
		for _, l := range enr.all {
			if p.enrich {
				names = append(names, l.Name)
			}
		}
	}
	if err := enr.missing(ctx, "--fields", in, names); err != nil {
		return nil, nil, err
	}
	projection, err := enr.fields.Project(names...)
	if err != nil {
		return nil, nil, usageError{inConnections(err, names)}
	}
	if p.where == "" {
		return projection, nil, nil
	}
	where, err := expr.Parse(p.where, enr.scope(in))
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("--where: %w", inConnections(err, report.Change{Where: p.where}.Words()))}
	}
	needs := fieldsOf(where)
	if err := enr.missing(ctx, "--where", in, needs); err != nil {
		return nil, nil, err
	}
	wide, err := widen(projection, enr.fields, needs)
	if err != nil {
		return nil, nil, err
	}
	wide.Named = projection.Named
	return wide, where, nil
}

// finishing is the fields of records and those that only connections have, and the lookups that need no file, for the
// names beside finished keys of both.
func finishing() (schema.Table, []enrich.Lookup) {
	fields, lookups := append(schema.Logged(), enrich.Fields()...), enrich.Builtin(nil)
	for _, f := range pass.ConnectionFields() {
		if _, known := fields.Named(f.Name); !known {
			fields = append(fields, f)
		}
	}
	for _, l := range enrich.OfConnections(lookups) {
		if _, known := fields.Named(l.Name); !known {
			fields, lookups = append(fields, l.Field), append(lookups, l)
		}
	}
	return fields, lookups
}
