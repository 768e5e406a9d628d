package render

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/check"
)

// nasty is texts that would be more than text somewhere: on a terminal, in XML, HTML, Markdown and SARIF's messages, in
// a spreadsheet, and for who reads it.
var nasty = []string{
	"\x1b]0;owned\x07\x1b[2J",
	"\u009b31mred",
	"]]></failure><script>alert(1)</script>",
	`" onload="alert(1)`,
	"a\r\n::error::b",
	"[click](https://example.com/)",
	"![x](http://example.com/x.png) {0} {{1}}",
	"=HYPERLINK(\"http://example.com\")",
	"\u202egnp.exe",
	"\xff\xfe",
	"\x00\ufffe\U0001f642",
	"<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
	`C:\temp\[1]`,
}

// checked is a run with a finding for each nasty text, which is a key, in the message and in the rule itself.
func checked(t *testing.T) Checked {
	t.Helper()
	rule := &check.Rule{Severity: check.High, Tags: nasty, Line: 3}
	rule.Name, rule.Doc, rule.Next = "hostile", strings.Join(nasty, " "), strings.Join(nasty, " ")
	rule.Keys = []report.Key{{Field: "instance_tag"}}
	if err := rule.SetMessage("tag {instance_tag} of {rule}", schema.Logged()); err != nil {
		t.Fatal(err)
	}
	quiet := &check.Rule{Severity: check.Low}
	quiet.Name = "quiet"
	minor := &check.Rule{Severity: check.Info}
	minor.Name, minor.Doc = "minor", "Nothing grave"
	columns := []report.Column{{Name: "instance_tag", Kind: schema.Text}, {Name: "bytes", Role: report.MeasureRole, Kind: schema.Int64, Unit: report.Bytes}}
	c := Checked{File: "rules/\x1b[31m<a>&.yaml", FailOn: check.Low, Version: "devel"}
	v := check.Verdict{Rule: rule, Known: 2, More: 1}
	for _, s := range nasty {
		v.Findings = append(v.Findings, check.Finding{Rule: rule, Columns: columns, Row: []any{s, int64(2048)}, ID: "1f"})
	}
	small := check.Verdict{Rule: minor, Findings: []check.Finding{{Rule: minor, Columns: columns, Row: []any{nil, int64(1)}, ID: "2f"}}}
	c.Verdicts = []check.Verdict{small, v, {Rule: quiet}, {Rule: quiet, Skipped: strings.Join(nasty, " ")}}
	return c
}

func findings(t *testing.T, format string, c Checked) string {
	t.Helper()
	var buf bytes.Buffer
	for _, f := range FindingFormats {
		if f.Name == format {
			if err := f.Write(&buf, c, Options{}); err != nil {
				t.Fatal(err)
			}
			return buf.String()
		}
	}
	t.Fatalf("there is no format %s", format)
	return ""
}

// No format lets text be more than text: none has a character that is not printable.
func TestHostileFindings(t *testing.T) {
	for _, f := range FindingFormats {
		out := findings(t, f.Name, checked(t))
		if !utf8.ValidString(out) {
			t.Errorf("%s is not UTF-8", f.Name)
		}
		for _, r := range out {
			if r != '\n' && printable(string(r)) != string(r) {
				t.Errorf("%s has %U", f.Name, r)
			}
		}
		for _, c := range []string{"<script", "<!ENTITY", "\n::error"} {
			if f.Name != "table" && f.Name != "json" && f.Name != "ndjson" && strings.Contains(out, c) || strings.Contains(out, "\n::error") {
				t.Errorf("%s has %q", f.Name, c)
			}
		}
	}
}

