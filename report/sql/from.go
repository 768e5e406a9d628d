package sql

import (
	"fmt"
	"slices"
	"strings"
)

// PlainTable reports whether a table is named by words with dots between them, or by the name of a file: not by a query, a
// function or names in quotes, which engines are given as they are.
func PlainTable(table string) bool {
	return !strings.ContainsAny(table, `"(`) && !strings.HasPrefix(table, "'")
}

// CheckTable returns what is wrong with a table that an engine is given as it is: it must be one name, one function, one
// text in quotes, or one query in parentheses, with nothing behind it.
func CheckTable(table string) error {
	if PlainTable(table) {
		return nil
	}
	text := strings.TrimSpace(table)
	query := strings.HasPrefix(text, "(")
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'' || c == '"':
			end := quotedEnd(text, i)
			if end < 0 {
				return fmt.Errorf("the table %s has a quote that is not closed", table)
			}
			i = end
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 || depth == 0 && i+1 < len(text) {
				return fmt.Errorf("the table %s is not one query in parentheses, or one name", table)
			}
		case c == ';' || strings.HasPrefix(text[i:], "--") || strings.HasPrefix(text[i:], "/*") || c == '`' || c == '#' || c == '\\' || c == '$':
			return fmt.Errorf("the table %s has %q outside of quotes: it must be one query, or one name", table, c)
		case depth == 0 && !nameByte(c):
			return fmt.Errorf("the table %s is more than one name: put a query in parentheses", table)
		}
	}
	if depth != 0 {
		return fmt.Errorf("the table %s has a parenthesis that is not closed", table)
	}
	first := strings.Fields(strings.ToLower(strings.TrimLeft(text, "( \t\r\n")))
	if query && (len(first) == 0 || !slices.Contains(queryWords, first[0])) {
		return fmt.Errorf("the table %s is no query: it does not begin with SELECT or WITH", table)
	}
	return nil
}

// queryWords are what queries begin with.
var queryWords = []string{"select", "with", "from", "table", "values"}

// quotedEnd is where a quoted part ends that begins at a place: a quote in it is written twice. It is -1 if it does not.
func quotedEnd(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		if text[j] != text[i] {
			continue
		}
		if j+1 == len(text) || text[j+1] != text[i] {
			return j
		}
		j++
	}
	return -1
}

// nameByte reports whether a byte may be part of a name with dots.
func nameByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-' || c >= 0x80
}
