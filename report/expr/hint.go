package expr

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// noField is the error for a word that is no field.
func (p *parser) noField(t token) error {
	value := isNumber(t.text)
	if _, err := netip.ParseAddr(t.text); err == nil {
		value = true
	}
	if _, err := netip.ParsePrefix(t.text); err == nil {
		value = true
	}
	if value && p.last.text != "" {
		return p.fail(t, "%s is not a field: each test names one, as in %s = %[1]s, or lists values, as in %[2]s in (…, %[1]s)", t.text, p.last.text)
	}
	return p.fail(t, "%v", p.scope.unknownField(t.text))
}

// unknownField is the error for a name that is none of the fields.
func (s Scope) unknownField(name string) error {
	names := s.Fields.Names()
	if s.Rows {
		return fmt.Errorf("the rows have no %q: %sthey have %s, and any measure", name, schema.DidYouMean(name, names), strings.Join(names, ", "))
	}
	if word := strings.ToLower(name); word == schema.HourKey || schema.WidthOf(word) != "" {
		return fmt.Errorf("%s is not a field of a flow: write start >= 2026-05-14T09:00, or group by it: `flowlog help measures`", name)
	}
	return schema.UnknownField(name, names, s.List)
}

// octets matches the beginning of an IPv4 address, as other tools write its network.
var octets = regexp.MustCompile(`^((?:[0-9]{1,3}\.){1,3})[*%xX]?(?:\.[*%xX])*$`)

// networkHint says how a network is asked for that is written as 10.0.* or 10.0.%; it is "" for other texts.
func networkHint(f schema.Field, s string) string {
	m := octets.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	n := strings.Count(m[1], ".")
	prefix, err := netip.ParsePrefix(m[1] + strings.TrimSuffix(strings.Repeat("0.", 4-n), ".") + "/" + strconv.Itoa(8*n))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(": write %s in %s", f.Name, prefix)
}

// dashed matches a range as other tools write it.
var dashed = regexp.MustCompile(`^([0-9]+)[-:]([0-9]+)$`)

// noNumber is the error for a word that is no value of a field of whole numbers.
func (p *parser) noNumber(f schema.Field, t token) error {
	if m := dashed.FindStringSubmatch(t.text); m != nil {
		return p.fail(t, "%q is not a whole number: write a range as %s..%s", t.text, m[1], m[2])
	}
	if strings.HasSuffix(t.text, "%") && isNumber(t.text) {
		return p.fail(t, "%q is a part of a whole, and %s is a whole number: parts are for shares, such as rejected_share", t.text, f.Name)
	}
	if f.Name == tcpFlagsField {
		flags := strings.FieldsFunc(strings.ToLower(t.text), func(r rune) bool { return r == '+' || r == '-' })
		if len(flags) > 0 && !slices.ContainsFunc(flags, func(name string) bool { return !slices.Contains(tcpFlags[:], name) }) {
			return p.fail(t, "flags are bits of %s: write %[1]s has %s", f.Name, strings.Join(flags, "+"))
		}
	}
	var names []string
	for _, g := range p.scope.Fields {
		if numberOf(g) == f.Name {
			names = g.Values
		}
	}
	hint := ""
	switch {
	case f.Name == "protocol":
		hint = ", or goes by a name such as tcp"
	case f.Name == "srcport" || f.Name == "dstport" || f.Name == "service_port":
		hint = ", or goes by a name such as https"
	case len(names) > 0:
		hint = ", or goes by a name: " + listOf(names)
	}
	return p.fail(t, "%q is not a value of %s: %sit is a whole number%s", t.text, f.Name, nearValue(t.text, names), hint)
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
	if WordAt(s, 0) == s && s != "" {
		return s
	}
	return Quote(s)
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

// serviceField is the field whose values are names, or else numbers of ports.
const serviceField = "service"

var (
	zoneName          = regexp.MustCompile(`^([a-z]{2}(?:-[a-z]+)+-[0-9]+)[a-z]$`)
	regionUnderscored = regexp.MustCompile(`^[a-z]{2}(_[a-z]+)+_[0-9]+$`)
)
