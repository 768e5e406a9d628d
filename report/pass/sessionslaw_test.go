package pass

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Connections are what a plain reading of `flowlog help connections` says of the flows, whatever these are and in
// whatever order they come.
func TestSessionsLaw(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 1))
	kinds := make(map[string]int)
	for trial := range 20000 {
		known, flows := randomKey(r)
		s := testSessions(known)
		got := connectionsOf(s, flows)
		want := readSessions(s, flows)
		if !slices.Equal(got, want) {
			t.Fatalf("trial %d: known %q, flows\n %s\ngot\n %s\nwant\n %s", trial, known, flowTexts(flows), strings.Join(got, "\n "), strings.Join(want, "\n "))
		}
		for _, text := range got {
			for _, word := range strings.Fields(text)[4:] {
				kinds[word]++
			}
		}
		r.Shuffle(len(flows), func(i, k int) { flows[i], flows[k] = flows[k], flows[i] })
		if again := connectionsOf(s, flows); !slices.Equal(again, got) {
			t.Fatalf("trial %d: in another order %s, first %s", trial, again, got)
		}
	}
	for _, word := range []string{"open", "closed", "reset", "refused", "no_answer", "one_sided", "syn", "earlier", "fan", "name", "lower", "both", "resumed"} {
		if kinds[word] < 50 {
			t.Errorf("of 20000 keys %d are %s: the keys are poor", kinds[word], word)
		}
	}
}

// randomKey is some flows of two ends, and what is known of these.
func randomKey(r *rand.Rand) (known string, flows []flow) {
	protocol := []uint8{protocolTCP, protocolTCP, protocolTCP, protocolUDP, protocolICMP, 47}[r.IntN(6)]
	ports := [2]uint16{[]uint16{5, 9, 0}[r.IntN(3)], []uint16{9, 7}[r.IntN(2)]}
	if protocol == protocolICMP || protocol == 47 {
		ports = [2]uint16{}
	}
	for _, word := range []string{fmt.Sprint("a:", ports[0]), fmt.Sprint("b:", ports[1]), fmt.Sprint("named:", ports[0])} {
		if r.IntN(4) == 0 {
			known += word + " "
		}
	}
	flagless := r.IntN(5) == 0
	span := []int64{100, 1000, 3000}[r.IntN(3)]
	for range 1 + r.IntN(6) {
		f := flow{protocol: protocol, observer: 1 + uint32(r.IntN(4)/3), marks: acted, pktSrc: 1, pktDst: 2, srcPort: ports[0], dstPort: ports[1]}
		f.start = r.Int64N(span)
		f.end = f.start + r.Int64N(61)
		f.packets = 1 + r.Int64N(5)
		f.bytes = f.packets * []int64{40, 100, 500}[r.IntN(3)]
		if f.flags = []uint8{0, 0, 1, 2, 2, 3, 4, 18, 19, 22}[r.IntN(10)]; flagless {
			f.flags, f.marks = 0, f.marks|noFlags
		}
		if r.IntN(6) == 0 {
			f.marks |= rejected
		}
		if r.IntN(2) == 0 {
			f.pktSrc, f.pktDst, f.srcPort, f.dstPort = f.pktDst, f.pktSrc, f.dstPort, f.srcPort
		}
		f.src, f.dst = f.pktSrc, f.pktDst
		flows = append(flows, f)
	}
	return known, flows
}

func flowTexts(flows []flow) string {
	var texts []string
	for _, f := range flows {
		texts = append(texts, fmt.Sprintf("%d-%d %s>%s %d %d/%d flags %d marks %b @%d", f.start, f.end,
			endText(end{f.pktSrc, f.srcPort}), endText(end{f.pktDst, f.dstPort}), f.protocol, f.bytes, f.packets, f.flags, f.marks, f.observer))
	}
	return strings.Join(texts, "\n ")
}

// A read is a flow as the plain reading has it.
type read struct {
	flow
	from, to end
	counts   bool
}

