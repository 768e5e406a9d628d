package parquet

import (
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
	"flowlog/report/render/rendertest"
)

func TestRecords(t *testing.T) {
	batches := rendertest.Batches(t)
	f, got := rendertest.ReadParquet(t, write(t, rendertest.Fields, chunkRows, groupRows, groupMemory, batches))
	rendertest.CompareRows(t, got, rendertest.Rows(t, rendertest.Fields, batches...))
	if v, ok := f.Lookup("writer"); !ok || v != "flowlog" {
		t.Errorf("the metadata has writer %q", v)
	}
	const want = `message schema {
	optional int32 version (INT(32,true));
	optional binary srcaddr (STRING);
	optional int32 srcport (INT(32,true));
	optional int64 bytes (INT(64,true));
	optional int64 start (INT(64,true));
	optional binary action (STRING);
	optional binary instance_tag (STRING);
	optional double latitude;
}`
	if got := f.Schema().String(); got != want {
		t.Errorf("the schema is %s", got)
	}
	if f, got := rendertest.ReadParquet(t, write(t, rendertest.Fields, chunkRows, groupRows, groupMemory, []arrow.Record{nil})); len(got) != 0 || len(f.Schema().Fields()) != len(rendertest.Fields) {
		t.Errorf("a file without records has %d", len(got))
	}
}

// write writes batches, added in any order, in pages and row groups of a given size.
func write(t testing.TB, fields schema.Table, chunkRows, groupRows, memory int, batches []arrow.Record) string {
	t.Helper()
	var b strings.Builder
	f, err := newFile(&b, fields, schema.FlowRecords)
	if err != nil {
		t.Fatal(err)
	}
	f.chunkRows, f.groupRows, f.groupMemory = chunkRows, groupRows, memory
	rendertest.AddAll(t, &Writer{file: f}, batches)
	return b.String()
}

// Whatever the batches, what is read back is what was written, statistics hold, and neither the batches'
// borders nor the order of their coming changes the file.
func TestPages(t *testing.T) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 1))
		batches := rendertest.Random(t, r, rendertest.Fields, r.IntN(600))
		memory := groupMemory
		if seed%3 == 0 {
			memory = 10_000
		}
		put := func(batches []arrow.Record) string {
			return write(t, rendertest.Fields, 8*(1+int(seed)%5), 100, memory, batches)
		}
		data := put(batches)
		f, got := rendertest.ReadParquet(t, data)
		rendertest.CompareRows(t, got, rendertest.Rows(t, rendertest.Fields, batches...))
		checkStatistics(t, f)
		if put(batches) != data {
			t.Errorf("seed %d: the order of coming changes the file", seed)
		}
		if seed%3 != 0 {
			var single []arrow.Record
			for _, b := range batches {
				for i := range b.NumRows() {
					single = append(single, b.NewSlice(i, i+1))
				}
			}
			if put(single) != data {
				t.Errorf("seed %d: batches of 1 change the file", seed)
			}
		}
	}
}

