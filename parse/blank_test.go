package parse_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flowlog/parse"
	"flowlog/parse/internal/inflate"
	"flowlog/parse/schema"
)

// TestBlank reads content that is nearly all blank lines: each line of its own would take a minute, and the square of
// their number would not end.
func TestBlank(t *testing.T) {
	lines := strings.Repeat("\n", 64<<20)
	const log = "srcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 5\n"
	const csv = "srcaddr,dstaddr,bytes\n10.0.0.1,10.0.0.2,5\n"
	const json = `{"srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","bytes":5}` + "\n"
	quotes := strings.Repeat("\n", 1<<20)
	for _, in := range []struct {
		name, content string
		records       int64
		line          int64 // of the record that is malformed
	}{
		{"a.log", log + lines + "10.0.0.1 x 5\n10.0.0.1 10.0.0.2 5\n", 2, 64<<20 + 3},
		{"before.log", lines[:1<<20] + log + "10.0.0.1 x 5\n", 1, 1<<20 + 3},
		{"a.csv", csv + lines + "10.0.0.1,x,5\r\n\r\n\n10.0.0.1,10.0.0.2,5\n", 2, 64<<20 + 3},
		{"a.json", json + lines + strings.ReplaceAll(json, "10.0.0.2", "x") + json, 2, 2},
		{"quote.csv", csv + "10.0.0.1,x,5\n" + `10.0.0.1,10.0.0.2,"5` + quotes, 1, 3},
	} {
		t.Run(in.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), in.name)
			if err := os.WriteFile(path, []byte(in.content), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := schema.Logged().Project("srcaddr", "dstaddr", "bytes")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			stats, err := parse.Scan(t.Context(), parse.Paths(strings.NewReader(""), path), p, parse.Options{Workers: 2}, func(schema.Batch) error { return nil })
			if err != nil || len(stats.Failed) > 0 || stats.Records != in.records || len(stats.Problems) == 0 || stats.Problems[0].Line != in.line {
				t.Errorf("%d records, %v, %v, %v", stats.Records, stats.Problems, stats.Failed, err)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// blankFile is gzip of a head and so many bytes of a line.
func blankFile(tb testing.TB, head, line string, size int) []byte {
	tb.Helper()
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	lines := strings.Repeat(line, (1<<20)/len(line))
	if _, err := io.WriteString(z, head); err != nil {
		tb.Fatal(err)
	}
	for n := 0; n < size; n += len(lines) {
		if _, err := io.WriteString(z, lines); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

// BenchmarkBlank reads a record and 256 MiB of newlines from gzip: inflating alone, and by a scan, which may take half as
// long again.
func BenchmarkBlank(b *testing.B) {
	const newlines = 256 << 20
	for _, in := range []struct{ name, head string }{
		{"text", "srcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 5\n"},
		{"csv", "srcaddr,dstaddr,bytes\n10.0.0.1,10.0.0.2,5\n"},
		{"json", `{"srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","bytes":5}` + "\n"},
	} {
		file := blankFile(b, in.head, "\n", newlines)
		b.Run(in.name+"/inflate", func(b *testing.B) {
			b.SetBytes(newlines)
			buf := make([]byte, 256<<10)
			for b.Loop() {
				r := inflate.NewReader(bytes.NewReader(file))
				if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, buf); err != nil || n < newlines {
					b.Fatal(n, err)
				}
			}
		})
		b.Run(in.name+"/scan", func(b *testing.B) {
			b.SetBytes(newlines)
			p, err := schema.Logged().Project("srcaddr", "bytes")
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				stats, err := parse.Scan(b.Context(), parse.Paths(bytes.NewReader(file), "-"), p, parse.Options{}, func(schema.Batch) error { return nil })
				if err != nil || stats.Records != 1 {
					b.Fatal(stats.Records, err)
				}
			}
		})
	}
}
