package parse

import (
	"bytes"
	"cmp"
	"encoding/binary"
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

// parquetBlock is how many rows of a row group are decoded together. Their columns fit a core's second-level
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
	if err := checkFooter(raw, size); err != nil {
		return err
	}
	f, err := parquet.OpenFile(raw, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	in.opt.Meter.Bytes.Add(size - in.bytes.Swap(size))
	names := make([]string, len(f.Root().Columns()))
	known, ocsf := false, false
	for i, col := range f.Root().Columns() {
		names[i] = schema.CanonicalName(col.Name())
		known = known || in.projection.Knows(names[i])
		ocsf = ocsf || names[i] == "src_endpoint"
	}
	if ocsf {
		return errOCSF
	}
	if !known {
		return errors.New("parquet: no column is a flow log field")
	}
	l := in.intern(&layout{names: names}, in.object)
	in.current.Store(l)
	b := &parquetBlocks{input: in, raw: raw, size: size, file: f, start: &place{layout: l}}
	writer, _ := f.Lookup("writer")
	b.foreign = writer != "flowlog"
	for i, group := range f.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			if chunk.NumValues() != group.NumRows() && i < len(names) {
				return fmt.Errorf("parquet: %s: a row group has %d rows and %d values: the file is damaged, or its columns are nested", names[i], group.NumRows(), chunk.NumValues())
			}
		}
		if in.outside(group, names) || in.unwanted(group, names) {
			continue
		}
		if more, err := b.cut(&f.Metadata().RowGroups[i], names); err != nil {
			in.fail(fmt.Errorf("parquet: %w", err))
		} else if !more {
			return nil
		}
	}
	return nil
}

// parquetBlocks gives the row groups of a file out in blocks.
type parquetBlocks struct {
	*input
	raw     io.ReaderAt
	size    int64
	file    *parquet.File
	foreign bool
	start   *place // of the first block; then nil
}

// cut gives out a row group. It reports false when the scan has ended.
func (b *parquetBlocks) cut(group *format.RowGroup, names []string) (more bool, err error) {
	columns := b.file.Root().Columns()
	if len(group.Columns) != len(columns) {
		return true, errors.New("nested columns: these are not flow logs")
	}
	chunks := make([]*chunkReader, len(names))
	for i, name := range names {
		if slices.Contains(names[:i], name) || !b.needs(name) {
			continue
		}
		if !columns[i].Leaf() || columns[i].MaxRepetitionLevel() > 0 || columns[i].MaxDefinitionLevel() > 1 {
			return true, errors.New("nested columns: these are not flow logs")
		}
		if chunks[i], err = newChunkReader(b.raw, b.size, columns[i], &group.Columns[i].MetaData, group.NumRows, &b.pages); err != nil {
			return true, fmt.Errorf("%s: %w", name, err)
		}
	}
	for from := int64(0); from < group.NumRows; from += parquetBlock {
		to := min(from+parquetBlock, group.NumRows)
		pages, err := takeAll(chunks, to)
		if err != nil {
			return true, err
		}
		foreign := b.foreign
		free := func() {
			for _, pages := range pages {
				for _, p := range pages {
					if p.users.Add(-1) == 0 {
						b.freePage(p)
					}
				}
			}
		}
		more := b.send(&block{start: b.start, done: free, decode: func(w *worker, b *block, at place) place {
			defer recoveredIn(b)
			if err := w.parquet(pages, from, to, foreign, at); err != nil {
				w.reset()
				b.fail(fmt.Errorf("parquet: %w", err))
			}
			at.line += to - from
			return at
		}})
		if !more {
			return false, nil
		}
		b.start = nil
	}
	return true, nil
}

// takeAll returns, by column, the pages with rows up to to. It reads all columns at once, since each may be far
// away.
func takeAll(chunks []*chunkReader, to int64) ([][]*page, error) {
	pages := make([][]*page, len(chunks))
	errs := make([]error, len(chunks))
	var reading sync.WaitGroup
	for i, c := range chunks {
		if c == nil {
			continue
		}
		take := func() {
			defer recovered(&errs[i]) // of parquet-go
			if pages[i], errs[i] = c.take(to); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", c.column.Name(), errs[i])
			}
		}
		if c.rows >= to {
			take()
			continue
		}
		reading.Go(take)
	}
	reading.Wait()
	return pages, cmp.Or(errs...)
}

// checkFooter keeps the library from making room for a footer that cannot be there.
func checkFooter(raw io.ReaderAt, size int64) error {
	const tail = 8 // the length of the footer, and the magic word
	var b [tail]byte
	if size < 2*tail {
		return errors.New("parquet: the file is cut off")
	}
	if _, err := raw.ReadAt(b[:], size-tail); err != nil {
		return fmt.Errorf("parquet: %w", reason(err))
	}
	if string(b[4:]) != "PAR1" || int64(binary.LittleEndian.Uint32(b[:])) > size-tail-4 {
		return errors.New("parquet: the footer is missing: the file is cut off or damaged")
	}
	return nil
}