// readSessions is the plain reading.
func readSessions(s *sessions, flows []flow) []string {
	ordered := slices.Clone(flows)
	var all []read
	for _, f := range ordered {
		all = append(all, read{flow: f, from: end{f.pktSrc, f.srcPort}, to: end{f.pktDst, f.dstPort}, counts: true})
	}
	low := all[0].from
	if o := all[0].to; o.port < low.port || o.port == low.port && o.addr < low.addr {
		low = o
	}
	// what happens first is first; at one time, the SYN of a client, then that of a server, then the lower end
	slices.SortFunc(all, func(a, b read) int {
		rank := func(x read) int {
			return map[uint8]int{2: 0, 18: 1}[x.flags&18] + map[bool]int{true: 2}[x.flags&2 == 0]
		}
		side := func(x read) int { return map[bool]int{true: 0, false: 1}[x.from == low] }
		no := func(x read, m marks) int { return map[bool]int{true: 1}[x.has(m)] }
		ack := func(x read) uint8 { return x.flags & 16 }
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(rank(a)/2, rank(b)/2), cmp.Compare(ack(a), ack(b)),
			cmp.Compare(no(a, noFlags), no(b, noFlags)), cmp.Compare(no(a, rejected), no(b, rejected)), cmp.Compare(side(a), side(b)),
			cmp.Compare(a.flags, b.flags), cmp.Compare(a.bytes, b.bytes), cmp.Compare(a.packets, b.packets), cmp.Compare(a.observer, b.observer))
	})
	for _, direction := range []end{low, other(all[0], low)} {
		var same []flow
		var places []int
		for i, x := range all {
			if x.from == direction {
				same, places = append(same, x.flow), append(places, i)
			}
		}
		if slices.ContainsFunc(same, func(f flow) bool { return f.observer != same[0].observer }) {
			s.choose(same)
			for i, f := range same {
				all[places[i]].counts = !f.has(spare)
			}
		}
		if all[0].from == all[0].to {
			break
		}
	}
	var groups [][]read
	for _, x := range all {
		if !x.counts {
			continue
		}
		if n := len(groups); n > 0 && !startsAnew(s, groups[n-1], x) {
			groups[n-1] = append(groups[n-1], x)
		} else {
			groups = append(groups, []read{x})
		}
	}
	return describe(s, all, groups, low)
}

func other(x read, e end) end {
	if x.from == e {
		return x.to
	}
	return x.from
}

func lastEnd(group []read) int64 {
	last := group[0].end
	for _, x := range group {
		last = max(last, x.end)
	}
	return last
}

// startsAnew reports whether a flow is of another connection than those before it, or of the same one after a gap.
func startsAnew(s *sessions, group []read, x read) bool {
	idle := s.idleOther
	if x.protocol == protocolTCP {
		idle = s.idleTCP
	}
	if x.start-lastEnd(group) > idle+60 {
		return true
	}
	if x.flags&2 == 0 {
		return false
	}
	for _, y := range group {
		own, over := y.from == x.from, y.end <= x.start
		if over && y.flags&5 != 0 && (own || x.flags&16 == 0) {
			return true
		}
		if over && own && x.flags&16 == 0 && y.flags&2 == 0 && !y.has(noFlags) && y.protocol == protocolTCP {
			return true
		}
	}
	return false
}

// describe says what the groups of flows are.
func describe(s *sessions, all []read, groups [][]read, low end) []string {
	marked := make([][]read, len(groups)) // with the flows that do not count
	for i, g := range groups {
		marked[i] = slices.Clone(g)
	}
	for _, x := range all {
		if x.counts {
			continue
		}
		best, least := 0, int64(1)<<62
		for i, g := range groups {
			middle := x.start/2 + x.end/2
			if far := max(g[0].start-middle, middle-lastEnd(g), 0); far < least {
				best, least = i, far
			}
		}
		marked[best] = append(marked[best], x)
	}
	var texts []string
	var client end
	var h string
	for i, g := range groups {
		gap := i > 0 && g[0].protocol == protocolTCP
		if gap {
			before := groups[i-1]
			gap = g[0].start-lastEnd(before) > s.idleTCP+60
		}
		known, syn := false, false
		for _, x := range g {
			known = known || !x.has(noFlags)
			syn = syn || x.flags&2 != 0 && x.start <= g[0].end
		}
		resumed := gap && known && !syn
		if !resumed {
			client, h = whoIsClient(s, g, marked[i], low)
		}
		texts = append(texts, textOf(g, marked[i], client, h, resumed))
	}
	return texts
}

