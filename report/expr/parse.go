package expr

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"flowlog/parse/schema"
)

// The limits of a condition: far beyond what people write, and well within what can be evaluated.
const (
	maxExprText  = 1 << 20 // bytes
	maxExprDepth = 100     // parentheses and nots
)

// Parse reads a condition. Its errors are of type *SyntaxError, but for those of files.
func Parse(text string, scope Scope) (Expr, error) {
	if len(text) > maxExprText {
		return nil, fmt.Errorf("a condition of %d bytes is too long: put long lists in a file, as in `srcaddr in @addresses.txt`", len(text))
	}
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("the condition is not UTF-8 text")
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	if scope.Measure != nil {
		tokens = joinCalls(tokens)
	}
	p := &parser{text: text, tokens: tokens, scope: scope}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.next(); t.kind != endToken {
		return nil, p.expected(t, "`and`, `or` or the end")
	}
	return e, nil
}

func (p *parser) or() (Expr, error) {
	var parts []Expr
	for {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		parts = append(parts, e)
		if !p.accept("or") {
			return AnyOf(parts), nil
		}
	}
}

func (p *parser) and() (Expr, error) {
	var parts []Expr
	for {
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		parts = append(parts, e)
		if !p.accept("and") {
			return All(parts...), nil
		}
	}
}

func (p *parser) not() (Expr, error) {
	if p.depth++; p.depth > maxExprDepth {
		return nil, p.fail(p.peek(), "parentheses and nots go deeper than %d", maxExprDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept("not"):
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		return Not{e}, nil
	case p.accept("("):
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		if t := p.next(); !t.is(")") {
			return nil, p.expected(t, "`)`")
		}
		return e, nil
	}
	return p.test()
}

// test reads the name of a field and its predicate. A word for either end of a flow, such as port, stands for two fields:
// one of them must meet the predicate, and neither of them may if it is negated.
func (p *parser) test() (Expr, error) {
	t := p.next()
	if t.kind != wordToken || slices.ContainsFunc(keywords, t.is) {
		return nil, p.expected(t, "a field, such as srcaddr or dstport")
	}
	fields := p.fields(t.text)
	if fields == nil {
		if strings.HasSuffix(t.text, ")") { // only measures are written so
			if _, err := p.scope.Measure(t.text); err != nil {
				return nil, p.fail(t, "%v", err)
			}
		}
		return nil, p.noField(t)
	}
	p.last = t
	start := p.at
	var tests []Expr
	for _, f := range fields {
		p.at = start
		e, err := p.predicate(f)
		if err != nil {
			return nil, err
		}
		tests = append(tests, e)
	}
	for i, e := range tests {
		not, ok := e.(Not)
		if !ok {
			return AnyOf(tests), nil
		}
		tests[i] = not.X
	}
	return Not{AnyOf(tests)}, nil
}

// fields are the fields that a word stands for: one, or those of source and destination.
func (p *parser) fields(word string) []schema.Field {
	if f, ok := p.scope.lookup(word); ok {
		return []schema.Field{f}
	}
	if strings.EqualFold(word, "time") {
		if f, ok := p.scope.Fields.Lookup("start"); ok {
			return []schema.Field{f}
		}
	}
	for _, sides := range [][2]string{{"src", "dst"}, {"src_", "dst_"}} {
		src, ok1 := p.scope.Fields.Lookup(sides[0] + word)
		dst, ok2 := p.scope.Fields.Lookup(sides[1] + word)
		if ok1 && ok2 {
			return []schema.Field{src, dst}
		}
	}
	return nil
}
