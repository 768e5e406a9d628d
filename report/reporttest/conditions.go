package reporttest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// Truth evaluates a condition in the plainest way: known is false for null. get gives the value of a field.
func Truth(e expr.Expr, get func(schema.Field) any) (yes, known bool) {
	switch e := e.(type) {
	case expr.And:
		known = true
		for _, x := range e {
			y, k := Truth(x, get)
			if k && !y {
				return false, true
			}
			known = known && k
		}
		return true, known
	case expr.Or:
		known = true
		for _, x := range e {
			y, k := Truth(x, get)
			if k && y {
				return true, true
			}
			known = known && k
		}
		return false, known
	case expr.Not:
		y, k := Truth(e.X, get)
		return !y, k
	case expr.IsNull:
		return get(e.Field) == nil, true
	case expr.Compare:
		v := get(e.Field)
		return v != nil && plainHolds(e.Op, plainCompare(v, e.Value)), v != nil
	case expr.CompareFields:
		l, r := get(e.Left), get(e.Right)
		if l == nil || r == nil {
			return false, false
		}
		return plainHolds(e.Op, plainCompare(l, r)), true
	case expr.In:
		v := get(e.Field)
		if v == nil {
			return false, false
		}
		port := get(schema.Field{Name: strings.TrimPrefix(strings.Replace(e.Field.Name, "addr", "port", 1), "pkt_")})
		return plainAmong(e.Items, v, port)
	case expr.Like:
		v := get(e.Field)
		return v != nil && plainLike(e.Pattern, v.(string)), v != nil
	case expr.Match:
		v := get(e.Field)
		return v != nil && regexp.MustCompile(e.Regex).MatchString(v.(string)), v != nil
	case expr.Has:
		v := get(e.Field)
		return v != nil && v.(int64)&e.Bits == e.Bits, v != nil
	}
	panic("a condition of no type")
}

func plainCompare(x, y any) int {
	switch x := x.(type) {
	case int64:
		return int(min(max(x-y.(int64), -1), 1)) // the tests' values are small
	case float64:
		if x < y.(float64) {
			return -1
		} else if x > y.(float64) {
			return 1
		}
		return 0
	case netip.Addr:
		return x.Compare(y.(netip.Addr))
	}
	return strings.Compare(x.(string), y.(string))
}

// plainAmong reports whether one of the items is a value, with its port if it has one.
func plainAmong(items []expr.Item, v, port any) (yes, known bool) {
	known = true
	for _, it := range items {
		is, sure := false, true
		switch {
		case it.File != "":
			is, sure = plainAmong(it.Items, v, port)
		case it.Prefix.IsValid():
			is = it.Prefix.Contains(v.(netip.Addr))
		case it.Range:
			if a, ok := v.(netip.Addr); ok && a.Is4() != it.Lo.(netip.Addr).Is4() {
				continue
			}
			is = (it.Lo == nil || plainCompare(v, it.Lo) >= 0) && (it.Hi == nil || plainCompare(v, it.Hi) <= 0)
		default:
			is = plainCompare(v, it.Value) == 0
		}
		if is && it.Port != 0 {
			is, sure = port == any(int64(it.Port)), port != nil
		}
		if is && sure {
			return true, true
		}
		known = known && sure
	}
	return false, known
}

func plainLike(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	p, rest := []rune(pattern)[0], string([]rune(pattern)[1:])
	if p == '%' {
		for i := range s {
			if plainLike(rest, s[i:]) {
				return true
			}
		}
		return plainLike(rest, "")
	}
	if s == "" {
		return false
	}
	first := []rune(s)[0]
	return (p == '_' || p == first) && plainLike(rest, s[len(string(first)):])
}

// Meets reports whether a record meets a condition; nil is met by all.
func Meets(e expr.Expr, rec Row) bool {
	if e == nil {
		return true
	}
	yes, known := Truth(e, func(f schema.Field) any { return Value(rec, f.Name) })
	return yes && known
}

