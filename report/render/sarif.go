package render

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"flowlog/report/check"
)

// sarifLevels maps severities to SARIF levels, and to scores in GitHub's property security-severity: above 9 is critical,
// from 7 high, from 4 medium, above 0 low. Source: SARIF 2.1.0, section 3.27.10; GitHub's documentation.
var sarifLevels = [...]struct{ level, score string }{
	check.Info:     {"note", ""},
	check.Low:      {"note", "2.0"},
	check.Medium:   {"warning", "5.5"},
	check.High:     {"error", "8.0"},
	check.Critical: {"error", "9.5"},
}

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string          `json:"id"`
		Short   *sarifText      `json:"shortDescription,omitempty"`
		Help    *sarifText      `json:"help,omitempty"`
		Default sarifLevel      `json:"defaultConfiguration"`
		More    sarifProperties `json:"properties"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifProperties struct {
		Tags     []string        `json:"tags,omitempty"`
		Score    string          `json:"security-severity,omitempty"`
		Severity string          `json:"severity"`
		Values   json.RawMessage `json:"values,omitempty"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
		Rule    struct {
			ID    string `json:"id"`
			Index int    `json:"index"`
		} `json:"associatedRule"`
	}
	sarifResult struct {
		Rule         string            `json:"ruleId"`
		Index        int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		More         sarifProperties   `json:"properties"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				Line int `json:"startLine"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
)

// sarifFindings writes a log in the Static Analysis Results Interchange Format. The location of a finding is its rule,
// since viewers require a location in a file.
func sarifFindings(w io.Writer, c Checked, opt Options) error {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "flowlog", Version: c.Version, Rules: []sarifRule{}}
	done := sarifInvocation{Successful: true}
	index := make(map[*check.Rule]int)
	for i, v := range c.Verdicts {
		index[v.Rule] = i
		grade := sarifLevels[v.Severity]
		rule := sarifRule{ID: v.Name, Short: sarifPlain(v.Doc), Help: sarifPlain(v.Next), Default: sarifLevel{grade.level}}
		rule.More = sarifProperties{Score: grade.score, Severity: v.Severity.String()}
		for _, tag := range v.Tags {
			rule.More.Tags = append(rule.More.Tags, printable(tag))
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
		if v.Skipped != "" {
			n := sarifNotification{Level: "warning", Message: *sarifPlain("not checked: " + v.Skipped)}
			n.Rule.ID, n.Rule.Index = v.Name, i
			done.Notifications = append(done.Notifications, n)
		}
	}
	run.Invocations = []sarifInvocation{done}
	c.bySeverity(func(v *check.Verdict, f *check.Finding) {
		r := sarifResult{Rule: v.Name, Index: index[v.Rule], Level: sarifLevels[v.Severity].level, Message: *sarifPlain(f.Expand(valueOf(opt)))}
		r.Fingerprints = map[string]string{"flowlog/v1": f.ID}
		r.More = sarifProperties{Severity: v.Severity.String(), Values: appendValues(nil, f)}
		r.Locations = make([]sarifLocation, 1)
		r.Locations[0].Physical.Artifact.URI = fileURI(c.File)
		r.Locations[0].Physical.Region.Line = max(v.Line, 1)
		run.Results = append(run.Results, r)
	})
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// sarifPlain escapes a plain text message, in which [text](target) is a link and {0} a placeholder. Source: SARIF 2.1.0,
// sections 3.11.5 and 3.11.6.
func sarifPlain(s string) *sarifText {
	if s == "" {
		return nil
	}
	return &sarifText{strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `{`, `{{`, `}`, `}}`).Replace(printable(s))}
}

// fileURI converts the name of a file to a relative or absolute URI.
func fileURI(name string) string {
	u := url.URL{Path: filepath.ToSlash(filepath.Clean(name))}
	if filepath.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}
