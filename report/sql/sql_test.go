package sql

import (
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"flowlog/report"
	"flowlog/report/calendar"
	"flowlog/report/expr"
	"flowlog/report/reporttest"
)

func dialect(t *testing.T, name string) Dialect {
	t.Helper()
	for _, d := range Dialects() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no dialect %s", name)
	return Dialect{}
}

// condition is the SQL of a condition on records.
func condition(t *testing.T, d Dialect, text string) (string, error) {
	t.Helper()
	e, err := expr.Parse(text, reporttest.Scope())
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	q := &query{Dialect: &d, report: &report.Report{Name: "r"}, fields: reporttest.Fields(), have: make(map[string]bool)}
	return d.print(q.condition(e)), q.refusal()
}

func TestConditionsInSQL(t *testing.T) {
	for text, want := range map[string][2]string{ // in DuckDB and Trino; "" is the same as in DuckDB
		"dstport = 22":                                   {"dstport = 22"},
		"dstport != 22":                                  {"dstport <> 22"},
		"not dstport < 22":                               {"NOT (dstport < 22)"},
		"end >= 1700000000":                              {`"end" >= 1700000000`},
		"dstport in (22, 80..90, 1024.., ..7)":           {"(dstport = 22 OR dstport BETWEEN 80 AND 90 OR dstport >= 1024 OR dstport <= 7)"},
		"dstport in (22, 23)":                            {"dstport IN (22, 23)"},
		"instance_tag = 'it''s'":                         {"instance_tag = 'it''s'"},
		"action = reject or srcport = dstport":           {"action = 'REJECT' OR srcport = dstport"},
		"version = 2 and (action = ACCEPT or bytes > 1)": {"version = 2 AND (action = 'ACCEPT' OR bytes > 1)"},
		"not (version = 2 and action = ACCEPT)":          {"NOT (version = 2 AND action = 'ACCEPT')"},
		"action is null and type is not null":            {"action IS NULL AND type IS NOT NULL"},
		"interface_id not like 'eni_%'":                  {"NOT (interface_id LIKE 'eni_%')"},
		"tcp_flags has syn+ack":                          {"(tcp_flags & 18) = 18", "(bitwise_and(tcp_flags, 18)) = 18"},
		"start > -9223372036854775808":                   {"start > (-9223372036854775807 - 1)"},
		"srcaddr in @empty.txt":                          {"srcaddr <> srcaddr"},
		"src_latitude > 1.5":                             {"-", "-"},
		"srcaddr = 10.0.0.1":                             {"srcaddr = '10.0.0.1'", "srcaddr = IPADDRESS '10.0.0.1'"},
		"srcaddr != ::ffff:10.0.0.1":                     {"NOT (srcaddr = '10.0.0.1')", "NOT (srcaddr = IPADDRESS '10.0.0.1')"},
		"srcaddr in 10.0.0.0/8":                          {"srcaddr LIKE '10.%'", "contains('10.0.0.0/8', srcaddr)"},
		"srcaddr in 192.0.2.0/24, 10.0.0.1":              {"(srcaddr = '10.0.0.1' OR srcaddr LIKE '192.0.2.%')", "(srcaddr = IPADDRESS '10.0.0.1' OR contains('192.0.2.0/24', srcaddr))"},
		"srcaddr in 10.0.0.0/9":                          {"srcaddr_v4 BETWEEN 167772160 AND 176160767", "contains('10.0.0.0/9', srcaddr)"},
		"srcaddr in 10.0.0.0/9, 10.128.0.0/9":            {"srcaddr LIKE '10.%'", "contains('10.0.0.0/8', srcaddr)"},
		"srcaddr in 10.0.0.1..10.0.0.2":                  {"srcaddr_v4 BETWEEN 167772161 AND 167772162", "srcaddr BETWEEN IPADDRESS '10.0.0.1' AND IPADDRESS '10.0.0.2'"},
		"srcaddr in 0.0.0.0/0":                           {"NOT (strpos(srcaddr, ':') > 0)", "contains('0.0.0.0/0', srcaddr)"},
		"srcaddr in ::/0":                                {"strpos(srcaddr, ':') > 0", "strpos(cast(srcaddr AS varchar), ':') > 0"},
		"srcaddr in 2001:db8::/32":                       {"srcaddr_v6 BETWEEN '20010db8000000000000000000000000' AND '20010db8ffffffffffffffffffffffff'", "contains('2001:db8::/32', srcaddr)"},
		"srcaddr in ::1..::1:ffff:0:1": {"srcaddr_v6 BETWEEN '00000000000000000000000000000001' AND '00000000000000000001ffff00000001'",
			"(srcaddr BETWEEN IPADDRESS '::1' AND IPADDRESS '::1:ffff:0:1' AND strpos(cast(srcaddr AS varchar), ':') > 0)"},
		"action ~ /^RE[JK]/":    {"regexp_matches(action, '^RE[JK]')", `regexp_like(action, '\ARE[J-K]')`},
		"action ~ /\\bREJECT/":  {`regexp_matches(action, '\bREJECT')`, "-"},
		"ip_version = IPv6":     {"ip_version = 'IPv6'"},
		"src_country = DE":      {"-", "-"},
		"protocol_name = 'TCP'": {"-", "-"},
	} {
		for i, name := range []string{"duckdb", "trino"} {
			wanted := want[i]
			if wanted == "" {
				wanted = want[0]
			}
			switch got, err := condition(t, dialect(t, name), text); {
			case (err != nil) != (wanted == "-"):
				t.Errorf("%s in %s: got error %v", text, name, err)
			case err == nil && got != wanted:
				t.Errorf("%s in %s:\n got %s\nwant %s", text, name, got, wanted)
			}
		}
	}
}

