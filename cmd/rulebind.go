package cmd

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/expr"
)

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
	scope.File = enr.lists.within(filepath.Dir(f.path))
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

// bind makes the text a rule. What is wrong with it is noted at its place.
func (f *ruleFile) bind(r *ruleText, scope expr.Scope, zone *time.Location) (rule report.Rule, ok bool) {
	wrong := len(f.errs)
	rule = report.Rule{Tags: r.values["tags"], Line: r.key.Line, Most: ruleMost}
	if rule.Report, ok = f.bindReport(r, scope, zone); !ok {
		return rule, false
	}
	rule.Name, rule.Doc, rule.Next = r.key.Value, r.line("doc"), r.line("next")
	severity, err := find("severity", r.text("severity", ruleSeverity), report.Severities, rulesHelp)
	if err != nil {
		f.failAt(r.nodes["severity"], err)
	}
	rule.Severity = report.Severity(max(severity, 0))
	f.bindTop(r, &rule)
	f.bindSpike(r, &rule, scope)
	if text := r.line("message"); text != "" {
		if err := rule.SetMessage(text, scope.Fields); err != nil {
			f.failIn("message", r, err)
		}
	}
	keys := namesOf(rule.Keys, report.Key.Name)
	for _, name := range r.values["known_by"] {
		name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
		if _, err := find("key", name, keys, rulesHelp); err != nil {
			f.failAt(r.nodes["known_by"], err)
		}
		rule.KnownBy = append(rule.KnownBy, name)
	}
	return rule, len(f.errs) == wrong
}

// bindReport makes the report of a rule.
func (f *ruleFile) bindReport(r *ruleText, scope expr.Scope, zone *time.Location) (report.Report, bool) {
	base := report.Report{Measures: report.Measures()[:1]} // flows
	if from := r.text("from", ""); from != "" {
		i, err := find("report", from, report.Names(), "flowlog reports")
		if err != nil {
			f.failAt(r.nodes["from"], err)
			return base, false
		}
		base = report.Catalog()[i]
		base.Overview = false
	}
	rep, err := base.With(r.change(), scope, zone)
	if err == nil && len(rep.Keys) == 0 && rep.Having == nil {
		// A report without keys has a row even of no flows, and where alone is to fire for those that meet it.
		c := r.change()
		c.Having = "flows > 0"
		rep, err = base.With(c, scope, zone)
	}
	if err != nil {
		word := "by"
		if wrong := (*schema.OptionError)(nil); errors.As(err, &wrong) && r.nodes[wrong.Option] != nil {
			word = wrong.Option
		}
		f.failIn(word, r, err)
	}
	return rep, err == nil
}

// bindTop reads how many findings of a rule are listed.
func (f *ruleFile) bindTop(r *ruleText, rule *report.Rule) {
	top := r.text("top", "")
	if top == "" {
		return
	}
	var err error
	if rule.Most, err = strconv.Atoi(top); err != nil {
		f.fail(r.nodes["top"], "top: %w", notNumber(top, "a whole number", err))
	} else if rule.Most < 0 {
		f.fail(r.nodes["top"], "top cannot be negative: 0 lists all findings")
	}
}

// bindSpike reads what makes a row of a rule stand out of its time.
func (f *ruleFile) bindSpike(r *ruleText, rule *report.Rule, scope expr.Scope) {
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
	var condition *expr.SyntaxError
	var message *report.MessageError
	var option *schema.OptionError // the word says which one
	text := err.Error()
	if errors.As(err, &option) {
		text = option.Err.Error()
	}
	switch {
	case errors.As(err, &condition):
		pos, in, text = condition.Pos, condition.Text, condition.Msg
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
