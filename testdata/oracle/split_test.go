package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// document is what `flowlog report -o json` prints of one report.
type document struct {
	Rows           []map[string]any
	Totals, Others map[string]any
}

func (b *bench) document(name, workers string, args ...string) (document, error) {
	out, err := b.run(append([]string{"report", name, "-q", "-o", "json", "--workers", workers}, args...)...)
	if err != nil {
		return document{}, err
	}
	var doc document
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.UseNumber()
	return doc, dec.Decode(&doc)
}

// refused are what flowlog says of reports that cannot be split exactly.
var refused = []string{"does not add up"}

// split compares a report that an engine and flowlog compute together: the same rows, and the same totals, of which some
// may be unknown.
func (b *bench) split(native document, table, name string, changes ...string) error {
	args := append([]string{"--engine", b.name, "--table", table}, changes...)
	got, err := b.document(name, "1", args...)
	if err != nil {
		if slices.ContainsFunc(refused, func(s string) bool { return strings.Contains(err.Error(), s) }) {
			b.refused++
			return nil
		}
		return fmt.Errorf("--engine %s --table %s: %w", b.name, table, err)
	}
	b.halved++
	fail := func(format string, args ...any) error {
		sql, _ := b.run(append([]string{"report", name, "--engine", b.name, "--table", table, "--dry-run"}, changes...)...)
		return fmt.Errorf("%s\nflowlog:\n%s\n--engine %s --table %s:\n%s\n%s", fmt.Sprintf(format, args...), text(native), b.name, table, text(got), sql)
	}
	if len(native.Rows) != len(got.Rows) {
		return fail("%d rows, and %d by the engine", len(native.Rows), len(got.Rows))
	}
	for i, row := range native.Rows {
		if column := differ(row, got.Rows[i], false); column != "" {
			return fail("row %d: %s is %v, and %v by the engine", i, column, row[column], got.Rows[i][column])
		}
	}
	for _, x := range []struct {
		name      string
		want, got map[string]any
	}{{"totals", native.Totals, got.Totals}, {"others", native.Others, got.Others}} {
		if column := differ(x.want, x.got, true); column != "" {
			return fail("%s: %s is %v, and %v by the engine", x.name, column, x.want[column], x.got[column])
		}
	}
	return nil
}

// differ is a column in which two rows differ. Nulls are left out of JSON.
func differ(want, got map[string]any, unknown bool) string {
	for column, v := range want {
		other, ok := got[column]
		if column == "malformed" && !ok || unknown && !ok && (strings.HasPrefix(column, "distinct_") || column == "longest_gap" || column == "targets") {
			continue
		}
		if !ok || fmt.Sprint(v) != fmt.Sprint(other) {
			return column
		}
	}
	for column := range got {
		if _, ok := want[column]; !ok {
			return column
		}
	}
	return ""
}

func text(doc document) string {
	var b strings.Builder
	for _, row := range doc.Rows[:min(len(doc.Rows), 12)] {
		fmt.Fprintln(&b, row)
	}
	fmt.Fprintln(&b, "others", doc.Others, "totals", doc.Totals)
	return b.String()
}

// localChange adds to a change what only flowlog computes: keys and conditions on enriched fields, and widths of bins that
// the records decide.
func (r *random) localChange(c change) change {
	flag := func(name string) int { return slices.Index(c, "--"+name) + 1 }
	add := func(name, separator, value string) {
		if i := flag(name); i > 0 {
			c[i] += separator + value
		} else {
			c.set(name, value)
		}
	}
	if r.IntN(3) == 0 && flag("by") > 0 {
		add("by", ",", r.pick("src_scope", "dst_scope", "protocol_name", "service", "dstport_name", "src_scope,dst_scope"))
	}
	if r.IntN(4) == 0 {
		e := r.pick("src_scope = private", "dst_scope != public", "protocol_name = tcp", `interface_id ~ /\bni\b/`, "service is not null",
			"src_scope = private or dstport = 443", "service = https or instance_tag ~ /(?m)^web$/")
		if i := flag("where"); i > 0 {
			c[i] = "(" + c[i] + ") and (" + e + ")"
		} else {
			c.set("where", e)
		}
	}
	if i := flag("every"); i > 0 && r.IntN(4) == 0 {
		c[i] = "auto"
	}
	return c
}
