package parse_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse"
	"flowlog/parse/schema"
)

// TestBriefErrors has the path of a column that is nested 200 times named once, and other long texts kept, up to a most.
func TestBriefErrors(t *testing.T) {
	elements := []format.SchemaElement{{Name: "schema", NumChildren: thrift.New(int32(1))}, {Name: "bytes", NumChildren: thrift.New(int32(1))}}
	for i := range 600 {
		elements = append(elements, format.SchemaElement{Name: []string{"list", "element"}[i%2], NumChildren: thrift.New(int32(1)), RepetitionType: thrift.New(format.Repeated)})
	}
	elements = append(elements, format.SchemaElement{Name: "leaf", Type: thrift.New(format.Int32), RepetitionType: thrift.New(format.Required)})
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), format.FileMetaData{Version: 1, Schema: elements})
	if err != nil {
		t.Fatal(err)
	}
	file := bytes.NewBufferString("PAR1" + string(footer))
	file.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(footer))))
	file.WriteString("PAR1")
	p, err := schema.Logged().Project("bytes")
	if err != nil {
		t.Fatal(err)
	}
	stats, err := parse.Scan(t.Context(), parse.Paths(file, "-"), p, parse.Options{}, func(schema.Batch) error { return nil })
	if err != nil || len(stats.Failed) != 1 {
		t.Fatal(stats.Failed, err)
	}
	if text := stats.Failed[0].Error(); len(text) > 300 || strings.Count(text, ".list.element") > 1 || !strings.Contains(text, "nested") {
		t.Errorf("%d bytes: %.300s", len(text), text)
	}
	words := strings.Repeat("10.0.0.5 is no port. ", 40)
	if text := (parse.ObjectError{Object: "a", Err: errors.New(words)}).Error(); text != "a: "+words {
		t.Errorf("it became %q", text)
	}
	if text := (parse.ObjectError{Object: "a", Err: errors.New(strings.Repeat("é", 1<<20))}).Error(); len(text) > 5000 {
		t.Errorf("%d bytes", len(text))
	}
}
