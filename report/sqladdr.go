package report

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
)

// addr4 is an IPv4 address from its number.
func addr4(v int64) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(v))
	return netip.AddrFrom4(b)
}

// all6 is all of IPv6.
var all6 = addrSpan{hi: [16]byte{0: 255, 1: 255, 2: 255, 3: 255, 4: 255, 5: 255, 6: 255, 7: 255, 8: 255, 9: 255, 10: 255, 11: 255, 12: 255, 13: 255, 14: 255, 15: 255}}

// prefix4 is the network that a range is, if it is one.
func prefix4(s span[int64]) (netip.Prefix, bool) {
	size := uint64(s.hi - s.lo + 1)
	if bits.OnesCount64(size) != 1 || uint64(s.lo)%size != 0 {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr4(s.lo), 32-bits.TrailingZeros64(size)), true
}

// prefix6 is prefix4 for IPv6.
func prefix6(s addrSpan) (netip.Prefix, bool) {
	n := 0
	for n < 128 && (s.lo[n/8]^s.hi[n/8])<<(n%8)&0x80 == 0 {
		n++
	}
	p := netip.PrefixFrom(netip.AddrFrom16(s.lo), n)
	lo, hi := addrRange(Item{Prefix: p})
	return p, lo.As16() == s.lo && hi.As16() == s.hi
}

// duckAddrs tests addresses, which DuckDB has as text: its type for them is an extension that has to be
// downloaded. Networks of whole bytes are beginnings of the text; others are ranges of numbers for IPv4, and for
// IPv6 of the 32 hexadecimal digits.
func duckAddrs(q *query, f schema.Field, a *addrs) string {
	x := q.field(f)
	var values, tests []string
	for _, s := range a.v4 {
		p, network := prefix4(s)
		switch {
		case s.lo == s.hi:
			values = append(values, q.addrLiteral(addr4(s.lo)))
		case network && p.Bits() == 0:
			tests = append(tests, "NOT ("+q.isIPv6(x)+")")
		case network && p.Bits()%8 == 0:
			octets := strings.SplitN(p.Addr().String(), ".", p.Bits()/8+1)
			tests = append(tests, x+" LIKE '"+strings.Join(octets[:p.Bits()/8], ".")+".%'")
		default:
			number := q.helper(f.Name+"_v4", duckNumber(q, x))
			tests = append(tests, fmt.Sprintf("%s BETWEEN %d AND %d", number, s.lo, s.hi))
		}
	}
	for _, s := range a.v6 {
		switch {
		case s.lo == s.hi:
			values = append(values, q.addrLiteral(netip.AddrFrom16(s.lo)))
		case s == all6:
			tests = append(tests, q.isIPv6(x))
		default:
			digits := q.helper(f.Name+"_v6", duckDigits(q, x))
			tests = append(tests, digits+" BETWEEN '"+hex.EncodeToString(s.lo[:])+"' AND '"+hex.EncodeToString(s.hi[:])+"'")
		}
	}
	return either(append(oneOf(x, values), tests...))
}

// duckNumber is the number of an IPv4 address, and -1 of an IPv6 one.
func duckNumber(q *query, x string) string {
	var parts []string
	for i, factor := range []string{" * 16777216", " * 65536", " * 256", ""} {
		parts = append(parts, fmt.Sprintf("split_part(%s, '.', %d)::BIGINT%s", x, i+1, factor))
	}
	return "CASE WHEN " + q.isIPv6(x) + " THEN -1 ELSE " + strings.Join(parts, " + ") + " END"
}

// duckDigits is the 32 hexadecimal digits of an IPv6 address in any form of groups, and ” of an IPv4 one. The
// two colons in a row become as many groups as there is room for; then each group gets its zeros.
func duckDigits(q *query, x string) string {
	groups := fmt.Sprintf("replace(lower(%s), '::', repeat(':0', 8 - (len(%[1]s) - len(replace(%[1]s, ':', '')))) || ':')", x)
	return "CASE WHEN " + q.isIPv6(x) + " THEN regexp_replace(replace(':' || " + groups + `, ':', ':0000'), ':[0-9a-f]*([0-9a-f]{4})', '\1', 'g')` +
		" WHEN " + x + " IS NOT NULL THEN '' END"
}

