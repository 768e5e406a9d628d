package parse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"

	"flowlog/parse/schema"
)

// The footer is verified in files that name flowlog as their writer, and in no others: these may have taken the checksum
// over with the rest of the metadata.
func TestParquetFooterChecksum(t *testing.T) {
	type row struct {
		SrcAddr string `parquet:"srcaddr,dict"`
		Bytes   int64  `parquet:"bytes"`
	}
	rows := []row{{"10.0.0.1", 5}, {"10.0.0.2", 6}}
	theirs := parquetOf(t, rows, parquet.KeyValueMetadata(schema.FooterSumKey, schema.NoFooterSum))
	got, stats := rowsOf(t, readerAtSource{"x", theirs}, Options{}, "srcaddr", "bytes")
	want(t, "failed, of another writer", stats.Failed, "[]")
	want(t, "records, of another writer", len(got), 2)

	f, err := openParquet(theirs)
	if err != nil {
		t.Fatal(err)
	}
	meta := *f.Metadata()
	meta.CreatedBy = schema.ParquetWriter
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		t.Fatal(err)
	}
	at, sum := schema.FooterSum(footer)
	copy(footer[at:], sum)
	start := len(theirs) - 8 - int(binary.LittleEndian.Uint32(theirs[len(theirs)-8:]))
	ours := append(bytes.Clone(theirs[:start]), footer...)
	ours = append(binary.LittleEndian.AppendUint32(ours, uint32(len(footer))), "PAR1"...)
	got, stats = rowsOf(t, readerAtSource{"x", ours}, Options{}, "srcaddr", "bytes")
	want(t, "failed", stats.Failed, "[]")
	want(t, "records", len(got), 2)
	noticed := 0
	for i := range footer {
		changed := bytes.Clone(ours)
		changed[start+i] ^= 1
		again, stats := rowsOf(t, readerAtSource{"x", changed}, Options{}, "srcaddr", "bytes")
		switch {
		case len(stats.Failed) == 0:
			want(t, fmt.Sprintf("with another byte %d of the footer, which was not noticed, the records", i), again, got)
		case strings.Contains(stats.Failed[0].Error(), "the checksum of the footer is wrong: the file is damaged"):
			noticed++
		}
	}
	if noticed < len(footer)/3 {
		t.Errorf("%d of %d changes were noticed by the checksum", noticed, len(footer))
	}
}
