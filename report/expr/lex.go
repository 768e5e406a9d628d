package expr

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A SyntaxError says what is wrong with the text of a condition, and where.
type SyntaxError struct {
	Text string
	Pos  int // byte of Text
	Msg  string
}

// Error is the message, then the text with a caret under the place.
func (e *SyntaxError) Error() string {
	const before, after = 60, 80 // what is shown of a long text
	start := strings.LastIndexByte(e.Text[:e.Pos], '\n') + 1
	for ; e.Pos-start > before || start < e.Pos && !utf8.RuneStart(e.Text[start]); start++ {
	}
	end := min(e.Pos+after, len(e.Text))
	if i := strings.IndexByte(e.Text[e.Pos:end], '\n'); i >= 0 {
		end = e.Pos + i
	}
	for end < len(e.Text) && !utf8.RuneStart(e.Text[end]) {
		end++
	}
	shown := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, e.Text[start:end])
	return fmt.Sprintf("%s\n  %s\n  %s^", e.Msg, shown, strings.Repeat(" ", utf8.RuneCountInString(e.Text[start:e.Pos])))
}

// tokenKind tells apart what a condition is made of.
type tokenKind uint8

const (
	endToken    tokenKind = iota
	wordToken             // a name, a keyword, a number, an address …
	quotedToken           // text in quotes
	regexToken            // text between slashes
	fileToken             // @name
	signToken             // ( ) , = != < <= > >= ~ !~
)

type token struct {
	kind tokenKind
	text string
	pos  int
}

// is reports whether the token is a sign or, in any case, a keyword.
func (t token) is(word string) bool {
	return t.kind == signToken && t.text == word || t.kind == wordToken && strings.EqualFold(t.text, word)
}

// describe names a token in a message.
func (t token) describe() string {
	if t.kind == endToken {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}

// signs are the signs of the language, longer ones first, and what they are written as.
var signs = []struct{ written, meant string }{
	{"!=", "!="}, {"<>", "!="}, {"<=", "<="}, {">=", ">="}, {"==", "="}, {"!~", "!~"}, {"&&", "and"}, {"||", "or"},
	{"=", "="}, {"<", "<"}, {">", ">"}, {"~", "~"}, {"(", "("}, {")", ")"}, {",", ","}, {"!", "not"},
}

// lex splits the text of a condition.
func lex(text string) ([]token, error) {
	var tokens []token
	for i := 0; ; {
		for i < len(text) && strings.IndexByte(" \t\r\n", text[i]) >= 0 {
			i++
		}
		if i == len(text) {
			return append(tokens, token{kind: endToken, pos: i}), nil
		}
		t := token{pos: i}
		n := len(tokens)
		switch c := text[i]; {
		case c == '\'' || c == '"':
			var ok bool
			t.kind = quotedToken
			if t.text, i, ok = unquote(text, i); !ok {
				return nil, &SyntaxError{text, t.pos, "the closing quote is missing"}
			}
		case c == '/' && n > 0 && tokens[n-1].kind == signToken && (tokens[n-1].text == "~" || tokens[n-1].text == "!~"):
			var ok bool
			t.kind = regexToken
			if t.text, i, ok = unslash(text, i); !ok {
				return nil, &SyntaxError{text, t.pos, "the closing / of the regular expression is missing"}
			}
		case c == '@':
			t.kind = fileToken
			i++
			if i < len(text) && (text[i] == '\'' || text[i] == '"') {
				var ok bool
				if t.text, i, ok = unquote(text, i); !ok {
					return nil, &SyntaxError{text, t.pos, "the closing quote is missing"}
				}
			} else {
				t.text = WordAt(text, i)
				i += len(t.text)
			}
			if t.text == "" {
				return nil, &SyntaxError{text, t.pos, "@ is followed by the name of a file"}
			}
		default:
			for _, s := range signs {
				if strings.HasPrefix(text[i:], s.written) {
					t.kind, t.text = signToken, s.meant
					i += len(s.written)
					break
				}
			}
			if t.kind == endToken {
				t.kind, t.text = wordToken, WordAt(text, i)
				i += len(t.text)
				if t.text == "" {
					return nil, &SyntaxError{text, t.pos, fmt.Sprintf("%q has no meaning here: quote it if it is part of a text", text[i:i+1])}
				}
			}
		}
		tokens = append(tokens, t)
	}
}

// joinCalls makes each function of a field or two, such as distinct(dstaddr+dstport), one word. Before a parenthesis
// there is no other word but keywords.
func joinCalls(tokens []token) []token {
	var out []token
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if t.kind == wordToken && !slices.ContainsFunc(keywords, t.is) && i+1 < len(tokens) && tokens[i+1].is("(") {
			end := i + 2
			text := t.text + "("
			for end < len(tokens) && tokens[end].kind == wordToken {
				text += tokens[end].text
				end++
			}
			if end > i+2 && end < len(tokens) && tokens[end].is(")") {
				t.text, i = text+")", end
			}
		}
		out = append(out, t)
	}
	return out
}

// Words returns the unquoted words of a condition: names, keywords, numbers, addresses. A function of fields, such as
// distinct(dstaddr+dstport), is one word.
func Words(text string) ([]string, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	var words []string
	for _, t := range joinCalls(tokens) {
		if t.kind == wordToken {
			words = append(words, t.text)
		}
	}
	return words, nil
}

// WordAt is the word that begins at a place.
func WordAt(text string, i int) string {
	end := strings.IndexAny(text[i:], " \t\r\n(),=!<>~'\"&|;")
	if end < 0 {
		end = len(text) - i
	}
	return text[i : i+end]
}

// unquote reads a text in quotes, in which a quote is written twice, and says where it ends.
func unquote(text string, i int) (s string, end int, ok bool) {
	quote := text[i]
	var b strings.Builder
	for i++; i < len(text); i++ {
		if text[i] == quote {
			if i+1 == len(text) || text[i+1] != quote {
				return b.String(), i + 1, true
			}
			i++
		}
		b.WriteByte(text[i])
	}
	return "", i, false
}

// unslash reads a regular expression between slashes, in which a slash is written \/, and an i behind it for
// one that ignores case.
func unslash(text string, i int) (re string, end int, ok bool) {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case '/':
			re = plainSlashes(text[i+1 : j])
			if j++; j < len(text) && text[j] == 'i' && len(WordAt(text, j)) == 1 {
				return "(?i)" + re, j + 1, true
			}
			return re, j, true
		}
	}
	return "", i, false
}

// plainSlashes drops the backslash before slashes, which is of no meaning to the regular expression.
func plainSlashes(re string) string {
	var b strings.Builder
	for i := 0; i < len(re); i++ {
		if re[i] == '\\' && i+1 < len(re) {
			if i++; re[i] != '/' {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(re[i])
	}
	return b.String()
}

var keywords = []string{"and", "or", "not", "in", "is", "null", "like", "has", "between"}

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

// units are what a number may be followed by: decimal multiples and, with an i, binary ones; a b for bytes may
// follow either.
var units = map[string]float64{
	"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15,
	"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40, "pi": 1 << 50,
}
