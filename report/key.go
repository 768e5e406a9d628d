package report

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// A Key is what a report groups by: a field, a network of an address, or a bin of time.
type Key struct {
	Field string
	// Bits is, for the network of an address, the length of its prefix, and Bits6 that for IPv6.
	Bits, Bits6 int
	// Every is the width of a bin of time, see calendar; auto chooses one by the span of the records.
	Every time.Duration
	Hour  bool           // of the day, from 0 to 23, in Zone
	Zone  *time.Location // of bins and hours; nil is UTC

	chosen bool // Every was auto: keys that were different stay so
}

// timeKey is the name of the key that is a bin of time, which is computed from a record's start.
const timeKey = "time"

// auto is the width of a bin that is chosen when all records have been seen.
const auto time.Duration = -1

// Auto is how `--every` asks for it.
const Auto = "auto"

// steps are the widths that auto chooses from: those of clocks and calendars. All are multiples of the first.
var steps = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day,
}

const day = 24 * time.Hour

// Day is the width of bins of a day. Where the clock of their zone is set, such a bin is longer or shorter.
const Day = day

// BinWidths returns the widths that auto chooses from, which charts mark times by too.
func BinWidths() []time.Duration { return slices.Clone(steps) }

// maxBins is how many bins auto makes at most: about as many as a screen has room for.
const maxBins = 60

// Name is the key's column.
func (k Key) Name() string {
	switch {
	case k.Every != 0:
		return timeKey
	case k.Hour:
		return schema.HourKey
	case k.Bits6 != k.Bits:
		return fmt.Sprintf("%s/%d/%d", k.Field, k.Bits, k.Bits6)
	case k.Bits != 0:
		return fmt.Sprintf("%s/%d", k.Field, k.Bits)
	}
	return k.Field
}

// ParseKey reads a key as a user writes it: a field; an address with the length of a prefix, as in srcaddr/24,
// and perhaps another for IPv6, as in srcaddr/24/64; or time, for bins of time, or hour.
func ParseKey(s string, fields schema.Table) (Key, error) {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case timeKey:
		return Key{Field: "start", Every: auto}, nil
	case schema.HourKey:
		return Key{Field: "start", Hour: true}, nil
	}
	name, mask, masked := strings.Cut(s, "/")
	f, ok := fields.Lookup(name)
	if name == "" {
		return Key{}, fmt.Errorf("%q is not a key: keys are fields with commas between, as in srcaddr,dstport", s)
	}
	if !ok {
		return Key{}, unknownKey(name, fields)
	}
	k := Key{Field: f.Name}
	if !masked {
		return k, nil
	}
	if f.Kind != schema.Addr {
		return k, fmt.Errorf("%s: %s is %s: only addresses have networks", s, f.Name, f.Kind)
	}
	mask4, mask6, both := strings.Cut(mask, "/")
	if !both {
		mask6 = mask4
	}
	var err4, err6 error
	k.Bits, err4 = strconv.Atoi(mask4)
	k.Bits6, err6 = strconv.Atoi(mask6)
	if err4 != nil || err6 != nil || k.Bits < 1 || k.Bits6 < 1 || k.Bits6 > 128 || k.Bits > 128 || both && k.Bits > 32 {
		return k, fmt.Errorf("%s: write the length of a prefix, as in %s/24, or one for IPv4 and one for IPv6, as in %[2]s/24/64", s, f.Name)
	}
	return k, nil
}

// unknownKey is the error for a name that nothing can be grouped by.
func unknownKey(name string, fields schema.Table) error {
	if width := schema.WidthOf(name); width != "" {
		return schema.Wordsf("%s is a length of time: group by bins of it with %s", name, schema.Opt("every", width))
	}
	names := append(fields.Names(), timeKey, schema.HourKey)
	word := cmp.Or(schema.Meant(name), name)
	for _, prefix := range []string{"", "_"} {
		if src, dst := "src"+prefix+word, "dst"+prefix+word; slices.Contains(names, src) && slices.Contains(names, dst) {
			return fmt.Errorf("%s is either end of a flow, which only conditions can ask for: group by %s or %s", name, src, dst)
		}
	}
	return schema.UnknownField(name, names, "flowlog fields")
}

