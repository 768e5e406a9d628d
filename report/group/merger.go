package group

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

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
			err = function.ErrPartial
		}
	}()
	sum := crc32.New(castagnoli)
	in = io.TeeReader(in, sum)
	magic := make([]byte, len(partialMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != partialMagic {
		return schema.Wordsf("%w: `flowlog report NAME %s -O FILE.arrow` writes them", function.ErrPartial, schema.Opt("partial"))
	}
	what, content, err := readFrame(in)
	if err != nil {
		return err
	}
	var h partialHeader
	if err := json.Unmarshal(content, &h); err != nil || what != headerFrame {
		return function.ErrPartial
	}
	if m.agg == nil {
		if err := m.begin(h, memory, tempDir); err != nil {
			return err
		}
		m.first = name
	} else if !sameReports(m.header, h) {
		return fmt.Errorf("it is not about the same report as %s", m.first)
	}
	m.header.Selection = report.Shared(m.header.Selection, h.Selection)
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
				return fmt.Errorf("%w: the checksum of the file is wrong", function.ErrPartial)
			}
			return nil
		}
		w := m.agg.workers[0]
		if what >= uint32(len(w.groupings)) {
			return function.ErrPartial
		}
		load := func(rec arrow.Record) error { return w.load(int(what), rec) }
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
	var reports []report.Report
	for i, t := range h.Reports {
		r, err := t.Report(fields)
		if err != nil {
			return fmt.Errorf("%w: %w", function.ErrPartial, err)
		}
		if len(h.Settings) == len(h.Reports) {
			r.Settings = h.Settings[i]
		}
		reports = append(reports, r)
	}
	if len(reports) == 0 {
		return function.ErrPartial
	}
	var err error
	if m.agg, err = New(fields, reports, 1); err != nil {
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
func (m *Merger) Tables(known schema.Table, wrap Wrap) ([]report.Table, []*report.Lacking, error) {
	m.agg.enricher.fields = known
	tables, lacks, err := m.agg.Tables(m.Stats, wrap)
	for i := range tables {
		tables[i].Settings = slices.Concat(tables[i].Settings, m.header.Selection)
	}
	if err != nil || len(m.header.Places) != len(m.header.Reports) {
		return tables, lacks, err
	}
	for _, l := range lacks { // which are in the order of their reports
		t := m.header.Reports[l.Index]
		tables = slices.Insert(tables, l.Index, report.Table{Name: t.Name, Doc: t.Doc, Lacks: l.Fields, Notes: []string{l.Advice().Error()}, Hints: []error{l.Advice()}})
	}
	for i, p := range m.header.Places {
		tables[i].Tab, tables[i].Title = p.Tab, p.Title
	}
	return tables, nil, nil
}

// Settings are what the user changed about all reports, and what was read of all files alike.
func (m *Merger) Settings() []report.Setting {
	return slices.Concat(m.header.Change, m.header.Selection)
}

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
