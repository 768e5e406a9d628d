package parquet

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// types has the Parquet type of each kind. Addresses are text: no other tool would read 16 bytes as an address.
var types = [...]struct {
	physical format.Type
	text     bool
	memory   int                   // bytes of a value before encoding
	compare  func(a, b []byte) int // orders values as statistics have them
}{
	schema.Int32: {format.Int32, false, 4, func(a, b []byte) int {
		return cmp.Compare(int32(binary.LittleEndian.Uint32(a)), int32(binary.LittleEndian.Uint32(b)))
	}},
	schema.Int64: {format.Int64, false, 8, compareInt64},
	schema.Time:  {format.Int64, false, 8, compareInt64},
	schema.Float: {format.Double, false, 8, func(a, b []byte) int {
		return cmp.Compare(math.Float64frombits(binary.LittleEndian.Uint64(a)), math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}},
	schema.Addr: {format.ByteArray, true, 36, bytes.Compare},
	schema.Text: {format.ByteArray, true, 4, bytes.Compare},
}

func compareInt64(a, b []byte) int {
	return cmp.Compare(int64(binary.LittleEndian.Uint64(a)), int64(binary.LittleEndian.Uint64(b)))
}

// A column is the non-null values of a page, in the slice of their kind.
type column struct {
	ints   []int32 // numbers, or codes of the dictionary
	longs  []int64
	floats []float64
	addrs  [][16]byte
	nulls  int
	valid  []byte // validity bitmap; empty while all rows are null or all are not
	coded  bool   // ints are codes
	dict   dictReader
	size   int32 // of the dictionary
}

// A page is the encoded page of a column.
type page struct {
	data     []byte // header and body
	header   int    // length of the header in it
	raw      int    // size of the body before compression
	rows     int
	nulls    int
	encoding format.Encoding
	min, max []byte // nil if they are those of the dictionary, or unknown
}

// boundedDict is the largest dictionary whose data pages have bounds of their own. A page of a larger one has so many
// values that its bounds would hardly be narrower than the dictionary's, and computing them would cost more than the page.
const boundedDict = 1 << 12

// A pageEncoder encodes one page at a time and reuses its buffers.
type pageEncoder struct {
	zstd   *zstd.Encoder
	body   []byte
	values []byte
	packed []byte
	seen   []bool
}

// encode encodes a data page: definition levels, which are the validity bitmap, then values. It writes version 1 pages,
// which every engine reads.
func (p *pageEncoder) encode(c *column, kind schema.Kind, rows int) (page, error) {
	page := page{rows: rows, nulls: c.nulls, encoding: format.Plain}
	p.body = appendLevels(p.body[:0], c, rows)
	var ints delta.BinaryPackedEncoding
	var err error
	switch {
	case c.nulls == rows:
	case c.coded:
		page.encoding = format.RLEDictionary
		p.body = appendCodes(p.body, c.ints, c.size)
		page.min, page.max = p.bounds(c, types[kind].compare)
	case kind == schema.Int32:
		page.encoding = format.DeltaBinaryPacked
		p.values, err = ints.EncodeInt32(p.values[:0], c.ints)
		p.body = append(p.body, p.values...)
		page.min = binary.LittleEndian.AppendUint32(nil, uint32(slices.Min(c.ints)))
		page.max = binary.LittleEndian.AppendUint32(nil, uint32(slices.Max(c.ints)))
	case kind == schema.Int64 || kind == schema.Time:
		page.encoding = format.DeltaBinaryPacked
		p.values, err = ints.EncodeInt64(p.values[:0], c.longs)
		p.body = append(p.body, p.values...)
		page.min = binary.LittleEndian.AppendUint64(nil, uint64(slices.Min(c.longs)))
		page.max = binary.LittleEndian.AppendUint64(nil, uint64(slices.Max(c.longs)))
	case kind == schema.Float:
		for _, v := range c.floats {
			p.body = binary.LittleEndian.AppendUint64(p.body, math.Float64bits(v))
		}
		// the Parquet specification: a minimum of 0 is written as -0, a maximum as +0
		least, most := slices.Min(c.floats), slices.Max(c.floats)
		if least == 0 {
			least = math.Copysign(0, -1)
		}
		if most == 0 {
			most = math.Copysign(0, 1)
		}
		page.min = binary.LittleEndian.AppendUint64(nil, math.Float64bits(least))
		page.max = binary.LittleEndian.AppendUint64(nil, math.Float64bits(most))
	}
	if err != nil {
		return page, err
	}
	header := format.PageHeader{Type: format.DataPage}
	header.DataPageHeader = thrift.New(format.DataPageHeader{
		NumValues:               int32(rows),
		Encoding:                page.encoding,
		DefinitionLevelEncoding: format.RLE,
		RepetitionLevelEncoding: format.RLE,
		Statistics:              format.Statistics{NullCount: int64(page.nulls)},
	})
	err = p.seal(&page, header)
	return page, err
}

// dictionary encodes the first values of a dictionary as its page, with their bounds.
func (p *pageEncoder) dictionary(d dictReader, size int32, kind schema.Kind) (page, error) {
	page := page{encoding: format.Plain}
	p.body = p.body[:0]
	for code := range size {
		p.body = d.appendPlain(p.body, code)
	}
	page.min, page.max = p.boundsOf(d, size, types[kind].compare, func(int32) bool { return true })
	header := format.PageHeader{Type: format.DictionaryPage}
	header.DictionaryPageHeader = thrift.New(format.DictionaryPageHeader{NumValues: size, Encoding: format.Plain})
	err := p.seal(&page, header)
	return page, err
}

// seal compresses the body of a page and prepends the header with the checksum of the compressed body: damage on a disk
// could otherwise decode to other values.
func (p *pageEncoder) seal(page *page, header format.PageHeader) error {
	if len(p.body) > math.MaxInt32 {
		return fmt.Errorf("a page has %d bytes, more than Parquet allows", len(p.body))
	}
	p.packed = p.zstd.EncodeAll(p.body, p.packed[:0])
	page.raw = len(p.body)
	header.UncompressedPageSize, header.CompressedPageSize = int32(len(p.body)), int32(len(p.packed))
	header.CRC = int32(crc32.ChecksumIEEE(p.packed))
	head, err := thrift.Marshal(new(thrift.CompactProtocol), &header)
	if err != nil {
		return err
	}
	page.header = len(head)
	page.data = slices.Concat(head, p.packed)
	return nil
}

// bounds returns the smallest and the largest value of a page of codes, or nil if the dictionary's bounds are used.
func (p *pageEncoder) bounds(c *column, compare func(a, b []byte) int) (least, most []byte) {
	if c.size > boundedDict {
		return nil, nil
	}
	p.seen = cells.Resize(p.seen, int(c.size))
	clear(p.seen)
	for _, code := range c.ints {
		p.seen[code] = true
	}
	return p.boundsOf(c.dict, c.size, compare, func(code int32) bool { return p.seen[code] })
}

func (p *pageEncoder) boundsOf(d dictReader, size int32, compare func(a, b []byte) int, has func(int32) bool) (least, most []byte) {
	for code := range size {
		if !has(code) {
			continue
		}
		p.values = d.appendStat(p.values[:0], code)
		if least == nil || compare(p.values, least) < 0 {
			least = append([]byte{}, p.values...) // nil would mean no bound
		}
		if most == nil || compare(p.values, most) > 0 {
			most = append([]byte{}, p.values...)
		}
	}
	return least, most
}

// statisticsMax is the longest value in the statistics, in bytes: longer ones bloat the footer.
const statisticsMax = 256

// index returns the page index of a column and sets the statistics of the column chunk. A page without bounds of its own
// gets those of the dictionary. The index is empty if a bound is longer than statisticsMax.
func index(pages []page, dict page, compare func(a, b []byte) int, all *format.Statistics) format.ColumnIndex {
	var x format.ColumnIndex
	for _, page := range pages {
		all.NullCount += int64(page.nulls)
		null := page.nulls == page.rows
		if !null {
			if page.min == nil {
				page.min, page.max = dict.min, dict.max
			}
			if all.MinValue == nil || compare(page.min, all.MinValue) < 0 {
				all.MinValue = page.min
			}
			if all.MaxValue == nil || compare(page.max, all.MaxValue) > 0 {
				all.MaxValue = page.max
			}
		}
		x.NullPages = append(x.NullPages, null)
		x.NullCounts = append(x.NullCounts, int64(page.nulls))
		x.MinValues = append(x.MinValues, page.min)
		x.MaxValues = append(x.MaxValues, page.max)
	}
	if max(len(all.MinValue), len(all.MaxValue)) > statisticsMax {
		all.MinValue, all.MaxValue = nil, nil
		return format.ColumnIndex{}
	}
	return x
}

// appendLevels appends the definition levels of a page, 1 for a value and 0 for a null: their length, then one run,
// either RLE or bit-packed.
func appendLevels(dst []byte, c *column, rows int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	switch c.nulls {
	case 0:
		dst = append(binary.AppendUvarint(dst, uint64(rows)<<1), 1)
	case rows:
		dst = append(binary.AppendUvarint(dst, uint64(rows)<<1), 0)
	default:
		n := (rows + 7) / 8
		dst = append(binary.AppendUvarint(dst, uint64(n)<<1|1), c.valid[:n]...)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// appendCodes appends the codes of a page: their bit width, then one run, either RLE or bit-packed.
func appendCodes(dst []byte, codes []int32, size int32) []byte {
	width := max(1, bits.Len32(uint32(size-1))) // some readers reject a width of 0
	dst = append(dst, byte(width))
	if first := codes[0]; !slices.ContainsFunc(codes, func(code int32) bool { return code != first }) {
		dst = binary.AppendUvarint(dst, uint64(len(codes))<<1)
		for ; width > 0; width -= 8 {
			dst = append(dst, byte(first))
			first >>= 8
		}
		return dst
	}
	groups := (len(codes) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	dst = slices.Grow(dst, groups*width+8)
	var word uint64 // n bits are pending
	n := 0
	for _, code := range codes {
		word |= uint64(code) << n
		if n += width; n >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(word))
			word >>= 32
			n -= 32
		}
	}
	dst = binary.LittleEndian.AppendUint64(dst, word)
	for len(dst) < end {
		dst = append(dst, 0)
	}
	return dst[:end]
}
