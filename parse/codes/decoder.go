package codes

import (
	"math"
	"net/netip"
	"unsafe"

	"flowlog/parse/schema"
)

// The methods here decode codes to values and encode single values, for partial results and spilled state.

func (c *smallCoder) Gather(codes []uint32, out *schema.Column) {
	for _, code := range codes {
		if code == 0 {
			out.Null()
		} else {
			out.Int32 = append(out.Int32, int32(code-1))
		}
	}
}

func (c *smallCoder) Code(v any) (uint32, bool) {
	n, ok := v.(int64)
	if !ok || n < 0 || n > math.MaxUint16 {
		return 0, false
	}
	c.top = max(c.top, int(n)+1)
	return uint32(n) + 1, true
}

func (c *wordCoder) Gather(codes []uint32, out *schema.Column) {
	for _, code := range codes {
		switch {
		case code == 0:
			out.Null()
		case c.kind == schema.Float:
			out.Float = append(out.Float, math.Float64frombits(c.word(code)))
		case c.kind == schema.Int32:
			out.Int32 = append(out.Int32, int32(c.word(code)))
		default:
			out.Int64 = append(out.Int64, int64(c.word(code)))
		}
	}
}

func (c *wordCoder) Code(v any) (uint32, bool) {
	switch v := v.(type) {
	case int64:
		return c.code(uint64(v)), c.kind != schema.Float
	case float64:
		return c.code(math.Float64bits(v)), c.kind == schema.Float
	}
	return 0, false
}

func (c *addrCoder) Gather(codes []uint32, out *schema.Column) {
	for _, code := range codes {
		if code == 0 {
			out.Null()
		} else {
			out.Addr = append(out.Addr, c.addrs[code])
		}
	}
}

func (c *addrCoder) Code(v any) (uint32, bool) {
	a, ok := v.(netip.Addr)
	if !ok {
		return 0, false
	}
	bytes := a.As16()
	return c.code(&bytes), true
}

func (c *textCoder) Gather(codes []uint32, out *schema.Column) {
	for _, code := range codes {
		if code == 0 {
			out.Null()
		} else {
			out.Int32 = append(out.Int32, out.Dict.Code(c.dict.Value(int32(code-1))))
		}
	}
}

func (c *textCoder) Code(v any) (uint32, bool) {
	s, ok := v.(string)
	if !ok {
		return 0, false
	}
	code := c.dict.Code(unsafe.Slice(unsafe.StringData(s), len(s)))
	return uint32(code + 1), code >= 0
}

func (c *smallCoder) Size() int64 { return 0 }
func (c *wordCoder) Size() int64  { return c.codes.Size() }
func (c *addrCoder) Size() int64 {
	return 8*int64(len(c.v4)+len(c.v6)) + 16*int64(cap(c.addrs))
}
func (c *textCoder) Size() int64 { return c.dict.Size() }
