package render

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"flowlog/report"
)

// TestChangeIsSaid: what a user changes about a report shows in every format that people read, and in JSON by its name.
func TestChangeIsSaid(t *testing.T) {
	changes := map[string]struct {
		change report.Change
		says   string // in a format for people
	}{
		"By":       {report.Change{By: []string{"srcaddr", "dstport"}, Top: -1}, "by srcaddr, dstport"}, // in Doc, as With writes it
		"Measures": {report.Change{Measures: []string{"avg(bytes)", "flows"}, Top: -1}, "ranked by bytes"},
		"Where":    {report.Change{Where: "dstport = 22", Top: -1}, "where dstport = 22"},
		"Having":   {report.Change{Having: "flows = 7", Top: -1}, "having flows = 7"},
		"Every":    {report.Change{Every: "5m", Top: -1}, "every 5m"},
		"Sort":     {report.Change{Sort: "-packets", Top: -1}, "ranked by packets in reverse"},
		"Top":      {report.Change{Top: 3}, "others (1,200 more)"},
	}
	for i := range reflect.TypeFor[report.Change]().NumField() {
		name := reflect.TypeFor[report.Change]().Field(i).Name
		c, ok := changes[name]
		if !ok {
			t.Errorf("nothing says what %s changes", name)
			continue
		}
		table := talkers()
		table.Settings = c.change.Settings()
		if c.change.By != nil {
			table.Doc = c.says
		}
		for _, format := range []string{"table", "markdown", "html"} {
			if page := render(t, format, documentOf(table), Options{}); !strings.Contains(strings.ReplaceAll(page, `\`, ""), c.says) {
				t.Errorf("%s: %s does not say %q", name, format, c.says)
			}
		}
		if page := render(t, "json", documentOf(table), Options{}); !strings.Contains(page, `"change": {`) || !strings.Contains(page, `"`+strings.ToLower(name)+`": `) {
			t.Errorf("%s: json has no change of that name", name)
		}
	}
}

// TestSelectionIsSaid: so does what is read and counted.
func TestSelectionIsSaid(t *testing.T) {
	settings := []report.Setting{
		{Name: "since", Value: "2026-05-14T07:30:00Z"}, {Name: "until", Value: "2026-05-15T00:00:01Z"}, {Name: "account", Value: "1,2"},
		{Name: "flow-log", Value: "fl-1"}, {Name: "region-filter", Value: "eu-west-1"}, {Name: "vantage", Value: "dst"},
		{Name: "before", Value: "2026-05-14T00:00:00Z..2026-05-15T00:00:00Z"}, {Name: "tz", Value: "Europe/Berlin"},
		{Name: "where", Value: "account_id in (1,2)"},
	}
	want := []string{
		"where account_id in (1,2)", "since 2026-05-14 09:30 Europe/Berlin", "until 2026-05-15 02:00:01 Europe/Berlin",
		"before: 2026-05-14 02:00 Europe/Berlin – 2026-05-15 02:00 Europe/Berlin", "flow log fl-1", "account 1, 2", "region eu-west-1",
		"counted at dst", "times in Europe/Berlin",
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	table := talkers()
	table.Settings = settings
	page := render(t, "html", Document{Tables: []report.Table{talkers(), talkers()}, Settings: settings}, Options{Zone: zone})
	for _, s := range want {
		if !strings.Contains(page, "<span>"+s+"</span>") {
			t.Errorf("the heading of a page does not say %q", s)
		}
	}
	want = want[:len(want)-1] // columns of times say what zone they are in
	line := strings.Split(render(t, "table", documentOf(table), Options{Zone: zone}), "\n")[1]
	if line != strings.Join(want, " · ") {
		t.Errorf("got %q, want %q", line, want)
	}
	for _, line := range strings.Split(render(t, "table", documentOf(table), Options{Zone: zone, Width: 50}), "\n")[1:7] {
		if n := len([]rune(line)); n > 80 || n > 50 && strings.Contains(line, " · ") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

// TestHeadingCounts: no number in the heading of a page is another one than that of the summary below it.
func TestHeadingCounts(t *testing.T) {
	where := []report.Setting{{Name: "where", Value: "dstport = 22"}}
	column := func(name string) report.Column {
		return report.Column{Name: name, Role: report.MeasureRole, Unit: report.Count}
	}
	sum := report.Table{
		Name: "summary", Columns: []report.Column{column("flows"), column("nodata"), column("skipdata")},
		Rows: [][]any{{int64(5407), int64(0), int64(3)}}, Settings: where,
	}
	doc := Document{Tables: []report.Table{sum, talkers()}, Settings: where}
	doc.Input.Objects, doc.Input.Flows, doc.Input.NoData, doc.Input.SkipData = 2, 297028, 2380, 592
	heading := func(doc Document) string {
		_, page, _ := strings.Cut(render(t, "html", doc, Options{}), "</h1>")
		head, _, _ := strings.Cut(page, "</header>")
		return head
	}
	for _, tt := range []struct {
		name, want string
		doc        func() Document
	}{
		{"summary", "<span><b>2</b> objects</span><span><b>5,407</b> of 297,028 flows read</span><span><b>3</b> SKIPDATA</span></p>", func() Document { return doc }},
		{"no filter", "<b>297,028</b> flows</span><span><b>2,380</b> NODATA</span><span><b>592</b> SKIPDATA</span></p>", func() Document {
			d := doc
			d.Tables, d.Settings = []report.Table{talkers(), talkers()}, nil
			return d
		}},
		{"nobody knows", "<b>297,028</b> flows read</span></p>", func() Document {
			d := doc
			d.Tables = []report.Table{talkers(), talkers()}
			return d
		}},
		{"totals of one report", "<b>1,239,575</b> of 297,028 flows read</span></p>", func() Document {
			d := doc
			d.Tables = []report.Table{talkers()}
			d.Tables[0].Settings = where
			return d
		}},
	} {
		if got := heading(tt.doc()); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
