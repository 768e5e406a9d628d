package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// Severity is how much a finding matters.
type Severity uint8

const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

// Severities are the names of severities, from the least on.
var Severities = []string{"info", "low", "medium", "high", "critical"}

func (s Severity) String() string { return Severities[s] }

// A Rule is a report each of whose rows is a finding.
type Rule struct {
	Report   // its Limit is 0
	Severity Severity
	Next     string // what to look at after a finding, in the words of who wrote the rule
	Message  Message
	Tags     []string
	// KnownBy are the keys whose values tell a finding from others of the rule: those that have the same are one for
	// who knows it. Nil is all keys.
	KnownBy []string
	// Most is how many of its findings are listed; 0 is all.
	Most int
	// Line is where the rule stands in its file.
	Line int
}

// A Finding is a row of a rule's report.
type Finding struct {
	*Rule
	Columns []Column
	Row     []any // by column
	// ID is the same for the same rule and the same values of the keys that it is known by, in every run and version.
	ID string
}

// Seen is what a finding is known by: its ID, and what that stands for, for people.
type Seen struct {
	ID   string `json:"id"`
	What string `json:"what"`
}

// A Verdict is what became of a rule.
type Verdict struct {
	*Rule
	Findings []Finding // that are listed
	More     int       // that are not, since there are too many
	Known    int       // that are not, since they are known
	Seen     []Seen    // all of them, each once
	Skipped  string    // why the rule could not be checked; "" if it was
}

// Fired is how many findings of the rule are not known.
func (v *Verdict) Fired() int { return len(v.Findings) + v.More }

// Check returns the verdicts on rules, in their order, by the tables of their reports. A rule that has none was not
// checked, for a reason that is under its name.
// known says of findings by their IDs whether they are known; nil is none.
func Check(rules []Rule, tables []Table, reasons map[string]string, known func(id string) bool) []Verdict {
	var verdicts []Verdict
	for i := range rules {
		r := &rules[i]
		v := Verdict{Rule: r, Skipped: reasons[r.Name]}
		at := slices.IndexFunc(tables, func(t Table) bool { return t.Name == r.Name })
		if at >= 0 {
			v.Skipped = tables[at].Moot
		}
		if at >= 0 && v.Skipped == "" {
			v.take(tables[at], known)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// take makes the rows of a table findings.
func (v *Verdict) take(t Table, known func(id string) bool) {
	seen := make(map[string]bool)
	for _, row := range t.Rows {
		f := Finding{Rule: v.Rule, Columns: t.Columns, Row: row}
		what := f.what()
		sum := sha256.Sum256([]byte(what))
		f.ID = hex.EncodeToString(sum[:16]) // as many bits as anybody needs who does not forge them
		if !seen[f.ID] {
			seen[f.ID] = true
			v.Seen = append(v.Seen, Seen{f.ID, what})
		}
		switch {
		case known != nil && known(f.ID):
			v.Known++
		case v.Most > 0 && len(v.Findings) == v.Most:
			v.More++
		default:
			v.Findings = append(v.Findings, f)
		}
	}
}

// what is what the finding is known by: the rule, and the keys with their values. Each is quoted, so that no value
// passes for another key.
func (f *Finding) what() string {
	var b strings.Builder
	b.WriteString(f.Name)
	for i, c := range f.Columns {
		if c.Role == KeyRole && (f.KnownBy == nil || slices.Contains(f.KnownBy, c.Name)) {
			fmt.Fprintf(&b, " %s=%s", c.Name, strconv.QuoteToASCII(PlainText(f.Row[i])))
		}
	}
	return b.String()
}

// A Message is a text with places for values: {srcaddr} is that of the column. {{ and }} stand for braces.
type Message []part

// A part is a text, or the name of a value.
type part struct {
	Text  string
	value bool
}

// MessageError says what is wrong with the text of a message, and where.
type MessageError struct {
	Pos int // byte of the text
	Msg string
}

func (e *MessageError) Error() string { return e.Msg }

// SetMessage reads the rule's message. Its places are named like keys, what is known of them, measures, of which those
// are added that the report lacks, the rule and its severity. An error in the text is a *MessageError.
func (r *Rule) SetMessage(text string, fields schema.Table) error {
	var m Message
	literal := ""
	flush := func() {
		if literal != "" {
			m = append(m, part{Text: literal})
			literal = ""
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case (c == '{' || c == '}') && i+1 < len(text) && text[i+1] == c:
			literal += text[i : i+1]
			i++
		case c == '}':
			return &MessageError{i, "} ends no {name}: write }} for a brace"}
		case c == '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return &MessageError{i, "the closing } is missing: write {{ for a brace"}
			}
			name, err := r.named(text[i+1:i+end], fields)
			if err != nil {
				return &MessageError{i + 1, err.Error()}
			}
			flush()
			m = append(m, part{name, true})
			i += end
		default:
			literal += text[i : i+1]
		}
	}
	flush()
	r.Message = m
	return nil
}

// named is the column that a place in a message is for.
func (r *Rule) named(name string, fields schema.Table) (string, error) {
	names := r.values(fields)
	plain := canonical(name)
	if slices.Contains(names, plain) {
		return plain, nil
	}
	if measure, err := r.Need(name, fields); err == nil {
		return measure, nil
	}
	hint := "there are " + strings.Join(names, ", ") + ", and all measures"
	for _, m := range measures {
		names = append(names, m.Name)
	}
	if near := schema.Nearest(plain, names); near != "" {
		hint = "did you mean {" + near + "}? " + hint
	}
	return "", fmt.Errorf("unknown value {%s}: %s", name, hint)
}

// Need adds a measure that the report lacks, and returns its name, which is that of its column.
func (r *Report) Need(name string, fields schema.Table) (string, error) {
	m, err := r.parseMeasure(name, fields)
	if err != nil {
		return "", err
	}
	if r.Key(m.Name) >= 0 {
		m.Name = m.column() // as distinctNames has it
	}
	r.add(m)
	return m.Name, nil
}

// Expand puts values into the message. A rule without a message says its keys and measures.
func (f *Finding) Expand(value func(c Column, v any) string) string {
	named := func(name string) string {
		switch i := slices.IndexFunc(f.Columns, func(c Column) bool { return c.Name == name }); {
		case i >= 0:
			return value(f.Columns[i], f.Row[i])
		case name == "rule":
			return f.Name
		case name == "severity":
			return f.Severity.String()
		}
		return value(Column{}, nil) // a label that no row has
	}
	var b strings.Builder
	if f.Message != nil {
		for _, p := range f.Message {
			if p.value {
				b.WriteString(named(p.Text))
			} else {
				b.WriteString(p.Text)
			}
		}
		return b.String()
	}
	for i, c := range f.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.Name + " " + value(c, f.Row[i]))
	}
	return b.String()
}

// values lists what a message may have places for, in a report whose labels are those of fields.
func (r *Report) values(fields schema.Table) []string {
	var names []string
	for _, k := range r.Keys {
		names = append(names, k.Name())
		for _, f := range fields {
			if f.Names == k.Name() {
				names = append(names, f.Name)
			}
		}
	}
	for _, m := range r.Measures {
		names = append(names, m.Name)
	}
	if r.Spike != nil {
		names = append(names, MedianColumn)
	}
	return append(names, "rule", "severity")
}
