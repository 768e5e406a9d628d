package enrich

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/gaissmai/bart"
)

// noRow is the row number of a value that is not in the table.
const noRow int32 = -1

// An index finds the row of a table for the values of join fields.
type index interface {
	// add indexes a row by its key. It returns the first other row with the same key, or else noRow. The error says how
	// to correct the key.
	add(key string, row int32) (before int32, err error)
	// joins says which fields the values are in. It is called after all rows were added.
	joins(table string) []join
}

// A join is one list of fields that an index is looked up by.
type join struct {
	prefix string   // of the resulting fields; the column's name follows
	from   []string // the fields that have the value
	doc    string   // describes those
	find   func(in []arrow.Array, row int) int32
}

// networks indexes rows by network: the longest prefix that contains an address counts. A row about one port of an address
// comes before those.
type networks struct {
	trie  bart.Fast[int32]
	ports map[netip.AddrPort]int32

	shared      int          // networks of which several rows make no statement
	firstShared netip.Prefix // one of them
}

// listed returns the row of a network, or of a port of an address, or noRow.
func (n *networks) listed(p netip.Prefix, port uint16) int32 {
	row, ok := n.ports[netip.AddrPortFrom(p.Addr(), port)]
	if port == 0 {
		row, ok = n.trie.Get(p)
	}
	if !ok {
		return noRow
	}
	return row
}

// list adds a row. A port other than 0 is that of an address.
func (n *networks) list(p netip.Prefix, port uint16, row int32) {
	if port == 0 {
		n.trie.Insert(p, row)
		return
	}
	if n.ports == nil {
		n.ports = make(map[netip.AddrPort]int32)
	}
	n.ports[netip.AddrPortFrom(p.Addr(), port)] = row
}

func (n *networks) add(key string, row int32) (int32, error) {
	p, err := parseNetwork(key)
	if err != nil {
		return noRow, err
	}
	if before, ok := n.trie.Get(p); ok {
		return before, nil
	}
	n.trie.Insert(p, row)
	return noRow, nil
}

func (n *networks) joins(table string) []join {
	var joins []join
	for _, side := range sides {
		from, doc := side.addrs, side.addrDoc
		if n.ports != nil {
			from, doc = append(slices.Clone(from), side.port), doc+", with "+side.port+","
		}
		joins = append(joins, join{side.prefix + "_" + table + "_", from, doc, n.find})
	}
	return joins
}

func (n *networks) find(in []arrow.Array, row int) int32 {
	if a, ok := address(in, row); ok {
		if n.ports != nil {
			if port, ok := integer(in[len(in)-1:], row); ok {
				if found, ok := n.ports[netip.AddrPortFrom(a, uint16(port))]; ok {
					return found
				}
			}
		}
		if found, ok := n.trie.Lookup(a); ok {
			return found
		}
	}
	return noRow
}

// parseNetwork reads a network, or an address as a network of one. IPv4-mapped IPv6 becomes IPv4, as in records.
func parseNetwork(s string) (netip.Prefix, error) {
	const forms = "write 10.0.0.0/8, 10.0.0.1, 2001:db8::/32 or 2001:db8::1"
	var p netip.Prefix
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		p = netip.PrefixFrom(a, a.BitLen())
	} else if p, err = netip.ParsePrefix(s); err != nil {
		return p, fmt.Errorf("%q is not a network or an address: %s", s, forms)
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	if m := p.Masked(); m != p {
		return p, fmt.Errorf("%q has bits set behind the first %d: write %s for the network, or %s for the one address", s, p.Bits(), m, p.Addr())
	}
	return p, nil
}

// texts indexes rows by the text of a logged field.
type texts struct {
	fields []string // alternatives: the first one whose value is in the table counts
	rows   map[string]int32
}

func newTexts(fields ...string) *texts { return &texts{fields, make(map[string]int32)} }

