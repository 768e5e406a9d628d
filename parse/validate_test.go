package parse

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"flowlog/parse/schema"
)

// What whole blocks are checked by says of each value what reading it says, in all ways that work on this machine.
func TestChecksOfUnreadColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 24))
	kinds := []schema.Field{
		{Name: "port", Kind: schema.Int32, Max: 65535}, {Name: "protocol", Kind: schema.Int32, Max: 255},
		{Name: "flags", Kind: schema.Int32}, {Name: "bytes", Kind: schema.Int64}, {Name: "end", Kind: schema.Time},
		{Name: "address", Kind: schema.Addr}, {Name: "text", Kind: schema.Text},
	}
	bad, good := 0, 0
	for range 4000 {
		unread := make([]*schema.Column, 1+r.IntN(7))
		for i := range unread {
			unread[i] = schema.NewColumn(kinds[r.IntN(len(kinds))])
			if r.IntN(8) == 0 {
				unread[i] = nil // somebody reads it
			}
		}
		var text strings.Builder
		rows, want := 1+r.IntN(20), true
		evil := r.IntN(2) == 0
		for range rows {
			for i, c := range unread {
				tok := tokenOf(r, c, evil && r.IntN(rows*len(unread)) == 0)
				want = want && utf8.ValidString(tok) && (c == nil || c.CheckEscaped([]byte(tok)) == schema.Valid)
				text.WriteString(tok)
				text.WriteByte(" \n"[max(0, i+2-len(unread))])
			}
		}
		data := []byte(text.String())
		seps, ascii, ok := separators(data, nil)
		if !ok {
			t.Fatalf("%q: no separators", data)
		}
		checks := checksOf(unread)
		plain := make([]check, len(checks))
		for i, c := range checks {
			plain[i] = c
			if plain[i].rows = validAddrsPortable; c.cols[0].Kind != schema.Addr {
				plain[i].rows = numbersPortable(c.cols)
			}
		}
		for name, checks := range map[string][]check{"chosen": checks, "portable": plain} {
			b := &binding{cols: make([]*schema.Column, len(unread)), unread: unread, checks: checks}
			if got := b.valid(data, seps, rows, ascii); got != want {
				t.Fatalf("%s: %q: valid is %t, want %t", name, data, got, want)
			}
		}
		if want {
			good++
		} else {
			bad++
		}
	}
	if bad < 500 || good < 500 {
		t.Errorf("%d blocks are bad and %d good", bad, good)
	}
}

// tokenOf makes a value of a column, or one that looks like it.
func tokenOf(r *rand.Rand, c *schema.Column, evil bool) string {
	var tok string
	digits := func(most int) string {
		var b strings.Builder
		for range 1 + r.IntN(most) {
			b.WriteByte(byte('0' + r.IntN(10)))
		}
		return b.String()
	}
	switch {
	case r.IntN(50) == 0:
		return "-"
	case c == nil || c.Kind == schema.Text:
		tok = "eni-" + digits(12)
	case c.Kind == schema.Addr && r.IntN(3) > 0:
		tok = fmt.Sprintf("%d.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256))
	case c.Kind == schema.Addr:
		groups := make([]string, 8)
		for i := range groups {
			groups[i] = fmt.Sprintf("%x", r.IntN(1<<(4*(1+r.IntN(4)))))
		}
		if from := r.IntN(9); from < 8 {
			to := from + 1 + r.IntN(8-from)
			tok = strings.Join(groups[:from], ":") + "::" + strings.Join(groups[to:], ":")
		} else {
			tok = strings.Join(groups, ":")
		}
		if r.IntN(4) == 0 {
			tok = strings.ToUpper(tok)
		}
	case c.Max > 0 && c.Max < 1e6 && r.IntN(4) > 0:
		tok = fmt.Sprint(r.Int64N(c.Max + 1))
	default:
		most := map[schema.Kind]int{schema.Int32: 9, schema.Int64: 18, schema.Time: 11}[c.Kind]
		if c.Max < 1e6 && c.Max > 0 {
			most = len(fmt.Sprint(c.Max)) - 1
		}
		tok = digits(most)
	}
	if !evil {
		return tok
	}
	at := r.IntN(len(tok))
	strange := "x.:/-1239\xff0a"[r.IntN(12):][:1]
	switch r.IntN(4) {
	case 0:
		return tok[:at] + strange + tok[at+1:]
	case 1:
		return tok[:at] + strange + tok[at:]
	case 2:
		return tok + digits(10)
	}
	if len(tok) > 1 {
		return tok[:at] + tok[at+1:]
	}
	return "é" + tok
}
