// Package enrich computes fields from the logged ones: names of protocols and ports, the scope, location and network
// of addresses, and columns of the user's tables.
//
//	Batch → distinct values of the From fields → Lookup, once per value → gather → wider Batch
package enrich

import (
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// A Lookup computes one field from its From fields. It must be a pure function of them: it may run for each
// record, for each distinct value, or for each row of a finished report.
type Lookup struct {
	schema.Field
	// Append appends exactly one value, or a null, to out. The arrays of in are those of From, in order; one
	// is nil where the records do not have the field. If all From fields are addresses, they are alternatives:
	// only the first that is not null may count. Append is called from several goroutines at once, each with
	// an out of its own.
	Append func(out *schema.Column, in []arrow.Array, row int)
	// dated is set for a lookup whose last two From fields are the begin and the end of the record: its answer is the
	// same for times between which nothing changed.
	dated *asOf
}

// Wrap returns an Emit that computes the enriched fields of p and passes the wider batch on to emit. Its
// columns are p's fields in p's order, then those of the incoming record that p lacks. Fields that are not computed are
// passed on by name; a missing field becomes a column of nulls. If p has no enriched fields, Wrap returns emit itself.
//
// A lookup may cost more than parsing ten records, so each runs once per distinct value of its From fields. Each worker
// has a cache of its own, without a lock: Batch.Worker must be less than workers.
func Wrap(p *schema.Projection, lookups []Lookup, workers int, emit schema.Emit) schema.Emit {
	if !slices.ContainsFunc(p.Fields, func(f schema.Field) bool { return len(f.From) > 0 }) {
		return emit
	}
	groups := plan(p, lookups)
	widen := make([]*widener, workers)
	return func(b schema.Batch) error {
		w := widen[b.Worker]
		if w == nil {
			w = newWidener(p, groups)
			widen[b.Worker] = w
		}
		rec := w.widen(b.Record)
		defer rec.Release()
		return emit(schema.Batch{Record: rec, Worker: b.Worker, Seq: b.Seq})
	}
}

// A group is the set of lookups that share one list of From fields, and so one memo.
type group struct {
	from    []string
	lookups []Lookup
}

// plan groups the lookups of p's fields, in topological order: a group comes after those that compute its From fields.
func plan(p *schema.Projection, lookups []Lookup) []*group {
	wanted := make(map[string]Lookup)
	for _, l := range lookups {
		if p.Index(l.Name) >= 0 {
			wanted[l.Name] = l
		}
	}
	var groups []*group
	byFrom := make(map[string]*group)
	var visit func(name string)
	visit = func(name string) {
		l, ok := wanted[name]
		if !ok {
			return
		}
		delete(wanted, name)
		for _, from := range l.From {
			visit(from)
		}
		key := strings.Join(l.From, ",")
		g := byFrom[key]
		if g == nil {
			g = &group{from: l.From}
			byFrom[key] = g
			groups = append(groups, g)
		}
		g.lookups = append(g.lookups, l)
	}
	for _, f := range p.Fields {
		visit(f.Name)
	}
	return groups
}

// A widener adds the enriched columns to the batches of one worker.
type widener struct {
	p     *schema.Projection
	memos []resolver

	in     *arrow.Schema // of the last record; the rest of the layout follows from it
	out    *arrow.Schema
	source []int // the incoming column of each outgoing one, or -1
}

// A resolver caches the results of a group's lookups.
type resolver interface {
	// resolve computes the results for a batch with these columns.
	resolve(cols []arrow.Array, rows int)
	// computed returns the results of the lookups for the batch, and the index of each row there.
	computed() ([]*results, []uint32)
}

func newWidener(p *schema.Projection, groups []*group) *widener {
	w := &widener{p: p}
	for _, g := range groups {
		if g.lookups[0].dated != nil {
			w.memos = append(w.memos, newOwnerMemo(p, g))
			continue
		}
		w.memos = append(w.memos, newMemo(p, g))
	}
	return w
}

// layout maps incoming columns to outgoing ones for a new schema.
func (w *widener) layout(in *arrow.Schema) {
	w.in = in
	w.source = w.source[:0]
	fields := w.p.Fields.Arrow().Fields()
	for _, f := range fields {
		i := -1
		if found := in.FieldIndices(f.Name); len(found) > 0 && arrow.TypeEqual(in.Field(found[0]).Type, f.Type) {
			i = found[0]
		}
		w.source = append(w.source, i)
	}
	for i, f := range in.Fields() {
		if w.p.Index(f.Name) < 0 {
			fields = append(fields, f)
			w.source = append(w.source, i)
		}
	}
	w.out = arrow.NewSchema(fields, nil)
}

// widen returns rec with the enriched columns. It is valid until the next call.
func (w *widener) widen(rec arrow.Record) arrow.Record {
	if rec.Schema() != w.in {
		w.layout(rec.Schema())
	}
	rows := int(rec.NumRows())
	cols := make([]arrow.Array, len(w.source))
	for i, from := range w.source {
		if from >= 0 {
			cols[i] = rec.Column(from)
		}
	}
	created := make([]arrow.Array, 0, len(w.p.Fields))
	for _, m := range w.memos {
		m.resolve(cols, rows)
		results, ids := m.computed()
		for _, s := range results {
			col := s.gather(ids)
			cols[s.column] = col
			created = append(created, col)
		}
	}
	for i, col := range cols {
		if col == nil {
			cols[i] = nulls(w.p.Fields[i], rows)
			created = append(created, cols[i])
		}
	}
	wide := array.NewRecord(w.out, cols, int64(rows))
	for _, col := range created {
		col.Release()
	}
	return wide
}

// nulls returns a column of nulls.
func nulls(f schema.Field, rows int) arrow.Array {
	c := schema.NewColumn(f)
	for range rows {
		c.Null()
	}
	return c.Array()
}
