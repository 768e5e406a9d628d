package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"flowlog/parse/schema"
)

// Partial results in a file let a report be computed in parts, each on a machine of its own, and finished
// where the parts are brought together. The file is a sequence of Arrow streams: one without columns, whose
// metadata says which reports it is about, then one for each of their groupings.

// partialKey is where the metadata is.
const partialKey = "flowlog_partial"

// partialVersion changes when what is written would be read wrongly by an older flowlog.
const partialVersion = 1

// unloadRows is how many groups a record has at most.
const unloadRows = 1 << 16

// partialHeader says what a file is about.
type partialHeader struct {
	Version int
	Reports []reportText
	Fields  []fieldText  // that the reports read
	Present []string     // those of which some flow had a value
	Seen    int64        // flows
	Stats   schema.Stats // of the input
}

// reportText is a Report whose conditions are text.
type reportText struct {
	Name, Doc, Next string
	Where, Having   string
	Keys            []keyText
	Measures        []measureText
	Order           string
	Reverse         bool
	Limit           int
}

type keyText struct {
	Field       string
	Bits, Bits6 int
	Every       time.Duration
	Hour        bool
	Zone        string
}

type measureText struct {
	Name, Func, Field, With, Where string
	All                            bool
	Unit                           Unit
}

type fieldText struct {
	Name    string
	Kind    schema.Kind
	Max     int64
	From    []string
	Names   string
	InPlace bool
}

// textOf is a condition as text, "" if there is none.
func textOf(e Expr) string {
	if e == nil {
		return ""
	}
	return e.String()
}

// inlined is a condition with what its files hold in place of their names: they may not be where it is read.
func inlined(e Expr) Expr {
	switch e := e.(type) {
	case And:
		parts := make(And, len(e))
		for i, x := range e {
			parts[i] = inlined(x)
		}
		return parts
	case Or:
		parts := make(Or, len(e))
		for i, x := range e {
			parts[i] = inlined(x)
		}
		return parts
	case Not:
		return Not{inlined(e.X)}
	case In:
		return In{e.Field, flatten(nil, e.Items)}
	}
	return e
}

func (r *Report) text() reportText {
	t := reportText{Name: r.Name, Doc: r.Doc, Next: r.Next, Where: textOf(inlined(r.Where)), Having: textOf(inlined(r.Having)), Order: r.Order, Reverse: r.Reverse, Limit: r.Limit}
	for _, k := range r.Keys {
		zone := ""
		if k.Zone != nil {
			zone = k.Zone.String()
		}
		t.Keys = append(t.Keys, keyText{k.Field, k.Bits, k.Bits6, k.Every, k.Hour, zone})
	}
	for _, m := range r.Measures {
		t.Measures = append(t.Measures, measureText{m.Name, m.Func, m.Field, m.With, textOf(m.Where), m.All, m.Unit})
	}
	return t
}

func (t reportText) report(fields schema.Table) (Report, error) {
	r := Report{Name: t.Name, Doc: t.Doc, Next: t.Next, Order: t.Order, Reverse: t.Reverse, Limit: t.Limit}
	scope := Scope{Fields: fields, Time: func(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) }}
	condition := func(s string, scope Scope) (Expr, error) {
		if s == "" {
			return nil, nil
		}
		return ParseExpr(s, scope)
	}
	var err error
	if r.Where, err = condition(t.Where, scope); err != nil {
		return r, err
	}
	for _, k := range t.Keys {
		key := Key{Field: k.Field, Bits: k.Bits, Bits6: k.Bits6, Every: k.Every, Hour: k.Hour}
		if k.Zone != "" {
			if key.Zone, err = time.LoadLocation(k.Zone); err != nil {
				return r, err
			}
		}
		r.Keys = append(r.Keys, key)
	}
	for _, m := range t.Measures {
		if !slices.ContainsFunc(functions, func(f function) bool { return f.name == m.Func }) {
			return r, errPartial
		}
		measure := Measure{Name: m.Name, Func: m.Func, Field: m.Field, With: m.With, All: m.All, Unit: m.Unit}
		if measure.Where, err = condition(m.Where, scope); err != nil {
			return r, err
		}
		r.Measures = append(r.Measures, measure)
	}
	r.Having, err = condition(t.Having, r.rowScope(scope))
	return r, err
}

// WritePartial writes what was computed so far to a file, for Merge to finish. The Aggregator cannot be used
// afterwards.
func (a *Aggregator) WritePartial(out io.Writer, stats schema.Stats) error {
	h := partialHeader{Version: partialVersion, Seen: a.seen.Load(), Stats: stats}
	for i := range a.reports {
		h.Reports = append(h.Reports, a.reports[i].text())
	}
	for i, f := range a.projection.Fields {
		h.Fields = append(h.Fields, fieldText{f.Name, f.Kind, f.Max, f.From, f.Names, f.InPlace})
		if a.present[i].Load() {
			h.Present = append(h.Present, f.Name)
		}
	}
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	meta := arrow.NewMetadata([]string{partialKey}, []string{string(data)})
	if err := ipc.NewWriter(out, ipc.WithSchema(arrow.NewSchema(nil, &meta))).Close(); err != nil {
		return err
	}
	if a.spilled != nil {
		for _, w := range a.workers {
			if err := w.spill(a.spilled); err != nil {
				return err
			}
		}
		for g := range a.newWorker().groupings {
			if err := a.writeGrouping(out, g, a.partitionsOf(g)); err != nil {
				return err
			}
		}
		return nil
	}
	w := a.workers[0]
	for _, o := range a.workers[1:] {
		if err := w.merge(o); err != nil {
			return err
		}
	}
	for g := range w.groupings {
		if err := a.writeGrouping(out, g, func(yield func(*worker, error) bool) { yield(w, nil) }); err != nil {
			return err
		}
	}
	return nil
}

