package inventory

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// A world is interfaces that come and go, whose secondary and public addresses move.
type world struct {
	enis []worldENI
	span int64
}

type worldENI struct {
	id, vpc, address string
	from, to         int64
	moves            []worldMove // addresses that it has for some of its life
}

type worldMove struct {
	address  string
	public   bool
	from, to int64
}

const worldStart = 1_764_201_600 // 2025-11-27

// newWorld makes a world in which an address of a VPC has at most one owner at a time.
func newWorld(r *rand.Rand) *world {
	w := &world{span: 4000}
	for vpc := range 2 {
		for slot := range 2 {
			for at := r.Int64N(400); at < w.span; {
				until := at + 60 + r.Int64N(1500)
				w.enis = append(w.enis, worldENI{
					id: fmt.Sprintf("eni-%d", len(w.enis)), vpc: fmt.Sprintf("vpc-%d", vpc), address: fmt.Sprintf("10.0.0.%d", slot), from: at, to: until,
				})
				at = until + r.Int64N(300)
			}
		}
	}
	for n, address := range []string{"10.0.0.100", "198.51.100.1"} {
		for at := int64(0); at < w.span; {
			until := at + 20 + r.Int64N(800)
			e := &w.enis[r.IntN(len(w.enis))]
			if from, to := max(at, e.from), min(until, e.to); from < to && (n == 1 || e.vpc == "vpc-0") {
				e.moves = append(e.moves, worldMove{address, n == 1, from, to})
			}
			at = until
		}
	}
	return w
}

// snapshot is the listing of all interfaces at a time. With attach, it says when they were attached.
func (w *world) snapshot(at int64, attach bool) File {
	var list []string
	for _, e := range w.enis {
		if at < e.from || e.to <= at {
			continue
		}
		attached := ""
		if attach {
			attached = fmt.Sprintf(`,"AttachTime":%q`, time.Unix(worldStart+e.from, 0).UTC().Format(time.RFC3339))
		}
		addresses := fmt.Sprintf(`{"PrivateIpAddress":%q,"Primary":true}`, e.address)
		for _, m := range e.moves {
			switch {
			case at < m.from || m.to <= at:
			case m.public:
				addresses += fmt.Sprintf(`,{"PrivateIpAddress":%q,"Association":{"PublicIp":%q}}`, e.address, m.address)
			default:
				addresses += fmt.Sprintf(`,{"PrivateIpAddress":%q}`, m.address)
			}
		}
		list = append(list, fmt.Sprintf(`{"NetworkInterfaceId":%[1]q,"OwnerId":"1","VpcId":%[2]q,"TagSet":[{"Key":"Name","Value":%[1]q}],"Attachment":{"InstanceId":"i"%[3]s},"PrivateIpAddresses":[%[4]s]}`,
			e.id, e.vpc, attached, addresses))
	}
	name := time.Unix(worldStart+at, 0).UTC().Format("2006-01-02T150405Z")
	return file(name+".json", fmt.Sprintf(`{"flowlog":"inventory","version":1,"account":"1","region":"us-east-1","time":%q,"calls":{"DescribeNetworkInterfaces":{"NetworkInterfaces":[%s]}}}`,
		time.Unix(worldStart+at, 0).UTC().Format(time.RFC3339), strings.Join(list, ",")))
}

// had reports whether an interface had an address within a minute of a record.
func (w *world) had(id string, q Query) bool {
	overlaps := func(from, to int64) bool {
		return worldStart+from <= q.End+slack && q.Start-slack < worldStart+to
	}
	for _, e := range w.enis {
		if e.id != id {
			continue
		}
		if q.Addr.String() == e.address {
			return overlaps(e.from, e.to)
		}
		for _, m := range e.moves {
			if m.address == q.Addr.String() && overlaps(m.from, m.to) {
				return true
			}
		}
	}
	return false
}

// TestFurtherSnapshot adds snapshots to an inventory: what was certain may become unsure, but not another certain answer,
// and what is certain is true.
func TestFurtherSnapshot(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	certain := 0
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 17))
		w := newWorld(r)
		attach := seed%2 == 0
		var queries []Query
		for range 60 {
			start := worldStart + r.Int64N(w.span)
			address := []string{"10.0.0.0", "10.0.0.1", "10.0.0.100", "198.51.100.1"}[r.IntN(4)]
			vpc := []string{"vpc-0", "vpc-1", ""}[r.IntN(3)]
			queries = append(queries, Query{Addr: netip.MustParseAddr(address), VPC: vpc, Start: start, End: start + r.Int64N(3)*30})
		}
		before := make([]string, len(queries))
		var files []File
		for range 6 {
			files = append(files, w.snapshot(r.Int64N(w.span), attach))
			inv := read(t, files...)
			for i, q := range queries {
				got := text(inv.Find(q))
				if strings.HasPrefix(before[i], "certain") && strings.HasPrefix(got, "certain") && got != before[i] {
					t.Errorf("seed %d: %+v: %s, and with a further snapshot %s", seed, q, before[i], got)
				}
				if before[i] = got; strings.HasPrefix(got, "certain") {
					certain++
					if !w.had(strings.TrimPrefix(got, "certain "), q) {
						t.Errorf("seed %d: %+v: %s, which never had it then", seed, q, got)
					}
				}
				at := func(time int64) Answer {
					epochs := inv.Epochs(q)
					e := 0
					for e < len(epochs) && epochs[e] <= time {
						e++
					}
					moved := q
					moved.Start, moved.End = time, time
					if e > 0 {
						moved.Start, moved.End = epochs[e-1], epochs[e-1]
					}
					return inv.Find(moved)
				}
				single := q
				single.End = q.Start
				if a, b := text(inv.Find(single)), text(at(q.Start)); a != b {
					t.Errorf("seed %d: %+v: %s, and at the begin of its epoch %s", seed, single, a, b)
				}
			}
		}
	}
	if certain < rounds*20 {
		t.Errorf("only %d answers were certain", certain)
	}
}
