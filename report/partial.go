package report

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"flowlog/parse/schema"
)

// What a worker has come to for a report can leave it, as an Arrow record with a row for each group: the
// keys, how many records the group has, and the states of the bases, one after the other, as bytes. It is
// taken in again by the same worker, by another, or by another process.

// The columns behind those of the keys.
const (
	recordsColumn = "records"
	statesColumn  = "states"
)

// errPartial is the error for bytes that no state wrote.
var errPartial = errors.New("not a partial result, or a damaged one")

// unload returns the record of some groups. Nothing may be added to the worker after it.
func (w *worker) unload(u *grouping, groups []uint32) (arrow.Record, error) {
	var columns []arrow.Array
	var fields []arrow.Field
	codes := w.keyCodes(u, groups)
	for i, k := range u.first.Keys {
		c := w.coded[u.keys[i]]
		f := schema.Field{Name: k.Name(), Kind: k.kind(w.aggregator.projection.Fields[c.field])}
		column := schema.NewColumn(f)
		column.Grow(len(groups))
		c.coder.Gather(codes[i], column)
		columns = append(columns, column.Array())
		fields = append(fields, arrow.Field{Name: f.Name, Type: f.Kind.Arrow(), Nullable: true})
	}
	records := schema.NewColumn(schema.Field{Name: recordsColumn, Kind: schema.Int64})
	var data []byte
	offsets := make([]int32, 1, len(groups)+1)
	for _, g := range groups {
		records.Int64 = append(records.Int64, *u.rows.of(g))
		for i := range u.bases {
			if s := u.bases[i].state; s != nil {
				data = s.append(data, g)
			}
		}
		if len(data) > math.MaxInt32 {
			return nil, fmt.Errorf("%s: a partial result is larger than 2 GiB", u.first.Name)
		}
		offsets = append(offsets, int32(len(data)))
	}
	states := array.NewData(arrow.BinaryTypes.Binary, len(groups), []*memory.Buffer{
		nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(data),
	}, nil, 0, 0)
	columns = append(columns, records.Array(), array.NewBinaryData(states))
	fields = append(fields, arrow.Field{Name: recordsColumn, Type: arrow.PrimitiveTypes.Int64}, arrow.Field{Name: statesColumn, Type: arrow.BinaryTypes.Binary})
	return array.NewRecord(arrow.NewSchema(fields, nil), columns, int64(len(groups))), nil
}

// keyCodes are the codes of each key of some groups.
func (w *worker) keyCodes(u *grouping, groups []uint32) [][]uint32 {
	codes := make([][]uint32, len(u.keys))
	if len(codes) == 0 {
		return codes
	}
	prefix := append([]uint32(nil), groups...)
	for level := len(u.levels) - 1; level >= 0; level-- {
		words := u.levels[level].Words()
		last := make([]uint32, len(groups))
		for i, g := range prefix {
			last[i] = uint32(words[g])
			prefix[i] = uint32(words[g] >> 32)
		}
		codes[level+1] = last
	}
	codes[0] = prefix
	return codes
}

// load takes in a record that unload has made.
func (w *worker) load(u *grouping, rec arrow.Record) error {
	_, err := w.loadGroups(u, rec)
	return err
}