// duckNetwork is the network of an address, as text.
func duckNetwork(q *query, f schema.Field, bits, bits6 int) string {
	x := q.field(f)
	// IPv4: whole octets, then one in part, then zeros
	var v4 []string
	for i := range bits / 8 {
		v4 = append(v4, fmt.Sprintf("split_part(%s, '.', %d)", x, i+1))
	}
	if bits%8 != 0 {
		v4 = append(v4, fmt.Sprintf("(split_part(%s, '.', %d)::INTEGER & %d)", x, bits/8+1, 256-1<<(8-bits%8)))
	}
	rest := strings.Repeat(".0", 4-len(v4)) + "/" + strconv.Itoa(bits)
	text4 := strings.Join(v4, " || '.' || ") + " || '" + rest + "'"
	// IPv6: the digits likewise, then groups without leading zeros, then :: for the longest zeros, or the first of
	// those that are as long
	digits := q.helper(f.Name+"_v6", duckDigits(q, x))
	kept := fmt.Sprintf("left(%s, %d)", digits, bits6/4)
	zeros := 32 - bits6/4
	if n := bits6 % 4; n != 0 {
		kept += fmt.Sprintf(" || printf('%%x', strpos('123456789abcdef', substr(%s, %d, 1)) & %d)", digits, bits6/4+1, 16-1<<(4-n))
		zeros--
	}
	if zeros > 0 {
		kept += " || repeat('0', " + strconv.Itoa(zeros) + ")"
	}
	name := fmt.Sprintf("%s_v6_%d", f.Name, bits6)
	groups := q.helper(name, "regexp_replace(regexp_replace("+kept+`, '(....)', ':\1', 'g'), ':0{1,3}', ':', 'g')`)
	run := q.helper(name+"_zeros", "list_max(regexp_extract_all("+groups+", '(:0)+'))")
	behind := fmt.Sprintf("substr(%s, strpos(%[1]s, %[2]s) + len(%[2]s))", groups, run)
	short := fmt.Sprintf("CASE WHEN len(%[2]s) >= 4 THEN left(%[1]s, strpos(%[1]s, %[2]s) - 1) || ':' || coalesce(nullif(%[3]s, ''), ':') ELSE %[1]s END", groups, run, behind)
	text6 := fmt.Sprintf(`regexp_replace(%s, '^:([^:])', '\1') || '/%d'`, short, bits6)
	return "CASE WHEN " + q.isIPv6(x) + " THEN " + text6 + " ELSE " + text4 + " END"
}

// mapped4 is 0.0.0.0 as IPv6 has it.
var mapped4 = netip.AddrFrom16([16]byte{10: 255, 11: 255})

// trinoAddrs tests addresses, which Trino has a type for.
func trinoAddrs(q *query, f schema.Field, a *addrs) string {
	x := q.field(f)
	var values, tests []string
	between := func(lo, hi netip.Addr) string {
		return x + " BETWEEN " + q.addrLiteral(lo) + " AND " + q.addrLiteral(hi)
	}
	for _, s := range a.v4 {
		p, network := prefix4(s)
		switch {
		case s.lo == s.hi:
			values = append(values, q.addrLiteral(addr4(s.lo)))
		case network:
			tests = append(tests, "contains('"+p.String()+"', "+x+")")
		default:
			tests = append(tests, between(addr4(s.lo), addr4(s.hi)))
		}
	}
	for _, s := range a.v6 {
		p, network := prefix6(s)
		switch {
		case s.lo == s.hi:
			values = append(values, q.addrLiteral(netip.AddrFrom16(s.lo)))
		case network && !p.Contains(mapped4):
			tests = append(tests, "contains('"+p.String()+"', "+x+")")
		case network && p.Bits() == 0:
			tests = append(tests, q.isIPv6(x))
		case network: // IPv4 addresses are among those of IPv6 there
			tests = append(tests, "(contains('"+p.String()+"', "+x+") AND "+q.isIPv6(x)+")")
		default: // likewise
			tests = append(tests, "("+between(netip.AddrFrom16(s.lo), netip.AddrFrom16(s.hi))+" AND "+q.isIPv6(x)+")")
		}
	}
	return either(append(oneOf(x, values), tests...))
}

// trinoNetwork is the network of an address, as text: its 16 bytes, in which IPv4 has the last four, masked.
func trinoNetwork(q *query, f schema.Field, bits, bits6 int) string {
	x := q.field(f)
	masked := func(bits, shown int) string {
		var halves []string
		for i := range 2 {
			half := fmt.Sprintf("substr(cast(%s AS varbinary), %d, 8)", x, 8*i+1)
			switch n := bits - 64*i; {
			case n <= 0:
				half = "to_big_endian_64(0)"
			case n < 64:
				half = fmt.Sprintf("to_big_endian_64(bitwise_and(from_big_endian_64(%s), %s))", half, q.value(int64(math.MinInt64)>>(n-1)))
			}
			halves = append(halves, half)
		}
		return fmt.Sprintf("cast(cast(%s AS ipaddress) AS varchar) || '/%d'", strings.Join(halves, " || "), shown)
	}
	return "CASE WHEN " + q.isIPv6(x) + " THEN " + masked(bits6, bits6) + " ELSE " + masked(96+bits, bits) + " END"
}
