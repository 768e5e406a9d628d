package report

import (
	"slices"
	"time"

	"flowlog/parse/schema"
	"flowlog/report/expr"
	"flowlog/report/function"
)

// ReportText is a Report whose conditions are text.
type ReportText struct {
	Name, Doc, Next string
	Where, Having   string
	Keys            []keyText
	Measures        []measureText
	Order           string
	Reverse         bool
	Limit           int
}

type keyText struct {
	Field       string
	Bits, Bits6 int
	Every       time.Duration
	Hour        bool
	Zone        string
}

type measureText struct {
	Name, Func, Field, With, Where string
	All                            bool
	Unit                           Unit
}

type FieldText struct {
	Name    string
	Kind    schema.Kind
	Max     int64
	From    []string
	Names   string
	InPlace bool
}

func (r *Report) Text() ReportText {
	t := ReportText{Name: r.Name, Doc: r.Doc, Where: expr.Text(expr.Inlined(r.Where)), Having: expr.Text(expr.Inlined(r.Having)), Order: r.Order, Reverse: r.Reverse, Limit: r.Limit}
	for _, k := range r.Keys {
		zone := ""
		if k.Zone != nil {
			zone = k.Zone.String()
		}
		t.Keys = append(t.Keys, keyText{k.Field, k.Bits, k.Bits6, k.Every, k.Hour, zone})
	}
	for _, m := range r.Measures {
		t.Measures = append(t.Measures, measureText{m.Name, m.Func, m.Field, m.With, expr.Text(m.Where), m.All, m.Unit})
	}
	return t
}

func (t ReportText) Report(fields schema.Table) (Report, error) {
	r := Report{Name: t.Name, Doc: t.Doc, Order: t.Order, Reverse: t.Reverse, Limit: t.Limit}
	scope := expr.Scope{Fields: fields, Time: func(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) }}
	condition := func(s string, scope expr.Scope) (expr.Expr, error) {
		if s == "" {
			return nil, nil
		}
		return expr.Parse(s, scope)
	}
	var err error
	if r.Where, err = condition(t.Where, scope); err != nil {
		return r, err
	}
	for _, k := range t.Keys {
		key := Key{Field: k.Field, Bits: k.Bits, Bits6: k.Bits6, Every: k.Every, Hour: k.Hour}
		if k.Zone != "" {
			if key.Zone, err = time.LoadLocation(k.Zone); err != nil {
				return r, err
			}
		}
		r.Keys = append(r.Keys, key)
	}
	for _, m := range t.Measures {
		if !slices.ContainsFunc(function.All, func(f function.Func) bool { return f.Name == m.Func }) {
			return r, function.ErrPartial
		}
		measure := Measure{Name: m.Name, Func: m.Func, Field: m.Field, With: m.With, All: m.All, Unit: m.Unit}
		if measure.Where, err = condition(m.Where, scope); err != nil {
			return r, err
		}
		r.Measures = append(r.Measures, measure)
	}
	r.Having, err = condition(t.Having, r.rowScope(scope))
	return r, err
}
