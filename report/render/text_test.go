package render

import (
	"encoding/csv"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render/rendertest"
)

func TestTable(t *testing.T) {
	compare(t, render(t, "table", documentOf(talkers(), summary(), nothing()), Options{}), `
top-talkers: Addresses that send the most bytes
srcaddr                                 srcaddr_country  protocol      flows     bytes      %  cum %  avg_packets  last_seen (UTC)
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff  NL               TCP       1,234,567  1.42 GiB   75.3   75.3         12.5  2024-03-18 00:00:00
10.0.0.1                                -                253               7     999 B   <0.1   75.3            -  -
-                                       -                -                 1         -          75.3        0.001  2024-03-18 00:00:01
others (1,200 more)                                                    5,000   477 MiB   24.7  100.0
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
total                                                              1,239,575  1.89 GiB  100.0                3.25  2024-03-18 00:00:01
note: the input has no vpc_id

summary
flows             1,234,567
bytes             5.00 TiB
distinct_srcaddr  -
first_start       2024-03-18 00:00:00 UTC
avg_bytes         1.50 KiB

top-talkers: Addresses that send the most bytes
srcaddr  srcaddr_country  protocol  flows  bytes  avg_packets  last_seen (UTC)
no matching flows
`)
	compare(t, render(t, "table", documentOf(talkers(), summary()), Options{Raw: true, Color: true}), `
top-talkers: Addresses that send the most bytes
`+"\x1b[1m"+`srcaddr                                 srcaddr_country  protocol    flows       bytes      %  cum %  avg_packets  last_seen`+"\x1b[0m"+`
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff  NL               TCP       1234567  1524713390   75.3   75.3         12.5  2024-03-18T00:00:00Z
10.0.0.1                                -                253             7         999   <0.1   75.3            -  -
-                                       -                -               1           -          75.3        0.001  2024-03-18T00:00:01Z
others (1,200 more)                                                   5000   500000000   24.7  100.0
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
total                                                              1239575  2024714389  100.0                3.25  2024-03-18T00:00:01Z
note: the input has no vpc_id

summary
flows             1234567
bytes             5497558138880
distinct_srcaddr  -
first_start       2024-03-18T00:00:00Z
avg_bytes         1536
`)
}

