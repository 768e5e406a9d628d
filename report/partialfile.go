package report

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"flowlog/parse/schema"
)

// Partial results in a file let a report be computed in parts, each on a machine of its own, and finished
// where the parts are brought together. The file begins with a line that says what it is. Frames follow: one with
// a JSON document that says which reports it is about, then records of groups, each an Arrow stream of its own,
// and at last one with the checksum of all bytes before it: a file that was cut off, or in which any bit is another, is
// refused. Earlier versions wrote an empty last frame.

// partialMagic is the first line. Its number changes when what is written would be read wrongly by an older
// flowlog.
const partialMagic = schema.PartialMagic + "1\n"

// Of what a frame is, if it is not the number of a grouping.
const (
	headerFrame = math.MaxUint32
	lastFrame   = math.MaxUint32 - 1
)

// maxFrame is how large a frame may be: a record of 65,536 groups is far smaller, unless they have very many
// distinct values.
const maxFrame = 1 << 31

// writeFrame writes what the frame is, its size, its checksum, and its content.
func writeFrame(out io.Writer, what uint32, content []byte) error {
	head := binary.LittleEndian.AppendUint32(nil, what)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(content)))
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(content, castagnoli))
	_, err := out.Write(head)
	if err == nil {
		_, err = out.Write(content)
	}
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readFrame reads a frame. It takes no more memory than there is content.
func readFrame(in io.Reader) (what uint32, content []byte, err error) {
	var head [16]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errPartial, err)
	}
	size := binary.LittleEndian.Uint64(head[4:])
	if size > maxFrame {
		return 0, nil, errPartial
	}
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(in, int64(size)))
	if err == nil && uint64(n) < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errPartial, err)
	}
	if crc32.Checksum(buf.Bytes(), castagnoli) != binary.LittleEndian.Uint32(head[12:]) {
		return 0, nil, fmt.Errorf("%w: a checksum is wrong", errPartial)
	}
	return binary.LittleEndian.Uint32(head[:]), buf.Bytes(), nil
}

// encodeRecord is a record as an Arrow stream.
func encodeRecord(rec arrow.Record) ([]byte, error) {
	var buf bytes.Buffer
	out := ipc.NewWriter(&buf, ipc.WithSchema(rec.Schema()))
	err := errors.Join(out.Write(rec), out.Close())
	return buf.Bytes(), err
}

// decodeRecord calls take with the record that encodeRecord has encoded. It is valid until take returns.
func decodeRecord(in io.Reader, take func(arrow.Record) error) error {
	r, err := ipc.NewReader(in)
	if err != nil {
		return fmt.Errorf("%w: %w", errPartial, err)
	}
	defer r.Release()
	for r.Next() {
		if err := take(r.Record()); err != nil {
			return err
		}
	}
	return r.Err()
}

// unloadRows is how many groups a record has at most.
const unloadRows = 1 << 16

