package cmd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flowlog/parse"
	"flowlog/parse/schema"
	"flowlog/report/render"

	"flowlog/cmd"
)

// Every row of a table that help is about is on its page, and no page has a mark that no table fills.
func TestHelpPagesFollowTheTables(t *testing.T) {
	var inputs, outputs, findings []string
	for _, f := range parse.Formats() {
		inputs = append(inputs, "| "+f.Name+" | "+f.Doc+" |")
	}
	for _, f := range render.Formats {
		outputs = append(outputs, "| "+f.Name+" | "+f.Doc+" | ")
	}
	for _, f := range render.FindingFormats {
		findings = append(findings, "| "+f.Name+" | "+f.Doc+" |")
	}
	wanted := map[string][]string{
		"formats": slices.Concat(inputs, outputs, parse.Codecs(), []string{schema.VersionRange(" … ")}),
		"rules":   findings,
	}
	pages, err := filepath.Glob("help/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	mark := regexp.MustCompile(`\{\{[a-z ]+\}\}`)
	for _, file := range pages {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		page := cmd.Invoke("help", name).Exits(t, 0)
		if left := mark.FindString(page); left != "" {
			t.Errorf("help %s: no table fills %s", name, left)
		}
		if !mark.Match(raw) && page != string(raw) {
			t.Errorf("help %s is not its page", name)
		}
		for _, want := range wanted[name] {
			if !strings.Contains(page, want) {
				t.Errorf("help %s has no %q", name, want)
			}
		}
	}
	for _, f := range render.Formats {
		if f.Charts == render.OnRequest || f.Columns == render.NoColumns {
			continue
		}
		if page := cmd.Invoke("help", f.Name).Exits(t, 0); !strings.HasPrefix(page, "# Formats\n") {
			t.Errorf("help %s is not the page of formats: %.40q", f.Name, page)
		}
	}
}
