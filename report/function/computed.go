package function

import (
	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// These functions have no state: they are computed from the results of others.
var (
	avgFunction = Func{
		Name: "avg", Kinds: wholeKinds, semantics: semantics{Fraction: true},
		computation: computation{Parts: sumAndCount, Of: ratioOfParts},
	}
	bpsFunction = Func{
		Name: "bps", semantics: semantics{Zero: true, Fraction: true},
		computation: computation{Parts: sumOf, Of: func(parts []any, seconds float64) any { return rate(parts[0], 8, seconds) }, Span: true},
	}
	ppsFunction = Func{
		Name: "pps", semantics: semantics{Zero: true, Fraction: true},
		computation: computation{Parts: sumOf, Of: func(parts []any, seconds float64) any { return rate(parts[0], 1, seconds) }, Span: true},
	}
	acceptedFunction      = actionFunction("accepted", "ACCEPT")
	rejectedFunction      = actionFunction("rejected", "REJECT")
	rejectedShareFunction = Func{
		Name: "rejected_share", semantics: semantics{Fraction: true},
		computation: computation{Parts: withAction("REJECT"), Of: ratioOfParts},
	}
	durationFunction = Func{
		Name:        "duration",
		computation: computation{Parts: startAndEnd, Of: duration},
	}
	// malformed is the number of records that could not be read. No group has them.
	malformedFunction = Func{Name: "malformed", Input: func(s schema.Stats) int64 { return s.Malformed }}
)

func actionFunction(name, action string) Func {
	return Func{
		Name: name, semantics: semantics{Zero: true, Share: true},
		computation: computation{Parts: withAction(action), Of: ofWhole},
	}
}

func ratioOfParts(parts []any, _ float64) any { return ratio(parts[0], parts[1]) }
func sumOf(field string) []Part               { return []Part{{Function: "sum", Field: field}} }

func sumAndCount(field string) []Part {
	return []Part{{Function: "sum", Field: field}, {Function: "count", Field: field}}
}

// withAction has two parts: the number of flows with an action, and of those with any.
func withAction(action string) func(string) []Part {
	field, _ := schema.Logged().Lookup("action")
	these, all := expr.Compare{Field: field, Op: expr.Equal, Value: action}, expr.Not{X: expr.IsNull{Field: field}}
	return func(string) []Part { return []Part{{Function: "count", Where: these}, {Function: "count", Where: all}} }
}

func startAndEnd(string) []Part {
	return []Part{{Function: "min", Field: "start"}, {Function: "max", Field: "end"}}
}

// ratio divides two whole numbers. It is nil for a divisor of 0.
func ratio(part, whole any) any {
	if whole == int64(0) {
		return nil
	}
	return float64(part.(int64)) / float64(whole.(int64))
}

// ofWhole is the first part, nil if the second one is 0.
func ofWhole(parts []any, _ float64) any {
	if parts[1] == int64(0) {
		return nil
	}
	return parts[0]
}

// duration is the time between a start and an end, nil if the end is the earlier one.
func duration(parts []any, _ float64) any {
	start, end := parts[0].(int64), parts[1].(int64)
	if end < start {
		return nil
	}
	return end - start
}

func rate(sum any, unit, seconds float64) any { return unit * float64(sum.(int64)) / seconds }
