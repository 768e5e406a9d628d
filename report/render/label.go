package render

import (
	"slices"
	"strings"
	"unicode/utf8"

	"flowlog/report"
)

// noKeys is the label of a row whose keys are all null.
const noKeys = "(none)"

// labeller returns a function that formats the keys of a row in one line, except those of some columns.
func labeller(t report.Table, opt Options, but ...int) func(row []any) string {
	type part struct {
		shown
		between string
		as      bool
	}
	var parts []part
	before := ""
	for k, c := range t.Columns {
		if c.Role != report.KeyRole || slices.Contains(but, k) {
			continue
		}
		between := keyDot
		if strings.Replace(before, "src", "dst", 1) == c.Name && before != c.Name {
			between = pairArrow
		}
		before = c.Name
		for _, s := range showKey(t, k, opt) {
			parts = append(parts, part{s, between, strings.HasSuffix(c.Name, "_asn")})
			between = keyDot
		}
	}
	return func(row []any) string {
		var b strings.Builder
		some := false
		for i, p := range parts {
			s := p.cell(0, row)
			switch {
			case s == "-" && p.between != pairArrow && (i+1 == len(parts) || parts[i+1].between != pairArrow):
				continue
			case s != "-":
				some = true
				if p.as {
					s = "AS" + s
				}
			}
			if b.Len() > 0 {
				b.WriteString(p.between)
			}
			b.WriteString(s)
		}
		if !some {
			return noKeys
		}
		return b.String()
	}
}

// The separators between the keys of a row in one line: an arrow from a source to a destination, else a dot.
const (
	pairArrow = " → "
	keyDot    = " · "
)

// ellipsis shortens a label to so many characters. Each key is shortened in its own middle, so that two keys never look
// like one. Where keys would become too short, the last ones are left out, except the second of a pair.
func ellipsis(s string, most int) string {
	const least = 4 // characters of a key: fewer identify nothing
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	if left, right, pair := strings.Cut(s, pairArrow); pair {
		room := most - utf8.RuneCountInString(pairArrow)
		n := utf8.RuneCountInString(left)
		if half := room / 2; n > half {
			n = max(half, room-utf8.RuneCountInString(right))
		}
		return ellipsis(left, n) + pairArrow + ellipsis(right, room-min(n, utf8.RuneCountInString(left)))
	}
	keys := strings.Split(s, keyDot)
	dot := utf8.RuneCountInString(keyDot)
	fair := (most+dot)/len(keys) - dot
	if len(keys) > 1 && fair < least {
		return ellipsis(strings.Join(keys[:len(keys)-1], keyDot), most-dot-1) + keyDot + "…"
	}
	for i := range keys { // a key may use what the later ones do not need of their share
		rest := 0
		for _, k := range keys[i+1:] {
			rest += min(utf8.RuneCountInString(k), fair) + dot
		}
		keys[i] = cutMiddle(keys[i], most-rest)
		most -= utf8.RuneCountInString(keys[i]) + dot
	}
	return strings.Join(keys, keyDot)
}

// cutMiddle shortens a text to so many characters of its beginning and end.
func cutMiddle(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	head := max(most-1, 0) * 3 / 5
	return string(r[:head]) + "…" + string(r[len(r)-max(most-1-head, 0):])
}
