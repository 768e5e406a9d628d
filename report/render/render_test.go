package render

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render/rendertest"
)

// talkers is a report with a bit of everything: an address key with a label of its own, a number key with a
// label in its place, nulls, a share, others and totals.
func talkers() report.Table {
	return report.Table{
		Name: "top-talkers",
		Doc:  "Addresses that send the most bytes",
		Columns: []report.Column{
			{Name: "srcaddr", Role: report.KeyRole, Kind: schema.Addr},
			{Name: "protocol", Role: report.KeyRole, Kind: schema.Int32},
			{Name: "srcaddr_country", Role: report.LabelRole, Kind: schema.Text, Of: 0},
			{Name: "protocol_name", Role: report.LabelRole, Kind: schema.Text, Of: 1, InPlace: true},
			{Name: "flows", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count, Share: true},
			{Name: "bytes", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Bytes, Share: true},
			{Name: "avg_packets", Role: report.MeasureRole, Kind: schema.Float},
			{Name: "last_seen", Role: report.MeasureRole, Kind: schema.Time, Unit: report.Instant},
		},
		Rows: [][]any{
			{netip.MustParseAddr("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"), int64(6), "NL", "TCP", int64(1234567), int64(1524713390), 12.5, time.Unix(1710720000, 0)},
			{netip.MustParseAddr("10.0.0.1"), int64(253), nil, nil, int64(7), int64(999), math.NaN(), nil},
			{nil, nil, nil, nil, int64(1), nil, 0.001, time.Unix(1710720001, 0).UTC()},
		},
		Cut:    1200,
		Others: []any{nil, nil, nil, nil, int64(5000), int64(500000000), nil, nil},
		Totals: []any{nil, nil, nil, nil, int64(1239575), int64(2024714389), 3.25, time.Unix(1710720001, 0).UTC()},
		Order:  5,
		Desc:   true,
		Notes:  []string{"the input has no vpc_id"},
	}
}

// summary is a report without keys.
func summary() report.Table {
	return report.Table{
		Name: "summary",
		Columns: []report.Column{
			{Name: "flows", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count},
			{Name: "bytes", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Bytes},
			{Name: "distinct_srcaddr", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count},
			{Name: "first_start", Role: report.MeasureRole, Kind: schema.Time, Unit: report.Instant},
			{Name: "avg_bytes", Role: report.MeasureRole, Kind: schema.Float, Unit: report.Bytes},
		},
		Rows: [][]any{{int64(1234567), int64(5) << 40, nil, time.Unix(1710720000, 0), 1536.0}},
	}
}

// nothing is a report that found nothing.
func nothing() report.Table {
	t := talkers()
	t.Rows, t.Cut, t.Others, t.Notes = nil, 0, nil, nil
	t.Totals = []any{nil, nil, nil, nil, int64(0), nil, nil, nil}
	return t
}

func documentOf(tables ...report.Table) Document {
	return Document{Tables: tables, Input: schema.Stats{Objects: 1, Bytes: 100, Records: 3, Flows: 2, NoData: 1, Seconds: 0.5}}
}

// render returns what a format makes of a document.
func render(t *testing.T, format string, doc Document, opt Options) string {
	t.Helper()
	f, err := Lookup(format)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := f.Tables(&b, doc, opt); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func compare(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s\ngot  %q\nwant %q", got, want, got, want)
	}
}

// write returns what a format makes of batches, which are added in any order.
func write(t testing.TB, format string, fields schema.Table, opt Options, batches ...arrow.Record) string {
	t.Helper()
	f, err := Lookup(format)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	w, err := f.Records(&b, fields, opt)
	if err != nil {
		t.Fatal(err)
	}
	rendertest.AddAll(t, w, batches)
	return b.String()
}

func TestLookup(t *testing.T) {
	for _, f := range Formats {
		got, err := Lookup(f.Name)
		if err != nil || got.Name != f.Name {
			t.Errorf("Lookup(%q) = %q, %v", f.Name, got.Name, err)
		}
		if f.Doc == "" || f.Columns == 0 || f.Tables == nil || f.Records == nil {
			t.Errorf("%s: its row in Formats is not complete: Doc, Columns, Tables and Records are for every format", f.Name)
		}
		if silent(f) && (f.Single || f.Bare || f.Charts != NoCharts || f.Unmarked) {
			t.Errorf("%s writes nothing, so it has none of these properties: %+v", f.Name, f)
		}
	}
	if got := NamesOf(func(f Format) bool { return f.Partial }); len(got) != 1 {
		t.Errorf("partial results are written in one format, not in %v", got)
	}
	for alias, want := range map[string]string{"md": "markdown", "jsonl": "ndjson"} {
		if f, err := Lookup(alias); err != nil || f.Name != want {
			t.Errorf("Lookup(%q) = %q, %v", alias, f.Name, err)
		}
	}
	if _, err := Lookup("jsn"); err == nil || !strings.Contains(err.Error(), "did you mean json?") {
		t.Errorf("Lookup(jsn): %v", err)
	}
}

