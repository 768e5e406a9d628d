package report

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// rollsLate reports whether the groups of reports can be merged before others are rolled up from them, which is then
// done once: all workers have the same plan, and no width of bins is left open on the way.
func (a *Aggregator) rollsLate() bool {
	w := a.workers[0]
	open := func(g *grouping) bool {
		return slices.ContainsFunc(g.first.Keys, func(k Key) bool { return k.Every == auto })
	}
	for _, g := range w.groupings {
		for _, from := range g.sources() {
			if !from.inner && (open(g) || open(from)) {
				return false
			}
		}
	}
	return !slices.ContainsFunc(a.workers[1:], func(o *worker) bool { return !w.plannedAs(o) })
}

// plannedAs reports whether two workers have the same plan, but for how inner groupings are made.
func (w *worker) plannedAs(o *worker) bool {
	if !slices.Equal(w.had, o.had) || !slices.Equal(w.relied, o.relied) {
		return false
	}
	same := func(a, b *grouping) bool {
		return (a == nil) == (b == nil) && (a == nil || a.inner && b.inner || slices.Index(w.groupings, a) == slices.Index(o.groupings, b))
	}
	for i, g := range w.groupings {
		u := o.groupings[i]
		if !same(g.from, u.from) {
			return false
		}
		for i, b := range g.bases {
			if !same(b.from, u.bases[i].from) || b.from != nil && !b.from.inner && b.part != u.bases[i].part {
				return false
			}
		}
	}
	return true
}

// roll rolls all workers up, but for what waits.
func (a *Aggregator) roll(waits func(g, from *grouping) bool) error {
	return atOnce(len(a.workers), func(i int) error { return a.workers[i].roll(waits) })
}

// sources are the groupings that a grouping is rolled up from.
func (g *grouping) sources() []*grouping {
	var list []*grouping
	add := func(from *grouping) {
		if from != nil && !slices.Contains(list, from) {
			list = append(list, from)
		}
	}
	add(g.from)
	for _, b := range g.bases {
		add(b.from)
	}
	return list
}

// roll adds to all groupings what they are to have from others, but for what waits and nothing else needs; nil is
// nothing. What is added to the worker after it feeds them, until there is another plan.
func (w *worker) roll(waits func(g, from *grouping) bool) error {
	if err := w.settleAll(); err != nil {
		return err
	}
	var order []*grouping // those that others are rolled up from, after what they are rolled up from themselves
	coarser := make(map[*grouping][]*grouping)
	var need func(g *grouping, all bool)
	need = func(g *grouping, all bool) {
		for _, from := range g.sources() {
			if slices.Contains(coarser[from], g) || !all && waits != nil && waits(g, from) {
				continue
			}
			need(from, true)
			if !slices.Contains(order, from) {
				order = append(order, from)
			}
			coarser[from] = append(coarser[from], g)
		}
	}
	for _, g := range w.groupings {
		need(g, false)
	}
	for _, from := range order {
		if err := w.rollFrom(from, coarser[from]); err != nil {
			return err
		}
	}
	w.inner = nil
	return nil
}

// A finer is a grouping from which others are rolled up.
type finer struct {
	*grouping
	w     *worker
	exist []bool
	made  map[Key]coding
}

// coding is what the groups have of a key: its codes, by group, and what the codes stand for.
type coding struct {
	codes []uint32
	coder schema.Coder
}

func (w *worker) newFiner(g *grouping) *finer {
	f := &finer{grouping: g, w: w, made: make(map[Key]coding)}
	f.exist, _ = g.groups()
	groups := make([]uint32, len(f.exist))
	for i := range groups {
		groups[i] = uint32(i)
	}
	for i, codes := range w.keyCodes(g, groups) {
		f.made[g.first.Keys[i]] = coding{codes, w.coded[g.keys[i]].coder}
	}
	return f
}

// make makes what the groups have of keys that they determine.
func (f *finer) make(keys []Key) error {
	keys = slices.DeleteFunc(keys, func(k Key) bool { return f.made[k].coder != nil })
	f.w.rows(max(len(f.exist), derivedBatch)) // so that it is there for all at once
	made := make([]coding, len(keys))
	err := atOnce(len(keys), func(i int) (err error) {
		made[i], err = f.derive(keys[i])
		return err
	})
	for i, k := range keys {
		f.made[k] = made[i]
	}
	return err
}

// derive computes what the groups have of a key.
func (f *finer) derive(k Key) (coding, error) {
	a := f.w.aggregator
	field := a.projection.Fields[a.projection.Index(k.Field)]
	d := coding{coder: k.coder(field)}
	if i := slices.IndexFunc(f.w.coded, func(c *coded) bool { return c.key == k }); i >= 0 {
		d.coder = f.w.coded[i].coder
	}
	p, err := a.fields.Project(k.Field)
	if err != nil {
		return d, err
	}
	var from []coding // by field that is logged, without codes if the groups do not have it
	var known []coding
	for _, logged := range p.Logged().Fields {
		v := f.made[Key{Field: logged.Name}]
		if from = append(from, v); v.codes != nil {
			known = append(known, v)
		}
	}
	values := len(f.exist)
	if len(known) == 1 { // once for each of its values
		values = known[0].coder.Len()
	}
	out := make([]uint32, values)
	for start := 0; start < values; start += derivedBatch {
		n := min(values-start, derivedBatch)
		var columns []arrow.Array
		for i, v := range from {
			c := schema.NewColumn(p.Logged().Fields[i])
			switch {
			case v.codes == nil:
				for range n {
					c.Null()
				}
			case len(known) == 1:
				codes := make([]uint32, n)
				for i := range codes {
					codes[i] = uint32(start + i)
				}
				v.coder.Gather(codes, c)
			default:
				v.coder.Gather(v.codes[start:start+n], c)
			}
			columns = append(columns, c.Array())
		}
		emit := schema.Emit(func(b schema.Batch) error {
			d.coder.Encode(column(b.Record, k.Field), f.w.rows(n), out[start:])
			return nil
		})
		if len(field.From) > 0 {
			emit = a.wrap(p, emit)
		}
		rec := array.NewRecord(p.Logged().Fields.Arrow(), columns, int64(n))
		if err := emit(schema.Batch{Record: rec}); err != nil {
			return d, err
		}
	}
	if d.codes = out; len(known) == 1 {
		d.codes = make([]uint32, len(f.exist))
		for i, code := range known[0].codes {
			d.codes[i] = out[code]
		}
	}
	return d, nil
}

