package render

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
)

// This file cuts records into chunks of rows and puts their pages into a file. It stands on parquet-go's
// metadata, delta encoding and Thrift, but not on its writer, which takes one value at a time and hashes each
// text: here texts come numbered, and numbers stay in slices.
//
//	append, in turn → a chunk of rows → encode, side by side → pages of a row group → write, in turn

// The sizes of the parts of a file. Pages should be small enough to be skipped, row groups large enough to
// share a dictionary and small enough to be spread over the workers of an engine.
const (
	chunkRows     = 1 << 15   // rows of a page
	groupRows     = 1 << 19   // rows of a row group
	groupMemory   = 64 << 20  // of a row group before encoding; it is closed early when it has more
	statisticsMax = 256       // longest value that is noted as a column's smallest or largest, in bytes
	writerMark    = "flowlog" // value of the metadata key "writer"
)

// A parquetFile is written batch by batch. Rows are appended by one goroutine at a time and come out in that
// order; pages are encoded by the goroutine that filled them.
type parquetFile struct {
	out    *bufio.Writer
	at     int64 // bytes written
	fields schema.Table
	stamps bool   // Time columns are timestamps, not seconds as flow logs have them
	holds  string // schema.FlowRecords or another
	notes  []format.KeyValue
	// sortedBy is the column in whose order the rows come, -1 if there is none.
	sortedBy int

	chunkRows, groupRows, groupMemory int

	zstd   *zstd.Encoder
	chunks sync.Pool
	pages  sync.Pool

	open   *chunk    // that rows are appended to, or nil
	group  *rowGroup // of the open chunk, or that the next one will be in
	number int64     // of row groups that were begun

	coded struct{ bytes, rows atomic.Int64 } // of all pages that are encoded, written or not

	turns   sequencer // of the row groups that are written
	groups  []format.RowGroup
	columns [][]format.ColumnIndex
	offsets [][]format.OffsetIndex
	rows    int64
}

// A rowGroup is being filled, encoded or written.
type rowGroup struct {
	number int64
	dicts  []dictionary // by column; nil if it has none
	coding []sequencer  // by column: the turns of chunks in adding to a dictionary of addresses
	rows   int          // in chunks that are full
	memory int          // of the values so far, but for texts, which only the dictionary holds

	mu      sync.Mutex
	pages   [][]parquetPage // by chunk, then by column
	missing int             // chunks that are not encoded yet
	closed  bool            // no more chunks will come
}

// A chunk is the rows of one page of each column.
type chunk struct {
	group   *rowGroup
	number  int // within the group
	rows    int
	columns []parquetColumn
}

func newParquetFile(w io.Writer, fields schema.Table, stamps bool) (*parquetFile, error) {
	f := &parquetFile{out: bufio.NewWriterSize(w, 1<<20), fields: fields, stamps: stamps, holds: schema.FlowRecords, sortedBy: -1,
		chunkRows: chunkRows, groupRows: groupRows, groupMemory: groupMemory}
	var err error
	// on these columns the higher levels take twice as long and save 3 %
	f.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
	if err != nil {
		return nil, err
	}
	return f, f.write([]byte("PAR1"))
}

func (f *parquetFile) write(b []byte) error {
	n, err := f.out.Write(b)
	f.at += int64(n)
	return err
}

// size estimates the file: what is written, or else the pages that are encoded, and as much for each row that is not.
func (f *parquetFile) size() int64 {
	bytes, rows := f.coded.bytes.Load(), f.coded.rows.Load()
	if f.open != nil && rows > 0 {
		bytes += bytes / rows * int64(f.open.rows)
	}
	return max(f.at, bytes)
}

// append adds the rows of a batch and returns the chunks that have become full: the caller must encode each,
// even after an error.
func (f *parquetFile) append(c *cells) []*chunk {
	var full []*chunk
	for row := 0; row < c.rows; {
		if f.open == nil {
			f.begin()
		}
		n := min(c.rows-row, f.chunkRows-f.open.rows)
		for i := range f.fields {
			f.group.add(i, f.open, &c.columns[i], row, row+n)
		}
		f.open.rows += n
		row += n
		if heavy := f.group.memorySize() > f.groupMemory; heavy || f.open.rows == f.chunkRows {
			full = append(full, f.end(heavy))
		}
	}
	return full
}

// memorySize is how much memory the values of a row group take before they are encoded. It must not depend
// on how far the encoding is, so that the same records always make the same file.
func (g *rowGroup) memorySize() int {
	memory := g.memory
	for _, d := range g.dicts {
		if d, ok := d.(*textDict); ok {
			memory += d.size()
		}
	}
	return memory
}

