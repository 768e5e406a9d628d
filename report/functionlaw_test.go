package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"flowlog/parse/schema"
)

// TestFunctions runs every function of the table in each form that a report can take. A function that lacks one fails by
// its name, whether the catalog uses it or not.
func TestFunctions(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(11, 16)), fewer(300))
	duck := startDuckDB(t, rows)
	for i := range functions {
		f := &functions[i]
		t.Run(f.name, func(t *testing.T) {
			if naiveFunctions[f.name] == nil {
				t.Fatalf("%s has no line in naiveFunctions", f.name)
			}
			t.Run("row", func(t *testing.T) { checkRow(t, f) })
			measures := measuresOf(t, f)
			reports := reportsOf(f, measures)
			var expected []string
			for _, r := range reports {
				expected = append(expected, result(naive(r, rows)))
			}
			same := func(form string, tables func(t *testing.T) []Table) {
				t.Run(form, func(t *testing.T) {
					for i, got := range tables(t) {
						if g := result(got); g != expected[i] {
							t.Errorf("%s by %v of %v:\n got %s\nwant %s", f.name, reports[i].Keys, reports[i].Measures, g, expected[i])
						}
					}
				})
			}
			same("each report alone", func(t *testing.T) []Table {
				var all []Table
				for _, r := range reports {
					all = append(all, table(t, r, rows))
				}
				return all
			})
			for _, workers := range []int{1, 4} {
				same(fmt.Sprintf("all reports, %d workers", workers), func(t *testing.T) []Table {
					tables, lacks, err := aggregate(t, reports, rows, workers, 20)
					if err != nil || len(lacks) > 0 {
						t.Fatal(lacks, err)
					}
					return tables
				})
			}
			same("spilled", func(t *testing.T) []Table { return spilled(t, reports, rows, 2, 60) })
			same("partial results", func(t *testing.T) []Table { return partials(t, reports, rows) })
			t.Run("size", func(t *testing.T) { checkSize(t, f, measures) })
			t.Run("buffered", func(t *testing.T) { checkBuffer(t, f) })
			t.Run("SQL", func(t *testing.T) { checkSQL(t, f, reports) })
			t.Run("DuckDB", func(t *testing.T) { checkDuckDB(t, f, duck, reports, rows) })
			t.Run("engine's rows", func(t *testing.T) { checkEngine(t, f, measures, rows) })
		})
	}
}

// checkRow checks that a function's row is whole.
func checkRow(t *testing.T, f *function) {
	ways := 0
	for _, way := range []bool{f.new != nil, f.parts != nil, f.input != nil} {
		if way {
			ways++
		}
	}
	wants := func(what string, ok bool) {
		if !ok {
			t.Errorf("%s: its row lacks %s", f.name, what)
		}
	}
	wants("one of new, parts and input", ways == 1)
	wants("of, for its parts", (f.parts != nil) == (f.of != nil))
	own, ok := sqlFunctions[f.name]
	wants("a line in sqlFunctions", ok)
	wants("its SQL, or why an engine does not know it", (own.of != nil) == (f.also == "" && f.input == nil) && (own.unknown != "") == (f.input != nil))
	wants("the SQL of what adds up its values", f.adds == "" || sqlFunctions[f.adds].of != nil)
	wants("view, for what it shares", (f.shares != "") == (f.view != nil))
	if f.new == nil {
		return
	}
	wants("rollup", f.rollup != 0)
	wants("buffer", f.buffer != 0)
	wants("adds, as it has decode", f.decode == nil || f.adds != "" || f.buckets)
	wants("decode, as engines send what can be merged", f.decode != nil || f.adds == "" && !f.buckets)
	wants("adds and decode, as its states are of fixed size", f.rollup != rollupAlways || f.decode != nil)
	wants("rollup that allows numbers to be merged", f.rollup != rollupNever || !isNumeric(f.new(nil, shapeGroups)))
	wants("buffer that allows numbers of values to be buffered", f.buffer != bufferNever || f.codes || !isNumeric(f.new(nil, shapeGroups)))
}

