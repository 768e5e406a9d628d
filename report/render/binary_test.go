package render

import (
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
	"flowlog/report"
)

// cellsOf is what a batch says, as text, with "-" for null.
func cellsOf(t testing.TB, fields schema.Table, batches ...arrow.Record) [][]string {
	t.Helper()
	var rows [][]string
	for _, rec := range batches {
		var c cells
		if err := c.load(rec, fields); err != nil {
			t.Fatal(err)
		}
		for row := range c.rows {
			line := make([]string, len(fields))
			for i := range fields {
				line[i] = "-"
				if col := &c.columns[i]; !col.null(row) {
					line[i] = string(col.append(nil, row, func(dst []byte, _ *schema.Field, s string) []byte { return append(dst, s...) }))
				}
			}
			rows = append(rows, line)
		}
	}
	return rows
}

// readParquet reads a file back with another implementation, as text, with "-" for null.
func readParquet(t testing.TB, data string) (*parquet.File, [][]string) {
	t.Helper()
	f, err := parquet.OpenFile(strings.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buf := make([]parquet.Row, 100)
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				line := make([]string, len(row))
				for i, v := range row {
					switch {
					case v.IsNull():
						line[i] = "-"
					case v.Kind() == parquet.Double:
						line[i] = string(appendFloat(nil, v.Double()))
					default:
						line[i] = v.String()
					}
				}
				all = append(all, line)
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		rows.Close()
	}
	if int64(len(all)) != f.NumRows() {
		t.Errorf("the footer says %d rows, there are %d", f.NumRows(), len(all))
	}
	return f, all
}

func compareRows(t testing.TB, got, want [][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows came back as %d", len(want), len(got))
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Fatalf("row %d: got %q, want %q", i, got[i], want[i])
		}
	}
}

func TestParquetRecords(t *testing.T) {
	batches := sampleBatches(t)
	f, got := readParquet(t, write(t, "parquet", sampleFields, Options{}, batches...))
	compareRows(t, got, cellsOf(t, sampleFields, batches...))
	if v, ok := f.Lookup("writer"); !ok || v != "flowlog" {
		t.Errorf("the metadata has writer %q", v)
	}
	const schema = `message schema {
	optional int32 version (INT(32,true));
	optional binary srcaddr (STRING);
	optional int32 srcport (INT(32,true));
	optional int64 bytes (INT(64,true));
	optional int64 start (INT(64,true));
	optional binary action (STRING);
	optional binary instance_tag (STRING);
	optional double latitude;
}`
	if got := f.Schema().String(); got != schema {
		t.Errorf("the schema is %s", got)
	}
	if f, got := readParquet(t, write(t, "parquet", sampleFields, Options{}, nil)); len(got) != 0 || len(f.Schema().Fields()) != len(sampleFields) {
		t.Errorf("a file without records has %d", len(got))
	}
}

// random makes batches with all the ways in which values can be null, repeated, small or large.
func random(t testing.TB, r *rand.Rand, fields schema.Table, rows int) []arrow.Record {
	t.Helper()
	var batches []arrow.Record
	for rows >= 0 {
		n := r.IntN(40)
		rows -= n + 1
		columns := make([]*schema.Column, len(fields))
		for i, f := range fields {
			c := schema.NewColumn(f)
			nulls := []int{0, 0, 1, 2, 10, 10}[r.IntN(6)] // in ten
			spread := []int64{1, 3, 1000, 1 << 40}[r.IntN(4)]
			for range n {
				v := r.Int64N(spread)
				switch {
				case r.IntN(10) < nulls:
					c.Null()
				case f.Kind == schema.Int32:
					c.Int32 = append(c.Int32, int32(v&0x7fffffff))
				case f.Kind == schema.Int64 || f.Kind == schema.Time:
					c.Int64 = append(c.Int64, v)
				case f.Kind == schema.Float:
					c.Float = append(c.Float, float64(v)/3-1)
				case f.Kind == schema.Addr:
					c.Addr = append(c.Addr, [16]byte{10: 0xff, 11: 0xff, 12: byte(v >> 24), 13: byte(v >> 16), 14: byte(v >> 8), 15: byte(v)})
				default:
					c.Text("t" + strconv.FormatInt(v, 36))
				}
			}
			columns[i] = c
		}
		rec := recordFrom(fields, columns)
		if n > 2 && r.IntN(3) == 0 {
			rec = rec.NewSlice(1+r.Int64N(int64(n)/2), int64(n))
		}
		batches = append(batches, rec)
	}
	return batches
}

