package price

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
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
		in, err := plain(file)
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

var bom = []byte("\xef\xbb\xbf")

// plain returns what a file has without gzip and without a mark of its byte order.
func plain(file io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(file, 64<<10)
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" { // what is shorter is not compressed
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		in = bufio.NewReaderSize(gzipReader{z}, 64<<10)
	}
	if mark, _ := in.Peek(len(bom)); bytes.Equal(mark, bom) {
		_, _ = in.Discard(len(bom)) // they are there
	}
	return in, nil
}

// gzipReader says in errors which step failed.
type gzipReader struct{ r io.Reader }

func (g gzipReader) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if err == io.ErrUnexpectedEOF {
		err = errCutOff
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("gzip: %w", err)
	}
	return n, err
}
