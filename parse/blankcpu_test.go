//go:build unix

package parse_test

import (
	"bytes"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"flowlog/parse"
	"flowlog/parse/internal/inflate"
	"flowlog/parse/schema"
)

// TestBlankCPU compares the processor time of scanning a record and 64 MiB of empty lines in gzip with that of inflating them:
// the least of some pairs, which other programs on the machine disturb less than the time that passes. On two idle processors
// a ratio of 3 is one of less than 1.5 in time, since workers decode beside the goroutine that inflates.
func TestBlankCPU(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures time, which the race detector changes")
	}
	const size, pairs, most = 64 << 20, 5, 3
	for _, in := range []struct{ name, head, line string }{
		{"text", "srcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 5\n", "\n"},
		{"text with CRLF", "srcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 5\n", "\r\n"},
		{"text with blanks", "srcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 5\n", "\t  \n"},
		{"csv", "srcaddr,dstaddr,bytes\n10.0.0.1,10.0.0.2,5\n", "\n"},
		{"csv with CRLF", "srcaddr,dstaddr,bytes\n10.0.0.1,10.0.0.2,5\n", "\r\n"},
		{"json", `{"srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","bytes":5}` + "\n", "\n"},
	} {
		t.Run(in.name, func(t *testing.T) {
			file := blankFile(t, in.head, in.line, size)
			p, err := schema.Logged().Project("srcaddr", "bytes")
			if err != nil {
				t.Fatal(err)
			}
			inflating, scanning := time.Hour, time.Hour
			for range pairs {
				inflating = min(inflating, processorTime(t, func() error {
					n, err := io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{inflate.NewReader(bytes.NewReader(file))})
					if n < size {
						err = fmt.Errorf("%d bytes: %w", n, err)
					}
					return err
				}))
				scanning = min(scanning, processorTime(t, func() error {
					stats, err := parse.Scan(t.Context(), parse.Paths(bytes.NewReader(file), "-"), p, parse.Options{Workers: 2}, func(schema.Batch) error { return nil })
					if stats.Records != 1 {
						err = fmt.Errorf("%d records: %w", stats.Records, err)
					}
					return err
				}))
			}
			t.Logf("inflating %s, scanning %s", inflating, scanning)
			if scanning > most*inflating {
				t.Errorf("scanning takes %s of the processors, inflating %s: more than %d times as much", scanning, inflating, most)
			}
		})
	}
}

// processorTime is the time that all processors spent on this process during a call.
func processorTime(t *testing.T, call func() error) time.Duration {
	t.Helper()
	spent := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	began := spent()
	if err := call(); err != nil {
		t.Fatal(err)
	}
	return spent() - began
}
