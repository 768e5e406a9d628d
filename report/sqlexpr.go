package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// inner writes a condition that stands beside others.
func inner(q *query, e Expr) string {
	switch e := e.(type) {
	case Or:
		return "(" + e.sql(q) + ")"
	}
	return e.sql(q)
}

func joined(q *query, parts []Expr, word string) string {
	var list []string
	for _, x := range parts {
		list = append(list, inner(q, x))
	}
	return strings.Join(list, word)
}

func (e And) sql(q *query) string { return joined(q, e, " AND ") }
func (e Or) sql(q *query) string {
	var list []string
	for _, x := range e {
		list = append(list, x.sql(q)) // AND binds closer
	}
	return strings.Join(list, " OR ")
}

func (e Not) sql(q *query) string {
	switch x := e.X.(type) {
	case Compare:
		if x.Op == Equal {
			return q.field(x.Field) + " <> " + q.value(x.Value)
		}
	case CompareFields:
		if x.Op == Equal {
			return q.field(x.Left) + " <> " + q.field(x.Right)
		}
	case IsNull:
		return q.field(x.Field) + " IS NOT NULL"
	}
	return "NOT (" + e.X.sql(q) + ")"
}

func (e Compare) sql(q *query) string {
	return q.field(e.Field) + " " + e.Op.String() + " " + q.value(e.Value)
}

func (e CompareFields) sql(q *query) string {
	return q.field(e.Left) + " " + e.Op.String() + " " + q.field(e.Right)
}

func (e IsNull) sql(q *query) string { return q.field(e.Field) + " IS NULL" }
func (e Like) sql(q *query) string {
	return q.field(e.Field) + " LIKE " + q.value(e.Pattern)
}

func (e Match) sql(q *query) string {
	q.value(e.Regex)
	return q.matches(q, q.field(e.Field), e.Regex)
}

func (e Has) sql(q *query) string {
	return fmt.Sprintf("("+q.bits+") = %[2]d", q.field(e.Field), e.Bits)
}

func (e In) sql(q *query) string {
	x := q.field(e.Field)
	items := flatten(nil, e.Items)
	if len(items) == 0 {
		return x + " <> " + x // of null it is null
	}
	if e.Field.Kind == schema.Addr {
		return q.inAddrs(q, e.Field, newAddrs(e.Field, items).(*addrs))
	}
	var values, tests []string
	for _, it := range items {
		switch {
		case !it.Range:
			values = append(values, q.value(it.Value))
		case it.Lo == nil:
			tests = append(tests, x+" <= "+q.value(it.Hi))
		case it.Hi == nil:
			tests = append(tests, x+" >= "+q.value(it.Lo))
		default:
			tests = append(tests, x+" BETWEEN "+q.value(it.Lo)+" AND "+q.value(it.Hi))
		}
	}
	return either(append(oneOf(x, values), tests...))
}

// oneOf tests for one of several values; there is no test for none.
func oneOf(x string, values []string) []string {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return []string{x + " = " + values[0]}
	}
	return []string{x + " IN (" + strings.Join(values, ", ") + ")"}
}

// either is met where one of the tests is.
func either(tests []string) string {
	if len(tests) == 1 {
		return tests[0]
	}
	return "(" + strings.Join(tests, " OR ") + ")"
}

// value writes a number or a text.
func (q *query) value(v any) string {
	switch v := v.(type) {
	case int64:
		if v == math.MinInt64 {
			return "(-9223372036854775807 - 1)" // what follows the sign is too large by itself
		}
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'e', -1, 64) // with an exponent it is no decimal
	case string:
		if strings.IndexByte(v, 0) >= 0 {
			return q.refuse("a zero byte in a text has no form in SQL")
		}
		return quote(v)
	}
	panic("a value of no kind")
}
