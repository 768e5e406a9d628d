package schema

import (
	"slices"
	"strings"
	"unicode"
)

// synonyms maps words that other tools use in column names to the words of AWS's field names.
var synonyms = map[string]string{
	"source": "src", "client": "src", "s": "src", "destination": "dst", "dest": "dst", "target": "dst", "d": "dst",
	"sport": "src port", "dport": "dst port", "sip": "src addr", "dip": "dst addr",
	"ip": "addr", "address": "addr", "ipaddr": "addr", "ipaddress": "addr", "ipv4": "addr", "ipv6": "addr", "host": "addr",
	"proto": "protocol", "octet": "byte", "pkt": "packet", "begin": "start", "first": "start", "stop": "end", "last": "end",
	"eni": "interface", "nic": "interface", "owner": "account", "verdict": "action", "decision": "action", "disposition": "action", "dir": "direction",
}

// fillers are words in column names that do not tell fields apart.
var fillers = []string{
	"num", "number", "count", "total", "sum", "of", "id", "time", "ts", "timestamp", "seen", "log", "flow", "aws", "name", "value", "",
}

// byEssence maps the essence of a field's name to the field.
var byEssence = func() map[string]string {
	names := make(map[string]string)
	for i := len(logged) - 1; i >= 0; i-- { // backwards, so that the first of several wins
		names[essence(logged[i].Name)] = logged[i].Name
	}
	names["src"], names["dst"] = "srcaddr", "dstaddr"
	delete(names, "")
	return names
}()

// Guess returns the field that an input column probably holds, judged by the words of its name, or "": source_ip is
// srcaddr, and destPort is dstport.
func Guess(column string) string { return byEssence[essence(column)] }

// essence normalizes a name: its words in AWS's vocabulary, without fillers, sorted.
func essence(name string) string {
	var spaced strings.Builder
	last := ' '
	for _, c := range name {
		if unicode.IsUpper(c) && unicode.IsLower(last) {
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(unicode.ToLower(c))
		last = c
	}
	var words []string
	for _, word := range strings.FieldsFunc(spaced.String(), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		words = append(words, inOurWords(word)...)
	}
	words = slices.DeleteFunc(words, func(word string) bool { return slices.Contains(fillers, word) })
	slices.Sort(words)
	return strings.Join(words, " ")
}

// inOurWords translates a word to AWS's vocabulary, in the singular; a word that begins with the side of a flow
// (destport) becomes two.
func inOurWords(word string) []string {
	for _, form := range []string{word, strings.TrimSuffix(word, "s")} {
		if synonym, ok := synonyms[form]; ok {
			return strings.Fields(synonym)
		}
	}
	for _, side := range []string{"source", "src", "destination", "dest", "dst"} {
		if rest, ok := strings.CutPrefix(word, side); ok && rest != "" {
			return append(inOurWords(side), inOurWords(rest)...)
		}
	}
	if len(word) > 3 {
		word = strings.TrimSuffix(word, "s")
	}
	return []string{word}
}

// A Renaming says that an input column may hold a field.
type Renaming struct{ Column, Field string }

// Guesses returns a Renaming for each column whose field Guess finds.
func Guesses(columns []string) []Renaming {
	var guesses []Renaming
	for _, column := range columns {
		if field := Guess(column); field != "" {
			guesses = append(guesses, Renaming{column, field})
		}
	}
	return guesses
}

// RenameOption returns the option that applies the guesses.
func RenameOption(guesses []Renaming) Option {
	pairs := make([]string, len(guesses))
	for i, g := range guesses {
		pairs[i] = g.Column + "=" + g.Field
	}
	return Opt("rename", pairs...)
}
