package report

import (
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// gap finds the longest time, in seconds, that no record of a group covers between its first and its last one.
type gap struct {
	covered [][]span[int64] // by group, from the start of records to their end; joined now and then
	joined  []int           // by group: how many were left when they were
}

func (s *gap) grow(groups int) {
	s.covered = schema.Grown(s.covered, groups)
	s.joined = schema.Grown(s.joined, groups)
}

func (s *gap) add(ids []uint32, rows []int32, in inputs) error {
	starts, ends := in.col.(*array.Int64).Int64Values(), in.also.(*array.Int64).Int64Values()
	noStart, noEnd := schema.ValidityOf(in.col), schema.ValidityOf(in.also)
	for i, row := range rows {
		if !noStart.Null(row) && !noEnd.Null(row) {
			s.cover(ids[i], span[int64]{starts[row], max(starts[row], ends[row])})
		}
	}
	return nil
}

func (s *gap) cover(group uint32, c span[int64]) {
	list := s.covered[group]
	if n := len(list); n > 0 && list[n-1].lo <= c.lo && c.lo <= list[n-1].hi {
		list[n-1].hi = max(list[n-1].hi, c.hi)
		return
	}
	s.covered[group] = append(list, c)
	if len(list) > 2*s.joined[group]+64 {
		s.join(group)
	}
}

func (s *gap) join(group uint32) {
	s.covered[group] = merged(s.covered[group], func(x int64) int64 { return x })
	s.joined[group] = len(s.covered[group])
}

func (s *gap) merge(other state, ids, _ []uint32) error {
	for group, list := range other.(*gap).covered {
		if ids[group] == skip {
			continue
		}
		for _, c := range list {
			s.cover(ids[group], c)
		}
	}
	return nil
}

func (s *gap) value(group uint32) any {
	s.join(group)
	return longestGap(s.covered[group])
}

// longestGap is the longest distance between neighbours, which are in order and apart.
func longestGap(spans []span[int64]) any {
	if len(spans) == 0 {
		return nil
	}
	longest := int64(0)
	for i := 1; i < len(spans); i++ {
		longest = max(longest, spans[i].lo-spans[i-1].hi)
	}
	return longest
}
