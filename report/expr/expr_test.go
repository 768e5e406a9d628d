package expr_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"flowlog/parse/schema"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

// Filters keep what the plainest evaluation does, whatever the batches, and conditions print as what they were
// read from.
func TestFiltersAgreeWithPlainEvaluation(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	met := 0
	for n := range 3000 {
		text := reporttest.RandomExpr(r, r.IntN(4))
		e, err := expr.Parse(text, reporttest.Scope())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := expr.Parse(e.String(), reporttest.Scope())
		if err != nil || !reflect.DeepEqual(e, again) {
			t.Fatalf("%s:\nprints as %s\nwhich is read as %v, %v", text, e, again, err)
		}
		if n%10 > 0 {
			continue
		}
		var names []string
		e.Fields(func(name string) { names = append(names, name) })
		p, err := reporttest.Fields().Project(names...)
		if err != nil {
			t.Fatal(err)
		}
		feed, f := reporttest.NewFeeder(p), e.Filter()
		for range 3 {
			rows := reporttest.RandomRows(r, 1+r.IntN(50))
			rec := feed.Record(t, rows)
			for _, wanted := range []bool{true, false} {
				var in, want []int32
				for i, rec := range rows {
					if r.IntN(5) == 0 {
						continue
					}
					in = append(in, int32(i))
					if yes, known := reporttest.Truth(e, func(f schema.Field) any { return reporttest.Value(rec, f.Name) }); known && yes == wanted {
						want = append(want, int32(i))
					}
				}
				met += len(want)
				if got := f.Keep(rec, in, wanted); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("%s: rows that are %t: got %v, want %v of %v", e, wanted, got, want, rows)
				}
			}
		}
	}
	if met < 1000 {
		t.Errorf("conditions were met %d times only", met)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"dstport=22":                      "dstport = 22",
		"DstPort <> 22":                   "dstport != 22",
		"not dstport = 22":                "dstport != 22",
		"not not dstport = 22":            "not dstport != 22",
		"log-status = ok":                 "log_status = 'OK'",
		"action = reject and type = ipv4": "action = 'REJECT' and type = 'IPv4'",
		"bytes > 10MB":                    "bytes > 10000000",
		"bytes > 1.5GiB":                  "bytes > 1610612736",
		"bytes > 1_000_000":               "bytes > 1000000",
		"srcaddr = 10.0.0.0/8":            "srcaddr in (10.0.0.0/8)",
		"srcaddr in 10.0.0.0/8, 2001:db8::/32 or dstport 1024..65535": "srcaddr in (10.0.0.0/8, 2001:db8::/32) or dstport in (1024..65535)",
		"dstport ..1023 and srcport 1024..":                           "dstport in (..1023) and srcport in (1024..)",
		"dstport between 1 and 9 and packets = 1":                     "dstport in (1..9) and packets = 1",
		"addr = 10.0.0.1":                         "srcaddr in (10.0.0.1) or dstaddr in (10.0.0.1)",
		"addr != 10.0.0.1":                        "not (srcaddr in (10.0.0.1) or dstaddr in (10.0.0.1))",
		"port = 22 and country = US":              "(srcport = 22 or dstport = 22) and (src_country = 'US' or dst_country = 'US')",
		"asn = 16509":                             "src_asn = 16509 or dst_asn = 16509",
		"protocol = TCP":                          "protocol = 6",
		"dstport = web":                           "dstport in (80, 443)",
		"dstport != web":                          "dstport not in (80, 443)",
		"tcp_flags has syn-ack":                   "tcp_flags has syn+ack",
		"packets has 3":                           "packets has 3",
		"srcaddr=pkt-srcaddr":                     "srcaddr = pkt_srcaddr",
		"srcaddr in @nets.txt":                    "srcaddr in (@'nets.txt')",
		"start >= 2026-05-14T09:00:00Z":           "start >= 2026-05-14T09:00:00Z",
		"time < 1778749200":                       "start < 2026-05-14T09:00:00Z",
		"start > -5":                              "start > -5",
		"instance_tag = 'it''s' && ! (version=2)": "instance_tag = 'it''s' and version != 2",
		"instance_tag = \"and\"":                  "instance_tag = 'and'",
		"instance_tag ~ /a\\/b/i":                 "instance_tag ~ /(?i)a\\/b/",
		"src_latitude > 10%":                      "src_latitude > 0.1",
		"account_id = 068194857476":               "account_id = '068194857476'",
		"action is not null || bytes is null":     "action is not null or bytes is null",
	} {
		e, err := expr.Parse(text, reporttest.Scope())
		if err != nil || e.String() != want {
			t.Errorf("%s:\n got %v, %v\nwant %s", text, e, err, want)
		}
	}
}