// writeParquet writes batches, added in any order, in pages and row groups of a given size.
func writeParquet(t testing.TB, fields schema.Table, chunkRows, groupRows, memory int, batches []arrow.Record) string {
	t.Helper()
	var b strings.Builder
	f, err := newParquetFile(&b, fields, false)
	if err != nil {
		t.Fatal(err)
	}
	f.chunkRows, f.groupRows, f.groupMemory = chunkRows, groupRows, memory
	addAll(t, &parquetRecordWriter{file: f}, batches)
	return b.String()
}

// Whatever the batches, what is read back is what was written, statistics hold, and neither the batches'
// borders nor the order of their coming changes the file.
func TestParquetPages(t *testing.T) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 1))
		batches := random(t, r, sampleFields, r.IntN(600))
		memory := groupMemory
		if seed%3 == 0 {
			memory = 10_000
		}
		put := func(batches []arrow.Record) string {
			return writeParquet(t, sampleFields, 8*(1+int(seed)%5), 100, memory, batches)
		}
		data := put(batches)
		f, got := readParquet(t, data)
		compareRows(t, got, cellsOf(t, sampleFields, batches...))
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
func TestParquetEncodings(t *testing.T) {
	fields := fieldsOf(t, "srcaddr", "bytes", "interface_id", "tgw_id", "protocol")
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
		batches = append(batches, recordFrom(fields, columns))
	}
	f, got := readParquet(t, writeParquet(t, fields, 10_000, 40_000, groupMemory, batches))
	compareRows(t, got, cellsOf(t, fields, batches...))
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
func TestParquetTexts(t *testing.T) {
	fields := schema.Table{{Name: "action", Kind: schema.Text}}
	words := []string{"short", strings.Repeat("zzzz", 100), "bad\xff"}
	data := array.NewStringBuilder(memory.DefaultAllocator)
	data.AppendValues(words, nil)
	codes := array.NewInt32Builder(memory.DefaultAllocator)
	codes.AppendValues([]int32{0, 1, 2, 1}, nil)
	rec := array.NewRecord(fields.Arrow(), []arrow.Array{
		array.NewDictionaryArray(schema.Text.Arrow(), codes.NewArray(), data.NewArray()),
	}, 4)
	f, got := readParquet(t, write(t, "parquet", fields, Options{}, rec))
	compareRows(t, got, [][]string{{words[0]}, {words[1]}, {"bad\uFFFD"}, {words[1]}})
	if s := f.Metadata().RowGroups[0].Columns[0].MetaData.Statistics; s.MinValue != nil || s.MaxValue != nil {
		t.Errorf("the statistics have %q to %q", s.MinValue, s.MaxValue)
	}
}

// The empty text is a value, and the smallest of all.
func TestParquetEmptyText(t *testing.T) {
	fields := schema.Table{{Name: "action", Kind: schema.Text}}
	first, second := schema.NewColumn(fields[0]), schema.NewColumn(fields[0])
	first.Text("")
	second.Text("b")
	first.Text("a")
	second.Null()
	batches := []arrow.Record{recordFrom(fields, []*schema.Column{first}), recordFrom(fields, []*schema.Column{second})}
	f, got := readParquet(t, writeParquet(t, fields, 2, 4, groupMemory, batches))
	compareRows(t, got, [][]string{{""}, {"a"}, {"b"}, {"-"}})
	if s := f.Metadata().RowGroups[0].Columns[0].MetaData.Statistics; len(s.MinValue) != 0 || string(s.MaxValue) != "b" || s.NullCount != 1 {
		t.Errorf("the statistics have %q to %q, %d nulls", s.MinValue, s.MaxValue, s.NullCount)
	}
}

