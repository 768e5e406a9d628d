package parse

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"sync"

	"flowlog/parse/schema"
)

// A dictionary has the values that the codes of a column chunk stand for.
type dictionary struct {
	count int
	page  *page // nil once all is there
	once  sync.Once
	err   error
	all   *distinct // the values of the field; nil for texts, which each worker numbers on its own
	texts []string  // the values as ParquetRows has them
}

// load decodes the dictionary on the first call.
func (d *dictionary) load(w *worker, c *schema.Column, foreign bool) error {
	d.once.Do(func() {
		defer recovered(&d.err)
		if d.err = d.page.decode(&w.rooms); d.err == nil && c.Kind != schema.Text {
			d.all = convert(c, d.count, parquetValue(d.page.values, d.page.as, foreign))
			w.freePage(d.page)
			d.page = nil
		}
	})
	return d.err
}

// convert returns the values of the dictionary as values of c. Texts are in the codes of c.
func (d *dictionary) convert(w *worker, c *schema.Column, foreign bool) (*distinct, error) {
	if err := d.load(w, c, foreign); err != nil || d.all != nil {
		return d.all, err
	}
	known := w.words[c]
	if known.of != d || known.in != c.Dict {
		known = words{d, c.Dict, convert(c, d.count, parquetValue(d.page.values, d.page.as, foreign))}
		w.words[c] = known
	}
	return known.distinct, nil
}

// words is a dictionary of texts, in the codes of a worker's column.
type words struct {
	of *dictionary
	in *schema.Dict
	*distinct
}

// runs returns the part of src that holds n numbers of width bits, in the hybrid of run lengths and packed bits. It checks
// lengths before the library's decoder relies on them. The last run may be longer than needed: DuckDB fills up to 256
// numbers.
func runs(src []byte, width uint64, n int) ([]byte, error) {
	at, want := 0, uint64(n)
	for have := uint64(0); have < want; {
		u, k := binary.Uvarint(src[at:])
		count := u >> 1
		if k <= 0 || count > math.MaxInt32 {
			return nil, io.ErrUnexpectedEOF
		}
		size := (width + 7) / 8
		if u&1 != 0 {
			size = count * width
			count *= 8
		}
		if at += k; size > uint64(len(src)-at) {
			return nil, io.ErrUnexpectedEOF
		}
		at += int(size)
		if have += count; u&1 == 0 && have > want+256 {
			return nil, errors.New("a wrong number of values")
		}
	}
	return src[:at], nil
}

// deltas reports whether the header of src, in DELTA_BINARY_PACKED, announces n numbers: the size of blocks, the parts of a
// block, then that number.
func deltas(src []byte, n int) bool {
	for range 2 {
		_, k := binary.Uvarint(src)
		if k <= 0 {
			return false
		}
		src = src[k:]
	}
	count, k := binary.Uvarint(src)
	return k > 0 && count == uint64(n)
}
