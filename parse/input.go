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
