package parse

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/valyala/fastjson"

	"flowlog/parse/schema"
)

// worker decodes blocks, one at a time.
type worker struct {
	*scan
	id      int
	stats   schema.Stats
	outside Ends
	batchColumns
	textState
	jsonState
	words map[*schema.Column]words // by column, the dictionary of Parquet that was converted last
	cellBudget
	problems []Problem // of the block; lines are counted from its start
	rejected []byte    // dropped records of the block, for Options.Rejects
}

// batchColumns are the columns of the batch that a worker builds.
type batchColumns struct {
	schema  *arrow.Schema    // of a batch without extra columns
	cols    []*schema.Column // of the projection, then log_status and end if the projection lacks them
	status  *schema.Column
	end     *schema.Column // nil if records are not selected by time
	byName  map[string]*schema.Column
	extra   []*schema.Column // columns of the input that the projection has as others: see Projection.Other
	rows    int              // complete rows in the columns
	touched []*schema.Column // those with a value of the current record: see drop
	window  []int32          // scratch of crop: the rows inside the time
}

// textState is the memory of a worker for text.
type textState struct {
	bound  map[*layout]*binding
	seps   []int32 // positions in the block, see separators
	loaded []byte  // the content of spans
	tokens [][]byte
}

// jsonState is the memory of a worker for JSON.
type jsonState struct {
	json      fastjson.Parser
	members   []member            // of the current object
	fields    map[string]*field   // by the name of a member
	shapes    map[string][]*field // by the names of all members of an object, see shapeKey
	shaped    int                 // total number of members of the objects that were added to shapes
	shapeKey  []byte
	objectSeq int64 // number of the current object
}

// cellBudget bounds the cells of a block: see room.
type cellBudget struct {
	wide int  // an upper bound on the number of columns with values in the block
	full bool // no further row fits
}

func newWorker(s *scan, id int) *worker {
	w := &worker{
		scan:         s,
		id:           id,
		batchColumns: batchColumns{schema: s.projection.Fields.Arrow(), byName: make(map[string]*schema.Column)},
		textState:    textState{bound: make(map[*layout]*binding)},
		jsonState:    jsonState{fields: make(map[string]*field), shapes: make(map[string][]*field)},
		words:        make(map[*schema.Column]words),
	}
	for _, f := range s.projection.Fields {
		w.cols = append(w.cols, schema.NewColumn(f))
	}
	w.status = w.need("log_status")
	if s.timed() {
		w.end = w.need("end")
	}
	for _, c := range w.cols {
		w.byName[c.Name] = c
	}
	return w
}

// need returns the column of a field that decoding itself needs, also if the projection lacks it.
func (w *worker) need(name string) *schema.Column {
	if i := w.projection.Index(name); i >= 0 {
		return w.cols[i]
	}
	f, _ := schema.LoggedField(name)
	c := schema.NewColumn(f)
	w.cols = append(w.cols, c)
	return c
}

// column returns the column for a name of the input, or nil if it is not read.
func (w *worker) column(name string) *schema.Column {
	if c, ok := w.byName[name]; ok {
		return c
	}
	f, ok := w.projection.Other(name)
	if !ok {
		return nil
	}
	c := schema.NewColumn(f)
	w.extra = append(w.extra, c)
	w.byName[name] = c
	return c
}

// do decodes a block and emits its batch. It passes its place on and emits in any case, since other workers wait for both.
//
// A worker does not wait for the block before its own. It assumes that the layout stays the same, decodes, and then
// compares: if the block before ends with another layout, its own block is decoded once more.
func (w *worker) do(b *block) {
	at, exact := w.place(b)
	w.reset()
	if b.span != nil {
		w.load(b)
	}
	end := b.decode(w, b, at)
	switch {
	case b.start != nil && b.before != nil && w.opt.Ordered:
		<-b.before // problems and rejected records are reported in order too
	case b.before != nil && !exact:
		was := <-b.before
		if was.layout != at.layout {
			w.reset()
			end = b.decode(w, b, was)
			at = was
		}
		for i := range w.problems {
			w.problems[i].Line += was.line - at.line
		}
		end.line += was.line - at.line
	}
	w.report(b)
	b.after <- end
	b.free(w.scan)

	seq := b.seq
	if !w.opt.Ordered {
		seq = w.seq.Add(1) - 1
	}
	rec := w.record()
	defer rec.Release()
	if (w.rows > 0 || w.opt.Ordered) && !w.refused.Load() {
		if err := w.emit(schema.Batch{Record: rec, Worker: w.id, Seq: seq}); err != nil {
			w.refused.Store(true)
			w.stop(err)
		}
	}
}

// place returns the place where the block starts, and whether it is certain. If the block before is not decoded yet, the
// place is the last layout known, with line 0.
func (w *worker) place(b *block) (at place, exact bool) {
	switch {
	case b.start != nil:
		return *b.start, true
	case b.before == nil:
		return place{}, true
	}
	select {
	case at = <-b.before:
		return at, true
	default:
		return place{layout: b.current.Load()}, false
	}
}

// reset empties the worker for a block.
func (w *worker) reset() {
	for _, c := range w.cols {
		c.Reset()
	}
	for _, c := range w.extra {
		c.Reset()
	}
	w.wide, w.full = 0, false
	w.rows, w.problems, w.rejected = 0, w.problems[:0], w.rejected[:0]
}

