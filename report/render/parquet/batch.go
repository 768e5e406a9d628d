package parquet

import (
	"unsafe"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// A batch is one batch of records, with the codes that its texts have in the dictionaries of row groups. It is reused
// for the next batch.
type batch struct {
	cells   cells.Batch
	columns []batchColumn
}

// A batchColumn is a column of a batch.
type batchColumn struct {
	*cells.Column
	// The codes of texts in a dictionary of a row group, by the code of the batch: the code + 1, 0 if it is not known yet.
	dict    *textDict
	recodes []int32
}

// load takes the records of a batch of the scan.
func (b *batch) load(from schema.Batch, fields schema.Table) error {
	if b.cells.Rows = 0; cells.Empty(from) {
		return nil
	}
	if err := b.cells.Load(from.Record, fields); err != nil {
		return err
	}
	if b.columns == nil {
		b.columns = make([]batchColumn, len(fields))
	}
	for i := range b.columns {
		b.columns[i].Column, b.columns[i].dict = &b.cells.Columns[i], nil
	}
	return nil
}

// recode translates a code of the batch's dictionary to that of a row group.
func (c *batchColumn) recode(code int32, dict *textDict) int32 {
	if c.dict != dict {
		c.dict = dict
		c.recodes = cells.Resize(c.recodes, c.Words.Len())
		clear(c.recodes)
	}
	if c.recodes[code] == 0 {
		s := c.Words.Value(int(code))
		c.recodes[code] = dict.code(unsafe.Slice(unsafe.StringData(s), len(s))) + 1 // the slice is only read
	}
	return c.recodes[code] - 1
}
