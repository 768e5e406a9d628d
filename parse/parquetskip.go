package parse

import (
	"slices"

	"github.com/parquet-go/parquet-go"

	"flowlog/parse/schema"
)

// This file skips row groups by the bounds (statistics) in a Parquet file.

// outside reports whether all records of a row group end outside the time of Options, by the bounds in the file. Their
// number is added to the statistics.
func (in *input) outside(group parquet.RowGroup, columns []*parquet.Column, names []string) bool {
	column := slices.Index(names, "end")
	if in.opt.Since == 0 && in.opt.Until == 0 || column < 0 || !columns[column].Leaf() {
		return false
	}
	chunk, ok := group.ColumnChunks()[column].(*parquet.FileColumnChunk)
	if !ok {
		return false
	}
	low, high, ok := chunk.Bounds()
	if !ok || low.Kind() != parquet.Int64 || high.Kind() != parquet.Int64 {
		return false
	}
	from, to, ok := logicalTypeOf(columns[column]).between(low.Int64(), high.Int64())
	if !ok || to >= in.opt.Since && (in.opt.Until == 0 || from < in.opt.Until) {
		return false
	}
	in.Lock()
	defer in.Unlock()
	in.Outside += group.NumRows()
	in.OutsideEnds.Join(Ends{from, to, true})
	return true
}

// unwanted reports whether no record of a row group has the value of Options.Only, by the bounds in the file. Their number
// is added to the statistics. All must be flows, since other records must be read.
func (in *input) unwanted(group parquet.RowGroup, names []string) bool {
	low, high, ok := textBounds(group, names, in.opt.Only.Field)
	f, _ := in.projection.Field(in.opt.Only.Field)
	if !ok || f.Within(in.opt.Only.Value, low, high) {
		return false
	}
	first, last, ok := textBounds(group, names, "log_status")
	if !ok || first != schema.StatusOK || last != schema.StatusOK || in.opt.Since != 0 || in.opt.Until != 0 {
		return false
	}
	in.records.Add(group.NumRows())
	in.Lock()
	defer in.Unlock()
	in.Stats.Add(schema.Stats{Records: group.NumRows(), Flows: group.NumRows(), Skimmed: valued(group, names)})
	return true
}

// valued lists the columns of a row group that have values, by the counts of nulls in the file.
func valued(group parquet.RowGroup, names []string) []string {
	var out []string
	chunks := group.ColumnChunks()
	for i, name := range names {
		chunk, ok := chunks[i].(*parquet.FileColumnChunk)
		if ok && chunk.NullCount() == group.NumRows() {
			continue
		}
		if low, high, ok := textsOf(chunks[i]); ok && low == "-" && high == "-" {
			continue // AWS's null
		}
		out = append(out, name)
	}
	return out
}

// textBounds returns the smallest and the largest text in a column of a row group. ok is false if the file does not have
// them or the column has nulls.
func textBounds(group parquet.RowGroup, names []string, field string) (low, high string, ok bool) {
	column := slices.Index(names, field)
	if column < 0 {
		return "", "", false
	}
	return textsOf(group.ColumnChunks()[column])
}

// textsOf is textBounds for a column.
func textsOf(column parquet.ColumnChunk) (low, high string, ok bool) {
	chunk, ok := column.(*parquet.FileColumnChunk)
	if !ok || chunk.NullCount() != 0 {
		return "", "", false
	}
	from, to, ok := chunk.Bounds()
	if !ok || from.Kind() != parquet.ByteArray || to.Kind() != parquet.ByteArray {
		return "", "", false
	}
	return string(from.ByteArray()), string(to.ByteArray()), true
}
