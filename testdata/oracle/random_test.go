package oracle

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A field is what `flowlog fields` says of one.
type field struct {
	Name   string
	Kind   string
	Since  int
	Max    int64
	Values []string
}

// random makes logs and reports.
type random struct {
	*rand.Rand
	fields []field
}

func (r *random) pick(words ...string) string { return words[r.IntN(len(words))] }

// The addresses of the logs: few, so that there are ties, and IPv6 with zeros in all places.
var addresses = []string{
	"10.0.0.1", "10.0.0.2", "10.0.0.10", "10.0.1.9", "10.200.0.1", "9.255.255.255", "172.16.5.4", "172.31.0.1", "172.32.0.1",
	"192.0.2.7", "198.51.100.200", "0.0.0.0", "255.255.255.255",
	"2001:db8::1", "2001:db8::1:0:0:1", "2001:db8:0:1::", "2001:db8:0:1:1:1:1:1", "1:0:0:2:0:0:0:3", "1:0:0:2::3", "::", "::1", "fe80::1",
	"fe80:0:0:1::", "2001:0DB8:0000::0:FFFF", "::ffff:10.0.0.10", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a:b:c:d:e:f:0:0", "0:b:c:d:e:f:1:2",
}

// value is what a log has in a field of a record that is a flow.
func (r *random) value(f field) string {
	if r.IntN(8) == 0 && f.Name != "version" {
		return "-"
	}
	switch f.Name {
	case "account_id":
		return r.pick("123456789012", "000000000001", "unknown")
	case "srcport", "dstport":
		return r.pick("0", "22", "80", "443", "443", "1000", "50000", strconv.Itoa(r.IntN(65536)))
	case "protocol":
		return r.pick("1", "6", "6", "17", "58")
	case "packets":
		return strconv.Itoa(1 + r.IntN(5))
	case "bytes":
		if r.IntN(50) == 0 {
			return strconv.FormatInt(r.Int64N(1<<53), 10)
		}
		return strconv.Itoa(r.IntN(4) * 500)
	case "tcp_flags":
		return r.pick("0", "1", "2", "18", "19", "4", "255")
	case "traffic_path":
		return strconv.Itoa(1 + r.IntN(8))
	case "instance_tag":
		return r.pick("web", "Web", "db%231", "it's", "caf%C3%A9", "cafe%CC%81", "100%25", "a_b", `a\b`)
	}
	switch {
	case f.Values != nil:
		return r.pick(f.Values...)
	case f.Kind == "address":
		return r.pick(addresses...)
	case f.Kind == "text":
		return r.pick("eni-1", "eni-2", "eni-10", "subnet-b", "x/y", "é", "Z", "a")
	}
	return strconv.Itoa(r.IntN(3))
}