// loadGroups is load, which returns what groups the rows are here.
func (w *worker) loadGroups(u *grouping, rec arrow.Record) ([]uint32, error) {
	n := int(rec.NumRows())
	if int(rec.NumCols()) != len(u.first.Keys)+2 {
		return nil, errPartial
	}
	rows := w.rows(n)
	ids, groups := make([]uint32, n), 1
	for i, k := range u.first.Keys {
		c := w.coded[u.keys[i]]
		col := rec.Column(i)
		if !arrow.TypeEqual(col.DataType(), k.kind(w.aggregator.projection.Fields[c.field]).Arrow()) {
			return nil, errPartial
		}
		c.codes = schema.Grown(c.codes, n)
		if made, ok := c.coder.(*keyCoder); ok {
			made.adopt(col, c.codes)
		} else {
			c.coder.Encode(col, rows, c.codes)
		}
		if i == 0 {
			copy(ids, c.codes)
			groups = c.coder.Len()
			continue
		}
		for row, code := range c.codes[:n] {
			ids[row], _ = u.levels[i-1].ID(uint64(ids[row])<<32 | uint64(code))
		}
		groups = u.levels[i-1].Len()
	}
	records, ok := rec.Column(len(u.first.Keys)).(*array.Int64)
	states, ok2 := rec.Column(len(u.first.Keys) + 1).(*array.Binary)
	if !ok || !ok2 {
		return nil, errPartial
	}
	u.grow(groups)
	for row, id := range ids {
		*u.rows.of(id) += records.Value(row)
		src := states.Value(row)
		for i := range u.bases {
			if s := u.bases[i].state; s != nil {
				var err error
				if src, err = s.load(src, id); err != nil {
					return nil, err
				}
			}
		}
		if len(src) > 0 {
			return nil, errPartial
		}
	}
	return ids, nil
}

func (s *count) append(dst []byte, group uint32) []byte {
	return binary.AppendUvarint(dst, uint64(*s.of(group)))
}

func (s *count) load(src []byte, group uint32) ([]byte, error) {
	n, src, err := uvarint(src)
	*s.of(group) += int64(n)
	return src, err
}

func (s *sum) append(dst []byte, group uint32) []byte {
	v := *s.of(group)
	if v == noSum {
		return binary.AppendUvarint(dst, 0)
	}
	return binary.AppendUvarint(dst, uint64(v)+1)
}

func (s *sum) load(src []byte, group uint32) ([]byte, error) {
	n, src, err := uvarint(src)
	if n == 0 || err != nil {
		return src, err
	}
	t := s.of(group)
	if n > 1<<63 {
		return src, errPartial
	}
	if *t = *t&^noSum + int64(n-1); *t < 0 {
		return src, errSum
	}
	return src, nil
}

func (s *extreme) append(dst []byte, group uint32) []byte {
	return binary.AppendVarint(dst, *s.of(group))
}

func (s *extreme) load(src []byte, group uint32) ([]byte, error) {
	v, src, err := varint(src)
	if err == nil {
		t := s.of(group)
		*t = min(*t, v)
	}
	return src, err
}

func (s *histogram) append(dst []byte, group uint32) []byte {
	cells := s.of(group)
	dst = binary.AppendUvarint(dst, uint64(len(cells)))
	for _, c := range cells {
		dst = binary.AppendUvarint(dst, uint64(c.bucket))
		dst = binary.AppendUvarint(dst, uint64(c.n))
	}
	return dst
}

func (s *histogram) load(src []byte, group uint32) ([]byte, error) {
	cells, src, err := uvarint(src)
	for ; cells > 0 && err == nil; cells-- {
		var bucket, n uint64
		if bucket, src, err = uvarint(src); err != nil {
			break
		}
		if n, src, err = uvarint(src); err == nil {
			s.count(group, uint32(min(bucket, maxBucket)), int64(n))
		}
	}
	return src, err
}

func (s *gap) append(dst []byte, group uint32) []byte {
	spans := s.join(group)
	dst = binary.AppendUvarint(dst, uint64(len(spans)))
	for _, c := range spans {
		dst = binary.AppendVarint(dst, c.lo)
		dst = binary.AppendVarint(dst, c.hi)
	}
	return dst
}

func (s *gap) load(src []byte, group uint32) ([]byte, error) {
	spans, src, err := uvarint(src)
	for ; spans > 0 && err == nil; spans-- {
		var c span[int64]
		if c.lo, src, err = varint(src); err != nil {
			break
		}
		if c.hi, src, err = varint(src); err == nil {
			s.cover(group, c)
		}
	}
	return src, err
}

func (s *distinct) append(dst []byte, group uint32) []byte {
	if e := s.many[group]; e != nil {
		return e.append(dst)
	}
	codes := s.codesOf(group)
	dst = binary.AppendUvarint(dst, uint64(len(codes)))
	for _, word := range codes {
		dst = appendValue(dst, s.coder.Value(uint32(word)))
	}
	return dst
}

