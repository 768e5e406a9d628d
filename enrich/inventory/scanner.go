package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxElement is the largest element of a listing that is read, in bytes. A security group with a thousand rules has
// less than one MiB.
const maxElement = 64 << 20

// A scanner splits a stream of JSON into members and elements. It holds one element in memory, not the document.
// Elements are only checked for matching brackets and quotes: what decodes them checks the rest.
type scanner struct {
	file  string
	r     io.Reader
	buf   []byte
	pos   int // of the next byte in buf
	err   error
	lines int // in front of buf
	last  int // bytes between the last line break in front of buf and buf
}

func newScanner(file string, r io.Reader) *scanner {
	return &scanner{file: file, r: r, buf: make([]byte, 0, 1<<18)}
}

// fill reads more, and keeps what is from the offset keep on: it returns by how much offsets have moved.
func (s *scanner) fill(keep int) (moved int, ok bool) {
	if s.err != nil {
		return 0, false
	}
	if keep > 0 {
		gone := s.buf[:keep]
		if n := bytes.Count(gone, []byte("\n")); n > 0 {
			s.lines += n
			s.last = keep - 1 - bytes.LastIndexByte(gone, '\n')
		} else {
			s.last += keep
		}
		s.buf = s.buf[:copy(s.buf, s.buf[keep:])]
		s.pos -= keep
	}
	if len(s.buf) == cap(s.buf) {
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), s.buf...)
	}
	for s.err == nil {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf, s.err = s.buf[:len(s.buf)+n], err
		if n > 0 {
			return keep, true
		}
	}
	return keep, false
}

// place is the file, line and column of an offset in buf.
func (s *scanner) place(at int) string {
	before := s.buf[:min(at, len(s.buf))]
	line, column := s.lines+1, s.last+len(before)+1
	if n := bytes.Count(before, []byte("\n")); n > 0 {
		line, column = line+n, len(before)-bytes.LastIndexByte(before, '\n')
	}
	return fmt.Sprintf("%s:%d: column %d", s.file, line, column)
}

// fault is an error at the next byte.
func (s *scanner) fault(format string, args ...any) error {
	return fmt.Errorf("%s: %w", s.place(s.pos), fmt.Errorf(format, args...))
}

// ended is the error for a document that has no end.
func (s *scanner) ended() error {
	s.pos = len(s.buf)
	if s.err != nil && s.err != io.EOF && !errors.Is(s.err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: %w", s.place(s.pos), s.err)
	}
	return s.fault("the JSON ends too early: the file was cut off, get the listing again")
}

// peek returns the next byte that is no white space, or 0 at the end.
func (s *scanner) peek() byte {
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			if c := s.buf[s.pos]; c > ' ' {
				return c
			}
		}
		if _, ok := s.fill(s.pos); !ok {
			return 0
		}
	}
}

// take reads one byte that must be there.
func (s *scanner) take(want byte) error {
	switch c := s.peek(); {
	case c == want:
		s.pos++
		return nil
	case c == 0 && s.pos >= len(s.buf):
		return s.ended()
	default:
		return s.fault("there is %q where JSON has %q", c, want)
	}
}

// brackets has 1 for bytes that open, 2 for those that close, and 3 for quotes.
var brackets = [256]uint8{'{': 1, '[': 1, '}': 2, ']': 2, '"': 3}

// value reads the next value. Its bytes are valid until the next call.
func (s *scanner) value() ([]byte, error) {
	if s.peek() == 0 {
		return nil, s.ended()
	}
	start, i, depth := s.pos, s.pos, 0
	more := func() error {
		if i-start > maxElement {
			return s.fault("an element of more than %d MiB: this is no listing of AWS's", maxElement>>20)
		}
		moved, ok := s.fill(start)
		start, i = start-moved, i-moved
		if !ok && depth == 0 {
			return nil // a number at the end of the file
		}
		if !ok {
			return s.ended()
		}
		return nil
	}
	for {
		if i == len(s.buf) {
			n := len(s.buf) - start
			if err := more(); err != nil {
				return nil, err
			}
			if len(s.buf)-start == n {
				break
			}
		}
		switch brackets[s.buf[i]] {
		case 1:
			depth++
		case 2:
			depth--
		case 3:
			end := i + 1
			for {
				for end < len(s.buf) && s.buf[end] != '"' && s.buf[end] != '\\' {
					end++
				}
				if end+1 < len(s.buf) && s.buf[end] == '\\' {
					end += 2
					continue
				}
				if end < len(s.buf) && s.buf[end] == '"' {
					break
				}
				ahead, was := end-i, len(s.buf)-start
				depth++ // a quote must be closed
				if err := more(); err != nil {
					return nil, err
				}
				depth--
				if end = i + ahead; len(s.buf)-start == was {
					return nil, s.ended()
				}
			}
			i = end
		default:
			if depth == 0 {
				if c := s.buf[i]; c == ',' || c <= ' ' {
					s.pos = i
					return s.buf[start:i], nil
				}
			}
			i++
			continue
		}
		if depth < 0 { // the bracket that closes what the value is in
			s.pos = i
			return s.buf[start:i], nil
		}
		if i++; depth == 0 {
			s.pos = i
			return s.buf[start:i], nil
		}
	}
	s.pos = i
	return s.buf[start:i], nil
}

// text reads the next value, which must be a string.
func (s *scanner) text() (string, error) {
	if c := s.peek(); c != '"' {
		if c == 0 {
			return "", s.ended()
		}
		return "", s.fault("there is %q where JSON has a string", c)
	}
	at := s.pos
	raw, err := s.value()
	if err != nil {
		return "", err
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		s.pos = min(at, s.pos)
		return "", s.fault("%w", err)
	}
	return text, nil
}

// members calls each with the name of each member of the next object. each must read its value.
func (s *scanner) members(each func(name string) error) error {
	if err := s.take('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		if s.peek() == '}' {
			s.pos++
			return nil
		}
		if !first {
			if err := s.take(','); err != nil {
				return err
			}
		}
		name, err := s.text()
		if err != nil {
			return err
		}
		if err := s.take(':'); err != nil {
			return err
		}
		if err := each(name); err != nil {
			return err
		}
	}
}

// elements calls each in front of each element of the next array. each must read it. null is an empty array.
func (s *scanner) elements(each func() error) error {
	if s.peek() == 'n' {
		_, err := s.value()
		return err
	}
	if err := s.take('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		if s.peek() == ']' {
			s.pos++
			return nil
		}
		if !first {
			if err := s.take(','); err != nil {
				return err
			}
		}
		if err := each(); err != nil {
			return err
		}
	}
}

// at says where in the file an error of decoding is, of the value that was read last.
func (s *scanner) at(raw []byte, err error) error {
	at := s.pos - len(raw)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at += int(syntax.Offset) - 1
	case errors.As(err, &kind):
		at += int(kind.Offset) - 1
		err = fmt.Errorf("there is a %s where AWS has something else: get the listing again", kind.Value)
	}
	return fmt.Errorf("%s: %w", s.place(max(at, 0)), err)
}
