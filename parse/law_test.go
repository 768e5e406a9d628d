package parse

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/decimal128"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"

	"flowlog/parse/schema"
)

// TestContainers holds the law that the same records in any container are the same: whatever the container is, whatever
// the types, the spelling of the values and the names of the columns are.
func TestContainers(t *testing.T) {
	for seed := range uint64(lawSeeds) {
		l := &law{rand.New(rand.NewPCG(seed, 1)), nil}
		l.generate(3 + l.IntN(60))
		own := l.text(false)
		options := []Options{{Workers: 1, BlockSize: 1 + l.IntN(2000)}, {Workers: 8}, l.window(), {Only: only("action", "REJECT")}, {Only: only("log_status", "NODATA")}}
		var rows [][]string
		var stats []Stats
		for _, opt := range options {
			r, s := l.rows(t, own, opt)
			rows, stats = append(rows, r), append(stats, s)
		}
		for name, content := range l.containers() {
			for i, opt := range options {
				what := fmt.Sprintf("seed %d, %s, options %d", seed, name, i)
				if strings.HasPrefix(name, "wrapped") {
					opt.LogFormat = lawNames()
				}
				got, s := l.rows(t, content, opt)
				if len(s.Failed) > 0 || s.Malformed > 0 {
					t.Fatalf("%s: failed %v, problems %v", what, s.Failed, s.Problems)
				}
				if fmt.Sprint(got) != fmt.Sprint(rows[i]) {
					t.Fatalf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(rows[i], "\n     "))
				}
				want(t, what, counts(s), counts(stats[i]))
			}
		}
		if t.Failed() {
			return
		}
	}
}

// lawSeeds is how many sets of records are tried.
const lawSeeds = 5

func only(field, value string) struct{ Field, Value string } {
	return struct{ Field, Value string }{field, value}
}

func counts(s Stats) string {
	return fmt.Sprint(s.Records, s.Flows, s.NoData, s.SkipData, s.Other, s.Outside, s.Odd)
}

// law generates records, and writes them.
type law struct {
	*rand.Rand
	records [][]string // values as AWS writes them, by lawFields; "" is null
}

const strangeField = "shiny_field"

var lawFields = func() schema.Table {
	p, err := schema.Logged().Project("version", "account_id", "interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
		"start", "end", "action", "log_status", "tcp_flags", "flow_direction", "type", "pkt_srcaddr", "instance_tag")
	if err != nil {
		panic(err)
	}
	return append(p.Fields, schema.Field{Name: strangeField, Kind: schema.Text})
}()

func lawNames() []string { return lawFields.Names() }

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func (l *law) generate(n int) {
	begin := int64(1_710_000_000 + l.IntN(1e6))
	for i := range n {
		status := pick(l.Rand, "OK", "OK", "OK", "OK", "NODATA", "SKIPDATA", "")
		action := pick(l.Rand, "ACCEPT", "ACCEPT", "REJECT")
		if i > 3 && l.IntN(20) == 0 {
			action, status = pick(l.Rand, "DROPPED", "Blocked"), pick(l.Rand, status, "PARTIAL")
		}
		start := begin + int64(l.IntN(3600))
		values := map[string]string{
			"version": strconv.Itoa(2 + l.IntN(10)), "account_id": pick(l.Rand, "012345678901", "123456789012", "000000000012", "unknown"), "interface_id": fmt.Sprintf("eni-%d", l.IntN(5)),
			"start": fmt.Sprint(start), "end": fmt.Sprint(start + int64(l.IntN(600))), "log_status": status,
		}
		if status != "NODATA" && status != "SKIPDATA" {
			for field, value := range map[string]string{
				"srcaddr": l.addr(), "dstaddr": l.addr(), "pkt_srcaddr": l.addr(), "srcport": fmt.Sprint(l.IntN(65536)), "dstport": fmt.Sprint(l.IntN(2000)), "protocol": fmt.Sprint(l.IntN(256)),
				"packets": fmt.Sprint(l.Int64N(1 << l.IntN(20))), "bytes": fmt.Sprint(l.Int64N(1 << l.IntN(50))), "action": action, "tcp_flags": fmt.Sprint(l.IntN(256)),
				"flow_direction": pick(l.Rand, "ingress", "egress"), "type": pick(l.Rand, "IPv4", "IPv6", "EFA"), "instance_tag": pick(l.Rand, "web server", "None", "prod", "ü"), strangeField: pick(l.Rand, "a", "NULL", "1.50"),
			} {
				if i < 3 || l.IntN(10) > 0 {
					values[field] = value
				}
			}
		}
		var record []string
		for _, f := range lawFields {
			record = append(record, values[f.Name])
		}
		l.records = append(l.records, record)
	}
}

