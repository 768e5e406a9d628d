package cmd

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzBaseline reads any bytes as a baseline: an error says which file it is, and what is read is written so that the
// same is read again.
func FuzzBaseline(f *testing.F) {
	f.Add([]byte("{\"version\":1,\"findings\":[\n{\"id\":\"0a1b2c3d\",\"rule\":\"ssh-open\",\"what\":\"192.0.2.1 → 10.0.0.5\"},\n{\"id\":\"4e5f\",\"rule\":\"scan\",\"what\":\"\"}\n]}\n"))
	f.Add([]byte(`{"version":1,"findings":[{"id":"a","rule":"r","what":"x"},{"id":"a","rule":"s","what":"y"}]}`))
	f.Add([]byte(`{"version":1,"findings":null}`))
	f.Add([]byte(`{"version":2,"findings":[]}`))
	f.Add([]byte(`{"version":1,"findings":[{"id":`))
	f.Add([]byte(""))
	name := filepath.Join(f.TempDir(), "known.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := readBaseline(name)
		if err != nil {
			if b != nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v with error %v", b, err)
			}
			return
		}
		if n, err := b.write(new(console), nil); err != nil || n != len(b.known) {
			t.Fatalf("%d of %d were written: %v", n, len(b.known), err)
		}
		again, err := readBaseline(name)
		if err != nil || !maps.Equal(again.known, b.known) {
			t.Errorf("got %v, and then %v, %v", slices.Collect(maps.Values(b.known)), again, err)
		}
	})
}
