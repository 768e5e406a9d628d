package parse

import (
	"bytes"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
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

// A parquetColumn has its type in Parquet, and makes a value of a text as AWS writes it.
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
