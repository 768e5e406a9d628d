package parse

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"flowlog/parse/schema"
)

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// wrapper puts each record, which it gets as a JSON string, into an event, and all events between two texts.
type wrapper struct{ before, event, between, after string }

func (w wrapper) of(records string) string {
	var b strings.Builder
	b.WriteString(w.before)
	n := 0
	for line := range strings.Lines(records) {
		if n++; n > 1 {
			b.WriteString(w.between)
		}
		b.WriteString(strings.NewReplacer("RECORD", quoted(strings.TrimSpace(line)), "N", fmt.Sprint(n)).Replace(w.event))
	}
	b.WriteString(w.after)
	return b.String()
}

var wrappers = map[string]wrapper{
	"filter-log-events":          {`{"events":[`, `{"logStreamName":"eni-1-all","timestamp":1,"message":RECORD,"ingestionTime":2,"eventId":"N"}`, ",", `],"searchedLogStreams":[]}`},
	"filter-log-events indented": {"{\n    \"events\": [\n", "        {\n            \"timestamp\": 1,\n            \"message\": RECORD,\n            \"eventId\": \"a{]\\\"\"\n        }", ",\n", "\n    ],\n    \"searchedLogStreams\": [\n        {\"logStreamName\": \"x\"}\n    ]\n}\n"},
	"list last":                  {`{"nextForwardToken":"f/1","owner":{"a":["b"]},"events":[`, `{"message":RECORD}`, ",", `]}`},
	"list of texts":              {`{"lines":[`, `RECORD`, ",\n", `]}`},
	"subscription":               {`{"messageType":"DATA_MESSAGE","logStream":"eni-1-all","logEvents":[`, `{"id":"N","message":RECORD,"extractedFields":{"srcaddr":"6.6.6.6","dstaddr":"6.6.6.6"}}`, ",", `]}`},
	"Firehose":                   {"", `{"message":RECORD}`, "", ""},
	"Fluent Bit":                 {"", `{"date":1.5,"log":RECORD,"tag":"vpc"}`, "\n", "\n"},
	"Loki":                       {"", `{"labels":{"a":"b c"},"line":RECORD,"timestamp":"2026-05-14T09:00:00Z"}`, "\n", ""},
	"OTel":                       {"", `{"body":RECORD,"attributes":{}}`, "\n", ""},
	"OTLP":                       {`{"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"b"}}]},"scopeLogs":[{"scope":{},"logRecords":[`, `{"timeUnixNano":"1","body":{"stringValue":RECORD},"attributes":[]}`, ",", `]}]}]}`},
	"Splunk":                     {"", `{"preview":false,"result":{"_raw":RECORD,"host":"x"}}`, "\n", ""},
	"Elastic":                    {`{"took":1,"hits":{"total":{"value":1},"hits":[`, `{"_id":"N","_source":{"@timestamp":"x","message":RECORD,"event":{"original":RECORD}}}`, ",", `]}}`},
	"event.original":             {"", `{"event":{"original":RECORD,"kind":"event"}}`, "\n", ""},
	"Loki's answer":              {`{"status":"success","data":{"resultType":"streams","result":[{"stream":{"a":"b c"},"values":[`, `["1710000000000000000",RECORD]`, ",", `]}]}}`},
	"Datadog":                    {`{"data":[`, `{"id":"N","attributes":{"message":RECORD,"tags":["a b"]}}`, ",", `]}`},
	"VictoriaLogs":               {"", `{"_time":"x","_msg":RECORD}`, "\n", ""},
	"text a line":                {"", "RECORD", "\n", "\n"},
	"array of texts":             {"[", "RECORD", ",", "]"},
	"Insights":                   {`{"results":[`, `[{"field":"@timestamp","value":"2026-05-14 09:00:00.000"},{"field":"@message","value":RECORD},{"field":"@ptr","value":"abc"}]`, ",", `],"status":"Complete"}`},
}

