package report

import (
	"encoding/binary"

	"flowlog/parse/schema"
)

var countFunction = function{
	name: "count", kinds: allKinds,
	semantics:    semantics{share: true, zero: true, counts: true},
	accumulation: accumulation{new: func(values, shape) state { return newCount() }, rows: true, rollup: rollupAlways, buffer: bufferRow},
	remote:       remote{adds: "sum", decode: decodeCount},
}

// count is the number of records, or of those in which a field is not null.
type count struct{ number }

func newCount() *count { return &count{newNumber(0)} }

func (s *count) add(ids []uint32, rows []int32, in inputs) error {
	if in.col == nil || in.col.NullN() == 0 {
		if s.groups == 1 {
			*s.of(0) += int64(len(rows))
			return nil
		}
		pages, at, width := s.pages, uint(s.at), uint(len(s.none))
		if v := pages.one(); v != nil {
			for _, id := range ids {
				v[uint(id)*width+at]++
			}
			return nil
		}
		for _, id := range ids {
			*pages.at(uint(id)*width + at)++
		}
		return nil
	}
	valid := schema.ValidityOf(in.col)
	for i, row := range rows {
		if !valid.Null(row) {
			*s.of(ids[i])++
		}
	}
	return nil
}

func (s *count) merge(other state, ids, _ []uint32) error {
	return s.mergeSome(other, ids[:other.(*count).groups], 0)
}

func (s *count) mergeSome(other state, ids []uint32, from int) error {
	o := other.(*count)
	for i, id := range ids {
		if n := *o.of(uint32(from + i)); n != 0 && id != skip {
			*s.of(id) += n
		}
	}
	return nil
}

func (s *count) value(group uint32) (int64, bool) { return *s.of(group), true }

func (s *count) append(dst []byte, group uint32) []byte {
	return binary.AppendUvarint(dst, uint64(*s.of(group)))
}

func (s *count) load(src []byte, group uint32) ([]byte, error) {
	n, src, err := uvarint(src)
	*s.of(group) += int64(n)
	return src, err
}

func decodeCount(v any, _ int64) ([]byte, error) {
	n, _, err := wholeNumber(v)
	return binary.AppendUvarint(nil, uint64(n)), err
}
