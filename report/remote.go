package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// A Remote is a report in two halves. An engine filters and groups the records: by the keys, or where it does not know
// these by the fields that they are computed from. What each group has come to is brought back as the states of an
// Aggregator, which looks up the rest, groups again, ranks and adds up. Where the groups are those of the report
// the engine ranks them too, and sends those that are shown, and one row for all others together.
//
//	report → SQL → engine → rows → Add → Table
type Remote struct {
	SQL string

	name  string
	agg   *Aggregator
	fed   []fed
	cut   bool          // rows begin with a place, which is 0 for what the others come to, and the number of groups
	asked []accumulator // the bases that rows have states of
	seen  []string      // fields of which rows say in how many flows they are
	local schema.Table  // fields that are looked up here
	whole bool          // all flows are in the rows, so that what is null in all of them is not logged
	mixed bool          // rows are of other records too
	sifts bool          // of the rows some are left out here
	doubt *doubt        // where they do not tell what is logged
	flows int64
	skips int64 // SKIPDATA records, if the report counts them
	batch *remoteBatch
	own   map[string]arrow.Array // the columns of the batch that is being taken in
	emit  schema.Emit            // looks up what is local
}

// fed is a field whose values come from the engine: as they are logged, or, for a key that the engine computes, one for
// each value of the key, of which the same value is computed again here.
type fed struct {
	schema.Field
	key Key
}

// Remote splits the report for an engine that has the records in a table: see SQL. What cannot be split so that the
// result is exact is an error that names it.
func (r Report) Remote(d Dialect, fields schema.Table, table string) (*Remote, error) {
	if r.Spike != nil {
		return nil, fmt.Errorf("%s compares bins of time with their median, which is computed of records here alone", r.Name)
	}
	if err := CheckTable(table); err != nil {
		return nil, err
	}
	m := &Remote{name: r.Name, mixed: r.mixed(), doubt: newDoubt(r, &d, fields, table)}
	m.whole = r.Where == nil && !m.mixed
	pushed, own := r.split(&d, fields)
	m.sifts = own != nil
	if err := m.plan(&r, fields, own); err != nil {
		return nil, err
	}
	here, there := r, r
	here.Where, there.Where = own, pushed
	exact := own == nil && len(m.fed) == len(r.Keys) && !slices.ContainsFunc(r.Keys, func(k Key) bool { return !m.feeds(k) })
	var err error
	if m.agg, err = newAggregator(fields, []Report{here}, 1, true); err != nil {
		return nil, err
	}
	for _, b := range m.agg.workers[0].groupings[0].accs {
		if b.rows || b.fn.input != nil {
			continue
		}
		if !exact && !functionNamed(b.Func).mergeable() {
			return nil, m.coarse(&r, b.Measure, fields, own)
		}
		m.asked = append(m.asked, b)
	}
	m.cut = exact && len(r.Keys) > 0 && (r.Limit > 0 || r.Having != nil)
	for _, b := range m.asked {
		m.cut = m.cut && !b.fn.buckets // an engine can neither rank by buckets nor add them up
	}
	if m.SQL, err = m.query(&d, &there, fields, table); err != nil {
		return nil, err
	}
	m.batch = m.newBatch()
	return m, nil
}

// During is the report on the records that end at a time or later, and before another; zero is no bound. It is for engines:
// those that read logs bound what they read.
func (r Report) During(since, until time.Time) Report {
	end, _ := schema.Logged().Lookup("end")
	if !since.IsZero() {
		r.during = all(r.during, Compare{end, GreaterEqual, since.Unix()})
	}
	if !until.IsZero() {
		r.during = all(r.during, Compare{end, Less, until.Unix()})
	}
	return r
}

// condition is what records meet that an engine counts.
func (r *Report) condition() Expr { return all(r.Where, r.during) }

// split parts the report's condition into what the engine tests and what is tested here.
func (r *Report) split(d *Dialect, fields schema.Table) (pushed, own Expr) {
	for _, e := range conjuncts(r.Where) {
		q := r.query(d, fields, "t")
		e.sql(q)
		if q.refusal() == nil {
			pushed = all(pushed, e)
		} else {
			own = all(own, e)
		}
	}
	return pushed, own
}

// engineKnows reports whether SQL has a field: it is logged, or computed in a way that SQL can too.
func engineKnows(name string) bool {
	_, ok := schema.Logged().Lookup(name)
	return ok || derived[name] != nil
}

