package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"flowlog/parse"
	"flowlog/parse/schema"
)

// written are the files that this run writes: what it comes upon of them in its input is none of it.
type written struct {
	mu    sync.Mutex
	named []string      // inputs that the arguments name
	stdin fs.FileInfo   // of standard input, nil if no argument names it or it is no file
	files []writtenFile // outputs
}

// A writtenFile is one output: the file that is being written, and the one whose name it is going to have.
type writtenFile struct {
	name       string
	temp, goal fs.FileInfo // nil if there is none
}

// add notes an output. To write to what an argument names as input is an error.
func (w *written) add(f *outFile) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	remote := strings.HasPrefix(f.name, "s3://")
	if f.info == nil && !remote {
		return nil // a device or a pipe: no input is the same
	}
	goal, _ := os.Stat(f.name) // mostly it is not there yet
	if w.stdin != nil && goal != nil && os.SameFile(w.stdin, goal) {
		return usageError{fmt.Errorf("%s is standard input, which would be gone: write to another file", f.name)}
	}
	for _, name := range w.named {
		info, err := os.Stat(name)
		if err == nil && goal != nil && os.SameFile(info, goal) || remote && name == f.name {
			return usageError{fmt.Errorf("%s is an input, which would be gone: write to another file", f.name)}
		}
	}
	w.files = append(w.files, writtenFile{f.name, f.info, goal})
	return nil
}

// reads notes the inputs that arguments name, of which "-" is standard input.
func (w *written) reads(stdin any, args []string) {
	w.named = append(w.named, args...)
	if f, ok := stdin.(*os.File); ok && slices.Contains(args, "-") {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			w.stdin = info
		}
	}
}

// standard notes standard output, if it goes to a file.
func (w *written) standard(out any) {
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			w.files = append(w.files, writtenFile{"standard output", info, nil})
		}
	}
}

// is reports whether a file is one of the outputs, and whether a note should say so: that of its unfinished content is
// of no interest.
func (w *written) is(name string) (is, note bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.files) == 0 {
		return false, false
	}
	if strings.HasPrefix(name, "s3://") {
		return slices.ContainsFunc(w.files, func(f writtenFile) bool { return f.name == name }), true
	}
	info, err := os.Stat(name)
	if err != nil {
		return false, false
	}
	for _, f := range w.files {
		switch {
		case f.goal != nil && os.SameFile(info, f.goal):
			return true, true
		case f.temp != nil && os.SameFile(info, f.temp):
			return true, f.name == "standard output"
		}
	}
	return false, false
}

// tellInside notes an output that lies inside an input and whose records later runs over that input would read as logs.
func (r *reader) tellInside(name string) {
	if arg := listedBy(r.from.args, name); arg != "" && !r.quiet {
		fmt.Fprintln(r.con.err, printable("flowlog: "+name+" is inside the input "+arg+": later runs read it too; write it to another place"))
	}
}

// checkRejects refuses a file of malformed records inside an input: it holds them unchanged, so nothing in it tells a later
// run that they have been counted as malformed before.
func checkRejects(file string, args []string) error {
	if info, err := os.Stat(file); file == "" || err == nil && !info.Mode().IsRegular() {
		return nil // a device or pipe is no file of an input
	}
	if arg := listedBy(args, file); arg != "" {
		return usageError{fmt.Errorf("--rejects %s is inside the input %s: later runs would read its records once more; write it to another place", file, arg)}
	}
	return nil
}

// listedBy returns the first input whose listing includes a file, whether that exists yet or not, or "".
func listedBy(args []string, file string) string {
	i := slices.IndexFunc(args, func(arg string) bool { return includes(arg, file) })
	if i < 0 {
		return ""
	}
	return args[i]
}

// includes reports whether the listing of an input includes a file, whether that exists yet or not: a directory lists the files
// below it that are not hidden, and a glob those that it matches. Directories are compared as files, so that links to them
// make no difference.
func includes(input, file string) bool {
	if remote := strings.HasPrefix(input, "s3://"); remote || strings.HasPrefix(file, "s3://") {
		if strings.ContainsAny(input, "*?[{") {
			matches, _ := doublestar.Match(input, file)
			return matches
		}
		return remote && holds(input, file)
	}
	root, pattern := filepath.ToSlash(input), ""
	info, err := os.Stat(input)
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(input, "*?[{") {
		root, pattern = doublestar.SplitPattern(root)
		info, err = os.Stat(filepath.FromSlash(root))
	}
	if err != nil || !info.IsDir() {
		return false
	}
	for _, place := range []func(string) (string, error){filepath.Abs, filepath.EvalSymlinks} { // of the name, and of what it links to
		name, err := place(file)
		if err != nil {
			continue
		}
		if within, ok := below(info, name); ok && (pattern == "" && !hidden(within) || pattern != "" && doublestar.MatchUnvalidated(pattern, within)) {
			return true
		}
	}
	return false
}

