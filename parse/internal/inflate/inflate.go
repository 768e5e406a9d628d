// Package inflate reads gzip (RFC 1952) and the DEFLATE data in it (RFC 1951), two to three times as fast as the
// libraries written in Go: unpacking is what a report over S3 exports takes longest for.
//
//	source → in → bits → symbols → window → CRC → caller
//
// It accepts and refuses what compress/gzip does, with the same errors.
//
// Files, each uses only those above it:
//
//	code.go      prefix codes
//	fast.go      tables of codes, and the loop that uses them
//	member.go    headers and trailers of gzip members
//	inflate.go   the reader, blocks of DEFLATE, the end of the input
package inflate

import (
	"compress/flate"
	"hash/crc32"
	"io"
)

const (
	// windowSize is how far back a match may reach: RFC 1951, 2.
	windowSize = 32 << 10

	// longestMatch is in RFC 1951, 3.2.5.
	longestMatch = 258

	// outSize leaves, behind the window, four times its size to decode before it has to be moved; all of it
	// stays in a core's second-level cache.
	outSize = 5 * windowSize

	// outSlack is the number of bytes that may be written beyond the place where decoding pauses: the literals of an entry, a
	// match, and two strides for one byte of it.
	outSlack = 2 + longestMatch + 2*stride

	// inSize is a few times what systems read ahead.
	inSize = 64 << 10

	// inSlack is the number of bytes of input that the fast loop needs: a few rounds of it, of at most 8 bytes each.
	inSlack = 32
)

// A Reader reads the content of gzip data, of all its members. All content before an error is returned before the error.
// Errors are those of compress/gzip: gzip.ErrHeader, gzip.ErrChecksum, flate.CorruptInputError, io.ErrUnexpectedEOF where
// the data is cut off, and those of the source.
//
// Read may wait for more input than it needs for the bytes that it returns.
type Reader struct {
	input
	output
	member
	coding

	err  error
	step func(*Reader) error // decodes what comes next in the data
}

// input is the compressed data that is at hand.
type input struct {
	src    io.Reader
	srcErr error // why there is no more input; io.ErrUnexpectedEOF at its end

	in      [inSize]byte
	ip, end int   // in[ip:end] is unread
	before  int64 // bytes of the source before in
	bits    uint64
	nbits   uint // in bits; the others are 0
}

// output is the decoded data: the window, and what the caller has not read yet.
type output struct {
	out   [outSize]byte
	rd    int // out[rd:op] is for the caller
	sum   int // out[sum:op] is not in crc yet
	first int // matches reach back to here: the start of the member or of out
	op    int
}

// member is the state of the gzip member that is being read.
type member struct {
	crc   uint32
	size  uint32 // modulo 1<<32
	final bool   // this is the member's last block
}

// coding is the codes of a compressed block, and what is left of a stored one.
type coding struct {
	left  int  // bytes of a stored block
	fixed bool // the tables are those of fixed codes

	lengths [maxLitLen + maxDist]uint8
	codes   code // of lengths
	litLen  code
	dist    code
	tables
}

// NewReader returns a Reader of what src has. Its header is read with the first Read.
func NewReader(src io.Reader) *Reader {
	r := new(Reader)
	r.Reset(src)
	return r
}

// Reset makes r read another source from its start.
func (r *Reader) Reset(src io.Reader) {
	r.src, r.srcErr, r.err = src, nil, nil
	r.ip, r.end, r.before, r.bits, r.nbits = 0, 0, 0, 0, 0
	r.rd, r.sum, r.first, r.op = 0, 0, 0, 0
	r.step = (*Reader).header
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	for r.rd == r.op && len(p) > 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fillOut()
	}
	n := copy(p, r.out[r.rd:r.op])
	r.rd += n
	return n, nil
}

// fillOut decodes until out is full or nothing follows. All of out must have been read.
func (r *Reader) fillOut() {
	if r.op > outSize-outSlack {
		from := r.op - windowSize
		copy(r.out[:], r.out[from:r.op])
		r.op, r.first = windowSize, max(0, r.first-from)
	}
	r.rd, r.sum = r.op, r.op
	for r.err == nil && r.op <= outSize-outSlack {
		r.err = r.step(r)
	}
	r.checksum()
}

// checksum brings crc and size up to date.
func (r *Reader) checksum() {
	r.crc = crc32.Update(r.crc, crc32.IEEETable, r.out[r.sum:r.op])
	r.size += uint32(r.op - r.sum)
	r.sum = r.op
}

// fillIn reads until n bytes of input are at hand. If the source has fewer, srcErr says why.
func (r *Reader) fillIn(n int) {
	if r.end-r.ip >= n || r.srcErr != nil {
		return
	}
	r.before += int64(r.ip)
	r.end = copy(r.in[:], r.in[r.ip:r.end])
	r.ip = 0
	for empty := 0; r.end < n && r.srcErr == nil; {
		k, err := r.src.Read(r.in[r.end:])
		r.end += k
		r.srcErr = err
		if empty++; k > 0 {
			empty = 0
		} else if empty == 100 { // as bufio
			r.srcErr = io.ErrNoProgress
		}
	}
	if r.srcErr == io.EOF {
		r.srcErr = io.ErrUnexpectedEOF
	}
}

