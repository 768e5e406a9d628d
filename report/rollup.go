package report

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// roll rolls all workers up.
func (a *Aggregator) roll() error {
	return atOnce(len(a.workers), func(i int) error { return a.workers[i].roll(nil) })
}

// roll makes all groupings but those that stay what the ones say that they are rolled up from. What is added to the
// worker after it feeds them, until there is another plan.
func (w *worker) roll(stays map[*grouping]bool) error {
	finer := make(map[*grouping]*finer)
	for _, g := range w.groupings {
		if stays[g] {
			continue
		}
		if err := w.complete(g, finer); err != nil {
			return err
		}
	}
	w.inner = nil
	return nil
}

// complete rolls a grouping up, after those that it is rolled up from.
func (w *worker) complete(g *grouping, known map[*grouping]*finer) error {
	for g.from != nil || slices.ContainsFunc(g.bases, func(b base) bool { return b.from != nil }) {
		from := g.from
		for i := 0; from == nil; i++ {
			from = g.bases[i].from
		}
		if err := w.complete(from, known); err != nil {
			return err
		}
		if known[from] == nil {
			known[from] = w.newFiner(from)
		}
		if err := w.rollFrom(g, known[from]); err != nil {
			return err
		}
	}
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

// key is what the groups have of a key that they determine.
func (f *finer) key(k Key) (coding, error) {
	if d, ok := f.made[k]; ok {
		return d, nil
	}
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
	f.made[k] = d
	return d, nil
}

// derivedBatch is how many values are looked up together.
const derivedBatch = 1 << 16

// rollFrom adds to the groups of one grouping what it is to have from those of another.
func (w *worker) rollFrom(g *grouping, from *finer) error {
	n, groups := len(from.exist), 1
	ids, words := make([]uint32, n), make([]uint64, n)
	for i, k := range g.first.Keys {
		d, err := from.key(k)
		if err != nil {
			return err
		}
		if i == 0 {
			copy(ids, d.codes)
			groups = d.coder.Len()
			continue
		}
		g.levels[i-1].number(ids, groups, w.rows(n), d.codes, d.coder.Len(), words)
		groups = g.levels[i-1].Len()
	}
	g.grow(groups)
	for i, exists := range from.exist {
		if !exists {
			ids[i] = skip
		}
	}
	if err := from.skipUnmet(ids, g.first.Where); err != nil {
		return err
	}
	if g.from == from.grouping {
		if err := g.rows.merge(&from.rows, ids, nil); err != nil {
			return err
		}
		g.from = nil
	}
	for i := range g.bases {
		b := &g.bases[i]
		if b.from != from.grouping {
			continue
		}
		b.from = nil
		if s, ok := b.state.(*distinctOfAll); ok {
			for code, exists := range from.exist {
				if exists {
					s.see(uint32(code))
				}
			}
			continue
		}
		some := ids
		if b.Measure.Where != nil {
			some = slices.Clone(ids)
			if err := from.skipUnmet(some, b.Measure.Where); err != nil {
				return err
			}
		}
		var part state = &from.rows
		if b.part >= 0 {
			part = from.bases[b.part].state
			part.grow(n)
		}
		if err := b.state.merge(part, some, nil); err != nil {
			return err
		}
	}
	return nil
}

// skipUnmet sets to skip the ids of those groups that do not meet a condition, as far as their keys say: all of them
// meet the rest.
func (f *finer) skipUnmet(ids []uint32, e Expr) error {
	for _, c := range conjuncts(e) {
		k, ok := keyOf(c)
		if !ok || !f.w.determined(k, f.grouping) {
			continue
		}
		d, err := f.key(k)
		if err != nil {
			return err
		}
		p := f.w.aggregator.projection
		met := met(c, d.coder, p.Fields[p.Index(k.Field)])
		for i, code := range d.codes {
			if !met[code] {
				ids[i] = skip
			}
		}
	}
	return nil
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
