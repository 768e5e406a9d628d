package cmd

import (
	"math"
	"runtime/debug"
	"strings"
	"testing"
)

// The default of --memory is half of the lowest limit, and one line says so where that is little, unless it is given.
func TestMemoryDefault(t *testing.T) {
	was := lowest
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { lowest = was; debug.SetMemoryLimit(before) })
	for _, c := range []struct {
		lowest ceiling
		size   string
		want   int64 // of the runtime
		line   string
	}{
		{ceiling{"the container (cgroup)", 128 << 20}, "", 64 << 20,
			"flowlog: warning: the container (cgroup) leaves 128 MiB of memory, so --memory is 64 MiB if it is not given: raise the limit if the run is killed\n"},
		{ceiling{"RLIMIT_AS (ulimit -v)", 0}, "", 64 << 20,
			"flowlog: warning: RLIMIT_AS (ulimit -v) leaves 0 B of memory, so --memory is 64 MiB if it is not given: raise the limit if the run is killed\n"},
		{ceiling{"the machine", 256 << 20}, "", 128 << 20, ""},
		{ceiling{"the container (cgroup)", 128 << 20}, "96MiB", 96 << 20, ""},
		{ceiling{}, "", math.MaxInt64, ""},
	} {
		debug.SetMemoryLimit(math.MaxInt64)
		lowest = func() ceiling { return c.lowest }
		m := memory{size: c.size}
		var warned strings.Builder
		for range 2 { // as when two inputs are compared
			limit, err := m.limit(&warned)
			if want := c.want / 4; err != nil || limit != want && c.lowest.name != "" || limit != 0 && c.lowest.name == "" {
				t.Errorf("%+v: limit %d, want %d, %v", c.lowest, limit, want, err)
			}
		}
		if got := debug.SetMemoryLimit(-1); got != c.want {
			t.Errorf("%+v: the runtime's limit is %d, want %d", c.lowest, got, c.want)
		}
		if warned.String() != c.line {
			t.Errorf("%+v: got %q, want %q", c.lowest, warned.String(), c.line)
		}
	}
}
