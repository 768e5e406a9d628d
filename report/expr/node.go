package expr

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// An Expr is a condition on records, or on the rows of a report. It is immutable. Parse reads one.
//
// Logic is three-valued, as in SQL: a condition on a null is neither met nor not met, so that `dstport != 22`
// does not take in records without a port, and neither does `not dstport = 22`. Only `is null` asks for nulls.
type Expr interface {
	// Fields calls yield with the name of each field that the condition is on.
	Fields(yield func(name string))
	// String is the condition as Parse reads it.
	String() string
	// Filter makes what evaluates the condition, for one goroutine.
	Filter() Filter
}

// And is met where all of its parts are, Or where one is. Neither has parts of its own type.
type (
	And []Expr
	Or  []Expr
)

// Not is met where X is not, and is null where X is.
type Not struct{ X Expr }

// Op is a comparison. What is missing here is a Not.
type Op uint8

const (
	Equal Op = iota
	Less
	LessEqual
	Greater
	GreaterEqual
)

var ops = [...]string{"=", "<", "<=", ">", ">="}

func (o Op) String() string { return ops[o] }

// Compare compares a field with a value: int64 for Int32, Int64 and Time, float64 for Float, string for
// Text, whose order is that of its bytes. Addresses are only ever In.
type Compare struct {
	Field schema.Field
	Op    Op
	Value any
}

// CompareFields compares two fields of one kind. Addresses and texts are only ever Equal.
type CompareFields struct {
	Left  schema.Field
	Op    Op
	Right schema.Field
}

// In is met where a field has one of several values.
type In struct {
	Field schema.Field
	Items []Item
}

// An Item is what In lists: a value, like those of Compare or a netip.Addr; a range, both ends included, of
// which one may be nil; a network; or a file of items, by its name.
type Item struct {
	Value  any
	Range  bool
	Lo, Hi any
	Prefix netip.Prefix
	File   string
	Items  []Item // what the file holds
	Port   uint16 // that an address of a file is about, at its end of the flow; 0 if it is about all
}

// Like is met where a text matches a pattern of SQL: % is any text, _ any one character.
type Like struct {
	Field   schema.Field
	Pattern string
}

// Match is met where a regular expression of Go's finds something in a text.
type Match struct {
	Field schema.Field
	Regex string
}

// IsNull is met where a field has no value. It is never null itself.
type IsNull struct{ Field schema.Field }

// Has is met where a whole number has all of the bits set.
type Has struct {
	Field schema.Field
	Bits  int64
}

func (e And) Fields(yield func(string)) {
	for _, x := range e {
		x.Fields(yield)
	}
}

func (e Or) Fields(yield func(string)) {
	for _, x := range e {
		x.Fields(yield)
	}
}

func (e Not) Fields(yield func(string))     { e.X.Fields(yield) }
func (e Compare) Fields(yield func(string)) { yield(e.Field.Name) }
func (e CompareFields) Fields(yield func(string)) {
	yield(e.Left.Name)
	yield(e.Right.Name)
}
func (e Like) Fields(yield func(string))   { yield(e.Field.Name) }
func (e Match) Fields(yield func(string))  { yield(e.Field.Name) }
func (e IsNull) Fields(yield func(string)) { yield(e.Field.Name) }
func (e Has) Fields(yield func(string))    { yield(e.Field.Name) }

func (e And) String() string { return Join(e, " and ") }
func (e Or) String() string  { return Join(e, " or ") }

// Join writes the parts of And and Or, in parentheses where they would be read otherwise.
func Join(parts []Expr, word string) string {
	var b strings.Builder
	for i, x := range parts {
		if i > 0 {
			b.WriteString(word)
		}
		if _, or := x.(Or); or {
			b.WriteString("(" + x.String() + ")")
		} else {
			b.WriteString(x.String())
		}
	}
	return b.String()
}

// String writes a Not in front of its condition, or into it where the language has a word for that.
func (e Not) String() string {
	switch x := e.X.(type) {
	case Compare:
		if x.Op == Equal {
			return x.Field.Name + " != " + literal(x.Field, x.Value)
		}
	case CompareFields:
		if x.Op == Equal {
			return x.Left.Name + " != " + x.Right.Name
		}
	case In:
		return x.Field.Name + " not in " + x.list()
	case Like:
		return x.Field.Name + " not like " + Quote(x.Pattern)
	case Match:
		return x.Field.Name + " !~ " + slashed(x.Regex)
	case IsNull:
		return x.Field.Name + " is not null"
	case Not, Has:
		return "not " + x.String()
	}
	return "not (" + e.X.String() + ")"
}

