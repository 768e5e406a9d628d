package group

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/reporttest"
)

// Partial results of parts, brought together, are the result of the whole, in memory or not.
func TestMergedPartsAreTheWhole(t *testing.T) {
	for seed := range uint64(reporttest.Fewer(3)) {
		r := rand.New(rand.NewPCG(seed, 9))
		rows := reporttest.RandomRows(r, 300)
		reports := randomReports(t, r)
		r.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		reports = append(reports[:6:6], changed(t, "timeline", report.Change{Top: -1}), changed(t, "quality", report.Change{Top: 2}),
			changed(t, "talkers", report.Change{Where: "addr in @nets.txt or start >= 2023-11-14T22:13:21Z", Measures: []string{"bps", "distinct(dstaddr+dstport)"}, Having: "bps >= 0", Every: "1h", Top: -1}))
		expected, _, err := aggregate(t, reports, rows, 1, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, memory := range []int64{0, 1} {
			m := new(Merger)
			for part := range 5 {
				agg, err := New(reporttest.Fields(), reports, 2)
				if err != nil {
					t.Fatal(err)
				}
				if memory > 0 && part%2 == 0 {
					agg.Limit(memory, t.TempDir())
				}
				stats := schema.Stats{}
				feed := reporttest.NewFeeder(agg.Projection())
				for i := part * 60; i < (part+1)*60; i += 20 {
					if err := agg.Add(schema.Batch{Record: feed.Record(t, rows[i:i+20]), Worker: i / 20 % 2}); err != nil {
						t.Fatal(err)
					}
				}
				for _, r := range rows[part*60 : (part+1)*60] {
					if stats.Records++; reporttest.IsFlow(r) {
						stats.Flows++
					}
				}
				if part == 0 {
					stats.Malformed = 3
				}
				var file bytes.Buffer
				if err := agg.WritePartial(&file, stats, report.Request{}); err != nil {
					t.Fatal(err)
				}
				if err := agg.Close(); err != nil {
					t.Fatal(err)
				}
				if err := m.Add(&file, "part", memory, t.TempDir()); err != nil {
					t.Fatal(err)
				}
			}
			// once more by way of a file of the whole
			var file bytes.Buffer
			if err := m.Partial(&file); err != nil {
				t.Fatal(err)
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			whole := new(Merger)
			if err := whole.Add(&file, "whole", 0, ""); err != nil {
				t.Fatal(err)
			}
			tables, lacks, err := whole.Tables(reporttest.Fields(), nil)
			if err != nil || len(lacks) > 0 {
				t.Fatal(lacks, err)
			}
			for i, got := range tables {
				if g, w := result(got), result(expected[i]); g != w {
					t.Errorf("seed %d, memory %d: %s by %v, %v:\n got %s\nwant %s", seed, memory, reports[i].Name, reports[i].Keys, reports[i].Measures, g, w)
				}
			}
		}
	}
}

// partialOf is a file with a partial result.
func partialOf(t testing.TB, reports ...report.Report) []byte {
	agg, err := New(reporttest.Fields(), reports, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows := reporttest.RandomRows(rand.New(rand.NewPCG(1, 1)), 40)
	if err := agg.Add(schema.Batch{Record: reporttest.NewFeeder(agg.Projection()).Record(t, rows)}); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := agg.WritePartial(&file, schema.Stats{}, report.Request{}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestMergeErrors(t *testing.T) {
	m := new(Merger)
	if err := m.Add(strings.NewReader("version srcaddr"), "flow.log", 0, ""); err == nil || !strings.Contains(err.Error(), "flow.log: not a partial result") {
		t.Errorf("got %v", err)
	}
	if err := m.Add(bytes.NewReader(partialOf(t, report.Catalog()[1])), "a.arrow", 0, ""); err != nil {
		t.Fatal(err)
	}
	if err := m.Add(bytes.NewReader(partialOf(t, report.Catalog()[2])), "b.arrow", 0, ""); err == nil || err.Error() != "b.arrow: it is not about the same report as a.arrow" {
		t.Errorf("got %v", err)
	}
	whole := partialOf(t, report.Catalog()[1])
	for cut := 0; cut < len(whole)-8; cut += 97 {
		if err := new(Merger).Add(bytes.NewReader(whole[:cut]), "cut", 0, ""); err == nil {
			t.Errorf("a file cut off after %d of %d bytes is taken for a whole one", cut, len(whole))
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("cut off after %d bytes: the message has several lines: %q", cut, err)
		}
	}
}

// A changed bit of a partial result, wherever it is, is an error and never other numbers; so are bytes that are missing or
// there twice.
func TestMergeOfDamagedFile(t *testing.T) {
	talkers, ok := report.Named("talkers")
	if !ok {
		t.Fatal("no talkers")
	}
	pairs := talkers
	pairs.Keys = []report.Key{{Field: "dstaddr"}}
	whole := partialOf(t, talkers, pairs)
	refused := func(what string, at int, content []byte) {
		t.Helper()
		m := new(Merger)
		if err := m.Add(bytes.NewReader(content), "x", 0, ""); err == nil {
			t.Errorf("%s at byte %d of %d is not noticed", what, at, len(whole))
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := new(Merger).Add(bytes.NewReader(whole), "x", 0, ""); err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		content := bytes.Clone(whole)
		content[at] ^= 1 << (at % 8)
		refused("a changed bit", at, content)
	}
	// frames as wholes: the head of each says where the next one is
	const head = 16
	for at := len(partialMagic); at < len(whole); {
		end := at + head + int(binary.LittleEndian.Uint64(whole[at+4:]))
		if end < len(whole) {
			refused("a missing frame", at, slices.Concat(whole[:at], whole[end:]))
			refused("a frame that is there twice", at, slices.Concat(whole[:end], whole[at:]))
		}
		for bit := range 32 { // of which grouping it is
			content := bytes.Clone(whole)
			content[at+bit/8] ^= 1 << (bit % 8)
			refused("another kind of frame", at, content)
		}
		at = end
	}
}

// Damaged files are errors, or other numbers, but no panic.
func FuzzMerge(f *testing.F) {
	f.Add(partialOf(f, report.Catalog()[1]))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(Merger)
		if m.Add(bytes.NewReader(data), "x", 0, "") != nil {
			return
		}
		defer func() {
			if p := recover(); p != nil {
				t.Fatal(p)
			}
		}()
		_, _, _ = m.Tables(reporttest.Fields(), nil)
	})
}
