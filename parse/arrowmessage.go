package parse

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"
)

// arrowMessages reads the messages of an Arrow stream, as the reader of ipc does, but checks every length against the bytes
// at hand: an allocation by one changed bit would end the process.
type arrowMessages struct {
	r       io.Reader
	file    bool // an index of the batches follows the last one
	batches int  // so far
	bytes   int  // so far, unpacked
	msg     *ipc.Message
}

// arrowMemory allocates the buffers of messages. None may be larger than all messages so far.
type arrowMemory struct {
	memory.Allocator
	m *arrowMessages
}

func (a arrowMemory) Allocate(size int) []byte {
	a.check(size)
	return a.Allocator.Allocate(size)
}

func (a arrowMemory) Reallocate(size int, b []byte) []byte {
	a.check(size)
	return a.Allocator.Reallocate(size, b)
}

// check panics with an error that ipc passes on.
func (a arrowMemory) check(size int) {
	if size < 0 || size > 2*a.m.bytes+1<<16 {
		panic(errDamaged)
	}
}

func (m *arrowMessages) Retain() {}

func (m *arrowMessages) Release() {
	if m.msg != nil {
		m.msg.Release()
		m.msg = nil
	}
}

const (
	// longestMetadata bounds the description of a message: that of a schema of ten thousand columns is smaller.
	longestMetadata = 64 << 20

	// longestBuffer bounds the size that a compressed buffer of a message unpacks to.
	longestBuffer = 1 << 30

	// mostBare is the number of rows that a message may have without a byte for each eight of them: all of them are null.
	mostBare = 1 << 20

	// continuation begins a message since Arrow 0.15.
	continuation = 0xffffffff
)

// Message returns the next message. It is valid until the one after is read.
func (m *arrowMessages) Message() (*ipc.Message, error) {
	m.Release()
	length, err := m.length()
	if err != nil {
		return nil, err
	}
	if length > longestMetadata {
		return nil, fmt.Errorf("the description of a message would be %d bytes long", length)
	}
	meta, err := readBytes(m.r, int64(length))
	if err != nil {
		return nil, err
	}
	size, err := bodySize(meta)
	if err != nil {
		return nil, err
	}
	body, err := readBytes(m.r, size)
	if err != nil {
		return nil, err
	}
	unpacked, err := checkMessage(meta, body)
	if err != nil {
		return nil, err
	}
	m.bytes += unpacked
	if kindOf(meta) == recordBatch {
		m.batches++
	}
	m.msg = ipc.NewMessage(memory.NewBufferBytes(meta), memory.NewBufferBytes(body))
	return m.msg, nil
}

// length reads the length of the description of the next message. At the end of the stream it returns io.EOF.
func (m *arrowMessages) length() (uint32, error) {
	var word [4]byte
	if _, err := io.ReadFull(m.r, word[:]); err != nil {
		if err == io.EOF && m.file {
			err = io.ErrUnexpectedEOF
		}
		return 0, err
	}
	n := binary.LittleEndian.Uint32(word[:])
	if n == continuation {
		if _, err := io.ReadFull(m.r, word[:]); err != nil {
			return 0, noEOF(err)
		}
		n = binary.LittleEndian.Uint32(word[:])
	} else if m.file { // some writers put the index right here
		return 0, m.index(word[:])
	}
	switch {
	case n == 0 && m.file:
		return 0, m.index(nil)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// index reads the index of a file, which must list the batches before it. It returns io.EOF if the index is right.
func (m *arrowMessages) index(begin []byte) error {
	rest, err := io.ReadAll(io.LimitReader(m.r, longestMetadata))
	if err != nil {
		return err
	}
	rest = append(begin, rest...)
	index, ok := bytes.CutSuffix(rest, []byte(arrowFile[:6]))
	if !ok || len(index) < 4 {
		return io.ErrUnexpectedEOF
	}
	size := binary.LittleEndian.Uint32(index[len(index)-4:])
	index = index[:len(index)-4]
	if int64(size) > int64(len(index)) {
		return errDamaged
	}
	index = index[len(index)-int(size):]
	listed := 0
	err = guarded(func() error {
		t := root(index)
		if o := t.Offset(footerBatches); o != 0 {
			listed = t.VectorLen(flatbuffers.UOffsetT(o))
		}
		return nil
	})
	if err == nil && listed != m.batches {
		err = fmt.Errorf("the file is damaged: its index lists %d record batches, and there are %d", listed, m.batches)
	}
	return cmp.Or(err, io.EOF)
}

// readBytes reads n bytes, and allocates memory as they arrive.
func readBytes(r io.Reader, n int64) ([]byte, error) {
	const atOnce = 16 << 20
	buf := make([]byte, min(n, atOnce))
	for have := 0; ; {
		if _, err := io.ReadFull(r, buf[have:]); err != nil {
			return nil, noEOF(err)
		}
		if have = len(buf); int64(have) == n {
			return buf, nil
		}
		buf = append(make([]byte, 0, min(n, 2*int64(have))), buf...)
		buf = buf[:cap(buf)]
	}
}

// noEOF makes the end of a file in the middle of something an error.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// The numbers of fields in Arrow's Message.fbs. A table has field n at place 4+2n of its list.
const (
	messageKind   = 6
	messageHeader = 8
	messageBody   = 10

	schemaMessage   = 1
	dictionaryBatch = 2
	recordBatch     = 3
	dictionaryData  = 6

	batchRows        = 4
	batchNodes       = 6
	batchBuffers     = 8
	batchCompression = 10

	schemaFields   = 6
	schemaMetadata = 8
	fieldChildren  = 14
	fieldMetadata  = 16

	footerBatches = 10

	compressionCodec = 4
	codecZstd        = 1
)

// errDamaged is the error for content that contradicts itself.
var errDamaged = errors.New("the file is damaged")

// bodySize is the number of bytes behind the description of a message.
func bodySize(meta []byte) (size int64, err error) {
	err = guarded(func() error {
		if size = int64Field(root(meta), messageBody); size < 0 {
			return errDamaged
		}
		return nil
	})
	return size, err
}

// guarded turns a panic by a wrong offset in a description into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errDamaged
		}
	}()
	return f()
}

