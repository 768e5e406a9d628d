package price

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"flowlog/enrich/price/internal/stream"
)

// Read reads a file of prices: YAML, or one of AWS's price lists in JSON or CSV, with gzip or without, by its content. open
// opens the file; it is called twice for JSON, which has the products before their prices. Errors have name and line.
// Read needs no more memory for a large list than for a small one.
func Read(name string, open func() (io.ReadCloser, error)) (*Book, error) {
	l := &priceList{name: name, products: make(map[string]*product)}
	var text []byte // of YAML
	again := false
	read := func(pass func(in *bufio.Reader) error) error {
		file, err := open()
		if err != nil {
			return err
		}
		in, err := stream.Plain(file)
		if err == nil {
			err = pass(in)
		} else {
			err = fmt.Errorf("%s: %w", name, err)
		}
		if cerr := file.Close(); err == nil {
			err = cerr
		}
		return err
	}
	err := read(func(in *bufio.Reader) (err error) {
		start, _ := in.Peek(64) // a shorter file is all that there is
		switch start = bytes.TrimLeft(start, " \t\r\n"); {
		case bytes.HasPrefix(start, []byte("{")):
			again = true
			return l.readProducts(in)
		case bytes.HasPrefix(start, []byte(`"FormatVersion"`)), bytes.HasPrefix(start, []byte("FormatVersion,")),
			bytes.HasPrefix(start, []byte(`"SKU"`)), bytes.HasPrefix(start, []byte("SKU,")):
			return l.readCSV(in)
		}
		text, err = io.ReadAll(io.LimitReader(in, maxYAML+1))
		if err == nil && len(text) > maxYAML {
			err = errors.New("is larger than 1 MiB, the most that prices in YAML have")
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case text != nil:
		return ReadYAML(name, text)
	case again:
		if err := read(l.readTerms); err != nil {
			return nil, err
		}
	}
	if len(l.date) >= len("2026-08-17") && dateText.MatchString(l.date[:10]) {
		l.date = l.date[:10]
	} else {
		l.date = ""
	}
	return l.book()
}
