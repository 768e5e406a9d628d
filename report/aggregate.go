package report

import (
	"math"
	"slices"
	"sync"
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
	began      began         // if a report has a Spike
	remote     bool          // an engine groups the records: see Remote
	wrap       Wrap          // computes enriched fields; nil if batches have them

	memory  int64  // bytes that the groups of a worker may take; 0 is any number
	tempDir string // where to put them otherwise
	mu      sync.Mutex
	spilled *spill   // nil if all are in memory
	bins    observed // of what was spilled
	spans   []*[2]any
}

// Limit makes the aggregator put groups into temporary files of a directory, "" for the usual one, when they
// take about so many bytes of memory. It comes before the first Add.
func (a *Aggregator) Limit(bytes int64, tempDir string) {
	a.memory, a.tempDir = max(bytes/int64(len(a.workers)), 1), tempDir
}

// Close deletes temporary files of an aggregator that was not finished.
func (a *Aggregator) Close() error {
	if a.spilled == nil {
		return nil
	}
	return a.spilled.close()
}

// NewAggregator prepares the reports for batches of the given number of workers. The table holds all fields
// that reports may name, logged and enriched.
func NewAggregator(fields schema.Table, reports []Report, workers int) (*Aggregator, error) {
	return newAggregator(fields, reports, workers, false)
}

func newAggregator(fields schema.Table, reports []Report, workers int, remote bool) (*Aggregator, error) {
	names := []string{"log_status"}
	for i := range reports {
		reports[i].Fields(func(name string) { names = append(names, name) })
	}
	reports = slices.Clone(reports) // bins of time that are to be chosen are, in here
	p, err := fields.Project(names...)
	if err != nil {
		return nil, err
	}
	p.Coded = !conditionOnAddress(reports, p) // keys and distinct counts look at addresses through coders
	a := &Aggregator{fields: fields, reports: reports, projection: p, remote: remote, present: make([]atomic.Bool, len(p.Fields))}
	a.began.reset()
	a.bins.lo, a.bins.hi = math.MaxInt64, math.MinInt64
	a.spans = make([]*[2]any, len(reports))
	for range workers {
		a.workers = append(a.workers, a.newWorker())
	}
	return a, nil
}

// conditionOnAddress reports whether a condition looks at addresses.
func conditionOnAddress(reports []Report, p *schema.Projection) bool {
	found := false
	look := func(e Expr) {
		if e != nil {
			e.Fields(func(name string) { found = found || p.Fields[p.Index(name)].Kind == schema.Addr })
		}
	}
	for _, r := range reports {
		look(r.Where)
		for _, m := range r.Measures {
			look(m.Where)
		}
	}
	return found
}

// Projection is the columns that Add needs, in any order.
func (a *Aggregator) Projection() *schema.Projection { return a.projection }

// Only returns the field of text and its value that all reports ask of their records, if they all ask for the
// same one. A record with another value changes nothing.
func (a *Aggregator) Only() (field, value string) {
	if a.spiking() {
		return "", "" // other records say what time there was to compare with
	}
	for _, e := range conjuncts(a.reports[0].Where) {
		only, ok := e.(Compare)
		if !ok || only.Op != Equal || only.Field.Kind != schema.Text {
			continue
		}
		asked := func(e Expr) bool {
			c, ok := e.(Compare)
			return ok && c.Op == Equal && c.Field.Name == only.Field.Name && c.Value == only.Value
		}
		others := func(r Report) bool { return !slices.ContainsFunc(conjuncts(r.Where), asked) }
		if !slices.ContainsFunc(a.reports, others) {
			return only.Field.Name, only.Value.(string)
		}
	}
	return "", ""
}

// Enrich has Add take in batches with the logged fields alone. wrap computes the others where they are asked of records:
// what can be looked up for groups is, in the end. It comes before the first Add.
func (a *Aggregator) Enrich(wrap Wrap) { a.wrap = wrap }

// Add takes in a batch with the fields of the Projection, but see Enrich. It is a schema.Emit.
func (a *Aggregator) Add(b schema.Batch) error {
	w := a.workers[b.Worker]
	if err := w.begin(b.Record); err != nil {
		return err
	}
	if w.wide != nil {
		return w.wide(b)
	}
	return a.add(b)
}

