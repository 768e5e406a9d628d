package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRulesPage holds the page about rules against the program: its file is one, and it names every word.
func TestRulesPage(t *testing.T) {
	page, err := os.ReadFile("help/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range append(ruleWords, struct {
		word string
		list bool
	}{word: "spike"}) {
		if !strings.Contains(string(page), "`"+w.word+"`") {
			t.Errorf("the page says nothing about %s", w.word)
		}
	}
	_, text, _ := strings.Cut(string(page), "    # rules.yaml\n")
	text, _, _ = strings.Cut(text, "\n\nA rule is")
	dir := t.TempDir()
	for name, content := range map[string]string{
		"rules.yaml": strings.ReplaceAll(text, "\n    ", "\n")[4:],
		"known.txt":  "192.0.2.1\n",
		"flow.log":   "srcaddr start end action log-status\n192.0.2.1 1778749200 1778749210 ACCEPT OK\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	out := Invoke("check", "--config", "none", filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "flow.log")).Exits(t, 0)
	if out != "no findings\nnote: rules that could not be checked: 1 of 4\n" {
		t.Error(out)
	}
}

// FuzzRules reads any bytes as a file of rules: what is wrong with it has a place.
func FuzzRules(f *testing.F) {
	f.Add(builtinRules)
	f.Add([]byte("rules: {a: {spike: {measure: flows, times: 2}, every: 5m, message: '{flows}'}}"))
	f.Add([]byte("rules:\n  a:\n    where: \"x\\ty\"\n    by: [srcaddr"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := parseRules("f.yaml", text)
		if err == nil {
			for _, r := range file.rules {
				r.words()
			}
			return
		}
		if !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("%v has no place", err)
		}
	})
}
