// Package oracle asks DuckDB and Trino whether flowlog computes what its SQL says. It is a module of its own, since it runs
// flowlog as users do and needs an engine that they do not.
//
//	random log → flowlog parse → Parquet → flowlog report          ─┐
//	                                     → flowlog sql → engine     ├─ the same rows in the same order
//	           → flowlog report ────────────────────────────────────┘
package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A bench is what reports are compared on.
type bench struct {
	*engine
	dir, flowlog, logs string
	parquet            string // a file of the logs
	random             *random
	rows               int // that were compared
	halved, refused    int // reports that were split with the engine, and could not be
}

// programs is a directory for what is built once for all tests.
var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "oracle"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(programs); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// build builds flowlog, and returns where it is.
var build = sync.OnceValues(func() (string, error) {
	program := filepath.Join(programs, "flowlog")
	if out, err := exec.Command("go", "build", "-C", "../..", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

// built is flowlog's program.
func built(t *testing.T) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func setUp(t *testing.T, e *engine, seed uint64) *bench {
	t.Helper()
	b := &bench{engine: e, dir: t.TempDir(), flowlog: built(t)}
	b.random = &random{Rand: rand.New(rand.NewPCG(seed, seed))}
	out, err := b.run("fields", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &b.random.fields); err != nil {
		t.Fatal(err)
	}
	b.data(t, 400)
	return b
}

// data makes new logs of several versions, and tables of them.
func (b *bench) data(t *testing.T, records int) {
	t.Helper()
	b.logs = filepath.Join(b.dir, "logs")
	if err := os.MkdirAll(b.logs, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{2, 3, 5, 6, 8, 11} {
		name := filepath.Join(b.logs, fmt.Sprintf("v%d.log", version))
		if err := os.WriteFile(name, []byte(b.random.log(version, records)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b.parquet = filepath.Join(b.dir, "flows.parquet")
	if _, err := b.run("parse", "-o", "parquet", "-O", b.parquet, b.logs); err != nil {
		t.Fatal(err)
	}
	b.fill(t, b)
}

// run runs flowlog. What it says in an error is the error.
func (b *bench) run(args ...string) ([]byte, error) {
	c := exec.Command(b.flowlog, args...)
	c.Env = append(os.Environ(), append(b.env, "FLOWLOG_CONFIG=none")...)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, errOut.String())
	}
	return out.Bytes(), nil
}

// errSkip is a report that one of the two cannot compute.
var errSkip = errors.New("")

// skips are what such reports are refused with.
var skips = []string{"counts flows, whose log_status is OK", "which these logs do not have", "the width of its bins", "only flowlog knows", "needs a MaxMind", "--by names", "has other words and lines",
	"that SQL does not know", "connections are learned from all records together", "a connection is made of several"}

// compare runs a report natively, by one worker on the logs and by eight on Parquet, and by the engine.
func (b *bench) compare(name string, changes ...string) error {
	native := func(workers, input string) (document, error) {
		return b.document(name, workers, append(slices.Clone(changes), input)...)
	}
	skip := func(err error) error {
		if slices.ContainsFunc(skips, func(s string) bool { return strings.Contains(err.Error(), s) }) {
			return fmt.Errorf("%w%s", errSkip, err)
		}
		return err
	}
	doc, err := native("1", b.logs)
	if err != nil {
		return skip(err)
	}
	again, err := native("8", b.parquet)
	if err != nil {
		return err
	}
	rows := doc.Rows
	if one, eight := fmt.Sprint(rows), fmt.Sprint(again.Rows); one != eight {
		return fmt.Errorf("one worker on text:\n%s\neight on Parquet:\n%s", one, eight)
	}
	table := b.random.pick(b.tables...)
	if b.engine.splits {
		if err := b.split(doc, table, name, changes...); err != nil {
			return skip(err)
		}
	}
	sql, err := b.run(append([]string{"sql", name, "--dialect", b.name, "--table", table}, changes...)...)
	if err != nil {
		if err = skip(err); b.engine.splits && errors.Is(err, errSkip) {
			return nil // it was compared, by halves
		}
		return err
	}
	got, err := b.query(strings.TrimSuffix(string(sql), ";\n"))
	if err != nil {
		return fmt.Errorf("%w\n%s", err, sql)
	}
	if err := same(rows, got, b.estimates); err != nil {
		return fmt.Errorf("%w\nflowlog:\n%s\n%s:\n%s\n%s", err, nativeText(rows, got.Columns), b.name, engineText(got), sql)
	}
	b.rows += len(rows)
	return nil
}

func nativeText(rows []map[string]any, columns []string) string {
	var b strings.Builder
	for _, row := range rows[:min(len(rows), 20)] {
		for _, c := range columns {
			fmt.Fprint(&b, row[c], "\t")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func engineText(a answer) string {
	var b strings.Builder
	fmt.Fprintln(&b, a.Columns)
	for _, row := range a.Rows[:min(len(a.Rows), 20)] {
		for _, v := range row {
			fmt.Fprint(&b, v, "\t")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// same says how rows differ. What only flowlog knows, the names of keys' values, is not compared, nor quantiles where
// they are estimates.
func same(rows []map[string]any, got answer, estimates bool) error {
	if len(rows) != len(got.Rows) {
		return fmt.Errorf("%d rows, and %d in the engine", len(rows), len(got.Rows))
	}
	for i, row := range rows {
		for j, c := range got.Columns {
			if estimates && quantile(c) {
				continue
			}
			if !equal(c, row[c], got.Rows[i][j]) {
				return fmt.Errorf("row %d: %s is %v, and %v in the engine", i, c, row[c], got.Rows[i][j])
			}
		}
		for c := range row {
			if !slices.Contains(got.Columns, c) && !strings.HasSuffix(c, "_name") && !strings.HasSuffix(c, "_names") && c != "malformed" {
				return fmt.Errorf("the engine has no column %s", c)
			}
		}
	}
	return nil
}

// quantile reports whether a column is one.
func quantile(column string) bool {
	return slices.ContainsFunc([]string{"p50_", "p90_", "p95_", "p99_"}, func(p string) bool { return strings.HasPrefix(column, p) })
}

func equal(column string, native, engine any) bool {
	n, ok1 := native.(json.Number)
	e, ok2 := engine.(json.Number)
	switch {
	case column == "malformed":
		return engine == nil
	case !ok1 || !ok2:
		return native == engine
	case quantile(column):
		v, err := strconv.ParseInt(e.String(), 10, 64)
		return err == nil && n.String() == strconv.FormatInt(bucketMiddle(v), 10)
	case n == e:
		return true
	}
	if !strings.ContainsAny(n.String()+e.String(), ".e") {
		return false
	}
	x, err1 := n.Float64()
	y, err2 := e.Float64()
	return err1 == nil && err2 == nil && math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y))
}

// bucketMiddle is what flowlog reports for a quantile: numbers are counted in buckets that are 1/128 of their size
// wide.
func bucketMiddle(v int64) int64 {
	shift := max(bits.Len64(uint64(v))-8, 0)
	return v>>shift<<shift + 1<<shift/2
}

// check compares, and reports whether it could.
func (b *bench) check(t *testing.T, name string, changes ...string) bool {
	t.Helper()
	switch err := b.compare(name, changes...); {
	case errors.Is(err, errSkip):
		t.Logf("flowlog report %s %q: left out: %v", name, changes, err)
		return false
	case err != nil:
		t.Errorf("flowlog report %s %q:\n%v", name, changes, err)
	}
	return true
}

func (b *bench) catalog(t *testing.T) []string {
	t.Helper()
	out, err := b.run("reports", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var reports []struct{ Name string }
	if err := json.Unmarshal(out, &reports); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range reports {
		names = append(names, r.Name)
	}
	return names
}

// onlyHere reports whether a report is by what only flowlog knows.
func onlyHere(report string) bool {
	if report == "connections" || report == "long-connections" || report == "no-answer" {
		return true
	}
	return strings.Contains(report, "-geo") || strings.Contains(report, "-asn") || report == "services"
}

// Every report of the catalog.
func TestCatalog(t *testing.T) { testCatalog(t, duckDB(t)) }

func testCatalog(t *testing.T, e *engine) {
	b := setUp(t, e, 1)
	for i, name := range b.catalog(t) {
		changes := [][]string{{"--top", "3"}, {"--sort", "-flows"}, {"--every", "6h"}, {"--top", "0"}}
		if b.engine.slow { // all rows of each, and another change of each third
			changes = [][]string{changes[i%3], changes[3]}
		}
		for _, changes := range changes {
			compared := b.check(t, name, changes...) || b.check(t, name, append(changes, "--every", "2h")...)
			if b.engine.splits {
				compared = compared && !onlyHere(name)
			}
			if compared == onlyHere(name) {
				t.Errorf("%s: compared is %t", name, compared)
			}
		}
	}
	if b.engine.splits {
		t.Logf("%d reports were split with the engine too, %d could not be", b.halved, b.refused)
	}
}

// leastTried is how many random reports are tried on the slowest machine: fewer say nothing.
const leastTried = 20

// Random reports on random logs, for as long as $ORACLE_TIME says.
func TestRandomReports(t *testing.T) { testRandomReports(t, duckDB(t)) }

func testRandomReports(t *testing.T, e *engine) {
	budget := 10 * time.Second
	if s := os.Getenv("ORACLE_TIME"); s != "" {
		var err error
		if budget, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(20260514)
	if s := os.Getenv("ORACLE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	b := setUp(t, e, seed)
	names := slices.DeleteFunc(b.catalog(t), onlyHere)
	compared, tried := 0, 0
	failed := 0
	for end := time.Now().Add(budget); (tried < leastTried || time.Now().Before(end)) && failed < 5; tried++ {
		if tried%50 == 49 {
			b.data(t, 1+b.random.IntN(1000))
		}
		name, changes := b.random.pick(names...), b.random.change()
		if b.engine.splits {
			changes = b.random.localChange(changes)
		}
		switch err := b.compare(name, changes...); {
		case err == nil:
			compared++
		case !errors.Is(err, errSkip):
			failed++
			t.Errorf("flowlog report %s %q:\n%v", name, changes, err)
		default:
			t.Logf("flowlog report %s %q: left out: %v", name, changes, err)
		}
	}
	t.Logf("%d of %d random reports were compared, %d rows", compared, tried, b.rows)
	if b.engine.splits {
		t.Logf("%d were split with the engine too, %d could not be", b.halved, b.refused)
	}
	if compared < tried*3/4 || b.rows < compared {
		t.Errorf("%d of %d reports and %d rows are too few", compared, tried, b.rows)
	}
}