// Notice notes which fields the flows of a batch have, and counts none of them. Where something stands between the scan
// and Add that leaves flows out, the fields that only these have are not missing from the logs.
func (a *Aggregator) Notice(b schema.Batch) {
	rows := make([]int32, b.NumRows())
	for i := range rows {
		rows[i] = int32(i)
	}
	rows = flows(column(b.Record, "log_status"), rows, nil)
	for i, f := range a.projection.Fields {
		if a.present[i].Load() || len(b.Schema().FieldIndices(f.Name)) == 0 {
			continue
		}
		if anyValue(column(b.Record, f.Name), rows) {
			a.present[i].Store(true)
		}
	}
}

// noticeSkimmed does the same for the flows that the scan passed over: see Only.
func (a *Aggregator) noticeSkimmed(stats schema.Stats) {
	for _, name := range stats.Skimmed {
		if i := a.projection.Index(name); i >= 0 {
			a.present[i].Store(true)
		}
	}
}

// add feeds a batch that a worker has begun with.
func (a *Aggregator) add(b schema.Batch) error {
	if err := a.workers[b.Worker].add(b.Record); err != nil {
		return err
	}
	return a.relieve(b.Worker)
}

// relieve puts the groups of a worker on disk if they take too much memory.
func (a *Aggregator) relieve(worker int) error {
	w := a.workers[worker]
	if a.memory == 0 || w.size() <= a.memory {
		return nil
	}
	a.workers[worker] = a.newWorker() // whatever comes of it: whoever does not stop at once may call again
	return a.spill(w)
}

// worker is what one worker has come to.
type worker struct {
	aggregator *Aggregator
	runs       []*run
	groupings  []*grouping // that the runs have, each once
	inner      []*grouping // that some of them are rolled up from
	had        []bool      // by field of the projection: some flow had a value
	lacked     []bool      // some flow had none
	relied     []bool      // the plan holds as long as none lacks it
	planned    bool
	wide       schema.Emit   // adds to records the enriched fields that they are asked for, and feeds them; nil if none are
	columns    []arrow.Array // by field of the projection; those that are enriched are nil unless the records are wide
	flowing    []arrow.Array // the same, to look at flows: what is not null in any flow has no nulls
	coded      []*coded      // those of the reports come first: they are the same in all workers
	own        int           // how many these are
	all        []int32       // 0, 1, 2 …
	flows      []int32       // rows of the batch that are flows
	others     []int32       // the rest
	buffer     []int32
	selections []*selection
	batches    int
	mixed      bool // the report at hand takes in rows that are not flows
	some       []int32
	words      []uint64
	ids        []uint32 // groups of rows, flows, some
	flowIDs    []uint32
	picked     []uint32
	asideIDs   []uint32
}

// coded is a key, or a field or pair of fields of which distinct values are counted, whose values are coded.
type coded struct {
	key   Key
	field int // of the projection
	coder schema.Coder
	pair  *pairCoder // in place of coder, for a pair
	wide  bool       // a report without a condition needs them: code all flows at once
	codes []uint32   // by row
	done  bool       // codes are those of all flows of this batch
	rest  bool       // and of the other rows
}

// run is one report in one worker.
type run struct {
	*Report
	*grouping
	measures []measured
	span     []int              // the bases for the time that the report covers, if a measure needs it
	medians  map[uint32]float64 // by group that is a spike
	met      *metRows           // of a report with a condition on rows, some of whose groups are not here
	covered  *[2]any            // what they have come to for the whole report, once it is known
	seconds  float64            // that the whole report covers
	worker   *worker            // that has it
	lasting  *lasting           // nil until it is asked for
}

// metRows says which rows meet a report's condition, where the groups that are not here are added up, those that meet it
// and those that do not.
type metRows struct {
	here map[uint32]bool // groups that are here and may be shown; nil if all may
	cut  []state         // what the others have come to together; nil if there are none
	n    int             // how many these are
}

// grouping is the groups of one report, or of several that differ in what they show of them: in measures, order or
// length. A dashboard has many of those.
type grouping struct {
	first  *Report    // that has it
	where  *selection // nil if there is none
	keys   []int      // places in coded
	levels []*level   // level 0 numbers the pairs of codes of the first two keys, level i those of a pair and a further code
	cells  cells      // that are numbers
	rows   count      // records by group: those that are 0 do not exist
	bases  []base
	all    bool      // some measure counts records that are not flows
	inner  bool      // no report has it
	from   *grouping // that the flows come from when it is rolled up; they are not added then

	backlogs []*backlog // by level; nil if no records wait

	rest       []state // what groups that are not here have come to together; nil if there are none
	restGroups int
}

