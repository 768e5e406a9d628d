package report

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// A function is an aggregate function. Measures name it by its name.
type function struct {
	name  string
	kinds []schema.Kind // of fields that it can be applied to by users; nil if it takes none
	share bool          // a group's part of the total makes sense
	new   func() state  // nil if the value does not come from records
}

// functions is THE table of aggregate functions.
var functions = []function{
	{"count", nil, true, func() state { return &count{} }},
	{"sum", []schema.Kind{schema.Int32, schema.Int64}, true, func() state { return &sum{} }},
	{"min", []schema.Kind{schema.Int32, schema.Int64, schema.Time}, false, func() state { return &extreme{sign: 1} }},
	{"max", []schema.Kind{schema.Int32, schema.Int64, schema.Time}, false, func() state { return &extreme{sign: -1} }},
	{"distinct", []schema.Kind{schema.Int32, schema.Int64, schema.Time, schema.Float, schema.Addr, schema.Text}, false, func() state { return &distinct{seen: schema.NewPairs()} }},
	{"malformed", nil, false, nil},
}

func functionNamed(name string) function {
	return functions[slices.IndexFunc(functions, func(f function) bool { return f.name == name })]
}

// A state holds what a function has come to for each group, by the group's number.
type state interface {
	// grow makes room for groups.
	grow(groups int)
	// add takes in rows: row rows[i] belongs to group ids[i]. codes are those of the field, by row, for a
	// function that needs them.
	add(ids []uint32, rows []int32, col arrow.Array, codes []uint32) error
	// merge takes in another state, whose group g is group ids[g] here, and whose code c of the field is
	// code codes[c] here.
	merge(other state, ids, codes []uint32) error
	// value is the result for a group; nil is null.
	value(group uint32) any
	// fold is the result for all the groups for which in is set, taken together.
	fold(in []bool) (any, error)
}

// errSum is the error for sums beyond 64 bits.
var errSum = errors.New("a sum is larger than 9223372036854775807 (2^63-1): narrow the input")

// count counts records.
type count struct{ n []int64 }

func (s *count) grow(groups int) { s.n = grown(s.n, groups) }

func (s *count) add(ids []uint32, _ []int32, _ arrow.Array, _ []uint32) error {
	n := s.n
	for _, id := range ids {
		n[id]++
	}
	return nil
}

func (s *count) merge(other state, ids, _ []uint32) error {
	for g, n := range other.(*count).n {
		if n != 0 {
			s.n[ids[g]] += n
		}
	}
	return nil
}

func (s *count) value(group uint32) any { return s.n[group] }

func (s *count) fold(in []bool) (any, error) {
	var n int64
	for g, yes := range in {
		if yes {
			n += s.n[g]
		}
	}
	return n, nil
}

// sum adds up a field. A group in which the field is always null has no sum.
type sum struct {
	sum  []int64
	some []bool // groups with a value
}

func (s *sum) grow(groups int) {
	s.sum = grown(s.sum, groups)
	s.some = grown(s.some, groups)
}

func (s *sum) add(ids []uint32, rows []int32, col arrow.Array, _ []uint32) error {
	var over int64
	valid := schema.ValidityOf(col)
	sums, some := s.sum, s.some
	switch a := col.(type) {
	case *array.Int64:
		values := a.Int64Values()
		for i, row := range rows {
			if valid.Null(row) {
				continue
			}
			id := ids[i]
			t := sums[id] + values[row]
			over |= t
			sums[id] = t
			some[id] = true
		}
	case *array.Int32:
		values := a.Int32Values()
		for i, row := range rows {
			if valid.Null(row) {
				continue
			}
			id := ids[i]
			t := sums[id] + int64(values[row])
			over |= t
			sums[id] = t
			some[id] = true
		}
	}
	if over < 0 {
		return errSum
	}
	return nil
}

func (s *sum) merge(other state, ids, _ []uint32) error {
	o := other.(*sum)
	for g, some := range o.some {
		if some {
			id := ids[g]
			if s.sum[id] += o.sum[g]; s.sum[id] < 0 {
				return errSum
			}
			s.some[id] = true
		}
	}
	return nil
}

func (s *sum) value(group uint32) any {
	if !s.some[group] {
		return nil
	}
	return s.sum[group]
}

func (s *sum) fold(in []bool) (any, error) {
	var total int64
	var any bool
	for g, yes := range in {
		if yes && s.some[g] {
			if total += s.sum[g]; total < 0 {
				return nil, errSum
			}
			any = true
		}
	}
	if !any {
		return nil, nil
	}
	return total, nil
}