// Every error says what to do, and its caret is under what is wrong.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]struct {
		pos  int
		says string
	}{
		"":                                {0, "something is missing: a field"},
		"dstprt = 22":                     {0, `unknown field "dstprt": did you mean dstport?`},
		"bytes > 1 and srcadr = 10.0.0.1": {14, "did you mean srcaddr?"},
		"dstport = ":                      {10, "a value of dstport"},
		"dstport 22":                      {8, "=, !=, <"},
		"dstport = 22 srcport = 1":        {13, "`and`, `or` or the end"},
		"dstport = 22)":                   {12, "`and`, `or` or the end"},
		"(dstport = 22":                   {13, "`)`"},
		"dstport = 65536":                 {10, "dstport is at most 65535"},
		"dstport = 9999999999999999999":   {10, "not a whole number"},
		"dstport = sshd":                  {10, "or goes by a name such as https"},
		"bytes > 1.5":                     {8, "not a whole number"},
		"srcaddr = 10.0.0.256":            {10, "not an IP address"},
		"srcaddr = 10.0.0.1/8":            {10, "write 10.0.0.0/8 for the network, or 10.0.0.1"},
		"srcaddr = 10.0.0.0/33":           {10, "not a network"},
		"srcaddr > 10.0.0.1":              {8, "addresses have no order"},
		"srcaddr 10.0.0.1..::1":           {8, "from IPv4 to IPv4"},
		"srcaddr 10.0.0.1..":              {8, "two ends"},
		"dstport 9..1":                    {8, "ends before it begins"},
		"action = null":                   {9, "write action is null"},
		"action = -":                      {9, "write action is null"},
		"srcaddr = -":                     {10, "write srcaddr is null"},
		"action = 'REJECT":                {9, "closing quote"},
		"action ~ /REJECT":                {9, "closing /"},
		"action ~ /(/":                    {9, "missing closing )"},
		"bytes ~ /1/":                     {6, "regular expressions are for text"},
		"bytes like 1":                    {6, "like is for text"},
		"tcp_flags has sin":               {14, "did you mean fin?"},
		"action has syn":                  {7, "whole number"},
		"srcaddr = srcport":               {10, "cannot be compared"},
		"action < type":                   {7, "only be compared with ="},
		"srcaddr in @none":                {11, "no such file"},
		"srcaddr in @bad.txt":             {11, `bad.txt:2: "10.0.0.300" is not an IP address`},
		"dstport in @ports and":           {21, "something is missing: a field"},
		"start > yesterday":               {8, "invalid syntax"},
		"start > 99999-01-01T00:00:00Z":   {8, ""},
		"dstport ; 1":                     {8, "no meaning"},
		"@x = 1":                          {0, "a field"},
		"'srcaddr' = 1":                   {0, "a field"},
		"é = 1":                           {0, "unknown field"},
		strings.Repeat("(", 200) + "a":    {100, "deeper than 100"},
		strings.Repeat("not ", 200) + "a": {400, "deeper than 100"},
	} {
		_, err := expr.Parse(text, reporttest.Scope())
		var at *expr.SyntaxError
		if !errors.As(err, &at) || at.Pos != want.pos || !strings.Contains(at.Msg, want.says) {
			t.Errorf("%s: got %v, want %q at %d", text, err, want.says, want.pos)
			continue
		}
		lines := strings.Split(at.Error(), "\n")
		if caret := strings.IndexByte(lines[2], '^'); want.pos < 50 && caret != 2+len([]rune(text[:want.pos])) || lines[2][caret:] != "^" {
			t.Errorf("%s: the caret is misplaced:\n%v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		f.Add(reporttest.RandomExpr(r, 2))
	}
	f.Add("a = 'x'' y' and (b in (1, 2..3) or not c like \"%\") and d ~ /\\//i")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := expr.Parse(text, reporttest.Scope())
		if err != nil {
			if err.Error() == "" {
				t.Error("an error says nothing")
			}
			return
		}
		again, err := expr.Parse(e.String(), reporttest.Scope())
		if err != nil || !reflect.DeepEqual(e, again) {
			t.Fatalf("%q prints as %q, which is read as %v, %v", text, e, again, err)
		}
		f := e.Filter()
		var names []string
		e.Fields(func(name string) { names = append(names, name) })
		p, err := reporttest.Fields().Project(names...)
		if err != nil {
			t.Fatal(err)
		}
		rec := reporttest.NewFeeder(p).Record(t, []reporttest.Row{{"srcaddr": "10.0.0.1", "dstport": "22", "action": "REJECT"}, {}})
		if kept := f.Keep(rec, []int32{0, 1}, true); len(kept) > 2 {
			t.Fatal(kept)
		}
	})
}

