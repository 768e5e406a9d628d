package dataset

import (
	"errors"
	"io"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/klauspost/compress/s2"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
)

// While runs are merged, each has up to mergeRows rows in memory. With little memory there are more runs, so each gets
// fewer.
const (
	mergeRows      = 8 << 10
	leastMergeRows = 512
	mergeShare     = 16 << 10 // bytes of Options.Memory per row of a run that is held while merging
)

func (o Options) mergeRows() int {
	return int(min(max(o.Memory/mergeShare, leastMergeRows), mergeRows))
}

// A spill is the temporary file of a writer. Where the system can delete an open file it is deleted at once, so that a
// killed process leaves none.
type spill struct {
	file *disk.File
	rows int // of a piece, see mergeRows
	mu   sync.Mutex
	size int64
}

// A run is a set of sorted rows on disk: pieces of the spill that together are one compressed Arrow stream.
type run struct {
	pieces []piece
	fields []int // its columns, before the order column
	memory int64 // the memory that it took before
}

type piece struct{ offset, size int64 }

func newSpill(dir string, rows int) (*spill, error) {
	f, err := disk.CreateTemp(dir, "flowlog-*.spill")
	if err != nil {
		return nil, schema.Wordsf("the records do not fit into memory, and there is no place for a temporary file: %w: name a directory with %s, or allow more with %s", err, schema.Opt("temp-dir"), schema.Opt("memory"))
	}
	if runtime.GOOS != "windows" {
		if err := disk.Remove(f.Name()); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return &spill{file: f, rows: rows}, nil
}

func (s *spill) close() error {
	err := s.file.Close()
	if runtime.GOOS == "windows" {
		err = errors.Join(err, disk.Remove(s.file.Name()))
	}
	return err
}

// A runWriter appends pieces of a run to the spill, concurrently with others.
type runWriter struct {
	*spill
	run *run
}

func (w runWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	at := w.size
	w.size += int64(len(p))
	w.mu.Unlock()
	w.run.pieces = append(w.run.pieces, piece{at, int64(len(p))})
	n, err := w.file.WriteAt(p, at)
	if err != nil {
		err = schema.Wordsf("the records do not fit into memory, and the temporary file cannot be written: %w: name another directory with %s, or allow more with %s", err, schema.Opt("temp-dir"), schema.Opt("memory"))
	}
	return n, err
}

// orderName is the column of a run with the rows' positions in the input.
const orderName = " order"

// write sorts rows and writes them as a run.
func (s *spill) write(r *rows, clock int) (run, error) {
	out := run{memory: r.memory()}
	var fields []arrow.Field
	for i, c := range r.columns {
		if c != nil {
			out.fields = append(out.fields, i)
			fields = append(fields, arrow.Field{Name: c.Name, Type: c.Kind.Arrow(), Nullable: true})
		}
	}
	fields = append(fields, arrow.Field{Name: orderName, Type: arrow.PrimitiveTypes.Int64})
	layout := arrow.NewSchema(fields, nil)
	packed := s2.NewWriter(runWriter{s, &out}, s2.WriterConcurrency(1))
	stream := ipc.NewWriter(packed, ipc.WithSchema(layout))
	for part := range slices.Chunk(r.ranks(clock), s.rows) {
		sorted := r.take(part)
		var arrays []arrow.Array
		for _, i := range out.fields {
			arrays = append(arrays, sorted.columns[i].Array())
		}
		arrays = append(arrays, longs(sorted.order))
		rec := array.NewRecord(layout, arrays, int64(len(part)))
		err := stream.Write(rec)
		rec.Release()
		for _, a := range arrays {
			a.Release()
		}
		if err != nil {
			return out, err
		}
	}
	return out, errors.Join(stream.Close(), packed.Close())
}

func longs(values []int64) arrow.Array {
	c := schema.NewColumn(schema.Field{Kind: schema.Int64})
	c.Int64 = values
	return c.Array()
}

// A source is a sorted sequence of rows, read in blocks.
type source struct {
	next  func() (arrays []arrow.Array, order []int64, err error) // io.EOF at the end
	close func()

	arrays []arrow.Array // by field; nil for nothing but nulls
	ranks  []rank        // of the rows that are left
}

// load reads the next block if there are no rows left. It is false at the end.
func (s *source) load(clock int) (bool, error) {
	if len(s.ranks) > 0 {
		return true, nil
	}
	arrays, order, err := s.next()
	if err == io.EOF {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.arrays, s.ranks = arrays, make([]rank, len(order))
	for i := range order {
		s.ranks[i] = rank{at: math.MaxInt64, order: order[i], row: int32(i)}
		if a := arrays[clock]; a != nil && a.IsValid(i) {
			s.ranks[i].at = a.(*array.Int64).Value(i)
		}
	}
	return true, nil
}

// read returns the source of a run.
func (s *spill) read(r run, fields int) (*source, error) {
	var pieces []io.Reader
	for _, p := range r.pieces {
		pieces = append(pieces, io.NewSectionReader(s.file, p.offset, p.size))
	}
	stream, err := ipc.NewReader(s2.NewReader(io.MultiReader(pieces...)))
	if err != nil {
		return nil, err
	}
	return &source{close: stream.Release, next: func() ([]arrow.Array, []int64, error) {
		if !stream.Next() {
			if err := stream.Err(); err != nil {
				return nil, nil, err
			}
			return nil, nil, io.EOF
		}
		rec := stream.Record()
		arrays := make([]arrow.Array, fields)
		for i, at := range r.fields {
			arrays[at] = rec.Column(i)
		}
		return arrays, rec.Column(len(r.fields)).(*array.Int64).Int64Values(), nil
	}}, nil
}

// source returns the source of rows in memory.
func (r *rows) source(clock, most int) *source {
	ranks := r.ranks(clock)
	return &source{close: func() {}, next: func() ([]arrow.Array, []int64, error) {
		if len(ranks) == 0 {
			return nil, nil, io.EOF
		}
		n := min(len(ranks), most)
		part := r.take(ranks[:n])
		ranks = ranks[n:]
		return part.arrays(), part.order, nil
	}}
}

// merge yields the rows of a partition in sorted blocks.
func (w *Writer) merge(p *partition) iter.Seq2[*rows, error] {
	return func(yield func(*rows, error) bool) {
		var sources []*source
		defer func() {
			for _, s := range sources {
				s.close()
			}
		}()
		for _, r := range p.runs {
			s, err := w.spilled.read(r, len(w.Fields))
			if err != nil {
				yield(nil, err)
				return
			}
			sources = append(sources, s)
		}
		if p.rows != nil {
			sources = append(sources, p.rows.source(w.clock, w.mergeRows()))
		}
		for {
			r, err := mergeNext(w.Fields, w.clock, sources)
			if err == io.EOF || !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// mergeNext returns the next block of the merge: all rows up to the smallest last row that a source has in memory.
func mergeNext(fields schema.Table, clock int, sources []*source) (*rows, error) {
	var end *rank
	for _, s := range sources {
		more, err := s.load(clock)
		if err != nil {
			return nil, err
		}
		if more {
			if last := s.ranks[len(s.ranks)-1]; end == nil || last.compare(*end) < 0 {
				end = &last
			}
		}
	}
	if end == nil {
		return nil, io.EOF
	}
	all := &rows{columns: make([]*schema.Column, len(fields))}
	from := 0
	for _, s := range sources {
		n, _ := slices.BinarySearchFunc(s.ranks, *end, func(r, end rank) int {
			if r.compare(end) <= 0 {
				return -1
			}
			return 1
		})
		if n == 0 {
			continue
		}
		from++
		which := make([]int32, n)
		for i, r := range s.ranks[:n] {
			which[i] = r.row
		}
		if err := all.append(fields, s.arrays, which); err != nil {
			return nil, err
		}
		for _, r := range s.ranks[:n] {
			all.order = append(all.order, r.order)
		}
		s.ranks = s.ranks[n:]
	}
	if from > 1 {
		all = all.take(all.ranks(clock))
	}
	return all, nil
}
