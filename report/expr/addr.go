package expr

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// Addrs is the filter of an address that lies in one of several ranges. Ranges of IPv4, of which lists have thousands, are
// found by the upper half of the address first.
type Addrs struct {
	field string
	V4    []Span[int64] // ranges of IPv4 addresses as numbers
	from  []int32       // by upper half: the first range of v4 that does not end before it; one more entry at the end
	V6    []AddrSpan
}

// An AddrSpan is a range of IPv6 addresses, both ends included.
type AddrSpan struct{ Lo, Hi [16]byte }

// NewAddrs returns the filter of a field for addresses, networks and ranges.
func NewAddrs(f schema.Field, items []Item) Filter {
	a := &Addrs{field: f.Name}
	for _, it := range items {
		lo, hi := AddrRange(it)
		if lo.Is4() {
			l, h := lo.As4(), hi.As4()
			a.V4 = append(a.V4, Span[int64]{int64(binary.BigEndian.Uint32(l[:])), int64(binary.BigEndian.Uint32(h[:]))})
		} else {
			a.V6 = append(a.V6, AddrSpan{lo.As16(), hi.As16()})
		}
	}
	a.V4 = Merged(a.V4, func(x int64) int64 { return x + 1 })
	slices.SortFunc(a.V6, func(x, y AddrSpan) int { return bytes.Compare(x.Lo[:], y.Lo[:]) })
	joined := a.V6[:0]
	for _, s := range a.V6 {
		if n := len(joined); n > 0 && bytes.Compare(s.Lo[:], joined[n-1].Hi[:]) <= 0 {
			if bytes.Compare(s.Hi[:], joined[n-1].Hi[:]) > 0 {
				joined[n-1].Hi = s.Hi
			}
		} else {
			joined = append(joined, s)
		}
	}
	a.V6 = joined
	if len(a.V4) > 8 {
		a.from = make([]int32, 1<<16+1)
		i := 0
		for upper := range int64(1 << 16) {
			for i < len(a.V4) && a.V4[i].Hi < upper<<16 {
				i++
			}
			a.from[upper] = int32(i)
		}
		a.from[1<<16] = int32(len(a.V4))
	}
	return a
}

// AddrRange is the range of addresses that an item stands for.
func AddrRange(it Item) (lo, hi netip.Addr) {
	switch {
	case it.Prefix.IsValid():
		lo = it.Prefix.Masked().Addr()
		last := lo.AsSlice()
		for bit := it.Prefix.Bits(); bit < 8*len(last); bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		hi, _ = netip.AddrFromSlice(last)
		return lo, hi
	case it.Range:
		return it.Lo.(netip.Addr), it.Hi.(netip.Addr)
	}
	return it.Value.(netip.Addr), it.Value.(netip.Addr)
}

func (f *Addrs) has(a *[16]byte) bool {
	if high, low := binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:]); high != 0 || uint32(low) != codes.Mapped {
		i, found := slices.BinarySearchFunc(f.V6, a, func(s AddrSpan, a *[16]byte) int { return bytes.Compare(s.Lo[:], a[:]) })
		return found || i > 0 && bytes.Compare(a[:], f.V6[i-1].Hi[:]) <= 0
	}
	v := int64(binary.BigEndian.Uint32(a[12:]))
	spans := f.V4
	if f.from != nil {
		upper := v >> 16
		from, to := f.from[upper], f.from[upper+1]
		spans = spans[from:min(int(to)+1, len(spans))]
		if len(spans) > 16 {
			return inSpans(spans, v)
		}
	}
	for _, s := range spans {
		if v <= s.Hi {
			return v >= s.Lo
		}
	}
	return false
}

func (f *Addrs) Keep(rec arrow.Record, rows []int32, want bool) []int32 {
	col := Column(rec, f.field)
	values, valid := schema.AddrValues(col), schema.ValidityOf(col)
	kept := rows[:0]
	for _, row := range rows {
		if f.has(&values[row]) == want && !valid.Null(row) {
			kept = append(kept, row)
		}
	}
	return kept
}
