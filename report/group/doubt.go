package group

import (
	"slices"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
	"flowlog/report/sql"
)

// doubt is whether flows have the fields that a report needs. Of a report of all flows the rows tell. One with a condition
// has no rows if a field of it is not logged, and also if no flow meets it; one that counts other records too has nulls.
type doubt struct {
	report report.Report
	fields schema.Table
	query  func(what sql.Probed, names []string) (string, error) // see Split.probe
	had    map[string]bool                                       // fields that some flow has
	gone   map[string]bool                                       // logged fields that none has
	asked  []string                                              // by the last query; none asks for any flow
	flows  bool                                                  // there are some
	met    bool                                                  // a record met the condition
	done   bool
}

// newDoubt is about a report, with its whole condition, on a table of an engine.
func newDoubt(s *sql.Split) *doubt {
	return &doubt{report: s.Report, fields: s.Source.Fields, had: make(map[string]bool), gone: make(map[string]bool), query: s.Probe}
}

// lacking lists the fields among names that no flow is known to have. A field that is computed is lacking if all are that it
// is computed from.
func (d *doubt) lacking(names ...string) []string {
	var out []string
	for _, name := range names {
		f, _ := d.fields.Lookup(name)
		if d.had[name] || len(f.From) > 0 && len(d.lacking(f.From...)) < len(f.From) {
			continue
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// suspects lists the logged fields that the report needs, and that no flow is known to have or to lack.
func (d *doubt) suspects() []string {
	var needed, out []string
	need := func(name string) { needed = append(needed, name) }
	for _, k := range d.report.Keys {
		need(k.Field)
	}
	if d.report.Where != nil && !d.met {
		d.report.Where.Fields(need)
	}
	for _, m := range d.report.Measures {
		if !m.All {
			m.Fields(need)
		}
	}
	var add func(names []string)
	add = func(names []string) {
		for _, name := range d.lacking(names...) {
			if f, _ := d.fields.Lookup(name); len(f.From) > 0 {
				add(f.From)
			}
			if _, ok := schema.Logged().Lookup(name); ok && !d.gone[name] && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	add(needed)
	return out
}

// Doubt is another query to run when all rows have been added, whose row Settle takes: whether flows have fields that no row
// had. It is "" if there is no doubt, or no more. It reads no more than it takes to find them.
func (m *Remote) Doubt() (string, error) {
	d := m.doubt
	switch {
	case m.Whole() || d.done:
		return "", nil
	case m.flows > 0 && !m.Report.Mixed():
		d.flows = true
	}
	d.met = m.flows > 0 && m.Sifted == nil
	if d.asked = d.suspects(); len(d.asked) > 0 {
		return d.query(sql.SomeFields, d.asked)
	}
	if d.done = d.flows || len(d.gone) == 0; d.done {
		return "", nil
	}
	return d.query(sql.AnyFlow, nil)
}

// Found reports whether any record was added.
func (m *Remote) Found() bool { return m.flows > 0 }

// AnyRecord is a query for whether the table has a record of the time that the report is of: it comes to 0 or 1.
func (m *Remote) AnyRecord() (string, error) { return m.doubt.query(sql.AnyRecord, nil) }

// Settle takes the row that the query of Doubt has come to.
func (m *Remote) Settle(row []any) error {
	d := m.doubt
	if len(row) != max(len(d.asked), 1) {
		return function.ErrRow
	}
	if len(d.asked) == 0 {
		d.flows, d.done = whole(row[0]) > 0, true
		return nil
	}
	found := false
	for i, name := range d.asked {
		if whole(row[i]) > 0 {
			m.present(name)
			found, d.flows = true, true
		}
	}
	if !found {
		for _, name := range d.asked {
			d.gone[name] = true
		}
	}
	return nil
}

// lacks is the error of a report whose keys or conditions are on fields that no flow has.
func (d *doubt) lacks() *report.Lacking {
	var needed []string
	for _, k := range d.report.Keys {
		needed = append(needed, k.Field)
	}
	if !d.met {
		needed = append(needed, unmet(d.report.Where, d.lacking)...)
	}
	names := d.lacking(needed...)
	if len(names) == 0 {
		return nil
	}
	return &report.Lacking{Report: d.report.Name, Fields: names, From: origins(d.fields, names)}
}
