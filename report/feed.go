package report

import (
	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// A feeder adds the rows of batches to groupings: it selects rows, numbers their groups, and adds them to accumulators.
type feeder struct {
	batch
	dicts      *dictionaries
	selections []*selection
	alone      bool  // there is one report
	memory     int64 // limit of what groups may take; 0 is any
	scratch    scratch
}

// scratch are the buffers of a feeder. A row set is valid until its buffer is used for the next one.
type scratch struct {
	words    []uint64
	ids      []uint32 // of the rows of a grouping
	flowIDs  []uint32 // of those that are flows
	asideIDs []uint32 // of those that are not
	metIDs   []uint32 // of those that meet an accumulator's condition
	met      []int32
}

// A selection is the rows of a batch that meet a condition, for all groupings that have it.
type selection struct {
	*conjunction
	id    int // of the condition
	rows  []int32
	batch int // that the rows are flows of
}

// selection returns what selects by a condition: nil if there is none. What all reports require of a field of text is
// tested first: see conjunction.
func (f *feeder) selection(c predicate, field, value string) *selection {
	if c.expr == nil {
		return nil
	}
	for _, s := range f.selections {
		if s.id == c.id {
			return s
		}
	}
	s := &selection{conjunction: newConjunction(c.expr, field, value), id: c.id}
	f.selections = append(f.selections, s)
	return s
}

// meet returns the rows that meet the condition, and counts them where no other call has the same ones. They are the
// flows of the batch with a number, or others.
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

// beginBatch forgets the codes of the batch before.
func (f *feeder) beginBatch(rows int) {
	for _, c := range f.dicts.list {
		c.begin(rows)
	}
}

// feed adds the rows of the batch to a grouping.
func (f *feeder) feed(g *grouping) error {
	rows, mixed := f.counted(g)
	if len(rows) == 0 {
		return nil
	}
	if r, ok := f.canWait(g, rows); ok {
		return f.feedFrom(g, 0, f.firstCodes(g, rows, false), g.encoders[0].coder.Len(), r)
	}
	set, groups := f.group(g, rows, mixed)
	g.rows.grow(groups)
	if err := g.rows.add(set.ids, set.rows, inputs{}); err != nil {
		return err
	}
	flows := f.flowsOf(g, set, mixed)
	for i := range g.accs {
		b := &g.accs[i]
		if b.state == nil || b.derived && !b.All {
			continue
		}
		rows := flows
		if b.All {
			rows = set
		}
		if b.aside && !g.derived && g.selection == nil {
			rows = set.pick(f.others, &f.scratch.asideIDs)
		}
		if err := f.accumulate(b, rows, groups, mixed); err != nil {
			return err
		}
	}
	return nil
}

// counted returns the rows that a grouping counts. mixed says that some are not flows.
func (f *feeder) counted(g *grouping) (rows []int32, mixed bool) {
	rows, mixed = f.flows, g.all && len(f.others) > 0
	switch {
	case g.derived && !mixed:
		return nil, mixed
	case g.derived:
		rows = f.others
	case mixed:
		rows = f.first(f.rows())
	}
	if g.selection != nil {
		rows = g.selection.meet(f.record, rows, f.number, g.all, !g.all || f.alone)
	}
	return rows, mixed
}

// flowsOf returns those rows of a grouping that are flows.
func (f *feeder) flowsOf(g *grouping, all rowSet, mixed bool) rowSet {
	if !mixed {
		return all
	}
	rows := f.flows
	switch {
	case g.derived:
		rows = nil
	case g.selection != nil:
		f.buffer = append(f.buffer[:0], all.rows...)
		rows = flows(f.columns[f.dicts.projection.Index("log_status")], f.buffer, f.buffer[:0])
	}
	return all.pick(rows, &f.scratch.flowIDs)
}

// accumulate adds rows to an accumulator that has a state for so many groups.
func (f *feeder) accumulate(b *accumulator, set rowSet, groups int, mixed bool) error {
	if b.filter != nil {
		f.scratch.met = append(f.scratch.met[:0], set.rows...)
		if met := b.filter.keep(f.record, f.scratch.met, true); len(met) < len(set.rows) {
			set = set.pick(met, &f.scratch.metIDs)
		}
	}
	b.state.grow(groups)
	columns := f.flowing
	if b.All {
		columns = f.columns
	}
	var in inputs
	if b.field >= 0 {
		if in.col = columns[b.field]; blank(in.col) {
			return nil // nulls change nothing
		}
	}
	if b.also >= 0 {
		in.also = columns[b.also]
	}
	if b.dict >= 0 {
		in.codes = f.codes(f.dicts.list[b.dict], set.rows, mixed && b.All)
	}
	return b.state.add(set.ids, set.rows, in)
}

// codes returns the codes of a dictionary by row, for at least the given rows. These are flows, unless mixed is set.
func (f *feeder) codes(c *encoder, rows []int32, mixed bool) []uint32 {
	if c.pair != nil {
		a, b := f.dicts.list[c.pair.parts[0]], f.dicts.list[c.pair.parts[1]]
		c.pair.encode(f.codes(a, rows, mixed), f.codes(b, rows, mixed), rows, c.codes)
		return c.codes
	}
	switch {
	case c.every:
		if !c.done {
			c.encode(f.flowing[c.field], f.flows)
		}
		if mixed && !c.rest {
			c.encode(f.columns[c.field], f.others)
		}
		c.done, c.rest = true, c.rest || mixed
	case mixed:
		c.encode(f.columns[c.field], rows)
	default:
		c.encode(f.flowing[c.field], rows)
	}
	return c.codes
}

// firstCodes returns the codes of the first key of the rows.
func (f *feeder) firstCodes(g *grouping, rows []int32, mixed bool) []uint32 {
	f.scratch.ids = schema.Grown(f.scratch.ids, len(rows))
	ids, codes := f.scratch.ids[:len(rows)], f.codes(g.encoders[0], rows, mixed)
	for i, row := range rows {
		ids[i] = codes[row]
	}
	return ids
}

// group numbers the groups of the rows. It also returns one more than the largest number there is.
func (f *feeder) group(g *grouping, rows []int32, mixed bool) (rowSet, int) {
	if len(g.keys) == 0 {
		f.scratch.ids = schema.Grown(f.scratch.ids, len(rows))
		ids := f.scratch.ids[:len(rows)]
		clear(ids)
		return rowSet{rows, ids}, 1
	}
	ids := f.firstCodes(g, rows, mixed)
	groups := g.encoders[0].coder.Len()
	for level, table := range g.levels {
		c := g.encoders[level+1]
		if groups == 1 && c.coder.Len() == 1 && blank(f.columns[c.field]) { // and always was
			table.ID(0)
			continue
		}
		codes := f.codes(c, rows, mixed)
		f.scratch.words = schema.Grown(f.scratch.words, len(rows))
		table.number(ids, groups, rows, codes, c.coder.Len(), f.scratch.words)
		groups = table.Len()
	}
	return rowSet{rows, ids}, groups
}
