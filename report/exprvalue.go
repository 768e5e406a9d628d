package report

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// item reads what may stand in a list of values of a field.
func (p *exprParser) item(f schema.Field) (Item, error) {
	switch t := p.next(); t.kind {
	case fileToken:
		return p.file(f, t)
	case quotedToken:
		if f.Kind == schema.Text {
			return p.textItem(f, t)
		}
		return p.word(f, t)
	case wordToken:
		if slices.ContainsFunc(keywords, t.is) {
			if t.is("null") {
				return Item{}, p.fail(t, "nothing is equal to null: write %s is null", f.Name)
			}
			return Item{}, p.expected(t, "a value of "+f.Name)
		}
		return p.word(f, t)
	default:
		return Item{}, p.expected(t, "a value of "+f.Name)
	}
}

// word reads a value, a network or a range.
func (p *exprParser) word(f schema.Field, t token) (Item, error) {
	if t.text == "-" {
		return Item{}, p.fail(t, "- is null in flow logs: write %s is null", f.Name)
	}
	if f.Kind == schema.Text {
		return p.textItem(f, t)
	}
	if from, to, ok := strings.Cut(t.text, ".."); ok {
		var ends [2]any
		for i, s := range []string{from, to} {
			if s == "" {
				continue
			}
			v, err := p.value(f, token{t.kind, s, t.pos})
			if err != nil {
				return Item{}, err
			}
			if ends[i] = v.Value; v.Value == nil {
				return Item{}, p.fail(t, "%q is no end of a range", s)
			}
		}
		return p.rangeItem(f, t, ends[0], ends[1])
	}
	return p.value(f, t)
}

// value reads one value, or something that stands for one or several by name.
func (p *exprParser) value(f schema.Field, t token) (Item, error) {
	switch f.Kind {
	case schema.Addr:
		if strings.Contains(t.text, "/") {
			prefix, err := netip.ParsePrefix(t.text)
			if err != nil {
				return Item{}, p.fail(t, "%q is not a network: write it as 10.0.0.0/8 or 2001:db8::/32", t.text)
			}
			if prefix != prefix.Masked() {
				return Item{}, p.fail(t, "%s has bits behind its %d-bit mask: write %s for the network, or %s for the address", prefix, prefix.Bits(), prefix.Masked(), prefix.Addr())
			}
			if prefix.Addr().Is4In6() {
				return Item{}, p.fail(t, "%s is IPv4 in IPv6: write the network as IPv4", prefix)
			}
			return Item{Prefix: prefix}, nil
		}
		a, err := netip.ParseAddr(t.text)
		if err != nil || a.Zone() != "" {
			return Item{}, p.fail(t, "%q is not an IP address or network%s", t.text, networkHint(f, t.text))
		}
		return Item{Value: a.Unmap()}, nil
	case schema.Float:
		v, ok := parseQuantity(t.text, true)
		if !ok {
			return Item{}, p.fail(t, "%q is not a number", t.text)
		}
		return Item{Value: v}, nil
	case schema.Time:
		v, err := p.time(t.text)
		if err != nil {
			return Item{}, p.fail(t, "%v", err)
		}
		return Item{Value: v}, nil
	}
	if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		return p.whole(f, t, n)
	}
	if v, ok := parseQuantity(t.text, false); ok {
		n := int64(v)
		if float64(n) != v || v >= 1<<63 {
			return Item{}, p.fail(t, "%q is not a whole number", t.text)
		}
		return p.whole(f, t, n)
	}
	if p.scope.Number != nil {
		switch ns := p.scope.Number(f.Name, t.text); len(ns) {
		case 0:
		case 1:
			return Item{Value: ns[0]}, nil
		default:
			var it Item
			for _, n := range ns {
				it.Items = append(it.Items, Item{Value: n})
			}
			return it, nil
		}
	}
	return Item{}, p.noNumber(f, t)
}

// time reads a point in time as Unix seconds.
func (p *exprParser) time(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && (n < 0 || p.scope.Time == nil) {
		return n, nil // before 1970
	}
	if p.scope.Time == nil {
		return 0, fmt.Errorf("%q is not a time in Unix seconds", s)
	}
	v, err := p.scope.Time(s)
	if err == nil && v.Unix() >= latestDate {
		err = fmt.Errorf("%q is after the year 9999", s)
	}
	return v.Unix(), err
}

// whole checks a whole number against what its field can be.
func (p *exprParser) whole(f schema.Field, t token, n int64) (Item, error) {
	if f.Max > 0 && n > f.Max {
		return Item{}, p.fail(t, "%s is at most %d", f.Name, f.Max)
	}
	return Item{Value: n}, nil
}

// units are what a number may be followed by: decimal multiples and, with an i, binary ones; a b for bytes may
// follow either.
var units = map[string]float64{
	"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15,
	"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40, "pi": 1 << 50,
}

// parseQuantity reads a number that may have a unit, such as 10MB, 1.5GiB or 100k, or for fractions 10%.
func parseQuantity(s string, fraction bool) (float64, bool) {
	n := len(s)
	for n > 0 && (s[n-1] < '0' || s[n-1] > '9') && s[n-1] != '.' {
		n--
	}
	unit := strings.ToLower(s[n:])
	factor, ok := units[unit]
	if !ok {
		factor, ok = units[strings.TrimSuffix(unit, "b")]
	}
	if fraction && unit == "%" {
		factor, ok = 0.01, true
	}
	digits := strings.ReplaceAll(s[:n], "_", "")
	if strings.ContainsAny(digits, "xXpPiInN") {
		return 0, false // hexadecimal, Inf, NaN
	}
	v, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || math.IsInf(v*factor, 0) {
		return 0, false
	}
	if unit == "%" {
		return v / 100, true // 10% is the float nearest to 0.1
	}
	return v * factor, true
}

// file reads a list of values from a file.
func (p *exprParser) file(f schema.Field, t token) (Item, error) {
	if p.scope.File == nil {
		return Item{}, p.fail(t, "a file cannot be read here")
	}
	values, err := p.scope.File(f, t.text)
	if err != nil {
		return Item{}, p.fail(t, "%v", err)
	}
	it := Item{File: t.text, Items: []Item{}}
	for _, l := range values {
		sub := &exprParser{text: p.text, scope: p.scope}
		v, err := sub.word(f, token{quotedToken, l.Text, t.pos}) // a * is one
		if err != nil {
			msg, _, _ := strings.Cut(err.Error(), "\n")
			return Item{}, p.fail(t, "%s:%d: %s", t.text, l.Line, msg)
		}
		if _, ok := p.scope.Fields.Lookup(portOf(f).Name); l.Port != 0 && !ok {
			return Item{}, p.fail(t, "%s:%d: the address has a port, and here is no port of %s to compare it with", t.text, l.Line, f.Name)
		}
		for _, one := range expand(v) {
			one.Port = l.Port
			it.Items = append(it.Items, one)
		}
	}
	return it, nil
}