// What a condition costs a row, for one comparison of each kind. None of them allocates by the row.
func BenchmarkFilter(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var nets []expr.Item
	for range 10_000 {
		a := netip.AddrFrom4([4]byte{byte(r.IntN(224)), byte(r.IntN(256)), byte(r.IntN(256)), 0})
		nets = append(nets, expr.Item{Prefix: netip.PrefixFrom(a, 24)})
	}
	src, _ := reporttest.Fields().Lookup("srcaddr")
	exprs := map[string]expr.Expr{"networks": expr.In{Field: src, Items: nets}}
	for _, text := range []string{
		"dstport = 443", "bytes > 10MB", "action = REJECT", "srcaddr in 10.0.0.0/8", "dstport in 22, 80, 443, 8080",
		"tcp_flags has syn", "srcaddr = dstaddr", "action is null", "dstport = 443 and (bytes > 1 or packets = 2)", "interface_id like '%9'",
	} {
		e, err := expr.Parse(text, reporttest.Scope())
		if err != nil {
			b.Fatal(err)
		}
		exprs[text] = e
	}
	const n = 8192
	rows := make([]reporttest.Row, n)
	for i := range rows {
		rows[i] = reporttest.Row{
			"srcaddr": fmt.Sprintf("%d.%d.%d.%d", r.IntN(224), r.IntN(256), r.IntN(256), r.IntN(256)), "dstaddr": "10.0.0.1",
			"dstport": strconv.Itoa([]int{22, 443, 40000}[r.IntN(3)]), "bytes": strconv.Itoa(r.IntN(1 << 30)), "packets": "2",
			"action": []string{"ACCEPT", "REJECT"}[r.IntN(2)], "tcp_flags": strconv.Itoa(r.IntN(4)), "interface_id": fmt.Sprint("eni-", r.IntN(500)),
		}
	}
	for name, e := range exprs {
		b.Run(name, func(b *testing.B) {
			var names []string
			e.Fields(func(name string) { names = append(names, name) })
			p, err := reporttest.Fields().Project(names...)
			if err != nil {
				b.Fatal(err)
			}
			rec, f := reporttest.NewFeeder(p).Record(b, rows), e.Filter()
			in := make([]int32, n)
			b.ReportAllocs()
			for b.Loop() {
				for i := range in {
					in[i] = int32(i)
				}
				f.Keep(rec, in, true)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}
