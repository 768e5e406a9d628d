package parse_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"flowlog/parse"
	"flowlog/parse/schema"
)

// A column of text in Parquet that holds whole records is refused with a way to read it, which --rename is not.
func TestParquetOfWholeRecords(t *testing.T) {
	type row struct {
		Message string `parquet:"message"`
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file)
	_, err := w.Write([]row{{"2 123456789012 eni-1 10.0.0.1 10.0.0.2 443 50000 6 1 5 1778749200 1778749230 ACCEPT OK"}})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := schema.Logged().Project("bytes")
	if err != nil {
		t.Fatal(err)
	}
	stats, err := parse.Scan(t.Context(), parse.Paths(&file, "-"), p, parse.Options{}, func(schema.Batch) error { return nil })
	if err != nil || len(stats.Failed) != 1 {
		t.Fatal(stats.Failed, err)
	}
	if text := stats.Failed[0].Error(); !strings.HasSuffix(text, `which flowlog reads: duckdb -noheader -list -c 'select "message" from "FILE"'`) {
		t.Error(text)
	}
}
