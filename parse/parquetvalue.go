package parse

import (
	"bytes"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/format"

	"flowlog/parse/schema"
)

// This file makes values of those that Parquet has.

// logicalTypeOf says what the values of a column stand for.
func logicalTypeOf(column *parquet.Column) logicalType {
	t := column.Type()
	if t.Kind() == parquet.Int96 {
		return instants(1e9)
	}
	logical := t.LogicalType()
	if logical == nil {
		return logicalType{}
	}
	switch l := logical.Value.(type) {
	case *format.TimestampType:
		switch l.Unit.Value.(type) {
		case *format.MilliSeconds:
			return instants(1e3)
		case *format.MicroSeconds:
			return instants(1e6)
		}
		return instants(1e9)
	case *format.DateType:
		return dates
	case *format.DecimalType:
		return logicalType{what: decimal, scale: int(l.Scale)}
	case *format.IntType:
		if !l.IsSigned {
			return logicalType{what: unsigned}
		}
	case *format.TimeType:
		return logicalType{what: unusable}
	}
	return logicalType{}
}

// parquetValue returns the function that appends a value of a page.
func parquetValue(data encoding.Values, as logicalType, escaped bool) func(c *schema.Column, i int) (schema.Fault, string) {
	switch data.Kind() {
	case encoding.Int32:
		v := data.Int32()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.whole(c, int64(v[i]), 32) }
	case encoding.Int64:
		v := data.Int64()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.whole(c, v[i], 64) }
	case encoding.Int96:
		v := data.Int96()
		return func(c *schema.Column, i int) (schema.Fault, string) {
			const epoch = 2440588 // the Julian day of 1970-01-01
			nanos := int64(v[i][1])<<32 | int64(v[i][0])
			day := int64(v[i][2]) - epoch
			if fault := c.Instant(day*24*60*60+nanos/1e9, nanos%1e9); fault != schema.Valid {
				return fault, fmt.Sprintf("day %d, %d ns", day, nanos)
			}
			return schema.Valid, ""
		}
	case encoding.Float:
		v := data.Float()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.real(c, float64(v[i])) }
	case encoding.Double:
		v := data.Double()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.real(c, v[i]) }
	case encoding.FixedLenByteArray:
		v, size := data.FixedLenByteArray()
		return func(c *schema.Column, i int) (schema.Fault, string) { return as.bytes(c, v[i*size:(i+1)*size]) }
	case encoding.ByteArray:
		v, offsets := data.ByteArray()
		return func(c *schema.Column, i int) (schema.Fault, string) {
			if c.Kind == schema.Addr {
				if a, ok := shortAddr(v, int(offsets[i]), int(offsets[i+1])); ok {
					c.Fill()
					c.Addr = append(c.Addr, a)
					return schema.Valid, ""
				}
			}
			text := v[offsets[i]:offsets[i+1]]
			switch {
			case as.what == decimal:
				return as.unscaled(c, bigEndian(text))
			case escaped && c.Escaped && bytes.IndexByte(text, '%') >= 0:
				return c.ParseEscaped(text), string(text)
			}
			return as.text(c, text)
		}
	}
	return func(*schema.Column, int) (schema.Fault, string) {
		return schema.NotText, "a value of type " + data.Kind().String()
	}
}
