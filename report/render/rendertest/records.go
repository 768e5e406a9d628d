// Package rendertest has records, and what reads formats back, that tests of report/render and of its rooms share.
package rendertest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/parquet-go/parquet-go"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// Fields is one field of each kind.
var Fields = schema.Table{
	{Name: "version", Kind: schema.Int32},
	{Name: "srcaddr", Kind: schema.Addr},
	{Name: "srcport", Kind: schema.Int32},
	{Name: "bytes", Kind: schema.Int64},
	{Name: "start", Kind: schema.Time},
	{Name: "action", Kind: schema.Text},
	{Name: "instance_tag", Kind: schema.Text, Escaped: true},
	{Name: "latitude", Kind: schema.Float},
}

// RecordOf builds a batch from the words of lines, "-" being null and "_" a space.
func RecordOf(t testing.TB, fields schema.Table, lines ...string) arrow.Record {
	t.Helper()
	columns := make([]*schema.Column, len(fields))
	for i, f := range fields {
		columns[i] = schema.NewColumn(f)
	}
	for _, line := range lines {
		words := strings.Fields(line)
		if len(words) != len(fields) {
			t.Fatalf("%q has %d words, not %d", line, len(words), len(fields))
		}
		for i, w := range words {
			if fault := columns[i].Parse([]byte(strings.ReplaceAll(w, "_", " "))); fault != schema.Valid {
				t.Fatalf("%s: %s: %v", line, w, fault)
			}
		}
	}
	return Record(fields, columns)
}

// Record is the batch of columns of equal length.
func Record(fields schema.Table, columns []*schema.Column) arrow.Record {
	arrays := make([]arrow.Array, len(columns))
	for i, c := range columns {
		arrays[i] = c.Array()
	}
	return array.NewRecord(fields.Arrow(), arrays, int64(columns[0].Len()))
}

