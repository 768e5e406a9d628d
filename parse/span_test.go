package parse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// onDisk is a source of one object that can be read anywhere and says its size, as files can.
type onDisk struct{ content string }

func (s onDisk) Objects(context.Context) iter.Seq2[Object, error] {
	dir := fstest.MapFS{"test.log": {Data: []byte(s.content)}}
	return func(yield func(Object, error) bool) {
		yield(Object{Name: "test.log", Size: int64(len(s.content)), Open: func(context.Context) (io.ReadCloser, error) { return dir.Open("test.log") }}, nil)
	}
}

// A file is read in spans, a stream in blocks: the records and what is said of them are the same.
func TestSpans(t *testing.T) {
	long := strings.Repeat("x", 3*spanSlack)
	for name, content := range map[string]string{
		"records":         header + strings.Repeat(records, 40),
		"no last newline": header + records + strings.TrimSuffix(records, "\n"),
		"blank lines":     "\n \n" + header + "\n\n\n" + strings.ReplaceAll(records, "\n", "\n\n\n\n"),
		"byte-order mark": "\ufeff" + header + records,
		"another header":  header + records + reorder(strings.Fields(header), records) + records,
		"malformed":       header + records + "bad\n" + records + "worse worse\n" + records,
		"long lines":      header + records + long + "\n" + records + long + " " + long + "\n" + long + "\n" + records,
		"a long last one": header + records + long,
		"only a header":   header,
	} {
		wantRows, wantStats := rowsOf(t, one(content), Options{})
		for _, workers := range []int{1, 8} {
			for _, size := range []int{5, 100, 1000, len(content) - 1} {
				var rejects strings.Builder
				rows, stats := rowsOf(t, onDisk{content}, Options{Workers: workers, BlockSize: size, Rejects: &rejects})
				name := fmt.Sprintf("%s with %d workers, spans of %d", name, workers, size)
				want(t, name, rows, wantRows)
				want(t, name+": problems", stats.Problems, wantStats.Problems)
				want(t, name+": counts", []int64{stats.Records, stats.Flows, stats.Malformed, stats.Bytes}, []int64{wantStats.Records, wantStats.Flows, wantStats.Malformed, int64(len(content))})
			}
		}
	}
}

// A file that cannot be read to its end has failed, and says so; its records so far are there.
func TestSpansThatCannotBeRead(t *testing.T) {
	content := header + strings.Repeat(records, 40)
	for _, size := range []int{64, 1000} {
		for name, message := range map[string]string{"shrinks": "the file became shorter while it was read", "breaks": "input/output error"} {
			rows, stats := rowsOf(t, brittle{content, name}, Options{BlockSize: size})
			if len(stats.Failed) != 1 || stats.Failed[0].Err.Error() != message {
				t.Errorf("%s: failed: %v, want %s", name, stats.Failed, message)
			}
			if n := strings.Count(content[:brittleAt], "\n") - 1; len(rows) != n {
				t.Errorf("%s, spans of %d: %d records, want %d", name, size, len(rows), n)
			}
		}
	}
}

// What was cut off may be whole spans, when those before were read already. Their records are missed no less.
func TestSpansThatAreGone(t *testing.T) {
	content := header + strings.Repeat(records, 40)
	for name, message := range map[string]string{"shrinks later": "the file became shorter while it was read", "breaks later": "input/output error"} {
		rows, stats := rowsOf(t, brittle{content, name}, Options{BlockSize: 500})
		if len(stats.Failed) != 1 || stats.Failed[0].Err.Error() != message {
			t.Errorf("%s: failed: %v, want %s; %d records", name, stats.Failed, message, len(rows))
		}
		if len(rows) == 0 || len(rows) >= 160 {
			t.Errorf("%s: %d records, want those before", name, len(rows))
		}
	}
}

const brittleAt = 2500

// brittle is a file that ends too early, or that breaks off: later, if reads that begin before that still get it all.
type brittle struct{ content, how string }

func (s brittle) Objects(context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		yield(Object{Name: "test.log", Open: func(context.Context) (io.ReadCloser, error) {
			f, err := fstest.MapFS{"f": {Data: []byte(s.content)}}.Open("f")
			return brittleFile{f, s.how}, err
		}}, nil)
	}
}

type brittleFile struct {
	fs.File
	how string
}

func (f brittleFile) ReadAt(p []byte, at int64) (int, error) {
	how, later := strings.CutSuffix(f.how, " later")
	if at+int64(len(p)) <= brittleAt || later && at < brittleAt {
		return f.File.(io.ReaderAt).ReadAt(p, at)
	}
	err := io.EOF
	if how == "breaks" {
		err = &fs.PathError{Op: "read", Path: "f", Err: errors.New("input/output error")}
	}
	if at >= brittleAt {
		return 0, err
	}
	n, _ := f.File.(io.ReaderAt).ReadAt(p[:brittleAt-at], at)
	return n, err
}

// A real file is closed when its last span was read.
func TestSpansCloseTheFile(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("there is no /proc/self/fd here to count open files in")
	}
	name := filepath.Join(t.TempDir(), "test.log")
	if err := os.WriteFile(name, []byte(header+strings.Repeat(records, 40)), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		rows, _ := rowsOf(t, Paths(nil, name), Options{BlockSize: 100})
		want(t, "records", len(rows), 160)
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); to == name {
			t.Errorf("%s is open still", name)
		}
	}
}
