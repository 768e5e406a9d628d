package render

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render/rendertest"
)

// pagePayloads are texts that would do something on a page, in a script, a style, a spreadsheet or to the eyes.
var pagePayloads = []string{
	`<script>alert(1)</script>`, `</script><script>alert(1)</script>`, `</style><script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `" onmouseover="alert(1)`, "` onload=alert(1) `",
	`javascript:alert(1)`, `</title><script>alert(1)</script>`, `--><script>alert(1)</script>`, `]]><script>alert(1)</script>`,
	`&lt;script&gt;alert(1)&lt;/script&gt;`, `{{.}} ${1} {}`, "a\u202egnp.exe", "a\x00b\x1b[31mc\x7f", "two\nlines\tand a tab\r", "\xff\xfe", "\u2028\u2029\ufeff",
}

// hostile is a report with a payload in every text: names, values, notes, labels.
func hostile(payload string) report.Table {
	at := time.Unix(1710720000, 0).UTC()
	return report.Table{
		Name: payload, Doc: payload, Tab: payload, Title: payload, Command: payload,
		Columns: []report.Column{
			{Name: "time", Role: report.KeyRole, Kind: schema.Time, Unit: report.Instant, Every: time.Minute},
			{Name: payload, Role: report.KeyRole, Kind: schema.Text},
			{Name: "n", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Bytes, Share: true},
		},
		Rows:   [][]any{{at, payload, int64(10)}, {at.Add(time.Minute), payload + "2", int64(20)}},
		Totals: []any{nil, nil, int64(30)},
		Notes:  []string{payload},
	}
}

func TestHTMLPayloads(t *testing.T) {
	for _, payload := range pagePayloads {
		timed := hostile(payload)
		ranked := hostile(payload)
		ranked.Columns[0] = report.Column{Name: "key", Role: report.KeyRole, Kind: schema.Text}
		ranked.Rows[0][0], ranked.Rows[1][0] = payload, payload
		ranked.Cut, ranked.Others = 1, []any{nil, nil, int64(5)}
		ring := hostile(payload)
		ring.Columns[0] = report.Column{Name: payload, Role: report.LabelRole, Kind: schema.Text, Of: 1}
		ring.Rows[0][0], ring.Rows[1][0], ring.Order = payload, payload, 2
		heat := hostile(payload)
		heat.Columns[0] = report.Column{Name: "hour", Role: report.KeyRole, Kind: schema.Int32}
		heat.Rows[0][0], heat.Rows[1][0] = int64(3), int64(4)
		places := hostile(payload)
		places.Columns = append(places.Columns,
			report.Column{Name: "src_latitude", Role: report.KeyRole, Kind: schema.Float},
			report.Column{Name: "src_longitude", Role: report.KeyRole, Kind: schema.Float})
		places.Columns[0] = report.Column{Name: "key", Role: report.KeyRole, Kind: schema.Text}
		places.Rows = [][]any{{payload, payload, int64(1), 1.0, 2.0}, {nil, nil, int64(1), nil, nil}}
		places.Totals = []any{nil, nil, int64(2), nil, nil}
		lacking := report.Table{Name: payload, Tab: payload, Title: payload, Lacks: []string{payload}, Notes: []string{payload}}
		page := render(t, "html", documentOf(timed, ranked, ring, heat, places, lacking), Options{})
		for _, kind := range []string{"time", "bars", "donut", "heat", "map"} {
			if !strings.Contains(page, `<div class="chart `+kind+`"`) {
				t.Fatalf("there is no chart %s", kind)
			}
		}
		checkInert(t, payload, page)
		checkInert(t, payload, render(t, "html", documentOf(hostile(payload)), Options{}))
	}
}

var (
	tag       = regexp.MustCompile(`<([a-z0-9]+)((?: [a-zA-Z0-9-]+(?:="[^"<>]*")?)*)/?>`)
	attribute = regexp.MustCompile(` ([a-zA-Z0-9-]+)(?:="([^"<>]*)")?`)
)

// checkInert takes a page apart by a grammar that is stricter than HTML's: what is neither a tag of a kind that flowlog
// writes nor text without < and > is a hole.
func checkInert(t *testing.T, payload, page string) {
	t.Helper()
	page = strings.Replace(page, "<style>"+pageStyle+"</style>", "<style></style>", 1)
	page = strings.Replace(page, "<script>"+pageScript+"</script>", "<script></script>", 1)
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%q: %d scripts", payload, n)
	}
	page = strings.TrimPrefix(page, "<!DOCTYPE html>")
	for _, m := range tag.FindAllStringSubmatch(page, -1) {
		for _, a := range attribute.FindAllStringSubmatch(m[2], -1) {
			name, value := strings.ToLower(a[1]), a[2]
			switch {
			case strings.HasPrefix(name, "on"), name == "style", name == "src", name == "action", name == "srcdoc",
				name == "href" && value != "data:," && value != "#world":
				t.Errorf("%q: <%s> has %s", payload, m[1], a[0])
			}
		}
	}
	rest := regexp.MustCompile(`</[a-z0-9]+>`).ReplaceAllString(tag.ReplaceAllString(page, ""), "")
	if i := strings.IndexAny(rest, "<>"); i >= 0 {
		t.Errorf("%q: what is no tag has %q", payload, rest[max(0, i-40):min(len(rest), i+40)])
	}
	for _, r := range page {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%q: the page has %U", payload, r)
		}
	}
}

