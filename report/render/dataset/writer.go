package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// Options say how records become files.
type Options struct {
	Keys     []Key
	Fields   schema.Table // the columns of the batches, with all that the keys and Clock need
	Columns  []string     // those of the files, see Extend
	FileSize int64        // in bytes: a file that has reached it is followed by another
	Memory   int64        // that records may take before they go to a temporary file
	TempDir  string       // of that file; "" is the system's
	Workers  int          // goroutines that write files
	Helpers  []Helper     // that the records were enriched with
}

// A Writer collects the records of some inputs, to make them one commit. It sorts all records of a partition by
// Clock, those of the same second in the order of the input: the same inputs give the same files.
type Writer struct {
	Options
	dataset *Dataset
	columns []int // of the files, as places in the fields
	sources []int // of the keys, likewise
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

// seqRows is how many rows a batch has at most, for numbering them: 64 MiB of text have fewer.
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

// fields are those of the files.
func (w *Writer) fields() schema.Table {
	fields := make(schema.Table, len(w.columns))
	for i, at := range w.columns {
		fields[i] = w.Fields[at]
	}
	return fields
}

// Add takes the records of a batch. It is a schema.Emit, for batches of an ordered scan. A batch may have columns beyond
// the fields: see Late.
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
	dealt, err := w.deal(b.Record)
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

// Late returns the columns of the batches that are not among the fields and have values. If there are some the records
// must be added again, to a writer that has these fields too.
func (w *Writer) Late() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.late))
}

// dealt are rows of a batch that go to one partition.
type dealt struct {
	*partition
	rows []int32
}

// A place is the values of the keys in a row: for times, how many units have passed, for texts, the code in the batch.
// Null is math.MinInt64.
type place [4]int64

// deal says which rows go to which partition.
func (w *Writer) deal(rec arrow.Record) ([]dealt, error) {
	if len(w.Keys) > len(place{}) {
		return nil, errors.New("too many keys")
	}
	type source struct {
		longs []int64
		codes []int32
		words *array.String
		nulls arrow.Array // nil if there are none
		unit  int64
	}
	sources := make([]source, len(w.Keys))
	for i, at := range w.sources {
		a := rec.Column(at)
		if !arrow.TypeEqual(a.DataType(), w.Fields[at].Kind.Arrow()) {
			return nil, fmt.Errorf("column %s: the values are of type %s, not %s", w.Fields[at].Name, a.DataType(), w.Fields[at].Kind.Arrow())
		}
		s := &sources[i]
		if a.NullN() > 0 {
			s.nulls = a
		}
		if s.unit = int64(w.Keys[i].Unit / time.Second); s.unit > 0 {
			s.longs = a.(*array.Int64).Int64Values()
		} else if a.NullN() < a.Len() {
			s.codes, s.words = schema.TextCodes(a)
		}
	}
	var all []dealt
	known := make(map[place]int)
	folders := make(map[string]int) // a word may be there twice in a foreign dictionary
	var last place
	at := -1
	for row := range int(rec.NumRows()) {
		var p place
		for i := range sources {
			switch s := &sources[i]; {
			case s.nulls != nil && s.nulls.IsNull(row):
				p[i] = math.MinInt64
			case s.unit > 0:
				if p[i] = s.longs[row] / s.unit; p[i]*s.unit > s.longs[row] {
					p[i]-- // before 1970
				}
			default:
				p[i] = int64(s.codes[row])
			}
		}
		if at < 0 || p != last {
			last = p
			n, ok := known[p]
			if !ok {
				folder := ""
				for i, k := range w.Keys {
					value := ""
					switch {
					case p[i] == math.MinInt64:
					case k.Unit > 0:
						value = time.Unix(p[i]*sources[i].unit, 0).UTC().Format(k.Form)
					default:
						value = sources[i].words.Value(int(p[i]))
					}
					folder = path.Join(folder, k.folder(value))
				}
				if n, ok = folders[folder]; !ok {
					n = len(all)
					folders[folder] = n
					all = append(all, dealt{partition: w.partition(folder)})
				}
				known[p] = n
			}
			at = n
		}
		all[at].rows = append(all[at].rows, int32(row))
	}
	return all, nil
}

func (w *Writer) partition(folder string) *partition {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.partitions[folder]
	if p == nil {
		p = &partition{folder: folder}
		w.partitions[folder] = p
	}
	return p
}

// append copies rows of a batch into a partition.
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

// spill puts the partition that takes the most memory on disk.
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
	if largest == nil { // others have done it
		w.mu.Unlock()
		return nil
	}
	largest.mu.Lock()
	r := largest.rows
	w.memory.Add(-largest.memory) // at once, lest others spill too much; as many rows as there are workers are in between
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

// Commit writes the files and makes them those of the inputs, which must be all that records came from. It ends the
// writer, as Discard does.
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

// bySize returns the partitions, the largest first, so that none is left that all workers but one wait for.
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

// write writes the files of a partition. Those that it has sealed it returns also with an error.
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
