package expr

import (
	"fmt"
	"slices"
	"time"

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
	// File reads a file of values of a field; nil refuses them.
	File func(f schema.Field, name string) ([]Listed, error)
}

// A Listed is a value of a file, as a condition has it.
type Listed struct {
	Text string
	Port uint16 // that an address is about, 0 if it is about all
	Line int    // of the file, from 1
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

type parser struct {
	text   string
	tokens []token // the last is the end
	at     int
	depth  int
	last   token // the field that was asked last
	scope  Scope
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

// accept takes the next token if it is the word.
func (p *parser) accept(word string) bool {
	if p.peek().is(word) {
		p.at++
		return true
	}
	return false
}

func (p *parser) fail(t token, format string, args ...any) error {
	return &SyntaxError{p.text, t.pos, fmt.Sprintf(format, args...)}
}

func (p *parser) expected(t token, what string) error {
	if t.kind == endToken {
		return p.fail(t, "something is missing: %s", what)
	}
	if hint := p.joinHint(t); hint != "" {
		return p.fail(t, "%s", hint)
	}
	return p.fail(t, "%s is not expected here, but %s", t.describe(), what)
}

// isNumber reports whether a word is a number.
func isNumber(s string) bool {
	_, ok := parseQuantity(s, true)
	return ok
}

// joinHint says how to write what was read so far and a token, if they are one value or a list; else it is "".
func (p *parser) joinHint(t token) string {
	i := slices.IndexFunc(p.tokens, func(o token) bool { return o.pos == t.pos })
	if i < 2 || p.last.text == "" {
		return ""
	}
	sign, before := p.tokens[i-2], p.tokens[i-1]
	number := before.kind == wordToken && isNumber(before.text)
	switch {
	case t.kind == wordToken && number:
		if _, ok := parseQuantity(before.text+t.text, true); ok {
			return fmt.Sprintf("a number and its unit are one word: write %s%s", before.text, t.text)
		}
	case t.is(","):
		after := p.tokens[i+1].text
		if number && len(after) == 3 && isNumber(after) && (sign.is("<") || sign.is("<=") || sign.is(">") || sign.is(">=")) {
			return fmt.Sprintf("numbers have no commas: write %s%s", before.text, after)
		}
		if sign.is("=") && after != "" {
			return fmt.Sprintf("several values are a list: write %s in (%s, %s)", p.last.text, quotedAs(before), quotedAs(p.tokens[i+1]))
		}
		if sign.is("!=") && after != "" {
			return fmt.Sprintf("several values are a list: write %s not in (%s, %s)", p.last.text, quotedAs(before), quotedAs(p.tokens[i+1]))
		}
	}
	return ""
}

// quotedAs writes a token as it stood there.
func quotedAs(t token) string {
	if t.kind == quotedToken {
		return Quote(t.text)
	}
	return t.text
}
