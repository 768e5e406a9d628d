package cmd

import (
	"slices"
	"time"

	"flowlog/report"
	"flowlog/report/render"
)

// page is the content of a page beside its reports.
type page struct {
	wanted  bool         // the time that the records cover
	covered [2]time.Time // zero if it is not wanted, or unknown
}

// wantsCoverage reports whether a page of reports needs to know what time the records cover: some bin of time may be cut,
// and no report says it. Reports with conditions of their own may skip most records, which is not given up for it.
func wantsCoverage(f render.Format, reports []report.Report) bool {
	timed := func(r report.Report) bool {
		return slices.ContainsFunc(r.Keys, func(k report.Key) bool { return k.Every != 0 })
	}
	says := func(r report.Report) bool { return len(r.Keys) == 0 }
	whole := func(r report.Report) bool { return r.Where == nil }
	return f.Charts == render.Always && slices.ContainsFunc(reports, timed) && !slices.ContainsFunc(reports, says) && slices.ContainsFunc(reports, whole)
}

// with are the reports that are computed for some.
func (p *page) with(reports []report.Report) []report.Report {
	if !p.wanted {
		return reports
	}
	return append(slices.Clip(reports), report.Coverage())
}

// take removes the tables of the page itself from the tables of the reports.
func (p *page) take(tables []report.Table) []report.Table {
	if !p.wanted || len(tables) == 0 {
		return tables
	}
	last := len(tables) - 1
	row := tables[last].Rows[0]
	for i := range p.covered {
		if at, ok := row[i].(time.Time); ok {
			p.covered[i] = at
		}
	}
	if slices.ContainsFunc(p.covered[:], time.Time.IsZero) {
		p.covered = [2]time.Time{}
	}
	return tables[:last]
}