// outside reports whether all records of a row group end outside the time that was asked for, by the
// smallest and largest end that the file notes. They are counted.
func (in *input) outside(group parquet.RowGroup, names []string) bool {
	column := slices.Index(names, "end")
	if in.opt.Since == 0 && in.opt.Until == 0 || column < 0 {
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
	if high.Int64() >= in.opt.Since && (in.opt.Until == 0 || low.Int64() < in.opt.Until) {
		return false
	}
	in.Lock()
	defer in.Unlock()
	in.Outside += group.NumRows()
	return true
}

// unwanted reports whether no record of a row group has the value that is cared for, by the smallest and
// largest value that the file notes. They are counted. All must be flows, since records that are not must be
// seen.
func (in *input) unwanted(group parquet.RowGroup, names []string) bool {
	low, high, ok := textBounds(group, names, in.opt.Only.Field)
	if !ok || in.opt.Only.Value >= low && in.opt.Only.Value <= high {
		return false
	}
	first, last, ok := textBounds(group, names, "log_status")
	if !ok || first != schema.StatusOK || last != schema.StatusOK || in.opt.Since != 0 || in.opt.Until != 0 {
		return false
	}
	in.records.Add(group.NumRows())
	in.Lock()
	defer in.Unlock()
	in.Stats.Records += group.NumRows()
	in.Stats.Flows += group.NumRows()
	return true
}

// textBounds returns the smallest and largest text in a column of a row group, if the file notes them and
// the column has no nulls.
func textBounds(group parquet.RowGroup, names []string, field string) (low, high string, ok bool) {
	column := slices.Index(names, field)
	if column < 0 {
		return "", "", false
	}
	chunk, ok := group.ColumnChunks()[column].(*parquet.FileColumnChunk)
	if !ok || chunk.NullCount() != 0 {
		return "", "", false
	}
	from, to, ok := chunk.Bounds()
	if !ok || from.Kind() != parquet.ByteArray || to.Kind() != parquet.ByteArray {
		return "", "", false
	}
	return string(from.ByteArray()), string(to.ByteArray()), true
}

// parquet decodes rows from up to to of a row group, which are in the pages of each column.
func (w *worker) parquet(pages [][]*page, from, to int64, foreign bool, at place) error {
	t := columns{w: w, foreign: foreign, rows: int(to - from), bad: make(map[int32]rowProblem)}
	for i, c := range w.bind(at.layout) {
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
	index := slices.Grow(t.index[:0], to-from)[:to-from]
	t.index = index
	if len(p.levels) > 0 {
		first = bytes.Count(p.levels[:from], []byte{1})
		end = first
		for i, level := range p.levels[from:to] {
			index[i] = -1
			if level > 0 {
				index[i] = int32(end - first)
				end++
			}
		}
	}
	if p.valid == 0 || first == end {
		c.Pad(c.Len() + len(index))
		return
	}
	c.Fill()
	switch {
	case p.coded:
		codes := p.codes[first:end]
		if len(codes) == len(index) {
			index = codes
		} else {
			for row, i := range index {
				if i >= 0 {
					index[row] = codes[i]
				}
			}
		}
		t.add(c, dict, index)
		return
	case p.values.Kind() == encoding.Int64 && (c.Kind == schema.Int64 || c.Kind == schema.Time):
		if v := p.values.Int64()[first:end]; within(v, math.MaxInt64) {
			c.Int64 = scatter(c, c.Int64, v, index)
			return
		}
	case p.values.Kind() == encoding.Int32 && c.Kind == schema.Int32:
		if v := p.values.Int32()[first:end]; within(v, int32(c.Max)) {
			c.Int32 = scatter(c, c.Int32, v, index)
			return
		}
	}
	if len(p.levels) == 0 {
		for i := range index {
			index[i] = int32(i)
		}
	}
	value := parquetValue(p.values, t.foreign)
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

// scatter appends values that are valid as they are to those of a column; -1 in index is a null.
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

// parquetValue returns the function that appends a value of a page.
func parquetValue(data encoding.Values, escaped bool) func(c *schema.Column, i int) (schema.Fault, string) {
	switch data.Kind() {
	case encoding.Int32:
		v := data.Int32()
		return func(c *schema.Column, i int) (schema.Fault, string) { return appendInt(c, int64(v[i])) }
	case encoding.Int64:
		v := data.Int64()
		return func(c *schema.Column, i int) (schema.Fault, string) { return appendInt(c, v[i]) }
	case encoding.Float:
		v := data.Float()
		return func(c *schema.Column, i int) (schema.Fault, string) { return appendFloat(c, float64(v[i])) }
	case encoding.Double:
		v := data.Double()
		return func(c *schema.Column, i int) (schema.Fault, string) { return appendFloat(c, v[i]) }
	case encoding.ByteArray:
		v, offsets := data.ByteArray()
		return func(c *schema.Column, i int) (schema.Fault, string) {
			text := v[offsets[i]:offsets[i+1]]
			if escaped && c.Escaped && bytes.IndexByte(text, '%') >= 0 {
				return c.ParseEscaped(text), string(text)
			}
			return appendText(c, text)
		}
	}
	return func(*schema.Column, int) (schema.Fault, string) {
		return schema.NotText, "a value of type " + data.Kind().String()
	}
}
