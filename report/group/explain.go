package group

import (
	"fmt"
	"slices"
	"strings"

	"flowlog/report"
	"flowlog/report/expr"
)

// passed is how the flows of all workers came through conditions, by their ID. It is nil where not all that came is
// known.
func (a *Aggregator) passed() map[int]*conjunction {
	if a.remote || a.spilled != nil {
		return nil
	}
	all := make(map[int]*conjunction)
	for _, w := range a.workers {
		for _, s := range w.feeder.selections {
			sum := all[s.id]
			if sum == nil {
				sum = &conjunction{parts: s.parts, met: make([]int64, len(s.parts)), valued: make([]int64, len(s.parts))}
				all[s.id] = sum
			}
			sum.asked += s.asked
			for i := range sum.met {
				sum.met[i] += s.met[i]
				sum.valued[i] += s.valued[i]
			}
		}
	}
	return all
}

// reached reports whether any flow came to some report.
func (w *worker) reached() bool {
	return slices.ContainsFunc(slices.Concat(w.groupings, w.inner), func(g *grouping) bool {
		for group := range uint32(g.rows.Groups) {
			if *g.rows.Of(group) > 0 {
				return true
			}
		}
		return false
	})
}

// explain says which part of the conditions of a report no flow meets, if none is left of those that there were; "" if that
// is not known: of what is rolled up from other groups no flow was asked, though some came to them. reached says whether any
// came to some report.
func (a *Aggregator) explain(v *reportView, passed map[int]*conjunction, flows int64, reached bool) string {
	if passed[v.groups.where.id] == nil {
		return ""
	}
	s := *passed[v.groups.where.id]
	if field, _ := a.Only(); field != "" && (s.asked > 0 || !reached) {
		s.asked = max(s.asked, flows)
	}
	at := slices.Index(s.met, 0)
	if at < 0 || s.asked == 0 {
		return ""
	}
	what := "flow"
	if v.groups.all {
		what = "record"
	}
	return s.reason(v.report, at, what)
}

// reason says that no flow, or record, meets a part, and how many meet those before it.
func (s *conjunction) reason(r *report.Report, at int, what string) string {
	var parts []string
	for _, e := range s.parts[:at+1] {
		text := expr.Join([]expr.Expr{e}, "")
		if base, ok := report.Named(r.Name); ok && slices.ContainsFunc(expr.Conjuncts(base.Where), func(own expr.Expr) bool { return own.String() == e.String() }) {
			text += " (asked by " + r.Name + " itself)"
		}
		parts = append(parts, text)
	}
	if at == 0 {
		return fmt.Sprintf("none of %s meets %s%s", countOf(s.asked, what), parts[0], s.unvalued(at, s.asked))
	}
	return fmt.Sprintf("%s of %s meet %s, and none of them %s%s", grouped(s.met[at-1]), countOf(s.asked, what), strings.Join(parts[:at], " and "),
		parts[at], s.unvalued(at, s.met[at-1]))
}

// unvalued says how many flows have the field that a part asks, if not all do.
func (s *conjunction) unvalued(part int, of int64) string {
	field, ok := keyOf(s.parts[part])
	switch n := s.valued[part]; {
	case !ok || n >= of:
		return ""
	case n == 0:
		return fmt.Sprintf("; %s is in none of them", field.Field)
	default:
		return fmt.Sprintf("; %s is in %s of them", field.Field, grouped(n))
	}
}

// countOf says how many of a thing there are.
func countOf(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return grouped(n) + " " + what
}

// grouped writes a number with commas.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
