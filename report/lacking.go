package report

import (
	"maps"
	"slices"
	"strings"

	"flowlog/parse/schema"
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
