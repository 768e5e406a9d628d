package report

import (
	"slices"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// An Aggregator computes reports over batches. Add is called for each batch, then Tables once.
//
// Per worker, the rows of a batch become codes, the codes of a row's keys become the number of its group,
// and then each measure is one loop over rows and groups.
type Aggregator struct {
	fields     schema.Table
	reports    []Report
	projection *schema.Projection
	workers    []*worker
	present    []atomic.Bool // by field of the projection: some flow has a value
	seen       atomic.Int64  // flows
}

// NewAggregator prepares the reports for batches of the given number of workers. The table holds all fields
// that reports may name, logged and enriched.
func NewAggregator(fields schema.Table, reports []Report, workers int) (*Aggregator, error) {
	names := []string{"log_status"}
	for i := range reports {
		reports[i].Fields(func(name string) { names = append(names, name) })
	}
	p, err := fields.Project(names...)
	if err != nil {
		return nil, err
	}
	p.Coded = true // keys and distinct counts look at addresses through coders
	a := &Aggregator{fields: fields, reports: reports, projection: p, present: make([]atomic.Bool, len(p.Fields))}
	for range workers {
		w := &worker{aggregator: a, fields: make([]coded, len(p.Fields))}
		for i := range reports {
			w.runs = append(w.runs, w.newRun(&reports[i]))
		}
		a.workers = append(a.workers, w)
	}
	return a, nil
}

// Projection is the columns that Add needs, in any order.
func (a *Aggregator) Projection() *schema.Projection { return a.projection }

// Only returns the field and value that all reports ask of their records, if they all ask for the same one.
// A record with another value changes nothing.
func (a *Aggregator) Only() (field, value string) {
	var only Equal
	for i, r := range a.reports {
		where, ok := r.Where.(Equal)
		if !ok || i > 0 && where != only {
			return "", ""
		}
		only = where
	}
	return only.Field, only.Value
}

// Add takes in a batch. It is a schema.Emit.
func (a *Aggregator) Add(b schema.Batch) error {
	return a.workers[b.Worker].add(b.Record)
}

// worker is what one worker has come to.
type worker struct {
	aggregator *Aggregator
	runs       []*run
	fields     []coded // by field of the projection
	all        []int32 // 0, 1, 2 …
	flows      []int32 // rows of the batch that are flows
	buffer     []int32
	where      []int32
	mixed      bool // the report at hand takes in rows that are not flows
	some       []int32
	ids        []uint32 // groups of rows, flows, some
	flowIDs    []uint32
	picked     []uint32
}

// coded is a field whose values are coded, for keys and distinct counts.
type coded struct {
	coder  schema.Coder // nil if nobody needs codes
	wide   bool         // a report without a condition needs them: code all flows at once
	codes  []uint32     // by row
	coded  bool         // codes are those of all flows of this batch
	column arrow.Array
}

// run is one report in one worker.
type run struct {
	*Report
	keys     []int           // fields of the projection
	levels   []*schema.Pairs // level 0 numbers the pairs of codes of the first two keys, level i those of a pair and a further code
	rows     count           // records by group: those that are 0 do not exist
	measures []measured
	all      bool // some measure counts records that are not flows
}

type measured struct {
	*Measure
	field int // of the projection, or -1
	state state
	rows  bool // the measure is the number of rows, and needs no state
	lacks bool // no record had what it is computed from
}

func (w *worker) newRun(r *Report) *run {
	u := &run{Report: r}
	p := w.aggregator.projection
	code := func(field int) {
		c := &w.fields[field]
		if c.coder == nil {
			c.coder = schema.NewCoder(p.Fields[field])
		}
		c.wide = c.wide || r.Where == nil
	}
	for _, k := range r.Keys {
		i := p.Index(k.Field)
		u.keys = append(u.keys, i)
		code(i)
	}
	for range len(u.keys) - 1 {
		u.levels = append(u.levels, schema.NewPairs())
	}
	for i := range r.Measures {
		m := &r.Measures[i]
		u.all = u.all || m.All
		f := functionNamed(m.Func)
		x := measured{Measure: m, field: -1}
		if m.Field != "" {
			x.field = p.Index(m.Field)
		}
		if f.new != nil {
			x.state = f.new()
		}
		if m.Func == "count" && m.Where == nil && !m.All && !slices.ContainsFunc(r.Measures, func(m Measure) bool { return m.All }) {
			x.state, x.rows = nil, true // these are the rows that run counts anyway
		}
		if m.Func == "distinct" {
			code(x.field)
			if len(r.Keys) == 0 {
				x.state = &distinctOfAll{}
			}
		}
		u.measures = append(u.measures, x)
	}
	return u
}

func (w *worker) add(rec arrow.Record) error {
	n := int(rec.NumRows())
	for i := len(w.all); i < n; i++ {
		w.all = append(w.all, int32(i))
	}
	p := w.aggregator.projection
	for i, f := range p.Fields {
		c := &w.fields[i]
		c.column, c.coded = column(rec, f.Name), false
		if c.coder != nil {
			c.codes = grown(c.codes, n)
		}
	}
	w.flows = flows(w.fields[p.Index("log_status")].column, w.all[:n], w.flows[:0])
	if len(w.flows) > 0 {
		w.aggregator.seen.Add(int64(len(w.flows)))
		for i := range p.Fields {
			if present := &w.aggregator.present[i]; !present.Load() && anyValue(w.fields[i].column, w.flows) {
				present.Store(true)
			}
		}
	}
	for _, u := range w.runs {
		if err := w.run(u, rec, n); err != nil {
			return err
		}
	}
	return nil
}

// anyValue reports whether some of the rows are not null.
func anyValue(col arrow.Array, rows []int32) bool {
	valid := schema.ValidityOf(col)
	return col.NullN() < col.Len() && slices.ContainsFunc(rows, func(row int32) bool { return !valid.Null(row) })
}

// flows appends the rows whose log-status is OK, or unknown, to out.
func flows(status arrow.Array, rows, out []int32) []int32 {
	if status.NullN() == status.Len() {
		return append(out, rows...)
	}
	codes, words := schema.TextCodes(status)
	ok := codeOf(words, schema.StatusOK)
	valid := schema.ValidityOf(status)
	for _, row := range rows {
		if codes[row] == ok || valid.Null(row) {
			out = append(out, row)
		}
	}
	return out
}

// run feeds one report.
func (w *worker) run(u *run, rec arrow.Record, n int) error {
	p := w.aggregator.projection
	rows := w.flows
	if w.mixed = u.all && len(w.flows) < n; w.mixed {
		rows = w.all[:n]
	}
	if u.Where != nil {
		w.where = append(w.where[:0], rows...)
		rows = u.Where.keep(rec, w.where)
	}
	if len(rows) == 0 {
		return nil
	}
	ids, groups := w.group(u, rows)
	u.rows.grow(groups)
	if err := u.rows.add(ids, rows, nil, nil); err != nil {
		return err
	}
	allRows, allIDs := rows, ids
	flowRows, flowIDs := rows, ids
	if w.mixed {
		flowRows = w.flows
		if u.Where != nil {
			w.buffer = append(w.buffer[:0], rows...)
			flowRows = flows(w.fields[p.Index("log_status")].column, w.buffer, w.buffer[:0])
		}
		w.flowIDs = pick(ids, rows, flowRows, w.flowIDs[:0])
		flowIDs = w.flowIDs
	}
	for i := range u.measures {
		m := &u.measures[i]
		if m.state == nil {
			continue
		}
		ids, rows := flowIDs, flowRows
		if m.All {
			ids, rows = allIDs, allRows
		}
		if m.Where != nil {
			w.some = append(w.some[:0], rows...)
			some := m.Where.keep(rec, w.some)
			w.picked = pick(ids, rows, some, w.picked[:0])
			ids, rows = w.picked, some
		}
		m.state.grow(groups)
		var col arrow.Array
		var codes []uint32
		if m.field >= 0 {
			col = w.fields[m.field].column
		}
		if m.Func == "distinct" {
			codes = w.codes(m.field, rows, w.mixed && m.All)
		}
		if err := m.state.add(ids, rows, col, codes); err != nil {
			return err
		}
	}
	return nil
}

// pick returns the ids of those rows that are in some.
func pick(ids []uint32, rows, some []int32, out []uint32) []uint32 {
	i := 0
	for _, row := range some {
		for rows[i] != row {
			i++
		}
		out = append(out, ids[i])
	}
	return out
}

// codes returns the codes of a field, by row, for at least the given rows. These are flows, unless all is
// set.
func (w *worker) codes(field int, rows []int32, all bool) []uint32 {
	c := &w.fields[field]
	if c.coded && !all {
		return c.codes
	}
	if c.wide && !all {
		rows = w.flows
		c.coded = true
	}
	c.coder.Encode(c.column, rows, c.codes)
	return c.codes
}

// group numbers the groups of the rows, and says how many numbers there are.
func (w *worker) group(u *run, rows []int32) ([]uint32, int) {
	w.ids = grown(w.ids, len(rows))
	ids := w.ids[:len(rows)]
	if len(u.keys) == 0 {
		clear(ids)
		return ids, 1
	}
	codes := w.codes(u.keys[0], rows, w.mixed)
	for i, row := range rows {
		ids[i] = codes[row]
	}
	groups := w.fields[u.keys[0]].coder.Len()
	for level, table := range u.levels {
		codes := w.codes(u.keys[level+1], rows, w.mixed)
		for i, row := range rows {
			ids[i], _ = table.ID(uint64(ids[i])<<32 | uint64(codes[row]))
		}
		groups = table.Len()
	}
	return ids, groups
}

// merge takes in what another worker has come to.
func (w *worker) merge(o *worker) error {
	translated := make([][]uint32, len(w.fields))
	for i := range w.fields {
		if c := w.fields[i].coder; c != nil {
			translated[i] = c.Absorb(o.fields[i].coder)
		}
	}
	for i, u := range w.runs {
		if err := w.mergeRun(u, o.runs[i], translated); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) mergeRun(u, o *run, translated [][]uint32) error {
	ids, groups := []uint32{0}, 1
	if len(u.keys) > 0 {
		ids, groups = translated[u.keys[0]], w.fields[u.keys[0]].coder.Len()
		for level, table := range u.levels {
			codes := translated[u.keys[level+1]]
			next := make([]uint32, o.levels[level].Len())
			for id, word := range o.levels[level].Words() {
				next[id], _ = table.ID(uint64(ids[word>>32])<<32 | uint64(codes[uint32(word)]))
			}
			ids, groups = next, table.Len()
		}
	}
	u.rows.grow(groups)
	if err := u.rows.merge(&o.rows, ids, nil); err != nil {
		return err
	}
	for i := range u.measures {
		m := &u.measures[i]
		if m.state == nil {
			continue
		}
		m.state.grow(groups)
		var codes []uint32
		if m.field >= 0 {
			codes = translated[m.field]
		}
		if err := m.state.merge(o.measures[i].state, ids, codes); err != nil {
			return err
		}
	}
	return nil
}

// groupKeys returns a function that gives the values of a group's keys.
func (w *worker) groupKeys(u *run) func(group uint32) []any {
	words := make([][]uint64, len(u.levels))
	for i, table := range u.levels {
		words[i] = table.Words()
	}
	return func(group uint32) []any {
		keys := make([]any, len(u.keys))
		for level := len(u.levels) - 1; level >= 0; level-- {
			word := words[level][group]
			keys[level+1] = w.fields[u.keys[level+1]].coder.Value(uint32(word))
			group = uint32(word >> 32)
		}
		if len(keys) > 0 {
			keys[0] = w.fields[u.keys[0]].coder.Value(group)
		}
		return keys
	}
}

// lacking lists the fields among names that no flow had a value for. An enriched field is lacking if all
// that it is computed from is.
func (a *Aggregator) lacking(names ...string) []string {
	var out []string
	for _, name := range names {
		i := a.projection.Index(name)
		f := a.projection.Fields[i]
		if a.present[i].Load() || slices.ContainsFunc(f.From, func(from string) bool { return a.present[a.projection.Index(from)].Load() }) {
			continue
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// labels computes the fields that put the keys of finished rows into words, by means of wrap.
func (a *Aggregator) labels(keys []schema.Field, rows [][]any, wrap Wrap) ([]schema.Field, [][]any, error) {
	var labels []schema.Field
	var names []string
	for _, f := range a.fields {
		is := func(name string) bool {
			return slices.ContainsFunc(keys, func(k schema.Field) bool { return k.Name == name })
		}
		if f.Names != "" && is(f.Names) && !is(f.Name) {
			labels = append(labels, f)
			names = append(names, f.Name)
		}
	}
	if len(labels) == 0 || wrap == nil {
		return nil, nil, nil
	}
	p, err := a.fields.Project(names...)
	if err != nil {
		return nil, nil, err
	}
	logged := p.Logged()
	var cols []arrow.Array
	for _, f := range logged.Fields {
		c := schema.NewColumn(f)
		k := slices.IndexFunc(keys, func(k schema.Field) bool { return k.Name == f.Name })
		for _, row := range rows {
			v, ok := row[k].(int64)
			switch {
			case !ok:
				c.Null()
			case f.Kind == schema.Int32:
				c.Int32 = append(c.Int32, int32(v))
			default:
				c.Int64 = append(c.Int64, v)
			}
		}
		cols = append(cols, c.Array())
	}
	rec := array.NewRecord(logged.Fields.Arrow(), cols, int64(len(rows)))
	values := make([][]any, len(rows))
	err = wrap(p, func(b schema.Batch) error {
		for _, f := range labels {
			col := column(b.Record, f.Name)
			codes, words := schema.TextCodes(col)
			for row := range values {
				var v any
				if !col.IsNull(row) {
					v = words.Value(int(codes[row]))
				}
				values[row] = append(values[row], v)
			}
		}
		return nil
	})(schema.Batch{Record: rec})
	return labels, values, err
}
