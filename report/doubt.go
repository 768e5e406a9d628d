package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// doubt is whether flows have the fields that a report needs. Of a report of all flows the rows tell. One with a condition
// has no rows if a field of it is not logged, and also if no flow meets it; one that counts other records too has nulls.
type doubt struct {
	report Report
	fields schema.Table
	query  func(what probed, names []string) (string, error) // see probe
	had    map[string]bool                                   // fields that some flow has
	gone   map[string]bool                                   // logged fields that none has
	asked  []string                                          // by the last query; none asks for any flow
	flows  bool                                              // there are some
	met    bool                                              // a record met the condition
	done   bool
}

// newDoubt is about a report, with its whole condition, on a table of an engine.
func newDoubt(r Report, d *Dialect, fields schema.Table, table string) *doubt {
	return &doubt{report: r, fields: fields, had: make(map[string]bool), gone: make(map[string]bool),
		query: func(what probed, names []string) (string, error) { return r.probe(d, fields, table, what, names) }}
}

// probed is what a probe looks for.
type probed int

const (
	someFields probed = iota
	anyFlow
	anyRecord // also one that is no flow
)

// probeRows is how many flows a probe looks at: each has one of the fields that are looked for.
const probeRows = 1000

// probe is a query that counts, in a few flows of the time that the report is of, the fields that are looked for. It finds
// one at least unless no flow has any. Or it counts flows, or records, up to one.
func (r *Report) probe(d *Dialect, fields schema.Table, table string, what probed, names []string) (string, error) {
	flows := Report{Name: r.Name, during: r.during}
	q := flows.query(d, fields, table)
	some, last := layer{name: "some", limit: probeRows}, layer{}
	var has []string
	for i, name := range names {
		x := q.field(q.known(name))
		has = append(has, x+" IS NOT NULL")
		some.columns = append(some.columns, x)
		last.columns = append(last.columns, fmt.Sprintf("count(%s) AS %s", x, q.name(seenName+strconv.Itoa(i))))
	}
	if what == anyRecord {
		q.records.where = ""
	}
	if what != someFields {
		some.columns, some.limit = []string{"1 AS one"}, 1
		last.columns = []string{"count(*) AS " + q.name(countName)}
	}
	var conditions []string
	if len(has) > 0 {
		conditions = append(conditions, "("+strings.Join(has, " OR ")+")")
	}
	if r.during != nil {
		conditions = append(conditions, r.during.sql(q))
	}
	some.where = strings.Join(conditions, " AND ")
	if err := q.refusal(); err != nil {
		return "", err
	}
	return q.checked(q.text(append(q.base(), some, last)))
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
			m.fields(need)
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
	case m.whole || d.done:
		return "", nil
	case m.flows > 0 && !m.mixed:
		d.flows = true
	}
	d.met = m.flows > 0 && !m.sifts
	if d.asked = d.suspects(); len(d.asked) > 0 {
		return d.query(someFields, d.asked)
	}
	if d.done = d.flows || len(d.gone) == 0; d.done {
		return "", nil
	}
	return d.query(anyFlow, nil)
}

// Found reports whether any record was added.
func (m *Remote) Found() bool { return m.flows > 0 }

// AnyRecord is a query for whether the table has a record of the time that the report is of: it comes to 0 or 1.
func (m *Remote) AnyRecord() (string, error) { return m.doubt.query(anyRecord, nil) }

// Settle takes the row that the query of Doubt has come to.
func (m *Remote) Settle(row []any) error {
	d := m.doubt
	if len(row) != max(len(d.asked), 1) {
		return errRow
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
func (d *doubt) lacks() *Lacking {
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
	return &Lacking{Report: d.report.Name, Fields: names, From: origins(d.fields, names)}
}
