package render

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"flowlog/parse/schema"
	"flowlog/report"
)

var (
	barDrawn   = regexp.MustCompile(`<rect class="bar[^"]*" width="([0-9.]+)%"`)
	valueInTip = regexp.MustCompile(`&#10;&#9;n&#9;(-?[0-9,]+)`)
)

// TestBarsOneScale: all bars of a chart are as long for what they show, and what would not fit the scale is no bar.
func TestBarsOneScale(t *testing.T) {
	key := report.Column{Name: "srcaddr", Role: report.KeyRole, Kind: schema.Text}
	n := report.Column{Name: "n", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count, Share: true}
	table := report.Table{Columns: []report.Column{key, n}, Order: 1, Desc: true, Cut: 1000, Others: []any{nil, int64(9_000_000)}, Totals: []any{nil, int64(10_000_000)}}
	table.Rows = [][]any{{nil, int64(500_000)}}
	for i, v := range []int64{1000, 999, 500, 3, 1, 0} {
		table.Rows = append(table.Rows, []any{"10.0.0." + strconv.Itoa(i), v})
	}
	page := render(t, "html", documentOf(table), Options{})
	rows := strings.Split(page, "<g data-tip=")[1:]
	if len(rows) != 6 {
		t.Fatalf("%d rows in the chart", len(rows))
	}
	for _, row := range rows {
		row, _, _ = strings.Cut(row, "</g>")
		value, _ := strconv.ParseFloat(strings.ReplaceAll(valueInTip.FindStringSubmatch(row)[1], ",", ""), 64)
		length := 0.0
		if m := barDrawn.FindStringSubmatch(row); m != nil {
			length, _ = strconv.ParseFloat(m[1], 64)
		}
		if math.Abs(length-value/10) > 0.006 {
			t.Errorf("a bar of %v is %v %% long", value, length)
		}
	}
	if rows := strings.Count(page, `class="bar"`); rows != 5 {
		t.Errorf("%d bars: nothing is no bar", rows)
	}
	for _, want := range []string{"Without srcaddr: 500,000 n, 5.0 %.", "6 of 1,006 rows with 2,503 n, &lt;0.1 %; the others have 9,000,000 n, 90.0 %."} {
		if !strings.Contains(page, `<p class="note">`+want+"</p>") {
			t.Errorf("the page does not say %q", want)
		}
	}
	// In a terminal, too.
	out := render(t, "table", documentOf(table), Options{Chart: true, Width: 80})
	for line := range strings.Lines(out) {
		if bars := strings.Count(line, "█"); bars > 0 && (strings.HasPrefix(line, "others") || strings.HasPrefix(line, "total")) {
			t.Errorf("others have a bar: %s", line)
		}
	}
}

// TestBarsOfChanges: a change for the less has a bar too.
func TestBarsOfChanges(t *testing.T) {
	key := report.Column{Name: "srcaddr", Role: report.KeyRole, Kind: schema.Text}
	n := report.Column{Name: "n", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count}
	table := report.Table{Columns: []report.Column{key, n}, Order: 1, Desc: true, Rows: [][]any{{"a", int64(-20)}, {"b", int64(10)}}}
	page := render(t, "html", documentOf(table), Options{})
	if got := barDrawn.FindAllStringSubmatch(page, -1); len(got) != 2 || got[0][1] != "100" || got[1][1] != "50" {
		t.Errorf("got the bars %v", got)
	}
}

// TestPairs: two addresses never look like one, however little room there is.
func TestPairs(t *testing.T) {
	src, dst := "2a00:1450:9b33:29a6:c743:772e:2207:b81b", "2600:1f16:a02:4b02:4b39:3398:487c:483a"
	table := report.Table{
		Columns: []report.Column{
			{Name: "srcaddr", Role: report.KeyRole, Kind: schema.Text}, {Name: "dstaddr", Role: report.KeyRole, Kind: schema.Text},
			{Name: "n", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Count, Share: true},
		},
		Rows: [][]any{{src, dst, int64(2)}, {"105.226.165.10", "10.0.168.8", int64(1)}}, Order: 2, Desc: true,
	}
	page := render(t, "html", documentOf(table), Options{})
	for _, want := range []string{
		src + " → " + dst, ">2a00:1450:9b…2207:b81b</text>", ">→ 2600:1f16:a0…487c:483a</text>", ">2a00:14…:b81b</text>",
		`<text x="35%" y="47">→ 10.0.168.8</text>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
}

func TestEllipsis(t *testing.T) {
	for _, tt := range []struct {
		s    string
		most int
		want string
	}{
		{"10.0.0.1", 8, "10.0.0.1"},
		{"10.0.0.15", 8, "10.0….15"},
		{"105.226.165.10 → 10.0.168.8", 25, "105.22…65.10 → 10.0.168.8"},
		{"10.0.168.8 → 105.226.165.10", 25, "10.0.168.8 → 105.22…65.10"},
		{"2001:db8::1234:5678:9abc · 443 · https", 30, "2001:db8:…8:9abc · 443 · https"},
		{"2001:db8::1234:5678:9abc · 443 · https", 15, "20…bc · 443 · …"},
		{"aaaaaaaaaaaaaaaaaaaa → bbbbbbbbbbbbbbbbbbbb · 443", 30, "aaaaaaa…aaaaa → bbbb…bbb · 443"},
	} {
		got := ellipsis(tt.s, tt.most)
		if got != tt.want || utf8.RuneCountInString(got) > tt.most {
			t.Errorf("%q in %d: got %q, want %q", tt.s, tt.most, got, tt.want)
		}
	}
}
