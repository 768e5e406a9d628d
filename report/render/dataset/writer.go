package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"sync/atomic"

	"flowlog/parse/schema"
)

// Options configure a Writer.
type Options struct {
	Keys     []Key
	Fields   schema.Table // the columns of the batches, including those of the keys and Clock
	Columns  []string     // of the files, see Extend
	FileSize int64        // in bytes: a file that reaches it is completed, and another begun
	Memory   int64        // in bytes: records beyond it are spilled to a temporary file
	TempDir  string       // of that file; "" is the system's
	Workers  int          // goroutines that write files
	Helpers  []Helper     // the files that enriched the records
}

// A Writer collects the records of a set of inputs for one commit. It sorts the records of a partition by Clock, then by
// position in the input, so that the same inputs give the same files.
type Writer struct {
	Options
	dataset *Dataset
	columns []int // of the files: their indexes in Fields
	sources []int // of the keys: the indexes of their fields
	clock   int
	memory  atomic.Int64
	isLate  atomic.Bool // there are late columns

	mu         sync.Mutex
	partitions map[string]*partition
	spilled    *spill
	late       []string
}

// A partition is the records that go to one folder.
type partition struct {
	folder string

	mu     sync.Mutex
	rows   *rows // in memory
	runs   []run // on disk
	memory int64
}

// seqRows is the most rows of a batch: positions in the input are Batch.Seq*seqRows + row. A batch is at most 64 MiB of
// text, which has fewer rows.
const seqRows = 1 << 26

// Begin starts a commit. The first one of a dataset writes its settings.
func (d *Dataset) Begin(ctx context.Context, o Options) (*Writer, error) {
	w := &Writer{Options: o, dataset: d, partitions: make(map[string]*partition)}
	place := func(name string) (int, error) {
		i := slices.IndexFunc(o.Fields, func(f schema.Field) bool { return f.Name == name })
		if i < 0 {
			return i, fmt.Errorf("a partitioned dataset needs the field %s", name)
		}
		return i, nil
	}
	var err error
	if w.clock, err = place(Clock); err != nil {
		return nil, err
	}
	for _, name := range o.Columns {
		i, err := place(name)
		if err != nil {
			return nil, err
		}
		w.columns = append(w.columns, i)
	}
	for _, k := range o.Keys {
		i, err := place(k.From)
		if err != nil {
			return nil, err
		}
		w.sources = append(w.sources, i)
	}
	return w, d.begin(ctx, Columns(w.fields()))
}

// fields returns the fields of the files.
func (w *Writer) fields() schema.Table {
	fields := make(schema.Table, len(w.columns))
	for i, at := range w.columns {
		fields[i] = w.Fields[at]
	}
	return fields
}

// Add adds the records of a batch. It is a schema.Emit, for an ordered scan. A batch may have columns beyond Fields: see
// Late.
func (w *Writer) Add(b schema.Batch) error {
	if b.Record == nil || b.NumRows() == 0 {
		return nil
	}
	for i := len(w.Fields); i < int(b.NumCols()); i++ {
		if a := b.Column(i); a.NullN() < a.Len() {
			w.noteLate(b.ColumnName(i))
		}
	}
	if w.isLate.Load() {
		return nil
	}
	if b.NumRows() > seqRows {
		return fmt.Errorf("a batch of %d records is too large", b.NumRows())
	}
	dealt, err := w.split(b.Record)
	if err != nil {
		return err
	}
	for _, d := range dealt {
		if err := w.append(d.partition, b, d.rows); err != nil {
			return err
		}
	}
	for w.memory.Load() > w.Memory {
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) noteLate(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isLate.Store(true); !slices.Contains(w.late, name) {
		w.late = append(w.late, name)
	}
}

// Late returns the columns with values that the batches have beyond Fields. If there are any, the records must be added
// again, to a writer that has these fields too.
func (w *Writer) Late() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.late))
}

// append copies rows of a batch to a partition.
func (w *Writer) append(p *partition, b schema.Batch, which []int32) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rows == nil {
		p.rows = &rows{columns: make([]*schema.Column, len(w.Fields))}
	}
	if err := p.rows.append(w.Fields, b.Columns(), which); err != nil {
		return err
	}
	for _, row := range which {
		p.rows.order = append(p.rows.order, b.Seq*seqRows+int64(row))
	}
	memory := p.rows.memory()
	w.memory.Add(memory - p.memory)
	p.memory = memory
	return nil
}

