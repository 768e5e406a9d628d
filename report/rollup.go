package report

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// Many reports ask little of each record: by protocol, by action, over time, or for totals. Where several do, they are
// rolled up: records feed one inner grouping by all that these tell records apart by, which has few groups however many
// records there are, and each of the reports is summed up from those groups in the end, or before groups leave the
// worker. So a dashboard costs little more than the largest of its panels.

// narrow reports whether a key has few values, whatever the records are.
func narrow(k Key, f schema.Field) bool {
	return k.Bits == 0 && (k.Every != 0 || k.Hour || f.Values != nil || 0 < f.Max && f.Max <= maxNarrow)
}

// maxNarrow is that of a byte: there are so few protocols.
const maxNarrow = 255

// breadth is about how many values a narrow key has.
func breadth(k Key, f schema.Field) int64 {
	switch {
	case k.Hour:
		return 24
	case k.Every != 0:
		return int64(day / time.Minute)
	}
	return cmp.Or(int64(len(f.Values)), f.Max)
}

// plan finds the groupings that can be rolled up, and makes the inner ones for them.
func (w *worker) plan() {
	rolled := make(map[string][]*grouping) // by the conditions that an inner grouping has to have
	var order []string
	for _, g := range w.groupings {
		own, rest, ok := w.keysOf(g)
		if ok && own != nil {
			text := textOf(all(rest...))
			if rolled[text] == nil {
				order = append(order, text)
			}
			rolled[text] = append(rolled[text], g)
		}
	}
	for _, text := range order {
		if len(rolled[text]) > 1 {
			w.rollUp(rolled[text])
		}
	}
	for _, g := range w.groupings {
		w.countCodes(g)
		w.total(g)
	}
}

// keysOf lists the keys that a grouping to roll g up from must have, and the conditions. It is false if g must see
// the records.
func (w *worker) keysOf(g *grouping) (keys []Key, conditions []Expr, ok bool) {
	p := w.aggregator.projection
	add := func(k Key) bool {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
		return narrow(k, p.Fields[p.Index(k.Field)])
	}
	for _, k := range g.first.Keys {
		if !add(k) {
			return nil, nil, false
		}
	}
	for _, c := range conjuncts(g.first.Where) {
		if k, ok := keyOf(c); ok && narrow(k, p.Fields[p.Index(k.Field)]) {
			add(k)
		} else {
			conditions = append(conditions, c)
		}
	}
	for i := range g.bases {
		b := &g.bases[i]
		if b.All && b.aside || w.rollable(b) {
			for _, c := range conjuncts(b.Measure.Where) {
				if k, _ := keyOf(c); !b.All {
					add(k)
				}
			}
		} else if len(g.keys) > 0 {
			return nil, nil, false
		}
	}
	return keys, conditions, true
}

// total makes one grouping without keys be what batches come to in which the keys of g are null, as those of many
// panels of a dashboard are throughout: they have fields that are not logged.
func (w *worker) total(g *grouping) {
	if len(g.keys) == 0 || g.all || g.from != nil || g.where != nil || slices.ContainsFunc(g.bases, func(b base) bool { return !w.rollable(&b) }) {
		return
	}
	if w.totals == nil {
		w.totals = w.newGrouping(&Report{}, false)
	}
	g.blank = true
	for i := range g.bases {
		if b := &g.bases[i]; b.state != nil {
			b.part = w.newBase(w.totals, b.Measure)
		}
	}
}

