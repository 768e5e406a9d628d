package dataset

import (
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
)

var errInjected = errors.New("injected")

// failAt makes the nth operation of the disk fail, or with later all from that on, until restore is called, which
// returns what the nth was, "" if there were fewer operations.
func failAt(n int64, later bool) (restore func() string) {
	var calls atomic.Int64
	var failed atomic.Value
	restored := disk.Inject(func(op, name string) error {
		at := calls.Add(1)
		if at == n {
			if strings.HasSuffix(name, ".spill") {
				op += " of a spill"
			}
			failed.Store(op)
		}
		if at == n || later && at > n {
			return errInjected
		}
		return nil
	})
	return func() string {
		restored()
		op, _ := failed.Load().(string)
		return op
	}
}

// Whichever operation of the disk fails, alone or with all after it, the run ends with an error, readers see each row at
// most once, and after the next run exactly once, with nothing left over.
func TestEveryFailureOfADir(t *testing.T) {
	inputs := []string{"0", "1", "2"}
	seen := make(map[string]int)
	for _, later := range []bool{false, true} {
		step := int64(1)
		if later {
			step = 9
		}
		for n := int64(1); ; n += step {
			root := filepath.Join(t.TempDir(), "out")
			restore := failAt(n, later)
			err := fillWithin(t, NewDir(root), inputs, 1) // which goes to a temporary file
			op := restore()
			seen[op]++
			once(t, root, -1)
			if op == "" {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			switch {
			case errors.Is(err, errInjected):
			case err == nil && (op == "link" || op == "remove") && !later:
				// There are file systems without links, and another way for them. A temporary file that could not be
				// removed is left to the next run, once what it became is there.
				once(t, root, 300)
			default:
				t.Fatalf("operation %d, %s, fails, later ones %v: got %v", n, op, later, err)
			}
			if err := fill(t, NewDir(root), inputs); err != nil {
				t.Fatalf("operation %d fails, later ones %v: then another run: %v", n, later, err)
			}
			once(t, root, 300)
			left, err := filepath.Glob(filepath.Join(root, schema.ManifestFolder, "*"+tempEnd))
			if err != nil || len(left) > 0 {
				t.Fatalf("operation %d fails: left behind: %q %v", n, left, err)
			}
		}
	}
	for _, op := range []string{"create", "write", "read", "sync", "chmod", "close", "rename", "link", "remove", "mkdir", "write of a spill", "read of a spill"} {
		if seen[op] == 0 {
			t.Errorf("there was no %s", op)
		}
	}
}
