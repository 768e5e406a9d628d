package cmd

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse"
	"flowlog/parse/s3"
)

// bounded says of each flag whose value is a number why no value of it makes flowlog take memory without a bound.
var bounded = map[string]string{
	"workers":     "lowered to parse.MostWorkers",
	"concurrency": "lowered to s3.MostConcurrency",
	"max-errors":  "counts, and takes no memory",
	"top":         "shows rows that are there",
}

// TestNumbersAreBounded finds a new flag with a number, whose author has to say what bounds it, and tries those that are
// lowered.
func TestNumbersAreBounded(t *testing.T) {
	seen := make(map[string]bool)
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if kind := f.Value.Type(); !strings.HasPrefix(kind, "int") && !strings.HasPrefix(kind, "uint") && kind != "count" {
				return
			}
			seen[f.Name] = true
			if bounded[f.Name] == "" {
				t.Errorf("%s --%s: what bounds the memory that it takes?", c.CommandPath(), f.Name)
			}
		})
		for _, child := range c.Commands() {
			visit(child)
		}
	}
	_, root := tree(nil, "--config", noSettings)
	visit(root)
	for name := range bounded {
		if !seen[name] {
			t.Errorf("no command has --%s", name)
		}
	}
	for _, quiet := range []bool{false, true} {
		var warned bytes.Buffer
		in := &input{quiet: quiet, workers: 1 << 40}
		in.s3.Concurrency = 1 << 40
		in.clamp(&console{err: &warned}, []string{"s3://bucket/"})
		if in.workers != parse.MostWorkers() || in.workers > max(16, 4*runtime.GOMAXPROCS(0)) {
			t.Errorf("%d workers", in.workers)
		}
		if in.s3.Concurrency != s3.MostConcurrency() || in.s3.Concurrency > 128*runtime.GOMAXPROCS(0) {
			t.Errorf("%d objects at a time", in.s3.Concurrency)
		}
		if lines := strings.Count(warned.String(), "is more than the most on this machine"); lines != 2 && !quiet || lines != 0 && quiet {
			t.Errorf("quiet %v: %s", quiet, &warned)
		}
	}
	in := &input{workers: 2}
	in.s3.Concurrency = 3
	if in.clamp(nil, nil); in.workers != 2 || in.s3.Concurrency != 3 {
		t.Errorf("%d workers, %d objects at a time", in.workers, in.s3.Concurrency)
	}
}
