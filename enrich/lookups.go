package enrich

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// sides are the two ends of a flow. The packet's address is preferred where it was logged: srcaddr and dstaddr have the
// interface's primary address in place of a pod's, a secondary one, or one behind a NAT.
var sides = []struct {
	prefix, port, portDoc string
	addrs                 []string
	addrDoc               string
}{
	{"src", "srcport", "source port", []string{"pkt_srcaddr", "srcaddr"}, "pkt_srcaddr, or else srcaddr"},
	{"dst", "dstport", "destination port", []string{"pkt_dstaddr", "dstaddr"}, "pkt_dstaddr, or else dstaddr"},
}

// Builtin returns the lookups that need no file. With nil, protocols have their built-in names.
func Builtin(names *ProtocolNames) []Lookup {
	if names == nil {
		names = &protocols
	}
	lookups := []Lookup{protocolLookup(names)}
	for _, side := range sides {
		lookups = append(lookups, portLookup(side.prefix, side.port, side.portDoc))
	}
	for _, side := range sides {
		lookups = append(lookups, scopeLookup(side.prefix, side.addrDoc, side.addrs))
	}
	return append(lookups, derived()...)
}

// lossLookup sums the packets that a transit gateway lost, over all reasons.
func lossLookup() Lookup {
	return Lookup{
		Field: schema.Field{
			Name: "packets_lost", Kind: schema.Int64, Doc: "Packets that a transit gateway lost, for any reason",
			From: []string{"packets_lost_no_route", "packets_lost_blackhole", "packets_lost_mtu_exceeded", "packets_lost_ttl_expired"},
		},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			var lost uint64
			known := false
			for _, a := range in {
				if a != nil && a.IsValid(row) {
					lost += uint64(a.(*array.Int64).Value(row))
					known = true
				}
			}
			if !known || lost > math.MaxInt64 {
				out.Null()
				return
			}
			out.Fill()
			out.Int64 = append(out.Int64, int64(lost))
		},
	}
}

// Fields lists every field that this package can compute, whether its database is open or not. The user's tables add
// more.
func Fields() schema.Table {
	var t schema.Table
	for _, l := range Builtin(nil) {
		t = append(t, l.Field)
	}
	for _, side := range sides {
		for _, f := range dbFields {
			t = append(t, f.field(side.prefix, side.addrDoc, side.addrs))
		}
	}
	return slices.Concat(t, awsFields(), ownerTable(), costFields())
}

// NeedsDB returns the kind of file that a field is computed from, or "". The name may be in any spelling that flags
// accept.
func NeedsDB(name string) DBKind {
	name = OfRecord(schema.CanonicalName(name))
	for _, side := range sides {
		for _, f := range dbFields {
			if name == side.prefix+"_"+f.name {
				return f.db
			}
		}
	}
	if _, ok := awsFields().Named(name); ok {
		return AWS
	}
	if _, ok := ownerTable().Named(name); ok || strings.HasPrefix(name, "src_tag_") || strings.HasPrefix(name, "dst_tag_") {
		return Owners
	}
	return ""
}

// CostInputs returns the names, and what the fields of costs among them are computed from.
func CostInputs(names []string) []string {
	all := slices.Clip(names)
	for _, name := range names {
		f, _ := costFields().Named(schema.CanonicalName(name))
		all = append(all, f.From...)
	}
	return all
}

// address returns the first address that is not null, if there is one.
func address(in []arrow.Array, row int) (netip.Addr, bool) {
	for _, a := range in {
		if a, ok := a.(*array.FixedSizeBinary); ok && a.IsValid(row) {
			return netip.AddrFrom16([16]byte(a.Value(row))).Unmap(), true
		}
	}
	return netip.Addr{}, false
}

// integer returns the value of the first From field, if it is not null.
func integer(in []arrow.Array, row int) (int64, bool) {
	if in[0] == nil || in[0].IsNull(row) {
		return 0, false
	}
	switch a := in[0].(type) {
	case *array.Int32:
		return int64(a.Value(row)), true
	case *array.Int64:
		return a.Value(row), true
	}
	return 0, false
}

// textValue returns a value of a text column, if the column exists and the value is not null.
func textValue(a arrow.Array, row int) (string, bool) {
	if a == nil || a.IsNull(row) {
		return "", false
	}
	codes, words := schema.TextCodes(a)
	return words.Value(int(codes[row])), true
}
