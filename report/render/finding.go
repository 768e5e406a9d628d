package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/check"
)

// Checked is the result of `flowlog check`.
type Checked struct {
	Verdicts []check.Verdict
	Input    schema.Stats
	File     string         // the rules file, as the user named it
	FailOn   check.Severity // the lowest severity that fails the run
	Version  string         // of flowlog
}

// A FindingFormat is an output format of findings.
type FindingFormat struct {
	Name  string
	Doc   string // one line
	Write func(io.Writer, Checked, Options) error
}

// FindingFormats is THE table of formats of findings.
var FindingFormats = []FindingFormat{
	{"table", "a line for each finding, the gravest first", tableFindings},
	{"json", "one JSON document: findings, rules, input statistics", jsonFindings},
	{"ndjson", "one JSON object per finding", ndjsonFindings},
	{"sarif", "SARIF 2.1.0, for code scanning", sarifFindings},
	{"junit", "JUnit XML, for CI: a test case for each rule", junitFindings},
}

// bySeverity calls yield with each finding, by descending severity, then in the order of rules and rows.
func (c *Checked) bySeverity(yield func(v *check.Verdict, f *check.Finding)) {
	for s := len(check.Severities) - 1; s >= 0; s-- {
		for i := range c.Verdicts {
			if v := &c.Verdicts[i]; int(v.Severity) == s {
				for j := range v.Findings {
					yield(v, &v.Findings[j])
				}
			}
		}
	}
}

// message returns the finding as one printable line.
func message(f *check.Finding, opt Options) string {
	return printable(f.Expand(valueOf(opt)))
}

// valueOf formats a value for people. It does not escape text: the caller escapes the whole message once.
func valueOf(opt Options) func(report.Column, any) string {
	return func(c report.Column, v any) string {
		if s, ok := v.(string); ok {
			return s
		}
		return human(c, v, opt)
	}
}

// tableFindings writes findings for people.
func tableFindings(w io.Writer, c Checked, opt Options) error {
	var buf bytes.Buffer
	var lines [][]string
	c.bySeverity(func(_ *check.Verdict, f *check.Finding) {
		lines = append(lines, []string{f.Severity.String(), printable(f.Name), message(f, opt)})
	})
	if len(lines) > 0 {
		if err := (&layout{head: []string{"severity", "rule", "finding"}, lines: lines, right: []bool{false, false, false}}).write(&buf, opt); err != nil {
			return err
		}
	}
	known, skipped := 0, 0
	for _, v := range c.Verdicts {
		known += v.Known
		if v.Skipped != "" {
			skipped++
		}
		if v.More > 0 {
			fmt.Fprintf(&buf, "note: %s: %s more\n", printable(v.Name), numberOf(v.More, "finding"))
		}
	}
	if len(lines) == 0 {
		buf.WriteString("no findings\n")
	}
	for _, v := range c.Verdicts {
		if v.Fired() > 0 && v.Next != "" {
			fmt.Fprintf(&buf, "next: %s: %s\n", printable(v.Name), printable(v.Next))
		}
	}
	if known > 0 {
		fmt.Fprintf(&buf, "note: known before, and not shown: %d\n", known)
	}
	if skipped > 0 {
		fmt.Fprintf(&buf, "note: rules that could not be checked: %d of %d\n", skipped, len(c.Verdicts))
	}
	_, err := w.Write(buf.Bytes())
	return err
}

// appendFinding writes a finding as an object.
func appendFinding(dst []byte, f *check.Finding, opt Options) []byte {
	dst = append(jsonString(append(dst, `{"rule":`...), f.Name), `,"severity":"`...)
	dst = append(append(dst, f.Severity.String()...), `","message":`...)
	dst = jsonString(dst, message(f, opt))
	dst = append(append(dst, `,"id":"`...), f.ID...)
	dst = append(appendValues(append(dst, `","values":`...), f), '}')
	return dst
}

// appendValues writes the row of a finding as an object.
func appendValues(dst []byte, f *check.Finding) []byte {
	t := report.Table{Columns: f.Columns}
	return append(appendMembers(append(dst, '{'), t, memberNames(t), f.Row), '}')
}

// jsonFindings writes {"findings":[…],"rules":[…],"input":{…}}.
func jsonFindings(w io.Writer, c Checked, opt Options) error {
	out := indenter{w: w}
	out.text("{\n  \"findings\": [")
	first := true
	c.bySeverity(func(_ *check.Verdict, f *check.Finding) {
		if !first {
			out.text(",")
		}
		first = false
		out.text("\n    ")
		out.value(appendFinding(nil, f, opt), "    ")
	})
	if !first {
		out.text("\n  ")
	}
	out.text("],\n  \"rules\": [")
	for i := range c.Verdicts {
		if i > 0 {
			out.text(",")
		}
		out.text("\n    ")
		out.value(appendVerdict(nil, &c.Verdicts[i]), "    ")
	}
	if len(c.Verdicts) > 0 {
		out.text("\n  ")
	}
	input, err := json.Marshal(c.Input)
	if err != nil {
		return err
	}
	out.text("],\n  \"input\": ")
	out.value(input, "  ")
	out.text("\n}\n")
	return out.flush()
}

// appendVerdict appends a rule with its counts as an object.
func appendVerdict(rule []byte, v *check.Verdict) []byte {
	rule = append(jsonString(append(rule, `{"name":`...), v.Name), `,"severity":"`...)
	rule = append(append(rule, v.Severity.String()...), '"')
	rule = jsonString(append(rule, `,"doc":`...), v.Doc)
	if v.Next != "" {
		rule = jsonString(append(rule, `,"next":`...), v.Next)
	}
	if len(v.Tags) > 0 {
		rule = append(rule, `,"tags":[`...)
		for j, tag := range v.Tags {
			if j > 0 {
				rule = append(rule, ',')
			}
			rule = jsonString(rule, tag)
		}
		rule = append(rule, ']')
	}
	rule = strconv.AppendInt(append(rule, `,"findings":`...), int64(v.Fired()), 10)
	if v.More > 0 {
		rule = strconv.AppendInt(append(rule, `,"not_listed":`...), int64(v.More), 10)
	}
	if v.Known > 0 {
		rule = strconv.AppendInt(append(rule, `,"known":`...), int64(v.Known), 10)
	}
	if v.Skipped != "" {
		rule = jsonString(append(rule, `,"skipped":`...), v.Skipped)
	}
	return append(rule, '}')
}

func ndjsonFindings(w io.Writer, c Checked, opt Options) error {
	var buf []byte
	c.bySeverity(func(_ *check.Verdict, f *check.Finding) {
		buf = append(appendFinding(buf, f, opt), '\n')
	})
	_, err := w.Write(buf)
	return err
}
