package parse

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/klauspost/compress/zstd"

	"flowlog/parse/schema"
)

// memorySource is a Source of contents by name.
type memorySource []struct{ name, content string }

func (s memorySource) Objects(context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for _, o := range s {
			open := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(o.content)), nil }
			if !yield(Object{Name: o.name, Size: int64(len(o.content)), Open: open}, nil) {
				return
			}
		}
	}
}

func one(content string) memorySource { return memorySource{{"test.log", content}} }

// rowsOf scans everything and returns the records as text, field=value, in the order of the input.
func rowsOf(t testing.TB, src Source, opt Options, fields ...string) ([]string, Stats) {
	t.Helper()
	if len(fields) == 0 {
		fields = schema.Logged().Names()
	}
	p, err := schema.Logged().Project(fields...)
	if err != nil {
		t.Fatal(err)
	}
	p.Extra = true
	opt.Ordered = true
	batches := make(map[int64][]string)
	var mu sync.Mutex
	stats, err := Scan(context.Background(), src, p, opt, func(b schema.Batch) error {
		rows := rowsOfRecord(b.Record)
		mu.Lock()
		defer mu.Unlock()
		if _, ok := batches[b.Seq]; ok {
			return fmt.Errorf("two batches have number %d", b.Seq)
		}
		batches[b.Seq] = rows
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for seq := range int64(len(batches)) {
		rows, ok := batches[seq]
		if !ok {
			t.Fatalf("batch %d is missing among %d", seq, len(batches))
		}
		all = append(all, rows...)
	}
	return all, stats
}

func rowsOfRecord(rec arrow.Record) []string {
	rows := make([]string, rec.NumRows())
	for i, f := range rec.Schema().Fields() {
		col := rec.Column(i)
		for row := range rows {
			if col.IsNull(row) {
				continue
			}
			var v string
			switch a := col.(type) {
			case *array.FixedSizeBinary:
				v = netip.AddrFrom16([16]byte(a.Value(row))).Unmap().String()
			case *array.Dictionary:
				if addrs, ok := a.Dictionary().(*array.FixedSizeBinary); ok {
					v = netip.AddrFrom16([16]byte(addrs.Value(a.GetValueIndex(row)))).Unmap().String()
					break
				}
				v = a.Dictionary().(*array.String).Value(a.GetValueIndex(row))
			default:
				v = a.ValueStr(row)
			}
			rows[row] += f.Name + "=" + v + " "
		}
	}
	return rows
}

const header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"

const records = `2 068194857476 eni-1 10.0.0.1 192.0.2.7 49152 443 6 10 8400 1700000000 1700000060 ACCEPT OK
2 unknown eni-2 2001:db8::1 2001:db8::2 0 0 58 1 64 1700000001 1700000061 REJECT OK
2 068194857476 eni-1 - - - - - - - 1700000002 1700000062 - NODATA
2 068194857476 eni-3 - - - - - - - 1700000003 1700000063 - SKIPDATA
`

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func TestText(t *testing.T) {
	plain, _ := rowsOf(t, one(header+records), Options{})
	want(t, "first record", plain[0], "version=2 account_id=068194857476 interface_id=eni-1 srcaddr=10.0.0.1 dstaddr=192.0.2.7 srcport=49152 dstport=443 protocol=6 packets=10 bytes=8400 start=1700000000 end=1700000060 action=ACCEPT log_status=OK ")
	want(t, "third record", plain[2], "version=2 account_id=068194857476 interface_id=eni-1 start=1700000002 end=1700000062 log_status=NODATA ")
	columns := strings.Fields(header)
	for name, content := range map[string]string{
		"underscores":        strings.ReplaceAll(header, "-", "_") + records,
		"CRLF":               strings.ReplaceAll(header+records, "\n", "\r\n"),
		"tabs":               strings.ReplaceAll(header+records, " ", "\t"),
		"runs of blanks":     strings.ReplaceAll(header+records, " ", "  \t "),
		"byte-order mark":    "\ufeff" + header + records,
		"no last newline":    strings.TrimSuffix(header+records, "\n"),
		"blank lines":        "\n \n" + header + "\n" + strings.ReplaceAll(records, "\n", "\n\n"),
		"no header":          records,
		"milliseconds":       header + strings.NewReplacer("170000000", "170000000", "0 17", "0 17").Replace(milliseconds(records)),
		"repeated header":    header + header + records + header,
		"another order":      reorder(columns, records),
		"another, in middle": header + strings.Join(strings.SplitAfter(records, "\n")[:2], "") + reorder(columns, strings.Join(strings.SplitAfter(records, "\n")[2:], "")),
		"gzip":               gz(header + records),
		"gzip members":       gz(header) + gz(records[:100]) + gz(records[100:]),
		"zstd":               zst(header + records),
		"JSON messages":      messageDocs(records, ""),
		"JSON messages, NDJ": messageDocs(records, "\n"),
		"JSON array":         "[" + strings.TrimSuffix(messageDocs(records, ",\n"), ",\n") + "]",
	} {
		for _, workers := range []int{1, 8} {
			for _, size := range []int{1, 100, 0} {
				src := Source(one(content))
				if workers > 1 {
					src = onDisk{content}
				}
				got, stats := rowsOf(t, src, Options{Workers: workers, BlockSize: size})
				want(t, fmt.Sprintf("%s with %d workers, block size %d", name, workers, size), got, plain)
				want(t, name+": statistics", []int64{stats.Records, stats.Flows, stats.NoData, stats.SkipData, stats.Malformed}, []int64{4, 2, 1, 1, 0})
			}
		}
	}
}

// TestGzipByLibrary compares our own reader of gzip with the other one, on good data and bad.
func TestGzipByLibrary(t *testing.T) {
	whole := gz(header + benchRecords(2000))
	changed := []byte(whole)
	changed[len(changed)/2] ^= 1
	for name, content := range map[string]string{
		"whole":     whole,
		"members":   whole + gz("") + gz(records),
		"empty":     gz(""),
		"no header": whole[:2],
		"cut off":   whole[:len(whole)-4],
		"changed":   string(changed),
		"zeros":     whole + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"garbage":   whole + "garbage",
	} {
		wantRows, wantStats := rowsOf(t, one(content), Options{LibraryGzip: true})
		for range 2 { // the second time with a reader that was in use
			rows, stats := rowsOf(t, one(content), Options{})
			want(t, name+": records", rows, wantRows)
			want(t, name+": failed", stats.Failed, wantStats.Failed)
		}
	}
}

func milliseconds(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if strings.HasPrefix(w, "17000000") {
			words[i] += "000"
		}
	}
	var b strings.Builder
	for i, w := range words {
		b.WriteString(w)
		if i%14 == 13 {
			b.WriteByte('\n')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// reorder writes the records, header included, with their columns in the opposite order.
func reorder(columns []string, records string) string {
	reversed := slices.Clone(columns)
	slices.Reverse(reversed)
	out := strings.Join(reversed, " ") + "\n"
	for line := range strings.Lines(records) {
		toks := strings.Fields(line)
		slices.Reverse(toks)
		out += strings.Join(toks, " ") + "\n"
	}
	return out
}

func messageDocs(records, between string) string {
	var b strings.Builder
	for line := range strings.Lines(records) {
		fmt.Fprintf(&b, `{"_timestamp": 1, "message":"%s"}%s`, strings.TrimSpace(line), between)
	}
	return b.String()
}

func gz(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func zst(s string) string {
	w, _ := zstd.NewWriter(nil)
	return string(w.EncodeAll([]byte(s), nil))
}

// A frame of zstd whose content has changed is an error where it has a checksum, as the zstd command writes it.
func TestZstdChecksum(t *testing.T) {
	content := "srcaddr bytes\n10.0.0.1 5\n10.0.0.2 6\n"
	packed := zst(content)
	at := strings.Index(packed, "10.0.0.2 6") // too short to be compressed
	if at < 0 {
		t.Fatalf("the records are not in %q", packed)
	}
	changed := []byte(packed)
	changed[at+len("10.0.0.2 ")] ^= 1
	_, stats := rowsOf(t, one(string(changed)), Options{}, "srcaddr", "bytes")
	if len(stats.Failed) != 1 || !strings.Contains(stats.Failed[0].Error(), "zstd: ") {
		t.Errorf("got %v and %d records, want an error of zstd", stats.Failed, stats.Records)
	}
}

func TestLogFormat(t *testing.T) {
	names, err := schema.ParseFormat("${interface-id} $${srcaddr} dstaddr pkt_srcaddr")
	if err != nil {
		t.Fatal(err)
	}
	got, _ := rowsOf(t, one("eni-1 10.0.0.1 10.0.0.2 10.0.0.3\n"), Options{LogFormat: names})
	want(t, "records", got, []string{"interface_id=eni-1 srcaddr=10.0.0.1 dstaddr=10.0.0.2 pkt_srcaddr=10.0.0.3 "})
	_, stats := rowsOf(t, one("eni-1 10.0.0.1 10.0.0.2 10.0.0.3\n"), Options{})
	if len(stats.Failed) != 1 || !strings.Contains(stats.Failed[0].Error(), "log-format") {
		t.Errorf("without a format: got %v, want an error that names log-format", stats.Failed)
	}
}

func TestUnknownColumns(t *testing.T) {
	content := "srcaddr later-field bytes dstaddr\n10.0.0.1 x 5 -\n10.0.0.2 - 6 -\n"
	got, stats := rowsOf(t, one(content), Options{}, "srcaddr", "bytes")
	want(t, "records", got, []string{"srcaddr=10.0.0.1 bytes=5 later_field=x ", "srcaddr=10.0.0.2 bytes=6 "})
	want(t, "unknown columns", stats.Unknown, []UnknownColumn{{"later_field", "test.log"}})
}

func TestJSONRecords(t *testing.T) {
	content := `{"srcaddr":"10.0.0.1","later":"x","bytes":5}{} {"bytes":"7","srcaddr":null}
{"nothing":"known"} {"type":"object","properties":{"bytes":1}} [{"bytes":-1}] junk
{"bytes":8`
	got, stats := rowsOf(t, one(content), Options{}, "srcaddr", "bytes")
	want(t, "records", got, []string{"srcaddr=10.0.0.1 bytes=5 later=x ", "", "bytes=7 "})
	want(t, "malformed", stats.Malformed, 5)
}

func TestCloudWatch(t *testing.T) {
	plain, _ := rowsOf(t, one(records), Options{})
	var events, lines, insights, console strings.Builder
	for line := range strings.Lines(records) {
		fmt.Fprintf(&events, `,{"id":"1","timestamp":1,"message":%q,"extractedFields":{"srcaddr":"6.6.6.6"}}`, strings.TrimSpace(line))
		lines.WriteString("2014-12-14T04:06:50.000Z " + line)
		insights.WriteString("2014-12-14 04:06:50.000," + line)
		console.WriteString("1742570569000,\"" + strings.TrimSpace(line) + "\"\r\n")
	}
	list := "[" + events.String()[1:] + "]"
	control := `{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health"}]}`
	for name, content := range map[string]string{
		"subscription":         control + `{"messageType":"DATA_MESSAGE","owner":"1","logEvents":` + list + `}` + control,
		"subscription members": gz(control) + gz(`{"messageType":"DATA_MESSAGE","logEvents":`+list+`}`),
		"filter-log-events":    "{\n  \"events\": " + list + ",\n \"searchedLogStreams\": []\n}\n",
		"events, one a line":   strings.ReplaceAll(list[1:len(list)-1], "},{", "}\n{"),
		"export task":          lines.String(),
		"console CSV":          "timestamp,message\r\n" + console.String(),
		"Insights CSV":         "@timestamp,@message\n" + insights.String(),
	} {
		for _, size := range []int{1, 0} {
			got, stats := rowsOf(t, one(content), Options{BlockSize: size})
			want(t, name, got, plain)
			want(t, name+": malformed", stats.Malformed, 0)
		}
	}
	got, stats := rowsOf(t, memorySource{{"aws-logs-write-test", "Permission Check Successful"}, {"a", records}}, Options{})
	want(t, "beside the object that an export task writes first", got, plain)
	want(t, "failed", stats.Failed, []ObjectError{})
}

func TestCSV(t *testing.T) {
	for name, content := range map[string]string{
		"Athena":   "\"srcaddr\",\"dstport\",\"log_status\"\n\"10.0.0.1\",\"443\",\"OK\"\n\"-\",,\"NODATA\"\n",
		"Insights": "@timestamp,srcAddr,dstPort,logStatus\nx,10.0.0.1,443,OK\nx,,-,NODATA\n",
	} {
		got, _ := rowsOf(t, one(content), Options{}, "srcaddr", "dstport", "log_status")
		want(t, name, got, []string{"srcaddr=10.0.0.1 dstport=443 log_status=OK ", "log_status=NODATA "})
	}
	got, stats := rowsOf(t, one("srcaddr,instance_tag\n10.0.0.1,\"a\nb,\"\"c\"\"\"\n\"broken\n10.0.0.2,d\n"), Options{}, "srcaddr", "instance_tag")
	want(t, "quoted", got[0], "srcaddr=10.0.0.1 instance_tag=a\nb,\"c\" ")
	want(t, "malformed", stats.Malformed, 1)
}

func TestOCSFIsRefused(t *testing.T) {
	_, stats := rowsOf(t, one(`{"class_uid":4001,"src_endpoint":{"ip":"10.0.0.1"}}`), Options{})
	if len(stats.Failed) != 1 || !strings.Contains(stats.Failed[0].Error(), "OCSF") {
		t.Errorf("got %v, want an error that names OCSF", stats.Failed)
	}
}

func TestNamesOfObjects(t *testing.T) {
	name := func(account, flowLog, rest string) string {
		return "x/AWSLogs/" + account + "/vpcflowlogs/us-east-1/2026/05/14/" + account + "_vpcflowlogs_us-east-1_" + flowLog + "_20260514T0900Z_" + rest + ".log"
	}
	eni := "interface-id srcaddr\neni-1 10.0.0.1\n"
	src := memorySource{{name("000000000001", "fl-1", "a"), eni}, {name("000000000001", "fl-2", "b"), eni}, {"copy/" + name("000000000001", "fl-1", "a"), eni}, {"other.log", eni}}
	p, err := append(schema.Logged(), schema.Delivered()...).Project("account_id", "region", "flow_log_id")
	if err != nil {
		t.Fatal(err)
	}
	scan := func(opt Options) (rows []string, stats Stats) {
		var mu sync.Mutex
		stats, err := Scan(context.Background(), src, p, opt, func(b schema.Batch) error {
			mu.Lock()
			defer mu.Unlock()
			rows = append(rows, rowsOfRecord(b.Record)...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows, stats
	}
	rows, stats := scan(Options{Workers: 1, Ordered: true})
	want(t, "fields", rows, []string{
		"account_id=000000000001 region=us-east-1 flow_log_id=fl-1 ", "account_id=000000000001 region=us-east-1 flow_log_id=fl-2 ",
		"account_id=000000000001 region=us-east-1 flow_log_id=fl-1 ", "",
	})
	want(t, "twice", len(stats.Twice), 1)
	want(t, "overlaps", stats.Overlaps, []string{"fl-1 and fl-2"})
	rows, stats = scan(Options{Keys: KeyFilter{FlowLogs: []string{"fl-2"}}})
	want(t, "one flow log", len(rows), 1)
	want(t, "overlaps of one flow log", len(stats.Overlaps), 0)
}

func TestRecordsWithoutStatusAreFlows(t *testing.T) {
	src := memorySource{{"a.log", header + records}, {"b.log", "srcaddr bytes\n10.0.0.1 5\n"}, {"c.log", "srcaddr log-status\n10.0.0.1 -\n"}}
	_, stats := rowsOf(t, src, Options{Workers: 1})
	want(t, "records, flows", []int64{stats.Records, stats.Flows}, []int64{6, 4})
}

func TestTimeWindow(t *testing.T) {
	content := header + records + "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 3 4 - - ACCEPT OK\n"
	for _, size := range []int{1, 0} {
		got, stats := rowsOf(t, one(content), Options{Since: 1700000061, Until: 1700000063, BlockSize: size}, "end", "log_status")
		want(t, "records", got, []string{"end=1700000061 log_status=OK ", "end=1700000062 log_status=NODATA "})
		want(t, "records, flows, outside", []int64{stats.Records, stats.Flows, stats.Outside}, []int64{2, 1, 3})
		got, _ = rowsOf(t, one(content), Options{Since: 1700000063, BlockSize: size}, "interface_id")
		want(t, "records, without end", got, []string{"interface_id=eni-3 "})
	}
}

func TestTags(t *testing.T) {
	content := "srcaddr instance-tag\n10.0.0.1 a%20b%2Fc\n10.0.0.2 50%\n10.0.0.3 %ff\n"
	got, _ := rowsOf(t, one(content), Options{}, "instance_tag")
	want(t, "tags", got, []string{"instance_tag=a b/c ", "instance_tag=50% ", "instance_tag=%ff "})
}

func TestMalformed(t *testing.T) {
	good := "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 3 4 5 6 ACCEPT OK"
	for line, problem := range map[string]string{
		good + " more": "wrong number of fields: 15, but the header names 14",
		"2 1 eni-1":    "wrong number of fields: 3, but the header names 14",
		"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 3 12x4 5 6 ACCEPT OK":                 `bytes: "12x4" is not a whole number`,
		"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 3 -4 5 6 ACCEPT OK":                   `bytes: "-4" is out of range`,
		"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 3 99999999999999999999 5 6 ACCEPT OK": `bytes: "99999999999999999999" is too large for a 64-bit integer`,
		"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 3 9223372036854775808 5 6 ACCEPT OK":  `bytes: "9223372036854775808" is too large for a 64-bit integer`,
		"2 1 eni-1 10.0.0.256 10.0.0.2 1 2 6 3 4 5 6 ACCEPT OK":                  `srcaddr: "10.0.0.256" is not an IP address`,
		"2 1 eni-1 10.0.0.1 fe80::1%eth0 1 2 6 3 4 5 6 ACCEPT OK":                `dstaddr: "fe80::1%eth0" is not an IP address`,
		"2 1 eni-1 10.0.0.1 10.0.0.2 65536 2 6 3 4 5 6 ACCEPT OK":                `srcport: "65536" is out of range`,
		"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 256 3 4 5 6 ACCEPT OK":                  `protocol: "256" is out of range`,
		"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 3 4 5 6 ACCEPT \xff":                  `log_status: "\xff" is not UTF-8 text`,
	} {
		var rejects bytes.Buffer
		got, stats := rowsOf(t, one(header+good+"\n"+line+"\n"+good+"\n"), Options{Rejects: &rejects})
		want(t, line+": records", len(got), 2)
		want(t, line+": problems", stats.Problems, "[test.log:3: "+problem+"]")
		want(t, line+": rejects", rejects.String(), line+"\n")
		want(t, line+": malformed", stats.Malformed, 1)
	}
}

func TestProblemsComeInOrder(t *testing.T) {
	var content, rejected strings.Builder
	content.WriteString(header)
	for i := range 3000 {
		if i%100 == 7 {
			fmt.Fprintf(&rejected, "bad %d\n", i)
			fmt.Fprintf(&content, "bad %d\n", i)
		} else {
			content.WriteString(records[:strings.Index(records, "\n")+1])
		}
	}
	for _, workers := range []int{1, 8} {
		var rejects bytes.Buffer
		got, stats := rowsOf(t, one(content.String()), Options{Workers: workers, BlockSize: 512, Rejects: &rejects})
		want(t, "records", len(got), 2970)
		want(t, "lines", []int64{stats.Problems[0].Line, stats.Problems[1].Line, stats.Problems[4].Line}, []int64{9, 109, 409})
		want(t, "rejects", rejects.String(), rejected.String())
	}
}

func TestDamagedObjects(t *testing.T) {
	whole := gz(header + strings.Repeat(records, 3000))
	src := memorySource{
		{"a.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"},
		{"b.gz", whole[:len(whole)/2]},
		{"c.gz", gz(header+records) + "trailing"},
		{"d.log", header + records},
		{"e.log", ""},
		{"f.log", header},
		{"g.zip", "PK\x03\x04xxxxxxxx"},
		{"h.parquet", "PAR1 this is not one PAR1"},
		{"i.arrow", "\xff\xff\xff\xff\x10\x00\x00\x00garbagegarbage"},
	}
	got, stats := rowsOf(t, src, Options{})
	var failed []string
	for _, f := range stats.Failed {
		failed = append(failed, f.Object)
	}
	want(t, "failed", failed, "[a.png b.gz c.gz g.zip h.parquet i.arrow]")
	if stats.Failed[1].Records == 0 || int64(len(got)) != stats.Failed[1].Records+8 {
		t.Errorf("got %d records, and %d of the truncated file", len(got), stats.Failed[1].Records)
	}
	want(t, "malformed", stats.Malformed, 0)
}

func TestMaxErrors(t *testing.T) {
	p, _ := schema.Logged().Project("srcaddr")
	_, err := Scan(context.Background(), one(header+strings.Repeat("bad\n", 5)), p, Options{MaxErrors: 4}, func(schema.Batch) error { return nil })
	if err == nil {
		t.Error("5 malformed records: got no error, want one")
	}
	_, err = Scan(context.Background(), one(header+strings.Repeat("bad\n", 4)), p, Options{MaxErrors: 4}, func(schema.Batch) error { return nil })
	want(t, "4 malformed records", err, nil)
}

func TestProjectionIsACut(t *testing.T) {
	full, _ := rowsOf(t, one(header+records), Options{}, "srcaddr", "bytes", "log_status")
	for _, fields := range [][]string{{"srcaddr"}, {"bytes"}, {"bytes", "srcaddr"}, {"interface_id"}} {
		got, stats := rowsOf(t, one(header+records), Options{}, fields...)
		want(t, "records", stats.Flows, 2)
		for i, row := range got {
			for word := range strings.FieldsSeq(row) {
				name, _, _ := strings.Cut(word, "=")
				if name != "interface_id" && !strings.Contains(full[i], word) {
					t.Errorf("%v: got %s, want it in %s", fields, word, full[i])
				}
			}
		}
	}
}

func TestHeader(t *testing.T) {
	p, _ := schema.Logged().Project()
	for content, names := range map[string]string{
		header + records: strings.ReplaceAll(strings.TrimSpace(header), "-", "_"),
		records:          strings.Join(schema.Version(2), " "),
		gz("srcaddr dstaddr new-one\n1.1.1.1 - x\n"): "srcaddr dstaddr new_one",
		`{"srcaddr":"10.0.0.1","bytes":5}`:           "srcaddr bytes",
		"srcaddr,bytes\n10.0.0.1,5\n":                "srcaddr bytes",
		"PK\x03\x04":                                 "",
		messageDocs(records, ""):                     strings.Join(schema.Version(2), " "),
		"no header at all, and not a record\n":       "",
		"srcaddr,bytes,a,b,c\n10.0.0.1,5,1,2,3\n":    "",
		"version,srcaddr,dstaddr,srcport,dstport,bytes,a,b,c,d,e,f,g\n2,10.0.0.1,10.0.0.2,1,2,5,1,2,3,4,5,6,7\n":                         "version srcaddr dstaddr srcport dstport bytes a b c d e f g",
		"version\tsrcaddr\tdstaddr\tsrcport\tdstport\tbytes\ta\tb\tc\td\te\tf\tg\n2\t10.0.0.1\t10.0.0.2\t1\t2\t5\t1\t2\t3\t4\t5\t6\t7\n": "version srcaddr dstaddr srcport dstport bytes a b c d e f g",
	} {
		got := Columns(context.Background(), one(content), p, Options{})
		want(t, content, strings.Join(got, " "), names)
	}
}

func TestStdinIsLookedAtAndReadInFull(t *testing.T) {
	content := header + strings.Repeat(records, 20000)
	src := Paths(strings.NewReader(content), "-")
	p, _ := schema.Logged().Project()
	names := Columns(context.Background(), src, p, Options{})
	want(t, "header", len(names), 14)
	_, stats := rowsOf(t, src, Options{})
	want(t, "records", stats.Records, 80000)
}

func TestStdinWhoseLayoutComesLate(t *testing.T) {
	const other = 70_000
	content := wrappers["filter-log-events"].of(strings.Repeat("nothing that fits the default format\n", other) + records)
	src := Paths(strings.NewReader(content), "-")
	p, _ := schema.Logged().Project()
	names := Columns(context.Background(), src, p, Options{})
	want(t, "header", len(names), 14)
	_, stats := rowsOf(t, src, Options{})
	want(t, "records", fmt.Sprint(stats.Records, stats.Malformed, stats.Failed), fmt.Sprint(4, other, " []"))
}

// Both ways to decode a block must agree on any line.
func FuzzRegular(f *testing.F) {
	f.Add(header, records)
	f.Add("srcaddr bytes\n", "10.0.0.1 5\n")
	f.Add("interface-id start\n", "eni-1 1700000000000\n- -\n")
	f.Add("instance-tag\n", "a%20b\n")
	f.Fuzz(func(t *testing.T, head, body string) {
		if strings.Count(body, "\n") > 100 || !strings.HasSuffix(head, "\n") {
			return
		}
		content := head + body
		fast, fastStats := rowsOf(t, one(content), Options{Workers: 1})
		// an empty line makes a block irregular
		slow, slowStats := rowsOf(t, one(head+"\n"+strings.ReplaceAll(body, "\n", "\n\n")), Options{Workers: 1})
		if fmt.Sprint(fast) != fmt.Sprint(slow) || fastStats.Malformed != slowStats.Malformed {
			t.Errorf("regular:\n%q %d\nline by line:\n%q %d", fast, fastStats.Malformed, slow, slowStats.Malformed)
		}
	})
}

// Any content, whatever it looks like, is read without a panic and without losing count.
func FuzzContent(f *testing.F) {
	for _, s := range []string{header + records, messageDocs(records, ""), gz(header + records), "srcaddr,bytes\n10.0.0.1,\"5\n\"\n", `[{"srcaddr":"10.0.0.1"},{}]`, "PAR1", "ARROW1\x00\x00"} {
		f.Add(s)
	}
	for _, s := range shapesOf(records) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		one1, stats := rowsOf(t, one(s), Options{Workers: 1, BlockSize: 64})
		eight, _ := rowsOf(t, onDisk{s}, Options{Workers: 4, BlockSize: 64})
		if !slices.Equal(one1, eight) {
			t.Errorf("1 worker:\n%q\n4 workers, on disk:\n%q", one1, eight)
		}
		if int64(len(one1)) != stats.Records {
			t.Errorf("%d records emitted, %d counted", len(one1), stats.Records)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	content := header + benchRecords(200_000)
	for _, bench := range []struct {
		name   string
		fields string
	}{
		{"all", strings.Join(schema.Version(2), " ")},
		{"talkers", "srcaddr bytes packets log_status"},
		{"protocols", "protocol bytes packets log_status"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p, err := schema.Logged().Project(strings.Fields(bench.fields)...)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				if _, err := Scan(context.Background(), one(content), p, Options{Workers: 1}, func(schema.Batch) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchRecords makes records of the default format, 1 % of them NODATA.
func benchRecords(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	addrs := make([]string, 20000)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{byte(1 + r.IntN(220)), byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256))}).String()
	}
	var b strings.Builder
	for range n {
		eni := r.IntN(2000)
		if r.IntN(100) == 0 {
			fmt.Fprintf(&b, "2 123456789012 eni-%017x - - - - - - - 1700000000 1700000060 - NODATA\n", eni)
			continue
		}
		start := 1700000000 + r.IntN(86400)
		fmt.Fprintf(&b, "2 123456789012 eni-%017x %s 10.0.%d.%d %d %d %d %d %d %d %d %s OK\n", eni, addrs[r.IntN(len(addrs))],
			eni/250, eni%250, 1024+r.IntN(60000), cmp.Or(r.IntN(3)*221, 80), cmp.Or(r.IntN(2)*6, 17), 1+r.IntN(100), 40+r.IntN(100000), start, start+60,
			[]string{"ACCEPT", "REJECT"}[r.IntN(10)/9])
	}
	return b.String()
}

func TestShortAddrAgreesWithParseAddr(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	short := 0
	for range 500_000 {
		tok := []byte(netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32() % 30), byte(r.Uint32() % 110), byte(r.Uint32())}).String())
		if r.IntN(3) == 0 {
			tok[r.IntN(len(tok))] = "0123456789.:ax/ \x00\xff"[r.IntN(18)]
		}
		data := slices.Concat([]byte("1234 "), tok, []byte(" 5.6.7.8.9.10.11.12"))
		got, ok := shortAddr(data, 5, 5+len(tok))
		want, wantOK := schema.ParseAddr(tok)
		if ok && (!wantOK || got != want) {
			t.Fatalf("%q: got %v, want %v, %v", tok, got, want, wantOK)
		}
		if wantOK && !ok {
			t.Fatalf("%q: not read", tok)
		}
		if ok {
			short++
		}
	}
	if short < 300_000 {
		t.Errorf("only %d addresses were read", short)
	}
}

func TestSeparators(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		data := make([]byte, r.IntN(400))
		for i := range data {
			data[i] = byte(r.IntN(256))
			if r.IntN(2) == 0 || i > 0 && data[i-1] <= ' ' || i == 0 {
				data[i] |= 0x40
			}
		}
		if r.IntN(4) == 0 && len(data) > 2 {
			i := r.IntN(len(data) - 1)
			data[i], data[i+1] = ' ', '\n'
		}
		wantOut, wantOK := []int32{-1}, true
		for i, c := range data {
			if c <= ' ' {
				wantOK = wantOK && i > 0 && data[i-1] > ' '
				wantOut = append(wantOut, int32(i))
			}
		}
		wantASCII := !slices.ContainsFunc(data, func(c byte) bool { return c >= 0x80 })
		got, ascii, ok := separators(data, nil)
		if ok != wantOK || ok && (!slices.Equal(got, wantOut) || ascii != wantASCII) {
			t.Fatalf("%q: got %v, %v, %v, want %v, %v, %v", data, got, ascii, ok, wantOut, wantASCII, wantOK)
		}
	}
}

// fewer is n, or a part of it where tests are to be short: with the race detector, which makes them many times as slow.
func fewer(n int) int {
	if testing.Short() {
		return (n + 4) / 5
	}
	return n
}
