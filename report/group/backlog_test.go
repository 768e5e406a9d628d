package group

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/reporttest"
)

// Records of more groups than the processor's caches hold come to what they are, whether they wait or have nulls and do
// not, and whether a backlog has to be settled before the end or not.
func TestManyGroups(t *testing.T) {
	for _, c := range []struct {
		by      []string
		memory  int64 // of all workers; 0 is any
		settled bool  // some backlog becomes full
	}{
		{[]string{"srcport", "dstport"}, 40 << 20, true},
		{[]string{"srcport", "dstport", "protocol"}, 0, false},
		{[]string{"protocol", "srcport", "dstport"}, 80 << 20, true},
	} {
		t.Run(fmt.Sprint(c.by, c.memory), func(t *testing.T) {
			t.Parallel()
			r := changed(t, "talkers", report.Change{By: c.by, Measures: []string{"flows", "bytes", "packets", "min(start)", "max(end)"}, Top: 0})
			agg, err := New(reporttest.Fields(), []report.Report{r}, 2)
			if err != nil {
				t.Fatal(err)
			}
			if c.memory > 0 {
				agg.Limit(c.memory, t.TempDir())
			}
			random := rand.New(rand.NewPCG(1, 1))
			type group [3]int64
			type numbers struct {
				flows, bytes, packets, first, last int64
				known                              [4]bool
			}
			expected := make(map[group]*numbers)
			stats := schema.Stats{}
			full := false
			for batch := range 120 {
				pair := make([]int64, 4000)
				for i := range pair {
					pair[i] = random.Int64N(150_000)
				}
				rec := numbersOf(agg.Projection(), len(pair), func(name string, row int) (int64, bool) {
					switch name {
					case "srcport":
						return pair[row] % 2500, true
					case "dstport":
						return pair[row] * pair[row] % 2503, true
					case "protocol":
						return 6 + 11*(pair[row]%2), true
					}
					return random.Int64N(1000), batch%7 > 0 || random.Int64N(4) > 0
				})
				columns := make(map[string]arrow.Array)
				for i, f := range rec.Schema().Fields() {
					columns[f.Name] = rec.Column(i)
				}
				var keys []arrow.Array
				for _, name := range c.by {
					keys = append(keys, columns[name])
				}
				summed := []arrow.Array{columns["bytes"], columns["packets"], columns["start"], columns["end"]}
				for row := range int(rec.NumRows()) {
					var g group
					for i, col := range keys {
						g[i] = int64(col.(*array.Int32).Value(row))
					}
					e := expected[g]
					if e == nil {
						e = &numbers{first: math.MaxInt64}
						expected[g] = e
					}
					e.flows++
					for i, col := range summed {
						if col.IsNull(row) {
							continue
						}
						switch v := col.(*array.Int64).Value(row); i {
						case 0:
							e.bytes += v
						case 1:
							e.packets += v
						case 2:
							e.first = min(e.first, v)
						case 3:
							e.last = max(e.last, v)
						}
						e.known[i] = true
					}
				}
				w := agg.workers[batch%2]
				waiting := used(w)
				if err := agg.Add(schema.Batch{Record: rec, Worker: batch % 2}); err != nil {
					t.Fatal(err)
				}
				full = full || used(w) < waiting && w == agg.workers[batch%2]
				stats.Records += rec.NumRows()
				stats.Flows += rec.NumRows()
			}
			reporttest.Want(t, "a backlog was full", full, c.settled)
			reporttest.Want(t, "records wait", used(agg.workers[0])+used(agg.workers[1]) > 0, true)
			tables, _, err := agg.Tables(stats, nil)
			if err != nil {
				t.Fatal(err)
			}
			reporttest.Want(t, "groups", len(tables[0].Rows), len(expected))
			for _, row := range tables[0].Rows {
				var g group
				for i := range c.by {
					g[i] = row[i].(int64)
				}
				e := expected[g]
				for i, v := range []int64{e.flows, e.bytes, e.packets, e.first, e.last} {
					want := any(v)
					if i > 0 && !e.known[i-1] {
						want = nil
					}
					if got := row[len(c.by)+i]; got != want && got != asTime(want) {
						t.Fatalf("%v: %s: got %v, want %v", g, r.Measures[i].Name, got, want)
					}
				}
			}
		})
	}
}

// used is how much of the backlogs of a worker is.
func used(w *worker) int {
	n := 0
	for _, g := range w.groupings {
		for _, l := range g.backlogs {
			if l != nil {
				n += l.used
			}
		}
	}
	return n
}

// numbersOf makes a batch of so many flows. value returns values of fields that are numbers; the others are null.
func numbersOf(p *schema.Projection, rows int, value func(field string, row int) (int64, bool)) arrow.Record {
	var cols []arrow.Array
	for _, f := range p.Fields {
		c := schema.NewColumn(f)
		for row := range rows {
			v, known := value(f.Name, row)
			switch {
			case f.Kind == schema.Int32 && known:
				c.Append(v)
			case (f.Kind == schema.Int64 || f.Kind == schema.Time) && known:
				c.Append(v)
			default:
				c.Null()
			}
		}
		cols = append(cols, c.Array())
	}
	return array.NewRecord(p.Fields.Arrow(), cols, int64(rows))
}
