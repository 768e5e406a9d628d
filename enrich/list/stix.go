package list

import (
	"regexp"
	"strings"
)

// An indicator is what is read of an object of a STIX 2.1 bundle.
type indicator struct {
	Type        string   `json:"type"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Pattern     string   `json:"pattern"`
	PatternType string   `json:"pattern_type"`
	Revoked     bool     `json:"revoked"`
	ID          string   `json:"id"`
	ValidUntil  string   `json:"valid_until"`
	Types       []string `json:"indicator_types"`
}

// indicatorColumns are the columns of a list of indicators. Source: STIX 2.1, section 4.7.
var indicatorColumns = []string{"name", "description", "indicator_types", "valid_until", "id"}

// What is read of STIX's patterns: one observation, a comparison of the value of an address, or several with OR between.
const comparison = `ipv[46]-addr\s*:\s*value\s*(?:=|ISSUBSET)\s*'([0-9a-fA-F.:/]+)'`

var (
	addressPattern = regexp.MustCompile(`^\s*\[\s*` + comparison + `(?:\s+OR\s+` + comparison + `)*\s*\]\s*$`)
	oneComparison  = regexp.MustCompile(comparison)
)

// addIndicator adds the addresses of an indicator, or skips it. Objects of other types are no entries.
func (l *List) addIndicator(o indicator, line int) {
	switch {
	case o.Type != "indicator":
		return
	case o.Revoked:
		l.skip("that are revoked", line)
		return
	case o.PatternType != "" && o.PatternType != "stix":
		l.skip("with a pattern of type "+shortened(o.PatternType, 40), line)
		return
	case !addressPattern.MatchString(o.Pattern):
		l.skip("with a pattern other than addresses joined by OR", line)
		return
	}
	e := Entry{Line: line, Label: o.Name, Cells: []string{o.Name, o.Description, strings.Join(o.Types, ","), o.ValidUntil, o.ID}}
	for _, m := range oneComparison.FindAllStringSubmatch(o.Pattern, -1) {
		l.add(m[1], e)
	}
}