// kind is that of the key's values.
func (k Key) kind(f schema.Field) schema.Kind {
	switch {
	case k.Every != 0:
		return schema.Time
	case k.Hour:
		return schema.Int32
	case k.Bits != 0:
		return schema.Text
	}
	return f.Kind
}

// coder numbers the key's values.
func (k Key) coder(f schema.Field) codes.Coder {
	base := codes.NewCoder(f)
	switch {
	case k.Every != 0:
		if k.Every == auto {
			k.Every = steps[0]
		}
		b := bins{calendar: k.calendar()}
		c := newKeyCoder(base, func(v any) any { return b.begin(v.(int64)) })
		c.again = true // bins that were made before the width was known are put into wider ones
		return c
	case k.Hour:
		zone := k.Zone
		if zone == nil {
			zone = time.UTC
		}
		return newKeyCoder(base, func(v any) any { return int64(time.Unix(v.(int64), 0).In(zone).Hour()) })
	case k.Bits != 0:
		return newKeyCoder(base, func(v any) any {
			a, bits := v.(netip.Addr), k.Bits6
			if a.Is4() {
				bits = min(k.Bits, 32)
			}
			p, _ := a.Prefix(bits)
			return p
		})
	}
	return base
}

// value is what a table shows for a value of the coder.
func (k Key) value(v any) any {
	switch x := v.(type) {
	case netip.Prefix:
		return x.String()
	case int64:
		if k.Every != 0 {
			return time.Unix(x, 0).UTC()
		}
	}
	return v
}

// chooseStep is the width of bins for what begins between two seconds: the smallest that makes no more than maxBins.
func chooseStep(first, last int64, zone *time.Location) time.Duration {
	fit := func(step time.Duration) bool {
		return Key{Every: step, Zone: zone}.calendar().count(first, last) <= maxBins
	}
	for _, step := range steps {
		if fit(step) {
			return step
		}
	}
	step := steps[len(steps)-1]
	for step <= math.MaxInt64/2 && !fit(step) { // of times that no log has
		step *= 2
	}
	return step
}

// A keyCoder numbers what a function makes of a field's values. The function is called once for each distinct
// value.
type keyCoder struct {
	base   codes.Coder
	of     func(any) any
	again  bool     // of is for what another keyCoder has made too
	near   minutes  // of values that are seconds
	known  []uint32 // by code of base: the code here
	values []any    // by code
	codes  map[any]uint32
}

func newKeyCoder(base codes.Coder, of func(any) any) *keyCoder {
	return &keyCoder{base: base, of: of, known: []uint32{0}, values: []any{nil}, codes: make(map[any]uint32)}
}

func (c *keyCoder) Encode(col arrow.Array, rows []int32, out []uint32) {
	if seconds, ok := col.(*array.Int64); ok && !c.near.off {
		if rows = c.near.encode(c, seconds, rows, out); len(rows) == 0 {
			return
		}
	}
	c.base.Encode(col, rows, out)
	for code := len(c.known); code < c.base.Len(); code++ {
		c.known = append(c.known, c.code(c.of(c.base.Value(uint32(code)))))
	}
	for _, row := range rows {
		out[row] = c.known[out[row]]
	}
}

func (c *keyCoder) code(v any) uint32 {
	code, ok := c.codes[v]
	if !ok {
		code = uint32(len(c.values))
		c.values = append(c.values, v)
		c.codes[v] = code
	}
	return code
}

