package sql

import (
	"fmt"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// condition is a condition in SQL: three-valued, as an Expr is. It adds the columns that it needs to the query.
func (q *query) condition(e expr.Expr) sqlNode {
	switch e := e.(type) {
	case expr.And:
		return andNode(q.conditions(e))
	case expr.Or:
		return orNode(q.conditions(e))
	case expr.Not:
		return q.negated(e.X)
	case expr.Compare:
		return sqlInfix(q.field(e.Field), e.Op.String(), q.value(e.Value))
	case expr.CompareFields:
		return sqlInfix(q.field(e.Left), e.Op.String(), q.field(e.Right))
	case expr.IsNull:
		return isSQLNull(q.field(e.Field))
	case expr.Like:
		return sqlInfix(q.field(e.Field), "LIKE", q.value(e.Pattern))
	case expr.Match:
		q.value(e.Regex)
		return q.matches(q, q.field(e.Field), e.Regex)
	case expr.Has:
		return sqlInfix(parensNode{q.bits(q.field(e.Field), e.Bits)}, "=", intNode(e.Bits))
	case expr.In:
		return q.in(e)
	}
	return q.refuse("%T has no form in SQL", e)
}

func (q *query) conditions(parts []expr.Expr) []sqlNode {
	var list []sqlNode
	for _, x := range parts {
		list = append(list, q.condition(x))
	}
	return list
}

// negated is NOT e, or the operator that means this.
func (q *query) negated(e expr.Expr) sqlNode {
	switch e := e.(type) {
	case expr.Compare:
		if e.Op == expr.Equal {
			return sqlInfix(q.field(e.Field), "<>", q.value(e.Value))
		}
	case expr.CompareFields:
		if e.Op == expr.Equal {
			return sqlInfix(q.field(e.Left), "<>", q.field(e.Right))
		}
	case expr.IsNull:
		return notSQLNull(q.field(e.Field))
	}
	return notNode{q.condition(e)}
}

func (q *query) in(e expr.In) sqlNode {
	if e.HasPorts() {
		return q.condition(e.Spread())
	}
	x := q.field(e.Field)
	items := expr.Flatten(nil, e.Items)
	if len(items) == 0 {
		return sqlInfix(x, "<>", x) // of null it is null
	}
	if e.Field.Kind == schema.Addr {
		return q.tests(q, e.Field, expr.NewAddrs(e.Field, items).(*expr.Addrs))
	}
	var values, tests []sqlNode
	for _, it := range items {
		switch {
		case !it.Range:
			values = append(values, q.value(it.Value))
		case it.Lo == nil:
			tests = append(tests, sqlInfix(x, "<=", q.value(it.Hi)))
		case it.Hi == nil:
			tests = append(tests, sqlInfix(x, ">=", q.value(it.Lo)))
		default:
			tests = append(tests, betweenNode{x, q.value(it.Lo), q.value(it.Hi)})
		}
	}
	return oneOf(x, values, tests)
}

// oneOf is met where x is one of the values, or one of the tests is met.
func oneOf(x sqlNode, values, tests []sqlNode) sqlNode {
	switch len(values) {
	case 0:
	case 1:
		tests = append([]sqlNode{sqlInfix(x, "=", values[0])}, tests...)
	default:
		tests = append([]sqlNode{inNode{x: x, values: values}}, tests...)
	}
	if len(tests) == 1 {
		return tests[0]
	}
	return parensNode{orNode(tests)}
}

// value is a number or a text as a literal.
func (q *query) value(v any) sqlNode {
	switch v := v.(type) {
	case int64:
		return intNode(v)
	case float64:
		return floatNode(v)
	case string:
		if strings.IndexByte(v, 0) >= 0 {
			return q.refuse("a zero byte in a text has no form in SQL")
		}
		return textNode(v)
	}
	panic(fmt.Sprintf("a value of type %T has no literal", v))
}