// Scope is one in which everything is known.
func Scope() expr.Scope {
	return expr.Scope{
		Fields: Fields(), List: "flowlog fields",
		Number: func(field, name string) []int64 {
			switch strings.ToLower(field + " " + name) {
			case "protocol tcp":
				return []int64{6}
			case "dstport web":
				return []int64{80, 443}
			}
			return nil
		},
		Time: func(s string) (time.Time, error) {
			if t, err := time.Parse(time.RFC3339, s); err == nil {
				return t, nil
			}
			n, err := strconv.ParseInt(s, 10, 64)
			return time.Unix(n, 0), err
		},
		File: func(_ schema.Field, name string) ([]expr.Listed, error) {
			values, ok := map[string][]expr.Listed{
				"nets.txt":  {{Text: "10.0.0.0/31", Line: 2}, {Text: "192.0.2.7", Line: 2}, {Text: "2001:db8::/120", Line: 4}, {Text: "10.0.0.9..10.0.0.11", Line: 5}},
				"c2.txt":    {{Text: "10.0.0.1", Port: 443, Line: 1}, {Text: "10.0.0.2", Port: 22, Line: 2}, {Text: "2001:db8::1", Port: 443, Line: 3}},
				"mixed.txt": {{Text: "192.0.2.0/24", Line: 1}, {Text: "10.0.0.2", Port: 443, Line: 2}},
				"ports":     {{Text: "22", Line: 1}, {Text: "1000..2000", Line: 2}, {Text: "443", Line: 2}},
				"tags":      {{Text: "web server", Line: 1}, {Text: "db#1", Line: 3}},
				"bad.txt":   {{Text: "10.0.0.1", Line: 1}, {Text: "10.0.0.300", Line: 2}},
				"empty.txt": {},
			}[name]
			if !ok {
				return nil, fmt.Errorf("open %s: no such file", name)
			}
			return values, nil
		},
	}
}

// RandomExpr makes a condition on RandomFields, of values that RandomRows has among others.
func RandomExpr(r *rand.Rand, depth int) string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	if depth > 0 && r.IntN(3) > 0 {
		a, b := RandomExpr(r, depth-1), RandomExpr(r, depth-1)
		switch r.IntN(4) {
		case 0:
			return "(" + a + ") or " + b
		case 1:
			return "not (" + a + ")"
		case 2:
			return "(" + a + " OR " + b + ") And not (" + b + ")"
		}
		return a + " and " + b
	}
	op := pick("=", "!=", "<", "<=", ">", ">=", "==", "<>")
	eq := pick("=", "!=")
	in := pick("in", "not in")
	port := func() string { return pick("0", "22", "443", "65535", "1000", "1k") }
	addr := func() string {
		return pick("10.0.0.1", "10.0.0.2", "192.0.2.7", "2001:db8::1", "::ffff:10.0.0.10", "0.0.0.0")
	}
	network := func() string {
		return pick("10.0.0.0/8", "10.0.0.0/31", "0.0.0.0/0", "::/0", "2001:db8::/124", "192.0.2.7/32", "10.0.0.2..10.0.0.10", "@nets.txt", "@c2.txt", "@mixed.txt", addr())
	}
	switch r.IntN(16) {
	case 0:
		return pick("srcport", "dstport", "port") + " " + op + " " + port()
	case 1:
		return pick("srcport", "dstport", "port", "packets", "tcp_flags") + " " + in + " (" + port() + ", 1..22, 17, 400.." + pick("443", "500") + ")"
	case 2:
		return pick("srcaddr", "dstaddr", "addr", "pkt-srcaddr") + " " + in + " " + network() + ", " + network()
	case 3:
		return pick("srcaddr", "addr") + " " + eq + " " + addr()
	case 4:
		return "srcaddr " + eq + " " + pick("pkt_srcaddr", "dstaddr", "10.0.0.0/8")
	case 5:
		return "srcport " + op + " dstport"
	case 6:
		return pick("action "+op+" "+pick("REJECT", "accept", "'Reject'"), "log_status "+op+" "+pick("ok", "NODATA"),
			"subnet_id "+op+" "+pick("'subnet-b'", `"é"`, "OK"), "region "+op+" "+pick("eu-west-1", "US-East-2"), "region "+in+" (EU-west-1, us-east-2, 'EU-WEST-1')")
	case 7:
		return "interface_id " + pick("like", "not like") + " " + pick("'eni-1%'", "eni-_", "'%1'", "'%'", "'_'")
	case 8:
		return pick("interface_id", "subnet_id") + " " + pick("~", "!~") + " " + pick("/^eni-1$/", "/SUBNET/i", `/a\/b|é/`, "'1'", "//")
	case 9:
		return pick("dstport", "action", "pkt_srcaddr", "port") + " is " + pick("", "not ") + "null"
	case 10:
		return "tcp_flags has " + pick("syn", "SYN+ack", "syn-ack", "2", "rst")
	case 11:
		return pick("start", "end", "time") + " " + op + " " + pick("2023-11-14T22:13:20Z", "1700000001", "0")
	case 12:
		return "bytes " + op + " " + pick("1", "1kB", "2KiB", "8PiB", "0.5MiB")
	case 13:
		return "protocol " + eq + " " + pick("tcp", "17", "255")
	case 14:
		return "dstport " + eq + " " + pick("web", "22")
	}
	return "interface_id " + in + " ('eni-1', eni-2, @tags)"
}

// plainHolds reports whether values that compare as c meet an operator.
func plainHolds(op expr.Op, c int) bool {
	switch op {
	case expr.Equal:
		return c == 0
	case expr.Less:
		return c < 0
	case expr.LessEqual:
		return c <= 0
	case expr.Greater:
		return c > 0
	case expr.GreaterEqual:
		return c >= 0
	}
	panic("no operator")
}
