package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A run that takes longer hangs: the largest input is read in a second.
const patience = 2 * time.Minute

// A comparison is of two binaries.
type comparison struct {
	old, new string
	dir      string
	ignore   *regexp.Regexp // nil, or lines that may differ
}

// A result is what a trial left behind.
type result struct {
	runs  []ran
	files map[string]string
}

// ran is what a command did.
type ran struct {
	code        int
	out, errOut string
}

// try runs a trial by both binaries in the same directory, one after the other. It returns the exit codes of the old one,
// and how they differ.
func (c *comparison) try(dir string, t trial) (codes []int, differs string) {
	got, err := c.result(c.new, dir, t)
	kept := dir + "-new" // partial results and datasets are read back
	if err == nil {
		if err = os.RemoveAll(kept); err == nil {
			err = os.Rename(dir, kept)
		}
	}
	if err != nil {
		return nil, err.Error() + "\n"
	}
	want, err := c.result(c.old, dir, t)
	if err != nil {
		return nil, err.Error() + "\n"
	}
	var b strings.Builder
	for i, w := range want.runs {
		codes = append(codes, w.code)
		g := got.runs[i]
		which := ""
		if len(want.runs) > 1 {
			which = fmt.Sprintf(" of command %d", i+1)
		}
		if w.code != g.code {
			fmt.Fprintf(&b, "--- exit code%s: %d and %d\n", which, w.code, g.code)
		}
		b.WriteString(c.diff("stdout"+which, w.out, g.out))
		b.WriteString(c.diff("stderr"+which, w.errOut, g.errOut))
	}
	names := maps.Clone(want.files)
	maps.Copy(names, got.files)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		w, inOld := want.files[name]
		g, inNew := got.files[name]
		switch {
		case !inOld:
			fmt.Fprintf(&b, "--- the file %s is written by the new one alone\n", name)
		case !inNew:
			fmt.Fprintf(&b, "--- the file %s is written by the old one alone\n", name)
		case w != g:
			b.WriteString(c.diffFile(dir, kept, name, w, g))
		}
	}
	return codes, b.String()
}

// result runs the commands of a trial in a directory that has its files alone.
func (c *comparison) result(binary, dir string, t trial) (result, error) {
	var got result
	if err := os.RemoveAll(dir); err != nil {
		return got, err
	}
	if err := os.MkdirAll(dir+"/home", 0o777); err != nil {
		return got, err
	}
	for name, text := range t.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return got, err
		}
	}
	for _, cmd := range t.commands {
		r, err := execute(binary, dir, cmd, t.env)
		if err != nil {
			return got, err
		}
		got.runs = append(got.runs, r)
	}
	got.files = make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		got.files[name] = string(content)
		return err
	})
	return got, err
}

// execute runs one command. A run that hangs has the exit code -1.
func execute(binary, dir string, c command, env []string) (ran, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, c.args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"HOME=" + dir + "/home", "PATH=/usr/bin:/bin", "TZ=UTC", "AWS_EC2_METADATA_DISABLED=true"}, env...)
	if c.stdin != "" {
		in, err := os.Open(filepath.Join(dir, c.stdin))
		if err != nil {
			return ran{}, err
		}
		defer in.Close()
		cmd.Stdin = in
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return ran{}, err
	}
	r := ran{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
	if ctx.Err() != nil {
		r.errOut += fmt.Sprintf("no end after %v\n", patience)
	}
	return r, nil
}

// What differs from run to run by itself.
var times = []struct {
	is   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(` in [\d.,]+ (ms|s)\b`), " in T"},
	{regexp.MustCompile(` in (\d+h)?(\d+m)?[\d.]+s\b`), " in T"},
	{regexp.MustCompile(`"seconds": ?[\d.e+-]+`), `"seconds": T`},
	{regexp.MustCompile(`("Parts":\[)("[A-Z2-7]{26}",?)+\]`), `$1]`}, // the random names of runs, in partial results
}

// same makes texts alike that differ by what may differ.
func (c *comparison) same(text string) string {
	for _, t := range times {
		text = t.is.ReplaceAllString(text, t.with)
	}
	if c.ignore == nil {
		return text
	}
	lines := slices.DeleteFunc(strings.SplitAfter(text, "\n"), c.ignore.MatchString)
	return strings.Join(lines, "")
}

// How many lines of a text are printed from shortly before the first difference.
const shown = 12

// diff says how two texts differ, or nothing.
func (c *comparison) diff(what, old, new string) string {
	if old == new {
		return ""
	}
	if old, new = c.same(old), c.same(new); old == new {
		return ""
	}
	a, b := strings.Split(old, "\n"), strings.Split(new, "\n")
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s differs from line %d: old has %d lines, new %d\n", what, at+1, len(a), len(b))
	from := max(at-2, 0)
	for i, lines := range [][]string{a, b} {
		for _, line := range lines[min(from, len(lines)):min(from+shown, len(lines))] {
			if len(line) > 400 {
				line = line[:400] + " …"
			}
			fmt.Fprintf(&out, "%c %s\n", "-+"[i], strings.ToValidUTF8(line, "?"))
		}
	}
	return out.String()
}

// diffFile says how two versions of a file differ. Partial results have random names, and the manifest of a dataset has
// times of inputs: if their bytes differ, both binaries read both, and it is the four answers that must be the same.
func (c *comparison) diffFile(dir, kept, name, old, new string) string {
	var args []string
	switch {
	case strings.HasPrefix(old, "flowlog partial"), strings.HasPrefix(old, "ARROW1") && strings.Contains(old, "flowlog partial"):
		args = []string{"merge", "-o", "json", "--config", "none", name}
	case strings.Contains(name, "_flowlog/"):
		root, _, _ := strings.Cut(name, "_flowlog/")
		args = []string{"check-dataset", "--config", "none", "./" + root}
	default:
		return c.diff("the file "+name, old, new)
	}
	var b strings.Builder
	var first string
	for i, from := range []string{dir, kept} {
		for j, by := range []string{c.old, c.new} {
			r, err := execute(by, from, command{args: args}, nil)
			if err != nil {
				return err.Error() + "\n"
			}
			answer := fmt.Sprintf("exit code %d\n%s%s", r.code, r.out, r.errOut)
			if i == 0 && j == 0 {
				first = answer
				continue
			}
			what := fmt.Sprintf("the file %s, written by the %s and read by the %s one (%s),", name, age(i), age(j), strings.Join(args, " "))
			b.WriteString(c.diff(what, first, answer))
		}
	}
	return b.String()
}

func age(i int) string { return [...]string{"old", "new"}[i] }
