package enrich

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// memoLimit is the number of distinct values beyond which a memo is cleared: a scan of the internet can show more
// addresses than memory holds. A million values take some 50 to 100 MB per worker.
const memoLimit = 1_000_000

// A memo caches the results of a group's lookups by distinct value of their From fields. It belongs to one goroutine.
type memo struct {
	from    []schema.Field
	columns []int      // of the From fields among the batch's columns, or -1
	results []*results // by lookup
	addrs   bool       // the From fields are alternative addresses: the first that is not null is the value

	coders    []codes.Coder  // of each From field; one serves for alternative addresses
	pairs     []*codes.Pairs // of the codes of each further From field and those before it
	resultIDs []uint32       // by code of a value: its index in results, plus 1; 0 if not looked up yet
	count     uint32         // the number of values looked up

	in []arrow.Array // the From columns of the batch
	memoScratch
}

// memoScratch is the memory of one batch, reused for the next.
type memoScratch struct {
	ids     []uint32 // by row: the code of its value, then the index in results
	codes   []uint32 // of a further From field
	rows    []int32  // 0, 1, 2 …
	pending []int32  // rows without an address so far
}

func newMemo(p *schema.Projection, g *group) *memo {
	m := &memo{addrs: true, in: make([]arrow.Array, len(g.from))}
	for _, name := range g.from {
		column := p.Index(name)
		m.from = append(m.from, p.Fields[column])
		m.columns = append(m.columns, column)
		m.addrs = m.addrs && p.Fields[column].Kind == schema.Addr
	}
	for _, l := range g.lookups {
		m.results = append(m.results, &results{lookup: l, column: p.Index(l.Name)})
	}
	m.reset()
	return m
}

// reset clears the memo.
func (m *memo) reset() {
	m.count, m.resultIDs = 0, nil
	m.coders, m.pairs = nil, nil
	for i, f := range m.from {
		if i == 0 || !m.addrs {
			m.coders = append(m.coders, codes.NewCoder(f))
		}
		m.pairs = append(m.pairs, codes.NewPairs())
	}
	for _, s := range m.results {
		s.values, s.null = schema.NewColumn(s.lookup.Field), nil
		s.out = &schema.Column{Field: s.lookup.Field, Dict: s.values.Dict}
	}
}

// resolve sets ids to the indexes in results for a batch with these columns, and runs the lookups for new values.
func (m *memo) resolve(cols []arrow.Array, rows int) {
	full := m.count > memoLimit
	for _, s := range m.results {
		full = full || s.values.Dict != nil && s.values.Dict.Large()
	}
	if full {
		m.reset()
	}
	for i, column := range m.columns {
		m.in[i] = cols[column]
	}
	for len(m.rows) < rows {
		m.rows = append(m.rows, int32(len(m.rows)))
	}
	m.ids = slices.Grow(m.ids[:0], rows)[:rows]
	if codes := m.code(m.rows[:rows]); codes > len(m.resultIDs) {
		m.resultIDs = append(m.resultIDs, make([]uint32, codes-len(m.resultIDs))...)
	}
	for row, code := range m.ids {
		id := &m.resultIDs[code]
		if *id == 0 {
			for _, s := range m.results {
				s.add(m.in, row)
			}
			m.count++
			*id = m.count
		}
		m.ids[row] = *id - 1
	}
}

func (m *memo) computed() ([]*results, []uint32) { return m.results, m.ids }

// code sets ids to the codes of the values, and returns one more than the largest.
func (m *memo) code(rows []int32) int {
	if m.addrs {
		m.encodeFirst(m.coders[0], m.in, rows)
		return m.coders[0].Len()
	}
	encode(m.coders[0], m.in[0], rows, m.ids)
	count := m.coders[0].Len()
	for i := 1; i < len(m.from); i++ {
		m.codes = slices.Grow(m.codes[:0], len(rows))[:len(rows)]
		encode(m.coders[i], m.in[i], rows, m.codes)
		for row, code := range m.codes {
			m.ids[row], _ = m.pairs[i].ID(uint64(m.ids[row])<<32 | uint64(code))
		}
		count = m.pairs[i].Len()
	}
	return count
}

// encodeFirst sets ids to the code of each row in the first of some columns of addresses in which it is not null, or to 0.
func (m *memo) encodeFirst(coder codes.Coder, in []arrow.Array, rows []int32) {
	for _, col := range in {
		if col == nil || col.NullN() == col.Len() {
			continue
		}
		coder.Encode(col, rows, m.ids)
		if col.NullN() == 0 {
			return
		}
		valid := schema.ValidityOf(col)
		pending := m.pending[:0]
		for _, row := range rows {
			if valid.Null(row) {
				pending = append(pending, row)
			}
		}
		m.pending, rows = pending, pending
	}
	for _, row := range rows {
		m.ids[row] = 0
	}
}

// encode writes the codes of a column. Without a column all are null.
func encode(coder codes.Coder, col arrow.Array, rows []int32, out []uint32) {
	if col == nil {
		clear(out)
		return
	}
	coder.Encode(col, rows, out)
}

// A results has the results of one lookup for the distinct values.
type results struct {
	lookup Lookup
	column int // in the outgoing batch
	values *schema.Column
	null   []bool
	out    *schema.Column // the last batch's, for its memory
}

func (s *results) add(in []arrow.Array, row int) {
	nulls := len(s.values.Nulls)
	s.lookup.Append(s.values, in, row)
	s.null = append(s.null, len(s.values.Nulls) > nulls)
	if s.values.Len() != len(s.null) {
		panic(fmt.Sprintf("the lookup of %s must append one value at a time", s.lookup.Name))
	}
}

// gather returns the result for each of ids, in memory that the next call reuses. Texts share the dictionary of values.
func (s *results) gather(ids []uint32) arrow.Array {
	out := s.out
	out.Int32 = pick(out.Int32, s.values.Int32, ids)
	out.Int64 = pick(out.Int64, s.values.Int64, ids)
	out.Float = pick(out.Float, s.values.Float, ids)
	out.Addr = pick(out.Addr, s.values.Addr, ids)
	out.Nulls = out.Nulls[:0]
	if len(s.values.Nulls) > 0 {
		for row, id := range ids {
			if s.null[id] {
				out.Nulls = append(out.Nulls, int32(row))
			}
		}
	}
	return out.Array()
}

// pick sets to[i] = from[ids[i]], or empties it if from is not the slice of the column's kind.
func pick[T any](to, from []T, ids []uint32) []T {
	if len(from) == 0 {
		return to[:0]
	}
	to = slices.Grow(to[:0], len(ids))[:len(ids)]
	for i, id := range ids {
		to[i] = from[id]
	}
	return to
}
