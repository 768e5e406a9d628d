package pass

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
	"flowlog/report/parallel"
)

// A lotReader makes connections of the flows of a lot, one lot after the other. It belongs to one goroutine.
type lotReader struct {
	*matcher
	flows    []flow
	heads    []int32 // a hash table: the last flow of a key, plus 1
	next     []int32 // by flow: the one before, plus 1
	key      []flow
	sessions sessions
	judge    judge
	same     []sighting
	all      []connection

	outer    Tally
	by       [len(hows)]int64
	resumed  int64
	flagless int64
}

func newLotReader(m *matcher) *lotReader {
	l := &lotReader{matcher: m}
	l.judge = judge{survey: m.survey, mode: "dedupe", held: []*held{{}}}
	l.sessions = sessions{
		idleTCP: m.opt.IdleTCP, idleOther: m.opt.IdleUDP, named: m.opt.Service, choose: l.choose, compare: m.compareAddrs,
		window: func(observer uint32) int64 { return m.windows[observer] },
		rank:   func(observer uint32) uint32 { return m.ranks[observer] },
		fan:    func(protocol uint8, e end) bool { return m.servers[endWord(protocol, e)] },
	}
	return l
}

// load reads the flows of a lot, in the survey's codes.
func (l *lotReader) load(lot int) (err error) {
	l.flows = l.flows[:0]
	for _, g := range l.gatherers {
		n := len(l.flows)
		if l.flows, err = g.flows.load(l.flows, lot); err != nil {
			return err
		}
		g.translate(l.flows[n:])
	}
	return nil
}

// isOuter reports whether a flow is the outer side of a NAT gateway that also logged whom it forwards for.
func (l *lotReader) isOuter(f *flow) bool {
	if !l.relaying[f.observer] {
		return false
	}
	x := f.sighting(0)
	return l.translated(&x)
}

// connections returns the connections of a lot, ordered by time and then by their ends. They are valid until the next
// call, which is for another lot.
func (l *lotReader) connections(lot int) ([]connection, error) {
	if err := l.load(lot); err != nil {
		return nil, err
	}
	for _, g := range l.gatherers {
		g.flows.drop(lot)
	}
	kept := l.flows[:0]
	for _, f := range l.flows {
		if l.isOuter(&f) {
			l.outer.add(f.bytes)
			continue
		}
		f.vpc = l.vpcOf(&f)
		kept = append(kept, f)
	}
	l.flows = kept
	l.group()
	l.all = l.all[:0]
	for _, head := range l.heads {
		if head == 0 {
			continue
		}
		l.key = l.key[:0]
		for i := head; i != 0; i = l.next[i-1] {
			l.key = append(l.key, l.flows[i-1])
		}
		l.all = l.sessions.append(l.all, l.key)
	}
	slices.SortFunc(l.all, func(a, b connection) int { return l.order(&a, &b) })
	for i := range l.all {
		l.tally(&l.all[i])
	}
	return l.all, nil
}

// group chains the flows of a key.
func (l *lotReader) group() {
	size := 1 << bits.Len(uint(2*len(l.flows)))
	l.heads = codes.Grown(l.heads[:0], size)[:size]
	l.next = codes.Grown(l.next[:0], len(l.flows))[:len(l.flows)]
	clear(l.heads)
	for i := range l.flows {
		f := &l.flows[i]
		at := int(f.endsHash()) & (size - 1)
		for l.heads[at] != 0 && !sameEnds(&l.flows[l.heads[at]-1], f) {
			at = (at + 1) & (size - 1)
		}
		l.next[i], l.heads[at] = l.heads[at], int32(i+1)
	}
}

// choose marks what does not count of flows of the same packets, as the vantage dedupe does, but whatever their action.
func (l *lotReader) choose(same []flow) {
	l.same = l.same[:0]
	for i := range same {
		l.same = append(l.same, same[i].sighting(i))
	}
	verdicts := codes.Grown(l.judge.held[0].verdicts[:0], len(same))[:len(same)]
	clear(verdicts)
	l.judge.held[0].verdicts = verdicts
	l.judge.packets(l.same)
	for i, verdict := range verdicts {
		if verdict&counted == 0 {
			same[i].marks |= spare
		}
	}
}

// order compares connections by what they are in any run.
func (l *lotReader) order(a, b *connection) int {
	if a.start != b.start {
		return cmp.Compare(a.start, b.start)
	}
	return cmp.Or(
		cmp.Compare(a.stop, b.stop),
		l.compareAddrs(a.ends[0].addr, b.ends[0].addr), cmp.Compare(a.ends[0].port, b.ends[0].port),
		l.compareAddrs(a.ends[1].addr, b.ends[1].addr), cmp.Compare(a.ends[1].port, b.ends[1].port),
		cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.missing, b.missing),
		cmp.Compare(l.ranks[a.observer], l.ranks[b.observer]),
	)
}

