// Package stream reads JSON and CSV of any size, with gzip or without, in little memory: price lists and bills.
package stream

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

var bom = []byte("\xef\xbb\xbf")

// MaxMember is the most bytes of a member of an object, or of a record, that is kept.
const MaxMember = 1 << 20

// Plain returns what a file has without gzip and without a mark of its byte order.
func Plain(file io.Reader) (*bufio.Reader, error) {
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
		err = ErrCutOff
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("gzip: %w", err)
	}
	return n, err
}
