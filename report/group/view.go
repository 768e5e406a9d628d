package group

import (
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

// A reportView is one report in one worker: what it shows of a grouping.
type reportView struct {
	report   *report.Report
	groups   *grouping
	measures []measured
	span     []int              // the accumulators of the time that the report covers; nil if no measure needs them
	covered  *[2]any            // their values for the whole report, once they are known
	seconds  float64            // that the whole report covers
	lasting  *lasting           // nil until it is needed
	medians  map[uint32]float64 // by group that is a spike
	met      *metRows           // of a report with a condition on rows, some of whose groups are not here
}

// metRows says which rows meet a report's condition, where some groups are not here: those are merged, the ones that meet it
// apart.
type metRows struct {
	here map[uint32]bool  // groups that are here and may be shown; nil if all may
	cut  []function.State // the totals of the others that meet it; nil if there are none
	n    int              // how many these are
}

// newView makes a view. covered is the time that the report covers, where it is known ahead.
func newView(r *report.Report, spec *viewSpec, g *grouping, covered *[2]any) *reportView {
	return &reportView{report: r, groups: g, measures: append([]measured(nil), spec.measures...), span: spec.span, covered: covered}
}

// value is a measure of a group.
func (v *reportView) value(m int, group uint32, stats schema.Stats) any {
	return v.measures[m].value(v.lasts(group), func(i int) any {
		return v.groups.accs[i].value(v.groups.stateOf(i), group, stats)
	})
}

// value computes a measure from the values of its accumulators.
func (m *measured) value(seconds float64, of func(acc int) any) any {
	if m.missing {
		return nil
	}
	if m.fn.Of == nil {
		v := of(m.accs[0])
		if m.Unit == report.Instant {
			v = report.TimeOf(v)
		}
		return v
	}
	var parts []any
	for _, b := range m.accs {
		v := of(b)
		if v == nil {
			return nil
		}
		parts = append(parts, v)
	}
	return m.fn.Of(parts, seconds)
}

// cover sets the seconds that the report covers, if a measure needs them: at least one.
func (v *reportView) cover(groups []bool) error {
	if v.span == nil {
		return nil
	}
	if v.covered == nil {
		all, err := v.groups.total(groups, v.groups.overflow, v.span...)
		if err != nil {
			return err
		}
		v.covered = v.spanOf(all)
	}
	first, last := v.covered[0], v.covered[1]
	v.seconds = 1
	if first != nil && last != nil {
		v.seconds = max(float64(last.(int64)-first.(int64)), 1)
	}
	return nil
}

// spanOf is the earliest start and the latest end; nil if there is none.
func (v *reportView) spanOf(all []function.State) *[2]any {
	return &[2]any{function.Boxed(all[v.span[0]].Value(0)), function.Boxed(all[v.span[1]].Value(0))}
}

// lasts is the seconds that a group covers: its bin of time, or without such a key all that the report does.
func (v *reportView) lasts(group uint32) float64 {
	key := v.report.TimeAt()
	if key < 0 {
		return v.seconds
	}
	if v.lasting == nil {
		v.lasting = &lasting{Bins: v.groups.keys[key].Bins(), key: key}
	}
	if !v.lasting.Varies() {
		return float64(v.lasting.Width)
	}
	return v.lasting.of(v.groups, group)
}

// perWidth is by how much a measure of a group is multiplied so that those of bins of several lengths can be compared: what
// adds up as if the bin were as long as its width. Shares, rates and extremes are what they are.
func (v *reportView) perWidth(m int, group uint32) float64 {
	if v.measures[m].fn.Adds != "sum" {
		return 1
	}
	return float64(v.groups.keys[v.report.TimeAt()].Bins().Width) / v.lasts(group)
}
