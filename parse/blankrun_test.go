package parse

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// Runs of white space are told at any length and from any place, as by a look at each byte.
func TestBlankRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	units := []string{"\n", "\r\n", " ", "\t \n", "\n\n\n \n", " \t\r\n   \n", "\n\n\r\n\n", " \n\t\r \r\t\n\n"}
	for range 3000 {
		var b strings.Builder
		for range r.IntN(4) {
			unit := units[r.IntN(len(units))]
			b.WriteString(strings.Repeat(unit, r.IntN(3*runStep)/len(unit)))
			b.WriteString("\n  \r\n"[:r.IntN(6)])
		}
		b.WriteString([]string{"", "x", "2 \n", "\x80"}[r.IntN(4)])
		data := []byte(b.String())

		blank := 0
		for blank < len(data) && data[blank] <= ' ' {
			blank++
		}
		if got := leadingBlank(data); got != blank {
			t.Fatalf("leadingBlank is %d, want %d, of %q", got, blank, data)
		}
		empty := 0
		for bytes.HasPrefix(data[empty:], []byte("\n")) || bytes.HasPrefix(data[empty:], []byte("\r\n")) {
			empty += bytes.IndexByte(data[empty:], '\n') + 1
		}
		if got := emptyLines(data); got != empty {
			t.Fatalf("emptyLines is %d, want %d, of %q", got, empty, data)
		}
	}
}
