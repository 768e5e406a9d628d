package enrich

import (
	"net/netip"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/enrich/inventory"
	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// An ownerMemo caches the answers of an inventory for one end. Each is looked up once for an address, the VPC of the record,
// and the times between which the answer is the same: most addresses have one owner, and one answer for all records.
//
// Long because each step has codes of its own.
type ownerMemo struct {
	*memo
	at *asOf

	addrs   codes.Coder    // of addresses; of interfaces, if the end is the record's own
	texts   [3]codes.Coder // of the record's interface and of the fields that may have its VPC
	homes   []ownerHome    // by code of the interface
	vpcs    [2][]int32     // by code of a VPC: its number plus 1; 0 if not looked up yet
	values  *codes.Pairs   // of an address and the VPC
	epochs  [][]int64      // by value: the times at which its answer changes; nil if it does not
	asked   []bool         // by value: epochs has its times
	spans   *codes.Pairs   // of the epochs of start and end
	timed   *codes.Pairs   // of a value and the span
	timedID []uint32       // by code of those: the index in results, plus 1
	classes []ownerClass   // by index in results: how it counts
	words   []uint64       // scratch
	context [3][]uint32    // scratch: codes of texts
	bytes   int            // the column of bytes, or -1
}

// An ownerHome is what the interface of a record says of the addresses in it.
type ownerHome struct {
	known   bool
	vpc     int32
	primary uint32 // code of the address that is the interface's own; 0 if there is none
}

// An ownerClass is how the answer to a value counts in the tally.
type ownerClass struct {
	state       inventory.State
	private     bool
	first, last int64 // if not 0, the answer was assumed from these snapshots
}

func newOwnerMemo(p *schema.Projection, g *group) *ownerMemo {
	m := &ownerMemo{memo: newMemo(p, g), at: g.lookups[0].dated, bytes: p.Index("bytes")}
	m.resetOwners()
	return m
}

func (m *ownerMemo) resetOwners() {
	m.reset()
	m.addrs = codes.NewCoder(m.from[0])
	for i := range m.texts {
		m.texts[i] = codes.NewCoder(schema.Field{Kind: schema.Text})
	}
	m.homes, m.vpcs = nil, [2][]int32{}
	m.values, m.spans, m.timed = codes.NewPairs(), codes.NewPairs(), codes.NewPairs()
	m.epochs, m.asked, m.timedID, m.classes = nil, nil, nil, nil
}

// resolve sets ids to the indexes in results for a batch with these columns.
func (m *ownerMemo) resolve(cols []arrow.Array, rows int) {
	full := m.count > memoLimit || m.addrs.Len() > memoLimit || m.values.Len() > memoLimit
	for _, s := range m.results {
		full = full || s.values.Dict != nil && s.values.Dict.Large()
	}
	if full {
		m.resetOwners()
	}
	for i, column := range m.columns {
		m.in[i] = cols[column]
	}
	for len(m.rows) < rows {
		m.rows = append(m.rows, int32(len(m.rows)))
	}
	m.ids = slices.Grow(m.ids[:0], rows)[:rows]
	if m.at.end.addrs == nil {
		encode(m.addrs, m.in[0], m.rows[:rows], m.ids)
		m.grow(m.addrs.Len())
	} else {
		m.code(rows)
		m.grow(m.values.Len() + 1)
	}
	m.answer(rows)
	m.weigh(cols, rows)
}

// grow makes room for values.
func (m *ownerMemo) grow(values int) {
	if n := values - len(m.resultIDs); n > 0 {
		m.resultIDs = append(m.resultIDs, make([]uint32, n)...)
		m.epochs = append(m.epochs, make([][]int64, n)...)
		m.asked = append(m.asked, make([]bool, n)...)
	}
}

// code sets ids to the codes of an address and what of the record its owner depends on: whether it is the interface's own
// primary address, and else the VPC.
func (m *ownerMemo) code(rows int) {
	n := len(m.at.end.addrs)
	m.encodeFirst(m.addrs, m.in[:n], m.rows[:rows])
	for i := range m.texts {
		m.context[i] = slices.Grow(m.context[i][:0], rows)[:rows]
		encode(m.texts[i], m.in[n+i], m.rows[:rows], m.context[i])
	}
	for len(m.homes) < m.texts[0].Len() {
		m.homes = append(m.homes, ownerHome{})
	}
	for i := range m.vpcs {
		if more := m.texts[i+1].Len() - len(m.vpcs[i]); more > 0 {
			m.vpcs[i] = append(m.vpcs[i], make([]int32, more)...)
		}
	}
	m.words = slices.Grow(m.words[:0], rows)[:rows]
	const own = 1 << 31
	for row, addr := range m.ids {
		id := m.context[0][row]
		home := &m.homes[id]
		if !home.known {
			m.learn(id, home)
		}
		context := uint32(home.vpc)
		switch vpc, transit := m.context[1][row], m.context[2][row]; {
		case addr != 0 && addr == home.primary:
			context = own | id
		case vpc != 0:
			context = uint32(m.vpc(0, vpc))
		case transit != 0:
			context = uint32(m.vpc(1, transit))
		}
		m.words[row] = uint64(addr)<<32 | uint64(context)
	}
	m.values.IDs(m.words, m.ids)
}

// learn looks up what an interface says of the addresses in its records.
func (m *ownerMemo) learn(code uint32, home *ownerHome) {
	home.known = true
	id, ok := m.texts[0].Value(code).(string)
	if !ok {
		return
	}
	home.vpc = m.at.inv.Home("", id)
	if a := m.at.inv.Primary(id); a.IsValid() {
		home.primary, _ = m.addrs.Code(a)
	}
}

// vpc returns the number of the VPC with a code.
func (m *ownerMemo) vpc(i int, code uint32) int32 {
	known := &m.vpcs[i][code]
	if *known == 0 {
		*known = m.at.inv.Home(m.texts[i+1].Value(code).(string), "") + 1
	}
	return *known - 1
}

// answer replaces the codes of values by indexes in results, and looks up what is new.
func (m *ownerMemo) answer(rows int) {
	starts, ends := times64(m.in[len(m.in)-2]), times64(m.in[len(m.in)-1])
	for row := range rows {
		value := m.ids[row]
		if !m.asked[value] {
			m.asked[value], m.epochs[value] = true, m.at.epochs(m.in, row)
		}
		epochs := m.epochs[value]
		id := &m.resultIDs[value]
		if epochs != nil {
			start, end := starts.at(row), ends.at(row)
			if starts.null(row) || ends.null(row) {
				start, end = times(m.in, row)
			}
			span, _ := m.spans.ID(uint64(epochOf(epochs, min(start, end)))<<32 | uint64(epochOf(epochs, max(start, end))))
			timed, isNew := m.timed.ID(uint64(value)<<32 | uint64(span))
			if isNew {
				for len(m.timedID) <= int(timed) {
					m.timedID = append(m.timedID, 0)
				}
			}
			id = &m.timedID[timed]
		}
		if *id == 0 {
			for _, s := range m.results {
				s.add(m.in, row)
			}
			m.classes = append(m.classes, m.class(row))
			m.count++
			*id = m.count
		}
		m.ids[row] = *id - 1
	}
}

// epochOf is how many of the times are not after t.
func epochOf(epochs []int64, t int64) int {
	i, found := slices.BinarySearch(epochs, t)
	if found {
		i++
	}
	return i
}

// A timeColumn is a column of times, or none.
type timeColumn struct {
	col    arrow.Array
	values []int64
	nulls  bool
}

func times64(col arrow.Array) timeColumn {
	a, ok := col.(*array.Int64)
	if !ok {
		return timeColumn{}
	}
	return timeColumn{col, a.Int64Values(), a.NullN() > 0}
}

func (t timeColumn) null(row int) bool {
	return t.values == nil || t.nulls && t.col.IsNull(row)
}

func (t timeColumn) at(row int) int64 {
	if t.values == nil {
		return 0
	}
	return t.values[row]
}

// class is how the answer for a row counts.
func (m *ownerMemo) class(row int) ownerClass {
	if m.at.end.addrs == nil {
		return ownerClass{}
	}
	a, ok := m.at.answer(m.in, row)
	if !ok {
		return ownerClass{}
	}
	addr, _ := address(m.in[:len(m.at.end.addrs)], row)
	return ownerClass{state: a.State, private: isPrivate(addr), first: a.First, last: a.Last}
}

// isPrivate reports whether an address is one of a private network: of RFC 1918, or a unique local one.
func isPrivate(a netip.Addr) bool { return a.IsPrivate() }

// weigh adds the batch to the tally.
func (m *ownerMemo) weigh(cols []arrow.Array, rows int) {
	if m.at.end.addrs == nil {
		return
	}
	var bytes *array.Int64
	if m.bytes >= 0 {
		bytes, _ = cols[m.bytes].(*array.Int64)
	}
	ends, starts := times64(m.in[len(m.in)-1]), times64(m.in[len(m.in)-2])
	var w weighing
	for row := range rows {
		c := &m.classes[m.ids[row]]
		if !c.private && c.state == inventory.None {
			continue
		}
		weight := int64(1)
		if bytes != nil {
			weight = bytes.Value(row)
		}
		if c.private {
			w.private += weight
			w.states[c.state] += weight
		}
		if c.state == inventory.Several || c.state == inventory.None {
			continue
		}
		w.named += weight
		if c.first == 0 {
			continue
		}
		if before := c.first - starts.at(row); before > 0 && !starts.null(row) {
			w.before = max(w.before, before)
			w.outside += weight
		} else if after := ends.at(row) - c.last; after > 0 && !ends.null(row) {
			w.after = max(w.after, after)
			w.outside += weight
		}
	}
	m.at.tally.add(&w, bytes != nil)
}
