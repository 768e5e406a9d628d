package group

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

// rebinning returns Table.Rebin. keys is how many columns stand before the measures.
func (v *reportView) rebinning(t report.Table, rows []ranked, keys int, stats schema.Stats) func(time.Duration) ([][]any, error) {
	additive := !slices.ContainsFunc(v.measures, func(m measured) bool { return !m.fn.Share })
	if v.report.TimeAt() < 0 || v.report.Spike != nil || additive {
		return nil
	}
	return func(width time.Duration) ([][]any, error) {
		w := v.widened(t, rows, width)
		states, err := v.groups.regrouped(w.ids, len(w.rows))
		if err != nil {
			return nil, err
		}
		for i, row := range w.rows {
			for m := range v.measures {
				row[keys+m] = v.measures[m].value(w.seconds[i], func(b int) any {
					return v.groups.accs[b].value(states[b], uint32(i), stats)
				})
			}
		}
		return w.rows, nil
	}
}

// widened is rows by wider bins of time, whose measures are not computed yet.
type widened struct {
	rows    [][]any
	seconds []float64 // that each covers
	ids     []uint32  // which one each group is in; skip for those that are not shown
}

// widened puts the rows of a table into wider bins.
func (v *reportView) widened(t report.Table, rows []ranked, width time.Duration) widened {
	key := v.report.TimeAt()
	column := t.Key(key)
	k := v.groups.keys[key]
	k.Every = width
	c := k.Bins()
	w := widened{ids: make([]uint32, v.groups.rows.Groups)}
	for i := range w.ids {
		w.ids[i] = function.Skip
	}
	at := make(map[string]uint32)
	for i, r := range rows {
		keys, seconds := slices.Clone(r.keys), float64(c.Width)
		if time, ok := keys[key].(time.Time); ok {
			begin := c.Begin(time.Unix())
			keys[key], seconds = report.TimeOf(begin), float64(c.Length(begin))
		}
		var name strings.Builder
		for _, k := range keys {
			fmt.Fprintf(&name, "%T %q ", k, report.PlainText(k))
		}
		n, ok := at[name.String()]
		if !ok {
			n = uint32(len(w.rows))
			at[name.String()] = n
			row := slices.Clone(t.Rows[i])
			row[column] = keys[key]
			w.rows, w.seconds = append(w.rows, row), append(w.seconds, seconds)
		}
		w.ids[r.id] = n
	}
	return w
}