// plan says what the engine groups by.
func (m *Remote) plan(r *Report, fields schema.Table, own Expr) error {
	feed := func(f schema.Field, k Key) {
		i := slices.IndexFunc(m.fed, func(x fed) bool { return x.Name == f.Name })
		switch {
		case i < 0:
			m.fed = append(m.fed, fed{f, k})
		case m.fed[i].key != k: // two views of one field: the field itself has both
			m.fed[i].key = Key{Field: f.Name}
		}
	}
	var needs func(name string) error
	needs = func(name string) error {
		f, ok := fields.Lookup(name)
		switch {
		case ok && engineKnows(name):
			feed(f, Key{Field: name})
			return nil
		case !ok || len(f.From) == 0:
			return fmt.Errorf("%s: %s is not in a table of flow logs: leave it out, or run the report on the logs", r.Name, name)
		}
		if _, ok := m.local.Lookup(name); !ok {
			m.local = append(m.local, f)
		}
		for _, from := range f.From {
			if err := needs(from); err != nil {
				return err
			}
		}
		return nil
	}
	for _, k := range r.Keys {
		f, ok := fields.Lookup(k.Field)
		if ok && engineKnows(k.Field) {
			feed(f, k.pushed())
			continue
		}
		if err := needs(k.Field); err != nil {
			return err
		}
	}
	var err error
	if own != nil {
		own.Fields(func(name string) {
			if err == nil {
				err = needs(name)
			}
		})
	}
	for _, x := range r.Measures {
		x.fields(func(name string) {
			if err == nil && !engineKnows(name) {
				err = schema.Wordsf("%s: only flowlog knows %s, so an engine cannot count %s: make it a key, with %s", r.Name, name, x.Name, schema.Opt("by"))
			}
		})
	}
	return err
}

// zoneStep is what the offsets of all zones of today are whole numbers of.
const zoneStep = 15 * time.Minute

// pushed is the key that an engine groups by in place of k: k itself, or one that is finer where only flowlog knows
// how wide bins are to be, or when those of a zone begin.
func (k Key) pushed() Key {
	switch {
	case k.Every == auto:
		return Key{Field: k.Field, Every: steps[0]}
	case k.Every == 0 && !k.Hour || k.inSQL():
		return k
	case k.Every%zoneStep == 0: // of an hour of the day too, whose Every is 0
		return Key{Field: k.Field, Every: zoneStep}
	}
	return Key{Field: k.Field}
}

// feeds reports whether the engine groups by the key itself.
func (m *Remote) feeds(k Key) bool {
	return slices.ContainsFunc(m.fed, func(f fed) bool { return f.key == k })
}

// coarse is the error for a measure that the engine computes of groups that are not those of the report.
func (m *Remote) coarse(r *Report, x Measure, fields schema.Table, own Expr) error {
	name := x.Name
	if name == "" {
		name = x.Func
	}
	if own != nil {
		return fmt.Errorf("%s: %s of groups does not add up, and only flowlog can test %s: leave out the condition or the measure", r.Name, name, own)
	}
	var why, by []string
	for _, k := range r.Keys {
		f, _ := fields.Lookup(k.Field)
		switch {
		case m.feeds(k) && engineKnows(k.Field):
			by = append(by, k.Name())
		case k.Every == auto:
			return schema.Wordsf("%s: %s of bins of time does not add up, and their width is chosen when all have been seen: choose it, as in %s", r.Name, name, schema.Opt("every", "1h"))
		case engineKnows(k.Field) && (k.Every != 0 || k.Hour):
			return fmt.Errorf("%s: %s of bins of time does not add up, and only flowlog knows when they begin in %s: choose another width or zone", r.Name, name, k.Zone)
		case engineKnows(k.Field):
			by = append(by, k.Name())
		default:
			why = append(why, k.Name())
			by = append(by, f.From...)
		}
	}
	slices.Sort(by)
	by = slices.Compact(by)
	if why == nil {
		return fmt.Errorf("%s: %s of groups does not add up, and two keys are of one field: leave out one of them", r.Name, name)
	}
	return schema.Wordsf("%s: %s of groups does not add up, and only flowlog knows %s: the nearest report is %s, or leave out the measure",
		r.Name, name, strings.Join(why, " and "), schema.Opt("by", by...))
}

// Names of columns that no field and no measure has.
const (
	placeName  = "_place"
	groupsName = "_groups"
	meetsName  = "_meets"
	countName  = "_records"
	stateName  = "_state"
	seenName   = "_seen"
)

