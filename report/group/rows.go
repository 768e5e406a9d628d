package group

import (
	"fmt"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

// table finishes a view.
func (j *job) table(v *reportView, labels enricher, stats schema.Stats) (report.Table, error) {
	r, g := v.report, v.groups
	t := report.Table{Name: r.Name, Doc: r.Doc, Settings: r.Settings}
	if stats.SkipData > 0 && r == &j.reports[0] {
		say := "records say"
		if stats.SkipData == 1 {
			say = "record says"
		}
		t.Notes = append(t.Notes, fmt.Sprintf("totals are a lower bound: %d SKIPDATA %s that flows were lost", stats.SkipData, say))
	}
	missing := j.missingMeasures(v, stats, &t)
	t.Moot = j.moot(v, missing, stats)
	by := v.ranking(missing)
	t.Desc = by.desc
	exist, ids := g.existing()
	if len(g.keys) == 0 && len(ids) == 0 {
		ids, exist = []uint32{0}, []bool{true}
	}
	if err := v.cover(exist); err != nil {
		return t, err
	}
	rows, met := v.rank(v.candidates(ids), by, &j.began, stats)
	measuresAt, err := v.fill(&t, rows, j.projection, labels, stats)
	if err != nil {
		return t, err
	}
	t.Order = measuresAt + by.index
	if by.byKey {
		t.Order = t.Key(by.index)
	}
	if len(g.keys) == 0 {
		return t, nil
	}
	if err := v.sums(&t, exist, rows, met, measuresAt, stats); err != nil {
		return t, err
	}
	if !j.unmergeable(g) {
		t.Rebin = v.rebinning(t, rows, measuresAt, stats)
	}
	for i, b := range g.accs {
		if s := g.stateOf(i); s != nil && s.Inexact() != "" {
			t.Notes = append(t.Notes, fmt.Sprintf("%s of %s: %s", b.Func, b.Field, s.Inexact()))
		}
	}
	return t, nil
}

// candidates are the groups that may be shown, of all that are here.
func (v *reportView) candidates(ids []uint32) []uint32 {
	if v.met == nil || v.met.here == nil {
		return ids
	}
	var may []uint32
	for _, id := range ids {
		if v.met.here[id] {
			may = append(may, id)
		}
	}
	return may
}

// fill makes the columns of a table, each key with its labels behind it, then the measures, and its rows. It returns how
// many columns stand before the measures.
func (v *reportView) fill(t *report.Table, rows []ranked, p *schema.Projection, labels enricher, stats schema.Stats) (int, error) {
	var keyRows [][]any
	for _, r := range rows {
		keyRows = append(keyRows, r.keys)
	}
	keys := v.keyFields(p)
	names, labelRows, err := labels.labels(keys, keyRows)
	if err != nil {
		return 0, err
	}
	var place, labelled []int // of each key, and which label is next, by column
	for i, f := range keys {
		c := report.Column{Name: f.Name, Role: report.KeyRole, Kind: f.Kind}
		if k := v.groups.keys[i]; k.Every != 0 {
			c.Unit, c.Every, c.Zone = report.Instant, k.Every, k.Zone
		}
		t.Columns = append(t.Columns, c)
		place = append(place, len(t.Columns)-1)
		for j, l := range names {
			if l.Names == f.Name {
				t.Columns = append(t.Columns, report.Column{Name: l.Name, Role: report.LabelRole, Kind: l.Kind, Of: place[i], InPlace: l.InPlace})
				labelled = append(labelled, j)
			}
		}
	}
	measuresAt := len(t.Columns)
	v.addMeasures(t)
	for i, r := range rows {
		row := make([]any, len(t.Columns))
		label := 0
		for c := range measuresAt {
			if t.Columns[c].Role == report.LabelRole {
				row[c] = labelRows[i][labelled[label]]
				label++
			}
		}
		for k, value := range r.keys {
			row[place[k]] = value
		}
		for m := range v.measures {
			row[measuresAt+m] = v.value(m, r.id, stats)
		}
		if v.report.Spike != nil {
			row[measuresAt+len(v.measures)] = v.medians[r.id]
		}
		t.Rows = append(t.Rows, row)
	}
	return measuresAt, nil
}

// keyFields are the keys as fields: those of the projection, if the keys are values of fields.
func (v *reportView) keyFields(p *schema.Projection) []schema.Field {
	var keys []schema.Field
	for i, k := range v.groups.keys {
		f := p.Fields[v.groups.encoders[i].field]
		if k != (report.Key{Field: f.Name}) {
			f = v.groups.keyField(i)
		}
		keys = append(keys, f)
	}
	return keys
}

func (v *reportView) addMeasures(t *report.Table) {
	for _, m := range v.measures {
		t.Columns = append(t.Columns, report.Column{Name: m.Name, Role: report.MeasureRole, Kind: m.Kind(), Unit: m.Unit, Share: m.fn.Share})
	}
	if s := v.report.Spike; s != nil {
		usual := report.Column{Name: report.MedianColumn, Role: report.MeasureRole, Kind: schema.Float, Unit: v.measures[v.report.Measure(s.Measure)].Unit}
		t.Columns = append(t.Columns, usual)
	}
}

// sums adds up the rows that were cut, of those that met the report's conditions, and all that exist.
func (v *reportView) sums(t *report.Table, exist []bool, rows []ranked, met []uint32, measuresAt int, stats schema.Stats) error {
	cut, shown := make([]bool, len(exist)), make([]bool, len(exist))
	for _, id := range met {
		cut[id] = true
	}
	for _, r := range rows {
		cut[r.id], shown[r.id] = false, true
	}
	existing := v.groups.absent
	for id, yes := range exist {
		if yes {
			existing++
		}
		shown[id] = yes && !cut[id] // or excluded
	}
	overflow, n := v.groups.overflow, v.groups.absent
	if v.met != nil {
		overflow, n = v.met.cut, v.met.n
	}
	all, err := v.groups.total(cut, overflow)
	if err != nil {
		return err
	}
	t.Cut = len(met) - len(rows) + n
	t.Excluded = existing - len(rows) - t.Cut
	if t.Cut > 0 {
		t.Others = v.totalsRow(all, measuresAt, stats)
	}
	if v.met != nil {
		all, err = v.groups.total(exist, v.groups.overflow)
	} else {
		err = v.groups.addTo(all, shown)
	}
	if err == nil {
		t.Totals = v.totalsRow(all, measuresAt, stats)
	}
	return err
}

// totalsRow is the row of several groups that were merged. The columns before the measures are null.
func (v *reportView) totalsRow(all []function.State, measuresAt int, stats schema.Stats) []any {
	width := measuresAt + len(v.measures)
	if v.report.Spike != nil {
		width++ // a median does not add up
	}
	row := make([]any, width)
	for m := range v.measures {
		row[measuresAt+m] = v.measures[m].value(v.seconds, func(b int) any {
			return v.groups.accs[b].value(all[b], 0, stats)
		})
	}
	return row
}