func whoIsClient(s *sessions, g, marked []read, low end) (end, string) {
	high := other(g[0], low)
	first := make(map[end]int64)
	for _, x := range g {
		if t, ok := first[x.from]; !ok || x.start < t {
			first[x.from] = x.start
		}
	}
	seen := low
	if a, ok := first[low]; !ok || len(first) == 2 && first[high] < a {
		seen = high
	}
	if low == high {
		seen = low
	}
	syns := make(map[end]int64)
	for _, x := range marked {
		who := x.from
		if x.flags&16 != 0 {
			who = x.to
		}
		if t, ok := syns[who]; x.flags&2 != 0 && (!ok || x.start < t) {
			syns[who] = x.start
		}
	}
	pick := func(lowIsServer, highIsServer bool) (end, bool) {
		if lowIsServer == highIsServer || low.port|high.port == 0 {
			return end{}, false
		}
		if lowIsServer {
			return high, true
		}
		return low, true
	}
	steps := map[string]func() (end, bool){
		"syn": func() (end, bool) {
			a, isA := syns[low]
			b, isB := syns[high]
			switch {
			case g[0].protocol != protocolTCP || !isA && !isB || isA && isB && a == b:
				return end{}, false
			case isA && (!isB || a < b):
				return low, true
			}
			return high, true
		},
		"earlier": func() (end, bool) {
			if len(first) < 2 || max(first[low]-first[high], first[high]-first[low]) <= 60 {
				return end{}, false
			}
			return seen, true
		},
		"fan":   func() (end, bool) { return pick(s.fan(g[0].protocol, low), s.fan(g[0].protocol, high)) },
		"name":  func() (end, bool) { return pick(s.named(g[0].protocol, low.port), s.named(g[0].protocol, high.port)) },
		"lower": func() (end, bool) { return high, low.port != high.port },
	}
	order := []string{"syn", "earlier", "fan", "name", "lower"}
	if g[0].protocol == protocolUDP {
		order = []string{"fan", "earlier", "name", "lower"}
	}
	if g[0].protocol == protocolICMP {
		order = nil
	}
	for _, name := range order {
		if who, ok := steps[name](); ok {
			return who, name
		}
	}
	return seen, "both"
}

func textOf(g, marked []read, client end, h string, resumed bool) string {
	server := other(g[0], client)
	var bytes, packets, windows [2]int64
	var flags, flagsOfMarked [2]uint8
	observer := [2]uint32{}
	rejects, passed, data := false, false, false
	at := func(x read) int { return map[bool]int{true: 0, false: 1}[x.from == client] }
	for _, x := range g {
		i := at(x)
		if windows[i] == 0 {
			observer[i] = x.observer
		}
		bytes[i], packets[i], windows[i] = bytes[i]+x.bytes, packets[i]+x.packets, windows[i]+1
		flags[i] |= x.flags
		data = data || i == 0 && x.protocol == protocolTCP && x.flags&2 == 0 && !x.has(noFlags)
	}
	for _, x := range marked {
		flagsOfMarked[at(x)] |= x.flags
		rejects = rejects || x.has(rejected)
		passed = passed || at(x) == 1 && !x.has(rejected)
	}
	tcp, up, down := g[0].protocol == protocolTCP, flagsOfMarked[0], flagsOfMarked[1]
	var what string
	switch {
	case rejects && !passed:
		what = "refused"
	case windows[0] == 0:
		what = "one_sided"
	case windows[1] == 0 && tcp && (data || up&1 != 0 || bytes[0] > 100*packets[0]):
		what = "one_sided"
	case windows[1] == 0:
		what = "no_answer"
	case !tcp:
		what = "open"
	case up&18 == 2 && down&7 == 4:
		what = "refused"
	case up&1 != 0 && down&1 != 0:
		what = "closed"
	case (up|down)&4 != 0:
		what = "reset"
	case (up|down)&1 != 0:
		what = "closed"
	default:
		what = "open"
	}
	by := observer[0]
	if windows[0] == 0 {
		by = observer[1]
	}
	text := fmt.Sprintf("%s>%s %d-%d %d/%d %d/%d %s %s", endText(client), endText(server), g[0].start, lastEnd(g), bytes[0], packets[0], bytes[1], packets[1], what, h)
	if n := max(windows[0], windows[1]); n != 1 {
		text += fmt.Sprintf(" %d windows", n)
	}
	if resumed {
		text += " resumed"
	}
	if by != 1 {
		text += fmt.Sprintf(" @%d", by)
	}
	return text
}

