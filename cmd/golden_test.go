package cmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flowlog/cmd"
	"flowlog/report"
	"flowlog/report/render"
)

// goldens compares outputs with files in testdata/golden.
type goldens struct {
	prefix string
	seen   []string
}

// expect notes that a golden belongs to a test, whether -run has it run or not.
func (g *goldens) expect(name string) { g.seen = append(g.seen, g.prefix+name) }

// check compares an output with its golden, or with -update makes it the golden.
func (g *goldens) check(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("../testdata/golden", g.prefix+name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v; go test ./cmd -update writes it", err)
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// finish complains about goldens that no test expects, or with -update removes them.
func (g *goldens) finish(t *testing.T) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../testdata/golden", g.prefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if slices.Contains(g.seen, filepath.Base(path)) {
			continue
		}
		if !*update {
			t.Errorf("%s belongs to no report; go test ./cmd -update removes it", path)
		} else if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// seconds is the only thing in an output that depends on the time.
var seconds = regexp.MustCompile(`"seconds": [0-9.e+-]+`)

// pageParts are what is the same in every page: its style and script, and the outlines of the world.
var pageParts = regexp.MustCompile(`(?s)(<style>).*(</style>)|(<script>).*(</script>)|(&#39;sha256-)[^&]*(&#39;)|(<g id="world">).*?(</g>)`)

// pages are the reports whose pages are goldens: one for each kind of chart.
var pages = []string{"summary", "talkers", "actions", "timeline", "protocol-timeline", "heatmap", "src-geo"}

// TestGoldenReports has every report of the catalog, and what report prints without a name, in every text
// format. The logs are those of testdata/logs that are plain files: together they have all fields.
func TestGoldenReports(t *testing.T) {
	g := goldens{prefix: "report-"}
	logs, err := filepath.Glob("../testdata/logs/*.log")
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	names := append([]string{"overview"}, report.Names()...)
	for _, name := range names {
		for _, f := range render.Formats {
			if f.Binary || f.Columns == render.NoColumns || f.Single && name == "overview" || f.Charts == render.Always && !slices.Contains(pages, name) {
				continue
			}
			g.expect(name + "." + f.Name)
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				args := []string{"report", name}
				if name == "overview" {
					args = args[:1]
				}
				if name != "summary" { // which has one row
					args = append(args, "--top", "5")
				}
				args = append(args, "-o", f.Name, "--city-db", "../testdata/geo/city.mmdb", "--asn-db", "../testdata/geo/asn.mmdb")
				got := []byte(cmd.Invoke(append(args, logs...)...).Exits(t, 0))
				got = seconds.ReplaceAll(got, []byte(`"seconds": 0`))
				got = pageParts.ReplaceAll(got, []byte("$1$2$3$4$5$6$7$8"))
				g.check(t, name+"."+f.Name, got)
			})
		}
	}
	if !t.Failed() {
		g.finish(t)
	}
}

// TestGoldenRecords has a few records of every version of flow logs in every text format. What is written in a
// binary format must read back as the same records.
func TestGoldenRecords(t *testing.T) {
	g := goldens{prefix: "parse-"}
	logs, err := filepath.Glob("../testdata/logs/v*.log")
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	logs = append(logs, "../testdata/logs/headerless.log")
	for _, path := range logs {
		name := strings.TrimSuffix(filepath.Base(path), ".log")
		few := fewRecords(t, path)
		parsed := func(t *testing.T, logs []byte, format string) []byte {
			t.Helper()
			return []byte(cmd.InvokeWith(bytes.NewReader(logs), "parse", "-o", format).Exits(t, 0))
		}
		ndjson := parsed(t, few, "ndjson")
		for _, f := range render.Formats {
			if f.Columns == render.NoColumns {
				continue
			}
			if !f.Binary {
				g.expect(name + "." + f.Name)
			}
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				got := pageParts.ReplaceAll(parsed(t, few, f.Name), []byte("$1$2$3$4$5$6$7$8"))
				if !f.Binary {
					g.check(t, name+"."+f.Name, got)
					return
				}
				if got := parsed(t, got, "ndjson"); !bytes.Equal(got, ndjson) {
					t.Errorf("read back from %s: got\n%s\nwant\n%s", f.Name, got, ndjson)
				}
			})
		}
	}
	if !t.Failed() {
		g.finish(t)
	}
}

// fewRecords returns the header of a log, if it has one, with three of its records and the first that is not OK
// of each kind.
func fewRecords(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(bytes.Lines(content))
	var few []byte
	for _, i := range []int{0, 1, len(lines) / 3, len(lines) / 2} {
		few = append(few, lines[i]...)
	}
	for _, what := range []string{"REJECT", "NODATA", "SKIPDATA"} {
		i := slices.IndexFunc(lines, func(line []byte) bool { return slices.Contains(strings.Fields(string(line)), what) })
		if i >= 0 && !bytes.Contains(few, lines[i]) {
			few = append(few, lines[i]...)
		}
	}
	return few
}
