// Same runs random commands by two binaries of flowlog and compares what they do.
//
//	seed, number → a trial of one or more commands → OLD, NEW → stdout, stderr, exit code, files → differences
//
//	go build -o /tmp/old . && git checkout BRANCH && go build -o /tmp/new .
//	go run ./testdata/same -seed 1 -count 8000 /tmp/old /tmp/new
//
// It compares stdout, stderr without durations, exit codes and written files. The same seed gives the same trials,
// whatever the number of processors: -only N repeats trial N alone. -ignore leaves out lines that are meant to differ. The
// exit status is 1 if anything differs. Inputs are testdata/logs, edge and bad, random logs of the seed, and both of them
// converted by OLD; commands ask no server and see no environment.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	seed     = flag.Uint64("seed", 1, "choose the trials by this `number`")
	count    = flag.Int("count", 1000, "run so many trials")
	only     = flag.Int("only", -1, "run this `trial` alone, and print its commands")
	kind     = flag.String("kind", "", "run trials of this `kind` alone: report, parse, sql …")
	most     = flag.Int("most", 20, "print so many differences, and count the others")
	parallel = flag.Int("parallel", runtime.GOMAXPROCS(0), "so many trials at a time")
	ignore   = flag.String("ignore", "", "leave out lines of stdout and stderr that match this `regexp`")
	list     = flag.Bool("list", false, "print the commands and run none")
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./testdata/same [flags] OLD NEW")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	different, err := run(flag.Arg(0), flag.Arg(1))
	if err != nil {
		fmt.Fprintln(os.Stderr, "same:", err)
		os.Exit(1)
	}
	if different > 0 {
		os.Exit(1)
	}
}

// run runs all trials and returns how many of them differ.
func run(old, new string) (different int, err error) {
	c := comparison{}
	if *ignore != "" {
		if c.ignore, err = regexp.Compile(*ignore); err != nil {
			return 0, err
		}
	}
	if c.old, err = filepath.Abs(old); err != nil {
		return 0, err
	}
	if c.new, err = filepath.Abs(new); err != nil {
		return 0, err
	}
	if c.dir, err = os.MkdirTemp("", "same"); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	known, err := learn(c.old)
	if err != nil {
		return 0, err
	}
	if known.inputs, err = makeInputs(c.old, filepath.Join(c.dir, "in"), known); err != nil {
		return 0, err
	}
	begin := time.Now()
	results := c.all(known)
	sums := make(map[string]int)
	codes := make(map[int]int)
	for _, r := range results {
		sums[r.trial.kind]++
		for _, code := range r.codes {
			codes[code]++
		}
		if r.differs == "" {
			continue
		}
		if different++; different <= *most {
			fmt.Println(r.differs)
		}
	}
	if different > *most {
		fmt.Printf("… and %d more\n", different-*most)
	}
	for _, kind := range slices.Sorted(maps.Keys(sums)) {
		fmt.Printf("%-10s %6d\n", kind, sums[kind])
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		fmt.Printf("exit %-5d %6d\n", code, codes[code])
	}
	fmt.Printf("%d trials of seed %d in %.0f s: %d differ\n", len(results), *seed, time.Since(begin).Seconds(), different)
	return different, nil
}

// A verdict is what came of a trial.
type verdict struct {
	trial   trial
	codes   []int // exit codes of its commands
	differs string
}

// all runs the trials that the flags choose, in parallel, and returns their verdicts in order.
func (c *comparison) all(known *known) []verdict {
	verdicts := make([]verdict, *count)
	first := 0
	if *only >= 0 {
		first, verdicts = *only, verdicts[:1]
	}
	next := make(chan int)
	var all sync.WaitGroup
	for w := range max(*parallel, 1) {
		all.Go(func() {
			for n := range next {
				t := known.trial(*seed, first+n)
				v := &verdicts[n]
				if *kind != "" && t.kind != *kind {
					continue
				}
				if *list || *only >= 0 {
					fmt.Printf("# %d\n%s", first+n, t)
				}
				if v.trial = t; !*list {
					v.codes, v.differs = c.try(fmt.Sprintf("%s/w%d", c.dir, w), t)
				}
				if v.differs != "" {
					v.differs = fmt.Sprintf("=== trial %d of seed %d differs\n%s%s", first+n, *seed, t, v.differs)
				}
			}
		})
	}
	for n := range verdicts {
		next <- n
	}
	close(next)
	all.Wait()
	return slices.DeleteFunc(verdicts, func(v verdict) bool { return v.trial.kind == "" })
}

// A trial is commands that run one after the other in one directory, by the same binary.
type trial struct {
	kind     string
	files    map[string]string // what is in the directory before
	env      []string
	commands []command
}

// A command is one run of flowlog.
type command struct {
	args  []string
	stdin string // the path of a file, or nothing
}

// add appends a command.
func (t *trial) add(args ...string) { t.commands = append(t.commands, command{args: args}) }

// String is the trial as a shell would run it.
func (t trial) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(t.files)) {
		fmt.Fprintf(&b, "cat >%s <<'END'\n%s\nEND\n", name, strings.TrimSuffix(t.files[name], "\n"))
	}
	for _, c := range t.commands {
		b.WriteString("$ ")
		for _, e := range t.env {
			b.WriteString(quoted(e) + " ")
		}
		b.WriteString("flowlog")
		for _, a := range c.args {
			b.WriteString(" " + quoted(a))
		}
		if c.stdin != "" {
			b.WriteString(" <" + c.stdin)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

var plain = regexp.MustCompile(`^[\w./,:=+@%-]+$`)

// quoted is a word for a shell.
func quoted(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// copyFile copies a file, with the time that it was modified.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
