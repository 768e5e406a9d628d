package sql

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"flowlog/report/expr"
)

// A sqlRank says how closely an operator binds. An operand of a lower rank than its operator needs is put in parentheses.
type sqlRank int

const (
	rankOr sqlRank = iota + 1
	rankAnd
	rankNot
	rankTest // comparisons, BETWEEN, IN, LIKE, IS NULL; they do not associate
	rankConcat
	rankSum
	rankProduct
	rankZone
	rankPrefix // a sign
	rankCast   // x::type
	rankAtom
)

// sqlRanks is the table of operators. Engines disagree on where & ranks: with the rank of a comparison it is in parentheses
// wherever it is an operand.
var sqlRanks = map[string]sqlRank{
	"=": rankTest, "<>": rankTest, "<": rankTest, "<=": rankTest, ">": rankTest, ">=": rankTest, "LIKE": rankTest, "&": rankTest,
	"||": rankConcat, "+": rankSum, "-": rankSum, "*": rankProduct, "/": rankProduct, "//": rankProduct, "%": rankProduct,
	"AT TIME ZONE": rankZone,
}

// rankOf is the rank of what a node is written as.
func rankOf(n sqlNode) sqlRank {
	switch n := n.(type) {
	case orNode:
		return rankOr
	case andNode:
		return rankAnd
	case notNode:
		return rankNot
	case nullNode, betweenNode, inNode:
		return rankTest
	case infixNode:
		return sqlRanks[n.operator]
	case castNode:
		if n.short {
			return rankCast
		}
	case intNode:
		if n < 0 {
			return rankPrefix
		}
	}
	return rankAtom
}

// A sqlPrinter writes the tree as text of a dialect.
type sqlPrinter struct {
	strings.Builder
	*Dialect
}

// print is the text of an expression.
func (d *Dialect) print(n sqlNode) string {
	p := sqlPrinter{Dialect: d}
	p.node(n)
	return p.String()
}

// operand writes a node that must bind at least as closely as a rank.
func (p *sqlPrinter) operand(n sqlNode, least sqlRank) {
	if rankOf(n) < least {
		n = parensNode{n}
	}
	p.node(n)
}

// words writes texts, and nodes as they are.
func (p *sqlPrinter) words(parts ...any) {
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			p.WriteString(part)
		case sqlNode:
			p.node(part)
		}
	}
}

func (p *sqlPrinter) node(n sqlNode) {
	switch n := n.(type) {
	case identNode:
		p.WriteString(p.name(string(n)))
	case textNode:
		p.WriteString(expr.Quote(string(n)))
	case typedNode:
		p.words(n.typ, " ", expr.Quote(n.text))
	case wordNode:
		p.WriteString(string(n))
	case decimalNode:
		p.WriteString(string(n))
	case intNode:
		p.integer(int64(n))
	case floatNode:
		p.WriteString(strconv.FormatFloat(float64(n), 'e', -1, 64)) // with an exponent it is no decimal
	case parensNode:
		p.words("(", n.x, ")")
	case callNode:
		p.WriteString(n.function + "(")
		if n.distinct {
			p.WriteString("DISTINCT ")
		}
		p.list(n.args)
		p.WriteByte(')')
	case castNode:
		p.cast(n)
	case caseNode:
		p.choice(n)
	case filterNode:
		p.words(n.aggregate, " FILTER (WHERE ", n.where, ")")
	case windowNode:
		p.window(n)
	default:
		p.operator(n)
	}
}

// operator writes nodes that are written between or around their operands.
func (p *sqlPrinter) operator(n sqlNode) {
	switch n := n.(type) {
	case infixNode:
		rank := sqlRanks[n.operator]
		left := rank
		if rank == rankTest {
			left++
		}
		p.operand(n.left, left)
		p.words(" ", n.operator, " ")
		p.operand(n.right, rank+1)
	case andNode:
		p.joined(n, " AND ", rankAnd)
	case orNode:
		p.joined(n, " OR ", rankOr)
	case notNode:
		p.WriteString("NOT ")
		if _, ok := n.x.(identNode); !ok {
			n.x = parensNode(n) // NOT binds loosely: parentheses show what it is about
		}
		p.node(n.x)
	case nullNode:
		p.operand(n.x, rankTest+1)
		p.words(" IS ", notWord(n.not), "NULL")
	case betweenNode:
		p.operand(n.x, rankTest+1)
		p.WriteString(" BETWEEN ")
		p.operand(n.lo, rankTest+1)
		p.WriteString(" AND ")
		p.operand(n.hi, rankTest+1)
	case inNode:
		p.operand(n.x, rankTest+1)
		p.words(" ", notWord(n.not), "IN (")
		p.list(n.values)
		p.WriteByte(')')
	default:
		panic(fmt.Sprintf("an SQL expression of type %T cannot be printed", n))
	}
}

func notWord(yes bool) string {
	if yes {
		return "NOT "
	}
	return ""
}

