package pass

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

// What --vantage counts is what a plain reading of `flowlog help counting` says, record by record, whatever is logged and
// whoever is on the way; in one batch or many, by one worker or eight.
func TestVantageLaw(t *testing.T) {
	worlds := uint64(120)
	if testing.Short() {
		worlds = 40
	}
	var counts [4]int
	open := 0
	for seed := range worlds {
		w := newWorld(seed)
		rows := w.rows
		if seed%3 == 0 {
			rows = scrambled(w.r, rows)
		}
		plain := readPlainly(rows)
		for i, mode := range []string{"all", "src", "dst", "dedupe"} {
			wanted := plain.counted(mode)
			counts[i] += len(wanted)
			for _, workers := range []int{1, 8} {
				got, directions, v := handedOn(t, mode, rows, workers, 1+w.r.IntN(40))
				if text := difference(rows, got, wanted); text != "" {
					t.Fatalf("seed %d, %s, %d workers: %s", seed, mode, workers, text)
				}
				for _, i := range got {
					if wanted := plain.records[i].direction; directions[i] != wanted {
						t.Fatalf("seed %d, %d workers: %v is %q, want %q", seed, workers, rows[i], directions[i], wanted)
					}
				}
				if mode == "src" || mode == "dst" {
					reporttest.Want(t, fmt.Sprintf("seed %d, %s: open", seed, mode), v.Open.Flows, plain.open)
				}
			}
		}
		open += plain.open
	}
	// the worlds are not of one kind
	if open == 0 || slices.Min(counts[:]) == 0 || counts[0] == counts[3] {
		t.Errorf("worlds are poor: counted %v, open %d", counts, open)
	}
}

// What src counts is what the sources' own interfaces saw leave, and dst what the destinations' saw arrive, where each
// interface has enough peers to tell its own address. Nothing that a gateway forwards is among it.
func TestVantageCountsWhatOwnInterfacesSaw(t *testing.T) {
	for seed := range uint64(200) {
		w := newWorld(seed)
		// without these, a transit gateway looks like a host with secondary addresses, and a NAT gateway like any host
		if tells := w.fields.packets && (w.fields.kind || !w.crowded); tells || w.gateways == 0 {
			for mode, sent := range map[string]map[int]bool{"src": w.left, "dst": w.arrived} {
				got, _, v := handedOn(t, mode, w.rows, 2, 30)
				for _, i := range got {
					if !sent[i] && w.rows[i]["log_status"] == "OK" {
						t.Fatalf("seed %d: %s counts %v, which its interface only forwards", seed, mode, w.rows[i])
					}
					delete(sent, i)
				}
				if len(sent) > int(v.Open.Flows) {
					t.Fatalf("seed %d: %s leaves out %d records of own interfaces, of which %d are open, such as %v", seed, mode, len(sent), v.Open.Flows, w.rows[slices.Collect(maps.Keys(sent))[0]])
				}
			}
		}
	}
}