// drop notes a malformed record, and removes the values that were appended of it.
func (w *worker) drop(record []byte, p Problem) {
	for _, c := range w.touched {
		if c.Len() > w.rows {
			c.Truncate(w.rows)
		}
	}
	w.touched = w.touched[:0]
	w.problems = append(w.problems, p)
	if w.opt.Rejects != nil {
		w.rejected = append(append(w.rejected, record...), '\n')
	}
}

// report adds the results of the block to the statistics, and writes its rejected records.
func (w *worker) report(b *block) {
	for _, c := range w.cols {
		c.Pad(w.rows)
	}
	for _, c := range w.extra {
		c.Pad(w.rows)
	}
	w.fill(b)
	w.crop()
	b.records.Add(int64(w.rows))
	w.stats.Add(w.statuses(w.rows))
	for _, c := range w.cols {
		for value, n := range c.Outside() {
			w.Lock()
			w.odd(OddValues{c.Name, value, n})
			w.Unlock()
		}
	}
	for _, p := range w.problems {
		p.Object, p.object = b.Name, b.index
		if p.Null {
			w.stats.MalformedValues++
		} else {
			w.stats.Malformed++
		}
		w.stats.Faults[p.Fault]++
		w.problem(p)
	}
	if len(w.problems) > 0 {
		if n := w.dropped.Add(int64(len(w.problems))); w.opt.MaxErrors > 0 && n > w.opt.MaxErrors {
			w.stop(&TooManyErrors{w.opt.MaxErrors})
		}
	}
	if len(w.rejected) > 0 {
		if _, err := w.opt.Rejects.Write(w.rejected); err != nil {
			w.stop(fmt.Errorf("writing rejected records: %w", err))
		}
	}
}

// fill fills account_id, region and flow_log_id from the name of the object, where its records do not have them.
func (w *worker) fill(b *block) {
	for _, given := range []struct{ field, value string }{{"account_id", b.key.Account}, {"region", b.key.Region}, {"flow_log_id", b.key.FlowLogID}} {
		if given.value == "" {
			continue
		}
		if c := w.byName[given.field]; c != nil && c.Blank() {
			c.Repeat(given.value, w.rows)
		}
	}
}

// crop removes the records outside the time of Options.
func (w *worker) crop() {
	if w.end == nil || w.rows == 0 {
		return
	}
	w.window = w.window[:0]
	if !w.end.Blank() {
		nulls := w.end.Nulls
		for row, end := range w.end.Int64 {
			if len(nulls) > 0 && nulls[0] == int32(row) {
				nulls = nulls[1:]
				continue
			}
			if end >= w.opt.Since && (w.opt.Until == 0 || end < w.opt.Until) && (end < w.opt.GapSince || end >= w.opt.GapUntil) {
				w.window = append(w.window, int32(row))
			} else {
				w.outside.Cover(end)
			}
		}
	}
	if len(w.window) == w.rows {
		return
	}
	w.stats.Outside += int64(w.rows - len(w.window))
	for _, c := range w.cols {
		c.Keep(w.window)
	}
	for _, c := range w.extra {
		c.Keep(w.window)
	}
	w.rows = len(w.window)
}

// statuses counts the first rows of the columns by log_status.
func (w *worker) statuses(rows int) schema.Stats {
	st := schema.Stats{Records: int64(rows)}
	if w.status.Blank() || w.status.Len() < rows || len(w.status.Nulls) == rows {
		st.Flows = st.Records
		return st
	}
	counts := make([]int64, w.status.Dict.Len())
	codes := w.status.Int32
	for from, to := 0, 0; from < len(codes); from = to {
		for to < len(codes) && codes[to] == codes[from] { // a count for each row would wait for the one before
			to++
		}
		counts[codes[from]] += int64(to - from)
	}
	nulls := int64(len(w.status.Nulls)) // they have code 0
	counts[0] -= nulls
	st.Flows = nulls
	for code, n := range counts {
		switch string(w.status.Dict.Value(int32(code))) {
		case schema.StatusOK:
			st.Flows += n
		case schema.StatusNoData:
			st.NoData += n
		case schema.StatusSkipData:
			st.SkipData += n
		default:
			st.Other += n
		}
	}
	return st
}

// record wraps the columns as an Arrow record. It is valid until reset.
func (w *worker) record() arrow.Record {
	cols := make([]arrow.Array, 0, len(w.cols)+len(w.extra))
	for _, c := range w.cols[:len(w.projection.Fields)] {
		cols = append(cols, c.Array())
	}
	s := w.schema
	if w.projection.Coded || len(w.extra) > 0 {
		fields := slices.Clone(s.Fields())
		for i := range fields {
			fields[i].Type = cols[i].DataType()
		}
		for _, c := range w.extra {
			if c.Len() == 0 || c.Blank() {
				continue // as if the block had no such column
			}
			cols = append(cols, c.Array())
			fields = append(fields, arrow.Field{Name: c.Name, Type: c.Kind.Arrow(), Nullable: true})
		}
		s = arrow.NewSchema(fields, nil)
	}
	rec := array.NewRecord(s, cols, int64(w.rows))
	for _, c := range cols {
		c.Release()
	}
	return rec
}
