package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

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

// missingMeasures reports which measures of a view are computed from missing fields, and says so in a note of the table.
func (j *job) missingMeasures(v *reportView, stats schema.Stats, t *Table) (missing []bool) {
	missing = make([]bool, len(v.measures))
	if stats.Flows == 0 {
		return missing
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
	if names != nil {
		advice := adviceFor(origins(j.enricher.fields, names), stats)
		t.Notes = append(t.Notes, fmt.Sprintf("these logs have no %s: %s", strings.Join(names, ", "), advice))
		t.Hints = append(t.Hints, advice)
	}
	return missing
}

// moot says why the conditions on rows cannot be met, whatever the flows are: what they ask for is not in the logs.
// It is "" if they can be.
func (j *job) moot(v *reportView, missing []bool, stats schema.Stats) string {
	if stats.Flows == 0 {
		return ""
	}
	var names []string
	missingOf := func(measures ...string) []string {
		var out []string
		for _, name := range measures {
			if i := v.report.measure(name); i >= 0 && missing[i] {
				out = append(out, name)
				v.measures[i].fields(func(field string) { names = append(names, j.missing(field)...) })
			}
		}
		return out
	}
	without := unmet(v.report.Having, missingOf)
	if v.report.Spike != nil {
		without = append(without, missingOf(v.report.Spike.Measure)...)
	}
	if without != nil {
		slices.Sort(names)
		return (&Lacking{Report: v.report.Name, Fields: slices.Compact(names), From: origins(j.enricher.fields, names), stats: stats}).Error()
	}
	if v.report.Spike == nil {
		return ""
	}
	k := v.groups.keys[v.report.timeAt()]
	if bins := j.began.bins(k); bins < leastBins {
		return fmt.Sprintf("%s compares %d bins of %s or more, and these logs have %d", v.report.Name, leastBins, width(k.Every), bins)
	}
	return ""
}

// width writes a length of time without the units that are 0: 5m, not 5m0s.
func width(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = strings.TrimSuffix(s, zero[1:])
		}
	}
	return s
}
