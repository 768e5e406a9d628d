package parse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/valyala/fastjson"

	"flowlog/parse/schema"
)

// Options says how a scan goes. The zero value is what most callers want.
type Options struct {
	Workers   int       // goroutines that decode; 0 means one per processor; never more than MostWorkers
	Ordered   bool      // number the batches by their place in the input
	LogFormat []string  // the fields of records without a header, in order, by any name that a header may have
	Input     string    // the name of the format of all objects; "" tells it from the content
	Rejects   io.Writer // takes dropped records as they were, each with a newline, and of dropped values row, field and value; implies Ordered
	MaxErrors int64     // how many records and values may be dropped before the scan fails; 0 means any number
	BlockSize int       // bytes of content that are decoded together; 0 means a good number

	// LibraryGzip has klauspost/compress read gzip, for comparing with parse/internal/inflate: in speed, and
	// where what that makes of an object is in doubt.
	LibraryGzip bool

	// Rename has the fields that names of the input stand for, in the form of RenameKey. They go before all others.
	Rename map[string]string

	// Renamed, if it is not nil, gets those names of Rename that the input has.
	Renamed *MetNames

	// Only names a text field and the one value of it that emit cares for. Where a format tells without
	// reading them that none of some flows has it, they are counted and passed over; others still come.
	Only struct{ Field, Value string }

	// Keys chooses objects by their names. Sources may have heeded it already, where that saves listing: what they left
	// out is not in the Stats.
	Keys KeyFilter

	// MadeOf has, by what Identity says of objects, what was made of them and is in the input too: where they are read, their
	// records count twice, which Stats.Remakes says.
	MadeOf map[string]string

	// Records whose end is before Since or not before Until are passed over, and those without an end. 0 is no
	// bound. So are those whose end is from GapSince on and before GapUntil, of which Since and Until must be around. In
	// Unix seconds.
	Since, Until       int64
	GapSince, GapUntil int64

	Meter *Meter // is kept up to date, if it is not nil
}

// MostWorkers is how many workers a scan has at most: each takes memory of its own, and more than a few per processor
// only wait for each other.
func MostWorkers() int { return max(16, 4*runtime.GOMAXPROCS(0)) }

// A Meter shows how far a scan has come. Any goroutine may read it.
type Meter struct {
	Objects, Bytes           atomic.Int64 // read to the end; read, as stored
	KnownObjects, KnownBytes atomic.Int64 // that were listed so far
	Listed                   atomic.Bool  // all objects are known
}

// defaultBlockSize makes a block and its columns fit a core's second-level cache.
const defaultBlockSize = 256 << 10

// readAhead is how many blocks wait, beside one per worker. One gzip stream is unpacked about as fast as two
// workers decode it: with fewer blocks they wait for each other, a tenth of the time.
const readAhead = 6

// longestRecord bounds the memory that content without line ends can take.
const longestRecord = 64 << 20

var errTooLong = errors.New("a record is longer than 64 MiB: these are not flow logs")

