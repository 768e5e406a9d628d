package expr

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// logic is And, and Or, which is And of the opposite: it is true where one part is, as And is false where one
// part is.
type logic struct {
	each             bool // the value that the whole has only where each part has it
	parts            []Filter
	rest, hits, kept []int32
}

func newLogic(each bool, parts []Expr) Filter {
	l := &logic{each: each}
	for _, x := range parts {
		l.parts = append(l.parts, x.Filter())
	}
	return l
}

func (l *logic) Keep(rec arrow.Record, rows []int32, want bool) []int32 {
	if want == l.each {
		for _, p := range l.parts {
			if len(rows) == 0 {
				break
			}
			rows = p.Keep(rec, rows, want)
		}
		return rows
	}
	l.rest = append(l.rest[:0], rows...)
	l.kept = l.kept[:0]
	for _, p := range l.parts {
		if len(l.rest) == 0 {
			break
		}
		l.hits = append(l.hits[:0], l.rest...)
		hits := p.Keep(rec, l.hits, want)
		l.rest = Without(l.rest, hits)
		l.kept = append(l.kept, hits...)
	}
	slices.Sort(l.kept)
	return rows[:copy(rows, l.kept)]
}

// Without drops rows that are in gone from rows. Both ascend.
func Without(rows, gone []int32) []int32 {
	left := rows[:0]
	for _, row := range rows {
		if len(gone) > 0 && gone[0] == row {
			gone = gone[1:]
			continue
		}
		left = append(left, row)
	}
	return left
}

type opposite struct{ x Filter }

func (f opposite) Keep(rec arrow.Record, rows []int32, want bool) []int32 {
	return f.x.Keep(rec, rows, !want)
}

type isNull struct{ field string }

func (f isNull) Keep(rec arrow.Record, rows []int32, want bool) []int32 {
	col := Column(rec, f.field)
	if nulls := col.NullN(); nulls == 0 || nulls == col.Len() {
		if (nulls > 0) == want {
			return rows
		}
		return rows[:0]
	}
	valid := schema.ValidityOf(col)
	kept := rows[:0]
	for _, row := range rows {
		if valid.Null(row) == want {
			kept = append(kept, row)
		}
	}
	return kept
}

// holds reports whether a comparison that came out below, at or above 0 is what op asks for.
func holds(op Op, c int) bool {
	switch op {
	case Less:
		return c < 0
	case LessEqual:
		return c <= 0
	case Greater:
		return c > 0
	case GreaterEqual:
		return c >= 0
	}
	return c == 0
}

// numbers is a condition on a whole number: it is in one of some ranges.
type numbers struct {
	field string
	spans []Span[int64]
	set   []bool // of small numbers, by number, if there are several ranges
}

func newNumbers(f schema.Field, spans []Span[int64]) Filter {
	n := &numbers{field: f.Name, spans: Merged(spans, func(x int64) int64 { return max(x, x+1) })}
	if f.Kind == schema.Int32 && 0 < f.Max && f.Max <= math.MaxUint16 && len(n.spans) > 1 {
		n.set = make([]bool, f.Max+1)
		for _, s := range n.spans {
			for i := max(s.Lo, 0); i <= min(s.Hi, f.Max); i++ {
				n.set[i] = true
			}
		}
	}
	return n
}

func (f *numbers) Keep(rec arrow.Record, rows []int32, want bool) []int32 {
	switch a := Column(rec, f.field).(type) {
	case *array.Int32:
		return keepNumbers(f, a.Int32Values(), schema.ValidityOf(a), rows, want)
	case *array.Int64:
		return keepNumbers(f, a.Int64Values(), schema.ValidityOf(a), rows, want)
	}
	panic("not a column of whole numbers")
}

