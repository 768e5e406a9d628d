// Mutate damages log files at random and runs flowlog on each, to see that none makes it crash, hang, or give other
// totals without an error where the file has checksums.
//
//	samples (containers × compressions) → a damage by seed and number → flowlog report → verdict
//
//	go run ./testdata/mutate -seed 1 -count 500
//
// The same seed gives the same files, whatever the number of processors. What breaks flowlog is kept, with the command.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// A run of flowlog that takes more time of processors, or that waits for ten times as long, hangs. The samples are small;
// what other programs leave of a machine is not flowlog's fault.
const patience = 20 * time.Second

var (
	seed    = flag.Uint64("seed", 1, "choose the damages by this `number`")
	count   = flag.Int("count", 500, "damage so many files")
	binary  = flag.String("flowlog", "", "run this `file` (default: build it)")
	keep    = flag.String("keep", "", "keep what breaks flowlog in this `directory` (default: a temporary one)")
	workers = flag.Int("parallel", runtime.GOMAXPROCS(0), "so many runs at a time")
)

func main() {
	flag.Parse()
	broken, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
	if broken > 0 {
		os.Exit(1)
	}
}

// run does all of it, and returns how many files broke flowlog.
func run() (broken int, err error) {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if *binary == "" {
		*binary = filepath.Join(dir, "flowlog")
		if out, err := exec.Command("go", "build", "-o", *binary, ".").CombinedOutput(); err != nil {
			return 0, fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	if *keep == "" {
		*keep, err = os.MkdirTemp("", "mutated")
	} else {
		err = os.MkdirAll(*keep, 0o777)
	}
	if err != nil {
		return 0, err
	}
	samples, err := makeSamples(dir)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	verdicts := make([]string, *count)
	next := make(chan int)
	var all sync.WaitGroup
	for range max(*workers, 1) {
		all.Go(func() {
			for n := range next {
				verdicts[n] = try(dir, samples, n)
			}
		})
	}
	for n := range *count {
		next <- n
	}
	close(next)
	all.Wait()
	for _, v := range verdicts {
		if v != "" {
			broken++
			fmt.Println(v)
		}
	}
	fmt.Printf("%d files of %d samples were damaged by seed %d, in %.0f s: %d broke flowlog\n", *count, len(samples), *seed, time.Since(begin).Seconds(), broken)
	if broken == 0 {
		return 0, removeEmpty(*keep)
	}
	return broken, nil
}

// removeEmpty removes a directory, if nothing is in it.
func removeEmpty(dir string) error {
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		return err
	}
	return os.Remove(dir)
}

// try damages the nth file and says what is wrong with how flowlog takes it.
func try(dir string, samples []sample, n int) string {
	r := rand.New(rand.NewPCG(*seed, uint64(n)))
	kinds := byKind(samples) // each as often as another, however many samples it has
	kind := kinds[r.IntN(len(kinds))]
	s := kind[r.IntN(len(kind))]
	content, where, what := damage(r, s.content)
	name := filepath.Join(dir, fmt.Sprintf("%06d-%s", n, s.name))
	if err := os.WriteFile(name, content, 0o666); err != nil {
		return err.Error()
	}
	got := report(name)
	fault := got.fault
	if fault == "" && got.status == 0 && got.table != s.table && s.summed(where) {
		fault = "other totals without an error"
	}
	if fault == "" {
		if err := os.Remove(name); err != nil {
			return err.Error()
		}
		return ""
	}
	kept := filepath.Join(*keep, filepath.Base(name))
	if err := os.WriteFile(kept, content, 0o666); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s: %s (%s)", kept, fault, what)
}

// byKind sorts samples by the ends of their names: formats that have no compression around them, and compressions.
func byKind(samples []sample) (kinds [][]sample) {
	place := make(map[string]int)
	for _, s := range samples {
		ext := filepath.Ext(s.name)
		if _, ok := place[ext]; !ok {
			place[ext] = len(kinds)
			kinds = append(kinds, nil)
		}
		kinds[place[ext]] = append(kinds[place[ext]], s)
	}
	return kinds
}

// A result is what flowlog made of a file.
type result struct {
	status int
	table  string
	fault  string // a crash or a hang
}

// report runs flowlog on a file.
func report(name string) result {
	ctx, cancel := context.WithTimeout(context.Background(), 10*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, *binary, "report", "talkers", "--config", "none", "--quiet", "--by", "action,protocol,srcaddr,srcport,dstaddr,dstport,interface_id", "--measures", "flows,bytes,packets,first,last", "--top", "0", "-o", "csv", name)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	got := result{status: cmd.ProcessState.ExitCode(), table: out.String()}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		got.fault = fmt.Sprintf("no end after %v", 10*patience)
	case used > patience:
		got.fault = fmt.Sprintf("it took %v of processors", used)
	case err != nil && !errors.As(err, &exit):
		got.fault = err.Error()
	case got.status < 0:
		got.fault = "it was killed: " + err.Error()
	case bytes.Contains(errOut.Bytes(), []byte("goroutine ")):
		first, _, _ := bytes.Cut(errOut.Bytes(), []byte("\n"))
		got.fault = "a crash: " + string(first)
	}
	return got
}

// damage changes some bytes, and says which and how. Where bytes are missing or there twice, all behind them are others.
func damage(r *rand.Rand, content []byte) ([]byte, span, string) {
	content = bytes.Clone(content)
	n := len(content)
	at := r.IntN(n)
	length := min(1+r.IntN(64), n-at)
	some, rest := span{at, at + length}, span{at, n}
	switch r.IntN(7) {
	case 0:
		bit := r.IntN(8)
		content[at] ^= 1 << bit
		return content, span{at, at + 1}, fmt.Sprintf("bit %d of byte %d is the other", bit, at)
	case 1:
		content[at] = byte(r.Uint32())
		return content, span{at, at + 1}, fmt.Sprintf("byte %d is %#x", at, content[at])
	case 2:
		clear(content[at : at+length])
		return content, some, fmt.Sprintf("%d bytes from %d are 0", length, at)
	case 3:
		for i := range length {
			content[at+i] = 0xff
		}
		return content, some, fmt.Sprintf("%d bytes from %d are 0xff", length, at)
	case 4:
		at = max(at, 1)
		return content[:at], span{at, n}, fmt.Sprintf("it ends after %d bytes", at)
	case 5:
		return append(content[:at:at], content[at+length:]...), rest, fmt.Sprintf("%d bytes from %d are missing", length, at)
	}
	return append(content[:at+length:at+length], content[at:]...), rest, fmt.Sprintf("%d bytes from %d are there twice", length, at)
}
