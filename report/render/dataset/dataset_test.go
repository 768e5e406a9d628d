package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/parquet-go/parquet-go"

	"flowlog/parse/schema"
)

var fields = schema.Table{
	{Name: "packets", Kind: schema.Int64}, {Name: "end", Kind: schema.Time}, {Name: "account_id", Kind: schema.Text},
	{Name: "region", Kind: schema.Text}, {Name: "srcaddr", Kind: schema.Addr}, {Name: "dstport", Kind: schema.Int32},
	{Name: "vpc_id", Kind: schema.Text}, // always null
}

const day = 1778716800 // 2026-05-14

// batch makes a batch of rows, numbered from first by packets.
func batch(seq int64, first, n int, seed uint64) schema.Batch {
	r := rand.New(rand.NewPCG(seed, uint64(first)))
	columns := make([]*schema.Column, len(fields))
	for i, f := range fields {
		columns[i] = schema.NewColumn(f)
	}
	for row := range n {
		columns[0].Append(int64(first + row))
		if r.IntN(20) == 0 {
			columns[1].Null()
		} else {
			columns[1].Append(int64(day + r.IntN(2*86400)/60*60)) // many are of the same second
		}
		for i, values := range [][]string{{"123456789012", "000000000001", ""}, {"us-east-1", "eu-west-1", "../a/b=%"}} {
			if v := values[r.IntN(3)]; v != "" {
				columns[2+i].Text(v)
			} else {
				columns[2+i].Null()
			}
		}
		columns[4].Addr = append(columns[4].Addr, [16]byte{15: byte(r.IntN(9))})
		columns[5].Append(int64(r.IntN(60000)))
	}
	columns[6].Pad(n)
	arrays := make([]arrow.Array, len(columns))
	for i, c := range columns {
		arrays[i] = c.Array()
	}
	return schema.Batch{Record: array.NewRecord(fields.Arrow(), arrays, int64(n)), Seq: seq}
}

func options(t testing.TB, memory int64, keys ...string) Options {
	t.Helper()
	by, err := ParseKeys(keys)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Keys: by, Fields: fields, Columns: []string{"packets", "end", "srcaddr", "dstport", "vpc_id"}, FileSize: 1 << 20, Memory: memory, Workers: 2}
}

func settings(o Options) Settings {
	s := Settings{Fields: o.Columns}
	for _, k := range o.Keys {
		s.PartitionBy = append(s.PartitionBy, k.Name)
	}
	return s
}

// files returns the content of the files that readers see.
func files(t testing.TB, root string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == schema.ManifestFolder {
				return fs.SkipDir
			}
			return err
		}
		content, err := os.ReadFile(name)
		all[filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator)))] = string(content)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

type row struct {
	Packets int64  `parquet:"packets"`
	End     *int64 `parquet:"end"`
}

func read(t testing.TB, name, content string) []row {
	t.Helper()
	rows, err := parquet.Read[row](strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(name, err)
	}
	return rows
}

