package report

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"flowlog/parse/schema"
)

// A Scope is what the words of a condition may mean.
type Scope struct {
	Fields schema.Table
	Rows   bool   // the fields are the columns of rows
	List   string // the command that lists the fields, for errors
	// Measure says by which name among the Fields a measure goes that is written in another way, such as
	// distinct(dstport). It is nil where the Fields are not those of a report's rows.
	Measure func(text string) (name string, err error)
	// Number says which numbers of a field go by a name, such as 6 for protocol by "tcp". It may be nil.
	Number func(field, name string) []int64
	// Time reads a point in time; nil leaves only Unix seconds.
	Time func(string) (time.Time, error)
	// Text says what is wrong with a value of a text field that can have but some; nil takes any.
	Text func(field, value string) error
	// Open opens a file of addresses or other values; nil refuses them.
	Open func(name string) (io.ReadCloser, error)
}

// lookup finds a field, or a measure as a user writes it.
func (s Scope) lookup(word string) (schema.Field, bool) {
	f, ok := s.Fields.Lookup(word)
	if !ok && s.Measure != nil {
		if name, err := s.Measure(word); err == nil {
			return s.Fields.Lookup(name)
		}
	}
	return f, ok
}

// The limits of a condition: far beyond what people write, and well within what can be evaluated.
const (
	maxExprText  = 1 << 20 // bytes
	maxExprDepth = 100     // parentheses and nots
	maxListFile  = 1 << 28 // bytes
)

// ParseExpr reads a condition. Its errors are of type *ExprError, but for those of files.
func ParseExpr(text string, scope Scope) (Expr, error) {
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
	p := &exprParser{text: text, tokens: tokens, scope: scope}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.next(); t.kind != endToken {
		return nil, p.expected(t, "`and`, `or` or the end")
	}
	return e, nil
}

type exprParser struct {
	text   string
	tokens []token // the last is the end
	at     int
	depth  int
	last   token // the field that was asked last
	scope  Scope
}

func (p *exprParser) peek() token { return p.tokens[p.at] }

func (p *exprParser) next() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

// accept takes the next token if it is the word.
func (p *exprParser) accept(word string) bool {
	if p.peek().is(word) {
		p.at++
		return true
	}
	return false
}

func (p *exprParser) fail(t token, format string, args ...any) error {
	return &ExprError{p.text, t.pos, fmt.Sprintf(format, args...)}
}

func (p *exprParser) expected(t token, what string) error {
	if t.kind == endToken {
		return p.fail(t, "something is missing: %s", what)
	}
	if hint := p.joinHint(t); hint != "" {
		return p.fail(t, "%s", hint)
	}
	return p.fail(t, "%s is not expected here, but %s", t.describe(), what)
}

func (p *exprParser) or() (Expr, error) {
	var parts []Expr
	for {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		parts = append(parts, e)
		if !p.accept("or") {
			return anyOf(parts), nil
		}
	}
}

func (p *exprParser) and() (Expr, error) {
	var parts []Expr
	for {
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		parts = append(parts, e)
		if !p.accept("and") {
			return all(parts...), nil
		}
	}
}

func (p *exprParser) not() (Expr, error) {
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

// test reads a field and what is asked of it. A word for either side of a flow stands for the two fields, of
// which one is asked; a not in it means that neither side is so.
func (p *exprParser) test() (Expr, error) {
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
		e, err := p.asked(f)
		if err != nil {
			return nil, err
		}
		tests = append(tests, e)
	}
	for i, e := range tests {
		not, ok := e.(Not)
		if !ok {
			return anyOf(tests), nil
		}
		tests[i] = not.X
	}
	return Not{anyOf(tests)}, nil
}

var keywords = []string{"and", "or", "not", "in", "is", "null", "like", "has", "between"}

