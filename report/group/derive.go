package group

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/function"
	"flowlog/report/parallel"
)

// derive carries out the derivations of the plan, but for those that wait and nothing else needs; a nil waits is none. What
// is added to the worker after it feeds the groupings, until there is another plan.
func (w *worker) derive(waits func(derivation) bool) error {
	for _, g := range slices.Concat(w.groupings, w.inner) {
		if err := w.feeder.settleAll(g); err != nil {
			return err
		}
	}
	now, later := due(w.pending, waits)
	for len(now) > 0 {
		n := slices.IndexFunc(now, func(d derivation) bool { return d.from != now[0].from })
		if n < 0 {
			n = len(now)
		}
		if err := w.deriveFrom(now[0].from, now[:n]); err != nil {
			return err
		}
		now = now[n:]
	}
	w.pending, w.inner = later, nil
	return nil
}

// A source is the groups from which others are derived.
type source struct {
	*grouping
	projection *schema.Projection
	enricher   enricher
	dicts      *dictionaries
	rows       []int32 // 0, 1, 2 … for all groups, and for a batch of values
	exist      []bool
	coded      map[report.Key]coding
}

// A coding is what groups have of a key that they determine: its codes, by group, and what the codes stand for.
type coding struct {
	codes []uint32
	coder codes.Coder
}

func (w *worker) newSource(g *grouping) *source {
	s := &source{grouping: g, projection: w.job.projection, enricher: w.job.enricher, dicts: w.dicts, coded: make(map[report.Key]coding)}
	s.exist, _ = g.existing()
	s.rows = w.feeder.first(max(len(s.exist), lookupBatch))
	groups := make([]uint32, len(s.exist))
	for i := range groups {
		groups[i] = uint32(i)
	}
	for i, codes := range g.keyCodes(groups) {
		s.coded[g.keys[i]] = coding{codes, g.encoders[i].coder}
	}
	return s
}

// deriveFrom carries out derivations from one grouping.
func (w *worker) deriveFrom(from int, derivations []derivation) error {
	s := w.newSource(w.grouping(from))
	s.grow(len(s.exist)) // accumulators that had no value in a while have not grown
	var keys []report.Key
	add := func(k report.Key) {
		if !slices.Contains(keys, k) && s.coded[k].coder == nil {
			keys = append(keys, k)
		}
	}
	for _, d := range derivations {
		for _, k := range w.grouping(d.to).keys {
			add(k)
		}
		for _, c := range d.where {
			add(c.key)
		}
		for _, a := range d.accs {
			for _, c := range a.where {
				add(c.key)
			}
		}
	}
	if err := s.encode(keys); err != nil {
		return err
	}
	return parallel.Each(len(derivations), func(i int) error { return s.derive(w.grouping(derivations[i].to), derivations[i]) })
}

// encode computes what the groups have of further keys.
func (s *source) encode(keys []report.Key) error {
	codings := make([]coding, len(keys))
	err := parallel.Each(len(keys), func(i int) (err error) {
		codings[i], err = s.coding(keys[i])
		return err
	})
	for i, k := range keys {
		s.coded[k] = codings[i]
	}
	return err
}

// lookupBatch is how many values are looked up together.
const lookupBatch = 1 << 16

// coding computes what the groups have of a key from the logged fields that they have: once for each value, if that is one
// field.
func (s *source) coding(k report.Key) (coding, error) {
	d := coding{coder: s.dicts.coder(k)}
	p, err := s.enricher.fields.Project(k.Field)
	if err != nil {
		return d, err
	}
	logged := p.Logged().Fields
	var from []coding // by logged field, without codes if the groups do not have it
	var known []coding
	for _, f := range logged {
		v := s.coded[report.Key{Field: f.Name}]
		if from = append(from, v); v.codes != nil {
			known = append(known, v)
		}
	}
	byValue := len(known) == 1
	values := len(s.exist)
	if byValue {
		values = known[0].coder.Len()
	}
	out := make([]uint32, values)
	for start := 0; start < values; start += lookupBatch {
		n := min(values-start, lookupBatch)
		var columns []arrow.Array
		for i, v := range from {
			columns = append(columns, v.column(logged[i], start, n, byValue))
		}
		encode := func(col arrow.Array) { d.coder.Encode(col, s.rows[:n], out[start:]) }
		if err := s.enricher.column(p, s.projection.Fields[s.projection.Index(k.Field)], columns, n, encode); err != nil {
			return d, err
		}
	}
	if d.codes = out; byValue {
		d.codes = make([]uint32, len(s.exist))
		for i, code := range known[0].codes {
			d.codes[i] = out[code]
		}
	}
	return d, nil
}

