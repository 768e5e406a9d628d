package enrich

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// memoLimit is the number of distinct values from which on a memo is started anew: a scan of the internet can
// show more addresses than memory holds. It is a little less than 1<<20, where the table that numbers IPv4
// addresses would grow from 16 MB to 32.
const memoLimit = 1_000_000

// A memo remembers what a group's lookups said of each distinct value of their From fields.
type memo struct {
	from   []schema.Field
	places []int // of the From fields among the batch's columns, or -1
	stores []*store
	addrs  bool // the From fields are alternative addresses: the first that is not null is the value

	ids   []int32 // the number of each row's value, in the batch at hand
	known int32   // how many values the stores hold
	cols  []coder // number the values of each From field; one serves for alternative addresses
	pairs []coder // number the combinations of each From field with those before it
	in    []arrow.Array
	other []int32
}

func newMemo(p *schema.Projection, g *group) *memo {
	m := &memo{addrs: true, in: make([]arrow.Array, len(g.from))}
	for _, name := range g.from {
		place := p.Index(name)
		f := schema.Field{Name: name}
		if place >= 0 {
			f = p.Fields[place]
		}
		m.from = append(m.from, f)
		m.places = append(m.places, place)
		m.addrs = m.addrs && f.Kind == schema.Addr
	}
	for _, l := range g.lookups {
		m.stores = append(m.stores, &store{lookup: l, place: p.Index(l.Name)})
	}
	m.forget()
	return m
}

// forget starts the memo anew.
func (m *memo) forget() {
	m.known = 0
	m.cols, m.pairs = make([]coder, len(m.from)), make([]coder, len(m.from))
	for _, s := range m.stores {
		s.values, s.null = schema.NewColumn(s.lookup.Field), nil
		s.out = &schema.Column{Field: s.lookup.Field, Dict: s.values.Dict}
	}
}

// number sets ids for the batch that has these columns, and runs the lookups for the values that are new.
func (m *memo) number(cols []arrow.Array, rows int) {
	full := m.known > memoLimit
	for _, s := range m.stores {
		full = full || s.values.Dict != nil && s.values.Dict.Large()
	}
	if full {
		m.forget()
	}
	for i, place := range m.places {
		m.in[i] = nil
		if place >= 0 {
			m.in[i] = cols[place]
		}
	}
	m.ids = slices.Grow(m.ids[:0], rows)[:rows]
	distinct := m.code()
	// Values are numbered in the order in which they come, so the next new one is where the next number is.
	for row := 0; m.known < distinct; row++ {
		if m.ids[row] == m.known {
			for _, s := range m.stores {
				s.add(m.in, row)
			}
			m.known++
		}
	}
}

