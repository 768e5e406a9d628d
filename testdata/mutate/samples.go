package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// A sample is a file that is whole.
type sample struct {
	name    string
	content []byte
	sums    []span // that have checksums
	table   string // what flowlog makes of it
}

// A span is bytes of a file.
type span struct{ from, to int }

// summed reports whether what was damaged has checksums.
func (s *sample) summed(d span) bool {
	for _, have := range s.sums {
		if have.from <= d.from && d.to <= have.to {
			return true
		}
	}
	return false
}

// logs is what the samples are made of: a file of each kind that is small.
var logs = []string{"testdata/logs/v5-console.log", "testdata/edge/plain.log"}

// formats are what flowlog writes and reads.
var formats = []string{"csv", "tsv", "json", "ndjson", "parquet", "arrow"}

// makeSamples makes one of each container in each compression. Files in the directory are temporary.
func makeSamples(dir string) ([]sample, error) {
	var all []sample
	add := func(name string, content []byte) {
		all = append(all, sample{name: name, content: content})
	}
	for _, name := range append(logs, "testdata/logs/firehose.json", "testdata/logs/firehose-lines.json", "testdata/logs/headerless.log") {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("%w: run it in the top directory", err)
		}
		add(filepath.Base(name), content)
	}
	for _, name := range logs {
		for _, f := range formats {
			content, err := exec.Command(*binary, "parse", "--config", "none", "--quiet", "-o", f, name).Output()
			if err != nil {
				return nil, fmt.Errorf("parse -o %s %s: %w", f, name, err)
			}
			add(filepath.Base(name)+"."+f, content)
		}
	}
	if err := columnar(&all); err != nil {
		return nil, err
	}
	for _, s := range all[:len(all):len(all)] {
		if strings.HasSuffix(s.name, ".parquet") || strings.HasSuffix(s.name, ".arrow") {
			continue // they have compressions of their own
		}
		packed, err := compressions(s)
		if err != nil {
			return nil, err
		}
		all = append(all, packed...)
	}
	for i := range all {
		s := &all[i]
		name := filepath.Join(dir, s.name)
		if err := os.WriteFile(name, s.content, 0o666); err != nil {
			return nil, err
		}
		got := report(name)
		if got.fault != "" || got.status != 0 || strings.Count(got.table, "\n") < 2 {
			return nil, fmt.Errorf("%s is whole and gives status %d: %s%s", s.name, got.status, got.table, got.fault)
		}
		s.table = got.table
	}
	return all, nil
}

// compressions are a file in each way to compress all of it.
func compressions(s sample) ([]sample, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(s.content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	// but for the bytes by which they are told: with others it is a file of another kind
	all := []sample{{name: s.name + ".gz", content: b.Bytes(), sums: []span{{2, b.Len()}}}}
	for _, sum := range []bool{true, false} {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(sum))
		if err != nil {
			return nil, err
		}
		packed := sample{name: s.name + ".unchecked.zst", content: w.EncodeAll(s.content, nil)}
		if sum {
			packed.name, packed.sums = s.name+".zst", []span{{4, len(packed.content)}}
		}
		all = append(all, packed)
	}
	return all, nil
}

// columnar adds the columnar samples in the compressions that they have of their own, and finds out which have checksums.
func columnar(all *[]sample) error {
	codecs := []struct {
		name  string
		codec compress.Codec
	}{{"plain", &parquet.Uncompressed}, {"snappy", &parquet.Snappy}, {"gzip", &parquet.Gzip}, {"zstd", &parquet.Zstd}, {"lz4", &parquet.Lz4Raw}, {"brotli", &parquet.Brotli}}
	buffers := []struct {
		name string
		opt  ipc.Option
	}{{"lz4", ipc.WithLZ4()}, {"zstd", ipc.WithZstd()}}
	for i, s := range (*all)[:len(*all):len(*all)] {
		base, ext := strings.TrimSuffix(s.name, filepath.Ext(s.name)), filepath.Ext(s.name)
		switch ext {
		case ".arrow":
			for _, b := range buffers {
				content, err := packedArrow(s.content, b.opt)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				*all = append(*all, sample{name: base + "." + b.name + ext, content: content})
			}
		case ".parquet":
			for _, c := range codecs {
				content, err := packedParquet(s.content, c.codec)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				*all = append(*all, sample{name: base + "." + c.name + ext, content: content})
				if err := findSums(&(*all)[len(*all)-1]); err != nil {
					return fmt.Errorf("%s in %s: %w", s.name, c.name, err)
				}
			}
			if err := findSums(&(*all)[i]); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return nil
}

// packedArrow is a stream of Arrow with its buffers compressed.
func packedArrow(content []byte, opt ipc.Option) ([]byte, error) {
	in, err := ipc.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	defer in.Release()
	var b bytes.Buffer
	out := ipc.NewWriter(&b, ipc.WithSchema(in.Schema()), opt)
	for in.Next() {
		if err := out.Write(in.Record()); err != nil {
			return nil, err
		}
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	return b.Bytes(), out.Close()
}

// packedParquet is a file of Parquet with its pages compressed by a codec, as another program writes it.
func packedParquet(content []byte, codec compress.Codec) ([]byte, error) {
	in, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	group := make(parquet.Group) // without the encodings that the file chose
	for _, f := range in.Schema().Fields() {
		group[f.Name()] = parquet.Optional(parquet.Leaf(f.Type()))
		if f.Type().Kind() == parquet.ByteArray {
			group[f.Name()] = parquet.Optional(parquet.Encoded(parquet.Leaf(f.Type()), &parquet.RLEDictionary))
		}
	}
	var b bytes.Buffer
	out := parquet.NewGenericWriter[any](&b, parquet.NewSchema("flows", group), parquet.Compression(codec), parquet.PageBufferSize(2000))
	for _, group := range in.RowGroups() {
		rows := group.Rows()
		_, err := parquet.CopyRows(out, rows)
		if err = errors.Join(err, rows.Close(), out.Flush()); err != nil {
			return nil, err
		}
	}
	err = out.Close()
	return b.Bytes(), err
}

// findSums finds the pages of a file of Parquet that have checksums. Their headers and the end of the file have none.
func findSums(s *sample) error {
	f, err := parquet.OpenFile(bytes.NewReader(s.content), int64(len(s.content)))
	if err != nil {
		return err
	}
	for _, group := range f.Metadata().RowGroups {
		for _, c := range group.Columns {
			at := c.MetaData.DataPageOffset
			if d := c.MetaData.DictionaryPageOffset; d > 0 {
				at = d
			}
			for end := at + c.MetaData.TotalCompressedSize; at < end; {
				in := bytes.NewReader(s.content[at:])
				var header format.PageHeader
				if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(in)).Decode(&header); err != nil {
					return err
				}
				at = int64(len(s.content) - in.Len())
				next := at + int64(header.CompressedPageSize)
				if header.CRC != 0 {
					s.sums = append(s.sums, span{int(at), int(next)})
				}
				at = next
			}
		}
	}
	return nil
}
