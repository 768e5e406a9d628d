package group

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
	"flowlog/report/sql"
)

// parity is a field that only flowlog knows.
var parity = schema.Field{Name: "parity", Kind: schema.Text, From: []string{"dstport"}}

// wrapParity computes it.
func wrapParity(_ *schema.Projection, next schema.Emit) schema.Emit {
	return func(b schema.Batch) error {
		c := schema.NewColumn(parity)
		ports := expr.Column(b.Record, "dstport").(*array.Int32)
		for i := range ports.Len() {
			if ports.IsNull(i) {
				c.Null()
			} else {
				c.Text([]string{"even", "odd"}[ports.Value(i)&1])
			}
		}
		cols := append(slices.Clone(b.Record.Columns()), c.Array())
		fields := append(b.Record.Schema().Fields(), schema.Table{parity}.Arrow().Fields()...)
		var names schema.Table
		for _, f := range fields {
			if f.Name == parity.Name {
				names = append(names, parity)
				continue
			}
			known, _ := schema.Logged().Lookup(f.Name)
			names = append(names, known)
		}
		return next(schema.Batch{Record: array.NewRecord(names.Arrow(), cols, b.Record.NumRows())})
	}
}

func newRemote(t *testing.T, name string, change report.Change) *Remote {
	t.Helper()
	fields := append(schema.Logged(), parity)
	base, _ := report.Named(name)
	change.Top = max(change.Top, 0)
	r, err := base.With(change, expr.Scope{Fields: fields}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return remoteOf(t, r, fields)
}

func remoteOf(t *testing.T, r report.Report, fields schema.Table) *Remote {
	t.Helper()
	s, err := sql.NewSplit(r, sql.Dialects()[1], fields, "flows")
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewRemote(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func remoteTable(t *testing.T, m *Remote) report.Table {
	t.Helper()
	got, lacks, err := m.Table(wrapParity)
	if err != nil || lacks != nil {
		t.Fatal(err, lacks)
	}
	return got
}

// An engine groups by what a key is computed from; in memory or not, the groups become those of the key.
func TestRemoteRegroups(t *testing.T) {
	for _, limit := range []int64{0, 1} {
		m := newRemote(t, "talkers", report.Change{By: []string{"parity", "protocol"}, Measures: []string{"bytes", "flows", "p50(bytes)", "first"}, Where: "parity is not null and dstport < 30000"})
		if !strings.Contains(m.SQL, "WHERE dstport < 30000\n") || strings.Contains(m.SQL, "parity") {
			t.Errorf("the query is\n%s", m.SQL)
		}
		if limit > 0 {
			m.Limit(limit, t.TempDir())
		}
		for port := range int64(20000) {
			// dstport, protocol, _records, sum(bytes), buckets of bytes, min(start)
			if err := m.Add([]any{port, int64(6), int64(2), int64(20), `{"10": 2}`, 1000 + port}, wrapParity); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Add([]any{nil, nil, int64(5), nil, nil, nil}, wrapParity); err != nil { // which the condition leaves out
			t.Fatal(err)
		}
		got := remoteTable(t, m)
		want := [][]any{
			{"even", int64(6), int64(200000), int64(20000), int64(10), asTime(int64(1000))},
			{"odd", int64(6), int64(200000), int64(20000), int64(10), asTime(int64(1001))},
		}
		if !reflect.DeepEqual(got.Rows, want) {
			t.Errorf("limit %d: got  %v\nwant %v", limit, got.Rows, want)
		}
		if total := []any{nil, nil, int64(400000), int64(40000), int64(10), asTime(int64(1000))}; !reflect.DeepEqual(got.Totals, total) {
			t.Errorf("limit %d: totals %v, want %v", limit, got.Totals, total)
		}
	}
}

// What the engine does not send as rows it sends as one: of distinct values nothing is known then.
func TestRemoteOthers(t *testing.T) {
	m := newRemote(t, "rejected", report.Change{Top: 2, Measures: []string{"flows", "bytes", "distinct(dstport)", "malformed"}})
	// _place, _groups, srcaddr, _records, sum(bytes), distinct, count(action)
	for _, row := range [][]any{
		{int64(2), int64(1), "10.0.0.1", int64(5), int64(50), int64(3)},
		{int64(0), int64(7), "10.0.0.9", int64(8), nil, int64(9)},
		{int64(1), int64(1), "2001:db8::1", int64(6), nil, int64(4)},
	} {
		if err := m.Add(row, nil); err != nil {
			t.Fatal(err)
		}
	}
	got := remoteTable(t, m)
	text := fmt.Sprint(got.Rows, got.Cut, got.Others, got.Totals)
	want := "[[2001:db8::1 6 <nil> 4 <nil>] [10.0.0.1 5 50 3 <nil>]] 7 [<nil> 8 <nil> <nil> <nil>] [<nil> 19 50 <nil> <nil>]"
	if text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// With a condition on rows it sends two: what meets it, and what does not.
func TestRemoteExcluded(t *testing.T) {
	m := newRemote(t, "rejected", report.Change{Top: 1, Having: "flows > 7", Measures: []string{"flows", "bytes"}})
	// _place, _groups, srcaddr, _records, sum(bytes), count(action)
	for _, row := range [][]any{
		{int64(-1), int64(7), "10.0.0.9", int64(12), int64(100)},
		{int64(0), int64(2), "10.0.0.2", int64(16), int64(20)},
		{int64(1), int64(1), "2001:db8::1", int64(9), nil},
	} {
		if err := m.Add(row, nil); err != nil {
			t.Fatal(err)
		}
	}
	reporttest.Want(t, "table", result(remoteTable(t, m)), "rows [[2001:db8::1 9 <nil>]]\ntotals [<nil> 37 120]\nothers of 2 [<nil> 16 20], and 7 excluded")
}

// A group of which the engine says that no flow has an action is neither accepted nor rejected, and an end before the
// start is no duration.
func TestRemoteActions(t *testing.T) {
	m := newRemote(t, "talkers", report.Change{By: []string{"parity"}, Measures: []string{"rejected", "accepted", "duration", "rejected_share"}})
	// dstport, _records, REJECT, any action, ACCEPT, min(start), max(end), count(action)
	for _, row := range [][]any{
		{int64(1), int64(2), int64(1), int64(2), int64(1), int64(10), int64(20), int64(2)},
		{int64(3), int64(1), int64(0), int64(0), int64(0), int64(5), int64(9), int64(0)},
		{int64(2), int64(4), int64(0), int64(0), int64(0), int64(30), int64(20), int64(0)},
	} {
		if err := m.Add(row, wrapParity); err != nil {
			t.Fatal(err)
		}
	}
	got := remoteTable(t, m)
	reporttest.Want(t, "table", fmt.Sprint(got.Rows, got.Totals), "[[odd 1 1 15 0.5] [even <nil> <nil> <nil> <nil>]] [<nil> 1 1 15 0.5]")
}

// Rows that the query cannot have are errors, and no panics.
func TestRemoteRows(t *testing.T) {
	for _, row := range [][]any{
		nil,
		{int64(1), int64(6), int64(2), int64(20), `{"10": 2}`},
		{"x", int64(6), int64(2), int64(20), `{"10": 2}`, nil},
		{int64(1) << 40, int64(6), int64(2), int64(20), nil, nil},
		{int64(1), int64(6), int64(2), "20", nil, nil},
		{int64(1), int64(6), int64(2), int64(20), `{"x": 2}`, nil},
		{int64(1), int64(6), int64(2), int64(20), int64(7), nil},
		{int64(1), 1.5, int64(2), int64(20), nil, nil},
	} {
		m := newRemote(t, "talkers", report.Change{By: []string{"parity", "protocol"}, Measures: []string{"bytes", "flows", "p50(bytes)", "first"}})
		if err := m.Add(row, wrapParity); err == nil {
			t.Errorf("%v: no error", row)
		}
	}
}

// Where a condition leaves flows out, or records that are none come with them, the rows do not tell which fields are logged:
// the engine is asked for those that no row has, until it has found them or has none.
func TestRemoteDoubt(t *testing.T) {
	for _, c := range []struct {
		what    string
		name    string
		change  report.Change
		rows    [][]any
		has     []string // fields that some flow has
		flows   int64
		queries int
		says    string
	}{
		{"a condition on a field that is not logged", "talkers", report.Change{Where: "flow_direction = ingress"}, nil, []string{"srcaddr", "bytes", "packets"}, 1, 2,
			"talkers needs flow_direction, which these logs do not have: add ${flow-direction} to the format of the flow log"},
		{"one that no flow meets", "talkers", report.Change{Where: "flow_direction = ingress"}, nil, []string{"srcaddr", "bytes", "packets", "flow_direction"}, 1, 1, ""},
		{"no flow at all", "talkers", report.Change{Where: "flow_direction = ingress"}, nil, nil, 0, 2, ""},
		{"a key", "talkers", report.Change{By: []string{"flow_direction"}, Where: "dstport = 443"}, [][]any{{nil, int64(5), int64(50), int64(6)}}, []string{"dstport"}, 1, 1,
			"talkers needs flow_direction, which these logs do not have: add ${flow-direction} to the format of the flow log"},
		{"all rows are flows", "talkers", report.Change{By: []string{"flow_direction"}}, [][]any{{nil, int64(5), int64(50), int64(6)}}, nil, 1, 0,
			"talkers needs flow_direction, which these logs do not have: add ${flow-direction} to the format of the flow log"},
		{"a condition that flows meet", "talkers", report.Change{Where: "dstport = 443"}, [][]any{{"10.0.0.1", int64(5), int64(50), int64(6)}}, nil, 1, 0, ""},
		{"one of two is enough", "talkers", report.Change{Where: "flow_direction = ingress or dstport = 443"}, nil, []string{"dstport", "srcaddr", "bytes", "packets"}, 1, 2, ""},
		{"what is computed", "talkers", report.Change{By: []string{"parity"}, Where: "bytes > 0"}, [][]any{{nil, int64(5), int64(50), int64(6)}}, []string{"bytes"}, 1, 1,
			"talkers needs parity, which these logs do not have: add ${dstport} to the format of the flow log"},
	} {
		m := newRemote(t, c.name, c.change)
		for _, row := range c.rows {
			if m.Cut {
				row = append([]any{int64(1), int64(1)}, row...)
			}
			if err := m.Add(row, wrapParity); err != nil {
				t.Fatalf("%s: %v\n%s", c.what, err, m.SQL)
			}
		}
		queries := 0
		for ; ; queries++ {
			sql, err := m.Doubt()
			if err != nil {
				t.Fatal(err)
			}
			if sql == "" {
				break
			}
			row := []any{c.flows}
			if m.doubt.asked != nil {
				row = nil
			}
			for _, name := range m.doubt.asked {
				if !strings.Contains(sql, name) {
					t.Errorf("%s: %s is not in\n%s", c.what, name, sql)
				}
				n := int64(0)
				if slices.Contains(c.has, name) {
					n = 7
				}
				row = append(row, n)
			}
			if err := m.Settle(row); err != nil {
				t.Fatal(err)
			}
		}
		_, lacks, err := m.Table(wrapParity)
		if err != nil {
			t.Fatal(err)
		}
		says := ""
		if lacks != nil {
			says = lacks.Error()
		}
		reporttest.Want(t, c.what, says, c.says)
		reporttest.Want(t, c.what+": queries", queries, c.queries)
	}
}

// A bound of time is no condition that leaves something open: rows are all flows of that time.
func TestRemoteDuring(t *testing.T) {
	base, _ := report.Named("talkers")
	r, err := base.With(report.Change{By: []string{"flow_direction"}}, expr.Scope{Fields: schema.Logged()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := remoteOf(t, r.During(time.Unix(1_700_000_000, 0), time.Time{}), schema.Logged())
	if !strings.Contains(m.SQL, `WHERE "end" >= 1700000000`) {
		t.Errorf("the query is\n%s", m.SQL)
	}
	if err := m.Add([]any{nil, int64(5), int64(50), int64(6)}, nil); err != nil {
		t.Fatal(err)
	}
	if sql, err := m.Doubt(); sql != "" || err != nil {
		t.Errorf("got %s, %v", sql, err)
	}
	if _, lacks, err := m.Table(nil); lacks == nil || err != nil {
		t.Errorf("got %v, %v", lacks, err)
	}
}

// FuzzRemote answers with a row of any values, which an engine sends as numbers, text or null: it is one of the report, or
// an error.
func FuzzRemote(f *testing.F) {
	f.Add("x", `{"10": 2}`, int64(1), int64(6), int64(2), int64(20), uint16(0))
	f.Add("10.0.0.1", `{"10": 2}`, int64(1), int64(6), int64(2), int64(20), uint16(2))
	f.Add("x", `{"x": 2}`, int64(1)<<40, int64(-6), int64(-2), int64(-1)<<63, uint16(0))
	f.Add("", `{"4294967296": 1, "1": -1}`, int64(0), int64(0), int64(0), int64(0), uint16(0x5555))
	f.Add("10.0.0.1", `null`, int64(1), int64(6), int64(2), int64(20), uint16(0xffff))
	f.Add("10.0.0.0/8", `[1]`, int64(1), int64(6), int64(2), int64(20), uint16(2))
	f.Fuzz(func(t *testing.T, text, buckets string, a, b, c, d int64, kinds uint16) {
		for _, change := range []report.Change{
			{By: []string{"parity", "protocol"}, Measures: []string{"bytes", "flows", "p50(bytes)", "first"}},
			{By: []string{"parity", "srcaddr"}, Measures: []string{"bytes", "flows"}},
		} {
			m := newRemote(t, "talkers", change)
			values := []any{a, b, c, d, buckets, nil, text, a}
			row := make([]any, m.Width())
			for i := range row {
				row[i] = values[i%len(values)]
				if kinds>>(i%16)&1 == 1 { // another kind of value in its place
					row[i] = values[(i+5)%len(values)]
				}
			}
			if m.Add(row, wrapParity) != nil {
				continue
			}
			if _, _, err := m.Table(wrapParity); err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("several lines: %q", err)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
