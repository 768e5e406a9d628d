package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
	"flowlog/report/render/rendertest"
)

// Every page has the checksum of what is stored of it, the footer its own, and another implementation refuses a page of which any byte has
// changed.
func TestChecksums(t *testing.T) {
	data := write(t, rendertest.Fields, 40, 100, groupMemory, rendertest.Random(t, rand.New(rand.NewPCG(7, 1)), rendertest.Fields, 300))
	f, _ := rendertest.ReadParquet(t, data)
	dictionaries, pages := 0, 0
	for _, group := range f.Metadata().RowGroups {
		for _, column := range group.Columns {
			meta := column.MetaData
			at, end := meta.DataPageOffset, meta.DataPageOffset+meta.TotalCompressedSize
			if meta.DictionaryPageOffset != 0 {
				at, end = meta.DictionaryPageOffset, meta.DictionaryPageOffset+meta.TotalCompressedSize
			}
			for at < end {
				var header format.PageHeader
				in := bytes.NewReader([]byte(data[at:]))
				if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(in)).Decode(&header); err != nil {
					t.Fatal(err)
				}
				start := int64(len(data) - in.Len())
				at = start + int64(header.CompressedPageSize)
				if got, want := uint32(header.CRC), crc32.ChecksumIEEE([]byte(data[start:at])); got != want {
					t.Errorf("%v, %s: the checksum is %08x, want %08x", meta.PathInSchema, header.Type, got, want)
				}
				if header.Type == format.DictionaryPage {
					dictionaries++
				} else {
					pages++
				}
				changed := []byte(data)
				changed[start+(at-start)/2] ^= 1
				if err := readPages(string(changed)); !errors.Is(err, parquet.ErrCorrupted) {
					t.Errorf("%v, %s: a changed bit is read as %v, want an error", meta.PathInSchema, header.Type, err)
				}
			}
		}
	}
	footer := data[:len(data)-8]
	footer = footer[len(footer)-int(binary.LittleEndian.Uint32([]byte(data[len(data)-8:]))):]
	if at, sum := schema.FooterSum([]byte(footer)); at < 0 || footer[at:at+len(sum)] != sum {
		t.Errorf("the footer has its checksum at %d, want %s", at, sum)
	}
	if dictionaries == 0 || pages < 2*dictionaries {
		t.Errorf("there are %d dictionaries and %d pages of data", dictionaries, pages)
	}
}

// readPages reads all pages of a file.
func readPages(data string) error {
	f, err := parquet.OpenFile(strings.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	for _, group := range f.RowGroups() {
		for _, chunk := range group.ColumnChunks() {
			pages := chunk.Pages()
			for err == nil {
				var page parquet.Page
				if page, err = pages.ReadPage(); err == nil {
					parquet.Release(page)
				}
			}
			_ = pages.Close()
			if err != io.EOF {
				return err
			}
			err = nil
		}
	}
	return nil
}