// addBlank takes in the flows of a batch for a grouping, if all of them have no keys: they are one group. It is false
// if they have some.
func (w *worker) addBlank(g *grouping, rec arrow.Record, n int) (bool, error) {
	for _, place := range g.keys {
		if col := w.columns[w.coded[place].field]; col.NullN() < col.Len() {
			return false, nil
		}
	}
	if !w.totalled {
		w.totalled = true
		for i := range w.totals.bases {
			if b := &w.totals.bases[i]; b.state != nil {
				b.state = functionNamed(b.Func).new()
			}
		}
		if err := w.run(w.totals, rec, n); err != nil {
			return true, err
		}
	}
	id, groups := uint32(0), w.coded[g.keys[0]].coder.Len()
	for _, l := range g.levels {
		id, _ = l.ID(uint64(id) << 32) // null is 0
		groups = l.Len()
	}
	g.grow(groups)
	*g.rows.of(id) += int64(len(w.flows))
	for _, b := range g.bases {
		if b.state != nil {
			if err := b.state.merge(w.totals.bases[b.part].state, []uint32{id}, nil); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

// keyOf is the key that says whether a condition is met, if one field does.
func keyOf(condition Expr) (Key, bool) {
	var names []string
	condition.Fields(func(name string) { names = append(names, name) })
	slices.Sort(names)
	if names = slices.Compact(names); len(names) != 1 {
		return Key{}, false
	}
	return Key{Field: names[0]}, true
}

// rollable reports whether a base can be had from those of finer groups.
func (w *worker) rollable(b *base) bool {
	p := w.aggregator.projection
	for _, c := range conjuncts(b.Measure.Where) {
		if k, ok := keyOf(c); !ok || !narrow(k, p.Fields[p.Index(k.Field)]) {
			return false
		}
	}
	switch b.state.(type) {
	case nil, *count, *sum, *extreme:
		return !b.All
	}
	return false
}

// rollUp makes the inner grouping for some groupings.
func (w *worker) rollUp(groupings []*grouping) {
	p := w.aggregator.projection
	inner := &Report{}
	shared := slices.Clone(conjuncts(groupings[0].first.Where)) // conditions that all have
	for _, g := range groupings {
		keys, _, _ := w.keysOf(g)
		for _, k := range keys {
			if !slices.Contains(inner.Keys, k) {
				inner.Keys = append(inner.Keys, k)
			}
		}
		shared = slices.DeleteFunc(shared, func(c Expr) bool {
			return !slices.ContainsFunc(conjuncts(g.first.Where), func(o Expr) bool { return o.String() == c.String() })
		})
	}
	inner.Where = all(shared...)
	slices.SortStableFunc(inner.Keys, func(a, b Key) int {
		return cmp.Compare(breadth(a, p.Fields[p.Index(a.Field)]), breadth(b, p.Fields[p.Index(b.Field)]))
	})
	from := w.newGrouping(inner, false)
	w.inner = append(w.inner, from)
	for _, g := range groupings {
		for i := range g.bases {
			if b := &g.bases[i]; b.state != nil && w.rollable(b) {
				b.from = from
				if b.part = -1; b.Field != "" {
					b.part = w.newBase(from, Measure{Func: b.Func, Field: b.Field})
				}
			}
		}
		if len(g.keys) > 0 {
			g.from = from
		}
	}
}

// countCodes has the different values of a key counted by the groups of a grouping that another report has, if g is
// one group.
func (w *worker) countCodes(g *grouping) {
	for i := range g.bases {
		b := &g.bases[i]
		if _, ok := b.state.(*distinctOfAll); !ok || b.All || b.Measure.Where != nil {
			continue
		}
		at := slices.IndexFunc(w.groupings, func(o *grouping) bool {
			return len(o.keys) == 1 && o.keys[0] == b.coded && !o.all && o.from == nil && textOf(o.first.Where) == textOf(g.first.Where)
		})
		if at >= 0 {
			b.from = w.groupings[at]
		}
	}
}

// roll rolls all workers up.
func (a *Aggregator) roll() error {
	return atOnce(len(a.workers), func(i int) error { return a.workers[i].roll() })
}

// roll makes all groupings what those say that they are rolled up from. Nothing is added to the worker after it.
func (w *worker) roll() error {
	for _, g := range w.groupings {
		for _, from := range slices.Concat(w.inner, w.groupings) {
			if g.from == from || slices.ContainsFunc(g.bases, func(b base) bool { return b.from == from }) {
				if err := w.rollFrom(g, from); err != nil {
					return err
				}
			}
		}
	}
	w.inner = nil
	return nil
}

// rollFrom adds to the groups of one grouping what it is to have from those of another.
func (w *worker) rollFrom(g, from *grouping) error {
	finer, _ := from.groups()
	every := make([]uint32, len(finer))
	for i := range every {
		every[i] = uint32(i)
	}
	codes := w.keyCodes(from, every)
	ids, groups := make([]uint32, len(finer)), 1
	for i, place := range g.keys {
		key := codes[slices.Index(from.keys, place)]
		if i == 0 {
			copy(ids, key)
			groups = w.coded[place].coder.Len()
			continue
		}
		for id := range ids {
			ids[id], _ = g.levels[i-1].ID(uint64(ids[id])<<32 | uint64(key[id]))
		}
		groups = g.levels[i-1].Len()
	}
	g.grow(groups)
	for i, exists := range finer {
		if !exists {
			ids[i] = skip
		}
	}
	w.skipUnmet(ids, from, codes, g.first.Where)
	if g.from == from {
		if err := g.rows.merge(&from.rows, ids, nil); err != nil {
			return err
		}
		g.from = nil
	}
	for i := range g.bases {
		b := &g.bases[i]
		if b.from != from {
			continue
		}
		b.from = nil
		if s, ok := b.state.(*distinctOfAll); ok {
			for code, exists := range finer {
				if exists {
					s.see(uint32(code))
				}
			}
			continue
		}
		some := ids
		if b.Measure.Where != nil {
			some = slices.Clone(ids)
			w.skipUnmet(some, from, codes, b.Measure.Where)
		}
		var part state = &from.rows
		if b.part >= 0 {
			part = from.bases[b.part].state
			part.grow(len(finer))
		}
		if err := b.state.merge(part, some, nil); err != nil {
			return err
		}
	}
	return nil
}

// skipUnmet sets to skip the ids of those groups that do not meet a condition, as far as their keys are what it is
// about: all of them meet the rest.
func (w *worker) skipUnmet(ids []uint32, from *grouping, codes [][]uint32, e Expr) {
	for _, c := range conjuncts(e) {
		k, _ := keyOf(c)
		at := slices.Index(from.first.Keys, k)
		if at < 0 {
			continue
		}
		met := w.met(c, w.coded[from.keys[at]])
		for i, code := range codes[at] {
			if !met[code] {
				ids[i] = skip
			}
		}
	}
}

// met says for each code whether its value meets a condition that is about nothing else.
func (w *worker) met(e Expr, c *coded) []bool {
	f := w.aggregator.projection.Fields[c.field]
	column := schema.NewColumn(f)
	codes, rows := make([]uint32, c.coder.Len()), make([]int32, c.coder.Len())
	for i := range codes {
		codes[i], rows[i] = uint32(i), int32(i)
	}
	c.coder.Gather(codes, column)
	rec := array.NewRecord(schema.Table{f}.Arrow(), []arrow.Array{column.Array()}, int64(len(codes)))
	defer rec.Release()
	met := make([]bool, len(codes))
	for _, row := range e.filter().keep(rec, rows, true) {
		met[row] = true
	}
	return met
}

// flowsMeet reports whether there may be flows that meet a condition: not if it is about the log-status, and neither
// that of flows nor none meets it.
func flowsMeet(e Expr) bool {
	for _, c := range conjuncts(e) {
		if k, ok := keyOf(c); ok && k.Field == "log_status" {
			f, _ := logged.Lookup(k.Field)
			column := schema.NewColumn(f)
			column.Append(schema.StatusOK)
			column.Append(nil)
			rec := array.NewRecord(schema.Table{f}.Arrow(), []arrow.Array{column.Array()}, 2)
			met := c.filter().keep(rec, []int32{0, 1}, true)
			rec.Release()
			if len(met) == 0 {
				return false
			}
		}
	}
	return true
}

// A level numbers the pairs of a group so far and a further code.
type level struct {
	*schema.Pairs
	near []uint32 // at group<<bits | code the number of a pair, plus 1: for few groups and codes
	bits int
}

// maxNear is how large that table may be: it is one of few, and some of it stays in the processor's caches.
const maxNear = 1 << 20

// number makes ids, which are groups so far, the numbers of them and codes. Both are less than the numbers given.
func (l *level) number(ids []uint32, groups int, rows []int32, codes []uint32, values int, words []uint64) {
	if !l.fit(groups, values) {
		for i, row := range rows {
			words[i] = uint64(ids[i])<<32 | uint64(codes[row])
		}
		l.IDs(words[:len(rows)], ids)
		return
	}
	for i, row := range rows {
		near := &l.near[int(ids[i])<<l.bits|int(codes[row])]
		if *near == 0 {
			id, _ := l.ID(uint64(ids[i])<<32 | uint64(codes[row]))
			*near = id + 1
		}
		ids[i] = *near - 1
	}
}

// fit makes the near table large enough, or reports that it would be too large.
func (l *level) fit(groups, values int) bool {
	width := max(bits.Len(uint(values-1)), l.bits)
	size := groups << width
	if size > maxNear {
		l.near = nil
		return false
	}
	if width == l.bits && size <= len(l.near) {
		return true
	}
	l.bits = width
	l.near = make([]uint32, min(2*size, maxNear))
	for id, word := range l.Words() {
		l.near[int(word>>32)<<width|int(uint32(word))] = uint32(id) + 1
	}
	return true
}
