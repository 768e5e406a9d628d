package group

import "flowlog/parse/codes"

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

// beginBatch forgets the codes of the batch before.
func (f *feeder) beginBatch(rows int) {
	for _, c := range f.dicts.list {
		c.begin(rows)
	}
}

// codes returns the codes of a dictionary by row, for at least the given rows. These are flows, unless mixed is set.
func (f *feeder) codes(c *encoder, rows []int32, mixed bool) []uint32 {
	if c.pair != nil {
		a, b := f.dicts.list[c.pair.Parts[0]], f.dicts.list[c.pair.Parts[1]]
		c.pair.Encode(f.codes(a, rows, mixed), f.codes(b, rows, mixed), rows, c.codes)
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
	f.scratch.ids = codes.Grown(f.scratch.ids, len(rows))
	ids, codes := f.scratch.ids[:len(rows)], f.codes(g.encoders[0], rows, mixed)
	for i, row := range rows {
		ids[i] = codes[row]
	}
	return ids
}

// group numbers the groups of the rows. It also returns one more than the largest number there is.
func (f *feeder) group(g *grouping, rows []int32, mixed bool) (rowSet, int) {
	if len(g.keys) == 0 {
		f.scratch.ids = codes.Grown(f.scratch.ids, len(rows))
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
		keyCodes := f.codes(c, rows, mixed)
		f.scratch.words = codes.Grown(f.scratch.words, len(rows))
		table.number(ids, groups, rows, keyCodes, c.coder.Len(), f.scratch.words)
		groups = table.Len()
	}
	return rowSet{rows, ids}, groups
}
