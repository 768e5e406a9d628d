package report

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// textItem reads a value of a text field: as one value, or as several that the records may have it in. What no record can
// have is an error, in quotes too: it would be met by none, and nobody would know why. A value in quotes that is
// like none known is taken for one that AWS has added.
func (p *exprParser) textItem(f schema.Field, t token) (Item, error) {
	v, known := spelled(f, t.text)
	if p.scope.Text != nil {
		if err := p.scope.Text(f.Name, v); err != nil {
			return Item{}, p.fail(t, "%v", err)
		}
	}
	switch {
	case !known && (t.kind == wordToken || !p.mayBeNew(f, t.text)):
		return Item{}, p.noValue(f, t)
	case t.kind == wordToken && strings.Contains(v, "*"):
		return Item{}, p.fail(t, "* has no meaning after =: write %s like %s, or quote it if it is part of the value", f.Name, quote(strings.ReplaceAll(v, "*", "%")))
	}
	if slip := mistaken(f, v); slip != "" {
		return Item{}, p.fail(t, "%s", slip)
	}
	values := inCase(f, v)
	if len(values) == 1 {
		return Item{Value: values[0]}, nil
	}
	var it Item
	for _, v := range values {
		it.Items = append(it.Items, Item{Value: v})
	}
	return it, nil
}

// spelled is a text in the spelling of the field's values, from which it may differ in case. It is not known if the field
// has values, and this is none of them.
func spelled(f schema.Field, s string) (v string, known bool) {
	v = f.Spelled(s)
	if f.Name == serviceField {
		if _, err := strconv.ParseUint(s, 10, 16); err == nil {
			return s, true // a port that is known for nothing
		}
	}
	return v, f.Values == nil || slices.Contains(f.Values, v)
}

// serviceField is the field whose values are names, or else numbers of ports.
const serviceField = "service"

// inCase is what a text may be in the records, if all values of the field are in one case.
func inCase(f schema.Field, s string) []string {
	var values []string
	switch f.Case {
	case schema.Lower:
		values = []string{strings.ToLower(s), s}
	case schema.Upper:
		values = []string{strings.ToUpper(s), s}
	case schema.LowerOrUpper:
		values = []string{strings.ToLower(s), strings.ToUpper(s), s}
		slices.Sort(values)
	default:
		return []string{s}
	}
	return slices.Compact(values)
}

// listedValues is how many values of a field an error lists.
const listedValues = 20

// mayBeNew reports whether AWS may log such a value by now: it is like none that is known, and means none of them.
func (p *exprParser) mayBeNew(f schema.Field, s string) bool {
	lower := strings.ToLower(s)
	of := numberOf(f)
	return f.Since > 0 && nearValue(s, f.Values) == "" && synonym(f, lower) == "" && (of == "" || p.scope.Number == nil || p.scope.Number(of, lower) == nil)
}

// noValue is the error for a text that is none of the field's values.
func (p *exprParser) noValue(f schema.Field, t token) error {
	s := strings.ToLower(t.text)
	hint := nearValue(t.text, f.Values)
	if meant := synonym(f, s); meant != "" {
		hint = "did you mean " + quoted(meant) + "? "
	} else if of := numberOf(f); of != "" && p.scope.Number != nil && p.scope.Number(of, s) != nil {
		hint = "write " + of + " = " + quoted(t.text) + "; "
	}
	list := "`flowlog fields -o json` lists them"
	if len(f.Values) <= listedValues {
		list = "there are " + listOf(f.Values)
	}
	escape := ""
	if t.kind == wordToken && p.mayBeNew(f, t.text) {
		escape = "; " + f.Name + " = " + quote(t.text) + ", in quotes, asks for one that is new"
	} else if f.Since > 0 {
		escape = "; " + f.Name + " like " + quote(t.text) + " asks for one that is new"
	}
	return p.fail(t, "%q is not a value of %s: %s%s%s", t.text, f.Name, hint, list, escape)
}