// AddAll adds batches in any order, each in a goroutine of its own, and closes the output.
func AddAll(t testing.TB, w interface {
	Add(schema.Batch) error
	Close() error
}, batches []arrow.Record) {
	t.Helper()
	var all sync.WaitGroup
	for _, i := range rand.Perm(len(batches)) {
		all.Go(func() {
			if err := w.Add(schema.Batch{Record: batches[i], Seq: int64(i), Worker: i}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// Batches are three batches, the second empty, and the last a slice of a longer one.
func Batches(t testing.TB) []arrow.Record {
	long := RecordOf(t, Fields,
		"9 ::1 9 9 9 gone gone 9",
		"2 2001:db8::1 65535 9223372036854775807 1710720001 ACCEPT a_b=1 51.5",
		"- - - - - - - -",
		"2 10.0.0.9 0 0 0 ACCEPT - 0")
	return []arrow.Record{
		RecordOf(t, Fields,
			"2 10.0.0.1 443 1500 1710720000 ACCEPT - 1e-7",
			"2 10.0.0.2 80 - 1710720000 REJECT 100%,\"q\" -33.25"),
		RecordOf(t, Fields),
		long.NewSlice(1, 4),
	}
}

// A Failing is an output that fails after so many bytes.
type Failing struct {
	Left int
	Err  error
}

func (f *Failing) Write(b []byte) (int, error) {
	if len(b) > f.Left {
		return f.Left, f.Err
	}
	f.Left -= len(b)
	return len(b), nil
}

// Project returns the named logged fields, or all that AWS logs.
func Project(t testing.TB, names ...string) schema.Table {
	t.Helper()
	if names == nil {
		return schema.Logged()
	}
	p, err := schema.Logged().Project(names...)
	if err != nil {
		t.Fatal(err)
	}
	return p.Fields
}

// Traffic makes batches of records of the default format as a busy day has them: bursts of one of 2000
// interfaces, Zipf-distributed remote addresses, service and ephemeral ports. The fields beyond the default
// ones are null. Like the parser's, the batches of a worker share a dictionary.
func Traffic(t testing.TB, fields schema.Table, rows, batch int) []arrow.Record {
	t.Helper()
	r := rand.New(rand.NewPCG(42, 7))
	interfaces := make([]string, 2000)
	for i := range interfaces {
		interfaces[i] = fmt.Sprintf("eni-%017x", r.Uint64()>>4)
	}
	remote := make([][16]byte, 200_000)
	for i := range remote {
		remote[i] = [16]byte{10: 0xff, 11: 0xff, 12: byte(1 + r.IntN(222)), 13: byte(r.IntN(256)), 14: byte(r.IntN(256)), 15: byte(r.IntN(256))}
		if r.IntN(25) == 0 {
			remote[i] = [16]byte{0x20, 0x01, 0x0d, 0xb8, byte(r.IntN(256)), byte(r.IntN(256)), 15: byte(r.IntN(256))}
		}
	}
	talker, busy, service := rand.NewZipf(r, 1.08, 8, uint64(len(remote)-1)), rand.NewZipf(r, 1.15, 6, uint64(len(interfaces)-1)), rand.NewZipf(r, 1.3, 4, 999)

	columns := make([]*schema.Column, len(fields))
	at := make(map[string]*schema.Column)
	for i, f := range fields {
		columns[i] = schema.NewColumn(f)
		at[f.Name] = columns[i]
	}
	var batches []arrow.Record
	left, eni, start := 0, uint64(0), int64(0)
	for row := range rows {
		if left--; left < 0 {
			left, eni, start = r.IntN(24), busy.Uint64(), 1710720000+int64(row)*86400/10_000_000+int64(r.IntN(60))
		}
		local := [16]byte{10: 0xff, 11: 0xff, 12: 10, 13: 1, 14: byte(eni >> 8), 15: byte(eni)}
		src, dst := remote[talker.Uint64()], local
		sport, dport := int32(32768+r.IntN(28232)), int32(service.Uint64()+1024)
		if r.IntN(2) == 0 {
			src, dst, sport, dport = dst, src, dport, sport
		}
		packets := int64(1 + r.ExpFloat64()*r.ExpFloat64()*20)
		protocol, action := int32(6), "ACCEPT"
		if r.IntN(8) == 0 {
			protocol = 17
		}
		if r.IntN(12) == 0 {
			action = "REJECT"
		}
		at["version"].Int32 = append(at["version"].Int32, 2)
		at["account_id"].Text("123456789012")
		at["interface_id"].Text(interfaces[eni])
		at["srcaddr"].Addr = append(at["srcaddr"].Addr, src)
		at["dstaddr"].Addr = append(at["dstaddr"].Addr, dst)
		at["srcport"].Int32 = append(at["srcport"].Int32, sport)
		at["dstport"].Int32 = append(at["dstport"].Int32, dport)
		at["protocol"].Int32 = append(at["protocol"].Int32, protocol)
		at["packets"].Int64 = append(at["packets"].Int64, packets)
		at["bytes"].Int64 = append(at["bytes"].Int64, packets*int64(40+r.IntN(1460)))
		at["start"].Int64 = append(at["start"].Int64, start)
		at["end"].Int64 = append(at["end"].Int64, start+59)
		at["action"].Text(action)
		at["log_status"].Text("OK")
		if n := columns[0].Len(); n == batch || row == rows-1 {
			for _, c := range columns {
				for c.Len() < n {
					c.Null()
				}
			}
			batches = append(batches, Record(fields, columns))
			for i, c := range columns {
				dict := c.Dict
				columns[i] = schema.NewColumn(c.Field)
				columns[i].Dict = dict
				at[c.Name] = columns[i]
			}
		}
	}
	return batches
}

// Rows is what a batch says, as text, with "-" for null.
func Rows(t testing.TB, fields schema.Table, batches ...arrow.Record) [][]string {
	t.Helper()
	var rows [][]string
	for _, rec := range batches {
		var c cells.Batch
		if err := c.Load(rec, fields); err != nil {
			t.Fatal(err)
		}
		for row := range c.Rows {
			line := make([]string, len(fields))
			for i := range fields {
				line[i] = "-"
				if col := &c.Columns[i]; !col.Null(row) {
					line[i] = string(col.Append(nil, row, func(dst []byte, _ *schema.Field, s string) []byte { return append(dst, s...) }))
				}
			}
			rows = append(rows, line)
		}
	}
	return rows
}

// ReadParquet reads a file back with another implementation, as text, with "-" for null.
func ReadParquet(t testing.TB, data string) (*parquet.File, [][]string) {
	t.Helper()
	f, err := parquet.OpenFile(strings.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buf := make([]parquet.Row, 100)
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				line := make([]string, len(row))
				for i, v := range row {
					switch {
					case v.IsNull():
						line[i] = "-"
					case v.Kind() == parquet.Double:
						line[i] = string(cells.AppendFloat(nil, v.Double()))
					default:
						line[i] = v.String()
					}
				}
				all = append(all, line)
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
	if int64(len(all)) != f.NumRows() {
		t.Errorf("the footer says %d rows, there are %d", f.NumRows(), len(all))
	}
	return f, all
}

// CompareRows stops the test at the first row that is not as wanted.
func CompareRows(t testing.TB, got, want [][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows came back as %d", len(want), len(got))
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Fatalf("row %d: got %q, want %q", i, got[i], want[i])
		}
	}
}

// Random makes batches with all the ways in which values can be null, repeated, small or large.
func Random(t testing.TB, r *rand.Rand, fields schema.Table, rows int) []arrow.Record {
	t.Helper()
	var batches []arrow.Record
	for rows >= 0 {
		n := r.IntN(40)
		rows -= n + 1
		columns := make([]*schema.Column, len(fields))
		for i, f := range fields {
			c := schema.NewColumn(f)
			nulls := []int{0, 0, 1, 2, 10, 10}[r.IntN(6)] // in ten
			spread := []int64{1, 3, 1000, 1 << 40}[r.IntN(4)]
			for range n {
				v := r.Int64N(spread)
				switch {
				case r.IntN(10) < nulls:
					c.Null()
				case f.Kind == schema.Int32:
					c.Int32 = append(c.Int32, int32(v&0x7fffffff))
				case f.Kind == schema.Int64 || f.Kind == schema.Time:
					c.Int64 = append(c.Int64, v)
				case f.Kind == schema.Float:
					c.Float = append(c.Float, float64(v)/3-1)
				case f.Kind == schema.Addr:
					c.Addr = append(c.Addr, [16]byte{10: 0xff, 11: 0xff, 12: byte(v >> 24), 13: byte(v >> 16), 14: byte(v >> 8), 15: byte(v)})
				default:
					c.Text("t" + strconv.FormatInt(v, 36))
				}
			}
			columns[i] = c
		}
		rec := Record(fields, columns)
		if n > 2 && r.IntN(3) == 0 {
			rec = rec.NewSlice(1+r.Int64N(int64(n)/2), int64(n))
		}
		batches = append(batches, rec)
	}
	return batches
}
