package reporttest

// MeasureConditions are conditions of every kind, each with what DuckDB and Trino are to count by. They are on fields that
// RandomRows has.
var MeasureConditions = []struct{ Text, Duck, Trino string }{
	{"tcp_flags has syn", "(tcp_flags & 2) = 2", "(bitwise_and(tcp_flags, 2)) = 2"},
	{"not tcp_flags has syn", "NOT ((tcp_flags & 2) = 2)", "NOT ((bitwise_and(tcp_flags, 2)) = 2)"},
	{"(dstport = 22 or dstport = 23) and (protocol = 6 or protocol = 17)", "(dstport = 22 OR dstport = 23) AND (protocol = 6 OR protocol = 17)", ""},
	{"dstport = 22 or dstport = 23", "dstport = 22 OR dstport = 23", ""},
	{"dstport = 22 and protocol = 6 or action = REJECT", "dstport = 22 AND protocol = 6 OR action = 'REJECT'", ""},
	{"not (dstport = 22 or protocol = 6)", "NOT (dstport = 22 OR protocol = 6)", ""},
	{"not (dstport > 22 and action = REJECT)", "NOT (dstport > 22 AND action = 'REJECT')", ""},
	{"dstport != 22", "dstport <> 22", ""},
	{"srcport >= dstport", "srcport >= dstport", ""},
	{"srcport != dstport", "srcport <> dstport", ""},
	{"dstport in (22, 80..443, 1024..)", "(dstport = 22 OR dstport BETWEEN 80 AND 443 OR dstport >= 1024)", ""},
	{"dstport not in (22, 80..443)", "NOT ((dstport = 22 OR dstport BETWEEN 80 AND 443))", ""},
	{"srcaddr in (10.0.0.0/8, 192.0.2.1) and bytes > 0", "(srcaddr = '192.0.2.1' OR srcaddr LIKE '10.%') AND bytes > 0",
		"(srcaddr = IPADDRESS '192.0.2.1' OR contains('10.0.0.0/8', srcaddr)) AND bytes > 0"},
	{"srcaddr in (::/0)", "strpos(srcaddr, ':') > 0", "strpos(cast(srcaddr AS varchar), ':') > 0"},
	{"srcaddr in (0.0.0.0/0)", "NOT (strpos(srcaddr, ':') > 0)", "contains('0.0.0.0/0', srcaddr)"},
	{"action like 'A%' or action like 'R%'", "action LIKE 'A%' OR action LIKE 'R%'", ""},
	{"action ~ /^REJ|X$/ and bytes is not null", "regexp_matches(action, '^REJ|X$') AND bytes IS NOT NULL", `regexp_like(action, '\AREJ|X\z') AND bytes IS NOT NULL`},
	{"bytes is null", "bytes IS NULL", ""},
	{"ip_version = IPv4 or bytes = 0", "ip_version = 'IPv4' OR bytes = 0", ""},
}