// selection is the rows of a batch that meet a condition, for all groupings that have it.
type selection struct {
	*conjunction
	text  string
	rows  []int32
	batch int // that the rows are flows of
}

// selection returns what selects by a condition.
func (w *worker) selection(e Expr) *selection {
	text := e.String()
	for _, s := range w.selections {
		if s.text == text {
			return s
		}
	}
	field, value := w.aggregator.Only()
	s := &selection{conjunction: newConjunction(e, field, value), text: text}
	w.selections = append(w.selections, s)
	return s
}

// meet returns those of the rows that meet the condition, and counts them where no other call has the same ones. They are
// the flows of the batch with a number, or others.
func (s *selection) meet(rec arrow.Record, rows []int32, batch int, others, count bool) []int32 {
	if s.batch == batch && !others {
		return s.rows
	}
	s.rows = s.keep(rec, append(s.rows[:0], rows...), count)
	if s.batch = batch; others {
		s.batch = 0
	}
	return s.rows
}

// base is a number that is kept for each group, for one measure or several.
type base struct {
	Measure
	where filter
	field int // of the projection, or -1
	also  int // the same of the function's second field
	coded int // place in coded, if the function needs codes
	coder values
	fn    *function // as it is aggregated here: see byEngine
	state state
	rows  bool  // the measure is the number of rows, and needs no state
	view  state // over the data of an earlier base's state, in place of a state
	aside bool  // no flow meets the measure's condition

	from *grouping // that it is rolled up from; nil if records are added
	part int       // the base there, rowsPart or codesPart
}

// The parts that are no bases.
const (
	rowsPart  = -1 // the number of rows
	codesPart = -2 // the codes of the only key
)

// measured is a measure: a base, or computed from several.
type measured struct {
	*Measure
	fn    *function
	bases []int
	lacks bool // no record had what it is computed from
}

func (a *Aggregator) newWorker() *worker { return a.newWorkerOf(nil) }

// newWorkerOf is newWorker with some of what codes keys.
func (a *Aggregator) newWorkerOf(coded []*coded) *worker {
	n := len(a.projection.Fields)
	w := &worker{aggregator: a, coded: coded, columns: make([]arrow.Array, n), flowing: make([]arrow.Array, n), had: make([]bool, n), lacked: make([]bool, n), relied: make([]bool, n)}
	for i := range a.reports {
		u := w.newRun(&a.reports[i])
		u.covered = a.spans[i]
		w.runs = append(w.runs, u)
	}
	w.own = len(w.coded)
	return w
}

// code returns the place of what codes a key, for a report that takes in all flows or not.
func (w *worker) code(k Key, wide bool) int {
	p := w.aggregator.projection
	i := slices.IndexFunc(w.coded, func(c *coded) bool { return c.key == k })
	if i < 0 {
		i = len(w.coded)
		field := p.Index(k.Field)
		w.coded = append(w.coded, &coded{key: k, field: field, coder: k.coder(p.Fields[field])})
	}
	w.coded[i].wide = w.coded[i].wide || wide
	return i
}

// values is what the codes stand for.
func (c *coded) values() values {
	if c.pair != nil {
		return c.pair
	}
	return c.coder
}

// codePair returns the place of what codes pairs of values of two fields.
func (w *worker) codePair(field, with string, wide bool) int {
	a, b := w.code(Key{Field: field}, wide), w.code(Key{Field: with}, wide)
	i := slices.IndexFunc(w.coded, func(c *coded) bool { return c.pair != nil && c.pair.parts == [2]int{a, b} })
	if i < 0 {
		i = len(w.coded)
		pair := newPairCoder([2]int{a, b}, w.coded[a].coder, w.coded[b].coder)
		w.coded = append(w.coded, &coded{key: Key{Field: field + "+" + with}, pair: pair})
	}
	return i
}

// grouping returns the groups of a report, which may be those of an earlier one.
func (w *worker) grouping(r *Report) *grouping {
	all := slices.ContainsFunc(r.Measures, func(m Measure) bool { return m.All })
	for _, g := range w.groupings {
		if g.all == all && slices.Equal(g.first.Keys, r.Keys) && textOf(g.first.Where) == textOf(r.Where) {
			return g
		}
	}
	g := w.newGrouping(r, all)
	w.groupings = append(w.groupings, g)
	return g
}

