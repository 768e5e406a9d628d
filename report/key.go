package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"flowlog/parse/schema"
	"flowlog/report/calendar"
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

	Chosen bool // Every was auto: keys that were different stay so
}

// timeKey is the name of the key that is a bin of time, which is computed from a record's start.
const timeKey = "time"

// Auto is how `--every` asks for it.
const Auto = "auto"

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
		return Key{Field: "start", Every: calendar.Auto}, nil
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

// Kind is that of the key's values.
func (k Key) Kind(f schema.Field) schema.Kind {
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

// Bins is that of a key that is a bin of time, whose width is known.
func (k Key) Bins() calendar.Bins { return calendar.New(k.Every, k.Zone) }

// TimeAt is the place of the key that is a bin of time, or -1.
func (r *Report) TimeAt() int {
	return slices.IndexFunc(r.Keys, func(k Key) bool { return k.Every != 0 })
}
