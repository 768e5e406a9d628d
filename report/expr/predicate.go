package expr

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// predicate reads the operator and the operand that follow the name of a field.
func (p *parser) predicate(f schema.Field) (Expr, error) {
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
		return p.null(f)
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

// null reads what follows is.
func (p *parser) null(f schema.Field) (Expr, error) {
	not := p.accept("not")
	if n := p.next(); !n.is("null") {
		return nil, p.expected(n, "`null`")
	}
	if not {
		return Not{IsNull{f}}, nil
	}
	return IsNull{f}, nil
}

// equal reads what a field is to be equal to: a value, a field, or what stands for several values, such as a
// network or a name of several ports.
func (p *parser) equal(f schema.Field) (Expr, error) {
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

// field reads a comparison with another field, if there is one.
func (p *parser) field(f schema.Field, op Op) (Expr, error) {
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

func (p *parser) compare(f schema.Field, sign token, op Op) (Expr, error) {
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
func (p *parser) in(f schema.Field) (Expr, error) {
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

func (p *parser) between(f schema.Field) (Expr, error) {
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

func (p *parser) rangeOf(f schema.Field, t token, lo, hi any) (Expr, error) {
	it, err := p.rangeItem(f, t, lo, hi)
	if err != nil {
		return nil, err
	}
	return In{f, []Item{it}}, nil
}

func (p *parser) match(f schema.Field, sign token) (Expr, error) {
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

func (p *parser) like(f schema.Field, sign token) (Expr, error) {
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

func (p *parser) has(f schema.Field, sign token) (Expr, error) {
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