// derivedBatch is how many values are looked up together.
const derivedBatch = 1 << 16

// A coarse is a grouping that is rolled up from a finer one, of which those groups count that meet conditions. Each is
// about a key of the finer one, or one that these determine.
type coarse struct {
	*grouping
	where []keyCondition
	bases []coarseBase
}

type coarseBase struct {
	*base
	where []keyCondition
}

type keyCondition struct {
	Expr
	Key
}

// rollFrom adds to groupings what they are to have from another.
func (w *worker) rollFrom(from *grouping, groupings []*grouping) error {
	f := w.newFiner(from)
	from.grow(len(f.exist)) // what had no value in a while has not grown
	var keys []Key
	add := func(k Key) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	conditions := func(e Expr) (list []keyCondition) { // all groups meet those about other keys
		for _, c := range conjuncts(e) {
			if k, ok := keyOf(c); ok && w.determined(k, from) {
				add(k)
				list = append(list, keyCondition{c, k})
			}
		}
		return list
	}
	var all []coarse
	for _, g := range groupings {
		for _, k := range g.first.Keys {
			add(k)
		}
		c := coarse{grouping: g, where: conditions(g.first.Where)}
		for i := range g.bases {
			if b := &g.bases[i]; b.from == from {
				c.bases = append(c.bases, coarseBase{b, conditions(b.Measure.Where)})
			}
		}
		all = append(all, c)
	}
	if err := f.make(keys); err != nil {
		return err
	}
	return atOnce(len(all), func(i int) error { return f.rollUp(all[i]) })
}

// rollUp adds to the groups of one grouping what it is to have from the finer one.
func (f *finer) rollUp(g coarse) error {
	n, groups := len(f.exist), 1
	ids := make([]uint32, n)
	var words []uint64
	if len(g.levels) > 0 {
		words = make([]uint64, n)
	}
	for i, k := range g.first.Keys {
		d := f.made[k]
		if i == 0 {
			copy(ids, d.codes)
			groups = d.coder.Len()
			continue
		}
		g.levels[i-1].number(ids, groups, f.w.rows(n), d.codes, d.coder.Len(), words)
		groups = g.levels[i-1].Len()
	}
	g.grow(groups)
	for i, exists := range f.exist {
		if !exists {
			ids[i] = skip
		}
	}
	f.skipUnmet(ids, g.where)
	var states []merging // of all groups that are left
	if g.from == f.grouping {
		states = append(states, merging{to: &g.rows, from: &f.rows})
		g.from = nil
	}
	for _, p := range g.bases {
		p.from = nil
		if p.part == codesPart {
			if err := f.addCodes(p.state); err != nil {
				return err
			}
			continue
		}
		var from state = &f.rows
		if p.part >= 0 {
			from = f.stateOf(p.part)
		}
		if len(p.where) == 0 {
			states = append(states, merging{to: p.state, from: from})
			continue
		}
		some := slices.Clone(ids)
		f.skipUnmet(some, p.where)
		if err := p.state.merge(from, some, nil); err != nil {
			return err
		}
	}
	if err := mergeNumbers(states, ids, 0); err != nil {
		return err
	}
	return mergeOthers(states, ids)
}

// addCodes adds the codes of the only key to a state of one group, as if each group were a record.
func (f *finer) addCodes(s state) error {
	codes, rows := make([]uint32, len(f.exist)), make([]int32, 0, len(f.exist))
	for code, exists := range f.exist {
		if codes[code] = uint32(code); exists {
			rows = append(rows, int32(code))
		}
	}
	return s.add(make([]uint32, len(rows)), rows, inputs{codes: codes})
}

// skipUnmet sets to skip the ids of those groups that do not meet conditions.
func (f *finer) skipUnmet(ids []uint32, where []keyCondition) {
	for _, c := range where {
		d := f.made[c.Key]
		p := f.w.aggregator.projection
		met := met(c.Expr, d.coder, p.Fields[p.Index(c.Field)])
		for i, code := range d.codes {
			if !met[code] {
				ids[i] = skip
			}
		}
	}
}

// met says for each code of a field whether its value meets a condition that is about nothing else.
func met(e Expr, coder schema.Coder, f schema.Field) []bool {
	column := schema.NewColumn(f)
	codes, rows := make([]uint32, coder.Len()), make([]int32, coder.Len())
	for i := range codes {
		codes[i], rows[i] = uint32(i), int32(i)
	}
	coder.Gather(codes, column)
	rec := array.NewRecord(schema.Table{f}.Arrow(), []arrow.Array{column.Array()}, int64(len(codes)))
	defer rec.Release()
	met := make([]bool, len(codes))
	for _, row := range e.filter().keep(rec, rows, true) {
		met[row] = true
	}
	return met
}
