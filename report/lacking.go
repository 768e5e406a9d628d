package report

import (
	"maps"
	"slices"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// Lacking is the error for a report whose keys or conditions are on fields that no record had.
type Lacking struct {
	Report string
	Fields []string
	From   []string // the logged fields that these are, or are computed from
	Index  int      // of the report

	Input schema.Stats // of the logs
}

func (e *Lacking) Error() string {
	return e.words().Error()
}

func (e *Lacking) words() *schema.Words {
	return schema.Wordsf("%s needs %s, which these logs do not have: %s", e.Report, strings.Join(e.Fields, " and "), AdviceFor(e.From, e.Input))
}

// Unwrap returns the message as one that names options.
func (e *Lacking) Unwrap() error { return e.words() }

// Advice says how to get the fields.
func (e *Lacking) Advice() *schema.Words { return AdviceFor(e.Fields, e.Input) }

// advice says how to get fields logged, and exported where the records come from files that AWS does not write.
func advice(names []string, formats map[string]schema.Volume) string {
	var logged, columns []string
	for _, name := range names {
		if name == schema.DirectionField { // nothing else tells it for certain
			name = "flow_direction"
		}
		if f, ok := schema.Logged().Lookup(name); ok {
			logged, columns = append(logged, "${"+f.LogName()+"}"), append(columns, f.Name)
		}
	}
	if logged == nil {
		return "`flowlog fields` says what they come from"
	}
	if exported(formats) {
		return "export " + strings.Join(columns, ", ") + " too, or add " + strings.Join(logged, " ") + " to the format of the flow log"
	}
	return "add " + strings.Join(logged, " ") + " to the format of the flow log"
}

// exported reports whether all records come from CSV or Arrow, which other programs write and may leave columns out of.
func exported(formats map[string]schema.Volume) bool {
	return len(formats) > 0 && !slices.ContainsFunc(slices.Collect(maps.Keys(formats)), func(name string) bool { return name != "csv" && name != "arrow" })
}

// Unmet lists the missing fields without which a condition cannot be met. missing returns those of its arguments that are
// missing.
func Unmet(e expr.Expr, missing func(...string) []string) []string {
	switch e := e.(type) {
	case nil, expr.IsNull:
		return nil
	case expr.And:
		var names []string
		for _, x := range e {
			names = append(names, Unmet(x, missing)...)
		}
		return names
	case expr.Or:
		var names []string
		for _, x := range e {
			part := Unmet(x, missing)
			if part == nil {
				return nil
			}
			names = append(names, part...)
		}
		return names
	case expr.Not:
		switch e.X.(type) {
		case expr.And, expr.Or, expr.Not:
			return nil
		}
	case expr.In:
		if slices.ContainsFunc(expr.Flatten(nil, e.Items), func(it expr.Item) bool { return it.Port == 0 }) {
			return missing(e.Field.Name) // those do without the port
		}
	}
	var names []string
	e.Fields(func(name string) { names = append(names, name) })
	return missing(names...)
}

// Origins lists the logged fields that would do for the named ones: those that they are computed from, of which
// one is enough, or else they themselves.
func Origins(fields schema.Table, names []string) []string {
	var out []string
	has := func(name string) bool { return slices.Contains(out, name) }
	for _, name := range names {
		from := []string{name}
		if f, _ := fields.Lookup(name); len(f.From) > 0 {
			from = Origins(fields, f.From)
		}
		if !slices.ContainsFunc(from, has) {
			out = append(out, from...)
		}
	}
	return out
}