// lawFields has a field of each kind that randomRows sets.
var lawFields = map[schema.Kind]string{schema.Int32: "dstport", schema.Int64: "bytes", schema.Time: "start", schema.Addr: "dstaddr", schema.Text: "action"}

// measuresOf are measures of a function: of fields of every kind, or the one that the program has.
func measuresOf(t *testing.T, f *function) []Measure {
	t.Helper()
	var all []Measure
	parse := func(text string) {
		m, err := ParseMeasure(text, fields())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, m)
	}
	for _, kind := range f.kinds {
		if name := lawFields[kind]; name != "" {
			parse(f.name + "(" + name + ")")
		}
	}
	if f.pairs {
		parse(f.name + "(dstaddr+dstport)")
	}
	named := slices.Clone(measures)
	for _, r := range catalog {
		named = append(named, r.Measures...)
	}
	if i := slices.IndexFunc(named, func(m Measure) bool { return m.Func == f.name }); i >= 0 {
		all = append(all, named[i])
	}
	if len(all) == 0 {
		t.Fatalf("%s: its row has no kinds of fields, and no measure has its name: nothing can use it", f.name)
	}
	if f.new != nil {
		m := all[0]
		m.Name, m.Where = "some", where("action = REJECT")
		all = append(all, m)
	}
	return all
}

// reportsOf has reports with the measures of a function: of one group and of many, ranked and cut, of which some can be
// rolled up from others.
func reportsOf(f *function, measures []Measure) []Report {
	var all []Report
	for _, by := range []string{"", "protocol", "action", "srcaddr", "srcaddr dstport", "dstport srcport protocol action"} {
		r := Report{Name: f.name, Measures: measures}
		for _, name := range strings.Fields(by) {
			r.Keys = append(r.Keys, Key{Field: name})
		}
		all = append(all, r)
		if by != "" {
			r.Limit, r.Order = 2, measures[0].Name
			all = append(all, r)
		}
	}
	return all
}

