package render

import (
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
	"flowlog/report/render/rendertest"
)

// BenchmarkRecords writes a million records from as many goroutines as there are processors.
func BenchmarkRecords(b *testing.B) {
	const rows = 1 << 20
	for _, width := range []string{"default", "all"} {
		fields := rendertest.Project(b)
		if width == "default" {
			fields = rendertest.Project(b, schema.Version(2)...)
		}
		batches := rendertest.Traffic(b, fields, rows, 8192)
		for _, name := range []string{"ndjson", "csv", "tsv", "arrow", "parquet", "table"} {
			b.Run(name+"/"+width, func(b *testing.B) {
				f, err := Lookup(name)
				if err != nil {
					b.Fatal(err)
				}
				var size counter
				for b.Loop() {
					writeTimes(b, f, &size, fields, batches, 1)
				}
				b.ReportMetric(float64(size)/float64(b.N)/rows, "B/record")
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/record")
			})
		}
	}
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// writeTimes writes the batches several times over as one scan, as the workers of a scan do.
func writeTimes(t testing.TB, f Format, out io.Writer, fields schema.Table, batches []arrow.Record, times int) {
	t.Helper()
	w, err := f.Records(out, fields, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var seq atomic.Int64
	var workers sync.WaitGroup
	for worker := range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				n := seq.Add(1) - 1
				if n >= int64(times*len(batches)) {
					return
				}
				if err := w.Add(schema.Batch{Record: batches[n%int64(len(batches))], Seq: n, Worker: worker}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
