package cmd

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
	"flowlog/report"
)

//go:embed rules/builtin.yaml
var builtinRules []byte

// builtinName is what the file of built-in rules is called in messages and findings.
const builtinName = "builtin.yaml"

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

// placeName matches the places of a message that may be names of fields.
var placeName = regexp.MustCompile(`\{([^{}]+)\}`)

// words are the words of the rule that may be names of fields.
func (r *ruleText) words() []string {
	c := r.change()
	c.Measures = append(slices.Clone(c.Measures), r.text("spike.measure", ""))
	for _, m := range placeName.FindAllStringSubmatch(r.text("message", ""), -1) {
		c.Measures = append(c.Measures, m[1])
	}
	words := c.Words()
	if i := slices.Index(report.Names(), r.text("from", "")); i >= 0 {
		base := report.Catalog()[i]
		base.Fields(func(name string) { words = append(words, name) })
	}
	return words
}

// bind makes the text a rule. What is wrong with it is noted at its place.
func (f *ruleFile) bind(r *ruleText, scope report.Scope, zone *time.Location) (rule report.Rule, ok bool) {
	wrong := len(f.errs)
	rule = report.Rule{Tags: r.values["tags"], Line: r.key.Line, Most: ruleMost}
	base := report.Report{Measures: report.Measures()[:1]} // flows
	if from := r.text("from", ""); from != "" {
		i := slices.Index(report.Names(), from)
		if i < 0 {
			f.failAt(r.nodes["from"], schema.Unknown("report", from, report.Names(), "flowlog reports"))
			return rule, false
		}
		base = report.Catalog()[i]
		base.Overview = false
	}
	scope.Open = f.list
	var err error
	rule.Report, err = base.With(r.change(), scope, zone)
	if err == nil && len(rule.Keys) == 0 && rule.Having == nil {
		// A report without keys has a row even of no flows, and where alone is to fire for those that meet it.
		c := r.change()
		c.Having = "flows > 0"
		rule.Report, err = base.With(c, scope, zone)
	}
	if err != nil {
		word := "by"
		if wrong := (*schema.OptionError)(nil); errors.As(err, &wrong) && r.nodes[wrong.Option] != nil {
			word = wrong.Option
		}
		f.failIn(word, r, err)
		return rule, false
	}
	rule.Name, rule.Doc, rule.Next = r.key.Value, r.line("doc"), r.line("next")
	severity := r.text("severity", ruleSeverity)
	if i := slices.Index(report.Severities, severity); i >= 0 {
		rule.Severity = report.Severity(i)
	} else {
		f.failAt(r.nodes["severity"], schema.Unknown("severity", severity, report.Severities, rulesHelp))
	}
	if top := r.text("top", ""); top != "" {
		if rule.Most, err = strconv.Atoi(top); err != nil {
			f.fail(r.nodes["top"], "top: %w", notNumber(top, "a whole number", err))
		} else if rule.Most < 0 {
			f.fail(r.nodes["top"], "top cannot be negative: 0 lists all findings")
		}
	}
	f.bindSpike(r, &rule, scope)
	if text := r.line("message"); text != "" {
		if err := rule.SetMessage(text, scope.Fields); err != nil {
			f.failIn("message", r, err)
		}
	}
	var keys []string
	for _, k := range rule.Keys {
		keys = append(keys, k.Name())
	}
	for _, name := range r.values["known_by"] {
		if name = strings.ReplaceAll(strings.ToLower(name), "-", "_"); !slices.Contains(keys, name) {
			f.failAt(r.nodes["known_by"], schema.Unknown("key", name, keys, rulesHelp))
		}
		rule.KnownBy = append(rule.KnownBy, name)
	}
	return rule, len(f.errs) == wrong
}

func (f *ruleFile) bindSpike(r *ruleText, rule *report.Rule, scope report.Scope) {
	at := r.nodes["spike"]
	if at == nil {
		return
	}
	for _, w := range spikeWords {
		if r.values["spike."+w] == nil {
			f.fail(at, "spike needs %s, as in spike: {measure: rejected, times: 5}", w)
			return
		}
	}
	if !slices.ContainsFunc(rule.Keys, func(k report.Key) bool { return k.Every != 0 }) {
		f.fail(at, "spike compares bins of time: say how wide they are, as in every: 5m")
		return
	}
	times, err := strconv.ParseFloat(r.text("spike.times", ""), 64)
	if err != nil || !(times >= 1) {
		f.fail(r.nodes["spike.times"], "times: %q is not a number from 1 on", r.text("spike.times", ""))
		return
	}
	measure, err := rule.Need(r.text("spike.measure", ""), scope.Fields)
	if err != nil {
		f.failIn("spike.measure", r, err)
		return
	}
	rule.Spike = &report.Spike{Measure: measure, Times: times}
}

// failIn notes what is wrong within the value of a word: at the very character, if the error knows it and the value
// stands in the file as it is.
func (f *ruleFile) failIn(word string, r *ruleText, err error) {
	at := *r.key
	if n := r.nodes[word]; n != nil {
		at = *n
	}
	pos, in := -1, ""
	var expr *report.ExprError
	var message *report.MessageError
	var option *schema.OptionError // the word says which one
	text := err.Error()
	if errors.As(err, &option) {
		text = option.Err.Error()
	}
	switch {
	case errors.As(err, &expr):
		pos, in, text = expr.Pos, expr.Text, expr.Msg
	case errors.As(err, &message):
		pos, in, text = message.Pos, at.Value, message.Msg
	}
	if pos >= 0 && in == at.Value && at.Line <= len(f.lines) {
		for _, quote := range []int{0, 1} {
			line := []rune(f.lines[at.Line-1])
			if from := at.Column - 1 + quote; from <= len(line) && strings.HasPrefix(string(line[from:]), in) {
				at.Column += quote + utf8.RuneCountInString(in[:pos])
				break
			}
		}
	}
	f.fail(&at, "%s: %s", strings.TrimPrefix(word, "spike."), text)
}

// list opens a list of values that a condition names. Its name is relative to the file of rules.
func (f *ruleFile) list(name string) (io.ReadCloser, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(f.path), name)
	}
	return openFile(name)
}

// words are the words of all rules that may be names of fields.
func (f *ruleFile) words() []string {
	var words []string
	for _, r := range f.rules {
		words = append(words, r.words()...)
	}
	return words
}

// all makes the texts rules. Their words may be columns that only the input knows, which the second result has too.
func (f *ruleFile) all(ctx context.Context, in *reader, enr *lookups) ([]report.Rule, schema.Table, error) {
	scope := enr.scope(in)
	var rules []report.Rule
	for _, t := range f.rules {
		wrong := len(f.errs)
		r, ok := f.bind(t, scope, in.zone)
		if more := in.with(ctx, scope.Fields, t.words()); !ok && len(more) > len(scope.Fields) {
			f.errs = f.errs[:wrong]
			scope.Fields = more
			r, ok = f.bind(t, scope, in.zone)
		}
		if ok {
			rules = append(rules, r)
		}
	}
	return rules, scope.Fields, f.wrong()
}