func (l *law) addr() string {
	if l.IntN(4) > 0 {
		return netip.AddrFrom4([4]byte{10, 0, byte(l.IntN(3)), byte(l.IntN(256))}).String()
	}
	return netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 15: byte(l.IntN(256))}).String()
}

// window is a time that some of the records end in.
func (l *law) window() Options {
	var ends []int64
	for _, record := range l.records {
		end, _ := strconv.ParseInt(record[slices.Index(lawNames(), "end")], 10, 64)
		ends = append(ends, end)
	}
	slices.Sort(ends)
	return Options{Since: ends[len(ends)/3], Until: ends[len(ends)/3] + 1 + int64(l.IntN(1200))}
}

// rows returns the records of a file. What is passed over because nobody asks for it makes no difference.
func (l *law) rows(t *testing.T, content string, opt Options) ([]string, Stats) {
	t.Helper()
	rows, stats := rowsOf(t, readerAtSource{"x", []byte(content)}, opt, lawNames()[:len(lawFields)-1]...)
	if opt.Only.Field != "" {
		rows = slices.DeleteFunc(rows, func(row string) bool { return !strings.Contains(row, opt.Only.Field+"="+opt.Only.Value+" ") })
		stats.Odd = nil
	}
	return rows, stats
}

// containers returns the records in files of all kinds.
func (l *law) containers() map[string]string {
	text := l.text(true)
	_, bare, _ := strings.Cut(text, "\n")
	all := map[string]string{"text": text, "csv": l.csv(), "ndjson": l.json(false), "json": l.json(true)}
	for name, content := range shapesOf(bare) {
		all["wrapped: "+name] = content
	}
	for name, content := range shapesOf(text) {
		if !strings.Contains(name, "aws logs") && !strings.Contains(name, "output") && name != "Insights" { // where a header would be a value
			all["with a header: "+name] = content
		}
	}
	for i := range 4 {
		content, types := l.parquet(i == 0)
		all[fmt.Sprintf("parquet %d %s", i, types)] = content
		content, types = l.arrow()
		all[fmt.Sprintf("arrow %d %s", i, types)] = content
	}
	return all
}

// names returns the names of the columns, in a spelling.
func (l *law) names(any bool) []string {
	names := lawNames()
	if !any {
		return names
	}
	others := map[string]string{"account_id": "accountId", "srcaddr": "sourceaddress", "dstaddr": "dst_addr", "bytes": "numbytes", "start": "start_time", "end": "endTime", "log_status": "logStatus"}
	how := l.IntN(3)
	for i, name := range names {
		switch {
		case how == 0 && others[name] != "":
			names[i] = others[name]
		case how == 1:
			names[i] = strings.ToUpper(name)
		case how == 2:
			names[i] = strings.ReplaceAll(name, "_", "-")
		}
	}
	return names
}

// spell returns a value in one of its spellings; blanks may be in it.
func (l *law) spell(f schema.Field, v string) string {
	switch {
	case f.Values != nil && f.Documents(v):
		return pick(l.Rand, v, strings.ToLower(v), strings.ToUpper(v), strings.ToUpper(v[:1])+strings.ToLower(v[1:]))
	case f.Digits > 0 && v[0] == '0':
		return pick(l.Rand, v, strings.TrimLeft(v, "0"), strings.TrimLeft(v, "0")+".0")
	case f.Kind == schema.Time:
		seconds, _ := strconv.ParseInt(v, 10, 64)
		at := time.Unix(seconds, int64(l.IntN(1e9)))
		return pick(l.Rand, v, v+".0", fmt.Sprint(at.UnixMilli()), fmt.Sprint(at.UnixMicro()), fmt.Sprint(at.UnixNano()), at.UTC().Format(time.RFC3339Nano),
			at.In(time.FixedZone("", 3600)).Format(time.RFC3339), at.UTC().Format("2006-01-02 15:04:05.000 UTC"), at.UTC().Format("2006-01-02 15:04:05"))
	case f.Kind == schema.Int32 || f.Kind == schema.Int64:
		return pick(l.Rand, v, v, v+".0", v+".00", v+"e0")
	}
	return v
}

func (l *law) null(f schema.Field) string {
	if f.Name == strangeField || f.Escaped {
		return pick(l.Rand, "-", `\N`)
	}
	return pick(l.Rand, "-", `\N`, "NULL", "None", "NaN", "<NA>")
}

