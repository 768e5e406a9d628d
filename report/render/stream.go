package render

import (
	"io"
	"sync"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// A stream is the RecordWriter of the text formats: batches are encoded concurrently, each into a buffer of its own, and
// written in order.
type stream struct {
	out    io.Writer
	fields schema.Table
	// encode appends the rows of a batch to the page.
	encode func(p *page) error
	// between is written between the rows of two batches, end after the last.
	between, end string

	turns   cells.Sequencer
	written bool
	pages   sync.Pool
}

// A page is the memory for encoding one batch, reused for the next.
type page struct {
	cells cells.Batch
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
	if !cells.Empty(b) {
		err := p.cells.Load(b.Record, s.fields)
		if err == nil {
			err = s.encode(p)
		}
		if err != nil {
			return s.turns.Fail(err)
		}
	}
	return s.turns.Do(b.Seq, func() error { return s.write(p.text) })
}

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
	return s.turns.Finish(func() error {
		if s.end == "" {
			return nil
		}
		_, err := io.WriteString(s.out, s.end)
		return err
	})
}
