package function

import (
	"encoding/binary"

	"flowlog/parse/schema"
)

var countFunction = Func{
	Name: "count", Kinds: allKinds,
	semantics:    semantics{Share: true, Zero: true, Counts: true},
	accumulation: accumulation{New: func(Values, Shape) State { return NewCount() }, Rows: true, Rollup: RollupAlways, Buffer: BufferRow},
	remote:       remote{Adds: "sum", Decode: decodeCount},
}

// Count is the number of records, or of those in which a field is not null.
type Count struct{ number }

func NewCount() *Count { return &Count{newNumber(0)} }

func (s *Count) Add(ids []uint32, rows []int32, in Inputs) error {
	if in.Col == nil || in.Col.NullN() == 0 {
		if s.Groups == 1 {
			*s.Of(0) += int64(len(rows))
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
	valid := schema.ValidityOf(in.Col)
	for i, row := range rows {
		if !valid.Null(row) {
			*s.Of(ids[i])++
		}
	}
	return nil
}

func (s *Count) Merge(other State, ids, _ []uint32) error {
	return s.MergeSome(other, ids[:other.(*Count).Groups], 0)
}

func (s *Count) MergeSome(other State, ids []uint32, from int) error {
	o := other.(*Count)
	for i, id := range ids {
		if n := *o.Of(uint32(from + i)); n != 0 && id != Skip {
			*s.Of(id) += n
		}
	}
	return nil
}

func (s *Count) Value(group uint32) (int64, bool) { return *s.Of(group), true }

func (s *Count) Append(dst []byte, group uint32) []byte {
	return binary.AppendUvarint(dst, uint64(*s.Of(group)))
}

func (s *Count) Load(src []byte, group uint32) ([]byte, error) {
	n, src, err := uvarint(src)
	*s.Of(group) += int64(n)
	return src, err
}

func decodeCount(v any, _ int64) ([]byte, error) {
	n, _, err := wholeNumber(v)
	return binary.AppendUvarint(nil, uint64(n)), err
}
