package stream

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A JSON reads JSON of any size without keeping it: members that are not wanted are passed over.
type JSON struct {
	in   *bufio.Reader
	line int // of what was read last
	kept []byte
	keep bool
}

var (
	ErrCutOff = errors.New("the file is cut off")
	errLarge  = errors.New("a member of more than 1 MiB")
)

// byte reads a byte.
func (s *JSON) byte() (byte, error) {
	b, err := s.in.ReadByte()
	if err == io.EOF {
		err = ErrCutOff
	}
	if b == '\n' {
		s.line++
	}
	if s.keep && err == nil {
		if s.kept = append(s.kept, b); len(s.kept) > MaxMember {
			err = errLarge
		}
	}
	return b, err
}

// next reads the next byte that is no space.
func (s *JSON) next() (byte, error) {
	for {
		b, err := s.byte()
		if err != nil || b != ' ' && b != '\n' && b != '\t' && b != '\r' {
			return b, err
		}
	}
}

// text passes over the rest of a string, after its first quote. Nearly all of a price list is in strings.
func (s *JSON) text() error {
	for {
		if _, err := s.in.Peek(1); err == io.EOF {
			return ErrCutOff
		} else if err != nil {
			return err
		}
		part, _ := s.in.Peek(s.in.Buffered()) // it is there
		end := bytes.IndexByte(part, '"')
		if end >= 0 {
			part = part[:end+1]
		}
		escape := bytes.IndexByte(part, '\\')
		if escape >= 0 {
			part = part[:escape+1]
		}
		if s.keep {
			s.kept = append(s.kept, part...)
			if len(s.kept) > MaxMember {
				return errLarge
			}
		}
		s.line += bytes.Count(part, []byte{'\n'})
		if _, err := s.in.Discard(len(part)); err != nil {
			return err
		}
		if escape >= 0 {
			if _, err := s.byte(); err != nil {
				return err
			}
		} else if end >= 0 {
			return nil
		}
	}
}

// skip passes over a value whose first byte was read.
func (s *JSON) skip(first byte) error {
	switch first {
	case '"':
		return s.text()
	case '{', '[':
	default:
		return s.scalar()
	}
	for depth := 1; depth > 0; {
		b, err := s.byte()
		if err != nil {
			return err
		}
		switch b {
		case '"':
			if err := s.text(); err != nil {
				return err
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
	}
	return nil
}

// scalar passes over the rest of a number or a word.
func (s *JSON) scalar() error {
	for {
		b, err := s.in.Peek(1)
		if err == io.EOF {
			return ErrCutOff
		}
		if err != nil {
			return err
		}
		switch b[0] {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			return nil
		}
		if _, err := s.byte(); err != nil {
			return err
		}
	}
}

// Value reads the next value into to.
func (s *JSON) Value(to any) error {
	first, err := s.next()
	if err != nil {
		return err
	}
	s.keep, s.kept = true, append(s.kept[:0], first)
	err = s.skip(first)
	s.keep = false
	if err == nil {
		err = json.Unmarshal(s.kept, to)
	}
	return err
}

// Object calls member for each member of an object, which reads the value.
func (s *JSON) Object(member func(name string) error) error {
	b, err := s.next()
	if err != nil {
		return err
	}
	if b != '{' {
		return fmt.Errorf("%q where an object begins", b)
	}
	for n := 0; ; n++ {
		b, err := s.next()
		if err == nil && n > 0 && b == ',' {
			b, err = s.next()
		} else if err == nil && n > 0 && b != '}' {
			err = fmt.Errorf("%q between the members of an object", b)
		}
		if err != nil || b == '}' {
			return err
		}
		var name string
		if b != '"' {
			return fmt.Errorf("%q where a name begins", b)
		}
		s.keep, s.kept = true, append(s.kept[:0], b)
		err = s.text()
		s.keep = false
		if err == nil {
			err = json.Unmarshal(s.kept, &name)
		}
		if err == nil {
			b, err = s.next()
		}
		if err == nil && b != ':' {
			err = fmt.Errorf("%q behind the name %q", b, name)
		}
		if err == nil {
			err = member(name)
		}
		if err != nil {
			return err
		}
	}
}

// Pass passes over the next value.
func (s *JSON) Pass() error {
	b, err := s.next()
	if err != nil {
		return err
	}
	return s.skip(b)
}

// Array calls element for each element of an array, which reads it.
func (s *JSON) Array(element func() error) error {
	b, err := s.next()
	if err != nil {
		return err
	}
	if b != '[' {
		return fmt.Errorf("%q where a list begins", b)
	}
	for n := 0; ; n++ {
		b, err := s.next()
		if err != nil || b == ']' {
			return err
		}
		switch {
		case n == 0:
			err = s.back(b)
		case b != ',':
			err = fmt.Errorf("%q between the elements of a list", b)
		}
		if err == nil {
			err = element()
		}
		if err != nil {
			return err
		}
	}
}

// back takes back the byte that was read last, which is no line's end.
func (s *JSON) back(byte) error { return s.in.UnreadByte() }

// Whole reads the members of the one object that a text is. Errors have the name and the line.
func Whole(name string, in *bufio.Reader, member func(s *JSON, name string) error) error {
	s := &JSON{in: in, line: 1}
	err := s.Object(func(name string) error { return member(s, name) })
	if err == nil {
		if b, end := s.next(); end == nil {
			err = fmt.Errorf("%q behind the end of the object", b)
		} else if end != ErrCutOff {
			err = end
		}
	}
	if err != nil {
		return fmt.Errorf("%s:%d: %w", name, s.line, err)
	}
	return nil
}