// need reads until at least n bits, 32 at the most, are in r.bits.
func (r *Reader) need(n uint) error {
	for r.nbits < n {
		if r.ip == r.end {
			if r.fillIn(1); r.ip == r.end {
				return r.srcErr
			}
		}
		r.bits |= uint64(r.in[r.ip]) << r.nbits
		r.ip++
		r.nbits += 8
	}
	return nil
}

// readBits returns the next n bits, 32 at the most, the first of them the lowest.
func (r *Reader) readBits(n uint) (int, error) {
	if err := r.need(n); err != nil {
		return 0, err
	}
	v := r.bits & (1<<n - 1)
	r.bits >>= n
	r.nbits -= n
	return int(v), nil
}

// align passes over the rest of a byte. Only that is in r.bits between two calls of need.
func (r *Reader) align() { r.bits, r.nbits = 0, 0 }

func (r *Reader) corrupt() error {
	return flate.CorruptInputError(r.before + int64(r.ip))
}

// block reads the header of a block: RFC 1951, 3.2.3.
func (r *Reader) block() error {
	if r.final {
		return r.trailer()
	}
	head, err := r.readBits(3)
	if err != nil {
		return err
	}
	r.final = head&1 != 0
	switch head >> 1 {
	case 0:
		r.align()
		sizes, err := r.readBits(32)
		if err != nil {
			return err
		}
		if sizes&0xffff != sizes>>16^0xffff {
			return r.corrupt()
		}
		r.left = sizes & 0xffff
		r.step = (*Reader).stored
	case 1:
		if !r.fixed {
			r.fixedCodes()
			r.fixed = true
		}
		r.step = (*Reader).compressed
	case 2:
		r.fixed = false
		if err := r.dynamicCodes(); err != nil {
			return err
		}
		r.step = (*Reader).compressed
	default:
		return r.corrupt()
	}
	return nil
}

// stored copies a block that is not compressed: RFC 1951, 3.2.4.
func (r *Reader) stored() error {
	if r.left == 0 {
		r.step = (*Reader).block
		return nil
	}
	if r.fillIn(1); r.ip == r.end {
		return r.srcErr
	}
	n := copy(r.out[r.op:], r.in[r.ip:min(r.end, r.ip+r.left)])
	r.ip += n
	r.op += n
	r.left -= n
	return nil
}

// compressed decodes symbols until the block ends or out is full: RFC 1951, 3.2.3.
func (r *Reader) compressed() error {
	for r.op <= outSize-outSlack {
		r.fillIn(inSlack)
		var done bool
		var err error
		if r.end-r.ip >= inSlack {
			done, err = r.fast()
		} else {
			done, err = r.slow()
		}
		if err != nil {
			return err
		}
		if done {
			r.step = (*Reader).block
			return nil
		}
	}
	return nil
}

// slow decodes one literal or match, bit by bit, for the last bytes of the input. It reports the end of the
// block.
func (r *Reader) slow() (done bool, err error) {
	s, err := r.symbol(&r.litLen)
	switch {
	case err != nil:
		return false, err
	case s < endOfBlock:
		r.out[r.op] = byte(s)
		r.op++
		return false, nil
	case s == endOfBlock:
		return true, nil
	case s >= endOfBlock+1+len(lengthCodes):
		return false, r.corrupt()
	}
	length, err := r.extra(lengthCodes[s-endOfBlock-1])
	if err != nil {
		return false, err
	}
	if s, err = r.symbol(&r.dist); err != nil {
		return false, err
	}
	if s >= len(distCodes) {
		return false, r.corrupt()
	}
	dist, err := r.extra(distCodes[s])
	if err != nil {
		return false, err
	}
	if dist > r.op-r.first {
		return false, r.corrupt()
	}
	for range length {
		r.out[r.op] = r.out[r.op-dist]
		r.op++
	}
	return false, nil
}

// extra reads the extra bits of a length or distance.
func (r *Reader) extra(v valueCode) (int, error) {
	more, err := r.readBits(uint(v.extra))
	return int(v.base) + more, err
}

// symbol reads a symbol bit by bit: the codes of each length are consecutive numbers, RFC 1951, 3.2.2.
func (r *Reader) symbol(c *code) (int, error) {
	v, first, index := 0, 0, 0
	for n := uint(1); n <= c.longest; n++ {
		if err := r.need(n); err != nil {
			return 0, err
		}
		v = v<<1 | int(r.bits>>(n-1)&1)
		count := int(c.count[n])
		if v-first < count {
			r.bits >>= n
			r.nbits -= n
			return int(c.symbols[index+v-first]), nil
		}
		index += count
		first = (first + count) << 1
	}
	return 0, r.corrupt()
}
