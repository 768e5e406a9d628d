package pass

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"flowlog/parse/schema"
)

// ConnectionOptions say how connections are made.
type ConnectionOptions struct {
	IdleTCP, IdleUDP int64 // seconds; IdleUDP is for all protocols but TCP
	// Service reports whether a port is that of a known service.
	Service func(protocol uint8, port uint16) bool
	Ordered bool   // hand the connections on in the order of their start, then of their ends
	Limit   int64  // bytes that records may take in memory, 0 for any number
	TempDir string // of the file for those beyond it, "" for the system's
}

// ErrNoAddresses is the error for logs without addresses.
var ErrNoAddresses = errors.New("connections need addresses, and these logs have no srcaddr, dstaddr, pkt_srcaddr or pkt_dstaddr")

// Connections stands between a scan and what it feeds, and hands on connections in place of records: who opened each,
// what went up and down, when, and what became of it. Which address is an interface's own, who else saw the same packets
// and which ports are servers' is known only when all records have been seen: until then it keeps a flow of 64 bytes for
// each, in memory up to the limit and then in a temporary file. What it hands on does not depend on the order of the
// input or on the number of workers.
type Connections struct {
	opt       ConnectionOptions
	fields    schema.Table // what is handed on
	overflow  overflow
	mu        sync.Mutex
	gatherers map[int]*gatherer // by worker of the scan

	Total    Tally            // all flows
	Double   Tally            // those whose packets another interface logged
	Outer    Tally            // those of NAT gateways that also logged whom they forward for
	By       [len(hows)]int64 // connections by how their client was found
	Resumed  int64            // those that go on after a gap
	Flagless int64            // TCP connections of which no flags were logged
}

// NewConnections returns the pass for a consumer of a projection of ConnectionFields, and the projection of the records
// that it needs. known is the table of the fields of records.
func NewConnections(opt ConnectionOptions, known schema.Table, p *schema.Projection) (*Connections, *schema.Projection, error) {
	needs, err := known.Project(append(sightingFields[:], connectionNeeds[:]...)...)
	if err != nil {
		return nil, nil, err
	}
	c := &Connections{opt: opt, fields: p.Logged().Fields, gatherers: make(map[int]*gatherer)}
	c.overflow = overflow{limit: opt.Limit, dir: opt.TempDir}
	return c, needs, nil
}

// Add keeps the flows of a batch. It is a schema.Emit.
func (c *Connections) Add(b schema.Batch) error {
	c.mu.Lock()
	g := c.gatherers[b.Worker]
	if g == nil {
		g = newGatherer(&c.overflow)
		c.gatherers[b.Worker] = g
	}
	c.mu.Unlock()
	return g.gather(b.Record)
}

// Close removes the temporary file.
func (c *Connections) Close() error { return c.overflow.close() }

// Emit hands on the connections, to so many workers at once, in one batch for each lot. It follows the last Add. Batches
// are numbered without gaps: in the order of their numbers they are the same in every run.
func (c *Connections) Emit(workers int, emit schema.Emit) error {
	witnesses := make(map[int]*witness)
	for worker, g := range c.gatherers {
		witnesses[worker] = g.witness
		c.Total.join(g.total)
	}
	survey := newSurvey(witnesses)
	if survey == nil {
		return nil
	}
	survey.learn()
	m := &matcher{survey: survey, opt: &c.opt, overflow: &c.overflow}
	for _, g := range c.gatherers {
		m.gatherers = append(m.gatherers, g)
	}
	m.prepare()
	if len(m.values) == 1 {
		return ErrNoAddresses
	}
	if err := m.insideOf(workers); err != nil {
		return err
	}
	if err := m.findServers(workers); err != nil {
		return err
	}
	return c.match(m, workers, emit)
}

// match makes the connections of all lots and hands them on.
func (c *Connections) match(m *matcher, workers int, emit schema.Emit) error {
	readers := make([]*lotReader, workers)
	writers := make([]*connectionWriter, workers)
	ordered := newOrdering(c, m, workers)
	err := m.eachLot(workers, func(l *lotReader, worker, lot int) error {
		if readers[worker] == nil {
			readers[worker], writers[worker] = l, newConnectionWriter(c.fields, m)
		}
		all, err := l.connections(lot)
		if err != nil {
			return err
		}
		if ordered != nil {
			return ordered.put(worker, all)
		}
		return writers[worker].emit(all, worker, lot, emit)
	})
	for _, l := range readers {
		if l != nil {
			l.count(c)
		}
	}
	if err != nil || ordered == nil {
		return err
	}
	return m.eachLot(workers, func(l *lotReader, worker, lot int) error {
		if writers[worker] == nil {
			writers[worker] = newConnectionWriter(c.fields, m)
		}
		all, err := ordered.load(l, lot)
		if err != nil {
			return err
		}
		return writers[worker].emit(all, worker, lot, emit)
	})
}

