package pass

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"flowlog/parse/codes"
	"flowlog/parse/disk"
	"flowlog/parse/schema"
)

// An overflow is a temporary file for what does not fit into memory. It is made when the first value goes there.
type overflow struct {
	limit  int64  // bytes that all shards together may take in memory, 0 for any number
	dir    string // of the file, "" for the system's
	shards atomic.Int64

	mu   sync.Mutex
	file *disk.File
	size int64
}

// extent is a part of the file.
type extent struct{ offset, size int64 }

// write appends to the file.
func (o *overflow) write(content []byte) (extent, error) {
	o.mu.Lock()
	if o.file == nil {
		f, err := disk.CreateTemp(o.dir, "flowlog-*.spill")
		if err == nil && runtime.GOOS != "windows" {
			if err = disk.Remove(f.Name()); err != nil { // so that it is gone after any exit
				err = errors.Join(err, f.Close())
			}
		}
		if err != nil {
			o.mu.Unlock()
			return extent{}, schema.Wordsf("the records do not fit into memory, and there is no place for a temporary file: %w: name a directory with %s, or allow more with %s", err, schema.Opt("temp-dir"), schema.Opt("memory"))
		}
		o.file = f
	}
	e := extent{o.size, int64(len(content))}
	o.size += e.size
	o.mu.Unlock()
	if _, err := o.file.WriteAt(content, e.offset); err != nil {
		return extent{}, schema.Wordsf("the records do not fit into memory, and the temporary file cannot be written: %w: name another directory with %s, or allow more with %s", err, schema.Opt("temp-dir"), schema.Opt("memory"))
	}
	return e, nil
}

// close removes the file.
func (o *overflow) close() error {
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	if runtime.GOOS == "windows" {
		err = errors.Join(err, disk.Remove(o.file.Name()))
	}
	o.file = nil
	return err
}

// A shard holds values of one goroutine, dealt out to lots, in memory up to its share of the limit and then in the
// overflow. T must have no pointers.
type shard[T any] struct {
	to      *overflow
	chunks  [lots][][]T
	extents [lots][]extent
	bytes   int64 // in memory
}

func newShard[T any](to *overflow) *shard[T] {
	to.shards.Add(1)
	return &shard[T]{to: to}
}

// largestChunk is the base-2 logarithm of the most values that a chunk grows to.
const largestChunk = 8

// put adds a value to a lot.
func (s *shard[T]) put(lot int, v T) error {
	chunks := &s.chunks[lot]
	n := len(*chunks)
	if n == 0 || len((*chunks)[n-1]) == cap((*chunks)[n-1]) {
		size := firstChunk << min(n, largestChunk-2)
		more := int64(size) * int64(unsafe.Sizeof(v))
		if s.to.limit > 0 && s.bytes+more > s.to.limit/s.to.shards.Load() {
			if err := s.unload(); err != nil {
				return err
			}
		}
		s.bytes += more
		*chunks = append(*chunks, make([]T, 0, size))
		n = len(*chunks)
	}
	(*chunks)[n-1] = append((*chunks)[n-1], v)
	return nil
}

// unload writes all values to the overflow.
func (s *shard[T]) unload() error {
	var content []byte
	for lot := range s.chunks {
		content = content[:0]
		for _, chunk := range s.chunks[lot] {
			content = append(content, bytesOf(chunk)...)
		}
		s.chunks[lot] = nil
		if len(content) == 0 {
			continue
		}
		e, err := s.to.write(content)
		if err != nil {
			return err
		}
		s.extents[lot] = append(s.extents[lot], e)
	}
	s.bytes = 0
	return nil
}

// bytesOf is the memory of values.
func bytesOf[T any](values []T) []byte {
	var v T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(v)))
}

// load appends the values of a lot.
func (s *shard[T]) load(out []T, lot int) ([]T, error) {
	for _, chunk := range s.chunks[lot] {
		out = append(out, chunk...)
	}
	var v T
	for _, e := range s.extents[lot] {
		n := len(out)
		out = codes.Grown(out, n+int(e.size)/int(unsafe.Sizeof(v)))
		if _, err := s.to.file.ReadAt(bytesOf(out[n:]), e.offset); err != nil {
			return nil, schema.Wordsf("temporary file: %w", err)
		}
	}
	return out, nil
}

// drop forgets the values of a lot that are in memory.
func (s *shard[T]) drop(lot int) { s.chunks[lot] = nil }
