package render

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// fields returns the fields of a flow log version, or all that AWS logs.
func fieldsOf(t testing.TB, names ...string) schema.Table {
	t.Helper()
	if names == nil {
		return schema.Logged()
	}
	p, err := schema.Logged().Project(names...)
	if err != nil {
		t.Fatal(err)
	}
	return p.Fields
}

// traffic makes batches of records of the default format as a busy day has them: bursts of one of 2000
// interfaces, Zipf-distributed remote addresses, service and ephemeral ports. The fields beyond the default
// ones are null. Like the parser's, the batches of a worker share a dictionary.
func traffic(t testing.TB, fields schema.Table, rows, batch int) []arrow.Record {
	t.Helper()
	r := rand.New(rand.NewPCG(42, 7))
	interfaces := make([]string, 2000)
	for i := range interfaces {
		interfaces[i] = fmt.Sprintf("eni-%017x", r.Uint64()>>4)
	}
	remote := make([][16]byte, 200_000)
	for i := range remote {
		remote[i] = [16]byte{10: 0xff, 11: 0xff, 12: byte(1 + r.IntN(222)), 13: byte(r.IntN(256)), 14: byte(r.IntN(256)), 15: byte(r.IntN(256))}
		if r.IntN(25) == 0 {
			remote[i] = [16]byte{0x20, 0x01, 0x0d, 0xb8, byte(r.IntN(256)), byte(r.IntN(256)), 15: byte(r.IntN(256))}
		}
	}
	talker, busy, service := rand.NewZipf(r, 1.08, 8, uint64(len(remote)-1)), rand.NewZipf(r, 1.15, 6, uint64(len(interfaces)-1)), rand.NewZipf(r, 1.3, 4, 999)

	columns := make([]*schema.Column, len(fields))
	at := make(map[string]*schema.Column)
	for i, f := range fields {
		columns[i] = schema.NewColumn(f)
		at[f.Name] = columns[i]
	}
	var batches []arrow.Record
	left, eni, start := 0, uint64(0), int64(0)
	for row := range rows {
		if left--; left < 0 {
			left, eni, start = r.IntN(24), busy.Uint64(), 1710720000+int64(row)*86400/10_000_000+int64(r.IntN(60))
		}
		local := [16]byte{10: 0xff, 11: 0xff, 12: 10, 13: 1, 14: byte(eni >> 8), 15: byte(eni)}
		src, dst := remote[talker.Uint64()], local
		sport, dport := int32(32768+r.IntN(28232)), int32(service.Uint64()+1024)
		if r.IntN(2) == 0 {
			src, dst, sport, dport = dst, src, dport, sport
		}
		packets := int64(1 + r.ExpFloat64()*r.ExpFloat64()*20)
		protocol, action := int32(6), "ACCEPT"
		if r.IntN(8) == 0 {
			protocol = 17
		}
		if r.IntN(12) == 0 {
			action = "REJECT"
		}
		at["version"].Int32 = append(at["version"].Int32, 2)
		at["account_id"].Text("123456789012")
		at["interface_id"].Text(interfaces[eni])
		at["srcaddr"].Addr = append(at["srcaddr"].Addr, src)
		at["dstaddr"].Addr = append(at["dstaddr"].Addr, dst)
		at["srcport"].Int32 = append(at["srcport"].Int32, sport)
		at["dstport"].Int32 = append(at["dstport"].Int32, dport)
		at["protocol"].Int32 = append(at["protocol"].Int32, protocol)
		at["packets"].Int64 = append(at["packets"].Int64, packets)
		at["bytes"].Int64 = append(at["bytes"].Int64, packets*int64(40+r.IntN(1460)))
		at["start"].Int64 = append(at["start"].Int64, start)
		at["end"].Int64 = append(at["end"].Int64, start+59)
		at["action"].Text(action)
		at["log_status"].Text("OK")
		if n := columns[0].Len(); n == batch || row == rows-1 {
			for _, c := range columns {
				for c.Len() < n {
					c.Null()
				}
			}
			batches = append(batches, recordFrom(fields, columns))
			for i, c := range columns {
				dict := c.Dict
				columns[i] = schema.NewColumn(c.Field)
				columns[i].Dict = dict
				at[c.Name] = columns[i]
			}
		}
	}
	return batches
}

// BenchmarkRecords writes a million records from as many goroutines as there are processors.
func BenchmarkRecords(b *testing.B) {
	const rows = 1 << 20
	for _, width := range []string{"default", "all"} {
		fields := fieldsOf(b)
		if width == "default" {
			fields = fieldsOf(b, schema.Version(2)...)
		}
		batches := traffic(b, fields, rows, 8192)
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