// In memory or on disk, one worker or many, whatever comes first: the same records make the same files, sorted, each
// record once and in its folder.
func TestSameFiles(t *testing.T) {
	const batches, size = 30, 700
	var first map[string]string
	for _, memory := range []int64{1 << 30, 500_000, 1} {
		root := filepath.Join(t.TempDir(), "out")
		o := options(t, memory, "date", "account_id", "region")
		d, err := Open(t.Context(), NewDir(root), settings(o))
		if err != nil {
			t.Fatal(err)
		}
		w, err := d.Begin(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, part := range [][]int{rand.Perm(batches)[:batches/2], nil} {
			if part == nil {
				break
			}
			rest := slices.DeleteFunc(rand.Perm(batches), func(i int) bool { return slices.Contains(part, i) })
			for _, seqs := range [][]int{part, rest} {
				all.Go(func() {
					for _, i := range seqs {
						if err := w.Add(batch(int64(i), i*size, size, 7)); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		all.Wait()
		if spilled := w.spilled != nil; spilled != (memory < 1<<30) {
			t.Errorf("memory %d: spilled %v", memory, spilled)
		}
		parts, err := w.Commit(t.Context(), []Input{{Name: "a"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		got := files(t, root)
		if len(parts) != len(got) || len(got) != 3*3*3 {
			t.Errorf("memory %d: %d files, %d said, want 27", memory, len(got), len(parts))
		}
		if first == nil {
			first = got
		} else if !maps.Equal(first, got) {
			t.Errorf("memory %d: the files are others than with much memory", memory)
		}
		seen := make(map[int64]bool)
		for name, content := range got {
			last := row{}
			for i, r := range read(t, name, content) {
				if seen[r.Packets] {
					t.Fatalf("%s: row %d is there twice", name, r.Packets)
				}
				seen[r.Packets] = true
				date := "date=" + schema.NullPartition
				if r.End != nil {
					date = fmt.Sprintf("date=2026-05-%d", 14+(*r.End-day)/86400)
				}
				if !strings.HasPrefix(name, date+"/account_id=") {
					t.Fatalf("%s: has a row of %s", name, date)
				}
				if i > 0 && r.End != nil && (*r.End < *last.End || *r.End == *last.End && r.Packets < last.Packets) {
					t.Fatalf("%s: row %d is out of order", name, i)
				}
				last = r
			}
		}
		if len(seen) != batches*size {
			t.Errorf("memory %d: %d rows, want %d", memory, len(seen), batches*size)
		}
	}
	if _, ok := first["date=2026-05-14/account_id="+schema.NullPartition+"/region=..%2Fa%2Fb%3D%25/part-000001-0001.parquet"]; !ok {
		t.Errorf("no folder for what has no account: %q", slices.Sorted(maps.Keys(first)))
	}
}

// Files end at about the size that was asked for.
func TestFileSize(t *testing.T) {
	root := t.TempDir()
	o := options(t, 1<<30, "date")
	o.Columns = []string{"packets", "end", "dstport"}
	d, err := Open(t.Context(), NewDir(root), settings(o))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	w, err := d.Begin(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if err := w.Add(batch(int64(i), i*20_000, 20_000, 3)); err != nil {
			t.Fatal(err)
		}
	}
	parts, err := w.Commit(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	full := 0
	for _, p := range parts {
		if p.Size > 3<<19 {
			t.Errorf("%s has %d bytes, want about %d", p.Name, p.Size, 1<<20)
		}
		if p.Size > 3<<18 {
			full++
		}
	}
	if full < 3 || full < len(parts)-3 { // the last one of each date, and that of no date, have what is left
		t.Errorf("%d of %d files are full", full, len(parts))
	}
}

// With little memory row groups are smaller, and fewer rows of each run are in memory while they are merged; the rows
// and their order stay.
func TestLittleMemory(t *testing.T) {
	rows := make(map[int64][]row)
	groups := make(map[int64]int)
	for _, memory := range []int64{1 << 30, 1 << 20} {
		root := t.TempDir()
		o := options(t, memory, "date")
		o.FileSize = 1 << 30
		d, err := Open(t.Context(), NewDir(root), settings(o))
		if err != nil {
			t.Fatal(err)
		}
		w, err := d.Begin(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 24 {
			if err := w.Add(batch(int64(i), i*20_000, 20_000, 3)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Commit(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		all := files(t, root)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			rows[memory] = append(rows[memory], read(t, name, all[name])...)
			p, err := parquet.OpenFile(strings.NewReader(all[name]), int64(len(all[name])))
			if err != nil {
				t.Fatal(err)
			}
			groups[memory] = max(groups[memory], len(p.RowGroups()))
		}
	}
	if !slices.EqualFunc(rows[1<<30], rows[1<<20], func(a, b row) bool {
		return a.Packets == b.Packets && (a.End == nil) == (b.End == nil) && (a.End == nil || *a.End == *b.End)
	}) {
		t.Errorf("%d and %d rows, which are not the same", len(rows[1<<30]), len(rows[1<<20]))
	}
	if groups[1<<30] != 1 || groups[1<<20] < 2 {
		t.Errorf("row groups by memory: %v", groups)
	}
	for memory, want := range map[int64]int{1: leastMergeRows, 16 << 20: 1024, 1 << 30: mergeRows} {
		if got := (Options{Memory: memory}).mergeRows(); got != want {
			t.Errorf("%d bytes: %d rows of each run, want %d", memory, got, want)
		}
	}
}

// errKilled is what a dead process gets.
var errKilled = errors.New("killed")

// mortal is a store whose process dies after some operations: nothing works from then on, and if late is set, the one
// that it dies in is done but nobody hears of it.
type mortal struct {
	Store
	mu   sync.Mutex
	left int
	late bool
}

func (m *mortal) do(f func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left--; m.left < 0 {
		if m.left == -1 && m.late {
			_ = f()
		}
		return errKilled
	}
	return f()
}

func (m *mortal) List(ctx context.Context, folder string) (names []string, err error) {
	err = m.do(func() error { names, err = m.Store.List(ctx, folder); return err })
	return names, err
}
func (m *mortal) Read(ctx context.Context, name string) (content []byte, err error) {
	err = m.do(func() error { content, err = m.Store.Read(ctx, name); return err })
	return content, err
}
func (m *mortal) Write(ctx context.Context, name string, content []byte, mustBeNew bool) error {
	return m.do(func() error { return m.Store.Write(ctx, name, content, mustBeNew) })
}
func (m *mortal) Create(ctx context.Context, name string) (f File, err error) {
	err = m.do(func() error { f, err = m.Store.Create(ctx, name); return err })
	return &mortalFile{f, m}, err
}
func (m *mortal) Publish(ctx context.Context, name, seal string) error {
	return m.do(func() error { return m.Store.Publish(ctx, name, seal) })
}
func (m *mortal) Remove(ctx context.Context, name string) error {
	return m.do(func() error { return m.Store.Remove(ctx, name) })
}
func (m *mortal) Discard(ctx context.Context, name, seal string) error {
	return m.do(func() error { return m.Store.Discard(ctx, name, seal) })
}
func (m *mortal) Sweep(ctx context.Context, seals []string) error {
	return m.do(func() error { return m.Store.Sweep(ctx, seals) })
}

type mortalFile struct {
	File
	m *mortal
}

func (f *mortalFile) Seal() (seal string, err error) {
	err = f.m.do(func() error { seal, err = f.File.Seal(); return err })
	return seal, err
}
func (f *mortalFile) Discard() error { return f.m.do(f.File.Discard) }

// fill brings the inputs into the dataset that are not there, a commit for each two.
func fill(t testing.TB, store Store, inputs []string) error {
	return fillWithin(t, store, inputs, 50_000)
}

// fillWithin is fill with some memory.
func fillWithin(t testing.TB, store Store, inputs []string, memory int64) error {
	o := options(t, memory, "date")
	d, err := Open(t.Context(), store, settings(o))
	if err != nil {
		return err
	}
	defer d.Close()
	for pair := range slices.Chunk(inputs, 2) {
		w, err := d.Begin(t.Context(), o)
		if err != nil {
			return err
		}
		var new []Input
		for i, name := range pair {
			if _, done := d.Done(name); done {
				continue
			}
			var n int
			if _, err := fmt.Sscan(name, &n); err != nil {
				t.Fatal(err)
			}
			if err := w.Add(batch(int64(i), n*100, 100, 5)); err != nil {
				return err
			}
			new = append(new, Input{Name: name})
		}
		if len(new) == 0 {
			if err := w.Discard(); err != nil {
				return err
			}
			continue
		}
		if _, err := w.Commit(t.Context(), new); err != nil {
			return err
		}
	}
	return nil
}

// Wherever a run dies, readers see each row at most once, and after the next run exactly once, with nothing left over.
func TestDeath(t *testing.T) {
	inputs := []string{"0", "1", "2", "3", "4"}
	for _, late := range []bool{false, true} {
		deaths := 0
		for n := 0; ; n++ {
			root := filepath.Join(t.TempDir(), "out")
			err := fill(t, &mortal{Store: NewDir(root), left: n, late: late}, inputs)
			if err == nil {
				break
			}
			deaths++
			if !errors.Is(err, errKilled) {
				t.Fatalf("%d operations: %v", n, err)
			}
			once(t, root, -1)
			// the next one dies too, a little later
			if err := fill(t, &mortal{Store: NewDir(root), left: 2 + n%5, late: late}, inputs); err != nil && !errors.Is(err, errKilled) {
				t.Fatalf("%d operations, then %d: %v", n, 2+n%5, err)
			}
			once(t, root, -1)
			if err := fill(t, NewDir(root), inputs); err != nil {
				t.Fatalf("%d operations, then another run: %v", n, err)
			}
			once(t, root, 500)
			left, err := filepath.Glob(filepath.Join(root, schema.ManifestFolder, "*"+tempEnd))
			if err != nil || len(left) > 0 {
				t.Fatalf("%d operations: left behind: %q %v", n, left, err)
			}
		}
		if deaths < 20 {
			t.Errorf("died %d times only", deaths)
		}
	}
}

// once checks that no row is there twice, and how many there are, unless that is -1.
func once(t testing.TB, root string, want int) {
	t.Helper()
	seen := make(map[int64]bool)
	for name, content := range files(t, root) {
		for _, r := range read(t, name, content) {
			if seen[r.Packets] {
				t.Fatalf("%s: row %d is there twice", name, r.Packets)
			}
			seen[r.Packets] = true
		}
	}
	if want >= 0 && len(seen) != want {
		t.Fatalf("%d rows, want %d", len(seen), want)
	}
}

// A commit whose files somebody has removed before they appeared is taken back, and its inputs are read again.
func TestTakenBack(t *testing.T) {
	var root string
	inputs := []string{"0", "1", "2", "3"}
	for n := 0; ; n++ {
		if n > 100 {
			t.Fatal("there is no commit that is not published")
		}
		root = filepath.Join(t.TempDir(), "out")
		if err := fill(t, &mortal{Store: NewDir(root), left: n}, inputs); err == nil {
			t.Fatal("it never died between a commit and its files")
		}
		commits, _ := filepath.Glob(filepath.Join(root, manifestFolder([]string{"date"}), "commit-*"))
		if len(commits) == 2 && len(files(t, root)) == 4 { // of the second, one of three has appeared
			break
		}
	}
	left, err := filepath.Glob(filepath.Join(root, schema.ManifestFolder, "*"+tempEnd))
	if err != nil || len(left) != 2 {
		t.Fatalf("%q %v", left, err)
	}
	if err := os.Remove(left[0]); err != nil {
		t.Fatal(err)
	}
	if err := fill(t, NewDir(root), inputs); err != nil {
		t.Fatal(err)
	}
	once(t, root, 400)
}

func TestOpen(t *testing.T) {
	root := t.TempDir()
	o := options(t, 1<<20, "date")
	d, err := Open(t.Context(), NewDir(root), settings(o))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), NewDir(root), settings(o)); err == nil || err.Error() != errOtherRun {
		t.Errorf("a second run: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	changes := []func(*Settings){
		func(s *Settings) { s.PartitionBy = []string{"date", "hour"} },
		func(s *Settings) { s.Fields = s.Fields[:2] },
		func(s *Settings) { s.Fields = nil },
		func(s *Settings) { s.Enrich = true },
		func(s *Settings) { s.Where = "bytes > 1" },
	}
	for _, change := range changes { // nothing was committed
		s := settings(o)
		change(&s)
		d, err := Open(t.Context(), NewDir(root), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := fill(t, NewDir(root), []string{"0"}); err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		s := settings(o)
		change(&s)
		var wrong *SettingsError
		if _, err := Open(t.Context(), NewDir(root), s); !errors.As(err, &wrong) {
			t.Errorf("other settings: %v", err)
		}
	}
	if d, err = Open(t.Context(), NewDir(root), settings(o)); err != nil {
		t.Errorf("after the errors: %v", err)
	} else {
		d.Close()
	}
	// where a store has no lock, what another run has begun anew is not mixed with
	anew := t.TempDir()
	if d, err = Open(t.Context(), NewDir(anew), settings(o)); err != nil {
		t.Fatal(err)
	}
	w, err := d.Begin(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	region := options(t, 1<<20, "region")
	if d2, err := Open(t.Context(), NewDir(anew), settings(region)); err != nil {
		t.Fatal(err)
	} else if _, err := d2.Begin(t.Context(), region); err != nil {
		t.Fatal(err)
	} else {
		d2.Close()
	}
	if err := w.Add(batch(0, 0, 100, 5)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), []Input{{Name: "0"}}); err == nil || err.Error() != errOtherRun {
		t.Errorf("settings of another run: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "mine"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), NewDir(other), settings(o)); !errors.Is(err, ErrNotOurs) {
		t.Errorf("a folder of somebody's: %v", err)
	}
	if left, _ := os.ReadDir(other); len(left) != 1 {
		t.Errorf("a folder of somebody's has %d files now", len(left))
	}
}

func TestKeys(t *testing.T) {
	for _, test := range []struct{ names, want string }{
		{"date", ""}, {"region,date,hour", ""},
		{"hour", "hour is that of a date, and would mix the days: say date,hour"},
		{"date,date", "date is named twice"},
		{"dat", "unknown partition \"dat\": did you mean date? `flowlog help partitions` lists them"},
	} {
		got := ""
		if _, err := ParseKeys(strings.Split(test.names, ",")); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.names, got, test.want)
		}
	}
	for _, test := range []struct{ value, want string }{
		{"", "region=" + schema.NullPartition}, {"us-east-1", "region=us-east-1"}, {"..", "region=.."},
		{"a/b\\c", "region=a%2Fb%5Cc"}, {"a b=%\x00é", "region=a%20b%3D%25%00%C3%A9"},
	} {
		if got := (Key{Name: "region"}).folder(test.value); got != test.want {
			t.Errorf("%q: got %q, want %q", test.value, got, test.want)
		}
	}
}
