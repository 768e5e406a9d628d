package s3

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go" //nolint:depguard // a test needs a file to read; nothing of it is linked

	"flowlog/parse"
	"flowlog/parse/schema"
)

// scanned reads a source to its end, and returns the records of its fields as text, in order.
func scanned(t testing.TB, src parse.Source, workers int, fields ...string) ([]string, parse.Stats) {
	t.Helper()
	if fields == nil {
		fields = schema.Logged().Names()
	}
	p, err := schema.Logged().Project(fields...)
	if err != nil {
		t.Fatal(err)
	}
	batches := make(map[int64][]string)
	var mu sync.Mutex
	stats, err := parse.Scan(context.Background(), src, p, parse.Options{Workers: workers, Ordered: true}, func(b schema.Batch) error {
		rows := texts(b.Record)
		mu.Lock()
		defer mu.Unlock()
		batches[b.Seq] = rows
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for seq := range int64(len(batches)) {
		all = append(all, batches[seq]...)
	}
	return all, stats
}

// texts returns the records of a batch as text.
func texts(rec arrow.Record) []string {
	rows := make([][]byte, rec.NumRows())
	for i, f := range rec.Schema().Fields() {
		col := rec.Column(i)
		for row := range rows {
			if col.IsNull(row) {
				continue
			}
			b := append(append(rows[row], f.Name...), '=')
			switch a := col.(type) {
			case *array.FixedSizeBinary:
				b = hex.AppendEncode(b, a.Value(row))
			case *array.Dictionary:
				b = append(b, a.Dictionary().(*array.String).Value(a.GetValueIndex(row))...)
			default:
				b = append(b, a.ValueStr(row)...)
			}
			rows[row] = append(b, ' ')
		}
	}
	out := make([]string, len(rows))
	for i, b := range rows {
		out[i] = string(b)
	}
	return out
}

// TestScan reads the sample logs from S3 and from disk: the records must be the same.
func TestScan(t *testing.T) {
	const logs = "../../testdata/logs"
	s := newServer(t)
	err := filepath.WalkDir(logs, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(logs, name)
		s.put("samples/"+filepath.ToSlash(rel), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"AWSLogs", "v3.log", "v5-console.log.zst", "firehose.json"} {
		local, lstats := scanned(t, parse.Paths(nil, filepath.Join(logs, path)), 2)
		remote, rstats := scanned(t, s.source("samples/"+path, Options{}), 2)
		if len(local) == 0 || !slices.Equal(local, remote) {
			t.Errorf("%s: %d records from disk, %d from S3, or not the same", path, len(local), len(remote))
		}
		want(t, path+": statistics", fmt.Sprint(rstats.Stats), fmt.Sprint(lstats.Stats))
		if len(rstats.Failed) > 0 {
			t.Error(rstats.Failed)
		}
	}
}

// record is some columns of a flow log as Parquet.
type record struct {
	Version     int32  `parquet:"version"`
	InterfaceID string `parquet:"interface_id"`
	SrcAddr     string `parquet:"srcaddr"`
	DstAddr     string `parquet:"dstaddr"`
	Packets     int64  `parquet:"packets"`
	Bytes       int64  `parquet:"bytes"`
	Start       int64  `parquet:"start"`
	End         int64  `parquet:"end"`
	Action      string `parquet:"action"`
	LogStatus   string `parquet:"log_status"`
}

// TestScanParquet reads a column of a Parquet file: by far not all of the file may be fetched.
func TestScanParquet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([]record, 100_000)
	for i := range rows {
		rows[i] = record{
			2, fmt.Sprintf("eni-%017x", rng.Uint32N(1000)), fmt.Sprintf("10.%d.%d.%d", rng.Uint32N(256), rng.Uint32N(256), rng.Uint32N(256)), fmt.Sprintf("192.0.2.%d", rng.Uint32N(256)),
			rng.Int64N(1e6), rng.Int64N(1e9), 1_800_000_000 + int64(i), 1_800_000_060 + int64(i), []string{"ACCEPT", "REJECT"}[rng.Uint32N(2)], "OK",
		}
	}
	var file bytes.Buffer
	if err := parquet.Write(&file, rows, parquet.Compression(&parquet.Gzip), parquet.MaxRowsPerRowGroup(50_000)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "x.log.parquet")
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newServer(t)
	s.put("x.log.parquet", file.Bytes())
	for _, fields := range [][]string{nil, {"action", "interface_id"}} {
		src := s.source("x.log.parquet", Options{})
		local, _ := scanned(t, parse.Paths(nil, name), 2, fields...)
		remote, stats := scanned(t, src, 2, fields...)
		if len(local) < len(rows) || !slices.Equal(local, remote) {
			t.Errorf("%d fields: %d records from disk, %d from S3, or not the same: %v", len(fields), len(local), len(remote), stats.Failed)
		}
		st := src.Stats()
		t.Logf("%d fields: %d of %d bytes in %d requests", len(fields), st.Bytes, file.Len(), st.Gets)
		if fields != nil && st.Bytes > int64(file.Len())/3 {
			t.Errorf("%d of %d bytes were fetched for two small columns", st.Bytes, file.Len())
		}
	}
}

// gz makes an object of n records.
func gz(t testing.TB, n int, seed uint64) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	fmt.Fprintln(w, "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status")
	for range n {
		start := 1_800_000_000 + rng.Uint32N(300)
		fmt.Fprintf(w, "2 111122223333 eni-%017x 10.0.%d.%d 192.0.2.%d %d 443 6 %d %d %d %d ACCEPT OK\n",
			rng.Uint32N(50), rng.Uint32N(256), rng.Uint32N(256), rng.Uint32N(256), 1024+rng.Uint32N(60_000), rng.Uint32N(100), rng.Uint32N(100_000), start, start+60)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestOverlap reads 2,000 objects from a server that takes its time: it holds its first answers back until half
// as many requests are under way as are allowed, and never sees more than that.
func TestOverlap(t *testing.T) {
	s := newServer(t)
	const objects, records, limit = 2000, 5, 32
	data := gz(t, records, 1)
	for i := range objects {
		s.put(layouts[0].key(account1, "us-east-1", fmt.Sprintf("fl-%017d", i), time.Date(2026, 5, 3, 9, 0, 0, 0, time.UTC)), data)
	}
	next, enough := s.next, make(chan struct{})
	var now, most atomic.Int64
	var once sync.Once
	s.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".gz") {
			next.ServeHTTP(w, r)
			return
		}
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == limit/2 {
			once.Do(func() { close(enough) })
		}
		select {
		case <-enough:
		case <-time.After(20 * time.Second):
			t.Error("requests wait for each other")
		}
		time.Sleep(5 * time.Millisecond)
		next.ServeHTTP(w, r)
	})
	_, stats := scanned(t, s.source("", Options{Concurrency: limit}), 2, "bytes")
	if len(stats.Failed) > 0 || stats.Records != objects*records {
		t.Errorf("%d records, want %d; failed: %v", stats.Records, objects*records, stats.Failed)
	}
	if m := most.Load(); m > limit+2 { // two are opened by workers
		t.Errorf("%d requests at once, more than %d", m, limit+2)
	}
}
