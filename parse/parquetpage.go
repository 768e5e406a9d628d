package parse

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// This file reads the pages of Parquet columns. It stands on parquet-go's Thrift, codecs and encodings, but not
// on its reader of pages, of which each worker would need one for each column of a row group, each with a
// dictionary of its own: here a page, and a dictionary, is decoded once, whoever needs it.
//
//	column chunk → pages as stored, in turn → decoded by the worker that comes first → rows of blocks

// olderDictionary is the encoding of dictionaries and of codes alike in files of version 1, which still exist.
const olderDictionary = format.PlainDictionary //nolint:staticcheck // see above

// A chunkReader reads the pages of one column of a row group, in order.
type chunkReader struct {
	column  *parquet.Column
	as      logicalType
	codec   compress.Codec // nil if nothing is compressed
	section *io.SectionReader
	in      *bufio.Reader
	thrift  *thrift.Decoder
	pool    *sync.Pool
	dict    *dictionary
	pages   []*page // with rows that were not taken yet
	rows    int64   // in all pages so far
	total   int64   // in the row group
}

func newChunkReader(raw io.ReaderAt, size int64, column *parquet.Column, meta *format.ColumnMetaData, rows int64, pool *sync.Pool) (*chunkReader, error) {
	start := meta.DataPageOffset
	if meta.DictionaryPageOffset != 0 {
		start = meta.DictionaryPageOffset
	}
	if start < 0 || start > size || meta.TotalCompressedSize < 0 {
		return nil, errors.New("its place is outside of the file")
	}
	r := &chunkReader{column: column, as: logicalTypeOf(column), pool: pool, total: rows}
	if meta.Codec != format.Uncompressed {
		r.codec = parquet.LookupCompressionCodec(meta.Codec)
	}
	r.section = io.NewSectionReader(raw, start, min(meta.TotalCompressedSize, size-start))
	r.in = bufio.NewReader(r.section)
	r.thrift = thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(r.in))
	return r, nil
}

// fill reads the pages of the rows up to to.
func (r *chunkReader) fill(to int64) error {
	for r.rows < to {
		p, err := r.next()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if p != nil {
			r.pages = append(r.pages, p)
		}
	}
	return nil
}

// pagesBefore returns the pages with rows up to to that no earlier call returned, and the page that the earlier call returned if
// it has more rows.
func (r *chunkReader) pagesBefore(to int64) (pages []*page) {
	later := r.pages[:0]
	for _, p := range r.pages {
		pages = append(pages, p)
		if p.to > to {
			p.users.Add(1)
			later = append(later, p)
		}
	}
	r.pages = later
	return pages
}

// next reads a page. It returns nil for one that has no rows.
func (r *chunkReader) next() (*page, error) {
	p, ok := r.pool.Get().(*page)
	if !ok {
		p = new(page)
	}
	*p = page{storedPage: storedPage{column: r.column, as: r.as, codec: r.codec, dict: r.dict, from: r.rows, to: r.rows, stored: p.stored[:0]}}
	if err := r.thrift.Decode(&p.header); err != nil {
		return nil, err
	}
	read, err := r.section.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	n := int64(p.header.CompressedPageSize)
	if left := r.section.Size() - read + int64(r.in.Buffered()); n < 0 || n > left || p.header.UncompressedPageSize < 0 {
		return nil, fmt.Errorf("a page of %d bytes where the column has %d left", n, left)
	}
	p.stored = slices.Grow(p.stored, int(n))[:n]
	if _, err := io.ReadFull(r.in, p.stored); err != nil {
		return nil, err
	}
	if p.header.CRC != 0 && uint32(p.header.CRC) != crc32.ChecksumIEEE(p.stored) {
		return nil, fmt.Errorf("the checksum of the page at row %d of its row group is wrong: the file is damaged", r.rows+1)
	}
	switch h := &p.header; {
	case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid:
		if r.dict != nil {
			return nil, errors.New("a second dictionary")
		}
		p.rows = int(h.DictionaryPageHeader.V.NumValues)
		r.dict = &dictionary{page: p, count: p.rows}
	case h.Type == format.DataPage && h.DataPageHeader.Valid:
		p.rows = int(h.DataPageHeader.V.NumValues)
	case h.Type == format.DataPageV2 && h.DataPageHeaderV2.Valid:
		p.rows = int(h.DataPageHeaderV2.V.NumValues)
	default:
		return nil, fmt.Errorf("a page of type %s", h.Type)
	}
	if p.rows < 0 {
		return nil, fmt.Errorf("a page of %d values", p.rows)
	}
	if p.header.Type == format.DictionaryPage || p.rows == 0 {
		return nil, nil
	}
	p.users.Store(1)
	p.to += int64(p.rows)
	if p.to > r.total {
		return nil, fmt.Errorf("pages of %d rows in a row group of %d", p.to, r.total)
	}
	r.rows = p.to
	return p, nil
}

