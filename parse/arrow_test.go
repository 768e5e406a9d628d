package parse

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// A file that cannot be read from its start on says so, and not that it is damaged.
func TestArrowFileWithoutStream(t *testing.T) {
	l := &law{rand.New(rand.NewPCG(1, 1)), nil}
	l.generate(4)
	content, _ := l.arrow()
	_, stats := rowsOf(t, one(arrowFile+"\x04\x00\x00\x00\xf2\xff\xff\xff"+content+"ARROW1"), Options{})
	want(t, "failed", stats.Failed, "[test.log: "+errNoStream.Error()+"]")
}

// packedArrow is a stream of two batches whose buffers are compressed.
func packedArrow(tb testing.TB, compressed ipc.Option) []byte {
	fields := arrow.NewSchema([]arrow.Field{
		{Name: "srcaddr", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
		{Name: "bytes", Type: arrow.PrimitiveTypes.Int64}, {Name: "action", Type: arrow.BinaryTypes.String},
	}, nil)
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(fields), compressed)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, fields)
	for n := range 2 {
		for i := range 20 {
			must(builder.Field(0).(*array.BinaryDictionaryBuilder).AppendString("10.0.0." + strings.Repeat("1", i%3+1)))
			builder.Field(1).(*array.Int64Builder).Append(int64(n))
			builder.Field(2).(*array.StringBuilder).Append("ACCEPT")
		}
		if err := w.Write(builder.NewRecord()); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// Seeds that are whole are read in full: those that are refused at once would test little.
func TestPackedArrow(t *testing.T) {
	for _, opt := range []ipc.Option{ipc.WithZstd(), ipc.WithLZ4()} {
		_, stats := rowsOf(t, readerAtSource{"x", packedArrow(t, opt)}, Options{})
		want(t, "failed", stats.Failed, "[]")
		want(t, "records", stats.Records, 40)
	}
}

func FuzzArrow(f *testing.F) {
	l := &law{rand.New(rand.NewPCG(1, 1)), nil}
	l.generate(4)
	for range 4 { // each has types of its own
		content, _ := l.arrow()
		f.Add([]byte(content), 10, byte(1))
		f.Add([]byte(arrowFile+content), 100, byte(0x80))
	}
	for _, opt := range []ipc.Option{ipc.WithZstd(), ipc.WithLZ4()} {
		f.Add(packedArrow(f, opt), 300, byte(1))
	}
	f.Fuzz(func(t *testing.T, content []byte, at int, flip byte) {
		content = bytes.Clone(content)
		if len(content) > 0 {
			content[uint(at)%uint(len(content))] ^= flip
		}
		rowsOf(t, readerAtSource{"x", content}, Options{Workers: 2}, "srcaddr", "bytes", "end", "action")
	})
}
