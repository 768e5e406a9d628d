package parse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
)

// readerAtSource is a Source of one object that can be read anywhere, as a file can.
type readerAtSource struct {
	name    string
	content []byte
}

func (s readerAtSource) Objects(context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		yield(Object{Name: s.name, Size: int64(len(s.content)), Open: func(context.Context) (io.ReadCloser, error) {
			return struct {
				*bytes.Reader
				io.Closer
			}{bytes.NewReader(s.content), io.NopCloser(nil)}, nil
		}}, nil)
	}
}

func parquetOf[T any](t *testing.T, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	for i := range rows { // small groups, so that there are several
		if _, err := w.Write(rows[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ptr[T any](v T) *T { return &v }

// What AWS delivers, and what others make of it, holds the same records in many ways.
func TestParquetOfOthers(t *testing.T) {
	wantRows := []string{
		"account_id=000123456789 srcaddr=10.0.0.1 srcport=443 bytes=5 end=1700000060 log_status=OK instance_tag=a b ",
		"account_id=000123456789 end=1700000061 log_status=NODATA ",
		"account_id=000123456789 srcaddr=2001:db8::1 srcport=0 bytes=7 end=1700000062 log_status=OK ",
	}
	fields := []string{"account_id", "srcaddr", "srcport", "bytes", "end", "log_status", "traffic_path", "instance_tag"}
	type aws struct {
		AccountID string `parquet:"account_id,dict"`
		SrcAddr   string `parquet:"srcaddr,dict"`
		SrcPort   *int32 `parquet:"srcport"`
		Bytes     *int64 `parquet:"bytes"`
		End       int64  `parquet:"end"`
		Status    string `parquet:"log_status"`
		Path      *int32 `parquet:"traffic_path"`
		Tag       string `parquet:"instance_tag"`
	}
	type zeros struct {
		AccountID int64   `parquet:"account-id"`
		SrcAddr   string  `parquet:"srcaddr"`
		SrcPort   int64   `parquet:"srcport"`
		Bytes     float64 `parquet:"bytes"`
		End       int64   `parquet:"end"`
		Status    string  `parquet:"log-status"`
		Path      int32   `parquet:"traffic-path"`
		Tag       *string `parquet:"instance-tag"`
	}
	type texts struct {
		AccountID string `parquet:"account_id"`
		SrcAddr   string `parquet:"srcaddr"`
		SrcPort   string `parquet:"srcport,dict"`
		Bytes     string `parquet:"bytes"`
		End       string `parquet:"end"`
		Status    string `parquet:"log_status"`
		Path      string `parquet:"traffic_path"`
		Tag       string `parquet:"instance_tag"`
	}
	const account = "000123456789"
	for _, codec := range []compress.Codec{&parquet.Gzip, &parquet.Snappy, &parquet.Zstd, &parquet.Uncompressed} {
		for name, content := range map[string][]byte{
			"AWS": parquetOf(t, []aws{
				{account, "10.0.0.1", ptr[int32](443), ptr[int64](5), 1700000060, "OK", nil, "a%20b"},
				{account, "-", nil, nil, 1700000061, "NODATA", nil, "-"},
				{account, "2001:db8::1", ptr[int32](0), ptr[int64](7), 1700000062, "OK", nil, "-"},
			}, parquet.Compression(codec)),
			"zeros and numbers": parquetOf(t, []zeros{
				{123456789, "10.0.0.1", 443, 5, 1700000060, "OK", 0, ptr("a b")},
				{123456789, "-", 0, 0, 1700000061, "NODATA", 0, nil},
				{123456789, "2001:db8::1", 0, 7, 1700000062, "OK", 0, nil},
			}, parquet.Compression(codec)),
			"texts": parquetOf(t, []texts{
				{account, "10.0.0.1", "443", "5", "1700000060", "OK", "None", "a%20b"},
				{account, "-", "None", "NULL", "1700000061", "NODATA", "-", `\N`},
				{account, "2001:db8::1", "0", "7", "1700000062", "OK", "", "-"},
			}, parquet.Compression(codec)),
		} {
			got, stats := rowsOf(t, readerAtSource{"x", content}, Options{}, fields...)
			want(t, name+", "+codec.String(), got, wantRows)
			want(t, name+", malformed", stats.Malformed, 0)
			got, _ = rowsOf(t, one(string(content)), Options{}, fields...)
			want(t, name+", from a stream", got, wantRows)
			got, stats = rowsOf(t, readerAtSource{"x", content}, Options{Since: 1700000062}, fields...)
			want(t, name+", last row group", got, wantRows[2:])
			want(t, name+", outside", stats.Outside, 2)
		}
	}
}

func TestParquetSkipsRowGroups(t *testing.T) {
	type row struct {
		SrcAddr string  `parquet:"srcaddr"`
		Action  *string `parquet:"action"`
		Status  string  `parquet:"log_status"`
	}
	accept, reject := ptr("ACCEPT"), ptr("REJECT")
	content := parquetOf(t, []row{{"10.0.0.1", accept, "OK"}, {"10.0.0.2", accept, "OK"}, {"10.0.0.3", accept, "OK"}, {"10.0.0.4", reject, "OK"},
		{"10.0.0.5", accept, "OK"}, {"10.0.0.6", nil, "SKIPDATA"}, {"10.0.0.7", ptr("-"), "OK"}, {"10.0.0.8", accept, "NODATA"}})
	var opt Options
	opt.Only.Field, opt.Only.Value = "action", "REJECT"
	got, stats := rowsOf(t, readerAtSource{"x", content}, opt, "srcaddr")
	want(t, "records", got, "[srcaddr=10.0.0.3  srcaddr=10.0.0.4  srcaddr=10.0.0.5  srcaddr=10.0.0.6  srcaddr=10.0.0.7  srcaddr=10.0.0.8 ]")
	want(t, "records, flows, SKIPDATA, NODATA", []int64{stats.Records, stats.Flows, stats.SkipData, stats.NoData}, []int64{8, 6, 1, 1})
}

func TestParquetProblems(t *testing.T) {
	type bad struct {
		SrcAddr string `parquet:"srcaddr,dict"`
		SrcPort int64  `parquet:"srcport"`
		Bytes   int64  `parquet:"bytes"`
	}
	content := parquetOf(t, []bad{{"10.0.0.1", 1, 5}, {"x", 2, 6}, {"10.0.0.2", 70000, 7}, {"10.0.0.3", 3, -8}, {"10.0.0.4", 4, 9}})
	for _, size := range []int{1, 0} {
		got, stats := rowsOf(t, readerAtSource{"x.parquet", content}, Options{BlockSize: size}, "srcaddr", "srcport", "bytes")
		want(t, "records", got, []string{"srcaddr=10.0.0.1 srcport=1 bytes=5 ", "srcport=2 bytes=6 ", "srcaddr=10.0.0.2 bytes=7 ", "srcaddr=10.0.0.3 srcport=3 ", "srcaddr=10.0.0.4 srcport=4 bytes=9 "})
		want(t, "counts", []int64{stats.Records, stats.Malformed, stats.MalformedValues}, []int64{5, 0, 3})
		want(t, "problems", stats.Problems, `[x.parquet:2: srcaddr: "x" is not an IP address, and is read as null x.parquet:3: srcport: "70000" is out of range, and is read as null `+
			`x.parquet:4: bytes: "-8" is out of range, and is read as null]`)
		want(t, "kinds", stats.Faults[schema.OutOfRange], 2)
	}
	type ocsf struct {
		Endpoint struct {
			IP string `parquet:"ip"`
		} `parquet:"src_endpoint"`
		Class int64 `parquet:"class_uid"`
	}
	_, stats := rowsOf(t, readerAtSource{"x.parquet", parquetOf(t, make([]ocsf, 1))}, Options{})
	want(t, "OCSF", stats.Failed, "[x.parquet: "+errOCSF.Error()+"]")
}

// A damaged file is an error of its object, whatever is wrong with it.
func FuzzParquet(f *testing.F) {
	type row struct {
		SrcAddr string `parquet:"srcaddr,dict"`
		Bytes   int64  `parquet:"bytes"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	if _, err := w.Write([]row{{"10.0.0.1", 5}, {"10.0.0.2", 6}}); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes(), 10, byte(1))
	f.Fuzz(func(t *testing.T, content []byte, at int, flip byte) {
		content = bytes.Clone(content)
		if len(content) > 0 {
			content[uint(at)%uint(len(content))] ^= flip
		}
		rowsOf(t, readerAtSource{"x", content}, Options{Workers: 2}, "srcaddr", "bytes")
	})
}

// ends is a file of two row groups with two ends each, in a type of column.
func ends(t *testing.T, end parquetColumn, values ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[any](&b, parquet.NewSchema("x", parquet.Group{"end": end.node, "srcaddr": parquet.String()}))
	for i, v := range values {
		row := parquet.Row{end.of(v).Level(0, 0, 0), parquet.ByteArrayValue(fmt.Appendf(nil, "10.0.0.%d", i)).Level(0, 0, 1)}
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// spoil damages the addresses of the first row group, which nobody sees who does not read them.
func spoil(t *testing.T, content []byte) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	chunk := f.Metadata().RowGroups[0].Columns[1].MetaData
	clear(content[chunk.DataPageOffset : chunk.DataPageOffset+chunk.TotalCompressedSize])
}

// A row group is passed over by what its bounds stand for, and only if they say it.
func TestParquetSkipsByTime(t *testing.T) {
	values := []string{"1710000000", "1710000001", "1710000100", "1710000101"}
	l := &law{rand.New(rand.NewPCG(1, 1)), nil}
	skips := 0
	for _, end := range l.times() {
		content := ends(t, end, values...)
		got, stats := rowsOf(t, readerAtSource{"x", content}, Options{Since: 1710000100, Until: 1710000101}, "srcaddr")
		want(t, end.name, got, "[srcaddr=10.0.0.2 ]")
		want(t, end.name+": outside", stats.Outside, 3)
		spoil(t, content)
		_, stats = rowsOf(t, readerAtSource{"x", content}, Options{Since: 1710000100}, "srcaddr")
		if len(stats.Failed) == 0 {
			want(t, end.name+": outside", stats.Outside, 2)
			skips++
		}
		if strings.HasPrefix(end.name, "timestamp") && len(stats.Failed) > 0 {
			t.Errorf("%s: the row group was read, though all of it is outside: %v", end.name, stats.Failed)
		}
	}
	want(t, "types by which row groups are passed over", skips, 11) // 6 timestamps, int64, uint64, and 3 finer units
	mixed := parquetColumn{"mixed", parquet.Leaf(parquet.Int64Type), numbers[0].of}
	got, _ := rowsOf(t, readerAtSource{"x", ends(t, mixed, "1710000000", "1710000100000", "0", "1710000050000000")}, Options{Since: 1710000050, Until: 1710000101}, "srcaddr")
	want(t, "seconds beside milliseconds", got, "[srcaddr=10.0.0.1  srcaddr=10.0.0.3 ]")
}

// A row group is not passed over for a value that it has in another spelling.
func TestParquetSkipsNoOtherSpelling(t *testing.T) {
	type row struct {
		SrcAddr string `parquet:"srcaddr"`
		Action  string `parquet:"action"`
		Account string `parquet:"account_id"`
		Status  string `parquet:"log_status"`
	}
	content := parquetOf(t, []row{{"10.0.0.1", "reject", "12345678901", "OK"}, {"10.0.0.2", "reject", "12345678901", "OK"}, {"10.0.0.3", "accept", "2", "OK"}, {"10.0.0.4", "accept", "3", "OK"},
		{"10.0.0.5", "Accept", "12345678901", "OK"}, {"10.0.0.6", "accept", "2", "OK"}})
	for value, records := range map[[2]string]string{
		{"action", "REJECT"}:           "1 2 5 6", // the bounds of the last two are those of other spellings as well
		{"action", "ACCEPT"}:           "3 4 5 6",
		{"account_id", "012345678901"}: "1 2 3 4 5 6",
	} {
		got, stats := rowsOf(t, readerAtSource{"x", content}, Options{Only: only(value[0], value[1])}, "srcaddr")
		want(t, value[1], strings.ReplaceAll(strings.Join(got, ""), "srcaddr=10.0.0.", ""), records+" ")
		want(t, value[1]+": flows", stats.Flows, 6)
	}
}

// What no value of the field can be is null, whatever its type is, and its record counts.
func TestParquetValuesOutOfRange(t *testing.T) {
	type row struct {
		SrcAddr string  `parquet:"srcaddr"`
		Bytes   float64 `parquet:"bytes"`
		Packets int64   `parquet:"packets,decimal(2:18)"`
		Start   int64   `parquet:"start,timestamp(millisecond)"`
		End     float64 `parquet:"end"`
	}
	content := parquetOf(t, []row{
		{"10.0.0.1", 300, 200, 1710000000999, 1710000060}, {"10.0.0.2", 300.5, 200, 0, 0}, {"10.0.0.3", 1, 250, 0, 0}, {"10.0.0.4", 1, -200, 0, 0},
		{"10.0.0.5", 1, 100, -1, 0}, {"10.0.0.6", 1e19, 100, 0, 0}, {"10.0.0.7", math.Inf(1), 100, 0, 0}, {"10.0.0.8", math.NaN(), 100, 0, math.NaN()}, {"10.0.0.9", 1, 100, 0, -5},
	})
	got, stats := rowsOf(t, readerAtSource{"x", content}, Options{}, "srcaddr", "bytes", "packets", "start", "end")
	want(t, "records", got, "[srcaddr=10.0.0.1 bytes=300 packets=2 start=1710000000 end=1710000060  srcaddr=10.0.0.2 packets=2 start=0 end=0  srcaddr=10.0.0.3 bytes=1 start=0 end=0  "+
		"srcaddr=10.0.0.4 bytes=1 start=0 end=0  srcaddr=10.0.0.5 bytes=1 packets=1 end=0  srcaddr=10.0.0.6 packets=1 start=0 end=0  "+
		"srcaddr=10.0.0.7 packets=1 start=0 end=0  srcaddr=10.0.0.8 packets=1 start=0  srcaddr=10.0.0.9 bytes=1 packets=1 start=0 ]")
	want(t, "kinds", stats.Faults, func() (faults [schema.Faults]int64) {
		faults[schema.NotNumber], faults[schema.OutOfRange], faults[schema.Overflow] = 3, 3, 1
		return
	}())
	want(t, "problems", stats.Problems, `[x:2: bytes: "300.5" is not a whole number, and is read as null x:3: packets: "2.5" is not a whole number, and is read as null `+
		`x:4: packets: "-2" is out of range, and is read as null x:5: start: "-1" is out of range, and is read as null `+
		`x:6: bytes: "1e+19" is too large for a 64-bit integer, and is read as null]`)
	type odd struct {
		SrcAddr string        `parquet:"srcaddr"`
		Bytes   int64         `parquet:"bytes,timestamp(millisecond)"`
		Packets time.Duration `parquet:"packets,time(microsecond)"`
		Start   int32         `parquet:"start,date"`
	}
	got, stats = rowsOf(t, readerAtSource{"x", parquetOf(t, []odd{{"10.0.0.1", 5, 6, 19791}})}, Options{}, "srcaddr", "start")
	want(t, "a date", got, "[srcaddr=10.0.0.1 start=1709942400 ]")
	for _, field := range []string{"bytes", "packets"} {
		_, stats = rowsOf(t, readerAtSource{"x", parquetOf(t, []odd{{"10.0.0.1", 5, 6, 19791}})}, Options{}, field)
		want(t, field+" that are a time", stats.MalformedValues, 1)
	}
}

// A page whose bytes have changed is an error of its object where it has a checksum, whatever it would decode to.
func TestParquetChecksums(t *testing.T) {
	type row struct {
		SrcAddr string `parquet:"srcaddr,dict"`
		Bytes   int64  `parquet:"bytes"`
	}
	rows := []row{{"10.0.0.1", 5}, {"10.0.0.2", 6}, {"10.0.0.3", 7}, {"10.0.0.4", 8}}
	for _, version := range []int{1, 2} {
		for _, codec := range []compress.Codec{&parquet.Gzip, &parquet.Snappy, &parquet.Zstd, &parquet.Uncompressed} {
			content := parquetOf(t, rows, parquet.Compression(codec), parquet.DataPageVersion(version))
			f, err := openParquet(content)
			if err != nil {
				t.Fatal(err)
			}
			for g, group := range f.Metadata().RowGroups {
				for c, column := range group.Columns {
					at := column.MetaData.DataPageOffset
					if dict := column.MetaData.DictionaryPageOffset; dict != 0 {
						at = dict
					}
					in := bytes.NewReader(content[at:])
					var header format.PageHeader
					if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(in)).Decode(&header); err != nil {
						t.Fatal(err)
					}
					for _, i := range []int{0, int(header.CompressedPageSize) / 2, int(header.CompressedPageSize) - 1} {
						changed := bytes.Clone(content)
						changed[len(content)-in.Len()+i] ^= 1
						_, stats := rowsOf(t, readerAtSource{"x", changed}, Options{}, "srcaddr", "bytes")
						if len(stats.Failed) != 1 || !strings.Contains(stats.Failed[0].Error(), "the checksum of the page at row 1 of its row group is wrong") {
							t.Errorf("%s, version %d, group %d, column %d, byte %d: %v, %d records", codec, version, g, c, i, stats.Failed, stats.Records)
						}
					}
				}
			}
		}
	}
}
