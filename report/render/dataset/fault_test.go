package dataset

import (
	"errors"
	"fmt"
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

// Whichever operation of the disk fails, the run ends with an error, readers see each row at most once, and after the next
// run exactly once, with nothing left over.
func TestEveryFailureOfADir(t *testing.T) {
	inputs := []string{"0", "1", "2"}
	seen := make(map[string]int)
	for n := int64(1); ; n++ {
		root := filepath.Join(t.TempDir(), "out")
		restore := failAt(n, false)
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
		case err == nil && (op == "link" || op == "remove"):
			// There are file systems without links, and another way for them. A temporary file that could not be
			// removed is left to the next run, once what it became is there.
			once(t, root, 300)
		default:
			t.Fatalf("operation %d, %s, fails: got %v", n, op, err)
		}
		again(t, root, inputs, fmt.Sprintf("operation %d, %s, fails", n, op))
	}
	for _, op := range []string{"create", "write", "read", "sync", "chmod", "close", "rename", "link", "remove", "mkdir", "write of a spill", "read of a spill"} {
		if seen[op] == 0 {
			t.Errorf("there was no %s", op)
		}
	}
}

// A kill ends a run between two operations of the disk or in the middle of a write: none after it is done, what cleans up
// neither. Wherever that is, and wherever the next run is killed too, readers see each row at most once, and the run after
// them leaves each exactly once, with nothing left over.
func TestKilledTwice(t *testing.T) {
	inputs := []string{"0", "1", "2"}
	for n := int64(1); ; n++ {
		root := filepath.Join(t.TempDir(), "out")
		restore := failAt(n, true)
		err := fillWithin(t, NewDir(root), inputs, 1)
		op := restore()
		if op == "" {
			break
		}
		if !errors.Is(err, errInjected) {
			t.Fatalf("killed at operation %d, %s: got %v", n, op, err)
		}
		once(t, root, -1)
		second := 1 + n%23 // a prime, so that most states meet most operations of Open
		restore = failAt(second, true)
		_ = fill(t, NewDir(root), inputs) // it may have had nothing left to do
		opOfSecond := restore()
		once(t, root, -1)
		again(t, root, inputs, fmt.Sprintf("killed at operation %d, %s, and then at operation %d, %q", n, op, second, opOfSecond))
	}
}

// again runs once more, which leaves each row exactly once and no temporary file.
func again(t *testing.T, root string, inputs []string, what string) {
	t.Helper()
	if err := fill(t, NewDir(root), inputs); err != nil {
		t.Fatalf("%s: then another run: %v", what, err)
	}
	once(t, root, 300)
	left, err := filepath.Glob(filepath.Join(root, schema.ManifestFolder, "*"+tempEnd))
	if err != nil || len(left) > 0 {
		t.Fatalf("%s: left behind: %q %v", what, left, err)
	}
}