// handedOn returns which rows a Vantage hands on, in their order, and the direction of each.
func handedOn(t *testing.T, mode string, rows []reporttest.Row, workers, size int) ([]int, map[int]string, *Vantage) {
	t.Helper()
	known := append(reporttest.Fields(), VantageFields()...)
	asked, err := known.Project("packets", schema.DirectionField, "log_status")
	if err != nil {
		t.Fatal(err)
	}
	v, p, err := NewVantage(mode, known, asked)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			feed := reporttest.NewFeeder(p.Logged())
			for i := worker * size; i < len(rows); i += workers * size {
				if err := v.Add(schema.Batch{Worker: worker, Record: feed.Record(t, rows[i:min(i+size, len(rows))])}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	var mu sync.Mutex
	var got []int
	directions := make(map[int]string)
	err = v.Emit(workers, func(b schema.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		packets := expr.Column(b.Record, "packets").(*array.Int64)
		codes, words := schema.TextCodes(expr.Column(b.Record, schema.DirectionField))
		for i := range packets.Len() {
			n := int(packets.Value(i))
			got = append(got, n)
			if !expr.Column(b.Record, schema.DirectionField).IsNull(i) {
				directions[n] = words.Value(int(codes[i]))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got, directions, v
}

func difference(rows []reporttest.Row, got, wanted []int) string {
	var b strings.Builder
	for i := range rows {
		g, w := slices.Contains(got, i), slices.Contains(wanted, i)
		if g != w {
			fmt.Fprintf(&b, "\n%v is counted: %v, want %v", rows[i], g, w)
		}
	}
	if b.Len() == 0 && len(got) != len(wanted) {
		return fmt.Sprintf("%d records, want %d", len(got), len(wanted))
	}
	return b.String()
}

// A reading is what a reader of the help page makes of records, slowly.
type reading struct {
	records []readRecord
	open    int
}

type readRecord struct {
	flow                                   bool
	iface, resource, kind, instance, place string
	src, dst, pktSrc, pktDst               netip.Addr
	packets, action                        string // the packets' addresses, ports and protocol
	start, end                             int64
	logged, direction                      string
}

func readPlainly(rows []reporttest.Row) *reading {
	p := &reading{}
	for _, r := range rows {
		address := func(names ...string) (a netip.Addr) {
			for _, name := range names {
				if a, err := netip.ParseAddr(r[name]); err == nil {
					return a
				}
			}
			return a
		}
		x := readRecord{
			flow: r["log_status"] == "OK" || r["log_status"] == "", iface: r["interface_id"], resource: r["resource_id"], kind: r["interface_type"],
			instance: r["instance_id"], logged: r["flow_direction"],
			src: address("srcaddr", "pkt_srcaddr"), dst: address("dstaddr", "pkt_dstaddr"),
			pktSrc: address("pkt_srcaddr", "srcaddr"), pktDst: address("pkt_dstaddr", "dstaddr"),
		}
		x.packets, x.action = fmt.Sprint(x.pktSrc, x.pktDst, r["srcport"], r["dstport"], r["protocol"]), r["action"]
		x.start, _ = strconv.ParseInt(r["start"], 10, 64)
		x.end, _ = strconv.ParseInt(r["end"], 10, 64)
		p.records = append(p.records, x)
	}
	p.fill(rows)
	own := p.ownAddresses()
	for i := range p.records {
		x := &p.records[i]
		x.direction = x.logged
		src, dst := own[x.iface+x.resource][x.src], own[x.iface+x.resource][x.dst]
		switch {
		case !x.flow:
			x.direction = ""
		case x.logged != "":
		case x.src != x.pktSrc && x.dst == x.pktDst:
			x.direction = "egress"
		case x.dst != x.pktDst && x.src == x.pktSrc:
			x.direction = "ingress"
		case src && !dst:
			x.direction = "egress"
		case dst && !src:
			x.direction = "ingress"
		}
		if x.flow && x.direction == "" && !x.gateway() {
			p.open++
		}
	}
	return p
}

// fill gives each record what other records say of its interface.
func (p *reading) fill(rows []reporttest.Row) {
	type traits struct{ kind, instance, vpc, account, region string }
	of := make(map[string]traits)
	for i, r := range rows {
		if x := p.records[i]; x.flow {
			t := of[x.iface+x.resource]
			of[x.iface+x.resource] = traits{
				cmp.Or(t.kind, x.kind), cmp.Or(t.instance, x.instance), cmp.Or(t.vpc, r["vpc_id"]), cmp.Or(t.account, r["account_id"]), cmp.Or(t.region, r["region"]),
			}
		}
	}
	for i := range p.records {
		x := &p.records[i]
		t := of[x.iface+x.resource]
		x.kind, x.instance, x.place = t.kind, t.instance, cmp.Or(t.vpc, t.account+" "+t.region)
	}
}

// gateway reports whether it is a gateway, or no interface, that has logged.
func (x *readRecord) gateway() bool {
	return x.iface == "" || x.regional() || slices.Contains([]string{"nat_gateway", "transit_gateway"}, x.kind)
}

func (x *readRecord) regional() bool {
	return x.kind == "regional_nat_gateway" || strings.HasPrefix(x.resource, "nat-")
}

// ownAddresses are the own addresses of interfaces, as far as the three rules of the page tell.
func (p *reading) ownAddresses() map[string]map[netip.Addr]bool {
	own := make(map[string]map[netip.Addr]bool)
	for _, x := range p.records {
		own[x.iface+x.resource] = make(map[netip.Addr]bool)
	}
	var ties []lawTie
	for _, is4 := range []bool{true, false} {
		common, evident := p.shown(is4)
		for name, shown := range common {
			if len(shown) == 0 { // the third rule
				maps.Copy(own[name], evident[name])
				continue
			}
			a, open := shown[0], false
			if len(shown) == 2 {
				a, open = ofTwo(shown[0], shown[1], evident[name])
			}
			if open {
				ties = append(ties, lawTie{name, p.placeOf(name), [2]netip.Addr{shown[0], shown[1]}})
			} else {
				own[name][a] = true
			}
		}
	}
	p.breakTies(ties, own)
	return own
}

// shown returns the addresses of a family that all records of an interface show, and those that are its own for certain.
func (p *reading) shown(is4 bool) (common map[string][]netip.Addr, evident map[string]map[netip.Addr]bool) {
	common, evident = make(map[string][]netip.Addr), make(map[string]map[netip.Addr]bool)
	met := make(map[string]bool)
	for _, x := range p.records {
		name := x.iface + x.resource
		if !x.flow || x.regional() || x.iface == "" {
			continue
		}
		if evident[name] == nil {
			evident[name] = make(map[netip.Addr]bool)
			common[name] = nil
		}
		switch egress, ingress := x.src != x.pktSrc, x.dst != x.pktDst; {
		case x.logged == "egress" && x.src.Is4() == is4, x.logged == "" && egress && !ingress && x.src.Is4() == is4:
			evident[name][x.src] = true
		case x.logged == "ingress" && x.dst.Is4() == is4, x.logged == "" && ingress && !egress && x.dst.Is4() == is4:
			evident[name][x.dst] = true
		}
		if x.src.Is4() != is4 || x.dst.Is4() != is4 || !x.src.IsValid() || !x.dst.IsValid() {
			continue
		}
		shown := slices.Compact([]netip.Addr{x.src, x.dst})
		if met[name] {
			shown = slices.DeleteFunc(shown, func(a netip.Addr) bool { return !slices.Contains(common[name], a) })
		}
		common[name], met[name] = shown, true
	}
	return common, evident
}

// ofTwo is the own address of two that all records show, or open.
func ofTwo(a, b netip.Addr, evident map[netip.Addr]bool) (own netip.Addr, open bool) {
	first, second := evident[a], evident[b]
	if first == second {
		first, second = a.Is4() && a.IsPrivate(), b.Is4() && b.IsPrivate()
	}
	switch {
	case first == second:
		return own, true
	case first:
		return a, false
	}
	return b, false
}

type lawTie struct {
	name, place string
	either      [2]netip.Addr
}

func (p *reading) placeOf(name string) string {
	for _, x := range p.records {
		if x.iface+x.resource == name {
			return x.place
		}
	}
	return ""
}

// breakTies finds own addresses by those of other interfaces, until no more are found.
func (p *reading) breakTies(ties []lawTie, own map[string]map[netip.Addr]bool) {
	taken := func(a netip.Addr, place string) bool {
		for name, addresses := range own {
			if addresses[a] && p.placeOf(name) == place {
				return true
			}
		}
		return false
	}
	for found := true; found; {
		found = false
		claims := make(map[[2]string][]lawTie)
		for _, t := range ties {
			switch first, second := taken(t.either[0], t.place), taken(t.either[1], t.place); {
			case first && !second:
				claims[[2]string{t.either[1].String(), t.place}] = append(claims[[2]string{t.either[1].String(), t.place}], t)
			case second && !first:
				claims[[2]string{t.either[0].String(), t.place}] = append(claims[[2]string{t.either[0].String(), t.place}], t)
			}
		}
		for claim, by := range claims {
			if a := netip.MustParseAddr(claim[0]); len(by) == 1 && !own[by[0].name][a] {
				own[by[0].name][a] = true
				found = true
			}
		}
		// what is settled, or can no more be, is no tie
		ties = slices.DeleteFunc(ties, func(t lawTie) bool { return taken(t.either[0], t.place) && taken(t.either[1], t.place) })
	}
}

// counted returns the records that a vantage counts.
func (p *reading) counted(mode string) []int {
	var out []int
	own := p.ownAddresses()
	for i, x := range p.records {
		counts := true
		switch {
		case !x.flow:
		case mode == "src":
			counts = x.direction == "egress" && !x.gateway() && !p.second(x) && (x.src == x.pktSrc || !p.forwards(x, x.src, x.pktSrc, own))
		case mode == "dst":
			counts = x.direction == "ingress" && !x.gateway() && !p.second(x) && (x.dst == x.pktDst || !p.forwards(x, x.dst, x.pktDst, own))
		case mode == "dedupe":
			continue
		}
		if counts {
			out = append(out, i)
		}
	}
	if mode == "dedupe" {
		out = append(out, p.once()...)
		slices.Sort(out)
	}
	return out
}

// second reports whether a record is what a NAT gateway sends on under its own address, and has logged for whom.
func (p *reading) second(x readRecord) bool {
	private := func(a netip.Addr) bool { return a.IsPrivate() }
	for _, y := range p.records {
		if !y.flow || y.iface != x.iface || y.resource != x.resource {
			continue
		}
		if strings.HasPrefix(x.resource, "nat-") {
			ends := map[netip.Addr]bool{}
			if private(y.pktSrc) {
				ends[y.pktDst] = true
			}
			if private(y.pktDst) {
				ends[y.pktSrc] = true
			}
			if !private(x.pktSrc) && !private(x.pktDst) && (ends[x.pktSrc] || ends[x.pktDst]) {
				return true
			}
			continue
		}
		if x.src == x.pktSrc && y.dst == x.src && y.dst != y.pktDst && y.pktDst == x.pktDst {
			return true
		}
		if x.dst == x.pktDst && y.src == x.dst && y.src != y.pktSrc && y.pktSrc == x.pktSrc {
			return true
		}
	}
	return false
}

// forwards reports whether an interface that shows its own address in place of another one forwards what is from or for
// that.
func (p *reading) forwards(x readRecord, shown, other netip.Addr, own map[string]map[netip.Addr]bool) bool {
	if p.surelyForwards(x, shown, other, own) {
		return true
	}
	claims := make(map[string]bool)
	speaks := false
	for _, y := range p.records {
		this := y.iface + y.resource
		for _, end := range [2][2]netip.Addr{{y.src, y.pktSrc}, {y.dst, y.pktDst}} {
			if !y.flow || y.iface == "" {
				continue
			}
			if end[0] != end[1] && end[1] == other && !p.surelyForwards(y, end[0], other, own) {
				claims[this] = true
			}
			if this == x.iface+x.resource && (end[0] == end[1] && own[this][end[0]] || y.instance != "") {
				speaks = true
			}
		}
	}
	return len(claims) > 1 && !speaks
}

// surelyForwards is forwards by what does not depend on who else may have the address.
func (p *reading) surelyForwards(x readRecord, shown, other netip.Addr, own map[string]map[netip.Addr]bool) bool {
	far := func(a netip.Addr) bool {
		size := 16
		if !a.Is4() {
			size = 44
		}
		near, _ := a.Prefix(size)
		return !near.Contains(other)
	}
	if far(shown) || x.kind != "" {
		return true
	}
	name := x.iface + x.resource
	for _, y := range p.records {
		this := y.iface + y.resource
		if !y.flow || y.iface == "" {
			continue
		}
		if y.instance != "" && y.place == x.place && x.instance == "" || this != name && own[this][other] {
			return true
		}
		for _, end := range [2][2]netip.Addr{{y.src, y.pktSrc}, {y.dst, y.pktDst}} {
			switch {
			case this != name || end[1] != other:
			case end[0] != other && far(end[0]), end[0] == other && !own[name][other]:
				return true
			}
		}
	}
	return false
}

// once returns the flow records that dedupe counts.
func (p *reading) once() []int {
	var out []int
	flows := make(map[[2]string][]int)
	for i, x := range p.records {
		if x.flow {
			flows[[2]string{x.packets, x.action}] = append(flows[[2]string{x.packets, x.action}], i)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(flows), func(a, b [2]string) int { return cmp.Compare(b[1], a[1]) }) {
		list := flows[key]
		var before []int // records with an action of the same packets, for those without
		if key[1] == "" {
			before = slices.DeleteFunc(slices.Clone(out), func(i int) bool { return p.records[i].packets != key[0] || p.records[i].action == "" })
		}
		slices.SortFunc(list, func(a, b int) int { return cmp.Compare(p.records[a].start, p.records[b].start) })
		for len(list) > 0 {
			n, end := 1, p.records[list[0]].end
			for n < len(list) && p.records[list[n]].start <= end+60 {
				end = max(end, p.records[list[n]].end)
				n++
			}
			out = append(out, p.onceOf(list[:n], before)...)
			list = list[n:]
		}
	}
	return out
}

// onceOf returns the records of one flow that dedupe counts, where some count already.
func (p *reading) onceOf(flow, counting []int) []int {
	seers := make(map[string][]int)
	for _, i := range flow {
		x := p.records[i]
		side := map[string]string{"egress": "0", "ingress": "1", "": "2"}[x.direction]
		name := fmt.Sprintf("%s\x00%s\x00%s\x00%v\x00%v", cmp.Or(x.iface, "~"), cmp.Or(x.resource, "~"), side, x.src, x.dst)
		seers[name] = append(seers[name], i)
	}
	var names []string
	for name := range seers {
		names = append(names, name)
	}
	hidden := func(name string) int {
		x, n := p.records[seers[name][0]], 0
		if x.src != x.pktSrc {
			n++
		}
		if x.dst != x.pktDst {
			n++
		}
		return n
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(hidden(a), hidden(b)), cmp.Compare(len(seers[b]), len(seers[a])), cmp.Compare(a, b))
	})
	out := slices.Clone(counting)
	for _, name := range names {
		before := len(out)
		for _, i := range seers[name] {
			x := p.records[i]
			near := slices.ContainsFunc(out[:before], func(n int) bool {
				y := p.records[n]
				return x.start <= y.end+60 && y.start <= x.end+60
			})
			if !near && !p.second(x) {
				out = append(out, i)
			}
		}
	}
	return out[len(counting):]
}

// scrambled gives records interfaces, addresses, directions and times of others: what AWS would not log.
func scrambled(r *rand.Rand, rows []reporttest.Row) []reporttest.Row {
	names := []string{"interface_id", "srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr", "flow_direction", "action"}
	for i := range rows {
		if r.IntN(4) > 0 {
			continue
		}
		name, other := names[r.IntN(len(names))], rows[r.IntN(len(rows))]
		if value, ok := other[name]; ok {
			rows[i][name] = value
			if name == "interface_id" { // what is known of an interface all of its records say
				for _, name := range []string{"instance_id", "interface_type", "vpc_id"} {
					delete(rows[i], name)
					if value, ok := other[name]; ok {
						rows[i][name] = value
					}
				}
			}
		} else if name != "interface_id" {
			delete(rows[i], name)
		}
	}
	return rows
}