// compareAddrs compares addresses by their values.
func (m *matcher) compareAddrs(a, b uint32) int {
	if a == b {
		return 0
	}
	return bytes.Compare(m.values[a][:], m.values[b][:])
}

func (l *lotReader) tally(c *connection) {
	if c.resumed {
		l.resumed++
		return
	}
	l.by[c.how]++
	if c.protocol == protocolTCP && c.missing&noFlags != 0 {
		l.flagless++
	}
}

// count adds what the reader has counted to that of the pass.
func (l *lotReader) count(c *Connections) {
	for h, n := range l.by {
		c.By[h] += n
	}
	c.Resumed += l.resumed
	c.Flagless += l.flagless
	c.Double.join(l.judge.tallies.double)
	c.Outer.join(l.outer)
}

// eachLot calls do with every lot, from so many goroutines, each with a reader of its own.
func (m *matcher) eachLot(workers int, do func(l *lotReader, worker, lot int) error) error {
	var next atomic.Int64
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			l := newLotReader(m)
			for lot := int(next.Add(1)) - 1; lot < lots && errs[worker] == nil; lot = int(next.Add(1)) - 1 {
				errs[worker] = do(l, worker, lot)
			}
		})
	}
	wait.Wait()
	return cmp.Or(errs...)
}

// insideOf finds what regional NAT gateways see of their clients.
func (m *matcher) insideOf(workers int) error {
	if !slices.Contains(m.kinds, regional) {
		return nil
	}
	var mu sync.Mutex
	m.inside = make(map[[2]uint32]bool)
	return m.eachLot(workers, func(l *lotReader, _, lot int) error {
		if err := l.load(lot); err != nil {
			return err
		}
		t := traces{inside: make(map[[2]uint32]bool)}
		for i := range l.flows {
			if f := &l.flows[i]; m.kinds[f.observer] == regional {
				x := f.sighting(0)
				t.look(m.survey, &x)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for pair := range t.inside {
			m.inside[pair] = true
		}
		return nil
	})
}

// manyPorts is with how many different ports of others a server uses its own.
const manyPorts = 3

// endWord is an end and a class of protocols in 48 bits, 0 for a protocol or an end without ports. There are fewer than
// 2^30 addresses, which would take 16 GB.
func endWord(protocol uint8, e end) uint64 {
	class := uint64(0)
	switch protocol {
	case protocolTCP:
		class = 1
	case protocolUDP:
		class = 2
	case protocolSCTP:
		class = 3
	}
	if class == 0 || e.port == 0 || e.addr >= 1<<30 {
		return 0
	}
	return uint64(e.addr)<<18 | class<<16 | uint64(e.port)
}

// recentWords is how many ends a goroutine remembers, so as to keep each pair of ports of a key about once: half a
// megabyte.
const recentWords = 1 << 16

// findServers finds the ends that use their port with many ports of others.
func (m *matcher) findServers(workers int) error {
	pairs := make([]*shard[uint64], workers)
	recent := make([][]uint64, workers)
	for i := range pairs {
		pairs[i], recent[i] = newShard[uint64](m.overflow), make([]uint64, recentWords)
	}
	err := m.eachLot(workers, func(l *lotReader, worker, lot int) error {
		if err := l.load(lot); err != nil {
			return err
		}
		for i := range l.flows {
			f := &l.flows[i]
			if f.has(noPorts) || l.isOuter(f) {
				continue
			}
			ends := [2]end{{f.pktSrc, f.srcPort}, {f.pktDst, f.dstPort}}
			for i, e := range ends {
				word := endWord(f.protocol, e)
				pair := word<<16 | uint64(ends[1-i].port)
				seen := &recent[worker][schema.Hash(pair)%recentWords]
				if word == 0 || *seen == pair {
					continue
				}
				*seen = pair
				if err := pairs[worker].put(int(schema.Hash(word)>>32%lots), pair); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.countPorts(pairs)
}

// countPorts keeps the ends of pairs that have many ports of others.
func (m *matcher) countPorts(pairs []*shard[uint64]) error {
	m.servers = make(map[uint64]bool)
	var mu sync.Mutex
	return parallel.Each(lots, func(lot int) error {
		var all, found []uint64
		var err error
		for _, s := range pairs {
			if all, err = s.load(all, lot); err != nil {
				return err
			}
			s.drop(lot)
		}
		slices.Sort(all)
		for i, n := 0, 0; i < len(all); i++ {
			switch {
			case i == 0 || all[i]>>16 != all[i-1]>>16:
				n = 1
			case all[i] != all[i-1]:
				n++
			default:
				continue
			}
			if n == manyPorts {
				found = append(found, all[i]>>16)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for _, word := range found {
			m.servers[word] = true
		}
		return nil
	})
}

// known is a time, and whether it has one: see flow.
func known(t int64) bool { return t != math.MinInt64 && t != math.MaxInt64 }