// A page is some rows of a column, or a dictionary. It stays as stored until a worker decodes it.
type page struct {
	storedPage
	users atomic.Int32 // number of blocks in work that have rows of it, plus 1 while further such blocks may follow

	once   sync.Once
	err    error
	valid  int             // rows that are not null
	coded  bool            // the values are dictionary codes
	values encoding.Values // otherwise
	*room
}

// storedPage is a page as the file has it.
type storedPage struct {
	column   *parquet.Column
	as       logicalType
	codec    compress.Codec
	dict     *dictionary // nil if the column chunk has none
	from, to int64       // rows of the row group
	rows     int
	header   format.PageHeader
	stored   []byte
}

// A room is the memory of a decoded page.
type room struct {
	body    []byte  // decompressed
	levels  []byte  // by row: 0 is a null; empty if none is
	codes   []int32 // of values of the dictionary
	data    []byte  // of values that are not in the body
	offsets []uint32
}

// rooms keeps the memory of decoded pages that is not in use. From a sync.Pool, the garbage collector would take it many
// times in a scan.
type rooms struct {
	mu   sync.Mutex
	free []*room
}

func (r *rooms) get() *room {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.free) == 0 {
		return new(room)
	}
	last := r.free[len(r.free)-1]
	r.free = r.free[:len(r.free)-1]
	return last
}

func (r *rooms) put(x *room) {
	if x != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.free = append(r.free, x)
	}
}

// decode decodes the page on the first call.
func (p *page) decode(r *rooms) error {
	p.once.Do(func() {
		defer recovered(&p.err) // of parquet-go
		p.room = r.get()
		p.levels = p.levels[:0]
		p.err = p.decodeStored()
	})
	return p.err
}

// freePage takes back the memory of a page without users.
func (s *scan) freePage(p *page) {
	s.rooms.put(p.room)
	p.room = nil
	s.pages.Put(p)
}

