package render

import (
	"slices"
	"strings"
	"unicode/utf8"

	"flowlog/report"
)

// noKeys is what stands for a row whose keys have no value.
const noKeys = "(none)"

// labeller returns a function that puts the keys of a row in one line, but for those of some columns.
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

// What stands between the keys of a row in one line: an arrow from a source to a destination, else a dot.
const (
	pairArrow = " → "
	keyDot    = " · "
)

// ellipsis shortens a text to so many characters. Each key of a row is cut in its own middle, so that what is left of
// two never looks like one; the last keys are left out where each would have too few characters, but for the second of a
// pair.
func ellipsis(s string, most int) string {
	const least = 4 // characters of a key
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
	for i := range keys { // what the ones behind it do not need of their part is for it
		rest := 0
		for _, k := range keys[i+1:] {
			rest += min(utf8.RuneCountInString(k), fair) + dot
		}
		keys[i] = cutMiddle(keys[i], most-rest)
		most -= utf8.RuneCountInString(keys[i]) + dot
	}
	return strings.Join(keys, keyDot)
}

// cutMiddle leaves so many characters of a text, those of its beginning and its end.
func cutMiddle(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	head := max(most-1, 0) * 3 / 5
	return string(r[:head]) + "…" + string(r[len(r)-max(most-1-head, 0):])
}