// partialHeader says what a file is about.
type partialHeader struct {
	Reports []reportText
	Request
	Settings [][]Setting  `json:",omitempty"` // of Reports
	Fields   []fieldText  // that the reports read
	Present  []string     // those of which some flow had a value
	Stats    schema.Stats // of the input
	Parts    []string     `json:",omitempty"` // the runs that this is of, each a name that no other has
	Transit  int64        `json:",omitempty"` // of Stats, which has it for itself
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
func (a *Aggregator) WritePartial(out io.Writer, stats schema.Stats, request Request) error {
	return a.writePartial(out, stats, request, []string{rand.Text()})
}

func (a *Aggregator) writePartial(out io.Writer, stats schema.Stats, request Request, parts []string) error {
	a.noticeSkimmed(stats)
	h := partialHeader{Request: request, Stats: stats, Parts: parts, Transit: stats.Transit}
	for i := range a.reports {
		h.Reports = append(h.Reports, a.reports[i].text())
		h.Settings = append(h.Settings, a.reports[i].Settings)
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
	sum := crc32.New(castagnoli)
	file := io.MultiWriter(out, sum)
	if _, err := io.WriteString(file, partialMagic); err != nil {
		return err
	}
	if err := writeFrame(file, headerFrame, data); err != nil {
		return err
	}
	if err := a.writeGroups(file); err != nil {
		return err
	}
	return writeFrame(out, lastFrame, binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
}

// writeGroups writes the groups of all workers.
func (a *Aggregator) writeGroups(out io.Writer) error {
	if a.spilled != nil {
		for _, w := range a.workers {
			if err := w.spill(a.spilled); err != nil {
				return err
			}
		}
		for p := range partitions {
			w := a.newWorker()
			if err := a.spilled.load(w, p); err != nil {
				return err
			}
			if err := w.write(out); err != nil {
				return err
			}
		}
		return nil
	}
	w, err := a.gather(false)
	if err != nil {
		return err
	}
	return w.write(out)
}

// write writes the groups that the worker has.
func (w *worker) write(out io.Writer) error {
	for i, g := range w.groupings {
		_, ids := g.groups()
		g.grow(g.rows.groups)
		for part := range slices.Chunk(ids, unloadRows) {
			rec, err := w.unload(g, part)
			if err != nil {
				return err
			}
			content, err := encodeRecord(rec)
			rec.Release()
			if err != nil {
				return err
			}
			if err := writeFrame(out, uint32(i), content); err != nil {
				return err
			}
		}
	}
	return nil
}

// A Merger brings partial results together.
type Merger struct {
	agg    *Aggregator
	header partialHeader
	first  string            // name of the first file
	parts  map[string]string // the file that brought each part
	Stats  schema.Stats
}

// ErrTwice is the error for a file all of whose parts came before. It was left out, and others can follow.
type ErrTwice struct {
	Name, As string
}

func (e *ErrTwice) Error() string {
	if e.Name == e.As {
		return e.Name + " is given twice: it counts once"
	}
	return e.Name + " is in " + e.As + ": it counts once"
}

// Add takes in a file, which is about the same reports as those before it. The name is for errors. memory and
// tempDir are as for Aggregator.Limit.
func (m *Merger) Add(in io.Reader, name string, memory int64, tempDir string) error {
	err := m.add(in, name, memory, tempDir)
	if twice := (*ErrTwice)(nil); errors.As(err, &twice) {
		return twice
	}
	if err != nil {
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
	sum := crc32.New(castagnoli)
	in = io.TeeReader(in, sum)
	magic := make([]byte, len(partialMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != partialMagic {
		return fmt.Errorf("%w: `flowlog report NAME --partial -O FILE.arrow` writes them", errPartial)
	}
	what, content, err := readFrame(in)
	if err != nil {
		return err
	}
	var h partialHeader
	if err := json.Unmarshal(content, &h); err != nil || what != headerFrame {
		return errPartial
	}
	if m.agg == nil {
		if err := m.begin(h, memory, tempDir); err != nil {
			return err
		}
		m.first = name
	} else if !sameReports(m.header, h) {
		return fmt.Errorf("it is not about the same report as %s", m.first)
	}
	m.header.Selection = shared(m.header.Selection, h.Selection)
	if err := m.take(h.Parts, name); err != nil {
		return err
	}
	for _, p := range h.Present {
		if i := m.agg.projection.Index(p); i >= 0 {
			m.agg.present[i].Store(true)
		}
	}
	h.Stats.Transit = h.Transit
	m.Stats.Add(h.Stats)
	m.Stats.AddFormats(h.Stats)
	m.Stats.Seconds += h.Stats.Seconds
	for {
		before := sum.Sum32()
		what, content, err := readFrame(in)
		if err != nil {
			return err
		}
		if what == lastFrame {
			if len(content) > 0 && (len(content) != crc32.Size || binary.LittleEndian.Uint32(content) != before) {
				return fmt.Errorf("%w: the checksum of the file is wrong", errPartial)
			}
			return nil
		}
		w := m.agg.workers[0]
		if what >= uint32(len(w.groupings)) {
			return errPartial
		}
		load := func(rec arrow.Record) error { return w.load(w.groupings[what], rec) }
		if err := decodeRecord(bytes.NewReader(content), load); err != nil {
			return err
		}
		if err := m.agg.relieve(0); err != nil {
			return err
		}
	}
}

// take notes the parts that a file brings.
func (m *Merger) take(parts []string, name string) error {
	known := 0
	var from string
	for _, p := range parts {
		if before, ok := m.parts[p]; ok {
			known, from = known+1, before
		}
	}
	switch {
	case known > 0 && known == len(parts):
		return &ErrTwice{name, from}
	case known > 0:
		return fmt.Errorf("it has what is in %s too, and more: leave %s out, or it would count twice", from, from)
	}
	if m.parts == nil {
		m.parts = make(map[string]string)
	}
	for _, p := range parts {
		m.parts[p] = name
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
	for i, t := range h.Reports {
		r, err := t.report(fields)
		if err != nil {
			return fmt.Errorf("%w: %w", errPartial, err)
		}
		if len(h.Settings) == len(h.Reports) {
			r.Settings = h.Settings[i]
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

// Tables finishes the reports as Aggregator.Tables does. known are the fields that may be labels of keys. Those of a
// dashboard have their places, and stay where the logs lack their fields.
func (m *Merger) Tables(known schema.Table, wrap Wrap) ([]Table, []*Lacking, error) {
	m.agg.fields = known
	tables, lacks, err := m.agg.Tables(m.Stats, wrap)
	for i := range tables {
		tables[i].Settings = slices.Concat(tables[i].Settings, m.header.Selection)
	}
	if err != nil || len(m.header.Places) != len(m.header.Reports) {
		return tables, lacks, err
	}
	for _, l := range lacks { // which are in the order of their reports
		t := m.header.Reports[l.Index]
		tables = slices.Insert(tables, l.Index, Table{Name: t.Name, Doc: t.Doc, Lacks: l.Fields, Notes: []string{l.Advice()}})
	}
	for i, p := range m.header.Places {
		tables[i].Tab, tables[i].Title = p.Tab, p.Title
	}
	return tables, nil, nil
}

// Settings are what the user changed about all reports, and what was read of all files alike.
func (m *Merger) Settings() []Setting { return slices.Concat(m.header.Change, m.header.Selection) }

// Partial writes what was brought together as one file.
func (m *Merger) Partial(out io.Writer) error {
	return m.agg.writePartial(out, m.Stats, m.header.Request, slices.Sorted(maps.Keys(m.parts)))
}

// Close deletes temporary files.
func (m *Merger) Close() error {
	if m.agg == nil {
		return nil
	}
	return m.agg.Close()
}