func (e Compare) String() string {
	return e.Field.Name + " " + e.Op.String() + " " + literal(e.Field, e.Value)
}
func (e CompareFields) String() string { return e.Left.Name + " " + e.Op.String() + " " + e.Right.Name }
func (e In) String() string            { return e.Field.Name + " in " + e.list() }
func (e Like) String() string          { return e.Field.Name + " like " + Quote(e.Pattern) }
func (e Match) String() string         { return e.Field.Name + " ~ " + slashed(e.Regex) }
func (e IsNull) String() string        { return e.Field.Name + " is null" }
func (e Has) String() string           { return e.Field.Name + " has " + bitNames(e.Field, e.Bits) }

func (e In) list() string {
	var b strings.Builder
	for i, it := range e.Items {
		if i > 0 {
			b.WriteString(", ")
		}
		switch {
		case it.File != "":
			b.WriteString("@" + Quote(it.File))
		case it.Prefix.IsValid():
			b.WriteString(it.Prefix.String())
		case it.Range:
			if it.Lo != nil {
				b.WriteString(literal(e.Field, it.Lo))
			}
			b.WriteString("..")
			if it.Hi != nil {
				b.WriteString(literal(e.Field, it.Hi))
			}
		default:
			b.WriteString(literal(e.Field, it.Value))
		}
	}
	return "(" + b.String() + ")"
}

// literal writes a value of a field.
func literal(f schema.Field, v any) string {
	switch v := v.(type) {
	case int64:
		if f.Kind == schema.Time && v >= 0 && v < latestDate {
			return time.Unix(v, 0).UTC().Format(time.RFC3339)
		}
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case netip.Addr:
		return v.String()
	case string:
		return Quote(v)
	}
	return ""
}

// latestDate is the first second of the year 10000, from which on times have no date in four digits.
const latestDate = 253402300800

func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// slashed writes a regular expression between slashes.
func slashed(re string) string {
	var b strings.Builder
	b.WriteByte('/')
	for i := 0; i < len(re); i++ {
		switch {
		case re[i] == '/':
			b.WriteByte('\\')
		case re[i] == '\\' && i+1 < len(re):
			b.WriteByte(re[i])
			i++
		}
		b.WriteByte(re[i])
	}
	b.WriteByte('/')
	return b.String()
}

// tcpFlags are the names of the bits of tcp_flags, from the lowest on. Source: RFC 9293, section 3.1.
var tcpFlags = [...]string{"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"}

// bitNames writes bits by their names, or as a number if some have none.
func bitNames(f schema.Field, bits int64) string {
	if f.Name != tcpFlagsField || bits <= 0 || bits >= 1<<len(tcpFlags) {
		return strconv.FormatInt(bits, 10)
	}
	var names []string
	for i, name := range tcpFlags {
		if bits>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

const tcpFlagsField = "tcp_flags"

// Conjuncts are conditions that are all met where e is met.
func Conjuncts(e Expr) []Expr {
	if all, ok := e.(And); ok {
		return all
	}
	if e == nil {
		return nil
	}
	return []Expr{e}
}

// All is met where every one of the conditions is; nil ones are left out. It is nil if there are none.
func All(conditions ...Expr) Expr {
	var parts And
	for _, e := range conditions {
		parts = append(parts, Conjuncts(e)...)
	}
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	}
	return parts
}

// AnyOf is met where one of the conditions is.
func AnyOf(conditions []Expr) Expr {
	var parts Or
	for _, e := range conditions {
		if or, ok := e.(Or); ok {
			parts = append(parts, or...)
		} else {
			parts = append(parts, e)
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return parts
}

// Conjunction is the text of a condition that is met where each of the texts is; empty ones ask nothing. Where there are
// several, each must be whole by itself: `a) or (b` is an error.
func Conjunction(texts []string) (string, error) {
	texts = slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "" })
	if len(texts) < 2 {
		return strings.Join(texts, ""), nil // what is wrong with it is said when it is read
	}
	for _, text := range texts {
		tokens, err := lex(text)
		if err != nil {
			return "", err
		}
		depth := 0
		for _, t := range tokens {
			switch {
			case t.is("("):
				depth++
			case t.is(")"):
				depth--
			}
			if depth < 0 {
				return "", &SyntaxError{text, t.pos, "`)` closes nothing"}
			}
		}
		if depth > 0 {
			return "", &SyntaxError{text, len(text), "something is missing: `)`"}
		}
	}
	return "(" + strings.Join(texts, ") and (") + ")", nil
}

// A Filter evaluates a condition on batches. It keeps memory for that, so it is for one goroutine.
type Filter interface {
	// Keep returns those of the rows for which the condition has the wanted value, in their order: rows for
	// which it is null are never among them. It reuses rows.
	Keep(rec arrow.Record, rows []int32, want bool) []int32
}

// Flatten appends the items, and those of files in their place, to out.
func Flatten(out, items []Item) []Item {
	for _, it := range items {
		if it.File != "" {
			out = Flatten(out, it.Items)
		} else {
			out = append(out, it)
		}
	}
	return out
}

// Column finds a column that the projection is known to have.
func Column(rec arrow.Record, name string) arrow.Array {
	return rec.Column(rec.Schema().FieldIndices(name)[0])
}