// nearValue offers the value that is nearest to a text, whatever its case.
func nearValue(s string, values []string) string {
	lower := make([]string, len(values))
	for i, v := range values {
		lower[i] = strings.ToLower(v)
	}
	if i := slices.Index(lower, schema.Nearest(s, lower)); i >= 0 {
		return "did you mean " + quoted(values[i]) + "? "
	}
	return ""
}

// listOf lists words of a condition.
func listOf(words []string) string {
	var list []string
	for _, w := range words {
		list = append(list, quoted(w))
	}
	return strings.Join(list, ", ")
}

// quoted is a word of a condition, in quotes if it needs them.
func quoted(s string) string {
	if wordAt(s, 0) == s && s != "" {
		return s
	}
	return quote(s)
}

// numberOf is the field of numbers that has names for the values of a text field.
func numberOf(f schema.Field) string {
	if f.Name == serviceField {
		return "service_port"
	}
	return f.Names
}

// synonyms are words that people have for values, in lower case, by field. A field that is called like src_scope has those
// of scope.
var synonyms = map[string]map[string]string{
	"action": {
		"deny": "REJECT", "denied": "REJECT", "drop": "REJECT", "dropped": "REJECT", "block": "REJECT", "blocked": "REJECT",
		"refuse": "REJECT", "refused": "REJECT", "rejected": "REJECT", "fail": "REJECT", "failed": "REJECT",
		"allow": "ACCEPT", "allowed": "ACCEPT", "accepted": "ACCEPT", "pass": "ACCEPT", "passed": "ACCEPT", "permit": "ACCEPT", "permitted": "ACCEPT",
	},
	"log_status": {"skip": "SKIPDATA", "skipped": "SKIPDATA", "lost": "SKIPDATA", "none": "NODATA", "empty": "NODATA"},
	"direction": {
		"in": "ingress", "inbound": "ingress", "incoming": "ingress", "input": "ingress", "rx": "ingress",
		"out": "egress", "outbound": "egress", "outgoing": "egress", "output": "egress", "tx": "egress",
	},
	"type":             {"4": "IPv4", "v4": "IPv4", "ip4": "IPv4", "6": "IPv6", "v6": "IPv6", "ip6": "IPv6"},
	"scope":            {"internet": "public", "external": "public", "outside": "public", "internal": "private", "inside": "private", "local": "private", "rfc1918": "private", "cgnat": "shared", "localhost": "loopback"},
	"reject_reason":    {"block public access": "BPA", "vpc bpa": "BPA", "encryption": "EC", "encryption controls": "EC"},
	"sublocation_type": {"local_zone": "localzone", "local-zone": "localzone", "local zone": "localzone", "outposts": "outpost"},
	"status":           {"yes": "by Nitro", "encrypted": "by Nitro", "no": "not encrypted", "none": "not encrypted", "unencrypted": "not encrypted"},
}

// synonym is the value of a field that a word stands for, or "".
func synonym(f schema.Field, word string) string {
	key := f.Name
	switch f.Name {
	case "flow_direction":
		key = "direction"
	case "ip_version":
		key = "type"
	case "src_scope", "dst_scope":
		key = "scope"
	case "encryption_status_name":
		key = "status"
	}
	return synonyms[key][word]
}

var (
	zoneName          = regexp.MustCompile(`^([a-z]{2}(?:-[a-z]+)+-[0-9]+)[a-z]$`)
	regionUnderscored = regexp.MustCompile(`^[a-z]{2}(_[a-z]+)+_[0-9]+$`)
)

// mistaken says of a text what it is, if it is not what a field of zones or regions has.
func mistaken(f schema.Field, s string) string {
	s = strings.ToLower(s)
	switch zone := zoneName.FindStringSubmatch(s); {
	case f.Name == "region" || strings.HasSuffix(f.Name, "_aws_region"):
		if regionUnderscored.MatchString(s) {
			return "AWS writes regions with -: write " + f.Name + " = " + strings.ReplaceAll(s, "_", "-")
		}
		if zone != nil {
			return s + " is a zone: write " + f.Name + " = " + zone[1]
		}
	case strings.HasSuffix(f.Name, "az_id") && zone != nil:
		return s + " is the name of a zone, which is another one in each account: " + f.Name + " has IDs, such as use1-az1"
	}
	return ""
}
