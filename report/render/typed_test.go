package render

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render/cells"
	"flowlog/report/render/rendertest"
)

func TestParquetReport(t *testing.T) {
	f, got := rendertest.ReadParquet(t, render(t, "parquet", documentOf(talkers()), Options{}))
	rendertest.CompareRows(t, got, [][]string{
		{"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "6", "NL", "TCP", "1234567", "1524713390", "12.5", "1710720000000"},
		{"10.0.0.1", "253", "-", "-", "7", "999", "-", "-"},
		{"-", "-", "-", "-", "1", "-", "0.001", "1710720001000"},
	})
	const schema = `message schema {
	optional binary srcaddr (STRING);
	optional int32 protocol (INT(32,true));
	optional binary srcaddr_country (STRING);
	optional binary protocol_name (STRING);
	optional int64 flows (INT(64,true));
	optional int64 bytes (INT(64,true));
	optional double avg_packets;
	optional int64 last_seen (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
}`
	if got := f.Schema().String(); got != schema {
		t.Errorf("the schema is %s", got)
	}
	if _, got := rendertest.ReadParquet(t, render(t, "parquet", documentOf(nothing()), Options{})); len(got) != 0 {
		t.Errorf("an empty report has rows: %q", got)
	}
}

// readArrow reads a stream back, as text, with "-" for null.
func readArrow(t testing.TB, data string) (*arrow.Schema, [][]string) {
	t.Helper()
	r, err := ipc.NewReader(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for r.Next() {
		rec := r.Record()
		for row := range int(rec.NumRows()) {
			line := make([]string, rec.NumCols())
			for i, c := range rec.Columns() {
				switch c := c.(type) {
				case *array.Dictionary:
					if c.IsValid(row) {
						line[i] = c.Dictionary().(*array.String).Value(c.GetValueIndex(row))
					}
				case *array.Float64:
					if c.IsValid(row) {
						line[i] = string(cells.AppendFloat(nil, c.Value(row)))
					}
				default:
					line[i] = c.ValueStr(row)
				}
				if c.IsNull(row) {
					line[i] = "-"
				}
			}
			all = append(all, line)
		}
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return r.Schema(), all
}

func TestArrowRecords(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		batches := rendertest.Random(t, r, rendertest.Fields, r.IntN(600))
		_, got := readArrow(t, write(t, "arrow", rendertest.Fields, Options{}, batches...))
		rendertest.CompareRows(t, got, rendertest.Rows(t, rendertest.Fields, batches...))
	}
	s, got := readArrow(t, write(t, "arrow", rendertest.Fields, Options{}, nil))
	if len(got) != 0 {
		t.Errorf("a stream without records has %d", len(got))
	}
	want := "int32 utf8 int32 int64 int64 dictionary<values=utf8, indices=int32, ordered=false> dictionary<values=utf8, indices=int32, ordered=false> float64"
	var types []string
	for _, f := range s.Fields() {
		types = append(types, f.Type.String())
	}
	if got := strings.Join(types, " "); got != want {
		t.Errorf("the types are %s", got)
	}
}

func TestArrowReport(t *testing.T) {
	s, got := readArrow(t, render(t, "arrow", documentOf(talkers()), Options{}))
	rendertest.CompareRows(t, got, [][]string{
		{"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "6", "NL", "TCP", "1234567", "1524713390", "12.5", "2024-03-18 00:00:00Z"},
		{"10.0.0.1", "253", "-", "-", "7", "999", "-", "-"},
		{"-", "-", "-", "-", "1", "-", "0.001", "2024-03-18 00:00:01Z"},
	})
	if got := s.Field(7).Type.String(); got != "timestamp[s, tz=UTC]" {
		t.Errorf("last_seen is a %s", got)
	}
	if _, got := readArrow(t, render(t, "arrow", documentOf(nothing()), Options{})); len(got) != 0 {
		t.Errorf("an empty report has rows: %q", got)
	}
}

// A value that is not of its column's kind is an error that names both.
func TestTypedValues(t *testing.T) {
	for _, c := range []struct {
		kind  schema.Kind
		value any
	}{
		{schema.Int32, int64(1) << 40}, {schema.Int64, 1.5}, {schema.Addr, "10.0.0.1"}, {schema.Time, "now"}, {schema.Float, time.Now()},
	} {
		table := report.Table{Name: "r", Columns: []report.Column{{Name: "c", Kind: c.kind}}, Rows: [][]any{{c.value}}}
		for _, name := range []string{"parquet", "arrow"} {
			f, err := Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Tables(io.Discard, documentOf(table), Options{}); err == nil || !strings.Contains(err.Error(), "column c") {
				t.Errorf("%s: a %T in a column of kind %s: %v", name, c.value, c.kind, err)
			}
		}
	}
}
