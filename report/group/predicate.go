package group

import (
	"slices"
	"sync"

	"flowlog/report"
	"flowlog/report/expr"
)

// A predicate is an Expr with an identity, and what the plan asks of it.
type predicate struct {
	expr     expr.Expr   // nil if there is none
	id       int         // equal for conditions of one set that have the same text; 0 if there is none
	key      report.Key  // the field that says whether the predicate is met
	oneField bool        // one field does
	parts    []predicate // that must all be met; nil if the predicate has no parts
}

// conjuncts are the conditions that must all be met.
func (c predicate) conjuncts() []predicate {
	if c.expr == nil || c.parts != nil {
		return c.parts
	}
	return []predicate{c}
}

// A predicateSet gives predicates their identity. It may be used from several goroutines.
type predicateSet struct {
	mu   sync.Mutex
	list map[string]predicate // by text
}

func newPredicateSet() *predicateSet { return &predicateSet{list: make(map[string]predicate)} }

func (s *predicateSet) of(e expr.Expr) predicate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.intern(e)
}

func (s *predicateSet) intern(e expr.Expr) predicate {
	if e == nil {
		return predicate{}
	}
	text := e.String()
	if c, ok := s.list[text]; ok {
		return c
	}
	c := predicate{expr: e}
	c.key, c.oneField = keyOf(e)
	if parts, ok := e.(expr.And); ok {
		for _, part := range parts {
			c.parts = append(c.parts, s.intern(part))
		}
	}
	c.id = len(s.list) + 1
	s.list[text] = c
	return c
}

// keyOf is the key that says whether a condition is met, if one field does.
func keyOf(condition expr.Expr) (report.Key, bool) {
	var names []string
	condition.Fields(func(name string) { names = append(names, name) })
	slices.Sort(names)
	if names = slices.Compact(names); len(names) != 1 {
		return report.Key{}, false
	}
	return report.Key{Field: names[0]}, true
}

// unmet lists the missing fields without which a condition cannot be met. missing returns those of its arguments that are
// missing.
func unmet(e expr.Expr, missing func(...string) []string) []string {
	switch e := e.(type) {
	case nil, expr.IsNull:
		return nil
	case expr.And:
		var names []string
		for _, x := range e {
			names = append(names, unmet(x, missing)...)
		}
		return names
	case expr.Or:
		var names []string
		for _, x := range e {
			part := unmet(x, missing)
			if part == nil {
				return nil
			}
			names = append(names, part...)
		}
		return names
	case expr.Not:
		switch e.X.(type) {
		case expr.And, expr.Or, expr.Not:
			return nil
		}
	case expr.In:
		if slices.ContainsFunc(expr.Flatten(nil, e.Items), func(it expr.Item) bool { return it.Port == 0 }) {
			return missing(e.Field.Name) // those do without the port
		}
	}
	var names []string
	e.Fields(func(name string) { names = append(names, name) })
	return missing(names...)
}