func (l *law) text(any bool) string {
	var b strings.Builder
	b.WriteString(strings.Join(l.names(any), " ") + "\n")
	for _, record := range l.records {
		for i, v := range record {
			f := lawFields[i]
			switch {
			case v == "" && any:
				v = l.null(f)
			case v == "":
				v = "-"
			case f.Escaped:
				v = url.PathEscape(v)
			case any:
				if v = l.spell(f, v); strings.Contains(v, " ") {
					v = record[i]
				}
			}
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(v)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (l *law) csv() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = pick(l.Rand, ',', ';', '\t')
	must(w.Write(l.names(true)))
	for _, record := range l.records {
		var cells []string
		for i, v := range record {
			if v != "" {
				v = l.spell(lawFields[i], v)
			} else if l.IntN(2) == 0 {
				v = l.null(lawFields[i])
			}
			cells = append(cells, v)
		}
		must(w.Write(cells))
	}
	w.Flush()
	return b.String()
}

func (l *law) json(array bool) string {
	names := l.names(true)
	var docs []string
	for _, record := range l.records {
		var members []string
		for i, v := range record {
			f := lawFields[i]
			switch {
			case v == "" && l.IntN(2) == 0:
				continue
			case v == "":
				v = pick(l.Rand, "null", quoted(l.null(f)))
			default:
				v = l.spell(f, v)
				if _, err := strconv.ParseFloat(v, 64); err != nil || f.Name == strangeField || f.Kind == schema.Addr || len(v) > 1 && v[0] == '0' && v[1] != '.' || l.IntN(2) == 0 {
					v = quoted(v)
				}
			}
			members = append(members, quoted(names[i])+":"+v)
		}
		l.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		docs = append(docs, "{"+strings.Join(members, ",")+"}")
	}
	if !array {
		return strings.Join(docs, "\n") + "\n"
	}
	var b bytes.Buffer
	must(json.Indent(&b, []byte("["+strings.Join(docs, ",")+"]"), "", "  "))
	return b.String()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// A column has its type in Parquet, and makes a value of a text as AWS writes it.
type parquetColumn struct {
	name string
	node parquet.Node
	of   func(string) parquet.Value
}

func whole(s string) int64 {
	v, err := strconv.ParseInt(s, 10, 64)
	must(err)
	return v
}

// decimalBytes is a number times 10 to the power of scale in two's complement, the highest byte first.
func decimalBytes(s string, scale, size int) []byte {
	n, _ := new(big.Int).SetString(s+strings.Repeat("0", scale), 10)
	return n.FillBytes(make([]byte, size))
}

var texts = parquetColumn{"string", parquet.String(), func(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }}

// numbers are types of whole numbers.
var numbers = []parquetColumn{
	{"int64", parquet.Leaf(parquet.Int64Type), func(s string) parquet.Value { return parquet.Int64Value(whole(s)) }},
	{"uint64", parquet.Uint(64), func(s string) parquet.Value { return parquet.Int64Value(whole(s)) }},
	{"double", parquet.Leaf(parquet.DoubleType), func(s string) parquet.Value { return parquet.DoubleValue(float64(whole(s))) }},
	{"decimal(18,0)", parquet.Decimal(0, 18, parquet.Int64Type), func(s string) parquet.Value { return parquet.Int64Value(whole(s)) }},
	{"decimal(18,2)", parquet.Decimal(2, 18, parquet.Int64Type), func(s string) parquet.Value { return parquet.Int64Value(100 * whole(s)) }},
	{"decimal(38,3)", parquet.Decimal(3, 38, parquet.FixedLenByteArrayType(16)), func(s string) parquet.Value { return parquet.FixedLenByteArrayValue(decimalBytes(s, 3, 16)) }},
	{"decimal bytes", parquet.Decimal(1, 20, parquet.ByteArrayType), func(s string) parquet.Value { return parquet.ByteArrayValue(decimalBytes(s, 1, 9)) }},
}

// smallNumbers are further ones, up to 2^16.
var smallNumbers = []parquetColumn{
	{"int32", parquet.Leaf(parquet.Int32Type), func(s string) parquet.Value { return parquet.Int32Value(int32(whole(s))) }},
	{"uint32", parquet.Uint(32), func(s string) parquet.Value { return parquet.Int32Value(int32(whole(s))) }},
	{"float", parquet.Leaf(parquet.FloatType), func(s string) parquet.Value { return parquet.FloatValue(float32(whole(s))) }},
	{"decimal(9,2)", parquet.Decimal(2, 9, parquet.Int32Type), func(s string) parquet.Value { return parquet.Int32Value(100 * int32(whole(s))) }},
}

// times are types of points in time.
func (l *law) times() []parquetColumn {
	at := func(per int64) func(string) parquet.Value {
		return func(s string) parquet.Value { return parquet.Int64Value(whole(s)*per + l.Int64N(per)) }
	}
	var columns []parquetColumn
	for _, utc := range []bool{true, false} {
		columns = append(columns, parquetColumn{"timestamp ms", parquet.TimestampAdjusted(parquet.Millisecond, utc), at(1e3)},
			parquetColumn{"timestamp us", parquet.TimestampAdjusted(parquet.Microsecond, utc), at(1e6)},
			parquetColumn{"timestamp ns", parquet.TimestampAdjusted(parquet.Nanosecond, utc), at(1e9)})
	}
	return append(append(columns, numbers...), texts,
		parquetColumn{"ms", parquet.Leaf(parquet.Int64Type), at(1e3)}, parquetColumn{"us", parquet.Leaf(parquet.Int64Type), at(1e6)}, parquetColumn{"ns", parquet.Leaf(parquet.Int64Type), at(1e9)},
		parquetColumn{"uint32 s", parquet.Uint(32), func(s string) parquet.Value { return parquet.Int32Value(int32(whole(s))) }},
		parquetColumn{"ISO", parquet.String(), func(s string) parquet.Value {
			return parquet.ByteArrayValue([]byte(time.Unix(whole(s), 0).UTC().Format(pick(l.Rand, time.RFC3339, "2006-01-02 15:04:05.000"))))
		}},
		parquetColumn{"int96", parquet.Leaf(parquet.Int96Type), func(s string) parquet.Value {
			day, nanos := whole(s)/86400+2440588, whole(s)%86400*1e9+l.Int64N(1e9)
			return parquet.Int96Value(deprecated.Int96{uint32(nanos), uint32(nanos >> 32), uint32(day)})
		}})
}

// typesOf are the types that a column may have, the one that AWS writes first.
func (l *law) typesOf(f schema.Field, values []string) []parquetColumn {
	switch f.Kind {
	case schema.Int32:
		return slices.Concat(smallNumbers, numbers, []parquetColumn{texts})
	case schema.Int64:
		return append(slices.Clone(numbers), texts)
	case schema.Time:
		return append([]parquetColumn{numbers[0]}, l.times()...)
	case schema.Addr:
		return []parquetColumn{texts, {"16 bytes", parquet.Leaf(parquet.FixedLenByteArrayType(16)), func(s string) parquet.Value {
			a := netip.MustParseAddr(s).As16()
			return parquet.FixedLenByteArrayValue(a[:])
		}}}
	}
	types := []parquetColumn{texts, {"enum", parquet.Enum(), texts.of}, {"bytes", parquet.Leaf(parquet.ByteArrayType), texts.of}}
	if f.Digits > 0 && !slices.Contains(values, "unknown") {
		types = append(types, numbers...)
	}
	return types
}

func (l *law) column(i int) []string {
	var values []string
	for _, record := range l.records {
		values = append(values, record[i])
	}
	return values
}

// parquet writes the records with types that are AWS's or any.
func (l *law) parquet(aws bool) (content, types string) {
	names, group, columns := l.names(!aws), parquet.Group{}, make(map[string]parquetColumn)
	index := make(map[string]int)
	for i, f := range lawFields {
		all := l.typesOf(f, l.column(i))
		c := pick(l.Rand, all...)
		if aws {
			c = all[0]
		}
		node := c.node
		if l.IntN(2) == 0 {
			node = parquet.Encoded(node, &parquet.RLEDictionary)
		}
		if slices.Contains(l.column(i), "") || l.IntN(2) == 0 {
			node = parquet.Optional(node)
		}
		group[names[i]], columns[names[i]], index[names[i]] = node, c, i
		types += f.Name + ":" + c.name + " "
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[any](&b, parquet.NewSchema("flows", group), parquet.DataPageVersion(1+l.IntN(2)), parquet.PageBufferSize(100+l.IntN(3000)),
		parquet.Compression(pick[compress.Codec](l.Rand, &parquet.Uncompressed, &parquet.Snappy, &parquet.Zstd, &parquet.Gzip)))
	for _, record := range l.records {
		var row parquet.Row
		for at, path := range w.Schema().Columns() {
			i := index[path[0]]
			f, v := lawFields[i], record[i]
			optional := 0
			if group[path[0]].Optional() {
				optional = 1
			}
			if v == "" {
				row = append(row, parquet.NullValue().Level(0, 0, at))
				continue
			}
			if f.Values != nil || f.Digits > 0 && columns[path[0]].node.Type().Kind() == parquet.ByteArray && columns[path[0]].name != "decimal bytes" {
				v = l.spell(f, v)
			}
			row = append(row, columns[path[0]].of(v).Level(0, optional, at))
		}
		_, err := w.WriteRows([]parquet.Row{row})
		must(err)
		if l.IntN(10) == 0 {
			must(w.Flush())
		}
	}
	must(w.Close())
	return b.String(), types
}

// An arrowColumn has its type in Arrow, and appends a value of a text as AWS writes it.
type arrowColumn struct {
	kind arrow.DataType
	add  func(array.Builder, string)
}

func (l *law) arrowTypesOf(f schema.Field, values []string) []arrowColumn {
	text := []arrowColumn{
		{arrow.BinaryTypes.String, func(b array.Builder, s string) { b.(*array.StringBuilder).Append(s) }},
		{arrow.BinaryTypes.LargeString, func(b array.Builder, s string) { b.(*array.LargeStringBuilder).Append(s) }},
		{arrow.BinaryTypes.Binary, func(b array.Builder, s string) { b.(*array.BinaryBuilder).AppendString(s) }},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, func(b array.Builder, s string) { must(b.(*array.BinaryDictionaryBuilder).AppendString(s)) }},
	}
	number := []arrowColumn{
		{arrow.PrimitiveTypes.Int64, func(b array.Builder, s string) { b.(*array.Int64Builder).Append(whole(s)) }},
		{arrow.PrimitiveTypes.Uint64, func(b array.Builder, s string) { b.(*array.Uint64Builder).Append(uint64(whole(s))) }},
		{arrow.PrimitiveTypes.Float64, func(b array.Builder, s string) { b.(*array.Float64Builder).Append(float64(whole(s))) }},
		{&arrow.Decimal128Type{Precision: 30, Scale: 4}, func(b array.Builder, s string) {
			n, _ := new(big.Int).SetString(s+"0000", 10)
			b.(*array.Decimal128Builder).Append(decimal128.FromBigInt(n))
		}},
	}
	switch f.Kind {
	case schema.Int32:
		return slices.Concat(number, text, []arrowColumn{{arrow.PrimitiveTypes.Int32, func(b array.Builder, s string) { b.(*array.Int32Builder).Append(int32(whole(s))) }},
			{arrow.PrimitiveTypes.Uint16, func(b array.Builder, s string) { b.(*array.Uint16Builder).Append(uint16(whole(s))) }},
			{arrow.PrimitiveTypes.Float32, func(b array.Builder, s string) { b.(*array.Float32Builder).Append(float32(whole(s))) }}})
	case schema.Int64:
		return slices.Concat(number, text)
	case schema.Time:
		all := slices.Concat(number, text)
		for unit := arrow.Second; unit <= arrow.Nanosecond; unit++ {
			per := int64(time.Second / unit.Multiplier())
			add := func(b array.Builder, s string) {
				b.(*array.TimestampBuilder).Append(arrow.Timestamp(whole(s)*per + l.Int64N(per)))
			}
			all = append(all, arrowColumn{&arrow.TimestampType{Unit: unit}, add}, arrowColumn{&arrow.TimestampType{Unit: unit, TimeZone: "Europe/Berlin"}, add})
		}
		return all
	case schema.Addr:
		return append(text, arrowColumn{&arrow.FixedSizeBinaryType{ByteWidth: 16}, func(b array.Builder, s string) {
			a := netip.MustParseAddr(s).As16()
			b.(*array.FixedSizeBinaryBuilder).Append(a[:])
		}})
	}
	if f.Digits > 0 && !slices.Contains(values, "unknown") {
		return slices.Concat(text, number)
	}
	return text
}

func (l *law) arrow() (content, types string) {
	names := l.names(true)
	var fields []arrow.Field
	var columns []arrowColumn
	for i, f := range lawFields {
		c := pick(l.Rand, l.arrowTypesOf(f, l.column(i))...)
		columns, fields = append(columns, c), append(fields, arrow.Field{Name: names[i], Type: c.kind, Nullable: true})
		types += f.Name + ":" + c.kind.String() + " "
	}
	s := arrow.NewSchema(fields, nil)
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(s), ipc.WithDictionaryDeltas(false))
	builder := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for i, record := range l.records {
		for i, v := range record {
			if v == "" {
				builder.Field(i).AppendNull()
			} else {
				columns[i].add(builder.Field(i), v)
			}
		}
		if i == len(l.records)-1 {
			must(w.Write(builder.NewRecord()))
		}
	}
	must(w.Close())
	return b.String(), types
}
