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
	var columns []string
	for _, col := range f.Root().Columns() {
		columns = append(columns, col.Name())
	}
	if slices.Contains(columns, "src_endpoint") {
		return errOCSF
	}
	names := in.opt.fields(columns)
	if err := in.opt.refused("parquet", names, in.projection); err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	l := in.intern(&layout{names: names}, in.object)
	in.current.Store(l)
	writer, _ := f.Lookup("writer")
	r := &parquetReader{input: in, raw: raw, size: size, file: f, foreign: writer != "flowlog"}
	var groups []*rowGroup
	line := int64(0)
	for i, group := range f.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			if chunk.NumValues() != group.NumRows() && i < len(names) {
				return fmt.Errorf("parquet: %s: a row group has %d rows and %d values: the file is damaged, or its columns are nested", names[i], group.NumRows(), chunk.NumValues())
			}
		}
		if !in.outside(group, f.Root().Columns(), names) && !in.unwanted(group, names) {
			groups = append(groups, &rowGroup{RowGroup: &f.Metadata().RowGroups[i], place: place{layout: l, line: line}})
		}
		line += group.NumRows()
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

// parquetReader gives the row groups of a file out in blocks.
type parquetReader struct {
	*input
	raw     io.ReaderAt
	size    int64
	file    *parquet.File
	foreign bool
}

// rowGroup is a row group being read.
type rowGroup struct {
	*format.RowGroup
	place  place
	chunks []*chunkReader // of the columns that are needed, nil for others
	err    error
}

// open begins to read a row group, and gives out the large ones of its dictionaries.
func (r *parquetReader) open(g *rowGroup) {
	columns, names := r.file.Root().Columns(), g.place.layout.names
	if len(g.Columns) != len(columns) {
		g.err = errors.New("nested columns: these are not flow logs")
		return
	}
	chunks := make([]*chunkReader, len(names))
	for i, name := range names {
		if slices.Contains(names[:i], name) || !r.needs(name) {
			continue
		}
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

// largeDictionary is the size from which on a dictionary is worth a block of its own.
const largeDictionary = 1 << 10

// cut gives out the rows of a row group that is open. Once that is under way it calls ahead, to open the next one:
// all workers wait for a dictionary, unless there is something else to do while one of them decodes it.
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
				pages[i] = c.take(to)
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

// fill reads the pages with rows up to to, of all columns at once, since each may be far away.
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
	from, to, ok := storedIn(columns[column]).between(low.Int64(), high.Int64())
	if !ok || to >= in.opt.Since && (in.opt.Until == 0 || from < in.opt.Until) {
		return false
	}
	in.Lock()
	defer in.Unlock()
	in.Outside += group.NumRows()
	in.OutsideEnds.Join(Ends{low.Int64(), high.Int64(), true})
	return true
}

// unwanted reports whether no record of a row group has the value that is cared for, by the smallest and
// largest value that the file notes. They are counted. All must be flows, since records that are not must be
// seen.
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
	in.Stats.Add(schema.Stats{Records: group.NumRows(), Flows: group.NumRows(), Passed: valued(group, names)})
	return true
}

// valued lists the columns of a row group that have values, as far as the file notes nulls.
func valued(group parquet.RowGroup, names []string) []string {
	var out []string
	for i, name := range names {
		chunk, ok := group.ColumnChunks()[i].(*parquet.FileColumnChunk)
		if ok && chunk.NullCount() == group.NumRows() {
			continue
		}
		if low, high, ok := textBounds(group, names, name); ok && low == "-" && high == "-" {
			continue // AWS's null
		}
		out = append(out, name)
	}
	return out
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

// storedIn says what the values of a column stand for.
func storedIn(column *parquet.Column) stored {
	t := column.Type()
	if t.Kind() == parquet.Int96 {
		return instants(1e9)
	}
	logical := t.LogicalType()
	if logical == nil {
		return stored{}
	}
	switch l := logical.Value.(type) {
	case *format.TimestampType:
		switch l.Unit.Value.(type) {
		case *format.MilliSeconds:
			return instants(1e3)
		case *format.MicroSeconds:
			return instants(1e6)
		}
		return instants(1e9)
	case *format.DateType:
		return dates
	case *format.DecimalType:
		return stored{what: decimal, scale: int(l.Scale)}
	case *format.IntType:
		if !l.IsSigned {
			return stored{what: unsigned}
		}
	case *format.TimeType:
		return stored{what: unusable}
	}
	return stored{}
}

// parquetValue returns the function that appends a value of a page.
func parquetValue(data encoding.Values, as stored, escaped bool) func(c *schema.Column, i int) (schema.Fault, string) {
	switch data.Kind() {
	case encoding.Int32:
		v := data.Int32()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.whole(c, int64(v[i]), 32) }
	case encoding.Int64:
		v := data.Int64()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.whole(c, v[i], 64) }
	case encoding.Int96:
		v := data.Int96()
		return func(c *schema.Column, i int) (schema.Fault, string) {
			const epoch = 2440588 // the Julian day of 1970-01-01
			nanos := int64(v[i][1])<<32 | int64(v[i][0])
			day := int64(v[i][2]) - epoch
			if fault := c.Instant(day*24*60*60+nanos/1e9, nanos%1e9); fault != schema.Valid {
				return fault, fmt.Sprintf("day %d, %d ns", day, nanos)
			}
			return schema.Valid, ""
		}
	case encoding.Float:
		v := data.Float()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.real(c, float64(v[i])) }
	case encoding.Double:
		v := data.Double()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.real(c, v[i]) }
	case encoding.FixedLenByteArray:
		v, size := data.FixedLenByteArray()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.bytes(c, v[i*size:(i+1)*size]) }
	case encoding.ByteArray:
		v, offsets := data.ByteArray()
		return func(c *schema.Column, i int) (schema.Fault, string) {
			if c.Kind == schema.Addr {
				if a, ok := shortAddr(v, int(offsets[i]), int(offsets[i+1])); ok {
					c.Fill()
					c.Addr = append(c.Addr, a)
					return schema.Valid, ""
				}
			}
			text := v[offsets[i]:offsets[i+1]]
			switch {
			case as.what == decimal:
				return as.unscaled(c, bigEndian(text))
			case escaped && c.Escaped && bytes.IndexByte(text, '%') >= 0:
				return c.ParseEscaped(text), string(text)
			}
			return as.text(c, text)
		}
	}
	return func(*schema.Column, int) (schema.Fault, string) {
		return schema.NotText, "a value of type " + data.Kind().String()
	}
}