// shapesOf returns the records in all wrappers, those that need to encode them too.
func shapesOf(records string) map[string]string {
	shapes := make(map[string]string)
	for name, w := range wrappers {
		shapes[name] = w.of(records)
	}
	var within, awslogs, kinesis, firehose, tail, short, output, csv strings.Builder
	kinesis.WriteString(`{"Records":[`)
	firehose.WriteString(`{"records":[`)
	csv.WriteString("host,raw\n")
	n := 0
	for line := range strings.Lines(records) {
		rec := strings.TrimSpace(line)
		if n++; n > 1 {
			kinesis.WriteString(",")
			firehose.WriteString(",")
		}
		event := `{"messageType":"DATA_MESSAGE","logEvents":[{"message":` + quoted(rec) + `}]}`
		fmt.Fprintf(&within, `{"message":%s}`, quoted(`{"message":`+quoted(rec)+`}`))
		fmt.Fprintf(&awslogs, "{\"awslogs\":{\"data\":\"%s\"}}\n", b64(gz(event)))
		fmt.Fprintf(&kinesis, `{"kinesis":{"partitionKey":"a","data":"%s"},"eventID":"x"}`, b64(gz(event)))
		fmt.Fprintf(&firehose, `{"recordId":"1","data":"%s"}`, b64(rec+"\n"))
		fmt.Fprintf(&tail, "2026-05-14T09:00:00.123000+00:00 eni-1-all %s\n", rec)
		fmt.Fprintf(&short, "2026-05-14T09:00:00 %s\n", rec)
		fmt.Fprintf(&output, "EVENTS\t123456\t1778749290000\teni-1-all\t%s\t1778749200000\n", rec)
		fmt.Fprintf(&csv, "web 1,%s\n", rec)
	}
	kinesis.WriteString("]}")
	firehose.WriteString("]}")
	output.WriteString("SEARCHEDLOGSTREAMS\teni-1-all\tTrue\n")
	for name, b := range map[string]*strings.Builder{"message within message": &within, "awslogs.data": &awslogs, "Kinesis": &kinesis, "Firehose transformation": &firehose,
		"aws logs tail": &tail, "aws logs tail --format short": &short, "--output text": &output, "CSV": &csv} {
		shapes[name] = b.String()
	}
	shapes["get-log-events --output text"] = "b/123/s\tf/123/s\n" + strings.ReplaceAll(strings.ReplaceAll(short.String(), "2026-05-14T09:00:00 ", "EVENTS\t1778749290000\t"), "\n", "\t1778749200000\n")
	return shapes
}

func TestWrappers(t *testing.T) {
	many := strings.Repeat(records, 150)
	for _, records := range []string{records[:strings.Index(records, "\n")+1], records, many} {
		plain, _ := rowsOf(t, one(records), Options{Workers: 1})
		for name, content := range shapesOf(records) {
			for _, opt := range []Options{{Workers: 1, BlockSize: 1}, {Workers: 8, BlockSize: 1000}, {Workers: 8}} {
				got, stats := rowsOf(t, one(content), opt)
				what := fmt.Sprintf("%s, %d bytes, %d workers, blocks of %d", name, len(content), opt.Workers, opt.BlockSize)
				if fmt.Sprint(got) != fmt.Sprint(plain) || len(stats.Failed) > 0 || stats.Malformed > 0 {
					t.Errorf("%s: got %d records, want %d; failed %v, problems %v", what, len(got), len(plain), stats.Failed, stats.Problems)
				}
			}
		}
	}
}

func TestLateLayout(t *testing.T) {
	const other = "3 eni-9 nothing that fits the default format\n"
	plain, _ := rowsOf(t, one(records), Options{})
	for name, w := range wrappers {
		if name == "Insights" {
			continue
		}
		content := w.of(strings.Repeat(other, 3000) + records)
		got, stats := rowsOf(t, one(content), Options{Workers: 8, BlockSize: 5000})
		if fmt.Sprint(got) != fmt.Sprint(plain) || len(stats.Failed) > 0 || stats.Malformed != 3000 {
			t.Errorf("%s: got %d records, want %d; failed %v, %d malformed, want 3000, %v", name, len(got), len(plain), stats.Failed, stats.Malformed, stats.Problems)
		}
	}
}

func TestWrappedFormats(t *testing.T) {
	lines := "10.0.0.1 5 egress\n10.0.0.2 6 -\n"
	names, err := schema.ParseFormat("srcaddr bytes flow-direction")
	if err != nil {
		t.Fatal(err)
	}
	plain := []string{"srcaddr=10.0.0.1 bytes=5 flow_direction=egress ", "srcaddr=10.0.0.2 bytes=6 "}
	for name, content := range shapesOf(lines) {
		got, stats := rowsOf(t, one(content), Options{LogFormat: names, BlockSize: 10})
		want(t, name, got, plain)
		want(t, name+": malformed", fmt.Sprint(stats.Malformed, stats.Failed), "0 []")
	}
	for name, w := range wrappers {
		got, _ := rowsOf(t, one(w.of("srcaddr bytes flow-direction\n"+lines)), Options{BlockSize: 10})
		want(t, name+" with a header", got, plain)
	}
}