// checkStatistics compares the column indexes and the statistics of columns with the values.
func checkStatistics(t testing.TB, f *parquet.File) {
	t.Helper()
	for g, group := range f.RowGroups() {
		for c, chunk := range group.ColumnChunks() {
			index, err := chunk.ColumnIndex()
			if err != nil {
				t.Fatal(err)
			}
			offsets, err := chunk.OffsetIndex()
			if err != nil {
				t.Fatal(err)
			}
			if index.NumPages() != offsets.NumPages() {
				t.Fatalf("the indexes have %d and %d pages", index.NumPages(), offsets.NumPages())
			}
			meta := f.Metadata().RowGroups[g].Columns[c].MetaData
			all, kind := meta.Statistics, parquet.Kind(meta.Type)
			pages, first, nulls := chunk.Pages(), int64(0), int64(0)
			for p := range index.NumPages() {
				page, err := pages.ReadPage()
				if err != nil {
					t.Fatal(err)
				}
				if offsets.FirstRowIndex(p) != first || index.NullCount(p) != page.NumNulls() || index.NullPage(p) != (page.NumNulls() == page.NumValues()) {
					t.Fatalf("page %d: row %d, not %d, nulls %d of %d", p, offsets.FirstRowIndex(p), first, page.NumNulls(), page.NumValues())
				}
				first += page.NumRows()
				nulls += page.NumNulls()
				values := make([]parquet.Value, page.NumValues())
				if _, err := page.Values().ReadValues(values); err != nil && err != io.EOF {
					t.Fatal(err)
				}
				for _, v := range values {
					if v.IsNull() {
						continue
					}
					typ := chunk.Type()
					if typ.Compare(index.MinValue(p), v) > 0 || typ.Compare(index.MaxValue(p), v) < 0 {
						t.Fatalf("column %d, page %d: %v is not from %v to %v", c, p, v, index.MinValue(p), index.MaxValue(p))
					}
					lo, hi := kind.Value(all.MinValue), kind.Value(all.MaxValue)
					if typ.Compare(lo, v) > 0 || typ.Compare(hi, v) < 0 {
						t.Fatalf("column %d: %v is not from %v to %v", c, v, lo, hi)
					}
				}
			}
			if nulls != all.NullCount || meta.NumValues != first {
				t.Fatalf("column %d: %d nulls of %d values, the footer says %d of %d", c, nulls, first, all.NullCount, meta.NumValues)
			}
			pages.Close()
		}
	}
}

// Dictionaries too large for bounds of each page, and the encoding of each kind of column.
func TestEncodings(t *testing.T) {
	fields := rendertest.Project(t, "srcaddr", "bytes", "interface_id", "tgw_id", "protocol")
	r := rand.New(rand.NewPCG(1, 2))
	var batches []arrow.Record
	for range 7 {
		columns := make([]*schema.Column, len(fields))
		for i, f := range fields {
			columns[i] = schema.NewColumn(f)
		}
		for range 8192 {
			columns[0].Addr = append(columns[0].Addr, [16]byte{0x20, 1, 15: byte(r.IntN(256)), 14: byte(r.IntN(256))})
			columns[1].Int64 = append(columns[1].Int64, r.Int64())
			columns[2].Text(strconv.Itoa(r.IntN(9000)))
			columns[3].Null()
			columns[4].Int32 = append(columns[4].Int32, int32(r.IntN(256)))
		}
		batches = append(batches, rendertest.Record(fields, columns))
	}
	f, got := rendertest.ReadParquet(t, write(t, fields, 10_000, 40_000, groupMemory, batches))
	rendertest.CompareRows(t, got, rendertest.Rows(t, fields, batches...))
	checkStatistics(t, f)
	if n := len(f.RowGroups()); n != 2 {
		t.Errorf("%d rows are in %d row groups", f.NumRows(), n)
	}
	encodings := func(column int) []format.Encoding { return f.Metadata().RowGroups[0].Columns[column].MetaData.Encoding }
	for column, want := range []format.Encoding{format.RLEDictionary, format.DeltaBinaryPacked, format.RLEDictionary, format.Plain, format.RLEDictionary} {
		if !slices.Contains(encodings(column), want) {
			t.Errorf("%s is encoded as %v", fields[column].Name, encodings(column))
		}
	}
}

// Texts too long for statistics are written without them, and those that are not UTF-8 are mended.
func TestTexts(t *testing.T) {
	fields := schema.Table{{Name: "action", Kind: schema.Text}}
	words := []string{"short", strings.Repeat("zzzz", 100), "bad\xff"}
	data := array.NewStringBuilder(memory.DefaultAllocator)
	data.AppendValues(words, nil)
	codes := array.NewInt32Builder(memory.DefaultAllocator)
	codes.AppendValues([]int32{0, 1, 2, 1}, nil)
	rec := array.NewRecord(fields.Arrow(), []arrow.Array{
		array.NewDictionaryArray(schema.Text.Arrow(), codes.NewArray(), data.NewArray()),
	}, 4)
	f, got := rendertest.ReadParquet(t, write(t, fields, chunkRows, groupRows, groupMemory, []arrow.Record{rec}))
	rendertest.CompareRows(t, got, [][]string{{words[0]}, {words[1]}, {"bad\uFFFD"}, {words[1]}})
	if s := f.Metadata().RowGroups[0].Columns[0].MetaData.Statistics; s.MinValue != nil || s.MaxValue != nil {
		t.Errorf("the statistics have %q to %q", s.MinValue, s.MaxValue)
	}
}