// partials is the tables of partial results of three thirds of the rows.
func partials(t *testing.T, reports []Report, rows []row) []Table {
	t.Helper()
	m := new(Merger)
	for i, part := range [][]row{rows[:len(rows)/3], rows[len(rows)/3 : len(rows)/2], rows[len(rows)/2:]} {
		agg, err := NewAggregator(fields(), reports, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := agg.Add(schema.Batch{Record: newFeeder(agg.Projection()).record(t, part)}); err != nil {
			t.Fatal(err)
		}
		stats := statsOf(part)
		stats.Malformed = 1
		var file bytes.Buffer
		if err := agg.WritePartial(&file, stats, Request{}); err != nil {
			t.Fatal(err)
		}
		if err := m.Add(&file, strconv.Itoa(i), 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	tables, lacks, err := m.Tables(fields(), nil)
	if err != nil || len(lacks) > 0 {
		t.Fatal(lacks, err)
	}
	return tables
}

// checkSize checks that a state with many groups says that it takes memory.
func checkSize(t *testing.T, f *function, measures []Measure) {
	if f.new == nil {
		return
	}
	r := Report{Name: f.name, Keys: []Key{{Field: "bytes"}}, Measures: measures}
	agg, err := NewAggregator(fields(), []Report{r}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for i := range 2000 {
		n := strconv.Itoa(i)
		rows = append(rows, row{"bytes": n, "dstport": n, "start": n, "end": n, "dstaddr": "10.0.0.1", "action": "REJECT"})
	}
	if err := agg.Add(schema.Batch{Record: newFeeder(agg.Projection()).record(t, rows)}); err != nil {
		t.Fatal(err)
	}
	for _, b := range agg.workers[0].groupings[0].accs {
		if n := int64(len(rows)); b.state != nil && !b.derived && (b.state.size() < 8*n || b.state.size() > 1000*n) {
			t.Errorf("%s of %s: the state of %d groups says that it takes %d bytes", f.name, b.Field, n, b.state.size())
		}
	}
}

// checkBuffer checks that add takes from a backlog what it takes from a batch.
func checkBuffer(t *testing.T, f *function) {
	if f.new == nil || f.buffer == bufferNever {
		return
	}
	column := schema.NewColumn(schema.Field{Name: "dstport", Kind: schema.Int32})
	buffered := schema.NewColumn(schema.Field{Name: "buffered", Kind: schema.Int64})
	var ids []uint32
	var rows, order []int32
	for i := range int32(1000) {
		column.Int32 = append(column.Int32, i*i%1009)
		if i%3 > 0 {
			ids, rows, order = append(ids, uint32(i%7)), append(rows, i), append(order, int32(len(order)))
			buffered.Int64 = append(buffered.Int64, int64(i*i%1009))
		}
	}
	one, other := f.new(nil, shapeGroups), f.new(nil, shapeGroups)
	one.grow(7)
	other.grow(7)
	in := inputs{}
	if f.buffer == bufferValue {
		in.col = buffered.Array()
	}
	if err := one.add(ids, rows, inputs{col: column.Array()}); err != nil {
		t.Fatal(err)
	}
	if err := other.add(ids, order, in); err != nil {
		t.Fatal(err)
	}
	for g := range uint32(7) {
		want(t, f.name+" of buffered records", boxed(other.value(g)), boxed(one.value(g)))
	}
}

// engineFunctions are the functions of engines that flowlog's SQL may call. Their manuals have them: what is added here
// was looked up there.
var engineFunctions = map[string][]string{
	"":       strings.Fields("count sum min max cast nullif coalesce greatest row row_number"),
	"duckdb": strings.Fields("quantile_disc make_timestamp"),
	"trino":  strings.Fields("approx_percentile histogram to_base length bitwise_right_shift json_format try_cast arbitrary from_unixtime"),
	"athena": strings.Fields("approx_percentile histogram to_base length bitwise_right_shift json_format try_cast arbitrary from_unixtime"),
}

var calledInSQL = regexp.MustCompile(`\b([a-z][a-z0-9_]*)\(`)

// checkSQL checks that each dialect has the function, or refuses it by name, and runs DuckDB's if it is there.
func checkSQL(t *testing.T, f *function, reports []Report) {
	for _, d := range dialects {
		lacking := make(map[string]bool)
		for _, r := range reports {
			sql, err := SQL(&r, d, fields(), "flows")
			if err == nil && d.histogram != nil {
				var s *Split
				if s, err = NewSplit(r, d, fields(), "flows"); err == nil {
					sql += s.SQL
				}
			}
			if err != nil {
				t.Errorf("%s in %s: %v", f.name, d.Name, err)
				continue
			}
			for _, called := range calledInSQL.FindAllStringSubmatch(sql, -1) {
				if name := called[1]; !slices.Contains(engineFunctions[d.Name], name) && !slices.Contains(engineFunctions[""], name) {
					lacking[name] = true
				}
			}
		}
		for name := range lacking {
			t.Errorf("%s is %s in %s, which engineFunctions does not know", f.name, name, d.Name)
		}
	}
}

// duckDB is a process that runs queries on the rows.
type duckDB struct {
	in  *json.Encoder
	out *json.Decoder
}

type duckAnswer struct {
	Rows  [][]any
	Error string
}

// startDuckDB starts DuckDB with a table of the rows: nil if DUCKDB_PYTHON names no Python that has it.
func startDuckDB(t *testing.T, rows []row) *duckDB {
	t.Helper()
	python := os.Getenv("DUCKDB_PYTHON")
	if python == "" {
		return nil
	}
	c := exec.Command(python, filepath.Join("..", "testdata", "oracle", "run.py"))
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
	d := &duckDB{in: json.NewEncoder(in), out: json.NewDecoder(out)}
	d.out.UseNumber()
	var columns []string
	for _, f := range schema.Logged() {
		kind := "bigint"
		if f.Kind == schema.Text || f.Kind == schema.Addr {
			kind = "varchar"
		}
		columns = append(columns, `"`+f.Name+`" `+kind)
	}
	d.ask(t, "CREATE TABLE flows ("+strings.Join(columns, ", ")+")")
	var values []string
	for _, rec := range rows {
		var cells []string
		for _, f := range schema.Logged() {
			cell := "NULL"
			if v, ok := rec[f.Name]; ok {
				cell = quote(v)
			}
			cells = append(cells, cell)
		}
		values = append(values, "("+strings.Join(cells, ", ")+")")
	}
	d.ask(t, "INSERT INTO flows VALUES "+strings.Join(values, ", "))
	return d
}

func (d *duckDB) ask(t *testing.T, sql string) [][]any {
	t.Helper()
	if err := d.in.Encode(sql); err != nil {
		t.Fatal(err)
	}
	var answer duckAnswer
	if err := d.out.Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Error != "" {
		t.Fatalf("%s\n%s", answer.Error, sql)
	}
	return answer.Rows
}

// checkDuckDB compares what DuckDB makes of the function's SQL.
func checkDuckDB(t *testing.T, f *function, duck *duckDB, reports []Report, rows []row) {
	if duck == nil {
		t.Skip("DUCKDB_PYTHON names no Python with duckdb")
	}
	for _, r := range reports {
		if f.input != nil && len(r.Keys) == 0 {
			continue // its SQL has no aggregate, and so a row for each record
		}
		sql, err := SQL(&r, dialect(t, "duckdb"), fields(), "flows")
		if err != nil {
			t.Fatal(err)
		}
		expected := naive(r, rows).Rows
		got := duck.ask(t, sql)
		same := len(got) == len(expected)
		for i := 0; same && i < len(got); i++ {
			for column, v := range expected[i] {
				if f.input != nil && column >= len(r.Keys) {
					v = nil // which no engine knows
				}
				same = same && sameInSQL(got[i][column], v, f.buckets)
			}
		}
		if !same {
			t.Errorf("%s by %v of %v:\n got %v\nwant %v\n%s", f.name, r.Keys, r.Measures, got, expected, sql)
		}
	}
}

// sameInSQL reports whether a value of DuckDB is one of flowlog's, or as near as values of buckets are.
func sameInSQL(got, want any, buckets bool) bool {
	number, ok := got.(json.Number)
	if !ok {
		return text(cmp.Or(got, any("null"))) == text(cmp.Or(want, any("null")))
	}
	switch want := want.(type) {
	case int64:
		n, err := number.Int64()
		return err == nil && (n == want || buckets && math.Abs(float64(n-want)) <= 0.004*float64(n))
	case float64:
		x, err := number.Float64()
		return err == nil && math.Abs(x-want) <= 1e-12*math.Abs(want)
	}
	return false
}

// parityOf is what wrapParity computes.
func parityOf(rec row) any {
	port, err := strconv.Atoi(rec["dstport"])
	if err != nil {
		return nil
	}
	return []string{"even", "odd"}[port&1]
}

// checkEngine gives a Remote the rows that an engine would send.
func checkEngine(t *testing.T, f *function, all []Measure, rows []row) {
	known := append(fields(), parity)
	for _, limit := range []int{0, 2} {
		r := Report{Name: f.name, Keys: []Key{{Field: "srcaddr"}}, Measures: all, Limit: limit}
		m := remoteOf(t, r, known)
		want, got := naive(r, rows), engineTable(t, m, r, rows, wantOrder(naive(r, rows)))
		for i, x := range all { // of what an engine computes and cannot merge there are no sums
			if !f.mergeable() && x.Func == f.name {
				want.Totals[1+i] = nil
				if want.Others != nil {
					want.Others[1+i] = nil
				}
			}
			if f.input != nil {
				for _, row := range want.Rows {
					row[1+i] = nil
				}
			}
		}
		if g, w := result(got), result(want); g != w {
			t.Errorf("%s, the first %d:\n got %s\nwant %s\n%s", f.name, limit, g, w, m.SQL)
		}
	}
	// groups that are merged here
	r := Report{Name: f.name, Keys: []Key{{Field: parity.Name}}, Measures: all}
	s, err := NewSplit(r, dialect(t, "trino"), known, "flows")
	if !f.mergeable() && f.input == nil {
		if err == nil || !strings.Contains(err.Error(), all[0].Name) {
			t.Errorf("%s cannot be merged, and a report that merges it is not refused by name: %v", f.name, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewRemote(s)
	if err != nil {
		t.Fatal(err)
	}
	marked := make([]row, len(rows)) // with parity as a field that is logged
	for i, rec := range rows {
		marked[i] = make(row)
		for name, v := range rec {
			marked[i][name] = v
		}
		if v := parityOf(rec); v != nil {
			marked[i]["protocol_name"] = v.(string) // any field of text
		}
	}
	here := r
	here.Keys = []Key{{Field: "protocol_name"}}
	want := naive(here, marked)
	if f.input != nil {
		for _, row := range append(want.Rows, want.Totals) {
			clear(row[1:])
		}
	}
	if g, w := result(engineTable(t, m, r, rows, nil)), result(want); g != w {
		t.Errorf("%s, merged:\n got %s\nwant %s\n%s", f.name, g, w, m.SQL)
	}
}

// wantOrder is the place of each group that is shown, by its key, from 1 on.
func wantOrder(t Table) map[any]int64 {
	places := make(map[any]int64)
	for i, row := range t.Rows {
		places[row[0]] = int64(i + 1)
	}
	return places
}

// engineTable is the table of a report from rows that an engine would answer its query with. places are those of the
// groups that are shown.
func engineTable(t *testing.T, m *Remote, r Report, rows []row, places map[any]int64) Table {
	t.Helper()
	groups := make(map[any][]row)
	for _, rec := range rows {
		if r.mixed() || isFlow(rec) {
			key := value(rec, m.fed[0].Name)
			groups[key] = append(groups[key], rec)
		}
	}
	number := func(v any) any {
		if n, ok := v.(float64); ok {
			t.Fatalf("the engine was asked for the fraction %v", n)
		}
		return v
	}
	var others [][]any
	for key, records := range groups {
		if a, ok := key.(fmt.Stringer); ok {
			key = a.String()
		}
		out := []any{key, int64(len(records))}
		for _, b := range m.asked {
			s := sampleOf(b, records)
			if functionNamed(b.Func).buckets {
				out = append(out, histogramOf(t, s.numbers))
				continue
			}
			out = append(out, number(naiveFunctions[b.Func](b, s, 0)))
		}
		for _, name := range m.seen {
			n := int64(0)
			for _, rec := range records {
				if value(rec, name) != nil {
					n++
				}
			}
			out = append(out, n)
		}
		if m.cut {
			place := places[value(records[0], m.fed[0].Name)]
			if place == 0 {
				others = append(others, out)
				continue
			}
			out = append([]any{place, int64(1)}, out...)
		}
		if err := m.Add(out, wrapParity); err != nil {
			t.Fatal(err)
		}
	}
	if len(others) > 0 {
		sum := slices.Clone(others[0])
		for column := range sum {
			with := "sum" // of records, and of what is seen
			if at := column - 2; column == 0 {
				with = "max"
			} else if at >= 0 && at < len(m.asked) {
				if with = functionNamed(m.asked[at].Func).adds; with == "" {
					with = "max"
				}
			}
			for _, row := range others[1:] {
				sum[column] = addedInSQL(t, with, sum[column], row[column])
			}
		}
		if err := m.Add(append([]any{int64(0), int64(len(others))}, sum...), wrapParity); err != nil {
			t.Fatal(err)
		}
	}
	got, lacks, err := m.Table(wrapParity)
	if err != nil || lacks != nil {
		t.Fatal(err, lacks)
	}
	return got
}

// addedInSQL is what an aggregate function of SQL makes of two values.
func addedInSQL(t *testing.T, with string, a, b any) any {
	t.Helper()
	x, ok := a.(int64)
	y, ok2 := b.(int64)
	switch {
	case b == nil:
		return a
	case a == nil || !ok || !ok2:
		return b
	case with == "sum":
		return x + y
	case with == "min":
		return min(x, y)
	case with == "max":
		return max(x, y)
	}
	t.Fatalf("the test's engine has no aggregate function %s", with)
	return nil
}

// histogramOf is how many of the numbers are in each bucket, as an engine sends it.
func histogramOf(t *testing.T, numbers []int64) any {
	t.Helper()
	if len(numbers) == 0 {
		return nil
	}
	n := make(map[uint32]int)
	for _, v := range numbers {
		n[bucketOf(v)]++
	}
	text, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