func (w *worker) newGrouping(r *Report, all bool) *grouping {
	g := &grouping{first: r, all: all, rows: *newCount()}
	g.rows.join(&g.cells)
	if r.Where != nil {
		g.where = w.selection(r.Where)
	}
	for _, k := range r.Keys {
		g.keys = append(g.keys, w.code(k, r.Where == nil))
	}
	for range len(g.keys) - 1 {
		g.levels = append(g.levels, &level{Pairs: schema.NewPairs()})
	}
	return g
}

func (w *worker) newRun(r *Report) *run {
	u := &run{Report: r, grouping: w.grouping(r), worker: w}
	for i := range r.Measures {
		m := &r.Measures[i]
		x := measured{Measure: m, fn: functionNamed(m.Func)}
		if x.fn.parts == nil {
			x.bases = append(x.bases, w.newBase(u.grouping, *m))
		}
		for _, part := range x.fn.partsOf(*m) {
			x.bases = append(x.bases, w.newBase(u.grouping, part))
		}
		if x.fn.span {
			u.span = []int{w.newBase(u.grouping, Measure{Func: "min", Field: "start"}), w.newBase(u.grouping, Measure{Func: "max", Field: "end"})}
		}
		u.measures = append(u.measures, x)
	}
	return u
}

// shape is what groups the states are for.
func (u *grouping) shape() shape {
	if len(u.keys) == 0 {
		return shapeOne
	}
	return shapeGroups
}

// newState is a state of the base that nothing has been added to; nil if its function has none.
func (b *base) newState(of shape) state {
	if b.fn.new == nil {
		return nil
	}
	return b.fn.new(b.coder, of)
}

// newBase returns the place of what a measure is kept in.
func (w *worker) newBase(u *grouping, m Measure) int {
	alike := func(b base) bool { // but for the function
		return b.Field == m.Field && b.With == m.With && b.All == m.All && textOf(b.Where) == textOf(m.Where)
	}
	if i := slices.IndexFunc(u.bases, func(b base) bool { return b.Func == m.Func && alike(b) }); i >= 0 {
		return i
	}
	p := w.aggregator.projection
	f := functionNamed(m.Func)
	if w.aggregator.remote && !f.mergeable() {
		f = f.byEngine()
	}
	b := base{Measure: m, fn: f, field: p.Index(m.Field), also: p.Index(f.also)}
	if m.Where != nil {
		b.where = m.Where.filter()
		b.aside = m.All && !flowsMeet(m.Where)
	}
	if f.codes {
		if m.With != "" {
			b.coded = w.codePair(m.Field, m.With, u.where == nil)
		} else {
			b.coded = w.code(Key{Field: m.Field}, u.where == nil)
		}
		b.coder = w.coded[b.coded].values()
	}
	b.rows = f.rows && m.Field == "" && m.Where == nil && !u.all // run counts these anyway
	if f.shares != "" && !w.aggregator.remote {                  // an engine sends the data for each
		for _, o := range u.bases {
			if o.state != nil && o.fn.shares == f.shares && alike(o) {
				b.view = f.view(o.state)
			}
		}
	}
	if !b.rows && b.view == nil {
		if b.state = b.newState(u.shape()); b.state != nil {
			joinCells(b.state, &u.cells)
		}
	}
	u.bases = append(u.bases, b)
	return len(u.bases) - 1
}

// groupKeys returns a function that gives the values of a group's keys.
func (w *worker) groupKeys(u *run) func(group uint32) []any {
	return func(group uint32) []any {
		keys := make([]any, len(u.keys))
		for level := len(u.levels) - 1; level >= 0; level-- {
			word := u.levels[level].Words()[group]
			keys[level+1] = u.Keys[level+1].value(w.coded[u.keys[level+1]].coder.Value(uint32(word)))
			group = uint32(word >> 32)
		}
		if len(keys) > 0 {
			keys[0] = u.Keys[0].value(w.coded[u.keys[0]].coder.Value(group))
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
		if a.present[i].Load() || len(f.From) > 0 && len(a.lacking(f.From...)) < len(f.From) {
			continue
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// origins lists the logged fields that would do for the named ones: those that they are computed from, of which
// one is enough, or else they themselves.
func origins(fields schema.Table, names []string) []string {
	var out []string
	has := func(name string) bool { return slices.Contains(out, name) }
	for _, name := range names {
		from := []string{name}
		if f, _ := fields.Lookup(name); len(f.From) > 0 {
			from = origins(fields, f.From)
		}
		if !slices.ContainsFunc(from, has) {
			out = append(out, from...)
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
