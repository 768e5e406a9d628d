package report

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"flowlog/parse/schema"
)

func TestDashboard(t *testing.T) {
	fields := append(fields(), schema.Field{Name: "src_scope", Kind: schema.Text}, schema.Field{Name: "dst_scope", Kind: schema.Text})
	scope := Scope{Fields: append(fields, schema.Delivered()...), List: "flowlog fields", Number: func(field, name string) []int64 {
		return map[string][]int64{"tcp": {6}, "udp": {17}}[name]
	}}
	titles := make(map[string]bool)
	var tabs []string
	for _, p := range Dashboard() {
		if titles[p.Title] || p.Title == "" {
			t.Errorf("two panels have the title %q", p.Title)
		}
		titles[p.Title] = true
		if len(tabs) == 0 || tabs[len(tabs)-1] != p.Tab {
			if slices.Contains(tabs, p.Tab) {
				t.Errorf("%s: the panels of the tab %s are not together", p.Title, p.Tab)
			}
			tabs = append(tabs, p.Tab)
		}
		r, ok := Named(p.Report)
		if !ok {
			t.Errorf("%s: there is no report %s", p.Title, p.Report)
			continue
		}
		changed, err := r.With(p.Change, scope, time.UTC)
		if err != nil {
			t.Errorf("%s: %v", p.Title, err)
			continue
		}
		timed := slices.ContainsFunc(changed.Keys, func(k Key) bool { return k.Every != 0 || k.Hour })
		if ranks := len(changed.Keys) > 0 && !timed; ranks != (changed.Limit > 0) {
			t.Errorf("%s: shows %d rows", p.Title, changed.Limit)
		}
	}
	want := []string{"Overview", "Top talkers", "Geo", "ASN", "Rejected", "AWS networking", "Protocols", "AWS services", "Ports", "Quality"}
	if !slices.Equal(tabs, want) {
		t.Errorf("got the tabs %q", tabs)
	}
}

func TestChangeFlags(t *testing.T) {
	c := Change{By: []string{"time", "dstport"}, Measures: []string{"flows"}, Where: "action = REJECT", Having: "flows > 1", Every: "1h", Sort: "-flows", Top: 3}
	want := []string{"--by", "time,dstport", "--measures", "flows", "--where", "action = REJECT", "--having", "flows > 1", "--every", "1h", "--sort", "-flows", "--top", "3"}
	if got := c.Flags(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (Change{Top: -1}).Flags(); got != nil {
		t.Errorf("got %q for no change", got)
	}
}

// TestSharedGroups: reports that share their groups come to what each comes to alone.
func TestSharedGroups(t *testing.T) {
	scope := Scope{Fields: schema.Logged()}
	var reports []Report
	for _, x := range []struct {
		name string
		Change
	}{
		{"talkers", Change{Top: 3}},
		{"talkers", Change{Top: 2, Sort: "packets"}},
		{"talkers", Change{Top: -1, Sort: "-flows", Measures: []string{"flows", "distinct_dstport", "bps"}}},
		{"talkers", Change{Top: 1, Where: "action = REJECT"}},
		{"rejected", Change{Top: 0}},
		{"receivers", Change{Top: 0}},
		{"timeline", Change{Top: -1}},
		{"timeline", Change{Top: -1, Measures: []string{"rejected_share", "pps"}}},
		{"timeline", Change{Top: -1, Measures: []string{"nodata", "skipdata", "flows"}}},
		{"timeline", Change{Top: -1, Measures: []string{"skipdata"}}},
		{"timeline", Change{Top: -1, Every: "1h"}},
		{"quality", Change{Top: -1}},
		{"interfaces", Change{Top: -1}},
	} {
		r, _ := Named(x.name)
		r, err := r.With(x.Change, scope, nil)
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, r)
	}
	rows := randomRows(rand.New(rand.NewPCG(1, 2)), 500)
	for _, workers := range []int{1, 3} {
		together, lacks, err := aggregate(t, reports, rows, workers, 64)
		if err != nil || len(lacks) > 0 {
			t.Fatal(err, lacks)
		}
		for i, r := range reports {
			alone, _, err := aggregate(t, []Report{r}, rows, 1, 64)
			if err != nil {
				t.Fatal(err)
			}
			alone[0].Notes, together[i].Notes = nil, nil // only the first says that flows were lost
			if !reflect.DeepEqual(alone[0], together[i]) {
				t.Errorf("%s %d: alone %v, together %v", r.Name, i, alone[0], together[i])
			}
		}
	}
}
