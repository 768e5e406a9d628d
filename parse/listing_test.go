package parse

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowlog/parse/schema"
)

// A directory that cannot be read is told as a listing that is not whole, and the others are read.
func TestDirectoryThatCannotBeListed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/1.log", "b/2.log", "c/3.log"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("srcaddr\n10.0.0.1\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	lost := filepath.Join(dir, "b")
	check := func(t *testing.T, src Source, lose func() error) {
		var names []string
		listings := 0
		for o, err := range src.Objects(context.Background()) {
			var listing *ListingError
			switch {
			case errors.As(err, &listing):
				listings++
				want(t, "what was not listed", o.Name, lost)
				want(t, "message", strings.HasSuffix(ObjectError{Object: o.Name, Err: err}.Error(), "; how many objects are missing is not known"), true)
			case err != nil:
				t.Error(o.Name, err)
			default:
				names = append(names, filepath.Base(o.Name))
			}
			if lose != nil {
				if err := lose(); err != nil {
					t.Fatal(err)
				}
				lose = nil
			}
		}
		want(t, "listings, files", []any{listings, names}, []any{1, []string{"1.log", "3.log"}})
	}
	t.Run("forbidden", func(t *testing.T) {
		if err := os.Chmod(lost, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(lost, 0o777) })
		if _, err := os.ReadDir(lost); err == nil {
			t.Skip("this user may read every directory")
		}
		check(t, Paths(nil, dir), nil)
		check(t, Paths(nil, filepath.Join(dir, "*", "*.log")), nil)
		check(t, Paths(nil, filepath.Join(dir, "**", "*.log")), nil)
	})
	t.Run("gone", func(t *testing.T) { check(t, Paths(nil, dir), func() error { return os.RemoveAll(lost) }) })
	p, err := schema.Logged().Project("srcaddr")
	if err != nil {
		t.Fatal(err)
	}
	src := Paths(nil, dir)
	stats, err := Scan(context.Background(), src, p, Options{}, func(schema.Batch) error { return nil })
	if err != nil || len(stats.Failed) > 0 {
		t.Error(err, stats.Failed) // what is not there when listing begins is not missing
	}
}