func (p *page) decodeStored() error {
	data, levels, how, err := p.parts()
	if err != nil {
		return err
	}
	p.valid = p.rows
	if p.nullable() {
		if err := p.decodeLevels(levels); err != nil {
			return err
		}
	}
	if p.valid == 0 {
		return nil
	}
	if how == format.RLEDictionary || how == olderDictionary {
		return p.decodeCodes(data)
	}
	if how == format.DeltaBinaryPacked && !deltas(data, p.valid) {
		return errors.New("a wrong number of values")
	}
	kind, coding := p.column.Type(), parquet.LookupEncoding(how)
	to := p.data[:0]
	if coding.CanDecodeInPlace() {
		to = data
	}
	p.values, err = kind.Decode(kind.NewValues(to, p.offsets), data, coding)
	if err != nil {
		return err
	}
	values, offsets := p.values.Data()
	if offsets != nil {
		p.offsets = offsets
	}
	if !coding.CanDecodeInPlace() {
		p.data = values
	}
	width := widths[p.values.Kind()]
	if p.values.Kind() == encoding.FixedLenByteArray {
		width = kind.Length()
	}
	if width > 0 && len(values)/width < p.valid || p.values.Kind() == encoding.ByteArray && len(offsets) <= p.valid {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// nullable reports whether the page has definition levels.
func (p *page) nullable() bool {
	return p.header.Type != format.DictionaryPage && p.column.MaxDefinitionLevel() > 0
}

// parts returns the values and the definition levels of the page, decompressed, and the encoding of the values. levels is
// meaningful only if the page is nullable.
func (p *page) parts() (data, levels []byte, how format.Encoding, err error) {
	data = p.stored
	switch p.header.Type {
	case format.DictionaryPage:
		if how = p.header.DictionaryPageHeader.V.Encoding; how == olderDictionary {
			how = format.Plain
		}
		if data, err = p.decompress(data); err != nil {
			return nil, nil, how, err
		}
	case format.DataPage:
		h := &p.header.DataPageHeader.V
		how = h.Encoding
		if data, err = p.decompress(data); err != nil {
			return nil, nil, how, err
		}
		if p.nullable() {
			if h.DefinitionLevelEncoding != format.RLE {
				return nil, nil, how, fmt.Errorf("definition levels are encoded as %s", h.DefinitionLevelEncoding)
			}
			if len(data) < 4 {
				return nil, nil, how, io.ErrUnexpectedEOF
			}
			n := binary.LittleEndian.Uint32(data)
			if data = data[4:]; int64(n) > int64(len(data)) {
				return nil, nil, how, io.ErrUnexpectedEOF
			}
			levels, data = data[:n], data[n:]
		}
	case format.DataPageV2:
		h := &p.header.DataPageHeaderV2.V
		how = h.Encoding
		r, d := int64(h.RepetitionLevelsByteLength), int64(h.DefinitionLevelsByteLength)
		if r < 0 || d < 0 || r+d > int64(len(data)) {
			return nil, nil, how, io.ErrUnexpectedEOF
		}
		levels, data = data[r:r+d], data[r+d:]
		if !h.IsCompressed.Valid || h.IsCompressed.V {
			if data, err = p.decompress(data); err != nil {
				return nil, nil, how, err
			}
		}
	}
	return data, levels, how, nil
}

// widths is the size of a value, in bytes, of each kind that is used.
var widths = [...]int{encoding.Int32: 4, encoding.Int64: 8, encoding.Int96: 12, encoding.Float: 4, encoding.Double: 8, encoding.FixedLenByteArray: 0}

// largestGuess bounds the memory that is allocated because a header announces it.
const largestGuess = 64 << 20

func (p *page) decompress(stored []byte) ([]byte, error) {
	if p.codec == nil {
		return stored, nil
	}
	n := min(int(p.header.UncompressedPageSize), largestGuess)
	p.body = slices.Grow(p.body, n)[:n]
	var err error
	p.body, err = p.codec.Decode(p.body, stored)
	return p.body, err
}

// decodeLevels decodes which rows are null.
func (p *page) decodeLevels(src []byte) error {
	src, err := runs(src, 1, p.rows)
	if err != nil {
		return err
	}
	p.levels, err = (&rle.Encoding{BitWidth: 1}).DecodeLevels(p.levels, src)
	if err != nil {
		return err
	}
	p.levels = p.levels[:p.rows]
	p.valid = bytes.Count(p.levels, []byte{1})
	if p.valid+bytes.Count(p.levels, []byte{0}) < p.rows {
		return errors.New("a definition level is neither 0 nor 1")
	}
	if p.valid == p.rows {
		p.levels = p.levels[:0]
	}
	return nil
}

// decodeCodes reads codes of the dictionary, whose width in bits is the first byte.
func (p *page) decodeCodes(src []byte) error {
	if p.dict == nil {
		return errors.New("the dictionary is missing")
	}
	if len(src) == 0 || src[0] > 32 {
		return io.ErrUnexpectedEOF
	}
	p.coded = true
	if src[0] == 0 {
		p.codes = slices.Grow(p.codes, p.valid)[:p.valid]
		clear(p.codes)
	} else {
		packed, err := runs(src[1:], uint64(src[0]), p.valid)
		if err != nil {
			return err
		}
		p.codes, err = new(rle.DictionaryEncoding).DecodeInt32(p.codes, src[:1+len(packed)])
		if err != nil {
			return err
		}
		p.codes = p.codes[:p.valid]
	}
	if !within(p.codes, int32(p.dict.count-1)) {
		return errors.New("a value is not in the dictionary")
	}
	return nil
}