func TestPlacesOfEvents(t *testing.T) {
	many := fewer(500)
	lines := strings.Repeat(records, many)
	lines += strings.Replace(records, " 49152 ", " 99999 ", 1)
	for name, w := range wrappers {
		content := w.of(lines)
		for _, opt := range []Options{{Workers: 1, BlockSize: 1}, {Workers: 8, BlockSize: 700}, {Workers: 8}} {
			_, stats := rowsOf(t, one(content), opt)
			want(t, name, stats.Problems, fmt.Sprintf(`[test.log:%d: srcport: "99999" is out of range]`, 4*many+1))
		}
	}
}

func TestCutOffJSON(t *testing.T) {
	for _, name := range []string{"filter-log-events", "OTLP", "subscription"} {
		content := wrappers[name].of(strings.Repeat(records, 100))
		for _, cut := range []int{1, 2, 30, 1000, len(content) / 2} {
			for _, opt := range []Options{{Workers: 1, BlockSize: 1}, {Workers: 8}} {
				got, stats := rowsOf(t, one(content[:len(content)-cut]), opt)
				if len(stats.Failed) != 1 || !strings.Contains(stats.Failed[0].Error(), "cut off") || len(got) < 190 {
					t.Errorf("%s without the last %d bytes: got %d records and %v, want an error", name, cut, len(got), stats.Failed)
				}
			}
		}
	}
}

func TestLargeDocument(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads 70 MB")
	}
	content := wrappers["filter-log-events"].of(strings.Repeat(records, 70_000))
	if len(content) < 45<<20 {
		t.Fatalf("only %d bytes", len(content))
	}
	_, stats := rowsOf(t, one(content), Options{Workers: 2}, "bytes")
	want(t, "records", fmt.Sprint(stats.Records, stats.Failed), "280000 []")
}

func TestOtherServicesAreRefused(t *testing.T) {
	for content, message := range map[string]string{
		`{"version":"1.1","account_id":"1","region":"r","vpc_id":"vpc-1","query_name":"a.","srcaddr":"10.0.0.1","srcport":"5","answers":[{"Rdata":"10.0.0.2"}]}`: "Resolver",
		`{"Records":[{"eventVersion":"1","eventSource":"s3.amazonaws.com","eventName":"GetObject","userAgent":"a b c"}]}`:                                        "CloudTrail",
		`{"timestamp":1,"webaclId":"arn","httpRequest":{"clientIp":"10.0.0.1"}}`:                                                                                 "WAF",
		`{"schemaVersion":"2.0","accountId":"1","region":"r","service":{"count":5}}`:                                                                             "GuardDuty",
		`{"class_uid":4001,"src_endpoint":{"ip":"10.0.0.1"}}`:                                                                                                    "OCSF",
		`{"type":"object","properties":{"srcaddr":{"type":"string"},"dstaddr":{"type":"string"}}}`:                                                               "no flow logs",
		`{"srcaddr":"10.0.0.1","city":"x","colour":"y"}`:                                                                                                         "city",
		"version aws_account_id accelerator_id client_ip client_port gip gip_port endpoint_ip endpoint_port protocol ip_address_type packets bytes start_time end_time action log_status globalaccelerator_source_ip\n1.0 1 a 1.2.3.4 5 6.7.8.9 80 10.0.0.1 80 TCP IPV4 5 6 7 8 ACCEPT OK a\n": "no flow logs",
		"srcaddr,bytes,packets,flows\n10.0.0.1,5,1,1\n":                          "report of flowlog",
		"srcaddr\tbytes\tpackets\tflows\n10.0.0.1\t5\t1\t1\n":                    "report of flowlog",
		`{"report":"talkers","srcaddr":"10.0.0.1","bytes":5}`:                    "report of flowlog",
		`[{"report":"talkers","rows":[{"srcaddr":"10.0.0.1","bytes":5}]}]`:       "report of flowlog",
		"Source IP,Bytes transferred,Packets\n10.0.0.1,5,1\n":                    "not known: Source IP, Bytes transferred",
		"srcaddr;Bytes transferred;Packets\n10.0.0.1;5;1\n":                      "separated by ';'",
		`{"message":"{\"a\":\"one two three four five six seven eight nine\"}"}`: "jq -r '.message",
		`{"a":{"b-c":["one two three four five six seven eight nine ten"]}}`:     `jq -r '.a.["b-c"][]'`,
	} {
		got, stats := rowsOf(t, one(content), Options{})
		if len(got) > 0 || len(stats.Failed) != 1 || !strings.Contains(stats.Failed[0].Error(), message) || strings.ContainsAny(stats.Failed[0].Error(), "\n\t\x00") {
			t.Errorf("%s:\ngot %d records, %v, want an error with %q", content, len(got), stats.Failed, message)
		}
	}
}

