// Package additions runs CONTRIBUTING's table of what to touch to add something. Each file of rows adds one thing of a kind
// in a copy of the tree:
//
//	CONTRIBUTING.md → the places of a kind ─┐
//	rows/*.txt → edits, checks ─────────────┴→ a copy with all of them → build → checks → each place left out → checks
//
// An addition may edit only the places that the table names for its kind, and has to edit all of them. Its checks are
// commands of go and flowlog, which have to succeed and print a text. With a place left out, a check has to fail and to
// name what is missing. The folder is left out of ./...: it compiles flowlog twice. CI runs it as a step of its own.
package additions

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// An addition is one file of rows.
type addition struct {
	kind   string // a cell of the first column of CONTRIBUTING's table
	edits  []edit
	checks []check
}

// An edit writes a file, or changes a line of one.
type edit struct {
	file, how, line string // how is "below" or "instead of" the first line that contains line; "" if the text is the file
	variant         string // it replaces the edit of its file in checks of that name
	text            string
}

// A check is a command with what it has to print.
type check struct {
	without string // the file or variant that is left out, in which case the command has to fail
	command string
	wants   []string
}

func TestAdditions(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles flowlog in a copy of the tree")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	places := readTable(t, filepath.Join(root, "CONTRIBUTING.md"))
	files, err := filepath.Glob("rows/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no additions: %v", err)
	}
	var all []addition
	for _, file := range files {
		a := readAddition(t, file)
		checkPlaces(t, a, places)
		all = append(all, a)
	}
	dir := filepath.Join(root, ".cache", "additions") // always the same, as packages in Go's build cache are those of a folder
	copyTree(t, root, dir)
	for _, a := range all {
		apply(t, dir, a, "")
	}
	execute(t, dir, "go build -o IN/flowlog .")
	if t.Failed() {
		return
	}
	for _, a := range all {
		t.Run(strings.ReplaceAll(a.kind, " ", "-"), func(t *testing.T) {
			for _, c := range a.checks {
				if c.without != "" {
					apply(t, dir, a, c.without)
				}
				began := time.Now()
				out, err := execute(t, dir, c.command)
				t.Logf("%.1f s: %s", time.Since(began).Seconds(), c.command)
				if (err != nil) != (c.without != "") {
					t.Errorf("without %q: %s: %v\n%s", c.without, c.command, err, out)
				}
				for _, want := range c.wants {
					if !strings.Contains(oneLine(out), oneLine(want)) {
						t.Errorf("without %q: %s does not print %q:\n%s", c.without, c.command, want, out)
					}
				}
				if c.without != "" {
					apply(t, dir, a, "")
				}
			}
		})
	}
}

// readTable returns the places that CONTRIBUTING's table names for each kind of addition.
func readTable(t *testing.T, file string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("`((?:cmd|parse|enrich|report|testdata)(?:/[^`]*)?)`")
	places := make(map[string][]string)
	_, table, _ := strings.Cut(string(text), "\n| to add | touch |")
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) != 5 {
			continue
		}
		kind := strings.TrimSpace(cells[1])
		places[kind] = nil
		for _, m := range quoted.FindAllStringSubmatch(cells[2], -1) {
			places[kind] = append(places[kind], m[1])
		}
	}
	if len(places) < 10 {
		t.Fatalf("%s: the table of what to touch has %d rows", file, len(places))
	}
	return places
}