// below returns the path of a file from a directory on, with slashes, and whether the file lies below the directory.
func below(dir fs.FileInfo, file string) (path string, ok bool) {
	name := filepath.Base(file)
	up, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err == nil {
		up, err = filepath.Abs(up)
	}
	if err != nil {
		return "", false
	}
	for {
		if info, err := os.Stat(up); err == nil && os.SameFile(info, dir) {
			return name, true
		}
		if filepath.Dir(up) == up {
			return "", false
		}
		name, up = filepath.Base(up)+"/"+name, filepath.Dir(up)
	}
}

// hidden reports whether some part of a path with slashes is one that listings of directories leave out.
func hidden(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool {
		return strings.HasPrefix(part, ".") || part == schema.ManifestFolder
	})
}

// unwritten is a source without what this run writes. It is a parse.Passer.
type unwritten struct {
	parse.Source
	*written

	mu  sync.Mutex
	out []parse.PassedOver
}

func (u *unwritten) Objects(ctx context.Context) iter.Seq2[parse.Object, error] {
	return func(yield func(parse.Object, error) bool) {
		for o, err := range u.Source.Objects(ctx) {
			if err == nil && o.Found {
				if is, note := u.is(o.Name); is {
					if note {
						u.note(parse.PassedOver{Name: o.Name, Why: "this command writes it"})
					}
					continue
				}
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

func (u *unwritten) note(l parse.PassedOver) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !slices.Contains(u.out, l) {
		u.out = append(u.out, l)
	}
}

// PassedOver is what the source and this have left out.
func (u *unwritten) PassedOver() []parse.PassedOver {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := slices.Clone(u.out)
	if l, ok := u.Source.(parse.Passer); ok {
		out = append(l.PassedOver(), out...)
	}
	return out
}

// shownLeftOut is how many lines say what was left out; one more says how much else there was.
const shownLeftOut = 5

// tellPassedOver says what of the input was come upon and not read.
func (r *reader) tellPassedOver() {
	if r.quiet {
		return
	}
	out := slices.Clone(r.stats.Passed)
	for _, src := range append(slices.Clone(r.from.sources), r.from.source) {
		if l, ok := src.(parse.Passer); ok {
			for _, one := range l.PassedOver() {
				if !slices.Contains(out, one) {
					out = append(out, one)
				}
			}
		}
	}
	for i, l := range out {
		if i == shownLeftOut && len(out) > i+1 {
			fmt.Fprintf(r.con.err, "flowlog: left out: %d more\n", len(out)-i)
			break
		}
		fmt.Fprintln(r.con.err, printable("flowlog: left out: "+schema.Shown(l.Name)+": "+l.Why))
	}
}

// checkPlace refuses a dataset in a folder that an input is or lies in: its own files would be read.
func checkPlace(place string, inputs []string) error {
	for _, input := range inputs {
		if holds(place, input) {
			return usageError{fmt.Errorf("-O %s is the input %s, or a folder above it: the dataset would be its own input; write it to another place", place, input)}
		}
	}
	return nil
}

// holds reports whether an input is a folder, or lies in it.
func holds(folder, input string) bool {
	if rest, ok := strings.CutPrefix(folder, "s3://"); ok {
		input, remote := strings.CutPrefix(input, "s3://")
		if i := strings.IndexAny(input, "*?[{"); i >= 0 {
			input = input[:strings.LastIndexByte(input[:i], '/')+1]
		}
		return remote && strings.HasPrefix(strings.TrimRight(input, "/")+"/", strings.TrimRight(rest, "/")+"/")
	}
	place, err := os.Stat(folder)
	if err != nil || strings.HasPrefix(input, "s3://") {
		return false
	}
	if _, err := os.Lstat(input); errors.Is(err, fs.ErrNotExist) {
		base, _ := doublestar.SplitPattern(filepath.ToSlash(input))
		input = filepath.FromSlash(base)
	}
	if input, err = filepath.EvalSymlinks(input); err == nil {
		input, err = filepath.Abs(input)
	}
	for err == nil {
		if info, serr := os.Stat(input); serr == nil && os.SameFile(info, place) {
			return true
		}
		up := filepath.Dir(input)
		if up == input {
			break
		}
		input = up
	}
	return false
}
