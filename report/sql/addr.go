package sql

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// addr4 is an IPv4 address from its number.
func addr4(v int64) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(v))
	return netip.AddrFrom4(b)
}

// all6 is all of IPv6.
var all6 = expr.AddrSpan{Hi: [16]byte{0: 255, 1: 255, 2: 255, 3: 255, 4: 255, 5: 255, 6: 255, 7: 255, 8: 255, 9: 255, 10: 255, 11: 255, 12: 255, 13: 255, 14: 255, 15: 255}}

// prefix4 is the network that a range is, if it is one.
func prefix4(s expr.Span[int64]) (netip.Prefix, bool) {
	size := uint64(s.Hi - s.Lo + 1)
	if bits.OnesCount64(size) != 1 || uint64(s.Lo)%size != 0 {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr4(s.Lo), 32-bits.TrailingZeros64(size)), true
}

// prefix6 is prefix4 for IPv6.
func prefix6(s expr.AddrSpan) (netip.Prefix, bool) {
	n := 0
	for n < 128 && (s.Lo[n/8]^s.Hi[n/8])<<(n%8)&0x80 == 0 {
		n++
	}
	p := netip.PrefixFrom(netip.AddrFrom16(s.Lo), n)
	lo, hi := expr.AddrRange(expr.Item{Prefix: p})
	return p, lo.As16() == s.Lo && hi.As16() == s.Hi
}

// duckAddrs tests addresses, which DuckDB has as text: its type for them is an extension that has to be
// downloaded. Networks of whole bytes are beginnings of the text; others are ranges of numbers for IPv4, and for
// IPv6 of the 32 hexadecimal digits.
func duckAddrs(q *query, f schema.Field, a *expr.Addrs) sqlNode {
	x := q.field(f)
	var values, tests []sqlNode
	for _, s := range a.V4 {
		p, network := prefix4(s)
		switch {
		case s.Lo == s.Hi:
			values = append(values, q.literal(addr4(s.Lo)))
		case network && p.Bits() == 0:
			tests = append(tests, notNode{q.isIPv6(x)})
		case network && p.Bits()%8 == 0:
			octets := strings.SplitN(p.Addr().String(), ".", p.Bits()/8+1)
			tests = append(tests, sqlInfix(x, "LIKE", textNode(strings.Join(octets[:p.Bits()/8], ".")+".%")))
		default:
			number := q.helper(f.Name+"_v4", duckNumber(q, x))
			tests = append(tests, betweenNode{number, intNode(s.Lo), intNode(s.Hi)})
		}
	}
	for _, s := range a.V6 {
		switch {
		case s.Lo == s.Hi:
			values = append(values, q.literal(netip.AddrFrom16(s.Lo)))
		case s == all6:
			tests = append(tests, q.isIPv6(x))
		default:
			digits := q.helper(f.Name+"_v6", duckDigits(q, x))
			tests = append(tests, betweenNode{digits, textNode(hex.EncodeToString(s.Lo[:])), textNode(hex.EncodeToString(s.Hi[:]))})
		}
	}
	return oneOf(x, values, tests)
}

// duckOctet is one of the four octets of an IPv4 address, from 1 on, as text.
func duckOctet(x sqlNode, i int) sqlNode {
	return sqlCall("split_part", x, textNode("."), intNode(i))
}

// duckNumber is the number of an IPv4 address, and -1 of an IPv6 one.
func duckNumber(q *query, x sqlNode) sqlNode {
	var parts []sqlNode
	for i := range 4 {
		octet := sqlNode(castNode{x: duckOctet(x, i+1), typ: "BIGINT", short: true})
		if i < 3 {
			octet = sqlInfix(octet, "*", intNode(1<<(24-8*i)))
		}
		parts = append(parts, octet)
	}
	return caseNode{[]sqlWhen{{q.isIPv6(x), intNode(-1)}}, sqlChain("+", parts...)}
}

// duckDigits is the 32 hexadecimal digits of an IPv6 address in any form of groups, and ” of an IPv4 one. The
// two colons in a row become as many groups as there is room for; then each group gets its zeros.
func duckDigits(q *query, x sqlNode) sqlNode {
	colons := sqlInfix(sqlCall("len", x), "-", sqlCall("len", sqlCall("replace", x, textNode(":"), textNode(""))))
	missing := sqlConcat(sqlCall("repeat", textNode(":0"), sqlInfix(intNode(8), "-", colons)), textNode(":"))
	groups := sqlConcat(textNode(":"), sqlCall("replace", sqlCall("lower", x), textNode("::"), missing))
	digits := sqlCall("regexp_replace", sqlCall("replace", groups, textNode(":"), textNode(":0000")),
		textNode(":[0-9a-f]*([0-9a-f]{4})"), textNode(`\1`), textNode("g"))
	return caseNode{whens: []sqlWhen{{q.isIPv6(x), digits}, {notSQLNull(x), textNode("")}}}
}

// duckNetwork is the network of an address, as text.
func duckNetwork(q *query, f schema.Field, bits, bits6 int) sqlNode {
	x := q.field(f)
	return caseNode{[]sqlWhen{{q.isIPv6(x), duckNetwork6(q, f, x, bits6)}}, duckNetwork4(x, bits)}
}