// Scan reads all objects of src, and hands their records to emit in batches that have the columns of p: see
// schema.Emit. All batches of a worker come from one goroutine.
//
// Objects and records that cannot be read do not end the scan: they are in the Stats. An error means that
// emit failed, ctx ended, or more records and values than opt.MaxErrors were malformed; the Stats then say
// how far it came.
func Scan(ctx context.Context, src Source, p *schema.Projection, opt Options, emit schema.Emit) (Stats, error) {
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	opt.Workers = min(opt.Workers, MostWorkers())
	if opt.BlockSize <= 0 {
		opt.BlockSize = defaultBlockSize
	}
	opt.Ordered = opt.Ordered || opt.Rejects != nil
	opt.LogFormat = opt.fields(opt.LogFormat)
	if opt.Input != "" {
		if _, err := formatNamed(opt.Input); err != nil {
			return Stats{}, err
		}
	}
	if opt.Meter == nil {
		opt.Meter = new(Meter)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := &scan{opt: opt, projection: p, emit: emit, stop: stop, work: make(chan *block, opt.Workers+readAhead), layouts: make(map[string]*layout)}
	s.beside = sync.OnceValue(func() map[string]Object { return s.filesOf(ctx, src) })
	go s.read(ctx, src)
	var workers sync.WaitGroup
	for i := range opt.Workers {
		workers.Add(1)
		go func() {
			defer workers.Done()
			w := newWorker(s, i)
			for b := range s.work {
				w.do(b)
			}
			s.Lock()
			s.Add(w.stats)
			s.OutsideEnds.Join(w.outside)
			s.Unlock()
		}()
	}
	workers.Wait()
	for _, o := range s.objects {
		if own := (*OwnError)(nil); o.Found && o.records.Load() == 0 && errors.As(o.err, &own) {
			s.Passed = append(s.Passed, PassedOver{o.Name, own.What})
			continue
		}
		if o.err != nil {
			s.Failed = append(s.Failed, ObjectError{o.Name, o.records.Load(), o.err})
		}
		if o.opened {
			s.Objects++
		}
		if o.format != "" {
			if s.Formats == nil {
				s.Formats = make(map[string]schema.Volume)
			}
			v := s.Formats[o.format]
			v.Objects++
			v.Records += o.records.Load()
			s.Formats[o.format] = v
		}
		if l := o.current.Load(); l != nil && l.fixed {
			s.Headerless++
		}
		if l := o.current.Load(); l != nil && slices.Contains(l.names, "tgw_id") && !slices.Contains(l.names, "interface_id") {
			s.Transit += o.records.Load()
		}
		s.Bytes += o.bytes.Load()
	}
	s.remakes()
	s.Unknown = s.unknowns()
	for _, u := range s.Unknown {
		s.Strange = append(s.Strange, u.Name)
	}
	s.Lock()
	defer s.Unlock()
	stats := s.Stats
	stats.Unchosen = s.Unchosen.Clone() // a scan that was stopped may be listing still
	return stats, context.Cause(ctx)
}

// scan is the state of one Scan.
type scan struct {
	beside func() map[string]Object // files of the input by their fingerprints, listed when first asked for; nil for a header
	tally
	opt        Options
	projection *schema.Projection
	emit       schema.Emit
	stop       context.CancelCauseFunc
	work       chan *block
	objects    []*object
	seq        atomic.Int64 // of batches, unless ordered
	refused    atomic.Bool  // emit has failed: it gets no more
	dropped    atomic.Int64
	buffers    sync.Pool
	pages      sync.Pool // of *page, of Parquet
	rooms      rooms
	layouts    map[string]*layout
}

// object is one object under way. Its index is its place in the source.
type object struct {
	Object
	identity string
	index    int
	opened   bool
	format   string
	key      Key
	madeOf   string       // what its metadata says
	bytes    atomic.Int64 // stored bytes read
	records  atomic.Int64
	current  atomic.Pointer[layout] // of the records read last, as far as is known
	mu       sync.Mutex
	err      error
}

// identityOf is Identity, and the same for a file by whichever path.
func identityOf(name string, key Key) string {
	identity := Identity(name, key)
	if identity == name && !strings.Contains(name, "://") {
		if abs, err := filepath.Abs(name); err == nil {
			return abs
		}
	}
	return identity
}

// Identity is the same for copies of an object: the name that AWS gave it, which no other object has, or else its
// own.
func Identity(name string, key Key) string {
	if key.FlowLogID == "" {
		return name
	}
	name, _, _ = strings.Cut(path.Base(name), ".")
	return name
}

// fail records the first thing that went wrong with the object.
func (o *object) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
}

// A block is a piece of an object: whole records, which one worker decodes into one batch. Blocks are
// given out in their order within the object, so a worker may wait for the block before its own.
type block struct {
	*object
	data   []byte
	span   *span // where the data is, if nobody has read it yet
	depth  int   // how many containers are open on the way to a list of events where the data starts
	decode func(w *worker, b *block, at place) place
	start  *place     // where it starts, if that is known, as it is for the first block of an object
	before chan place // from the block before; nil for the first of an object, unless the scan is ordered
	after  chan place // to the block after
	seq    int64
	done   func() // frees what decode needs; nil if that is only data
}

// free ends the use of the block.
func (b *block) free(s *scan) {
	if b.done != nil {
		b.done()
	}
	if b.span == nil {
		s.free(b.data)
	}
}

// place is where in an object a block starts: what the records there look like, and how many lines there
// are above.
type place struct {
	layout *layout
	line   int64
}

// read opens the objects, several at a time, and gives their blocks out. It closes s.work at the end.
func (s *scan) read(ctx context.Context, src Source) {
	defer close(s.work)
	var readers sync.WaitGroup
	defer readers.Wait()
	slots := make(chan struct{}, s.opt.Workers)
	var queues chan chan *block
	if s.opt.Ordered {
		queues = make(chan chan *block, s.opt.Workers)
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.dispatch(ctx, queues)
		}()
		defer func() { close(queues); <-done }()
	}
	seen := make(map[string]bool)
	for o := range s.list(ctx, src) {
		s.objects = append(s.objects, o)
		if o.err != nil {
			continue
		}
		name := identityOf(o.Name, o.key)
		o.identity = name
		if seen[name] {
			s.Twice = append(s.Twice, o.Name)
		} else {
			seen[name] = true
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		queue := s.work
		if s.opt.Ordered {
			queue = make(chan *block, 2)
			queues <- queue
		}
		readers.Add(1)
		go func() {
			defer readers.Done()
			defer func() { <-slots }()
			if s.opt.Ordered {
				defer close(queue)
			}
			in := &input{scan: s, object: o, ctx: ctx, queue: queue}
			if err := in.read(); err != nil && ctx.Err() == nil {
				o.fail(err)
			}
			s.opt.Meter.Objects.Add(1)
		}()
	}
}