// partitionsOf gives a worker for each partition of what was spilled, with one grouping.
func (a *Aggregator) partitionsOf(grouping int) func(yield func(*worker, error) bool) {
	return func(yield func(*worker, error) bool) {
		for p := range partitions {
			w := a.newWorker()
			if err := a.spilled.load(w, p, grouping); !yield(w, err) || err != nil {
				return
			}
		}
	}
}

// writeGrouping writes a stream with the groups that the workers have.
func (a *Aggregator) writeGrouping(out io.Writer, grouping int, workers func(yield func(*worker, error) bool)) error {
	var stream *ipc.Writer
	for w, err := range workers {
		if err != nil {
			return err
		}
		g := w.groupings[grouping]
		_, ids := g.groups()
		for first := true; first && stream == nil || len(ids) > 0; first = false {
			n := min(len(ids), unloadRows)
			g.grow(len(g.rows.n))
			rec, err := w.unload(g, ids[:n])
			if err != nil {
				return err
			}
			if stream == nil {
				// each record may have a dictionary of its own
				stream = ipc.NewWriter(out, ipc.WithSchema(rec.Schema()), ipc.WithDictionaryDeltas(false))
			}
			err = stream.Write(rec)
			rec.Release()
			if err != nil {
				return err
			}
			ids = ids[n:]
		}
	}
	return stream.Close()
}

// A Merger brings partial results together.
type Merger struct {
	agg    *Aggregator
	header partialHeader
	first  string // name of the first file
	Stats  schema.Stats
}

// Add takes in a file, which is about the same reports as those before it. The name is for errors. memory and
// tempDir are as for Aggregator.Limit.
func (m *Merger) Add(in io.Reader, name string, memory int64, tempDir string) error {
	if err := m.add(in, name, memory, tempDir); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (m *Merger) add(in io.Reader, name string, memory int64, tempDir string) (err error) {
	defer func() {
		if p := recover(); p != nil { // Arrow's reader trusts what it reads
			err = errPartial
		}
	}()
	head, err := ipc.NewReader(in)
	if err != nil {
		return errors.Join(errPartial, err)
	}
	meta := head.Schema().Metadata()
	at := meta.FindKey(partialKey)
	if at < 0 {
		return fmt.Errorf("%w: `flowlog report NAME --partial -O FILE.arrow` writes them", errPartial)
	}
	var h partialHeader
	if err := json.Unmarshal([]byte(meta.Values()[at]), &h); err != nil || h.Version != partialVersion {
		return fmt.Errorf("%w, or one of another version of flowlog", errPartial)
	}
	for head.Next() {
		return errPartial
	}
	head.Release()
	if m.agg == nil {
		if err := m.begin(h, memory, tempDir); err != nil {
			return err
		}
		m.first = name
	} else if !sameReports(m.header, h) {
		return fmt.Errorf("it is not about the same report as %s", m.first)
	}
	for _, p := range h.Present {
		if i := m.agg.projection.Index(p); i >= 0 {
			m.agg.present[i].Store(true)
		}
	}
	m.agg.seen.Add(h.Seen)
	m.Stats.Add(h.Stats)
	m.Stats.Seconds += h.Stats.Seconds
	for g := range m.agg.workers[0].groupings {
		if err := m.stream(in, g); err != nil {
			return err
		}
	}
	return nil
}

func (m *Merger) stream(in io.Reader, grouping int) error {
	r, err := ipc.NewReader(in)
	if err != nil {
		return errors.Join(errPartial, err)
	}
	defer r.Release()
	for r.Next() {
		w := m.agg.workers[0]
		if err := w.load(w.groupings[grouping], r.Record()); err != nil {
			return err
		}
		if err := m.agg.relieve(0); err != nil {
			return err
		}
	}
	if err := r.Err(); err != nil {
		return errors.Join(errPartial, err)
	}
	return nil
}

// begin prepares for the reports of the first file.
func (m *Merger) begin(h partialHeader, memory int64, tempDir string) error {
	var fields schema.Table
	for _, f := range h.Fields {
		fields = append(fields, schema.Field{Name: f.Name, Kind: f.Kind, Max: f.Max, From: f.From, Names: f.Names, InPlace: f.InPlace})
	}
	var reports []Report
	for _, t := range h.Reports {
		r, err := t.report(fields)
		if err != nil {
			return errors.Join(errPartial, err)
		}
		reports = append(reports, r)
	}
	if len(reports) == 0 {
		return errPartial
	}
	var err error
	if m.agg, err = NewAggregator(fields, reports, 1); err != nil {
		return err
	}
	if memory > 0 {
		m.agg.Limit(memory, tempDir)
	}
	m.header = h
	return nil
}

// sameReports reports whether two files are about the same.
func sameReports(a, b partialHeader) bool {
	x, err := json.Marshal(a.Reports)
	y, err2 := json.Marshal(b.Reports)
	return err == nil && err2 == nil && string(x) == string(y)
}

// Tables finishes the reports as Aggregator.Tables does. known are the fields that may be labels of keys.
func (m *Merger) Tables(known schema.Table, wrap Wrap) ([]Table, []*Lacking, error) {
	m.agg.fields = known
	return m.agg.Tables(m.Stats, wrap)
}

// Partial writes what was brought together as one file.
func (m *Merger) Partial(out io.Writer) error { return m.agg.WritePartial(out, m.Stats) }

// Close deletes temporary files.
func (m *Merger) Close() error {
	if m.agg == nil {
		return nil
	}
	return m.agg.Close()
}
