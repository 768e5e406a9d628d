package parse

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
)

// A span is the lines that begin in a range of bytes of a file on disk. The worker that decodes them reads them, into
// memory that stays in its processor's cache: reading by another goroutine takes four times as long.
type span struct {
	file     *spanFile
	from, to int64
}

// spanFile is a file that is read in spans. The last of them closes it.
type spanFile struct {
	io.ReaderAt
	close func() error
	size  int64
	users atomic.Int64
}

func (f *spanFile) done() {
	if f.users.Add(-1) == 0 {
		_ = f.close() // nothing was written
	}
}

// spanSlack is the number of bytes that a worker reads beyond its span for the end of the last line.
const spanSlack = 1 << 10

// lines sends content that consists of lines, from byte skip of its head on: in spans if it is a file on disk.
func (in *input) lines(c *content, skip int, start place, decode func(*worker, *block, place) place) error {
	file, ok := c.raw.(interface {
		io.ReaderAt
		io.Closer
		Stat() (fs.FileInfo, error)
	})
	if !ok {
		return in.cut(c.Reader(skip), start, lineBoundary, decode)
	}
	info, err := file.Stat()
	if err != nil || info.Size() <= int64(in.opt.BlockSize) {
		return in.cut(c.Reader(skip), start, lineBoundary, decode)
	}
	f := &spanFile{ReaderAt: file, close: file.Close, size: info.Size()}
	f.users.Store(1)
	in.lent = true
	defer f.done()
	first := &start
	from := c.from + int64(skip)
	for step := int64(in.opt.BlockSize); from < f.size; from += step {
		f.users.Add(1)
		b := &block{decode: decode, start: first, done: f.done, span: &span{f, from, min(from+step, f.size)}}
		if !in.send(b) {
			return nil
		}
		first = nil
	}
	return nil
}

// load reads the lines of a block's span. If that fails, the object has failed, and the block has the lines before.
func (w *worker) load(b *block) {
	s := b.span
	from := s.from
	if b.start == nil {
		from-- // a line may begin right at the start
	}
	last := int(s.to - 1 - from) // in the data; a line that begins here or before is one of the span
	data, err := s.file.more(w.loaded[:0], from, last+1+spanSlack)
	begin, end := 0, -1
	if b.start == nil {
		begin = bytes.IndexByte(data[:min(last, len(data))], '\n') + 1
	}
	for begin > 0 || b.start != nil {
		if last < len(data) {
			end = bytes.IndexByte(data[last:], '\n')
		}
		if end >= 0 {
			data = data[:last+end+1]
			break
		}
		if err != nil {
			break
		}
		if len(data) > longestRecord {
			err = errTooLong
			break
		}
		data, err = s.file.more(data, from, 2*len(data))
	}
	w.loaded = data
	switch {
	case begin == 0 && b.start == nil:
		data = nil // a line from before goes on beyond the span, or there is nothing to read
		if err != nil && err != io.EOF {
			b.fail(reason(err))
		}
	case end >= 0:
	case err == io.EOF:
		data = append(data, '\n')
	default:
		b.fail(reason(err))
		data = data[:lastLine(data)]
	}
	b.data = data[min(begin, len(data)):]
	read := min(s.to, from+int64(len(w.loaded))) - max(s.from, headSize) // the head was counted when it was read
	b.bytes.Add(max(read, 0))
	w.opt.Meter.Bytes.Add(max(read, 0))
}

// more reads on until data has n bytes. It returns io.EOF at the end of the file, and not before.
func (f *spanFile) more(data []byte, from int64, n int) ([]byte, error) {
	have := len(data)
	if cap(data) < n+1 { // and a newline, which the file may lack
		data = append(make([]byte, 0, n+1), data...)
	}
	read, err := f.ReadAt(data[have:n], from+int64(have))
	data = data[:have+read]
	if err == io.EOF && from+int64(len(data)) < f.size {
		err = errors.New("the file became shorter while it was read")
	}
	return data, err
}
