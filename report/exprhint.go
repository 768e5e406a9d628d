package report

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
func (p *exprParser) noField(t token) error {
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

// isNumber reports whether a word is a number.
func isNumber(s string) bool {
	_, ok := parseQuantity(s, true)
	return ok
}

// joinHint says how to write what was read so far and a token, if they are one value or a list; else it is "".
func (p *exprParser) joinHint(t token) string {
	i := slices.IndexFunc(p.tokens, func(o token) bool { return o.pos == t.pos })
	if i < 2 || p.last.text == "" {
		return ""
	}
	sign, before := p.tokens[i-2], p.tokens[i-1]
	number := before.kind == wordToken && isNumber(before.text)
	switch {
	case t.kind == wordToken && number:
		if _, ok := parseQuantity(before.text+t.text, true); ok {
			return fmt.Sprintf("a number and its unit are one word: write %s%s", before.text, t.text)
		}
	case t.is(","):
		after := p.tokens[i+1].text
		if number && len(after) == 3 && isNumber(after) && (sign.is("<") || sign.is("<=") || sign.is(">") || sign.is(">=")) {
			return fmt.Sprintf("numbers have no commas: write %s%s", before.text, after)
		}
		if sign.is("=") && after != "" {
			return fmt.Sprintf("several values are a list: write %s in (%s, %s)", p.last.text, quotedAs(before), quotedAs(p.tokens[i+1]))
		}
		if sign.is("!=") && after != "" {
			return fmt.Sprintf("several values are a list: write %s not in (%s, %s)", p.last.text, quotedAs(before), quotedAs(p.tokens[i+1]))
		}
	}
	return ""
}

// quotedAs writes a token as it stood there.
func quotedAs(t token) string {
	if t.kind == quotedToken {
		return quote(t.text)
	}
	return t.text
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
func (p *exprParser) noNumber(f schema.Field, t token) error {
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