func TestCSVShapes(t *testing.T) {
	plain := []string{"srcaddr=10.0.0.1 dstaddr=10.0.0.2 bytes=5 ", "srcaddr=10.0.0.3 bytes=6 "}
	for name, content := range map[string]string{
		"index":        ",srcaddr,dstaddr,bytes\n0,10.0.0.1,10.0.0.2,5\n1,10.0.0.3,,6\n",
		"Unnamed: 0":   "Unnamed: 0,srcaddr,dstaddr,bytes\n0,10.0.0.1,10.0.0.2,5\n1,10.0.0.3,-,6\n",
		"semicolons":   "srcaddr;dstaddr;bytes\r\n10.0.0.1;10.0.0.2;5\r\n10.0.0.3;;6\r\n",
		"tabs":         "srcaddr\tdstaddr\tbytes\n10.0.0.1\t10.0.0.2\t5\n10.0.0.3\t\t6\n",
		"tabs, text":   "srcaddr\tdstaddr\tbytes\n10.0.0.1\t10.0.0.2\t5\n10.0.0.3\t-\t6\n",
		"quoted, mark": "\ufeff\"srcaddr\",\"dstaddr\",\"bytes\"\r\n\"10.0.0.1\",\"10.0.0.2\",\"5\"\r\n\"10.0.0.3\",,\"6\"\r\n",
		"bars":         "srcaddr|dstaddr|bytes\n10.0.0.1|10.0.0.2|5\n10.0.0.3||6\n",
		"quoted names": "\"srcaddr\" \"dstaddr\" \"bytes\"\n10.0.0.1 10.0.0.2 5\n10.0.0.3 - 6\n",
		"case":         "SrcAddr,DSTADDR, Bytes\n10.0.0.1,10.0.0.2,5\n10.0.0.3,,6\n",
	} {
		got, stats := rowsOf(t, one(content), Options{}, "srcaddr", "dstaddr", "bytes")
		want(t, name, got, plain)
		want(t, name+": malformed", fmt.Sprint(stats.Malformed, stats.Failed), "0 []")
	}
}

// The first record of a column may come after much other text.
func TestLateRecordsInCSV(t *testing.T) {
	for _, name := range []string{"msg", "_raw", "Log"} {
		content := "ts,host," + name + "\n" + strings.Repeat("2024-03-09,web,some other text of a program that logs\n", 3000)
		for line := range strings.Lines(records) {
			content += "2024-03-09,web," + line
		}
		_, stats := rowsOf(t, one(content), Options{}, "bytes")
		want(t, name, fmt.Sprint(stats.Records, stats.Malformed, stats.Failed), "4 3000 []")
	}
}

func TestLongHeaders(t *testing.T) {
	var names, values []string
	for i := range 700 {
		names, values = append(names, fmt.Sprintf("another_column_%0100d", i)), append(values, "x")
	}
	for _, comma := range []string{",", " "} {
		content := strings.Join(append(names, "srcaddr", "dstaddr"), comma) + "\n" + strings.Join(append(values, "10.0.0.1", "10.0.0.2"), comma) + "\n"
		for _, src := range []Source{one(content), onDisk{content}} {
			_, stats := rowsOf(t, src, Options{}, "srcaddr")
			want(t, "records", fmt.Sprint(stats.Records, stats.Malformed, stats.Failed), "1 0 []")
		}
	}
}

