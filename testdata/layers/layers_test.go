package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// written writes the files of a module into a directory of the test, and goes there.
func written(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	files["go.mod"] = "module m\n\ngo 1.26\n"
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// loaded type-checks that module.
func loaded(t *testing.T, files map[string]string) *pkg {
	t.Helper()
	written(t, files)
	packages, err := load([]string{"."})
	if err != nil {
		t.Fatal(err)
	}
	return packages[0]
}

func TestUses(t *testing.T) {
	p := loaded(t, map[string]string{
		"doc.go": "// Package m is two layers.\n//\n// " + intro + "\n//\n//\tlow.go    the first\n//\tpeer.go side.go  side by side\n//\thigh.go\n//\n// More.\npackage m\n",
		"low.go": `package m

type Low[T any] struct{ n T }

func (l *Low[T]) Up() int { return high }
`,
		"side.go": "package m\n\nfunc side() { peer(); peer() }\n",
		"peer.go": "package m\n\nfunc peer() {}\n",
		"high.go": `package m

import "strings"

const high = 1

var l = Low[int]{n: strings.Count("", "")}

func top() { l.Up(); side() }
`,
	})
	rank, wrong := p.order()
	if wrong != nil {
		t.Errorf("order: %v", wrong)
	}
	var got []string
	for _, u := range p.uses() {
		text := fmt.Sprintf("%s %s %s", u.from, u.name, u.to)
		if !above(rank, u) {
			text = "! " + text
		}
		got = append(got, text)
	}
	want := []string{"high.go Low low.go", "high.go n low.go", "high.go Low.Up low.go", "high.go side side.go", "! low.go high high.go", "! side.go peer peer.go"}
	if !slices.Equal(got, want) {
		t.Errorf("got uses\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if problems := check(p); len(problems) != 1 || !strings.HasPrefix(problems[0], "2 uses run against") {
		t.Errorf("check: %q", problems)
	}
	if got := suggestion(p.files(), p.uses()); got[len(got)-1] == "low.go" {
		t.Errorf("the suggested order is %v", got)
	}
}

// The list names all files, and no others.
func TestList(t *testing.T) {
	p := loaded(t, map[string]string{
		"m.go":    "// Package m lists what is not.\n//\n// " + intro + "\n//\n//\tm.go\n//\tgone.go\npackage m\n",
		"more.go": "package m\n",
	})
	want := []string{"gone.go is in the list of files, and there is none", "more.go is not in the list of files"}
	if got := check(p); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	p = loaded(t, map[string]string{"m.go": "// Package m has no list.\npackage m\n"})
	if got := check(p); len(got) != 1 || !strings.Contains(got[0], "has no list of files") {
		t.Errorf("got %q", got)
	}
}

func TestLong(t *testing.T) {
	body := func(lines int) string { return " {\n" + strings.Repeat("\t_ = 0\n", lines-2) + "}\n" }
	fields := func(n int) string {
		return "struct {\n" + strings.Repeat("\t_ int\n", n) + "}\n"
	}
	p := loaded(t, map[string]string{
		"m.go": "package m\n\nfunc short()" + body(60) + "\nfunc long()" + body(61) + "\n// stated is long.\n// Long because it is a table.\nfunc stated()" + body(61) +
			"\nvar f = func()" + body(61) + "\ntype narrow " + fields(12) + "\ntype wide " + fields(13) + "\n// Long because Go wants it.\ntype mirror " + fields(13) +
			"\ntype (\n\t// Long because of something.\n\ta " + fields(13) + "\tb " + fields(14) + ")\n",
		"stated.go": "// Long because a list is one.\n\npackage m\n" + strings.Repeat("\n", 400),
		"large.go":  "package m\n\n// Long because this is said too late.\nfunc late() {}\n" + strings.Repeat("\n", 400),
	})
	var got []string
	for _, s := range p.long(12, 60, 400) {
		s, _, _ = strings.Cut(s, ",")
		s = s[strings.LastIndex(s, ": ")+2:]
		got = append(got, s)
	}
	want := []string{"the file has 404 lines", "long has 61 lines", "a function has 61 lines", "wide has 13 fields", "b has 14 fields"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
