package group

import (
	"slices"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/function"
)

// A grouping is the groups of a groupSpec in one worker. A group is known by its number, its id: the codes of its keys,
// and a row of accumulators.
type grouping struct {
	*groupSpec
	selection *selection     // of the rows that meet the condition; nil if there is none
	encoders  []*encoder     // of the keys
	dicts     []int          // the same as indexes of dictionaries
	levels    []*keyLevel    // level 0 numbers pairs of codes of the first two keys, level i pairs of a prefix and a further code
	cells     function.Cells // of those accumulators that are numbers
	rows      function.Count // records by group: a group without any does not exist
	accs      []accumulator
	derived   bool             // its groups come from another grouping, and no flow is added: see derivation
	backlogs  []*backlog       // by level; nil if no rows wait
	overflow  []function.State // what the groups that are not here add up to, by accumulator; nil if all are here
	absent    int              // how many groups are not here
}

// An accumulator is one aggregate state per group.
type accumulator struct {
	*accSpec
	filter  expr.Filter     // of the condition; nil if there is none
	dict    int             // the dictionary whose codes it counts, or -1
	coder   function.Values // what these codes stand for
	state   function.State  // nil if it needs none of its own
	view    function.State  // over the data of an earlier accumulator's state, in place of a state
	derived bool            // flows are not added to it: it is derived from another grouping
}

// newGrouping makes the groups of a spec, with no group yet.
func newGrouping(spec *groupSpec, dicts *dictionaries) *grouping {
	g := &grouping{groupSpec: spec, rows: *function.NewCount()}
	g.rows.Join(&g.cells)
	every := spec.where.expr == nil
	for _, k := range spec.keys {
		i := dicts.of(k, every)
		g.dicts, g.encoders = append(g.dicts, i), append(g.encoders, dicts.list[i])
	}
	for range len(spec.keys) - 1 {
		g.levels = append(g.levels, &keyLevel{Pairs: codes.NewPairs()})
	}
	for i := range spec.accs {
		g.addAccumulator(&spec.accs[i], dicts)
	}
	return g
}

func (g *grouping) addAccumulator(spec *accSpec, dicts *dictionaries) {
	b := accumulator{accSpec: spec, dict: -1}
	if spec.Where != nil {
		b.filter = spec.Where.Filter()
	}
	if spec.fn.Codes {
		every := g.where.expr == nil
		if spec.With != "" {
			b.dict = dicts.ofPair(spec.Field, spec.With, every)
		} else {
			b.dict = dicts.of(report.Key{Field: spec.Field}, every)
		}
		b.coder = dicts.list[b.dict].values()
	}
	switch {
	case spec.shares >= 0:
		b.view = spec.fn.View(g.accs[spec.shares].state)
	case spec.stored():
		b.state = b.newState(g.shape())
		function.JoinCells(b.state, &g.cells)
	}
	g.accs = append(g.accs, b)
}

// shape is what groups the states are for.
func (g *grouping) shape() function.Shape {
	if len(g.keys) == 0 {
		return function.ShapeOne
	}
	return function.ShapeGroups
}

// newState is a state of the accumulator that nothing has been added to; nil if its function has none.
func (b *accumulator) newState(of function.Shape) function.State {
	if b.fn.New == nil {
		return nil
	}
	return b.fn.New(b.coder, of)
}

// value is the value of a group in a state of the accumulator, which is nil for a function of the whole input.
func (b *accumulator) value(s function.State, group uint32, stats schema.Stats) any {
	if s == nil {
		return b.fn.Input(stats)
	}
	return function.Boxed(s.Value(group))
}

// stateOf is the state of an accumulator; nil if its value is not computed from records.
func (g *grouping) stateOf(acc int) function.State {
	if g.accs[acc].rows {
		return &g.rows
	}
	if view := g.accs[acc].view; view != nil {
		return view
	}
	return g.accs[acc].state
}

// onlyNumbers reports whether nothing but numbers is kept for groups.
func (g *grouping) onlyNumbers() bool {
	return !slices.ContainsFunc(g.accs, func(b accumulator) bool {
		return b.state != nil && !isNumeric(b.state) || b.view != nil
	})
}

// grow makes room for groups in all accumulators.
func (g *grouping) grow(groups int) {
	g.rows.Grow(groups)
	for _, b := range g.accs {
		if b.state != nil {
			b.state.Grow(groups)
		}
	}
}

// existing lists the groups that have records, also as a set.
func (g *grouping) existing() (exist []bool, ids []uint32) {
	exist, ids = make([]bool, g.rows.Groups), make([]uint32, 0, g.rows.Groups)
	for id := range exist {
		if *g.rows.Of(uint32(id)) > 0 {
			exist[id] = true
			ids = append(ids, uint32(id))
		}
	}
	return exist, ids
}

// keyCodes are the codes of each key of some groups.
func (g *grouping) keyCodes(groups []uint32) [][]uint32 {
	codes := make([][]uint32, len(g.keys))
	if len(codes) == 0 {
		return codes
	}
	prefix := slices.Clone(groups)
	for level := len(g.levels) - 1; level >= 0; level-- {
		words := g.levels[level].Words()
		last := make([]uint32, len(groups))
		for i, id := range prefix {
			last[i] = uint32(words[id])
			prefix[i] = uint32(words[id] >> 32)
		}
		codes[level+1] = last
	}
	codes[0] = prefix
	return codes
}

// keyValues are the values of a group's keys, as tables show them.
func (g *grouping) keyValues(group uint32) []any {
	keys := make([]any, len(g.keys))
	for level := len(g.levels) - 1; level >= 0; level-- {
		word := g.levels[level].Words()[group]
		keys[level+1] = valueOf(g.keys[level+1], g.encoders[level+1].coder.Value(uint32(word)))
		group = uint32(word >> 32)
	}
	if len(keys) > 0 {
		keys[0] = valueOf(g.keys[0], g.encoders[0].coder.Value(group))
	}
	return keys
}

// keyField is a key as the field of a column.
func (g *grouping) keyField(key int) schema.Field {
	return schema.Field{Name: g.keys[key].Name(), Kind: g.encoders[key].kind}
}

// size is about how many bytes the groups take, without the dictionaries.
func (g *grouping) size() int64 {
	n := g.rows.Size()
	for _, l := range g.levels {
		n += l.Size() + 4*int64(len(l.dense))
	}
	for _, l := range g.backlogs {
		if l != nil {
			n += 8 * int64(l.most)
		}
	}
	for _, b := range g.accs {
		if b.state != nil {
			n += b.state.Size()
		}
	}
	return n
}
