package s3

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"flowlog/parse"
	"flowlog/parse/schema"
)

// BenchmarkScan reads small objects, as most flow logs are, from a server with and without latency.
func BenchmarkScan(b *testing.B) {
	for _, wait := range []time.Duration{0, 30 * time.Millisecond} {
		b.Run(fmt.Sprint("latency=", wait), func(b *testing.B) {
			s := newServer(b)
			const objects = 2000
			data := gz(b, 740, 1)
			for i := range objects {
				s.put(layouts[0].key(account1, "us-east-1", fmt.Sprintf("fl-%017d", i), time.Date(2026, 5, 3, 9, 0, 0, 0, time.UTC)), data)
			}
			next := s.next
			s.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(wait)
				next.ServeHTTP(w, r)
			})
			p, err := schema.Logged().Project("srcaddr", "dstaddr", "bytes")
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(objects * len(data)))
			for b.Loop() {
				stats, err := parse.Scan(context.Background(), s.source("", Options{}), p, parse.Options{}, func(schema.Batch) error { return nil })
				if err != nil || stats.Objects != objects {
					b.Fatal(stats.Objects, stats.Failed, err)
				}
			}
			b.ReportMetric(float64(objects)*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
		})
	}
}
