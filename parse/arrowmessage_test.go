package parse

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"flowlog/parse/schema"
)

// arrowSamples are small streams and files of all codecs, with dictionaries and without.
func arrowSamples(t testing.TB) map[string][]byte {
	t.Helper()
	mem := memory.DefaultAllocator
	words := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	s := arrow.NewSchema([]arrow.Field{
		{Name: "srcaddr", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "action", Type: words, Nullable: true},
		{Name: "bytes", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "dstaddr", Type: &arrow.FixedSizeBinaryType{ByteWidth: 16}, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(mem, s)
	for i := range 20 {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("10.0.0.%d", i))
		if err := b.Field(1).(*array.BinaryDictionaryBuilder).AppendString([]string{"ACCEPT", "REJECT"}[i%2]); err != nil {
			t.Fatal(err)
		}
		b.Field(2).(*array.Int64Builder).Append(int64(i))
		if i == 7 {
			b.Field(3).AppendNull()
			continue
		}
		b.Field(3).(*array.FixedSizeBinaryBuilder).Append(bytes.Repeat([]byte{byte(i)}, 16))
	}
	rec := b.NewRecord()
	samples := make(map[string][]byte)
	for name, options := range map[string][]ipc.Option{"plain": nil, "lz4": {ipc.WithLZ4()}, "zstd": {ipc.WithZstd()}} {
		options = append(options, ipc.WithSchema(s))
		var stream bytes.Buffer
		w := ipc.NewWriter(&stream, options...)
		file := &seekable{}
		f, err := ipc.NewFileWriter(file, options...)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Write(rec); err != nil {
				t.Fatal(err)
			}
			if err := f.Write(rec); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		samples[name+" stream"], samples[name+" file"] = stream.Bytes(), file.Bytes()
	}
	return samples
}

// seekable is a file in memory that is written from front to back.
type seekable struct{ bytes.Buffer }

func (s *seekable) Seek(int64, int) (int64, error) { return int64(s.Len()), nil }

// One changed bit of an Arrow stream or file is an error, or changes a value: it takes no memory that the bytes do not
// bear out, and is told without Go's words.
func TestChangedBitsOfArrow(t *testing.T) {
	p, err := schema.Logged().Project("srcaddr", "dstaddr", "action", "bytes")
	if err != nil {
		t.Fatal(err)
	}
	step := 31 // a prime: all bits of a byte get their turn
	if testing.Short() {
		step = 211
	}
	for name, sample := range arrowSamples(t) {
		rows, stats := rowsOf(t, one(string(sample)), Options{})
		if len(rows) != 40 || len(stats.Failed) > 0 {
			t.Fatalf("%s: %d rows, %v", name, len(rows), stats.Failed)
		}
		failed := 0
		for bit := 0; bit < 8*len(sample); bit += step {
			changed := bytes.Clone(sample)
			changed[bit/8] ^= 1 << (bit % 8)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			stats, err := Scan(context.Background(), one(string(changed)), p, Options{Workers: 1}, func(schema.Batch) error { return nil })
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatalf("%s, bit %d: %v", name, bit, err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 128<<20 {
				t.Errorf("%s, bit %d: takes %d MB", name, bit, took>>20)
			}
			for _, f := range stats.Failed {
				failed++
				if s := f.Err.Error(); strings.Contains(s, "runtime error") || strings.Contains(s, "out of range [") || strings.Contains(s, "slice bounds") {
					t.Errorf("%s, bit %d: %s", name, bit, s)
				}
			}
		}
		if failed == 0 {
			t.Errorf("%s: no changed bit is an error", name)
		}
		for _, cut := range []int{len(sample) / 2, len(sample) - 1} {
			if _, stats := rowsOf(t, one(string(sample[:cut])), Options{}); len(stats.Failed) == 0 && strings.HasSuffix(name, "file") && cut < len(sample)*2/3 {
				t.Errorf("%s: cut after %d of %d bytes, and whole", name, cut, len(sample))
			}
		}
	}
}
