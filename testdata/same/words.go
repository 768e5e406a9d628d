package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// dice choose what is in a trial.
type dice struct {
	*rand.Rand
	wild bool // a trial that need not be right
}

// or returns one of the words that are right, or in a wild trial of those too that are wrong.
func (r *dice) or(right []string, wrong ...string) string {
	if r.wild {
		right = slices.Concat(right, wrong)
	}
	return pick(r, right...)
}

// pick returns one of the words.
func pick(r *dice, words ...string) string { return words[r.IntN(len(words))] }

var zones = []string{"Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "UTC"}

// field is one that most inputs have, or a lookup computes. In a wild trial it is any.
func (k *known) field(r *dice) field {
	for {
		if f := k.fields[r.IntN(len(k.fields))]; r.wild || f.Since != 6 {
			return f
		}
	}
}

// number is a field of the kind whose values are counted with.
func (k *known) number(r *dice) field {
	for {
		if f := k.field(r); r.wild || f.Kind != "text" && f.Kind != "address" {
			return f
		}
	}
}

// condition is a condition on records, of values that logs have among others.
func (k *known) condition(r *dice, depth int) string {
	if depth > 0 && r.IntN(3) > 0 {
		a, b := k.condition(r, depth-1), k.condition(r, depth-1)
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
	if r.IntN(5) == 0 {
		return k.anyField(r)
	}
	op, eq, in := pick(r, "=", "!=", "<", "<=", ">", ">="), pick(r, "=", "!="), pick(r, "in", "not in")
	port := func() string { return pick(r, "0", "22", "443", "65535", "1000", "1k") }
	network := func() string {
		return pick(r, "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/31", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::/65", "192.0.2.7/32", "172.16.0.0/12",
			"10.0.0.2..10.0.0.10", "2001:db8::1..2001:db8::1:0:0:1", "fc00::/7", "::/127", "128.0.0.0/1", "@nets.txt", pick(r, addresses...))
	}
	tests := []func() string{
		func() string { return pick(r, "srcport", "dstport", "port") + " " + op + " " + port() },
		func() string {
			return pick(r, "srcport", "dstport", "port", "packets", "tcp_flags") + " " + in + " (" + port() + ", 1..22, 17, 400.." + pick(r, "443", "500") + ", 60000..)"
		},
		func() string {
			return pick(r, "srcaddr", "dstaddr", "addr", "pkt-srcaddr") + " " + in + " " + network() + ", " + network()
		},
		func() string { return pick(r, "srcaddr", "addr") + " " + eq + " " + pick(r, addresses...) },
		func() string { return "srcaddr " + eq + " " + pick(r, "pkt_srcaddr", "dstaddr", "10.0.0.0/8") },
		func() string {
			return pick(r, "srcport", "bytes", "packets", "end") + " " + op + " " + pick(r, "dstport", "start", "packets")
		},
		func() string {
			return pick(r, "action", "log_status", "type", "subnet_id") + " " + op + " " + pick(r, "REJECT", "accept", "OK", "nodata", "IPv6", "'subnet-b'", "'é'")
		},
		func() string {
			return pick(r, "interface_id", "instance_tag") + " " + pick(r, "like", "not like") + " " + pick(r, "'eni-1%'", "eni-_", "'%1'", "'%'", "'_'", "'caf_'", `'a\%'`, "'it''s'")
		},
		func() string {
			return pick(r, "interface_id", "subnet_id", "instance_tag") + " " + pick(r, "~", "!~") + " " +
				pick(r, "/^eni-1$/", "/SUBNET/i", `/x\/y|é/`, "'1'", "//", `/^[^e]/`, `/\bb\b/`, `/(?i)É/`, `/\pL{4}/`, `/^.{2,3}$/`, r.or([]string{"/e/"}, `/(/`))
		},
		func() string {
			return pick(r, "dstport", "action", "pkt_srcaddr", "port", "log_status", "traffic_path") + " is " + pick(r, "", "not ") + "null"
		},
		func() string {
			return pick(r, "tcp_flags has ", "not tcp_flags has ") + pick(r, "syn", "syn+ack", "2", "rst")
		},
		func() string {
			return pick(r, "start", "end", "time") + " " + op + " " + pick(r, "2023-11-14T22:13:20Z", "2023-11-16T00:00:00Z", "1700100000", "2026-05-14T09:30")
		},
		func() string { return "bytes " + op + " " + pick(r, "1", "1kB", "500", "8PiB", "0.5MiB") },
		func() string { return "protocol " + eq + " " + pick(r, "tcp", "17", "255", "icmp") },
		func() string { return "dstport " + eq + " " + pick(r, "https", "http-alt", "22") },
		func() string {
			return pick(r, "src_scope", "dst_scope") + " " + eq + " " + pick(r, "private", "public", "'link-local'")
		},
		func() string { return pick(r, "flow_direction", "direction") + " = " + pick(r, "ingress", "egress") },
	}
	return tests[r.IntN(len(tests))]()
}

// anyField is a condition on any field.
func (k *known) anyField(r *dice) string {
	f := k.field(r)
	word := func() string {
		for {
			v := value(r.Rand, f)
			if v == "-" && !r.wild {
				continue
			}
			if f.Kind == "text" {
				v = "'" + strings.ReplaceAll(v, "'", "''") + "'"
			}
			return v
		}
	}
	op := pick(r, "=", "!=", "in", "is")
	if r.wild {
		op = pick(r, "=", "!=", "<", ">=", "in", "is", "like", "has")
	}
	if !r.wild && (f.Kind == "time" || f.Since == 0) {
		op = "is"
	}
	switch op {
	case "is":
		return f.Name + " is null"
	case "in":
		return f.Name + " in (" + word() + ", " + word() + ")"
	}
	return f.Name + " " + op + " " + word()
}

// key is a group key. Most are of fields that logs have.
func (k *known) key(r *dice) string {
	if r.IntN(6) == 0 {
		return k.field(r).Name
	}
	return pick(r, "srcaddr", "dstaddr", "pkt_srcaddr", "dstport", "srcport", "protocol", "action", "interface_id", "vpc_id", "tcp_flags", "start", "bytes",
		"instance_tag", "type", "log_status", "time", "hour", "ip_version", "packets_lost", "traffic_path", "direction", "service", "src_scope", "dst_country", "src_asn",
		"protocol_name", "account_id", "region",
		fmt.Sprintf("srcaddr/%d", 1+r.IntN(32)), fmt.Sprintf("dstaddr/%d/%d", 1+r.IntN(32), 1+r.IntN(128)), "srcaddr/24/64", "pkt_dstaddr/8/16")
}

// keys are different group keys.
func (k *known) keys(r *dice) []string {
	var keys []string
	for range 1 + r.IntN(4) {
		if key := k.key(r); r.wild || !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (k *known) measure(r *dice) string {
	if r.IntN(4) == 0 {
		switch r.IntN(3) {
		case 0:
			return pick(r, "count", "distinct") + "(" + k.field(r).Name + ")"
		case 1:
			return "distinct(" + k.field(r).Name + "+" + k.field(r).Name + ")"
		}
		return pick(r, "sum", "min", "max", "avg", "p50", "p99") + "(" + k.number(r).Name + ")"
	}
	return pick(r, "flows", "bytes", "packets", "first", "last", "accepted", "rejected", "rejected_share", "bps", "pps", "duration", "nodata", "skipdata", "malformed",
		"distinct(dstport)", "distinct(srcaddr)", "distinct(dstaddr+dstport)", "distinct(action+srcaddr)", "distinct(instance_tag)", "count(dstport)", "count(action)", "sum(packets)", "min(bytes)", "max(bytes)",
		"min(start)", "max(dstport)", "avg(bytes)", "avg(dstport)", "sum(packets_lost)", "p50(bytes)", "p90(packets)", "p95(dstport)", "p99(bytes)", "min(end)", "distinct(start)")
}

// having is a condition on rows. It is right for some reports alone.
func (k *known) having(r *dice, keys []string) string {
	tests := []string{
		"flows > 2", "not flows > 3", "bytes is null", "bytes >= 500 and packets < 100", "bps > 1.5", "rejected_share < 30%", "avg_bytes <= 750",
		"first >= 2023-11-15T00:00:00Z", "distinct_dstport in (1..3, 5)", "flows has 1", "accepted > rejected", "p95_bytes > 1kB",
	}
	for _, key := range keys {
		switch {
		case strings.Contains(key, "/"):
		case strings.HasSuffix(key, "addr"):
			tests = append(tests, key+" in 10.0.0.0/12, 2001:db8::/33", key+" is null")
		case key == "time":
			tests = append(tests, "time < 2023-11-17T00:00:00Z")
		case key == "hour" || key == "dstport":
			tests = append(tests, key+" in 3..500")
		case key == "action" || key == "instance_tag" || key == "vpc_id" || r.wild:
			tests = append(tests, key+" < 'b'", key+" ~ /e/")
		default:
			tests = append(tests, key+" is not null")
		}
	}
	return pick(r, tests...)
}

// A flags are words of a command line.
type flags []string

func (f *flags) set(flag, value string) { *f = append(*f, "--"+flag, value) }

// sometimes sets a flag in one of so many commands.
func (f *flags) sometimes(r *dice, in int, flag string, values ...string) {
	if r.IntN(in) == 0 {
		f.set(flag, pick(r, values...))
	}
}

// change is what changes a report, as report and sql know it.
func (k *known) change(r *dice) (f flags) {
	var keys []string
	if r.IntN(3) > 0 {
		keys = k.keys(r)
		f.set("by", strings.Join(keys, ","))
	}
	f.sometimes(r, 4, "every", "5m", "1h", "7m", "1d", "1w", "2w", "3d", "6h", "auto", r.or([]string{"90s"}, "5x"))
	var measures []string
	if r.IntN(2) == 0 {
		for range 1 + r.IntN(4) {
			measures = append(measures, k.measure(r))
		}
		f.set("measures", strings.Join(measures, ","))
	}
	if r.IntN(2) == 0 {
		f.set("where", k.condition(r, r.IntN(4)))
	}
	if r.IntN(12) == 0 {
		f.set("where", k.condition(r, 1))
	}
	if r.IntN(3) == 0 {
		by := append(append(keys, measures...), "flows", "bytes", "packets", "distinct_dstport", "bps", "avg(bytes)", "rejected_share")
		name := pick(r, by...)
		f.set("sort", r.or([]string{name, name, "-" + name, name + ":asc", name + ":desc"}, "-"+name+":asc"))
	}
	if r.IntN(3) == 0 {
		f.set("having", k.having(r, keys))
	}
	f.sometimes(r, 2, "top", strconv.Itoa(r.IntN(8)), "all", "0", "100")
	return f
}
