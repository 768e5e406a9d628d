package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// memory is the flags that say how much of it a command may take.
type memory struct {
	size    string
	tempDir string
	told    bool // that there is little of it
}

// flags adds them to a group. what is it that goes to the temporary file.
func (m *memory) flags(c *cobra.Command, heading, what string) {
	section(c, heading, func(f *pflag.FlagSet) {
		f.StringVar(&m.size, "memory", "", "use memory of this `size`, as in 2GB, before "+what+" go to a temporary file (default: half of what the machine, the container and ulimit allow)")
		f.StringVar(&m.tempDir, "temp-dir", "", "`directory` of the temporary file (default: the system's)")
	})
}

// least is the smallest limit that leaves room for reading and parsing.
const least = 64 << 20

// limit is how many bytes groups may take. It makes the collector of garbage heed the limit as a whole. Where there is
// little memory by default, it says so to warn.
func (m *memory) limit(warn io.Writer) (int64, error) {
	if m.tempDir != "" {
		if info, err := os.Stat(m.tempDir); err != nil || !info.IsDir() {
			return 0, usageError{fmt.Errorf("--temp-dir: there is no directory %s", m.tempDir)}
		}
	}
	var bytes uint64
	if m.size == "" {
		c := lowest()
		if c.name == "" {
			return 0, nil // not known on this system: no limit
		}
		bytes = c.share()
		if c.bytes < little && !m.told {
			m.told = true
			fmt.Fprintln(warn, c.warning())
		}
	} else {
		var err error
		if bytes, err = humanize.ParseBytes(m.size); err != nil {
			return 0, usageError{fmt.Errorf("--memory: %q is not a number of bytes: write 512MB or 4GiB", m.size)}
		}
		if bytes < least {
			return 0, usageError{errors.New("--memory: less than 64MiB leaves no room to read the input")}
		}
	}
	debug.SetMemoryLimit(int64(min(bytes, 1<<62)))
	return int64(bytes / 4), nil // tables double as they grow, and are there twice while they do
}

// warnings is where warnings go.
func (c *console) warnings(quiet bool) io.Writer {
	if quiet {
		return io.Discard
	}
	return c.err
}

// A ceiling is a limit on memory.
type ceiling struct {
	name  string // "" if there is none
	bytes uint64 // that it still allows
}

// little is from how much memory on nothing is said about it.
const little = 256 << 20

// lowest is the lowest limit on the memory of this process. It is read once, before the process takes much.
var lowest = sync.OnceValue(func() ceiling {
	all := processLimits()
	if bytes, err := memlimit.FromCgroup(); err == nil {
		all = append(all, ceiling{"the container (cgroup)", bytes})
	}
	if bytes, err := memlimit.FromSystem(); err == nil {
		all = append(all, ceiling{"the machine", bytes})
	}
	if len(all) == 0 {
		return ceiling{}
	}
	return slices.MinFunc(all, func(a, b ceiling) int { return cmp.Compare(a.bytes, b.bytes) })
})

// share is the default of --memory: a half, since others run there too, and the program itself takes some.
func (c ceiling) share() uint64 { return max(c.bytes/2, least) }

func (c ceiling) warning() string {
	return fmt.Sprintf("flowlog: warning: %s leaves %s of memory, so --memory is %s if it is not given: raise the limit if the run is killed",
		c.name, humanize.IBytes(c.bytes), humanize.IBytes(c.share()))
}