// listAhead is how many objects are listed before they are read, so that the meter knows of them.
const listAhead = 1 << 16

// list lists the objects of the source.
func (s *scan) list(ctx context.Context, src Source) <-chan *object {
	listed := make(chan *object, listAhead)
	go func() {
		defer close(listed)
		defer s.opt.Meter.Listed.Store(true)
		index := 0
		for obj, err := range src.Objects(ctx) {
			o := &object{Object: obj, index: index, err: err}
			if err == nil && !s.chooses(o) {
				continue
			}
			index++
			if err == nil {
				s.opt.Meter.KnownObjects.Add(1)
				s.opt.Meter.KnownBytes.Add(max(obj.Size, 0))
			}
			select {
			case listed <- o:
			case <-ctx.Done():
				return
			}
		}
	}()
	return listed
}

// chooses reports whether an object is to be read, and reads its name. If not, it is counted.
func (s *scan) chooses(o *object) (ok bool) {
	s.Lock()
	defer s.Unlock()
	o.key, ok = s.opt.Keys.Choose(o.Name, &s.Unchosen)
	return ok
}

// dispatch gives out the blocks of all objects in the order of the input.
func (s *scan) dispatch(ctx context.Context, queues chan chan *block) {
	var seq int64
	var last chan place
	for queue := range queues {
		for b := range queue {
			b.seq = seq
			seq++
			b.before, b.after = last, make(chan place, 1)
			last = b.after
			select {
			case s.work <- b:
			case <-ctx.Done():
				last, seq = b.before, seq-1
				b.free(s)
			}
		}
	}
}

// input is one object being read by its goroutine.
type input struct {
	*scan
	*object
	ctx   context.Context
	queue chan *block
	last  chan place
	lent  bool // somebody else closes the object
}

// read finds out what the object is and reads it.
func (in *input) read() (err error) {
	defer recovered(&err)
	raw, err := in.Open(in.ctx)
	if err != nil {
		return err
	}
	defer func() {
		if !in.lent {
			err = cmp.Or(err, raw.Close())
		}
	}()
	in.opened = true
	c, err := openContent(&counter{in.ctx, raw, []*atomic.Int64{&in.bytes, &in.opt.Meter.Bytes}}, raw, in.opt)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, c.Close()) }()
	if len(c.head) == 0 {
		return c.err()
	}
	c.growLine()
	f, err := formatOf(c.head, in.opt)
	if err != nil {
		return err
	}
	in.format = f.Name
	return f.read(in, c)
}

// recovered turns a panic of a decoder that we did not write into an error of the object.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = damaged(r)
	}
}

// damaged is the error that a panic of a decoder says. What Go says of its own is no help to anybody.
func damaged(r any) error {
	if _, ok := r.(runtime.Error); ok {
		return errDamaged
	}
	return named("the file is damaged", fmt.Errorf("%v", r))
}

// send gives out a block. It reports false when the scan has ended.
func (in *input) send(b *block) bool {
	b.object = in.object
	if !in.opt.Ordered {
		b.before, b.after = in.last, make(chan place, 1)
		in.last = b.after
	}
	select {
	case in.queue <- b:
		return true
	case <-in.ctx.Done():
		b.free(in.scan)
		return false
	}
}

// buffer returns an empty buffer of the block size.
func (s *scan) buffer() []byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, s.opt.BlockSize)
}

// free takes back what buffer gave.
func (s *scan) free(b []byte) {
	if cap(b) == s.opt.BlockSize {
		s.buffers.Put(&b)
	}
}

// A boundary says where in data a block ends, 0 if there is no whole record, and how many containers on the way to a
// list of events are open there, as depth are at the start of data. It is the end of the last whole record, or if more,
// of one before it.
type boundary func(data []byte, depth int) (end, after int, more bool)

