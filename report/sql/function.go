package sql

// A sqlFunction is how an aggregate function is written in SQL.
type sqlFunction struct {
	// Of is the function of its argument, or of its parts and, if it needs these, the seconds. It is nil for what an engine
	// cannot know, and for a function of two fields, for which the query has a layer of its own.
	Of func(d *Dialect, args []sqlNode) sqlNode
	// Unknown says why an engine cannot know the value, which is null.
	Unknown string
}

// Functions has THE table of functions in SQL, by their names.
var Functions = map[string]sqlFunction{
	"count": {Of: sqlAggregate("count")},
	"sum":   {Of: sqlAggregate("sum")},
	"min":   {Of: sqlAggregate("min")},
	"max":   {Of: sqlAggregate("max")},
	"avg":   {Of: sqlRatio},
	"distinct": {Of: func(_ *Dialect, args []sqlNode) sqlNode {
		return callNode{function: "count", distinct: true, args: args}
	}},
	"p50": {Of: sqlQuantile("0.5")},
	"p90": {Of: sqlQuantile("0.9")},
	"p95": {Of: sqlQuantile("0.95")},
	"p99": {Of: sqlQuantile("0.99")},
	"bps": {Of: func(_ *Dialect, args []sqlNode) sqlNode {
		return sqlInfix(sqlInfix(intNode(8), "*", sqlCast(args[0], "double")), "/", args[1])
	}},
	"pps": {Of: func(_ *Dialect, args []sqlNode) sqlNode {
		return sqlInfix(sqlCast(args[0], "double"), "/", args[1])
	}},
	"accepted":       {Of: sqlOfSome},
	"rejected":       {Of: sqlOfSome},
	"rejected_share": {Of: sqlRatio},
	"duration": {Of: func(_ *Dialect, args []sqlNode) sqlNode {
		return sqlIf(sqlInfix(args[1], ">=", args[0]), sqlInfix(args[1], "-", args[0]))
	}},
	"gap":       {}, // see query.gap
	"cost":      {Unknown: "the rates of records are not logged"},
	"malformed": {Unknown: "what an engine cannot read, it does not count"},
}

func sqlAggregate(name string) func(*Dialect, []sqlNode) sqlNode {
	return func(_ *Dialect, args []sqlNode) sqlNode { return sqlCall(name, args...) }
}

// sqlQuantile is a quantile by its part from 0 to 1.
func sqlQuantile(part decimalNode) func(*Dialect, []sqlNode) sqlNode {
	return func(d *Dialect, args []sqlNode) sqlNode { return sqlCall(d.quantile, args[0], part) }
}

// sqlRatio divides the first part by the second one; null if that is 0.
func sqlRatio(_ *Dialect, args []sqlNode) sqlNode {
	return sqlInfix(sqlCast(args[0], "double"), "/", sqlCall("nullif", args[1], intNode(0)))
}

// sqlOfSome is the first part, null if the second one is 0.
func sqlOfSome(_ *Dialect, args []sqlNode) sqlNode {
	return sqlIf(sqlInfix(args[1], ">", intNode(0)), args[0])
}
