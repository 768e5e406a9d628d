package report

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// meantMeasures are words that people try for measures, with those that they mean.
var meantMeasures = map[string]string{
	"count": "flows", "n": "flows", "records": "flows", "hits": "flows", "connections": "flows", "conns": "flows", "sessions": "flows",
	"sum": "bytes", "total": "bytes", "volume": "bytes", "size": "bytes", "traffic": "bytes", "octets": "bytes",
	"avg": "avg(bytes)", "mean": "avg(bytes)", "average": "avg(bytes)", "min": "min(bytes)", "max": "max(bytes)",
	"median": "p50(bytes)", "percentile": "p95(bytes)", "uniq": "distinct(srcaddr)", "unique": "distinct(srcaddr)", "cardinality": "distinct(srcaddr)",
	"mbps": "bps", "kbps": "bps", "gbps": "bps", "bandwidth": "bps", "throughput": "bps", "bitrate": "bps", "rate": "bps",
	"denied": "rejected", "dropped": "rejected", "blocked": "rejected", "allowed": "accepted",
}

// meantFunctions are functions of other tools, with those of the same meaning here.
var meantFunctions = map[string]string{
	"uniq": "distinct", "unique": "distinct", "nunique": "distinct", "cardinality": "distinct", "count_distinct": "distinct", "dc": "distinct",
	"countdistinct": "distinct", "approx_distinct": "distinct", "approx_count_distinct": "distinct", "mean": "avg", "average": "avg", "median": "p50",
	"total": "sum",
}

// calls matches a function of a field as it is written here or in SQL.
var calls = regexp.MustCompile(`^(\w+)\s*\(\s*(distinct\s+)?([\w+ -]+?)\s*\)$`)

// meantMeasure is the measure that a text of other tools means, or "".
func meantMeasure(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if m := meantMeasures[s]; m != "" {
		return m
	}
	switch m := calls.FindStringSubmatch(s); {
	case m == nil:
	case m[1] == "count" && m[2] != "":
		return "distinct(" + m[3] + ")"
	case meantFunctions[m[1]] != "" && m[2] == "":
		return meantFunctions[m[1]] + "(" + m[3] + ")"
	}
	return ""
}

// ofFlows is the error for a condition on flows, which says so if what it does not know is a measure.
func ofFlows(err error, fields schema.Table) error {
	var at *expr.SyntaxError
	if !errors.As(err, &at) {
		return err
	}
	word := expr.WordAt(at.Text, at.Pos)
	_, field := fields.Lookup(word)
	if _, wrong := ParseMeasure(word, fields); wrong != nil || field || !strings.HasPrefix(at.Msg, "unknown field") {
		return err
	}
	cause := schema.Wordsf("%s is computed of many flows, and not a field of one: %s asks for it", word, schema.Opt("having"))
	return hinted{&expr.SyntaxError{Text: at.Text, Pos: at.Pos, Msg: cause.Error()}, cause}
}

// hinted is an error in a condition whose message names options.
type hinted struct {
	*expr.SyntaxError
	words *schema.Words
}

func (e hinted) Unwrap() []error { return []error{e.SyntaxError, e.words} }

// unknownMeasure is the error for a text that is no measure.
func unknownMeasure(s string) error {
	if meant := meantMeasure(s); meant != "" {
		return fmt.Errorf("unknown measure %q: did you mean %s? `flowlog help measures` lists them", s, meant)
	}
	var names []string
	for _, m := range measures {
		names = append(names, m.Name)
	}
	for _, name := range Functions() {
		names = append(names, name+"(FIELD)")
	}
	return schema.Unknown("measure", s, names, "flowlog help measures")
}
