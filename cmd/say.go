package cmd

import (
	"strings"

	"flowlog/parse/schema"
	"flowlog/report"
)

// say is the text of an error for people, with its options as flags.
func say(err error) string { return schema.Say(err, asFlag) }

// asFlag is an option in the form of a flag.
func asFlag(o schema.Option) string {
	if o.Value == "" {
		return "--" + o.Name
	}
	return "--" + o.Name + " " + quote(o.Value)
}

// sayNotes writes the options in the notes of tables as flags.
func sayNotes(tables []report.Table) {
	for i := range tables {
		t := &tables[i]
		for j := range t.Notes {
			t.Notes[j] = schema.SayIn(t.Notes[j], asFlag, t.Hints...)
		}
		t.Hints = nil
	}
}

// quote writes a word as a shell reads it.
func quote(word string) string {
	const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./,:=@%+"
	if word != "" && strings.Trim(word, safe) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
