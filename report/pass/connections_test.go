package pass

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

// A way is one of those in which the same must come out.
type way struct {
	workers, size int
	limit         int64
	ordered       bool
}

// connectAll returns the connections of records, one text each in their order, with the fields separated by blanks.
func connectAll(t testing.TB, all []reporttest.Row, w way, fields ...string) ([]string, *Connections) {
	t.Helper()
	asked, err := ConnectionFields().Project(fields...)
	if err != nil {
		t.Fatal(err)
	}
	opt := ConnectionOptions{IdleTCP: DefaultIdleTCP, IdleUDP: DefaultIdleUDP, Limit: w.limit, Ordered: w.ordered, TempDir: t.TempDir()}
	opt.Service = func(_ uint8, port uint16) bool { return port == 443 || port == 53 }
	c, p, err := NewConnections(opt, schema.Logged(), asked)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	var wait sync.WaitGroup
	for worker := range w.workers {
		wait.Go(func() {
			feed := reporttest.NewFeeder(p)
			for i := worker * w.size; i < len(all); i += w.workers * w.size {
				if err := c.Add(schema.Batch{Worker: worker, Record: feed.Record(t, all[i:min(i+w.size, len(all))])}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	var mu sync.Mutex
	batches := make(map[int64][]string)
	err = c.Emit(w.workers, func(b schema.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		for row := range int(b.NumRows()) {
			var cells []string
			for _, name := range fields {
				cells = append(cells, cellText(expr.Column(b.Record, name), row, name))
			}
			batches[b.Seq] = append(batches[b.Seq], strings.Join(cells, " "))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for lot := range int64(lots) {
		texts = append(texts, batches[lot]...)
	}
	return texts, c
}

func cellText(col arrow.Array, row int, name string) string {
	if col.IsNull(row) {
		return "-"
	}
	switch a := col.(type) {
	case *array.Int32:
		return strconv.Itoa(int(a.Value(row)))
	case *array.Int64:
		return strconv.FormatInt(a.Value(row), 10)
	case *array.FixedSizeBinary:
		return netip.AddrFrom16([16]byte(a.Value(row))).Unmap().String()
	}
	codes, words := schema.TextCodes(col)
	return words.Value(int(codes[row]))
}

var allFields = ConnectionFields().Names()

// The three connections of AWS's example of flag sequences.
func TestConnectionsOfAWSExample(t *testing.T) {
	got, _ := connectAll(t, reporttest.RowsOf(`
vpc_id account_id interface_id srcaddr dstaddr srcport dstport pkt_srcaddr pkt_dstaddr protocol bytes packets start end action tcp_flags log_status
vpc-1 123456789010 eni-1 52.213.180.42 10.0.0.62 43416 5001 52.213.180.42 10.0.0.62 6 568 8 1566848875 1566848933 ACCEPT 2 OK
vpc-1 123456789010 eni-1 10.0.0.62 52.213.180.42 5001 43416 10.0.0.62 52.213.180.42 6 376 7 1566848875 1566848933 ACCEPT 18 OK
vpc-1 123456789010 eni-1 52.213.180.42 10.0.0.62 43418 5001 52.213.180.42 10.0.0.62 6 100701 70 1566848875 1566848933 ACCEPT 2 OK
vpc-1 123456789010 eni-1 10.0.0.62 52.213.180.42 5001 43418 10.0.0.62 52.213.180.42 6 632 12 1566848875 1566848933 ACCEPT 18 OK
vpc-1 123456789010 eni-1 10.0.0.62 52.213.180.42 5001 43418 10.0.0.62 52.213.180.42 6 63388 1219 1566848933 1566849113 ACCEPT 1 OK
vpc-1 123456789010 eni-1 52.213.180.42 10.0.0.62 43418 5001 52.213.180.42 10.0.0.62 6 23294588 15774 1566848933 1566849113 ACCEPT 1 OK
vpc-1 123456789010 eni-1 52.213.180.42 10.0.0.62 43638 5001 52.213.180.42 10.0.0.62 6 1260 17 1566933133 1566933193 ACCEPT 3 OK
vpc-1 123456789010 eni-1 10.0.0.62 52.213.180.42 5001 43638 10.0.0.62 52.213.180.42 6 967 14 1566933133 1566933193 ACCEPT 19 OK
- 123456789010 eni-1 - - - - - - - - - 1566933133 1566933193 - - NODATA
`), way{2, 3, 0, false}, allFields...)
	slices.SortFunc(got, func(a, b string) int { return cmp.Compare(strings.Fields(a)[3], strings.Fields(b)[3]) })
	want := []string{
		"1566848875 1566848933 52.213.180.42 43416 10.0.0.62 5001 6 568 376 8 7 58 open syn 1 false eni-1 123456789010 vpc-1 -",
		"1566848875 1566849113 52.213.180.42 43418 10.0.0.62 5001 6 23395289 64020 15844 1231 238 closed syn 2 false eni-1 123456789010 vpc-1 -",
		"1566933133 1566933193 52.213.180.42 43638 10.0.0.62 5001 6 1260 967 17 14 60 closed syn 1 false eni-1 123456789010 vpc-1 -",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestConnections(t *testing.T) {
	for _, test := range []struct{ name, records, fields, want string }{
		{"NAT gateway: one connection, from the client", `
interface_id srcaddr dstaddr srcport dstport pkt_srcaddr pkt_dstaddr protocol bytes packets start end action tcp_flags interface_type
eni-host 10.0.1.5 203.0.113.5 4000 443 10.0.1.5 203.0.113.5 6 500 5 100 150 ACCEPT 3 -
eni-host 203.0.113.5 10.0.1.5 443 4000 203.0.113.5 10.0.1.5 6 900 6 100 150 ACCEPT 19 -
eni-nat 10.0.1.5 10.0.0.220 4000 443 10.0.1.5 203.0.113.5 6 500 5 101 151 ACCEPT 3 nat_gateway
eni-nat 10.0.0.220 203.0.113.5 5111 443 10.0.0.220 203.0.113.5 6 500 5 101 151 ACCEPT 3 nat_gateway
eni-nat 203.0.113.5 10.0.0.220 443 5111 203.0.113.5 10.0.0.220 6 900 6 101 151 ACCEPT 19 nat_gateway
eni-nat 10.0.0.220 10.0.1.5 443 4000 203.0.113.5 10.0.1.5 6 900 6 101 151 ACCEPT 19 nat_gateway`,
			"client client_port server server_port bytes_up bytes_down state how interface_id",
			"10.0.1.5 4000 203.0.113.5 443 500 900 closed syn eni-host"},
		{"NAT gateway alone: its outer side", `
interface_id srcaddr dstaddr srcport dstport pkt_srcaddr pkt_dstaddr protocol bytes packets start end action tcp_flags interface_type
eni-nat 10.0.0.220 203.0.113.5 5111 443 10.0.0.220 203.0.113.5 6 500 5 101 151 ACCEPT 3 nat_gateway
eni-nat 203.0.113.5 10.0.0.220 443 5111 203.0.113.5 10.0.0.220 6 900 6 101 151 ACCEPT 19 nat_gateway`,
			"client client_port server server_port bytes_up bytes_down state interface_id",
			"10.0.0.220 5111 203.0.113.5 443 500 900 closed eni-nat"},
		{"regional NAT gateway", `
interface_id resource_id srcaddr dstaddr srcport dstport pkt_srcaddr pkt_dstaddr protocol bytes packets start end action tcp_flags
- nat-1 10.0.1.5 203.0.113.5 4000 443 10.0.1.5 203.0.113.5 6 500 5 101 151 ACCEPT 3
- nat-1 107.22.182.139 203.0.113.5 5111 443 107.22.182.139 203.0.113.5 6 500 5 101 151 ACCEPT 3
- nat-1 203.0.113.5 107.22.182.139 443 5111 203.0.113.5 107.22.182.139 6 900 6 101 151 ACCEPT 19
- nat-1 203.0.113.5 10.0.1.5 443 4000 203.0.113.5 10.0.1.5 6 900 6 101 151 ACCEPT 19`,
			"client client_port server server_port bytes_up bytes_down interface_id",
			"10.0.1.5 4000 203.0.113.5 443 500 900 -"},
		{"one address in two VPCs", `
interface_id vpc_id srcaddr dstaddr srcport dstport protocol bytes packets start end tcp_flags
eni-a vpc-1 10.0.0.5 10.0.0.9 4000 443 6 500 5 101 151 3
eni-a vpc-1 10.0.0.5 10.0.0.7 4000 443 6 500 5 101 151 3
eni-b vpc-2 10.0.0.5 10.0.0.9 4000 443 6 60 1 101 151 2
eni-b vpc-2 10.0.0.5 10.0.0.8 4000 443 6 60 1 101 151 2`,
			"client server server_port bytes_up state vpc_id",
			"10.0.0.5 10.0.0.7 443 500 one_sided vpc-1\n10.0.0.5 10.0.0.8 443 60 no_answer vpc-2\n10.0.0.5 10.0.0.9 443 500 one_sided vpc-1\n10.0.0.5 10.0.0.9 443 60 no_answer vpc-2"},
		{"transit gateway", `
srcaddr dstaddr srcport dstport protocol bytes packets start end tcp_flags flow_direction
10.0.0.5 10.1.0.9 4000 443 6 500 5 101 151 26 ingress
10.0.0.5 10.1.0.9 4000 443 6 500 5 101 151 26 egress
10.1.0.9 10.0.0.5 443 4000 6 700 7 101 151 20 egress
10.1.0.9 10.0.0.5 443 4000 6 700 7 101 151 20 ingress`,
			"client server server_port bytes_up bytes_down state how",
			"10.1.0.9 10.0.0.5 4000 700 500 reset syn"},
		{"ports that many others use", `
interface_id srcaddr dstaddr srcport dstport protocol bytes packets start end tcp_flags
eni-a 10.0.0.5 10.0.0.9 1001 7000 17 500 5 101 151 0
eni-a 10.0.0.5 10.0.0.9 1002 7000 17 500 5 101 151 0
eni-a 10.0.0.5 10.0.0.8 1003 7000 17 500 5 101 151 0
eni-a 10.0.0.9 10.0.0.5 7000 9003 17 500 5 101 151 0`,
			"client client_port server server_port how",
			"10.0.0.5 1001 10.0.0.9 7000 fan\n10.0.0.5 1002 10.0.0.9 7000 fan\n10.0.0.5 9003 10.0.0.9 7000 fan\n10.0.0.8 7000 10.0.0.5 1003 lower"},
		{"a field that the log does not have is null", `
interface_id srcaddr dstaddr
eni-a 10.0.0.5 10.0.0.9`,
			"client client_port protocol bytes_up packets_up start end seconds state how",
			"10.0.0.5 - - - - - - - no_answer both"},
		{"an interval of ten minutes makes the gap longer", `
interface_id srcaddr dstaddr srcport dstport protocol bytes packets start end tcp_flags
eni-a 10.0.0.5 10.0.0.9 4000 443 6 500 5 0 500 2
eni-a 10.0.0.5 10.0.0.9 4000 443 6 500 5 1450 1500 0`,
			"start end windows", "0 1500 2"},
		{"REJECT at the other end marks, and does not count", `
interface_id srcaddr dstaddr srcport dstport protocol bytes packets start end tcp_flags action
eni-a 10.0.0.5 10.0.0.9 4000 443 6 180 3 0 50 2 ACCEPT
eni-a 10.0.0.5 10.0.0.8 4000 443 6 180 3 0 50 2 ACCEPT
eni-b 10.0.0.5 10.0.0.9 4000 443 6 180 3 5 55 2 REJECT
eni-b 10.0.0.7 10.0.0.9 4000 443 6 180 3 5 55 2 REJECT`,
			"client server bytes_up state interface_id",
			"10.0.0.5 10.0.0.8 180 no_answer eni-a\n10.0.0.5 10.0.0.9 180 refused eni-a\n10.0.0.7 10.0.0.9 180 refused eni-b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, w := range []way{{1, 100, 0, false}, {3, 1, 0, true}, {2, 1, 1, false}} {
				got, _ := connectAll(t, reporttest.RowsOf(test.records), w, strings.Fields(test.fields)...)
				slices.Sort(got)
				if text := strings.Join(got, "\n"); text != test.want {
					t.Errorf("%+v: got\n%s\nwant\n%s", w, text, test.want)
				}
			}
		})
	}
}

// What comes out is the same for any number of workers, size of batches, order of the input and limit of memory.
func TestConnectionsInAnyWay(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 19))
		n := newNetwork(r)
		var want []string
		var note string
		for i, w := range []way{{1, 1000, 0, false}, {8, 17, 0, false}, {8, 30, 1 << 17, false}} {
			got, c := connectAll(t, n.log, w, allFields...)
			if i == 0 {
				want, note = got, c.Note().Error()
			}
			if !slices.Equal(got, want) || c.Note().Error() != note {
				t.Fatalf("seed %d, %+v: %d connections, %s; first %d, %s", seed, w, len(got), c.Note(), len(want), note)
			}
			if w.limit > 0 && c.overflow.size == 0 {
				t.Errorf("seed %d: nothing went to the temporary file", seed)
			}
			r.Shuffle(len(n.log), func(i, k int) { n.log[i], n.log[k] = n.log[k], n.log[i] })
		}
	}
}

// In order, the same connections come by their start.
func TestConnectionsInOrder(t *testing.T) {
	n := newNetwork(rand.New(rand.NewPCG(1, 19)))
	want, _ := connectAll(t, n.log, way{2, 100, 0, false}, allFields...)
	for _, w := range []way{{1, 1000, 0, true}, {4, 17, 1 << 16, true}} {
		got, _ := connectAll(t, n.log, w, allFields...)
		if !slices.IsSortedFunc(got, func(a, b string) int { return cmp.Compare(a[:10], b[:10]) }) {
			t.Errorf("%+v: starts are not in order", w)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d connections, want the same as in any order, %d", w, len(got), len(want))
		}
	}
}

// Connections that are known, cut into windows as AWS does, are found again.
func TestConnectionsFindTheTruth(t *testing.T) {
	total, right, sure := 0, 0, 0
	states := make(map[string]int)
	for seed := range uint64(40) {
		n := newNetwork(rand.New(rand.NewPCG(seed, 7)))
		got := make(map[string][]string) // by ends: start, state and how, the state that of the last piece
		sums := make(map[string][4]int64)
		texts, _ := connectAll(t, n.log, way{2, 500, 0, false}, "client", "client_port", "server", "server_port", "protocol", "start", "bytes_up", "bytes_down", "packets_up", "packets_down", "state", "how", "resumed")
		slices.SortFunc(texts, func(a, b string) int { return cmp.Compare(strings.Fields(a)[5], strings.Fields(b)[5]) })
		for _, text := range texts {
			f := strings.Fields(text)
			key := strings.Join(f[:5], " ")
			if f[12] == "true" {
				last := &got[key][len(got[key])-1]
				f[5] = strings.Fields(*last)[0]
				*last = strings.Join([]string{f[5], f[10], f[11]}, " ")
			} else {
				got[key] = append(got[key], f[5]+" "+f[10]+" "+f[11])
			}
			var add [4]int64
			for i := range add {
				add[i], _ = strconv.ParseInt(f[6+i], 10, 64)
			}
			s := sums[key]
			for i := range s {
				s[i] += add[i]
			}
			sums[key] = s
		}
		for key, all := range n.truth() {
			total += len(all)
			found := got[key]
			if len(found) != len(all) {
				continue
			}
			right += len(all)
			slices.Sort(found)
			var want [4]int64
			for i, x := range all {
				what := strings.Fields(found[i])
				if what[2] == "syn" || what[2] == "earlier" {
					sure++
				}
				if x.state != what[1] {
					t.Errorf("seed %d: %s from %d is %s, want %s", seed, key, x.start, what[1], x.state)
				}
				states[what[1]]++
				for k := range want {
					want[k] += x.sums[k]
				}
			}
			if sums[key] != want {
				t.Errorf("seed %d: %s: bytes and packets %v, want %v", seed, key, sums[key], want)
			}
		}
	}
	if total < 2000 || right*100 < total*99 || sure*100 < total*95 {
		t.Errorf("of %d TCP connections with flags %d are found, %d for sure: want 99 and 95 of a hundred", total, right, sure)
	}
	for _, name := range stateNames() {
		if states[name] < 10 {
			t.Errorf("%d connections are %s: the networks are poor", states[name], name)
		}
	}
}

// A network is hosts, and what flow logs of their interfaces have of the connections between them.
type network struct {
	r     *rand.Rand
	log   []reporttest.Row
	conns []trueConnection
}

// A trueConnection is one of TCP that was opened while the logs were written.
type trueConnection struct {
	client, server         string
	clientPort, serverPort int
	start                  int64
	state                  string
	sums                   [4]int64 // bytes up and down, packets up and down
	packets                []truePacket
}

type truePacket struct {
	at    int64
	up    bool
	flags int
	bytes int64
}

func (n *network) truth() map[string][]trueConnection {
	all := make(map[string][]trueConnection)
	for _, c := range n.conns {
		key := fmt.Sprintf("%s %d %s %d 6", c.client, c.clientPort, c.server, c.serverPort)
		all[key] = append(all[key], c)
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b trueConnection) int { return cmp.Compare(a.start, b.start) })
	}
	return all
}

// newNetwork makes a network of ten hosts, each with an interface that has its own interval, and of which some are not
// logged.
func newNetwork(r *rand.Rand) *network {
	n := &network{r: r}
	type host struct {
		address, eni  string
		window, phase int64
		logged        bool
	}
	var hosts []host
	for i := range 10 {
		hosts = append(hosts, host{fmt.Sprintf("10.0.0.%d", 10+i), fmt.Sprintf("eni-%d", i), 60, r.Int64N(60), i < 8})
		if i%4 == 3 {
			hosts[i].window = 600
		}
	}
	const begin = 1_700_000_000
	at := make(map[string]int64) // by ends: from when on the client may use its port again
	for range 150 {
		a, b := r.IntN(8), r.IntN(10)
		if a == b {
			continue
		}
		c := trueConnection{client: hosts[a].address, server: hosts[b].address, clientPort: 1024 + r.IntN(60000), serverPort: 1000 + b}
		again := r.IntN(3)
		for range 1 + again {
			key := fmt.Sprint(c.client, c.clientPort)
			start := max(begin+r.Int64N(3000), at[key])
			c := n.converse(c, start)
			last := c.packets[len(c.packets)-1].at
			at[key] = last + max(hosts[a].window, hosts[b].window) + 1 // windows hold one connection each
			if again > 0 {
				at[key] += 700 // and what was silent until now is over
			}
			n.conns = append(n.conns, c)
			for _, h := range []host{hosts[a], hosts[b]} {
				if h.logged {
					n.cutIntoWindows(c, h.eni, h.window, h.phase)
				}
			}
		}
	}
	return n
}

// converse makes the packets of a connection.
func (n *network) converse(c trueConnection, start int64) trueConnection {
	t := start
	c.start, c.packets, c.sums = start, nil, [4]int64{}
	send := func(up bool, flags int, bytes int64) {
		c.packets = append(c.packets, truePacket{t, up, flags, bytes})
		i := 1
		if up {
			i = 0
		}
		c.sums[i] += bytes
		c.sums[2+i]++
	}
	switch c.state = []string{"open", "closed", "closed", "reset", "no_answer", "refused", "one_sided"}[n.r.IntN(7)]; c.state {
	case "no_answer":
		for _, wait := range []int64{0, 1, 2, 4} {
			t += wait
			send(true, flagSYN, 60)
		}
		return c
	case "refused":
		send(true, flagSYN, 60)
		send(false, flagRST|flagACK, 40)
		return c
	}
	send(true, flagSYN, 60)
	down := c.state != "one_sided"
	if down {
		send(false, flagSYN|flagACK, 60)
	}
	for range 3 + n.r.IntN(30) {
		t += n.r.Int64N(20)
		if n.r.IntN(40) == 0 {
			t += n.r.Int64N(1500) // silent for longer than idle, now and then
		}
		send(true, flagACK, 40+n.r.Int64N(1000))
		if down {
			send(false, flagACK, 40+n.r.Int64N(1400))
		}
	}
	switch c.state {
	case "closed":
		send(true, flagFIN|flagACK, 40)
		send(false, flagFIN|flagACK, 40)
	case "reset":
		send(false, flagRST|flagACK, 40)
	}
	return c
}

// cutIntoWindows adds what an interface logs: a record for each direction and interval, with the OR of the flags, where
// ACK alone is none.
func (n *network) cutIntoWindows(c trueConnection, eni string, window, phase int64) {
	type key struct {
		up    bool
		index int64
	}
	type sum struct{ start, end, bytes, packets, flags int64 }
	sums := make(map[key]*sum)
	var order []key
	for _, p := range c.packets {
		k := key{p.up, (p.at + phase) / window}
		s := sums[k]
		if s == nil {
			s = &sum{start: p.at}
			sums[k], order = s, append(order, k)
		}
		s.end, s.bytes, s.packets = p.at, s.bytes+p.bytes, s.packets+1
		if flags := p.flags; flags&flagSYN != 0 {
			s.flags |= int64(flags)
		} else {
			s.flags |= int64(flags &^ flagACK)
		}
	}
	for _, k := range order {
		s := sums[k]
		e := reporttest.Row{"interface_id": eni, "protocol": "6", "action": "ACCEPT", "srcaddr": c.client, "dstaddr": c.server, "srcport": strconv.Itoa(c.clientPort), "dstport": strconv.Itoa(c.serverPort)}
		if !k.up {
			e["srcaddr"], e["dstaddr"], e["srcport"], e["dstport"] = e["dstaddr"], e["srcaddr"], e["dstport"], e["srcport"]
		}
		for name, v := range map[string]int64{"start": s.start, "end": s.end, "bytes": s.bytes, "packets": s.packets, "tcp_flags": s.flags} {
			e[name] = strconv.FormatInt(v, 10)
		}
		n.log = append(n.log, e)
	}
}
