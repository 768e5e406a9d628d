package sql

// A sqlNode is an SQL expression: a tree of the types below. It holds values and names, not SQL text: sqlPrinter
// alone writes text, with the parentheses, quotes and names that a dialect needs.
type sqlNode interface{ sqlNode() }

type (
	// identNode is a column by its name.
	identNode string
	// Literals; a decimal is written as it is.
	textNode    string
	intNode     int64
	floatNode   float64
	decimalNode string
	// typedNode is a literal with its type in front: DATE '2026-05-14'.
	typedNode struct{ typ, text string }
	// wordNode is a constant of the language: NULL, true, false, *.
	wordNode string

	// callNode is a function of its arguments.
	callNode struct {
		function string
		distinct bool // an aggregate of distinct values
		args     []sqlNode
	}
	// castNode converts to a type.
	castNode struct {
		x     sqlNode
		typ   string
		try   bool // what cannot be converted is null
		short bool // as x::typ, which DuckDB has from PostgreSQL
	}
	// caseNode is CASE; nil is no ELSE.
	caseNode struct {
		whens []sqlWhen
		other sqlNode
	}
	// filterNode is an aggregate of the rows that meet a condition.
	filterNode struct{ aggregate, where sqlNode }
	// windowNode is a function over a window of rows.
	windowNode struct {
		function  sqlNode
		partition []sqlNode
		order     []sqlOrder
		frame     string // "" is the engine's default
	}

	// infixNode is an operator between two operands; sqlRanks lists the operators.
	infixNode struct {
		left     sqlNode
		operator string
		right    sqlNode
	}
	// andNode and orNode have at least one part.
	andNode []sqlNode
	orNode  []sqlNode
	notNode struct{ x sqlNode }
	// nullNode tests for NULL, or for a value.
	nullNode struct {
		x   sqlNode
		not bool
	}
	// betweenNode tests for a range with both ends.
	betweenNode struct{ x, lo, hi sqlNode }
	// inNode tests for one of several values, or for none of them.
	inNode struct {
		x      sqlNode
		not    bool
		values []sqlNode
	}
	// parensNode has parentheses that the printer would leave out. They are for the reader, and keep the text of a query
	// as it was in earlier versions, for whoever compares saved queries.
	parensNode struct{ x sqlNode }
)

// A sqlWhen is a branch of CASE.
type sqlWhen struct{ test, result sqlNode }

// A sqlOrder ranks rows. Nulls come last in either direction, unless they cannot occur.
type sqlOrder struct {
	x              sqlNode
	desc, nullable bool
}

func (identNode) sqlNode()   {}
func (textNode) sqlNode()    {}
func (intNode) sqlNode()     {}
func (floatNode) sqlNode()   {}
func (decimalNode) sqlNode() {}
func (typedNode) sqlNode()   {}
func (wordNode) sqlNode()    {}
func (callNode) sqlNode()    {}
func (castNode) sqlNode()    {}
func (caseNode) sqlNode()    {}
func (filterNode) sqlNode()  {}
func (windowNode) sqlNode()  {}
func (infixNode) sqlNode()   {}
func (andNode) sqlNode()     {}
func (orNode) sqlNode()      {}
func (notNode) sqlNode()     {}
func (nullNode) sqlNode()    {}
func (betweenNode) sqlNode() {}
func (inNode) sqlNode()      {}
func (parensNode) sqlNode()  {}

const (
	sqlNull = wordNode("NULL")
	sqlStar = wordNode("*")
	sqlTrue = wordNode("true")
)

func sqlCall(function string, args ...sqlNode) sqlNode {
	return callNode{function: function, args: args}
}

func sqlInfix(left sqlNode, operator string, right sqlNode) sqlNode {
	return infixNode{left, operator, right}
}

// sqlChain is a left-associative chain of one operator.
func sqlChain(operator string, operands ...sqlNode) sqlNode {
	x := operands[0]
	for _, y := range operands[1:] {
		x = infixNode{x, operator, y}
	}
	return x
}

func sqlConcat(parts ...sqlNode) sqlNode { return sqlChain("||", parts...) }

func sqlCast(x sqlNode, typ string) sqlNode { return castNode{x: x, typ: typ} }

// sqlIf is CASE with one branch, and NULL otherwise.
func sqlIf(test, result sqlNode) sqlNode { return caseNode{whens: []sqlWhen{{test, result}}} }

func isSQLNull(x sqlNode) sqlNode  { return nullNode{x: x} }
func notSQLNull(x sqlNode) sqlNode { return nullNode{x: x, not: true} }

// sqlAnd is met where all conditions are; nil ones are left out, and it is nil if there are no others.
func sqlAnd(conditions ...sqlNode) sqlNode {
	var parts andNode
	for _, x := range conditions {
		switch x := x.(type) {
		case nil:
		case andNode:
			parts = append(parts, x...)
		default:
			parts = append(parts, x)
		}
	}
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	}
	return parts
}

// sqlTexts are literals.
func sqlTexts(values ...string) []sqlNode {
	list := make([]sqlNode, len(values))
	for i, v := range values {
		list[i] = textNode(v)
	}
	return list
}
