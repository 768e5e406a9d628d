package s3

import (
	"errors"
	"io"
	"slices"
)

const (
	// direct is the length, in bytes, from which on a read is one request for exactly its range.
	direct = 1 << 20

	// minFetch and maxFetch bound the bytes that are fetched for a shorter read. Readers of columns read a few kilobytes at a
	// time, in sequence. The amount begins small, since columns of a five-minute file are short, and doubles while reads are
	// in sequence: at most as many bytes are fetched in vain as were of use.
	minFetch = 64 << 10
	maxFetch = 2 << 20

	// segmentBytes is the number of bytes of one object that stay in memory: maxFetch for each of eight columns that are read
	// at the same time.
	segmentBytes = 8 * maxFetch
)

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

// readAt reads at least the first byte of p, which must not lie beyond the end of the object.
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
		s = r.load(off, r.fetchEnd(off, max(int64(len(p)), r.fetchSize(off))))
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

// fetchSize is the number of bytes to fetch for a read at off: twice those of the segment that ends there, if one does. The
// caller holds mu.
func (r *reader) fetchSize(off int64) int64 {
	for _, s := range r.segments {
		if s.to == off {
			return min(2*(s.to-s.from), maxFetch)
		}
	}
	return minFetch
}

// fetchEnd is where a fetch of n bytes from off on ends: where the next segment begins, at the latest. The caller holds mu.
func (r *reader) fetchEnd(off, n int64) int64 {
	end := min(off+n, r.size)
	for _, s := range r.segments {
		if s.from > off {
			end = min(end, s.from)
		}
	}
	return end
}

// load begins to fetch the bytes from up to to, and drops the segments that were used least recently. The caller holds mu.
func (r *reader) load(from, to int64) *segment {
	s := &segment{from: from, to: to, ready: make(chan struct{})}
	r.segments = append(r.segments, s)
	total := int64(0)
	for i := len(r.segments) - 1; i >= 0; i-- {
		if total += r.segments[i].to - r.segments[i].from; total > segmentBytes {
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
