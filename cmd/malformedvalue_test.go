package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go"

	"flowlog/cmd"
	"flowlog/parse/schema"
)

// A bad value of Parquet or Arrow is null, whatever a report reads and whatever else is asked: each report says over
// such a file what it says over one that has nulls there, alone, with others and with conditions on other fields.
func TestMalformedValueWhateverIsAsked(t *testing.T) {
	names := schema.Version(5)
	reports := []string{"talkers", "summary", "protocols", "ports", "rejected", "timeline", "pairs", "interfaces", "azs"}
	company := strings.Join(reports, ",")
	nulled := 0
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 15))
		records, _ := malformedWorld(r, names)
		bad, without := columnsOf(r, names, records)
		for format, write := range columnar {
			dir := t.TempDir()
			badFile, nullFile := filepath.Join(dir, "bad."+format), filepath.Join(dir, "null."+format)
			for path, columns := range map[string][]any{badFile: bad, nullFile: without} {
				if err := os.WriteFile(path, write(t, names, columns), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want := rowsByReport(t, []int{0}, company, nullFile)
			got := rowsByReport(t, []int{3}, company, badFile)
			eight := rowsByReport(t, []int{3}, company, "--workers", "8", badFile)
			for _, name := range reports {
				alone := rowsByReport(t, []int{0, 3}, name, badFile)
				where := rowsByReport(t, []int{0, 3}, name, "--where", "tcp_flags >= 0 or version = 5", badFile)
				for how, rows := range map[string]string{"in company": got[name], "alone": alone[name], "with another's condition": where[name], "with 8 workers": eight[name]} {
					if rows != want[name] {
						t.Fatalf("seed %d, %s: %s %s: got\n%s\nwant what nulls give\n%s", seed, format, name, how, rows, want[name])
					}
				}
			}
			nulled += malformedValues(t, badFile)
		}
	}
	if nulled < 100 {
		t.Errorf("only %d bad values were tried", nulled)
	}
}

// rowsByReport runs reports and returns the rows of each.
func rowsByReport(t *testing.T, codes []int, reports string, args ...string) map[string]string {
	t.Helper()
	out := cmd.Invoke(append([]string{"report", reports, "-o", "ndjson", "--top", "0"}, args...)...).Exits(t, codes...)
	rows := make(map[string]string)
	for line := range strings.Lines(out) {
		var row struct{ Report string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		rows[row.Report] += line
	}
	return rows
}

// malformedValues is how many values flowlog says were bad if it reads all fields. No record may be missing for it.
func malformedValues(t *testing.T, path string) int {
	t.Helper()
	r := cmd.Invoke("report", "summary", "--where", strings.Join(allNamed, " and "), "-o", "json", path)
	var doc struct {
		Input struct {
			Malformed int
			Values    int `json:"malformed_values"`
		}
	}
	if err := json.Unmarshal([]byte(r.Exits(t, 3)), &doc); err != nil || doc.Input.Malformed > 0 || doc.Input.Values == 0 {
		t.Fatalf("%v; %d malformed records, %d malformed values\n%s", err, doc.Input.Malformed, doc.Input.Values, r.Err)
	}
	return doc.Input.Values
}

// allNamed are conditions that read the numbers and addresses.
var allNamed = []string{"srcaddr != 9.9.9.9", "dstaddr != 9.9.9.9", "srcport >= 0", "dstport >= 0", "bytes >= 0", "packets >= 0"}

// columnsOf makes columns of records: of texts, or of numbers where a field has them. A bad value is null in without.
func columnsOf(r *rand.Rand, names []string, records [][]string) (bad, without []any) {
	for k, name := range names {
		f, _ := schema.Logged().Lookup(name)
		texts, texts0 := make([]*string, len(records)), make([]*string, len(records))
		doubles, doubles0 := make([]*float64, len(records)), make([]*float64, len(records))
		check := schema.NewColumn(f)
		for i, record := range records {
			value := record[k]
			if value == "-" {
				continue
			}
			valid := check.Check([]byte(value)) == schema.Valid
			number, err := strconv.ParseFloat(value, 64)
			if err != nil || number != math.Trunc(number) || number > 1<<53 {
				number = -0.5
			}
			texts[i], doubles[i] = &value, &number
			if valid {
				texts0[i] = &value
			}
			if number >= 0 && (f.Max == 0 || number <= float64(f.Max)) {
				doubles0[i] = &number
			}
		}
		if (f.Kind == schema.Int32 || f.Kind == schema.Int64) && r.IntN(2) == 0 {
			bad, without = append(bad, doubles), append(without, doubles0)
		} else {
			bad, without = append(bad, texts), append(without, texts0)
		}
	}
	return bad, without
}

// columnar write columns in formats that are read column by column.
var columnar = map[string]func(t *testing.T, names []string, columns []any) []byte{
	"parquet": func(t *testing.T, names []string, columns []any) []byte {
		group := parquet.Group{}
		for i, name := range names {
			node := parquet.Leaf(parquet.DoubleType)
			if _, ok := columns[i].([]*string); ok {
				if node = parquet.String(); i%2 == 0 {
					node = parquet.Encoded(node, &parquet.RLEDictionary)
				}
			}
			group[name] = parquet.Optional(node)
		}
		s := parquet.NewSchema("flows", group)
		var out bytes.Buffer
		w := parquet.NewWriter(&out, s)
		for row := range rowsIn(columns) {
			values := make(parquet.Row, len(names))
			for i, name := range names {
				leaf, _ := s.Lookup(name)
				v, level := parquet.NullValue(), 0
				switch c := columns[i].(type) {
				case []*string:
					if c[row] != nil {
						v, level = parquet.ByteArrayValue([]byte(*c[row])), 1
					}
				case []*float64:
					if c[row] != nil {
						v, level = parquet.DoubleValue(*c[row]), 1
					}
				}
				values[leaf.ColumnIndex] = v.Level(0, level, leaf.ColumnIndex)
			}
			if _, err := w.WriteRows([]parquet.Row{values}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	},
	"arrow": func(t *testing.T, names []string, columns []any) []byte {
		var fields []arrow.Field
		for i, name := range names {
			var kind arrow.DataType = arrow.PrimitiveTypes.Float64
			if _, ok := columns[i].([]*string); ok {
				kind = arrow.BinaryTypes.String
			}
			fields = append(fields, arrow.Field{Name: name, Type: kind, Nullable: true})
		}
		b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
		for i := range columns {
			for row := range rowsIn(columns) {
				value := ""
				switch c := columns[i].(type) {
				case []*string:
					if c[row] != nil {
						value = *c[row]
					}
				case []*float64:
					if c[row] != nil {
						value = fmt.Sprint(*c[row])
					}
				}
				if value == "" {
					b.Field(i).AppendNull()
				} else if err := b.Field(i).AppendValueFromString(value); err != nil {
					t.Fatal(err)
				}
			}
		}
		var out bytes.Buffer
		w := ipc.NewWriter(&out, ipc.WithSchema(b.Schema()))
		if err := w.Write(b.NewRecord()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	},
}

// rowsIn is how many rows columns have.
func rowsIn(columns []any) int {
	if c, ok := columns[0].([]*string); ok {
		return len(c)
	}
	return len(columns[0].([]*float64))
}