// Names of columns are broken where the terminal is too narrow, and only those that are wider than what is below them.
func TestNarrowTable(t *testing.T) {
	lines := func(columns int) []string {
		out := render(t, "table", documentOf(talkers()), Options{Width: columns, Color: true})
		return strings.Split(strings.TrimSpace(out), "\n")
	}
	wide := lines(0)
	const need = 134 // columns of the table
	if got := lines(need); !slices.Equal(got, wide) {
		t.Errorf("as wide as the terminal: got\n%s", strings.Join(got, "\n"))
	}
	got := lines(need - 1)
	want := []string{
		"\x1b[1m                                        srcaddr_                                                  avg_\x1b[0m",
		"\x1b[1msrcaddr                                 country   protocol      flows     bytes      %  cum %  packets  last_seen (UTC)\x1b[0m",
	}
	if len(got) != len(wide)+1 || !slices.Equal(got[1:3], want) {
		t.Errorf("got\n%s\nwant the head\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i, line := range got[3:] {
		if got, want := strings.Fields(line), strings.Fields(wide[i+2]); !strings.HasPrefix(line, rule) && !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The label of a row that adds up others stands over the blank cells beside it, and makes its column wider only where there
// are too few of them. Shares that are summed up are left out if the terminal then has room, and for nothing less.
func TestLabelsOverBlankCells(t *testing.T) {
	key := func(name string, kind schema.Kind) report.Column {
		return report.Column{Name: name, Role: report.KeyRole, Kind: kind}
	}
	bytes := report.Column{Name: "bytes", Role: report.MeasureRole, Kind: schema.Int64, Share: true}
	ports := report.Table{
		Name: "ports", Columns: []report.Column{key("dstport", schema.Int32), key("service", schema.Text), bytes},
		Rows: [][]any{{int64(443), "https", int64(60)}, {int64(53), "domain", int64(20)}},
		Cut:  4, Others: []any{nil, nil, int64(20)}, Totals: []any{nil, nil, int64(100)}, Order: 2, Desc: true,
	}
	wide := `
ports
dstport  service  bytes      %  cum %
─────────────────────────────────────
    443  https       60   60.0   60.0
     53  domain      20   20.0   80.0
others (4 more)      20   20.0  100.0
─────────────────────────────────────
total               100  100.0
`
	narrow := `
ports
dstport  service  bytes      %
──────────────────────────────
    443  https       60   60.0
     53  domain      20   20.0
others (4 more)      20   20.0
──────────────────────────────
total               100  100.0
`
	for columns, want := range map[int]string{0: wide, 37: wide, 36: narrow, 30: narrow, 29: wide} {
		compare(t, render(t, "table", documentOf(ports), Options{Width: columns}), want)
	}
	ports.Columns = []report.Column{key("dstport", schema.Int32), bytes}
	ports.Rows, ports.Others, ports.Totals, ports.Order = [][]any{{int64(443), int64(60)}}, []any{nil, int64(40)}, []any{nil, int64(100)}, 1
	compare(t, render(t, "table", documentOf(ports), Options{}), `
ports
        dstport  bytes      %
─────────────────────────────
            443     60   60.0
others (4 more)     40   40.0
─────────────────────────────
total              100  100.0
`)
}

// A table with one row needs no total, one without a share no percentage. Nothing is ever cut.
func TestTableOfOneRow(t *testing.T) {
	long := strings.Repeat("long text ", 200)
	table := report.Table{
		Name: "tags",
		Columns: []report.Column{
			{Name: "instance_tag", Role: report.KeyRole, Kind: schema.Text},
			{Name: "max_bytes", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Bytes},
		},
		Rows:   [][]any{{long, int64(1023)}},
		Totals: []any{nil, int64(1023)},
		Order:  1,
	}
	got := render(t, "table", documentOf(table), Options{})
	lines := strings.Split(got, "\n")
	if len(lines) != 5 || lines[3] != long+"   1.00 KiB" {
		t.Errorf("got %q", got)
	}
}

func TestHuman(t *testing.T) {
	count := report.Column{Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count}
	size := report.Column{Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Bytes}
	plain := report.Column{Role: report.MeasureRole, Kind: schema.Float}
	rate := report.Column{Role: report.MeasureRole, Kind: schema.Float, Unit: report.BitRate}
	port := report.Column{Role: report.KeyRole, Kind: schema.Int32, Unit: report.Count}
	for _, c := range []struct {
		column report.Column
		value  any
		want   string
	}{
		{count, int64(0), "0"},
		{count, int64(-1234567), "-1,234,567"},
		{port, int64(65535), "65535"},
		{size, int64(0), "0 B"},
		{size, int64(999), "999 B"},
		{size, int64(1000), "0.98 KiB"},
		{size, int64(10 << 10), "10.0 KiB"},
		{size, int64(1023 << 10), "1.00 MiB"},
		{size, int64(-5 << 20), "-5.00 MiB"},
		{size, int64(9223372036854775807), "8.00 EiB"},
		{size, 1.5, "1.5 B"},
		{plain, 0.0, "0"},
		{plain, 12.3456, "12.35"},
		{plain, 1234567.0, "1,234,567"},
		{plain, -0.5, "-0.5"},
		{plain, 1e-9, "1e-09"},
		{plain, 1e300, "1e+300"},
		{plain, 1.5e15, "1,500,000,000,000,000"},
		{plain, -9.2e18, "-9,200,000,000,000,000,000"},
		{rate, 1.0, "1 bit/s"},
		{rate, 999.6, "1 kbit/s"},
		{rate, 1.5e15, "1.5 Pbit/s"},
		{rate, 7.37e19, "73.7 Ebit/s"},
		{rate, 1.234567e22, "12,346 Ebit/s"},
		{plain, nil, "-"},
	} {
		if got := human(c.column, c.value, Options{}); got != c.want {
			t.Errorf("human(%v) = %q, want %q", c.value, got, c.want)
		}
	}
}

// TestTotalOfOneRow: where rows were cut or excluded, the one that is left is not all, in any format.
func TestTotalOfOneRow(t *testing.T) {
	for _, hidden := range []report.Table{{Cut: 3, Others: []any{nil, int64(5)}}, {Excluded: 3}} {
		table := report.Table{
			Columns: []report.Column{{Name: "k", Role: report.KeyRole, Kind: schema.Text}, {Name: "n", Role: report.MeasureRole, Kind: schema.Int64, Share: true}},
			Rows:    [][]any{{"a", int64(1)}}, Totals: []any{nil, int64(6)}, Order: 1, Desc: true,
			Cut: hidden.Cut, Others: hidden.Others, Excluded: hidden.Excluded,
		}
		for _, format := range []string{"table", "markdown", "html"} {
			if !strings.Contains(render(t, format, documentOf(table), Options{}), "total") {
				t.Errorf("%s: there is no total of one row, %d others and %d that are excluded", format, table.Cut, table.Excluded)
			}
		}
	}
}

func TestMarkdown(t *testing.T) {
	compare(t, render(t, "markdown", documentOf(talkers(), summary()), Options{}), `
## top-talkers

Addresses that send the most bytes

| srcaddr | protocol | srcaddr_country | protocol_name | flows | bytes | % | cum % | avg_packets | last_seen |
| --- | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
| 2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff | 6 | NL | TCP | 1234567 | 1524713390 | 75.3 | 75.3 | 12.5 | 2024-03-18T00:00:00Z |
| 10.0.0.1 | 253 |  |  | 7 | 999 | <0.1 | 75.3 |  |  |
|  |  |  |  | 1 |  |  | 75.3 | 0.001 | 2024-03-18T00:00:01Z |
| others (1,200 more) |  |  |  | 5000 | 500000000 | 24.7 | 100.0 |  |  |
| total |  |  |  | 1239575 | 2024714389 | 100.0 |  | 3.25 | 2024-03-18T00:00:01Z |

note: the input has no vpc_id

## summary

| flows | bytes | distinct_srcaddr | first_start | avg_bytes |
| ---: | ---: | ---: | --- | ---: |
| 1234567 | 5497558138880 |  | 2024-03-18T00:00:00Z | 1536 |
`)
}

func TestJSON(t *testing.T) {
	compare(t, render(t, "json", documentOf(talkers()), Options{}), `
{
  "report": "top-talkers",
  "notes": [
    "the input has no vpc_id"
  ],
  "rows": [
    {
      "srcaddr": "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
      "protocol": 6,
      "srcaddr_country": "NL",
      "protocol_name": "TCP",
      "flows": 1234567,
      "bytes": 1524713390,
      "avg_packets": 12.5,
      "last_seen": "2024-03-18T00:00:00Z"
    },
    {
      "srcaddr": "10.0.0.1",
      "protocol": 253,
      "flows": 7,
      "bytes": 999
    },
    {
      "flows": 1,
      "avg_packets": 0.001,
      "last_seen": "2024-03-18T00:00:01Z"
    }
  ],
  "totals": {
    "flows": 1239575,
    "bytes": 2024714389,
    "avg_packets": 3.25,
    "last_seen": "2024-03-18T00:00:01Z"
  },
  "others": {
    "rows": 1200,
    "flows": 5000,
    "bytes": 500000000
  },
  "input": {
    "objects": 1,
    "bytes": 100,
    "records": 3,
    "flows": 2,
    "nodata": 1,
    "skipdata": 0,
    "malformed": 0,
    "seconds": 0.5
  }
}
`)
	empty := nothing()
	compare(t, render(t, "json", Document{Tables: []report.Table{empty, summary()}}, Options{}), `
{
  "reports": [
    {
      "report": "top-talkers",
      "rows": [],
      "totals": {
        "flows": 0
      }
    },
    {
      "report": "summary",
      "rows": [
        {
          "flows": 1234567,
          "bytes": 5497558138880,
          "first_start": "2024-03-18T00:00:00Z",
          "avg_bytes": 1536
        }
      ]
    }
  ],
  "input": {
    "objects": 0,
    "bytes": 0,
    "records": 0,
    "flows": 0,
    "nodata": 0,
    "skipdata": 0,
    "malformed": 0,
    "seconds": 0
  }
}
`)
	if got := render(t, "json", documentOf(), Options{}); !json.Valid([]byte(got)) {
		t.Errorf("no reports: %s", got)
	}
}

// A document that is written in several pieces is the same as in one.
func TestLargeJSON(t *testing.T) {
	table := talkers()
	for len(table.Rows) < 10_000 {
		table.Rows = append(table.Rows, table.Rows...)
	}
	got := render(t, "json", documentOf(table), Options{})
	var doc struct{ Rows []map[string]any }
	if err := json.Unmarshal([]byte(got), &doc); err != nil || len(doc.Rows) != len(table.Rows) {
		t.Errorf("%d rows came back as %d: %v", len(table.Rows), len(doc.Rows), err)
	}
	for _, format := range []string{"ndjson", "csv", "tsv", "markdown"} {
		got := render(t, format, documentOf(table), Options{})
		if n := strings.Count(got, "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"); n != len(table.Rows)/3 {
			t.Errorf("%s: %d of %d rows", format, n, len(table.Rows)/3)
		}
	}
}

func TestNDJSON(t *testing.T) {
	compare(t, render(t, "ndjson", documentOf(talkers(), summary(), nothing()), Options{}), `
{"report":"top-talkers","srcaddr":"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff","protocol":6,"srcaddr_country":"NL","protocol_name":"TCP","flows":1234567,"bytes":1524713390,"avg_packets":12.5,"last_seen":"2024-03-18T00:00:00Z"}
{"report":"top-talkers","srcaddr":"10.0.0.1","protocol":253,"flows":7,"bytes":999}
{"report":"top-talkers","flows":1,"avg_packets":0.001,"last_seen":"2024-03-18T00:00:01Z"}
{"report":"summary","flows":1234567,"bytes":5497558138880,"first_start":"2024-03-18T00:00:00Z","avg_bytes":1536}
`)
}

func TestCSV(t *testing.T) {
	compare(t, render(t, "csv", documentOf(talkers()), Options{}), `
srcaddr,protocol,srcaddr_country,protocol_name,flows,bytes,avg_packets,last_seen
2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff,6,NL,TCP,1234567,1524713390,12.5,2024-03-18T00:00:00Z
10.0.0.1,253,,,7,999,,
,,,,1,,0.001,2024-03-18T00:00:01Z
`)
	compare(t, render(t, "tsv", documentOf(talkers()), Options{}), strings.ReplaceAll(`
srcaddr,protocol,srcaddr_country,protocol_name,flows,bytes,avg_packets,last_seen
2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff,6,NL,TCP,1234567,1524713390,12.5,2024-03-18T00:00:00Z
10.0.0.1,253,,,7,999,,
,,,,1,,0.001,2024-03-18T00:00:01Z
`, ",", "\t"))
}

func TestRecords(t *testing.T) {
	for format, want := range map[string]string{
		"ndjson": `
{"version":2,"srcaddr":"10.0.0.1","srcport":443,"bytes":1500,"start":1710720000,"action":"ACCEPT","latitude":1e-07}
{"version":2,"srcaddr":"10.0.0.2","srcport":80,"start":1710720000,"action":"REJECT","instance_tag":"100%,\"q\"","latitude":-33.25}
{"version":2,"srcaddr":"2001:db8::1","srcport":65535,"bytes":9223372036854775807,"start":1710720001,"action":"ACCEPT","instance_tag":"a b=1","latitude":51.5}
{}
{"version":2,"srcaddr":"10.0.0.9","srcport":0,"bytes":0,"start":0,"action":"ACCEPT","latitude":0}
`,
		"json": `
[
{"version":2,"srcaddr":"10.0.0.1","srcport":443,"bytes":1500,"start":1710720000,"action":"ACCEPT","latitude":1e-07},
{"version":2,"srcaddr":"10.0.0.2","srcport":80,"start":1710720000,"action":"REJECT","instance_tag":"100%,\"q\"","latitude":-33.25},
{"version":2,"srcaddr":"2001:db8::1","srcport":65535,"bytes":9223372036854775807,"start":1710720001,"action":"ACCEPT","instance_tag":"a b=1","latitude":51.5},
{},
{"version":2,"srcaddr":"10.0.0.9","srcport":0,"bytes":0,"start":0,"action":"ACCEPT","latitude":0}
]
`,
		"csv": `
version,srcaddr,srcport,bytes,start,action,instance_tag,latitude
2,10.0.0.1,443,1500,1710720000,ACCEPT,,1e-07
2,10.0.0.2,80,,1710720000,REJECT,"100%,""q""",-33.25
2,2001:db8::1,65535,9223372036854775807,1710720001,ACCEPT,a b=1,51.5
,,,,,,,
2,10.0.0.9,0,0,0,ACCEPT,,0
`,
		"tsv": strings.ReplaceAll(`
version srcaddr srcport bytes start action instance_tag latitude
2 10.0.0.1 443 1500 1710720000 ACCEPT - 1e-07
2 10.0.0.2 80 - 1710720000 REJECT 100%25,"q" -33.25
2 2001:db8::1 65535 9223372036854775807 1710720001 ACCEPT a%20b=1 51.5
- - - - - - - -
2 10.0.0.9 0 0 0 ACCEPT - 0
`, " ", "\t"),
		"markdown": `
| version | srcaddr | srcport | bytes | start | action | instance_tag | latitude |
| ---: | --- | ---: | ---: | ---: | --- | --- | ---: |
| 2 | 10.0.0.1 | 443 | 1500 | 1710720000 | ACCEPT |  | 1e-07 |
| 2 | 10.0.0.2 | 80 |  | 1710720000 | REJECT | 100%,"q" | -33.25 |
| 2 | 2001:db8::1 | 65535 | 9223372036854775807 | 1710720001 | ACCEPT | a b=1 | 51.5 |
|  |  |  |  |  |  |  |  |
| 2 | 10.0.0.9 | 0 | 0 | 0 | ACCEPT |  | 0 |
`,
		"table": `
version  srcaddr   srcport  bytes  start (UTC)          action  instance_tag  latitude
──────────────────────────────────────────────────────────────────────────────────────
      2  10.0.0.1      443   1500  2024-03-18 00:00:00  ACCEPT  -                1e-07
      2  10.0.0.2       80      -  2024-03-18 00:00:00  REJECT  100%,"q"        -33.25
      2  2001:db8::1    65535  9223372036854775807  2024-03-18 00:00:01  ACCEPT  a b=1             51.5
      -  -               -      -  -                    -       -                    -
      2  10.0.0.9        0      0  1970-01-01 00:00:00  ACCEPT  -                    0
`,
		"none": "",
	} {
		t.Run(format, func(t *testing.T) {
			compare(t, write(t, format, rendertest.Fields, Options{}, rendertest.Batches(t)...), want)
		})
	}
}

// Without records there is still a header, and a JSON document.
func TestNoRecords(t *testing.T) {
	fields := rendertest.Fields[:3]
	for format, want := range map[string]string{
		"ndjson":   "",
		"json":     "[\n\n]\n",
		"csv":      "version,srcaddr,srcport\n",
		"tsv":      "version\tsrcaddr\tsrcport\n",
		"markdown": "| version | srcaddr | srcport |\n| ---: | --- | ---: |\n",
		"table":    "version  srcaddr  srcport\n─────────────────────────\nno records\n",
	} {
		if got := write(t, format, fields, Options{}); got != want {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
		if got := write(t, format, fields, Options{}, rendertest.RecordOf(t, fields), nil); got != want {
			t.Errorf("%s: empty batches: got %q, want %q", format, got, want)
		}
	}
}

// Columns that flowlog does not know are in json and ndjson, and nowhere else.
func TestExtraColumns(t *testing.T) {
	wide := append(rendertest.Fields[:1:1], schema.Field{Name: "shoe-size", Kind: schema.Text}, schema.Field{Name: `q"`, Kind: schema.Text})
	rec := rendertest.RecordOf(t, wide, "2 44 x", "3 - y")
	for format, want := range map[string]string{
		"ndjson": `{"version":2,"shoe-size":"44","q\"":"x"}` + "\n" + `{"version":3,"q\"":"y"}` + "\n",
		"csv":    "version\n2\n3\n",
		"tsv":    "version\n2\n3\n",
		"table":  "version\n───────\n      2\n      3\n",
	} {
		if got := write(t, format, rendertest.Fields[:1], Options{}, rec); got != want {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
	}
	for _, format := range []string{"parquet", "arrow"} {
		if got := write(t, format, rendertest.Fields[:1], Options{}, rec); strings.Contains(got, "shoe") {
			t.Errorf("%s has the extra column", format)
		}
	}
}

// payloads are texts that somebody would like to be more than text.
var payloads = []string{
	"\x1b[31mred\x1b[0m", "\x1b]0;title\a", "\u009b31m", "\x7f\b\b", "a\rb", "a\nb", "a\tb", "\x00",
	"\u202eoverride\u2066", "zero\u200bwidth", "\ufeffbom", "\u2028", "nb\u00a0sp", "\xff\xfe", "ok\xc3", "é日本\U0001F600\U000E0001",
	"=1+1", "+1", "-1+1|cmd", "@SUM(A1)", "-", "'", "=HYPERLINK(\"http://x\")", "\t=1", "\r=1",
	"a|b", "[x](http://evil)", "![i](http://evil)", "<script>alert(1)</script>", "&lt;", "`code`", "**b**", "_i_", "snake_case", "~~s~~",
	"http://evil", "www.evil.com", "me@evil.com", "# head", "\\|", "a,b", `say "hi"`, " lead", "trail ", "100%41", "$x$",
}

// textDocument is a report whose keys are the payloads, in the name and the notes as well.
func textDocument() Document {
	t := report.Table{
		Name:    "p\x1b[1m",
		Doc:     "d\x1b[1m",
		Columns: []report.Column{{Name: "instance_tag", Role: report.KeyRole, Kind: schema.Text}, {Name: "flows", Role: report.MeasureRole, Kind: schema.Int64}},
		Notes:   []string{"n\x1b[1m"},
		Order:   1,
	}
	for _, p := range payloads {
		t.Rows = append(t.Rows, []any{p, int64(-1)})
	}
	return documentOf(t)
}

// Whatever the text, a report is one line of printable characters to a row, and each value one column.
func TestPayloads(t *testing.T) {
	for _, format := range []string{"table", "json", "ndjson", "csv", "tsv", "markdown"} {
		got := render(t, format, textDocument(), Options{Terminal: true})
		checkPrintable(t, format, got, format == "tsv")
	}
	lines := strings.Split(render(t, "tsv", textDocument(), Options{}), "\n")
	if len(lines) != len(payloads)+2 {
		t.Errorf("tsv: %d lines for %d rows", len(lines), len(payloads))
	}
	for _, line := range lines[1 : len(payloads)+1] {
		if strings.Count(line, "\t") != 1 {
			t.Errorf("tsv: %q is not of two columns", line)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(render(t, "csv", textDocument(), Options{}))).ReadAll()
	if err != nil || len(rows) != len(payloads)+1 {
		t.Fatalf("csv: %d rows for %d: %v", len(rows), len(payloads), err)
	}
	for i, row := range rows[1:] {
		if row[0] != "-" && strings.ContainsAny(row[0][:1], "=+-@\t\r") {
			t.Errorf("csv: %q is a formula", row[0])
		}
		if got, want := strings.TrimPrefix(row[0], "'"), string(appendPrintable(nil, payloads[i])); got != want && payloads[i] != "'" {
			t.Errorf("csv: got %q, want %q", got, want)
		}
		if row[1] != "-1" {
			t.Errorf("csv: the number became %q", row[1])
		}
	}
}

func checkPrintable(t *testing.T, format, got string, tabs bool) {
	t.Helper()
	for _, r := range got {
		if r == '\n' || r == '\t' && tabs || r == utf8.RuneError && (format == "json" || format == "ndjson") {
			continue
		}
		if string(appendPrintable(nil, string(r))) != string(r) || r == utf8.RuneError {
			t.Errorf("%s lets %q through", format, r)
		}
	}
}

func TestPayloadsInJSON(t *testing.T) {
	got := render(t, "ndjson", textDocument(), Options{})
	for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
		var row struct {
			Report string
			Tag    string `json:"instance_tag"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		want := payloads[i]
		if !utf8.ValidString(want) {
			want = string([]rune(want))
		}
		if row.Tag != want || row.Report != "p\x1b[1m" {
			t.Errorf("%q came back as %q", want, row.Tag)
		}
	}
	if got := render(t, "json", textDocument(), Options{}); !json.Valid([]byte(got)) {
		t.Error("the document is not valid JSON")
	}
}

func TestPayloadsInMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"a|b":                       `a\|b`,
		`\|`:                        `\\\|`,
		"[x](http://evil)":          `\[x\](http\://evil)`,
		"![i](http://evil)":         `\!\[i\](http\://evil)`,
		"<script>alert(1)</script>": `&lt;script&gt;alert(1)&lt;/script&gt;`,
		"&lt;":                      `&amp;lt;`,
		"`code`":                    "\\`code\\`",
		"_i_":                       `\_i\_`,
		"snake_case":                `snake_case`,
		"www.evil.com":              `www\.evil.com`,
		"me@evil.com":               `me&#64;evil.com`,
		"a\nb":                      `a\\nb`,
		"10.0.0.1":                  `10.0.0.1`,
		"2001:db8::1":               `2001:db8::1`,
	} {
		if got := string(appendMarkdown(nil, nil, text)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// Records in csv and tsv can be read back as they were, which a parser of flow logs must be able to do.
func TestPayloadsInRecords(t *testing.T) {
	fields := schema.Table{{Name: "instance_tag", Kind: schema.Text, Escaped: true}, {Name: "action", Kind: schema.Text}}
	tag, action := schema.NewColumn(fields[0]), schema.NewColumn(fields[1])
	var want []string
	for _, p := range payloads {
		if utf8.ValidString(p) {
			want = append(want, p)
			tag.Text(p)
			action.Text("x")
		}
	}
	rec := rendertest.Record(fields, []*schema.Column{tag, action})

	rows, err := csv.NewReader(strings.NewReader(write(t, "csv", fields, Options{}, rec))).ReadAll()
	if err != nil || len(rows) != len(want)+1 {
		t.Fatalf("csv: %d rows, %v", len(rows), err)
	}
	for i, row := range rows[1:] {
		if row[0] != want[i] {
			t.Errorf("csv: %q came back as %q", want[i], row[0])
		}
	}

	lines := strings.Split(strings.TrimSuffix(write(t, "tsv", fields, Options{}, rec), "\n"), "\n")
	if len(lines) != len(want)+1 {
		t.Fatalf("tsv: %d lines for %d records", len(lines), len(want))
	}
	for i, line := range lines[1:] {
		words := strings.Fields(line)
		if len(words) != 2 {
			t.Errorf("tsv: %q is not of two words", line)
			continue
		}
		if got, err := url.PathUnescape(words[0]); err != nil || got != want[i] {
			t.Errorf("tsv: %q came back as %q, %v", want[i], got, err)
		}
	}
	checkPrintable(t, "tsv", strings.Join(lines, "\n"), true)

	for _, format := range []string{"table", "json", "ndjson", "csv", "markdown"} {
		checkPrintable(t, format, write(t, format, fields, Options{Terminal: true}, rec), false)
	}
}

// A text whose field is not decoded when it is read keeps its percent signs.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		text, plain, escaped string
	}{
		{"100%", "100%", "100%25"},
		{"a b", "a%20b", "a%20b"},
		{"-", "-", "%2D"},
		{"", "-", "-"},
		{"é\u00a0", "é%C2%A0", "é%C2%A0"},
	} {
		if got := string(appendWord(nil, &schema.Field{}, c.text)); got != c.plain {
			t.Errorf("%q: got %q, want %q", c.text, got, c.plain)
		}
		if got := string(appendWord(nil, &schema.Field{Escaped: true}, c.text)); got != c.escaped {
			t.Errorf("escaped %q: got %q, want %q", c.text, got, c.escaped)
		}
	}
}

// A column whose dictionary is much larger than the batch is written like any other.
func TestLargeDictionary(t *testing.T) {
	fields := schema.Table{{Name: "action", Kind: schema.Text}}
	c := schema.NewColumn(fields[0])
	for i := range 100 {
		c.Text(strings.Repeat("x", i+1))
	}
	c.Truncate(2)
	rec := rendertest.Record(fields, []*schema.Column{c})
	for format, want := range map[string]string{"csv": "action\nx\nxx\n", "ndjson": "{\"action\":\"x\"}\n{\"action\":\"xx\"}\n"} {
		if got := write(t, format, fields, Options{}, rec, rec.NewSlice(0, 0)); got != want {
			t.Errorf("%s: got %q", format, got)
		}
	}
}
