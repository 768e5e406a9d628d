package s3

import (
	"errors"
	"io"
	"slices"
)

const (
	// direct is from what length on a read is one request for just that.
	direct = 1 << 20

	// smallest and largest bound what is fetched for shorter reads: readers of columns ask for a few
	// kilobytes at a time, one after the other. It begins small, since columns are short in a file of five
	// minutes, and doubles as long as reads follow each other, so that at most as much is fetched in vain as
	// was of use.
	smallest = 64 << 10
	largest  = 2 << 20

	// kept is how much of one object is remembered: a stretch for each of eight columns that are read at
	// the same time.
	kept = 8 * largest
)

// segment is a piece of the object that was fetched for ReadAt.
type segment struct {
	from, to int64
	data     []byte
	err      error
	ready    chan struct{} // closed when data or err is there
}

// ReadAt reads by requests for ranges of the object.
func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	n := 0
	for n < len(p) && off < r.size {
		m, err := r.readAt(p[n:min(int64(len(p)), int64(n)+r.size-off)], off)
		n += m
		off += int64(m)
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readAt reads some of p, which is not beyond the end of the object.
func (r *reader) readAt(p []byte, off int64) (int, error) {
	if off < int64(len(r.head)) {
		return copy(p, r.head[off:]), nil
	}
	r.mu.Lock()
	i := slices.IndexFunc(r.segments, func(s *segment) bool { return s.from <= off && off < s.to })
	var s *segment
	switch {
	case i >= 0:
		s = r.segments[i]
		r.segments = append(slices.Delete(r.segments, i, i+1), s)
	case len(p) >= direct:
		r.mu.Unlock()
		return io.ReadFull(&stream{r: r, off: off, end: off + int64(len(p))}, p)
	default:
		s = r.load(off, r.until(off, max(int64(len(p)), r.stretch(off))))
	}
	r.mu.Unlock()
	select {
	case <-s.ready:
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
	if s.err != nil {
		r.mu.Lock()
		r.segments = slices.DeleteFunc(r.segments, func(x *segment) bool { return x == s })
		r.mu.Unlock()
		return 0, s.err
	}
	return copy(p, s.data[off-s.from:]), nil
}

// stretch returns how much is fetched for a read at off. The caller holds mu.
func (r *reader) stretch(off int64) int64 {
	for _, s := range r.segments {
		if s.to == off {
			return min(2*(s.to-s.from), largest)
		}
	}
	return smallest
}

// until returns where to stop to fetch n bytes from off on: before what is there already. The caller holds mu.
func (r *reader) until(off, n int64) int64 {
	end := min(off+n, r.size)
	for _, s := range r.segments {
		if s.from > off {
			end = min(end, s.from)
		}
	}
	return end
}

// load begins to fetch bytes from up to to, and forgets what was not used for long. The caller holds mu.
func (r *reader) load(from, to int64) *segment {
	s := &segment{from: from, to: to, ready: make(chan struct{})}
	r.segments = append(r.segments, s)
	total := int64(0)
	for i := len(r.segments) - 1; i >= 0; i-- {
		if total += r.segments[i].to - r.segments[i].from; total > kept {
			r.segments = slices.Delete(r.segments, 0, i+1)
			break
		}
	}
	go func() {
		defer close(s.ready)
		data := make([]byte, to-from)
		if _, s.err = io.ReadFull(&stream{r: r, off: from, end: to}, data); s.err == nil {
			s.data = data
		}
	}()
	return s
}
