package report

import (
	"errors"
	"slices"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// A function is an aggregate function: a row of THE table. Its row, its states, their encoding and what an engine computes
// of it are in one file, which is the only one that names it, but for measures.
type function struct {
	name  string
	kinds []schema.Kind // of fields that users can apply it to; nil if it belongs to named measures only
	pairs bool          // it takes a second field too, and counts pairs of values
	also  string        // a second field that it is always computed from
	semantics
	accumulation
	computation
	remote

	// input is the value of a function of the whole input, which no state holds and no engine knows.
	input func(schema.Stats) int64
}

// semantics says what the values of a function mean.
type semantics struct {
	share    bool // a group's part of the total makes sense
	fraction bool // the values are floating-point numbers
	zero     bool // bins without flows are 0, not null
	counts   bool // it is a number of values, of whatever unit these are: 0 if there are none
}

// accumulation says how records are aggregated. Functions with parts have none.
type accumulation struct {
	// new makes a state. values decode the codes of the field or pair of fields, for a function that uses codes.
	new    func(values values, of shape) state
	rows   bool // without a field it is the number of records
	codes  bool // it reads the codes of its field's values, and not the values
	rollup rollup
	buffer buffer
	// Functions with the same name in shares keep the same data of a field. view makes the state of this one over the data
	// of another's state, which it does not change.
	shares string
	view   func(of state) state
}

// shape is what groups a state is for.
type shape uint8

const (
	shapeGroups shape = iota // many groups, of records
	shapeOne                 // group 0 alone, of records
	shapeTotal               // group 0 alone, which sums up groups: they are merged into it, and no records are added
)

// rollup says whether the states of groups are computed by merging those of finer groups, in place of reading records.
type rollup uint8

const (
	_            rollup = iota
	rollupNever         // merging costs as much as reading records
	rollupReport        // from another report's groups; it keeps too much for each group to make finer ones for it alone
	rollupAlways        // a state has a fixed size
)

// buffer says what add needs of a record, so that records can be buffered by partitions of their groups.
type buffer uint8

const (
	_           buffer = iota
	bufferNever        // more than one whole number of its field
	bufferRow          // only that it is there, if its field is not null
	bufferValue        // the whole number of its field, which is not null
)

// computation is for functions that are computed from others when all records have been read.
type computation struct {
	parts func(field string) []Part              // what it is computed from; nil if it has a state
	of    func(parts []any, seconds float64) any // of their values; a nil part makes the whole nil without it
	span  bool                                   // of needs the seconds that the group covers: it is a rate
}

// remote says how values that an engine has computed of the function are taken in. Its SQL is in sqlFunctions.
type remote struct {
	// adds is the function that combines the values of several groups. It is "" if nothing does.
	adds string
	// buckets says that an engine sends how many values are in each bucket, in place of the result: see bucketOf.
	buckets bool
	// decode returns the bytes that load reads for an engine's value of one group, or of several together. It is nil if
	// the function is not mergeable: see byEngine.
	decode func(v any, groups int64) ([]byte, error)
}

var (
	wholeKinds   = []schema.Kind{schema.Int32, schema.Int64}
	orderedKinds = []schema.Kind{schema.Int32, schema.Int64, schema.Time}
	allKinds     = []schema.Kind{schema.Int32, schema.Int64, schema.Time, schema.Float, schema.Addr, schema.Text}
)

// functions is THE table of aggregate functions.
var functions = []function{
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
	malformedFunction,
}

// functionNamed returns the row of a function, which must be in the table.
func functionNamed(name string) *function {
	return &functions[slices.IndexFunc(functions, func(f function) bool { return f.name == name })]
}

// A Part is a measure that another one is computed from.
type Part struct {
	Function string
	Field    string
	Where    expr.Expr // nil for all flows
}

// mergeable reports whether an engine's values of several groups can be combined to that of all of them.
func (f *function) mergeable() bool { return f.adds != "" || f.buckets || f.parts != nil }

// errRow is the error for a row that the query cannot have.
var errRow = errors.New("the engine's answer is not what was asked for")

// wholeNumber is a value of an engine that is a whole number; present is false for null.
func wholeNumber(v any) (n int64, present bool, err error) {
	n, present = v.(int64)
	if v != nil && !present {
		return 0, false, errRow
	}
	return n, present, nil
}
