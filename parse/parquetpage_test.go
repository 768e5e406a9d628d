package parse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding"

	"flowlog/parse/schema"
)

// A sample has a column for each way in which a value can be held.
type sample struct {
	Plain    string  `parquet:"account_id"`
	Dict     string  `parquet:"srcaddr,dict"`
	DictNull *string `parquet:"dstaddr,dict,optional"`
	One      string  `parquet:"log_status,dict"`
	Lengths  string  `parquet:"interface_id,delta"`
	Bytes    int64   `parquet:"bytes,delta"`
	Packets  *int64  `parquet:"packets,optional"`
	Number   int64   `parquet:"start,dict"`
	Port     *int32  `parquet:"srcport,optional,dict"`
	Small    int32   `parquet:"dstport,delta"`
	Float    float64 `parquet:"end,split"`
	Single   float32 `parquet:"protocol"`
	Unknown  *string `parquet:"note,optional,dict"`
}

func samples(n int, seed uint64) []sample {
	r := rand.New(rand.NewPCG(seed, 1))
	rows := make([]sample, n)
	distinct := 1 + r.IntN(2*n+2)
	nulls := []float64{0, 0.05, 0.9, 1}[r.IntN(4)]
	for i := range rows {
		addr := func() string {
			if v := r.IntN(distinct); v%5 > 0 {
				return fmt.Sprintf("10.%d.%d.%d", v>>16&255, v>>8&255, v&255)
			} else if v%3 > 0 {
				return fmt.Sprintf("2001:db8::%x", v&0xffff)
			}
			return "-"
		}
		rows[i] = sample{Plain: fmt.Sprint(r.IntN(distinct)), Dict: addr(), One: "OK", Bytes: r.Int64N(1 << r.IntN(63)), Number: r.Int64N(5),
			Small: r.Int32N(65536), Float: float64(r.IntN(1000)), Single: float32(r.IntN(256)), Lengths: fmt.Sprintf("eni-%d", r.IntN(50))}
		if r.Float64() >= nulls {
			rows[i].DictNull, rows[i].Packets, rows[i].Port, rows[i].Unknown = ptr(addr()), ptr(r.Int64N(1000)), ptr(r.Int32N(65536)), ptr(fmt.Sprint(r.IntN(9)))
		}
	}
	return rows
}

