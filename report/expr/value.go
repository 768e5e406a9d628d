package expr

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// item reads what may stand in a list of values of a field.
func (p *parser) item(f schema.Field) (Item, error) {
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
func (p *parser) word(f schema.Field, t token) (Item, error) {
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
func (p *parser) value(f schema.Field, t token) (Item, error) {
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
func (p *parser) time(s string) (int64, error) {
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
func (p *parser) whole(f schema.Field, t token, n int64) (Item, error) {
	if f.Max > 0 && n > f.Max {
		return Item{}, p.fail(t, "%s is at most %d", f.Name, f.Max)
	}
	return Item{Value: n}, nil
}

// expand is the items of an item that only stands for several.
func expand(it Item) []Item {
	if it.File == "" && it.Items != nil {
		return it.Items
	}
	return []Item{it}
}

// rangeItem checks the ends of a range. A nil end is open.
func (p *parser) rangeItem(f schema.Field, t token, lo, hi any) (Item, error) {
	if f.Kind == schema.Text {
		return Item{}, p.fail(t, "%s is text, which has no ranges", f.Name)
	}
	if lo == nil && hi == nil || f.Kind == schema.Addr && (lo == nil || hi == nil) {
		return Item{}, p.fail(t, "a range has two ends, as in 1024..65535")
	}
	if a, ok := lo.(netip.Addr); ok && a.Is4() != hi.(netip.Addr).Is4() {
		return Item{}, p.fail(t, "a range goes from IPv4 to IPv4 or from IPv6 to IPv6")
	}
	if lo != nil && hi != nil && compareValues(lo, hi) > 0 {
		return Item{}, p.fail(t, "the range ends before it begins")
	}
	return Item{Range: true, Lo: lo, Hi: hi}, nil
}

// compareValues orders two values of one kind.
func compareValues(x, y any) int {
	switch x := x.(type) {
	case int64:
		return cmp.Compare(x, y.(int64))
	case float64:
		return cmp.Compare(x, y.(float64))
	case netip.Addr:
		return x.Compare(y.(netip.Addr))
	}
	return cmp.Compare(x.(string), y.(string))
}

// file reads a list of values from a file.
func (p *parser) file(f schema.Field, t token) (Item, error) {
	if p.scope.File == nil {
		return Item{}, p.fail(t, "a file cannot be read here")
	}
	values, err := p.scope.File(f, t.text)
	if err != nil {
		return Item{}, p.fail(t, "%v", err)
	}
	it := Item{File: t.text, Items: []Item{}}
	for _, l := range values {
		sub := &parser{text: p.text, scope: p.scope}
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
