package group

import (
	"slices"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/parallel"
)

// Tables finishes the reports, in their order. The error of a report whose fields the input lacks is in
// its place in the second result; it has no table. wrap computes the labels of keys; nil leaves them out.
// The Aggregator cannot be used afterwards.
func (a *Aggregator) Tables(stats schema.Stats, wrap Wrap) ([]report.Table, []*report.Lacking, error) {
	passed := a.passed()
	w, err := a.merged(stats)
	if err != nil {
		return nil, nil, err
	}
	a.noticeSkimmed(stats)
	var lacks []*report.Lacking
	computed := make([]bool, len(w.views))
	for i, v := range w.views {
		v.groups.grow(max(v.groups.rows.Groups, 1))
		if stats.Flows > 0 {
			if e := a.lacks(i, stats); e != nil {
				lacks = append(lacks, e)
				continue
			}
		}
		computed[i] = true
	}
	labels := enricher{a.enricher.fields, wrap}
	units := w.units(computed)
	all, reached := make([]report.Table, len(w.views)), w.reached()
	err = parallel.Each(len(units), func(unit int) error {
		for _, i := range units[unit] {
			var err error
			if all[i], err = a.table(w.views[i], labels, stats); err != nil {
				return err
			}
			all[i].Why = a.explain(w.views[i], passed, stats.Flows, reached)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var tables []report.Table
	for i, t := range all {
		if computed[i] {
			tables = append(tables, t)
		}
	}
	return tables, lacks, nil
}

// units are the views that are computed, those with the most groups first. The views of one unit are for one goroutine:
// states other than numbers change when they are read.
func (w *worker) units(computed []bool) [][]int {
	var units [][]int
	for i, v := range w.views {
		if !computed[i] {
			continue
		}
		at := slices.IndexFunc(units, func(unit []int) bool {
			return w.views[unit[0]].groups == v.groups && !v.groups.onlyNumbers()
		})
		if at < 0 {
			at, units = len(units), append(units, nil)
		}
		units[at] = append(units[at], i)
	}
	slices.SortStableFunc(units, func(a, b []int) int {
		return w.views[b[0]].groups.rows.Groups - w.views[a[0]].groups.rows.Groups
	})
	return units
}

// merged is one worker with the groups of all. Bins of time whose width was left open have one then.
func (a *Aggregator) merged(stats schema.Stats) (*worker, error) {
	if a.spilled != nil {
		return a.finishSpilled(stats)
	}
	return a.gather(true)
}
