package parse

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// A billRow has columns of each kind that bills have, beside nested ones.
type billRow struct {
	Tags     map[string]string `parquet:"resource_tags"`
	Usage    string            `parquet:"usage,dict"`
	Resource *string           `parquet:"resource,optional"`
	Amount   float64           `parquet:"amount"`
	Cost     *float64          `parquet:"cost,optional"`
	Start    time.Time         `parquet:"start,timestamp(millisecond)"`
	Exact    int64             `parquet:"exact,decimal(3:12)"`
	Count    uint32            `parquet:"count"`
	Done     bool              `parquet:"done"`
	Products []string          `parquet:"products,list"`
}

// billRows makes rows, some of whose values are null, and what their texts are.
func billRows(n int) (rows []billRow, texts [][]string) {
	start := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	for i := range n {
		r := billRow{
			Tags: map[string]string{"team": "a"}, Usage: fmt.Sprint("usage", i%7), Amount: float64(i) / 8, Start: start.Add(time.Duration(i) * time.Hour),
			Exact: int64(i) - 5, Count: 4_000_000_000 + uint32(i), Done: i%3 == 0, Products: []string{"x", "y"},
		}
		text := []string{r.Usage, "", fmt.Sprint(r.Amount), "", r.Start.Format(time.RFC3339), big.NewRat(r.Exact, 1000).FloatString(3), fmt.Sprint(r.Count), fmt.Sprint(r.Done)}
		if i%5 != 0 {
			arn := fmt.Sprint("arn", i)
			cost := float64(i) * 1e-9
			r.Resource, r.Cost = &arn, &cost
			text[1], text[3] = arn, fmt.Sprint(cost)
		}
		rows, texts = append(rows, r), append(texts, text)
	}
	return rows, texts
}

// ParquetRows reads what was written, in any version, with pages of any size, in several row groups.
func TestParquetRows(t *testing.T) {
	want := []string{"usage", "resource", "amount", "cost", "start", "exact", "count", "done"}
	for name, options := range map[string][]parquet.WriterOption{
		"v1":   {parquet.DataPageVersion(1), parquet.PageBufferSize(512), parquet.MaxRowsPerRowGroup(5000)},
		"v2":   {parquet.DataPageVersion(2), parquet.PageBufferSize(4096), parquet.Compression(&parquet.Snappy)},
		"zstd": {parquet.Compression(&parquet.Zstd)},
	} {
		rows, texts := billRows(parquetBlock + 1234)
		var b bytes.Buffer
		w := parquet.NewGenericWriter[billRow](&b, options...)
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		n := 0
		err := ParquetRows(bytes.NewReader(b.Bytes()), int64(b.Len()), func([]string) []string { return want }, func(values []string) error {
			if n < len(texts) && !slices.Equal(values, texts[n]) {
				return fmt.Errorf("row %d: got %q, want %q", n, values, texts[n])
			}
			n++
			return nil
		})
		if err != nil || n != len(texts) {
			t.Errorf("%s: %d rows of %d: %v", name, n, len(texts), err)
		}
		read := func(content []byte, columns ...string) error {
			return ParquetRows(bytes.NewReader(content), int64(len(content)), func([]string) []string { return columns }, func([]string) error { return nil })
		}
		if err := read(b.Bytes(), "products"); err == nil || err.Error() != "the column products is nested" {
			t.Errorf("%s: got %v, want that products is nested", name, err)
		}
		if err := read(b.Bytes()[:b.Len()/2], "usage"); err == nil {
			t.Errorf("%s: half a file is read", name)
		}
		stop := errors.New("stop")
		err = ParquetRows(bytes.NewReader(b.Bytes()), int64(b.Len()), func([]string) []string { return want[:1] }, func([]string) error { return stop })
		if !errors.Is(err, stop) {
			t.Errorf("%s: got %v, want %v", name, err, stop)
		}
	}
}
