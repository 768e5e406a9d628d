package parse

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
)

// parquetBlock is the number of rows of a row group that are decoded together. Their columns fit a core's second-level
// cache, and the pages that flowlog writes are as long.
const parquetBlock = 32 << 10

// readParquet reads the columns of a Parquet file that are needed. Pieces of row groups are its blocks.
func readParquet(in *input, c *content) error {
	raw, size := c.raw, in.Size
	if raw == nil || size < 0 {
		data, err := io.ReadAll(c.Reader(0)) // Parquet is read from its end
		if err != nil {
			return err
		}
		raw, size = bytes.NewReader(data), int64(len(data))
	}
	f, err := openParquetFile(raw, size)
	if err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	in.opt.Meter.Bytes.Add(size - in.bytes.Swap(size))
	var columns []string
	for _, col := range f.Root().Columns() {
		columns = append(columns, col.Name())
	}
	if slices.Contains(columns, "src_endpoint") {
		return errOCSF
	}
	names := in.opt.fields(columns)
	holds, _ := f.Lookup(schema.RecordsKey)
	madeOf, _ := f.Lookup(schema.MadeOfKey)
	if of := in.remade(in.object, madeOf); of != "" {
		return &OwnError{"flowlog parse made it of " + of + ", which is read", readLogs}
	}
	in.madeOf = madeOf
	if err := in.opt.holding("parquet", holds, names, in.projection); err != nil {
		return fmt.Errorf("parquet: %w", wholeRecords(err, columns))
	}
	l := in.intern(&layout{names: names}, in.object)
	in.current.Store(l)
	writer, _ := f.Lookup("writer")
	r := &parquetReader{input: in, raw: raw, size: size, file: f, foreign: writer != "flowlog"}
	groups, err := in.rowGroups(f, names, l)
	if err != nil {
		return err
	}
	for i, group := range groups {
		if i == 0 {
			r.open(group)
		}
		ahead := sync.OnceFunc(func() {
			if i+1 < len(groups) {
				r.open(groups[i+1])
			}
		})
		if err := r.cut(group, ahead); err != nil {
			in.fail(fmt.Errorf("parquet: %w", err))
		}
		if in.ctx.Err() != nil {
			return nil
		}
		ahead()
		groups[i] = nil // with its dictionaries
	}
	return nil
}

// rowGroups returns the row groups that may have records of the time and value asked for. Line numbers count the rows of
// the others too.
func (in *input) rowGroups(f *parquet.File, names []string, l *layout) ([]*rowGroup, error) {
	var groups []*rowGroup
	line := int64(0)
	for i, group := range f.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			if chunk.NumValues() != group.NumRows() && i < len(names) {
				return nil, fmt.Errorf("parquet: %s: a row group has %d rows and %d values: the file is damaged, or its columns are nested", names[i], group.NumRows(), chunk.NumValues())
			}
		}
		if !in.outside(group, f.Root().Columns(), names) && !in.unwanted(group, names) {
			groups = append(groups, &rowGroup{RowGroup: &f.Metadata().RowGroups[i], place: place{layout: l, line: line}})
		}
		line += group.NumRows()
	}
	return groups, nil
}

// parquetReader sends the row groups of a file in blocks.
type parquetReader struct {
	*input
	raw     io.ReaderAt
	size    int64
	file    *parquet.File
	foreign bool
}

// rowGroup is a row group that is being read.
type rowGroup struct {
	*format.RowGroup
	place  place
	chunks []*chunkReader // of the columns that are needed, nil for others
	err    error
}

// open begins to read a row group, and sends its large dictionaries as blocks.
func (r *parquetReader) open(g *rowGroup) {
	columns, names := r.file.Root().Columns(), g.place.layout.names
	if len(g.Columns) != len(columns) {
		g.err = errors.New("nested columns: these are not flow logs")
		return
	}
	chunks := make([]*chunkReader, len(names))
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if seen[name] || !r.needs(name) {
			continue
		}
		seen[name] = true
		if !columns[i].Leaf() || columns[i].MaxRepetitionLevel() > 0 || columns[i].MaxDefinitionLevel() > 1 {
			g.err = errors.New("nested columns: these are not flow logs")
			return
		}
		c, err := newChunkReader(r.raw, r.size, columns[i], &g.Columns[i].MetaData, g.NumRows, &r.pages)
		if err != nil {
			g.err = fmt.Errorf("%s: %w", name, err)
			return
		}
		chunks[i] = c
	}
	g.chunks = chunks
	if g.err = g.fill(min(1, g.NumRows)); g.err != nil {
		return
	}
	for i, c := range chunks {
		if c == nil || c.dict == nil || c.dict.count < largeDictionary {
			continue
		}
		dict := c.dict
		r.send(&block{start: &g.place, decode: func(w *worker, b *block, at place) place {
			if c := w.bind(at.layout).cols[i]; c != nil {
				_ = dict.load(w, c, r.foreign) // whoever needs it sees the error
			}
			return at
		}})
	}
}

// largeDictionary is the number of values from which on a dictionary is a block of its own.
const largeDictionary = 1 << 10