func keepNumbers[T int32 | int64](f *numbers, values []T, valid schema.Validity, rows []int32, want bool) []int32 {
	kept := rows[:0]
	switch {
	case len(f.spans) == 1:
		lo, width := f.spans[0].Lo, uint64(f.spans[0].Hi)-uint64(f.spans[0].Lo)
		for _, row := range rows {
			if (uint64(int64(values[row]))-uint64(lo) <= width) == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	case f.set != nil:
		for _, row := range rows {
			if f.set[values[row]] == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	default:
		for _, row := range rows {
			if inSpans(f.spans, int64(values[row])) == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	}
	return kept
}

// floats is a condition on a floating-point number.
type floats struct {
	field string
	spans []Span[float64]
}

func (f *floats) Keep(rec arrow.Record, rows []int32, want bool) []int32 {
	a := Column(rec, f.field).(*array.Float64)
	values, valid := a.Float64Values(), schema.ValidityOf(a)
	kept := rows[:0]
	for _, row := range rows {
		if inSpans(f.spans, values[row]) == want && !valid.Null(row) {
			kept = append(kept, row)
		}
	}
	return kept
}

// texts is a condition on a text. It is evaluated once for each distinct one.
type texts struct {
	field string
	holds func(string) bool
	coder codes.Coder
	known []bool // by code
	codes []uint32
}

func newTexts(f schema.Field, holds func(string) bool) Filter {
	return &texts{field: f.Name, holds: holds, coder: codes.NewCoder(f), known: []bool{false}}
}

func (f *texts) Keep(rec arrow.Record, rows []int32, want bool) []int32 {
	f.codes = codes.Grown(f.codes, int(rec.NumRows()))
	f.coder.Encode(Column(rec, f.field), rows, f.codes)
	for code := len(f.known); code < f.coder.Len(); code++ {
		f.known = append(f.known, f.holds(f.coder.Value(uint32(code)).(string)))
	}
	kept := rows[:0]
	for _, row := range rows {
		if code := f.codes[row]; code != 0 && f.known[code] == want {
			kept = append(kept, row)
		}
	}
	return kept
}

// likeRegexp is the regular expression of a pattern of SQL's like.
func likeRegexp(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for _, c := range pattern {
		switch c {
		case '%':
			b.WriteString(".*")
		case '_':
			b.WriteByte('.')
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

// bits is a condition on the bits of a whole number.
type bitTest struct {
	field string
	bits  int64
}

func (f bitTest) Keep(rec arrow.Record, rows []int32, want bool) []int32 {
	kept := rows[:0]
	switch a := Column(rec, f.field).(type) {
	case *array.Int32:
		values, valid := a.Int32Values(), schema.ValidityOf(a)
		for _, row := range rows {
			if (int64(values[row])&f.bits == f.bits) == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	case *array.Int64:
		values, valid := a.Int64Values(), schema.ValidityOf(a)
		for _, row := range rows {
			if (values[row]&f.bits == f.bits) == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	}
	return kept
}

func (e And) Filter() Filter { return newLogic(true, e) }

func (e Or) Filter() Filter { return newLogic(false, e) }

func (e Not) Filter() Filter { return opposite{e.X.Filter()} }

func (e IsNull) Filter() Filter { return isNull{e.Field.Name} }

func (e Compare) Filter() Filter {
	switch v := e.Value.(type) {
	case int64:
		var spans []Span[int64]
		if s, ok := intSpan(e.Op, v); ok {
			spans = append(spans, s)
		}
		return newNumbers(e.Field, spans)
	case float64:
		return &floats{e.Field.Name, []Span[float64]{floatSpan(e.Op, v)}}
	case string:
		return newTexts(e.Field, func(s string) bool { return holds(e.Op, strings.Compare(s, v)) })
	}
	panic("a value of no kind")
}

func (e In) Filter() Filter {
	if e.HasPorts() {
		return e.Spread().Filter()
	}
	items := Flatten(nil, e.Items)
	switch e.Field.Kind {
	case schema.Addr:
		return NewAddrs(e.Field, items)
	case schema.Text:
		words := make(map[string]bool, len(items))
		for _, it := range items {
			words[it.Value.(string)] = true
		}
		return newTexts(e.Field, func(s string) bool { return words[s] })
	case schema.Float:
		var spans []Span[float64]
		for _, it := range items {
			s := Span[float64]{math.Inf(-1), math.Inf(1)}
			if !it.Range {
				it.Lo, it.Hi = it.Value, it.Value
			}
			if it.Lo != nil {
				s.Lo = it.Lo.(float64)
			}
			if it.Hi != nil {
				s.Hi = it.Hi.(float64)
			}
			spans = append(spans, s)
		}
		return &floats{e.Field.Name, Merged(spans, func(x float64) float64 { return x })}
	}
	var spans []Span[int64]
	for _, it := range items {
		s := Span[int64]{math.MinInt64, math.MaxInt64}
		if !it.Range {
			it.Lo, it.Hi = it.Value, it.Value
		}
		if it.Lo != nil {
			s.Lo = it.Lo.(int64)
		}
		if it.Hi != nil {
			s.Hi = it.Hi.(int64)
		}
		spans = append(spans, s)
	}
	return newNumbers(e.Field, spans)
}

func (e Like) Filter() Filter { return newTexts(e.Field, likeRegexp(e.Pattern).MatchString) }

func (e Match) Filter() Filter { return newTexts(e.Field, regexp.MustCompile(e.Regex).MatchString) }

func (e Has) Filter() Filter { return bitTest{e.Field.Name, e.Bits} }
