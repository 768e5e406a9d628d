package report

import (
	"fmt"
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
		if name == directionField { // nothing else tells it for certain
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

// missing lists the fields among names that no flow had a value for. An enriched field is missing if all fields that it is
// computed from are.
func (j *job) missing(names ...string) []string {
	var out []string
	for _, name := range names {
		i := j.projection.Index(name)
		f := j.projection.Fields[i]
		if j.present[i].Load() || len(f.From) > 0 && len(j.missing(f.From...)) < len(f.From) {
			continue
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// origins lists the logged fields that would do for the named ones: those that they are computed from, of which
// one is enough, or else they themselves.
func origins(fields schema.Table, names []string) []string {
	var out []string
	has := func(name string) bool { return slices.Contains(out, name) }
	for _, name := range names {
		from := []string{name}
		if f, _ := fields.Lookup(name); len(f.From) > 0 {
			from = origins(fields, f.From)
		}
		if !slices.ContainsFunc(from, has) {
			out = append(out, from...)
		}
	}
	return out
}

// unmet lists the missing fields without which a condition cannot be met. missing returns those of its arguments that are
// missing.
func unmet(e Expr, missing func(...string) []string) []string {
	switch e := e.(type) {
	case nil, IsNull:
		return nil
	case And:
		var names []string
		for _, x := range e {
			names = append(names, unmet(x, missing)...)
		}
		return names
	case Or:
		var names []string
		for _, x := range e {
			part := unmet(x, missing)
			if part == nil {
				return nil
			}
			names = append(names, part...)
		}
		return names
	case Not:
		switch e.X.(type) {
		case And, Or, Not:
			return nil
		}
	}
	var names []string
	e.Fields(func(name string) { names = append(names, name) })
	return missing(names...)
}

// lacks is the error for a report whose keys or conditions are on missing fields; nil if there are none.
func (j *job) lacks(i int, stats schema.Stats) *Lacking {
	r := &j.reports[i]
	var needed []string
	for _, k := range r.Keys {
		needed = append(needed, k.Field)
	}
	needed = append(needed, unmet(r.Where, j.missing)...)
	names := j.missing(needed...)
	if len(names) == 0 {
		return nil
	}
	return &Lacking{Report: r.Name, Fields: names, From: origins(j.enricher.fields, names), Index: i, stats: stats}
}

// missingMeasures reports which measures of a view are computed from missing fields. If some are, it says so in a note, which
// ends in advice.
func (j *job) missingMeasures(v *reportView, stats schema.Stats) (missing []bool, note string, advice *schema.Words) {
	missing = make([]bool, len(v.measures))
	if stats.Flows == 0 {
		return missing, "", nil
	}
	var names []string
	for i, m := range v.measures {
		var needed []string
		if !m.All {
			m.fields(func(name string) { needed = append(needed, name) })
		}
		for _, name := range j.missing(needed...) {
			missing[i] = true
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		v.measures[i].missing = missing[i]
	}
	if names == nil {
		return missing, "", nil
	}
	advice = adviceFor(origins(j.enricher.fields, names), stats)
	return missing, fmt.Sprintf("these logs have no %s: %s", strings.Join(names, ", "), advice), advice
}
