package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/group"
	"flowlog/report/pass"
)

// aggregation is the group of options that say how reports are computed on this machine.
type aggregation struct {
	con     *console
	vantage string
	memory  memory
	idle    idleTimes
	over    string // what the reports are over
	made    bool   // the input has connections, which need not be made of records
	limit   int64  // bytes of groups, and of records that a pass keeps
}

// computed is what reports come to over an input.
type computed struct {
	tables []report.Table
	lacks  []*report.Lacking // of reports whose fields the input does not have
	notes  []string          // what the vantage says of the records that count
}

// vantageFlag adds --vantage.
func (a *aggregation) vantageFlag(f *pflag.FlagSet) {
	f.StringVar(&a.vantage, "vantage", "", "count from this `side`: all, src, dst, or dedupe for each flow once")
}

// check checks what vantageFlag was set to.
func (a *aggregation) check() error {
	var vantages []string
	for _, v := range pass.Vantages {
		vantages = append(vantages, v.Name)
	}
	if a.vantage != "" && !slices.Contains(vantages, a.vantage) {
		return usageError{fmt.Errorf("--vantage is %s, not %q: `flowlog help counting` says what they count", strings.Join(vantages, ", "), a.vantage)}
	}
	return nil
}

// learns reports whether reports of these fields depend on all records together, so that none may be left unread.
func (a *aggregation) learns(fields []string) bool {
	return a.vantage != "" || a.over == report.Connections && !a.made || slices.ContainsFunc(pass.VantageFields().Names(), func(name string) bool { return slices.Contains(fields, name) })
}

// tables runs reports over an input. If it is interrupted, that is an error unless the user takes what there is so far.
func (a *aggregation) tables(ctx context.Context, in *reader, enr *lookups, fields schema.Table, reports []report.Report) (done computed, err error) {
	agg, err := a.open(in, enr, fields, reports)
	if err != nil {
		return done, err
	}
	defer closeWith(agg, &err)
	done.notes, err = a.feed(ctx, in, fields, agg)
	if err != nil && (ctx.Err() == nil || !in.partial) {
		return done, err
	}
	done.tables, done.lacks, err = agg.Tables(in.stats.Stats, enr.wrap(in.opt.Workers))
	if err != nil {
		return done, err
	}
	sayNotes(done.tables)
	if ctx.Err() != nil {
		for i := range done.tables {
			done.tables[i].Notes = append(done.tables[i].Notes, "interrupted: this is what was read until then")
		}
	}
	if len(done.tables) > 0 {
		done.tables[0].Notes = append(done.tables[0].Notes, done.notes...)
	}
	return done, nil
}

// writePartial runs reports over an input, and writes what merge finishes.
func (a *aggregation) writePartial(ctx context.Context, in *reader, enr *lookups, b *binding, w io.Writer, request report.Request) (err error) {
	agg, err := a.open(in, enr, b.fields, b.reports)
	if err != nil {
		return err
	}
	defer closeWith(agg, &err)
	if _, err := a.feed(ctx, in, b.fields, agg); err != nil {
		return err
	}
	return agg.WritePartial(w, in.stats.Stats, request)
}

// open returns an Aggregator for reports of these fields, to be closed.
func (a *aggregation) open(in *reader, enr *lookups, fields schema.Table, reports []report.Report) (*group.Aggregator, error) {
	if a.vantage != "" && a.vantage != "all" && slices.ContainsFunc(reports, report.Report.Costs) {
		return nil, usageError{errors.New("--vantage leaves out records, and each pays for its own interface: costs are of all of them")}
	}
	agg, err := group.New(fields, reports, in.opt.Workers)
	if err != nil {
		return nil, usageError{err}
	}
	limit, err := a.memory.limit(a.con.warnings(in.quiet))
	if err != nil {
		return nil, errors.Join(err, agg.Close())
	}
	if a.limit = limit; limit > 0 {
		agg.Limit(limit, a.memory.tempDir)
	}
	if !a.learns(agg.Projection().Fields.Names()) {
		in.opt.Only.Field, in.opt.Only.Value = agg.Only()
	}
	agg.Enrich(enr.wrap(in.opt.Workers))
	return agg, nil
}

// A stage is a pass: it sees all records, and then emits those that count, or others that it made of them.
type stage interface {
	Add(b schema.Batch) error
	Emit(workers int, emit schema.Emit) error
	Note() *schema.Words
	Close() error
}

// feed scans the input for an Aggregator, by way of a pass if one is needed, and returns what that has to say.
func (a *aggregation) feed(ctx context.Context, in *reader, fields schema.Table, agg *group.Aggregator) (notes []string, err error) {
	p := agg.Projection()
	if !a.learns(p.Fields.Names()) {
		return costNotes(p.Fields.Names()), in.scan(ctx, p.Logged(), agg.Add)
	}
	s, needs, err := a.stage(fields, p)
	if err != nil {
		return nil, err
	}
	defer closeWith(s, &err)
	err = in.scan(ctx, needs.Logged(), func(b schema.Batch) error {
		if a.over == report.Records {
			agg.Notice(b)
		}
		return s.Add(b)
	})
	if err == nil || ctx.Err() != nil && in.partial {
		err = s.Emit(in.opt.Workers, agg.Add)
	}
	if errors.Is(err, pass.ErrNoInterface) {
		err = in.noInterface(err)
	}
	if note := s.Note(); note != nil {
		notes = []string{say(note)}
	}
	return notes, err
}

// stage returns the pass for a projection of fields, and the projection of records that it needs.
func (a *aggregation) stage(fields schema.Table, p *schema.Projection) (stage, *schema.Projection, error) {
	if a.over == report.Connections {
		return pass.NewConnections(a.idle.options(a.limit, a.memory.tempDir), schema.Logged(), p)
	}
	return pass.NewVantage(a.vantage, fields, p)
}

// noInterface is the error for a vantage of logs without interfaces, with what helps.
func (r *reader) noInterface(err error) error {
	if r.stats.OfTransitGateways() {
		return errors.New("--vantage needs interface_id, which transit gateways do not log: --where 'flow_direction = ingress' counts once what comes in and goes out")
	}
	for _, g := range schema.Guesses(r.stats.Strange) {
		if g.Field == "interface_id" {
			return fmt.Errorf("--vantage needs interface_id, which these logs do not have: the input has a column %s: %s", g.Column, asFlag(schema.RenameOption([]schema.Renaming{g})))
		}
	}
	return err
}

// closeWith closes c, and sets err to its error unless it is set.
func closeWith(c io.Closer, err *error) {
	if cerr := c.Close(); *err == nil {
		*err = cerr
	}
}

// fieldsOf lists the fields that a report, rule or condition reads, some more than once.
func fieldsOf(of interface{ Fields(yield func(string)) }) []string {
	var names []string
	of.Fields(func(name string) { names = append(names, name) })
	return names
}
