package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
)

// rebinning returns Table.Rebin. keys is how many keys and labels stand before the measures.
func (u *run) rebinning(t Table, rows []ranked, keys int, stats schema.Stats) func(time.Duration) ([][]any, error) {
	addsUp := func(m measured) bool { return m.fn.share }
	known := u.worker.aggregator.remote && slices.ContainsFunc(u.bases, func(b base) bool { return !b.fn.mergeable() })
	if known || u.timeAt() < 0 || u.Spike != nil || !slices.ContainsFunc(u.measures, func(m measured) bool { return !addsUp(m) }) {
		return nil
	}
	return func(width time.Duration) ([][]any, error) {
		w := u.widened(t, rows, width)
		states, err := u.regrouped(w.ids, len(w.rows))
		if err != nil {
			return nil, err
		}
		for i, row := range w.rows {
			for m := range u.measures {
				row[keys+m] = u.measures[m].value(w.seconds[i], func(b int) any {
					return u.bases[b].value(states[b], uint32(i), stats)
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
func (u *run) widened(t Table, rows []ranked, width time.Duration) widened {
	key := u.timeAt()
	column := t.key(key)
	k := u.Keys[key]
	k.Every = width
	c := k.calendar()
	w := widened{ids: make([]uint32, u.rows.groups)}
	for i := range w.ids {
		w.ids[i] = skip
	}
	at := make(map[string]uint32)
	for i, r := range rows {
		keys, seconds := slices.Clone(r.keys), float64(c.width)
		if time, ok := keys[key].(time.Time); ok {
			begin := c.begin(time.Unix())
			keys[key], seconds = instant(begin), float64(c.length(begin))
		}
		var name strings.Builder
		for _, v := range keys {
			fmt.Fprintf(&name, "%T %q ", v, plain(v))
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

// regrouped is what the bases come to by other groups, of which each group is in one, or in none if its id is skip.
func (u *grouping) regrouped(ids []uint32, n int) ([]state, error) {
	all := make([]state, len(u.bases))
	var states []merging
	for i := range u.bases {
		if all[i] = u.bases[i].newState(shapeGroups); all[i] != nil {
			all[i].grow(n)
			states = append(states, merging{to: all[i], from: u.stateOf(i)})
		}
	}
	if err := mergeNumbers(states, ids, 0); err != nil {
		return nil, err
	}
	return all, mergeOthers(states, ids)
}
