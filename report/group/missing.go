package group

import (
	"fmt"
	"slices"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/calendar"
)

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
func (j *job) lacks(i int, stats schema.Stats) *report.Lacking {
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
	return &report.Lacking{Report: r.Name, Fields: names, From: origins(j.enricher.fields, names), Index: i, Input: stats}
}

// missingMeasures reports which measures of a view are computed from missing fields, and says so in a note of the table.
func (j *job) missingMeasures(v *reportView, stats schema.Stats, t *report.Table) (missing []bool) {
	missing = make([]bool, len(v.measures))
	if stats.Flows == 0 {
		return missing
	}
	var names []string
	for i, m := range v.measures {
		var needed []string
		if !m.All {
			m.Fields(func(name string) { needed = append(needed, name) })
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
		advice := report.AdviceFor(origins(j.enricher.fields, names), stats)
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
			if i := v.report.Measure(name); i >= 0 && missing[i] {
				out = append(out, name)
				v.measures[i].Fields(func(field string) { names = append(names, j.missing(field)...) })
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
		return (&report.Lacking{Report: v.report.Name, Fields: slices.Compact(names), From: origins(j.enricher.fields, names), Input: stats}).Error()
	}
	if v.report.Spike == nil {
		return ""
	}
	k := v.groups.keys[v.report.TimeAt()]
	if bins := j.began.bins(k); bins < leastBins {
		return fmt.Sprintf("%s compares %d bins of %s or more, and these logs have %d", v.report.Name, leastBins, calendar.FormatWidth(k.Every), bins)
	}
	return ""
}