// Note says how much is sure of who opened the connections, and what was left out. It is nil if there are none.
func (c *Connections) Note() *schema.Words {
	all, sure := int64(0), int64(0)
	for h, n := range c.By {
		all += n
		if how(h).sure() {
			sure += n
		}
	}
	if all == 0 {
		return nil
	}
	text := fmt.Sprintf("connections: the client of all %d is known by SYN or time", all)
	if n := all - sure; n > 0 {
		text = fmt.Sprintf("connections: of %d, the client of %d is known by SYN or time, and assumed of %d", all, sure, n)
		var by []string
		for h, n := range c.By {
			if n > 0 && !how(h).sure() {
				by = append(by, fmt.Sprintf("%d by %s", n, hows[h].name))
			}
		}
		text += " (" + schema.Join(by, "and") + ")"
	}
	if c.Flagless > 0 {
		text += fmt.Sprintf("; %d of TCP have no tcp_flags, so that neither resumed nor closed ones can be told", c.Flagless)
	}
	if c.Double.Flows > 0 {
		text += fmt.Sprintf("; %d of %d flows had been logged by another interface", c.Double.Flows, c.Total.Flows)
	}
	if c.Outer.Flows > 0 {
		text += fmt.Sprintf("; %d are the outer side of a NAT gateway whose inner side was logged, and are left out", c.Outer.Flows)
	}
	return schema.Wordsf("%s", text)
}

// A matcher is what all goroutines know that make connections.
type matcher struct {
	*survey
	opt       *ConnectionOptions
	overflow  *overflow
	gatherers []*gatherer
	values    [][16]byte      // by code of an address
	windows   []int64         // by observer: the aggregation interval
	ranks     []uint32        // by observer: its place in the order of names
	twins     map[uint32]bool // private addresses that interfaces in two VPCs have
	servers   map[uint64]bool // ends that are servers' by fan
}

// Aggregation intervals of flow logs, in seconds, and how long a flow of the shorter one may be: times are right within
// 60 s. Source: Amazon VPC User Guide, "Flow log records".
const (
	shortWindow  = 60
	longWindow   = 600
	longestShort = shortWindow + slack
)

// prepare finds what follows from all observers together.
func (m *matcher) prepare() {
	m.windows, m.ranks = make([]int64, len(m.names)), make([]uint32, len(m.names))
	for i := range m.windows {
		m.windows[i] = shortWindow
	}
	for _, g := range m.gatherers {
		for observer, longest := range g.longest {
			if g.seen != nil {
				observer = int(g.seen[observer])
			}
			if longest > longestShort {
				m.windows[observer] = longWindow
			}
		}
	}
	order := make([]int, len(m.names))
	texts := make([][2]string, len(m.names))
	for i, name := range m.names {
		order[i] = i
		texts[i][0], _ = m.interfaces.Value(uint32(name >> 32)).(string)
		texts[i][1], _ = m.resources.Value(uint32(name)).(string)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(texts[a][0], texts[b][0]), cmp.Compare(texts[a][1], texts[b][1]))
	})
	for rank, observer := range order {
		m.ranks[observer] = uint32(rank)
	}
	m.findTwins()
	m.findValues()
}

// findValues decodes all addresses.
func (m *matcher) findValues() {
	all := make([]uint32, m.addrs.Len()-1)
	for i := range all {
		all[i] = uint32(i + 1)
	}
	values := schema.NewColumn(schema.Field{Name: "address", Kind: schema.Addr})
	m.addrs.Gather(all, values)
	m.values = append(make([][16]byte, 1, len(all)+1), values.Addr...)
}

// findTwins finds the private addresses that interfaces in two VPCs have.
func (m *matcher) findTwins() {
	m.twins = make(map[uint32]bool)
	vpcs := make(map[uint32]uint32)
	add := func(address, vpc uint32) {
		if address == 0 || vpc == 0 || !private(m.addrs.Value(address)) {
			return
		}
		if known, ok := vpcs[address]; ok && known != vpc {
			m.twins[address] = true
		}
		vpcs[address] = vpc
	}
	for i := range m.facts {
		vpc := m.facts[i].trait(atVPC)
		for _, address := range m.own[i] {
			add(address, vpc)
		}
		for address := range m.facts[i].evident {
			add(address, vpc)
		}
	}
}

// vpcOf is the VPC that is part of the key of a flow, or 0.
func (m *matcher) vpcOf(f *flow) uint32 {
	if len(m.twins) > 0 && (m.twins[f.pktSrc] || m.twins[f.pktDst]) {
		return m.facts[f.observer].trait(atVPC)
	}
	return 0
}