// spill writes the partition with the most memory to disk.
func (w *Writer) spill() error {
	w.mu.Lock()
	if w.spilled == nil {
		var err error
		if w.spilled, err = newSpill(w.TempDir, w.mergeRows()); err != nil {
			w.mu.Unlock()
			return err
		}
	}
	var largest *partition
	var most int64
	for _, p := range w.partitions {
		p.mu.Lock()
		if p.memory > most {
			largest, most = p, p.memory
		}
		p.mu.Unlock()
	}
	if largest == nil { // other goroutines have spilled
		w.mu.Unlock()
		return nil
	}
	largest.mu.Lock()
	r := largest.rows
	w.memory.Add(-largest.memory) // before writing, so that other goroutines do not spill too
	largest.rows, largest.memory = nil, 0
	largest.mu.Unlock()
	w.mu.Unlock()
	if r == nil {
		return nil
	}
	written, err := w.spilled.write(r, w.clock)
	if err != nil {
		return err
	}
	largest.mu.Lock()
	defer largest.mu.Unlock()
	largest.runs = append(largest.runs, written)
	return nil
}

// Commit writes the files and commits them with the inputs, which must be all that the records came from. Like Discard,
// it ends the writer.
func (w *Writer) Commit(ctx context.Context, inputs []Input) (_ []Part, err error) {
	defer func() { err = errors.Join(err, w.Discard()) }()
	if w.isLate.Load() {
		return nil, errors.New("records have columns that the files would not have")
	}
	var mu sync.Mutex
	var files []Part
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	todo := make(chan *partition)
	var all sync.WaitGroup
	for range max(w.Workers, 1) {
		all.Go(func() {
			for p := range todo {
				made, err := w.write(ctx, p)
				mu.Lock()
				files = append(files, made...)
				mu.Unlock()
				if err != nil {
					stop(err)
				}
			}
		})
	}
	for _, p := range w.bySize() {
		select {
		case todo <- p:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(todo)
	all.Wait()
	c := Commit{Inputs: inputs, Parts: files, Helpers: w.Helpers}
	for _, column := range Columns(w.fields()) {
		if !slices.ContainsFunc(w.dataset.columns, func(have Column) bool { return have.Name == column.Name }) {
			c.Columns = append(c.Columns, column)
		}
	}
	if err := context.Cause(ctx); err != nil {
		return nil, errors.Join(err, w.dataset.drop(ctx, c.Parts))
	}
	return c.Parts, w.dataset.commit(ctx, c)
}

// bySize returns the partitions, largest first, so that the workers finish at about the same time.
func (w *Writer) bySize() []*partition {
	var all []*partition
	for _, p := range w.partitions {
		all = append(all, p)
	}
	size := func(p *partition) int64 {
		n := p.memory
		for _, r := range p.runs {
			n += r.memory
		}
		return n
	}
	slices.SortFunc(all, func(a, b *partition) int {
		return cmp.Or(cmp.Compare(size(b), size(a)), cmp.Compare(a.folder, b.folder))
	})
	return all
}

// Discard ends the writer without a commit.
func (w *Writer) Discard() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.partitions = nil
	if w.spilled == nil {
		return nil
	}
	err := w.spilled.close()
	w.spilled = nil
	return err
}

// write writes the files of a partition. It returns the sealed ones with an error too, so that they can be discarded.
func (w *Writer) write(ctx context.Context, p *partition) (files []Part, err error) {
	var out *output
	defer func() {
		if out != nil {
			err = errors.Join(err, out.file.Discard())
		}
	}()
	fields := w.fields()
	for r, err := range w.merge(p) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return files, err
		}
		if out == nil {
			name := path.Join(p.folder, fmt.Sprintf("part-%06d-%04d.parquet", w.dataset.commits+1, len(files)+1))
			if out, err = w.create(ctx, name, fields); err != nil {
				return files, err
			}
		}
		if err := out.add(r, w.columns); err != nil {
			return files, err
		}
		if out.parquet.Size() < w.FileSize {
			continue
		}
		done := out
		out = nil
		f, err := done.seal()
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	if out != nil {
		done := out
		out = nil
		f, err := done.seal()
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}
