package disk

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file of exactly as many bytes as are read is whole; one more is an error, and no part is taken for all of it.
func TestReadBound(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	for _, size := range []int{0, 1, 4095, 4096} {
		content := bytes.Repeat([]byte("x"), size)
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(name, int64(size)); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes of %d: got %d, %v", size, size, len(got), err)
		}
		if size == 0 {
			continue
		}
		_, err := Read(name, int64(size)-1)
		if path := (*fs.PathError)(nil); !errors.As(err, &path) || !strings.Contains(err.Error(), "is larger than") {
			t.Errorf("%d bytes of %d: got %v", size-1, size, err)
		}
	}
}

// A file that grows while it is read is bounded too.
func TestReadGrowing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("1234"), 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := Open(name, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), 1000), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the error stays
		if _, err = io.ReadAll(r); err == nil || !strings.Contains(err.Error(), "is larger than 10 B") {
			t.Errorf("got %v", err)
		}
	}
}

func TestReadKinds(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{dir: "is a directory", filepath.Join(dir, "nowhere"): "nowhere: "} {
		if _, err := Read(name, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", name, err)
		}
		if err := Regular(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Read(filepath.Join(dir, "nowhere"), 10); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
