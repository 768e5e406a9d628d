package dataset

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowlog/parse/schema"
)

// age makes the manifest of a dataset one of format 1.
func age(t testing.TB, root string) {
	t.Helper()
	m, err := load(t.Context(), NewDir(root), nil)
	if err != nil || m == nil {
		t.Fatal(m, err)
	}
	folder := filepath.Join(root, schema.ManifestFolder)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "commits"), 0o777); err != nil {
		t.Fatal(err)
	}
	old := map[string]any{"format": 1, "partition_by": m.settings.PartitionBy, "where": m.settings.Where, "doc": "a dataset"}
	var columns []string
	for _, c := range m.settings.Columns {
		columns = append(columns, c.Name)
	}
	old["columns"] = columns
	write := func(name string, v any) {
		text, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("dataset.json", old)
	for _, c := range m.commits {
		write(fmt.Sprintf("commits/%06d.json", c.number), map[string]any{"inputs": c.Inputs, "files": c.Parts})
	}
	write("published", m.published)
	write("lock", "")
}

// A dataset of format 1 is gone on with wherever the run that changes its manifest dies, and no JSON is left.
func TestLegacy(t *testing.T) {
	for n := 0; ; n++ {
		root := filepath.Join(t.TempDir(), "out")
		if err := fill(t, NewDir(root), []string{"0", "1", "2"}); err != nil {
			t.Fatal(err)
		}
		age(t, root)
		err := fill(t, &mortal{Store: NewDir(root), left: n, late: n%2 == 1}, []string{"0", "1", "2", "3"})
		once(t, root, -1)
		if again := fill(t, NewDir(root), []string{"0", "1", "2", "3"}); again != nil {
			t.Fatalf("%d operations (%v), then another run: %v", n, err, again)
		}
		once(t, root, 400)
		_ = filepath.WalkDir(filepath.Join(root, schema.ManifestFolder), func(name string, d fs.DirEntry, _ error) error {
			if !d.IsDir() && filepath.Ext(name) != ".parquet" {
				t.Errorf("%d operations: %s is left", n, name)
			}
			return nil
		})
		if err == nil {
			break
		}
	}
}

// What is begun with all fields takes more of them later, and keeps what it has, in its kinds.
func TestExtend(t *testing.T) {
	root := filepath.Join(t.TempDir(), "out")
	computed := schema.Field{Name: "src_country", Kind: schema.Text, From: []string{"srcaddr"}}
	now := append(slices.Clone(fields), computed)
	asked := Settings{PartitionBy: []string{"date"}, Enrich: true}
	write := func(run schema.Table, fixed ...string) error {
		d, err := Open(t.Context(), NewDir(root), asked)
		if err != nil {
			return err
		}
		defer d.Close()
		columns, err := d.Extend(run, func(name string) bool { return slices.Contains(fixed, name) })
		if err != nil {
			return err
		}
		o := options(t, 1<<20, "date")
		o.Columns, o.Fields = columns.Names(), columns
		w, err := d.Begin(t.Context(), o)
		if err != nil {
			return err
		}
		_, err = w.Commit(t.Context(), []Input{{Name: strings.Join(columns.Names(), ",")}})
		return err
	}
	if err := write(now); err != nil {
		t.Fatal(err)
	}
	later := append(slices.Clone(now), schema.Field{Name: "new", Kind: schema.Text})
	if err := write(later); err != nil {
		t.Fatal(err)
	}
	newer := append(slices.Clone(now), schema.Field{Name: "new", Kind: schema.Int32}) // flowlog has learnt of it
	for _, run := range []schema.Table{now, newer, later[1:]} {
		d, err := Open(t.Context(), NewDir(root), asked)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := d.Extend(run, func(string) bool { return false })
		d.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := Columns(columns), Columns(later); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	table := schema.Field{Name: "src_net", Kind: schema.Text, From: []string{"srcaddr"}}
	for want, run := range map[string]schema.Table{
		"this one leaves out src_country":                  fields,
		"this one adds src_net":                            append(slices.Clone(now), table),
		"this one leaves out src_country and adds src_net": append(slices.Clone(fields), table),
	} {
		if err := write(run, "src_net"); err == nil || !strings.Contains(err.Error(), "another set of computed fields: "+want+";") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What one run finds to be other fields than that of the dataset is named, and nothing else.
func TestFieldsDiffer(t *testing.T) {
	have := Settings{PartitionBy: []string{"region"}, Fields: []string{"srcaddr", "region", "bytes"}}
	for want, fields := range map[string][]string{
		"": {"bytes", "srcaddr"},
		"another fields: this one leaves out bytes":                   {"srcaddr"},
		"another fields: this one leaves out bytes and adds packets":  {"srcaddr", "packets"},
		"another fields: srcaddr,region,bytes, not all":               nil,
		"another fields: this one leaves out srcaddr, bytes and adds": {"end", "start"},
	} {
		got := ""
		if err := have.agree(Settings{PartitionBy: []string{"region"}, Fields: fields}); err != nil {
			got = err.Error()
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%v: got %q, want %q", fields, got, want)
		}
	}
}

// A manifest that somebody has damaged is an error, not a panic and not an empty dataset.
func TestDamagedManifest(t *testing.T) {
	root := filepath.Join(t.TempDir(), "out")
	if err := fill(t, NewDir(root), []string{"0", "1"}); err != nil {
		t.Fatal(err)
	}
	commit := filepath.Join(root, manifestFolder([]string{"date"}), fmt.Sprintf(commitForm, 1))
	content, err := os.ReadFile(commit)
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range [][]byte{nil, content[:len(content)/2], []byte("{}"), slices.Concat(content[:20], content[40:])} {
		if err := os.WriteFile(commit, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := fill(t, NewDir(root), []string{"0", "1"}); err == nil || !strings.Contains(err.Error(), "commit-000001.parquet") {
			t.Errorf("%d bytes: %v", len(damaged), err)
		}
	}
	if n := len(slices.Collect(maps.Keys(files(t, root)))); n != 3 {
		t.Errorf("%d files", n)
	}
}