// TestForms reads every form of the package: a value stands between tags or in the quotes of an attribute that is
// neither an address, nor a style, nor a script.
func TestForms(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`([a-zA-Z-]*)="[^"{}]*$`)
	n := 0
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "form" {
				t.Errorf("%s makes a form of something", file.Name())
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "put" || len(call.Args) == 0 {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: a form is no literal", file.Name())
				return true
			}
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			n++
			parts := strings.Split(s, "{}")
			for i := range parts[:len(parts)-1] {
				before := strings.Join(parts[:i+1], "")
				inside := strings.LastIndex(before, "<") > strings.LastIndex(before, ">")
				m := place.FindStringSubmatch(before)
				if inside && m == nil {
					t.Errorf("%s: %q has a value in a tag, outside of quotes", file.Name(), s)
				}
				if inside && m != nil && (m[1] == "href" || m[1] == "src" || m[1] == "style" || strings.HasPrefix(m[1], "on")) {
					t.Errorf("%s: %q has a value in %s", file.Name(), s, m[1])
				}
			}
			return true
		})
	}
	if n < 50 {
		t.Errorf("found only %d forms", n)
	}
}

func TestPutPanics(t *testing.T) {
	for _, f := range []func(*markup){
		func(m *markup) { m.put(`<a b={}>`, "x") },
		func(m *markup) { m.put(`<a>`, "x") },
		func(m *markup) { m.put(`<a>{}{}`, "x") },
		func(m *markup) { m.put(`{}`, []byte("x")) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f(&markup{})
		}()
	}
}

// TestHTMLPolicy recomputes the hashes of the policy from the page: a style or script that differs by a byte would be
// refused by browsers.
func TestHTMLPolicy(t *testing.T) {
	page := render(t, "html", documentOf(talkers()), Options{})
	for _, part := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(page, "<"+part+">")
		text, _, ok := strings.Cut(rest, "</"+part+">")
		if !ok || text == "" {
			t.Fatalf("no %s", part)
		}
		sum := sha256.Sum256([]byte(text))
		if want := part + "-src &#39;sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "&#39;"; !strings.Contains(page, want) {
			t.Errorf("the policy does not have %s", want)
		}
	}
	if !strings.Contains(page, "default-src 'none'") {
		t.Error("the policy allows more than it must")
	}
	if strings.Contains(pageStyle+pageScript, "http") || strings.Contains(pageStyle, "url(") || strings.Contains(pageStyle, "@import") {
		t.Error("the page would ask for something")
	}
}

