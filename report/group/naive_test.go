package group

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"flowlog/report"
	"flowlog/report/calendar"
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

// naive computes a report in the plainest way: the rows of each group in a slice, each measure a loop over it.
// The table has no columns.
func naive(r report.Report, rows []reporttest.Row) report.Table {
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
	seconds := max(1, naiveDuration(sampleOf(report.Measure{}, all)))
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
		return sign * strings.Compare(text(x), text(y))
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

// text is the form in which values that are not numbers are ordered.
func text(v any) string {
	if at, ok := v.(time.Time); ok {
		return at.Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

// A sample is what the records have that a measure counts.
type sample struct {
	records          int64
	values           []any            // of the measure's field or pair of fields, but for nulls
	numbers          []int64          // those that are whole numbers, in order
	flows            []reporttest.Row // whatever the condition of the measure says
	starts, ends     []int64          // of flows
	spans            [][2]int64
	accepted, action int64 // flows with action ACCEPT, with any
	rejected         int64
}

func sampleOf(m report.Measure, rows []reporttest.Row) sample {
	var s sample
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
		s.values = append(s.values, v)
		if n, ok := v.(int64); ok {
			s.numbers = append(s.numbers, n)
		}
	}
	slices.Sort(s.numbers)
	return s
}

// naiveFunctions compute each function in the plainest way, nil for null. A new one needs a line here.
var naiveFunctions = map[string]func(m report.Measure, s sample, seconds float64) any{
	"count": func(m report.Measure, s sample, _ float64) any {
		if m.Field == "" {
			return s.records
		}
		return int64(len(s.values))
	},
	"sum": func(_ report.Measure, s sample, _ float64) any { return naiveSum(s) },
	"min": func(_ report.Measure, s sample, _ float64) any { return at(s.numbers, 0) },
	"max": func(_ report.Measure, s sample, _ float64) any { return at(s.numbers, len(s.numbers)-1) },
	"avg": func(_ report.Measure, s sample, _ float64) any {
		if len(s.numbers) == 0 {
			return nil
		}
		return float64(naiveSum(s).(int64)) / float64(len(s.numbers))
	},
	"distinct": func(_ report.Measure, s sample, _ float64) any {
		seen := make(map[any]bool)
		for _, v := range s.values {
			seen[v] = true
		}
		return int64(len(seen))
	},
	"p50": naiveQuantile, "p90": naiveQuantile, "p95": naiveQuantile, "p99": naiveQuantile,
	"bps":      func(_ report.Measure, s sample, seconds float64) any { return naiveRate(s, 8, seconds) },
	"pps":      func(_ report.Measure, s sample, seconds float64) any { return naiveRate(s, 1, seconds) },
	"accepted": func(_ report.Measure, s sample, _ float64) any { return unless(s.action == 0, s.accepted) },
	"rejected": func(_ report.Measure, s sample, _ float64) any { return unless(s.action == 0, s.rejected) },
	"rejected_share": func(_ report.Measure, s sample, _ float64) any {
		return unless(s.action == 0, float64(s.rejected)/float64(s.action))
	},
	"duration": func(_ report.Measure, s sample, _ float64) any {
		seconds := naiveDuration(s)
		return unless(seconds < 0, int64(seconds))
	},
	"gap": func(_ report.Measure, s sample, _ float64) any {
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
	"malformed": func(report.Measure, sample, float64) any { return int64(3) },
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

func naiveSum(s sample) any {
	if len(s.numbers) == 0 {
		return nil
	}
	sum := int64(0)
	for _, n := range s.numbers {
		sum += n
	}
	return sum
}

func naiveRate(s sample, unit, seconds float64) any {
	if sum := naiveSum(s); sum != nil {
		return unit * float64(sum.(int64)) / seconds
	}
	return nil
}

// naiveDuration is the seconds from the first start to the last end, -1 if there is none or it is the other way round.
func naiveDuration(s sample) float64 {
	if len(s.starts) == 0 || len(s.ends) == 0 || slices.Max(s.ends) < slices.Min(s.starts) {
		return -1
	}
	return float64(slices.Max(s.ends) - slices.Min(s.starts))
}

func naiveQuantile(m report.Measure, s sample, _ float64) any {
	if len(s.numbers) == 0 {
		return nil
	}
	percent, _ := strconv.ParseFloat(m.Func[1:], 64)
	exact := s.numbers[int(math.Ceil(percent*float64(len(s.numbers))/100))-1]
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
		v := naiveFunctions[m.Func](m, sampleOf(m, rows), seconds)
		if n, ok := v.(int64); ok && m.Unit == report.Instant {
			v = time.Unix(n, 0).UTC()
		}
		out = append(out, v)
	}
	return out
}
