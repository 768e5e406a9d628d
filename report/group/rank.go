package group

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report"
)

// A ranking says what ranks the rows of a report: a measure, or a key.
type ranking struct {
	index int // of the measure or key
	byKey bool
	desc  bool
}

// ranking is what ranks the rows, if some measures are missing.
func (v *reportView) ranking(missing []bool) ranking {
	r := v.report
	if k := r.Key(r.Order); k >= 0 && r.Measure(r.Order) < 0 {
		return ranking{k, true, r.Reverse}
	}
	index := max(r.Measure(r.Order), 0)
	if missing[index] {
		index = max(slices.Index(missing, false), 0)
	}
	return ranking{index, false, !r.Reverse}
}

// A ranked group is one that is shown.
type ranked struct {
	id   uint32
	rank any
	keys []any
}

// rank returns the groups that are shown, in order, and all that meet the report's conditions on rows, of which they are
// the first.
func (v *reportView) rank(ids []uint32, by ranking, began *began, stats schema.Stats) (rows []ranked, met []uint32) {
	all, limit := ids, v.report.Limit
	if v.report.Having != nil {
		ids = v.having(ids, stats)
	}
	if v.report.Spike != nil {
		ids = v.spikes(ids, all, began, stats)
	}
	met = ids
	if limit > 0 && len(ids) > limit && !by.byKey {
		ids = leaders(ids, limit, v.sortKey(by, stats))
	}
	rows = make([]ranked, len(ids))
	for i, id := range ids {
		rows[i] = ranked{id: id, keys: v.groups.keyValues(id)}
		if by.byKey {
			rows[i].rank = rows[i].keys[by.index]
		} else {
			rows[i].rank = v.value(by.index, id, stats)
		}
	}
	slices.SortFunc(rows, func(x, y ranked) int {
		if c := report.CompareNullsLast(x.rank, y.rank, by.desc); c != 0 {
			return c
		}
		for i := range x.keys {
			if c := report.CompareNullsLast(x.keys[i], y.keys[i], false); c != 0 {
				return c
			}
		}
		return 0
	})
	if limit > 0 && len(rows) > limit {
		rows = rows[:limit]
	}
	return rows, met
}

// having returns the groups that meet the report's condition on its rows.
func (v *reportView) having(ids []uint32, stats schema.Stats) []uint32 {
	needed := make(map[string]bool)
	v.report.Having.Fields(func(name string) { needed[name] = true })
	var fields schema.Table
	var values []func(id uint32) any
	for i := range v.groups.keys {
		if f := v.groups.keyField(i); needed[f.Name] {
			fields = append(fields, f)
			values = append(values, func(id uint32) any { return v.groups.keyValues(id)[i] })
		}
	}
	for i, m := range v.measures {
		if needed[m.Name] {
			fields = append(fields, schema.Field{Name: m.Name, Kind: m.Kind()})
			values = append(values, func(id uint32) any { return v.value(i, id, stats) })
		}
	}
	columns := make([]arrow.Array, len(fields))
	for i, f := range fields {
		c := schema.NewColumn(f)
		for _, id := range ids {
			c.Append(values[i](id))
		}
		columns[i] = c.Array()
	}
	rows := make([]int32, len(ids))
	for i := range rows {
		rows[i] = int32(i)
	}
	rec := array.NewRecord(fields.Arrow(), columns, int64(len(ids)))
	var kept []uint32
	for _, row := range v.report.Having.Filter().Keep(rec, rows, true) {
		kept = append(kept, ids[row])
	}
	return kept
}

// sortKey returns the sort key of a group, if a measure ranks the rows: ascending, the best group first, nulls last.
func (v *reportView) sortKey(by ranking, stats schema.Stats) func(group uint32) int64 {
	const null = math.MaxInt64
	rank := func(v int64) int64 {
		if by.desc {
			return ^v
		}
		return v
	}
	x := &v.measures[by.index]
	if s := v.groups.stateOf(x.accs[0]); s != nil && x.fn.Of == nil && !x.missing {
		return func(group uint32) int64 {
			if v, ok := s.Value(group); ok {
				return rank(v)
			}
			return null
		}
	}
	return func(group uint32) int64 {
		switch v := v.value(by.index, group, stats).(type) {
		case int64:
			return rank(v)
		case time.Time:
			return rank(v.Unix())
		case float64: // the bits of those that are not negative are in their order
			return rank(int64(math.Float64bits(v)))
		}
		return null
	}
}

// leaders returns the top n of more than n groups by ascending sort key, and all that tie with the last of them.
func leaders(ids []uint32, n int, sortKey func(group uint32) int64) []uint32 {
	type candidate struct {
		id  uint32
		key int64
	}
	var list []candidate
	limit, many := int64(math.MaxInt64), 2*n
	cut := func() {
		slices.SortFunc(list, func(a, b candidate) int { return cmp.Compare(a.key, b.key) })
		limit = list[n-1].key
		last := n
		for last < len(list) && list[last].key == limit {
			last++
		}
		list = list[:last]
		many = 2 * last
	}
	for _, id := range ids {
		if c := sortKey(id); c <= limit {
			if list = append(list, candidate{id, c}); len(list) >= many {
				cut()
			}
		}
	}
	cut()
	out := make([]uint32, len(list))
	for i, c := range list {
		out[i] = c.id
	}
	return out
}
