package expr

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// Flows appends the rows whose log-status is OK, or unknown, to out.
func Flows(status arrow.Array, rows, out []int32) []int32 {
	if status.NullN() == status.Len() {
		return append(out, rows...)
	}
	codes, words := schema.TextCodes(status)
	ok := codeOf(words, schema.StatusOK)
	valid := schema.ValidityOf(status)
	for _, row := range rows {
		if codes[row] == ok || valid.Null(row) {
			out = append(out, row)
		}
	}
	return out
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
