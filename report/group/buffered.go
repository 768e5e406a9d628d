package group

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"flowlog/parse/codes"
	"flowlog/report/function"
)

// waiting is rows that can be on a backlog.
type waiting struct {
	rows   []int32
	codes  [][]uint32    // by level, of its key
	values []arrow.Array // by accumulator, without nulls; nil if it needs none
}

// canWait returns rows, which are flows, to be fed by way of a backlog: if there are many groups, of which nothing but numbers
// is kept, from columns without nulls. Otherwise it is false.
func (f *feeder) canWait(g *grouping, rows []int32) (*waiting, bool) {
	many := false
	for _, table := range g.levels {
		many = many || table.exceedsCache()
	}
	if !many || g.derived || g.all {
		return nil, false
	}
	r := &waiting{rows: rows, values: make([]arrow.Array, len(g.accs))}
	for i := range g.accs {
		b := &g.accs[i]
		if b.state == nil || b.derived {
			continue
		}
		var col arrow.Array
		if b.field >= 0 {
			if col = f.flowing[b.field]; col == nil || col.NullN() > 0 {
				return nil, false
			}
		}
		if b.fn.Buffer == function.BufferNever || b.filter != nil {
			return nil, false
		}
		if b.fn.Buffer == function.BufferValue {
			r.values[i] = col
		}
	}
	for _, c := range g.encoders[1:] {
		r.codes = append(r.codes, f.codes(c, rows, false))
	}
	return r, true
}

// feedFrom feeds rows from a key level on. The ids are those of their prefix groups, which are below groups.
func (f *feeder) feedFrom(g *grouping, level int, ids []uint32, groups int, r *waiting) error {
	for ; level < len(g.levels); level++ {
		table := g.levels[level]
		if table.exceedsCache() {
			if postponed, err := f.postpone(g, level, ids, r); postponed || err != nil {
				return err
			}
		}
		f.scratch.words = codes.Grown(f.scratch.words, len(ids))
		table.number(ids, groups, r.rows, r.codes[level], g.encoders[level+1].coder.Len(), f.scratch.words)
		groups = table.Len()
	}
	g.grow(groups)
	if err := g.rows.Add(ids, r.rows, function.Inputs{}); err != nil {
		return err
	}
	for i := range g.accs {
		if b := &g.accs[i]; b.state != nil && !b.derived {
			if err := b.state.Add(ids, r.rows, function.Inputs{Col: r.values[i]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// postpone puts rows on the backlog of a level, and reports whether they find room there.
func (f *feeder) postpone(g *grouping, level int, ids []uint32, r *waiting) (bool, error) {
	size := backlogSize
	if limit := f.memory; limit > 0 {
		size = min(size, int(limit)/(32*len(g.levels))) // a quarter of it
	}
	width := len(g.levels) - level
	for _, v := range r.values {
		if v != nil {
			width++
		}
	}
	needed := (codes.Parts + len(ids)/(chunkSize/width) + 1) * chunkSize // at most
	if 2*needed > size {
		return false, nil
	}
	if g.backlogs == nil {
		g.backlogs = make([]*backlog, len(g.levels))
	}
	if g.backlogs[level] == nil {
		g.backlogs[level] = &backlog{memory: make([]uint64, size)}
	}
	l := g.backlogs[level]
	if l.used+needed > size {
		if err := f.settle(g, level); err != nil {
			return false, err
		}
	}
	l.width = width
	l.add(ids, r.codes[level], r.rows)
	place := 1
	for _, codes := range r.codes[level+1:] {
		put(l, place, codes, r.rows)
		place++
	}
	for _, v := range r.values {
		switch v := v.(type) {
		case nil:
			continue
		case *array.Int32:
			put(l, place, v.Int32Values(), r.rows)
		case *array.Int64:
			put(l, place, v.Int64Values(), r.rows)
		}
		place++
	}
	return true, nil
}

// settle feeds the rows of a backlog.
func (f *feeder) settle(g *grouping, level int) error {
	l, table := g.backlogs[level], g.levels[level]
	if l == nil || l.used == 0 {
		return nil
	}
	var words [chunkSize]uint64
	var ids [chunkSize]uint32
	r := &waiting{codes: make([][]uint32, len(g.levels)), values: make([]arrow.Array, len(g.accs))}
	for later := level + 1; later < len(g.levels); later++ {
		r.codes[later] = make([]uint32, chunkSize)
	}
	var values [][]int64
	for i, b := range g.accs {
		if b.state != nil && !b.derived && b.fn.Buffer == function.BufferValue {
			v := make([]int64, chunkSize)
			values = append(values, v)
			buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(v))}
			r.values[i] = array.NewInt64Data(array.NewData(arrow.PrimitiveTypes.Int64, chunkSize, buffers, nil, 0, 0))
		}
	}
	for i := range l.parts {
		p := &l.parts[i]
		if len(p.chunks) > 1 {
			table.Fetch(i, len(p.chunks)*chunkSize/l.width)
		}
		for _, start := range p.chunks {
			end := start + chunkSize/l.width*l.width
			if end == p.end {
				end = p.next
			}
			records := l.memory[start:end]
			n := len(records) / l.width
			for i := range n {
				words[i] = records[i*l.width]
			}
			place := 1
			for later := level + 1; later < len(g.levels); later++ {
				get(r.codes[later], records, l.width, place)
				place++
			}
			for _, v := range values {
				get(v, records, l.width, place)
				place++
			}
			table.IDs(words[:n], ids[:n])
			r.rows = f.first(n)
			if err := f.feedFrom(g, level+1, ids[:n], table.Len(), r); err != nil {
				return err
			}
		}
		p.chunks, p.next, p.end = p.chunks[:0], 0, 0
	}
	l.used = 0
	return nil
}

// settleAll feeds the rows of all backlogs of a grouping.
func (f *feeder) settleAll(g *grouping) error {
	for level := range g.backlogs {
		if err := f.settle(g, level); err != nil {
			return err
		}
	}
	g.backlogs = nil // their memory is free
	return nil
}