// column is n values from start on as a column of a field: of groups, or of the codes themselves. They are null if there are no
// codes.
func (v coding) column(f schema.Field, start, n int, byValue bool) arrow.Array {
	c := schema.NewColumn(f)
	switch {
	case v.codes == nil:
		for range n {
			c.Null()
		}
	case byValue:
		codes := make([]uint32, n)
		for i := range codes {
			codes[i] = uint32(start + i)
		}
		v.coder.Gather(codes, c)
	default:
		v.coder.Gather(v.codes[start:start+n], c)
	}
	return c.Array()
}

// derive adds to a grouping what a derivation says.
func (s *source) derive(to *grouping, d derivation) error {
	ids, groups := s.number(to)
	to.grow(groups)
	for i, exists := range s.exist {
		if !exists {
			ids[i] = function.Skip
		}
	}
	s.skipUnmet(ids, d.where)
	var states []merging // of all groups that are left
	if d.groups {
		states = append(states, merging{to: &to.rows, from: &s.grouping.rows})
		to.derived = false
	}
	for _, a := range d.accs {
		b := &to.accs[a.acc]
		b.derived = false
		if a.part == keyCodes {
			if err := s.addCodes(b.state); err != nil {
				return err
			}
			continue
		}
		var from function.State = &s.grouping.rows
		if a.part >= 0 {
			from = s.stateOf(a.part)
		}
		if len(a.where) == 0 {
			states = append(states, merging{to: b.state, from: from})
			continue
		}
		some := slices.Clone(ids)
		s.skipUnmet(some, a.where)
		if err := b.state.Merge(from, some, nil); err != nil {
			return err
		}
	}
	if err := mergeNumbers(states, ids, 0); err != nil {
		return err
	}
	return mergeOthers(states, ids)
}

// number numbers the groups of a grouping that the groups of the source belong to, and says how many there are.
func (s *source) number(to *grouping) (ids []uint32, groups int) {
	ids, groups = make([]uint32, len(s.exist)), 1
	var words []uint64
	if len(to.levels) > 0 {
		words = make([]uint64, len(ids))
	}
	for i, k := range to.keys {
		d := s.coded[k]
		if i == 0 {
			copy(ids, d.codes)
			groups = d.coder.Len()
			continue
		}
		to.levels[i-1].number(ids, groups, s.rows[:len(ids)], d.codes, d.coder.Len(), words)
		groups = to.levels[i-1].Len()
	}
	return ids, groups
}

// addCodes adds the codes of the only key to a state of one group, as if each group were a record.
func (s *source) addCodes(to function.State) error {
	codes, rows := make([]uint32, len(s.exist)), make([]int32, 0, len(s.exist))
	for code, exists := range s.exist {
		if codes[code] = uint32(code); exists {
			rows = append(rows, int32(code))
		}
	}
	return to.Add(make([]uint32, len(rows)), rows, function.Inputs{Codes: codes})
}

// skipUnmet sets to skip the ids of those groups that do not meet conditions.
func (s *source) skipUnmet(ids []uint32, where []predicate) {
	for _, c := range where {
		d := s.coded[c.key]
		met := met(c.expr, d.coder, s.projection.Fields[s.projection.Index(c.key.Field)])
		for i, code := range d.codes {
			if !met[code] {
				ids[i] = function.Skip
			}
		}
	}
}

// met says for each code of a field whether its value meets a condition that is about nothing else.
func met(e expr.Expr, coder codes.Coder, f schema.Field) []bool {
	column := schema.NewColumn(f)
	codes, rows := make([]uint32, coder.Len()), make([]int32, coder.Len())
	for i := range codes {
		codes[i], rows[i] = uint32(i), int32(i)
	}
	coder.Gather(codes, column)
	rec := array.NewRecord(schema.Table{f}.Arrow(), []arrow.Array{column.Array()}, int64(len(codes)))
	defer rec.Release()
	met := make([]bool, len(codes))
	for _, row := range e.Filter().Keep(rec, rows, true) {
		met[row] = true
	}
	return met
}
