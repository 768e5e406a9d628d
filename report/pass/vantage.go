package pass

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report/expr"
	"flowlog/report/parallel"
)

// Vantages are the ways to count traffic that several interfaces logged.
var Vantages = []struct{ Name, Doc string }{
	{"all", "every record, as logged; says how much of it was logged more than once"},
	{"src", "what the interface of its source saw leave"},
	{"dst", "what the interface of its destination saw arrive"},
	{"dedupe", "each flow once, across interfaces, NAT and transit gateways"},
}

// ErrNoInterface is the error for logs that do not say which interface saw a flow.
var ErrNoInterface error = schema.Wordsf("%s needs interface_id, which these logs do not have: add ${interface-id} to the format of the flow log", schema.Opt("vantage"))

// VantageFields lists the fields that only a Vantage knows.
func VantageFields() schema.Table {
	return schema.Table{{
		Name: schema.DirectionField, Kind: schema.Text, Values: []string{"ingress", "egress"},
		Doc: "ingress or egress: flow_direction, or where that was not logged, by which address is the interface's own",
	}}
}

// A Vantage stands between a scan and what it feeds, and lets pass the records that are to be counted: all, those of one
// side, or each flow once. Which address is an interface's own, and who else saw a flow, is known only when all records
// have been seen: until then it keeps in memory the columns that are asked for, and a sighting of each flow record.
type Vantage struct {
	mode      string
	fields    schema.Table // what is handed on
	mu        sync.Mutex
	held      []*held
	witnesses map[int]*witness // by worker of the scan

	Total  Tally // all flows
	Double Tally // those that were logged before
	Beside Tally // those that src and dst leave out
	Open   Tally // those of which it is not known which address is the interface's own, not counted for all and dedupe
}

// A Tally counts flows and their bytes.
type Tally struct{ Flows, Bytes int64 }

func (t *Tally) add(bytes int64) {
	t.Flows++
	t.Bytes += bytes
}

func (t *Tally) join(o Tally) {
	t.Flows += o.Flows
	t.Bytes += o.Bytes
}

// held is one batch. Of each row it has a verdict: whether it is counted, and its direction.
type held struct {
	columns  []*schema.Column
	verdicts []uint8
}

// counted is the bit of a verdict for rows that are handed on. The bits above it are a direction.
const counted = 1

// NewVantage returns the Vantage of one of the Vantages, or of "" which only tells directions, for a scan of a
// projection, and the projection that it needs.
func NewVantage(mode string, known schema.Table, p *schema.Projection) (*Vantage, *schema.Projection, error) {
	names := slices.Clone(p.Fields.Names()[:p.Named])
	asked, err := known.Project(names...)
	if err != nil {
		return nil, nil, err
	}
	wide, err := known.Project(append(names, sightingFields[:]...)...)
	if err != nil {
		return nil, nil, err
	}
	return &Vantage{mode: mode, fields: asked.Logged().Fields, witnesses: make(map[int]*witness)}, wide, nil
}

// Add keeps a batch. It is a schema.Emit.
func (v *Vantage) Add(b schema.Batch) error {
	n := int(b.NumRows())
	h := &held{verdicts: make([]uint8, n)}
	for _, f := range v.fields {
		c := schema.NewColumn(f)
		if f.Name != schema.DirectionField {
			c.AppendArray(expr.Column(b.Record, f.Name))
		}
		h.columns = append(h.columns, c)
	}
	v.mu.Lock()
	batch := int32(len(v.held))
	v.held = append(v.held, h)
	w := v.witnesses[b.Worker]
	if w == nil {
		w = newWitness()
		v.witnesses[b.Worker] = w
	}
	v.mu.Unlock()
	w.see(b.Record, batch, h.verdicts)
	return nil
}

// Emit hands on what is to be counted, to so many workers at once. It follows the last Add.
func (v *Vantage) Emit(workers int, emit schema.Emit) error {
	if err := v.decide(); err != nil {
		return err
	}
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for i := worker; i < len(v.held) && errs[worker] == nil; i += workers {
				errs[worker] = v.replay(v.held[i], worker, i, emit)
				v.held[i] = nil
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// decide writes the verdicts of all flows. That of a flow depends on what is known of the interfaces, and on the records
// of the same packets, ports, protocol and action alone.
func (v *Vantage) decide() error {
	s := newSurvey(v.witnesses)
	if s == nil {
		return nil
	}
	if s.anonymous() {
		return ErrNoInterface
	}
	s.learn()
	var mu sync.Mutex
	var judges []*judge // that have nothing to do
	take := func() *judge {
		mu.Lock()
		defer mu.Unlock()
		n := len(judges)
		if n == 0 {
			return &judge{survey: s, mode: v.mode, held: v.held}
		}
		j := judges[n-1]
		judges = judges[:n-1]
		return j
	}
	err := parallel.Each(lots, func(lot int) error {
		j := take()
		j.lot(lot)
		mu.Lock()
		defer mu.Unlock()
		judges = append(judges, j)
		return nil
	})
	for _, j := range judges {
		v.Total.join(j.tallies.total)
		v.Double.join(j.tallies.double)
		v.Beside.join(j.tallies.beside)
		v.Open.join(j.tallies.open)
	}
	v.witnesses = nil
	return err
}

func (v *Vantage) replay(h *held, worker, seq int, emit schema.Emit) error {
	rows := make([]int32, 0, len(h.verdicts))
	for row, verdict := range h.verdicts {
		if verdict&counted != 0 {
			rows = append(rows, int32(row))
		}
	}
	columns := make([]arrow.Array, len(h.columns))
	for i, c := range h.columns {
		if c.Name == schema.DirectionField {
			for _, verdict := range h.verdicts {
				c.Append(directions[verdict>>1])
			}
		}
		if len(rows) < len(h.verdicts) {
			c.Keep(rows)
		}
		columns[i] = c.Array()
	}
	rec := array.NewRecord(v.fields.Arrow(), columns, int64(len(rows)))
	defer rec.Release()
	return emit(schema.Batch{Record: rec, Worker: worker, Seq: int64(seq)})
}

const openNote = "the logs do not tell which address is the interface's own: flow_direction would"

// Note says what the vantage did, or for the key direction alone of how much it is not known. It is nil if there is nothing to
// say.
func (v *Vantage) Note() *schema.Words {
	share := func(t Tally) string {
		return fmt.Sprintf("%d of %d flows and %d of %d bytes", t.Flows, v.Total.Flows, t.Bytes, v.Total.Bytes)
	}
	switch v.mode {
	case "src", "dst":
		side := "seen leaving by the interface of their source"
		if v.mode == "dst" {
			side = "seen arriving by the interface of their destination"
		}
		note := fmt.Sprintf("vantage %s: %s were not %s, and are left out", v.mode, share(v.Beside), side)
		if v.Open.Flows > 0 {
			note += fmt.Sprintf("; for %d of these flows and %d bytes, %s", v.Open.Flows, v.Open.Bytes, openNote)
		}
		return schema.Wordsf("%s", note)
	case "":
		if v.Open.Flows == 0 {
			return nil
		}
		return schema.Wordsf("direction: for %s, %s", share(v.Open), openNote)
	case "dedupe":
		return schema.Wordsf("vantage dedupe: %s had been logged by another interface, and are left out", share(v.Double))
	}
	return schema.Wordsf("vantage all: %s had been logged by another interface too; %s leaves them out", share(v.Double), schema.Opt("vantage", "dedupe"))
}