// extreme finds the smallest (sign 1) or largest (sign -1) value of a field. It keeps the smallest product of
// sign and value.
type extreme struct {
	sign int64
	v    []int64 // unset is MaxInt64
}

func (s *extreme) grow(groups int) {
	for n := len(s.v); n < groups; n++ {
		s.v = append(s.v, math.MaxInt64)
	}
}

func (s *extreme) add(ids []uint32, rows []int32, col arrow.Array, _ []uint32) error {
	valid := schema.ValidityOf(col)
	switch a := col.(type) {
	case *array.Int64:
		values := a.Int64Values()
		for i, row := range rows {
			if v := s.sign * values[row]; v < s.v[ids[i]] && !valid.Null(row) {
				s.v[ids[i]] = v
			}
		}
	case *array.Int32:
		values := a.Int32Values()
		for i, row := range rows {
			if v := s.sign * int64(values[row]); v < s.v[ids[i]] && !valid.Null(row) {
				s.v[ids[i]] = v
			}
		}
	}
	return nil
}

func (s *extreme) merge(other state, ids, _ []uint32) error {
	for g, v := range other.(*extreme).v {
		if v != math.MaxInt64 {
			s.v[ids[g]] = min(s.v[ids[g]], v)
		}
	}
	return nil
}

func (s *extreme) value(group uint32) any {
	if s.v[group] == math.MaxInt64 {
		return nil
	}
	return s.sign * s.v[group]
}

func (s *extreme) fold(in []bool) (any, error) {
	best := int64(math.MaxInt64)
	for g, yes := range in {
		if yes {
			best = min(best, s.v[g])
		}
	}
	if best == math.MaxInt64 {
		return nil, nil
	}
	return s.sign * best, nil
}

// distinct counts the different values of a field, exactly. Nulls do not count.
type distinct struct {
	seen *schema.Pairs // of group and code
	n    []int64
}

func (s *distinct) grow(groups int) { s.n = grown(s.n, groups) }

func (s *distinct) add(ids []uint32, rows []int32, _ arrow.Array, codes []uint32) error {
	for i, row := range rows {
		if code := codes[row]; code != 0 {
			if _, isNew := s.seen.ID(uint64(ids[i])<<32 | uint64(code)); isNew {
				s.n[ids[i]]++
			}
		}
	}
	return nil
}

func (s *distinct) merge(other state, ids, codes []uint32) error {
	for _, word := range other.(*distinct).seen.Words() {
		id := ids[word>>32]
		if _, isNew := s.seen.ID(uint64(id)<<32 | uint64(codes[uint32(word)])); isNew {
			s.n[id]++
		}
	}
	return nil
}

func (s *distinct) value(group uint32) any { return s.n[group] }

func (s *distinct) fold(in []bool) (any, error) {
	seen := make(map[uint32]struct{})
	for _, word := range s.seen.Words() {
		if in[word>>32] {
			seen[uint32(word)] = struct{}{}
		}
	}
	return int64(len(seen)), nil
}

// distinctOfAll is distinct for a report without keys, which has one group.
type distinctOfAll struct {
	seen []bool // by code
	n    int64
}

func (s *distinctOfAll) grow(int) {}

func (s *distinctOfAll) add(_ []uint32, rows []int32, _ arrow.Array, codes []uint32) error {
	for _, row := range rows {
		s.see(codes[row])
	}
	return nil
}

func (s *distinctOfAll) see(code uint32) {
	if int(code) >= len(s.seen) {
		s.seen = grown(s.seen, 2*int(code)+1024)
	}
	if !s.seen[code] && code != 0 {
		s.seen[code] = true
		s.n++
	}
}

func (s *distinctOfAll) merge(other state, _, codes []uint32) error {
	for code, seen := range other.(*distinctOfAll).seen {
		if seen {
			s.see(codes[code])
		}
	}
	return nil
}

func (s *distinctOfAll) value(uint32) any { return s.n }

func (s *distinctOfAll) fold([]bool) (any, error) { return s.n, nil }

// grown returns s with at least n elements.
func grown[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	s = slices.Grow(s, n-len(s))
	return s[:n]
}

// instant is the time that a measure in Unix seconds stands for.
func instant(v any) any {
	if s, ok := v.(int64); ok {
		return time.Unix(s, 0).UTC()
	}
	return v
}
