package parse_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flowlog/parse"
	"flowlog/parse/schema"
)

// TestWideAmongNarrow has records of 30,000 columns among thousands of narrow ones. No batch may have about as many cells
// as rows times columns; only where one document or one block of text has them all are records dropped, and told.
func TestWideAmongNarrow(t *testing.T) {
	const columns, rows = 30_000, 10_000
	var members, names strings.Builder
	for i := range columns {
		fmt.Fprintf(&members, `,"c%d":1`, i)
		fmt.Fprintf(&names, " c%d", i)
	}
	small := `{"srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","bytes":1}` + "\n"
	wide := strings.TrimSuffix(small, "}\n") + members.String() + "}\n"
	header := "srcaddr dstaddr bytes"
	line := "10.0.0.1 10.0.0.2 1"
	wideText := header + names.String() + "\n" + line + strings.Repeat(" 1", columns) + "\n"
	narrowText := header + "\n" + strings.Repeat(line+"\n", rows)
	half := strings.Repeat(small, rows/2)
	list := func(docs string) string {
		return `{"x":[` + strings.ReplaceAll(strings.TrimSuffix(docs, "\n"), "\n", ",") + "]}\n"
	}
	for _, in := range []struct {
		name, content string
		records       int64
		dropped       bool
	}{
		{"first.json", wide + half + half, rows + 1, false},
		{"last.json", half + half + wide, rows + 1, false},
		{"between.json", half + wide + half + wide, rows + 2, false},
		{"array.json", "[" + strings.ReplaceAll(strings.TrimSuffix(half+wide+half, "\n"), "\n", ",") + "]", rows + 1, false},
		{"list.json", list(half + wide + half), rows + 1, false},
		{"headers.log", wideText + narrowText + wideText + narrowText, 2*rows + 2, true},
	} {
		for _, workers := range []int{1, 8} {
			if testing.Short() && workers > 1 {
				continue
			}
			t.Run(fmt.Sprint(in.name, workers), func(t *testing.T) {
				p, err := schema.Logged().Project("srcaddr", "dstaddr", "bytes")
				if err != nil {
					t.Fatal(err)
				}
				p.Extra = true
				path := filepath.Join(t.TempDir(), in.name)
				if err := os.WriteFile(path, []byte(in.content), 0o600); err != nil {
					t.Fatal(err)
				}
				var mu sync.Mutex
				most := int64(0)
				began := time.Now()
				stats, err := parse.Scan(t.Context(), parse.Paths(nil, path), p, parse.Options{Workers: workers}, func(b schema.Batch) error {
					cells := int64(0)
					for _, c := range b.Columns() {
						if c.NullN() < c.Len() {
							cells += int64(c.Len())
						}
					}
					mu.Lock()
					defer mu.Unlock()
					most = max(most, cells)
					return nil
				})
				if err != nil || len(stats.Failed) > 0 {
					t.Fatal(err, stats.Failed)
				}
				if in.dropped {
					if stats.Records+stats.Malformed < in.records || stats.Records < in.records/4 {
						t.Errorf("%d records and %d malformed, want %d: %.300v", stats.Records, stats.Malformed, in.records, stats.Problems)
					}
				} else if stats.Records != in.records || stats.Malformed > 0 {
					t.Errorf("%d records and %d malformed, want %d", stats.Records, stats.Malformed, in.records)
				}
				if most > 17<<20 {
					t.Errorf("a batch has %d cells", most)
				}
				if took := time.Since(began); took > 60*time.Second {
					t.Errorf("it took %s", took)
				}
			})
		}
	}
}
