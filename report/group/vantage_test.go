package group

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/pass"
	"flowlog/report/reporttest"
)

// seen computes a report of rows through a Vantage.
func seen(t *testing.T, mode string, r report.Report, rows []reporttest.Row, workers, size int) (report.Table, *pass.Vantage) {
	t.Helper()
	known := append(reporttest.Fields(), pass.VantageFields()...)
	agg, err := New(known, []report.Report{r}, workers)
	if err != nil {
		t.Fatal(err)
	}
	v, p, err := pass.NewVantage(mode, known, agg.Projection())
	if err != nil {
		t.Fatal(err)
	}
	feed := reporttest.NewFeeder(p.Logged())
	stats := schema.Stats{Records: int64(len(rows)), Flows: int64(len(rows))}
	for i := 0; i < len(rows); i += size {
		if err := v.Add(schema.Batch{Record: feed.Record(t, rows[i:min(i+size, len(rows))])}); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Emit(workers, agg.Add); err != nil {
		t.Fatal(err)
	}
	tables, lacks, err := agg.Tables(stats, nil)
	if err != nil || len(lacks) > 0 {
		t.Fatal(err, lacks)
	}
	return tables[0], v
}

const zonalNAT = `interface_id srcaddr dstaddr pkt_srcaddr pkt_dstaddr bytes
eni-nat 10.8.1.9 10.8.0.77 10.8.1.9 198.51.100.4 100
eni-nat 10.8.0.77 198.51.100.4 10.8.0.77 198.51.100.4 100
eni-nat 198.51.100.4 10.8.0.77 198.51.100.4 10.8.0.77 900
eni-nat 10.8.0.77 10.8.1.9 198.51.100.4 10.8.1.9 900
eni-app 10.8.1.9 198.51.100.4 10.8.1.9 198.51.100.4 100
eni-app 198.51.100.4 10.8.1.9 198.51.100.4 10.8.1.9 900`

const regionalNAT = `resource_id interface_id srcaddr dstaddr pkt_srcaddr pkt_dstaddr bytes
nat-1 - 10.8.1.9 198.51.100.4 10.8.1.9 198.51.100.4 100
nat-1 - 203.0.113.50 198.51.100.4 203.0.113.50 198.51.100.4 100
nat-1 - 198.51.100.4 203.0.113.50 198.51.100.4 203.0.113.50 900
nat-1 - 198.51.100.4 10.8.1.9 198.51.100.4 10.8.1.9 900
- eni-app 10.8.1.9 198.51.100.4 10.8.1.9 198.51.100.4 100
- eni-app 198.51.100.4 10.8.1.9 198.51.100.4 10.8.1.9 900`

const transitGateway = `interface_id srcaddr dstaddr srcport dstport protocol pkt_srcaddr pkt_dstaddr bytes
eni-app 10.20.3.4 10.40.2.6 39812 80 6 10.20.3.4 10.40.2.6 100
eni-app 10.40.2.6 10.20.3.4 80 39812 6 10.40.2.6 10.20.3.4 900
eni-tgw1 10.40.1.5 10.40.2.6 39812 80 6 10.20.3.4 10.40.2.6 100
eni-tgw2 10.40.2.6 10.40.2.31 80 39812 6 10.40.2.6 10.20.3.4 900`

// Pods have addresses of their own behind their node's, which logs each exchange once.
const pods = `interface_id srcaddr dstaddr srcport dstport protocol pkt_srcaddr pkt_dstaddr bytes
eni-node 10.1.0.9 10.1.0.4 40000 80 6 10.1.0.9 10.1.0.200 100
eni-node 10.1.0.4 10.1.0.9 80 40000 6 10.1.0.200 10.1.0.9 900
eni-node 10.1.0.9 10.1.0.4 40001 22 6 10.1.0.9 10.1.0.4 10`

// What was let out at one end and refused at the other is both.
const refused = `interface_id srcaddr dstaddr srcport dstport protocol action bytes start end
eni-a 10.1.0.9 10.1.0.4 40000 22 6 ACCEPT 40 1700000000 1700000030
eni-b 10.1.0.9 10.1.0.4 40000 22 6 REJECT 40 1700000001 1700000031
eni-a 10.1.0.9 10.1.0.7 40000 22 6 ACCEPT 40 1700000000 1700000030
eni-b 10.1.0.8 10.1.0.4 40000 22 6 REJECT 40 1700000001 1700000031`

func TestVantageCountsEachExchangeOncePerDirection(t *testing.T) {
	for name, test := range map[string]struct{ log, want string }{
		"zonal NAT gateway":    {zonalNAT, "[198.51.100.4 10.8.1.9 900 1] [10.8.1.9 198.51.100.4 100 1]"},
		"regional NAT gateway": {regionalNAT, "[198.51.100.4 10.8.1.9 900 1] [10.8.1.9 198.51.100.4 100 1]"},
		"transit gateway":      {transitGateway, "[10.40.2.6 10.20.3.4 900 1] [10.20.3.4 10.40.2.6 100 1]"},
	} {
		r := changed(t, "packet-pairs", report.Change{Measures: []string{"bytes", "flows"}, Top: -1})
		got, v := seen(t, "dedupe", r, reporttest.RowsOf(test.log), 1, 10)
		reporttest.Want(t, name, got.Rows, "["+test.want+"]")
		reporttest.Want(t, name+": total", v.Total.Flows-v.Double.Flows, 2)
		// the addresses that are shown are the packets' own
		got, _ = seen(t, "dedupe", changed(t, "pairs", report.Change{Measures: []string{"bytes", "flows"}, Top: -1}), reporttest.RowsOf(test.log), 1, 1)
		reporttest.Want(t, name+": as shown", got.Rows, "["+test.want+"]")
		got, _ = seen(t, "all", r, reporttest.RowsOf(test.log), 2, 1)
		reporttest.Want(t, name+": all", got.Totals[3], len(reporttest.RowsOf(test.log)))
	}
	got, _ := seen(t, "dedupe", changed(t, "summary", report.Change{Measures: []string{"bytes", "flows"}, Top: -1}), reporttest.RowsOf(pods), 1, 10)
	reporttest.Want(t, "pods", got.Rows, "[[1010 3]]")
	got, _ = seen(t, "dedupe", changed(t, "actions", report.Change{Measures: []string{"flows"}, Top: -1}), reporttest.RowsOf(refused), 1, 10)
	reporttest.Want(t, "refused at the other end", got.Rows, "[[ACCEPT 2] [REJECT 2]]")
}

func TestVantageOfOneSide(t *testing.T) {
	log := `interface_id srcaddr dstaddr srcport dstport protocol bytes start end
eni-a 10.1.0.1 10.1.0.2 40000 80 6 100 1700000000 1700000030
eni-b 10.1.0.1 10.1.0.2 40000 80 6 100 1700000001 1700000031
eni-a 10.1.0.2 10.1.0.1 80 40000 6 900 1700000000 1700000030
eni-b 10.1.0.2 10.1.0.1 80 40000 6 900 1700000001 1700000031
eni-a 10.1.0.1 192.0.2.7 40001 443 6 7 1700000000 1700000030
eni-b 192.0.2.8 10.1.0.2 5555 80 6 3 1700000000 1700000030`
	pairs := changed(t, "pairs", report.Change{Measures: []string{"bytes"}, Top: -1})
	got, v := seen(t, "src", pairs, reporttest.RowsOf(log), 1, 10)
	reporttest.Want(t, "src", got.Rows, "[[10.1.0.2 10.1.0.1 900] [10.1.0.1 10.1.0.2 100] [10.1.0.1 192.0.2.7 7]]")
	reporttest.Want(t, "src beside", v.Beside, pass.Tally{Flows: 3, Bytes: 1003})
	got, _ = seen(t, "dst", pairs, reporttest.RowsOf(log), 1, 10)
	reporttest.Want(t, "dst", got.Rows, "[[10.1.0.2 10.1.0.1 900] [10.1.0.1 10.1.0.2 100] [192.0.2.8 10.1.0.2 3]]")
	got, v = seen(t, "dedupe", pairs, reporttest.RowsOf(log), 1, 10)
	reporttest.Want(t, "dedupe", got.Rows, "[[10.1.0.2 10.1.0.1 900] [10.1.0.1 10.1.0.2 100] [10.1.0.1 192.0.2.7 7] [192.0.2.8 10.1.0.2 3]]")
	reporttest.Want(t, "dedupe double", v.Double, pass.Tally{Flows: 2, Bytes: 1000})

	known := append(reporttest.Fields(), pass.VantageFields()...)
	directions, err := report.Catalog()[0].With(report.Change{By: []string{"interface_id", "direction"}, Measures: []string{"bytes"}, Sort: "-interface_id", Top: -1}, expr.Scope{Fields: known}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, _ = seen(t, "", directions, reporttest.RowsOf(log), 2, 1)
	reporttest.Want(t, "direction", got.Rows, "[[eni-b egress 900] [eni-b ingress 103] [eni-a egress 107] [eni-a ingress 900]]")
	// what was logged is believed
	got, _ = seen(t, "", directions, reporttest.RowsOf("interface_id srcaddr dstaddr bytes flow_direction\neni-a 10.1.0.1 10.1.0.2 5 ingress\neni-a 10.1.0.1 10.1.0.3 6 -"), 1, 1)
	reporttest.Want(t, "direction as logged", got.Rows, "[[eni-a egress 6] [eni-a ingress 5]]")
}

// Whatever interfaces are on the way, and however they cut time, what is counted once is what was sent.
func TestVantageDedupeFindsWhatWasSent(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		host := func(n int) string { return fmt.Sprintf("10.0.%d.%d", n/4, 10+n%4) }
		var rows []reporttest.Row
		var sent int64
		for n := range 200 {
			src, dst := r.IntN(8), 8+r.IntN(8)
			if r.IntN(2) == 0 {
				src, dst = dst, src
			}
			start := 1700000000 + 1000*int64(n)
			var watched []string
			for _, h := range []int{src, dst} {
				if h%4 != 3 { // some hosts are not watched
					watched = append(watched, host(h))
				}
			}
			record := func(eni string, from, length, bytes int64) reporttest.Row {
				return reporttest.Row{
					"interface_id": "eni-" + eni, "srcaddr": host(src), "dstaddr": host(dst), "srcport": fmt.Sprint(1024 + n), "dstport": "443", "protocol": "6",
					"bytes": fmt.Sprint(bytes), "start": fmt.Sprint(from), "end": fmt.Sprint(from + length), "action": "ACCEPT", "log_status": "OK",
				}
			}
			if len(watched) > 0 {
				sent += 600
			}
			for _, eni := range watched {
				from := start + int64(r.IntN(20))
				if r.IntN(2) == 0 {
					rows = append(rows, record(eni, from, 120, 600))
				} else { // the same in two intervals
					rows = append(rows, record(eni, from, 50, 200), record(eni, from+60, 60, 400))
				}
			}
			if len(watched) > 0 && r.IntN(3) == 0 { // a transit gateway on the way hides the source
				hop := record("tgw", start+int64(r.IntN(20)), 120, 600)
				hop["pkt_srcaddr"], hop["srcaddr"] = hop["srcaddr"], "10.9.9.9"
				rows = append(rows, hop)
			}
		}
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		total := changed(t, "summary", report.Change{Measures: []string{"bytes"}, Top: -1})
		talkers := changed(t, "talkers", report.Change{Top: 0})
		var first string
		for _, workers := range []int{1, 8} {
			got, v := seen(t, "dedupe", total, rows, workers, 1+r.IntN(50))
			if got.Rows[0][0] != sent || v.Total.Bytes-v.Double.Bytes != sent {
				t.Errorf("seed %d: got %v bytes, want %d of %d", seed, got.Rows[0][0], sent, v.Total.Bytes)
			}
			got, _ = seen(t, "dedupe", talkers, rows, workers, 1+r.IntN(50))
			if first == "" {
				first = result(got)
			}
			reporttest.Want(t, "talkers do not depend on workers", result(got), first)
		}
	}
}

func TestVantageNeedsInterfaces(t *testing.T) {
	known := append(reporttest.Fields(), pass.VantageFields()...)
	agg, err := New(known, []report.Report{report.Catalog()[0]}, 1)
	if err != nil {
		t.Fatal(err)
	}
	v, p, err := pass.NewVantage("dedupe", known, agg.Projection())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Add(schema.Batch{Record: reporttest.NewFeeder(p.Logged()).Record(t, reporttest.RowsOf("srcaddr dstaddr\n10.0.0.1 10.0.0.2"))}); err != nil {
		t.Fatal(err)
	}
	if err := v.Emit(1, agg.Add); err == nil || !strings.Contains(err.Error(), "${interface-id}") {
		t.Errorf("got %v, want an error that says what to log", err)
	}
}

// One flow may have any number of records.
func TestVantageOfALongFlow(t *testing.T) {
	const windows = 20_000
	var rows []reporttest.Row
	for n := range windows {
		for _, eni := range []string{"eni-a", "eni-b"} {
			rows = append(rows, reporttest.Row{
				"interface_id": eni, "srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "srcport": "40000", "dstport": "443", "protocol": "6", "bytes": "1",
				"start": fmt.Sprint(1700000000 + 60*n), "end": fmt.Sprint(1700000060 + 60*n), "action": "ACCEPT", "log_status": "OK",
			})
		}
	}
	got, _ := seen(t, "dedupe", changed(t, "summary", report.Change{Measures: []string{"bytes"}, Top: -1}), rows, 2, 1000)
	reporttest.Want(t, "bytes of a long flow", got.Rows, fmt.Sprintf("[[%d]]", windows))
}

// Nor does it take long to decide on a flow that any number of interfaces saw, each at a time of its own.
func TestVantageOfAFlowOfManyInterfaces(t *testing.T) {
	const interfaces = 60_000
	record := func(eni string, from, to int) reporttest.Row {
		return reporttest.Row{
			"interface_id": eni, "srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "srcport": "40000", "dstport": "443", "protocol": "6", "bytes": "1",
			"start": fmt.Sprint(1700000000 + from), "end": fmt.Sprint(1700000000 + to), "log_status": "OK",
		}
	}
	var rows []reporttest.Row
	for n := range interfaces {
		rows = append(rows, record(fmt.Sprintf("eni-%06d", n), 200*n, 200*n+10))
	}
	rows = append(rows, record("eni-z", 0, 200*interfaces))
	got, _ := seen(t, "dedupe", changed(t, "summary", report.Change{Measures: []string{"bytes"}, Top: -1}), rows, 2, 1000)
	reporttest.Want(t, "bytes", got.Rows, fmt.Sprintf("[[%d]]", interfaces))
}
