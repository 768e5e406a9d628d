package function

import (
	"encoding/binary"

	"flowlog/parse/codes"
)

// known holds results of an engine that are not additive, such as numbers of distinct values. A group that several results
// are merged into has an unknown value, which is null.
type known struct {
	exact
	v    []int64
	have []fill
	zero bool // no records have the value 0, and not null
}

// fill is how many results were merged into a group.
type fill uint8

const (
	empty fill = iota
	one
	several // their common value is unknown
)

// ByEngine is the function that stands for f where an engine computes f and its values cannot be merged.
func (f *Func) ByEngine() *Func {
	return &Func{
		Name: f.Name, semantics: f.semantics, Input: f.Input,
		accumulation: accumulation{New: func(Values, Shape) State { return &known{zero: f.Counts} }, Rollup: RollupNever, Buffer: BufferNever},
		remote:       remote{Decode: decodeKnown},
	}
}

// decodeKnown decodes a result for one group, and makes that for several groups an unknown one.
func decodeKnown(v any, groups int64) ([]byte, error) {
	n, present, err := wholeNumber(v)
	have := one
	switch {
	case groups > 1:
		have = several
	case !present:
		have = empty
	}
	return (&known{v: []int64{n}, have: []fill{have}}).Append(nil, 0), err
}

func (s *known) Grow(groups int) {
	s.v = codes.Grown(s.v, groups)
	s.have = codes.Grown(s.have, groups)
}

func (s *known) Add([]uint32, []int32, Inputs) error { panic("an engine's results have no records") }

// put merges a result into a group.
func (s *known) put(group uint32, v int64, have fill) {
	if s.have[group] != empty && have != empty {
		have = several
	}
	if have != empty {
		s.v[group], s.have[group] = v, have
	}
}

func (s *known) Merge(other State, ids, _ []uint32) error {
	o := other.(*known)
	for g, have := range o.have {
		if ids[g] != Skip {
			s.put(ids[g], o.v[g], have)
		}
	}
	return nil
}

func (s *known) Value(group uint32) (int64, bool) {
	switch s.have[group] {
	case empty:
		return 0, s.zero
	case one:
		return s.v[group], true
	}
	return 0, false
}

func (s *known) Append(dst []byte, group uint32) []byte {
	return binary.AppendVarint(append(dst, byte(s.have[group])), s.v[group])
}

func (s *known) Load(src []byte, group uint32) ([]byte, error) {
	if len(src) == 0 || src[0] > byte(several) {
		return src, ErrPartial
	}
	v, rest, err := varint(src[1:])
	if err == nil {
		s.put(group, v, fill(src[0]))
	}
	return rest, err
}

func (s *known) Size() int64 { return 9 * int64(cap(s.v)) }
