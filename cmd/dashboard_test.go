package cmd_test

import (
	"fmt"
	"html"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"flowlog/cmd"
)

var (
	headNumber = regexp.MustCompile(`<span><b>([0-9,]+)</b> ([^<]*)</span>`)
	fact       = regexp.MustCompile(`<dt>([^<]*)</dt><dd data-v="([^"]*)"`)
	timeCard   = regexp.MustCompile(`(?s)<div class="chart time".*?</div>`)
	timeBins   = regexp.MustCompile(`(?s)viewBox="0 0 ([0-9]+) 1000".*?data-tip="([^&]*)&#10;`)
	legendItem = regexp.MustCompile(`<li><i class="[^"]*"></i>([^<]*) <b>([0-9,]+)</b>`)
	undrawn    = regexp.MustCompile(`Not drawn: ([0-9,]+) flows? without a start time`)
)

func numberIn(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// dashboardOf writes a page of some records, and returns it with the facts of its summary by their names.
func dashboardOf(t *testing.T, args ...string) (page string, facts map[string]string) {
	t.Helper()
	page = cmd.Invoke(append([]string{"report", "dashboard", "-o", "html"}, args...)...).Exits(t, 0)
	facts = make(map[string]string)
	for _, m := range fact.FindAllStringSubmatch(page, -1) {
		facts[m[1]] = m[2]
	}
	return page, facts
}

// TestDashboardHeading: no number in the heading of a page is another one than that of its summary, whatever was asked for.
func TestDashboardHeading(t *testing.T) {
	names := map[string]string{"flow": "flows", "NODATA": "NODATA records", "SKIPDATA": "SKIPDATA records", "malformed": "malformed records"}
	for _, args := range [][]string{
		{}, {"--where", "dstport = 22"}, {"--vantage", "dedupe"}, {"--where", "dstport = 22", "--vantage", "dedupe"}, {"--where", "dstport = 1 and dstport = 2"},
		{"--since", "2026-05-14T09:01"},
	} {
		page, facts := dashboardOf(t, append(args, "../testdata/logs/v5-console.log", "../testdata/logs/v3.log")...)
		head, _, _ := strings.Cut(page, "</header>")
		seen := 0
		for _, m := range headNumber.FindAllStringSubmatch(head, -1) {
			name := m[2]
			if strings.HasPrefix(name, "object") {
				continue
			}
			if strings.HasPrefix(name, "flow") || strings.HasPrefix(name, "of ") {
				name = "flow"
			}
			seen++
			if want := facts[names[name]]; want == "" || numberIn(t, m[1]) != numberIn(t, want) {
				t.Errorf("%q: the heading has %s %s, the summary %s", args, m[1], m[2], want)
			}
		}
		if seen == 0 {
			t.Errorf("%q: the heading has no numbers", args)
		}
		if len(args) > 1 && !strings.Contains(head, `<p class="settings">`) {
			t.Errorf("%q: the heading does not say what was asked for", args)
		}
	}
}

// TestDashboardTime: all charts over time have one axis, and what they draw and what they say they do not is all there is.
func TestDashboardTime(t *testing.T) {
	logs := "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
	line := func(protocol, start, action string) {
		logs += "2 123456789012 eni-1 10.0.0.1 10.0.0.2 40000 443 " + protocol + " 10 5000 " + start + " 1710739999 " + action + " OK\n"
	}
	for i := range 40 {
		line("6", strconv.Itoa(1710720000+450*i), "ACCEPT")
	}
	for i := range 5 {
		line("17", strconv.Itoa(1710726000+60*i), "REJECT")
	}
	for range 7 {
		line("47", "-", "ACCEPT")
	}
	name := filepath.Join(t.TempDir(), "flows.log")
	if err := os.WriteFile(name, []byte(logs), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{name}, {"--every", "1m", name}, {"--every", "2h", name}} {
		page, facts := dashboardOf(t, args...)
		axes := make(map[string]int)
		for _, card := range timeCard.FindAllString(page, -1) {
			m := timeBins.FindStringSubmatch(card)
			if m == nil {
				t.Fatalf("a chart over time without bins: %.300s", card)
			}
			axes[m[1]+" "+m[2]]++
		}
		if len(axes) != 1 {
			t.Errorf("%q: charts over time have the axes %v", args, axes)
		}
		_, card, _ := strings.Cut(page, "<h3>Accepted and rejected flows over time</h3>")
		card, _, _ = strings.Cut(card, "</article>")
		sum := 0
		for _, m := range legendItem.FindAllStringSubmatch(card, -1) {
			sum += numberIn(t, m[2])
		}
		if m := undrawn.FindStringSubmatch(html.UnescapeString(card)); m != nil {
			sum += numberIn(t, m[1])
		}
		if sum != numberIn(t, facts["flows"]) {
			t.Errorf("%q: %d flows are drawn or said not to be, of %s", args, sum, facts["flows"])
		}
	}
}

// TestChartIsTheReport: what a bin of a chart shows is what the report by bins of that width has, if the chart has fewer
// bins than its table too.
func TestChartIsTheReport(t *testing.T) {
	logs := "start end srcaddr bytes action\n"
	r := rand.New(rand.NewPCG(3, 3))
	for i := range 4000 {
		start := 1710720000 + 20*i
		logs += fmt.Sprintf("%d %d 10.0.0.%d %d %s\n", start, start+60, r.IntN(50), r.IntN(9000), []string{"ACCEPT", "ACCEPT", "REJECT"}[r.IntN(3)])
	}
	name := filepath.Join(t.TempDir(), "flows.log")
	if err := os.WriteFile(name, []byte(logs), 0o666); err != nil {
		t.Fatal(err)
	}
	tip := regexp.MustCompile(`data-tip="Mon 2024-03-18 ([0-9:]+)–[^&]*&#10;&#9;[a-z_]+&#9;([^"]*)"`)
	for _, measure := range []string{"rejected_share", "distinct_srcaddr", "flows"} {
		for _, workers := range []string{"1", "8"} {
			args := []string{"report", "timeline", "--measures", measure, "--workers", workers, "-o"}
			page := cmd.Invoke(append(args, "html", "--every", "1m", name)...).Exits(t, 0)
			rows := cmd.Invoke(append(args, "table", "--every", "5m", name)...).Exits(t, 0)
			tips := tip.FindAllStringSubmatch(page, -1)
			if len(tips) < 250 {
				t.Fatalf("%s: %d bins", measure, len(tips))
			}
			for _, m := range tips {
				if want := regexp.MustCompile(`2024-03-18 ` + m[1] + ` +(\S+)`).FindStringSubmatch(rows); want == nil || want[1] != m[2] {
					t.Errorf("%s at %s: the chart has %s, the report %v", measure, m[1], m[2], want)
				}
			}
		}
	}
}
