package expr

import (
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// textItem reads a value of a text field: as one value, or as several that the records may have it in. What no record can
// have is an error, in quotes too: it would be met by none, and nobody would know why. A value in quotes that is
// like none known is taken for one that AWS has added.
func (p *parser) textItem(f schema.Field, t token) (Item, error) {
	v, known := spelled(f, t.text)
	if p.scope.Text != nil {
		if err := p.scope.Text(f.Name, v); err != nil {
			return Item{}, p.fail(t, "%v", err)
		}
	}
	switch {
	case !known && (t.kind == wordToken || !p.mayBeNew(f, t.text)):
		return Item{}, p.noValue(f, t)
	case t.kind == wordToken && strings.Contains(v, "*"):
		return Item{}, p.fail(t, "* has no meaning after =: write %s like %s, or quote it if it is part of the value", f.Name, Quote(strings.ReplaceAll(v, "*", "%")))
	}
	if slip := mistaken(f, v); slip != "" {
		return Item{}, p.fail(t, "%s", slip)
	}
	values := inCase(f, v)
	if len(values) == 1 {
		return Item{Value: values[0]}, nil
	}
	var it Item
	for _, v := range values {
		it.Items = append(it.Items, Item{Value: v})
	}
	return it, nil
}

// spelled is a text in the spelling of the field's values, from which it may differ in case. It is not known if the field
// has values, and this is none of them.
func spelled(f schema.Field, s string) (v string, known bool) {
	v = f.Spelled(s)
	if f.Name == serviceField {
		if _, err := strconv.ParseUint(s, 10, 16); err == nil {
			return s, true // a port that is known for nothing
		}
	}
	return v, f.Values == nil || slices.Contains(f.Values, v)
}

// inCase is what a text may be in the records, if all values of the field are in one case.
func inCase(f schema.Field, s string) []string {
	var values []string
	switch f.Case {
	case schema.Lower:
		values = []string{strings.ToLower(s), s}
	case schema.Upper:
		values = []string{strings.ToUpper(s), s}
	case schema.LowerOrUpper:
		values = []string{strings.ToLower(s), strings.ToUpper(s), s}
		slices.Sort(values)
	default:
		return []string{s}
	}
	return slices.Compact(values)
}

// listedValues is how many values of a field an error lists.
const listedValues = 20

// mayBeNew reports whether AWS may log such a value by now: it is like none that is known, and means none of them.
func (p *parser) mayBeNew(f schema.Field, s string) bool {
	lower := strings.ToLower(s)
	of := numberOf(f)
	return f.Since > 0 && nearValue(s, f.Values) == "" && synonym(f, lower) == "" && (of == "" || p.scope.Number == nil || p.scope.Number(of, lower) == nil)
}

// noValue is the error for a text that is none of the field's values.
func (p *parser) noValue(f schema.Field, t token) error {
	s := strings.ToLower(t.text)
	hint := nearValue(t.text, f.Values)
	if meant := synonym(f, s); meant != "" {
		hint = "did you mean " + quoted(meant) + "? "
	} else if of := numberOf(f); of != "" && p.scope.Number != nil && p.scope.Number(of, s) != nil {
		hint = "write " + of + " = " + quoted(t.text) + "; "
	}
	list := "`flowlog fields -o json` lists them"
	if len(f.Values) <= listedValues {
		list = "there are " + listOf(f.Values)
	}
	escape := ""
	if t.kind == wordToken && p.mayBeNew(f, t.text) {
		escape = "; " + f.Name + " = " + Quote(t.text) + ", in quotes, asks for one that is new"
	} else if f.Since > 0 {
		escape = "; " + f.Name + " like " + Quote(t.text) + " asks for one that is new"
	}
	return p.fail(t, "%q is not a value of %s: %s%s%s", t.text, f.Name, hint, list, escape)
}
