package render

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"flowlog/parse/schema"
)

// errClosed is the error of an Add that waits for a batch which was never added.
var errClosed = errors.New("the output was closed before all records had come")

// A sequencer runs concurrent calls one after another in the order of their numbers, 0, 1, 2 … After the first error all
// calls fail with it. The zero value is ready to use.
type sequencer struct {
	mu    sync.Mutex
	moved *sync.Cond
	next  int64
	err   error
}

// do calls f after the calls of all lower numbers, and exclusively.
func (s *sequencer) do(number int64, f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moved == nil {
		s.moved = sync.NewCond(&s.mu)
	}
	if number < s.next && s.err == nil {
		s.stop(fmt.Errorf("batch %d came after batch %d", number, s.next-1))
	}
	for s.next != number && s.err == nil {
		s.moved.Wait()
	}
	if s.err != nil {
		return s.err
	}
	if err := f(); err != nil {
		s.stop(err)
		return err
	}
	s.next++
	s.moved.Broadcast()
	return nil
}

// fail stops the sequencer with an error, unless it is stopped already, and returns the error that it stopped with.
func (s *sequencer) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop(err)
	return s.err
}

// finish calls f as the last call: later ones, and those still waiting, get errClosed.
func (s *sequencer) finish(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err == errClosed:
		return nil
	case s.err != nil:
		return s.err
	}
	if err := f(); err != nil {
		s.stop(err)
		return err
	}
	s.stop(errClosed)
	return nil
}

func (s *sequencer) stop(err error) {
	if s.err != nil {
		return
	}
	s.err = err
	if s.moved != nil {
		s.moved.Broadcast()
	}
}

// A stream is the RecordWriter of the text formats: batches are encoded concurrently, each into a buffer of its own, and
// written in order.
type stream struct {
	out    io.Writer
	fields schema.Table
	// encode appends the rows of a batch to the page.
	encode func(p *page) error
	// between is written between the rows of two batches, end after the last.
	between, end string

	turns   sequencer
	written bool
	pages   sync.Pool
}

// A page is the memory for encoding one batch, reused for the next.
type page struct {
	cells cells
	text  []byte
}

// start writes what precedes the rows.
func (s *stream) start(head string) (RecordWriter, error) {
	if head == "" {
		return s, nil
	}
	_, err := io.WriteString(s.out, head)
	return s, err
}

func (s *stream) Add(b schema.Batch) error {
	p, ok := s.pages.Get().(*page)
	if !ok {
		p = new(page)
	}
	defer s.pages.Put(p)
	p.text = p.text[:0]
	if !empty(b) {
		err := p.cells.load(b.Record, s.fields)
		if err == nil {
			err = s.encode(p)
		}
		if err != nil {
			return s.turns.fail(err)
		}
	}
	return s.turns.do(b.Seq, func() error { return s.write(p.text) })
}

// empty reports whether a batch has no records: it may only fill its number in the sequence.
func empty(b schema.Batch) bool { return b.Record == nil || b.NumRows() == 0 }

func (s *stream) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if s.written && s.between != "" {
		if _, err := io.WriteString(s.out, s.between); err != nil {
			return err
		}
	}
	s.written = true
	_, err := s.out.Write(text)
	return err
}

func (s *stream) Close() error {
	return s.turns.finish(func() error {
		if s.end == "" {
			return nil
		}
		_, err := io.WriteString(s.out, s.end)
		return err
	})
}
