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
