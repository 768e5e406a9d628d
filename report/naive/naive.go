// Package naive computes reports in the plainest way, record by record and with no more than loops, for tests to compare with.
package naive

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/calendar"
	"flowlog/report/expr"
	"flowlog/report/function"
	"flowlog/report/reporttest"
)

// naiveKey is the value of a key of a record among others.
func naiveKey(k report.Key, rec reporttest.Row, rows []reporttest.Row) any {
	v := reporttest.Value(rec, k.Field)
	if v == nil {
		return nil
	}
	second, _ := v.(int64)
	switch {
	case k.Hour:
		return second / 3600 % 24
	case k.Every == calendar.Auto:
		width := calendar.Auto
		for _, step := range slices.Backward(calendar.Widths) {
			var bins []any
			for _, other := range rows {
				if reporttest.IsFlow(other) && other["start"] != "" {
					bins = append(bins, naiveKey(report.Key{Field: k.Field, Every: step}, other, nil))
				}
			}
			first := slices.MinFunc(bins, func(a, b any) int { return a.(time.Time).Compare(b.(time.Time)) }).(time.Time)
			last := slices.MaxFunc(bins, func(a, b any) int { return a.(time.Time).Compare(b.(time.Time)) }).(time.Time)
			if last.Sub(first) < calendar.MaxBins*step || width < 0 {
				width = step
			}
		}
		return naiveKey(report.Key{Field: k.Field, Every: width}, rec, nil)
	case k.Every != 0:
		t := time.Unix(second, 0).UTC()
		if k.Every%(7*calendar.Day) == 0 { // Go's weeks begin with the year 1, on a Monday
			monday := time.Date(1969, 12, 29, 0, 0, 0, 0, time.UTC)
			return monday.Add(t.Sub(monday) / k.Every * k.Every)
		}
		return t.Truncate(k.Every)
	case k.Bits != 0:
		bits := min(k.Bits, 32)
		if v.(netip.Addr).Is6() {
			bits = k.Bits6
		}
		return netip.PrefixFrom(v.(netip.Addr), bits).Masked().String()
	}
	return v
}

// Table computes a report in the plainest way: the rows of each group in a slice, each measure a loop over it.
// The table has no columns.
func Table(r report.Report, rows []reporttest.Row) report.Table {
	mixed := slices.ContainsFunc(r.Measures, func(m report.Measure) bool { return m.All })
	groups := make(map[string][]reporttest.Row)
	keysOf := make(map[string][]any)
	for _, rec := range rows {
		if !mixed && !reporttest.IsFlow(rec) {
			continue
		}
		if !reporttest.Meets(r.Where, rec) {
			continue
		}
		keys := []any{}
		for _, k := range r.Keys {
			keys = append(keys, naiveKey(k, rec, rows))
		}
		id := fmt.Sprintf("%#v", keys)
		groups[id], keysOf[id] = append(groups[id], rec), keys
	}
	if len(r.Keys) == 0 && len(groups) == 0 {
		groups[""] = nil
	}
	all := slices.Concat(slices.Collect(maps.Values(groups))...)
	seconds := max(1, naiveDuration(SampleOf(report.Measure{}, all)))
	type ranked struct {
		id    string
		cells []any
	}
	var list []ranked
	for id, g := range groups {
		list = append(list, ranked{id, append(slices.Clone(keysOf[id]), naiveMeasures(r, g, seconds)...)})
	}
	order := len(r.Keys)
	for i, k := range r.Keys {
		if k.Name() == r.Order {
			order = i
		}
	}
	for i, m := range r.Measures {
		if m.Name == r.Order {
			order = len(r.Keys) + i
		}
	}
	less := func(x, y any, sign int) int {
		switch {
		case x == nil || y == nil:
			return cmp.Compare(fmt.Sprint(x == nil), fmt.Sprint(y == nil))
		}
		switch x := x.(type) {
		case int64:
			return sign * cmp.Compare(x, y.(int64))
		case float64:
			return sign * cmp.Compare(x, y.(float64))
		}
		return sign * strings.Compare(Text(x), Text(y))
	}
	sign := 1
	if (order >= len(r.Keys)) != r.Reverse {
		sign = -1
	}
	slices.SortFunc(list, func(x, y ranked) int {
		c := less(x.cells[order], y.cells[order], sign)
		for i := range r.Keys {
			c = cmp.Or(c, less(x.cells[i], y.cells[i], 1))
		}
		return c
	})
	var t report.Table
	var everything, rest []reporttest.Row
	for i, g := range list {
		everything = append(everything, groups[g.id]...)
		if r.Limit == 0 || i < r.Limit {
			t.Rows = append(t.Rows, g.cells)
		} else {
			rest = append(rest, groups[g.id]...)
			t.Cut++
		}
	}
	if len(r.Keys) > 0 {
		t.Totals = append(make([]any, len(r.Keys)), naiveMeasures(r, everything, seconds)...)
	}
	if t.Cut > 0 {
		t.Others = append(make([]any, len(r.Keys)), naiveMeasures(r, rest, seconds)...)
	}
	for i, m := range r.Measures { // the longest gap of several is that of one
		if column := len(r.Keys) + i; m.Func == "gap" && len(r.Keys) > 0 {
			longest := func(groups []ranked) (v any) {
				for _, g := range groups {
					if gap, ok := g.cells[column].(int64); ok && (v == nil || gap > v.(int64)) {
						v = gap
					}
				}
				return v
			}
			t.Totals[column] = longest(list)
			if t.Cut > 0 {
				t.Others[column] = longest(list[len(list)-t.Cut:])
			}
		}
	}
	return t
}

