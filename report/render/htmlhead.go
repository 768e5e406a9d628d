package render

import (
	"slices"
	"strings"
	"time"

	"flowlog/report"
)

// input writes what was read: the time covered, if a summary has it, the records, and the settings.
func (m *markup) input(doc Document, opt Options) {
	m.put(`<p class="input">`)
	if from, to := period(doc); !from.IsZero() {
		m.put(`<span>{} – {} {}</span>`, from.In(opt.zone()).Format(instant), to.In(opt.zone()).Format(instant), opt.zone().String())
	}
	if doc.Queries != nil {
		m.put(`<span>{}</span>`, doc.Queries[0].Engine)
	} else {
		m.counts(doc)
	}
	m.put(`</p>`)
	if settings := say(headSettings(doc), opt); settings != nil {
		m.put(`<p class="settings">`)
		for _, s := range settings {
			m.put(`<span>{}</span> `, s)
		}
		m.put(`</p>`)
	}
}

// filtered reports whether a condition or a vantage leaves flows out.
func filtered(doc Document) bool {
	return slices.ContainsFunc(headSettings(doc), func(s report.Setting) bool { return s.Name == "where" || s.Name == "vantage" })
}

// headSettings returns the settings that all reports on the page share.
func headSettings(doc Document) []report.Setting {
	if len(doc.Tables) == 1 {
		return settingsOf(doc.Tables[0])
	}
	return doc.Settings
}

// counts writes the numbers of records. If a condition or a vantage leaves records out, they are those of the reports:
// flows as a part of all, and others only if a report counts them.
func (m *markup) counts(doc Document) {
	put := func(n int64, name string) {
		if n == 1 {
			name = strings.TrimSuffix(name, "s")
		}
		m.put(`<span><b>{}</b> {}</span>`, grouped(n), name)
	}
	put(doc.Input.Objects, "objects")
	whole := !filtered(doc)
	switch flows, known := counted(doc, "flows"); {
	case known && flows != doc.Input.Flows:
		m.put(`<span><b>{}</b> of {} flows read</span>`, grouped(flows), grouped(doc.Input.Flows))
	case known || whole:
		put(doc.Input.Flows, "flows")
	default:
		put(doc.Input.Flows, "flows read")
	}
	for _, of := range []struct {
		all           int64
		measure, name string
	}{{doc.Input.NoData, "nodata", "NODATA"}, {doc.Input.SkipData, "skipdata", "SKIPDATA"}} {
		n, known := counted(doc, of.measure)
		if !known && whole {
			n = of.all
		}
		if n > 0 {
			put(n, of.name)
		}
	}
	if doc.Input.Malformed > 0 {
		put(doc.Input.Malformed, "malformed")
	}
	if doc.Input.MalformedValues > 0 {
		put(doc.Input.MalformedValues, "malformed values")
	}
}

// counted returns a measure over all flows of the reports, if a report without keys, or the only report, has it.
func counted(doc Document, measure string) (int64, bool) {
	for _, t := range doc.Tables {
		row := t.Totals
		if upright(t) {
			row = t.Rows[0]
		} else if len(doc.Tables) > 1 {
			continue
		}
		for i, c := range t.Columns {
			if c.Name == measure && c.Role == report.MeasureRole && i < len(row) {
				n, ok := row[i].(int64)
				return n, ok
			}
		}
	}
	return 0, false
}

// period returns first and last of a report without keys, or else the time that the records cover.
func period(doc Document) (from, to time.Time) {
	for _, t := range doc.Tables {
		if !upright(t) {
			continue
		}
		for i, c := range t.Columns {
			at, ok := t.Rows[0][i].(time.Time)
			switch {
			case ok && c.Name == "first":
				from = at
			case ok && c.Name == "last":
				to = at
			}
		}
		return from, to
	}
	return doc.Covered[0], doc.Covered[1]
}