func sampleFile(t testing.TB, rows []sample, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[sample](&b, options...)
	for len(rows) > 0 {
		n := min(len(rows), 50_000)
		if _, err := w.Write(rows[:n]); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		rows = rows[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var sampleOptions = func() map[string][]parquet.WriterOption {
	all := make(map[string][]parquet.WriterOption)
	for version := 1; version <= 2; version++ {
		for _, size := range []int{300, 50_000, 1 << 20} {
			for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
				all[fmt.Sprintf("version %d, pages of %d, %s", version, size, codec)] = []parquet.WriterOption{
					parquet.DataPageVersion(version), parquet.PageBufferSize(size), parquet.Compression(codec)}
			}
		}
	}
	return all
}()

// openParquet opens a file that may be damaged.
func openParquet(content []byte) (f *parquet.File, err error) {
	defer recovered(&err)
	return parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
}

// theirs reads a column of a row group by means of parquet-go.
func theirs(group parquet.RowGroup, column int) (values []string, err error) {
	defer recovered(&err)
	pages := group.ColumnChunks()[column].Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		read := page.Values()
		for {
			var v [100]parquet.Value
			n, err := read.ReadValues(v[:])
			for _, v := range v[:n] {
				if v.IsNull() {
					values = append(values, "null")
				} else {
					values = append(values, v.String())
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

// ours reads a column of a row group as the scan does, some rows at a time.
func ours(content []byte, f *parquet.File, group, column int, step int64) (values []string, err error) {
	defer recovered(&err)
	meta := &f.Metadata().RowGroups[group]
	var pool sync.Pool
	var rooms rooms
	r, err := newChunkReader(bytes.NewReader(content), int64(len(content)), f.Root().Columns()[column], &meta.Columns[column].MetaData, meta.NumRows, &pool)
	if err != nil {
		return nil, err
	}
	for from := int64(0); from < meta.NumRows; from += step {
		to := min(from+step, meta.NumRows)
		if err := r.fill(to); err != nil {
			return nil, err
		}
		for _, p := range r.pagesBefore(to) {
			if err := p.decode(&rooms); err != nil {
				return nil, err
			}
			value := 0
			for row := range p.rows {
				if p.valid == 0 || len(p.levels) > 0 && p.levels[row] == 0 {
					if at := p.from + int64(row); from <= at && at < to {
						values = append(values, "null")
					}
					continue
				}
				if at := p.from + int64(row); from <= at && at < to {
					from, i := p.values, value
					if p.coded {
						if err := p.dict.page.decode(&rooms); err != nil {
							return nil, err
						}
						from, i = p.dict.page.values, int(p.codes[value])
					}
					values = append(values, valueOf(from, i))
				}
				value++
			}
			if p.users.Add(-1) == 0 {
				rooms.put(p.room)
				p.room = nil
				pool.Put(p)
			}
		}
	}
	return values, nil
}

func valueOf(values encoding.Values, i int) string {
	switch values.Kind() {
	case encoding.Int32:
		return fmt.Sprint(values.Int32()[i])
	case encoding.Int64:
		return fmt.Sprint(values.Int64()[i])
	case encoding.Float:
		return parquet.FloatValue(values.Float()[i]).String()
	case encoding.Double:
		return parquet.DoubleValue(values.Double()[i]).String()
	case encoding.ByteArray:
		data, offsets := values.ByteArray()
		return string(data[offsets[i]:offsets[i+1]])
	}
	panic(values.Kind())
}

func TestParquetPagesAgreeWithParquetGo(t *testing.T) {
	seed := uint64(0)
	for name, options := range sampleOptions {
		seed++
		for _, n := range []int{1, 9, 3000} {
			content := sampleFile(t, samples(n, seed), options...)
			f, err := openParquet(content)
			if err != nil {
				t.Fatal(err)
			}
			for g, group := range f.RowGroups() {
				for i, c := range f.Root().Columns() {
					want, err := theirs(group, i)
					if err != nil {
						t.Fatal(err)
					}
					for _, step := range []int64{7, 1000, 5000} {
						got, err := ours(content, f, g, i, step)
						if err != nil || !slices.Equal(got, want) {
							t.Errorf("%s, %d rows, %s by %d: %v\n got %.300q\nwant %.300q", name, n, c.Name(), step, err, got, want)
						}
					}
				}
			}
		}
	}
}

// Pages and row groups do not end where blocks do, and several workers share them. LZ4 is what parquet-go's own
// reader gets wrong where a page does not become smaller.
func TestParquetBlocks(t *testing.T) {
	rows := samples(70_000, 6) // with some nulls
	contents := [][]byte{
		sampleFile(t, rows, parquet.PageBufferSize(100_000)),
		sampleFile(t, rows, parquet.PageBufferSize(1<<20), parquet.DataPageVersion(2), parquet.Compression(&parquet.Lz4Raw)),
	}
	var text strings.Builder
	text.WriteString("account_id srcaddr dstaddr log_status interface_id bytes packets start srcport dstport end protocol\n")
	or := func(v any) string {
		switch v := v.(type) {
		case *string:
			if v != nil {
				return *v
			}
		case *int64:
			if v != nil {
				return fmt.Sprint(*v)
			}
		case *int32:
			if v != nil {
				return fmt.Sprint(*v)
			}
		}
		return "-"
	}
	for _, r := range rows {
		fmt.Fprintln(&text, r.Plain, r.Dict, or(r.DictNull), r.One, r.Lengths, r.Bytes, or(r.Packets), r.Number, or(r.Port), r.Small, r.Float, r.Single)
	}
	fields := strings.Fields(text.String()[:strings.IndexByte(text.String(), '\n')])
	for i := range fields {
		fields[i] = strings.ReplaceAll(fields[i], "-", "_")
	}
	p, err := schema.Logged().Project(fields...)
	if err != nil {
		t.Fatal(err)
	}
	read := func(src Source, workers int, coded bool) []string {
		p.Coded = coded
		var mu sync.Mutex
		batches := make(map[int64][]string)
		stats, err := Scan(context.Background(), src, p, Options{Workers: workers, Ordered: true}, func(b schema.Batch) error {
			rows := rowsOfRecord(b.Record)
			mu.Lock()
			defer mu.Unlock()
			batches[b.Seq] = rows
			return nil
		})
		if err != nil || len(stats.Failed) > 0 || stats.Malformed > 0 {
			t.Fatal(err, stats.Failed, stats.Problems)
		}
		var all []string
		for seq := range int64(len(batches)) {
			all = append(all, batches[seq]...)
		}
		return all
	}
	want := read(one(text.String()), 1, false)
	for _, workers := range []int{1, 8} {
		for _, coded := range []bool{false, true} {
			for _, content := range contents {
				got := read(readerAtSource{"x", content}, workers, coded)
				if len(got) != len(want) {
					t.Fatalf("%d records, want %d", len(got), len(want))
				}
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("%d workers, coded %v: record %d:\n got %s\nwant %s", workers, coded, i, got[i], want[i])
					}
				}
			}
		}
	}
}

// What both take for an intact column, they read alike. A damaged file never panics.
func FuzzParquetPages(f *testing.F) {
	seed := uint64(0)
	for _, size := range []int{200, 1 << 20} {
		for version := 1; version <= 2; version++ {
			for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy} {
				seed++
				f.Add(sampleFile(f, samples(40, seed), parquet.DataPageVersion(version), parquet.PageBufferSize(size), parquet.Compression(codec)), 100, byte(1))
			}
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, at int, flip byte) {
		content = bytes.Clone(content)
		if len(content) > 0 {
			content[uint(at)%uint(len(content))] ^= flip
		}
		rowsOf(t, readerAtSource{"x", content}, Options{Workers: 2})
		all := func(columns []string) []string { return columns }
		rows := 0
		_ = ParquetRows(bytes.NewReader(content), int64(len(content)), all, func([]string) error { // it must end, however
			if rows++; rows > 1000 {
				return io.EOF
			}
			return nil
		})
		file, err := openParquet(content)
		if err != nil {
			return
		}
		for g, group := range file.RowGroups() {
			if group.NumRows() > 1000 || len(group.ColumnChunks()) != len(file.Root().Columns()) {
				continue
			}
			for i, c := range file.Root().Columns() {
				if !c.Leaf() || c.MaxRepetitionLevel() > 0 || c.MaxDefinitionLevel() > 1 || c.Type().Kind() == parquet.Boolean || c.Type().Kind() == parquet.Int96 || c.Type().Kind() == parquet.FixedLenByteArray {
					continue
				}
				got, err := ours(content, file, g, i, 7)
				if err != nil {
					continue
				}
				want, err := theirs(group, i)
				if err == nil && int64(len(want)) == group.NumRows() && !slices.Equal(got, want) {
					t.Errorf("%s:\n got %.1000q\nwant %.1000q", c.Name(), got, want)
				}
			}
		}
	})
}

// The last run of bits may be filled up, as DuckDB does; no run may claim what is not there.
func TestParquetRuns(t *testing.T) {
	filled := append([]byte{32<<1 | 1}, make([]byte, 32*3)...) // 256 numbers of 3 bits
	for _, c := range []struct {
		src  []byte
		n    int
		want int
	}{
		{filled, 3, len(filled)},
		{append(filled, "rest"...), 256, len(filled)},
		{append(filled, 9<<1, 5), 265, len(filled) + 2},
		{filled, 257, -1},
		{filled[:50], 3, -1},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0x0e, 1}, 3, -1},
		{nil, 0, 0},
		{nil, 1, -1},
	} {
		got, err := runs(c.src, 3, c.n)
		if (err != nil) != (c.want < 0) || err == nil && len(got) != c.want {
			t.Errorf("%d numbers in %x: %d bytes, %v; want %d", c.n, c.src, len(got), err, c.want)
		}
	}
}

// Header stops reading in the midst of a file.
func TestHeaderOfParquet(t *testing.T) {
	p, err := schema.Logged().Project("srcaddr")
	if err != nil {
		t.Fatal(err)
	}
	names := Columns(context.Background(), readerAtSource{"x", sampleFile(t, samples(60_000, 1))}, p, Options{})
	want(t, "names", names, "[account_id srcaddr dstaddr log_status interface_id bytes packets start srcport dstport end protocol note]")
}