func (p *sqlPrinter) joined(parts []sqlNode, word string, rank sqlRank) {
	for i, x := range parts {
		if i > 0 {
			p.WriteString(word)
		}
		p.operand(x, rank+1)
	}
}

func (p *sqlPrinter) list(nodes []sqlNode) {
	for i, x := range nodes {
		if i > 0 {
			p.WriteString(", ")
		}
		p.node(x)
	}
}

// integer writes a whole number. The smallest one has no literal: what follows the sign is too large by itself.
func (p *sqlPrinter) integer(v int64) {
	if v == math.MinInt64 {
		p.node(parensNode{infixNode{intNode(v + 1), "-", intNode(1)}})
		return
	}
	p.WriteString(strconv.FormatInt(v, 10))
}

func (p *sqlPrinter) cast(n castNode) {
	if n.short {
		p.operand(n.x, rankCast)
		p.words("::", n.typ)
		return
	}
	if n.try {
		p.WriteString("try_")
	}
	p.words("cast(", n.x, " AS ", n.typ, ")")
}

func (p *sqlPrinter) choice(n caseNode) {
	p.WriteString("CASE")
	for _, w := range n.whens {
		p.words(" WHEN ", w.test, " THEN ", w.result)
	}
	if n.other != nil {
		p.words(" ELSE ", n.other)
	}
	p.WriteString(" END")
}

func (p *sqlPrinter) window(n windowNode) {
	p.words(n.function, " OVER (")
	space := ""
	if len(n.partition) > 0 {
		p.WriteString("PARTITION BY ")
		p.list(n.partition)
		space = " "
	}
	if len(n.order) > 0 {
		p.WriteString(space + "ORDER BY ")
		p.order(n.order)
		space = " "
	}
	if n.frame != "" {
		p.WriteString(space + n.frame)
	}
	p.WriteByte(')')
}

func (p *sqlPrinter) order(list []sqlOrder) {
	for i, o := range list {
		if i > 0 {
			p.WriteString(", ")
		}
		p.node(o.x)
		if o.desc {
			p.WriteString(" DESC")
		}
		if o.nullable {
			p.WriteString(" NULLS LAST")
		}
	}
}

// A layer is one SELECT of a query, each of which reads the one before.
type layer struct {
	name    string
	columns []sqlColumn
	from    string // of the first layer, what it reads, as the dialect has it
	where   sqlNode
	group   int // by so many of the columns
	limit   int // to so many rows; 0 is all
}

// A sqlColumn is an expression and the name that it gets. The name of * is empty.
type sqlColumn struct {
	x    sqlNode
	name string
}

// add adds a column to a layer.
func (l *layer) add(x sqlNode, name string) { l.columns = append(l.columns, sqlColumn{x, name}) }

// has reports whether a layer has a column of a name.
func (l *layer) has(name string) bool {
	return slices.ContainsFunc(l.columns, func(c sqlColumn) bool { return c.name == name })
}

// A sqlQuery is a statement: each layer but the last is a table of WITH.
type sqlQuery struct {
	notes  []string // comments in front
	layers []layer
	order  []sqlOrder
	limit  int // 0 is all
}

// statement is the text of a query.
func (d *Dialect) statement(q sqlQuery) string {
	p := sqlPrinter{Dialect: d}
	for _, note := range q.notes {
		p.words("-- ", note, "\n")
	}
	for i, l := range q.layers {
		indent := "  "
		switch {
		case i == len(q.layers)-1:
			indent = ""
			p.WriteString("\n")
		case i == 0:
			p.words("WITH ", l.name, " AS (\n")
		default:
			p.words(", ", l.name, " AS (\n")
		}
		if i > 0 {
			l.from = q.layers[i-1].name
		}
		p.layer(l, indent)
		if indent != "" {
			p.WriteString(")")
		}
	}
	if len(q.order) > 0 {
		p.WriteString("ORDER BY ")
		p.order(q.order)
		p.WriteString("\n")
	}
	if q.limit > 0 {
		p.words("LIMIT ", strconv.Itoa(q.limit), "\n")
	}
	return p.String()
}

func (p *sqlPrinter) layer(l layer, indent string) {
	p.words(indent, "SELECT\n")
	for i, c := range l.columns {
		if i > 0 {
			p.WriteString(",\n")
		}
		p.words(indent, "  ", c.x)
		if c.x != identNode(c.name) && c.name != "" {
			p.words(" AS ", identNode(c.name))
		}
	}
	p.words("\n", indent, "FROM ", l.from, "\n")
	if l.where != nil {
		p.words(indent, "WHERE ", l.where, "\n")
	}
	if l.group > 0 {
		p.words(indent, "GROUP BY 1")
		for place := 2; place <= l.group; place++ {
			p.words(", ", strconv.Itoa(place))
		}
		p.WriteByte('\n')
	}
	if l.limit > 0 {
		p.words(indent, "LIMIT ", strconv.Itoa(l.limit), "\n")
	}
}
