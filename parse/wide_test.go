package parse_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flowlog/parse"
	"flowlog/parse/schema"
)

// TestWide reads records with so many columns that anything that takes the square of their number would take minutes,
// in each form that names its columns, and from each door that lists them.
func TestWide(t *testing.T) {
	const columns = 30_000
	names := make([]string, columns)
	for i := range names {
		names[i] = fmt.Sprint("c", i)
	}
	names = append([]string{"srcaddr", "dstaddr", "bytes"}, names...)
	values := append([]string{"10.0.0.1", "10.0.0.2", "5"}, strings.Split(strings.Repeat("x ", columns), " ")[:columns]...)
	members := make([]string, len(names))
	for i, name := range names {
		members[i] = fmt.Sprintf("%q:%q", name, values[i])
	}
	again := strings.Repeat("src_ip ", columns) // other names of one field
	for _, in := range []struct {
		name, content string
		unknown       int
	}{
		{"wide.log", strings.Join(names, " ") + "\n" + strings.Join(values, " ") + "\n", columns},
		{"wide.csv", strings.Join(names, ",") + "\n" + strings.Join(values, ",") + "\n", columns},
		{"wide.json", "{" + strings.Join(members, ",") + "}\n", columns},
		{"short.log", strings.Join(names, " ") + "\n" + strings.Join(values, " ") + "\n" + strings.Repeat("x\n", 500_000), columns}, // each is dropped
		{"same.log", "srcaddr dstaddr bytes " + again + "\n10.0.0.1 10.0.0.2 5" + strings.Repeat(" x", columns) + "\n", 1},
	} {
		t.Run(in.name, func(t *testing.T) {
			began := time.Now()
			p, err := schema.Logged().Project("srcaddr", "dstaddr", "bytes")
			if err != nil {
				t.Fatal(err)
			}
			p.Extra = true
			path := filepath.Join(t.TempDir(), in.name)
			if err := os.WriteFile(path, []byte(in.content), 0o600); err != nil {
				t.Fatal(err)
			}
			src := parse.Paths(strings.NewReader(""), path)
			var records int64
			stats, err := parse.Scan(t.Context(), src, p, parse.Options{Workers: 2}, func(b schema.Batch) error {
				records += b.NumRows()
				return nil
			})
			if err != nil || records != 1 || len(stats.Failed) > 0 || len(stats.Unknown) != in.unknown || len(stats.Strange) != in.unknown {
				t.Fatalf("%d records, %d unknown columns, %v, %v", records, len(stats.Unknown), stats.Failed, err)
			}
			if got := len(parse.Columns(t.Context(), src, p, parse.Options{})); got != in.unknown+3 {
				t.Errorf("%d columns", got)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
