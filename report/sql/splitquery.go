package sql

import (
	"cmp"
	"slices"
	"strconv"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

// Names of columns that no field and no measure has.
const (
	placeName  = "_place"
	groupsName = "_groups"
	meetsName  = "_meets"
	countName  = "_records"
	stateName  = "_state"
	seenName   = "_seen"
)

// numbered is the name of one of several columns.
func numbered(name string, i int) string { return name + strconv.Itoa(i) }

// query is the engine's half of the report.
func (s *Split) query(r *report.Report) (string, error) {
	q := s.Source.query(r)
	for _, f := range s.Fed {
		if r.Mixed() && f.Kind <= schema.Int64 && !slices.Contains(q.zeros, f.Name) {
			q.zeros = append(q.zeros, f.Name)
		}
	}
	var keys []sqlNode
	for _, f := range s.Fed {
		keys = append(keys, q.key(f.Key))
	}
	timed, last := layer{name: "timed"}, layer{group: len(keys)}
	for i, k := range keys {
		if s.Fed[i].isAddr() && !s.Cut {
			k = q.text(k)
		}
		last.add(k, s.Fed[i].Key.Name())
	}
	last.add(sqlCall("count", sqlStar), countName)
	for i, m := range s.Asked {
		last.add(q.state(&timed, m, keys), numbered(stateName, i))
	}
	for i, name := range s.Seen {
		last.add(sqlCall("count", q.field(q.known(name))), numbered(seenName, i))
	}
	var ranking []string
	if s.Cut {
		for _, m := range r.Measures {
			if chooses(r, m.Name) {
				last.add(q.state(&timed, m, keys), m.Name)
				ranking = append(ranking, m.Name)
			}
		}
	}
	if where := r.Condition(); where != nil {
		last.where = q.condition(where)
	}
	var having sqlNode = sqlTrue
	if s.Cut && r.Having != nil {
		q.rows = true
		having = sqlCall("coalesce", q.condition(r.Having), wordNode("false"))
	}
	if err := q.refusal(); err != nil {
		return "", err
	}
	layers := q.base()
	if len(timed.columns) > 0 {
		timed.where, last.where = last.where, nil
		layers = append(layers, timed.afterAll())
	}
	if s.Cut {
		last.name = q.grouped.name
		last.columns = append(last.columns, q.grouped.columns...)
	}
	layers = append(layers, last)
	if s.Cut {
		layers = append(layers, s.places(q, ranking, having)...)
	}
	return q.checked(layers, nil, 0)
}

// isAddr reports whether the values are addresses, and not their networks.
func (f Fed) isAddr() bool { return f.Kind == schema.Addr && f.Key.Bits == 0 }

// state is what a state can be loaded from, for each group.
func (q *query) state(timed *layer, m report.Measure, keys []sqlNode) sqlNode {
	switch {
	case function.Named(m.Func).Also != "":
		return q.timed(timed, m, keys)
	case function.Named(m.Func).Buckets:
		bucket := q.bucket(q.field(q.known(m.Field)))
		return q.Histogram(q.filtered(sqlCall("histogram", bucket), m))
	}
	return q.measure(m)
}

// The places of rows that are added up: those that were cut, and those that do not meet the condition on rows.
const (
	CutPlace      = 0
	excludedPlace = -1
)

// places are the layers that choose the rows that are shown, and add up the others: one row for each place, and one or two more.
func (s *Split) places(q *query, ranking []string, having sqlNode) []layer {
	shown, placed, last := layer{name: "shown"}, layer{name: "placed"}, layer{group: 1}
	meets, place := identNode(meetsName), identNode(placeName)
	last.add(s.place(meets, place), placeName)
	last.add(sqlCall("count", sqlStar), groupsName)
	sum := func(name, with string) {
		shown.add(identNode(name), name)
		last.add(sqlCall(with, identNode(name)), name)
	}
	for _, f := range s.Fed {
		name := f.Key.Name()
		var x sqlNode = identNode(name)
		if f.isAddr() {
			x = q.text(x)
		}
		shown.add(x, name)
		last.add(sqlCall(q.Any, identNode(name)), name)
	}
	sum(countName, "sum")
	for i, m := range s.Asked {
		sum(numbered(stateName, i), cmp.Or(function.Named(m.Func).Adds, "max")) // of what cannot be merged, a place that is shown has one
	}
	for i := range s.Seen {
		sum(numbered(seenName, i), "sum")
	}
	for _, name := range ranking {
		if !shown.has(name) {
			shown.add(identNode(name), name)
		}
	}
	shown.add(having, meetsName)
	order := append([]sqlOrder{{x: meets, desc: true}}, q.order()...)
	placed.add(windowNode{function: sqlCall("row_number"), order: order}, placeName)
	return []layer{shown, placed.afterAll(), last}
}

// place is the place of a row in the answer: its own if it is shown, or that of the rows that are added up.
func (s *Split) place(meets, place sqlNode) sqlNode {
	test := meets
	if s.Report.Limit > 0 {
		test = sqlAnd(meets, sqlInfix(place, "<=", intNode(s.Report.Limit)))
	}
	whens := []sqlWhen{{test, place}}
	if s.Report.Having != nil {
		whens = append(whens, sqlWhen{notNode{meets}, intNode(excludedPlace)})
	}
	return caseNode{whens, intNode(CutPlace)}
}

// chooses reports whether the rows are chosen by a measure.
func chooses(r *report.Report, name string) bool {
	by := r.Key(r.Order) < 0 || r.Measure(r.Order) >= 0
	used := by && r.Measures[max(r.Measure(r.Order), 0)].Name == name
	if r.Having != nil {
		r.Having.Fields(func(n string) { used = used || n == name })
	}
	return used
}

// mentioned lists the fields of conditions of measures on flows: whether these are logged no state tells.
func mentioned(r *report.Report) []string {
	var names []string
	look := func(x report.Measure) {
		if x.Where != nil && !x.All {
			x.Where.Fields(func(name string) {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			})
		}
	}
	for _, x := range r.Measures {
		look(x)
		for _, part := range x.Parts() {
			look(part)
		}
	}
	return names
}