func TestBombInEvent(t *testing.T) {
	bomb := `{"awslogs":{"data":"` + b64(gz(strings.Repeat(" ", 65<<20))) + `"}}`
	good := `{"awslogs":{"data":"` + b64(gz(messageDocs(records, ""))) + `"}}`
	got, stats := rowsOf(t, one(good+"\n"+bomb), Options{})
	want(t, "records", len(got), 4)
	if len(stats.Problems) != 1 || !strings.Contains(stats.Problems[0].String(), "64 MiB") {
		t.Errorf("got %v, want one problem about 64 MiB", stats.Problems)
	}
}

// However a stream of JSON is cut into blocks, the same records come of it.
func FuzzJSONBlocks(f *testing.F) {
	for _, content := range shapesOf(records) {
		f.Add(content, 10)
	}
	f.Add(`{"events":[]}{"events":[{"message":"`+strings.TrimSpace(strings.SplitN(records, "\n", 2)[0])+`"},3,"x",{}]}{"a":"b"`, 1)
	f.Fuzz(func(t *testing.T, s string, size int) {
		opt := Options{Workers: 1, Input: "json"}
		whole, wholeStats := rowsOf(t, one(s), opt)
		opt.BlockSize, opt.Workers = max(size, 1)%4096+1, 3
		cut, cutStats := rowsOf(t, one(s), opt)
		if fmt.Sprint(whole, wholeStats.Problems, wholeStats.Failed) != fmt.Sprint(cut, cutStats.Problems, cutStats.Failed) {
			t.Errorf("whole: %q %v %v\nblocks of %d: %q %v %v", whole, wholeStats.Problems, wholeStats.Failed, opt.BlockSize, cut, cutStats.Problems, cutStats.Failed)
		}
	})
}

// A record in a wrapper whose value is wrong is told by the value.
func TestWrongValueInWrapper(t *testing.T) {
	bad := strings.Replace(records, "8400", "84x0", 1)
	for name, content := range shapesOf(records + bad) {
		got, stats := rowsOf(t, one(content), Options{}, "bytes")
		want(t, name+": records", len(got), 7)
		if len(stats.Problems) != 1 || !strings.HasSuffix(stats.Problems[0].String(), `: bytes: "84x0" is not a whole number`) {
			t.Errorf("%s: problems %v", name, stats.Problems)
		}
	}
}

// Text that only looks like base64 of some length is other text.
func TestUnpackedOfAnyLength(t *testing.T) {
	for n := range 200 {
		s := strings.Repeat("a", n)
		data, err := unpacked([]byte(s))
		if want, err := base64.RawStdEncoding.DecodeString(s); err == nil && n >= 12 && utf8.Valid(want) != (data != nil) {
			t.Errorf("%d letters: got %q, want %q", n, data, want)
		}
		if err != nil {
			t.Errorf("%d letters: %v", n, err)
		}
	}
}

// What a member is depends on those beside it in its own object, whatever others have; names may hold anything.
func TestMembersBesideOthers(t *testing.T) {
	var b strings.Builder
	line := func(members string) { b.WriteString("{\"dstaddr\":\"10.0.0.9\"," + members + "}\n") }
	line(`"src_addr":"10.0.0.1"`)
	line(`"src_addr":"10.0.0.2","srcaddr":"10.0.0.3"`)
	line(`"src_addr":"10.0.0.4"`)
	line(`"srcaddr":"10.0.0.5","srcaddr":"10.0.0.6"`)
	line(`"srcaddr\u0000":"x","SrcAddr":"10.0.0.7"`)
	line(`"srcaddr":"10.0.0.8","\u0000":"y"`)
	for i := range 2 * maxNames {
		line(fmt.Sprintf(`"srcaddr":"10.1.0.0","n%d":"a","n%d":"b"`, i, i))
	}
	got, stats := rowsOf(t, one(b.String()), Options{Workers: 1}, "srcaddr")
	want(t, "records", len(got), 6+2*maxNames)
	want(t, "first", strings.Join(got[:6], ""), "srcaddr=10.0.0.1 srcaddr=10.0.0.3 src_addr=10.0.0.2 srcaddr=10.0.0.4 srcaddr=10.0.0.5 srcaddr=10.0.0.7 srcaddr=10.0.0.8 ")
	want(t, "last", got[len(got)-1], fmt.Sprintf("srcaddr=10.1.0.0 n%d=a ", 2*maxNames-1))
	want(t, "malformed", stats.Malformed, 0)
}