// duckNetwork4 is whole octets, then one in part, then zeros.
func duckNetwork4(x sqlNode, bits int) sqlNode {
	var octets []sqlNode
	for i := range bits / 8 {
		octets = append(octets, duckOctet(x, i+1))
	}
	if bits%8 != 0 {
		octet := castNode{x: duckOctet(x, bits/8+1), typ: "INTEGER", short: true}
		octets = append(octets, sqlInfix(octet, "&", intNode(256-1<<(8-bits%8))))
	}
	rest := strings.Repeat(".0", 4-len(octets)) + "/" + strconv.Itoa(bits)
	parts := octets[:1:1]
	for _, octet := range octets[1:] {
		parts = append(parts, textNode("."), octet)
	}
	return sqlConcat(append(parts, textNode(rest))...)
}

// duckNetwork6 is the digits likewise, then groups without leading zeros, then :: for the longest zeros, or the first of
// those that are as long.
func duckNetwork6(q *query, f schema.Field, x sqlNode, bits int) sqlNode {
	digits := q.helper(f.Name+"_v6", duckDigits(q, x))
	kept := []sqlNode{sqlCall("left", digits, intNode(bits/4))}
	zeros := 32 - bits/4
	if n := bits % 4; n != 0 {
		digit := sqlCall("strpos", textNode("123456789abcdef"), sqlCall("substr", digits, intNode(bits/4+1), intNode(1)))
		kept = append(kept, sqlCall("printf", textNode("%x"), sqlInfix(digit, "&", intNode(16-1<<(4-n)))))
		zeros--
	}
	if zeros > 0 {
		kept = append(kept, sqlCall("repeat", textNode("0"), intNode(zeros)))
	}
	name := fmt.Sprintf("%s_v6_%d", f.Name, bits)
	colons := sqlCall("regexp_replace", sqlConcat(kept...), textNode("(....)"), textNode(`:\1`), textNode("g"))
	groups := q.helper(name, sqlCall("regexp_replace", colons, textNode(":0{1,3}"), textNode(":"), textNode("g")))
	run := q.helper(name+"_zeros", sqlCall("list_max", sqlCall("regexp_extract_all", groups, textNode("(:0)+"))))
	at, length := sqlCall("strpos", groups, run), sqlCall("len", run)
	behind := sqlCall("substr", groups, sqlInfix(at, "+", length))
	short := sqlConcat(sqlCall("left", groups, sqlInfix(at, "-", intNode(1))), textNode(":"),
		sqlCall("coalesce", sqlCall("nullif", behind, textNode("")), textNode(":")))
	text := caseNode{[]sqlWhen{{sqlInfix(length, ">=", intNode(4)), short}}, groups}
	return sqlConcat(sqlCall("regexp_replace", text, textNode("^:([^:])"), textNode(`\1`)), textNode("/"+strconv.Itoa(bits)))
}

// mapped4 is 0.0.0.0 as IPv6 has it.
var mapped4 = netip.AddrFrom16([16]byte{10: 255, 11: 255})

// trinoAddrs tests addresses, which Trino has a type for. IPv4 addresses are among those of IPv6 there.
func trinoAddrs(q *query, f schema.Field, a *expr.Addrs) sqlNode {
	x := q.field(f)
	var values, tests []sqlNode
	between := func(lo, hi netip.Addr) sqlNode { return betweenNode{x, q.literal(lo), q.literal(hi)} }
	contains := func(p netip.Prefix) sqlNode { return sqlCall("contains", textNode(p.String()), x) }
	only6 := func(test sqlNode) sqlNode { return parensNode{sqlAnd(test, q.isIPv6(x))} }
	for _, s := range a.V4 {
		p, network := prefix4(s)
		switch {
		case s.Lo == s.Hi:
			values = append(values, q.literal(addr4(s.Lo)))
		case network:
			tests = append(tests, contains(p))
		default:
			tests = append(tests, between(addr4(s.Lo), addr4(s.Hi)))
		}
	}
	for _, s := range a.V6 {
		p, network := prefix6(s)
		switch {
		case s.Lo == s.Hi:
			values = append(values, q.literal(netip.AddrFrom16(s.Lo)))
		case network && !p.Contains(mapped4):
			tests = append(tests, contains(p))
		case network && p.Bits() == 0:
			tests = append(tests, q.isIPv6(x))
		case network:
			tests = append(tests, only6(contains(p)))
		default:
			tests = append(tests, only6(between(netip.AddrFrom16(s.Lo), netip.AddrFrom16(s.Hi))))
		}
	}
	return oneOf(x, values, tests)
}

// trinoNetwork is the network of an address, as text: its 16 bytes, in which IPv4 has the last four, masked.
func trinoNetwork(q *query, f schema.Field, bits, bits6 int) sqlNode {
	x := q.field(f)
	masked := func(bits, shown int) sqlNode {
		var halves []sqlNode
		for i := range 2 {
			half := sqlCall("substr", sqlCast(x, "varbinary"), intNode(8*i+1), intNode(8))
			switch n := bits - 64*i; {
			case n <= 0:
				half = sqlCall("to_big_endian_64", intNode(0))
			case n < 64:
				mask := intNode(int64(math.MinInt64) >> (n - 1))
				half = sqlCall("to_big_endian_64", sqlCall("bitwise_and", sqlCall("from_big_endian_64", half), mask))
			}
			halves = append(halves, half)
		}
		return sqlConcat(sqlCast(sqlCast(sqlConcat(halves...), "ipaddress"), "varchar"), textNode("/"+strconv.Itoa(shown)))
	}
	return caseNode{[]sqlWhen{{q.isIPv6(x), masked(bits6, bits6)}}, masked(96+bits, bits)}
}
