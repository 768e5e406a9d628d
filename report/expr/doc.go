// Package expr has the conditions of --where, --having and of measures: it reads them, prints them, and filters rows of
// batches by them.
//
//	text → Parse → Expr → Filter → rows of an arrow.Record
//
// A condition has SQL's logic of three values: a comparison with null is neither true nor false, and not of it is neither.
//
// Files, each uses only those above it:
//
//	lex.go          text → tokens, SyntaxError
//	node.go         the nodes of a condition: their fields, their text
//	port.go         addresses of lists that are about one port
//	span.go         ranges of numbers
//	addr.go         filter of addresses
//	filter.go       condition → Filter
//	fieldpair.go    filter of two fields
//	flows.go        rows that are flows, by log_status
//	where.go        a filter in front of an Emit
//	parser.go       Scope, the parser's tokens and errors
//	hint.go         errors that say what was meant
//	text.go         operands that are text
//	value.go        operands
//	predicate.go    operators
//	parse.go        and, or, not, names of fields
package expr
