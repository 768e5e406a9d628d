package enrich

import (
	"math"
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
	owns    *codes.Pairs   // of an interface whose own address it is, and the VPC
	values  *codes.Pairs   // of an address and the VPC
	epochs  [][]int64      // by value: the times at which its answer changes; nil if it does not
	asked   []bool         // by value: epochs has its times
	recent  []ownerSpan    // by value: the last answer, and when it holds
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
	m.values, m.owns, m.spans, m.timed = codes.NewPairs(), codes.NewPairs(), codes.NewPairs(), codes.NewPairs()
	m.epochs, m.asked, m.recent, m.timedID, m.classes = nil, nil, nil, nil, nil
}

// resolve sets ids to the indexes in results for a batch with these columns.
func (m *ownerMemo) resolve(cols []arrow.Array, rows int) {
	// A network has as many names as it has interfaces, so their dictionaries may be larger than those of other fields.
	if m.count > memoLimit || m.addrs.Len() > memoLimit || m.values.Len() > memoLimit {
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
		m.recent = append(m.recent, make([]ownerSpan, n)...)
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
	const isOwn = 1 << 31
	for row, addr := range m.ids {
		id := m.context[0][row]
		home := &m.homes[id]
		if !home.known {
			m.learn(id, home)
		}
		context := uint32(home.vpc)
		if vpc := m.context[1][row]; vpc != 0 {
			context = uint32(m.vpc(0, vpc))
		} else if transit := m.context[2][row]; transit != 0 {
			context = uint32(m.vpc(1, transit))
		}
		if addr != 0 && addr == home.primary {
			own, _ := m.owns.ID(uint64(id)<<32 | uint64(context))
			context = isOwn | own
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
	timed := starts.full() && ends.full()
	for row := range rows {
		value := m.ids[row]
		recent := &m.recent[value]
		if timed && recent.from <= starts.values[row] && starts.values[row] <= ends.values[row] && ends.values[row] < recent.to {
			m.ids[row] = recent.id - 1
			continue
		}
		if !m.asked[value] {
			m.asked[value], m.epochs[value] = true, m.at.epochs(m.in, row)
		}
		id, now := &m.resultIDs[value], ownerSpan{from: math.MinInt64, to: math.MaxInt64}
		if epochs := m.epochs[value]; epochs != nil {
			start, end := times(m.in, row)
			from, to := epochOf(epochs, start), epochOf(epochs, end)
			id = m.spanID(value, from, to)
			now = ownerSpan{} // the answer for a change within the record is for nothing else
			if from == to {
				now = spanOf(epochs, from)
			}
		}
		if *id == 0 {
			m.ask(row)
			*id = m.count
		}
		if now.from < now.to {
			now.id = *id
			*recent = now
		}
		m.ids[row] = *id - 1
	}
}

// spanID returns where the index of an answer is kept: of a value, for times from one epoch to another.
func (m *ownerMemo) spanID(value uint32, from, to int) *uint32 {
	span, _ := m.spans.ID(uint64(from)<<32 | uint64(to))
	timed, _ := m.timed.ID(uint64(value)<<32 | uint64(span))
	for len(m.timedID) <= int(timed) {
		m.timedID = append(m.timedID, 0)
	}
	return &m.timedID[timed]
}

// ask looks up the owner for a row.
func (m *ownerMemo) ask(row int) {
	a, ok := m.at.answer(m.in, row)
	for _, s := range m.results {
		nulls := len(s.values.Nulls)
		if ok {
			text(s.values, s.lookup.answered(&a))
		} else {
			s.values.Null()
		}
		s.added(nulls)
	}
	class := ownerClass{state: a.State, first: a.First, last: a.Last}
	if ok && m.at.end.addrs != nil {
		addr, _ := address(m.in[:len(m.at.end.addrs)], row)
		class.private = addr.IsPrivate()
	}
	m.classes = append(m.classes, class)
	m.count++
}

// An ownerSpan is the times of flows for which an answer holds, from the first to before the last.
type ownerSpan struct {
	from, to int64
	id       uint32 // of the answer: its index in results, plus 1
}

// spanOf is the time of an epoch.
func spanOf(epochs []int64, epoch int) ownerSpan {
	s := ownerSpan{from: math.MinInt64, to: math.MaxInt64}
	if epoch > 0 {
		s.from = epochs[epoch-1]
	}
	if epoch < len(epochs) {
		s.to = epochs[epoch]
	}
	return s
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

// full reports whether no time is null.
func (t timeColumn) full() bool { return t.values != nil && !t.nulls }

func (t timeColumn) null(row int) bool {
	return t.values == nil || t.nulls && t.col.IsNull(row)
}

func (t timeColumn) at(row int) int64 {
	if t.values == nil {
		return 0
	}
	return t.values[row]
}

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
