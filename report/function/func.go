package function

import (
	"errors"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// A Func is an aggregate function: a row of THE table. Its row, its states, their encoding and what an engine computes
// of it are in one file, which is the only one that names it, but for measures.
type Func struct {
	Name  string
	Kinds []schema.Kind // of fields that users can apply it to; nil if it belongs to named measures only
	Pairs bool          // it takes a second field too, and counts pairs of values
	Also  string        // a second field that it is always computed from
	semantics
	accumulation
	computation
	remote

	// Input is the value of a function of the whole input, which no state holds and no engine knows.
	Input func(schema.Stats) int64
}

// semantics says what the values of a function mean.
type semantics struct {
	Share    bool // a group's part of the total makes sense
	Fraction bool // the values are floating-point numbers
	Zero     bool // bins without flows are 0, not null
	Counts   bool // it is a number of values, of whatever unit these are: 0 if there are none
}

// accumulation says how records are aggregated. Functions with parts have none.
type accumulation struct {
	// New makes a state. values decode the codes of the field or pair of fields, for a function that uses codes.
	New    func(values Values, of Shape) State
	Rows   bool // without a field it is the number of records
	Codes  bool // it reads the codes of its field's values, and not the values
	Rollup Rollup
	Buffer Buffer
	// Functions with the same name in shares keep the same data of a field. view makes the state of this one over the data
	// of another's state, which it does not change.
	Shares string
	View   func(of State) State
}

// Shape is what groups a state is for.
type Shape uint8

const (
	ShapeGroups Shape = iota // many groups, of records
	ShapeOne                 // group 0 alone, of records
	ShapeTotal               // group 0 alone, which sums up groups: they are merged into it, and no records are added
)

// Rollup says whether the states of groups are computed by merging those of finer groups, in place of reading records.
type Rollup uint8

const (
	_            Rollup = iota
	RollupNever         // merging costs as much as reading records
	RollupReport        // from another report's groups; it keeps too much for each group to make finer ones for it alone
	RollupAlways        // a state has a fixed size
)

// Buffer says what add needs of a record, so that records can be buffered by partitions of their groups.
type Buffer uint8

const (
	_           Buffer = iota
	BufferNever        // more than one whole number of its field
	BufferRow          // only that it is there, if its field is not null
	BufferValue        // the whole number of its field, which is not null
)

// computation is for functions that are computed from others, or from their own state, when all records have been read.
type computation struct {
	Parts func(field string) []Part              // what it is computed from; nil if it has a state
	Of    func(parts []any, seconds float64) any // of their values, or its own one; a nil part makes the whole nil without it
	Span  bool                                   // of needs the seconds that the group covers: it is a rate
}

// remote says how values that an engine has computed of the function are taken in. Its SQL is in Functions of report/sql.
type remote struct {
	// Adds is the function that combines the values of several groups. It is "" if nothing does.
	Adds string
	// Buckets says that an engine sends how many values are in each bucket, in place of the result: see BucketOf.
	Buckets bool
	// Decode returns the bytes that load reads for an engine's value of one group, or of several together. It is nil if
	// the function is not mergeable: see Func.ByEngine.
	Decode func(v any, groups int64) ([]byte, error)
}

var (
	wholeKinds   = []schema.Kind{schema.Int32, schema.Int64}
	orderedKinds = []schema.Kind{schema.Int32, schema.Int64, schema.Time}
	allKinds     = []schema.Kind{schema.Int32, schema.Int64, schema.Time, schema.Float, schema.Addr, schema.Text}
)

// A Part is a measure that another one is computed from.
type Part struct {
	Function string
	Field    string
	Where    expr.Expr // nil for all flows
}

// Mergeable reports whether an engine's values of several groups can be combined to that of all of them.
func (f *Func) Mergeable() bool { return f.Adds != "" || f.Buckets || f.Parts != nil }

// ErrRow is the error for a row that the query cannot have.
var ErrRow = errors.New("the engine's answer is not what was asked for")

// wholeNumber is a value of an engine that is a whole number; present is false for null.
func wholeNumber(v any) (n int64, present bool, err error) {
	n, present = v.(int64)
	if v != nil && !present {
		return 0, false, ErrRow
	}
	return n, present, nil
}
