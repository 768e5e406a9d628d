package enrich

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// scopes has the purpose of each block of addresses; the longest prefix counts. Source: IANA's registries of IPv4 and
// IPv6 special-purpose addresses, of multicast addresses, and of the IPv6 address space, of which 2000::/3 is in use.
var scopes = []scope{
	{"0.0.0.0/0", "public"},
	{"0.0.0.0/8", "this-network"},
	{"0.0.0.0/32", "unspecified"},
	{"10.0.0.0/8", "private"},
	{"100.64.0.0/10", "shared"}, // between a carrier's NAT and its customers, and inside some VPCs
	{"127.0.0.0/8", "loopback"},
	{"169.254.0.0/16", "link-local"},
	{"172.16.0.0/12", "private"},
	{"192.0.0.0/24", "ietf-protocol"},
	{"192.0.0.9/32", "public"},  // anycast for port control
	{"192.0.0.10/32", "public"}, // anycast for TURN
	{"192.0.2.0/24", "documentation"},
	{"192.88.99.0/24", "6to4"},
	{"192.168.0.0/16", "private"},
	{"198.18.0.0/15", "benchmarking"},
	{"198.51.100.0/24", "documentation"},
	{"203.0.113.0/24", "documentation"},
	{"224.0.0.0/4", "multicast"},
	{"240.0.0.0/4", "reserved"},
	{"255.255.255.255/32", "broadcast"},

	{"::/0", "reserved"},
	{"::/128", "unspecified"},
	{"::1/128", "loopback"},
	{"64:ff9b::/96", "nat64"},
	{"64:ff9b:1::/48", "nat64"},
	{"100::/64", "discard"},
	{"100:0:0:1::/64", "discard"},
	{"2000::/3", "public"},
	{"2001::/23", "ietf-protocol"},
	{"2001::/32", "teredo"},
	{"2001:1::1/128", "public"}, // anycast for port control
	{"2001:1::2/128", "public"}, // anycast for TURN
	{"2001:1::3/128", "public"}, // anycast for service registration
	{"2001:2::/48", "benchmarking"},
	{"2001:3::/32", "public"},     // multicast tunnelling
	{"2001:4:112::/48", "public"}, // AS112
	{"2001:20::/28", "public"},    // ORCHIDv2
	{"2001:30::/28", "public"},    // identifiers of drones
	{"2001:db8::/32", "documentation"},
	{"2002::/16", "6to4"},
	{"3fff::/20", "documentation"},
	{"5f00::/16", "segment-routing"},
	{"fc00::/7", "private"},
	{"fe80::/10", "link-local"},
	{"fec0::/10", "site-local"},
	{"ff00::/8", "multicast"},
}

// scopeNames lists the distinct names in scopes.
var scopeNames = func() (names []string) {
	for _, s := range scopes {
		if !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	return names
}()

type scope struct{ block, name string }

type scopeBlock struct {
	netip.Prefix
	name string
}

// scopesBy indexes the blocks by IP version (0 is IPv6, 1 is IPv4) and first byte of the address, longest prefix first.
var scopesBy = sync.OnceValue(func() *[2][256][]scopeBlock {
	var blocks []scopeBlock
	for _, s := range scopes {
		blocks = append(blocks, scopeBlock{netip.MustParsePrefix(s.block), s.name})
	}
	slices.SortStableFunc(blocks, func(a, b scopeBlock) int { return cmp.Compare(b.Bits(), a.Bits()) })
	var by [2][256][]scopeBlock
	for _, b := range blocks {
		version, first := firstByte(b.Addr())
		for i := range 1 << max(8-b.Bits(), 0) {
			by[version][first+i] = append(by[version][first+i], b)
		}
	}
	return &by
})

func firstByte(a netip.Addr) (version, first int) {
	bytes := a.As16()
	if a.Is4() {
		return 1, int(bytes[12])
	}
	return 0, int(bytes[0])
}

// scopeOf returns the scope of an address: public, or a special purpose.
func scopeOf(a netip.Addr) string {
	version, first := firstByte(a)
	blocks := scopesBy()[version][first]
	return blocks[slices.IndexFunc(blocks, func(b scopeBlock) bool { return b.Contains(a) })].name
}

func scopeLookup(prefix, addrDoc string, from []string) Lookup {
	return Lookup{
		Field: schema.Field{
			Name: prefix + "_scope", Kind: schema.Text, From: from, Values: scopeNames,
			Doc: "Scope of " + addrDoc + ": public, private, shared, link-local, multicast …",
		},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			if a, ok := address(in, row); ok {
				out.Text(scopeOf(a))
			} else {
				out.Null()
			}
		},
	}
}