// silent reports whether a format writes nothing, whatever it is given.
func silent(f Format) bool { return f.Columns == NoColumns }

// What help says of columns names every format that writes records, once.
func TestColumnsText(t *testing.T) {
	text := ColumnsText()
	for _, doc := range columnsDoc[NotNull:] {
		text = strings.ReplaceAll(text, doc, "")
	}
	for _, f := range Formats {
		words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;", r) })
		n := 0
		for _, word := range words {
			if word == f.Name {
				n++
			}
		}
		if n == 1 == silent(f) || n > 1 {
			t.Errorf("%s comes %d times in %q", f.Name, n, text)
		}
	}
}

// Formats for one report refuse several and none.
func TestSingle(t *testing.T) {
	for _, f := range Formats {
		for _, doc := range []Document{documentOf(), documentOf(talkers(), summary())} {
			err := f.Tables(io.Discard, doc, Options{})
			if (err != nil) != f.Single {
				t.Errorf("%s of %d reports: %v", f.Name, len(doc.Tables), err)
			}
		}
	}
}

// A failing writer fails every format, whenever it fails, and nobody is left waiting.
func TestWriterFails(t *testing.T) {
	var fail = errors.New("disk full")
	for _, f := range Formats {
		if silent(f) {
			continue
		}
		whole := len(render(t, f.Name, documentOf(talkers()), Options{}))
		for _, after := range []int{0, whole / 2, whole - 1} {
			if err := f.Tables(&rendertest.Failing{Left: after, Err: fail}, documentOf(talkers()), Options{}); !errors.Is(err, fail) {
				t.Errorf("%s: report: after %d of %d bytes: %v", f.Name, after, whole, err)
			}
		}
		batches := rendertest.Batches(t)
		whole = len(write(t, f.Name, rendertest.Fields, Options{}, batches...))
		for _, after := range []int{0, whole / 2, whole - 1} {
			w, err := f.Records(&rendertest.Failing{Left: after, Err: fail}, rendertest.Fields, Options{})
			var all sync.WaitGroup
			errs := make([]error, len(batches))
			if err == nil {
				for i, b := range batches {
					all.Go(func() { errs[i] = w.Add(schema.Batch{Record: b, Seq: int64(i)}) })
				}
				all.Wait()
				err = w.Close()
			}
			if !errors.Is(err, fail) {
				t.Errorf("%s: records: after %d of %d bytes: %v", f.Name, after, whole, err)
			}
			for i, err := range errs {
				if err != nil && !errors.Is(err, fail) {
					t.Errorf("%s: batch %d: %v", f.Name, i, err)
				}
			}
		}
	}
}

// Many batches that are added in any order come out in theirs, in every format.
func TestOrder(t *testing.T) {
	fields := schema.Table{{Name: "bytes", Kind: schema.Int64}, {Name: "action", Kind: schema.Text}}
	var batches []arrow.Record
	for i := range 200 {
		var lines []string
		for k := range i % 3 {
			lines = append(lines, fmt.Sprintf("%d a%d", 10*i+k, i))
		}
		batches = append(batches, rendertest.RecordOf(t, fields, lines...))
	}
	for _, f := range Formats {
		w, err := f.Records(io.Discard, fields, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range batches {
			if err := w.Add(schema.Batch{Record: b, Seq: int64(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		first := write(t, f.Name, fields, Options{}, batches...)
		for range 5 {
			if again := write(t, f.Name, fields, Options{}, batches...); again != first {
				t.Errorf("%s: the output depends on the order in which batches are added", f.Name)
			}
		}
	}
}

// Close lets those go who wait for a batch that never comes.
func TestCloseEarly(t *testing.T) {
	for _, f := range Formats {
		w, err := f.Records(io.Discard, rendertest.Fields, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan error)
		go func() { got <- w.Add(schema.Batch{Record: rendertest.Batches(t)[0], Seq: 1}) }()
		if !silent(f) {
			time.Sleep(time.Millisecond)
		}
		if err := w.Close(); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if err := <-got; (err != nil) == silent(f) {
			t.Errorf("%s: the waiting Add returned %v", f.Name, err)
		}
	}
}

// A batch that is not what was announced is an error, not a panic, and it does not block others.
func TestWrongBatch(t *testing.T) {
	other := schema.Table{{Name: "version", Kind: schema.Int64}}
	for _, f := range Formats {
		if silent(f) {
			continue
		}
		for _, rec := range []arrow.Record{rendertest.RecordOf(t, other, "1"), rendertest.RecordOf(t, rendertest.Fields[:3], "1 - -")} {
			w, err := f.Records(io.Discard, rendertest.Fields, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Add(schema.Batch{Record: rec}); err == nil {
				t.Errorf("%s took a wrong batch", f.Name)
			}
			if err := w.Close(); err == nil {
				t.Errorf("%s: Close after an error returned nil", f.Name)
			}
		}
	}
}
