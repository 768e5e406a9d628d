package s3

import (
	"context"
	"io"
	"sync"
)

// aheadBytes bounds the memory of objects that were fetched and are not opened yet. A large object counts with one part, so
// this also bounds the number of large objects that are begun.
const aheadBytes = 32 << 20

// ahead fetches the beginnings of the next objects of a listing, so that their readers do not wait for S3. It starts with
// the first Open: a caller that only lists, or reads one header, causes no further requests. The next objects are those
// behind the last one that was opened, so objects that nobody opens block nothing.
type ahead struct {
	ctx   context.Context
	most  int // fetches at a time
	mu    sync.Mutex
	queue []*fetch // the objects of the listing behind the last one that was opened
	first int      // index of queue[0] in the listing
	begun int      // number of fetches at the front of queue that have begun
	bytes int64    // cost of these
	going bool     // some object was opened
}

// A fetch is an object in the queue. It lets go of its result when it is opened, since the caller may keep the object for
// long.
type fetch struct {
	*object
	result *result // nil before the fetch begins, and after it was opened
}

// A result is valid once done is closed.
type result struct {
	done   chan struct{}
	reader *reader
	err    error
}

// cost is the memory, in bytes, that the object takes before it is opened.
func (o *object) cost() int64 {
	if n := o.first(); n > 0 || o.size == 0 {
		return n
	}
	return min(o.size, partSize)
}

// add appends an object to the queue. It returns the function that opens the object.
func (a *ahead) add(o *object) func(context.Context) (io.ReadCloser, error) {
	f := &fetch{object: o}
	a.mu.Lock()
	defer a.mu.Unlock()
	index := a.first + len(a.queue)
	a.queue = append(a.queue, f)
	a.start()
	return func(ctx context.Context) (io.ReadCloser, error) {
		got := a.dequeue(index, f)
		if got == nil {
			r, err := f.open(ctx)
			if err != nil {
				return nil, err
			}
			return r, nil
		}
		select {
		case <-got.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if got.err != nil {
			return nil, got.err
		}
		got.reader.unlink = context.AfterFunc(ctx, got.reader.cancel)
		return got.reader, nil
	}
}

// dequeue removes f, and the objects before it, from the queue. It returns the result of f on the first call and nil on
// later ones, so that an object can be opened twice.
func (a *ahead) dequeue(index int, f *fetch) *result {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.going = true
	if n := min(index-a.first+1, len(a.queue)); n > 0 {
		for _, f := range a.queue[:min(n, a.begun)] {
			a.bytes -= f.cost()
		}
		clear(a.queue[:n])
		a.queue = a.queue[n:]
		a.first += n
		a.begun = max(a.begun-n, 0)
	}
	a.start()
	got := f.result
	f.result = nil
	return got
}

// start begins fetches up to the limits of number and memory. The caller holds mu.
func (a *ahead) start() {
	for a.going && a.begun < min(a.most, len(a.queue)) && (a.begun == 0 || a.bytes+a.queue[a.begun].cost() <= aheadBytes) {
		f := a.queue[a.begun]
		a.begun++
		a.bytes += f.cost()
		got := &result{done: make(chan struct{})}
		f.result = got
		go func() {
			defer close(got.done)
			got.reader, got.err = f.open(a.ctx)
		}()
	}
}