// The empty text is a value, and the smallest of all.
func TestEmptyText(t *testing.T) {
	fields := schema.Table{{Name: "action", Kind: schema.Text}}
	first, second := schema.NewColumn(fields[0]), schema.NewColumn(fields[0])
	first.Text("")
	second.Text("b")
	first.Text("a")
	second.Null()
	batches := []arrow.Record{rendertest.Record(fields, []*schema.Column{first}), rendertest.Record(fields, []*schema.Column{second})}
	f, got := rendertest.ReadParquet(t, write(t, fields, 2, 4, groupMemory, batches))
	rendertest.CompareRows(t, got, [][]string{{""}, {"a"}, {"b"}, {"-"}})
	if s := f.Metadata().RowGroups[0].Columns[0].MetaData.Statistics; len(s.MinValue) != 0 || string(s.MaxValue) != "b" || s.NullCount != 1 {
		t.Errorf("the statistics have %q to %q, %d nulls", s.MinValue, s.MaxValue, s.NullCount)
	}
}

func TestAppendCodes(t *testing.T) {
	for size := int32(1); size < 1<<20; size = size*3 + 1 {
		for _, n := range []int{1, 7, 8, 9, 31, 100} {
			codes := make([]int32, n)
			for i := range codes {
				codes[i] = rand.Int32N(size)
			}
			if got := decodeCodes(appendCodes(nil, codes, size), n); !slices.Equal(got, codes) {
				t.Fatalf("%d codes of %d: %v came back as %v", n, size, codes, got)
			}
		}
	}
}

// decodeCodes reads the one run that appendCodes writes.
func decodeCodes(b []byte, n int) []int32 {
	width, b := int(b[0]), b[1:]
	var head, shift uint
	for ; ; b = b[1:] {
		head |= uint(b[0]&0x7f) << shift
		if shift += 7; b[0] < 0x80 {
			b = b[1:]
			break
		}
	}
	codes := make([]int32, n)
	for i := range codes {
		if head&1 == 0 {
			for k, c := range b {
				codes[i] |= int32(c) << (8 * k)
			}
			continue
		}
		for bit := range width {
			at := i*width + bit
			codes[i] |= int32(b[at/8]>>(at%8)&1) << bit
		}
	}
	return codes
}

// An output that fails after some row groups fails all calls, and none of them hangs.
func TestFailingWriter(t *testing.T) {
	fields := rendertest.Project(t, schema.Version(2)...)
	batches := rendertest.Traffic(t, fields, 200_000, 2048)
	f, err := newFile(&rendertest.Failing{Left: 1 << 20, Err: io.ErrShortWrite}, fields, schema.FlowRecords)
	if err != nil {
		t.Fatal(err)
	}
	f.chunkRows, f.groupRows = 1000, 5000
	w := &Writer{file: f}
	var all sync.WaitGroup
	for i, b := range batches {
		all.Go(func() {
			if err := w.Add(schema.Batch{Record: b, Seq: int64(i)}); err != nil && err != io.ErrShortWrite {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := w.Close(); err != io.ErrShortWrite {
		t.Errorf("Close returned %v", err)
	}
	if err := w.Add(schema.Batch{Record: batches[0], Seq: int64(len(batches))}); err != io.ErrShortWrite {
		t.Errorf("Add after the error returned %v", err)
	}
}
