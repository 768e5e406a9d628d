package parquet

import (
	"sync"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// The sizes of the parts of a file. Pages should be small enough to be skipped, row groups large enough to
// share a dictionary and small enough to be spread over the workers of an engine.
const (
	chunkRows   = 1 << 15  // rows of a page
	groupRows   = 1 << 19  // rows of a row group
	groupMemory = 64 << 20 // bytes of a row group before encoding; it is closed early beyond that
)

// A rowGroup is a row group that is filled, encoded or written.
type rowGroup struct {
	number int64
	dicts  []dictionary      // by column; nil if it has none
	coding []cells.Sequencer // by column: the order in which chunks add to a dictionary of addresses
	rows   int               // in full chunks
	memory int               // bytes of the values, except texts, which only the dictionary holds

	mu      sync.Mutex
	pages   [][]page // by chunk, then by column
	missing int      // number of chunks that are not encoded yet
	closed  bool     // no more chunks follow
}

// A chunk is the rows of one page of each column.
type chunk struct {
	group   *rowGroup
	number  int // within the group
	rows    int
	columns []column
}

// memorySize is the memory of a row group's values before encoding. It must not depend on the progress of encoding, so
// that the same records always give the same file.
func (g *rowGroup) memorySize() int {
	memory := g.memory
	for _, d := range g.dicts {
		if d, ok := d.(*textDict); ok {
			memory += d.size()
		}
	}
	return memory
}

// add appends rows of a column to a chunk.
func (g *rowGroup) add(i int, c *chunk, from *batchColumn, start, end int) {
	to, n := &c.columns[i], end-start
	switch {
	case from.Nulls == from.Rows:
		if to.nulls < c.rows {
			to.bits(c.rows)
		}
		to.nulls += n
		return
	case from.Nulls == 0 && from.Kind != schema.Float:
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
		if from.Null(row) {
			to.nulls++
			row++
			continue
		}
		run := row
		for ; row < end && !from.Null(row); row++ {
			at := c.rows + row - start
			to.valid[at>>3] |= 1 << (at & 7)
		}
		g.values(i, to, from, run, row)
	}
}

// bits allocates the validity bitmap of a column that so far has so many rows, all null or all not.
func (c *column) bits(rows int) {
	if len(c.valid) > 0 {
		return
	}
	c.valid = cells.Resize(c.valid, chunkRows/8)
	clear(c.valid)
	if c.nulls == 0 {
		for row := range rows {
			c.valid[row>>3] |= 1 << (row & 7)
		}
	}
}

// values appends rows of a column that are not null.
func (g *rowGroup) values(i int, to *column, from *batchColumn, start, end int) {
	g.memory += (end - start) * types[from.Kind].memory
	switch from.Kind {
	case schema.Int64, schema.Time:
		to.longs = append(to.longs, from.Longs[start:end]...)
	case schema.Float:
		to.floats = append(to.floats, from.Floats[start:end]...)
	case schema.Int32:
		g.smallInts(i, to, from.Ints[start:end])
	case schema.Addr:
		to.addrs = append(to.addrs, from.Addrs[start:end]...)
	case schema.Text:
		dict := g.dicts[i].(*textDict)
		for _, code := range from.Codes[start:end] {
			to.ints = append(to.ints, from.recode(code, dict))
		}
	}
}

// smallInts appends whole numbers as codes as long as all of the row group are small. The first one that is not converts
// the chunk's codes back to numbers; earlier chunks keep theirs.
func (g *rowGroup) smallInts(i int, to *column, values []int32) {
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

// codeAddresses encodes the addresses of a chunk by the dictionaries of its group, after the chunks before it. It is too
// slow to be part of append, which excludes other goroutines, and a column at a time stays in the processor's caches.
func (c *chunk) codeAddresses() error {
	for i := range c.columns {
		dict, ok := c.group.dicts[i].(*addrDict)
		if !ok {
			continue
		}
		col := &c.columns[i]
		err := c.group.coding[i].Do(int64(c.number), func() error {
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