func (x *texts) add(key string, row int32) (int32, error) {
	field := x.fields[0]
	if _, err := parseNetwork(key); err == nil {
		return noRow, fmt.Errorf("%q is an address or a network, which %s never is: call the column cidr", key, field)
	}
	if field == "account_id" {
		digits := strings.ReplaceAll(key, "-", "")
		if _, err := strconv.ParseUint(digits, 10, 64); err != nil && key != "unknown" || len(digits) > 12 {
			return noRow, fmt.Errorf("%q is not an account, which has 12 digits: in a spreadsheet, format the column as text", key)
		} else if err == nil {
			key = strings.Repeat("0", 12-len(digits)) + digits // spreadsheets drop leading zeros
		}
	}
	if before, ok := x.rows[key]; ok {
		return before, nil
	}
	x.rows[key] = row
	return noRow, nil
}

func (x *texts) joins(string) []join {
	return []join{{"", x.fields, strings.Join(x.fields, ", or else "), x.find}}
}

func (x *texts) find(in []arrow.Array, row int) int32 {
	for _, a := range in {
		if key, ok := textValue(a, row); ok {
			if found, ok := x.rows[key]; ok {
				return found
			}
		}
	}
	return noRow
}

// portNumbers indexes rows by port, of one protocol or of any. The narrowest range of ports counts.
type portNumbers struct {
	rows      map[uint32]portRow
	protocols bool // some row has a protocol
}

type portRow struct {
	row   int32
	width int // of the range that the port was in
}

// anyProtocol is the protocol of a row for all protocols.
const anyProtocol = -1

func portKey(port int64, protocol int64) uint32 { return uint32(port)<<9 | uint32(protocol+1) }

func (x *portNumbers) add(key string, row int32) (int32, error) {
	number, proto, of := strings.Cut(key, "/")
	protocol := int64(anyProtocol)
	if of {
		var ok bool
		if protocol, ok = protocolNumber(proto); !ok {
			return noRow, fmt.Errorf("%q is not a protocol: write its number, a name such as tcp or udp, or any", proto)
		}
		x.protocols = x.protocols || protocol != anyProtocol
	}
	lo, hi, isRange := strings.Cut(number, "-")
	if !isRange {
		hi = lo
	}
	from, err1 := strconv.ParseUint(strings.TrimSpace(lo), 10, 16)
	to, err2 := strconv.ParseUint(strings.TrimSpace(hi), 10, 16)
	if err1 != nil || err2 != nil || from > to {
		return noRow, fmt.Errorf("%q is not a port: write a number, 0 to 65535, a range such as 8000-8099, or 53/udp", key)
	}
	before := noRow
	mine := portRow{row, int(to - from)}
	for port := from; port <= to; port++ {
		k := portKey(int64(port), protocol)
		other, ok := x.rows[k]
		switch {
		case !ok || mine.width < other.width:
			x.rows[k] = mine
		case mine.width == other.width && before == noRow:
			before = other.row
		}
	}
	return before, nil
}

// protocolNumber reads a protocol: its number, its name in any case, or a word for any.
func protocolNumber(s string) (int64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if slices.Contains([]string{"", "*", "-", "-1", "any", "all"}, s) {
		return anyProtocol, true
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil {
		return int64(n), true
	}
	for n, name := range protocols {
		if name != "" && strings.ToLower(name) == s {
			return int64(n), true
		}
	}
	return 0, false
}

func (x *portNumbers) joins(table string) []join {
	var joins []join
	for _, side := range sides {
		from, doc := []string{side.port}, side.port
		if x.protocols {
			from, doc = append(from, "protocol"), doc+" and protocol"
		}
		joins = append(joins, join{side.prefix + "_" + table + "_", from, doc, x.find})
	}
	return joins
}

func (x *portNumbers) find(in []arrow.Array, row int) int32 {
	port, ok := integer(in, row)
	if !ok {
		return noRow
	}
	if len(in) > 1 {
		if protocol, ok := integer(in[1:], row); ok {
			if found, ok := x.rows[portKey(port, protocol)]; ok {
				return found.row
			}
		}
	}
	if found, ok := x.rows[portKey(port, anyProtocol)]; ok {
		return found.row
	}
	return noRow
}
