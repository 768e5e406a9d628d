package report

import (
	"encoding/binary"

	"flowlog/parse/schema"
)

// known holds values that were computed elsewhere and do not add up, such as numbers of distinct values: of what is
// more than one group together nothing is known.
type known struct {
	v    []int64
	have []fill
	none any // the value of no records
}

// fill is how many values a group of known has got.
type fill uint8

const (
	empty fill = iota
	one
	several // their sum is unknown
)

// newKnown is for what an engine computes of a measure.
func newKnown(m Measure) *known {
	if m.Func == "distinct" {
		return &known{none: int64(0)}
	}
	return &known{}
}

func (s *known) grow(groups int) {
	s.v = schema.Grown(s.v, groups)
	s.have = schema.Grown(s.have, groups)
}

func (s *known) add([]uint32, []int32, inputs) error { panic("records have no known values") }

// put gives a group a value.
func (s *known) put(group uint32, v int64, have fill) {
	if s.have[group] != empty && have != empty {
		have = several
	}
	if have != empty {
		s.v[group], s.have[group] = v, have
	}
}

func (s *known) merge(other state, ids, _ []uint32) error {
	o := other.(*known)
	for g, have := range o.have {
		if ids[g] != skip {
			s.put(ids[g], o.v[g], have)
		}
	}
	return nil
}

func (s *known) value(group uint32) any {
	switch s.have[group] {
	case empty:
		return s.none
	case one:
		return s.v[group]
	}
	return nil
}

func (s *known) append(dst []byte, group uint32) []byte {
	return binary.AppendVarint(append(dst, byte(s.have[group])), s.v[group])
}

func (s *known) load(src []byte, group uint32) ([]byte, error) {
	if len(src) == 0 || src[0] > byte(several) {
		return src, errPartial
	}
	v, rest, err := varint(src[1:])
	if err == nil {
		s.put(group, v, fill(src[0]))
	}
	return rest, err
}

func (s *known) size() int64 { return 9 * int64(cap(s.v)) }
