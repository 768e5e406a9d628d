package parse

import (
	"bytes"
	"context"
	"io"
	"iter"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

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
		want(t, "records", got, []string{"srcaddr=10.0.0.1 srcport=1 bytes=5 ", "srcaddr=10.0.0.4 srcport=4 bytes=9 "})
		want(t, "problems", stats.Problems, `[x.parquet:2: srcaddr: "x" is not an IP address x.parquet:3: srcport: "70000" is out of range x.parquet:4: bytes: "-8" is out of range]`)
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
