package parse

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// object is an object that is being read. Its index is that in the source.
type object struct {
	Object
	identity string
	index    int
	opened   bool
	format   string
	key      Key
	madeOf   string       // of its metadata: fingerprints of the objects that it was made of
	bytes    atomic.Int64 // stored bytes read
	records  atomic.Int64
	current  atomic.Pointer[layout] // of the records that were decoded last
	mu       sync.Mutex
	err      error
}

// fail records the first thing that went wrong with the object.
func (o *object) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
}

// A block is a piece of an object: whole records, which one worker decodes into one batch. Blocks are sent in their order
// within the object, so a worker may wait for the block before its own.
type block struct {
	*object
	data   []byte
	span   *span // where the data is in the file, if the worker reads it; else nil
	depth  int   // number of containers that are open at the start of data, on the way to a list of events
	decode func(w *worker, b *block, at place) place
	start  *place     // the place of the block, if it is known, as for the first block of an object; else nil
	before chan place // receives the place from the block before; nil for the first block of an object, unless the scan is ordered
	after  chan place // sends the place to the block after
	seq    int64
	done   func() // frees the resources of decode; nil if data is all
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

// A place is the state of decoding at the start of a block: the layout of the next record, and the number of lines above
// it.
type place struct {
	layout *layout
	line   int64
}

// input is one object being read by its goroutine.
type input struct {
	*scan
	*object
	ctx   context.Context
	queue chan *block
	last  chan place
	lent  bool // the object is closed by its spans
}

// read opens the object, recognises its format and reads it.
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

// recovered turns a panic of a library's decoder into an error of the object.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = damaged(r)
	}
}

// damaged is the error for a panic of a decoder. Messages of the Go runtime are no help to users and are left out.
func damaged(r any) error {
	if _, ok := r.(runtime.Error); ok {
		return errDamaged
	}
	return named("the file is damaged", fmt.Errorf("%v", r))
}

// send sends a block to the workers. It reports false when the scan has ended.
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

// free takes a buffer back.
func (s *scan) free(b []byte) {
	if cap(b) == s.opt.BlockSize {
		s.buffers.Put(&b)
	}
}

// A boundary returns where in data a block ends, 0 if there is no whole record, and after, the number of containers that
// are open there on the way to a list of events, as depth are at the start of data. The block ends behind the last whole
// record, or if more, behind an earlier one.
type boundary func(data []byte, depth int) (end, after int, more bool)

// cut reads r to its end and sends it in blocks that end at a boundary. A last line gets a newline if it lacks one, unless
// reading broke off within it: then it is not a whole record.
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
