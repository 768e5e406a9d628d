package s3

import (
	"context"
	"io"
	"sync"
)

// aheadBytes bounds the memory that is taken by objects nobody has opened yet. It is also what bounds how
// many large objects are begun ahead of time: each of these counts with a part.
const aheadBytes = 32 << 20

// ahead fetches the beginnings of the objects that come next, so that their readers do not wait for S3. It
// begins when the first object is opened: who only lists, or looks at one header, costs nothing more. What is
// next goes by the last object in the order of the listing that was opened, so objects that nobody opens
// hold nothing up.
type ahead struct {
	ctx   context.Context
	most  int
	mu    sync.Mutex
	queue []*fetch // listed, from the first one on that is after all that were opened
	first int      // the place of queue[0] in the listing
	begun int      // how many of the queue are under way
	bytes int64    // that these take
	going bool     // an object was opened
}

// fetch is an object that may be fetched ahead of time. What was fetched is let go of when it is opened: whoever
// listed the object may remember it for long.
type fetch struct {
	*object
	result *result // nil until it is begun, and again when it is taken
}

// result is there when done is closed.
type result struct {
	done   chan struct{}
	reader *reader
	err    error
}

// cost is how much memory the object takes before it is opened, or will be under way from the network.
func (o *object) cost() int64 {
	if n := o.first(); n > 0 || o.size == 0 {
		return n
	}
	return min(o.size, partSize)
}

// add takes an object in as the next of the listing. It returns the function that opens it.
func (a *ahead) add(o *object) func(context.Context) (io.ReadCloser, error) {
	f := &fetch{object: o}
	a.mu.Lock()
	defer a.mu.Unlock()
	place := a.first + len(a.queue)
	a.queue = append(a.queue, f)
	a.fill()
	return func(ctx context.Context) (io.ReadCloser, error) {
		got := a.take(place, f)
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

// take removes f, and what was listed before it, from the queue. It returns what was fetched of f the first time
// and then nil, so that an object can be opened twice.
func (a *ahead) take(place int, f *fetch) *result {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.going = true
	if n := min(place-a.first+1, len(a.queue)); n > 0 {
		for _, f := range a.queue[:min(n, a.begun)] {
			a.bytes -= f.cost()
		}
		clear(a.queue[:n])
		a.queue = a.queue[n:]
		a.first += n
		a.begun = max(a.begun-n, 0)
	}
	a.fill()
	got := f.result
	f.result = nil
	return got
}

// fill begins as many fetches as there is room for. The caller holds mu.
func (a *ahead) fill() {
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
