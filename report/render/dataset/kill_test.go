package dataset

import (
	"path/filepath"
	"testing"

	"flowlog/parse/schema"
)

// Wherever a run ends among the operations of the disk, and the next one too, the run after them leaves each row once and
// no temporary file: a kill ends a run between two operations, or in the middle of a write.
func TestKilledTwice(t *testing.T) {
	inputs := []string{"0", "1", "2"}
	deaths := 0
	for n := int64(1); ; n++ {
		root := filepath.Join(t.TempDir(), "out")
		restore := failAt(n, true)
		err := fillWithin(t, NewDir(root), inputs, 1)
		if restore() == "" {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		deaths++
		restore = failAt(1+n%23, true)
		_ = fill(t, NewDir(root), inputs)
		second := restore()
		once(t, root, -1)
		if err := fill(t, NewDir(root), inputs); err != nil {
			t.Fatalf("ended at operation %d, then at %d (%q): then another run: %v", n, 1+n%23, second, err)
		}
		once(t, root, 300)
		left, err := filepath.Glob(filepath.Join(root, schema.ManifestFolder, "*"+tempEnd))
		if err != nil || len(left) > 0 {
			t.Fatalf("ended at operation %d, then at %d (%q): left behind: %q %v", n, 1+n%23, second, left, err)
		}
	}
	t.Logf("%d deaths", deaths)
}