// kindOf is the kind of a message that checkMessage has checked; 0 if it is left out.
func kindOf(meta []byte) byte {
	message := root(meta)
	if o := message.Offset(messageKind); o != 0 {
		return message.GetByte(message.Pos + flatbuffers.UOffsetT(o))
	}
	return 0
}

func root(meta []byte) flatbuffers.Table {
	return flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
}

// int64Field is the number in a field of a table; 0 if it is left out.
func int64Field(t flatbuffers.Table, field flatbuffers.VOffsetT) int64 {
	if o := t.Offset(field); o != 0 {
		return t.GetInt64(t.Pos + flatbuffers.UOffsetT(o))
	}
	return 0
}

// tableField is the table in a field of a table. ok is false if it is left out.
func tableField(t flatbuffers.Table, field flatbuffers.VOffsetT) (sub flatbuffers.Table, ok bool) {
	o := t.Offset(field)
	if o == 0 {
		return sub, false
	}
	return flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(t.Pos + flatbuffers.UOffsetT(o))}, true
}

// pairs yields the pairs of numbers in a field of a table.
func pairs(t flatbuffers.Table, field flatbuffers.VOffsetT, each func(a, b int64) error) error {
	o := t.Offset(field)
	if o == 0 {
		return nil
	}
	at := t.Vector(flatbuffers.UOffsetT(o))
	n := t.VectorLen(flatbuffers.UOffsetT(o))
	if n > len(t.Bytes)/16 {
		return errDamaged
	}
	for i := range n {
		p := at + flatbuffers.UOffsetT(16*i)
		if err := each(t.GetInt64(p), t.GetInt64(p+8)); err != nil {
			return err
		}
	}
	return nil
}

// checkMessage checks that the lengths and offsets of a message lie within its description and its body. unpacked is the
// number of bytes of its buffers when they are unpacked.
func checkMessage(meta, body []byte) (unpacked int, err error) {
	err = guarded(func() error {
		message := root(meta)
		header, ok := tableField(message, messageHeader)
		if !ok {
			return errDamaged
		}
		switch kindOf(meta) {
		case schemaMessage:
			left := len(meta) / 4
			return checkFields(header, schemaFields, schemaMetadata, &left)
		case dictionaryBatch:
			if header, ok = tableField(header, dictionaryData); !ok {
				return errDamaged
			}
		case recordBatch:
		default:
			return errDamaged
		}
		unpacked, err = sizeOfBuffers(header, body)
		return cmp.Or(err, checkRows(header, unpacked))
	})
	return unpacked, err
}

// sizeOfBuffers checks the positions of the buffers of a batch in its body, and adds up their unpacked sizes.
func sizeOfBuffers(batch flatbuffers.Table, body []byte) (int, error) {
	compression, compressed := tableField(batch, batchCompression)
	ratio := int64(255) // the most that LZ4 can pack
	if compressed {
		if o := compression.Offset(compressionCodec); o != 0 && compression.GetByte(compression.Pos+flatbuffers.UOffsetT(o)) == codecZstd {
			ratio = 1 << 16
		}
	}
	total := 0
	err := pairs(batch, batchBuffers, func(offset, length int64) error {
		if offset < 0 || length < 0 || offset > int64(len(body)) || length > int64(len(body))-offset {
			return errDamaged
		}
		size := length
		if compressed && length > 0 {
			if length < 8 {
				return errDamaged
			}
			switch size = int64(binary.LittleEndian.Uint64(body[offset:])); {
			case size == -1: // it is not
				size = length - 8
			case size < 0 || size > longestBuffer || size/ratio > length:
				return errDamaged
			}
		}
		total += int(size)
		return nil
	})
	return total, err
}

// checkRows checks that a batch can have the number of rows that it announces.
func checkRows(batch flatbuffers.Table, unpacked int) error {
	rows, most := int64Field(batch, batchRows), max(8*int64(unpacked), mostBare)
	if rows < 0 || rows > most {
		return errDamaged
	}
	return pairs(batch, batchNodes, func(length, nulls int64) error {
		if length < 0 || length > most || nulls < 0 || nulls > length {
			return errDamaged
		}
		return nil
	})
}

// checkFields checks the numbers of fields and pairs of metadata of a table, and those below each field. left is the number
// that the description still has room for.
func checkFields(t flatbuffers.Table, fields, metadata flatbuffers.VOffsetT, left *int) error {
	for _, field := range []flatbuffers.VOffsetT{fields, metadata} {
		o := t.Offset(field)
		if o == 0 {
			continue
		}
		n := t.VectorLen(flatbuffers.UOffsetT(o))
		if *left -= n; n < 0 || *left < 0 {
			return errDamaged
		}
		if field == metadata {
			continue
		}
		at := t.Vector(flatbuffers.UOffsetT(o))
		for i := range n {
			sub := flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(at + flatbuffers.UOffsetT(4*i))}
			if err := checkFields(sub, fieldChildren, fieldMetadata, left); err != nil {
				return err
			}
		}
	}
	return nil
}