// cut sends the rows of an open row group. After the first block it calls ahead, which opens the next row group: workers
// that wait for a dictionary then have other work.
func (r *parquetReader) cut(g *rowGroup, ahead func()) error {
	if g.err != nil {
		return g.err
	}
	for from := int64(0); from < g.NumRows; from += parquetBlock {
		to := min(from+parquetBlock, g.NumRows)
		if err := g.fill(to); err != nil {
			return err
		}
		pages := make([][]*page, len(g.chunks))
		for i, c := range g.chunks {
			if c != nil {
				pages[i] = c.pagesBefore(to)
			}
		}
		free := func() {
			for _, pages := range pages {
				for _, p := range pages {
					if p.users.Add(-1) == 0 {
						r.freePage(p)
					}
				}
			}
		}
		start := place{layout: g.place.layout, line: g.place.line + from}
		more := r.send(&block{start: &start, done: free, decode: func(w *worker, b *block, at place) place {
			defer recoveredIn(b)
			if err := w.parquet(pages, from, to, r.foreign, at); err != nil {
				w.reset()
				b.fail(fmt.Errorf("parquet: %w", err))
			}
			return at
		}})
		if !more {
			return nil
		}
		ahead()
	}
	return nil
}

// fill reads the pages of the rows up to to, of all columns at once, since each may be far away.
func (g *rowGroup) fill(to int64) error {
	errs := make([]error, len(g.chunks))
	var reading sync.WaitGroup
	for i, c := range g.chunks {
		if c == nil || c.rows >= to {
			continue
		}
		reading.Go(func() {
			defer recovered(&errs[i]) // of parquet-go
			if err := c.fill(to); err != nil {
				errs[i] = fmt.Errorf("%s: %w", c.column.Name(), err)
			}
		})
	}
	reading.Wait()
	return cmp.Or(errs...)
}

// parquet decodes rows from up to to of a row group, which are in the pages of each column.
func (w *worker) parquet(pages [][]*page, from, to int64, foreign bool, at place) error {
	t := columns{w: w, foreign: foreign, rows: int(to - from)}
	for i, c := range w.bind(at.layout).cols {
		if c == nil {
			continue
		}
		if err := t.pages(c, pages[i], from, to); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	t.done(at.line)
	return nil
}

// pages appends the rows of one column.
func (t *columns) pages(c *schema.Column, pages []*page, from, to int64) error {
	var dict *distinct // what the codes of all pages stand for; nil if there are none
	plain := false     // some values are not codes
	for _, p := range pages {
		if err := p.decode(&t.w.rooms); err != nil {
			return err
		}
		plain = plain || p.valid > 0 && !p.coded
		if p.coded && dict == nil {
			var err error
			if dict, err = p.dict.convert(t.w, c, t.foreign); err != nil {
				return err
			}
		}
	}
	if t.w.projection.Coded && c.Kind == schema.Addr && dict != nil && !plain && dict.faults == nil {
		c.Code(&dict.values)
	}
	for _, p := range pages {
		t.page(c, p, dict, int(max(from, p.from)-p.from), int(min(to, p.to)-p.from))
	}
	return nil
}

// page appends rows from up to to of one page.
func (t *columns) page(c *schema.Column, p *page, dict *distinct, from, to int) {
	first, end := from, to // of the values
	levels := p.levels
	if len(levels) > 0 {
		first = bytes.Count(levels[:from], []byte{1})
		levels = levels[from:to]
		end = first + bytes.Count(levels, []byte{1})
	}
	if p.valid == 0 || first == end {
		c.Pad(c.Len() + to - from)
		return
	}
	c.Fill()
	if p.coded && end-first == to-from {
		t.add(c, dict, p.codes[first:end])
		return
	}
	index := slices.Grow(t.index[:0], to-from)[:to-from]
	t.index = index
	at, last := int32(0), int32(end-first-1)
	switch {
	case p.coded: // a null is -1 without a branch, which would often be guessed wrong
		codes := p.codes[first:end]
		for i, level := range levels {
			index[i] = codes[min(at, last)] | (int32(level) - 1)
			at += int32(level)
		}
		t.add(c, dict, index)
		return
	case len(levels) > 0:
		for i, level := range levels {
			index[i] = at | (int32(level) - 1)
			at += int32(level)
		}
	default:
		for i := range index {
			index[i] = int32(i)
		}
	}
	switch {
	case p.as.what != asIs:
	case p.values.Kind() == encoding.Int64 && (c.Kind == schema.Int64 || c.Kind == schema.Time):
		most := int64(math.MaxInt64)
		if c.Kind == schema.Time {
			most = schema.LatestTime
		}
		if v := p.values.Int64()[first:end]; within(v, most) {
			c.Int64 = scatter(c, c.Int64, v, index)
			return
		}
	case p.values.Kind() == encoding.Int32 && c.Kind == schema.Int32:
		if v := p.values.Int32()[first:end]; within(v, int32(c.Max)) {
			c.Int32 = scatter(c, c.Int32, v, index)
			return
		}
	}
	value := parquetValue(p.values, p.as, t.foreign)
	t.add(c, convert(c, end-first, func(c *schema.Column, i int) (schema.Fault, string) { return value(c, first+i) }), index)
}

// within reports whether all values are from 0 to most.
func within[T int32 | int64](values []T, most T) bool {
	var outside T
	for _, v := range values {
		outside |= v | (most - v)
	}
	return outside >= 0
}

// scatter appends valid values to those of a column; -1 in index is a null.
func scatter[T int32 | int64](c *schema.Column, to, values []T, index []int32) []T {
	base := len(to)
	if len(values) == len(index) {
		return append(to, values...)
	}
	to = slices.Grow(to, len(index))[:base+len(index)]
	for i, at := range index {
		if at < 0 {
			c.Nulls = append(c.Nulls, int32(base+i))
			to[base+i] = 0
			continue
		}
		to[base+i] = values[at]
	}
	return to
}
