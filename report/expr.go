package report

import (
	"fmt"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// An Expr is a condition on records. A condition on a null is not met.
type Expr interface {
	Fields(yield func(name string))
	String() string
	// keep returns those of the rows that meet the condition, in their order. It may reuse rows.
	keep(rec arrow.Record, rows []int32) []int32
}

// Equal is met where a text field has a value.
type Equal struct{ Field, Value string }

func (e Equal) Fields(yield func(string)) { yield(e.Field) }
func (e Equal) String() string            { return fmt.Sprintf("%s = %s", e.Field, strconv.Quote(e.Value)) }

func (e Equal) keep(rec arrow.Record, rows []int32) []int32 {
	kept := rows[:0]
	col := column(rec, e.Field)
	codes, words := schema.TextCodes(col)
	code := codeOf(words, e.Value)
	if code < 0 {
		return kept
	}
	valid := schema.ValidityOf(col)
	for _, row := range rows {
		if codes[row] == code && !valid.Null(row) {
			kept = append(kept, row)
		}
	}
	return kept
}

// codeOf finds a value in a dictionary, or returns -1.
func codeOf(words *array.String, value string) int32 {
	for i := range words.Len() {
		if words.Value(i) == value {
			return int32(i)
		}
	}
	return -1
}

// column finds a column that the projection is known to have.
func column(rec arrow.Record, name string) arrow.Array {
	return rec.Column(rec.Schema().FieldIndices(name)[0])
}
