// Logs writes the flow logs in testdata: those that the README and the tests read, and large ones to
// measure with. The same version of it writes the same bytes everywhere.
//
//	world (interfaces, addresses) → sessions → records, minute by minute → a format's columns → files
//
//	go run ./logs -out ..                               testdata/logs, testdata/edge and testdata/bad
//	go run ./logs -version 2 -n 1000000 -out big.log    one large file of plain text
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	out := flag.String("out", "..", "the testdata folder; with -n, the `file` to write")
	n := flag.Int("n", 0, "write one plain file of `N` records")
	version := flag.Int("version", 2, "flow log version of that file, with all fields it has; 6 is a transit gateway's")
	flag.Parse()
	if err := run(*out, *n, *version); err != nil {
		fmt.Fprintln(os.Stderr, "logs:", err)
		os.Exit(1)
	}
}

func run(out string, n, version int) error {
	if n > 0 {
		return large(out, n, version)
	}
	for _, write := range []func(map[string][]byte){shipped, edge, bad} {
		files := map[string][]byte{}
		write(files)
		for name, content := range files {
			path := filepath.Join(out, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, content, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin is when all traffic starts: 09:00 UTC of an ordinary Thursday.
var begin = time.Date(2026, 5, 14, 9, 0, 0, 0, time.UTC).Unix()

// large writes n records of a network that is big enough to measure with: some 1,000 interfaces and 200,000
// addresses to talk to.
func large(path string, n, version int) error {
	f, err := versionFormat(version)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	fmt.Fprintln(out, f.header)
	w := newWorld(42, "123456789012", "us-east-1", 0, 36, 200_000)
	w.bulk = 40e6
	source := w.traffic
	if version == 6 {
		source = w.transit
	}
	var line []byte
	source(begin, 10_000, func(records []record) bool {
		for i := range records {
			if n == 0 {
				return false
			}
			line = f.append(line[:0], &records[i])
			out.Write(line) // an error stays with the writer until Flush
			n--
		}
		return true
	})
	if err := out.Flush(); err != nil {
		return err
	}
	return file.Close()
}