func TestNoFormInSQL(t *testing.T) {
	ask := func(name string, c report.Change) report.Report {
		i := slices.IndexFunc(report.Catalog(), func(r report.Report) bool { return r.Name == name })
		r, err := report.Catalog()[i].With(c, reporttest.Scope(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	zoned := ask("timeline", report.Change{Every: "72m", Top: -1})
	zoned.Keys[0].Zone = reporttest.InZone(t, "Europe/Berlin")
	for says, r := range map[string]report.Report{
		"timeline: the width of its bins of time is chosen when all records have been seen: choose it, as in every 1h":         ask("timeline", report.Change{Top: -1}),
		"time: bins of 1h12m begin at times of Europe/Berlin that SQL does not know: choose another width, such as 1d, or UTC": zoned,
		"src-asn: only flowlog knows src_asn and src_as_org, an engine does not: the nearest report is by pkt_srcaddr,srcaddr": ask("src-asn", report.Change{Top: -1}),
		"ports: only flowlog knows protocol_name, an engine does not: the nearest report is by dstport,protocol":               ask("ports", report.Change{By: []string{"dstport", "protocol_name"}, Top: -1}),
		"talkers: only flowlog knows dst_country, an engine does not: use fields that are logged, see `flowlog fields`":        ask("talkers", report.Change{Where: "dst_country = DE", Top: -1}),
		"talkers: only flowlog knows dst_city, an engine does not: use fields that are logged, see `flowlog fields`":           ask("talkers", report.Change{Measures: []string{"distinct(dst_city)"}, Top: -1}),
		"a zero byte in a text has no form in SQL": ask("talkers", report.Change{Where: "instance_tag = 'a\x00'", Top: -1}),
	} {
		if got, err := Statement(&r, dialect(t, "duckdb"), reporttest.Fields(), "flows"); err == nil || err.Error() != says {
			t.Errorf("%s:\n got %v\nwant %s\n%s", r.Name, err, says, got)
		}
	}
	long := ask("talkers", report.Change{Where: "srcport in (" + strings.Repeat("1, ", 100_000) + "2)", Top: -1})
	if _, err := Statement(&long, dialect(t, "athena"), reporttest.Fields(), "flows"); err == nil || !strings.Contains(err.Error(), "takes at most 262144") {
		t.Errorf("a query that is too long for athena: got %v", err)
	}
}

func TestNamesInSQL(t *testing.T) {
	for _, d := range Dialects() {
		for name, want := range map[string]string{"srcaddr": "srcaddr", "end": `"end"`, "srcaddr/24": `"srcaddr/24"`, `a"b`: `"a""b"`} {
			if got := d.name(name); got != want {
				t.Errorf("%s: got %s, want %s", d.Name, got, want)
			}
		}
		for table, want := range map[string]string{
			"flows": "flows", "vpc.flow_logs": "vpc.flow_logs", "my-db.order": `"my-db"."order"`, `"a.b".c`: `"a.b".c`, "read_parquet(['a', 'b'])": "read_parquet(['a', 'b'])",
		} {
			if got := d.from(table); got != want {
				t.Errorf("%s: got %s, want %s", d.Name, got, want)
			}
		}
	}
	duck, athena := dialect(t, "duckdb"), dialect(t, "athena")
	reporttest.Want(t, "files", []string{duck.from("a.parquet"), duck.from("s3://b/it's/*"), duck.from("db.parquets")}, []string{"'a.parquet'", "'s3://b/it''s/*'", "db.parquets"})
	reporttest.Want(t, "athena's own words", []string{athena.name("first"), duck.name("first")}, []string{`"first"`, "first"})
}

func TestNetworksOfRanges(t *testing.T) {
	for _, text := range []string{"0.0.0.0/0", "10.0.0.0/8", "10.0.0.128/25", "192.0.2.7/32", "::/0", "2001:db8::/32", "2001:db8::/33", "::1/128", "8000::/1"} {
		p := netip.MustParsePrefix(text)
		a := expr.NewAddrs(reporttest.Fields()[3], []expr.Item{{Prefix: p}}).(*expr.Addrs)
		var got netip.Prefix
		var ok bool
		if p.Addr().Is4() {
			got, ok = prefix4(a.V4[0])
		} else {
			got, ok = prefix6(a.V6[0])
		}
		if !ok || got != p {
			t.Errorf("%s: got %s, %t", text, got, ok)
		}
	}
	if _, ok := prefix4(expr.Span[int64]{Lo: 1, Hi: 2}); ok {
		t.Error("1..2 is no network")
	}
	if _, ok := prefix6(expr.AddrSpan{Hi: [16]byte{15: 2}}); ok {
		t.Error("::0..::2 is no network")
	}
}

// What is written for other engines is, to Go, the same expression.
func TestPortableRegex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	letters := []rune("abAB1_- .\n\r\té\u0301É/$^\u212aſs")
	d := dialect(t, "trino")
	for _, re := range []string{
		"", "a", "^a$", "a|b", "^(a|b)+?c*$", "(?i)subnet|É|k", "(?s)^.a.$", "^.a.$", `^\d\s\w\W\D\S`, "[^a-b]", `[[:alpha:]]{2,3}`, `a{2}b{1,}`, `\pL`, `^\Q.-\E`,
		`(?:ab|a)(b|)$`, `[\-\]]`, `a.*b|^$`, `(?P<n>a)`, "x*", `\x{212A}`, `^(|a)$`, "[^\\x00-\\x{10FFFF}]",
	} {
		q := &query{Dialect: &d}
		text, ok := q.portable(re).(textNode)
		if !ok {
			t.Errorf("%s: %v", re, q.err)
			continue
		}
		other := string(text)
		x, y := regexp.MustCompile(re), regexp.MustCompile(other)
		for range 2000 {
			var text []rune
			for range r.IntN(6) {
				text = append(text, letters[r.IntN(len(letters))])
			}
			if x.MatchString(string(text)) != y.MatchString(string(text)) {
				t.Fatalf("/%s/ and /%s/ differ on %q", re, other, string(text))
			}
		}
		if strings.ContainsAny(strings.NewReplacer(`\x{`, "", `\A`, "", `\z`, "").Replace(other), `\.$`) {
			t.Errorf("/%s/ has what means something else elsewhere", other)
		}
	}
	for _, re := range []string{`\ba`, `a\B`, "(?m)^a", "(?m)a$"} {
		q := &query{Dialect: &d}
		if q.portable(re); q.err == nil {
			t.Errorf("/%s/: got no error", re)
		}
	}
}

// What SQL computes of bins that follow a clock is what a calendar does, or is refused.
func TestBinsInSQL(t *testing.T) {
	for _, name := range reporttest.Zones {
		for _, every := range append([]time.Duration{7 * time.Minute, 90 * time.Second, 72 * time.Minute, 5 * time.Hour}, reporttest.BinWidths...) {
			c := report.Key{Every: every, Zone: reporttest.InZone(t, name)}.Bins()
			form, ahead := formOf(c)
			for at := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); at < time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); at += 9001 {
				begin := c.Begin(at)
				bin, seconds := asSQL(c, at)
				switch {
				case form == plainForm && at-calendar.FloorMod(at+ahead, c.Width) != begin, form == clockForm && bin != begin:
					t.Fatalf("%s in %s: %s is not in the bin of %s", every, name, clockOf(c, at), clockOf(c, begin))
				case form == clockForm && seconds != c.Length(begin):
					t.Fatalf("%s in %s: the bin of %s has %d seconds, want %d", every, name, clockOf(c, at), seconds, c.Length(begin))
				}
			}
		}
	}
	forms := func(every time.Duration, zones ...string) (got []binForm) {
		for _, name := range zones {
			form, _ := formOf(report.Key{Every: every, Zone: reporttest.InZone(t, name)}.Bins())
			got = append(got, form)
		}
		return got
	}
	some := []string{"UTC", "Asia/Kolkata", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe"}
	for _, every := range []time.Duration{calendar.Day, 6 * time.Hour, 7 * calendar.Day} {
		reporttest.Want(t, every.String(), forms(every, some...), []binForm{plainForm, plainForm, clockForm, clockForm, clockForm, clockForm, clockForm})
	}
	reporttest.Want(t, "an hour", forms(time.Hour, some...), []binForm{plainForm, plainForm, plainForm, plainForm, plainForm, plainForm, clockForm})
	reporttest.Want(t, "72 minutes", forms(72*time.Minute, "UTC", "Europe/Berlin"), []binForm{plainForm, noForm})
}

// clockOf is a second as the zone of bins writes it.
func clockOf(c calendar.Bins, second int64) string {
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	return time.Unix(second, 0).In(zone).Format(time.RFC3339)
}
