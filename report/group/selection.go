package group

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// A selection is the rows of a batch that meet a condition, for all groupings that have it.
type selection struct {
	*conjunction
	id    int // of the condition
	rows  []int32
	batch int // that the rows are flows of
}

// meet returns the rows that meet the condition, and counts them where no other call has the same ones. They are the
// flows of the batch with a number, or others.
func (s *selection) meet(rec arrow.Record, rows []int32, batch int, others, count bool) []int32 {
	if s.batch == batch && !others {
		return s.rows
	}
	s.rows = s.Keep(rec, append(s.rows[:0], rows...), count)
	if s.batch = batch; others {
		s.batch = 0
	}
	return s.rows
}

// conjunction is a condition that flows must meet part by part, with how many came through each. It says why none is left.
type conjunction struct {
	parts   []expr.Expr
	filters []expr.Filter
	asked   int64
	met     []int64 // by part: flows that meet it and those before it
	valued  []int64 // by part that none meets: flows that meet those before it and have its field
}

// newConjunction makes one of a condition. What all reports ask of a field of text comes first: records that do not meet it
// may not be read at all.
func newConjunction(e expr.Expr, field, value string) *conjunction {
	s := &conjunction{parts: slices.Clone(expr.Conjuncts(e))}
	slices.SortStableFunc(s.parts, func(a, b expr.Expr) int {
		first := func(e expr.Expr) int {
			c, ok := e.(expr.Compare)
			if ok && field != "" && c.Op == expr.Equal && c.Field.Name == field && c.Value == value {
				return 0
			}
			return 1
		}
		return first(a) - first(b)
	})
	for _, part := range s.parts {
		s.filters = append(s.filters, part.Filter())
	}
	s.met, s.valued = make([]int64, len(s.parts)), make([]int64, len(s.parts))
	return s
}

// Keep returns the rows that meet the condition, as a filter does. Those that count are flows, each of which comes once.
func (s *conjunction) Keep(rec arrow.Record, rows []int32, count bool) []int32 {
	if count {
		s.asked += int64(len(rows))
	}
	for i, f := range s.filters {
		if len(rows) == 0 {
			break
		}
		if count && s.met[i] == 0 { // it costs something, and is of interest as long as none does
			if k, ok := keyOf(s.parts[i]); ok {
				s.valued[i] += int64(valued(rec, rows, k.Field))
			}
		}
		if rows = f.Keep(rec, rows, true); count {
			s.met[i] += int64(len(rows))
		}
	}
	return rows
}

// valued counts the rows that have a value of a field.
func valued(rec arrow.Record, rows []int32, field string) int {
	col := expr.Column(rec, field)
	switch col.NullN() {
	case 0:
		return len(rows)
	case col.Len():
		return 0
	}
	valid, n := schema.ValidityOf(col), 0
	for _, row := range rows {
		if !valid.Null(row) {
			n++
		}
	}
	return n
}