func TestParquetReport(t *testing.T) {
	f, got := readParquet(t, render(t, "parquet", documentOf(talkers()), Options{}))
	compareRows(t, got, [][]string{
		{"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "6", "NL", "TCP", "1234567", "1524713390", "12.5", "1710720000000"},
		{"10.0.0.1", "253", "-", "-", "7", "999", "-", "-"},
		{"-", "-", "-", "-", "1", "-", "0.001", "1710720001000"},
	})
	const schema = `message schema {
	optional binary srcaddr (STRING);
	optional int32 protocol (INT(32,true));
	optional binary srcaddr_country (STRING);
	optional binary protocol_name (STRING);
	optional int64 flows (INT(64,true));
	optional int64 bytes (INT(64,true));
	optional double avg_packets;
	optional int64 last_seen (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
}`
	if got := f.Schema().String(); got != schema {
		t.Errorf("the schema is %s", got)
	}
	if _, got := readParquet(t, render(t, "parquet", documentOf(nothing()), Options{})); len(got) != 0 {
		t.Errorf("an empty report has rows: %q", got)
	}
}

// readArrow reads a stream back, as text, with "-" for null.
func readArrow(t testing.TB, data string) (*arrow.Schema, [][]string) {
	t.Helper()
	r, err := ipc.NewReader(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for r.Next() {
		rec := r.Record()
		for row := range int(rec.NumRows()) {
			line := make([]string, rec.NumCols())
			for i, c := range rec.Columns() {
				switch c := c.(type) {
				case *array.Dictionary:
					if c.IsValid(row) {
						line[i] = c.Dictionary().(*array.String).Value(c.GetValueIndex(row))
					}
				case *array.Float64:
					if c.IsValid(row) {
						line[i] = string(appendFloat(nil, c.Value(row)))
					}
				default:
					line[i] = c.ValueStr(row)
				}
				if c.IsNull(row) {
					line[i] = "-"
				}
			}
			all = append(all, line)
		}
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return r.Schema(), all
}

func TestArrowRecords(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		batches := random(t, r, sampleFields, r.IntN(600))
		_, got := readArrow(t, write(t, "arrow", sampleFields, Options{}, batches...))
		compareRows(t, got, cellsOf(t, sampleFields, batches...))
	}
	s, got := readArrow(t, write(t, "arrow", sampleFields, Options{}, nil))
	if len(got) != 0 {
		t.Errorf("a stream without records has %d", len(got))
	}
	want := "int32 utf8 int32 int64 int64 dictionary<values=utf8, indices=int32, ordered=false> dictionary<values=utf8, indices=int32, ordered=false> float64"
	var types []string
	for _, f := range s.Fields() {
		types = append(types, f.Type.String())
	}
	if got := strings.Join(types, " "); got != want {
		t.Errorf("the types are %s", got)
	}
}

func TestArrowReport(t *testing.T) {
	s, got := readArrow(t, render(t, "arrow", documentOf(talkers()), Options{}))
	compareRows(t, got, [][]string{
		{"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "6", "NL", "TCP", "1234567", "1524713390", "12.5", "2024-03-18 00:00:00Z"},
		{"10.0.0.1", "253", "-", "-", "7", "999", "-", "-"},
		{"-", "-", "-", "-", "1", "-", "0.001", "2024-03-18 00:00:01Z"},
	})
	if got := s.Field(7).Type.String(); got != "timestamp[s, tz=UTC]" {
		t.Errorf("last_seen is a %s", got)
	}
	if _, got := readArrow(t, render(t, "arrow", documentOf(nothing()), Options{})); len(got) != 0 {
		t.Errorf("an empty report has rows: %q", got)
	}
}

// A value that is not of its column's kind is an error that names both.
func TestTypedValues(t *testing.T) {
	for _, c := range []struct {
		kind  schema.Kind
		value any
	}{
		{schema.Int32, int64(1) << 40}, {schema.Int64, 1.5}, {schema.Addr, "10.0.0.1"}, {schema.Time, "now"}, {schema.Float, time.Now()},
	} {
		table := report.Table{Name: "r", Columns: []report.Column{{Name: "c", Kind: c.kind}}, Rows: [][]any{{c.value}}}
		for _, name := range []string{"parquet", "arrow"} {
			f, err := Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Tables(io.Discard, documentOf(table), Options{}); err == nil || !strings.Contains(err.Error(), "column c") {
				t.Errorf("%s: a %T in a column of kind %s: %v", name, c.value, c.kind, err)
			}
		}
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
func TestFailingParquetWriter(t *testing.T) {
	fields := fieldsOf(t, schema.Version(2)...)
	batches := traffic(t, fields, 200_000, 2048)
	f, err := newParquetFile(&failing{1 << 20, io.ErrShortWrite}, fields, false)
	if err != nil {
		t.Fatal(err)
	}
	f.chunkRows, f.groupRows = 1000, 5000
	w := &parquetRecordWriter{file: f}
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
