package cells

import (
	"errors"
	"fmt"
	"sync"
)

// errClosed is the error of an Add that waits for a batch which was never added.
var errClosed = errors.New("the output was closed before all records had come")

// A Sequencer runs concurrent calls one after another in the order of their numbers, 0, 1, 2 … After the first error all
// calls fail with it. The zero value is ready to use.
type Sequencer struct {
	mu    sync.Mutex
	moved *sync.Cond
	next  int64
	err   error
}

// Do calls f after the calls of all lower numbers, and exclusively.
func (s *Sequencer) Do(number int64, f func() error) error {
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

// Fail stops the sequencer with an error, unless it is stopped already, and returns the error that it stopped with.
func (s *Sequencer) Fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop(err)
	return s.err
}

// Finish calls f as the last call: later ones, and those still waiting, get errClosed.
func (s *Sequencer) Finish(f func() error) error {
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

func (s *Sequencer) stop(err error) {
	if s.err != nil {
		return
	}
	s.err = err
	if s.moved != nil {
		s.moved.Broadcast()
	}
}
