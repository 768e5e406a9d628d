package cmd

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
	"flowlog/report"
)

//go:embed rules/builtin.yaml
var builtinRules []byte

// builtinName is what the file of built-in rules is called in messages and findings.
const builtinName = "builtin.yaml"

// threatRule is the built-in rule that is left out without its table.
const threatRule = "threat-list"

// A ruleFile is a file of rules. It is a tree like a file of settings, whose words it uses where they mean the same.
type ruleFile struct {
	settingsFile
	rules []*ruleText
	lines []string // of the file
}

// A ruleText is a rule as it stands in a file.
type ruleText struct {
	key    *yaml.Node
	nodes  map[string]*yaml.Node // values by their words; those of spike have it in front
	values map[string][]string   // the texts of those
}

// ruleWords are the words of a rule, and what their values are.
var ruleWords = []struct {
	word string
	list bool
}{
	{word: "doc"}, {word: "from"}, {word: "by", list: true}, {word: "every"}, {word: "where"},
	{word: "measures", list: true}, {word: "having"}, {word: "sort"}, {word: "top"},
	{word: "severity"}, {word: "message"}, {word: "next"}, {word: "tags", list: true}, {word: "known_by", list: true},
}

// spikeWords are those of the mapping spike.
var spikeWords = []string{"measure", "times"}

// rulesHelp is the page that lists them.
const rulesHelp = "flowlog help rules"

// What a rule has that does not say otherwise: its severity, and how many of its findings are listed.
const (
	ruleSeverity = "medium"
	ruleMost     = 100
)

// readRules reads a file of rules. All that is wrong with its form is in the error.
func readRules(path string) (*ruleFile, error) {
	if path == "-" {
		return nil, errors.New("rules do not come from standard input, where the records may: " + rulesFirst)
	}
	text, err := disk.Read(path, maxSettings)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", named(err), rulesFirst)
	}
	if yml := filepath.Ext(path) == ".yaml" || filepath.Ext(path) == ".yml"; !yml && !bytes.Contains(text, []byte("rules:")) {
		return nil, fmt.Errorf("%s: has no rules: %s", path, rulesFirst)
	}
	return parseRules(path, text)
}

// rulesFirst is the hint for who names the logs alone.
const rulesFirst = "the first argument is a file of rules; --builtin is for those of flowlog"

func parseRules(path string, text []byte) (*ruleFile, error) {
	f := &ruleFile{settingsFile: settingsFile{path: path}, lines: strings.Split(string(text), "\n")}
	if err := f.parse(text); err != nil {
		return nil, err
	}
	if f.root == nil {
		return nil, fmt.Errorf("%s: has no rules: `%s` says how to write them", path, rulesHelp)
	}
	for key, value := range f.entries("a file of rules", f.root) {
		if key.Value != "rules" {
			f.failAt(key, schema.Unknown("word", key.Value, []string{"rules"}, rulesHelp))
			continue
		}
		for key, value := range f.entries("rules", value) {
			f.readRule(key, value)
		}
	}
	if f.errs == nil && f.rules == nil {
		return nil, fmt.Errorf("%s: has no rules: `%s` says how to write them", path, rulesHelp)
	}
	return f, f.wrong()
}

// wrong is all that is wrong with the file, a line each.
func (f *ruleFile) wrong() error {
	var lines []string
	for _, err := range f.errs {
		lines = append(lines, err.Error())
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\nflowlog: "))
}

func (f *ruleFile) readRule(key, value *yaml.Node) {
	switch {
	case !reportName.MatchString(key.Value):
		f.fail(key, "%q cannot be the name of a rule: it is letters, digits, - and _", key.Value)
		return
	case len(f.rules) == maxReports:
		f.fail(key, "there are more than %d rules", maxReports)
		return
	}
	r := &ruleText{key: key, nodes: make(map[string]*yaml.Node), values: make(map[string][]string)}
	words := []string{"spike"}
	for _, w := range ruleWords {
		words = append(words, w.word)
	}
	for key, value := range f.entries("the rule "+key.Value, value) {
		if key.Value == "spike" {
			r.nodes["spike"] = key
			for key, value := range f.entries("spike", value) {
				if !slices.Contains(spikeWords, key.Value) {
					f.failAt(key, schema.Unknown("word of spike", key.Value, spikeWords, rulesHelp))
					continue
				}
				f.take(r, "spike."+key.Value, value, false)
			}
			continue
		}
		i := slices.Index(words, key.Value) - 1
		if i < 0 {
			f.failAt(key, schema.Unknown("word of a rule", key.Value, words, rulesHelp))
			continue
		}
		r.nodes[key.Value] = value
		f.take(r, key.Value, value, ruleWords[i].list)
	}
	for _, w := range []string{"where", "having", "spike"} {
		blank := len(r.values[w]) > 0 && strings.TrimSpace(r.text(w, "")) == ""
		if r.nodes[w] != nil && !blank {
			f.rules = append(f.rules, r)
			return
		}
	}
	f.fail(key, "%s would fire for whatever there is: say for what, by where, having or spike", key.Value)
}

// take takes the value of a word: a text, or a list of texts, which may stand in one text with commas.
func (f *ruleFile) take(r *ruleText, word string, value *yaml.Node, list bool) {
	nodes := []*yaml.Node{value}
	if list && value.Kind == yaml.SequenceNode {
		nodes = value.Content
	}
	var texts []string
	for _, n := range nodes {
		s, ok := f.text(word, n)
		if !ok {
			return
		}
		texts = append(texts, s)
	}
	if list && value.Kind != yaml.SequenceNode {
		var err error
		if texts, err = splitList(texts[0]); err != nil {
			f.failAt(value, fmt.Errorf("%s: %w", word, err))
			return
		}
	}
	r.nodes[word], r.values[word] = value, texts
}

// text is the one value of a word, or else what it is without.
func (r *ruleText) text(word, otherwise string) string {
	if v := r.values[word]; len(v) > 0 {
		return v[0]
	}
	return otherwise
}

// line is a text on one line.
func (r *ruleText) line(word string) string {
	return strings.Join(strings.Fields(r.text(word, "")), " ")
}

// change is what the rule changes about the report that it starts from.
func (r *ruleText) change() report.Change {
	return report.Change{
		By: r.values["by"], Measures: r.values["measures"], Where: r.text("where", ""), Having: r.text("having", ""),
		Every: r.text("every", ""), Sort: r.text("sort", ""), Top: 0,
	}
}