// cut reads r to its end and gives it out in blocks that end at a boundary. A last line without its newline gets
// one, unless reading broke off in it: then it is not a whole record.
func (in *input) cut(r io.Reader, start place, last boundary, decode func(*worker, *block, place) place) error {
	first := &start
	depth := 0
	buf := in.buffer()
	for {
		if len(buf) == cap(buf) {
			if len(buf) >= longestRecord {
				return errTooLong
			}
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		atEnd := err == io.EOF || err == io.ErrUnexpectedEOF
		for more := true; more; {
			var end, after int
			end, after, more = last(buf, depth)
			if atEnd && !more && end < len(buf) {
				if buf[len(buf)-1] != '\n' {
					buf = append(buf, '\n')
				}
				end = len(buf)
			}
			if end == 0 {
				break
			}
			rest := buf[end:]
			next := in.buffer()
			if len(rest) > cap(next) {
				next = make([]byte, 0, 2*len(rest))
			}
			next = append(next, rest...)
			if !in.send(&block{data: buf[:end], decode: decode, start: first, depth: depth}) {
				return nil
			}
			first, depth = nil, after
			buf = next
		}
		if err != nil {
			if atEnd {
				return nil
			}
			return err
		}
	}
}

// worker decodes blocks, one at a time.
type worker struct {
	*scan
	id      int
	stats   schema.Stats
	outside Ends
	schema  *arrow.Schema    // of a batch without extra columns
	cols    []*schema.Column // of the projection, then those of status and end that are not in there
	status  *schema.Column
	end     *schema.Column // nil if time does not matter
	window  []int32
	byName  map[string]*schema.Column
	extra   []*schema.Column // columns of the input that the table does not know
	bound   map[*layout]*binding
	words   map[*schema.Column]words // dictionaries of Parquet that were converted last
	rows    int                      // in the columns
	seps    []int32                  // of the block, see separators
	loaded  []byte                   // the memory of spans
	tokens  [][]byte
	touched []*schema.Column // that have a value of the record at hand, see drop
	json    fastjson.Parser
	members []member            // of the object at hand
	fields  map[string]*field   // of members, by their names
	shapes  map[string][]*field // of the members of objects, by the names of all of these, see key
	shaped  int                 // how many members those objects had that were not among shapes
	key     []byte
	objects int64 // of JSON so far
	wide    int   // at least as many columns have values in the block, see room
	full    bool  // it has no room

	problems []Problem // of the block, lines counted from its start
	rejected []byte
}

func newWorker(s *scan, id int) *worker {
	w := &worker{scan: s, id: id, schema: s.projection.Fields.Arrow(), byName: make(map[string]*schema.Column), bound: make(map[*layout]*binding), words: make(map[*schema.Column]words), fields: make(map[string]*field), shapes: make(map[string][]*field)}
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

// needs reports whether the column for a name that the input uses is needed by anybody.
func (s *scan) needs(name string) bool {
	if s.projection.Index(name) >= 0 || name == "log_status" || name == "end" && s.timed() {
		return true
	}
	_, other := s.projection.Other(name)
	return other
}

// timed reports whether records are chosen by their time.
func (s *scan) timed() bool { return s.opt.Since != 0 || s.opt.Until != 0 }

// need returns the column of a field that decoding needs, whether the projection has it or not.
func (w *worker) need(name string) *schema.Column {
	if i := w.projection.Index(name); i >= 0 {
		return w.cols[i]
	}
	f, _ := schema.Logged().Named(name)
	c := schema.NewColumn(f)
	w.cols = append(w.cols, c)
	return c
}

// column returns the column for a name that the input uses, or nil if nobody needs it.
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

// do decodes a block and emits its batch. Whatever happens, it passes its place on and emits, since others
// wait for both.
func (w *worker) do(b *block) {
	at, exact := w.place(b)
	w.reset()
	if b.span != nil {
		w.load(b)
	}
	end := b.decode(w, b, at)
	switch {
	case b.start != nil && b.before != nil && w.opt.Ordered:
		<-b.before // what is reported comes in order too
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

// place says where the block starts, and whether that is certain: if the block before is not decoded yet,
// its layout is assumed to last and its lines are not counted.
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

// drop notes a record that cannot be used, and removes what was appended of it.
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

// report counts what the block held.
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

// fill puts what the name of the object says into the fields that its records do not have.
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

// crop removes the records outside the time that was asked for.
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

// TooManyErrors ends a scan that dropped more than Options.MaxErrors records and values.
type TooManyErrors struct{ Most int64 }

func (e *TooManyErrors) Error() string {
	if e.Most == 1 {
		return "more than 1 malformed record or value"
	}
	return fmt.Sprintf("more than %d malformed records or values", e.Most)
}

// statuses counts the first rows of the columns by their log-status.
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
