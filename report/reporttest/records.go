// Package reporttest has records and conditions that tests of several packages are made of: a table of fields, rows written as
// text, random rows and random conditions, and the plainest way to evaluate a condition. Only tests import it.
package reporttest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// Fields is every field that the catalog and these tests name. The enriched ones stand in for those of package
// enrich, which this one does not know.
func Fields() schema.Table {
	t := append(schema.Logged(),
		schema.Field{Name: "protocol_name", Kind: schema.Text, From: []string{"protocol"}, Names: "protocol", InPlace: true},
		schema.Field{Name: "ip_version", Kind: schema.Text, From: []string{"type", "srcaddr"}},
		schema.Field{Name: "service_port", Kind: schema.Int32, Max: 65535, From: []string{"srcport", "dstport"}},
		schema.Field{Name: "packets_lost", Kind: schema.Int64, From: []string{"packets_lost_no_route", "packets_lost_blackhole", "packets_lost_mtu_exceeded", "packets_lost_ttl_expired"}})
	for _, side := range []string{"src", "dst"} {
		from := []string{"pkt_" + side + "addr", side + "addr"}
		for _, name := range []string{"country", "city", "as_org"} {
			t = append(t, schema.Field{Name: side + "_" + name, Kind: schema.Text, From: from})
		}
		t = append(t, schema.Field{Name: side + "_asn", Kind: schema.Int64, From: from})
		for _, name := range []string{"latitude", "longitude"} {
			t = append(t, schema.Field{Name: side + "_" + name, Kind: schema.Float, From: from})
		}
	}
	return t
}

// A Row is a record: the token of each field that is not null.
type Row map[string]string

// RowsOf reads records under a header, fields separated by blanks, - for null.
func RowsOf(text string) []Row {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	names := strings.Fields(lines[0])
	var rows []Row
	for _, line := range lines[1:] {
		r := make(Row)
		for i, tok := range strings.Fields(line) {
			if tok != "-" {
				r[names[i]] = tok
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// A RowFeeder makes batches as a worker of a scan does: in the same columns again and again, whose dictionaries
// grow from batch to batch.
type RowFeeder struct {
	p    *schema.Projection
	Cols []*schema.Column
}

func NewFeeder(p *schema.Projection) *RowFeeder {
	f := &RowFeeder{p: p}
	for _, field := range p.Fields {
		f.Cols = append(f.Cols, schema.NewColumn(field))
	}
	return f
}

// Record is valid until the next call.
func (f *RowFeeder) Record(t testing.TB, rows []Row) arrow.Record {
	t.Helper()
	cols := make([]arrow.Array, len(f.Cols))
	for i, c := range f.Cols {
		c.Reset()
		for n, r := range rows {
			tok, ok := r[c.Name]
			if !ok {
				continue
			}
			c.Pad(n)
			if fault := c.Parse([]byte(tok)); fault != schema.Valid {
				t.Fatalf("%s: %q is %s", c.Name, tok, fault)
			}
		}
		c.Pad(len(rows))
		cols[i] = c.Array()
	}
	return array.NewRecord(f.p.Fields.Arrow(), cols, int64(len(rows)))
}

func IsFlow(r Row) bool { return r["log_status"] == "" || r["log_status"] == schema.StatusOK }

// kinds is the kind of each field.
var kinds = sync.OnceValue(func() map[string]schema.Kind {
	m := make(map[string]schema.Kind)
	for _, f := range Fields() {
		m[f.Name] = f.Kind
	}
	return m
})

// Value is what a row has in a field.
func Value(r Row, name string) any {
	tok, ok := r[name]
	if !ok {
		return nil
	}
	switch kinds()[name] {
	case schema.Addr:
		return netip.MustParseAddr(tok)
	case schema.Text:
		return tok
	}
	n, _ := strconv.ParseInt(tok, 10, 64)
	return n
}

// RandomFields are those that randomRows sets.
var RandomFields = strings.Fields("interface_id srcaddr dstaddr pkt_srcaddr srcport dstport protocol packets bytes start end action log_status subnet_id instance_id tcp_flags")

// RandomRows makes records with few different values, so that groups and ties are common.
func RandomRows(r *rand.Rand, n int) []Row {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	addr := func() string {
		return pick("10.0.0.1", "10.0.0.2", "10.0.0.10", "192.0.2.7", "2001:db8::1", "2001:db8::10", "0.0.0.0")
	}
	var rows []Row
	for range n {
		rec := Row{
			"interface_id": pick("eni-1", "eni-2", "eni-10"), "srcaddr": addr(), "dstaddr": addr(), "pkt_srcaddr": addr(),
			"srcport": pick("0", "22", "443", "65535"), "dstport": pick("0", "22", "443", "65535"), "protocol": pick("6", "17", "1", "255"),
			"packets": pick("0", "1", "2"), "bytes": pick("0", "1", "9007199254740993"), "start": pick("1700000000", "1700000001", "0"),
			"end": pick("1700000060", "1700000061", "1699999999"), "action": pick("ACCEPT", "REJECT", "SUCCESS"), "log_status": schema.StatusOK,
			"subnet_id": pick("subnet-b", "subnet-B", "é"), "instance_id": pick("i-1", "i-2"), "region": pick("eu-west-1", "us-east-2", "EU-WEST-1"), "tcp_flags": pick("0", "18", "2147483647"),
		}
		for name := range rec {
			if r.IntN(8) == 0 {
				delete(rec, name)
			}
		}
		if r.IntN(5) == 0 {
			rec = Row{"log_status": pick(schema.StatusNoData, schema.StatusSkipData, "GO_AWAY"), "start": "1600000000", "end": "1800000000"}
			rec["interface_id"] = pick("eni-1", "eni-3")
		}
		rows = append(rows, rec)
	}
	return rows
}

// Want fails the test if two values print differently.
func Want(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}