func (s *distinct) load(src []byte, group uint32) ([]byte, error) {
	return loadDistinct(src, s.coder, func(code uint32) { s.see(group, code) }, func(e *logLog) {
		own := s.many[group]
		if own == nil {
			own = s.estimate(group)
		}
		own.merge(e)
	})
}

func (s *distinctOfAll) append(dst []byte, _ uint32) []byte {
	if s.rest != nil {
		return s.estimated().append(dst)
	}
	dst = binary.AppendUvarint(dst, uint64(s.n))
	for code, seen := range s.seen {
		if seen {
			dst = appendValue(dst, s.coder.Value(uint32(code)))
		}
	}
	return dst
}

func (s *distinctOfAll) load(src []byte, _ uint32) ([]byte, error) {
	return loadDistinct(src, s.coder, s.see, s.estimate)
}

// loadDistinct reads values, or the estimate of how many there are.
func loadDistinct(src []byte, coder values, see func(code uint32), estimate func(*logLog)) ([]byte, error) {
	n, src, err := uvarint(src)
	if err != nil {
		return src, err
	}
	if n == math.MaxUint64 {
		e := &logLog{}
		if len(src) < len(e.ranks) {
			return src, errPartial
		}
		copy(e.ranks[:], src)
		for i, rank := range e.ranks {
			e.ranks[i] = min(rank, 64)
		}
		estimate(e)
		return src[len(e.ranks):], nil
	}
	for ; n > 0; n-- {
		var v any
		if v, src, err = loadValue(src); err != nil {
			return src, err
		}
		code, ok := coder.Code(v)
		if !ok {
			return src, errPartial
		}
		see(code)
	}
	return src, nil
}

// append writes the estimate in place of a number of values.
func (l *logLog) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, math.MaxUint64)
	return append(dst, l.ranks[:]...)
}

// The kinds of value that appendValue writes.
const (
	intValue = iota
	floatValue
	textValue
	addrValue
	pairValue
)

// appendValue writes a value of a Coder.
func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return binary.AppendVarint(append(dst, intValue), v)
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, floatValue), math.Float64bits(v))
	case string:
		return append(binary.AppendUvarint(append(dst, textValue), uint64(len(v))), v...)
	case netip.Addr:
		a := v.As16()
		return append(append(dst, addrValue), a[:]...)
	case [2]any:
		return appendValue(appendValue(append(dst, pairValue), v[0]), v[1])
	}
	panic(fmt.Sprintf("a value of type %T", v))
}

func loadValue(src []byte) (v any, rest []byte, err error) {
	if len(src) == 0 {
		return nil, src, errPartial
	}
	kind, src := src[0], src[1:]
	switch kind {
	case intValue:
		return varint2(varint(src))
	case floatValue:
		if len(src) < 8 {
			return nil, src, errPartial
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(src)), src[8:], nil
	case textValue:
		n, src, err := uvarint(src)
		if err != nil || n > uint64(len(src)) {
			return nil, src, errPartial
		}
		return string(src[:n]), src[n:], nil
	case addrValue:
		if len(src) < 16 {
			return nil, src, errPartial
		}
		return netip.AddrFrom16([16]byte(src)).Unmap(), src[16:], nil
	case pairValue:
		var pair [2]any
		for i := range pair {
			if len(src) > 0 && src[0] == pairValue {
				return nil, src, errPartial
			}
			if pair[i], src, err = loadValue(src); err != nil {
				return nil, src, err
			}
		}
		return pair, src, nil
	}
	return nil, src, errPartial
}

func varint2(v int64, rest []byte, err error) (any, []byte, error) { return v, rest, err }

func uvarint(src []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(src)
	if n <= 0 {
		return 0, src, errPartial
	}
	return v, src[n:], nil
}

func varint(src []byte) (int64, []byte, error) {
	v, n := binary.Varint(src)
	if n <= 0 {
		return 0, src, errPartial
	}
	return v, src[n:], nil
}
