package parse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"flowlog/parse/schema"
)

// parquetBlock is how many rows of a row group are decoded together.
const parquetBlock = 256 << 10

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
	f, err := parquet.OpenFile(raw, size, parquet.SkipBloomFilters(true))
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
	start := &place{layout: l}
	var blocks sync.WaitGroup
	defer blocks.Wait() // they read the file, which is closed next
	writer, _ := f.Lookup("writer")
	foreign := writer != "flowlog"
	for _, group := range f.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			if chunk.NumValues() != group.NumRows() && i < len(names) {
				return fmt.Errorf("parquet: %s: a row group has %d rows and %d values: the file is damaged, or its columns are nested", names[i], group.NumRows(), chunk.NumValues())
			}
		}
		if in.outside(group, names) || in.unwanted(group, names) {
			continue
		}
		for from := int64(0); from < group.NumRows(); from += parquetBlock {
			to := min(from+parquetBlock, group.NumRows())
			blocks.Add(1)
			more := in.send(&block{start: start, done: blocks.Done, decode: func(w *worker, b *block, at place) place {
				defer recoveredIn(b)
				if err := w.parquet(group, from, to, foreign, at); err != nil {
					w.reset()
					b.fail(fmt.Errorf("parquet: %w", err))
				}
				at.line += to - from
				return at
			}})
			if !more {
				return nil
			}
			start = nil
		}
	}
	return nil
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

// parquet decodes rows from up to to of a row group.
func (w *worker) parquet(group parquet.RowGroup, from, to int64, foreign bool, at place) error {
	t := columns{w: w, foreign: foreign, rows: int(to - from), bad: make(map[int32]rowProblem)}
	chunks := group.ColumnChunks()
	if len(chunks) != len(at.layout.names) {
		return errors.New("nested columns: these are not flow logs")
	}
	for i, c := range w.bind(at.layout) {
		if c == nil {
			continue
		}
		if err := t.pages(c, chunks[i], from, to); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	t.done(at.line)
	return nil
}

// pages appends the rows of one column.
func (t *columns) pages(c *schema.Column, chunk parquet.ColumnChunk, from, to int64) error {
	pages := chunk.Pages()
	defer pages.Close()
	if err := pages.SeekToRow(from); err != nil {
		return err
	}
	var words *distinct // of the dictionary, which all pages of the chunk share
	for missing := to - from; missing > 0; {
		page, err := pages.ReadPage()
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if n := page.NumRows(); n > missing {
			page = page.Slice(0, missing)
		}
		missing -= page.NumRows()
		if dict := page.Dictionary(); dict != nil && words == nil {
			values := dict.Page()
			words = convert(c, int(values.NumValues()), parquetValue(values.Data(), t.foreign))
		}
		t.page(c, page, words)
		parquet.Release(page)
	}
	return nil
}

// page appends the rows of one page. words are the values of its dictionary, if it has one.
func (t *columns) page(c *schema.Column, page parquet.Page, words *distinct) {
	data := page.Data()
	t.index = slices.Grow(t.index[:0], int(page.NumRows()))[:page.NumRows()]
	index := t.index
	levels := page.DefinitionLevels()
	dense := int32(0)
	for row := range index {
		if len(levels) > 0 && levels[row] == 0 {
			index[row] = -1
			continue
		}
		index[row] = dense
		dense++
	}
	if dense == 0 {
		c.Pad(c.Len() + len(index))
		return
	}
	c.Fill()
	switch {
	case page.Dictionary() != nil:
		codes := data.Int32()
		for row, i := range index {
			if i >= 0 {
				index[row] = codes[i]
			}
		}
		t.add(c, words, index)
	case data.Kind() == encoding.Int64 && (c.Kind == schema.Int64 || c.Kind == schema.Time) && slices.Min(data.Int64()) >= 0:
		c.Int64 = scatter(c, c.Int64, data.Int64(), index)
	case data.Kind() == encoding.Int32 && c.Kind == schema.Int32 && slices.Min(data.Int32()) >= 0 && int64(slices.Max(data.Int32())) <= c.Max:
		c.Int32 = scatter(c, c.Int32, data.Int32(), index)
	default:
		t.add(c, convert(c, int(dense), parquetValue(data, t.foreign)), index)
	}
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