// begin opens a chunk, in a new row group if there is none.
func (f *parquetFile) begin() {
	if f.group == nil {
		f.group = &rowGroup{number: f.number, dicts: make([]dictionary, len(f.fields)), coding: make([]sequencer, len(f.fields))}
		f.number++
		for i, field := range f.fields {
			switch field.Kind {
			case schema.Int32:
				f.group.dicts[i] = new(intDict)
			case schema.Addr:
				f.group.dicts[i] = newAddrDict()
			case schema.Text:
				f.group.dicts[i] = newTextDict()
			}
		}
	}
	c, ok := f.chunks.Get().(*chunk)
	if !ok {
		c = &chunk{columns: make([]parquetColumn, len(f.fields))}
	}
	for i := range c.columns {
		col := &c.columns[i]
		*col = parquetColumn{ints: col.ints[:0], longs: col.longs[:0], floats: col.floats[:0], addrs: col.addrs[:0], valid: col.valid[:0]}
		col.coded = f.group.dicts[i] != nil
	}
	c.group, c.number, c.rows = f.group, len(f.group.pages), 0
	f.open = c
}

// end closes the open chunk, and its group if that is full or has to be the last.
func (f *parquetFile) end(last bool) *chunk {
	c, g := f.open, f.group
	for i := range c.columns {
		if col := &c.columns[i]; col.coded && f.fields[i].Kind != schema.Addr {
			col.dict, col.size = g.dicts[i].reader(), g.dicts[i].len()
		}
	}
	g.rows += c.rows
	f.open = nil
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pages = append(g.pages, nil)
	g.missing++
	if last || g.rows >= f.groupRows {
		g.closed, f.group = true, nil
	}
	return c
}

// add appends rows of a column to a chunk.
func (g *rowGroup) add(i int, c *chunk, from *cell, start, end int) {
	to, n := &c.columns[i], end-start
	switch {
	case from.nulls == from.rows:
		if to.nulls < c.rows {
			to.bits(c.rows)
		}
		to.nulls += n
		return
	case from.nulls == 0 && from.Kind != schema.Float:
		if to.nulls > 0 || len(to.valid) > 0 {
			to.bits(c.rows)
			for row := range n {
				to.valid[(c.rows+row)>>3] |= 1 << ((c.rows + row) & 7)
			}
		}
		g.values(i, to, from, start, end)
		return
	}
	to.bits(c.rows)
	for row := start; row < end; {
		if from.null(row) {
			to.nulls++
			row++
			continue
		}
		run := row
		for ; row < end && !from.null(row); row++ {
			at := c.rows + row - start
			to.valid[at>>3] |= 1 << (at & 7)
		}
		g.values(i, to, from, run, row)
	}
}

// bits makes sure of the bit map of a column that so far has so many rows, which are all null or all not.
func (c *parquetColumn) bits(rows int) {
	if len(c.valid) > 0 {
		return
	}
	c.valid = resize(c.valid, chunkRows/8)
	clear(c.valid)
	if c.nulls == 0 {
		for row := range rows {
			c.valid[row>>3] |= 1 << (row & 7)
		}
	}
}

// values appends rows of a column that are not null.
func (g *rowGroup) values(i int, to *parquetColumn, from *cell, start, end int) {
	g.memory += (end - start) * parquetTypes[from.Kind].memory
	switch from.Kind {
	case schema.Int64, schema.Time:
		to.longs = append(to.longs, from.longs[start:end]...)
	case schema.Float:
		to.floats = append(to.floats, from.floats[start:end]...)
	case schema.Int32:
		g.smallInts(i, to, from.ints[start:end])
	case schema.Addr:
		to.addrs = append(to.addrs, from.addrs[start:end]...)
	case schema.Text:
		dict := g.dicts[i].(*textDict)
		for _, code := range from.codes[start:end] {
			to.ints = append(to.ints, from.recode(code, dict))
		}
	}
}

// smallInts appends whole numbers as codes as long as all of the row group are small. The first that is not
// turns the codes of the chunk back into numbers; chunks before it keep theirs.
func (g *rowGroup) smallInts(i int, to *parquetColumn, values []int32) {
	if to.coded {
		dict := g.dicts[i].(*intDict)
		for n, v := range values {
			code := dict.code(v)
			if code < 0 {
				for i, code := range to.ints {
					to.ints[i] = dict.values[code]
				}
				to.coded = false
				values = values[n:]
				break
			}
			to.ints = append(to.ints, code)
		}
	}
	if !to.coded {
		to.ints = append(to.ints, values...)
	}
}

// encode turns a full chunk into pages, and writes the row group if they are its last.
func (f *parquetFile) encode(c *chunk) error {
	p, ok := f.pages.Get().(*pageEncoder)
	if !ok {
		p = &pageEncoder{zstd: f.zstd}
	}
	defer f.pages.Put(p)
	if err := c.codeAddresses(); err != nil {
		return f.turns.fail(err)
	}
	pages := make([]parquetPage, len(c.columns))
	for i := range c.columns {
		var err error
		if f.stamps && f.fields[i].Kind == schema.Time {
			for n := range c.columns[i].longs {
				c.columns[i].longs[n] *= 1000
			}
		}
		if pages[i], err = p.encode(&c.columns[i], f.fields[i].Kind, c.rows); err != nil {
			return f.turns.fail(fmt.Errorf("column %s: %w", f.fields[i].Name, err))
		}
	}
	for _, page := range pages {
		f.coded.bytes.Add(int64(len(page.data)))
	}
	f.coded.rows.Add(int64(c.rows))
	g := c.group
	g.mu.Lock()
	g.pages[c.number] = pages
	g.missing--
	last := g.closed && g.missing == 0
	g.mu.Unlock()
	c.group = nil
	f.chunks.Put(c)
	if !last {
		return nil
	}
	return f.finish(g, p)
}

