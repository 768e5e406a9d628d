package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowlog/parse/schema"
)

// inMemory is a store of which only what a reader of the manifest asks for is there: files by their names.
type inMemory struct {
	Store
	files map[string][]byte
}

func (m inMemory) List(_ context.Context, folder string) (names []string, err error) {
	for name := range m.files {
		if rest, ok := strings.CutPrefix(name, folder+"/"); ok {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (m inMemory) Read(_ context.Context, name string) ([]byte, error) {
	content, ok := m.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return content, nil
}

// documentsOf writes a dataset and returns the files of its manifest, by their names in the dataset.
func documentsOf(tb testing.TB) map[string][]byte {
	tb.Helper()
	root := filepath.Join(tb.TempDir(), "out")
	if err := fill(tb, NewDir(root), []string{"0", "1", "2"}); err != nil {
		tb.Fatal(err)
	}
	all := make(map[string][]byte)
	names, err := NewDir(root).List(tb.Context(), schema.ManifestFolder)
	for _, name := range names {
		name = path.Join(schema.ManifestFolder, name)
		if all[name], err = NewDir(root).Read(tb.Context(), name); err != nil {
			break
		}
	}
	if err != nil || len(all) < 4 { // settings, two commits, the number of what is published
		tb.Fatal(slices.Collect(maps.Keys(all)), err)
	}
	return all
}

// readable reads the manifest of the store as a reader and as a writer do. An error names a file of the manifest;
// without one, no part lies outside of the dataset.
func readable(t *testing.T, store inMemory) {
	t.Helper()
	commits, open, err := Read(t.Context(), store)
	m, loadErr := load(t.Context(), store, nil)
	if (err == nil) != (loadErr == nil) {
		t.Fatalf("to read: %v, to load: %v", err, loadErr)
	}
	if err != nil {
		if !strings.Contains(err.Error(), "manifest") && !strings.Contains(err.Error(), schema.ManifestFolder) {
			t.Errorf("the error does not say where: %v", err)
		}
		return
	}
	if m == nil {
		t.Fatal("there is no dataset any more")
	}
	parts := open
	for _, c := range commits {
		parts = append(parts, c.Parts...)
	}
	for _, p := range parts {
		if !fs.ValidPath(p.Name) {
			t.Errorf("%q is a file of the dataset", p.Name)
		}
	}
}

// A document with damaged bytes is an error.
func FuzzDocument(f *testing.F) {
	documents := documentsOf(f)
	names := slices.Sorted(maps.Keys(documents))
	for i, name := range names {
		f.Add(i, documents[name], 40, byte(1))
		f.Add(i, documents[name], len(documents[name])-6, byte(128)) // the length of the metadata
	}
	f.Fuzz(func(t *testing.T, which int, content []byte, at int, flip byte) {
		content = bytes.Clone(content)
		if len(content) > 0 {
			content[uint(at)%uint(len(content))] ^= flip
		}
		store := inMemory{files: maps.Clone(documents)}
		store.files[names[uint(which)%uint(len(names))]] = content
		readable(t, store)
	})
}

// Documents that are whole may say anything.
func FuzzManifest(f *testing.F) {
	documents := documentsOf(f)
	texts := make(map[string]string)
	var folder string
	for name, content := range documents {
		var text json.RawMessage
		if err := decode(content, &text); err != nil {
			f.Fatal(err)
		}
		texts[path.Base(name)], folder = string(text), path.Dir(name)
	}
	commit := texts["commit-000001.parquet"]
	f.Add(texts[settingsFile], commit, texts[publishedFile])
	f.Add(`{"format":99}`, commit, `{"commits":1}`)
	f.Add(`{"partition_by":["date","date","../x"],"columns":[{"name":"a","kind":77},{}]}`, `{"files":[{"name":"../../x"},{"name":"/etc/x"},{}]}`, `{"commits":-1}`)
	f.Add(`null`, `{"inputs":null,"files":null}`, `{"commits":9223372036854775807}`)
	columns := Columns(fields)
	f.Fuzz(func(t *testing.T, settings, commit, published string) {
		store := inMemory{files: make(map[string][]byte)}
		for name, text := range map[string]string{settingsFile: settings, "commit-000001.parquet": commit, publishedFile: published} {
			content, err := encode(json.RawMessage(text), columns)
			if err != nil {
				return // no JSON: FuzzLegacy has that
			}
			store.files[path.Join(folder, name)] = content
		}
		readable(t, store)
	})
}

// The same of the manifest of format 1, which is text.
func FuzzLegacy(f *testing.F) {
	root := filepath.Join(f.TempDir(), "out")
	if err := fill(f, NewDir(root), []string{"0", "1"}); err != nil {
		f.Fatal(err)
	}
	age(f, root)
	text := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(root, schema.ManifestFolder, name))
		if err != nil {
			f.Fatal(err)
		}
		return content
	}
	f.Add(text(legacySettings), text("commits/000001.json"), text(legacyPublished))
	f.Add([]byte(`{"format":2}`), []byte(`{}`), []byte("0"))
	f.Add([]byte(`{"format":1,"columns":["",null]}`), []byte(`{"files":[{"name":"../x"}]}`), []byte("-"))
	f.Fuzz(func(t *testing.T, settings, commit, published []byte) {
		readable(t, inMemory{files: map[string][]byte{
			path.Join(schema.ManifestFolder, legacySettings):        settings,
			path.Join(schema.ManifestFolder, "commits/000001.json"): commit,
			path.Join(schema.ManifestFolder, legacyPublished):       published,
		}})
	})
}

// FuzzSeal publishes and discards whatever a manifest calls a seal: nothing but a file that is being written moves.
func FuzzSeal(f *testing.F) {
	for _, seal := range []string{"1234" + tempEnd, "", ".", "..", "/", "../out", "x/y" + tempEnd, settingsFile, "kept", `{"ID":"x"}`, "\x00" + tempEnd} {
		f.Add("date=2026-05-14/part-000001-0001.parquet", seal)
	}
	root := filepath.Join(f.TempDir(), "out")
	f.Fuzz(func(t *testing.T, name, seal string) {
		if !fs.ValidPath(name) || len(name) > 200 {
			return // read refuses such a manifest
		}
		if err := os.RemoveAll(root); err != nil {
			t.Fatal(err)
		}
		store := NewDir(root)
		kept := path.Join(schema.ManifestFolder, "kept")
		if err := store.Write(t.Context(), kept, []byte("x"), true); err != nil {
			t.Fatal(err)
		}
		for _, do := range []func(context.Context, string, string) error{store.Publish, store.Discard} {
			_ = do(t.Context(), name, seal) // there is no such file, so that it is an error or does nothing
			if content, err := store.Read(t.Context(), kept); err != nil || string(content) != "x" {
				t.Fatalf("%q as %q: the manifest has lost a file: %v", seal, name, err)
			}
		}
	})
}
