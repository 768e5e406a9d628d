package parse

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"flowlog/parse/schema"
)

// ParquetRows reads columns of a Parquet file that is no flow log, such as a bill; its other columns may be nested. choose
// gets the names of all columns and returns those to read, each of which it got and has one value or none a row. row gets
// their values as text, and is called once a row, in order: numbers are decimal, times RFC 3339 in UTC, a null is "". The
// texts are valid after the call. Memory is that of some 32,000 rows.
func ParquetRows(raw io.ReaderAt, size int64, choose func(columns []string) []string, row func(values []string) error) (err error) {
	defer recovered(&err) // of parquet-go
	f, err := openParquetFile(raw, size)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range f.Root().Columns() {
		names = append(names, c.Name())
	}
	var columns []*parquet.Column
	for _, name := range choose(names) {
		c := f.Root().Column(name)
		if c == nil || !c.Leaf() || c.MaxRepetitionLevel() > 0 || c.MaxDefinitionLevel() > 1 {
			return fmt.Errorf("the column %s is nested", schema.Shown(name))
		}
		columns = append(columns, c)
	}
	if len(columns) == 0 {
		return nil // rows without a value take no bytes, however many there are
	}
	for i := range f.Metadata().RowGroups {
		g := &f.Metadata().RowGroups[i]
		rows := &parquetRows{rowGroup: rowGroup{RowGroup: g}}
		for _, c := range columns {
			if c.Index() >= len(g.Columns) || g.Columns[c.Index()].MetaData.NumValues != g.NumRows {
				return fmt.Errorf("%s: the row group has another number of values than rows: the file is damaged", c.Name())
			}
			r, err := newChunkReader(raw, size, c, &g.Columns[c.Index()].MetaData, g.NumRows, &rows.pages)
			if err != nil {
				return fmt.Errorf("%s: %w", c.Name(), err)
			}
			rows.chunks = append(rows.chunks, r)
		}
		if err := rows.read(row); err != nil {
			return err
		}
	}
	return nil
}

// parquetRows reads the rows of a row group.
type parquetRows struct {
	rowGroup
	pages sync.Pool
	rooms rooms
}

func (r *parquetRows) read(row func(values []string) error) error {
	values := make([]string, len(r.chunks))
	texts := make([][]string, len(r.chunks))
	for from := int64(0); from < r.NumRows; from += parquetBlock {
		to := min(from+parquetBlock, r.NumRows)
		if err := r.fill(to); err != nil {
			return err
		}
		for i, c := range r.chunks {
			var err error
			if texts[i], err = r.texts(texts[i][:0], c, from, to); err != nil {
				return fmt.Errorf("%s: %w", c.column.Name(), err)
			}
		}
		for at := range int(to - from) {
			for i := range values {
				values[i] = texts[i][at]
			}
			if err := row(values); err != nil {
				return err
			}
		}
	}
	return nil
}

// texts appends the values of a column's rows from up to to.
func (r *parquetRows) texts(out []string, c *chunkReader, from, to int64) ([]string, error) {
	for _, p := range c.pagesBefore(to) {
		if err := p.decode(&r.rooms); err != nil {
			return nil, err
		}
		text, err := r.textOf(p)
		if err != nil {
			return nil, err
		}
		first, end := max(from, p.from)-p.from, min(to, p.to)-p.from
		value := int(first)
		if len(p.levels) > 0 {
			value = bytes.Count(p.levels[:first], []byte{1})
		}
		for row := first; row < end; row++ {
			if p.valid == 0 || len(p.levels) > 0 && p.levels[row] == 0 {
				out = append(out, "")
				continue
			}
			out = append(out, text(value))
			value++
		}
		if p.to <= to {
			r.rooms.put(p.room)
			p.room = nil
			r.pages.Put(p)
		}
	}
	return out, nil
}

// textOf returns what value i of a page is as text.
func (r *parquetRows) textOf(p *page) (func(i int) string, error) {
	if !p.coded {
		return func(i int) string { return parquetText(p.values, p.as, i) }, nil
	}
	d := p.dict
	if err := d.page.decode(&r.rooms); err != nil {
		return nil, err
	}
	if d.texts == nil {
		d.texts = make([]string, d.count)
		for i := range d.texts {
			d.texts[i] = parquetText(d.page.values, d.page.as, i)
		}
	}
	return func(i int) string { return d.texts[p.codes[i]] }, nil
}

// parquetText returns a value of a page as text.
func parquetText(data encoding.Values, as logicalType, i int) string {
	switch data.Kind() {
	case encoding.Boolean:
		return strconv.FormatBool(data.Boolean()[i/8]>>(i%8)&1 == 1)
	case encoding.Int32:
		return as.wholeText(int64(data.Int32()[i]), 32)
	case encoding.Int64:
		return as.wholeText(data.Int64()[i], 64)
	case encoding.Int96:
		v := data.Int96()[i]
		const epoch = 2440588 // the Julian day of 1970-01-01
		nanos := int64(v[1])<<32 | int64(v[0])
		return time.Unix((int64(v[2])-epoch)*24*60*60, nanos).UTC().Format(time.RFC3339Nano)
	case encoding.Float:
		return strconv.FormatFloat(float64(data.Float()[i]), 'g', -1, 32)
	case encoding.Double:
		return strconv.FormatFloat(data.Double()[i], 'g', -1, 64)
	case encoding.FixedLenByteArray:
		v, size := data.FixedLenByteArray()
		return as.bytesText(v[i*size : (i+1)*size])
	case encoding.ByteArray:
		v, offsets := data.ByteArray()
		return as.bytesText(v[offsets[i]:offsets[i+1]])
	}
	return ""
}

// wholeText returns what a stored number of so many bits stands for.
func (s logicalType) wholeText(v int64, bits int) string {
	switch s.what {
	case instant:
		seconds, nanos := s.seconds(v)
		return time.Unix(seconds, nanos).UTC().Format(time.RFC3339Nano)
	case decimal:
		return s.decimalText(big.NewInt(v))
	case unsigned:
		return strconv.FormatUint(uint64(v)<<(64-bits)>>(64-bits), 10)
	}
	return strconv.FormatInt(v, 10)
}

// bytesText returns what stored bytes stand for.
func (s logicalType) bytesText(v []byte) string {
	if s.what == decimal {
		return s.decimalText(bigEndian(v))
	}
	return string(v)
}

// decimalText returns an unscaled decimal with its point.
func (s logicalType) decimalText(n *big.Int) string {
	sign, digits := "", new(big.Int).Abs(n).String()
	if n.Sign() < 0 {
		sign = "-"
	}
	if s.scale <= 0 {
		return sign + digits + strings.Repeat("0", min(-s.scale, 100))
	}
	scale := min(s.scale, 100) // what Parquet allows is less
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}
