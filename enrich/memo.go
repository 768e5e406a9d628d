package enrich

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// memoLimit is the number of distinct values from which on a memo is started anew: a scan of the internet can
// show more addresses than memory holds.
const memoLimit = 1_000_000

// A memo remembers what a group's lookups said of each distinct value of their From fields.
type memo struct {
	from   []schema.Field
	places []int // of the From fields among the batch's columns, or -1
	stores []*store
	addrs  bool // the From fields are alternative addresses: the first that is not null is the value

	coders []schema.Coder  // of each From field; one serves for alternative addresses
	pairs  []*schema.Pairs // of the codes of each further From field and those before it
	known  []uint32        // by code of a value: its number in the stores, plus 1
	count  uint32          // how many values the stores hold

	in    []arrow.Array
	ids   []uint32 // of each row of the batch at hand: its value's code, then its number in the stores
	codes []uint32 // of a further field
	rows  []int32  // 0, 1, 2 …
	left  []int32  // rows that have no address yet
}

func newMemo(p *schema.Projection, g *group) *memo {
	m := &memo{addrs: true, in: make([]arrow.Array, len(g.from))}
	for _, name := range g.from {
		place := p.Index(name)
		m.from = append(m.from, p.Fields[place])
		m.places = append(m.places, place)
		m.addrs = m.addrs && p.Fields[place].Kind == schema.Addr
	}
	for _, l := range g.lookups {
		m.stores = append(m.stores, &store{lookup: l, place: p.Index(l.Name)})
	}
	m.forget()
	return m
}

// forget starts the memo anew.
func (m *memo) forget() {
	m.count, m.known = 0, nil
	m.coders, m.pairs = nil, nil
	for i, f := range m.from {
		if i == 0 || !m.addrs {
			m.coders = append(m.coders, schema.NewCoder(f))
		}
		m.pairs = append(m.pairs, schema.NewPairs())
	}
	for _, s := range m.stores {
		s.values, s.null = schema.NewColumn(s.lookup.Field), nil
		s.out = &schema.Column{Field: s.lookup.Field, Dict: s.values.Dict}
	}
}

// number sets ids for the batch that has these columns, and runs the lookups for the values that are new.
func (m *memo) number(cols []arrow.Array, rows int) {
	full := m.count > memoLimit
	for _, s := range m.stores {
		full = full || s.values.Dict != nil && s.values.Dict.Large()
	}
	if full {
		m.forget()
	}
	for i, place := range m.places {
		m.in[i] = cols[place]
	}
	for len(m.rows) < rows {
		m.rows = append(m.rows, int32(len(m.rows)))
	}
	m.ids = slices.Grow(m.ids[:0], rows)[:rows]
	if codes := m.code(m.rows[:rows]); codes > len(m.known) {
		m.known = append(m.known, make([]uint32, codes-len(m.known))...)
	}
	for row, code := range m.ids {
		known := &m.known[code]
		if *known == 0 {
			for _, s := range m.stores {
				s.add(m.in, row)
			}
			m.count++
			*known = m.count
		}
		m.ids[row] = *known - 1
	}
}

// code sets ids to the codes of the values, and returns one more than the largest.
func (m *memo) code(rows []int32) int {
	if m.addrs {
		// each row by the first column in which it is not null
		for _, col := range m.in {
			if col == nil || col.NullN() == col.Len() {
				continue
			}
			m.coders[0].Encode(col, rows, m.ids)
			if col.NullN() == 0 {
				return m.coders[0].Len()
			}
			valid := schema.ValidityOf(col)
			left := m.left[:0]
			for _, row := range rows {
				if valid.Null(row) {
					left = append(left, row)
				}
			}
			m.left, rows = left, left
		}
		for _, row := range rows {
			m.ids[row] = 0
		}
		return m.coders[0].Len()
	}
	m.encode(0, rows, m.ids)
	count := m.coders[0].Len()
	for i := 1; i < len(m.from); i++ {
		m.codes = slices.Grow(m.codes[:0], len(rows))[:len(rows)]
		m.encode(i, rows, m.codes)
		for row, code := range m.codes {
			m.ids[row], _ = m.pairs[i].ID(uint64(m.ids[row])<<32 | uint64(code))
		}
		count = m.pairs[i].Len()
	}
	return count
}

// encode writes the codes of one From field. Without a column all are null.
func (m *memo) encode(i int, rows []int32, out []uint32) {
	if m.in[i] == nil {
		clear(out)
		return
	}
	m.coders[i].Encode(m.in[i], rows, out)
}

// A store holds what one lookup said of the distinct values, by number.
type store struct {
	lookup Lookup
	place  int // of the column in the outgoing batch
	values *schema.Column
	null   []bool
	out    *schema.Column // the last batch's, for its memory
}

func (s *store) add(in []arrow.Array, row int) {
	nulls := len(s.values.Nulls)
	s.lookup.Append(s.values, in, row)
	s.null = append(s.null, len(s.values.Nulls) > nulls)
	if s.values.Len() != len(s.null) {
		panic(fmt.Sprintf("the lookup of %s must append one value at a time", s.lookup.Name))
	}
}

// gather returns the value of each number in ids, in memory that the next call reuses. Texts share the
// store's dictionary.
func (s *store) gather(ids []uint32) arrow.Array {
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

// pick is to[i] = from[ids[i]], or nothing if from is not the slice of the column's kind.
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
