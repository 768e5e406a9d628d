package cmd

import (
	"fmt"
	"os"
	"syscall"
)

// processLimits are the limits on memory of this process, less what it has taken so far.
func processLimits() []ceiling {
	var size, resident, shared, text, lib, data uint64
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		_, _ = fmt.Sscan(string(statm), &size, &resident, &shared, &text, &lib, &data) // what is missing is 0
	}
	var all []ceiling
	for _, l := range []struct {
		name     string
		resource int
		taken    uint64 // pages
		per      uint64 // bytes of the limit that a byte of memory takes
	}{
		{"RLIMIT_AS (ulimit -v)", syscall.RLIMIT_AS, size, 2}, // the heap and threads reserve it in pieces of 64 MB
		{"RLIMIT_DATA (ulimit -d)", syscall.RLIMIT_DATA, data, 1},
	} {
		const none = 1 << 62 // and more is no limit
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(l.resource, &limit); err != nil || limit.Cur >= none {
			continue
		}
		taken := l.taken * uint64(os.Getpagesize())
		all = append(all, ceiling{l.name, (limit.Cur - min(taken, limit.Cur)) / l.per})
	}
	return all
}