// readAddition reads a file of rows: the kind, checks, and edits as sections -- FILE [below|instead of LINE] [(VARIANT)] --.
func readAddition(t *testing.T, file string) addition {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?m)^-- (\S+)(?: (below|instead of) (.*?))?(?: \((.*)\))? --\n`)
	marks := section.FindAllStringSubmatch(string(text), -1)
	parts := section.Split(string(text), -1)
	var a addition
	for i, m := range marks {
		a.edits = append(a.edits, edit{m[1], m[2], m[3], m[4], parts[i+1]})
	}
	for line := range strings.Lines(parts[0]) {
		line = strings.TrimSpace(line)
		if want, ok := strings.CutPrefix(line, "want "); ok && len(a.checks) > 0 {
			last := &a.checks[len(a.checks)-1]
			last.wants = append(last.wants, want)
		} else if kind, ok := strings.CutPrefix(line, "# "); ok && a.kind == "" {
			a.kind = kind
		} else if rest, ok := strings.CutPrefix(line, "without "); ok {
			place, command, _ := strings.Cut(rest, ": ")
			a.checks = append(a.checks, check{without: place, command: command})
		} else if line != "" && !strings.HasPrefix(line, "#") {
			a.checks = append(a.checks, check{command: line})
		}
	}
	if a.kind == "" || len(a.edits) == 0 || len(a.checks) == 0 {
		t.Fatalf("%s: no kind, no edits or no checks", file)
	}
	return a
}

// checkPlaces wants an addition to edit what the table names for its kind, all of it and nothing else. If that is more than
// one file, it wants a check without each.
func checkPlaces(t *testing.T, a addition, places map[string][]string) {
	t.Helper()
	named, ok := places[a.kind]
	if !ok {
		t.Errorf("CONTRIBUTING.md has no row for %s", a.kind)
		return
	}
	left := slices.Clone(named)
	files := make(map[string]bool)
	for _, e := range a.edits {
		if strings.HasPrefix(e.file, "IN/") {
			continue // what the checks read
		}
		files[e.file] = true
		place := e.file
		if e.how == "" {
			place = path.Dir(e.file)
		}
		if !slices.Contains(named, place) {
			t.Errorf("%s edits %s, which CONTRIBUTING.md does not name", a.kind, e.file)
		}
		left = slices.DeleteFunc(left, func(p string) bool { return p == place })
	}
	if len(left) > 0 {
		t.Errorf("CONTRIBUTING.md names %s for %s, which needs no edit there", strings.Join(left, ", "), a.kind)
	}
	for file := range files {
		if len(files) > 1 && !slices.ContainsFunc(a.checks, func(c check) bool {
			return c.without == file || c.without != "" && slices.ContainsFunc(a.edits, func(e edit) bool { return e.file == file && e.variant == c.without })
		}) {
			t.Errorf("%s: no check says what fails without its part of %s", a.kind, file)
		}
	}
}

// copyTree makes dir a copy of the files that git knows or would add. It is removed at the end.
func copyTree(t *testing.T, root, dir string) {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, name), text)
	}
}

// put writes a file.
func put(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// apply makes the edits of an addition in a copy of the tree, but for what is left out: a file, or what a variant replaces.
// The files are made anew from the tree each time.
func apply(t *testing.T, dir string, a addition, without string) {
	t.Helper()
	texts := make(map[string]string)
	for _, e := range a.edits {
		replaced := e.variant == "" && slices.ContainsFunc(a.edits, func(v edit) bool { return v.file == e.file && v.variant != "" && v.variant == without })
		text, ok := texts[e.file]
		if !ok && e.how != "" {
			tree, err := os.ReadFile(filepath.Join("..", "..", e.file))
			if err != nil {
				t.Fatal(err)
			}
			text = string(tree)
		}
		if e.file != without && !replaced && (e.variant == "" || e.variant == without) {
			text = e.in(t, text)
		}
		texts[e.file] = text
	}
	for file, text := range texts {
		name, content := filepath.Join(dir, file), []byte(text)
		if short, ok := strings.CutSuffix(name, ".base64"); ok {
			var err error
			if content, err = base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err != nil {
				t.Fatal(err)
			}
			name = short
		}
		if text != "" {
			put(t, name, content)
		} else if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// in returns a file after the edit.
func (e edit) in(t *testing.T, text string) string {
	t.Helper()
	if e.how == "" {
		return e.text
	}
	lines := strings.SplitAfter(text, "\n")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, e.line) })
	if i < 0 {
		t.Fatalf("%s has no line with %s", e.file, e.line)
	}
	if e.how == "below" {
		return strings.Join(slices.Insert(lines, i+1, e.text), "")
	}
	return strings.Join(slices.Replace(lines, i, i+1, e.text), "")
}

// execute runs a command of go, or of the flowlog that was built with the additions.
func execute(t *testing.T, dir, command string) (string, error) {
	t.Helper()
	args := words(command)
	switch args[0] {
	case "flowlog":
		args[0] = filepath.Join(dir, "IN", "flowlog")
	case "go":
	default:
		t.Fatalf("%s: a check runs go or flowlog", command)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), "FLOWLOG_CONFIG=none")
	out, err := c.CombinedOutput()
	if err != nil && args[1] == "build" {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
	return string(out), err
}

// oneLine makes all white space a blank, since help breaks its lines.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// words splits a command at blanks outside of single quotes.
func words(command string) []string {
	var all []string
	for i, part := range strings.Split(command, "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}
