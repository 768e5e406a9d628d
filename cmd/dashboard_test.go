package cmd_test

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
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
	page = string(run(t, nil, append([]string{"report", "dashboard", "-o", "html"}, args...)...))
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
		{"--since", "2026-05-14T09:05"},
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
