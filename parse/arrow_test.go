package parse

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// seekable is a buffer that a file of Arrow can be written to.
type seekable struct{ bytes.Buffer }

func (b *seekable) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		panic("it only asks where it is")
	}
	return int64(b.Len()), nil
}

// A file whose records are not a stream from its start on, as Polars writes it, is read by the index at its end.
func TestArrowFiles(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "srcaddr", Type: arrow.BinaryTypes.String}, {Name: "dstaddr", Type: arrow.BinaryTypes.String}}, nil)
	var b seekable
	w, err := ipc.NewFileWriter(&b, ipc.WithSchema(s))
	if err != nil {
		t.Fatal(err)
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for _, a := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"} {
		builder.Field(0).(*array.StringBuilder).Append(a)
		builder.Field(1).(*array.StringBuilder).Append("10.0.0.9")
		if err := w.Write(builder.NewRecord()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	other := bytes.Clone(file)
	copy(other[len(arrowFile):], "\x04\x00\x00\x00")
	for name, content := range map[string][]byte{"a stream": file, "by the index": other} {
		got, stats := rowsOf(t, readerAtSource{"x", content}, Options{}, "srcaddr")
		want(t, name, got, "[srcaddr=10.0.0.1  srcaddr=10.0.0.2  srcaddr=10.0.0.3 ]")
		want(t, name+": failed", stats.Failed, "[]")
		got, _ = rowsOf(t, one(string(content)), Options{}, "srcaddr")
		want(t, name+", from a pipe", len(got), 3)
	}
	_, stats := rowsOf(t, readerAtSource{"x", other[:len(other)-1]}, Options{}, "srcaddr")
	want(t, "cut off", stats.Failed, "[x: arrow: arrow/ipc: could not decode footer: arrow/ipc: not an Arrow file]")
}

func FuzzArrow(f *testing.F) {
	l := &law{rand.New(rand.NewPCG(1, 1)), nil}
	l.generate(4)
	content, _ := l.arrow()
	f.Add([]byte(content), 10, byte(1))
	f.Add([]byte(arrowFile+content), 100, byte(0x80))
	f.Fuzz(func(t *testing.T, content []byte, at int, flip byte) {
		content = bytes.Clone(content)
		if len(content) > 0 {
			content[uint(at)%uint(len(content))] ^= flip
		}
		rowsOf(t, readerAtSource{"x", content}, Options{Workers: 2}, "srcaddr", "bytes", "end", "action")
	})
}
