package report

// A sqlFunction is how an aggregate function is written in SQL.
type sqlFunction struct {
	// of is the function of its argument, or of its parts and, if it needs these, the seconds. It is nil for what an engine
	// cannot know, and for a function of two fields, for which the query has a layer of its own.
	of func(d *Dialect, args []sqlNode) sqlNode
	// unknown says why an engine cannot know the value, which is null.
	unknown string
}

// sqlFunctions has THE table of functions in SQL, by their names.
var sqlFunctions = map[string]sqlFunction{
	"count": {of: sqlAggregate("count")},
	"sum":   {of: sqlAggregate("sum")},
	"min":   {of: sqlAggregate("min")},
	"max":   {of: sqlAggregate("max")},
	"avg":   {of: sqlRatio},
	"distinct": {of: func(_ *Dialect, args []sqlNode) sqlNode {
		return callNode{function: "count", distinct: true, args: args}
	}},
	"p50": {of: sqlQuantile("0.5")},
	"p90": {of: sqlQuantile("0.9")},
	"p95": {of: sqlQuantile("0.95")},
	"p99": {of: sqlQuantile("0.99")},
	"bps": {of: func(_ *Dialect, args []sqlNode) sqlNode {
		return sqlInfix(sqlInfix(intNode(8), "*", sqlCast(args[0], "double")), "/", args[1])
	}},
	"pps": {of: func(_ *Dialect, args []sqlNode) sqlNode {
		return sqlInfix(sqlCast(args[0], "double"), "/", args[1])
	}},
	"accepted":       {of: sqlOfSome},
	"rejected":       {of: sqlOfSome},
	"rejected_share": {of: sqlRatio},
	"duration": {of: func(_ *Dialect, args []sqlNode) sqlNode {
		return sqlIf(sqlInfix(args[1], ">=", args[0]), sqlInfix(args[1], "-", args[0]))
	}},
	"gap":       {}, // see query.gap
	"malformed": {unknown: "what an engine cannot read, it does not count"},
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