func TestHTMLSize(t *testing.T) {
	if n := len(render(t, "html", documentOf(), Options{})); n > 64<<10 {
		t.Errorf("an empty page has %d bytes", n)
	}
	table := talkers()
	row := table.Rows[0]
	table.Rows = nil
	for range 100_000 {
		table.Rows = append(table.Rows, row)
	}
	page := render(t, "html", documentOf(table), Options{})
	if len(page) > 512<<10 {
		t.Errorf("%d bytes for one table", len(page))
	}
	for _, want := range []string{"99,500 rows are not in this page", "500 of 101,200 rows"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestHTMLCharts: no chart grows with the rows of its report.
func TestHTMLCharts(t *testing.T) {
	const n = 20_000
	bin := report.Column{Name: "time", Role: report.KeyRole, Kind: schema.Time, Unit: report.Instant, Every: time.Second}
	sum := report.Column{Name: "n", Role: report.MeasureRole, Kind: schema.Int64, Share: true}
	text := report.Column{Name: "key", Role: report.KeyRole, Kind: schema.Text}
	lat := report.Column{Name: "src_latitude", Role: report.KeyRole, Kind: schema.Float}
	lon := report.Column{Name: "src_longitude", Role: report.KeyRole, Kind: schema.Float}
	hour := report.Column{Name: "hour", Role: report.KeyRole, Kind: schema.Int32}
	tables := []report.Table{
		{Columns: []report.Column{bin, text, sum}}, {Columns: []report.Column{lat, lon, sum}}, {Columns: []report.Column{hour, text, sum}},
		{Columns: []report.Column{text, text, sum}},
	}
	for i := range n {
		v, key := int64(i+1), fmt.Sprint("key ", i)
		tables[0].Rows = append(tables[0].Rows, []any{time.Unix(int64(i), 0).UTC(), key, v})
		tables[1].Rows = append(tables[1].Rows, []any{float64(i%180) - 90, float64(i%360) - 180, v})
		tables[2].Rows = append(tables[2].Rows, []any{int64(i % 24), key, v})
		tables[3].Rows = append(tables[3].Rows, []any{key, key, v})
	}
	for i, kind := range []string{"time", "map", "heat", "bars"} {
		m := &markup{}
		c, measure := chartOf(tables[i])
		if c.name != kind {
			t.Fatalf("the chart is %s", c.name)
		}
		if c.page(m, tables[i], measure, Options{}); len(m.buf) > 256<<10 {
			t.Errorf("%s: %d bytes", kind, len(m.buf))
		}
	}
}

// TestHTMLValues: a cell has the exact value that other formats have where it shows something else.
func TestHTMLValues(t *testing.T) {
	page := render(t, "html", documentOf(talkers()), Options{})
	for _, want := range []string{
		`<td class="num" data-v="1524713390">1.42 GiB</td>`, `<td class="num" data-v="1234567">1,234,567</td>`,
		`<td>2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff</td>`, `<td></td>`, `<td data-v="2024-03-18T00:00:00Z">2024-03-18 00:00:00</td>`,
		`others (1,200 more)`, `the input has no vpc_id`, `1,524,713,390 bytes (1.42 GiB) · 75.3 %`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
	page = render(t, "html", documentOf(summary()), Options{})
	if want := `<dt>flows</dt><dd data-v="1234567" title="1,234,567">1,234,567</dd>`; !strings.Contains(page, want) {
		t.Errorf("the page does not have %s", want)
	}
	if page = render(t, "html", documentOf(nothing()), Options{}); !strings.Contains(page, "No matching flows.") {
		t.Error("a report without rows does not say so")
	}
}

func TestHTMLRecords(t *testing.T) {
	f, err := Lookup("html")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	w, err := f.Records(&out, rendertest.Fields, Options{})
	if err != nil {
		t.Fatal(err)
	}
	line := `2 10.0.0.1 443 1234 1710720000 ACCEPT <b> 1.5`
	lines := make([]string, 300)
	for i := range lines {
		lines[i] = line
	}
	for seq := range int64(3) {
		if err := w.Add(schema.Batch{Seq: seq, Record: rendertest.RecordOf(t, rendertest.Fields, lines...)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	if n := strings.Count(page, "<td>10.0.0.1</td>"); n != rowsEmbedded {
		t.Errorf("%d records in the page", n)
	}
	for _, want := range []string{"500 of 900 rows", `<td data-v="1710720000">2024-03-18 00:00:00</td>`, "&lt;b&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
}

func TestWorld(t *testing.T) {
	if len(world) > 60_000 {
		t.Errorf("the outlines have %d bytes", len(world))
	}
	for i, outline := range strings.Split(strings.TrimSpace(world), "\n") {
		if outline[0] != 'L' && outline[0] != 'B' {
			t.Fatalf("outline %d begins with %q", i, outline[0])
		}
		x, y := 0, 0
		words := strings.Fields(outline[1:])
		if len(words)%2 != 0 || len(words) < 4 {
			t.Errorf("outline %d has %d numbers", i, len(words))
		}
		for j := 0; j+1 < len(words); j += 2 {
			dx, err1 := strconv.Atoi(words[j])
			dy, err2 := strconv.Atoi(words[j+1])
			if err1 != nil || err2 != nil {
				t.Fatalf("outline %d: %v %v", i, err1, err2)
			}
			x, y = x+dx, y+dy
			if x < -180*worldPerDegree || x > 180*worldPerDegree || y < -90*worldPerDegree || y > 84*worldPerDegree {
				t.Errorf("outline %d is at %d, %d", i, x, y)
			}
			if j > 0 && (dx > 90*worldPerDegree || dx < -90*worldPerDegree) {
				t.Errorf("outline %d goes across the map", i)
			}
		}
	}
	land, borders := worldPaths()
	if len(land)+len(borders) > 60_000 || land == "" || borders == "" {
		t.Errorf("the paths have %d and %d bytes", len(land), len(borders))
	}
	for _, p := range []struct{ lon, lat, x, y float64 }{
		{0, 0, 1000, mapScale * 1.3823433846}, {180, 0, 2000, mapScale * 1.3823433846}, {-180, 0, 0, mapScale * 1.3823433846}, {0, 84, 1000, 0},
	} {
		if x, y := project(p.lon, p.lat); x-p.x > 0.01 || p.x-x > 0.01 || y-p.y > 0.01 || p.y-y > 0.01 {
			t.Errorf("project(%v, %v) = %v, %v, want %v, %v", p.lon, p.lat, x, y, p.x, p.y)
		}
	}
}

func TestScale(t *testing.T) {
	for _, tt := range []struct {
		c    report.Column
		top  float64
		want string
	}{
		{report.Column{Unit: report.Bytes, Kind: schema.Int64}, 528_000_000, "0 B 200 MiB 400 MiB 600 MiB"},
		{report.Column{Unit: report.Count, Kind: schema.Int64}, 1398, "0 500 1k 1.5k"},
		{report.Column{Unit: report.Count, Kind: schema.Int64}, 1, "0 1"},
		{report.Column{Unit: report.Share, Kind: schema.Float}, 0.1234, "0% 5% 10% 15%"},
		{report.Column{Unit: report.Count, Kind: schema.Int64}, 0, "0 1"},
		{report.Column{Kind: schema.Float}, 0.003, "0 0.001 0.002 0.003"},
	} {
		step, n := scale(tt.c, tt.top)
		var got []string
		for i := range n + 1 {
			got = append(got, brief(tt.c, float64(i)*step))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("scale to %v: got %s, want %s", tt.top, s, tt.want)
		}
	}
}

// TestChartOf: the columns say how a report is drawn, whoever put it together.
func TestChartOf(t *testing.T) {
	key := func(name string, kind schema.Kind) report.Column {
		return report.Column{Name: name, Role: report.KeyRole, Kind: kind}
	}
	flows := report.Column{Name: "flows", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count, Share: true}
	last := report.Column{Name: "last", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Instant}
	at := time.Unix(0, 0).UTC()
	bin := report.Column{Name: "time", Role: report.KeyRole, Kind: schema.Time, Unit: report.Instant, Every: time.Hour}
	for _, tt := range []struct {
		want string
		t    report.Table
	}{
		{"time 1", report.Table{Columns: []report.Column{bin, flows}, Rows: [][]any{{at, int64(1)}}}},
		{"heat 2", report.Table{Columns: []report.Column{key("hour", schema.Int32), key("protocol", schema.Int32), flows}, Rows: [][]any{{int64(1), int64(6), int64(1)}}}},
		{"map 2", report.Table{Columns: []report.Column{key("dst_latitude", schema.Float), key("dst_longitude", schema.Float), flows}, Rows: [][]any{{1.0, 1.0, int64(1)}}}},
		{"donut 1", report.Table{Columns: []report.Column{key("action", schema.Text), flows}, Rows: [][]any{{"A", int64(1)}, {"B", int64(1)}}, Order: 1}},
		{"bars 1", report.Table{Columns: []report.Column{key("action", schema.Text), flows}, Rows: [][]any{{"A", int64(1)}, {"B", int64(1)}}, Order: 1, Cut: 1}},
		{"bars 2", report.Table{Columns: []report.Column{key("action", schema.Text), last, flows}, Rows: [][]any{{"A", at, int64(1)}}, Order: 1}},
		{"bars 2", report.Table{Columns: []report.Column{key("action", schema.Text), flows, shareColumn}, Rows: [][]any{{"A", nil, 0.5}, {"B", nil, 0.2}}, Order: 1}}, // ratios are no parts of a whole
		{" -1", report.Table{Columns: []report.Column{key("action", schema.Text), last}, Rows: [][]any{{"A", at}}, Order: 1}},
		{" -1", summary()},
	} {
		c, measure := chartOf(tt.t)
		if got := fmt.Sprint(c.name, " ", measure); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.t.Columns, got, tt.want)
		}
	}
}

// TestUnplaced: what does not add up over the rows that have no place is not said to be a number.
func TestUnplaced(t *testing.T) {
	table := report.Table{Columns: []report.Column{
		{Name: "src_latitude", Role: report.KeyRole, Kind: schema.Float}, {Name: "src_longitude", Role: report.KeyRole, Kind: schema.Float}, flowsColumn,
	}, Rows: [][]any{{1.0, 2.0, int64(5)}, {nil, nil, int64(3)}, {nil, 1.0, int64(4)}}, Totals: []any{nil, nil, int64(12)}, Order: 2}
	if page := render(t, "html", documentOf(table), Options{}); !strings.Contains(page, "Not on the map: 7 flows, 58.3 % of all, whose") {
		t.Error("the flows without a place are not told")
	}
	table.Columns[2], table.Rows = shareColumn, [][]any{{1.0, 2.0, 0.5}, {nil, nil, 0.3}, {nil, 1.0, 0.4}}
	if page := render(t, "html", documentOf(table), Options{}); !strings.Contains(page, "Not on the map: 2 rows whose") {
		t.Error("ratios without a place are told as one")
	}
}

func TestLabeller(t *testing.T) {
	table := report.Table{Columns: []report.Column{
		{Name: "srcaddr", Role: report.KeyRole, Kind: schema.Addr}, {Name: "dstaddr", Role: report.KeyRole, Kind: schema.Addr},
		{Name: "protocol", Role: report.KeyRole, Kind: schema.Int32},
		{Name: "protocol_name", Role: report.LabelRole, Kind: schema.Text, Of: 2, InPlace: true},
		{Name: "src_asn", Role: report.KeyRole, Kind: schema.Int64},
	}}
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	table.Rows = [][]any{{a, b, int64(6), "TCP", int64(64496)}, {a, nil, int64(250), nil, nil}, {nil, nil, nil, nil, nil}}
	label := labeller(table, Options{})
	for i, want := range []string{"10.0.0.1 → 10.0.0.2 · TCP · AS64496", "10.0.0.1 → - · 250", noKeys} {
		if got := label(table.Rows[i]); got != want {
			t.Errorf("row %d: got %q, want %q", i, got, want)
		}
	}
}

// TestGrid: what is too small for a line of its own is added up if it adds up, and counted if not.
func TestGrid(t *testing.T) {
	table := report.Table{Columns: []report.Column{
		{Name: "hour", Role: report.KeyRole, Kind: schema.Int32}, {Name: "k", Role: report.KeyRole, Kind: schema.Text},
		{Name: "n", Role: report.MeasureRole, Kind: schema.Int64, Share: true},
	}}
	for i := range 5 {
		table.Rows = append(table.Rows, []any{int64(0), fmt.Sprint("k", i), int64(i + 1)}, []any{int64(1), fmt.Sprint("k", i), int64(10)})
	}
	label := labeller(table, Options{}, 0)
	g := gridOf(table, 2, 24, 3, hourPlace(0), label)
	if got := fmt.Sprintln(len(g.lines), g.lines[0].label, g.lines[0].total, g.lines[2].label, g.lines[2].total, g.top, g.more); got != "3 k4 15 others 36 50 0\n" {
		t.Error(got)
	}
	table.Columns[2].Share = false
	g = gridOf(table, 2, 24, 3, hourPlace(0), label)
	if got := fmt.Sprint(len(g.lines), g.top, g.more); got != "3 10 2" {
		t.Error(got)
	}
}

// TestPaint: a protocol has its colour on every chart, and no two lines have the same.
func TestPaint(t *testing.T) {
	for _, labels := range [][]string{
		{"UDP", "TCP", "x"}, {"x", "TCP", othersName}, {"a", "b", "c", "d", "e", "f", "g", "h"}, {"a", "TCP", "b", "ICMP", "c", "d", "e", noKeys},
	} {
		lines := make([]line, len(labels))
		for i, l := range labels {
			lines[i].label = l
		}
		paint(lines)
		seen := make(map[string]bool)
		for _, l := range lines {
			if want := seriesColors[l.label]; seen[l.class] || l.class == "" || want != "" && l.class != want {
				t.Errorf("%q: %s is %q", labels, l.label, l.class)
			}
			seen[l.class] = true
		}
	}
}
