package report

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

// byEngine is the function that stands for f where an engine computes f and its values cannot be merged.
func (f *function) byEngine() *function {
	return &function{
		name: f.name, semantics: f.semantics, input: f.input,
		accumulation: accumulation{new: func(values, shape) state { return &known{zero: f.counts} }, rollup: rollupNever, buffer: bufferNever},
		remote:       remote{decode: decodeKnown},
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
	return (&known{v: []int64{n}, have: []fill{have}}).append(nil, 0), err
}

func (s *known) grow(groups int) {
	s.v = codes.Grown(s.v, groups)
	s.have = codes.Grown(s.have, groups)
}

func (s *known) add([]uint32, []int32, inputs) error { panic("an engine's results have no records") }

// put merges a result into a group.
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

func (s *known) value(group uint32) (int64, bool) {
	switch s.have[group] {
	case empty:
		return 0, s.zero
	case one:
		return s.v[group], true
	}
	return 0, false
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