// query writes the engine's half.
func (m *Remote) query(d *Dialect, r *Report, fields schema.Table, table string) (string, error) {
	q := r.query(d, fields, table)
	mixed := r.mixed()
	for _, f := range m.fed {
		if mixed && f.Kind <= schema.Int64 && !slices.Contains(q.zeros, f.Name) {
			q.zeros = append(q.zeros, f.Name)
		}
	}
	last := layer{group: len(m.fed)}
	var keys []string
	for _, f := range m.fed {
		keys = append(keys, q.key(f.key))
	}
	timed := layer{name: "timed", columns: []string{"*"}}
	state := func(x Measure) string {
		switch fn := functionNamed(x.Func); {
		case fn.also != "":
			gap := d.name(x.Name + "_each")
			if column := q.gap(x, keys, mixed) + " AS " + gap; !slices.Contains(timed.columns, column) {
				timed.columns = append(timed.columns, column)
			}
			return "max(" + gap + ")"
		case fn.buckets:
			bucket := fmt.Sprintf(d.bucket, q.field(q.known(x.Field)))
			return fmt.Sprintf(d.histogram, q.filtered("histogram("+bucket+")", x, mixed))
		}
		return q.measure(x, mixed)
	}
	for i, k := range keys {
		display := "%s"
		if m.fed[i].Kind == schema.Addr && m.fed[i].key.Bits == 0 && !m.cut {
			display = d.addrText
		}
		last.columns = append(last.columns, aliased(fmt.Sprintf(display, k), q.name(m.fed[i].key.Name())))
	}
	last.columns = append(last.columns, "count(*) AS "+q.name(countName))
	for i, b := range m.asked {
		last.columns = append(last.columns, state(b.Measure)+" AS "+q.name(stateName+strconv.Itoa(i)))
	}
	m.seen = r.mentioned()
	for i, name := range m.seen {
		last.columns = append(last.columns, "count("+q.field(q.known(name))+") AS "+q.name(seenName+strconv.Itoa(i)))
	}
	var ranking []string
	if m.cut {
		for _, x := range r.Measures {
			if r.chooses(x.Name) {
				last.columns = append(last.columns, state(x)+" AS "+q.name(x.Name))
				ranking = append(ranking, q.name(x.Name))
			}
		}
	}
	if where := r.condition(); where != nil {
		last.where = where.sql(q)
	}
	having := "true"
	if m.cut && r.Having != nil {
		q.rows = true
		having = "coalesce(" + r.Having.sql(q) + ", false)"
	}
	if err := q.refusal(); err != nil {
		return "", err
	}
	layers := q.base()
	if len(timed.columns) > 1 {
		timed.where, last.where = last.where, ""
		layers = append(layers, timed)
	}
	if m.cut {
		last.name = q.grouped.name
		last.columns = append(last.columns, q.grouped.columns...)
		layers = append(layers, last)
		layers = append(layers, m.places(q, ranking, having)...)
	} else {
		layers = append(layers, last)
	}
	return q.checked(q.text(layers))
}

// The places of rows that are added up: those that were cut, and those that do not meet the condition on rows.
const (
	cutPlace      = 0
	excludedPlace = -1
)

// places are the layers that choose the rows that are shown, and add up the others: one row for each place, and one or two more.
func (m *Remote) places(q *query, ranking []string, having string) []layer {
	r := q.report
	shown := layer{name: "shown"}
	var sums []string
	sum := func(name, with string) {
		name = q.name(name)
		shown.columns = append(shown.columns, name)
		sums = append(sums, fmt.Sprintf(with, name)+" AS "+name)
	}
	for _, f := range m.fed {
		name := q.name(f.key.Name())
		display := "%s"
		if f.Kind == schema.Addr && f.key.Bits == 0 {
			display = q.addrText
		}
		shown.columns = append(shown.columns, aliased(fmt.Sprintf(display, name), name))
		sums = append(sums, fmt.Sprintf(q.any, name)+" AS "+name)
	}
	sum(countName, "sum(%s)")
	for i, b := range m.asked {
		sum(stateName+strconv.Itoa(i), cmp.Or(b.fn.adds, "max")+"(%s)") // of what cannot be merged, a place that is shown has one
	}
	for i := range m.seen {
		sum(seenName+strconv.Itoa(i), "sum(%s)")
	}
	for _, name := range ranking {
		if !slices.Contains(shown.columns, name) {
			shown.columns = append(shown.columns, name)
		}
	}
	shown.columns = append(shown.columns, having+" AS "+q.name(meetsName))
	placed := layer{name: "placed", columns: []string{"*",
		"row_number() OVER (ORDER BY " + q.name(meetsName) + " DESC, " + strings.Join(q.order(), ", ") + ") AS " + q.name(placeName)}}
	test := q.name(meetsName)
	if r.Limit > 0 {
		test += " AND " + q.name(placeName) + " <= " + strconv.Itoa(r.Limit)
	}
	place := "CASE WHEN " + test + " THEN " + q.name(placeName)
	if r.Having != nil {
		place += " WHEN NOT " + q.name(meetsName) + " THEN " + strconv.Itoa(excludedPlace)
	}
	place += " ELSE " + strconv.Itoa(cutPlace) + " END AS " + q.name(placeName)
	last := layer{columns: append([]string{place, "count(*) AS " + q.name(groupsName)}, sums...), group: 1}
	return []layer{shown, placed, last}
}

// chooses reports whether the rows are chosen by a measure.
func (r *Report) chooses(name string) bool {
	by := r.key(r.Order) < 0 || r.measure(r.Order) >= 0
	used := by && r.Measures[max(r.measure(r.Order), 0)].Name == name
	if r.Having != nil {
		r.Having.Fields(func(n string) { used = used || n == name })
	}
	return used
}

// mentioned lists the fields of conditions of measures on flows: whether these are logged no state tells.
func (r *Report) mentioned() []string {
	var names []string
	look := func(x Measure) {
		if x.Where != nil && !x.All {
			x.Where.Fields(func(name string) {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			})
		}
	}
	for _, x := range r.Measures {
		look(x)
		for _, part := range functionNamed(x.Func).partsOf(x) {
			look(part)
		}
	}
	return names
}
