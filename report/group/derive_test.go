package group

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

// wrapCountries stands in for enrichment: the countries are the last digits of addresses. It counts the rows that it
// looks at.
func wrapCountries(seen *atomic.Int64) Wrap {
	return func(p *schema.Projection, next schema.Emit) schema.Emit {
		return func(b schema.Batch) error {
			seen.Add(b.NumRows())
			var cols []arrow.Array
			for _, f := range p.Fields {
				if len(f.From) == 0 {
					cols = append(cols, expr.Column(b.Record, f.Name))
					continue
				}
				c := schema.NewColumn(f)
				for row := range int(b.NumRows()) {
					var a netip.Addr
					for _, from := range f.From {
						if col := expr.Column(b.Record, from); !a.IsValid() && !col.IsNull(row) {
							a = netip.AddrFrom16(schema.AddrValues(col)[row]).Unmap()
						}
					}
					if text := a.String(); a.IsValid() && text[len(text)-1] != '7' {
						c.Text("land " + text[len(text)-1:])
					} else {
						c.Null()
					}
				}
				cols = append(cols, c.Array())
			}
			return next(schema.Batch{Record: array.NewRecord(p.Fields.Arrow(), cols, b.NumRows()), Worker: b.Worker})
		}
	}
}

// TestLookUpForGroups: what is looked up for groups in the end, or for records where it has to be, is the same. The
// fields that the records have change on the way.
func TestLookUpForGroups(t *testing.T) {
	var reports []report.Report
	for _, c := range []report.Change{
		{By: strings.Fields("srcaddr dstaddr")},
		{By: strings.Fields("srcaddr")},
		{By: strings.Fields("dstaddr"), Where: "action = REJECT"},
		{By: strings.Fields("src_country")},
		{By: strings.Fields("src_country dst_country"), Measures: strings.Fields("flows first last rejected")},
		{By: strings.Fields("src_country dst_country"), Measures: strings.Fields("rejected flows")},
		{By: strings.Fields("srcaddr action"), Measures: strings.Fields("rejected flows")},
		{By: strings.Fields("srcaddr dstaddr action"), Measures: strings.Fields("flows count(bytes)")},
		{By: strings.Fields("dst_country srcaddr"), Measures: strings.Fields("bytes flows"), Sort: "flows"},
		{By: strings.Fields("srcaddr/24 dst_country"), Measures: strings.Fields("packets flows")},
		{By: strings.Fields("dst_country"), Where: "action = REJECT"},
		{By: strings.Fields("dst_country action")},
		{By: strings.Fields("src_country"), Where: "dst_country = 'land 2'"},
		{By: strings.Fields("protocol"), Where: "dst_country is null"},
		{By: strings.Fields("time src_country"), Every: "5m"},
		{By: strings.Fields("pkt_srcaddr pkt_dstaddr")},
		{By: strings.Fields("dst_country"), Measures: strings.Fields("distinct_srcaddr p50(bytes) flows")},
		{By: strings.Fields("srcaddr dst_country protocol"), Measures: strings.Fields("p50(bytes) p95(bytes) p90(packets) flows")},
		{By: strings.Fields("srcaddr protocol"), Measures: strings.Fields("p95(bytes) p99(packets) p90(packets) flows"), Where: "dst_country is null"},
		{By: strings.Fields("protocol srcaddr dstaddr"), Measures: strings.Fields("p50(bytes) p95(bytes) p50(packets) p90(packets) p95(packets) flows")},
	} {
		c.Top = -1
		reports = append(reports, changed(t, "pairs", c))
	}
	reports = append(reports, changed(t, "tcp-flags", report.Change{Top: -1}), changed(t, "scanners", report.Change{Top: -1}), changed(t, "rejected", report.Change{Top: -1}))
	for _, by := range []string{"time", "time action"} {
		c := report.Change{By: strings.Fields(by), Measures: strings.Fields("nodata flows"), Where: "src_country is null", Every: "5m", Top: -1}
		reports = append(reports, changed(t, "timeline", c))
	}
	for seed := range uint64(reporttest.Fewer(10)) {
		rows := reporttest.RandomRows(rand.New(rand.NewPCG(seed, 5)), 400)
		for range 40 * (seed % 2) { // the first batch has no flows
			rows = slices.Insert(rows, 0, reporttest.Row{"log_status": schema.StatusNoData, "interface_id": "eni-1", "start": "1600000000"})
		}
		for i, r := range rows {
			if seed == 9 {
				delete(r, "srcaddr")
				delete(r, "pkt_srcaddr")
			}
			if late := i >= 200; seed%3 == 0 || seed%3 == 1 && !late { // pkt_srcaddr never comes, or comes late
				delete(r, "pkt_srcaddr")
			}
			if seed > 5 && i < 100 {
				delete(r, "tcp_flags")
			}
			if r["bytes"] == "9007199254740993" {
				r["bytes"] = "7"
			}
			if seed == 5 && reporttest.IsFlow(r) {
				r["pkt_dstaddr"] = "192.0.2.2"
			}
		}
		for _, workers := range []int{1, 3} {
			for _, memory := range []int64{0, 1} {
				var seen atomic.Int64
				all := lookedUp(t, reports, rows, workers, memory, wrapCountries(&seen))
				for i, r := range reports {
					alone := lookedUp(t, []report.Report{r}, rows, 1, 0, nil)
					all[i].Notes, alone[0].Notes = nil, nil
					if g, w := result(all[i]), result(alone[0]); g != w {
						t.Errorf("seed %d, %d workers, memory %d: by %v where %v:\n got %s\nwant %s", seed, workers, memory, r.Keys, r.Where, g, w)
					}
				}
			}
		}
	}
}

