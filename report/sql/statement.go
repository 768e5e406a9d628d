package sql

import (
	"fmt"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

// Statement is a report as a query of an engine that has the records in a table: a name, with a catalog and a schema
// or not, or in DuckDB a file. The table has the columns that AWS gives it; - and null are the same. The rows
// are those of flowlog, in its order. What cannot be computed so, and exactly so, is an error that names it. fields
// are all that reports may name.
func Statement(r *report.Report, d Dialect, fields schema.Table, table string) (string, error) {
	if r.Spike != nil {
		return "", fmt.Errorf("%s compares bins of time with their median, which is not written as SQL", r.Name)
	}
	if err := CheckTable(table); err != nil {
		return "", err
	}
	q := newQuery(r, &d, fields, table)
	keys := q.keys()
	timed := layer{name: "timed"}
	var measures []sqlNode
	for _, m := range r.Measures {
		if function.Named(m.Func).Also != "" {
			measures = append(measures, q.timed(&timed, m, keys))
			continue
		}
		measures = append(measures, q.measure(m))
	}
	var where, having sqlNode
	if e := r.Condition(); e != nil {
		where = q.condition(e)
	}
	if r.Having != nil {
		q.rows = true
		having = q.condition(r.Having)
	}
	if err := q.refusal(); err != nil {
		return "", err
	}

	layers := q.base()
	if len(timed.columns) > 0 {
		timed.where, where = where, nil
		layers = append(layers, timed.afterAll())
	}
	last := layer{where: where, group: len(keys)}
	shown := q.show(&last, keys, measures)
	if having != nil {
		last.columns = append(last.columns, q.grouped.columns...)
		last.name = q.grouped.name
		layers = append(layers, last)
		last = layer{columns: shown, where: having}
	}
	layers = append(layers, last)
	if len(keys) == 0 {
		return q.checked(layers, nil, 0)
	}
	return q.checked(layers, q.order(), r.Limit)
}

// timed is a measure that looks at the records of a group in the order of time: of a column of a layer of its own.
func (q *query) timed(l *layer, m report.Measure, keys []sqlNode) sqlNode {
	if why := Functions[m.Func].Unknown; why != "" {
		return q.refuse("%s: %s", m.Name, why)
	}
	name := m.Name + "_each"
	if gap := q.gap(m, keys); !l.has(name) {
		l.add(gap, name)
	}
	return sqlCall("max", identNode(name))
}

// show adds the keys and measures to the layer that groups: as they are shown, or if there is a condition on rows as they
// are compared. shown are the columns of the layer that tests that condition.
func (q *query) show(l *layer, keys, measures []sqlNode) (shown []sqlColumn) {
	r := q.report
	add := func(x sqlNode, display func(sqlNode) sqlNode, name string) {
		column := identNode(name)
		switch {
		case display == nil:
			l.add(x, name)
			shown = append(shown, sqlColumn{column, name})
		case r.Having != nil:
			l.add(x, name)
			shown = append(shown, sqlColumn{display(column), name})
		default:
			l.add(display(x), name)
		}
	}
	for i, k := range r.Keys {
		var display func(sqlNode) sqlNode
		switch f := q.known(k.Field); {
		case k.Every != 0:
			display = q.instant
		case f.Kind == schema.Addr && k.Bits == 0:
			display = q.text
		}
		add(keys[i], display, k.Name())
	}
	for i, m := range r.Measures {
		var display func(sqlNode) sqlNode
		if m.Unit == report.Instant {
			display = q.instant
		}
		add(measures[i], display, m.Name)
	}
	return shown
}