// fields are the fields that a word stands for: one, or those of source and destination.
func (p *exprParser) fields(word string) []schema.Field {
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

// asked reads what is asked of a field.
func (p *exprParser) asked(f schema.Field) (Expr, error) {
	t := p.next()
	negate := func(e Expr, err error) (Expr, error) {
		if err != nil {
			return nil, err
		}
		return Not{e}, nil
	}
	switch {
	case t.is("="):
		return p.equal(f)
	case t.is("!="):
		return negate(p.equal(f))
	case t.is("<"):
		return p.compare(f, t, Less)
	case t.is("<="):
		return p.compare(f, t, LessEqual)
	case t.is(">"):
		return p.compare(f, t, Greater)
	case t.is(">="):
		return p.compare(f, t, GreaterEqual)
	case t.is("~"):
		return p.match(f, t)
	case t.is("!~"):
		return negate(p.match(f, t))
	case t.is("in"):
		return p.in(f)
	case t.is("between"):
		return p.between(f)
	case t.is("like"):
		return p.like(f, t)
	case t.is("has"):
		return p.has(f, t)
	case t.is("is"):
		not := p.accept("not")
		if n := p.next(); !n.is("null") {
			return nil, p.expected(n, "`null`")
		}
		if not {
			return Not{IsNull{f}}, nil
		}
		return IsNull{f}, nil
	case t.is("not"):
		switch n := p.next(); {
		case n.is("in"):
			return negate(p.in(f))
		case n.is("between"):
			return negate(p.between(f))
		case n.is("like"):
			return negate(p.like(f, n))
		default:
			return nil, p.expected(n, "`in`, `like` or `between`")
		}
	case t.kind == wordToken && strings.Contains(t.text, ".."):
		p.at--
		it, err := p.item(f)
		if err != nil {
			return nil, err
		}
		return In{f, []Item{it}}, nil
	}
	return nil, p.expected(t, "=, !=, <, <=, >, >=, in, like, ~, has, is null or a range such as 1..9 after "+f.Name)
}

// equal reads what a field is to be equal to: a value, a field, or what stands for several values, such as a
// network or a name of several ports.
func (p *exprParser) equal(f schema.Field) (Expr, error) {
	if e, err := p.field(f, Equal); e != nil || err != nil {
		return e, err
	}
	it, err := p.item(f)
	if err != nil {
		return nil, err
	}
	if it.Value == nil || f.Kind == schema.Addr {
		return In{f, expand(it)}, nil
	}
	return Compare{f, Equal, it.Value}, nil
}

// expand is the items of an item that only stands for several.
func expand(it Item) []Item {
	if it.File == "" && it.Items != nil {
		return it.Items
	}
	return []Item{it}
}

// field reads a comparison with another field, if there is one.
func (p *exprParser) field(f schema.Field, op Op) (Expr, error) {
	t := p.peek()
	if t.kind != wordToken {
		return nil, nil
	}
	g, ok := p.scope.lookup(t.text)
	if !ok {
		return nil, nil
	}
	p.at++
	whole := func(k schema.Kind) bool { return k == schema.Int32 || k == schema.Int64 || k == schema.Time }
	if f.Kind != g.Kind && (!whole(f.Kind) || !whole(g.Kind)) {
		return nil, p.fail(t, "%s is %s and %s is %s: they cannot be compared; quote %s if it is a value", f.Name, f.Kind, g.Name, g.Kind, t.text)
	}
	return CompareFields{f, op, g}, nil
}

func (p *exprParser) compare(f schema.Field, sign token, op Op) (Expr, error) {
	if f.Kind == schema.Addr {
		return nil, p.fail(sign, "addresses have no order: ask for a network, as in %s in 10.0.0.0/8, or for a range, as in %s 10.0.0.1..10.0.0.9", f.Name, f.Name)
	}
	if e, err := p.field(f, op); e != nil || err != nil {
		if e != nil && f.Kind == schema.Text {
			return nil, p.fail(sign, "two fields of text can only be compared with = or !=")
		}
		return e, err
	}
	t := p.peek()
	if f.Kind == schema.Text && (t.kind == quotedToken || t.kind == wordToken && !slices.ContainsFunc(keywords, t.is)) {
		p.next()
		v, _ := spelled(f, t.text)
		return Compare{f, op, v}, nil
	}
	it, err := p.item(f)
	if err != nil {
		return nil, err
	}
	if it.Value == nil {
		return nil, p.fail(t, "%s must be followed by one value here", op)
	}
	return Compare{f, op, it.Value}, nil
}

// in reads a list, in parentheses or not.
func (p *exprParser) in(f schema.Field) (Expr, error) {
	e := In{Field: f}
	if t := p.peek(); t.kind == wordToken && strings.HasPrefix(t.text, "[") {
		return nil, p.fail(t, "lists are in parentheses: write %s in (…)", f.Name)
	}
	open := p.accept("(")
	for {
		it, err := p.item(f)
		if err != nil {
			return nil, err
		}
		e.Items = append(e.Items, expand(it)...)
		if !p.accept(",") {
			break
		}
	}
	if f.Case != schema.MixedCase {
		e.Items = eachOnce(e.Items)
	}
	if open {
		if t := p.next(); !t.is(")") {
			return nil, p.expected(t, "`,` or `)`")
		}
	}
	return e, nil
}

// eachOnce drops texts that are there already: two that differ in case may stand for the same.
func eachOnce(items []Item) []Item {
	had := make(map[any]bool)
	return slices.DeleteFunc(items, func(it Item) bool {
		again := it.File == "" && had[it.Value]
		had[it.Value] = true
		return again
	})
}

func (p *exprParser) between(f schema.Field) (Expr, error) {
	t := p.peek()
	lo, err := p.item(f)
	if err != nil {
		return nil, err
	}
	if and := p.next(); !and.is("and") {
		return nil, p.expected(and, "`and`")
	}
	hi, err := p.item(f)
	if err != nil {
		return nil, err
	}
	return p.rangeOf(f, t, lo.Value, hi.Value)
}

func (p *exprParser) rangeOf(f schema.Field, t token, lo, hi any) (Expr, error) {
	it, err := p.rangeItem(f, t, lo, hi)
	if err != nil {
		return nil, err
	}
	return In{f, []Item{it}}, nil
}

// rangeItem checks the ends of a range. A nil end is open.
func (p *exprParser) rangeItem(f schema.Field, t token, lo, hi any) (Item, error) {
	if f.Kind == schema.Text {
		return Item{}, p.fail(t, "%s is text, which has no ranges", f.Name)
	}
	if lo == nil && hi == nil || f.Kind == schema.Addr && (lo == nil || hi == nil) {
		return Item{}, p.fail(t, "a range has two ends, as in 1024..65535")
	}
	if a, ok := lo.(netip.Addr); ok && a.Is4() != hi.(netip.Addr).Is4() {
		return Item{}, p.fail(t, "a range goes from IPv4 to IPv4 or from IPv6 to IPv6")
	}
	if lo != nil && hi != nil && compareValues(lo, hi) > 0 {
		return Item{}, p.fail(t, "the range ends before it begins")
	}
	return Item{Range: true, Lo: lo, Hi: hi}, nil
}

// compareValues orders two values of one kind.
func compareValues(x, y any) int {
	switch x := x.(type) {
	case int64:
		return cmp.Compare(x, y.(int64))
	case float64:
		return cmp.Compare(x, y.(float64))
	case netip.Addr:
		return x.Compare(y.(netip.Addr))
	}
	return cmp.Compare(x.(string), y.(string))
}

func (p *exprParser) match(f schema.Field, sign token) (Expr, error) {
	if f.Kind != schema.Text {
		return nil, p.fail(sign, "%s is %s: regular expressions are for text", f.Name, f.Kind)
	}
	t := p.next()
	re := t.text
	switch t.kind {
	case regexToken:
	case wordToken, quotedToken:
		re = plainSlashes(re)
	default:
		return nil, p.expected(t, "a regular expression, such as /^i-0/")
	}
	if _, err := regexp.Compile(re); err != nil {
		return nil, p.fail(t, "%v", err)
	}
	return Match{f, re}, nil
}

func (p *exprParser) like(f schema.Field, sign token) (Expr, error) {
	if f.Kind != schema.Text {
		hint := ""
		if f.Kind == schema.Addr {
			hint = networkHint(f, p.peek().text)
		}
		return nil, p.fail(sign, "%s is %s: like is for text%s", f.Name, f.Kind, hint)
	}
	t := p.next()
	if t.kind != wordToken && t.kind != quotedToken {
		return nil, p.expected(t, "a pattern, such as 'eni-%'")
	}
	return Like{f, t.text}, nil
}

func (p *exprParser) has(f schema.Field, sign token) (Expr, error) {
	if f.Kind != schema.Int32 && f.Kind != schema.Int64 {
		return nil, p.fail(sign, "%s is %s: has asks for bits of a whole number", f.Name, f.Kind)
	}
	t := p.next()
	if t.kind != wordToken {
		return nil, p.expected(t, "flags, such as syn or syn+ack")
	}
	var bits int64
	for name := range strings.FieldsFuncSeq(t.text, func(r rune) bool { return r == '+' || r == '-' }) {
		if i := slices.Index(tcpFlags[:], strings.ToLower(name)); i >= 0 && f.Name == tcpFlagsField {
			bits |= 1 << i
			continue
		}
		n, err := strconv.ParseInt(name, 0, 64)
		if err != nil || n <= 0 {
			return nil, p.fail(t, "unknown flag %q: %sthere are %s, and numbers", name, schema.DidYouMean(name, tcpFlags[:]), strings.Join(tcpFlags[:], ", "))
		}
		bits |= n
	}
	if bits == 0 {
		return nil, p.expected(t, "flags, such as syn or syn+ack")
	}
	return Has{f, bits}, nil
}