// codeAddresses looks up the addresses of a chunk in the dictionaries of its group, after those of the chunks
// before it. It is too slow for the turns of append, and a column at a time keeps to the processor's caches.
func (c *chunk) codeAddresses() error {
	for i := range c.columns {
		dict, ok := c.group.dicts[i].(*addrDict)
		if !ok {
			continue
		}
		col := &c.columns[i]
		err := c.group.coding[i].do(int64(c.number), func() error {
			for row := range col.addrs {
				col.ints = append(col.ints, dict.code(&col.addrs[row]))
			}
			col.dict, col.size = dict.reader(), dict.len()
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// finish writes a row group that is closed and whose pages are all there.
func (f *parquetFile) finish(g *rowGroup, p *pageEncoder) error {
	dicts := make([]parquetPage, len(f.fields))
	for i := range f.fields {
		coded := slices.ContainsFunc(g.pages, func(pages []parquetPage) bool { return pages[i].encoding == format.RLEDictionary })
		if !coded {
			continue
		}
		var err error
		if dicts[i], err = p.dictionary(g.dicts[i].reader(), g.dicts[i].len(), f.fields[i].Kind); err != nil {
			return f.turns.fail(fmt.Errorf("column %s: %w", f.fields[i].Name, err))
		}
	}
	return f.turns.do(g.number, func() error { return f.writeGroup(g, dicts, p) })
}

// writeGroup writes the pages of a row group, column by column.
func (f *parquetFile) writeGroup(g *rowGroup, dicts []parquetPage, p *pageEncoder) error {
	group := format.RowGroup{
		NumRows:    int64(g.rows),
		FileOffset: f.at,
		Ordinal:    int16(len(f.groups)),
		Columns:    make([]format.ColumnChunk, len(f.fields)),
	}
	if f.sortedBy >= 0 {
		group.SortingColumns = []format.SortingColumn{{ColumnIdx: int32(f.sortedBy)}}
	}
	columns, offsets := make([]format.ColumnIndex, len(f.fields)), make([]format.OffsetIndex, len(f.fields))
	for i, field := range f.fields {
		pages := make([]parquetPage, len(g.pages))
		nulls := 0
		for n := range g.pages {
			pages[n] = g.pages[n][i]
			nulls += pages[n].nulls
		}
		if nulls == g.rows {
			// most columns of most logs: one page says it for all
			page, err := p.encode(&parquetColumn{nulls: nulls}, field.Kind, nulls)
			if err != nil {
				return err
			}
			pages = []parquetPage{page}
		}
		meta := &group.Columns[i].MetaData
		*meta = format.ColumnMetaData{
			Type:         parquetTypes[field.Kind].physical,
			Encoding:     []format.Encoding{format.RLE}, // of the levels
			PathInSchema: []string{field.Name},
			Codec:        format.Zstd,
			NumValues:    int64(g.rows),
		}
		if dict := dicts[i]; dict.data != nil {
			meta.DictionaryPageOffset = f.at
			if err := f.writePage(meta, format.DictionaryPage, dict); err != nil {
				return err
			}
		}
		meta.DataPageOffset = f.at
		row := 0
		for _, page := range pages {
			offsets[i].PageLocations = append(offsets[i].PageLocations, format.PageLocation{
				Offset:             f.at,
				CompressedPageSize: int32(len(page.data)),
				FirstRowIndex:      int64(row),
			})
			row += page.rows
			if err := f.writePage(meta, format.DataPage, page); err != nil {
				return err
			}
		}
		group.TotalByteSize += meta.TotalUncompressedSize
		group.TotalCompressedSize += meta.TotalCompressedSize
		columns[i] = index(pages, dicts[i], parquetTypes[field.Kind].compare, &meta.Statistics)
		if i == f.sortedBy {
			columns[i].BoundaryOrder = format.Ascending // pages of nulls do not count
		}
	}
	f.groups = append(f.groups, group)
	f.columns = append(f.columns, columns)
	f.offsets = append(f.offsets, offsets)
	f.rows += int64(g.rows)
	return nil
}

// writePage writes a page and adds it to what the footer says of its column.
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

// index returns the index of a column's pages and fills in the statistics of the whole. A page without
// bounds of its own is within those of the dictionary. Where values are too long to be noted there is no
// index, which is empty then.
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

// close writes what is still open, then the indexes and the footer.
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
