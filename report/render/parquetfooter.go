package render

import (
	"encoding/binary"
	"slices"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
)

// writePage writes a page and updates the metadata of its column.
func (f *parquetFile) writePage(meta *format.ColumnMetaData, kind format.PageType, page parquetPage) error {
	meta.TotalCompressedSize += int64(len(page.data))
	meta.TotalUncompressedSize += int64(page.header + page.raw)
	if !slices.Contains(meta.Encoding, page.encoding) {
		meta.Encoding = append(meta.Encoding, page.encoding)
	}
	n := slices.IndexFunc(meta.EncodingStats, func(s format.PageEncodingStats) bool {
		return s.PageType == kind && s.Encoding == page.encoding
	})
	if n < 0 {
		n = len(meta.EncodingStats)
		meta.EncodingStats = append(meta.EncodingStats, format.PageEncodingStats{PageType: kind, Encoding: page.encoding})
	}
	meta.EncodingStats[n].Count++
	return f.write(page.data)
}

// index returns the page index of a column and sets the statistics of the column chunk. A page without bounds of its own
// gets those of the dictionary. The index is empty if a bound is longer than statisticsMax.
func index(pages []parquetPage, dict parquetPage, compare func(a, b []byte) int, all *format.Statistics) format.ColumnIndex {
	var x format.ColumnIndex
	for _, page := range pages {
		all.NullCount += int64(page.nulls)
		null := page.nulls == page.rows
		if !null {
			if page.min == nil {
				page.min, page.max = dict.min, dict.max
			}
			if all.MinValue == nil || compare(page.min, all.MinValue) < 0 {
				all.MinValue = page.min
			}
			if all.MaxValue == nil || compare(page.max, all.MaxValue) > 0 {
				all.MaxValue = page.max
			}
		}
		x.NullPages = append(x.NullPages, null)
		x.NullCounts = append(x.NullCounts, int64(page.nulls))
		x.MinValues = append(x.MinValues, page.min)
		x.MaxValues = append(x.MaxValues, page.max)
	}
	if max(len(all.MinValue), len(all.MaxValue)) > statisticsMax {
		all.MinValue, all.MaxValue = nil, nil
		return format.ColumnIndex{}
	}
	return x
}

// close writes the open chunk and group, then the indexes and the footer.
func (f *parquetFile) close() error {
	if f.open != nil {
		if err := f.encode(f.end(true)); err != nil {
			return err
		}
	} else if g := f.group; g != nil {
		f.group = nil
		g.mu.Lock()
		g.closed = true
		last := g.missing == 0
		g.mu.Unlock()
		if last {
			if err := f.finish(g, &pageEncoder{zstd: f.zstd}); err != nil {
				return err
			}
		}
	}
	return f.turns.do(f.number, f.writeFooter) // after all row groups
}

func (f *parquetFile) writeFooter() error {
	for g, columns := range f.columns {
		for i := range columns {
			if len(columns[i].NullPages) == 0 {
				continue
			}
			chunk := &f.groups[g].Columns[i]
			chunk.ColumnIndexOffset = f.at
			if err := f.writeThrift(&columns[i]); err != nil {
				return err
			}
			chunk.ColumnIndexLength = int32(f.at - chunk.ColumnIndexOffset)
		}
	}
	for g, offsets := range f.offsets {
		for i := range offsets {
			chunk := &f.groups[g].Columns[i]
			chunk.OffsetIndexOffset = f.at
			if err := f.writeThrift(&offsets[i]); err != nil {
				return err
			}
			chunk.OffsetIndexLength = int32(f.at - chunk.OffsetIndexOffset)
		}
	}
	meta := format.FileMetaData{
		Version:          2,
		Schema:           parquetSchema(f.fields, f.stamps),
		NumRows:          f.rows,
		RowGroups:        f.groups,
		KeyValueMetadata: append([]format.KeyValue{{Key: "writer", Value: writerMark}, {Key: schema.RecordsKey, Value: f.holds}}, f.notes...),
		CreatedBy:        schema.ParquetWriter,
	}
	for range f.fields {
		meta.ColumnOrders = append(meta.ColumnOrders, format.ColumnOrder{Value: new(format.TypeDefinedOrder)})
	}
	meta.KeyValueMetadata = append(meta.KeyValueMetadata, format.KeyValue{Key: schema.FooterSumKey, Value: schema.NoFooterSum})
	end, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return err
	}
	at, sum := schema.FooterSum(end)
	copy(end[at:], sum)
	end = binary.LittleEndian.AppendUint32(end, uint32(len(end)))
	if err := f.write(append(end, "PAR1"...)); err != nil {
		return err
	}
	return f.out.Flush()
}

func (f *parquetFile) writeThrift(v any) error {
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		return err
	}
	return f.write(b)
}

// parquetSchema is a flat list of optional columns.
func parquetSchema(fields schema.Table, stamps bool) []format.SchemaElement {
	elements := []format.SchemaElement{{Name: "schema", NumChildren: thrift.New(int32(len(fields)))}}
	for _, field := range fields {
		t := parquetTypes[field.Kind]
		e := format.SchemaElement{Name: field.Name, Type: thrift.New(t.physical), RepetitionType: thrift.New(format.Optional)}
		switch {
		case t.text:
			e.ConvertedType = thrift.New(deprecated.UTF8)
			e.LogicalType.Value = new(format.StringType)
		case stamps && field.Kind == schema.Time:
			e.ConvertedType = thrift.New(deprecated.TimestampMillis)
			e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: new(format.MilliSeconds)}}
		}
		elements = append(elements, e)
	}
	return elements
}
