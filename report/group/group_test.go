package group

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/function"
	"flowlog/report/reporttest"
	"flowlog/report/sql"
)

// aggregate computes reports over rows, dealt out to workers in batches of the given size.
func aggregate(t testing.TB, reports []report.Report, rows []reporttest.Row, workers, size int) ([]report.Table, []*report.Lacking, error) {
	t.Helper()
	agg, err := New(reporttest.Fields(), reports, workers)
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			f := reporttest.NewFeeder(agg.Projection())
			for i := worker * size; i < len(rows) && errs[worker] == nil; i += workers * size {
				rec := f.Record(t, rows[i:min(i+size, len(rows))])
				errs[worker] = agg.Add(schema.Batch{Record: rec, Worker: worker})
			}
		}()
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	stats := schema.Stats{Malformed: 3}
	for _, r := range rows {
		if stats.Records++; reporttest.IsFlow(r) {
			stats.Flows++
		}
	}
	return agg.Tables(stats, nil)
}

// table is the table of one report over a few rows.
func table(t *testing.T, r report.Report, rows []reporttest.Row) report.Table {
	t.Helper()
	tables, lacks, err := aggregate(t, []report.Report{r}, rows, 1, 1000)
	if err != nil || len(lacks) > 0 {
		t.Fatalf("%s: got %v, %v", r.Name, lacks, err)
	}
	return tables[0]
}

