package parquet

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// A file is a file being written. One goroutine at a time appends rows, which keep that order; the goroutine that
// filled a chunk encodes its pages.
type file struct {
	out    *bufio.Writer
	at     int64 // bytes written
	fields schema.Table
	// sortedBy is the column that the rows are sorted by, -1 if there is none.
	sortedBy int

	sizes
	zstd   *zstd.Encoder
	chunks sync.Pool
	pages  sync.Pool

	filling
	coded struct{ bytes, rows atomic.Int64 } // of all pages that are encoded, written or not
	turns cells.Sequencer                    // of the row groups that are written
	footer
}

// sizes are the sizes of the parts of a file: the constants of their names, or smaller.
type sizes struct{ chunkRows, groupRows, groupMemory int }

// filling is the part of a file that rows are appended to.
type filling struct {
	open   *chunk    // nil if there is none
	group  *rowGroup // of the open chunk, or of the next one
	number int64     // of row groups begun
}

// footer is the metadata that the footer will have.
type footer struct {
	holds   string // schema.FlowRecords or another
	notes   []format.KeyValue
	groups  []format.RowGroup
	columns [][]format.ColumnIndex
	offsets [][]format.OffsetIndex
	rows    int64
}

// stamps reports whether times are timestamps, not seconds as flow logs have them.
func (f *footer) stamps() bool { return f.holds == schema.ReportRecords }

func newFile(w io.Writer, fields schema.Table, holds string) (*file, error) {
	f := &file{out: bufio.NewWriterSize(w, 1<<20), fields: fields, sortedBy: -1,
		sizes: sizes{chunkRows, groupRows, groupMemory}, footer: footer{holds: holds}}
	var err error
	// on these columns the higher levels take twice as long and save 3 %
	f.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
	if err != nil {
		return nil, err
	}
	return f, f.write([]byte("PAR1"))
}

func (f *file) write(b []byte) error {
	n, err := f.out.Write(b)
	f.at += int64(n)
	return err
}

// size estimates the size of the file: the bytes written, or else the encoded pages, and their mean size per row for the
// rows that are not encoded yet.
func (f *file) size() int64 {
	bytes, rows := f.coded.bytes.Load(), f.coded.rows.Load()
	if f.open != nil && rows > 0 {
		bytes += bytes / rows * int64(f.open.rows)
	}
	return max(f.at, bytes)
}

// append adds the rows of a batch and returns the full chunks: the caller must encode each, even after an error.
func (f *file) append(b *batch) []*chunk {
	var full []*chunk
	for row := 0; row < b.cells.Rows; {
		if f.open == nil {
			f.begin()
		}
		n := min(b.cells.Rows-row, f.chunkRows-f.open.rows)
		for i := range f.fields {
			f.group.add(i, f.open, &b.columns[i], row, row+n)
		}
		f.open.rows += n
		row += n
		if heavy := f.group.memorySize() > f.groupMemory; heavy || f.open.rows == f.chunkRows {
			full = append(full, f.end(heavy))
		}
	}
	return full
}

// begin opens a chunk, in a new row group if there is none.
func (f *file) begin() {
	if f.group == nil {
		f.group = &rowGroup{number: f.number, dicts: make([]dictionary, len(f.fields)), coding: make([]cells.Sequencer, len(f.fields))}
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
		c = &chunk{columns: make([]column, len(f.fields))}
	}
	for i := range c.columns {
		col := &c.columns[i]
		*col = column{ints: col.ints[:0], longs: col.longs[:0], floats: col.floats[:0], addrs: col.addrs[:0], valid: col.valid[:0]}
		col.coded = f.group.dicts[i] != nil
	}
	c.group, c.number, c.rows = f.group, len(f.group.pages), 0
	f.open = c
}

// end closes the open chunk, and its group if it is full or last is set.
func (f *file) end(last bool) *chunk {
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

// encode encodes a full chunk as pages, and writes the row group if these complete it.
func (f *file) encode(c *chunk) error {
	p, ok := f.pages.Get().(*pageEncoder)
	if !ok {
		p = &pageEncoder{zstd: f.zstd}
	}
	defer f.pages.Put(p)
	if err := c.codeAddresses(); err != nil {
		return f.turns.Fail(err)
	}
	pages := make([]page, len(c.columns))
	for i := range c.columns {
		var err error
		if f.stamps() && f.fields[i].Kind == schema.Time {
			for n := range c.columns[i].longs {
				c.columns[i].longs[n] *= 1000
			}
		}
		if pages[i], err = p.encode(&c.columns[i], f.fields[i].Kind, c.rows); err != nil {
			return f.turns.Fail(fmt.Errorf("column %s: %w", f.fields[i].Name, err))
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

// finish writes a closed row group whose pages are all encoded.
func (f *file) finish(g *rowGroup, p *pageEncoder) error {
	dicts := make([]page, len(f.fields))
	for i := range f.fields {
		coded := slices.ContainsFunc(g.pages, func(pages []page) bool { return pages[i].encoding == format.RLEDictionary })
		if !coded {
			continue
		}
		var err error
		if dicts[i], err = p.dictionary(g.dicts[i].reader(), g.dicts[i].len(), f.fields[i].Kind); err != nil {
			return f.turns.Fail(fmt.Errorf("column %s: %w", f.fields[i].Name, err))
		}
	}
	return f.turns.Do(g.number, func() error { return f.writeGroup(g, dicts, p) })
}

// writeGroup writes the pages of a row group, column by column.
func (f *file) writeGroup(g *rowGroup, dicts []page, p *pageEncoder) error {
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
		pages := make([]page, len(g.pages))
		nulls := 0
		for n := range g.pages {
			pages[n] = g.pages[n][i]
			nulls += pages[n].nulls
		}
		if nulls == g.rows {
			// true of most columns of most logs: one page for the group is enough
			absent, err := p.encode(&column{nulls: nulls}, field.Kind, nulls)
			if err != nil {
				return err
			}
			pages = []page{absent}
		}
		meta := &group.Columns[i].MetaData
		*meta = format.ColumnMetaData{
			Type:         types[field.Kind].physical,
			Encoding:     []format.Encoding{format.RLE}, // of the levels
			PathInSchema: []string{field.Name},
			Codec:        format.Zstd,
			NumValues:    int64(g.rows),
		}
		var err error
		if offsets[i].PageLocations, err = f.writeColumn(meta, dicts[i], pages); err != nil {
			return err
		}
		group.TotalByteSize += meta.TotalUncompressedSize
		group.TotalCompressedSize += meta.TotalCompressedSize
		columns[i] = index(pages, dicts[i], types[field.Kind].compare, &meta.Statistics)
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

// writeColumn writes the dictionary, if there is one, and the pages of a column, and returns where the pages are.
func (f *file) writeColumn(meta *format.ColumnMetaData, dict page, pages []page) (locations []format.PageLocation, err error) {
	if dict.data != nil {
		meta.DictionaryPageOffset = f.at
		if err := f.writePage(meta, format.DictionaryPage, dict); err != nil {
			return nil, err
		}
	}
	meta.DataPageOffset = f.at
	row := 0
	for _, page := range pages {
		locations = append(locations, format.PageLocation{
			Offset:             f.at,
			CompressedPageSize: int32(len(page.data)),
			FirstRowIndex:      int64(row),
		})
		row += page.rows
		if err := f.writePage(meta, format.DataPage, page); err != nil {
			return nil, err
		}
	}
	return locations, nil
}

// writePage writes a page and updates the metadata of its column.
func (f *file) writePage(meta *format.ColumnMetaData, kind format.PageType, page page) error {
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