// adopt writes the codes of values that another keyCoder has made.
func (c *keyCoder) adopt(col arrow.Array, out []uint32) {
	valid := schema.ValidityOf(col)
	codes, numbers := func(int) any { return nil }, func(int) int64 { return 0 }
	switch a := col.(type) {
	case *array.Int32:
		numbers = func(row int) int64 { return int64(a.Value(row)) }
	case *array.Int64:
		numbers = func(row int) int64 { return a.Value(row) }
	case *array.Dictionary:
		places, words := schema.TextCodes(a)
		codes = func(row int) any {
			p, _ := netip.ParsePrefix(words.Value(int(places[row])))
			return p
		}
	}
	for row := range col.Len() {
		if valid.Null(int32(row)) {
			out[row] = 0
			continue
		}
		v := codes(row)
		if v == nil {
			v = numbers(row)
		}
		out[row] = c.remade(v)
	}
}

// remade is the code of a value that another keyCoder has made.
func (c *keyCoder) remade(v any) uint32 {
	if c.again {
		v = c.of(v)
	}
	return c.code(v)
}

func (c *keyCoder) Code(v any) (uint32, bool) { return c.remade(v), true }
func (c *keyCoder) Size() int64 {
	return c.base.Size() + 64*int64(len(c.values)) + 4*int64(cap(c.near.codes))
}

func (c *keyCoder) Gather(codes []uint32, out *schema.Column) {
	for _, code := range codes {
		v := c.values[code]
		if p, ok := v.(netip.Prefix); ok {
			v = p.String()
		}
		out.Append(v)
	}
}

func (c *keyCoder) Len() int              { return len(c.values) }
func (c *keyCoder) Value(code uint32) any { return c.values[code] }

func (c *keyCoder) Absorb(other codes.Coder) []uint32 {
	o := other.(*keyCoder)
	codes := make([]uint32, o.Len())
	for i := 1; i < len(codes); i++ {
		codes[i] = c.remade(o.values[i])
	}
	return codes
}

// minutes are the codes of what a keyCoder makes of times, by the minute, where it makes the same of all its seconds. A
// table of seconds would be too large for the processor's caches.
type minutes struct {
	first int64    // since 1970
	codes []uint32 // 0 where it is not known
	off   bool     // minutes are not the same throughout
	rest  []int32
}

// maxMinutes is how many there are at most: two years.
const maxMinutes = 1 << 20

// encode writes the codes that it knows, and returns the other rows.
func (m *minutes) encode(c *keyCoder, col *array.Int64, rows []int32, out []uint32) []int32 {
	seconds, valid := col.Int64Values(), schema.ValidityOf(col)
	m.rest = m.rest[:0]
	for _, row := range rows {
		minute := int64(uint64(seconds[row])/60) - m.first
		if valid.Null(row) || uint64(minute) >= uint64(len(m.codes)) || m.codes[minute] == 0 {
			if valid.Null(row) || !m.learn(c, seconds[row]) {
				m.rest = append(m.rest, row)
				continue
			}
			minute = seconds[row]/60 - m.first
		}
		out[row] = m.codes[minute]
	}
	return m.rest
}

// learn makes what there is of a time known, and reports whether it is.
func (m *minutes) learn(c *keyCoder, second int64) bool {
	minute := second / 60
	if len(m.codes) == 0 {
		m.first = minute
	}
	first, end := min(m.first, minute), max(m.first+int64(len(m.codes)), minute+1)
	if m.off || second < 0 || end-first > maxMinutes {
		return false
	}
	v := c.of(60 * minute)
	if m.off = v != c.of(60*minute+59); m.off {
		return false
	}
	if first < m.first { // with room for as many again, as a slice that is appended to
		first = max(0, end-max(end-first, 2*int64(len(m.codes))))
		codes := make([]uint32, end-first)
		copy(codes[m.first-first:], m.codes)
		m.first, m.codes = first, codes
	}
	m.codes = codes.Grown(m.codes, int(end-m.first))
	m.codes[minute-m.first] = c.code(v)
	return true
}

// timeAt is the place of the key that is a bin of time, or -1.
func (r *Report) timeAt() int {
	return slices.IndexFunc(r.Keys, func(k Key) bool { return k.Every != 0 })
}