// changed is a report of the catalog with changes.
func changed(t *testing.T, name string, c report.Change) report.Report {
	t.Helper()
	i := slices.IndexFunc(report.Catalog(), func(r report.Report) bool { return r.Name == name })
	r, err := report.Catalog()[i].With(c, reporttest.Scope(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// result is all of a table that a user sees.
func result(t report.Table) string {
	return fmt.Sprintf("rows %v\ntotals %v\nothers of %d %v, and %d excluded", t.Rows, t.Totals, t.Cut, t.Others, t.Excluded)
}

// randomReports returns the reports of the catalog that do with randomFields, each as it is and changed.
func randomReports(t *testing.T, r *rand.Rand) []report.Report {
	t.Helper()
	var out []report.Report
	measures := strings.Fields("flows bytes packets first last accepted rejected nodata skipdata distinct(srcaddr) distinct(dstport) distinct(bytes) distinct(subnet_id) distinct(dstaddr+dstport) distinct(subnet_id+bytes) " +
		"sum(tcp_flags) min(bytes) max(packets) min(tcp_flags) max(dstport) max(start) count(bytes) avg(packets) p50(bytes) p99(tcp_flags) p90(dstport) rejected_share duration")
	shuffled := func(list []string) []string {
		list = slices.Clone(list)
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list
	}
	for _, rep := range report.Catalog() {
		known := true
		rep.Fields(func(name string) { known = known && slices.Contains(reporttest.RandomFields, name) })
		if !known {
			continue
		}
		out = append(out, rep)
		c := report.Change{By: shuffled(reporttest.RandomFields)[:1+r.IntN(4)], Measures: shuffled(measures)[:1+r.IntN(5)], Top: r.IntN(4)}
		if r.IntN(2) == 0 {
			c.Where = reporttest.RandomExpr(r, r.IntN(3))
		}
		if r.IntN(3) == 0 {
			c.Every = []string{"1s", "2s", "1h", "1d", "3w"}[r.IntN(5)]
		}
		if r.IntN(3) == 0 {
			c.By = append(c.By, []string{"srcaddr/24", "srcaddr/31/120", "pkt_srcaddr/30", "hour"}[r.IntN(4)])
		}
		c.By = slices.DeleteFunc(c.By, func(name string) bool { return slices.Contains(measures, name) })
		if len(c.By) == 0 {
			c.By = []string{"srcaddr"}
		}
		c.Sort = shuffled(append(c.By, shuffled(measures)[:4]...))[0]
		if r.IntN(2) == 0 {
			c.Sort = "-" + c.Sort
		}
		rep, err := rep.With(c, reporttest.Scope(), nil)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rep)
	}
	return out
}

// However the rows are cut into batches and dealt out to workers, the tables are what the plainest program
// makes of them.
func TestTablesDoNotDependOnBatchesAndWorkers(t *testing.T) {
	for seed := range uint64(reporttest.Fewer(8)) {
		r := rand.New(rand.NewPCG(seed, 1))
		rows := reporttest.RandomRows(r, 1+r.IntN(400))
		reports := randomReports(t, r)
		var expected []string
		for _, rep := range reports {
			expected = append(expected, result(naive(rep, rows)))
		}
		for _, workers := range []int{1, 2, 8} {
			for _, size := range []int{1, 7, 100, len(rows)} {
				tables, lacks, err := aggregate(t, reports, rows, workers, size)
				if err != nil {
					t.Fatal(err)
				}
				if len(lacks) > 0 { // a short log may lack a field
					if len(rows) > 30 {
						t.Errorf("seed %d: got %v", seed, lacks)
					}
					break
				}
				for i, got := range tables {
					if g := result(got); g != expected[i] {
						t.Errorf("seed %d, %d workers, batches of %d: %s by %v, %v, order %q, reverse %v:\n got %s\nwant %s",
							seed, workers, size, reports[i].Name, reports[i].Keys, reports[i].Measures, reports[i].Order, reports[i].Reverse, g, expected[i])
					}
				}
			}
		}
	}
}

// A worker's dictionaries are started anew when they have grown large; other workers have other codes.
func TestDictionariesMayChange(t *testing.T) {
	agg, err := New(reporttest.Fields(), []report.Report{changed(t, "interfaces", report.Change{Measures: []string{"flows", "distinct(action)"}, Top: 0})}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, batch := range []string{"eni-1 ACCEPT\neni-2 REJECT", "eni-2 REJECT\neni-1 ACCEPT", "eni-2 REJECT", "eni-20 A\neni-2 B"} {
		rec := reporttest.NewFeeder(agg.Projection()).Record(t, reporttest.RowsOf("interface_id action\n"+batch)) // each has dictionaries of its own
		if err := agg.Add(schema.Batch{Record: rec, Worker: i % 2}); err != nil {
			t.Fatal(err)
		}
	}
	tables, _, err := agg.Tables(schema.Stats{Flows: 7}, nil)
	if err != nil {
		t.Fatal(err)
	}
	reporttest.Want(t, "rows", tables[0].Rows, "[[eni-2 4 2] [eni-1 2 1] [eni-20 1 1]]")
}

func TestCatalog(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range report.Catalog() {
		if schema.CanonicalName(r.Name) == "" || r.Name != strings.ToLower(r.Name) || seen[r.Name] {
			t.Errorf("%s: the name is taken, or is not a word in lower case", r.Name)
		}
		seen[r.Name] = true
		if r.Doc == "" || strings.HasSuffix(r.Doc, ".") || r.Next.Error() == "" {
			t.Errorf("%s: Doc is %q and Next %q: want a line without a full stop, and something", r.Name, r.Doc, r.Next)
		}
		timed := r.Order == "time" || r.Order == schema.HourKey
		if r.Limit < 0 || r.Limit > 0 != (len(r.Keys) > 0 && !timed) {
			t.Errorf("%s: got limit %d with %d keys, want one if there are keys and the order is not that of time", r.Name, r.Limit, len(r.Keys))
		}
		columns := make(map[string]bool)
		for _, k := range r.Keys {
			if columns[k.Name()] {
				t.Errorf("%s: column %s comes twice", r.Name, k.Name())
			}
			columns[k.Name()] = true
		}
		for _, m := range r.Measures {
			if columns[m.Name] {
				t.Errorf("%s: column %s comes twice", r.Name, m.Name)
			}
			columns[m.Name] = true
			// a measure may have a name of its own, but not one that means something else
			if again, err := report.ParseMeasure(m.Name, reporttest.Fields()); err == nil && !reflect.DeepEqual(again, m) {
				t.Errorf("%s: measure %s: got %+v from its name, want %+v", r.Name, m.Name, again, m)
			}
			f, ok := reporttest.Fields().Lookup(m.Field)
			if kinds := function.Named(m.Func).Kinds; ok != (m.Field != "") || ok && kinds != nil && !slices.Contains(kinds, f.Kind) {
				t.Errorf("%s: measure %s: %s of %q: there is no such field, or it is of the wrong kind", r.Name, m.Name, m.Func, m.Field)
			}
		}
		if len(r.Measures) == 0 || r.Order != "" && !columns[r.Order] {
			t.Errorf("%s: order %q is not among the columns %v", r.Name, r.Order, columns)
		}
		var names []string
		r.Fields(func(name string) { names = append(names, name) })
		if _, err := reporttest.Fields().Project(names...); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		empty := table(t, r, nil)
		rows := 0
		if len(r.Keys) == 0 {
			rows = 1
		}
		reporttest.Want(t, r.Name+": rows of no input", len(empty.Rows), rows)
		reporttest.Want(t, r.Name+": columns", len(empty.Columns), len(r.Keys)+len(r.Measures))
	}
	reporttest.Want(t, "overview", len(report.Overview()) > 1 && report.Overview()[0].Name == "summary", true)
	reporttest.Want(t, "names", len(report.Names()), len(report.Catalog()))
}

func TestEveryMeasureHasAFunction(t *testing.T) {
	for _, m := range report.Measures() {
		if m.Doc == "" || !slices.ContainsFunc(function.All, func(f function.Func) bool { return f.Name == m.Func }) {
			t.Errorf("measure %s: there is no function %q, or no Doc", m.Name, m.Func)
		}
	}
}

func TestParseMeasure(t *testing.T) {
	for s, expected := range map[string]report.Measure{
		"flows":                                {Name: "flows", Func: "count", Unit: report.Count},
		" Bytes ":                              {Name: "bytes", Func: "sum", Field: "bytes", Unit: report.Bytes},
		"last":                                 {Name: "last", Func: "max", Field: "end", Unit: report.Instant},
		"rejected":                             {Name: "rejected", Func: "rejected", Field: "action", Unit: report.Count},
		"Rejected-Share":                       {Name: "rejected_share", Func: "rejected_share", Field: "action", Unit: report.Share},
		"skipdata":                             {Name: "skipdata", Func: "count", Where: parsed("log_status = SKIPDATA"), All: true, Unit: report.Count},
		"malformed":                            {Name: "malformed", Func: "malformed", Unit: report.Count},
		"distinct(dstport)":                    {Name: "distinct_dstport", Func: "distinct", Field: "dstport", Unit: report.Count},
		"distinct(dstaddr+dstport)":            {Name: "distinct_dstaddr_dstport", Func: "distinct", Field: "dstaddr", With: "dstport", Unit: report.Count},
		"distinct_dstaddr_dstport":             {Name: "distinct_dstaddr_dstport", Func: "distinct", Field: "dstaddr", With: "dstport", Unit: report.Count},
		"distinct ( Pkt-SrcAddr + tcp-flags )": {Name: "distinct_pkt_srcaddr_tcp_flags", Func: "distinct", Field: "pkt_srcaddr", With: "tcp_flags", Unit: report.Count},
		"distinct_pkt_srcaddr_tcp_flags":       {Name: "distinct_pkt_srcaddr_tcp_flags", Func: "distinct", Field: "pkt_srcaddr", With: "tcp_flags", Unit: report.Count},
		"distinct_dstport":                     {Name: "distinct_dstport", Func: "distinct", Field: "dstport", Unit: report.Count},
		"DISTINCT(DstPort)":                    {Name: "distinct_dstport", Func: "distinct", Field: "dstport", Unit: report.Count},
		"sum(packets-lost-no-route)":           {Name: "sum_packets_lost_no_route", Func: "sum", Field: "packets_lost_no_route", Unit: report.Count},
		"max_packets_lost_no_route":            {Name: "max_packets_lost_no_route", Func: "max", Field: "packets_lost_no_route", Unit: report.Count},
		"sum(bytes)":                           {Name: "sum_bytes", Func: "sum", Field: "bytes", Unit: report.Bytes},
		"min(start)":                           {Name: "min_start", Func: "min", Field: "start", Unit: report.Instant},
		"distinct(start)":                      {Name: "distinct_start", Func: "distinct", Field: "start", Unit: report.Count},
		"distinct(src_latitude)":               {Name: "distinct_src_latitude", Func: "distinct", Field: "src_latitude", Unit: report.Count},
	} {
		got, err := report.ParseMeasure(s, reporttest.Fields())
		got.Doc = ""
		if err != nil || !reflect.DeepEqual(got, expected) {
			t.Errorf("ParseMeasure(%q): got %+v, %v, want %+v", s, got, err, expected)
		}
	}
	for s, part := range map[string]string{
		"byte":                   "did you mean bytes?",
		"median(bytes)":          "unknown measure",
		"":                       "flowlog help measures",
		"malformed(bytes)":       "unknown measure",
		"distinct(dst_prt)":      "did you mean dstport?",
		"distinct()":             "unknown field",
		"distinct(dstport":       "unknown measure",
		"distinct_src_addr_port": "unknown field",
		"sum(bytes+packets)":     "unknown field",
		"sum(srcaddr)":           "srcaddr is address, which has no sum",
		"sum(start)":             "start is time, which has no sum",
		"min(action)":            "action is text, which has no min",
		"max(src_latitude)":      "src_latitude is float64, which has no max",
	} {
		if got, err := report.ParseMeasure(s, reporttest.Fields()); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("ParseMeasure(%q): got %v, %v, want an error with %q", s, got, err, part)
		}
	}
}

// Each way to write a measure is understood wherever one is named, and means the same.
func TestMeasuresGoByAllNames(t *testing.T) {
	for _, names := range [][]string{
		{"distinct_dstaddr_dstport", "distinct(dstaddr+dstport)", "distinct(dstaddr + dstport)", "Distinct( DstAddr+DstPort )", "DISTINCT_dstaddr_dstport"},
		{"distinct_dstport", "distinct(dstport)", "distinct ( DSTPORT )"},
		{"sum_packets_lost_no_route", "sum(packets-lost-no-route)", "sum_packets-lost-no-route"},
		{"rejected_share", "rejected-share", "Rejected_Share"},
		{"targets", "TARGETS"},
	} {
		name := names[0]
		for _, text := range names[1:] {
			for _, c := range []report.Change{{Measures: []string{text}}, {Sort: text}, {Sort: "-" + text}, {Having: text + " >= 2"}, {Having: "flows > 1 and " + text + " in (2, 3)"}, {Having: text + " > max(start) or flows > " + text}} {
				if c.Having != "" && strings.Contains(c.Having, "max") && strings.HasPrefix(name, "rejected") {
					continue // a share is not compared with a number
				}
				r := changed(t, "scanners", c)
				plain := c
				if c.Having != "" {
					plain.Having = strings.Replace(c.Having, text, name, 1)
				}
				if c.Sort != "" {
					plain.Sort = strings.Replace(c.Sort, text, name, 1)
				}
				if c.Measures != nil {
					plain.Measures = []string{name}
				}
				w := changed(t, "scanners", plain)
				r.Settings, w.Settings = nil, nil // these are as they were written
				if !reflect.DeepEqual(r, w) || r.Measure(name) < 0 {
					t.Errorf("%+v: got %+v, want %+v", c, r, w)
				}
			}
			rule := report.Rule{Report: changed(t, "scanners", report.Change{})}
			if got, err := rule.Need(text, reporttest.Fields()); err != nil || got != name {
				t.Errorf("Need(%q): got %q, %v, want %q", text, got, err, name)
			}
			if err := rule.SetMessage("{"+text+"} of them", reporttest.Fields()); err != nil || rule.Message[0].Text != name {
				t.Errorf("message with %q: got %v, %v", text, rule.Message, err)
			}
		}
	}
	for text, part := range map[string]string{
		"distinct(dst_prt) > 1":           "did you mean dstport?",
		"dstinct(dstport) > 1":            "unknown measure",
		"distinct(dstport > 1":            "the rows have no",
		"distinct() > 1":                  "the rows have no",
		"distinct(srcaddr, dstport) > 1":  "the rows have no",
		"flows in (1, distinct(dstport))": "is not a value of flows",
		"sum(action) > 1":                 "action is text, which has no sum",
		"not (distinct(dstport)) > 1":     "is not expected here",
	} {
		_, err := changed(t, "talkers", report.Change{}).With(report.Change{Having: text}, reporttest.Scope(), nil)
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: got error %v, want %q", text, err, part)
		}
	}
	r := changed(t, "talkers", report.Change{By: []string{"srcaddr", "bytes"}, Measures: []string{"flows"}, Having: "bytes > 5"})
	reporttest.Want(t, "measures where a key has the name", len(r.Measures), 1)
}

func TestWith(t *testing.T) {
	base := report.Report{Name: "r", Keys: keysOf("srcaddr"), Measures: measuresNamed("bytes packets flows"), Order: "packets", Limit: 10}
	for _, test := range []struct {
		c    report.Change
		want string // keys | measures | order, reverse, limit
	}{
		{report.Change{Top: -1}, "srcaddr | bytes packets flows | packets false 10"},
		{report.Change{Top: 0}, "srcaddr | bytes packets flows | packets false 0"},
		{report.Change{Top: 3, By: []string{" pkt-srcaddr ", "DSTPORT"}}, "pkt_srcaddr dstport | bytes packets flows | packets false 3"},
		{report.Change{Measures: []string{"flows", "packets"}}, "srcaddr | flows packets | packets false 0"},
		{report.Change{Measures: []string{"flows", "distinct(dstport)", "distinct_dstport", "flows"}}, "srcaddr | flows distinct_dstport |  false 0"},
		{report.Change{Sort: "flows"}, "srcaddr | bytes packets flows | flows false 0"},
		{report.Change{Sort: "-flows"}, "srcaddr | bytes packets flows | flows true 0"},
		{report.Change{Sort: "srcaddr"}, "srcaddr | bytes packets flows | srcaddr false 0"},
		{report.Change{Sort: "- Src-Addr"}, "error"},
		{report.Change{Sort: "-srcaddr"}, "srcaddr | bytes packets flows | srcaddr true 0"},
		{report.Change{Sort: "max(bytes)"}, "srcaddr | bytes packets flows max_bytes | max_bytes false 0"},
		{report.Change{Sort: "dstaddr"}, "error"},
		{report.Change{By: []string{"srcaddr", "src_addr"}}, "error"},
		{report.Change{By: []string{"srcaddr", "srcaddr"}}, "error"},
	} {
		got := "error"
		r, err := base.With(test.c, expr.Scope{Fields: reporttest.Fields()}, nil)
		if err == nil {
			var ks, ms []string
			for _, k := range r.Keys {
				ks = append(ks, k.Name())
			}
			for _, m := range r.Measures {
				ms = append(ms, m.Name)
			}
			got = fmt.Sprintf("%s | %s | %s %v %d", strings.Join(ks, " "), strings.Join(ms, " "), r.Order, r.Reverse, r.Limit)
		}
		reporttest.Want(t, fmt.Sprintf("%+v", test.c), got, test.want)
	}
	reporttest.Want(t, "the report itself afterwards", base, report.Report{Name: "r", Keys: keysOf("srcaddr"), Measures: measuresNamed("bytes packets flows"), Order: "packets", Limit: 10})

	lost := report.Report{Keys: keysOf("srcaddr"), Measures: append(measuresNamed("flows"), report.Measure{Name: "own", Func: "sum", Field: "srcport", Unit: report.Count})}
	for _, c := range []report.Change{{Measures: []string{"bytes", "own"}}, {Measures: []string{"bytes"}, Sort: "own"}, {Sort: "-own"}} {
		r, err := lost.With(c, expr.Scope{Fields: reporttest.Fields()}, nil)
		if i := r.Measure("own"); err != nil || i < 0 || r.Measures[i] != lost.Measures[1] || c.Sort != "" && r.Order != "own" {
			t.Errorf("%+v: got %+v, %v, want the report's own measure", c, r, err)
		}
	}

	one, _ := base.With(report.Change{Sort: "first"}, expr.Scope{Fields: reporttest.Fields()}, nil)
	two, _ := base.With(report.Change{Sort: "last"}, expr.Scope{Fields: reporttest.Fields()}, nil)
	reporttest.Want(t, "two changes of one report", one.Measures[3].Name+" "+two.Measures[3].Name, "first last")

	for _, test := range []struct {
		c       report.Change
		message string
	}{
		{report.Change{By: []string{"srcadr"}}, `unknown field "srcadr": did you mean srcaddr?`},
		{report.Change{By: []string{"action", "action"}}, "by names action twice"},
		{report.Change{Measures: []string{"packet"}}, "did you mean packets?"},
		{report.Change{Measures: []string{"distinct(dstpot)"}}, "did you mean dstport?"},
		{report.Change{Sort: "byts"}, "sort: unknown measure \"byts\": did you mean bytes?"},
	} {
		if _, err := base.With(test.c, expr.Scope{Fields: reporttest.Fields()}, nil); err == nil || !strings.Contains(err.Error(), test.message) {
			t.Errorf("%+v: got %v, want an error with %q", test.c, err, test.message)
		}
	}
}

func TestTiesGoByTheKeys(t *testing.T) {
	rows := reporttest.RowsOf(`srcaddr dstport bytes
10.0.0.2 9 5
10.0.0.10 10 5
- 9 5
10.0.0.10 - 5
10.0.0.10 9 5
10.0.0.3 1 -
10.0.0.3 0 -
10.0.0.4 1 6`)
	r := changed(t, "talkers", report.Change{By: []string{"srcaddr", "dstport"}, Measures: []string{"bytes"}, Top: 0})
	reporttest.Want(t, "the most first, addresses as text, ports as numbers, nulls last", table(t, r, rows).Rows,
		"[[10.0.0.4 1 6] [10.0.0.10 9 5] [10.0.0.10 10 5] [10.0.0.10 <nil> 5] [10.0.0.2 9 5] [<nil> 9 5] [10.0.0.3 0 <nil>] [10.0.0.3 1 <nil>]]")
	r.Reverse = true
	reporttest.Want(t, "the least first, nulls still last", table(t, r, rows).Rows,
		"[[10.0.0.10 9 5] [10.0.0.10 10 5] [10.0.0.10 <nil> 5] [10.0.0.2 9 5] [<nil> 9 5] [10.0.0.4 1 6] [10.0.0.3 0 <nil>] [10.0.0.3 1 <nil>]]")
	r.Order = "dstport"
	reporttest.Want(t, "by a key, the largest first", table(t, r, rows).Rows,
		"[[10.0.0.10 10 5] [10.0.0.10 9 5] [10.0.0.2 9 5] [<nil> 9 5] [10.0.0.3 1 <nil>] [10.0.0.4 1 6] [10.0.0.3 0 <nil>] [10.0.0.10 <nil> 5]]")
	for limit := 1; limit <= len(rows); limit++ {
		all := table(t, r, rows).Rows
		cut := r
		cut.Limit = limit
		reporttest.Want(t, fmt.Sprintf("the first %d", limit), table(t, cut, rows).Rows, all[:limit])
	}
}

func TestOthersAndTotals(t *testing.T) {
	rows := reporttest.RowsOf(`srcaddr dstport bytes start end
10.0.0.1 1 100 10 20
10.0.0.2 1 50 9 30
10.0.0.2 2 - 8 31
10.0.0.3 2 7 7 32
10.0.0.3 3 - - -
- 3 - 6 33`)
	r := changed(t, "talkers", report.Change{Measures: strings.Fields("bytes flows first last distinct(dstport) max(bytes)"), Top: 1})
	got := table(t, r, rows)
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	reporttest.Want(t, "rows", got.Rows, [][]any{{"10.0.0.1", 100, 1, at(10), at(20), 1, 100}})
	reporttest.Want(t, "totals", got.Totals, []any{nil, 157, 6, at(6), at(33), 3, 100})
	reporttest.Want(t, "cut", got.Cut, 3)
	reporttest.Want(t, "others", got.Others, []any{nil, 57, 5, at(6), at(33), 3, 50})
	r.Limit = 4
	got = table(t, r, rows)
	reporttest.Want(t, "nothing is cut", []any{len(got.Rows), got.Cut, got.Others == nil}, "[4 0 true]")
	r.Limit = 3
	reporttest.Want(t, "others of a group without bytes", table(t, r, rows).Others, []any{nil, nil, 1, at(6), at(33), 1, nil})

	// What a condition on rows excludes is neither shown nor cut.
	r = changed(t, "talkers", report.Change{Measures: strings.Fields("bytes flows"), Having: "flows > 1", Top: 1})
	got = table(t, r, rows)
	reporttest.Want(t, "rows that meet a condition", got.Rows, [][]any{{"10.0.0.2", 50, 2}})
	reporttest.Want(t, "cut and excluded", []any{got.Cut, got.Excluded}, "[1 2]")
	reporttest.Want(t, "others meet it too", got.Others, []any{nil, 7, 2})
	reporttest.Want(t, "totals", got.Totals, []any{nil, 157, 6})
	r.Limit = 0
	got = table(t, r, rows)
	reporttest.Want(t, "nothing is cut", []any{len(got.Rows), got.Cut, got.Others == nil, got.Excluded}, "[2 0 true 2]")
}

// TestGapOfOthers: what one interface logs fills no gap of another.
func TestGapOfOthers(t *testing.T) {
	rows := reporttest.RowsOf(`interface_id start end
eni-1 0 10
eni-1 1000 1010
eni-2 5 20
eni-2 500 520
eni-3 0 600
eni-3 590 1010
- - -`)
	r := changed(t, "quality", report.Change{Measures: []string{"longest_gap"}, Top: 1})
	got := table(t, r, rows)
	reporttest.Want(t, "rows", got.Rows, [][]any{{"eni-1", 990}})
	reporttest.Want(t, "others", got.Others, []any{nil, 480})
	reporttest.Want(t, "totals", got.Totals, []any{nil, 990})
	reporttest.Want(t, "on disk", result(spilled(t, []report.Report{r}, rows, 1, 2)[0]), result(got))
}

func TestOneRowWithoutKeys(t *testing.T) {
	r := changed(t, "summary", report.Change{Top: 5})
	got := table(t, r, reporttest.RowsOf("srcaddr bytes log_status action\n10.0.0.1 5 OK ACCEPT\n10.0.0.1 6 - REJECT\n- - NODATA -\n- - SKIPDATA -"))
	reporttest.Want(t, "row", got.Rows, "[[2 11 <nil> <nil> <nil> 1 1 1 1 3 1 <nil> <nil>]]")
	reporttest.Want(t, "totals, others", []any{got.Totals == nil, got.Others == nil}, "[true true]")
}

func TestOnlyFlowsCount(t *testing.T) {
	rows := reporttest.RowsOf(`interface_id bytes action log_status
eni-1 1 REJECT OK
eni-1 2 REJECT -
eni-1 4 REJECT NODATA
eni-1 8 REJECT SKIPDATA
eni-2 16 ACCEPT NODATA
eni-1 32 REJECT PARTIAL`)
	reporttest.Want(t, "flows only", table(t, changed(t, "interfaces", report.Change{Top: 0}), rows).Rows, "[[eni-1 3 <nil> 2]]")
	r := changed(t, "interfaces", report.Change{Measures: []string{"bytes", "nodata", "skipdata"}})
	reporttest.Want(t, "with NODATA and SKIPDATA", table(t, r, rows).Rows, "[[eni-1 3 1 1] [eni-2 <nil> 1 0]]")
	r.Where = parsed("action = REJECT")
	reporttest.Want(t, "rejected with NODATA and SKIPDATA", table(t, r, rows).Rows, "[[eni-1 3 1 1]]")
}

// Among the rows that meet a condition there may be as many as have no log-status in the whole batch.
func TestFlowsAmongSomeRows(t *testing.T) {
	r := changed(t, "rejected", report.Change{Measures: []string{"flows", "nodata"}})
	rows := reporttest.RowsOf("srcaddr action log_status\n10.0.0.1 ACCEPT -\n10.0.0.2 REJECT NODATA")
	reporttest.Want(t, "a rejected NODATA beside a flow without log-status", table(t, r, rows).Rows, "[[10.0.0.2 0 1]]")
}

func TestSumOverflow(t *testing.T) {
	top := fmt.Sprint(math.MaxInt64)
	r := changed(t, "talkers", report.Change{Top: 0})
	rows := []reporttest.Row{{"srcaddr": "10.0.0.1", "bytes": top, "packets": "1"}, {"srcaddr": "10.0.0.1", "bytes": "0", "packets": "1"}}
	reporttest.Want(t, "2^63-1", table(t, r, rows).Rows, "[[10.0.0.1 9223372036854775807 2 2]]")
	rows = append(rows, reporttest.Row{"srcaddr": "10.0.0.1", "bytes": "1", "packets": "1"})
	for _, workers := range []int{1, 3} {
		for _, size := range []int{1, 3} {
			if _, _, err := aggregate(t, []report.Report{r}, rows, workers, size); !errors.Is(err, function.ErrSum) {
				t.Errorf("2^63 with %d workers and batches of %d: got %v, want %v", workers, size, err, function.ErrSum)
			}
		}
	}
	rows = []reporttest.Row{{"srcaddr": "10.0.0.1", "bytes": top}, {"srcaddr": "10.0.0.1", "bytes": top}, {"srcaddr": "10.0.0.1", "bytes": "2"}}
	if _, _, err := aggregate(t, []report.Report{r}, rows, 1, 3); !errors.Is(err, function.ErrSum) {
		t.Errorf("2^64 in one batch: got %v, want %v", err, function.ErrSum)
	}
}

// A total that is left out without a word would be taken for nothing.
func TestTotalOverflow(t *testing.T) {
	top := fmt.Sprint(math.MaxInt64)
	rows := []reporttest.Row{{"srcaddr": "10.0.0.1", "bytes": top}, {"srcaddr": "10.0.0.2", "bytes": top}, {"srcaddr": "10.0.0.3", "bytes": "2"}}
	for _, limit := range []int{0, 1} {
		if tables, _, err := aggregate(t, []report.Report{changed(t, "talkers", report.Change{Top: limit})}, rows, 1, 3); !errors.Is(err, function.ErrSum) {
			t.Errorf("groups that add up to 2^64 with limit %d: got %v, %v, want %v", limit, tables, err, function.ErrSum)
		}
	}
}

func TestLacking(t *testing.T) {
	rows := reporttest.RowsOf("srcaddr packets log_status\n10.0.0.1 5 OK\n10.0.0.2 - OK\n10.0.0.3 9 OK")
	reports := []report.Report{
		changed(t, "rejected", report.Change{Top: -1}),
		changed(t, "talkers", report.Change{Top: -1}),
		changed(t, "pairs", report.Change{By: []string{"srcaddr", "dstaddr", "src_country", "dst_country", "tgw_id"}}),
		changed(t, "ports", report.Change{By: []string{"src_city"}, Measures: []string{"flows"}}),
	}
	tables, lacks, err := aggregate(t, reports, rows, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	reporttest.Want(t, "lacking", lacks, "[rejected needs action, which these logs do not have: add ${action} to the format of the flow log "+
		"pairs needs dstaddr and dst_country and tgw_id, which these logs do not have: add ${dstaddr} ${tgw-id} to the format of the flow log]")
	reporttest.Want(t, "the others", []string{tables[0].Name, tables[1].Name}, "[talkers ports]")
	reporttest.Want(t, "ordered by the first measure that there is", tables[0].Rows, "[[10.0.0.3 <nil> 9 1] [10.0.0.1 <nil> 5 1] [10.0.0.2 <nil> <nil> 1]]")
	reporttest.Want(t, "column of the order", tables[0].Columns[tables[0].Order].Name, "packets")
	reporttest.Want(t, "notes", tables[0].Notes, "[these logs have no bytes: add ${bytes} to the format of the flow log]")
	reporttest.Want(t, "a field that could have been computed", tables[1].Rows, "[[<nil> 3]]")

	_, lacks, _ = aggregate(t, reports, reporttest.RowsOf("srcaddr log_status\n- NODATA"), 1, 1)
	reporttest.Want(t, "without flows nothing is lacking", lacks, "[]")
}

// Whether a field is there must not depend on which records came in one batch.
func TestLackingIsAboutFlows(t *testing.T) {
	rows := reporttest.RowsOf("interface_id bytes log_status\n- 5 OK\neni-1 - NODATA\n- 6 OK")
	for _, size := range []int{1, 2, 3} {
		_, lacks, err := aggregate(t, []report.Report{changed(t, "interfaces", report.Change{Top: -1})}, rows, 1, size)
		if err != nil {
			t.Fatal(err)
		}
		reporttest.Want(t, fmt.Sprintf("lacking in batches of %d", size), lacks, "[interfaces needs interface_id, which these logs do not have: add ${interface-id} to the format of the flow log]")
	}
}

// wrapNames stands in for enrichment: it computes protocol_name.
func wrapNames(p *schema.Projection, next schema.Emit) schema.Emit {
	return func(b schema.Batch) error {
		var cols []arrow.Array
		for _, f := range p.Fields {
			if f.Name != "protocol_name" {
				cols = append(cols, expr.Column(b.Record, f.Name))
				continue
			}
			c := schema.NewColumn(f)
			in := expr.Column(b.Record, "protocol").(*array.Int32)
			for row := range in.Len() {
				if in.IsNull(row) {
					c.Null()
				} else {
					c.Text("name of " + fmt.Sprint(in.Value(row)))
				}
			}
			cols = append(cols, c.Array())
		}
		return next(schema.Batch{Record: array.NewRecord(p.Fields.Arrow(), cols, b.NumRows()), Worker: b.Worker})
	}
}

func TestLabels(t *testing.T) {
	for _, test := range []struct {
		by            []string
		columns, rows string
	}{
		{[]string{"srcaddr", "protocol"}, "[srcaddr protocol protocol_name flows]", "[[10.0.0.1 17 name of 17 2] [10.0.0.1 6 name of 6 1] [10.0.0.2 <nil> <nil> 1]]"},
		{[]string{"srcaddr"}, "[srcaddr flows]", "[[10.0.0.1 3] [10.0.0.2 1]]"},
		// what is a key already is no label too
		{[]string{"protocol_name", "protocol"}, "[protocol_name protocol flows]", "[[name of 17 17 2] [name of 6 6 1] [<nil> <nil> 1]]"},
		{[]string{"protocol", "protocol_name"}, "[protocol protocol_name flows]", "[[17 name of 17 2] [6 name of 6 1] [<nil> <nil> 1]]"},
	} {
		agg, err := New(reporttest.Fields(), []report.Report{changed(t, "protocols", report.Change{By: test.by, Measures: []string{"flows"}})}, 1)
		if err != nil {
			t.Fatal(err)
		}
		p := agg.Projection()
		rec := reporttest.NewFeeder(p.Logged()).Record(t, reporttest.RowsOf("srcaddr protocol\n10.0.0.1 6\n10.0.0.1 17\n10.0.0.1 17\n10.0.0.2 -"))
		if err := wrapNames(p, agg.Add)(schema.Batch{Record: rec}); err != nil {
			t.Fatal(err)
		}
		tables, _, err := agg.Tables(schema.Stats{Flows: 4}, wrapNames)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for i, c := range tables[0].Columns {
			names = append(names, c.Name)
			if c.Role == report.LabelRole && (tables[0].Columns[c.Of].Name != "protocol" || !c.InPlace || i != c.Of+1) {
				t.Errorf("%v: label %+v: want it behind protocol, in place of it", test.by, c)
			}
		}
		reporttest.Want(t, fmt.Sprint(test.by, " columns"), names, test.columns)
		reporttest.Want(t, fmt.Sprint(test.by, " rows"), tables[0].Rows, test.rows)
	}
}

// Two columns of one name make CSV, JSON and Parquet that cannot be read back. A change may be refused for it.
func TestColumnsHaveDifferentNames(t *testing.T) {
	for _, by := range [][]string{{"srcaddr", "bytes"}, {"packets"}, {"protocol", "protocol_name"}, {"protocol_name", "protocol"}} {
		r, err := report.Catalog()[1].With(report.Change{By: by}, expr.Scope{Fields: reporttest.Fields()}, nil)
		if err != nil {
			continue
		}
		agg, err := New(reporttest.Fields(), []report.Report{r}, 1)
		if err != nil {
			t.Fatal(err)
		}
		tables, _, err := agg.Tables(schema.Stats{}, wrapNames)
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for _, c := range tables[0].Columns {
			if seen[c.Name] {
				t.Errorf("--by %s: there are two columns %s", strings.Join(by, ","), c.Name)
			}
			seen[c.Name] = true
		}
	}
}

// Times are ordered right up to the latest that a record can hold.
func TestOrderOfTimes(t *testing.T) {
	rows := reporttest.RowsOf("srcaddr end\n10.0.0.1 9000000000\n10.0.0.2 10000000000\n10.0.0.3 -\n10.0.0.4 1700000000")
	r := changed(t, "talkers", report.Change{Measures: []string{"last"}, Top: 0})
	var got []any
	for _, row := range table(t, r, rows).Rows {
		got = append(got, row[0])
	}
	reporttest.Want(t, "latest first", got, "[10.0.0.2 10.0.0.1 10.0.0.4 10.0.0.3]")
}

func TestDistinctAddressesAreOnesOfBothKinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	seen := make(map[string]bool)
	var rows []reporttest.Row
	for range 20_000 { // more than the first tables hold
		b := [16]byte{10: 0xff, 11: 0xff}
		if r.IntN(2) == 0 {
			b = [16]byte{0x20, 0x01}
		}
		b[14], b[15] = byte(r.IntN(64)), byte(r.IntN(256))
		addr := netip.AddrFrom16(b).Unmap().String()
		seen[addr] = true
		rows = append(rows, reporttest.Row{"srcaddr": addr})
	}
	reports := []report.Report{changed(t, "talkers", report.Change{Measures: []string{"flows"}, Top: 0}), changed(t, "summary", report.Change{Measures: []string{"distinct(srcaddr)"}})}
	tables, _, err := aggregate(t, reports, rows, 3, 1000)
	if err != nil {
		t.Fatal(err)
	}
	reporttest.Want(t, "groups", len(tables[0].Rows), len(seen))
	reporttest.Want(t, "distinct", tables[1].Rows, [][]any{{len(seen)}})
}

// benchBatches makes batches of 10,000 records, whose 200,000 source addresses come as often as Zipf says, as
// in real traffic.
func benchBatches(b *testing.B, p *schema.Projection, batches int) []arrow.Record {
	r := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(r, 1.1, 4, 199_999)
	addr := func(n uint64) string {
		n = n * 2654435761 % (1 << 32)
		return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
	}
	feed := reporttest.NewFeeder(p)
	var out []arrow.Record
	for range batches {
		rows := make([]reporttest.Row, 10_000)
		for i := range rows {
			rows[i] = reporttest.Row{
				"interface_id": fmt.Sprint("eni-", r.IntN(500)), "srcaddr": addr(zipf.Uint64()), "dstaddr": fmt.Sprintf("10.0.%d.%d", r.IntN(8), r.IntN(250)),
				"dstport": []string{"443", "22", "53", "3389", fmt.Sprint(1024 + r.IntN(60000))}[r.IntN(5)], "protocol": []string{"6", "6", "17"}[r.IntN(3)],
				"packets": fmt.Sprint(1 + r.IntN(100)), "bytes": fmt.Sprint(40 + r.IntN(100_000)), "start": fmt.Sprint(1700000000 + i), "end": fmt.Sprint(1700000060 + i),
				"action": []string{"ACCEPT", "ACCEPT", "ACCEPT", "REJECT"}[r.IntN(4)], "log_status": schema.StatusOK,
			}
			if r.IntN(100) == 0 {
				rows[i] = reporttest.Row{"interface_id": rows[i]["interface_id"], "start": rows[i]["start"], "end": rows[i]["end"], "log_status": schema.StatusNoData}
			}
		}
		out = append(out, feed.Record(b, rows))
		for i, c := range feed.Cols { // the record keeps its memory
			feed.Cols[i] = &schema.Column{Field: c.Field, Dict: c.Dict}
		}
	}
	return out
}

// BenchmarkAdd is the cost of a batch of 10,000 records, averaged over the first million of a worker.
func BenchmarkAdd(b *testing.B) {
	reports := map[string][]report.Report{"overview": report.Overview()}
	for _, r := range report.Catalog() {
		reports[r.Name] = []report.Report{r}
	}
	scope := expr.Scope{Fields: schema.Logged(), Number: func(string, string) []int64 { return []int64{6} }}
	for _, p := range report.Dashboard() {
		r, _ := report.Named(p.Report)
		if r, err := r.With(p.Change, scope, nil); err == nil {
			reports["dashboard"] = append(reports["dashboard"], r)
		}
	}
	for _, name := range []string{"talkers", "pairs", "rejected", "overview", "dashboard"} {
		b.Run(name, func(b *testing.B) {
			agg, err := New(reporttest.Fields(), reports[name], 1)
			if err != nil {
				b.Fatal(err)
			}
			batches := benchBatches(b, agg.Projection(), 100)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i == len(batches) {
					i = 0
					if agg, err = New(reporttest.Fields(), reports[name], 1); err != nil {
						b.Fatal(err)
					}
				}
				if err := agg.Add(schema.Batch{Record: batches[i]}); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/record")
		})
	}
}

// parsed is a condition on logged fields.
func parsed(text string) expr.Expr {
	e, err := expr.Parse(text, expr.Scope{Fields: schema.Logged()})
	if err != nil {
		panic(err)
	}
	return e
}

// measuresNamed are measures by their names.
func measuresNamed(names string) []report.Measure {
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

// keysOf are keys by their names.
func keysOf(names string) []report.Key {
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

// asTime is a time in Unix seconds.
func asTime(v any) any {
	if s, ok := v.(int64); ok {
		return time.Unix(s, 0).UTC()
	}
	return v
}

// dialectOf is a dialect of SQL by its name.
func dialectOf(t testing.TB, name string) sql.Dialect {
	t.Helper()
	i := slices.IndexFunc(sql.Dialects(), func(d sql.Dialect) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no dialect %s", name)
	}
	return sql.Dialects()[i]
}