// TestAbsentAlternative: where one of two alternatives is on a field that no flow has, the other one is still tested of groups
// that are derived from those of a finer report.
func TestAbsentAlternative(t *testing.T) {
	rows := reporttest.RowsOf("srcaddr dstport")
	for i := range 40 {
		rows = append(rows, reporttest.Row{"srcaddr": "10.0.0.1", "dstport": fmt.Sprint(20 + i%4)})
	}
	reports := []report.Report{
		changed(t, "talkers", report.Change{By: []string{"srcaddr", "dstport"}, Measures: []string{"flows"}}),
		changed(t, "talkers", report.Change{By: []string{"srcaddr"}, Measures: []string{"flows"}, Where: "dstport = 22 or tcp_flags = 2"}),
	}
	tables, _, err := aggregate(t, reports, rows, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	reporttest.Want(t, "rows", tables[1].Rows, "[[10.0.0.1 10]]")
}

// TestLookUpOnce: addresses are looked up once where a report groups by them, and not for each record.
func TestLookUpOnce(t *testing.T) {
	rows := reporttest.RowsOf("srcaddr dstaddr bytes")
	for i := range 1000 {
		rows = append(rows, reporttest.Row{"srcaddr": fmt.Sprintf("10.0.0.%d", i%10), "dstaddr": "192.0.2.1", "bytes": "1"})
	}
	rows[500]["tcp_flags"] = "2" // a field that comes late changes nothing of that
	reports := []report.Report{changed(t, "pairs", report.Change{Top: -1}), changed(t, "src-geo", report.Change{By: strings.Fields("src_country"), Top: -1}),
		changed(t, "timeline", report.Change{By: strings.Fields("tcp_flags"), Top: -1})}
	var seen atomic.Int64
	tables := lookedUp(t, reports, rows, 1, 0, wrapCountries(&seen))
	reporttest.Want(t, "rows", len(tables[1].Rows), 10-1+1) // of those that end in 7 nothing is known
	if seen.Load() > 20 {
		t.Errorf("%d values were looked up, of 10 addresses", seen.Load())
	}
	seen.Store(0)
	if alone := lookedUp(t, reports[1:2], rows, 1, 0, wrapCountries(&seen)); !reflect.DeepEqual(alone[0].Rows, tables[1].Rows) {
		t.Errorf("alone %v, together %v", alone[0].Rows, tables[1].Rows)
	}
}

// lookedUp computes reports over batches of 32 rows, enriched by wrap on demand; nil enriches each record.
func lookedUp(t *testing.T, reports []report.Report, rows []reporttest.Row, workers int, memory int64, wrap Wrap) []report.Table {
	t.Helper()
	agg, err := New(reporttest.Fields(), reports, workers)
	if err != nil {
		t.Fatal(err)
	}
	defer agg.Close()
	if memory > 0 {
		agg.Limit(memory, t.TempDir())
	}
	emit := schema.Emit(agg.Add)
	if wrap == nil {
		emit = wrapCountries(new(atomic.Int64))(agg.Projection(), agg.Add)
	} else {
		agg.Enrich(wrap)
	}
	feed := reporttest.NewFeeder(agg.Projection().Logged())
	stats := schema.Stats{}
	for i := 0; i < len(rows); i += 32 {
		batch := rows[i:min(i+32, len(rows))]
		for _, r := range batch {
			if stats.Records++; reporttest.IsFlow(r) {
				stats.Flows++
			}
		}
		if err := emit(schema.Batch{Record: feed.Record(t, batch), Worker: i / 32 % workers}); err != nil {
			t.Fatal(err)
		}
	}
	tables, lacks, err := agg.Tables(stats, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lacks { // a table in its place, to compare
		tables = append(tables[:l.Index], append([]report.Table{{Name: l.Error()}}, tables[l.Index:]...)...)
	}
	return tables
}
