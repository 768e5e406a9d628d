package sql

import (
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
)

// portable writes a regular expression of Go's so that it means the same to Trino, whose expressions are Java's:
// there $ is also before the last line break, . is not every character but \n, and letters, digits and cases
// are others. Only characters by their numbers, classes of them, groups, alternatives and repetitions mean the
// same everywhere. What is at the edge of words and of lines has no such form.
func (q *query) portable(re string) sqlNode {
	tree, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return q.refuse("%v", err)
	}
	var b strings.Builder
	if !portable(&b, tree) {
		return q.refuse("/%s/: %s has other words and lines (\\b, (?m)) than flowlog: leave them out", re, q.Name)
	}
	return textNode(b.String())
}

func portable(b *strings.Builder, re *syntax.Regexp) bool {
	group := func(re *syntax.Regexp) bool {
		b.WriteString("(?:")
		ok := portable(b, re)
		b.WriteString(")")
		return ok
	}
	switch re.Op {
	case syntax.OpEmptyMatch:
		return true
	case syntax.OpNoMatch:
		b.WriteString(`[^\x{0}-\x{10FFFF}]`)
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if re.Flags&syntax.FoldCase == 0 || unicode.SimpleFold(r) == r {
				portableRune(b, r)
				continue
			}
			b.WriteByte('[')
			portableRune(b, r)
			for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
				portableRune(b, other)
			}
			b.WriteByte(']')
		}
	case syntax.OpCharClass:
		if len(re.Rune) == 0 {
			b.WriteString(`[^\x{0}-\x{10FFFF}]`)
			return true
		}
		b.WriteByte('[')
		for i := 0; i < len(re.Rune); i += 2 {
			portableRune(b, re.Rune[i])
			if re.Rune[i] != re.Rune[i+1] {
				b.WriteByte('-')
				portableRune(b, re.Rune[i+1])
			}
		}
		b.WriteByte(']')
	case syntax.OpAnyCharNotNL:
		b.WriteString(`[^\x{A}]`)
	case syntax.OpAnyChar:
		b.WriteString(`[\x{0}-\x{10FFFF}]`)
	case syntax.OpBeginText:
		b.WriteString(`\A`)
	case syntax.OpEndText:
		b.WriteString(`\z`)
	case syntax.OpCapture:
		return group(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		ok := group(re.Sub[0])
		switch re.Op {
		case syntax.OpStar:
			b.WriteByte('*')
		case syntax.OpPlus:
			b.WriteByte('+')
		case syntax.OpQuest:
			b.WriteByte('?')
		default:
			b.WriteString("{" + strconv.Itoa(re.Min))
			if re.Max != re.Min {
				b.WriteByte(',')
				if re.Max >= 0 {
					b.WriteString(strconv.Itoa(re.Max))
				}
			}
			b.WriteByte('}')
		}
		return ok
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if sub.Op == syntax.OpAlternate {
				if !group(sub) {
					return false
				}
			} else if !portable(b, sub) {
				return false
			}
		}
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			if i > 0 {
				b.WriteByte('|')
			}
			if !portable(b, sub) {
				return false
			}
		}
	default:
		return false
	}
	return true
}

// portableRune writes a character as itself if it never means anything else.
func portableRune(b *strings.Builder, r rune) {
	if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '/' || r == ':' || r == '_' {
		b.WriteRune(r)
		return
	}
	b.WriteString(`\x{` + strings.ToUpper(strconv.FormatInt(int64(r), 16)) + "}")
}
