package function

import "slices"

// All is THE table of aggregate functions.
var All = []Func{
	countFunction,
	sumFunction,
	minFunction,
	maxFunction,
	avgFunction,
	distinctFunction,
	quantileFunction("p50", 0.50),
	quantileFunction("p90", 0.90),
	quantileFunction("p95", 0.95),
	quantileFunction("p99", 0.99),
	bpsFunction,
	ppsFunction,
	acceptedFunction,
	rejectedFunction,
	rejectedShareFunction,
	durationFunction,
	gapFunction,
	costFunction,
	malformedFunction,
}

// Named returns the row of a function, which must be in the table.
func Named(name string) *Func {
	return &All[slices.IndexFunc(All, func(f Func) bool { return f.Name == name })]
}
