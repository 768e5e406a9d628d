package parse

import (
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

	"flowlog/parse/schema"
)

// Options configure a scan; the zero value is a good default.
//
// Long because it is the flat list of what callers, mostly flags, can choose.
type Options struct {
	Workers   int       // goroutines that decode; 0 means one per processor; never more than MostWorkers
	Ordered   bool      // number the batches by their place in the input
	LogFormat []string  // the fields of records without a header, in order, by any name that a header may have
	Input     string    // the name of the format of all objects; "" recognises it by the content
	Rejects   io.Writer // takes dropped records as they were, each with a newline, and of dropped values row, field and value; implies Ordered
	MaxErrors int64     // number of records and values that may be dropped before the scan fails; 0 means any number
	BlockSize int       // bytes of content that are decoded together; 0 means a good number

	// LibraryGzip reads gzip with klauspost/compress instead of parse/internal/inflate, to compare speed and results.
	LibraryGzip bool

	// Rename maps names of the input, in the form of RenameKey, to fields. It takes precedence over other names of a field.
	Rename map[string]string

	// Renamed, if not nil, collects the names of Rename that the input has.
	Renamed *MetNames

	// Only names a text field and the one value of it that emit needs. Flows that a format excludes by its statistics are
	// counted and not read; emit still gets other flows without the value.
	Only struct{ Field, Value string }

	// Keys chooses objects by their names. A source may apply it too, to list less: the objects that it leaves out are not
	// in the Stats.
	Keys KeyFilter

	// MadeOf maps the Identity of objects to a part of the input that was made of them. If such an object is read, its
	// records count twice, and Stats.Remakes has it.
	MadeOf map[string]string

	// Since and Until bound the end of records, half-open, in Unix seconds; 0 is no bound. Records without an end are left
	// out. So are records whose end is from GapSince on and before GapUntil, which must lie between Since and Until.
	Since, Until       int64
	GapSince, GapUntil int64

	Meter *Meter // if not nil, it is kept up to date
}

// MostWorkers is the largest number of workers of a scan: each takes memory of its own, and more than a few per processor
// only wait for each other.
func MostWorkers() int { return max(16, 4*runtime.GOMAXPROCS(0)) }

// A Meter has the progress of a scan. Any goroutine may read it.
type Meter struct {
	Objects, Bytes           atomic.Int64 // objects read to the end; stored bytes read
	KnownObjects, KnownBytes atomic.Int64 // listed so far
	Listed                   atomic.Bool  // the listing is complete
}

// defaultBlockSize makes a block and its columns fit a core's second-level cache.
const defaultBlockSize = 256 << 10

// readAhead is the number of blocks that wait, beside one per worker. One gzip stream is unpacked about as fast as two
// workers decode it: with fewer blocks they wait for each other, a tenth of the time.
const readAhead = 6

// longestRecord bounds the memory for content without line ends.
const longestRecord = 64 << 20

var errTooLong = errors.New("a record is longer than 64 MiB: these are not flow logs")

// Scan reads all objects of src, and hands their records to emit in batches that have the columns of p: see
// schema.Emit. All batches of a worker come from one goroutine.
//
// Objects and records that cannot be read do not end the scan: they are in the Stats. An error means that emit failed, ctx
// ended, or more records and values than opt.MaxErrors were malformed; the Stats then are those of what was read before.
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
	s.files = sync.OnceValue(func() map[string]Object { return s.filesOf(ctx, src) })
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
	s.countObjects()
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

// countObjects adds the results of the objects to the statistics. No worker may be running.
func (s *scan) countObjects() {
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
}

// scan is the state of one Scan.
type scan struct {
	tally
	opt        Options
	projection *schema.Projection
	emit       schema.Emit
	stop       context.CancelCauseFunc
	work       chan *block
	objects    []*object
	files      func() map[string]Object // files of the input by fingerprint, listed on the first call; nil if only a header is read
	layouts    map[string]*layout       // interned layouts by their names
	progress
	pools
}

// progress is the state that the workers of a scan share.
type progress struct {
	seq     atomic.Int64 // number of the next batch, unless ordered
	refused atomic.Bool  // emit has failed: it gets no more batches
	dropped atomic.Int64 // records and values dropped so far
}

// pools keep memory for reuse.
type pools struct {
	buffers sync.Pool // of *[]byte: the data of blocks
	pages   sync.Pool // of *page, of Parquet
	rooms   rooms
}

// identityOf is Identity, and for a file without a key its absolute path.
func identityOf(name string, key Key) string {
	identity := Identity(name, key)
	if identity == name && !strings.Contains(name, "://") {
		if abs, err := filepath.Abs(name); err == nil {
			return abs
		}
	}
	return identity
}

// Identity is the same for all copies of an object: the file name that AWS gave it, which no other object has, or else its
// whole name.
func Identity(name string, key Key) string {
	if key.FlowLogID == "" {
		return name
	}
	name, _, _ = strings.Cut(path.Base(name), ".")
	return name
}

// read opens the objects, several at a time, and sends their blocks. It closes s.work at the end.
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

// listAhead is the number of objects that are listed before they are read, so that the meter knows them.
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

// chooses reports whether an object is to be read, and parses its name. An object that is not chosen is counted.
func (s *scan) chooses(o *object) (ok bool) {
	s.Lock()
	defer s.Unlock()
	o.key, ok = s.opt.Keys.Choose(o.Name, &s.Unchosen)
	return ok
}

// dispatch sends the blocks of all objects in the order of the input.
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

// needs reports whether the column of a name of the input is read.
func (s *scan) needs(name string) bool {
	if s.projection.Index(name) >= 0 || name == "log_status" || name == "end" && s.timed() {
		return true
	}
	_, other := s.projection.Other(name)
	return other
}

// timed reports whether records are selected by their time.
func (s *scan) timed() bool { return s.opt.Since != 0 || s.opt.Until != 0 }

// TooManyErrors ends a scan that dropped more than Options.MaxErrors records and values.
type TooManyErrors struct{ Most int64 }

func (e *TooManyErrors) Error() string {
	if e.Most == 1 {
		return "more than 1 malformed record or value"
	}
	return fmt.Sprintf("more than %d malformed records or values", e.Most)
}