// log is a log of the fields of one version, or for transit gateways 6.
func (r *random) log(version, records int) string {
	var fields []field
	for _, f := range r.fields {
		if f.Since > 0 && f.Since <= version && (version == 6) == (f.Since == 6 || version == 6) {
			fields = append(fields, f)
		}
	}
	r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	var b strings.Builder
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strings.ReplaceAll(f.Name, "_", "-"))
	}
	b.WriteByte('\n')
	for range records {
		status := r.pick("OK", "OK", "OK", "OK", "OK", "OK", "NODATA", "SKIPDATA", "-")
		start := 1_700_000_000 + r.IntN(500)*600
		for i, f := range fields {
			if i > 0 {
				b.WriteByte(' ')
			}
			idle := status == "NODATA" || status == "SKIPDATA"
			switch f.Name {
			case "version":
				b.WriteString(strconv.Itoa(version))
			case "log_status":
				b.WriteString(status)
			case "start":
				b.WriteString(strconv.Itoa(start))
			case "end":
				b.WriteString(strconv.Itoa(start + r.IntN(5)*300 - 300)) // some end before they begin
			case "interface_id", "account_id":
				b.WriteString(r.value(f))
			default:
				if idle {
					b.WriteByte('-')
				} else {
					b.WriteString(r.value(f))
				}
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// condition is a condition on records, of values that logs have among others.
func (r *random) condition(depth int) string {
	if depth > 0 && r.IntN(3) > 0 {
		a, b := r.condition(depth-1), r.condition(depth-1)
		switch r.IntN(4) {
		case 0:
			return "(" + a + ") or " + b
		case 1:
			return "not (" + a + ")"
		case 2:
			return "(" + a + " or " + b + ") and not (" + b + ")"
		}
		return a + " and " + b
	}
	op := r.pick("=", "!=", "<", "<=", ">", ">=")
	eq := r.pick("=", "!=")
	in := r.pick("in", "not in")
	port := func() string { return r.pick("0", "22", "443", "65535", "1000", "1k") }
	addr := func() string { return r.pick(addresses...) }
	network := func() string {
		return r.pick("10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/31", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::/65", "192.0.2.7/32", "172.16.0.0/12",
			"10.0.0.2..10.0.0.10", "2001:db8::1..2001:db8::1:0:0:1", "fc00::/7", "::/127", "128.0.0.0/1", addr())
	}
	switch r.IntN(21) {
	case 0:
		return r.pick("srcport", "dstport", "port") + " " + op + " " + port()
	case 1:
		return r.pick("srcport", "dstport", "port", "packets", "tcp_flags") + " " + in + " (" + port() + ", 1..22, 17, 400.." + r.pick("443", "500") + ", 60000..)"
	case 2, 17, 18, 19: // where there is most to get wrong
		return r.pick("srcaddr", "dstaddr", "addr", "pkt-srcaddr") + " " + in + " " + network() + ", " + network()
	case 3:
		return r.pick("srcaddr", "addr") + " " + eq + " " + addr()
	case 4:
		return "srcaddr " + eq + " " + r.pick("pkt_srcaddr", "dstaddr", "10.0.0.0/8")
	case 5:
		return r.pick("srcport", "bytes", "packets", "end") + " " + op + " " + r.pick("dstport", "start", "packets")
	case 6:
		field := r.pick("action", "subnet_id", "log_status", "type")
		words := map[string][]string{"action": {"REJECT", "accept"}, "subnet_id": {"'subnet-b'", `"é"`, "REJECT"}, "log_status": {"OK", "nodata"}, "type": {"IPv6", "ipv4"}}
		return field + " " + op + " " + r.pick(words[field]...)
	case 7:
		return r.pick("interface_id", "instance_tag") + " " + r.pick("like", "not like") + " " + r.pick("'eni-1%'", "eni-_", "'%1'", "'%'", "'_'", "'caf_'", "'caf__'", `'a\%'`, `'a\_%'`, "'a_b'", "'it''s'")
	case 8:
		return r.pick("interface_id", "subnet_id", "instance_tag") + " " + r.pick("~", "!~") + " " +
			r.pick("/^eni-1$/", "/SUBNET/i", `/x\/y|é/`, "'1'", "//", `/^[^e]/`, `/\bb\b/`, `/(?i)É/`, `/^caf.$/`, `/\W/`, `/\pL{4}/`, `/it's/`, `/^.{2,3}$/`, `/\\/`)
	case 9:
		return r.pick("dstport", "action", "pkt_srcaddr", "port", "log_status", "traffic_path") + " is " + r.pick("", "not ") + "null"
	case 10:
		return r.pick("tcp_flags has ", "not tcp_flags has ") + r.pick("syn", "syn+ack", "2", "rst")
	case 11:
		return r.pick("start", "end", "time") + " " + op + " " + r.pick("2023-11-14T22:13:20Z", "2023-11-16T00:00:00Z", "1700100000")
	case 12:
		return "bytes " + op + " " + r.pick("1", "1kB", "500", "8PiB", "0.5MiB")
	case 13:
		return "protocol " + eq + " " + r.pick("tcp", "17", "255")
	case 14:
		return "dstport " + eq + " " + r.pick("https", "http-alt", "22")
	case 15:
		return "ip_version " + eq + " " + r.pick("IPv4", "IPv6", "EFA")
	}
	return "interface_id " + in + " ('eni-1', eni-2, 'x/y')"
}

// A change is what is asked of a report, as flags.
type change []string

func (c *change) set(flag, value string) { *c = append(*c, "--"+flag, value) }

// change makes a change to a report of the catalog, or none.
func (r *random) change() change {
	var c change
	keys, binned := r.keys()
	if r.IntN(4) > 0 {
		c.set("by", strings.Join(keys, ","))
	} else {
		keys = nil
	}
	// without a width bins have one that the records decide
	if c.set("every", r.pick("5m", "1h", "7m", "1d", "1w", "2w", "3d")); keys != nil && !binned && r.IntN(5) > 0 {
		c = c[:len(c)-2]
	}
	var measures []string
	if r.IntN(2) == 0 {
		for range 1 + r.IntN(4) {
			measures = append(measures, r.measure())
		}
		c.set("measures", strings.Join(measures, ","))
	}
	if r.IntN(2) == 0 {
		c.set("where", r.condition(r.IntN(4)))
	}
	if r.IntN(3) == 0 {
		c.set("sort", r.pick("", "-")+r.pick(append(keys, "flows", "bytes", "packets", "distinct_dstport", "bps", "avg(bytes)", "rejected_share")...))
	} else if len(measures) > 0 && strings.HasPrefix(measures[0], "p") {
		c.set("sort", "flows") // quantiles are not the same numbers, and would not rank the same
	}
	if r.IntN(3) == 0 {
		c.set("having", r.having(keys))
	}
	if r.IntN(2) == 0 {
		c.set("top", strconv.Itoa(r.IntN(8)))
	}
	if r.IntN(3) == 0 {
		c.set("tz", r.pick("Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"))
	}
	if r.IntN(4) == 0 {
		c.set("since", "2023-11-15T00:00:00Z")
	}
	if r.IntN(4) == 0 {
		c.set("until", "2023-11-16T12:00:00Z")
	}
	return c
}

func (r *random) keys() (keys []string, binned bool) {
	seen := make(map[string]bool)
	for range 1 + r.IntN(3) {
		key := r.pick("srcaddr", "dstaddr", "pkt_srcaddr", "dstport", "srcport", "protocol", "action", "interface_id", "vpc_id", "tcp_flags", "start", "bytes",
			"instance_tag", "type", "log_status", "time", "hour", "ip_version", "packets_lost", "traffic_path",
			fmt.Sprintf("srcaddr/%d", 1+r.IntN(32)), fmt.Sprintf("dstaddr/%d/%d", 1+r.IntN(32), 1+r.IntN(128)), "srcaddr/24/64", "pkt_dstaddr/8/16")
		if !seen[key] {
			seen[key] = true
			binned = binned || key == "time"
			keys = append(keys, key)
		}
	}
	return keys, binned
}

func (r *random) measure() string {
	return r.pick("flows", "bytes", "packets", "first", "last", "accepted", "rejected", "rejected_share", "bps", "pps", "duration", "nodata", "skipdata", "malformed",
		"distinct(dstport)", "distinct(srcaddr)", "distinct(dstaddr+dstport)", "distinct(action+srcaddr)", "distinct(instance_tag)", "count(dstport)", "count(action)", "sum(packets)", "min(bytes)", "max(bytes)",
		"min(start)", "max(dstport)", "avg(bytes)", "avg(dstport)", "sum(packets_lost)", "p50(bytes)", "p90(packets)", "p95(dstport)", "p99(bytes)", "min(end)", "distinct(start)")
}

func (r *random) having(keys []string) string {
	tests := []string{
		"flows > 2", "not flows > 3", "bytes is null", "bytes >= 500 and packets < 100", "bps > 1.5", "rejected_share < 30%", "avg_bytes <= 750",
		"first >= 2023-11-15T00:00:00Z", "distinct_dstport in (1..3, 5)", "flows has 1", "accepted > rejected",
	}
	for _, key := range keys {
		switch {
		case strings.Contains(key, "/"):
		case key == "srcaddr" || key == "dstaddr" || key == "pkt_srcaddr":
			tests = append(tests, key+" in 10.0.0.0/12, 2001:db8::/33", key+" != 10.0.0.1", key+" is null")
		case key == "time":
			tests = append(tests, "time < 2023-11-17T00:00:00Z")
		case key == "hour" || key == "dstport":
			tests = append(tests, key+" in 3..500")
		case key == "action" || key == "instance_tag" || key == "vpc_id":
			tests = append(tests, key+" < 'b'", key+" ~ /e/")
		}
	}
	return r.pick(tests...)
}
