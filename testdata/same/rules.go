package main

import (
	"fmt"
	"strings"
)

// check holds logs against flowlog's own rules, or against random ones.
func (k *known) check(r *dice, t *trial) {
	var f flags
	f.sometimes(r, 3, "fail-on", "info", "low", "high", "critical", r.or([]string{"none"}, "hihg"))
	f.sometimes(r, 8, "vantage", "src", "dedupe")
	f.sometimes(r, 8, "memory", "64MiB")
	f.sometimes(r, 4, "baseline", "known.json")
	rules := "--builtin"
	if r.IntN(4) > 0 {
		rules = "rules.yaml"
		t.files[rules] = k.rules(r)
	}
	for range 1 + r.IntN(2) { // with a baseline, the second run knows what the first has found
		t.add(words("check", []string{rules}, f, k.reading(r), k.enriching(r), writing(r, "table", "json", "ndjson", "sarif", "junit"), k.some(r))...)
	}
}

// rules is a file of rules, few of which have a fault.
func (k *known) rules(r *dice) string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range 1 + r.IntN(3) {
		fmt.Fprintf(&b, "  rule-%d:\n", i)
		line := func(in int, format string, args ...any) {
			if r.IntN(in) == 0 {
				fmt.Fprintf(&b, "    "+format+"\n", args...)
			}
		}
		keys := k.keys(r)
		line(2, "doc: Rule number %d", i)
		line(3, "from: %s", pick(r, k.reports...))
		line(2, "by: [%s]", strings.Join(keys, ", "))
		line(2, "where: %q", pick(r, "dstport = 22", "action = REJECT", "src_scope = public", "srcaddr in 10.0.0.0/8 and bytes > 1kB", "srcaddr not in @nets.txt", r.or([]string{"bytes > 0"}, "dstprt = 3")))
		line(1, "having: %q", k.having(r, keys))
		line(3, "measures: %q", k.measure(r))
		line(5, "spike: {measure: %s, times: %d}\n    every: 5m", pick(r, "rejected", "flows", "bytes"), 1+r.IntN(5))
		if !strings.HasSuffix(b.String(), "every: 5m\n") {
			line(3, "every: %s", pick(r, "5m", "1h", "1d"))
		}
		line(2, "severity: %s", pick(r, "info", "low", "medium", "high", r.or([]string{"critical"}, "grave")))
		line(3, "message: \"%s{rule} {{x, {severity}\"", r.or([]string{"{bytes} in ", ""}, "{srcaddr} had {flows} flows; "))
		line(4, "tags: [a, b]")
		line(4, "top: %d", r.IntN(5))
		line(5, "known_by: [%s]", keys[0])
	}
	return b.String()
}
