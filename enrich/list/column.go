package list

import (
	"slices"
	"strings"
)

// Addresses lists the titles of columns that hold an address or a network, in lower case and
// with _ between words. Titles are compared without the _.
var Addresses = []string{
	"cidr", "ip", "network", "prefix", "address", "addr", "net", "cidr_block", "ip_address", "ip_addr", "ip_prefix", "ip_range", "ip_network",
	"ipv4", "ipv6", "ipv4_cidr", "ipv6_cidr", "ipv6_prefix", "private_ip", "private_ip_address", "public_ip", "public_ip_address",
}

// memberNames are the members of JSON that hold an address or a network. What AWS calls CidrBlock or PrivateIpAddress is none:
// its objects are about more than that address.
var memberNames = []string{"cidr", "ip", "ip_address", "ip_prefix", "network", "prefix", "address", "addr"}

// published are further such titles, which stand in lists that others publish: those of abuse.ch, MISP, AlienVault OTX.
var published = []string{"dst_ip", "src_ip", "ioc_value", "value", "indicator", "ioc"}

// typed are the titles of columns that say what kind of value a row has. A title of published may need one of them.
var typed = []string{"type", "ioc_type", "indicator_type"}

// addressTypes are the kinds of values that are addresses or networks, with a port or not: MISP's, ThreatFox's, OTX's.
// domain|ip is none: a domain's address serves others too.
var addressTypes = []string{
	"ip-src", "ip-dst", "ip-src|port", "ip-dst|port", "ip:port", "ip", "ipv4", "ipv6", "cidr", "ipv4-addr", "ipv6-addr", "ip address", "network",
}

// labels are the titles of columns that say in a word what a row is about, best first: abuse.ch's, Spamhaus's, STIX's.
var labels = []string{"malware_printable", "malware", "fk_malware", "threat", "listing_reason", "sblid", "name", "description", "comment", "remark"}

// bare is a title in lower case without blanks, dashes, quotes and underscores.
func bare(title string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-\t\"'", r) {
			return -1
		}
		return r
	}, strings.ToLower(title))
}

// titled returns the index of the title that is the first of the names that there is, or -1.
func titled(titles, names []string) int {
	for _, name := range names {
		if i := slices.IndexFunc(titles, func(t string) bool { return bare(t) == bare(name) }); i >= 0 {
			return i
		}
	}
	return -1
}

// columns is what the columns of a list are.
type columns struct {
	titles []string
	value  int // that the rows are about
	kind   int // what kind of value it is, or -1
	label  int // or -1
}

// columnsOf assigns columns by their titles. It is false if none holds addresses: none is one of the names or of published.
func columnsOf(titles, names []string) (columns, bool) {
	c := columns{titles: titles, kind: titled(titles, typed), label: titled(titles, labels)}
	if c.value = slices.IndexFunc(titles, func(t string) bool { return titled([]string{t}, names) >= 0 }); c.value < 0 {
		c.value = titled(titles, published)
	}
	if c.value < 0 {
		return c, false
	}
	if name := bare(titles[c.value]); c.kind < 0 && slices.Contains([]string{"value", "indicator", "ioc"}, name) {
		return c, false // such a column can hold anything
	}
	if titled(titles[c.value:c.value+1], published) < 0 {
		c.kind = -1 // of an address it is something else, such as the type of a network
	}
	return c, true
}

// others are the titles of the columns beside the value.
func (c columns) others() []string {
	return slices.Delete(slices.Clone(c.titles), c.value, c.value+1)
}

// add adds a row to a list, or skips it.
func (c columns) add(l *List, cells []string, line int) {
	if c.kind >= 0 && !slices.Contains(addressTypes, strings.ToLower(strings.TrimSpace(cells[c.kind]))) {
		l.skip("of type "+shortened(cells[c.kind], 40), line)
		return
	}
	e := Entry{Line: line}
	if c.label >= 0 && c.label != c.value {
		e.Label = cells[c.label]
	}
	e.Cells = slices.Delete(slices.Clone(cells), c.value, c.value+1)
	l.add(cells[c.value], e)
}

// shortened is at most so many bytes of a text, for messages.
func shortened(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