func TestSARIF(t *testing.T) {
	var log struct {
		Runs []struct {
			Tool        struct{ Driver struct{ Rules []sarifRule } }
			Results     []sarifResult
			Invocations []sarifInvocation
		}
	}
	out := findings(t, "sarif", checked(t))
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Tool.Driver.Rules) != 4 || len(run.Results) != len(nasty)+1 || len(run.Invocations[0].Notifications) != 1 {
		t.Fatalf("%d rules, %d results, %d notifications", len(run.Tool.Driver.Rules), len(run.Results), len(run.Invocations[0].Notifications))
	}
	for i, r := range run.Results[:len(nasty)] {
		// what SARIF's viewers make of the message is what was in the record, in printable characters
		shown := strings.NewReplacer(`\\`, `\`, `\[`, `[`, `\]`, `]`, "{{", "{", "}}", "}").Replace(r.Message.Text)
		if want := "tag " + printable(nasty[i]) + " of hostile"; shown != want {
			t.Errorf("message:\n got %s\nwant %s", shown, want)
		}
		if strings.Contains(strings.ReplaceAll(r.Message.Text, `\]`, ""), "](") {
			t.Errorf("there is a link in %s", r.Message.Text)
		}
		var values struct {
			Tag   string `json:"instance_tag"`
			Bytes int64
		}
		if err := json.Unmarshal(r.More.Values, &values); err != nil || utf8.ValidString(nasty[i]) && values.Tag != nasty[i] || values.Bytes != 2048 {
			t.Errorf("values: got %q, want %q (%v)", values.Tag, nasty[i], err)
		}
		if got := r.Locations[0].Physical; got.Artifact.URI != "rules/%1B%5B31m%3Ca%3E&.yaml" || got.Region.Line != 3 {
			t.Errorf("location: %+v", got)
		}
	}
	if got := run.Results[0]; got.Level != "error" || got.Rule != "hostile" || got.Index != 1 || got.Fingerprints["flowlog/v1"] != "1f" {
		t.Errorf("result: %+v", got)
	}
	if got := run.Results[len(nasty)]; got.Level != "note" || got.Index != 0 {
		t.Errorf("the least comes last: %+v", got)
	}
}

func TestJUnit(t *testing.T) {
	out := findings(t, "junit", checked(t))
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string  `xml:"name,attr"`
				Failure *string `xml:"failure"`
				Out     *string `xml:"system-out"`
				Skipped *struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(out), &suites); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if suites.Tests != 4 || suites.Failures != 1 || suites.Skipped != 1 || len(suites.Suites) != 1 || len(suites.Suites[0].Cases) != 4 {
		t.Fatalf("%+v", suites)
	}
	cases := suites.Suites[0].Cases
	if cases[0].Failure != nil || cases[0].Out == nil || *cases[0].Out != "instance_tag -, bytes 1 B" {
		t.Errorf("what does not fail is output: %+v", cases[0])
	}
	lines := strings.Split(*cases[1].Failure, "\n")
	if len(lines) != len(nasty)+1 {
		t.Fatalf("%d lines for %d findings and how many more there are", len(lines), len(nasty))
	}
	for i, s := range nasty {
		if want := "tag " + printable(s) + " of hostile"; lines[i] != want {
			t.Errorf("got %q, want %q", lines[i], want)
		}
	}
	if cases[2].Failure != nil || cases[2].Skipped != nil || cases[3].Skipped == nil || cases[3].Skipped.Message != printable(strings.Join(nasty, " ")) {
		t.Errorf("%+v", cases[2:])
	}
	for d := xml.NewDecoder(strings.NewReader(out)); ; {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := tok.(xml.StartElement); ok && !strings.Contains(" testsuites testsuite testcase failure skipped system-out ", " "+e.Name.Local+" ") {
			t.Errorf("there is an element %s", e.Name.Local)
		}
	}
}

func TestFindingsAsJSON(t *testing.T) {
	var doc struct {
		Findings []struct {
			Rule, Severity, Message, ID string
			Values                      map[string]any
		}
		Rules []struct {
			Name, Severity, Doc, Skipped string
			Findings, Known              int
			NotListed                    int `json:"not_listed"`
		}
		Input *schema.Stats
	}
	if err := json.Unmarshal([]byte(findings(t, "json", checked(t))), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Findings) != len(nasty)+1 || len(doc.Rules) != 4 || doc.Input == nil {
		t.Fatalf("%+v", doc)
	}
	if r := doc.Rules[1]; r.Findings != len(nasty)+1 || r.Known != 2 || r.NotListed != 1 || r.Severity != "high" {
		t.Errorf("%+v", r)
	}
	for i, s := range nasty {
		if got := doc.Findings[i].Values["instance_tag"]; utf8.ValidString(s) && got != s {
			t.Errorf("got %q, want %q", got, s)
		}
	}
	lines := strings.Split(strings.TrimSpace(findings(t, "ndjson", checked(t))), "\n")
	if len(lines) != len(doc.Findings) {
		t.Errorf("%d lines", len(lines))
	}
	empty := Checked{Verdicts: []check.Verdict{}}
	compare(t, findings(t, "table", empty), "no findings\n")
	compare(t, findings(t, "ndjson", empty), "")
}
