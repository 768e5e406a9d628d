package cmd

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// memory is the flags that say how much of it a command may take.
type memory struct {
	size    string
	tempDir string
}

// flags adds them to a group. what is it that goes to the temporary file.
func (m *memory) flags(c *cobra.Command, heading, what string) {
	group(c, heading, func(f *pflag.FlagSet) {
		f.StringVar(&m.size, "memory", "", "use memory of this `size`, as in 2GB, before "+what+" go to a temporary file (default: half of what there is)")
		f.StringVar(&m.tempDir, "temp-dir", "", "`directory` of the temporary file (default: the system's)")
	})
}

// least is the smallest limit that leaves room for reading and parsing.
const least = 64 << 20

// limit is how many bytes groups may take. It makes the collector of garbage heed the limit as a whole.
func (m *memory) limit() (int64, error) {
	if m.tempDir != "" {
		if info, err := os.Stat(m.tempDir); err != nil || !info.IsDir() {
			return 0, usageError{fmt.Errorf("--temp-dir: there is no directory %s", m.tempDir)}
		}
	}
	var bytes uint64
	var err error
	if m.size == "" {
		// what the container allows, or else what the machine has; a half, since others run there too
		bytes, err = memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)()
		if err != nil {
			return 0, nil // not known on this system: no limit
		}
		bytes /= 2
	} else if bytes, err = humanize.ParseBytes(m.size); err != nil {
		return 0, usageError{fmt.Errorf("--memory: %q is not a number of bytes: write 512MB or 4GiB", m.size)}
	}
	if bytes < least {
		if m.size == "" {
			bytes = least
		} else {
			return 0, usageError{errors.New("--memory: less than 64MiB leaves no room to read the input")}
		}
	}
	debug.SetMemoryLimit(int64(min(bytes, 1<<62)))
	return int64(bytes / 4), nil // tables double as they grow, and are there twice while they do
}
