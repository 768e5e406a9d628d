package price

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A jsonStream reads JSON of any size without keeping it: members that are not wanted are passed over.
type jsonStream struct {
	in   *bufio.Reader
	line int
	kept []byte
	keep bool
}

var (
	errCutOff = errors.New("the file is cut off")
	errLarge  = errors.New("a member of more than 1 MiB")
)

// byte reads a byte.
func (s *jsonStream) byte() (byte, error) {
	b, err := s.in.ReadByte()
	if err == io.EOF {
		err = errCutOff
	}
	if b == '\n' {
		s.line++
	}
	if s.keep && err == nil {
		if s.kept = append(s.kept, b); len(s.kept) > maxMember {
			err = errLarge
		}
	}
	return b, err
}

// next reads the next byte that is no space.
func (s *jsonStream) next() (byte, error) {
	for {
		b, err := s.byte()
		if err != nil || b != ' ' && b != '\n' && b != '\t' && b != '\r' {
			return b, err
		}
	}
}

// text passes over the rest of a string, after its first quote. Nearly all of a price list is in strings.
func (s *jsonStream) text() error {
	for {
		if _, err := s.in.Peek(1); err == io.EOF {
			return errCutOff
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
			if len(s.kept) > maxMember {
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
func (s *jsonStream) skip(first byte) error {
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
func (s *jsonStream) scalar() error {
	for {
		b, err := s.in.Peek(1)
		if err == io.EOF {
			return errCutOff
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

// value reads the next value into to.
func (s *jsonStream) value(to any) error {
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

// object calls member for each member of an object, which reads the value.
func (s *jsonStream) object(member func(name string) error) error {
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

// pass passes over the next value.
func (s *jsonStream) pass() error {
	b, err := s.next()
	if err != nil {
		return err
	}
	return s.skip(b)
}

// listedProduct is what flowlog reads of a product.
type listedProduct struct {
	Attributes struct {
		UsageType      string `json:"usagetype"`
		RegionCode     string `json:"regionCode"`
		FromRegionCode string `json:"fromRegionCode"`
		ToRegionCode   string `json:"toRegionCode"`
	} `json:"attributes"`
}

// listedTerm is what flowlog reads of a term.
type listedTerm struct {
	EffectiveDate   string `json:"effectiveDate"`
	PriceDimensions map[string]struct {
		Unit         string            `json:"unit"`
		BeginRange   string            `json:"beginRange"`
		EndRange     string            `json:"endRange"`
		PricePerUnit map[string]string `json:"pricePerUnit"`
	} `json:"priceDimensions"`
}

// readProducts reads the products of traffic: the first pass.
func (l *priceList) readProducts(in *bufio.Reader) error {
	found := false
	return l.stream(in, func(s *jsonStream, name string) error {
		switch name {
		case "publicationDate":
			return s.value(&l.date)
		case "products":
			found = true
			return s.object(func(sku string) error {
				var p listedProduct
				err := s.value(&p)
				a := p.Attributes
				region := a.RegionCode
				if region == "" {
					region = a.FromRegionCode
				}
				if err == nil {
					err = l.add(sku, a.UsageType, region, a.ToRegionCode)
				}
				return err
			})
		}
		return s.pass()
	}, func() error {
		if !found {
			return errors.New("is no price list of AWS: it has no products")
		}
		return nil
	})
}

// readTerms reads the prices of the products on demand: the second pass.
func (l *priceList) readTerms(in *bufio.Reader) error {
	return l.stream(in, func(s *jsonStream, name string) error {
		if name != "terms" {
			return s.pass()
		}
		return s.object(func(kind string) error {
			if kind != "OnDemand" {
				return s.pass()
			}
			return s.object(func(sku string) error {
				p := l.products[sku]
				if p == nil {
					return s.pass()
				}
				var terms map[string]listedTerm
				if err := s.value(&terms); err != nil {
					return err
				}
				return l.terms(p, terms)
			})
		})
	}, func() error { return nil })
}

func (l *priceList) terms(p *product, terms map[string]listedTerm) error {
	for _, term := range terms {
		for _, d := range term.PriceDimensions {
			if len(d.PricePerUnit) != 1 {
				return fmt.Errorf("a price of %s in %d currencies", p.what(), len(d.PricePerUnit))
			}
			for currency, price := range d.PricePerUnit {
				if err := l.row(p, term.EffectiveDate, d.Unit, currency, d.BeginRange, d.EndRange, price); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// stream reads the members of the object that a file is. done says what was wrong with them all.
func (l *priceList) stream(in *bufio.Reader, member func(s *jsonStream, name string) error, done func() error) error {
	s := &jsonStream{in: in, line: 1}
	err := s.object(func(name string) error { return member(s, name) })
	if err == nil {
		if b, end := s.next(); end == nil {
			err = fmt.Errorf("%q behind the end of the price list", b)
		} else if end != errCutOff {
			err = end
		}
	}
	if err == nil {
		err = done()
	}
	if err != nil {
		return fmt.Errorf("%s:%d: %w", l.name, s.line, err)
	}
	return nil
}
