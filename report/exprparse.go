package report

import (
	"bufio"
	"fmt"
	"io"
	"math"
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
		names := p.scope.Fields.Names()
		return nil, p.fail(t, "%v", schema.Unknown("field", t.text, names, p.scope.List))
	}
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
	if open {
		if t := p.next(); !t.is(")") {
			return nil, p.expected(t, "`,` or `)`")
		}
	}
	return e, nil
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
	if a, ok := x.(netip.Addr); ok {
		return a.Compare(y.(netip.Addr))
	}
	return compareNullsLast(x, y, false)
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
		return nil, p.fail(sign, "%s is %s: like is for text", f.Name, f.Kind)
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

// item reads what may stand in a list of values of a field.
func (p *exprParser) item(f schema.Field) (Item, error) {
	switch t := p.next(); t.kind {
	case fileToken:
		return p.file(f, t)
	case quotedToken:
		if f.Kind == schema.Text {
			return p.textItem(f, t, t.text)
		}
		return p.word(f, t)
	case wordToken:
		if slices.ContainsFunc(keywords, t.is) {
			if t.is("null") {
				return Item{}, p.fail(t, "nothing is equal to null: write %s is null", f.Name)
			}
			return Item{}, p.expected(t, "a value of "+f.Name)
		}
		return p.word(f, t)
	default:
		return Item{}, p.expected(t, "a value of "+f.Name)
	}
}

// word reads a value, a network or a range.
func (p *exprParser) word(f schema.Field, t token) (Item, error) {
	if t.text == "-" {
		return Item{}, p.fail(t, "- is null in flow logs: write %s is null", f.Name)
	}
	if f.Kind == schema.Text {
		if near := misspelt(f, t.text); near != "" && p.scope.Text == nil {
			return Item{}, p.fail(t, "%q is not a value of %s: did you mean %s? In quotes it is taken as it is", t.text, f.Name, near)
		}
		return p.textItem(f, t, f.Spelled(t.text))
	}
	if from, to, ok := strings.Cut(t.text, ".."); ok {
		var ends [2]any
		for i, s := range []string{from, to} {
			if s == "" {
				continue
			}
			v, err := p.value(f, token{t.kind, s, t.pos})
			if err != nil {
				return Item{}, err
			}
			if ends[i] = v.Value; v.Value == nil {
				return Item{}, p.fail(t, "%q is no end of a range", s)
			}
		}
		return p.rangeItem(f, t, ends[0], ends[1])
	}
	return p.value(f, t)
}

// textItem is a text, if the field can have it.
func (p *exprParser) textItem(f schema.Field, t token, value string) (Item, error) {
	if p.scope.Text != nil {
		if err := p.scope.Text(f.Name, value); err != nil {
			return Item{}, p.fail(t, "%v", err)
		}
	}
	return Item{Value: value}, nil
}

// misspelt is the value that AWS logs which a text is nearly, or "". What is far from all of them may be one that AWS adds;
// what is near would be met by no record, and nobody would know why.
func misspelt(f schema.Field, s string) string {
	var lower []string
	for _, v := range f.Values {
		if strings.EqualFold(v, s) {
			return ""
		}
		lower = append(lower, strings.ToLower(v))
	}
	if i := slices.Index(lower, schema.Nearest(s, lower)); i >= 0 {
		return f.Values[i]
	}
	return ""
}

// value reads one value, or something that stands for one or several by name.
func (p *exprParser) value(f schema.Field, t token) (Item, error) {
	switch f.Kind {
	case schema.Addr:
		if strings.Contains(t.text, "/") {
			prefix, err := netip.ParsePrefix(t.text)
			if err != nil {
				return Item{}, p.fail(t, "%q is not a network: write it as 10.0.0.0/8 or 2001:db8::/32", t.text)
			}
			if prefix != prefix.Masked() {
				return Item{}, p.fail(t, "%s has bits behind its %d-bit mask: write %s for the network, or %s for the address", prefix, prefix.Bits(), prefix.Masked(), prefix.Addr())
			}
			if prefix.Addr().Is4In6() {
				return Item{}, p.fail(t, "%s is IPv4 in IPv6: write the network as IPv4", prefix)
			}
			return Item{Prefix: prefix}, nil
		}
		a, err := netip.ParseAddr(t.text)
		if err != nil || a.Zone() != "" {
			return Item{}, p.fail(t, "%q is not an IP address or network", t.text)
		}
		return Item{Value: a.Unmap()}, nil
	case schema.Float:
		v, ok := parseQuantity(t.text, true)
		if !ok {
			return Item{}, p.fail(t, "%q is not a number", t.text)
		}
		return Item{Value: v}, nil
	case schema.Time:
		v, err := p.time(t.text)
		if err != nil {
			return Item{}, p.fail(t, "%v", err)
		}
		return Item{Value: v}, nil
	}
	if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		return p.whole(f, t, n)
	}
	if v, ok := parseQuantity(t.text, false); ok {
		n := int64(v)
		if float64(n) != v || v >= 1<<63 {
			return Item{}, p.fail(t, "%q is not a whole number", t.text)
		}
		return p.whole(f, t, n)
	}
	if p.scope.Number != nil {
		switch ns := p.scope.Number(f.Name, t.text); len(ns) {
		case 0:
		case 1:
			return Item{Value: ns[0]}, nil
		default:
			var it Item
			for _, n := range ns {
				it.Items = append(it.Items, Item{Value: n})
			}
			return it, nil
		}
	}
	return Item{}, p.fail(t, "%q is not a value of %s, which is a whole number; protocols and ports go by names such as tcp and https too", t.text, f.Name)
}

