package expr

import (
	"cmp"
	"math"
	"slices"
)

// A Span is a range of numbers, both ends included.
type Span[T int64 | float64] struct{ Lo, Hi T }

// intSpan is the range of whole numbers that compare so with a value; none do if ok is false.
func intSpan(op Op, v int64) (s Span[int64], ok bool) {
	switch op {
	case Less:
		return Span[int64]{math.MinInt64, v - 1}, v > math.MinInt64
	case LessEqual:
		return Span[int64]{math.MinInt64, v}, true
	case Greater:
		return Span[int64]{v + 1, math.MaxInt64}, v < math.MaxInt64
	case GreaterEqual:
		return Span[int64]{v, math.MaxInt64}, true
	}
	return Span[int64]{v, v}, true
}

// floatSpan is intSpan for floating-point numbers.
func floatSpan(op Op, v float64) Span[float64] {
	switch op {
	case Less:
		return Span[float64]{math.Inf(-1), math.Nextafter(v, math.Inf(-1))}
	case LessEqual:
		return Span[float64]{math.Inf(-1), v}
	case Greater:
		return Span[float64]{math.Nextafter(v, math.Inf(1)), math.Inf(1)}
	case GreaterEqual:
		return Span[float64]{v, math.Inf(1)}
	}
	return Span[float64]{v, v}
}

// Merged sorts ranges and joins those that overlap, or leave nothing between them: next is the number after
// another.
func Merged[T int64 | float64](spans []Span[T], next func(T) T) []Span[T] {
	spans = slices.DeleteFunc(spans, func(s Span[T]) bool { return s.Lo > s.Hi })
	slices.SortFunc(spans, func(a, b Span[T]) int { return cmp.Compare(a.Lo, b.Lo) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.Lo <= next(out[n-1].Hi) {
			out[n-1].Hi = max(out[n-1].Hi, s.Hi)
		} else {
			out = append(out, s)
		}
	}
	return out
}

func inSpans[T int64 | float64](spans []Span[T], v T) bool {
	i, found := slices.BinarySearchFunc(spans, v, func(s Span[T], v T) int { return cmp.Compare(s.Lo, v) })
	return found || i > 0 && v <= spans[i-1].Hi
}