// code sets ids and returns how many there are by now.
func (m *memo) code() int32 {
	if m.addrs {
		m.cols[0].addrs(m.in, m.ids)
		return m.cols[0].n
	}
	m.cols[0].column(m.in[0], m.from[0].Kind, m.ids)
	distinct := m.cols[0].n
	for i := 1; i < len(m.from); i++ {
		m.other = slices.Grow(m.other[:0], len(m.ids))[:len(m.ids)]
		m.cols[i].column(m.in[i], m.from[i].Kind, m.other)
		for row, id := range m.other {
			m.ids[row] = m.pairs[i].wideID([2]uint64{uint64(m.ids[row]), uint64(id)})
		}
		distinct = m.pairs[i].n
	}
	return distinct
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
func (s *store) gather(ids []int32) arrow.Array {
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
func pick[T any](to, from []T, ids []int32) []T {
	if len(from) == 0 {
		return to[:0]
	}
	to = slices.Grow(to[:0], len(ids))[:len(ids)]
	for i, id := range ids {
		to[i] = from[id]
	}
	return to
}

// A coder numbers the distinct values of a field from 0, in the order in which they come.
type coder struct {
	n     int32
	null  int32   // as all of these it holds the number + 1, or 0 for a value that has none yet
	small []int32 // by whole number below 65536
	ip4   ip4Table
	wide  wideTable
	words map[string]int32
	codes []int32 // by code of the dictionary at hand
}

// next numbers a new value.
func (c *coder) next() int32 {
	c.n++
	return c.n
}

func (c *coder) nullID() int32 {
	if c.null == 0 {
		c.null = c.next()
	}
	return c.null - 1
}

// addrs sets ids to the numbers of the first addresses that are not null.
func (c *coder) addrs(in []arrow.Array, ids []int32) {
	type column struct {
		arrow.Array
		values [][16]byte
	}
	var few [2]column
	cols := few[:0]
	for _, a := range in {
		if a == nil || a.NullN() == a.Len() {
			continue
		}
		cols = append(cols, column{a, schema.AddrValues(a)})
		if a.NullN() == 0 {
			break
		}
	}
	if len(cols) == 1 && cols[0].NullN() == 0 {
		values := cols[0].values[:len(ids)]
		for row := range ids {
			ids[row] = c.addrID(&values[row])
		}
		return
	}
rows:
	for row := range ids {
		for i := range cols {
			if cols[i].IsValid(row) {
				ids[row] = c.addrID(&cols[i].values[row])
				continue rows
			}
		}
		ids[row] = c.nullID()
	}
}

// column sets ids to the numbers of one field's values. Without an array all are null.
func (c *coder) column(a arrow.Array, kind schema.Kind, ids []int32) {
	if a == nil {
		for row := range ids {
			ids[row] = c.nullID()
		}
		return
	}
	if kind == schema.Addr {
		c.addrs([]arrow.Array{a}, ids)
		return
	}
	var id func(row int) int32
	switch kind {
	case schema.Int32:
		values := a.(*array.Int32).Int32Values()
		id = func(row int) int32 { return c.intID(uint64(values[row])) }
	case schema.Int64, schema.Time:
		values := a.(*array.Int64).Int64Values()
		id = func(row int) int32 { return c.intID(uint64(values[row])) }
	case schema.Float:
		values := a.(*array.Float64).Float64Values()
		id = func(row int) int32 { return c.intID(math.Float64bits(values[row])) }
	case schema.Text:
		codes, words := schema.TextCodes(a)
		// A dictionary may have changed behind the same address since the last batch.
		c.codes = slices.Grow(c.codes[:0], words.Len())[:words.Len()]
		clear(c.codes)
		id = func(row int) int32 {
			known := &c.codes[codes[row]]
			if *known == 0 {
				*known = c.textID(words.Value(int(codes[row]))) + 1
			}
			return *known - 1
		}
	}
	if a.NullN() == 0 {
		for row := range ids {
			ids[row] = id(row)
		}
		return
	}
	for row := range ids {
		if a.IsValid(row) {
			ids[row] = id(row)
		} else {
			ids[row] = c.nullID()
		}
	}
}

func (c *coder) addrID(a *[16]byte) int32 {
	hi, lo := binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:])
	if hi != 0 || lo>>32 != 0xffff {
		return c.wideID([2]uint64{hi, lo})
	}
	id := c.ip4.find(uint32(lo), c.n)
	if id == c.n {
		c.n++
	}
	return id
}

func (c *coder) wideID(key [2]uint64) int32 {
	id := c.wide.find(key, c.n)
	if id == c.n {
		c.n++
	}
	return id
}

func (c *coder) intID(v uint64) int32 {
	if v >= 1<<16 {
		return c.wideID([2]uint64{0, v})
	}
	if v >= uint64(len(c.small)) {
		c.small = append(c.small, make([]int32, max(256, 2*v)-uint64(len(c.small)))...)
	}
	if c.small[v] == 0 {
		c.small[v] = c.next()
	}
	return c.small[v] - 1
}

func (c *coder) textID(s string) int32 {
	id := c.words[s]
	if id == 0 {
		if c.words == nil {
			c.words = make(map[string]int32)
		}
		id = c.next()
		c.words[string([]byte(s))] = id
	}
	return id - 1
}