// time reads a point in time as Unix seconds.
func (p *exprParser) time(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && (n < 0 || p.scope.Time == nil) {
		return n, nil // before 1970
	}
	if p.scope.Time == nil {
		return 0, fmt.Errorf("%q is not a time in Unix seconds", s)
	}
	v, err := p.scope.Time(s)
	if err == nil && v.Unix() >= latestDate {
		err = fmt.Errorf("%q is after the year 9999", s)
	}
	return v.Unix(), err
}

// whole checks a whole number against what its field can be.
func (p *exprParser) whole(f schema.Field, t token, n int64) (Item, error) {
	if f.Max > 0 && n > f.Max {
		return Item{}, p.fail(t, "%s is at most %d", f.Name, f.Max)
	}
	return Item{Value: n}, nil
}

// units are what a number may be followed by: decimal multiples and, with an i, binary ones; a b for bytes may
// follow either.
var units = map[string]float64{
	"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15,
	"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40, "pi": 1 << 50,
}

// parseQuantity reads a number that may have a unit, such as 10MB, 1.5GiB or 100k, or for fractions 10%.
func parseQuantity(s string, fraction bool) (float64, bool) {
	n := len(s)
	for n > 0 && (s[n-1] < '0' || s[n-1] > '9') && s[n-1] != '.' {
		n--
	}
	unit := strings.ToLower(s[n:])
	factor, ok := units[unit]
	if !ok {
		factor, ok = units[strings.TrimSuffix(unit, "b")]
	}
	if fraction && unit == "%" {
		factor, ok = 0.01, true
	}
	digits := strings.ReplaceAll(s[:n], "_", "")
	if strings.ContainsAny(digits, "xXpPiInN") {
		return 0, false // hexadecimal, Inf, NaN
	}
	v, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || math.IsInf(v*factor, 0) {
		return 0, false
	}
	if unit == "%" {
		return v / 100, true // 10% is the float nearest to 0.1
	}
	return v * factor, true
}

// listed are the values on a line of a file: words, or for text the whole line. What follows a # is a remark.
func listed(f schema.Field, line string) []string {
	if i := strings.IndexByte(line, '#'); i == 0 || i > 0 && (f.Kind != schema.Text || line[i-1] == ' ' || line[i-1] == '\t') {
		line = line[:i]
	}
	if f.Kind != schema.Text {
		return strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' })
	}
	if line = strings.TrimSpace(line); line == "" {
		return nil
	}
	return []string{line}
}

// file reads a list of values from a file.
func (p *exprParser) file(f schema.Field, t token) (Item, error) {
	if p.scope.Open == nil {
		return Item{}, p.fail(t, "a file cannot be read here")
	}
	r, err := p.scope.Open(t.text)
	if err != nil {
		return Item{}, p.fail(t, "%v", err)
	}
	defer r.Close()
	it := Item{File: t.text, Items: []Item{}}
	lines := bufio.NewScanner(io.LimitReader(r, maxListFile+1))
	size := 0
	for n := 1; lines.Scan(); n++ {
		if size += len(lines.Bytes()) + 1; size > maxListFile {
			return Item{}, p.fail(t, "%s is larger than %d MiB", t.text, maxListFile>>20)
		}
		for _, word := range listed(f, strings.TrimPrefix(lines.Text(), "\ufeff")) {
			sub := &exprParser{text: p.text, scope: p.scope}
			v, err := sub.word(f, token{wordToken, word, t.pos})
			if err != nil {
				msg, _, _ := strings.Cut(err.Error(), "\n")
				return Item{}, p.fail(t, "%s:%d: %s", t.text, n, msg)
			}
			it.Items = append(it.Items, expand(v)...)
		}
	}
	if err := lines.Err(); err != nil {
		return Item{}, p.fail(t, "%s: %v", t.text, err)
	}
	return it, nil
}
