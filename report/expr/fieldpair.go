package expr

import (
	"bytes"
	"cmp"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// fieldsTest compares two columns.
type fieldsTest struct {
	CompareFields
	left, right   codes.Coder // for texts, one coder: codes are equal where the texts are
	codesL, codeR []uint32
}

// wholeNumbers gives the values of a column of whole numbers of either size.
func wholeNumbers(col arrow.Array) func(row int32) int64 {
	switch a := col.(type) {
	case *array.Int32:
		values := a.Int32Values()
		return func(row int32) int64 { return int64(values[row]) }
	case *array.Int64:
		values := a.Int64Values()
		return func(row int32) int64 { return values[row] }
	}
	panic("not a column of whole numbers")
}

func (e CompareFields) Filter() Filter {
	f := &fieldsTest{CompareFields: e}
	if e.Left.Kind == schema.Text {
		f.left = codes.NewCoder(e.Left)
		f.right = f.left
	}
	return f
}

func (f *fieldsTest) Keep(rec arrow.Record, rows []int32, want bool) []int32 {
	left, right := Column(rec, f.Left.Name), Column(rec, f.Right.Name)
	validL, validR := schema.ValidityOf(left), schema.ValidityOf(right)
	var compare func(row int32) int
	switch f.Left.Kind {
	case schema.Text:
		n := int(rec.NumRows())
		f.codesL, f.codeR = codes.Grown(f.codesL, n), codes.Grown(f.codeR, n)
		f.left.Encode(left, rows, f.codesL)
		f.right.Encode(right, rows, f.codeR)
		compare = func(row int32) int { return cmp.Compare(f.codesL[row], f.codeR[row]) }
	case schema.Addr:
		l, r := schema.AddrValues(left), schema.AddrValues(right)
		compare = func(row int32) int { return bytes.Compare(l[row][:], r[row][:]) }
	case schema.Float:
		l, r := left.(*array.Float64).Float64Values(), right.(*array.Float64).Float64Values()
		compare = func(row int32) int { return cmp.Compare(l[row], r[row]) }
	default:
		l, r := wholeNumbers(left), wholeNumbers(right)
		compare = func(row int32) int { return cmp.Compare(l(row), r(row)) }
	}
	kept := rows[:0]
	for _, row := range rows {
		if !validL.Null(row) && !validR.Null(row) && holds(f.Op, compare(row)) == want {
			kept = append(kept, row)
		}
	}
	return kept
}
