package parquet

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
)

// writerMark is the value of the metadata key "writer".
const writerMark = "flowlog"

// close writes the open chunk and group, then the indexes and the footer.
func (f *file) close() error {
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
	return f.turns.Do(f.number, f.writeFooter) // after all row groups
}

func (f *file) writeFooter() error {
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
		Schema:           schemaOf(f.fields, f.stamps()),
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

func (f *file) writeThrift(v any) error {
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		return err
	}
	return f.write(b)
}

// schemaOf is a flat list of optional columns.
func schemaOf(fields schema.Table, stamps bool) []format.SchemaElement {
	elements := []format.SchemaElement{{Name: "schema", NumChildren: thrift.New(int32(len(fields)))}}
	for _, field := range fields {
		t := types[field.Kind]
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
