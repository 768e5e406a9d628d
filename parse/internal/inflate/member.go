package inflate

import (
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// Flags of a member's header: RFC 1952, 2.3.1.
const (
	hasCRC     = 1 << 1
	hasExtra   = 1 << 2
	hasName    = 1 << 3
	hasComment = 1 << 4
	reserved   = 7 << 5
)

// longestText is the length of a name or comment that compress/gzip accepts.
const longestText = 512

// header reads the header of a member: RFC 1952, 2.3.
func (r *Reader) header() error {
	if r.fillIn(1); r.ip == r.end && r.srcErr == io.ErrUnexpectedEOF {
		return io.EOF // of the file, after any number of members
	}
	h := headerBytes{Reader: r}
	b, err := h.next(10)
	if err != nil {
		return err
	}
	if b[0] != 0x1f || b[1] != 0x8b || b[2] != 8 {
		return gzip.ErrHeader
	}
	flags := b[3]
	if flags&hasExtra != 0 {
		if err := h.skipExtra(); err != nil {
			return err
		}
	}
	for _, text := range []byte{hasName, hasComment} {
		if flags&text == 0 {
			continue
		}
		if err := h.skipText(); err != nil {
			return err
		}
	}
	if flags&hasCRC != 0 {
		want := uint16(h.crc)
		if b, err = h.next(2); err != nil {
			return err
		}
		if binary.LittleEndian.Uint16(b) != want {
			return gzip.ErrHeader
		}
	}
	if flags&reserved != 0 {
		return gzip.ErrHeader
	}
	r.first, r.member = r.op, member{}
	r.step = (*Reader).block
	return nil
}

// headerBytes reads the bytes of a header and computes their CRC.
type headerBytes struct {
	*Reader
	crc uint32
}

// next returns n bytes, which are valid until the next call.
func (h *headerBytes) next(n int) ([]byte, error) {
	h.fillIn(n)
	if h.end-h.ip < n {
		return nil, h.srcErr
	}
	b := h.in[h.ip : h.ip+n]
	h.ip += n
	h.crc = crc32.Update(h.crc, crc32.IEEETable, b)
	return b, nil
}

// skipExtra passes over the extra fields, whose length comes first.
func (h *headerBytes) skipExtra() error {
	b, err := h.next(2)
	if err != nil {
		return err
	}
	for n := int(binary.LittleEndian.Uint16(b)); n > 0; n -= len(b) {
		if b, err = h.next(min(n, 1024)); err != nil {
			return err
		}
	}
	return nil
}

// skipText passes over a text that ends with a zero byte.
func (h *headerBytes) skipText() error {
	for range longestText {
		b, err := h.next(1)
		if err != nil {
			return err
		}
		if b[0] == 0 {
			return nil
		}
	}
	return gzip.ErrHeader
}

// trailer reads the checksum and the size behind the blocks of a member, and compares them: RFC 1952, 2.3.1.
func (r *Reader) trailer() error {
	r.align()
	r.fillIn(8)
	if r.end-r.ip < 8 {
		return r.srcErr
	}
	r.checksum()
	b := r.in[r.ip:]
	r.ip += 8
	if binary.LittleEndian.Uint32(b) != r.crc || binary.LittleEndian.Uint32(b[4:]) != r.size {
		return gzip.ErrChecksum
	}
	r.step = (*Reader).header
	return nil
}