// The gap rule is that of window functions in DuckDB.
func TestSessionsGapIsDuckDBs(t *testing.T) {
	python := os.Getenv("DUCKDB_PYTHON")
	if python == "" {
		t.Skip("DUCKDB_PYTHON names no Python that has DuckDB")
	}
	r := rand.New(rand.NewPCG(19, 2))
	var values []string
	keys := make([][]flow, 400)
	for i := range keys {
		protocol := []uint8{protocolTCP, protocolUDP}[i%2]
		for range 1 + r.IntN(30) {
			f := flow{protocol: protocol, marks: acted | noFlags, pktSrc: 1, pktDst: 2, src: 1, dst: 2, srcPort: 5, dstPort: 9, observer: 1, packets: 1, bytes: 40}
			f.start = r.Int64N(20000)
			f.end = f.start + r.Int64N(200)
			keys[i] = append(keys[i], f)
			values = append(values, fmt.Sprintf("(%d, %d, %d, %d)", i, protocol, f.start, f.end))
		}
	}
	query := `WITH gaps AS (
	SELECT *, start - max("end") OVER (PARTITION BY key ORDER BY start, "end" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
		> CASE protocol WHEN 6 THEN 350 ELSE 120 END + 60 AS gap FROM (VALUES ` + strings.Join(values, ", ") + `) AS t(key, protocol, start, "end")
), pieces AS (
	SELECT *, count(*) FILTER (gap) OVER (PARTITION BY key ORDER BY start, "end" ROWS UNBOUNDED PRECEDING) AS piece FROM gaps
)
SELECT key, min(start), max("end"), count(*) FROM pieces GROUP BY key, piece ORDER BY key, min(start)`
	var want [][]int64
	askDuckDB(t, python, query, &want)
	var got [][]int64
	for i, key := range keys {
		for _, c := range testSessions("").append(nil, key) {
			got = append(got, []int64{int64(i), c.start, c.stop, int64(c.windows)})
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %d pieces\n%v\nwant %d\n%v", len(got), got, len(want), want)
	}
	if len(got) < 2*len(keys) {
		t.Errorf("%d keys have %d pieces: there are few gaps", len(keys), len(got))
	}
}

// askDuckDB writes the rows of a query to rows.
func askDuckDB(t *testing.T, python, query string, rows any) {
	t.Helper()
	c := exec.Command(python, filepath.Join("..", "..", "testdata", "oracle", "run.py"))
	request, err := json.Marshal(query)
	if err != nil {
		t.Fatal(err)
	}
	c.Stdin, c.Stderr = strings.NewReader(string(request)+"\n"), os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	answer := struct {
		Rows  any
		Error string
	}{Rows: rows}
	if err := json.Unmarshal(out, &answer); err != nil || answer.Error != "" {
		t.Fatalf("%v %s: %.300s", err, answer.Error, out)
	}
}
