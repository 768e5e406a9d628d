package report

import (
	"strings"

	"flowlog/parse/schema"
)

// Lacking is the error for a report whose keys or conditions are on fields that no record had.
type Lacking struct {
	Report string
	Fields []string
	From   []string // the logged fields that these are, or are computed from
	Index  int      // of the report

	stats schema.Stats // of the logs
}

func (e *Lacking) Error() string {
	return e.words().Error()
}

func (e *Lacking) words() *schema.Words {
	return schema.Wordsf("%s needs %s, which these logs do not have: %s", e.Report, strings.Join(e.Fields, " and "), adviceFor(e.From, e.stats))
}

// Unwrap returns the message as one that names options.
func (e *Lacking) Unwrap() error { return e.words() }

// Advice says how to get the fields.
func (e *Lacking) Advice() *schema.Words { return adviceFor(e.Fields, e.stats) }

// advice says how to get fields logged.
func advice(names []string) string {
	var logged []string
	for _, name := range names {
		if name == schema.DirectionField { // nothing else tells it for certain
			name = "flow_direction"
		}
		if f, ok := schema.Logged().Lookup(name); ok {
			logged = append(logged, "${"+f.LogName()+"}")
		}
	}
	if logged == nil {
		return "`flowlog fields` says what they come from"
	}
	return "add " + strings.Join(logged, " ") + " to the format of the flow log"
}