// Text is the form in which values that are not numbers are ordered.
func Text(v any) string {
	if at, ok := v.(time.Time); ok {
		return at.Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

// A Sample is what the records have that a measure counts.
type Sample struct {
	records          int64
	values           []any            // of the measure's field or pair of fields, but for nulls
	Numbers          []int64          // those that are whole numbers, in order
	flows            []reporttest.Row // whatever the condition of the measure says
	starts, ends     []int64          // of flows
	spans            [][2]int64
	products         []*big.Int // of the measure's field and bytes
	accepted, action int64      // flows with action ACCEPT, with any
	rejected         int64
}

func SampleOf(m report.Measure, rows []reporttest.Row) Sample {
	var s Sample
	for _, rec := range rows {
		if reporttest.IsFlow(rec) {
			s.flows = append(s.flows, rec)
			switch rec["action"] {
			case "":
			case "ACCEPT":
				s.accepted++
			case "REJECT":
				s.rejected++
			}
			if rec["action"] != "" {
				s.action++
			}
			if start, ok := reporttest.Value(rec, "start").(int64); ok {
				s.starts = append(s.starts, start)
			}
			if end, ok := reporttest.Value(rec, "end").(int64); ok {
				s.ends = append(s.ends, end)
			}
		}
		if !m.All && !reporttest.IsFlow(rec) || !reporttest.Meets(m.Where, rec) {
			continue
		}
		s.records++
		if start, end := reporttest.Value(rec, "start"), reporttest.Value(rec, "end"); start != nil && end != nil {
			s.spans = append(s.spans, [2]int64{start.(int64), max(start.(int64), end.(int64))})
		}
		v := reporttest.Value(rec, m.Field)
		if m.With != "" && v != nil {
			if other := reporttest.Value(rec, m.With); other != nil {
				v = [2]any{v, other}
			} else {
				v = nil
			}
		}
		if v == nil {
			continue
		}
		if n, ok := v.(int64); ok && reporttest.Value(rec, "bytes") != nil {
			s.products = append(s.products, new(big.Int).Mul(big.NewInt(n), big.NewInt(reporttest.Value(rec, "bytes").(int64))))
		}
		s.values = append(s.values, v)
		if n, ok := v.(int64); ok {
			s.Numbers = append(s.Numbers, n)
		}
	}
	slices.Sort(s.Numbers)
	return s
}

// Functions compute each function in the plainest way, nil for null. A new one needs a line here.
var Functions = map[string]func(m report.Measure, s Sample, seconds float64) any{
	"count": func(m report.Measure, s Sample, _ float64) any {
		if m.Field == "" {
			return s.records
		}
		return int64(len(s.values))
	},
	"sum": func(_ report.Measure, s Sample, _ float64) any { return naiveSum(s) },
	"min": func(_ report.Measure, s Sample, _ float64) any { return at(s.Numbers, 0) },
	"max": func(_ report.Measure, s Sample, _ float64) any { return at(s.Numbers, len(s.Numbers)-1) },
	"avg": func(_ report.Measure, s Sample, _ float64) any {
		if len(s.Numbers) == 0 {
			return nil
		}
		return float64(naiveSum(s).(int64)) / float64(len(s.Numbers))
	},
	"distinct": func(_ report.Measure, s Sample, _ float64) any {
		seen := make(map[any]bool)
		for _, v := range s.values {
			seen[v] = true
		}
		return int64(len(seen))
	},
	"p50": naiveQuantile, "p90": naiveQuantile, "p95": naiveQuantile, "p99": naiveQuantile,
	"bps":      func(_ report.Measure, s Sample, seconds float64) any { return naiveRate(s, 8, seconds) },
	"pps":      func(_ report.Measure, s Sample, seconds float64) any { return naiveRate(s, 1, seconds) },
	"accepted": func(_ report.Measure, s Sample, _ float64) any { return unless(s.action == 0, s.accepted) },
	"rejected": func(_ report.Measure, s Sample, _ float64) any { return unless(s.action == 0, s.rejected) },
	"rejected_share": func(_ report.Measure, s Sample, _ float64) any {
		return unless(s.action == 0, float64(s.rejected)/float64(s.action))
	},
	"duration": func(_ report.Measure, s Sample, _ float64) any {
		seconds := naiveDuration(s)
		return unless(seconds < 0, int64(seconds))
	},
	"gap": func(_ report.Measure, s Sample, _ float64) any {
		if len(s.spans) == 0 {
			return nil
		}
		slices.SortFunc(s.spans, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
		longest, until := int64(0), s.spans[0][1]
		for _, span := range s.spans {
			longest, until = max(longest, span[0]-until), max(until, span[1])
		}
		return longest
	},
	"cost": func(_ report.Measure, s Sample, _ float64) any {
		if len(s.products) == 0 {
			return nil
		}
		sum := new(big.Int)
		for _, p := range s.products {
			sum.Add(sum, p)
		}
		nanos, _ := new(big.Rat).SetFrac(sum.Mul(sum, big.NewInt(1000)), big.NewInt(1<<30)).Float64()
		return math.RoundToEven(nanos) / 1e9
	},
	"malformed": func(report.Measure, Sample, float64) any { return int64(3) },
}

func unless(null bool, v any) any {
	if null {
		return nil
	}
	return v
}

// at is a number of a list, if it has any.
func at(numbers []int64, i int) any {
	if len(numbers) == 0 {
		return nil
	}
	return numbers[i]
}

func naiveSum(s Sample) any {
	if len(s.Numbers) == 0 {
		return nil
	}
	sum := int64(0)
	for _, n := range s.Numbers {
		sum += n
	}
	return sum
}

func naiveRate(s Sample, unit, seconds float64) any {
	if sum := naiveSum(s); sum != nil {
		return unit * float64(sum.(int64)) / seconds
	}
	return nil
}

// naiveDuration is the seconds from the first start to the last end, -1 if there is none or it is the other way round.
func naiveDuration(s Sample) float64 {
	if len(s.starts) == 0 || len(s.ends) == 0 || slices.Max(s.ends) < slices.Min(s.starts) {
		return -1
	}
	return float64(slices.Max(s.ends) - slices.Min(s.starts))
}

func naiveQuantile(m report.Measure, s Sample, _ float64) any {
	if len(s.Numbers) == 0 {
		return nil
	}
	percent, _ := strconv.ParseFloat(m.Func[1:], 64)
	exact := s.Numbers[int(math.Ceil(percent*float64(len(s.Numbers))/100))-1]
	v := function.BucketMiddle(function.BucketOf(exact))
	if diff := math.Abs(float64(v - exact)); diff > 0.004*float64(exact) {
		panic(fmt.Sprintf("%s of %s is %d, but %d was found", m.Func, m.Field, exact, v))
	}
	return v
}

// naiveMeasures computes the measures of a report of a group. seconds is how long all of it lasts.
func naiveMeasures(r report.Report, rows []reporttest.Row, seconds float64) []any {
	var out []any
	for _, m := range r.Measures {
		v := Functions[m.Func](m, SampleOf(m, rows), seconds)
		if n, ok := v.(int64); ok && m.Unit == report.Instant {
			v = time.Unix(n, 0).UTC()
		}
		out = append(out, v)
	}
	return out
}

// Result is all of a table that a user sees.
func Result(t report.Table) string {
	return fmt.Sprintf("rows %v\ntotals %v\nothers of %d %v, and %d excluded", t.Rows, t.Totals, t.Cut, t.Others, t.Excluded)
}

// Parsed is a condition on logged fields.
func Parsed(text string) expr.Expr {
	e, err := expr.Parse(text, expr.Scope{Fields: schema.Logged()})
	if err != nil {
		panic(err)
	}
	return e
}

// MeasuresNamed are measures by their names.
func MeasuresNamed(names string) []report.Measure {
	var ms []report.Measure
	for _, name := range strings.Fields(names) {
		m, err := report.ParseMeasure(name, schema.Logged())
		if err != nil {
			panic(err)
		}
		ms = append(ms, m)
	}
	return ms
}

// KeysOf are keys by their names.
func KeysOf(names string) []report.Key {
	var ks []report.Key
	for _, name := range strings.Fields(names) {
		k, err := report.ParseKey(name, reporttest.Fields())
		if err != nil {
			panic(err)
		}
		ks = append(ks, k)
	}
	return ks
}

// AsTime is a time in Unix seconds.
func AsTime(v any) any {
	if s, ok := v.(int64); ok {
		return time.Unix(s, 0).UTC()
	}
	return v
}

// Changed is a report of the catalog with changes.
func Changed(t *testing.T, name string, c report.Change) report.Report {
	t.Helper()
	i := slices.IndexFunc(report.Catalog(), func(r report.Report) bool { return r.Name == name })
	r, err := report.Catalog()[i].With(c, reporttest.Scope(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// FailOnPanic makes a failure of the function's test of a panic, so that the tests of other functions run.
func FailOnPanic(t *testing.T, f *function.Func) {
	t.Helper()
	if p := recover(); p != nil {
		t.Errorf("%s panics: %v", f.Name, p)
	}
}

// lawFields has a field of each kind that randomRows sets.
var lawFields = map[schema.Kind]string{schema.Int32: "dstport", schema.Int64: "bytes", schema.Time: "start", schema.Addr: "dstaddr", schema.Text: "action"}

// MeasuresOf are measures of a function: of fields of every kind, or the one that the program has.
func MeasuresOf(t *testing.T, f *function.Func) []report.Measure {
	t.Helper()
	var all []report.Measure
	parse := func(text string) {
		m, err := report.ParseMeasure(text, reporttest.Fields())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, m)
	}
	for _, kind := range f.Kinds {
		if name := lawFields[kind]; name != "" {
			parse(f.Name + "(" + name + ")")
		}
	}
	if f.Pairs {
		parse(f.Name + "(dstaddr+dstport)")
	}
	named := report.Measures()
	for _, r := range report.Catalog() {
		named = append(named, r.Measures...)
	}
	if i := slices.IndexFunc(named, func(m report.Measure) bool { return m.Func == f.Name }); i >= 0 {
		m := named[i]
		if _, ok := reporttest.Fields().Lookup(m.Field); m.Field != "" && !ok {
			m.Field = "packets" // in place of a field that is computed from what these records lack
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		t.Fatalf("%s: its row has no kinds of fields, and no measure has its name: nothing can use it", f.Name)
	}
	if f.New != nil {
		m := all[0]
		m.Name, m.Where = "some", Parsed("action = REJECT")
		all = append(all, m)
	}
	return all
}

// ReportsOf has reports with the measures of a function: of one group and of many, ranked and cut, of which some can be
// rolled up from others.
func ReportsOf(f *function.Func, measures []report.Measure) []report.Report {
	var all []report.Report
	for _, by := range []string{"", "srcaddr", "srcaddr dstport", "protocol", "action", "dstport srcport protocol action"} {
		r := report.Report{Name: f.Name, Measures: measures}
		for _, name := range strings.Fields(by) {
			r.Keys = append(r.Keys, report.Key{Field: name})
		}
		all = append(all, r)
		if by != "" {
			r.Limit, r.Order = 2, measures[0].Name
			all = append(all, r)
		}
	}
	return all
}
